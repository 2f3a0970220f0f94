"""smtplib, of Python itself."""

from __future__ import annotations

import platform
import smtplib

from tests.interop.client import HOST, Account, Mail, SmtpClient
from tests.interop.features import SMTP_SCRAM, Smtp, smtp_but

__all__ = ["Smtplib"]


class Smtplib(SmtpClient):
    name = "smtplib"
    features = smtp_but(
        *SMTP_SCRAM,
        Smtp.PIPELINING,
        Smtp.BDAT,
        Smtp.EMPTY,  # it sends an empty line
    )

    @classmethod
    def version(cls) -> str:
        return platform.python_version()

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        context = self.certificate.client_context
        if account.tls == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL(HOST, account.port, context=context)
        else:
            client = smtplib.SMTP(HOST, account.port)
        with client:
            if account.tls == "start":
                client.starttls(context=context)
            if account.mechanism is not None:
                try:
                    client.login(account.user, account.password)
                except smtplib.SMTPAuthenticationError:
                    return [False] * len(mails)
            return [self._send(client, mail) for mail in mails]

    def _send(self, client: smtplib.SMTP, mail: Mail) -> bool:
        try:
            client.sendmail(
                mail.sender,
                mail.recipients,
                mail.message,
                mail_options=mail.mail_options,
                rcpt_options=mail.rcpt_options,
            )
        except smtplib.SMTPException as refused:
            print(refused)
            return False
        return True
