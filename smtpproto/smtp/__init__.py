"""SMTP (RFC 5321) and LMTP (RFC 2033): ClientConnection, ServerConnection and their values."""

from smtpproto.smtp import ext
from smtpproto.smtp._address import Address
from smtpproto.smtp._capabilities import Capabilities
from smtpproto.smtp._client import ClientConnection
from smtpproto.smtp._commands import (
    Atrn,
    Auth,
    Bdat,
    Burl,
    Command,
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
    Raw,
    Rcpt,
    Rset,
    SendAndMail,
    SendMail,
    SendOrMail,
    StartTls,
    Turn,
    Vrfy,
)  # fmt: skip
from smtpproto.smtp._delivery import Delivery
from smtpproto.smtp._events import (
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    ChunkReceived,
    ClientEvent,
    CommandRefused,
    ConnectionClosed,
    EndOfMessage,
    Envelope,
    Event,
    Greeting,
    MessageData,
    MessageRefused,
    ReplyReceived,
    Request,
    ServerEvent,
    TlsHandshake,
)  # fmt: skip
from smtpproto.smtp._extension import Extension
from smtpproto.smtp._keywords import By, OriginalRecipient, Tracking, ValidSince
from smtpproto.smtp._limits import Limits
from smtpproto.smtp._parameters import Parameters
from smtpproto.smtp._replies import EnhancedStatus, Reply
from smtpproto.smtp._report import Outcome, Report, Verdict
from smtpproto.smtp._server import ServerConnection
from smtpproto.smtp._state import State
from smtpproto.smtp._xtext import from_unitext, from_xtext, to_unitext, to_xtext

__all__ = [
    "Address", "Atrn", "Auth", "AuthCancelled", "AuthChallenge", "AuthResponse", "Bdat", "Burl",
    "By", "Capabilities", "ChunkReceived", "ClientConnection", "ClientEvent", "Command",
    "CommandRefused", "ConnectionClosed", "Data", "Delivery", "Ehlo", "EndOfMessage",
    "EnhancedStatus", "Envelope", "Etrn", "Event", "Expn", "Extended", "Extension", "Greeting",
    "Helo", "Help", "Lhlo", "Limits", "Mail", "MessageData", "MessageRefused", "Noop",
    "OriginalRecipient", "Outcome", "Parameters", "Quit", "Raw", "Rcpt", "Reply", "ReplyReceived",
    "Report", "Request", "Rset", "SendAndMail", "SendMail", "SendOrMail", "ServerConnection",
    "ServerEvent", "StartTls", "State", "TlsHandshake", "Tracking", "Turn", "ValidSince", "Verdict",
    "Vrfy", "ext", "from_unitext", "from_xtext", "to_unitext", "to_xtext",
]  # fmt: skip
