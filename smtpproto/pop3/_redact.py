"""What of a client's line may be shown to people."""

from __future__ import annotations

from smtpproto._redact import REDACTED, redacted, secrets_follow
from smtpproto.pop3._commands import VERBS

__all__ = ["secrets_follow", "shown", "verb_of"]


def shown(line: bytes, *, after_auth: bool) -> bytes:
    """`line` without secrets, at most 512 octets of it.

    The password, the digest of APOP and the initial response of AUTH are; and after an AUTH that
    was refused (`after_auth`) so is any line that is no command.
    """
    if after_auth and not verb_of(line):
        return REDACTED
    return redacted(line[:512])


def verb_of(line: bytes) -> str:
    """The verb of a line, in upper case; "" when it is none of the RFCs'."""
    words = line[:512].split(maxsplit=1)
    verb = words[0].decode("latin-1").upper() if words else ""
    return verb if verb in VERBS else ""
