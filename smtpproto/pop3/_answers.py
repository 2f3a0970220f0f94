"""What a server says when its application leaves the words to it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from smtpproto.errors import InvalidValueError
from smtpproto.pop3._commands import List, Stat, Uidl
from smtpproto.pop3._listings import MaildropStatus, ScanListing, UniqueId
from smtpproto.pop3._responses import Err, Ok
from smtpproto.pop3._state import STEPS

__all__ = ["USUAL", "counted", "fitting", "refusal", "typed_answer"]

V = TypeVar("V")

_NAMED = ("greeting", "QUIT", "CAPA", "AUTH list")
"""Steps whose answer is not the same on every server."""
USUAL: dict[str, tuple[Ok, bytes]] = {
    name: (Ok(step.accepted), bytes(Ok(step.accepted)))
    for name, step in STEPS.items()
    if step.accepted is not None and name not in _NAMED
}
"""What ``accept()`` answers to each of the others, and its wire form."""

_WIDTH = 510
"""Octets of a response line without its CRLF (RFC 1939 section 3)."""


def fitting(head: str, text: str, tail: str = "", *, utf8: bool) -> str:
    """Any text whatever, between `head` and `tail`, as it can stand in one response.

    It is cut to the length of a line, what cannot be sent becomes "?", and so does a "[" at its
    start, which would begin a response code (RFC 2449 section 8). Raises InvalidValueError for
    what is no str.
    """
    if not isinstance(text, str):
        raise InvalidValueError(f"the text of a response is a str, not {text!r:.60}")
    charset = "utf-8" if utf8 else "ascii"
    words = " ".join(word for word in (head, text[:_WIDTH]) if word)
    carried = words.encode(charset, "replace").decode(charset)
    line = "".join(c if c.isprintable() else " " if c in "\r\n\t" else "?" for c in carried)
    if line.startswith("["):
        line = f"?{line[1:]}"
    # Room for the status, and for a response code.
    most = max(0, _WIDTH - len("-ERR [LOGIN-DELAY] ") - len(tail))
    return line.encode()[:most].decode(errors="ignore").rstrip(" ") + tail


@lru_cache(maxsize=256)
def refusal(text: str) -> tuple[Err, bytes]:
    """A refusal of the connection's own, and its wire form.

    Bounded, for some texts name what the client sent.
    """
    response = Err(text)
    return response, bytes(response)


def counted(status: MaildropStatus) -> str:
    """How much there is, in words."""
    return f"{status.count} messages ({status.octets} octets)"


def typed_answer(command: Stat | List | Uidl, result: object) -> Ok:
    """The answer to a command whose result is given. Raises InvalidValueError."""
    if isinstance(command, Stat):
        return Ok(str(_expect(command, result, MaildropStatus)))
    kind: type[ScanListing | UniqueId] = ScanListing if isinstance(command, List) else UniqueId
    if command.number is not None:
        one = _expect(command, result, kind)
        if one.number != command.number:
            raise InvalidValueError(f"{one!r} is not about the message of {command!r}")
        return Ok(str(one))
    if isinstance(result, ScanListing | UniqueId) or not isinstance(result, Iterable):
        raise InvalidValueError(f"{command!r} is answered by several values, not {result!r}")
    listings = [_expect(command, one, kind) for one in result]
    return Ok(f"{len(listings)} messages", lines=map(str, listings))


def _expect(command: object, result: object, kind: type[V]) -> V:
    if not isinstance(result, kind):
        raise InvalidValueError(f"{command!r} is answered by {kind.__name__}, not {result!r}")
    return result
