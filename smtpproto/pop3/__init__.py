"""POP3 (RFC 1939): ClientConnection, ServerConnection, Maildrop and their values."""

from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._client import ClientConnection
from smtpproto.pop3._commands import (
    Apop,
    Auth,
    Capa,
    Command,
    Dele,
    Extended,
    Lang,
    List,
    Noop,
    Pass,
    Quit,
    Raw,
    Retr,
    Rset,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
    Utf8,
)  # fmt: skip
from smtpproto.pop3._events import (
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    ClientEvent,
    CommandRefused,
    ConnectionClosed,
    EndOfMessage,
    Event,
    Greeting,
    MessageData,
    Request,
    ResponseReceived,
    TlsHandshake,
)  # fmt: skip
from smtpproto.pop3._limits import Limits
from smtpproto.pop3._listings import (
    Language,
    MaildropStatus,
    ScanListing,
    ScanListings,
    UniqueId,
    UniqueIds,
)  # fmt: skip
from smtpproto.pop3._maildrop import Maildrop
from smtpproto.pop3._responses import Err, Ok, Response
from smtpproto.pop3._server import ServerConnection
from smtpproto.pop3._state import State

__all__ = [
    "Apop", "Auth", "AuthCancelled", "AuthChallenge", "AuthResponse", "Capa", "Capabilities",
    "ClientConnection", "ClientEvent", "Command", "CommandRefused", "ConnectionClosed", "Dele",
    "EndOfMessage", "Err", "Event", "Extended", "Greeting", "Lang", "Language", "Limits", "List",
    "Maildrop", "MaildropStatus", "MessageData", "Noop", "Ok", "Pass", "Quit", "Raw", "Request",
    "Response", "ResponseReceived", "Retr", "Rset", "ScanListing", "ScanListings",
    "ServerConnection", "ServerEvent", "Stat", "State", "Stls", "TlsHandshake", "Top", "Uidl",
    "UniqueId", "UniqueIds", "User", "Utf8",
]  # fmt: skip
