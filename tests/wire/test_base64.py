"""Base64 of SASL exchanges: what encode writes and nothing else (RFC 4648 section 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto._wire.base64 import decode, encode


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", b""),
        (b"f", b"Zg=="),
        (b"fo", b"Zm8="),
        (b"foo", b"Zm9v"),
        (b"foobar", b"Zm9vYmFy"),
        (b"\xfb\xff\xfe", b"+//+"),
        (b"\0tim\0tanstaaftanstaaf", b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm"),
    ],
)
def test_both_ways(octets: bytes, text: bytes) -> None:
    assert encode(octets) == text
    assert decode(text) == octets


@pytest.mark.parametrize(
    "text",
    [
        b"Z", b"Zg", b"Zg=", b"Zg===", b"Zm9", b"Zm9v=", b"=", b"====", b"Zh==", b"Zm9=", b"*",
        b" Zm9v", b"Zm9v ", b"Zm 9v", b"Zm9v\r\n", b"Zm9v\n", b"Zm-_", b"Zg==Zg==", b"\xe9", b"\0",
        b"Zm9v!", b"Z=g=",
    ],
)  # fmt: skip
def test_what_is_not_base64(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@given(st.binary())
def test_round_trip(octets: bytes) -> None:
    assert decode(encode(octets)) == octets
    assert b"\n" not in encode(octets)


@given(st.binary() | st.text("AZaz09+/= \n*").map(str.encode))
def test_whatever_is_read_was_written_so(text: bytes) -> None:
    try:
        octets = decode(text)
    except ValueError:
        return
    assert encode(octets) == text
