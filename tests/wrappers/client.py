"""ClientSession: what the clients of both protocols do alike: TLS, then the login."""

from __future__ import annotations

from smtpproto import pop3, sasl, smtp
from tests.wrappers.session import Session


class RefusedError(Exception):
    """The server would not do what the session cannot do without; what it said is the text."""


class ClientSession(Session):
    """The client's side. `starttls` insists on TLS before the login, and before all else that
    matters."""

    conn: smtp.ClientConnection | pop3.ClientConnection

    def __init__(
        self, conn: smtp.ClientConnection | pop3.ClientConnection, *, starttls: bool
    ) -> None:
        super().__init__(conn)
        self.starttls = starttls

    def say_hello(self) -> None:
        """Ask what the server offers: after the greeting, and again when TLS has begun."""
        raise NotImplementedError

    def tls_started(self) -> None:
        within = not self.conn.tls
        super().tls_started()
        if within:
            self.say_hello()
