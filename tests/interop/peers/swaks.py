"""swaks: the Swiss Army Knife for SMTP."""

from __future__ import annotations

from tests.interop.client import HOST, Account, Mail, SmtpClient
from tests.interop.features import SMTP_SCRAM, Smtp, smtp_but
from tests.interop.programs import NotInstalledError, find, output_of

__all__ = ["Swaks"]

_INSTALL = "apt-get install swaks libnet-ssleay-perl"


class Swaks(SmtpClient):
    name = "swaks"
    features = smtp_but(
        *SMTP_SCRAM,
        Smtp.BDAT,
        Smtp.DSN,
        Smtp.SMTPUTF8,
        Smtp.RSET,
        Smtp.TWO_MESSAGES,
        Smtp.EMPTY,
        Smtp.EMPTY_LINES,  # it drops the last
        Smtp.DOTS,  # it does not double a dot that is the first octet
    )

    @classmethod
    def version(cls) -> str:
        program = find("swaks", _INSTALL)
        if "TLS supported" not in output_of(program, "--support"):
            raise NotInstalledError(f"swaks cannot do TLS: {_INSTALL}")
        return output_of(program, "--version").split()[2]

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        (mail,) = mails
        options = ["--server", HOST, "--port", str(account.port)]
        options += ["--from", mail.sender, "--to", ",".join(mail.recipients)]
        content = mail.message.removesuffix(b"\r\n")  # it puts CRLF.CRLF behind it
        options += ["--data", "@" + self.file("message", content), "--pipeline"]
        options += {
            "none": [],
            "start": ["--tls", "--tls-verify"],
            "implicit": ["--tls-on-connect", "--tls-verify"],
        }[account.tls]
        if account.mechanism is not None:
            options += ["--auth", account.mechanism]
            options += ["--auth-user", account.user, "--auth-password", account.password]
        if account.tls != "none":
            options += ["--tls-ca-path", str(self.certificate.authority)]
        return [self.run(find("swaks", _INSTALL), *options).returncode == 0]
