"""aiosmtpd's server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiosmtpd.smtp import SMTP, Envelope, Session

__all__ = ["start_server"]


class _Handler:
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self._take(envelope.content)
        return "250 OK"


async def start_server(take: Callable[[bytes], None]) -> asyncio.Server:
    """A server on a free port of the loopback interface."""
    loop = asyncio.get_running_loop()
    handler = _Handler(take)
    # Without its name every connection would ask the resolver for it.
    return await loop.create_server(lambda: SMTP(handler, hostname="mx"), "127.0.0.1", 0)
