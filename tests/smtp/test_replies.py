"""Replies and enhanced status codes, read and written (RFC 5321 section 4.2, RFC 2034, 3463)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, RemoteProtocolError, strategies
from smtpproto.smtp import EnhancedStatus, Reply
from smtpproto.smtp._replies import ReplyReader


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (Reply(250, "OK"), b"250 OK\r\n"),
        (Reply(250), b"250 OK\r\n"),
        (Reply(599), b"599 \r\n"),
        (Reply(250, ""), b"250 \r\n"),
        (Reply(250, "mx.example", "SIZE", "HELP"), b"250-mx.example\r\n250-SIZE\r\n250 HELP\r\n"),
        (Reply(250, "", ""), b"250-\r\n250 \r\n"),
        (Reply(250, "OK", enhanced="2.1.5"), b"250 2.1.5 OK\r\n"),
        (
            Reply(550, "no", "such user", enhanced=EnhancedStatus(5, 1, 1)),
            b"550-5.1.1 no\r\n550 5.1.1 such user\r\n",
        ),
        (Reply(221, "", enhanced="2.0.0"), b"221 2.0.0\r\n"),
        (Reply(250, "a\tb"), b"250 a\tb\r\n"),
        (Reply(250, " spaced "), b"250  spaced \r\n"),
        (Reply(250, "é"), "250 é\r\n".encode()),
        (Reply(250, "caf\udce9"), b"250 caf\xe9\r\n"),
    ],
)
def test_wire(reply: Reply, wire: bytes) -> None:
    assert bytes(reply) == wire
    assert Reply.parse(wire) == reply


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250\r\n", Reply(250, "")),
        (b"250-\r\n250\r\n", Reply(250, "", "")),
        (b"250-a\r\n250\r\n", Reply(250, "a", "")),
        (b"220 caf\xe9\r\n", Reply(220, "caf\udce9")),
        (b"220 bell\x07 \x1b[1m \x7f\r\n", Reply(220, "bell? ?[1m ?")),
        (b"550 5.1.1\r\n", Reply(550, "", enhanced="5.1.1")),
    ],
)
def test_what_servers_write_beside_the_grammar(wire: bytes, reply: Reply) -> None:
    assert Reply.parse(wire) == reply


@pytest.mark.parametrize(
    "wire",
    [
        b"", b"\r\n", b"250 OK", b"250 OK\n", b"250 OK\r", b"25\r\n", b"2500\r\n", b"250OK\r\n",
        b"250_OK\r\n", b"199 x\r\n", b"600 x\r\n", b"000 x\r\n", b"25x OK\r\n", b" 250 OK\r\n",
        b"+50 x\r\n", b"\xd9\xa2\xd9\xa5\xd9\xa0 x\r\n", b"250-OK\r\n", b"250-a\r\n251 b\r\n",
        b"250-a\r\n\r\n250 b\r\n", b"250 a\r\n250 b\r\n", b"250 a\rb\r\n", b"250 a\nb\r\n",
        b"250 a\0b\r\n", b"250-a\r\n250\tb\r\n", b"-ERR no\r\n", b"+OK\r\n", b"250 a\r\nx",
    ],
)  # fmt: skip
def test_what_is_no_reply(wire: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Reply.parse(wire)


@pytest.mark.parametrize(
    ("wire", "enhanced", "text"),
    [
        (b"250 2.1.5 OK\r\n", EnhancedStatus(2, 1, 5), "OK"),
        (b"250-2.1.5 a\r\n250 2.1.5 b\r\n", EnhancedStatus(2, 1, 5), "a\nb"),
        (b"250-2.1.5 a\r\n250 b\r\n", EnhancedStatus(2, 1, 5), "a\nb"),
        (b"450 4.999.0\r\n", EnhancedStatus(4, 999, 0), ""),
        (b"550 4.1.1 of another class\r\n", None, "4.1.1 of another class"),
        (b"354 3.0.0 go\r\n", None, "3.0.0 go"),
        (b"354 2.0.0 go\r\n", None, "2.0.0 go"),
        (b"250 2.1 OK\r\n", None, "2.1 OK"),
        (b"250 2.1.5x\r\n", None, "2.1.5x"),
        (b"250 2.1.1000 x\r\n", None, "2.1.1000 x"),
        (b"250 2.01.5 x\r\n", None, "2.01.5 x"),
        (b"220 mx.example\r\n", None, "mx.example"),
    ],
)
def test_the_enhanced_status_code(wire: bytes, enhanced: EnhancedStatus | None, text: str) -> None:
    reply = Reply.parse(wire)
    assert reply.enhanced == enhanced
    assert reply.text == text
    assert bytes(reply).rstrip() == wire.rstrip()


@pytest.mark.parametrize("code", [-1, 0, 100, 199, 600, 999, 2500])
def test_codes_that_are_none(code: int) -> None:
    with pytest.raises(LocalProtocolError, match="200 to 599"):
        Reply(code, "x")


@pytest.mark.parametrize("text", ["a\r\n250 b", "a\nb", "a\rb", "a\0", "\x1b[0m", "\x7f", "\ud800"])
def test_texts_that_cannot_be_written(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        Reply(250, "fine", text)


@pytest.mark.parametrize(
    ("code", "enhanced"),
    [(250, "5.1.1"), (550, "2.0.0"), (354, "2.0.0"), (250, "2.0"), (250, "x"), (250, "2.1.1\r\n")],
)
def test_enhanced_codes_that_do_not_go_with_the_reply(code: int, enhanced: str) -> None:
    with pytest.raises(LocalProtocolError):
        Reply(code, "x", enhanced=enhanced)


@pytest.mark.parametrize(
    "text",
    ["", "1.0.0", "3.0.0", "6.0.0", "2.0", "2.0.0.0", "2.1000.0", "2.00.0", " 2.0.0", "٢.0.0"],
)
def test_what_is_no_enhanced_status(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        EnhancedStatus.parse(text)


@pytest.mark.parametrize("fields", [(3, 0, 0), (2, -1, 0), (2, 0, -1), (2, 1000, 0), (5, 0, 1000)])
def test_enhanced_statuses_out_of_range(fields: tuple[int, int, int]) -> None:
    with pytest.raises(LocalProtocolError):
        EnhancedStatus(*fields)


@given(strategies.enhanced_statuses())
def test_enhanced_statuses_round_trip(status: EnhancedStatus) -> None:
    assert EnhancedStatus.parse(str(status)) == status


@pytest.mark.parametrize("code", [200, 299, 300, 399, 400, 499, 500, 599])
def test_severity_is_the_first_digit(code: int) -> None:
    assert Reply(code, "text").severity == int(str(code)[0])


@given(strategies.smtp_replies())
def test_round_trip(reply: Reply) -> None:
    wire = bytes(reply)
    assert Reply.parse(wire) == reply
    assert bytes(Reply.parse(wire)) == wire
    assert reply.severity == int(wire[:1])
    *first, last = wire.removesuffix(b"\r\n").split(b"\r\n")
    assert last.startswith(b"%d " % reply.code)
    assert all(line.startswith(b"%d-" % reply.code) for line in first)


@given(st.lists(strategies.smtp_replies(), max_size=5))
def test_the_reader_takes_replies_apart(replies: list[Reply]) -> None:
    reader = ReplyReader(65536)
    read = []
    for line in b"".join(map(bytes, replies)).split(b"\r\n")[:-1]:
        reply = reader.read(line)
        if reply is not None:
            read.append(reply)
        assert reader.within_reply is (reply is None)
    assert read == replies


@given(st.integers(200, 599), st.text())
def test_injection_is_impossible(code: int, text: str) -> None:
    """No text makes a second line of a reply."""
    try:
        wire = bytes(Reply(code, text))
    except LocalProtocolError:
        return
    assert wire.endswith(b"\r\n")
    assert not set(b"\r\n\0") & set(wire[:-2])


def test_a_reply_over_the_limit() -> None:
    reader = ReplyReader(100)
    assert reader.read(b"250-" + b"x" * 50) is None
    with pytest.raises(RemoteProtocolError, match="longer than 100 octets"):
        reader.read(b"250-" + b"x" * 50)


@pytest.mark.parametrize("end", [b"", b"\x7f", b"\xff"])
def test_the_limit_of_a_whole_reply_is_for_several_lines(end: bytes) -> None:
    """One line has a limit of its own, whatever octets it holds."""
    reply = ReplyReader(100).read(b"250 " + b"x" * 100 + end)
    assert reply is not None
    assert reply.code == 250


def test_repr() -> None:
    assert repr(Reply(550, "no", "way")) == "Reply(550, 'no', 'way')"
    assert repr(EnhancedStatus(5, 1, 1)) == "EnhancedStatus(klass=5, subject=1, detail=1)"
