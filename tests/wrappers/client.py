"""ClientSession: what the clients of both protocols do alike: say hello, and again under TLS."""

from __future__ import annotations

from smtpproto import pop3, smtp
from tests.wrappers.session import Session


class RefusedError(Exception):
    """The server would not do what the session cannot go on without."""


class ClientSession(Session):
    """The client's side. `starttls` insists on TLS before anything that matters is said."""

    conn: smtp.ClientConnection | pop3.ClientConnection

    def __init__(
        self, conn: smtp.ClientConnection | pop3.ClientConnection, *, starttls: bool
    ) -> None:
        super().__init__(conn)
        self._starttls = starttls

    @property
    def wants_data(self) -> bool:
        return not (self.handshake_due or self.closed)  # nobody has to answer before that

    @property
    def tls_is_missing(self) -> bool:
        return self._starttls and not self.conn.tls

    def say_hello(self) -> None:
        """Ask what the server offers; before the greeting this waits for it."""
        raise NotImplementedError

    def tls_started(self) -> None:
        within_session = not self.conn.tls
        super().tls_started()
        if within_session:  # all that the server offered is forgotten
            self.say_hello()
