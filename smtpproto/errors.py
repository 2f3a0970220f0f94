"""The exceptions of the package. Nothing else leaves it because of what a peer or a caller did."""

__all__ = ["LocalProtocolError", "ProtocolError", "RemoteProtocolError"]


class ProtocolError(Exception):
    """Somebody broke the protocol: catch this one to catch both."""


class LocalProtocolError(ProtocolError):
    """Your side asked for something that the protocol does not allow now, or ever.

    The call that raised it changed nothing: the connection goes on as if it had not been made.
    """


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol does not allow.

    Raised once by a client's ``next_event()``, after which the connection is over; and by the
    parsers of single values (``Command.parse``, ``Reply.parse``, ...).
    """
