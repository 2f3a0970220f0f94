"""What a server allows that has certain capabilities, worked out once for all its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._commands import VERBS, Command, Extended

__all__ = ["offered_verbs"]

_NEEDED = {"TOP": "TOP", "UIDL": "UIDL", "AUTH": "SASL", "STLS": "STLS", "UTF8": "UTF8",
           "LANG": "LANG"}  # fmt: skip
"""The capability that each optional command needs; the others are allowed everywhere."""
_NO_VERBS = frozenset(
    {"SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "IMPLEMENTATION",
     "AUTH-RESP-CODE"}
)  # fmt: skip
"""Capabilities that are no commands (RFC 2449 section 6, RFC 3206 section 6); others may be."""


@lru_cache(maxsize=64)
def offered_verbs(capabilities: Capabilities, apop: bool) -> Mapping[str, type[Command]]:
    """The commands that may be given, each with its class."""
    tags = {line.split(" ")[0].upper() for line in capabilities}
    offered = {
        verb: command
        for verb, command in VERBS.items()
        if verb not in _NEEDED or _NEEDED[verb] in tags
    }
    if not apop:
        del offered["APOP"]
    return {**offered, **dict.fromkeys(tags - VERBS.keys() - _NO_VERBS, Extended)}
