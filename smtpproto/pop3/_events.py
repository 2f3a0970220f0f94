"""What comes out of a POP3 connection besides commands and responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from smtpproto._value import constructor, fill
from smtpproto.events import (
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    ConnectionClosed,
    EndOfMessage,
    Event,
    Greeting,
    MessageData,
    Request,
    TlsHandshake,
)
from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._commands import (
    Apop,
    Auth,
    Capa,
    Dele,
    Extended,
    Lang,
    List,
    Noop,
    Pass,
    Quit,
    Retr,
    Rset,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
    Utf8,
)
from smtpproto.pop3._listings import Language, MaildropStatus, ScanListing, UniqueId
from smtpproto.pop3._responses import Response

__all__ = [
    "AuthCancelled",
    "AuthChallenge",
    "AuthResponse",
    "ClientEvent",
    "CommandRefused",
    "ConnectionClosed",
    "EndOfMessage",
    "Event",
    "Greeting",
    "MessageData",
    "Request",
    "ResponseReceived",
    "Result",
    "ServerEvent",
    "TlsHandshake",
]

Result: TypeAlias = (
    str
    | MaildropStatus
    | ScanListing
    | UniqueId
    | Capabilities
    | Sequence[ScanListing]
    | Sequence[UniqueId]
    | tuple[Language, ...]
    | tuple[str, ...]
    | None
)
"""What a response tells, typed: see ResponseReceived."""


class CommandRefused(Event):
    """Server: the connection has answered a command line by itself; nothing is owed.

    `line` is what the client sent, at most 512 octets of it, without secrets.
    """

    __slots__ = __match_args__ = ("line", "response")
    line: bytes
    response: Response

    def __init__(self, line: bytes, response: Response) -> None:
        fill(self, line, response)


command_refused = constructor(CommandRefused)
"""CommandRefused of a line without secrets, and a response."""


class ResponseReceived(Event):
    """Client: the server's response to `command`.

    `command` is the very value that was sent; the first is Greeting. None stands for an
    ``-ERR`` that nothing asked for, with which servers take their leave. After an Ok to Retr and
    Top
    follow MessageData and EndOfMessage.

    `result` is what an Ok tells, typed; None where it tells nothing:

    ================  =========================================================
    Greeting()        its timestamp, a str, if it has one that is a msg-id
    Stat()            a MaildropStatus
    List(), List(n)   ScanListings; the ScanListing of message n
    Uidl(), Uidl(n)   UniqueIds; the UniqueId of message n
    Capa()            Capabilities
    Lang()            a tuple of Language values
    Auth()            a tuple of the names of mechanisms
    ================  =========================================================

    STAT, LIST n and UIDL n have the result None too where the answer cannot be read, or is about
    another message. A line of a listing that cannot be read stands in the listing's `unread`.

    ScanListings and UniqueIds are sequences, immutable and equal to the tuple of their values,
    which are built when they are asked for. Each value is a pair: ``dict(result)`` has the octets,
    or the unique-ids, by message-number. A type checker knows what `result` is by its class:
    ``case pop3.ResponseReceived(result=pop3.UniqueIds() as listing)``.
    """

    __slots__ = __match_args__ = ("command", "response", "result")
    command: Request | None
    response: Response
    result: Result

    def __init__(self, command: Request | None, response: Response, result: Result = None) -> None:
        fill(self, command, response, result)


response_received = constructor(ResponseReceived)


ServerEvent: TypeAlias = (
    Greeting
    | User
    | Pass
    | Apop
    | Auth
    | Stls
    | Utf8
    | Stat
    | List
    | Uidl
    | Retr
    | Top
    | Dele
    | Noop
    | Rset
    | Quit
    | Capa
    | Lang
    | Extended
    | CommandRefused
    | AuthResponse
    | AuthCancelled
    | TlsHandshake
    | ConnectionClosed
)
"""Whatever a server connection gives: ``assert_never`` shows that a ``match`` has all of it."""

ClientEvent: TypeAlias = (
    ResponseReceived | MessageData | EndOfMessage | AuthChallenge | TlsHandshake | ConnectionClosed
)
"""Whatever a client connection gives."""
