"""PlainDecoder: a message that is not dot-stuffed, as it comes in chunks (RFC 3030)."""

from __future__ import annotations

from smtpproto._wire.newlines import bare_newline

__all__ = ["PlainDecoder"]


class PlainDecoder:
    """Takes the octets of chunks, gives the content that they are.

    With `strict` the content stops exactly before the first bare CR or LF, and `bare` is True
    from then on. Without, any octets may come.
    """

    __slots__ = ("_held", "_strict", "bare")

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._held = b""  # a CR that still waits for its LF
        self.bare = False

    def decode(self, data: bytes) -> bytes:
        """The content in `data`, with the CR that was held back before it."""
        if not self._strict:
            return data
        if self.bare:
            return b""
        octets = self._held + data
        self._held = b"\r" if octets.endswith(b"\r") else b""
        if self._held:
            octets = octets[:-1]
        position = bare_newline(octets)
        if position < 0:
            return octets
        self.bare = True
        return octets[:position]

    @property
    def unfinished(self) -> bool:
        """Whether a CR is held back."""
        return bool(self._held)
