"""CommandLine: what a command is in both protocols, and the rule that none holds a line's end."""

from __future__ import annotations

import re
from typing import ClassVar

from smtpproto._value import no_text
from smtpproto.errors import InvalidValueError
from smtpproto.events import Request

__all__ = ["CONTROL", "CommandLine", "clean", "upper"]

CONTROL = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
"""What cannot stand in a command."""


def clean(text: str, what: str) -> str:
    """`text`, when it can stand in a command line. Raises InvalidValueError."""
    if not isinstance(text, str):
        no_text(what, text)
    if CONTROL.search(text):
        raise InvalidValueError(
            f"the {what} {text!r} holds a control character: CR or LF would end the command and"
            " begin another"
        )
    return text


def upper(word: str) -> str:
    """`word` in upper case when it is ASCII: str.upper() makes an S of U+017F too, and a client
    that writes what no reader should understand is up to something."""
    return word.upper() if word.isascii() else word


class CommandLine(Request):
    """A command of the client: ``bytes(command)`` is its line on the wire, CRLF included."""

    __slots__ = ()
    verb: ClassVar[str]

    def written(self) -> str:
        """What is written after the verb, with the space before it."""
        return ""

    def __bytes__(self) -> bytes:
        return f"{self.verb}{self.written()}\r\n".encode()
