r"""LineBuffer: what has arrived, handed out as CRLF-ended lines or as plain octets.

Operations: append at the end; take a line from the front; take n octets, or all, from the front.

Goals: no octet is looked at twice however the input is cut, no more is held than the caller's
limit and what one read brought, and no Python runs for a single octet.

Plan: one bytearray, which CPython appends to in amortized constant time and shortens from the
front without moving what remains. `_searched` says up to where no CRLF can begin, so that a line
that comes one octet at a time is searched once. A line over the limit is let go as it comes in:
only its first `KEPT` octets and the possible first half of its CRLF stay.
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

    __slots__ = ("_octets", "_searched", "_terminator", "_width", "overlong")

    def __init__(self, *, bare_lf: bool = False) -> None:
        """With `bare_lf`, LF alone ends a line too (and a CR before it is still dropped)."""
        self._octets = bytearray()
        self._searched = 0
        self.overlong = b""
        """The start of the line that is too long and dropped as it comes in; b"" without one."""
        self._terminator = b"\n" if bare_lf else b"\r\n"
        self._width = len(self._terminator)

    def __len__(self) -> int:
        return len(self._octets)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._octets += data

    def clear(self) -> None:
        self._octets = bytearray()
        self._searched = 0
        self.overlong = b""

    @property
    def at_line_start(self) -> bool:
        """True when no part of a line is waiting for its end."""
        return not self._octets and not self.overlong

    def first_octet(self) -> int | None:
        return self._octets[0] if self._octets else None

    def next_line(self, limit: int) -> bytes | None:
        """The next line without its end, or None when none is complete yet.

        `limit` is the most octets that it may have, its end included. Raises LineTooLong once
        for a longer one, after its end has arrived, however the octets were cut.
        """
        octets = self._octets
        if not octets:  # as it is after every line that came alone
            return None
        width = self._width
        end = octets.find(self._terminator, self._searched)
        if end < 0:
            self._searched = max(0, len(octets) - width + 1)
            if len(octets) >= limit:
                self._let_go(limit)
            return None
        self._searched = 0
        line = bytes(octets[:end])
        del octets[: end + width]
        if self.overlong or end + width > limit:
            start, self.overlong = self.overlong or line[: min(KEPT, limit - 2)], b""
            raise LineTooLong(start)
        if width == 1 and line.endswith(b"\r"):
            return line[:-1]
        return line

    def _let_go(self, limit: int) -> None:
        """Drop an overlong line but for its start and a last octet, which may be a CR."""
        octets = self._octets
        self.overlong = self.overlong or bytes(octets[: min(KEPT, limit - 2)])
        del octets[:-1]
        self._searched = 0

    def peek(self, count: int) -> bytes:
        """At most `count` octets from the front, lines or not; they stay here until `skip`."""
        octets = self._octets
        return bytes(octets) if len(octets) <= count else bytes(octets[:count])

    def skip(self, count: int) -> None:
        """Let the first `count` octets go."""
        del self._octets[:count]
        self._searched = 0

    def take(self, count: int) -> bytes:
        """At most `count` octets from the front, lines or not."""
        taken = self.peek(count)
        self.skip(count)
        return taken
