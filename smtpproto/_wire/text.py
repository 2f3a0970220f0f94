"""Stray controls in a line that a server has written, and what else does not print: "?"."""

from __future__ import annotations

__all__ = ["printable", "without_controls"]

_STRAY = bytes(octet for octet in (*range(32), 127) if octet not in b"\t\r\n")
_SHOWN = bytes.maketrans(_STRAY, b"?" * len(_STRAY))


def without_controls(octets: bytes) -> bytes:
    """The octets, with "?" for each control but HTAB, CR and LF. In one pass: there may be
    nothing but controls."""
    return octets.translate(_SHOWN)


def printable(text: str) -> str:
    """The text, with "?" for each character but HTAB that does not print: line ends of any kind,
    and octets of a foreign charset, which could not even be encoded."""
    if text.isprintable():  # as nearly all of it is
        return text
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
