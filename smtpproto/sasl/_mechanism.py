"""The contract of a SASL mechanism on either side (RFC 4422), and the values of a server's steps.

Mechanisms take and return octets: base64, the verbs and the cancelling ``*`` belong to the
connection. A mechanism calls nothing back. The caller steps it, and may wait for a database
between two steps.

A client's mechanism is asked for responses until the server has decided. A server's mechanism is
given responses, and the value of each step is the server's next task:

- `Challenge`: send it, and step again with the client's response;
- `Lookup`: find the keys of the user it names and supply them (SCRAM only);
- `Credentials`, `Proof`, `Token`, `Identity`, `Trace`: check that, then ``accept(identity)`` or
  ``reject()``;
- `Success`, `Failure`: the outcome. The exchange is over.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from smtpproto._value import Value, fill
from smtpproto._value import octets as as_octets
from smtpproto.sasl._digests import cram_md5_digest
from smtpproto.sasl._strings import as_text, optional_text, same

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
    """The members of a mechanism that a client connection uses. Any object with them serves.

    One object is for one authentication exchange.
    """

    @property
    def name(self) -> str:
        """The registered name, as the server advertises it: ``"SCRAM-SHA-256"``."""

    @property
    def complete(self) -> bool:
        """Whether the mechanism itself is satisfied, so that the server's success counts.

        If the server reports success before, it has skipped a step, such as SCRAM's proof that it
        knows the password.
        """

    def respond(self, challenge: bytes | None) -> bytes | None:
        """The response to `challenge`, or None to give up: then cancel the exchange.

        ``respond(None)``, as the first call or not at all, returns the initial response, or None
        from a mechanism without initial response (RFC 4422 section 3.3). An initial response may be
        empty: ``b""`` is not None.

        Nothing that a server sends makes this raise.
        """


class ServerMechanism(Protocol):
    """The members of a mechanism that a server uses. Any object with them serves.

    One object is for one authentication exchange. Nothing that a client sends makes it raise: a
    malformed response gives a `Failure`.
    """

    @property
    def name(self) -> str:
        """The registered name, as the server advertises it: ``"PLAIN"``."""

    def step(self, response: bytes | None) -> Step:
        """Take the client's response; None when it sent no initial response.

        Raises `OutOfOrderError` when the last step was not a `Challenge`, and when the exchange
        is over.
        """

    def accept(self, identity: str) -> Success:
        """End the exchange after a good check: the client is authenticated as `identity`.

        Raises `OutOfOrderError` when the last step was not one to check.
        """

    def reject(self, reason: str = ...) -> Challenge | Failure:
        """End the exchange after a check that failed. `reason` is for the log, not for the client.

        OAUTHBEARER and XOAUTH2 send the client a reason of their own first: then this is a
        `Challenge`, and `Failure` follows the client's response (RFC 7628 section 3.2.2). Raises
        `OutOfOrderError` when the last step was not one to check.
        """


class Challenge(Value):
    """Send these octets to the client and step with its response. May be empty."""

    __slots__ = __match_args__ = ("octets",)
    octets: bytes

    def __init__(self, octets: bytes) -> None:
        fill(self, as_octets(octets))


class Credentials(Value):
    """An authentication identity and its password, in clear: PLAIN (RFC 4616), LOGIN.

    `authorization_id` is the identity that the client asks to act as; None when it leaves that to
    the server, which then derives it from `authentication_id`. The server checks the password, and
    decides whether this user may act as that identity.

    The strings are as the client sent them. RFC 4616 section 2 recommends to prepare them with
    SASLprep before they are compared; prepare them as the stored passwords were prepared.
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
        Raises `InvalidValueError` if `password` is neither a str nor None.
        """
        return same(self.password, optional_text("password", password) or "") and (
            password is not None
        )


class Proof(Value):
    """A digest that proves knowledge of a secret: CRAM-MD5 (RFC 2195).

    Find the secret of `authentication_id` and pass it to `verify`, or None for an unknown user.
    """

    __slots__ = __match_args__ = ("authentication_id", "challenge", "digest")
    # The digest and the challenge together allow a dictionary attack on the secret.
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
        """Whether the digest was made with `secret`, compared in constant time.

        For an unknown user pass None: `verify` compares in the same time and returns False; so
        does "". Raises `InvalidValueError` as `cram_md5_digest` does.
        """
        expected = cram_md5_digest(self.challenge, secret or "?")
        return same(self.digest, expected) and bool(secret)


class Token(Value):
    """An OAuth 2.0 bearer token: OAUTHBEARER (RFC 7628), XOAUTH2.

    The authorization server knows whose token it is; `authorization_id` is only the identity that
    the client asks to act as. If the client names the `host` and `port` that it connected to, they
    must be the server's own (RFC 7628 section 3.2).
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
    """The identity that the client asks to act as: EXTERNAL (RFC 4422 appendix A).

    It proves nothing: compare it with credentials established by other means, such as the client's
    TLS certificate. None asks for the identity that those credentials stand for.
    """

    __slots__ = __match_args__ = ("authorization_id",)
    authorization_id: str | None

    def __init__(self, authorization_id: str | None) -> None:
        fill(self, optional_text("authorization_id", authorization_id))


class Trace(Value):
    """The trace that an anonymous client sends, for the log only: ANONYMOUS (RFC 4505).

    It is an e-mail address, a token, or ``""``. It proves nothing and must not become an identity,
    and is therefore not an `Identity`: no pattern for that class matches it.
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
    """The client is not authenticated. `reason` is for the log, and holds no secret.

    Send the client the same reply for every reason: an attacker must not learn whether the user is
    unknown or the password wrong.
    """

    __slots__ = __match_args__ = ("reason",)
    reason: str

    def __init__(self, reason: str) -> None:
        fill(self, as_text("reason", reason))


Step: TypeAlias = (
    Challenge | Lookup | Credentials | Proof | Token | Identity | Trace | Success | Failure
)
