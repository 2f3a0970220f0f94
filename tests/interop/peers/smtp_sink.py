"""smtp-sink: Postfix's test server, which writes down what it gets; SMTP and LMTP."""

from __future__ import annotations

from tests.interop.features import SMTP_AUTH, Smtp, smtp_but
from tests.interop.mailboxes import Mailboxes
from tests.interop.peers.postfix import INSTALL, postfix_version
from tests.interop.programs import find, free_port
from tests.interop.server import SmtpServer

__all__ = ["SmtpSink", "SmtpSinkLmtp"]


class Dumps(Mailboxes):
    """The files that smtp-sink writes: one for each message, with its envelope at the top."""

    def files(self, name: str) -> list[bytes]:
        paths = sorted(self.directory.glob("*"), key=lambda path: path.stat().st_mtime_ns)
        files = [path.read_bytes() for path in paths]
        recipient = f"X-Rcpt-Args: <{name}@".encode()
        return [file.removesuffix(b"\n") for file in files if recipient in file]


class SmtpSink(SmtpServer):
    name = "smtp-sink"
    features = smtp_but(
        *SMTP_AUTH, Smtp.REFUSED, Smtp.BDAT, Smtp.STARTTLS, Smtp.TLS, Smtp.SMTPUTF8, Smtp.SIZE
    )

    @classmethod
    def version(cls) -> str:
        return postfix_version()

    def start(self) -> None:
        self.mailboxes = Dumps(self.directory / "dumps")
        self.port, self.unpipelined_port = free_port(), free_port()
        self._sink(self.port, *(["-L"] if self.lmtp else []))
        self._sink(self.unpipelined_port, "-p", *(["-L"] if self.lmtp else []))

    def parameters_seen(self, sender: str, recipient: str) -> bytes:
        return self.mailboxes.wait_for(recipient)[0]

    def _sink(self, port: int, *options: str) -> None:
        self.run(
            find("smtp-sink", INSTALL), *options, "-d", f"{self.mailboxes.directory}/",
            "-u", "nobody", f"127.0.0.1:{port}", "100",
            ports=[port],
        )  # fmt: skip


class SmtpSinkLmtp(SmtpSink):
    name = "smtp-sink -L"
    lmtp = True
