"""CRAM-MD5: the user name, and a digest of the server's challenge and a shared secret (RFC 2195).

The password is not sent, but the server must keep it in clear, and an eavesdropper can try
passwords against the digest, so use it over TLS only. SCRAM has replaced it.
"""

from __future__ import annotations

from smtpproto.errors import RemoteProtocolError
from smtpproto.sasl._digests import check_timestamp, cram_md5_digest
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Proof
from smtpproto.sasl._strings import as_text, decode, encode

__all__ = ["CramMd5Client", "CramMd5Server"]


class CramMd5Client(ClientExchange):
    """CRAM-MD5 for a client.

    Raises `InvalidValueError` for strings that are empty, hold NUL, or cannot be written in
    UTF-8.
    """

    name = "CRAM-MD5"

    def __init__(self, authentication_id: str, secret: str) -> None:
        super().__init__()
        self._user = encode("user name", authentication_id)
        encode("secret", secret)
        self._secret = as_text("secret", secret)

    def _answer(self, challenge: bytes) -> bytes | None:
        if self.complete:
            return None
        digest = cram_md5_digest(decode("challenge", challenge), self._secret)
        self.complete = True
        return self._user + b" " + digest.encode()


class CramMd5Server(ServerExchange):
    """CRAM-MD5 for a server: gives a `Proof`, to be verified against the user's secret.

    `challenge` is a msg-id (RFC 2195 section 2) and must be a new one for each exchange, or a
    response can be replayed; `make_timestamp` makes one. Raises `InvalidValueError` if it is not
    a msg-id.
    """

    name = "CRAM-MD5"

    def __init__(self, challenge: str) -> None:
        super().__init__()
        self._challenge = check_timestamp(challenge)
        self._first_challenge = self._challenge.encode()

    def _receive(self, response: bytes) -> Proof:
        if self._last is None:
            raise RemoteProtocolError("an initial response, but the server speaks first")
        # A user name may hold spaces; a digest does not.
        user, _, digest = response.rpartition(b" ")
        if len(digest) != 32 or digest.strip(b"0123456789abcdef"):
            raise RemoteProtocolError("the digest is not 32 lower-case hexadecimal digits")
        return Proof(decode("user name", user), self._challenge, digest.decode())
