"""smtp-source: Postfix's test client."""

from __future__ import annotations

from tests.interop.client import Account, Mail, SmtpClient
from tests.interop.features import SMTP_AUTH, Smtp, smtp_but
from tests.interop.peers.postfix import INSTALL, postfix_version
from tests.interop.programs import find

__all__ = ["SmtpSource"]


class SmtpSource(SmtpClient):
    name = "smtp-source"
    features = smtp_but(
        *SMTP_AUTH,
        Smtp.REFUSED,
        Smtp.PIPELINING,
        Smtp.BDAT,
        Smtp.STARTTLS,
        Smtp.TLS,
        Smtp.DSN,
        Smtp.SMTPUTF8,
        Smtp.RSET,
        Smtp.EMPTY,
    )

    @classmethod
    def version(cls) -> str:
        return postfix_version()

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        (mail, *rest) = mails
        assert not [other for other in rest if other != mail], "it repeats itself"
        (recipient,) = mail.recipients
        lines = mail.message.replace(b"\r\n", b"\n")
        done = self.run(
            find("smtp-source", INSTALL),
            "-f", mail.sender, "-t", recipient, "-F", self.file("message", lines),
            "-d", "-m", str(len(mails)), f"127.0.0.1:{account.port}",
        )  # fmt: skip
        return [done.returncode == 0] * len(mails)

    def as_sent(self, message: bytes) -> bytes:
        return super().as_sent(message) + b"\r\n"
