"""CommandLine: what a command is in both protocols, and the rule that none holds a line's end."""

from __future__ import annotations

import re
from typing import ClassVar

from smtpproto.errors import LocalProtocolError
from smtpproto.events import Request

__all__ = ["CONTROL", "CommandLine", "clean"]

CONTROL = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
"""What cannot stand in a command."""


def clean(text: str, what: str) -> str:
    """`text`, when it can stand in a command line. Raises LocalProtocolError."""
    if CONTROL.search(text):
        raise LocalProtocolError(
            f"the {what} {text!r} holds a control character: CR or LF would end the command and"
            " begin another"
        )
    return text


class CommandLine(Request):
    """A command of the client: ``bytes(command)`` is its line on the wire, CRLF included."""

    __slots__ = ()
    verb: ClassVar[str]

    def written(self) -> str:
        """What is written after the verb, with the space before it."""
        return ""

    def __bytes__(self) -> bytes:
        return f"{self.verb}{self.written()}\r\n".encode()
