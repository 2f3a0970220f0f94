"""The messages that travel, by the features that are about what is in one."""

from __future__ import annotations

from tests.interop.features import Pop3, Smtp

__all__ = ["HEADER", "MESSAGES", "POP3_MESSAGES", "SMTP_MESSAGES", "complete"]

HEADER = (
    b"From: Jo <jo@client.example>\r\n"
    b"Subject: Interoperation\r\n"
    b"Date: Tue, 1 Apr 2025 09:00:00 +0000\r\n"
    b"Message-ID: <1@client.example>\r\n"
    b"\r\n"
)

_OCTETS = bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
_LINES = b"".join(
    b".%075d\r\n" % line if line % 20 == 0 else b"x" * 76 + b"\r\n" for line in range(100)
)


def _text(size: int) -> bytes:
    """A message of `size` octets; every 20th line begins with a dot."""
    octets = HEADER + _LINES * (size // len(_LINES))
    return octets + b"." * (size - 2 - len(octets)) + b"\r\n"


MESSAGES: dict[Smtp | Pop3, bytes] = {
    Smtp.PLAIN: HEADER + b"Hello.\r\n",
    Smtp.DOTS: b"".join(b"." * dots + b"\r\n.text\r\n" for dots in range(1, 9)) + b".\r\n",
    Smtp.EMPTY_LINES: b"\r\n" * 8,
    Smtp.NO_FINAL_CRLF: HEADER + b"This is all",
    Smtp.EMPTY: b"",
    Smtp.EIGHT_BIT: HEADER + "Grüße\r\n".encode() + _OCTETS + b"\r\n" + b"\xff" * 998 + b"\r\n",
    Smtp.FIVE_MB: _text(5_000_000),
    Smtp.TWENTY_FIVE_MB: _text(25_000_000),
}
MESSAGES |= {Pop3(feature.value): message for feature, message in MESSAGES.items()}
# Dovecot and Twisted take a dot that is the first octet of a message for the end of a line before
# it: they do not double it (RFC 1939 section 3).
MESSAGES[Pop3.DOTS] = HEADER + MESSAGES[Smtp.DOTS]

SMTP_MESSAGES = [feature for feature in Smtp if feature in MESSAGES]
POP3_MESSAGES = [feature for feature in Pop3 if feature in MESSAGES]


def complete(message: bytes) -> bytes:
    """`message` as it arrives: its last line ends with CRLF."""
    return message if not message or message.endswith(b"\r\n") else message + b"\r\n"
