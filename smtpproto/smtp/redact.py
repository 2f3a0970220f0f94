"""What of a refused command line may be shown to people."""

from __future__ import annotations

from smtpproto.redact import REDACTED, redacted

__all__ = ["REDACTED", "shown"]


def shown(line: bytes, *, after_auth: bool) -> bytes:
    """`line` without secrets, at most 512 octets of it.

    After an AUTH that was refused (`after_auth`) any line that is no command is one: clients
    that do not wait for the reply send the user name and the password next.
    """
    return REDACTED if after_auth else redacted(line[:512])
