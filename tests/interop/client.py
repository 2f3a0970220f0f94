"""Clients of other people's, as the tests see them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tests.interop.certificate import Certificate
from tests.interop.mailboxes import DOMAIN, PASSWORD
from tests.interop.messages import complete
from tests.interop.peer import Peer

__all__ = ["HOST", "Account", "Client", "Mail", "Pop3Client", "RefusedError", "SmtpClient"]

HOST = "localhost"

_LONGEST_WAIT = 60.0


class RefusedError(Exception):
    """The server does not let the client in."""


class Account(NamedTuple):
    """How a client gets in."""

    port: int
    tls: Literal["none", "start", "implicit"] = "none"
    mechanism: str | None = None
    """AUTH with this one, or APOP. Without, SMTP clients do not log in, and POP3 clients do by
    USER and PASS."""
    user: str = "box0"
    password: str = PASSWORD


class Mail(NamedTuple):
    """What an SMTP client is to send."""

    message: bytes
    sender: str = "jo@client.example"
    recipients: Sequence[str] = (f"box0@{DOMAIN}",)
    dsn: bool = False
    """With NOTIFY=SUCCESS and RET=HDRS."""
    utf8: bool = False
    """With SMTPUTF8."""

    @property
    def mail_options(self) -> list[str]:
        """The parameters of MAIL, for clients that take them as they are."""
        return ["RET=HDRS"] * self.dsn + ["SMTPUTF8"] * self.utf8

    @property
    def rcpt_options(self) -> list[str]:
        """The parameters of RCPT, for clients that take them as they are."""
        return ["NOTIFY=SUCCESS"] * self.dsn


class Client(Peer):
    """A client, with a directory for its files."""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        self._directory = tempfile.TemporaryDirectory(prefix="client-")
        self.directory = Path(self._directory.name)

    def stop(self) -> None:
        self._directory.cleanup()

    def file(self, name: str, content: bytes) -> str:
        """The path of a file that holds this; nobody else may read it."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return str(path)

    def run(self, *command: str, octets: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end; pytest shows what it says where a test fails."""
        environment = os.environ | {"HOME": str(self.directory), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command,
            input=octets,
            capture_output=True,
            env=environment,
            timeout=_LONGEST_WAIT,
        )
        print(command, done.returncode, done.stderr.decode(errors="replace"), sep="\n")
        return done


class SmtpClient(Client):
    @abstractmethod
    def send(self, account: Account, *mails: Mail) -> list[bool]:
        """Send these over one connection; of each, whether the client says that it went well."""

    def as_sent(self, message: bytes) -> bytes:
        """What it makes of a message: an end for its last line."""
        return complete(message)


class Pop3Client(Client):
    @abstractmethod
    def talk(self, account: Account, *commands: str) -> list[bytes]:
        """Log in, send these commands, and QUIT: what comes of each.

        That is the message of RETR and TOP, the lines of LIST and UIDL, and nothing of DELE and
        RSET. Raises RefusedError when the login is refused.
        """
