"""Lines: complete, bounded, and the same however they are cut."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto._wire.lines import LineBuffer, LineTooLong


def lines(wire: bytes, cut: int, limit: int, *, bare_lf: bool = False) -> list[bytes | str]:
    """Every line of `wire` in pieces of `cut` octets; too long ones as 'too long: ...'."""
    buffer = LineBuffer(bare_lf=bare_lf)
    result: list[bytes | str] = []
    for start in range(0, len(wire), cut):
        buffer.append(wire[start : start + cut])
        while True:
            try:
                line = buffer.next_line(limit)
            except LineTooLong as too_long:
                result.append(f"too long: {too_long.start.decode()}")
                continue
            if line is None:
                break
            result.append(line)
        assert len(buffer) <= max(limit, cut)
    return result


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
def test_lines(cut: int) -> None:
    assert lines(b"NOOP\r\n\r\na\rb\nc\r\r\n\0\r\nhalf", cut, 512) == [
        b"NOOP",
        b"",
        b"a\rb\nc\r",
        b"\0",
    ]


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
def test_bare_lf_ends_a_line_where_allowed(cut: int) -> None:
    assert lines(b"NOOP\nQUIT\r\n\n", cut, 512, bare_lf=True) == [b"NOOP", b"QUIT", b""]


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_the_limit_counts_the_line_end(cut: int) -> None:
    assert lines(b"12345678\r\n123456789\r\nok\r\n", cut, 10) == [
        b"12345678",
        "too long: 12345678",
        b"ok",
    ]


@pytest.mark.parametrize("cut", [1, 5, 512, 100_000])
def test_an_endless_line_is_not_stored(cut: int) -> None:
    wire = b"x" * 20_000 + b"\r" * 9 + b"\r\nok\r\n"
    assert lines(wire, cut, 600) == ["too long: " + "x" * 512, b"ok"]


@given(st.binary(max_size=60).map(lambda b: b.replace(b"\xff", b"\r\n")), st.integers(1, 9))
def test_cutting_changes_nothing(wire: bytes, cut: int) -> None:
    wire = bytes(octet & 0x7F for octet in wire)
    for bare_lf in (False, True):
        whole = lines(wire, 1000, 12, bare_lf=bare_lf)
        assert lines(wire, cut, 12, bare_lf=bare_lf) == whole


def test_octets() -> None:
    buffer = LineBuffer()
    buffer.append(b"")
    assert buffer.at_line_start
    assert buffer.first_octet() is None
    buffer.append(memoryview(b"abc\r\ndef"))
    assert not buffer.at_line_start
    assert buffer.first_octet() == ord("a")
    assert buffer.peek(2) == b"ab"
    assert buffer.take(3) == b"abc"
    buffer.skip(2)
    assert len(buffer) == 3
    assert buffer.take(100) == b"def"
    buffer.append(b"left")
    buffer.clear()
    assert len(buffer) == 0


def test_an_overlong_line_is_not_the_start_of_the_next() -> None:
    buffer = LineBuffer()
    buffer.append(b"x" * 20 + b"\r")
    assert buffer.next_line(10) is None
    assert not buffer.at_line_start
    buffer.append(b"\n")
    with pytest.raises(LineTooLong) as caught:
        buffer.next_line(10)
    assert caught.value.start == b"x" * 8
    assert buffer.at_line_start


def test_what_is_read_as_fast_as_it_comes_is_never_copied() -> None:
    buffer = LineBuffer()
    piece = b"x" * 1000
    buffer.append(piece)
    assert buffer.peek(1000) is piece


@pytest.mark.parametrize(
    "ask", [lambda buffer: buffer.next_line(512), lambda buffer: buffer.peek(1)]
)
def test_what_has_been_read_is_let_go(ask: Callable[[LineBuffer], bytes | None]) -> None:
    piece = b"NOOP\r\n" * 1000
    references = sys.getrefcount(piece)
    buffer = LineBuffer()
    buffer.append(piece)
    for _ in range(1000):
        assert buffer.next_line(512) == b"NOOP"
    assert not ask(buffer)
    assert sys.getrefcount(piece) == references


def test_half_a_line_does_not_hold_the_piece_it_came_in() -> None:
    piece = b"NOOP\r\n" * 1000 + b"QUI"
    references = sys.getrefcount(piece)
    buffer = LineBuffer()
    buffer.append(piece)
    for _ in range(1000):
        assert buffer.next_line(512) == b"NOOP"
    assert buffer.next_line(512) is None
    assert sys.getrefcount(piece) == references
    buffer.append(b"T\r\n")
    assert buffer.next_line(512) == b"QUIT"
