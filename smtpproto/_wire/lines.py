r"""LineBuffer: what has arrived, handed out as CRLF-ended lines or as plain octets.

Operations: append at the end; take a line from the front; take n octets, or all, from the front.

Goals: no octet is looked at twice however the input is cut, none is copied that is handed out as
it came, no more is held than the caller's limit and what one read brought, and no Python runs for
a single octet.

Plan: what comes when nothing waits is kept as it is, in bytes, and read by moving `_start`; a
message that is read as fast as it comes is never copied. Of a piece that is read but for the
beginning of a line, only that is kept. What comes while something waits is added to a bytearray,
which CPython appends to in amortized constant time and shortens from the front without moving what
remains. `_searched` says up to where no CRLF can begin, so that a line that comes one octet at a
time is searched once. A line over the limit is let go as it comes in: only its first `KEPT` octets
and the possible first half of its CRLF stay.
"""

from __future__ import annotations

__all__ = ["LineBuffer", "LineTooLong"]

KEPT = 512
"""How many octets of a line that is too long are kept to show in a report."""


class LineTooLong(Exception):  # noqa: N818 (not an error of anybody's program)
    """A line over the limit has ended and is gone; `start` holds its first octets."""

    def __init__(self, start: bytes) -> None:
        super().__init__(start)
        self.start = start


class LineBuffer:
    """Received octets that nobody has read yet. ``len()`` says how many."""

    __slots__ = ("_octets", "_searched", "_start", "_terminator", "_width", "empty", "overlong")

    def __init__(self, *, bare_lf: bool = False) -> None:
        """With `bare_lf`, LF alone ends a line too (and a CR before it is still dropped)."""
        self._octets: bytes | bytearray = b""
        self._start = 0
        self._searched = 0
        self.empty = True
        """Whether nothing waits."""
        self.overlong = b""
        """The start of the line that is too long and dropped as it comes in; b"" without one."""
        self._terminator = b"\n" if bare_lf else b"\r\n"
        self._width = len(self._terminator)

    def __len__(self) -> int:
        return len(self._octets) - self._start

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self.empty:
            # Through memoryview, which takes octets only: bytes() takes lists of numbers too.
            self._octets = data if isinstance(data, bytes) else bytes(memoryview(data))
            self.empty = not data
            return
        octets = self._octets
        if isinstance(octets, bytes):
            self._octets = octets = bytearray(octets)
        del octets[: self._start]
        self._searched -= self._start
        self._start = 0
        octets += data

    def clear(self) -> None:
        self._go_on_at(len(self._octets))
        self.overlong = b""

    @property
    def at_line_start(self) -> bool:
        """True when no part of a line is waiting for its end."""
        return self.empty and not self.overlong

    def first_octet(self) -> int | None:
        return None if self.empty else self._octets[self._start]

    def next_line(self, limit: int) -> bytes | None:
        """The next line without its end, or None when none is complete yet.

        `limit` is the most octets that it may have, its end included. Raises LineTooLong once
        for a longer one, after its end has arrived, however the octets were cut.
        """
        octets = self._octets
        start = self._start
        end = octets.find(self._terminator, self._searched)
        if end < 0:
            if start:  # what comes before may be a large piece
                self._octets = octets = octets[start:]
                self._start = 0
            self._searched = max(0, len(octets) - self._width + 1)
            if len(octets) >= limit:
                self._let_go(limit)
            return None
        line = octets[start:end]
        if not isinstance(line, bytes):
            line = bytes(line)
        position = end + self._width
        if position == len(octets):  # as in _go_on_at, which would be one more call for each line
            self._octets = b""
            self.empty = True
            self._start = self._searched = 0
        else:
            self._start = self._searched = position
        if position - start > limit or self.overlong:
            beginning, self.overlong = self.overlong or line[: min(KEPT, limit - 2)], b""
            raise LineTooLong(beginning)
        if self._width == 1 and line.endswith(b"\r"):
            return line[:-1]
        return line

    def _go_on_at(self, position: int) -> None:
        """Everything before `position` has been read; when that is all, do not hold on to it."""
        if position == len(self._octets):
            self._octets = b""
            self.empty = True
            position = 0
        self._start = self._searched = position

    def _let_go(self, limit: int) -> None:
        """Drop an overlong line but for its start and a last octet, which may be a CR."""
        self.overlong = self.overlong or self.peek(min(KEPT, limit - 2))
        self._octets = bytes(self._octets[-1:])
        self._start = self._searched = 0

    def peek(self, count: int) -> bytes:
        """At most `count` octets from the front, lines or not; they stay here until `skip`."""
        octets, start = self._octets, self._start
        if start or len(octets) > count:
            octets = octets[start : start + count]
        return octets if isinstance(octets, bytes) else bytes(octets)

    def skip(self, count: int) -> None:
        """Let the first `count` octets go, which must be here."""
        self._go_on_at(self._start + count)

    def take(self, count: int) -> bytes:
        """At most `count` octets from the front, lines or not."""
        taken = self.peek(count)
        self.skip(len(taken))
        return taken
