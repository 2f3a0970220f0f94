"""SMTP and POP3 without I/O: connection objects for the client and the server of each.

    from smtpproto import smtp, pop3, sasl

Bytes go in, events come out; commands and replies go in, bytes come out. The subpackages are
imported when they are asked for, as ``smtpproto.smtp`` too, so that a user of one protocol does not
pay for the other.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from smtpproto._connection import Connection
from smtpproto.errors import (
    ClosedError,
    DecisionNeededError,
    InvalidValueError,
    LimitError,
    LocalProtocolError,
    NotOfferedError,
    OutOfOrderError,
    ProtocolError,
    RemoteProtocolError,
)

if TYPE_CHECKING:  # "as" says that they are exported
    from smtpproto import explain as explain
    from smtpproto import pop3 as pop3
    from smtpproto import sasl as sasl
    from smtpproto import smtp as smtp
    from smtpproto import strategies as strategies
    from smtpproto import transcript as transcript

__all__ = [
    "ClosedError",
    "Connection",
    "DecisionNeededError",
    "InvalidValueError",
    "LimitError",
    "LocalProtocolError",
    "NotOfferedError",
    "OutOfOrderError",
    "ProtocolError",
    "RemoteProtocolError",
    "__version__",
]

__version__ = "0.1.0"

_LOADED_WHEN_ASKED_FOR = frozenset({"explain", "pop3", "sasl", "smtp", "strategies", "transcript"})


def __getattr__(name: str) -> object:
    if name in _LOADED_WHEN_ASKED_FOR:
        return import_module(f"smtpproto.{name}")
    raise AttributeError(f"module 'smtpproto' has no attribute {name!r}")
