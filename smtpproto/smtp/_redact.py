"""What of a refused command line may be shown to people."""

from __future__ import annotations

from smtpproto._redact import REDACTED, redacted, secrets_follow

__all__ = ["secrets_follow", "shown"]


def shown(line: bytes, *, after_auth: bool) -> bytes:
    """`line` without secrets, at most 512 octets of it.

    After an AUTH that was refused (`after_auth`) any line that is no command is one.
    """
    return REDACTED if after_auth else redacted(line[:512])
