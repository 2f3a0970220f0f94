"""Sessions on Twisted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from OpenSSL import SSL
from twisted.internet import defer, endpoints, error, interfaces, protocol
from twisted.internet.base import ReactorBase
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.wrappers.session import Session

_BROKEN = (error.ConnectionLost, error.ConnectionAborted, error.TimeoutError, SSL.Error)
"""What may come of any client."""

PasswordOf: TypeAlias = "Callable[[str], defer.Deferred[str | None]]"


def nobody(user: str) -> defer.Deferred[str | None]:
    """The password of nobody: clients are not asked."""
    return defer.succeed(None)


@implementer(interfaces.IHalfCloseableProtocol, interfaces.IPushProducer)
class Driver(protocol.Protocol, TimeoutMixin):
    """Drives a session to its end and closes the transport.

    `tls` is for the transport's startTLS: ssl.CertificateOptions on a server, what
    ssl.optionsForClientTLS gives on a client. Afterwards `ended` has fired, with what went wrong
    as its failure: why the transport broke, or what the session raised.
    """

    transport: Connection  # type: ignore[assignment]  # declared as an interface without methods

    def __init__(
        self,
        session: Session,
        tls: object | None,
        *,
        password_of: PasswordOf = nobody,
    ) -> None:
        self.ended: defer.Deferred[None] = defer.Deferred()
        self._session = session
        self._tls = tls
        self._password_of = password_of
        self._failure: Failure | None = None
        self._looking: defer.Deferred[str | None] | None = None
        self._reads = True
        self._may_write = True

    # -- what Twisted tells -----------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        self._advance()

    def dataReceived(self, octets: bytes) -> None:
        self._advance(lambda: self._session.receive_data(octets))

    def readConnectionLost(self) -> None:
        self._advance(lambda: self._session.receive_data(b""))

    def writeConnectionLost(self) -> None:
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        self._may_write = False

    def resumeProducing(self) -> None:
        self._may_write = True
        self._advance()

    def stopProducing(self) -> None:
        pass  # connectionLost follows

    def timeoutConnection(self) -> None:
        if self._reads and not self._session.closed:
            self._advance(self._session.timed_out)
        else:  # the peer takes no octets, or a look-up has no end
            self._cut(Failure(error.TimeoutError()))

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self.setTimeout(None)
        if self._looking is not None:
            self._looking.cancel()
        if reason.check(error.ConnectionDone):
            try:
                self._session.transport_closed()  # under TLS there is no readConnectionLost
            except Exception:
                self._failure = self._failure or Failure()
        elif not self._session.closed:
            self._failure = self._failure or reason
        self._session.abort()
        if self._failure is None:
            self.ended.callback(None)
        else:
            self.ended.errback(self._failure)

    # -- what is done -----------------------------------------------------------------------------

    def shutdown(self, text: str) -> None:
        """End the session before its time."""
        if self._looking is None:
            self._advance(lambda: self._session.shutdown(text))
        else:
            self.transport.abortConnection()

    def _cut(self, failure: Failure) -> None:
        self._failure = self._failure or failure
        self.transport.abortConnection()

    def _advance(self, happened: Callable[[], None] | None = None) -> None:
        """Do all that can be done now that this has happened."""
        session, transport = self._session, self.transport
        try:
            if happened is not None:
                happened()
            if self._looking is not None:
                return
            self._write()
            while session.handshake_due and not session.closed:
                transport.startTLS(self._tls)
                session.tls_started()  # what is written from here on waits for the handshake
                self._write()
        except Exception:
            self._cut(Failure())
            return
        self.setTimeout(session.timeout)
        if self._may_write and session.closed:
            self._read(True)  # or TLS would not see the end of the other direction
            transport.unregisterProducer()
            transport.loseConnection()
            return
        self._read(self._may_write and session.wants_data)
        if session.asks_for is not None:
            self._looking = self._password_of(session.asks_for)
            self._looking.addCallbacks(self._found, self._not_found)

    def _read(self, on: bool) -> None:
        if on is not self._reads:
            self._reads = on
            if on:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()

    def _write(self) -> None:
        while self._may_write and (octets := self._session.data_to_send()):
            self.transport.write(octets)

    def _found(self, password: str | None) -> None:
        self._looking = None
        self._advance(lambda: self._session.answer(password))

    def _not_found(self, failure: Failure) -> None:
        if not failure.check(defer.CancelledError):
            self._cut(failure)


async def run(
    reactor: ReactorBase,
    session: Session,
    host: str,
    port: int,
    tls: object | None = None,
) -> None:
    """Drive a client's session over a new connection to its end.

    Raises why there is no connection or it breaks, and what the session raises.
    """
    driver = Driver(session, tls)
    await endpoints.connectProtocol(endpoints.HostnameEndpoint(reactor, host, port), driver)
    await driver.ended


class Server(protocol.ServerFactory):
    """A server that listens from `start` to `stop`, with a new session for every client."""

    _log = Logger()

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        tls: object | None = None,
        password_of: PasswordOf = nobody,
    ) -> None:
        self._make_session = make_session
        self._tls = tls
        self._password_of = password_of
        self._drivers: set[Driver] = set()

    async def start(self, reactor: ReactorBase, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port is returned."""
        self._reactor = reactor
        endpoint = endpoints.TCP4ServerEndpoint(reactor, port, interface=host)
        self._port = await endpoint.listen(self)
        bound: int = self._port.getHost().port
        return bound

    def buildProtocol(self, addr: interfaces.IAddress | None) -> Driver:
        driver = Driver(self._make_session(), self._tls, password_of=self._password_of)
        self._drivers.add(driver)
        driver.ended.addErrback(self._log_failure).addBoth(lambda _: self._drivers.remove(driver))
        return driver

    def _log_failure(self, failure: Failure) -> None:
        if not failure.check(*_BROKEN):
            self._log.failure("a session failed", failure)

    async def stop(self, patience: float = 5.0) -> None:
        """Tell every client that this is the end; those that do not read it are cut off after
        `patience` seconds."""
        await defer.maybeDeferred(self._port.stopListening)
        drivers = list(self._drivers)
        for driver in drivers:
            driver.shutdown("Shutting down")
        cut = self._reactor.callLater(patience, self._cut, drivers)
        await defer.DeferredList([driver.ended for driver in drivers])
        if cut.active():
            cut.cancel()

    def _cut(self, drivers: list[Driver]) -> None:
        for driver in drivers:
            driver.transport.abortConnection()
