"""The exceptions of the package. Nothing else leaves it because of what a peer or a caller did.

Misuse is a LocalProtocolError, and always one of its subclasses, which tells a wrapper what kind of
misuse it is. What a peer does wrong is a RemoteProtocolError.
"""

__all__ = [
    "ClosedError",
    "DecisionNeededError",
    "InvalidValueError",
    "LimitError",
    "LocalProtocolError",
    "NotOfferedError",
    "OutOfOrderError",
    "ProtocolError",
    "Refused",
    "RemoteProtocolError",
]

_MOST_SHOWN = 512
"""Octets of a peer's that an exception holds: a reply may have 64 KiB."""


class ProtocolError(Exception):
    """One side broke the protocol: catch this to catch both kinds."""


class LocalProtocolError(ProtocolError):
    """Your side asked for something that the protocol does not allow now, or ever.

    The call that raised it changed nothing: the connection goes on as if it had not been made. Only
    the subclasses are raised.
    """


class NotOfferedError(LocalProtocolError):
    """The peer does not offer what this needs: an extension, a mechanism, so large a message."""


class OutOfOrderError(LocalProtocolError):
    """Not in this state: a reply or a handshake comes first, or nothing is owed a reply."""


class ClosedError(LocalProtocolError):
    """The session is over."""


class InvalidValueError(LocalProtocolError, ValueError):
    """A value that cannot be, or that cannot go on the wire here."""


class DecisionNeededError(LocalProtocolError):
    """A catch-all ``accept()`` where only the application can decide: a login, a listing, ..."""


class LimitError(LocalProtocolError):
    """One more than a limit allows: in another transaction or session there is room for it (RFC
    9422); or more octets wait than a connection holds."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol does not allow.

    A client's ``next_event()`` raises it once, after which the connection is over. The parsers of
    single values raise it too (``Command.parse``, ``Reply.parse``, ...).

    `command` is the Request whose answer broke the protocol, or None. `line` is the line that did,
    at most 512 octets of it; b"" where there is no such line.
    """

    command: object | None = None
    line: bytes = b""

    def __init__(self, text: str, *, command: object | None = None, line: bytes = b"") -> None:
        super().__init__(text)
        if command is not None:
            self.command = command
        if line:
            self.line = line[:_MOST_SHOWN]


class Refused(RemoteProtocolError):  # noqa: N818 (for the servers it is an answer, not an error)
    """A command that a server has to refuse: its line cannot be read, or it breaks a rule.

    `code` is the reply code, `status` the enhanced status code, ``str(error)`` the text (RFC 5321
    section 4.2, RFC 3463). POP3 has only the text. The connections answer with it; it leaves the
    package from ``Command.parse`` alone.
    """

    def __init__(self, code: int, status: str, text: str) -> None:
        # These stand in `args` already, by which an exception is copied and pickled.
        self.code = code
        self.status = status
        self.text = text

    def __str__(self) -> str:
        return self.text
