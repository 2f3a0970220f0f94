"""mpop: fetches all the messages of a maildrop into a maildir."""

from __future__ import annotations

import shutil

from tests.interop.client import HOST, Account, Pop3Client, RefusedError
from tests.interop.features import Pop3, pop3_but
from tests.interop.programs import find, output_of

__all__ = ["Mpop"]

_INSTALL = "apt-get install mpop"

_NO_PERMISSION = 77  # sysexits.h


class Mpop(Pop3Client):
    name = "mpop"
    features = pop3_but(
        Pop3.LIST,  # it does these where it needs them, and shows nothing of them
        Pop3.UIDL,
        Pop3.TOP,
        Pop3.RSET,
        Pop3.TEN_THOUSAND,
    )

    @classmethod
    def version(cls) -> str:
        return output_of(find("mpop", _INSTALL), "--version").split()[2]

    def talk(self, account: Account, *commands: str) -> list[bytes]:
        retrieved = [command for command in commands if command.startswith("RETR")]
        assert retrieved == [f"RETR {number + 1}" for number in range(len(retrieved))]
        maildir = self.directory / "maildir"
        for part in ("cur", "new", "tmp"):
            (maildir / part).mkdir(parents=True)
        password = self.file("password", account.password.encode())
        method = "user" if account.mechanism is None else account.mechanism.lower()
        options = [f"--host={HOST}", f"--port={account.port}", f"--user={account.user}"]
        options += [f"--passwordeval=cat {password}", f"--auth={method}", "--received-header=off"]
        options += [f"--delivery=maildir,{maildir}", "--uidls-file=" + self.file("uidls", b"")]
        options += [f"--keep={'off' if len(retrieved) < len(commands) else 'on'}"]
        if account.tls != "none":
            options += ["--tls", f"--tls-starttls={'on' if account.tls == 'start' else 'off'}"]
            options += [f"--tls-trust-file={self.certificate.authority}"]
        status = self.run(find("mpop", _INSTALL), *options).returncode
        files = sorted((maildir / "new").iterdir(), key=lambda file: file.stat().st_mtime_ns)
        messages = [file.read_bytes().replace(b"\n", b"\r\n") for file in files]
        shutil.rmtree(maildir)
        if status == _NO_PERMISSION:
            raise RefusedError
        assert status == 0
        return messages + [b""] * (len(commands) - len(retrieved))
