"""SCRAM: both sides prove that they know the password, and neither sends it (RFC 5802, 7677).

Theory of operation
-------------------

The exchange has four messages of comma-separated attributes, and in SMTP and POP3 a fifth, empty
one, because neither protocol can send the last message with its success reply::

    client-first    n,a=admin,n=user,r=CNONCE               GS2 header, name, client's nonce
    server-first    r=CNONCESNONCE,s=SALT,i=4096            salt and iteration count of the user
    client-final    c=bixhPWFkbWluLA==,r=CNONCESNONCE,p=PROOF
    server-final    v=SIGNATURE
    client          (empty)

The password becomes a salted password by PBKDF2, the only slow step, and that becomes two keys:
ClientKey and ServerKey (section 3). A server stores StoredKey, which is the hash of ClientKey, and
ServerKey. The proof and the signature are made with these keys over the AuthMessage, which is the
first three messages without the GS2 header and the proof. The header has its own protection: ``c=``
repeats it in base64, followed by the channel binding data.

Each side checks the whole of a message before it computes anything: the client, above all, never
starts PBKDF2 with an iteration count out of bounds. Nothing that a peer sends raises an error in
the caller: the functions below raise RemoteProtocolError, which the client's `respond` turns into
None and the server's `step` into Failure.

Channel binding
---------------

The -PLUS mechanisms prove, in addition, that both ends see the same TLS connection. The data for
that come from the caller's TLS, as a pair of the binding type and its octets:

- ``("tls-exporter", octets)`` for TLS 1.3, and for TLS 1.2 with the extended master secret: 32
  octets exported with the label ``EXPORTER-Channel-Binding`` and an empty context (RFC 9266).
- ``("tls-unique", ssl_object.get_channel_binding("tls-unique"))`` up to TLS 1.2, on connections
  with the extended master secret or without session resumption (RFC 7677 section 4). It is not
  defined for TLS 1.3 (RFC 9266), although Python's ssl returns octets there too. Nothing here
  knows the version of TLS; the caller does.
- ``("tls-server-end-point", octets)``: the hash of the server's certificate (RFC 5929 section 4).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TypeAlias

from smtpproto._value import Value, fill, is_number
from smtpproto._wire import base64
from smtpproto.errors import (
    InvalidValueError,
    OutOfOrderError,
    ProtocolError,
    RemoteProtocolError,
)
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Challenge, Failure, Lookup, Step, Success
from smtpproto.sasl._strings import (
    as_text,
    decode,
    encode,
    escape_saslname,
    same,
    saslprep,
    unescape_saslname,
)

__all__ = ["SCRAM_MECHANISMS", "ChannelBinding", "ScramClient", "ScramKeys", "ScramServer"]

SCRAM_MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1")
"""The names that `ScramClient` and `ScramServer` take, the best first."""

ChannelBinding: TypeAlias = tuple[str, bytes]
"""The type of a channel binding, and its data (RFC 5056, 5929, 9266): ``("tls-exporter", octets)``
for TLS 1.3, for which "tls-unique" is not defined."""

MIN_ITERATIONS = 4096
"""RFC 5802 section 5.1, RFC 7677 section 4. A server that only pretends to know the password could
ask for fewer, and attack the client's proof at little cost."""

MAX_ITERATIONS = 1_000_000
"""About half a second. "A hostile server can perform a computational denial-of-service attack on
clients by sending a big iteration count value" (RFC 5802 section 9)."""

DEFAULT_ITERATIONS = 100_000

# PBKDF2 in OpenSSL takes no more.
_MOST_ITERATIONS = 2**31 - 1

# A line of an SMTP AUTH exchange has at most 12288 octets (RFC 4954 section 4), which is 9216 in
# base64. These bounds keep every message below that: "," and "=" in a name become three octets
# each, and c= contains the GS2 header, authorization identity included, in base64.
_MAX_MESSAGE = 9216
_MAX_NAME = 1024
_MAX_NONCE = 256  # of each side
_MAX_SALT = 1024
_MAX_BINDING_TYPE = 64
_MAX_BINDING_DATA = 1024

_MIN_SALT = 12  # that of the example in RFC 5802 section 5; some clients refuse fewer

# The attributes that RFC 5802 section 5.1 defines; the others are extensions.
_ATTRIBUTES = "anmrcsipve"


class ScramKeys(Value):
    """The authentication information that a server stores for a user (RFC 5802 section 3).

    `salt`, `stored_key` and `server_key` are octets (bytes, bytearray or memoryview), `iterations`
    is the iteration count. The keys do not let a thief log in, but he can try passwords against
    them, and pretend to be the server. They belong to one hash function: SCRAM-SHA-256 and
    SCRAM-SHA-256-PLUS share them, SCRAM-SHA-1 needs its own.

    Raises `InvalidValueError` for a salt that is not of 12 to 1024 octets, for keys of different
    lengths, and for an iteration count that is not from `min_iterations` to `max_iterations`.
    Clients may refuse a count beyond the default bounds, which are those of `ScramClient` too.
    """

    __slots__ = __match_args__ = ("salt", "stored_key", "server_key", "iterations")
    _secret = frozenset({"salt", "stored_key", "server_key"})
    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int

    def __init__(
        self,
        salt: bytes | bytearray | memoryview,
        stored_key: bytes | bytearray | memoryview,
        server_key: bytes | bytearray | memoryview,
        iterations: int,
        *,
        min_iterations: int = MIN_ITERATIONS,
        max_iterations: int = MAX_ITERATIONS,
    ) -> None:
        salt = _check_salt(salt)
        stored_key = _octets("stored_key", stored_key)
        server_key = _octets("server_key", server_key)
        if len(stored_key) != len(server_key):
            raise InvalidValueError("the keys must be of the same length, that of the hash")
        _check_iterations(iterations, min_iterations, max_iterations)
        fill(self, salt, stored_key, server_key, iterations)

    @classmethod
    def derive(
        cls,
        mechanism: str,
        password: str,
        *,
        salt: bytes | bytearray | memoryview | None = None,
        iterations: int = DEFAULT_ITERATIONS,
        min_iterations: int = MIN_ITERATIONS,
        max_iterations: int = MAX_ITERATIONS,
    ) -> ScramKeys:
        """The keys of a password, to be stored. The salt is 16 random octets unless given.

        This runs PBKDF2 with `iterations` rounds, which takes about 50 ms for the default. SASLprep
        is applied to the password, as to a stored string: code points that are unassigned in
        Unicode 3.2, most emoji among them, are prohibited (RFC 5802 section 2.2).

        Raises `InvalidValueError` for a mechanism that is not in `SCRAM_MECHANISMS`, for a
        password that is empty or that SASLprep prohibits or makes empty, for a salt of fewer than
        12 or more than 1024 octets, and for an iteration count out of bounds.
        """
        hash_name = _hash(_mechanism(mechanism))
        prepared = _password(password)
        salt = os.urandom(16) if salt is None else _check_salt(salt)
        _check_iterations(iterations, min_iterations, max_iterations)
        _, stored_key, server_key = _derive(hash_name, prepared, salt, iterations)
        return cls(
            salt,
            stored_key,
            server_key,
            iterations,
            min_iterations=min_iterations,
            max_iterations=max_iterations,
        )

    @classmethod
    def decoy(
        cls,
        mechanism: str,
        username: str,
        key: bytes | bytearray | memoryview,
        *,
        iterations: int = DEFAULT_ITERATIONS,
        salt_size: int = 16,
        min_iterations: int = MIN_ITERATIONS,
        max_iterations: int = MAX_ITERATIONS,
    ) -> ScramKeys:
        """Keys for a user that does not exist; every password fails against them.

        The exchange goes on, and fails at the same message and after the same work as for a wrong
        password, so that a client does not learn which users exist. The same `username` and `key`
        give the same salt each time, as a stored user's keys would, and another salt for another
        hash function.

        `key` is a secret of the server, best 32 random octets, and kept as long as the stored
        keys, because a changed salt would give a decoy away. `iterations` and `salt_size` (octets,
        from 12 to 64) are those of your users. If your look-up ignores case, pass `username` in
        the form that it compares: otherwise "Bob" and "bob" have one salt if the user exists, and
        two if he does not.

        Raises `InvalidValueError` for a mechanism that is not in `SCRAM_MECHANISMS`, an empty
        name, an empty key, and numbers out of bounds.
        """
        hash_name = _hash(_mechanism(mechanism))
        name = encode("username", username)
        key = _octets("key", key)
        if not key:
            raise InvalidValueError("the key must not be empty")
        if not is_number(salt_size, _MIN_SALT, 64):
            raise InvalidValueError(f"salt_size is from {_MIN_SALT} to 64, not {salt_size!r}")

        def derived(purpose: str, digest: str) -> bytes:
            # The hash function is part of the input: a user's salts for SHA-1 and for SHA-256 are
            # independent, and equal ones would give a decoy away.
            return hmac.digest(key, f"{hash_name} {purpose}:".encode() + name, digest)

        return cls(
            derived("salt", "sha512")[:salt_size],
            derived("stored key", hash_name),
            derived("server key", hash_name),
            iterations,
            min_iterations=min_iterations,
            max_iterations=max_iterations,
        )


class ScramClient(ClientExchange):
    """SCRAM for a client: `complete` only after the server has proved that it knows the password.

    `mechanism` is one of `SCRAM_MECHANISMS`. `authorization_id` is the identity to act as, if that
    is not `authentication_id` (RFC 5802 section 5.1).

    A -PLUS mechanism needs `channel_binding`. Give it to the others too whenever the TLS connection
    has one and the server did not offer the -PLUS mechanism: the client then says so (flag ``y``),
    and a server that did offer it refuses, because somebody between the two has removed the offer
    (RFC 5802 section 6).

    `respond` runs PBKDF2 with as many rounds as the server asks for, if that is from
    `min_iterations` to `max_iterations`; otherwise it gives up. It returns after about half a
    second for 1,000,000. `nonce` is for tests.

    SASLprep is applied to the names as to query strings, which may hold code points that are
    unassigned in Unicode 3.2, and to the password as to a stored string, which may not (RFC 5802
    sections 5.1 and 2.2).

    Raises `InvalidValueError` for an unknown mechanism, for names and a password that are empty or
    that SASLprep prohibits or makes empty, for a name of more than 1024 octets, for a channel
    binding that is missing or malformed, and for numbers out of bounds.
    """

    refusal: bytes | None
    """The server's error, such as ``b"invalid-proof"``, as it came in the attribute ``e=`` (RFC
    5802 section 7); None if it sent none. For the log: nothing proves that the server sent it."""

    def __init__(
        self,
        mechanism: str,
        authentication_id: str,
        password: str,
        channel_binding: ChannelBinding | None = None,
        *,
        authorization_id: str | None = None,
        min_iterations: int = MIN_ITERATIONS,
        max_iterations: int = MAX_ITERATIONS,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        self.name = _mechanism(mechanism)
        self.refusal = None
        self._hash = _hash(self.name)
        binding = _check_binding(self.name, channel_binding)
        user = _own_name("authentication_id", authentication_id)
        identity = ""
        if authorization_id is not None:
            identity = f"a={escape_saslname(_own_name('authorization_id', authorization_id))}"
        self._password = _password(password)
        _check_bounds(min_iterations, max_iterations)
        self._iterations = (min_iterations, max_iterations)
        self._nonce = _own_nonce(nonce)
        self._header = f"{_flag(self.name, binding)},{identity},"
        self._channel = _channel(self._header, binding)
        self._first_bare = f"n={escape_saslname(user)},r={self._nonce}"
        self._signature: str | None = None  # the server's, once the proof has been sent

    def _initial_response(self) -> bytes:
        return f"{self._header}{self._first_bare}".encode()

    def _answer(self, challenge: bytes) -> bytes | None:
        if self.complete:
            return None
        message = _decode(challenge)
        if message.startswith("e="):
            self.refusal = message[2:].partition(",")[0].encode()
            return None
        if self._signature is None:
            return self._prove(message)
        if not same(_parse(message, "v")["v"], self._signature):
            return None
        self.complete = True
        # The server's last message came as a challenge; it wants an empty response before it
        # sends its success reply (RFC 4954 section 4, RFC 5034 section 4).
        return b""

    def _prove(self, server_first: str) -> bytes:
        """The client-final-message."""
        attributes = _parse(server_first, "rsi")
        nonce = attributes["r"]
        # Another nonce than ours would let the server replay an exchange.
        if not (nonce.startswith(self._nonce) and _is_nonce(nonce[len(self._nonce) :])):
            raise RemoteProtocolError("the server's nonce does not extend the client's")
        salt = _decode_base64("salt", attributes["s"])
        iterations = _read_iterations(attributes["i"], *self._iterations)
        # All of the message is checked: only now is it worth the time that the next line takes.
        client_key, stored_key, server_key = _derive(self._hash, self._password, salt, iterations)
        without_proof = f"c={self._channel},r={nonce}"
        signed = f"{self._first_bare},{server_first},{without_proof}".encode()
        proof = _xor(client_key, hmac.digest(stored_key, signed, self._hash))
        self._signature = _encode_base64(hmac.digest(server_key, signed, self._hash))
        return f"{without_proof},p={_encode_base64(proof)}".encode()


class ScramServer(ServerExchange):
    """SCRAM for a server: gives a `Lookup` and, after `supply(keys)`, checks the client's proof.

    `mechanism` is one of `SCRAM_MECHANISMS`. A -PLUS mechanism needs `channel_binding`. For the
    others set `plus_offered` if the server offers the -PLUS mechanism too: then a client that could
    have used it but did not see it (flag ``y``) is refused (RFC 5802 section 6). A
    `channel_binding` given to them means the same. `nonce` is for tests.

    The server-final-message, which proves the server to the client, goes out as a `Challenge`, and
    `Success` follows the client's empty response to it, because neither SMTP nor POP3 can send it
    with the success reply. `Success` names the identity given to `supply`.

    Raises `InvalidValueError` for an unknown mechanism and for a channel binding that is missing
    or malformed.
    """

    def __init__(
        self,
        mechanism: str,
        channel_binding: ChannelBinding | None = None,
        *,
        plus_offered: bool = False,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        self.name = _mechanism(mechanism)
        self._hash = _hash(self.name)
        self._binding = _check_binding(self.name, channel_binding)
        self._plus_offered = plus_offered or channel_binding is not None
        self._own_nonce = _own_nonce(nonce)
        self._first_bare = ""
        self._nonce = ""
        self._channel = ""
        self._lookup: Lookup | None = None
        self._keys: ScramKeys | None = None
        self._server_first = ""
        self._identity: str | None = None  # None: the client asked for one that it may not have
        self._proved = False

    def supply(self, keys: ScramKeys, identity: str | None = None) -> Challenge:
        """Go on with the stored keys of the user that `Lookup` named: send the Challenge.

        For an unknown user, `ScramKeys.decoy` makes keys that hide it; or call `reject()`.

        `identity` is the identity that `Success` will name if the proof is right. None stands for
        the `authentication_id` of `Lookup`, and then a client that asked to act as somebody else
        fails after the proof, and gets the same messages as for a wrong password. If the user may
        act as the `authorization_id`, pass the `authorization_id` as `identity`.

        Raises `OutOfOrderError` when no `Lookup` is open, `InvalidValueError` for the keys of
        another hash function and for an empty `identity`.
        """
        lookup = self._last
        if not isinstance(lookup, Lookup):
            raise OutOfOrderError(self._expected())
        if not isinstance(keys, ScramKeys):
            raise TypeError(f"the keys are ScramKeys, not {type(keys).__name__}")
        size = hashlib.new(self._hash).digest_size
        if len(keys.stored_key) != size:
            raise InvalidValueError(f"{self.name}: the keys must be of {size} octets")
        if identity is not None:
            self._identity = encode("identity", identity).decode()
        elif lookup.authorization_id in (None, lookup.authentication_id):
            self._identity = lookup.authentication_id
        self._lookup = lookup
        self._keys = keys
        salt = _encode_base64(keys.salt)
        self._server_first = f"r={self._nonce},s={salt},i={keys.iterations}"
        challenge = Challenge(self._server_first.encode())
        self._last = challenge
        return challenge

    def accept(self, identity: str) -> Success:
        """Raises `OutOfOrderError`: a SCRAM exchange succeeds by the client's proof alone."""
        raise OutOfOrderError(self._expected())

    def reject(self, reason: str = "not authenticated") -> Failure:
        """End the exchange at `Lookup`. The client learns from it that there is no such user.

        Raises `OutOfOrderError` when no `Lookup` is open.
        """
        self._check_is_due()
        failure = Failure(reason)
        self._last = failure
        return failure

    def _expected(self) -> str:
        if isinstance(self._last, Lookup):
            return f"{self.name}: the user's keys come next: supply(keys) or reject()"
        return super()._expected()

    def _receive(self, response: bytes) -> Step:
        if self._proved:
            assert self._identity is not None
            if response:
                raise RemoteProtocolError("the response to the server-final-message is not empty")
            return Success(self._identity)
        message = _decode(response)
        if self._keys is None:
            return self._read_first(message)
        return self._check_proof(message, self._keys)

    def _read_first(self, message: str) -> Lookup:
        """Read the client-first-message."""
        parts = message.split(",", 2)
        if len(parts) != 3:
            raise RemoteProtocolError("the message does not begin with a GS2 header (n,,)")
        flag, identity, self._first_bare = parts
        self._check_flag(flag)
        authorization_id = None
        if identity:
            if not identity.startswith("a="):
                raise RemoteProtocolError("the GS2 header holds something else than a=name")
            authorization_id = _peer_name("authorization identity", identity[2:])
        attributes = _parse(self._first_bare, "nr")
        user = _peer_name("name", attributes["n"])
        if not _is_nonce(attributes["r"]):
            raise RemoteProtocolError("the nonce is not 1 to 256 printable characters without ,")
        self._nonce = attributes["r"] + self._own_nonce
        self._channel = _channel(f"{flag},{identity},", self._binding)
        return Lookup(authorization_id, user)

    def _check_flag(self, flag: str) -> None:
        """Check the gs2-cbind-flag (RFC 5802 section 6)."""
        if self.name.endswith("-PLUS"):
            if flag != _flag(self.name, self._binding):
                raise RemoteProtocolError("the client does not use the server's channel binding")
        elif flag == "y":
            if self._plus_offered:
                # The client believes that the server has no channel binding: somebody has removed
                # the -PLUS mechanism from the list that it saw.
                raise RemoteProtocolError(
                    f"the client did not see that {self.name}-PLUS is offered"
                )
        elif flag != "n":
            raise RemoteProtocolError("the message begins with another flag than n or y")

    def _check_proof(self, message: str, keys: ScramKeys) -> Challenge:
        """Check the client-final-message; the server-final-message is the answer."""
        attributes = _parse(message, "cr", last="p")
        if not same(attributes["c"], self._channel):
            raise RemoteProtocolError("c= is not the GS2 header as sent and the channel's binding")
        if attributes["r"] != self._nonce:
            raise RemoteProtocolError("the nonce is not the one that the server sent")
        proof = _decode_base64("proof", attributes["p"])
        without_proof = message.rpartition(",")[0]
        signed = f"{self._first_bare},{self._server_first},{without_proof}".encode()
        signature = hmac.digest(keys.stored_key, signed, self._hash)
        if len(proof) != len(signature):
            raise RemoteProtocolError(f"the proof is not of {len(signature)} octets")
        client_key = _xor(proof, signature)
        stored_key = hashlib.new(self._hash, client_key).digest()
        if not hmac.compare_digest(stored_key, keys.stored_key):
            raise RemoteProtocolError("the proof is wrong")
        if self._identity is None:
            # Only after the proof: a stranger must not learn who may act as whom.
            assert self._lookup is not None
            wanted, user = self._lookup.authorization_id, self._lookup.authentication_id
            raise RemoteProtocolError(f"{user!r} may not act as {wanted!r}")
        self._proved = True
        server_signature = hmac.digest(keys.server_key, signed, self._hash)
        return Challenge(f"v={_encode_base64(server_signature)}".encode())


# Arguments


def _mechanism(mechanism: str) -> str:
    """A mechanism's name, checked."""
    mechanism = as_text("mechanism", mechanism)
    if mechanism not in SCRAM_MECHANISMS:
        raise InvalidValueError(f"{mechanism!r} is not one of {', '.join(SCRAM_MECHANISMS)}")
    return mechanism


def _hash(mechanism: str) -> str:
    """hashlib's name of a mechanism's hash function."""
    return "sha1" if mechanism.startswith("SCRAM-SHA-1") else "sha256"


def _octets(what: str, octets: bytes | bytearray | memoryview) -> bytes:
    if not isinstance(octets, bytes | bytearray | memoryview):
        raise TypeError(f"the {what} is octets (bytes), not {type(octets).__name__}")
    return bytes(octets)


def _check_binding(mechanism: str, channel_binding: ChannelBinding | None) -> ChannelBinding | None:
    """The caller's channel binding, checked."""
    if channel_binding is None:
        if mechanism.endswith("-PLUS"):
            raise InvalidValueError(f"{mechanism} needs channel_binding")
        return None
    if not isinstance(channel_binding, tuple) or len(channel_binding) != 2:
        raise InvalidValueError("channel_binding is a tuple of a type and octets")
    kind = as_text("channel binding type", channel_binding[0])
    # cb-name of RFC 5802 section 7.
    if not (
        kind.isascii()
        and kind.replace("-", "").replace(".", "").isalnum()
        and len(kind) <= _MAX_BINDING_TYPE
    ):
        raise InvalidValueError(f"{kind[:100]!r} is not a type of channel binding")
    data = _octets("channel binding data", channel_binding[1])
    if not 0 < len(data) <= _MAX_BINDING_DATA:
        raise InvalidValueError(
            f"channel binding data have 1 to {_MAX_BINDING_DATA} octets, not {len(data)}"
        )
    return kind, data


def _password(password: str) -> bytes:
    text = encode("password", password).decode()
    return saslprep("password", text, InvalidValueError, stored=True).encode()


def _own_name(what: str, name: str) -> str:
    return _prepare_name(what, encode(what, name).decode(), InvalidValueError)


def _own_nonce(nonce: str | None) -> str:
    if nonce is None:
        return base64.encode(os.urandom(18)).decode()
    nonce = as_text("nonce", nonce)
    if not _is_nonce(nonce):
        raise InvalidValueError("a nonce is of 1 to 256 printable ASCII characters without comma")
    return nonce


def _check_salt(salt: bytes | bytearray | memoryview) -> bytes:
    salt = _octets("salt", salt)
    if not _MIN_SALT <= len(salt) <= _MAX_SALT:
        raise InvalidValueError(
            f"a salt has at least {_MIN_SALT} and at most {_MAX_SALT} octets, not {len(salt)}"
        )
    return salt


def _check_bounds(least: int, most: int) -> None:
    if not (is_number(least, 1, _MOST_ITERATIONS) and is_number(most, least, _MOST_ITERATIONS)):
        raise InvalidValueError(
            f"min_iterations and max_iterations are from 1 to {_MOST_ITERATIONS} and in this order,"
            f" not {least!r} and {most!r}"
        )


def _check_iterations(iterations: int, least: int, most: int) -> None:
    _check_bounds(least, most)
    if not is_number(iterations, least, most):
        raise InvalidValueError(f"iterations are from {least} to {most}, not {iterations!r}")


# Messages (RFC 5802 section 7)


def _decode(octets: bytes) -> str:
    if len(octets) > _MAX_MESSAGE:
        raise RemoteProtocolError(f"the message is longer than {_MAX_MESSAGE} octets")
    return decode("message", octets)


def _parse(message: str, order: str, *, last: str = "") -> dict[str, str]:
    """The attributes of a message by their letters.

    The message begins with the attributes of `order`, and ends with `last`. Between them extensions
    may stand, whose letters are not defined in RFC 5802; these are ignored.
    """
    attributes: dict[str, str] = {}
    for attribute in message.split(","):
        letter, equals, value = attribute[:1], attribute[1:2], attribute[2:]
        if not (letter.isascii() and letter.isalpha() and equals == "=" and value):
            raise RemoteProtocolError("the message holds something else than attributes (x=value)")
        if letter == "m":
            # "Its presence MUST cause authentication failure" (section 5.1).
            raise RemoteProtocolError("the message holds a mandatory extension (m=)")
        if letter in attributes:
            # Another program in between may have acted on the other one.
            raise RemoteProtocolError(f"the message holds {letter}= twice")
        attributes[letter] = value
    letters = "".join(attributes)
    extensions = letters[len(order) : len(letters) - len(last)]
    if not (letters.startswith(order) and letters.endswith(last)) or any(
        letter in _ATTRIBUTES for letter in extensions
    ):
        wanted = ", ".join(f"{letter}=" for letter in order + last)
        raise RemoteProtocolError(f"the attributes of the message are not {wanted} in this order")
    return attributes


def _peer_name(what: str, name: str) -> str:
    return _prepare_name(what, unescape_saslname(name), RemoteProtocolError)


def _prepare_name(what: str, name: str, error: type[ProtocolError]) -> str:
    name = saslprep(what, name, error)
    # Measured afterwards, because SASLprep may make a name many times as long.
    if len(name.encode()) > _MAX_NAME:
        raise error(f"the {what} is longer than {_MAX_NAME} octets")
    return name


def _is_nonce(text: str) -> bool:
    """Whether `text` is one side's part of a nonce: printable ASCII without comma."""
    return 0 < len(text) <= _MAX_NONCE and all("!" <= char <= "~" and char != "," for char in text)


def _read_iterations(text: str, least: int, most: int) -> int:
    # The length first: an int of thousands of digits takes time to read, and then is an error.
    if len(text) <= 10 and text.isascii() and text.isdigit() and text[0] != "0":
        iterations = int(text)
        if least <= iterations <= most:
            return iterations
    raise RemoteProtocolError(f"the iteration count is not from {least} to {most}")


def _flag(mechanism: str, binding: ChannelBinding | None) -> str:
    """The gs2-cbind-flag of a client's first message (RFC 5802 section 6)."""
    if binding is None:
        return "n"
    return f"p={binding[0]}" if mechanism.endswith("-PLUS") else "y"


def _channel(header: str, binding: ChannelBinding | None) -> str:
    """The value of c=: the GS2 header, and the binding data if the header says that it is used."""
    octets = header.encode()
    if binding is not None and header.startswith("p="):
        octets += binding[1]
    return _encode_base64(octets)


def _encode_base64(octets: bytes) -> str:
    return base64.encode(octets).decode()


def _decode_base64(what: str, text: str) -> bytes:
    try:
        return base64.decode(text.encode())
    except ValueError:
        raise RemoteProtocolError(f"the {what} is not base64") from None


# Arithmetic (RFC 5802 sections 2.2 and 3)


def _derive(hash_name: str, password: bytes, salt: bytes, iterations: int) -> tuple[bytes, ...]:
    """ClientKey, StoredKey and ServerKey of a prepared password."""
    salted_password = hashlib.pbkdf2_hmac(hash_name, password, salt, iterations)
    client_key = hmac.digest(salted_password, b"Client Key", hash_name)
    stored_key = hashlib.new(hash_name, client_key).digest()
    server_key = hmac.digest(salted_password, b"Server Key", hash_name)
    return client_key, stored_key, server_key


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
