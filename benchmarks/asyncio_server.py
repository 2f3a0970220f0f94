"""An SMTP server on asyncio: as little around a connection as will do, with its timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from benchmarks.smtp_server import EXTENSIONS
from smtpproto import smtp

__all__ = ["start_server"]


class _Session(asyncio.Protocol):
    """One connection; `take` gets each message."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._conn = smtp.ServerConnection("mx.example.com", extensions=EXTENSIONS)
        self._message = bytearray()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._last_heard = self._loop.time()
        self._timer = self._loop.call_later(self._conn.timeout, self._watch)
        self._conn.accept()
        self._write()

    def data_received(self, data: bytes) -> None:
        self._last_heard = self._loop.time()
        conn = self._conn
        conn.receive_data(data)
        for event in conn.events():
            match event:
                case smtp.MessageData(data):
                    self._message += data
                case smtp.EndOfMessage():
                    self._take(bytes(self._message))
                    self._message.clear()
                    conn.accept()
                case smtp.MessageRefused():
                    self._message.clear()
                case smtp.Request():
                    conn.accept()
        self._write()

    def eof_received(self) -> None:
        self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()

    def _watch(self) -> None:
        left = self._last_heard + self._conn.timeout - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._watch)
        else:
            self._conn.shutdown("Timeout")
            self._write()

    def _write(self) -> None:
        octets = self._conn.data_to_send()
        if octets:
            self._transport.write(octets)
        if self._conn.closed:
            self._transport.close()


async def start_server(take: Callable[[bytes], None]) -> asyncio.Server:
    """A server on a free port of the loopback interface."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Session(take), "127.0.0.1", 0)
