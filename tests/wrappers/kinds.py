"""The four kinds of I/O behind one interface, which blocks, so that tests run each alike.

TLS comes as trustme has it: a server's certificate, and the authority that a client trusts.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Container, Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

import trio
import trustme
from OpenSSL import SSL
from twisted.internet import defer, error, reactor, task
from twisted.internet.ssl import Certificate, PrivateCertificate, optionsForClientTLS

from smtpproto import sasl, smtp
from tests.wrappers import on_asyncio, on_sockets, on_trio, on_twisted
from tests.wrappers.pop3_client import Fetcher
from tests.wrappers.session import Session
from tests.wrappers.smtp_client import Sender

__all__ = ["HOST", "KINDS", "Kind", "Server", "Tls"]

HOST = "127.0.0.1"

MakeSession: TypeAlias = Callable[[], Session]
PasswordOf: TypeAlias = Callable[[str], "str | None"]
Tls: TypeAlias = "Literal['starttls', 'implicit'] | None"
T = TypeVar("T")


class Server:
    """A server on `port` of HOST, until `stop`, or the end of a ``with``."""

    def __init__(self, port: int, stop: Callable[[], object]) -> None:
        self.port = port
        self.stop = stop

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class Kind:
    """One kind of I/O."""

    def __init__(
        self,
        start: Callable[[MakeSession, PasswordOf, trustme.LeafCert | None], Server],
        run: Callable[[Session, int, trustme.CA | None], None],
    ) -> None:
        self._start = start
        self._run = run

    def start(
        self,
        make_session: MakeSession,
        *,
        password_of: PasswordOf = lambda user: None,
        certificate: trustme.LeafCert | None = None,
    ) -> Server:
        """Start a server with a new session for every client."""
        return self._start(make_session, password_of, certificate)

    def run(self, session: Session, port: int, *, authority: trustme.CA | None = None) -> None:
        """Drive a client's session with the server on `port` of HOST to its end.

        Raises OSError when the transport breaks, and what the session raises.
        """
        self._run(session, port, authority)

    def deliver(
        self,
        port: int,
        envelope: smtp.Envelope,
        message: bytes | Iterable[bytes],
        *,
        domain: str = "client.example",
        tls: Tls = None,
        authority: trustme.CA | None = None,
        mechanism: sasl.ClientMechanism | None = None,
        lmtp: bool = False,
    ) -> smtp.Report:
        """What becomes of a message that is sent to the server on `port` of HOST."""
        sender = Sender(
            [(envelope, message)],
            domain=domain,
            mechanism=mechanism,
            starttls=tls == "starttls",
            tls=tls == "implicit",
            lmtp=lmtp,
        )
        try:
            self.run(sender, port, authority=authority)
        except OSError:
            if not sender.reports:
                raise
        return sender.reports[0]

    def fetch(
        self,
        port: int,
        user: str = "",
        password: str = "",
        *,
        mechanism: sasl.ClientMechanism | None = None,
        seen: Container[str] = (),
        delete: bool = True,
        tls: Tls = None,
        authority: trustme.CA | None = None,
    ) -> list[tuple[str, bytes]]:
        """The messages in a maildrop of the server on `port` of HOST, after their unique-ids."""
        fetcher = Fetcher(
            user,
            password,
            mechanism=mechanism,
            seen=seen,
            delete=delete,
            starttls=tls == "starttls",
            tls=tls == "implicit",
        )
        self.run(fetcher, port, authority=authority)
        return fetcher.messages


# -- sockets --------------------------------------------------------------------------------------


def _start_on_sockets(
    make_session: MakeSession, password_of: PasswordOf, certificate: trustme.LeafCert | None
) -> Server:
    tls = _server_context(certificate)
    server = on_sockets.Server(make_session, host=HOST, tls=tls, password_of=password_of)
    return Server(server.port, server.stop)


def _run_on_sockets(session: Session, port: int, authority: trustme.CA | None) -> None:
    on_sockets.run(session, HOST, port, _client_context(authority))


# -- asyncio --------------------------------------------------------------------------------------


def _start_on_asyncio(
    make_session: MakeSession, password_of: PasswordOf, certificate: trustme.LeafCert | None
) -> Server:
    async def look_up(user: str) -> str | None:
        await asyncio.sleep(0)
        return password_of(user)

    async def serve(started: _Started) -> None:
        tls = _server_context(certificate)
        server = on_asyncio.Server(make_session, tls=tls, password_of=look_up)
        port = await server.start(HOST)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        started.set_result((port, lambda: loop.call_soon_threadsafe(stopped.set)))
        await stopped.wait()
        await server.stop()

    return _in_thread(lambda started: asyncio.run(serve(started)))


def _run_on_asyncio(session: Session, port: int, authority: trustme.CA | None) -> None:
    asyncio.run(on_asyncio.run(session, HOST, port, _client_context(authority)))


# -- trio -----------------------------------------------------------------------------------------


def _start_on_trio(
    make_session: MakeSession, password_of: PasswordOf, certificate: trustme.LeafCert | None
) -> Server:
    async def look_up(user: str) -> str | None:
        await trio.lowlevel.checkpoint()
        return password_of(user)

    async def serve(started: _Started) -> None:
        token = trio.lowlevel.current_trio_token()
        tls = _server_context(certificate)
        serving = partial(on_trio.serve, make_session, host=HOST, tls=tls, password_of=look_up)
        async with trio.open_nursery() as nursery:
            port: int = await nursery.start(serving)
            stop = nursery.cancel_scope.cancel
            started.set_result((port, lambda: token.run_sync_soon(stop)))

    return _in_thread(lambda started: trio.run(serve, started))


def _run_on_trio(session: Session, port: int, authority: trustme.CA | None) -> None:
    try:
        trio.run(on_trio.run, session, HOST, port, _client_context(authority))
    except trio.BrokenResourceError as broken:
        raise ConnectionError(str(broken.__cause__ or broken)) from broken
    except trio.TooSlowError as slow:
        raise TimeoutError from slow


# -- Twisted --------------------------------------------------------------------------------------

_reactor: Any = reactor  # to a type checker it is a module


def _start_on_twisted(
    make_session: MakeSession, password_of: PasswordOf, certificate: trustme.LeafCert | None
) -> Server:
    def look_up(user: str) -> defer.Deferred[str | None]:
        password = password_of(user)
        if password is None:
            return defer.succeed(None)
        return task.deferLater(_reactor, 0, lambda: password)

    tls = None
    if certificate is not None:
        pem = certificate.private_key_and_cert_chain_pem.bytes()
        tls = PrivateCertificate.loadPEM(pem).options()
    server = on_twisted.Server(make_session, tls=tls, password_of=look_up)
    port = _in_reactor(lambda: server.start(_reactor, HOST))
    return Server(port, lambda: _in_reactor(server.stop))


def _run_on_twisted(session: Session, port: int, authority: trustme.CA | None) -> None:
    tls = None
    if authority is not None:
        root = Certificate.loadPEM(authority.cert_pem.bytes())
        tls = optionsForClientTLS(HOST, trustRoot=root)
    try:
        _in_reactor(lambda: on_twisted.run(_reactor, session, HOST, port, tls))
    except error.TimeoutError as slow:
        raise TimeoutError from slow
    except (error.ConnectError, error.ConnectionLost, SSL.Error) as broken:
        raise ConnectionError(str(broken)) from broken


KINDS = {
    "sockets": Kind(_start_on_sockets, _run_on_sockets),
    "asyncio": Kind(_start_on_asyncio, _run_on_asyncio),
    "trio": Kind(_start_on_trio, _run_on_trio),
    "twisted": Kind(_start_on_twisted, _run_on_twisted),
}


# -- what they share ------------------------------------------------------------------------------


def _server_context(certificate: trustme.LeafCert | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def _client_context(authority: trustme.CA | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


_Started: TypeAlias = "Future[tuple[int, Callable[[], object]]]"
"""The port of a server that has started, and what to call to stop it."""


def _in_thread(serve: Callable[[_Started], None]) -> Server:
    """A server that has an event loop of its own."""
    started: _Started = Future()
    thread = threading.Thread(target=serve, args=(started,))
    thread.start()
    port, ask_to_stop = started.result(timeout=10)

    def stop() -> None:
        ask_to_stop()
        thread.join()

    return Server(port, stop)


def _in_reactor(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine in the reactor, which runs in one thread for all the process:
    it cannot be started twice."""
    if not _reactor.running:
        run = partial(_reactor.run, installSignalHandlers=False)
        threading.Thread(target=run, daemon=True).start()
    result: Future[T] = Future()

    def begin() -> None:
        done = defer.ensureDeferred(work())
        done.addCallbacks(result.set_result, lambda failure: result.set_exception(failure.value))

    _reactor.callFromThread(begin)
    return result.result()
