"""Twisted's SMTP and POP3, servers and clients."""

from __future__ import annotations

import sys

from tests.interop.client import Account, Mail, Pop3Client, RefusedError, SmtpClient
from tests.interop.features import POP3_AUTH, POP3_SCRAM, SMTP_SCRAM, Pop3, Smtp, pop3_but, smtp_but
from tests.interop.peers.in_python import PythonServer, installed
from tests.interop.server import Pop3Server, SmtpServer

__all__ = ["TwistedPop3", "TwistedPop3Client", "TwistedSmtp", "TwistedSmtpClient"]


class TwistedSmtp(PythonServer, SmtpServer):
    name = "Twisted"
    features = smtp_but(*SMTP_SCRAM, Smtp.PIPELINING, Smtp.BDAT, Smtp.DSN, Smtp.SMTPUTF8, Smtp.SIZE)
    distribution = "Twisted"
    program = "tests.interop.peers.programs.twisted_smtp_server"


class TwistedPop3(PythonServer, Pop3Server):
    name = "Twisted"
    features = pop3_but(
        *POP3_SCRAM,
        Pop3.APOP,  # compares the digest's str with bytes
        Pop3.AUTH_PLAIN,
        Pop3.AUTH_LOGIN,
        Pop3.STLS,
        Pop3.EMPTY,  # is a deleted one
        Pop3.PIPELINING,  # CAPA says PIPELINE
    )
    distribution = "Twisted"
    program = "tests.interop.peers.programs.twisted_pop3_server"


class TwistedSmtpClient(SmtpClient):
    name = "Twisted"
    features = smtp_but(
        *SMTP_SCRAM,
        Smtp.PIPELINING,
        Smtp.BDAT,
        Smtp.DSN,
        Smtp.SMTPUTF8,
        Smtp.RSET,
        Smtp.TWO_MESSAGES,
        Smtp.EMPTY,  # it sends an empty line
        Smtp.DOTS,  # it does not double a dot that is the first octet
    )

    @classmethod
    def version(cls) -> str:
        return installed("Twisted")

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        (mail,) = mails
        done = self.run(
            sys.executable, "-m", "tests.interop.peers.programs.twisted_smtp_client",
            str(account.port), account.tls, str(self.certificate.authority),
            account.user if account.mechanism is not None else "", account.password,
            mail.sender, *mail.recipients,
            octets=mail.message.replace(b"\r\n", b"\n"),
        )  # fmt: skip
        return [done.returncode == 0]


class TwistedPop3Client(Pop3Client):
    name = "Twisted"
    features = pop3_but(*POP3_AUTH, Pop3.PIPELINING)

    @classmethod
    def version(cls) -> str:
        return installed("Twisted")

    def talk(self, account: Account, *commands: str) -> list[bytes]:
        done = self.run(
            sys.executable, "-m", "tests.interop.peers.programs.twisted_pop3_client",
            str(account.port), account.tls, str(self.certificate.authority),
            account.user, account.password, account.mechanism or "",
            str(self.directory), *commands,
        )  # fmt: skip
        if done.returncode == 67:
            raise RefusedError
        assert done.returncode == 0
        return [(self.directory / f"answer{n}").read_bytes() for n in range(len(commands))]
