"""xtext (RFC 3461 section 4) and unitext (RFC 6533 section 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError
from smtpproto.smtp import from_unitext, from_xtext, to_unitext, to_xtext


class TestXtext:
    @pytest.mark.parametrize(
        ("text", "xtext"),
        [
            ("", ""), ("abc", "abc"), ("a b", "a+20b"), ("+=", "+2B+3D"),
            ("<a@b>", "<a@b>"), ("\0\r\n\x7f", "+00+0D+0A+7F"),
        ],
    )  # fmt: skip
    def test_both_ways(self, text: str, xtext: str) -> None:
        assert to_xtext(text) == xtext
        assert from_xtext(xtext) == text

    @pytest.mark.parametrize("xtext", ["+", "+2", "+2b", "+G0", "a b", "a=b", "\xe9", "+80", "a\n"])
    def test_what_is_none(self, xtext: str) -> None:
        with pytest.raises(ValueError, match="not"):
            from_xtext(xtext)

    def test_what_it_cannot_write(self) -> None:
        with pytest.raises(LocalProtocolError, match="not ASCII"):
            to_xtext("\xe9")

    @given(st.text(st.characters(max_codepoint=0x7F)))
    def test_round_trip(self, text: str) -> None:
        assert from_xtext(to_xtext(text)) == text


class TestUnitext:
    @pytest.mark.parametrize(
        ("text", "unitext"),
        [
            ("a@b", "a@b"), ("a b", r"a\x{20}b"), ("+=\\", r"\x{2B}\x{3D}\x{5C}"),
            ("é@ü", r"\x{E9}@\x{FC}"), ("\U0001f4e7", r"\x{1F4E7}"), ("\n\x7f", r"\x{0A}\x{7F}"),
        ],
    )  # fmt: skip
    def test_both_ways(self, text: str, unitext: str) -> None:
        assert to_unitext(text) == unitext
        assert from_unitext(unitext) == text

    def test_utf8_is_read_as_it_is(self) -> None:
        assert from_unitext(r"é@b\x{FC}cher") == "é@bücher"

    @pytest.mark.parametrize(
        "unitext",
        ["a b", "a+b", "a=b", "\\", r"\x{2}", r"\x{e9}", r"\x{1234567}", r"\x{110000}", "\ud800"],
    )
    def test_what_is_none(self, unitext: str) -> None:
        with pytest.raises(ValueError, match=r"not unitext|range"):
            from_unitext(unitext)

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_round_trip(self, text: str) -> None:
        assert from_unitext(to_unitext(text)) == text
        assert to_unitext(text).isascii()
