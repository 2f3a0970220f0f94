"""xtext (RFC 3461 section 4) and unitext (RFC 6533 section 3): any text as a parameter's value.

Which holds no space and no ``=``, and is printable.
"""

from __future__ import annotations

import re

from smtpproto.errors import InvalidValueError

__all__ = ["from_unitext", "from_xtext", "to_unitext", "to_xtext"]

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_UNITEXT = re.compile(r"(?:[^\0- +=\\\x7f\ud800-\udfff]|\\x\{[0-9A-F]{2,6}\})*")


def to_xtext(text: str) -> str:
    """`text` with everything that could end a parameter written as ``+hexadecimal``.

    RFC 3461 section 4. Raises InvalidValueError for characters beyond ASCII, which it has no
    way to write.
    """
    if not text.isascii():
        raise InvalidValueError(f"{text!r} is not ASCII, and xtext has nothing else")
    return re.sub(r"[^!-*,-<>-~]", lambda match: f"+{ord(match[0]):02X}", text)


def from_xtext(text: str) -> str:
    """The text that `to_xtext` was given. Raises ValueError when `text` is no xtext."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("not xtext")
    decoded = re.sub(r"\+(..)", lambda match: chr(int(match[1], 16)), text)
    if not decoded.isascii():
        raise ValueError("not ASCII")
    return decoded


def to_unitext(text: str) -> str:
    r"""`text` in ASCII, everything else, and what could end a parameter, as ``\x{hexadecimal}``.

    This is the form that every server can be sent (utf-8-addr-xtext in RFC 6533 section 3).
    """
    return re.sub(r"[^!-*,-<>-\[\]-~]", lambda match: f"\\x{{{ord(match[0]):02X}}}", text)


def from_unitext(text: str) -> str:
    """The text that `to_unitext` was given, or that came as UTF-8. Raises ValueError."""
    if not _UNITEXT.fullmatch(text):
        raise ValueError("not unitext")
    return re.sub(r"\\x\{(.*?)\}", lambda match: chr(int(match[1], 16)), text)
