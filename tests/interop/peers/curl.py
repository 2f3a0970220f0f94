"""curl: smtp, smtps, pop3 and pop3s."""

from __future__ import annotations

from tests.interop.client import HOST, Account, Client, Mail, Pop3Client, RefusedError, SmtpClient
from tests.interop.features import POP3_SCRAM, SMTP_SCRAM, Pop3, Smtp, pop3_but, smtp_but
from tests.interop.programs import find, output_of

__all__ = ["CurlPop3", "CurlSmtp"]

_INSTALL = "apt-get install curl"

_LOGIN_DENIED = 67  # curl(1), exit codes


class _Curl(Client):
    name = "curl"

    @classmethod
    def version(cls) -> str:
        return output_of(find("curl", _INSTALL), "--version").split()[1]

    def _transfers(self, scheme: str, account: Account, *transfers: list[str]) -> int:
        """Do these over one connection, each the path of a URL and the options for it; the exit
        status."""
        implicit = "s" if account.tls == "implicit" else ""
        command = [find("curl", _INSTALL)]
        for number, (path, *options) in enumerate(transfers):
            command += ["--next"] if number else []
            command += ["--silent", "--show-error", *options]
            command += ["--url", f"{scheme}{implicit}://{HOST}:{account.port}/{path}"]
            command += ["--cacert", str(self.certificate.authority)]
            command += ["--ssl-reqd"] if account.tls == "start" else []
            if account.mechanism is not None or scheme == "pop3":
                command += ["--user", f"{account.user}:{account.password}"]
            if account.mechanism is not None:
                name = "+APOP" if account.mechanism == "APOP" else account.mechanism
                command += ["--login-options", f"AUTH={name}"]
        return self.run(*command).returncode


class CurlSmtp(_Curl, SmtpClient):
    features = smtp_but(*SMTP_SCRAM, Smtp.PIPELINING, Smtp.BDAT, Smtp.DSN, Smtp.RSET)

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        transfers = []
        for number, mail in enumerate(mails):
            options = ["--mail-from", mail.sender, "--mail-rcpt-allowfails"]
            for recipient in mail.recipients:
                options += ["--mail-rcpt", recipient]
            file = self.file(f"message{number}", mail.message)
            transfers.append(["client.example", *options, "--upload-file", file])
        return [self._transfers("smtp", account, *transfers) == 0] * len(mails)


class CurlPop3(_Curl, Pop3Client):
    features = pop3_but(
        *POP3_SCRAM,
        Pop3.EMPTY,  # it writes an empty line
        Pop3.PIPELINING,
    )

    def talk(self, account: Account, *commands: str) -> list[bytes]:
        transfers = []
        for number, command in enumerate(commands):
            verb, *arguments = command.split()
            options = ["--output", self.file(f"answer{number}", b"")]
            if verb in ("UIDL", "TOP"):
                options += ["--request", command]
            elif verb in ("DELE", "RSET"):
                options += ["--request", command, "--head"]
            transfers.append([arguments[0] if verb == "RETR" else "", *options])
        status = self._transfers("pop3", account, *transfers)
        if status == _LOGIN_DENIED:
            raise RefusedError
        assert status == 0
        return [(self.directory / f"answer{n}").read_bytes() for n in range(len(commands))]
