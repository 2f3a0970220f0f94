"""A message in chunks: what stands before its first bare CR or LF passes, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto._wire.newlines import bare_newline
from smtpproto._wire.plain import PlainDecoder

octets = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b"\0", b"\x85", b"\xff"])).map(
    b"".join
)


@pytest.mark.parametrize(
    ("pieces", "passed", "bare", "unfinished"),
    [
        ([b"a\r\nb"], b"a\r\nb", False, False),
        ([b"a\r", b"\nb"], b"a\r\nb", False, False),
        ([b"a\r", b"", b"\nb"], b"a\r\nb", False, False),
        ([b"a\r", b"b"], b"a", True, False),
        ([b"a\r"], b"a", False, True),
        ([b"a\n", b"b"], b"a", True, False),
        ([b"a\r\n", b"\nb"], b"a\r\n", True, False),
        ([b"a\r", b"\r\n"], b"a", True, False),
    ],
)
def test_what_passes(pieces: list[bytes], passed: bytes, bare: bool, unfinished: bool) -> None:
    decoder = PlainDecoder(strict=True)
    assert b"".join(map(decoder.decode, pieces)) == passed
    assert decoder.bare is bare
    assert decoder.unfinished is unfinished


@given(octets, st.lists(st.integers(0, 40)))
def test_cutting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    decoder = PlainDecoder(strict=True)
    passed = b"".join(decoder.decode(data[a:b]) for a, b in itertools.pairwise(edges))
    position = bare_newline(data)
    assert (decoder.bare or decoder.unfinished) is (position >= 0)
    assert passed == (data[:position] if position >= 0 else data)


@given(octets)
def test_anything_may_come_where_nobody_is_strict(data: bytes) -> None:
    decoder = PlainDecoder(strict=False)
    assert decoder.decode(data) == data
    assert not decoder.bare
    assert not decoder.unfinished
