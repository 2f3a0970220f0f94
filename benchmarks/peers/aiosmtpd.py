"""aiosmtpd's server."""

from __future__ import annotations

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from smtpproto import smtp

__all__ = ["start"]

_ENVELOPE = smtp.Envelope(smtp.Mail(None), ())  # nobody asks for it here


class _Handler:
    def __init__(self, taken: list[tuple[smtp.Envelope, bytes]]) -> None:
        self._taken = taken

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self._taken.append((_ENVELOPE, envelope.content))
        return "250 OK"


async def start(taken: list[tuple[smtp.Envelope, bytes]]) -> int:
    """Listen on a free port of the loopback interface, and return it."""
    loop = asyncio.get_running_loop()
    handler = _Handler(taken)
    # Without its name every connection would ask the resolver for it.
    server = await loop.create_server(lambda: SMTP(handler, hostname="mx"), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port
