"""LOGIN: a user name, then a password, in clear. No RFC defines it; most mail servers have it.

It is described in draft-murchison-sasl-login. The server sends two challenges, whose text the
client ignores, because it differs from server to server.
"""

from __future__ import annotations

from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Challenge, Credentials, Step
from smtpproto.sasl._strings import decode, encode

__all__ = ["LoginClient", "LoginServer"]


class LoginClient(ClientExchange):
    """LOGIN for a client, for servers without PLAIN. Use it over TLS only, as PLAIN.

    Raises `InvalidValueError` for strings that are empty, hold NUL, or cannot be written in
    UTF-8.
    """

    name = "LOGIN"

    def __init__(self, authentication_id: str, password: str) -> None:
        super().__init__()
        self._responses = [encode("password", password), encode("user name", authentication_id)]

    def _answer(self, challenge: bytes) -> bytes | None:
        if not self._responses:
            return None
        response = self._responses.pop()
        self.complete = not self._responses
        return response


class LoginServer(ServerExchange):
    """LOGIN for a server: gives `Credentials`, without an authorization identity.

    An initial response is taken as the user name, though the mechanism is server-first: .NET's
    SmtpClient sends it there.
    """

    name = "LOGIN"
    # The draft's text.
    _first_challenge = b"Username:"

    def __init__(self) -> None:
        super().__init__()
        self._user: str | None = None

    def _receive(self, response: bytes) -> Step:
        if self._user is None:
            self._user = decode("user name", response)
            return Challenge(b"Password:")
        return Credentials(None, self._user, decode("password", response))
