"""What a server says when its application leaves the words to it.

The reply of `accept` to each step, the enhanced status code that goes with a refusal, and the
folding of any text into lines that a session can carry.
"""

from __future__ import annotations

from functools import lru_cache

from smtpproto._wire.text import printable
from smtpproto.errors import LocalProtocolError
from smtpproto.smtp._replies import TEXTS, EnhancedStatus, Reply

__all__ = ["ACCEPTED", "default_status", "fold", "standard"]

ACCEPTED: dict[str, tuple[int, str | None, str]] = {
    # step: code, enhanced status code, text
    "MAIL": (250, "2.1.0", "Sender OK"),
    "RCPT": (250, "2.1.5", "Recipient OK"),
    "DATA": (354, None, TEXTS[354]),
    ".": (250, "2.6.0", "Message accepted"),
    "BDAT": (250, "2.6.0", "Chunk received"),
    "BDAT LAST": (250, "2.6.0", "Message accepted"),
    "RSET": (250, "2.0.0", "OK"),
    "NOOP": (250, "2.0.0", "OK"),
    "HELP": (214, "2.0.0", TEXTS[214]),
    # Not 250: nobody has verified anything (RFC 5321 section 3.5.3).
    "VRFY": (252, "2.0.0", TEXTS[252]),
    "EXPN": (252, "2.0.0", "Cannot EXPN list"),
    "STARTTLS": (220, "2.0.0", "Ready to start TLS"),
    "extended": (250, "2.0.0", "OK"),
}
"""What `accept` says to each step that it may answer, but for those that name the server: the
greeting, EHLO and QUIT."""

_BY_CODE = {
    421: "4.3.2", 432: "4.7.12", 450: "4.2.0", 451: "4.3.0", 452: "4.3.1", 453: "4.3.0",
    454: "4.7.0", 455: "4.5.4", 458: "4.3.0", 459: "4.7.1", 500: "5.5.2", 501: "5.5.4",
    502: "5.5.1", 503: "5.5.1", 504: "5.5.4", 521: "5.3.2", 530: "5.7.0", 534: "5.7.9",
    535: "5.7.8", 538: "5.7.11", 551: "5.1.6", 552: "5.3.4", 555: "5.5.4", 556: "5.1.10",
}  # fmt: skip
_SUBJECT_BY_STEP = {
    "MAIL": 1, "RCPT": 1, "VRFY": 1, "EXPN": 1, ".": 6, "BDAT": 6, "BDAT LAST": 6, "AUTH": 7,
    "AUTH response": 7, "STARTTLS": 7,
}  # fmt: skip


def default_status(code: int, step: str) -> str:
    """The enhanced status code of a refusal that was given none (RFC 3463, RFC 4954, RFC 7504).

    Where the reply code does not say what is wrong, only the subject is told: addressing for
    MAIL and RCPT, content for a message, policy for AUTH.
    """
    return _BY_CODE.get(code) or f"{code // 100}.{_SUBJECT_BY_STEP.get(step, 0)}.0"


_WIDTH = 488
"""Octets of text in a folded line: with code, enhanced code and CRLF within the 512 of RFC 5321
section 4.5.3.1.5."""

_MOST_TEXT = 16384
_MOST_LINES = 100
"""How much of a text is said: clients stop reading a reply that does not end."""


def fold(code: int, text: str, status: EnhancedStatus | str | None, *, utf8: bool) -> Reply:
    """A reply of any text whatever: long lines are folded, what cannot be sent becomes "?".

    Raises LocalProtocolError for what is no str.
    """
    if not isinstance(text, str):
        raise LocalProtocolError(f"the text of a reply is a str, not {text!r:.60}")
    charset = "utf-8" if utf8 else "ascii"
    carried = text[:_MOST_TEXT].encode(charset, "replace").decode(charset)
    lines = [line for paragraph in carried.splitlines() for line in _folded(paragraph)]
    return Reply(code, *(lines[:_MOST_LINES] or [""]), enhanced=status)


def _folded(paragraph: str) -> list[str]:
    octets = printable(paragraph).encode()
    lines = []
    start = 0
    while len(octets) - start > _WIDTH:
        window = octets[start : start + _WIDTH]
        # At the last space, or else between two characters.
        stop = window.rfind(b" ") + 1 or len(window.decode(errors="ignore").encode())
        lines.append(window[:stop].decode().rstrip(" "))
        start += stop
    return [*lines, octets[start:].decode()]


@lru_cache(maxsize=256)
def standard(code: int, status: str | None, text: str) -> tuple[Reply, bytes]:
    """A reply that is said again and again, and its wire form.

    Bounded, for some texts name what the client sent.
    """
    reply = Reply(code, text, enhanced=status)
    return reply, bytes(reply)
