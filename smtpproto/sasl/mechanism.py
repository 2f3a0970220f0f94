"""The contract of a SASL mechanism on either side (RFC 4422), and the values of a server's steps.

Octets only: base64, the verbs and the cancelling ``*`` belong to the connection. Nothing here is
called back: whoever holds the mechanism steps it, and may take as long as a database needs
between two steps.

A client's mechanism is asked for responses until the server has decided. A server's mechanism is
given responses, and each step tells the server what to do next:

- `Challenge`: send it, and step again with the client's response;
- `Lookup`: find the keys of the user it names and supply them (SCRAM only);
- `Credentials`, `Proof`, `Token`, `Identity`, `Trace`: check that, then ``accept(identity)`` or
  ``reject()``;
- `Success`, `Failure`: the outcome. The exchange is over.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from smtpproto.sasl.digests import cram_md5_digest
from smtpproto.sasl.strings import as_text, optional_text, same
from smtpproto.values import Value, fill
from smtpproto.values import octets as as_octets

__all__ = [
    "Challenge",
    "ClientMechanism",
    "Credentials",
    "Failure",
    "Identity",
    "Lookup",
    "Proof",
    "ServerMechanism",
    "Step",
    "Success",
    "Token",
    "Trace",
]


class ClientMechanism(Protocol):
    """What a client connection needs of a mechanism. Any object with these members serves.

    One object serves one authentication exchange.
    """

    @property
    def name(self) -> str:
        """The registered name, as the server advertises it: ``"SCRAM-SHA-256"``."""

    @property
    def complete(self) -> bool:
        """Whether the mechanism itself is satisfied, so that the server's success counts.

        A server that says "authenticated" before this is true has proved nothing.
        """

    def respond(self, challenge: bytes | None) -> bytes | None:
        """The response to `challenge`, or None to give up: then cancel the exchange.

        None as the challenge asks for the initial response, and is passed first or not at all;
        None as the answer to it means that this mechanism has none (RFC 4422 section 3.3). An
        initial response may be empty: ``b""`` is not None.

        Nothing that a server sends makes this raise.
        """


class ServerMechanism(Protocol):
    """What a server needs of a mechanism. Any object with these members serves.

    One object serves one authentication exchange. Nothing that a client sends raises: what is
    malformed is a `Failure`.
    """

    @property
    def name(self) -> str:
        """The registered name, as the server advertises it: ``"PLAIN"``."""

    def step(self, response: bytes | None) -> Step:
        """Take the client's response; None when it sent no initial response.

        Raises `LocalProtocolError` when the step before wanted something else than a response,
        and when the exchange is over.
        """

    def accept(self, identity: str) -> Success:
        """What was to be checked is right: `identity` is in.

        Raises `LocalProtocolError` when nothing is there to be checked.
        """

    def reject(self, reason: str = ...) -> Challenge | Failure:
        """What was to be checked is wrong. `reason` is for the log, not for the client.

        A mechanism that tells its client why gives a Challenge first (RFC 7628 section 3.2.2).
        Raises `LocalProtocolError` when nothing is there to be checked.
        """


class Challenge(Value):
    """Send these octets to the client and step with its response. May be empty."""

    __slots__ = __match_args__ = ("octets",)
    octets: bytes

    def __init__(self, octets: bytes) -> None:
        fill(self, as_octets(octets))


class Credentials(Value):
    """An authentication identity and its password, in clear: PLAIN (RFC 4616), LOGIN.

    `authorization_id` is whom the client asks to act as; None when it leaves that to the server,
    which then derives it from `authentication_id`. Whether one may act as the other is the
    server's to decide, besides the password.

    The strings are as the client sent them. RFC 4616 section 2 recommends to prepare them
    (SASLprep) before they are compared; which preparation, the stored passwords decide.
    """

    __slots__ = __match_args__ = ("authorization_id", "authentication_id", "password")
    _secret = frozenset({"password"})
    authorization_id: str | None
    authentication_id: str
    password: str

    def __init__(self, authorization_id: str | None, authentication_id: str, password: str) -> None:
        fill(
            self,
            optional_text("authorization_id", authorization_id),
            as_text("authentication_id", authentication_id),
            as_text("password", password),
        )

    def verify(self, password: str | None) -> bool:
        """Whether the client's password is `password`, octet for octet, compared in constant time.

        For an unknown user pass None: `verify` compares in the same time and returns False. It
        serves passwords that are kept in clear; verify a hashed one with the library of its hash.
        Raises `LocalProtocolError` if `password` is neither a str nor None.
        """
        return same(self.password, optional_text("password", password) or "") and (
            password is not None
        )


class Proof(Value):
    """A digest that only someone who knows the secret can have made: CRAM-MD5 (RFC 2195).

    Find the secret of `authentication_id` and call `verify`, for an unknown identity with None:
    the time does not tell that it is unknown.
    """

    __slots__ = __match_args__ = ("authentication_id", "challenge", "digest")
    # With the challenge, the digest is what a dictionary attack on the secret needs.
    _secret = frozenset({"digest"})
    authentication_id: str
    challenge: str
    digest: str

    def __init__(self, authentication_id: str, challenge: str, digest: str) -> None:
        fill(
            self,
            as_text("authentication_id", authentication_id),
            as_text("challenge", challenge),
            as_text("digest", digest),
        )

    def verify(self, secret: str | None) -> bool:
        """Whether the digest was made with `secret`, in constant time. Neither None, of who is
        not known, nor an empty one has made any. Raises LocalProtocolError for one that
        `cram_md5_digest` does not take."""
        expected = cram_md5_digest(self.challenge, secret or "?")
        return same(self.digest, expected) and bool(secret)


class Token(Value):
    """An OAuth 2.0 bearer token: OAUTHBEARER (RFC 7628), XOAUTH2.

    Whose token it is, the authorization server knows; `authorization_id` is only whom the client
    asks to act as. Where the client names the `host` and `port` that it connected to, they must
    be the server's own (RFC 7628 section 3.2).
    """

    __slots__ = __match_args__ = ("authorization_id", "token", "host", "port")
    _secret = frozenset({"token"})
    authorization_id: str | None
    token: str
    host: str | None
    port: int | None

    def __init__(
        self,
        authorization_id: str | None,
        token: str,
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        fill(
            self,
            optional_text("authorization_id", authorization_id),
            as_text("token", token),
            optional_text("host", host),
            port,
        )


class Identity(Value):
    """Whom the client asks to act as, on credentials from elsewhere: EXTERNAL (RFC 4422 A).

    Nothing is proved by it: compare it with what TLS (or IPsec, ...) says about the client. None
    asks for the identity that those credentials stand for.
    """

    __slots__ = __match_args__ = ("authorization_id",)
    authorization_id: str | None

    def __init__(self, authorization_id: str | None) -> None:
        fill(self, optional_text("authorization_id", authorization_id))


class Trace(Value):
    """What an anonymous client says about itself, for the log only: ANONYMOUS (RFC 4505).

    An e-mail address, some token, or ``""``. It proves nothing and must not become an identity:
    a class of its own, so that no pattern for `Identity` lets it in.
    """

    __slots__ = __match_args__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        fill(self, as_text("text", text))


class Lookup(Value):
    """Find the stored keys of `authentication_id` and give them to `ScramServer.supply`: SCRAM.

    For an unknown user give the keys that `ScramKeys.decoy` makes, so that the client cannot tell.

    `authorization_id` is the identity that the client asks to act as (RFC 5802 section 5.1); None
    when it leaves that to the server. Another user's identity succeeds only if the server permits
    it by ``supply(keys, identity)``. SASLprep has been applied to both names.
    """

    __slots__ = __match_args__ = ("authorization_id", "authentication_id")
    authorization_id: str | None
    authentication_id: str

    def __init__(self, authorization_id: str | None, authentication_id: str) -> None:
        fill(
            self,
            optional_text("authorization_id", authorization_id),
            as_text("authentication_id", authentication_id),
        )


class Success(Value):
    """The client is authenticated, as `identity`."""

    __slots__ = __match_args__ = ("identity",)
    identity: str

    def __init__(self, identity: str) -> None:
        fill(self, as_text("identity", identity))


class Failure(Value):
    """The client is not authenticated. `reason` is for the log, and holds nothing secret.

    What the client may be told is one and the same text for every reason: the difference between
    an unknown user and a wrong password is worth something to an attacker.
    """

    __slots__ = __match_args__ = ("reason",)
    reason: str

    def __init__(self, reason: str) -> None:
        fill(self, as_text("reason", reason))


Step: TypeAlias = (
    Challenge | Lookup | Credentials | Proof | Token | Identity | Trace | Success | Failure
)
