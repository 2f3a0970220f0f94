"""The events that both protocols share. `smtp` and `pop3` give them out under their own names."""

from __future__ import annotations

from typing import ClassVar

from smtpproto._value import Value, constructor, fill, octets, setters

__all__ = [
    "AuthCancelled",
    "AuthChallenge",
    "AuthResponse",
    "ConnectionClosed",
    "EndOfMessage",
    "Event",
    "Greeting",
    "MessageData",
    "Request",
    "TlsHandshake",
]


class Event(Value):
    """Something that came out of a connection, or goes into one."""

    __slots__ = ()


class Request(Event):
    """A server event that wants exactly one reply: a command, the end of a message, ...

    Until it is answered the connection hands out nothing more.
    """

    __slots__ = ()

    step: ClassVar[str]
    """Its name in the state machine's tables."""


class Greeting(Request):
    """The connection is open: the first request of every session, before any octet has come.

    A server owes it the greeting (RFC 5321 section 3.1, RFC 1939 section 4) from its construction
    on. A client's first event is the reply to it.
    """

    __slots__ = ()
    step = "greeting"


class MessageData(Event):
    """A piece of a message: any octets, cut anywhere; never empty when a connection gives it.

    From a connection: the message's own octets, transparency undone. To a connection: the same,
    dots are doubled on the way out.
    """

    __slots__ = __match_args__ = ("data",)
    data: bytes

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        _set_data(self, octets(data))

    def __repr__(self) -> str:
        data = self.data
        if len(data) <= _MOST_SHOWN:
            return f"MessageData(data={data!r})"
        return f"MessageData(data=<{len(data)} octets: {data[:_MOST_SHOWN]!r}...>)"


class EndOfMessage(Request):
    """The message is complete. An SMTP server now owes the reply that takes it, or refuses it.

    To SMTP's client connection and POP3's server: write the final dot (RFC 5321 section 4.1.1.4,
    RFC 1939 section 3).
    """

    __slots__ = ()
    step = "."


class AuthChallenge(Event):
    """A SASL challenge from the server, octets without base64 (RFC 4422 section 3.2)."""

    __slots__ = __match_args__ = ("data",)
    data: bytes

    def __init__(self, data: bytes = b"") -> None:
        fill(self, octets(data))


class AuthResponse(Request):
    """A SASL response from the client, octets without base64 (RFC 4422 section 3.2).

    A server answers it as it answers the Auth command: with an AuthChallenge, with
    ``authenticated(identity)``, or with ``reject(...)``.
    """

    __slots__ = __match_args__ = ("data",)
    data: bytes
    step = "AUTH response"
    _secret = frozenset({"data"})

    def __init__(self, data: bytes = b"") -> None:
        fill(self, octets(data))


class AuthCancelled(Event):
    """The SASL exchange is off: the client cancelled it, or its response could not be read.

    On a server the connection has answered already. To a client: write the cancelling ``*``
    (RFC 4954 section 4, RFC 5034 section 4).
    """

    __slots__ = ()


class TlsHandshake(Event):
    """The go-ahead for TLS is on its way: write what is queued, do the handshake, and then
    call ``tls_started()``. Until then the connection takes no octets (RFC 3207, RFC 2595)."""

    __slots__ = ()


class ConnectionClosed(Event):
    """The last event of every connection.

    `clean` is False when a reply, a transaction or an exchange was cut off; `unanswered` are the
    requests that never got their reply, oldest first. `handed_over`: another connection goes on
    with the session, so the transport stays open.
    """

    __slots__ = __match_args__ = ("clean", "unanswered", "handed_over")
    clean: bool
    unanswered: tuple[Request, ...]
    handed_over: bool

    def __init__(
        self, clean: bool, unanswered: tuple[Request, ...] = (), handed_over: bool = False
    ) -> None:
        fill(self, clean, tuple(unanswered), handed_over)


_MOST_SHOWN = 64
"""Octets of a message that its repr shows."""

GREETING = Greeting()
(_set_data,) = setters(MessageData)
message_data = constructor(MessageData)
"""MessageData of octets that are bytes already and belong to nobody else."""
