"""aiosmtplib: an SMTP client in Python."""

from __future__ import annotations

import asyncio

from tests.interop.client import HOST, Account, Mail, SmtpClient
from tests.interop.features import SMTP_SCRAM, Smtp, smtp_but
from tests.interop.peers.in_python import installed

__all__ = ["Aiosmtplib"]


class Aiosmtplib(SmtpClient):
    name = "aiosmtplib"
    features = smtp_but(
        *SMTP_SCRAM,
        Smtp.PIPELINING,
        Smtp.BDAT,
        Smtp.EMPTY,  # it sends an empty line
    )

    @classmethod
    def version(cls) -> str:
        return installed("aiosmtplib")

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        return asyncio.run(self._send(account, mails))

    async def _send(self, account: Account, mails: tuple[Mail, ...]) -> list[bool]:
        import aiosmtplib

        client = aiosmtplib.SMTP(
            hostname=HOST,
            port=account.port,
            use_tls=account.tls == "implicit",
            start_tls=account.tls == "start",
            tls_context=self.certificate.client_context,
        )
        sent: list[bool] = []
        async with client:
            if account.mechanism is not None:
                try:
                    await client.login(account.user, account.password)
                except aiosmtplib.SMTPAuthenticationError:
                    return [False] * len(mails)
            for mail in mails:
                try:
                    await client.sendmail(
                        mail.sender,
                        mail.recipients,
                        mail.message,
                        mail_options=mail.mail_options,
                        rcpt_options=mail.rcpt_options,
                    )
                except aiosmtplib.SMTPException as refused:
                    print(refused)
                    sent.append(False)
                else:
                    sent.append(True)
        return sent
