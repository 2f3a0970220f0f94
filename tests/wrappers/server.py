"""ServerSession: what the servers of both protocols do alike: they greet, and let users in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from smtpproto import pop3, sasl, smtp
from tests.wrappers.session import Session

ITERATIONS = 4096
"""Of SCRAM's hash, for keys that are made here from the password, each time. A server that keeps
the keys, as it should, takes sasl.ScramKeys' own default."""

MECHANISMS: Mapping[str, Callable[[], sasl.ServerMechanism]] = {
    "SCRAM-SHA-256": lambda: sasl.ScramServer("SCRAM-SHA-256"),
    "SCRAM-SHA-1": lambda: sasl.ScramServer("SCRAM-SHA-1"),
    "CRAM-MD5": lambda: sasl.CramMd5Server(sasl.make_timestamp("mail.example")),
    "PLAIN": sasl.PlainServer,
    "LOGIN": sasl.LoginServer,
}

_DECOY = secrets.token_bytes(32)


class ServerSession(Session):
    """The server's side; the passwords are somebody else's to look up."""

    conn: smtp.ServerConnection | pop3.ServerConnection
    _mechanism: sasl.ServerMechanism

    def timed_out(self) -> None:
        self.shutdown("Timeout")

    def shutdown(self, text: str) -> None:
        self.conn.shutdown(text)  # 421, or -ERR

    def abort(self) -> None:
        self.conn.abort()
        while self.step():  # to ConnectionClosed
            pass

    def let_in(self, user: str) -> None:
        """Somebody is who he says he is."""
        self.conn.authenticated(user)

    def keep_out(self) -> None:
        """The same words whatever was wrong, so that nobody learns which users exist."""
        if isinstance(self.conn, smtp.ServerConnection):
            self.conn.reject(535)
        else:
            self.conn.reject("Invalid user name or password", code="AUTH")

    def authenticate(self, event: smtp.Auth | pop3.Auth | smtp.AuthResponse) -> None:
        """Take the next step of a SASL exchange."""
        if isinstance(event, smtp.AuthResponse):
            self._follow(self._mechanism.step(event.data))
        else:
            assert event.mechanism is not None
            self._mechanism = MECHANISMS[event.mechanism]()
            self._follow(self._mechanism.step(event.initial_response))

    def _follow(self, step: sasl.Step) -> None:
        mechanism = self._mechanism
        match step:
            case sasl.Challenge(octets):
                self.conn.send(smtp.AuthChallenge(octets))
            case sasl.Credentials(acting_for, user) if acting_for not in (None, user):
                self._follow(mechanism.reject())
            case sasl.Credentials(_, user) | sasl.Proof(user) as claim:

                def check(password: str | None) -> None:
                    good = claim.verify(password)
                    self._follow(mechanism.accept(user) if good else mechanism.reject())

                self.ask(user, check)
            case sasl.Lookup(_, user):
                assert isinstance(mechanism, sasl.ScramServer)

                def supply(password: str | None) -> None:
                    self._follow(mechanism.supply(_keys(mechanism.name, user, password)))

                self.ask(user, supply)
            case sasl.Success(identity):
                self.let_in(identity)
            case _:
                self.keep_out()


def _keys(mechanism: str, user: str, password: str | None) -> sasl.ScramKeys:
    if password is None:  # the exchange goes on as if there were such a user
        return sasl.ScramKeys.decoy(mechanism, user, _DECOY, iterations=ITERATIONS)
    return sasl.ScramKeys.derive(mechanism, password, iterations=ITERATIONS)
