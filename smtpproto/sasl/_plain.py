"""PLAIN: an authentication identity and a password in one message, in clear (RFC 4616)."""

from __future__ import annotations

from smtpproto.errors import RemoteProtocolError
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Credentials
from smtpproto.sasl._strings import decode, encode

__all__ = ["PlainClient", "PlainServer"]


class PlainClient(ClientExchange):
    """PLAIN for a client. Use it over TLS only: the password is sent in clear.

    `authorization_id` is the identity to act as, if it is another user's. Raises
    `InvalidValueError` for strings that are empty, hold NUL, or cannot be written in UTF-8 (RFC
    4616 section 2).
    """

    name = "PLAIN"

    def __init__(
        self, authentication_id: str, password: str, authorization_id: str | None = None
    ) -> None:
        super().__init__()
        self._message = b"\0".join(
            (
                b"" if authorization_id is None else encode("authorization_id", authorization_id),
                encode("authentication_id", authentication_id),
                encode("password", password),
            )
        )

    def _initial_response(self) -> bytes:
        self.complete = True
        return self._message


class PlainServer(ServerExchange):
    """PLAIN for a server: gives `Credentials`."""

    name = "PLAIN"

    def _receive(self, response: bytes) -> Credentials:
        # message = [authzid] UTF8NUL authcid UTF8NUL passwd
        fields = response.split(b"\0")
        if len(fields) != 3:
            raise RemoteProtocolError(f"the message holds {len(fields) - 1} NULs instead of two")
        authorization_id, authentication_id, password = fields
        return Credentials(
            decode("authorization identity", authorization_id) if authorization_id else None,
            decode("authentication identity", authentication_id),
            decode("password", password),
        )
