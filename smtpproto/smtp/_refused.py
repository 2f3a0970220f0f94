"""Refused: why a command may not be, by what the server offers."""

from __future__ import annotations

from smtpproto.errors import LocalProtocolError

__all__ = ["LimitError", "Refused"]


class LimitError(LocalProtocolError):
    """A command is one more than the server takes (RFC 9422): another transaction, or another
    session, can have it."""


class Refused(Exception):  # noqa: N818 (no error: a server answers it, a client says it to its user)
    """A command goes beyond what is offered, or its turn.

    `code`, `status` and `text` are the server's reply; a client that would send it is told the
    text.
    """

    def __init__(self, code: int, status: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.text = text
