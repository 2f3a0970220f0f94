"""MessageWriter: a message on its way out, whole (RETR) or its top (TOP)."""

from __future__ import annotations

from smtpproto._wire.dots import DotEncoder

__all__ = ["MessageWriter"]


class MessageWriter:
    """Takes the content of a message in pieces, gives the octets to write, up to the dot.

    With `lines`, all of the header is written, the empty line behind it, and that many lines of
    the body (RFC 1939 section 7); what comes after is dropped. The cut is made behind the
    DotEncoder, where every line ends in CRLF and no CRLF is ever cut in two, by bytes.find and
    bytes.count: no Python runs for a line.
    """

    __slots__ = ("_encoder", "_in_header", "_left", "_line_start")

    def __init__(self, lines: int | None = None) -> None:
        self._encoder = DotEncoder()
        self._left = lines  # lines of the body that may still be written; None: all
        self._in_header = lines is not None
        self._line_start = True

    def write(self, data: bytes) -> bytes:
        """The octets to write for the next piece."""
        if self._left is None:
            return self._encoder.encode(data)
        if not self._in_header and not self._left:
            return b""
        wire = self._encoder.encode(data)
        return self._top(wire, self._left) if wire else b""

    def finish(self) -> bytes:
        """The octets that end the message."""
        complete = self._left is not None and not self._in_header and not self._left
        return b".\r\n" if complete else self._encoder.finish()

    def _top(self, wire: bytes, left: int) -> bytes:
        """What of `wire` belongs to the top."""
        body = 0
        if self._in_header:
            body = self._body_in(wire)
            self._line_start = wire.endswith(b"\r\n")
            if body < 0:
                return wire
            self._in_header = False
        ended = wire.count(b"\r\n", body)
        if ended < left:
            self._left = left - ended
            return wire
        self._left = 0
        if not left:
            return wire[:body]
        rest = wire[body:].split(b"\r\n", left)[-1]
        return wire[: len(wire) - len(rest)]

    def _body_in(self, wire: bytes) -> int:
        """Where the body begins: behind the first empty line; -1 when not here."""
        if self._line_start and wire.startswith(b"\r\n"):
            return 2
        empty = wire.find(b"\r\n\r\n")
        return empty + 4 if empty >= 0 else -1
