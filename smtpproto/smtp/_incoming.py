"""A message on its way into a server: what of it may be handed out, and why it will be refused."""

from __future__ import annotations

from smtpproto._wire.dots import DotDecoder
from smtpproto._wire.plain import PlainDecoder
from smtpproto.errors import Refused
from smtpproto.smtp import ext
from smtpproto.smtp._commands import Bdat
from smtpproto.smtp._session import step_of

__all__ = ["Chunk", "Intake"]


class Intake:
    """What has come of a message.

    `limit` is the most octets that it may have, None: any number. A message beyond it, or with a
    bare newline where `decoder` looks for one, is ruined: it is read to its end, and nothing more
    of it is handed out.
    """

    __slots__ = ("_limit", "decoder", "octets", "refused")

    def __init__(self, limit: int | None, decoder: DotDecoder | PlainDecoder) -> None:
        self._limit = limit
        self.decoder = decoder
        self.octets = 0
        """How many have been handed out."""
        self.refused: Refused | None = None
        """Why the message will be refused; the first reason counts."""

    def take(self, octets: bytes) -> bytes:
        """What may be handed out of the next octets of the wire."""
        decoder = self.decoder
        content = decoder.decode(octets)
        if self.refused is not None:
            return b""
        limit = self._limit
        if limit is not None and self.octets + len(content) > limit:
            content = content[: limit - self.octets]
            self.refused = ext.Size(limit).too_large()
        elif decoder.bare:
            self.refused = _bare_newline()
        self.octets += len(content)
        return content

    def check_ended(self) -> None:
        """Raise Refused when a message in chunks cannot end here: a CR still waits for its LF."""
        if isinstance(self.decoder, PlainDecoder) and self.decoder.unfinished:
            raise _bare_newline()

    def finish(self) -> None:
        """The last chunk has come."""
        try:
            self.check_ended()
        except Refused as refused:
            self.refused = self.refused or refused


class Chunk:
    """A BDAT whose octets are being read; `refused`: they are dropped (RFC 3030 section 2)."""

    __slots__ = ("last", "left", "line", "refused", "size", "step")

    def __init__(self, line: bytes, command: Bdat) -> None:
        self.line = line
        self.size = self.left = command.size
        self.last = command.last
        self.step = step_of(command)
        self.refused: Refused | None = None


def _bare_newline() -> Refused:
    return Refused(550, "5.6.0", "A CR without LF, or a LF without CR, in the message")
