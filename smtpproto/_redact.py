"""What of a client's line may be shown to people: one rule for events, reprs and transcripts."""

from __future__ import annotations

import re

__all__ = ["REDACTED", "redacted", "secrets_follow", "verb_of"]

REDACTED = b"[redacted]"

_OPEN = re.compile(
    rb"(?i)[ \t]*(?:EHLO|HELO|LHLO|MAIL|RCPT|SEND|SOML|SAML|VRFY|EXPN|ETRN|ATRN)[ \t]"
    rb"[^\0-\x08\x0a-\x1f\x7f]*(?:\r\n)?"
)
"""Commands about hosts and addresses, which may be called auth.example and compass@example. A
control may have been read as the end of a line: what is behind it may be any command."""

_WHOLE = rb"(?![A-Za-z0-9=])"
"""Behind a verb: AUTHOR is another word, and the AUTH= of MAIL names a mailbox."""

# Anywhere in the line and whatever follows it: a line that is refused may hold anything.
_SECRET = re.compile(rb"(?i)\A[ \t]*(?:AUTH|PASS|APOP)=|(?:PASS|(AUTH|APOP))" + _WHOLE)
_AUTH = re.compile(rb"AUTH" + _WHOLE)
_PUBLIC = re.compile(rb"(?i)[ \t]+[a-z0-9_.@-]{1,64}(?=[ \t]|\Z)")


def verb_of(line: bytes) -> str:
    """The first word of a line, in upper case: its verb, where the line is a command."""
    words = line[:512].split(maxsplit=1)
    return words[0].decode("latin-1").upper() if words else ""


def secrets_follow(line: bytes) -> bool:
    """Whether the next lines may be secrets although `line` is refused.

    Clients that do not wait for the answer to AUTH send the user name and the password next, also
    where something before AUTH on its line (a byte order mark, NUL, a bare LF) has spoiled it.
    """
    if _OPEN.fullmatch(line):
        return False
    said = line.upper()  # a pattern that heeds no case takes ten times as long
    return said.lstrip(b" \t").startswith(b"AUTH=") or _AUTH.search(said) is not None


def redacted(line: bytes) -> bytes:
    """`line` without the password of PASS, the digest of APOP and the response of AUTH.

    The mechanism and the name are left, where they can be told from a secret.
    """
    found = _SECRET.search(line)
    if found is None or _OPEN.fullmatch(line):
        return line
    end = found.end()
    if found[1]:
        public = _PUBLIC.match(line, end)
        end = public.end() if public else end
    if not line[end:].strip():
        return line
    space = line[end : end + 1]
    return line[:end] + (space if space in (b" ", b"\t") else b" ") + REDACTED
