"""Twisted's protocol objects in memory, on a transport that only keeps what they write.

They are as they come, but whoever takes their lines is a method of list, and no Received field is
written. A quiet server is one without what ours leaves to its caller: timeouts and a log.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from twisted.internet import defer
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.mail._pop3client import POP3Client
from twisted.mail.pop3 import POP3, Mailbox
from twisted.mail.smtp import ESMTP, User
from twisted.python.failure import Failure

__all__ = ["idle_server", "retrieve", "serve_pop3", "serve_smtp"]

_CLIENT = IPv4Address("TCP", "127.0.0.1", 12345)
_GONE = Failure(ConnectionDone())


class _Transport:
    """The least that a Twisted protocol asks of its transport."""

    disconnecting = False

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.write = self.written.append
        self.writeSequence = self.written.extend
        self.producer: _Producer | None = None

    def getPeer(self) -> IPv4Address:  # noqa: N802 (Twisted's name)
        return _CLIENT

    def loseConnection(self) -> None:  # noqa: N802
        self.disconnecting = True

    def registerProducer(self, producer: _Producer, streaming: bool) -> None:  # noqa: N802
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None

    def drain(self) -> None:
        """Let a producer write all that it has."""
        while self.producer is not None:
            self.producer.resumeProducing()


class _Producer:
    def resumeProducing(self) -> None:  # noqa: N802
        raise NotImplementedError


_NOWHERE = _Transport()


class _Message:
    """IMessage that keeps its lines."""

    def __init__(self, messages: list[list[bytes]]) -> None:
        lines: list[bytes] = []
        messages.append(lines)
        self.lineReceived = lines.append

    def eomReceived(self) -> defer.Deferred[None]:  # noqa: N802
        return defer.succeed(None)


class _Delivery:
    """IMessageDelivery that accepts everything."""

    def __init__(self) -> None:
        self.messages: list[list[bytes]] = []

    def validateFrom(self, helo: object, origin: object) -> object:  # noqa: N802
        return origin

    def validateTo(self, user: User) -> Callable[[], _Message]:  # noqa: N802
        return self._message

    def receivedHeader(self, helo: object, origin: object, recipients: object) -> bytes:  # noqa: N802
        return b""

    def _message(self) -> _Message:
        return _Message(self.messages)


def serve_smtp(reads: Sequence[bytes], *, quiet: bool = False) -> Callable[[], object]:
    """A server that accepts everything and keeps the messages."""
    server = ESMTP()
    delivery = _Delivery()
    server.delivery = delivery
    if quiet:
        server.timeout = None  # type: ignore[assignment]  # which is how Twisted has none
        server.noisy = False
    server.makeConnection(_Transport())
    for read in reads:
        server.dataReceived(read)
    server.connectionLost(_GONE)
    return lambda: [b"".join(line + b"\r\n" for line in lines) for lines in delivery.messages]


class _Mailbox(Mailbox):
    """IMailbox of one message."""

    def __init__(self, message: bytes) -> None:
        self._message = message

    def listMessages(self, i: int | None = None) -> int | list[int]:  # type: ignore[override] # noqa: N802
        size = len(self._message)
        return [size] if i is None else size

    def getMessage(self, i: int) -> io.BytesIO:  # type: ignore[override] # noqa: N802
        return io.BytesIO(self._message)


def serve_pop3(message: bytes) -> Callable[[], object]:
    """A server in TRANSACTION that is asked for its one message, whose lines end in LF."""
    transport = _Transport()
    server = POP3()
    server.makeConnection(transport)
    server.mbox = _Mailbox(message)
    transport.written.clear()
    server.dataReceived(b"RETR 1\r\n")
    transport.drain()
    server.connectionLost(_GONE)
    return lambda: b"".join(transport.written).split(b"\r\n", 1)[1]


def retrieve(reads: Sequence[bytes]) -> Callable[[], object]:
    """A client that retrieves one message; `reads` begin with the greeting."""
    lines: list[bytes] = []
    client = POP3Client()
    client.makeConnection(_Transport())
    greeting, *others = reads
    client.dataReceived(greeting)
    client.retrieve(0, lines.append)
    for read in others:
        client.dataReceived(read)
    return lambda: b"".join(line + b"\r\n" for line in lines)


def idle_server() -> object:
    """A server after EHLO that waits, without what a transport would add."""
    server = ESMTP()
    server.makeConnection(_NOWHERE)
    server.dataReceived(b"EHLO client.example.org\r\n")
    _NOWHERE.written.clear()
    return server
