"""Stray controls in a line that a server has written: they are read as "?"."""

from __future__ import annotations

__all__ = ["without_controls"]

_STRAY = bytes(octet for octet in (*range(32), 127) if octet not in b"\t\r\n")
_SHOWN = bytes.maketrans(_STRAY, b"?" * len(_STRAY))


def without_controls(octets: bytes) -> bytes:
    """The octets, with "?" for each control but HTAB, CR and LF. In one pass: there may be
    nothing but controls."""
    return octets.translate(_SHOWN)
