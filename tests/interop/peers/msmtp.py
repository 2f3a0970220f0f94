"""msmtp: an SMTP client that stands in for sendmail."""

from __future__ import annotations

from tests.interop.client import HOST, Account, Mail, SmtpClient
from tests.interop.features import Smtp, smtp_but
from tests.interop.programs import find, output_of

__all__ = ["Msmtp"]

_INSTALL = "apt-get install msmtp"


class Msmtp(SmtpClient):
    name = "msmtp"
    features = smtp_but(Smtp.BDAT, Smtp.REFUSED, Smtp.RSET, Smtp.TWO_MESSAGES, Smtp.SMTPUTF8)

    @classmethod
    def version(cls) -> str:
        return output_of(find("msmtp", _INSTALL), "--version").split()[2]

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        (mail,) = mails
        options = [f"--host={HOST}", f"--port={account.port}", f"--from={mail.sender}"]
        options += ["--set-date-header=off", "--set-from-header=off", "--set-msgid-header=off"]
        if account.tls != "none":
            starttls = "on" if account.tls == "start" else "off"
            options += ["--tls=on", f"--tls-starttls={starttls}"]
            options += [f"--tls-trust-file={self.certificate.authority}"]
        if account.mechanism is not None:
            password = self.file("password", account.password.encode())
            options += [f"--auth={account.mechanism.lower()}", f"--user={account.user}"]
            options += [f"--passwordeval=cat {password}"]
        if mail.dsn:
            options += ["--dsn-notify=success", "--dsn-return=headers"]
        program = find("msmtp", _INSTALL)
        done = self.run(program, *options, "--", *mail.recipients, octets=mail.message)
        return [done.returncode == 0]
