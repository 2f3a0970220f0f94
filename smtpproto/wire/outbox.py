"""Outbox: what is waiting to be written."""

from __future__ import annotations

__all__ = ["Outbox"]


class Outbox:
    """Octets queued for the transport, joined only when somebody asks for them."""

    __slots__ = ("_pieces", "append")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.append = self._pieces.append

    def take(self) -> bytes:
        """All of it, once; b"" when there is none."""
        pieces = self._pieces
        if not pieces:
            return b""
        octets = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return octets

    def clear(self) -> None:
        self._pieces.clear()
