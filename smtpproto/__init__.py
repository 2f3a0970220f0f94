"""SMTP and POP3 without I/O: connection objects for the client and the server of each.

    from smtpproto import smtp, pop3, sasl

Bytes go in, events come out; commands and replies go in, bytes come out. The subpackages are
imported when they are asked for, so that a user of one protocol does not pay for the other.
"""

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
