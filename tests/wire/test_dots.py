"""Transparency: RFC 5321 section 4.5.2; every ending that is none; every cut."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError
from smtpproto._wire.dots import DotDecoder, DotEncoder
from smtpproto._wire.newlines import bare_newline

# Text in which everything that matters here is common.
octets = st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\0", b"\xff"])).map(
    b"".join
)
cuts = st.lists(st.integers(0, 60))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def decode(data: bytes, cuts: list[int], *, strict: bool = True) -> tuple[bytes, bool, bytes, bool]:
    """Content, ended, what follows, bare."""
    decoder = DotDecoder(strict=strict)
    content = b""
    left = pieces(data, cuts)
    while left and not decoder.ended:
        content += decoder.decode(left.pop(0))
        if decoder.unused:
            left.insert(
                0, data[len(data) - len(b"".join(left)) - decoder.unused :][: decoder.unused]
            )
    return content, decoder.ended, b"".join(left), decoder.bare


def reference(data: bytes) -> tuple[bytes, bool, bytes]:
    """What RFC 5321 section 4.5.2 says, line by line, with no thought of speed."""
    content = b""
    while b"\r\n" in data:
        line, _, data = data.partition(b"\r\n")
        if line == b".":
            return content, True, data
        content += (line[1:] if line.startswith(b".") else line) + b"\r\n"
    return content, False, data


class TestDecoder:
    @pytest.mark.parametrize(
        ("wire", "content"),
        [
            (b".\r\n", b""),
            (b"\r\n.\r\n", b"\r\n"),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"a\r\n..\r\n...\r\n.\r\n", b"a\r\n.\r\n..\r\n"),
            (b"a\0b\r\n.\r\n", b"a\0b\r\n"),
            (b"\xe9\r\n.\r\n", b"\xe9\r\n"),
        ],
    )
    def test_content(self, wire: bytes, content: bytes) -> None:
        for cut in range(len(wire) + 1):
            assert decode(wire + b"QUIT\r\n", [cut]) == (content, True, b"QUIT\r\n", False)

    @pytest.mark.parametrize(
        "ending",
        [
            b"\n.\n",
            b"\n.\r\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\n",
            b"\r\n.\r",
            b"\r\r\n.\r\r\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
            b"\r\n\0.\0\r\n",
            b"\n\r\n.\n\r\n",
            b"\n\n.\r\n",
            b"\r\n.\r\r\n",
            b"\r\n.\n\r\n",
            b"\r\n .\r\n",
            b"\r\n. \r\n",
            b"\n.\r",
            b"\r.\n",
        ],
    )
    def test_smuggling_endings_end_nothing(self, ending: bytes) -> None:
        """And those with a bare CR or LF are seen as such, exactly where they stand."""
        wire = b"one" + ending + b"MAIL FROM:<evil@example>\r\n"
        bare = re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
        for first, second in itertools.combinations_with_replacement(range(len(wire) + 1), 2):
            content, ended, _, seen = decode(wire + b".\r\n", [first, second])
            assert ended
            assert seen is (bare is not None)
            if bare:
                before = reference(wire[: bare.start()] + b"x\r\n")[0]
                assert content + b"x\r\n" == before
            assert decode(wire, [first, second])[1] is False

    @given(octets, cuts)
    @example(b"\r\n.\r\n.\r\n", [4])
    @example(b".\r", [1])
    def test_agrees_with_the_naive_reading(self, data: bytes, cuts: list[int]) -> None:
        content, ended, rest = reference(data)
        got, got_ended, got_rest, _ = decode(data, cuts, strict=False)
        assert got_ended is ended
        if ended:
            assert (got, got_rest) == (content, rest)
        else:
            assert (content + rest.removeprefix(b".")).startswith(got)

    @given(octets, cuts)
    def test_cutting_changes_nothing(self, data: bytes, cuts: list[int]) -> None:
        for strict in (True, False):
            whole = decode(data, [], strict=strict)
            assert decode(data, cuts, strict=strict) == whole
            assert decode(data, list(range(len(data))), strict=strict) == whole

    @given(octets)
    def test_content_before_a_bare_newline_is_given(self, data: bytes) -> None:
        wire = data + b"\r\n.\r\n"
        strict, _, _, bare = decode(wire, [])
        lenient, _, _, _ = decode(wire, [], strict=False)
        position = bare_newline(lenient)
        assert bare is (position >= 0)
        assert strict == (lenient[:position] if bare else lenient)


class TestEncoder:
    @pytest.mark.parametrize(
        ("content", "wire"),
        [
            (b"", b".\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n..\r\n", b"..\r\n...\r\n.\r\n"),
            (b"a\nb\rc\r\nd", b"a\r\nb\r\nc\r\nd\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"\r\r\n\n", b"\r\n\r\n\r\n.\r\n"),
        ],
    )
    def test_wire(self, content: bytes, wire: bytes) -> None:
        for cut in range(len(content) + 1):
            encoder = DotEncoder()
            parts = [encoder.encode(content[:cut]), encoder.encode(content[cut:])]
            assert b"".join(parts) + encoder.finish() == wire

    @given(octets, cuts)
    def test_round_trip(self, content: bytes, cuts: list[int]) -> None:
        """And nothing that goes out could end the message for any reader, however sloppy."""
        encoder = DotEncoder()
        wire = b"".join(encoder.encode(piece) for piece in pieces(content, cuts))
        assert not re.search(rb"(^|[\r\n])\.([\r\n]|$)", wire)
        wire += encoder.finish()
        repaired = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
        if repaired and not repaired.endswith(b"\r\n"):
            repaired += b"\r\n"
        assert decode(wire, cuts) == (repaired, True, b"", False)

    @pytest.mark.parametrize("content", [b"a\nb", b"a\rb", b"\r\r\n", b"\n"])
    def test_strict_refuses_and_goes_on(self, content: bytes) -> None:
        encoder = DotEncoder(strict=True)
        with pytest.raises(LocalProtocolError, match="newlines='crlf'"):
            encoder.encode(content)
        assert encoder.encode(b".ok\r\n") + encoder.finish() == b"..ok\r\n.\r\n"

    def test_strict_takes_a_crlf_in_two_pieces(self) -> None:
        encoder = DotEncoder(strict=True)
        assert (
            encoder.encode(b"a\r") + encoder.encode(b"\nb") + encoder.finish() == b"a\r\nb\r\n.\r\n"
        )

    def test_strict_refuses_a_last_cr(self) -> None:
        encoder = DotEncoder(strict=True)
        encoder.encode(b"a\r")
        with pytest.raises(LocalProtocolError):
            encoder.finish()


@given(octets)
def test_bare_newline(data: bytes) -> None:
    found = re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert bare_newline(data) == (found.start() if found else -1)
