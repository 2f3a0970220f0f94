"""What comes out of an SMTP connection besides commands and replies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from smtpproto._value import Value, constructor, fill
from smtpproto.errors import InvalidValueError
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
from smtpproto.smtp._address import Address
from smtpproto.smtp._commands import (
    Atrn,
    Auth,
    Burl,
    Data,
    Ehlo,
    Etrn,
    Expn,
    Extended,
    Helo,
    Help,
    Lhlo,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    SendAndMail,
    SendMail,
    SendOrMail,
    StartTls,
    Turn,
    Vrfy,
)
from smtpproto.smtp._replies import Reply

__all__ = [
    "AuthCancelled",
    "AuthChallenge",
    "AuthResponse",
    "ChunkReceived",
    "ClientEvent",
    "CommandRefused",
    "ConnectionClosed",
    "EndOfMessage",
    "Envelope",
    "Event",
    "Greeting",
    "MessageData",
    "MessageRefused",
    "ReplyReceived",
    "Request",
    "ServerEvent",
    "TlsHandshake",
]

MailCommand = Mail | SendMail | SendOrMail | SendAndMail
"""The commands that begin a transaction."""


class ChunkReceived(Request):
    """Server: a BDAT chunk of `size` octets, not the last, has come in (RFC 3030 section 2)."""

    __slots__ = __match_args__ = ("size",)
    step = "BDAT"
    size: int

    def __init__(self, size: int) -> None:
        fill(self, size)


class CommandRefused(Event):
    """Server: the connection has answered a command line by itself; nothing is owed.

    `line` is what the client sent, at most 512 octets of it, without secrets.
    """

    __slots__ = __match_args__ = ("line", "reply")
    line: bytes
    reply: Reply

    def __init__(self, line: bytes, reply: Reply) -> None:
        fill(self, line, reply)


command_refused = constructor(CommandRefused)
"""CommandRefused of a line without secrets, and a reply."""


class MessageRefused(Event):
    """Server: the message is not coming, or may not be taken: drop what you have of it.

    `reply` is what the connection has answered; None where a command of the client gave the
    message up.
    """

    __slots__ = __match_args__ = ("reply",)
    reply: Reply | None

    def __init__(self, reply: Reply | None) -> None:
        fill(self, reply)


class ReplyReceived(Event):
    """Client: the server's reply to `command`.

    `command` is the very value that was sent: a Command, or EndOfMessage for the reply that
    takes or refuses the message. That may come before its end was sent: then nothing but
    ``abort()`` is left. The first is the Greeting; None stands for a 421 that nothing asked for.
    `recipient` is the Rcpt that a reply of LMTP's after the final dot is about.
    """

    __slots__ = __match_args__ = ("command", "reply", "recipient")  # the order of use
    command: Request | None
    reply: Reply
    recipient: Rcpt | None

    def __init__(
        self, command: Request | None, reply: Reply, recipient: Rcpt | None = None
    ) -> None:
        fill(self, command, reply, recipient)

    def __repr__(self) -> str:
        about = "" if self.recipient is None else f", {self.recipient!r}"
        return f"ReplyReceived({self.command!r}, {self.reply!r}{about})"


reply_received = constructor(ReplyReceived)
"""ReplyReceived of a command, its reply and its recipient or None."""


class Envelope(Value):
    """The envelope of a message (RFC 5321 section 2.3.1): who sent it, and for whom it is.

    `mail` is the command that began the transaction, or the reverse-path to begin one with;
    `recipients` are Rcpt commands, or the forward-paths of some.
    """

    __slots__ = __match_args__ = ("mail", "recipients")
    mail: MailCommand
    recipients: tuple[Rcpt, ...]

    def __init__(
        self,
        mail: MailCommand | Address | str | None,
        recipients: Iterable[Rcpt | Address | str] = (),
    ) -> None:
        if isinstance(recipients, str):
            raise InvalidValueError("Envelope: the recipients are a list, not one text")
        fill(
            self,
            mail if isinstance(mail, MailCommand) else Mail(mail),
            tuple(to if isinstance(to, Rcpt) else Rcpt(to) for to in recipients),
        )


ServerEvent: TypeAlias = (
    Greeting
    | Ehlo
    | Helo
    | Lhlo
    | Mail
    | Rcpt
    | Data
    | Burl
    | Rset
    | Noop
    | Quit
    | Help
    | Vrfy
    | Expn
    | StartTls
    | Auth
    | Etrn
    | Atrn
    | Turn
    | SendMail
    | SendOrMail
    | SendAndMail
    | Extended
    | MessageData
    | EndOfMessage
    | ChunkReceived
    | MessageRefused
    | CommandRefused
    | AuthResponse
    | AuthCancelled
    | TlsHandshake
    | ConnectionClosed
)
"""Whatever a server connection gives: ``assert_never`` shows that a ``match`` has all of it."""

ClientEvent: TypeAlias = ReplyReceived | AuthChallenge | TlsHandshake | ConnectionClosed
"""Whatever a client connection gives."""
