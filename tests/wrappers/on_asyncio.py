"""Sessions on asyncio. A password may be looked up while other clients are served."""

from __future__ import annotations

import asyncio
import ssl
import weakref
from collections.abc import Awaitable, Callable

from tests.wrappers.session import Session


async def nobody(user: str) -> str | None:
    """The password of nobody: clients are not asked."""
    return None


class Driver(asyncio.Protocol):
    """Drives a session to its end and closes the transport.

    `hostname` is the server's on a client, None on a server. Afterwards `ended` is set, and
    `error` is what went wrong: an OSError where the transport broke, or what the session raised.
    """

    def __init__(
        self,
        session: Session,
        tls: ssl.SSLContext | None,
        *,
        hostname: str | None = None,
        password_of: Callable[[str], Awaitable[str | None]] = nobody,
    ) -> None:
        self.ended = asyncio.Event()
        self.error: Exception | None = None
        self._session = session
        self._tls = tls
        self._hostname = hostname
        self._password_of = password_of
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + session.timeout
        self._timer = self._loop.call_at(self._deadline, self._time_is_up)
        self._transport: asyncio.Transport | None = None
        self._reads = True
        self._may_write = True
        self._work: asyncio.Task[None] | None = None  # a handshake, or a look-up

    # -- what asyncio tells -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Not at once: Python 3.10 begins to read after this, even if it is paused here.
        self._loop.call_soon(self._advance)

    def data_received(self, octets: bytes) -> None:
        if self._session.handshake_due:  # what follows it may come before start_tls() returns
            self._session.tls_started()
        self._advance(lambda: self._session.receive_data(octets))

    def eof_received(self) -> bool:
        self._advance(lambda: self._session.receive_data(b""))
        return not self._session.conn.tls  # True: go on writing, which asyncio has not under TLS

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._advance()

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and not self._session.closed:
            try:
                self._session.transport_closed()  # in Python 3.10 TLS ends without eof_received
            except Exception as reason:
                self.error = self.error or reason
        elif not self._session.closed:
            self.error = self.error or error
        self._end()

    # -- what is done -----------------------------------------------------------------------------

    def shutdown(self, text: str) -> None:
        """End the session before its time."""
        if self._work is None:
            self._advance(lambda: self._session.shutdown(text))
        else:
            self.cut()

    def cut(self, error: Exception | None = None) -> None:
        """Cut the session off, because of `error`."""
        self.error = self.error or error
        if self._transport is not None:
            self._transport.abort()
        if self._hostname is None and error is not None and not isinstance(error, OSError):
            self._loop.call_exception_handler({"message": "a session failed", "exception": error})
        self._end()

    def _end(self) -> None:
        self._session.abort()
        self._timer.cancel()
        if self._work is not None:
            self._work.cancel()
        self.ended.set()

    def _advance(self, happened: Callable[[], None] | None = None) -> None:
        """Do all that can be done now that this has happened."""
        session, transport = self._session, self._transport
        try:
            if happened is not None:
                happened()
            if self._work is not None or transport is None:
                return
            while self._may_write and (octets := session.data_to_send()):
                transport.write(octets)
        except Exception as error:
            self.cut(error)
            return
        self._await_peer()
        if self._may_write and session.closed:
            self._read(transport, True)  # or TLS would not see the end of the other direction
            transport.close()
            return
        if session.handshake_due:
            self._work = self._loop.create_task(self._do(self._start_tls(transport)))
        elif session.asks_for is not None:
            self._work = self._loop.create_task(self._do(self._look_up(session.asks_for)))
        self._read(transport, self._may_write and session.wants_data)

    def _read(self, transport: asyncio.Transport, on: bool) -> None:
        if on is not self._reads:
            self._reads = on
            if on:
                transport.resume_reading()
            else:
                transport.pause_reading()

    async def _do(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            self.cut(error)
        else:
            self._work = None
            self._advance()

    async def _start_tls(self, transport: asyncio.Transport) -> None:
        assert self._tls is not None, "a session that may begin TLS needs an SSLContext"
        self._transport = await self._loop.start_tls(
            transport,
            self,
            self._tls,
            server_side=self._hostname is None,
            server_hostname=self._hostname,
            ssl_handshake_timeout=self._session.timeout,
        )
        self._reads = True
        if self._session.handshake_due:
            self._session.tls_started()

    async def _look_up(self, user: str) -> None:
        self._session.answer(await self._password_of(user))

    def _await_peer(self) -> None:
        """The time begins anew. A timer that goes off too early costs less than another one for
        every piece of a message."""
        self._deadline = self._loop.time() + self._session.timeout
        if self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        if self._loop.time() >= self._deadline:
            if self._reads and not self._session.closed:
                self._advance(self._session.timed_out)
            else:
                self.cut(TimeoutError("no end of writing, of a handshake or of a look-up"))
        if not self.ended.is_set():
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)


async def run(session: Session, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
    """Drive a client's session over a new connection to its end.

    Raises OSError when there is no connection or it breaks, and what the session raises.
    """
    loop = asyncio.get_running_loop()
    _, driver = await loop.create_connection(
        lambda: Driver(session, tls, hostname=host), host, port
    )
    try:
        await driver.ended.wait()
    finally:
        driver.cut()
    if driver.error is not None:
        raise driver.error


class Server:
    """A server that listens from `start` to `stop`, with a new session for every client."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        tls: ssl.SSLContext | None = None,
        password_of: Callable[[str], Awaitable[str | None]] = nobody,
    ) -> None:
        self._make_session = make_session
        self._tls = tls
        self._password_of = password_of
        self._drivers: weakref.WeakSet[Driver] = weakref.WeakSet()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port is returned."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._driver, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def _driver(self) -> Driver:
        driver = Driver(self._make_session(), self._tls, password_of=self._password_of)
        self._drivers.add(driver)
        return driver

    async def stop(self, patience: float = 5.0) -> None:
        """Tell every client that this is the end; those that do not read it are cut off after
        `patience` seconds."""
        self._server.close()
        drivers = list(self._drivers)
        for driver in drivers:
            driver.shutdown("Shutting down")
        ends = [asyncio.ensure_future(driver.ended.wait()) for driver in drivers]
        if ends:
            await asyncio.wait(ends, timeout=patience)
        for driver in drivers:
            driver.cut()
        await self._server.wait_closed()
