"""An SMTP server with Twisted: python -m tests.interop.peers.programs.twisted_smtp_server ..."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, reactor, ssl
from twisted.internet.protocol import ServerFactory
from twisted.mail import smtp
from zope.interface import implementer

from tests.interop.mailboxes import deliver, is_mailbox
from tests.interop.peers.programs.twisted_logins import CHALLENGERS, OnePassword


@implementer(smtp.IMessage)
class Message:
    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self._lines.append(line + b"\r\n")

    def eomReceived(self) -> defer.Deferred[None]:
        deliver(self._directory, self._name, b"".join(self._lines))
        return defer.succeed(None)

    def connectionLost(self) -> None:
        pass


@implementer(IRealm, smtp.IMessageDelivery)
class Delivery:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def requestAvatar(self, name: object, mind: object, *interfaces: type) -> object:
        return smtp.IMessageDelivery, self, lambda: None

    def receivedHeader(
        self, helo: object, origin: smtp.Address, recipients: list[smtp.User]
    ) -> bytes:
        return b"Return-Path: <%b>" % bytes(origin)

    def validateFrom(self, helo: object, origin: smtp.Address) -> smtp.Address:
        return origin

    def validateTo(self, user: smtp.User) -> Callable[[], Message]:
        address = bytes(user.dest).decode()
        if not is_mailbox(address):
            raise smtp.SMTPBadRcpt(user)
        return lambda: Message(self._directory, address)


class Factory(ServerFactory):
    def __init__(self, directory: Path, context: ssl.ContextFactory) -> None:
        self._delivery = Delivery(directory)
        self._context = context

    def buildProtocol(self, address: object) -> smtp.ESMTP:
        server = smtp.ESMTP(CHALLENGERS, self._context)
        server.delivery = self._delivery
        server.portal = Portal(self._delivery, [OnePassword()])
        return server


if __name__ == "__main__":
    port, tls_port, mailboxes, chain, key = sys.argv[1:]
    context = ssl.DefaultOpenSSLContextFactory(key, chain)
    factory = Factory(Path(mailboxes), context)
    reactor.listenTCP(int(port), factory, interface="127.0.0.1")
    reactor.listenSSL(int(tls_port), factory, context, interface="127.0.0.1")
    reactor.run()
