"""Content: a message on its way out, cut into blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpproto._value import octets as as_octets
from smtpproto._wire.newlines import NewlineRepair

__all__ = ["BLOCK", "Content", "Message", "Octets", "survey"]

Octets = bytes | bytearray | memoryview

Message = Octets | Iterable[Octets] | None
"""All of a message; its pieces, which are pulled when they can go out; or None: it is fed."""

BLOCK = 60 * 1024
"""Octets of a block, before its newlines are repaired. 64 KiB hold one and its BDAT line, or the
dots that are doubled in it: what is more goes out in a call of its own."""


class Content:
    """Reads a message once.

    It holds one block, and the piece that shows whether that is the last.
    """

    __slots__ = ("_buffer", "_ended", "_pieces", "_repair", "_rest")

    def __init__(self, message: Message, repair: NewlineRepair | None = None) -> None:
        """`repair`: what the blocks go through; None where the connection does it."""
        self._repair = repair
        self._buffer = bytearray()
        self._rest = memoryview(b"")  # of a piece that is longer than a block
        self._pieces: Iterator[Octets] | None = iter(())
        self._ended = False
        if message is None:
            self._pieces = None
        elif isinstance(message, Octets):
            self._rest = memoryview(message).cast("B")
        else:
            self._pieces = iter(message)

    @property
    def wants(self) -> bool:
        """Whether it is fed, and cannot give a block before it gets more."""
        short = not self._rest and len(self._buffer) <= BLOCK
        return self._pieces is None and not self._ended and short

    def feed(self, piece: Octets) -> None:
        """The next piece. Raises TypeError for what is no octets."""
        piece = as_octets(piece)
        if len(piece) <= BLOCK:
            self._buffer += piece
        else:
            self._rest = memoryview(piece).cast("B")

    def end(self) -> None:
        """There are no more pieces."""
        self._ended = True

    def block(self) -> tuple[bytes, bool] | None:
        """The next block, and whether it is the last; None when more must be fed first.

        Raises whatever the caller's pieces raise, and LocalProtocolError for a bare CR or LF
        where the repair is strict.
        """
        self._fill()
        last = len(self._buffer) <= BLOCK
        if last and not self._ended:
            return None
        octets = bytes(self._buffer[:BLOCK])
        del self._buffer[:BLOCK]
        if self._repair is not None:
            octets = self._repair.repair(octets)
            if last:
                octets += self._repair.finish()
        return octets, last

    def _fill(self) -> None:
        """Pull what is missing until there is more than a block, or no more."""
        while len(self._buffer) <= BLOCK:
            if self._rest:
                self._buffer += self._rest[:BLOCK]
                self._rest = self._rest[BLOCK:]
            elif self._pieces is None or self._ended:
                return
            else:
                try:
                    piece = next(self._pieces)
                except StopIteration:
                    self._ended = True
                else:
                    self.feed(piece)


def survey(message: Octets, repair: NewlineRepair | None) -> tuple[int, bool]:
    """How many octets a message has on its way, and whether it is ASCII.

    Raises LocalProtocolError for a bare CR or LF where the repair is strict.
    """
    content = Content(message, repair)
    size, ascii_only, last = 0, True, False
    while not last:
        block = content.block()
        assert block is not None  # nobody feeds it
        octets, last = block
        size += len(octets)
        ascii_only = ascii_only and octets.isascii()
    return size, ascii_only
