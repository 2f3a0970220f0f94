"""SCRAM: both sides prove that they know the password, and neither sends it (RFC 5802, 7677).

The messages and the arithmetic are the package scramp's, which is imported when a mechanism is
built: ``pip install 'smtpproto[scram]'``. What is added here is the exchange in steps, so that a
server may find the stored keys in its own time, and the bounds that a hostile peer calls for.

Channel binding data are the caller's to get from its TLS: a pair such as
``("tls-unique", ssl_socket.get_channel_binding("tls-unique"))``, or ``("tls-server-end-point",
hash of the server's certificate)`` (RFC 5929). For scramp's sake there are no authorization
identities, and no "tls-exporter" (RFC 9266).
"""

from __future__ import annotations

import hmac
import os
from importlib import import_module
from typing import Protocol, TypeAlias, cast

from smtpproto._value import Value, fill
from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Challenge, Failure, Lookup, Step, Success
from smtpproto.sasl._strings import decode, encode

__all__ = ["SCRAM_MECHANISMS", "ChannelBinding", "ScramClient", "ScramKeys", "ScramServer"]

SCRAM_MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1")
"""The names that `ScramClient` and `ScramServer` take, the best first."""

ChannelBinding: TypeAlias = tuple[str, bytes]
"""The type of a channel binding, and its data (RFC 5056, 5929)."""

MIN_ITERATIONS = 4096
"""RFC 5802 section 5.1, RFC 7677 section 4. With fewer, a server that only pretends to know the
password gets a proof that is cheap to attack."""

MAX_ITERATIONS = 1_000_000
"""Half a second or so. "A hostile server can perform a computational denial-of-service attack on
clients by sending a big iteration count value" (RFC 5802 section 9)."""

DEFAULT_ITERATIONS = 100_000


class ScramKeys(Value):
    """What a server keeps of a password: a salt, two keys, an iteration count (RFC 5802 section 3).

    Nobody can log in with them, but who steals them can try passwords, and pretend to be the
    server. They belong to one hash: SCRAM-SHA-256 and SCRAM-SHA-256-PLUS share them, SCRAM-SHA-1
    needs its own.

    Raises `LocalProtocolError` for what no client would take: a salt of less than 12 octets, an
    iteration count that is not from 4096 to 10,000,000 (scramp's bounds), keys of two lengths.
    """

    __slots__ = __match_args__ = ("salt", "stored_key", "server_key", "iterations")
    _secret = frozenset({"salt", "stored_key", "server_key"})
    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int

    def __init__(self, salt: bytes, stored_key: bytes, server_key: bytes, iterations: int) -> None:
        if len(salt) < 12:
            raise LocalProtocolError(f"a salt has at least 12 octets, not {len(salt)}")
        if len(stored_key) != len(server_key):
            raise LocalProtocolError("the keys must be of the same length, that of the hash")
        if not MIN_ITERATIONS <= iterations <= 10_000_000:
            raise LocalProtocolError(f"iterations are from 4096 to 10,000,000, not {iterations}")
        fill(self, salt, stored_key, server_key, iterations)

    @classmethod
    def derive(
        cls,
        mechanism: str,
        password: str,
        *,
        salt: bytes | None = None,
        iterations: int = DEFAULT_ITERATIONS,
    ) -> ScramKeys:
        """The keys of a password, to be stored. The salt is random unless given.

        This is what takes its time: `iterations` times a hash. Raises `LocalProtocolError` for a
        mechanism that is none of `SCRAM_MECHANISMS`, for a password that SASLprep prohibits, for
        a salt shorter than 12 octets and for fewer than 4096 iterations; `ImportError` without
        scramp.
        """
        _hash(mechanism)
        encode("password", password)
        if salt is None:
            salt = os.urandom(16)
        scramp = _scramp()
        try:
            info = scramp.ScramMechanism(mechanism).make_auth_info(password, iterations, salt)
        except scramp.ScramException as error:
            raise LocalProtocolError(f"{mechanism}: {error}") from None
        return cls(*info)

    @classmethod
    def decoy(
        cls, mechanism: str, username: str, key: bytes, *, iterations: int = DEFAULT_ITERATIONS
    ) -> ScramKeys:
        """Keys for a user that does not exist, which no password opens.

        The exchange then goes on and fails where a wrong password's does, so that a client does
        not learn who exists. The same `username` and `key` give the same salt each time, as a
        user's would: keep `key` secret, and as long as the passwords; `iterations` is that of
        your users. Raises `LocalProtocolError` as `derive` does.
        """
        hash_name = _hash(mechanism)
        name = encode("username", username)
        return cls(
            hmac.digest(key, b"salt:" + name, "sha256")[:16],
            hmac.digest(key, b"stored key:" + name, hash_name),
            hmac.digest(key, b"server key:" + name, hash_name),
            iterations,
        )


class ScramClient(ClientExchange):
    """SCRAM for a client: `complete` only when the server has proved that it knows the password.

    `mechanism` is one of `SCRAM_MECHANISMS`. A -PLUS one needs `channel_binding`. Without -PLUS
    a given `channel_binding` tells the server that the client did not see a -PLUS mechanism on
    offer, and a server that did offer one then refuses: somebody in between has removed it
    (RFC 5802 section 6). Give it, therefore, whenever there is one.

    `respond` hashes as often as the server asks, while the caller waits, if that is between 4096
    and `max_iterations` times; otherwise it gives up. `nonce` is for tests.

    Raises `LocalProtocolError` for arguments that the mechanism cannot take, SASLprep's
    prohibitions included, and `ImportError` without scramp.
    """

    def __init__(
        self,
        mechanism: str,
        authentication_id: str,
        password: str,
        channel_binding: ChannelBinding | None = None,
        *,
        max_iterations: int = MAX_ITERATIONS,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        self.name = mechanism
        _check_binding(mechanism, channel_binding)
        encode("authentication_id", authentication_id)
        encode("password", password)
        if max_iterations < MIN_ITERATIONS:
            raise LocalProtocolError(f"max_iterations must be at least {MIN_ITERATIONS}")
        self._max_iterations = max_iterations
        scramp = _scramp()
        try:
            self._scram = scramp.ScramClient(
                [mechanism], authentication_id, password, channel_binding, nonce
            )
            self._first = self._scram.get_client_first().encode()
        except scramp.ScramException as error:
            raise LocalProtocolError(f"{mechanism}: {error}") from None
        self._proved = False

    def _initial_response(self) -> bytes:
        return self._first

    def _answer(self, challenge: bytes) -> bytes | None:
        if self.complete:
            return None
        # The one place where "except Exception" is right: the messages are the server's, the
        # parser is another package's, and whatever it makes of them, the client gives up.
        try:
            text = challenge.decode()
            if not self._proved:
                if not self._is_affordable(text):
                    return None
                self._scram.set_server_first(text)
                self._proved = True
                return self._scram.get_client_final().encode()
            self._scram.set_server_final(text)
        except Exception:
            return None
        self.complete = True
        # The server's last message came as a challenge; it wants an empty response before it
        # says success (RFC 4954 section 4, RFC 5034 section 4).
        return b""

    def _is_affordable(self, server_first: str) -> bool:
        """Whether the iteration count is within bounds, before anything is computed with it."""
        counts = [attribute[2:] for attribute in server_first.split(",") if attribute[:2] == "i="]
        return all(
            # The length first: int() of a long string takes long.
            len(count) < 20
            and count.isascii()
            and count.isdigit()
            and MIN_ITERATIONS <= int(count) <= self._max_iterations
            for count in counts
        )


class ScramServer(ServerExchange):
    """SCRAM for a server: gives a `Lookup`, wants `supply(keys)`, and then decides by itself.

    `mechanism` is one of `SCRAM_MECHANISMS`. Give `channel_binding` to the mechanisms without
    -PLUS too when -PLUS is on offer: then a client that was kept from seeing it is refused
    (RFC 5802 section 6). `nonce` is for tests.

    The message that proves the server to the client goes out as a `Challenge`, and `Success`
    follows the client's empty response to it, for neither SMTP nor POP3 can send it with the
    success. Raises `LocalProtocolError` for arguments that the mechanism cannot take, and
    `ImportError` without scramp.
    """

    def __init__(
        self,
        mechanism: str,
        channel_binding: ChannelBinding | None = None,
        *,
        nonce: str | None = None,
    ) -> None:
        super().__init__()
        self.name = mechanism
        _check_binding(mechanism, channel_binding)
        self._binding = channel_binding
        self._nonce = nonce
        self._scramp = _scramp()
        # scramp looks the user up by a callback in the middle of its first step. Therefore that
        # step is done twice: once to read the message, and with the keys by `supply`.
        self._user = ""
        self._scram = self._server(self._read_user, None)
        self._client_first = ""
        self._proved = False

    def supply(self, keys: ScramKeys) -> Challenge:
        """The stored keys of the user that `Lookup` named: send the Challenge.

        For a user that does not exist, `ScramKeys.decoy` hides that; or `reject()`.

        Raises `LocalProtocolError` when no `Lookup` is open, and for the keys of another hash.
        """
        if not isinstance(self._last, Lookup):
            raise LocalProtocolError(self._expected())
        size = len(hmac.digest(b"", b"", _hash(self.name)))
        if len(keys.stored_key) != size:
            raise LocalProtocolError(f"{self.name}: the keys must be of {size} octets")
        auth_info = (keys.salt, keys.stored_key, keys.server_key, keys.iterations)
        scram = self._server(lambda user: auth_info, self._nonce)
        # Raises nothing: the message was read before, and ScramKeys has bounded the keys.
        scram.set_client_first(self._client_first)
        challenge = Challenge(scram.get_server_first().encode())
        self._scram = scram
        self._last = challenge
        return challenge

    def accept(self, identity: str) -> Success:
        """Raises `LocalProtocolError`: a SCRAM exchange succeeds by the client's proof alone."""
        raise LocalProtocolError(self._expected())

    def reject(self, reason: str = "not authenticated") -> Failure:
        """End the exchange at `Lookup`, which tells the client that there is no such user.

        Raises `LocalProtocolError` when no `Lookup` is open.
        """
        self._check_is_due()
        self._last = Failure(reason)
        return self._last

    def _expected(self) -> str:
        if isinstance(self._last, Lookup):
            return f"{self.name}: the user's keys come next: supply(keys) or reject()"
        return super()._expected()

    def _receive(self, response: bytes) -> Step:
        if self._proved:
            if response:
                raise RemoteProtocolError("the response to the last message is not empty")
            return Success(self._user)
        text = decode("message", response)
        # As in the client: whatever scramp makes of the peer's message, it is a failure.
        try:
            if not self._client_first:
                self._scram.set_client_first(text)
                self._client_first = text
                return Lookup(self._user)
            self._scram.set_client_final(text)
            self._proved = True
            return Challenge(self._scram.get_server_final().encode())
        except Exception as error:
            # Quoted: the text may hold some of the client's, which must not break a log's line.
            raise RemoteProtocolError(f"scramp says {str(error)[:200]!r}") from None

    def _server(self, find: _Find, nonce: str | None) -> _ScrampServer:
        try:
            mechanism = self._scramp.ScramMechanism(self.name)
            return mechanism.make_server(find, self._binding, nonce)
        except self._scramp.ScramException as error:
            raise LocalProtocolError(f"{self.name}: {error}") from None

    def _read_user(self, user: str) -> _AuthInfo:
        self._user = user
        return b"read only: no salt", b"", b"", MIN_ITERATIONS


def _check_binding(mechanism: str, channel_binding: ChannelBinding | None) -> None:
    _hash(mechanism)
    if mechanism.endswith("-PLUS") and channel_binding is None:
        raise LocalProtocolError(f"{mechanism} needs channel_binding")


def _hash(mechanism: str) -> str:
    """hashlib's name of a mechanism's hash."""
    if mechanism not in SCRAM_MECHANISMS:
        raise LocalProtocolError(f"{mechanism!r} is none of {', '.join(SCRAM_MECHANISMS)}")
    return "sha1" if mechanism.startswith("SCRAM-SHA-1") else "sha256"


# What is used of scramp, which has no types of its own.

_AuthInfo: TypeAlias = tuple[bytes, bytes, bytes, int]


class _Find(Protocol):
    def __call__(self, user: str, /) -> _AuthInfo: ...


class _ScrampClient(Protocol):
    def get_client_first(self) -> str: ...
    def set_server_first(self, message: str) -> None: ...
    def get_client_final(self) -> str: ...
    def set_server_final(self, message: str) -> None: ...


class _ScrampServer(Protocol):
    def set_client_first(self, client_first: str) -> None: ...
    def get_server_first(self) -> str: ...
    def set_client_final(self, client_final: str) -> None: ...
    def get_server_final(self) -> str: ...


class _ScrampMechanism(Protocol):
    def make_auth_info(self, password: str, iteration_count: int, salt: bytes, /) -> _AuthInfo: ...
    def make_server(
        self, auth_fn: _Find, channel_binding: ChannelBinding | None, s_nonce: str | None, /
    ) -> _ScrampServer: ...


class _Scramp(Protocol):
    ScramException: type[Exception]

    def ScramClient(  # noqa: N802 - scramp's class
        self,
        mechanisms: list[str],
        username: str,
        password: str,
        channel_binding: ChannelBinding | None,
        c_nonce: str | None,
        /,
    ) -> _ScrampClient: ...

    def ScramMechanism(self, mechanism: str, /) -> _ScrampMechanism: ...  # noqa: N802


def _scramp() -> _Scramp:
    try:
        return cast(_Scramp, import_module("scramp"))
    except ImportError as error:
        raise ImportError("SCRAM needs scramp: pip install 'smtpproto[scram]'") from error
