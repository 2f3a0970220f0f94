"""Receiver: an SMTP or LMTP server that takes mail for its users."""

from __future__ import annotations

from collections.abc import Container, Iterable

from smtpproto import smtp
from tests.wrappers.server import ServerSession

EXTENSIONS = (
    smtp.ext.Pipelining(),
    smtp.ext.Size(100_000_000),
    smtp.ext.EightBitMime(),
    smtp.ext.BinaryMime(),
    smtp.ext.Chunking(),
    smtp.ext.SmtpUtf8(),
    smtp.ext.EnhancedStatusCodes(),
)


class Receiver(ServerSession):
    """One session. `mailbox` gets each message with its envelope.

    `extensions` may hold smtp.ext.StartTls() and smtp.ext.Auth(...) with any of `MECHANISMS`.
    `tls` is implicit TLS; `require_auth` and `require_tls` are ServerConnection's.
    """

    conn: smtp.ServerConnection

    def __init__(
        self,
        users: Container[smtp.Address],
        mailbox: list[tuple[smtp.Envelope, bytes]],
        *,
        domain: str = "mx.example",
        extensions: Iterable[smtp.Extension] = EXTENSIONS,
        lmtp: bool = False,
        tls: bool = False,
        limits: smtp.Limits = smtp.Limits(),  # noqa: B008 (a constant)
        require_auth: bool = False,
        require_tls: bool = False,
    ) -> None:
        conn = smtp.ServerConnection(
            domain,
            extensions=extensions,
            lmtp=lmtp,
            tls=tls,
            limits=limits,
            require_auth=require_auth,
            require_tls=require_tls,
        )
        super().__init__(conn)
        self._users = users
        self._mailbox = mailbox
        self._pieces: list[bytes] = []

    def handle(self, event: smtp.Event) -> None:
        match event:
            case smtp.Rcpt(address) if address not in self._users:
                self.conn.reject(550, "No such user here", enhanced="5.1.1")
            case smtp.MessageData(data):
                self._pieces.append(data)
            case smtp.MessageRefused():
                self._pieces.clear()
            case smtp.EndOfMessage():
                assert self.conn.envelope is not None
                self._mailbox.append((self.conn.envelope, b"".join(self._pieces)))
                self._pieces.clear()
                self.conn.accept()
            case smtp.Auth() | smtp.AuthResponse():
                self.authenticate(event)
            case smtp.Request():
                self.conn.accept()
