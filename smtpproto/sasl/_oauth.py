"""OAuth 2.0 bearer tokens: OAUTHBEARER (RFC 7628), and XOAUTH2, Google's before it.

XOAUTH2 is described at https://developers.google.com/workspace/gmail/imap/xoauth2-protocol. Both
carry pairs of key and value, each ended by ``%x01``. When a server refuses a token, it sends the
reason as JSON in one more challenge, and the exchange fails after the client's acknowledgement.
Getting a token is outside of SASL. Use both over TLS only.
"""

from __future__ import annotations

from smtpproto._value import is_number
from smtpproto.errors import InvalidValueError, RemoteProtocolError
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Challenge, Failure, Step, Token
from smtpproto.sasl._strings import (
    as_text,
    decode,
    encode,
    escape_saslname,
    optional_text,
    unescape_saslname,
)

__all__ = ["OAuthBearerClient", "OAuthBearerServer", "XOAuth2Client", "XOAuth2Server"]


class _OAuthClient(ClientExchange):
    """The base of the clients: they send one message, and acknowledge a refusal."""

    _acknowledgement: bytes

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self._message = message
        self.refusal: bytes | None = None
        """The reason of a refusal, in JSON, as it came (RFC 7628 section 3.2.2); None before."""

    def _initial_response(self) -> bytes:
        self.complete = True
        return self._message

    def _answer(self, challenge: bytes) -> bytes | None:
        if self.refusal is not None:
            return None
        self.complete = False
        self.refusal = challenge
        return self._acknowledgement


class OAuthBearerClient(_OAuthClient):
    """OAUTHBEARER for a client (RFC 7628).

    `authorization_id` is the user whose mail to act on; None leaves it to the token. The client has
    connected to `host` and `port`. When the server refuses the token, `refusal` has its reason,
    which may name the scope to ask for. Raises `InvalidValueError` for strings that the message
    cannot carry, and for a port that is not from 1 to 65535.
    """

    name = "OAUTHBEARER"
    # Section 3.2.3: one kvsep.
    _acknowledgement = b"\x01"

    def __init__(
        self,
        authorization_id: str | None,
        token: str,
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        pairs = [b"n,,"]
        if authorization_id is not None:
            escaped = escape_saslname(as_text("authorization_id", authorization_id))
            pairs = [b"n,a=%b," % _value("authorization_id", escaped)]
        if host is not None:
            pairs.append(b"host=%b" % _visible("host", host))
        if port is not None:
            if not is_number(port, 1, 65535):
                raise InvalidValueError(f"the port must be from 1 to 65535, not {port!r}")
            pairs.append(b"port=%d" % port)
        pairs.append(b"auth=Bearer %b" % _visible("token", token))
        super().__init__(b"\x01".join([*pairs, b"", b""]))


class XOAuth2Client(_OAuthClient):
    """XOAUTH2 for a client, for servers without OAUTHBEARER.

    `authorization_id` is the account. When the server refuses the token, `refusal` has its
    reason. Raises `InvalidValueError` for strings that the message cannot carry.
    """

    name = "XOAUTH2"
    _acknowledgement = b""

    def __init__(self, authorization_id: str, token: str) -> None:
        user = _value("authorization_id", authorization_id)
        super().__init__(
            b"user=%b\x01auth=Bearer %b\x01\x01" % (user, _visible("token", token)),
        )


class _OAuthServer(ServerExchange):
    """The base of the servers: they give a token to check, and send a refusal in JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._refused: str | None = None

    def _parse(self, text: str) -> tuple[str | None, dict[str, str]]:
        """The authorization identity, and the pairs of a message."""
        raise NotImplementedError

    def _refusal(self) -> dict[str, str]:
        """The JSON object of a refusal."""
        raise NotImplementedError

    def reject(self, reason: str = "not authenticated") -> Challenge:
        """The token is wrong: send the Challenge, a refusal in JSON; `Failure` is the next step.

        `reason` is for the log. Raises `InvalidValueError` when there is no token to check.
        """
        self._check_is_due()
        return self._refuse(reason, self._refusal())

    def _receive(self, response: bytes) -> Step:
        if self._refused is not None:
            # The client's acknowledgement, whatever it contains.
            return Failure(self._refused)
        authorization_id, pairs = self._parse(decode("message", response))
        if "auth" not in pairs:
            raise RemoteProtocolError("the message holds no auth=")
        # The scheme is read in any case (RFC 7628 section 4).
        scheme, _, token = pairs["auth"].partition(" ")
        if scheme.lower() != "bearer" or not token:
            # How a client asks which scope it needs (section 4.3): there is nothing to check.
            return self._refuse(f"{self.name}: there is no bearer token", self._refusal())
        host = pairs.get("host")
        if not _is_visible(token) or not (host is None or _is_visible(host)):
            raise RemoteProtocolError("the token or the host is not of visible ASCII characters")
        return Token(authorization_id, token, host, _port(pairs.get("port")))

    def _refuse(self, reason: str, refusal: dict[str, str]) -> Challenge:
        # Imported here for those who never refuse a token: it costs more than this module does.
        import json

        self._refused = as_text("reason", reason)
        challenge = Challenge(json.dumps(refusal, separators=(",", ":")).encode())
        self._last = challenge
        return challenge


class OAuthBearerServer(_OAuthServer):
    """OAUTHBEARER for a server: gives a `Token` (RFC 7628).

    `scope` and `openid_configuration` (an https URL) are sent to a client whose token is refused
    (section 3.2.2).
    """

    name = "OAUTHBEARER"

    def __init__(
        self, *, scope: str | None = None, openid_configuration: str | None = None
    ) -> None:
        super().__init__()
        self._scope = optional_text("scope", scope)
        self._openid_configuration = optional_text("openid_configuration", openid_configuration)

    def reject(
        self, reason: str = "not authenticated", *, status: str = "invalid_token"
    ) -> Challenge:
        """The token is wrong: send the Challenge, a refusal in JSON; `Failure` is the next step.

        `reason` is for the log. `status` is sent to the client, and is one of the OAuth Extensions
        Error Registry: ``invalid_token``, ``insufficient_scope``, ... Raises
        `InvalidValueError` when there is no token to check.
        """
        self._check_is_due()
        return self._refuse(reason, {**self._refusal(), "status": as_text("status", status)})

    def _parse(self, text: str) -> tuple[str | None, dict[str, str]]:
        # client-resp = gs2-header kvsep *kvpair kvsep
        header, _, rest = text.partition("\x01")
        flag, *authzid = header.split(",")
        # Not "p=": a bearer token is bound to no channel.
        if flag not in ("n", "y") or len(authzid) != 2 or authzid[1]:
            raise RemoteProtocolError("the message does not begin with a GS2 header (n,,)")
        return _saslname(authzid[0]), _pairs(rest, ("auth", "host", "port"))

    def _refusal(self) -> dict[str, str]:
        refusal = {"status": "invalid_token"}
        if self._scope is not None:
            refusal["scope"] = self._scope
        if self._openid_configuration is not None:
            refusal["openid-configuration"] = self._openid_configuration
        return refusal


class XOAuth2Server(_OAuthServer):
    """XOAUTH2 for a server: gives a `Token`, without host and port.

    `scope` is sent to a client whose token is refused.
    """

    name = "XOAUTH2"

    def __init__(self, *, scope: str | None = None) -> None:
        super().__init__()
        self._scope = optional_text("scope", scope)

    def _parse(self, text: str) -> tuple[str | None, dict[str, str]]:
        pairs = _pairs(text, ("user", "auth"))
        if not pairs.get("user"):
            raise RemoteProtocolError("the message holds no user=")
        return pairs["user"], pairs

    def _refusal(self) -> dict[str, str]:
        # As Google's servers have it: an HTTP status, where RFC 7628 has a word.
        refusal = {"status": "401", "schemes": "bearer"}
        if self._scope is not None:
            refusal["scope"] = self._scope
        return refusal


def _value(what: str, text: str) -> bytes:
    text = as_text(what, text)
    if "\x01" in text:
        raise InvalidValueError(f"the {what} must not hold %x01, which ends it")
    return encode(what, text)


def _visible(what: str, text: str) -> bytes:
    text = as_text(what, text)
    if not _is_visible(text):
        raise InvalidValueError(f"the {what} must be of visible ASCII characters")
    return text.encode()


def _is_visible(text: str) -> bool:
    """Whether a value is of VCHAR, as a host and a token (RFC 6750 section 2.1) are."""
    return bool(text) and all("!" <= char <= "~" for char in text)


def _saslname(authzid: str) -> str | None:
    """``[a=saslname]`` of a GS2 header, unescaped (RFC 5801 section 4)."""
    if not authzid:
        return None
    key, _, name = authzid.partition("=")
    # The example of RFC 7628 section 4.4 has user= there, and some clients may follow it.
    if key not in ("a", "user") or not name:
        raise RemoteProtocolError("the GS2 header holds something else than a=name")
    return unescape_saslname(name)


def _pairs(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """``*(key "=" value kvsep) kvsep``. Unknown keys are ignored (RFC 7628 section 3.1)."""
    if text != "\x01" and not text.endswith("\x01\x01"):
        raise RemoteProtocolError("the message does not end in %x01 %x01")
    pairs: dict[str, str] = {}
    for pair in text[:-1].split("\x01")[:-1]:
        key, equals, value = pair.partition("=")
        if not (equals and key.isascii() and key.isalpha()):
            raise RemoteProtocolError("the message holds something else than key=value")
        if key in pairs:
            # Whichever counted, something in between could have looked at the other.
            raise RemoteProtocolError(f"the message holds {key}= twice")
        if key in known:
            pairs[key] = value
    return pairs


def _port(text: str | None) -> int | None:
    """A positive decimal number without leading zeros (RFC 7628 section 3.1)."""
    if text is None:
        return None
    # The length first: an int of thousands of digits is slow to make, and then an error.
    if len(text) <= 5 and text.isascii() and text.isdigit() and text[0] != "0":
        port = int(text)
        if port < 65536:
            return port
    raise RemoteProtocolError("the port is not a number from 1 to 65535")
