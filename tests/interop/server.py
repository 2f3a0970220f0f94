"""Servers of other people's, as the tests see them."""

from __future__ import annotations

import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.interop.certificate import Certificate
from tests.interop.mailboxes import Mailboxes
from tests.interop.peer import Peer
from tests.interop.programs import Process

__all__ = ["Pop3Server", "Server", "SmtpServer"]


class Server(Peer):
    """A server that runs until `stop`, with all its files in a directory of its own."""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        self._processes: list[Process] = []
        # Not pytest's: servers that give up their rights could not get in, and the path of a
        # Unix socket has at most 107 octets.
        self.directory = Path(tempfile.mkdtemp(prefix="peer-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.mailboxes = Mailboxes(self.directory / "mail")
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def start(self) -> None:
        """Write its files, run it, and wait until it listens."""

    def run(self, *command: str, ports: Sequence[int]) -> None:
        """Run a program until `stop`; return when it takes connections."""
        process = Process(command, self.directory / "log")
        self._processes.append(process)
        for port in ports:
            process.wait_until_it_listens(port)

    def stop(self) -> None:
        for process in self._processes:
            process.stop()
        # A process that was killed may not be gone yet, and still make files.
        shutil.rmtree(self.directory, ignore_errors=True)


class SmtpServer(Server):
    lmtp: ClassVar[bool] = False
    port: int
    """Where it offers all that it can."""
    tls_port: int
    """Where it begins with TLS, if it can."""
    unpipelined_port: int
    """Where it does not offer PIPELINING, if it ever does."""

    def parameters_seen(self, sender: str, recipient: str) -> bytes:
        """Something that shows the DSN parameters of a message between two mailboxes: the
        notification of its success that the sender gets."""
        return self.mailboxes.wait_for(sender)[0]


class Pop3Server(Server):
    port: int
    tls_port: int
