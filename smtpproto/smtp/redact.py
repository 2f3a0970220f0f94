"""What of a client's line may be shown to people."""

from __future__ import annotations

import re

__all__ = ["REDACTED", "shown"]

REDACTED = b"[redacted]"

_AUTH = re.compile(rb"(?is)(\s*AUTH[ \t]+\S+[ \t]+)\S.*")


def shown(line: bytes, *, after_auth: bool) -> bytes:
    """`line` without secrets, at most 512 octets of it.

    The initial response of an AUTH command is one; and after an AUTH that was refused
    (`after_auth`) so is any line that is no command: clients that do not wait for the reply
    send the user name and the password next.
    """
    if after_auth:
        return REDACTED
    match = _AUTH.match(line)
    return match[1][:256] + REDACTED if match else line[:512]
