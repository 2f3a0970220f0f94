r"""Transparency: the dots of RFC 5321 section 4.5.2 and RFC 1939 section 3, both ways.

A message on the wire ends at CRLF.CRLF and nowhere else: every other mixture of CR, LF and a dot
has at some time let a second message be smuggled through a relay that read it otherwise. So the
decoder looks for just these five octets, and proves on the way that no CR stands without its LF
nor a LF without its CR; the encoder writes nothing that any reader could take for an end, but for
one that drops NUL before it looks: CRLF NUL . CRLF cannot be written otherwise.

Everything is done on whole pieces, by one search, bytes.find, split and join, and `bare_newline`.
No Python runs for a line.

What a piece ends in can matter to the next one: at most CRLF.CR, four octets. The decoder keeps
such a tail back and puts it before the next piece, so one code path serves every cut.
"""

from __future__ import annotations

import re

from smtpproto._wire.newlines import NewlineRepair, bare_newline

__all__ = ["DotDecoder", "DotEncoder"]

_find_dotted = re.compile(rb"\r\n\.").search
"""Finds a line that begins with a dot. Where there is none, as in most mail, it takes half to
three quarters of the time of bytes.find, which has no fast way for three octets."""

_TERMINATOR = b"\r\n.\r\n"
_TAILS = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")


class DotDecoder:
    """Takes the octets of a dot-stuffed message, gives its content.

    With `strict` (SMTP servers) the content stops exactly before the first bare CR or LF, after
    which everything up to the message's end is dropped and `bare` is True. Without
    (POP3 clients) bare CR and LF are data.

    After each `decode`, `ended` says whether CRLF.CRLF was reached, and `unused` how many octets
    at the end of the piece came after it and belong to somebody else.
    """

    __slots__ = ("_strict", "_tail", "_virtual", "bare", "ended", "unused")

    def __init__(self, *, strict: bool = True) -> None:
        self._strict = strict
        # A message begins at the start of a line: the CRLF of the line before it stands in the
        # first tail, for the search, and is no part of the content.
        self._tail = b"\r\n"
        self._virtual = 2
        self.bare = False
        self.ended = False
        self.unused = 0

    def decode(self, data: bytes) -> bytes:
        """The content that `data` completes. Not to be called after the end."""
        octets = self._tail + data
        dotted = _find_dotted(octets)
        end = -1 if dotted is None else octets.find(_TERMINATOR, dotted.start())
        if end >= 0:
            self.ended = True
            self.unused = len(octets) - end - len(_TERMINATOR)
            stop = end + 2
        else:
            self._tail = b""
            if octets.endswith(_TAILS):
                self._tail = next(tail for tail in _TAILS if octets.endswith(tail))
            stop = len(octets) - len(self._tail)
            if stop == 0:
                return b""
        content = octets[:stop]
        if dotted is not None and dotted.end() <= stop:
            # Searched once; bytes.replace does it twice, to know beforehand how long it will be.
            content = b"\r\n".join(content.split(b"\r\n."))
        if self._virtual:
            content = content[self._virtual :]
            self._virtual = 0
        if self.bare:
            return b""
        if self._strict and (position := bare_newline(content)) >= 0:
            self.bare = True
            return content[:position]
        return content


class DotEncoder:
    """Takes the content of a message, gives the octets to write between 354 and the final dot.

    A bare CR or LF in the content becomes CRLF; with `strict` it raises LocalProtocolError.
    After `finish` the next message may follow.
    """

    __slots__ = ("_newlines",)

    def __init__(self, *, strict: bool = False) -> None:
        self._newlines = NewlineRepair(strict=strict)

    def encode(self, data: bytes) -> bytes:
        """The octets to write for the next piece of the content.

        With `strict`, raises LocalProtocolError at a bare CR or LF, and takes nothing of `data`.
        """
        at_line_start = self._newlines.at_line_start
        octets = self._newlines.repair(data)
        if _find_dotted(octets):
            octets = b"\r\n..".join(octets.split(b"\r\n."))
        return b"." + octets if at_line_start and octets.startswith(b".") else octets

    def finish(self) -> bytes:
        """The octets that end the message: the CRLF that its last line may lack, and the dot."""
        return self._newlines.finish() + b".\r\n"
