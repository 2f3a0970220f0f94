"""Base64 as SASL exchanges carry it (RFC 4648 section 4): strict, without line breaks."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

__all__ = ["decode", "encode"]


def encode(octets: bytes) -> bytes:
    """`octets` in base64, padded."""
    return b2a_base64(octets, newline=False)


def decode(text: bytes) -> bytes:
    """The octets of `text`. Raises ValueError for anything that `encode` would not write."""
    try:
        octets = a2b_base64(text)
    except Error as error:
        raise ValueError(str(error)) from None
    # a2b_base64 passes over what it does not know: foreign characters, bits behind the end.
    if encode(octets) != text:
        raise ValueError("not base64")
    return octets
