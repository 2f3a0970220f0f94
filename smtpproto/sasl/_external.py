"""EXTERNAL: credentials established by other means, such as TLS (RFC 4422 appendix A)."""

from __future__ import annotations

from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Identity
from smtpproto.sasl._strings import decode, encode

__all__ = ["ExternalClient", "ExternalServer"]


class ExternalClient(ClientExchange):
    """EXTERNAL for a client that has presented a TLS certificate, for example.

    `authorization_id` is the identity to act as; None leaves it to the server, and then the initial
    response is empty. Raises `InvalidValueError` for a string that is empty, holds NUL, or
    cannot be written in UTF-8.
    """

    name = "EXTERNAL"

    def __init__(self, authorization_id: str | None = None) -> None:
        super().__init__()
        self._message = (
            b"" if authorization_id is None else encode("authorization_id", authorization_id)
        )

    def _initial_response(self) -> bytes:
        self.complete = True
        return self._message


class ExternalServer(ServerExchange):
    """EXTERNAL for a server: gives an `Identity`, to be compared with the client's certificate."""

    name = "EXTERNAL"

    def _receive(self, response: bytes) -> Identity:
        return Identity(decode("authorization identity", response) if response else None)
