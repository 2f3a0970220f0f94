"""Twisted's SMTP and POP3 servers."""

from __future__ import annotations

from tests.interop.features import Pop3, Smtp
from tests.interop.peers.in_python import PythonServer
from tests.interop.server import Pop3Server, SmtpServer

__all__ = ["TwistedPop3", "TwistedSmtp"]


class TwistedSmtp(PythonServer, SmtpServer):
    name = "Twisted"
    features = frozenset(Smtp) - {
        Smtp.PIPELINING,
        Smtp.BDAT,
        Smtp.SCRAM_SHA_1,
        Smtp.SCRAM_SHA_256,
        Smtp.DSN,
        Smtp.SMTPUTF8,
        Smtp.SIZE,
    }
    distribution = "Twisted"
    program = "tests.interop.peers.serve_twisted_smtp"


class TwistedPop3(PythonServer, Pop3Server):
    name = "Twisted"
    features = frozenset(Pop3) - {
        Pop3.APOP,  # compares the digest's str with bytes
        Pop3.AUTH_PLAIN,
        Pop3.AUTH_LOGIN,
        Pop3.SCRAM_SHA_1,
        Pop3.SCRAM_SHA_256,
        Pop3.STLS,
        Pop3.EMPTY,  # is a deleted one
        Pop3.PIPELINING,  # CAPA says PIPELINE
    }
    distribution = "Twisted"
    program = "tests.interop.peers.serve_twisted_pop3"
