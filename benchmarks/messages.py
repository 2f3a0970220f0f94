"""What is said and sent: mail text with dots or without, how it is cut, and a server's replies.

Knows no library, so that each peer can use it.
"""

from __future__ import annotations

import random

__all__ = [
    "CLIENT",
    "PIECE",
    "RECIPIENT",
    "SENDER",
    "SMALL",
    "grouped_replies",
    "mail_text",
    "pieces",
    "replies",
    "stuffed",
]

PIECE = 65536
"""Octets of one read."""

SMALL = b"Subject: small\r\n\r\nHello\r\n"
"""The message of a small transaction: 25 octets."""

CLIENT = "client.example.org"
SENDER = "sender@example.org"
RECIPIENT = "recipient@example.net"

_GREETING = b"220 mx.example.com ESMTP\r\n"
_OK = b"250 OK\r\n"
_GO_ON = b"354 Start mail input; end with <CRLF>.<CRLF>\r\n"
_HEADER = b"From: <sender@example.org>\r\nTo: <recipient@example.net>\r\nSubject: text\r\n\r\n"
_WORDS = (
    b"transparency", b"mail", b"the", b"of", b"reply", b"and", b"a", b"sender", b"reverse-path",
    b"to", b"is", b"buffer", b"transaction", b"in", b"octet,", b"line.", b"that", b"stream",
)  # fmt: skip


def mail_text(octets: int, dot_every: int = 0) -> bytes:
    """A message of about this size, always the same; every so many lines begin with a dot."""
    chance = random.Random(5321)
    lines = []
    for number in range(1000):
        line = b"." if dot_every and number % dot_every == 0 else b""
        while len(line) < 60:
            line += chance.choice(_WORDS) + b" "
        lines.append(line[:-1] + b"\r\n")
    text = _HEADER + b"".join(lines) * (octets // 60_000 + 1)
    return text[: text.index(b"\n", octets) + 1]


def stuffed(message: bytes) -> bytes:
    """The message as it goes over the wire, the final dot included."""
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def pieces(octets: bytes, size: int = PIECE) -> list[bytes]:
    """The octets, cut as reads cut them."""
    return [octets[start : start + size] for start in range(0, len(octets), size)]


def replies(messages: int) -> list[bytes]:
    """A server's replies to a client that waits for each: EHLO, then MAIL, RCPT, DATA, message."""
    hello = b"250-mx.example.com greets you\r\n250 HELP\r\n"
    return [_GREETING, hello, *[_OK, _OK, _GO_ON, _OK] * messages]


def grouped_replies(messages: int) -> list[bytes]:
    """The replies of a server that offers PIPELINING: to MAIL, RCPT and DATA at once."""
    hello = b"250-mx.example.com greets you\r\n250 PIPELINING\r\n"
    return [_GREETING, hello, *[_OK + _OK + _GO_ON, _OK] * messages]
