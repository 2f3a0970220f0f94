"""LOGIN: a user name, then a password, in clear. No RFC; every mail server has it.

Written down in draft-murchison-sasl-login: the server asks twice, and what it asks with is
ignored, for servers never agreed on it.
"""

from __future__ import annotations

from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Challenge, Credentials, Step
from smtpproto.sasl._strings import decode, encode

__all__ = ["LoginClient", "LoginServer"]


class LoginClient(ClientExchange):
    """LOGIN for a client, for servers that have no PLAIN. Only over TLS, as PLAIN.

    Raises `LocalProtocolError` for strings that are empty, hold NUL, or cannot be written in
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
    # The draft's words; what else servers ask with, clients have learned to ignore.
    _first_challenge = b"Username:"

    def __init__(self) -> None:
        super().__init__()
        self._user: str | None = None

    def _receive(self, response: bytes) -> Step:
        if self._user is None:
            self._user = decode("user name", response)
            return Challenge(b"Password:")
        return Credentials(None, self._user, decode("password", response))
