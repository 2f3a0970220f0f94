"""Bare CR and LF: where the first one stands, and how a message is rid of them."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError
from smtpproto._wire.newlines import NewlineRepair, bare_newline

octets = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b"\0", b"\x85", b"\xff"])).map(
    b"".join
)


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"", -1),
        (b"text", -1),
        (b"\r\n", -1),
        (b"a\r\n\r\nb", -1),
        (b"\n", 0),
        (b"\r", 0),
        (b"a\nb", 1),
        (b"a\rb", 1),
        (b"\r\r\n", 0),
        (b"\r\n\n", 2),
        (b"\r\n\r", 2),
        (b"\n\r", 0),
        (b"a\r\nb\r\0\n", 4),
        (b"\x85\x0b\x0c\x1c\xe2\x80\xa8", -1),
    ],
)
def test_bare_newline(data: bytes, position: int) -> None:
    assert bare_newline(data) == position


@given(octets)
def test_bare_newline_in_anything(data: bytes) -> None:
    found = re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert bare_newline(data) == (found.start() if found else -1)


class TestRepair:
    @pytest.mark.parametrize(
        ("pieces", "repaired"),
        [
            ([], b""),
            ([b"a"], b"a\r\n"),
            ([b"a\r\n"], b"a\r\n"),
            ([b"a\nb\rc\r\n\n"], b"a\r\nb\r\nc\r\n\r\n"),
            ([b"a\r", b"\nb"], b"a\r\nb\r\n"),
            ([b"a\r", b"b"], b"a\r\nb\r\n"),
            ([b"a\r", b"", b"\r\n"], b"a\r\n\r\n"),
            ([b"a\r"], b"a\r\n"),
            ([b"\n\r"], b"\r\n\r\n"),
        ],
    )
    def test_every_newline_becomes_crlf(self, pieces: list[bytes], repaired: bytes) -> None:
        repair = NewlineRepair()
        assert b"".join(map(repair.repair, pieces)) + repair.finish() == repaired

    @pytest.mark.parametrize("first", [b"a", b"a\r", b"a\r\n"])
    def test_the_next_message_may_follow(self, first: bytes) -> None:
        repair = NewlineRepair()
        assert repair.repair(first) + repair.finish() == b"a\r\n"
        assert repair.at_line_start
        assert repair.repair(b"b") + repair.finish() == b"b\r\n"

    @given(octets, st.lists(st.integers(0, 20)))
    def test_however_it_is_cut(self, message: bytes, cuts: list[int]) -> None:
        places = [0, *sorted(cuts), len(message)]
        repair = NewlineRepair()
        out = b"".join(repair.repair(message[a:b]) for a, b in itertools.pairwise(places))
        whole = NewlineRepair()
        assert out + repair.finish() == whole.repair(message) + whole.finish()
        assert bare_newline(out) == -1

    @pytest.mark.parametrize("pieces", [[b"a\nb"], [b"a\r", b"b"], [b"a\r"]])
    def test_strict(self, pieces: list[bytes]) -> None:
        repair = NewlineRepair(strict=True)
        with pytest.raises(LocalProtocolError, match="a CR without LF or a LF without CR"):
            _ = [repair.repair(piece) for piece in pieces], repair.finish()
