"""A POP3 server with Twisted: python -m tests.interop.peers.programs.twisted_pop3_server ..."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor, ssl
from twisted.internet.protocol import ServerFactory
from twisted.mail import pop3
from zope.interface import implementer

from tests.interop.peers.programs.twisted_logins import CHALLENGERS, OnePassword


class Maildrop(pop3.Mailbox):
    """The files of a directory."""

    def __init__(self, directory: Path) -> None:
        self._files = sorted(directory.glob("new/*"))
        self._deleted: set[int] = set()

    def listMessages(self, number: int | None = None) -> list[int] | int:
        if number is None:
            return [self.listMessages(number) for number in range(len(self._files))]
        return 0 if number in self._deleted else self._files[number].stat().st_size

    def getMessage(self, number: int) -> BinaryIO:
        return self._files[number].open("rb")

    def getUidl(self, number: int) -> bytes:
        return self._files[number].name.encode()

    def deleteMessage(self, number: int) -> None:
        self._deleted.add(number)

    def undeleteMessages(self) -> None:
        self._deleted.clear()

    def sync(self) -> None:
        for number in self._deleted:
            self._files[number].unlink()


@implementer(IRealm)
class Realm:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def requestAvatar(self, name: bytes, mind: object, *interfaces: type) -> object:
        return pop3.IMailbox, Maildrop(self._directory / name.decode()), lambda: None


@implementer(pop3.IServerFactory)
class Factory(ServerFactory):
    challengers = CHALLENGERS

    def __init__(self, directory: Path) -> None:
        self._portal = Portal(Realm(directory), [OnePassword()])

    def buildProtocol(self, address: object) -> pop3.POP3:
        server = pop3.POP3()
        server.factory = self
        server.portal = self._portal
        return server

    def _unsaid(self) -> None:
        raise NotImplementedError

    cap_IMPLEMENTATION = cap_EXPIRE = cap_LOGIN_DELAY = _unsaid


if __name__ == "__main__":
    port, tls_port, mailboxes, chain, key = sys.argv[1:]
    factory = Factory(Path(mailboxes))
    context = ssl.DefaultOpenSSLContextFactory(key, chain)
    reactor.listenTCP(int(port), factory, interface="127.0.0.1")
    reactor.listenSSL(int(tls_port), factory, context, interface="127.0.0.1")
    reactor.run()
