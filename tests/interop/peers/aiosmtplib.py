"""aiosmtplib: an SMTP client in Python."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.interop.client import HOST, Account, Mail, SmtpClient
from tests.interop.features import SMTP_SCRAM, Smtp, smtp_but
from tests.interop.peers.in_python import installed

if TYPE_CHECKING:
    import aiosmtplib

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
        async with client:
            protocol = client.protocol
            sent = await self._talk(client, account, mails)
        # It does not wait for the end of TLS, which asyncio gives up after half a minute: the loop
        # would be gone before the socket is closed.
        while protocol is not None and protocol.transport is not None:
            await asyncio.sleep(0)
        return sent

    async def _talk(
        self, client: aiosmtplib.SMTP, account: Account, mails: tuple[Mail, ...]
    ) -> list[bool]:
        import aiosmtplib

        if account.mechanism is not None:
            try:
                await client.login(account.user, account.password)
            except aiosmtplib.SMTPAuthenticationError:
                return [False] * len(mails)
        sent: list[bool] = []
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
