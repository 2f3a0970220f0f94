"""aiosmtpd: an SMTP server in Python."""

from __future__ import annotations

from tests.interop.features import SMTP_SCRAM, Smtp, smtp_but
from tests.interop.peers.in_python import PythonServer
from tests.interop.server import SmtpServer

__all__ = ["Aiosmtpd"]


class Aiosmtpd(PythonServer, SmtpServer):
    name = "aiosmtpd"
    features = smtp_but(*SMTP_SCRAM, Smtp.PIPELINING, Smtp.BDAT, Smtp.CRAM_MD5, Smtp.DSN)
    distribution = "aiosmtpd"
    program = "tests.interop.peers.programs.aiosmtpd_server"
