"""The character strings of SASL: UTF-8 without NUL (RFC 4422, 4616), and how two are compared.

Octets are left as they are: no SASLprep, no case folding, no normalization. SCRAM, which demands
SASLprep, gets it from scramp.
"""

from __future__ import annotations

import hmac

from smtpproto._value import no_text
from smtpproto.errors import InvalidValueError, RemoteProtocolError

__all__ = ["decode", "encode", "same"]


def encode(what: str, text: str) -> bytes:
    """The octets of a string that the caller gave; `what` names it in the error.

    Raises `InvalidValueError` for what is no str, an empty one, for NUL, and for lone surrogates.
    """
    if not isinstance(text, str):
        no_text(what, text)
    if not text:
        raise InvalidValueError(f"the {what} must not be empty")
    if "\0" in text:
        raise InvalidValueError(f"the {what} must not hold NUL")
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Not chained: the error would carry the whole string, which may be a password.
        raise InvalidValueError(f"the {what} cannot be written in UTF-8") from None


def decode(what: str, octets: bytes) -> str:
    """The string that the peer sent as `octets`; `what` names it in the error.

    Raises `RemoteProtocolError` for an empty string, for NUL, and for what is not UTF-8.
    """
    if not octets:
        raise RemoteProtocolError(f"the {what} is empty")
    if b"\0" in octets:
        raise RemoteProtocolError(f"the {what} holds NUL")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError(f"the {what} is not UTF-8") from None


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    # compare_digest takes no str outside ASCII; surrogatepass, because strings may come from
    # octets decoded with surrogateescape, and a comparison must not raise.
    return hmac.compare_digest(
        one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass")
    )
