"""ServerConnection: the contract of a server, and what it answers by itself.

`server(...)` is one that has greeted. `talk` plays a client that writes and an application that
accepts whatever it is asked: it gives the octets of the answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import InvalidValueError, LocalProtocolError, smtp
from smtpproto.smtp import ServerConnection, State, ext
from smtpproto.smtp._replies import standard

EHLO = b"EHLO client.example\r\n"
MAIL = b"MAIL FROM:<a@client.example>\r\n"
RCPT = b"RCPT TO:<b@mx.example>\r\n"
RCPT_2 = b"RCPT TO:<c@mx.example>\r\n"
DATA = b"DATA\r\n"

OFFERED = (
    ext.Pipelining(),
    ext.Size(1000),
    ext.EightBitMime(),
    ext.BinaryMime(),
    ext.Chunking(),
    ext.SmtpUtf8(),
    ext.StartTls(),
    ext.Auth("PLAIN", "CRAM-MD5"),
)
ENHANCED = ext.EnhancedStatusCodes()


def server(*extensions: smtp.Extension, **options: Any) -> ServerConnection:
    conn = ServerConnection("mx.example", extensions=extensions, **options)
    conn.accept()
    assert conn.data_to_send()
    return conn


def talk(conn: ServerConnection, octets: bytes) -> bytes:
    conn.receive_data(octets)
    for event in conn.events():
        if isinstance(event, smtp.Auth | smtp.AuthResponse):
            conn.authenticated("somebody")
        elif isinstance(event, smtp.Request):
            conn.accept()
    return conn.data_to_send()


def state(conn: ServerConnection) -> State:
    return conn.state


def events(conn: ServerConnection, octets: bytes = b"") -> list[smtp.Event]:
    """What comes out without any answer."""
    if octets:
        conn.receive_data(octets)
    return list(conn.events())


def at(octets: bytes, *extensions: smtp.Extension, **options: Any) -> ServerConnection:
    """A server that has read `octets` and accepted everything in them."""
    conn = server(*extensions, **options)
    if octets:
        talk(conn, octets)
    return conn


def codes(written: bytes) -> list[int]:
    """The code of each reply."""
    return [int(line[:3]) for line in written.splitlines() if line[3:4] != b"-"]


def last_event(conn: ServerConnection) -> smtp.Event:
    return events(conn)[-1]


# -- section 2: the loop --------------------------------------------------------------------------


def test_a_session() -> None:
    """The loop of the README, with an application that knows one user."""
    conn = ServerConnection("mx.example", extensions=[ext.Pipelining(), ext.Size(10_000_000)])
    conn.accept()
    assert conn.data_to_send() == b"220 mx.example ESMTP\r\n"
    message, stored = b"", []

    def read(data: bytes) -> bytes:
        nonlocal message
        conn.receive_data(data)
        for event in conn.events():
            match event:
                case smtp.Rcpt(address) if str(address) != "bob@mx.example":
                    conn.reject(550, "No such user here", enhanced="5.1.1")
                case smtp.MessageData(data):
                    message += data
                case smtp.EndOfMessage():
                    stored.append((conn.envelope, message))
                    conn.accept("queued as 1")
                case smtp.Request():
                    conn.accept()
        return conn.data_to_send()

    assert read(b"EHLO client.example\r\n") == (
        b"250-mx.example greets client.example\r\n250-PIPELINING\r\n250 SIZE 10000000\r\n"
    )
    assert (
        read(
            b"MAIL FROM:<alice@client.example> SIZE=30\r\n"
            b"RCPT TO:<eve@mx.example>\r\n"
            b"RCPT TO:<bob@mx.example>\r\n"
            b"DATA\r\n"
        )
        == b"250 Sender OK\r\n550 5.1.1 No such user here\r\n250 Recipient OK\r\n"
        b"354 Start mail input; end with <CRLF>.<CRLF>\r\n"
    )
    assert read(b"Subject: dots\r\n\r\n..\r\n.\r\nQUIT\r\n") == (
        b"250 queued as 1\r\n221 mx.example Service closing transmission channel\r\n"
    )
    assert conn.closed
    mail = smtp.Mail("alice@client.example", size=30)
    assert stored == [
        (smtp.Envelope(mail, [smtp.Rcpt("bob@mx.example")]), b"Subject: dots\r\n\r\n.\r\n")
    ]


def test_the_greeting_is_owed_before_any_event() -> None:
    conn = ServerConnection("mx.example")
    assert state(conn) is State.GREETING
    assert conn.owed == smtp.Greeting()
    conn.receive_data(b"EHLO client.example\r\n")
    assert conn.next_event() == smtp.Greeting()
    assert conn.next_event() is None
    conn.accept("ready")
    assert conn.data_to_send() == b"220 mx.example ready\r\n"
    assert state(conn) is State.CONNECTED
    assert conn.next_event() == smtp.Ehlo("client.example")


def test_after_the_greeting_there_is_only_reading() -> None:
    conn = ServerConnection("mx.example")
    assert not conn.wants_data
    conn.accept()
    assert conn.wants_data


@pytest.mark.parametrize("domain", ["", "two words", "mx.example\r\n250 evil", "a\0b"])
def test_a_domain_that_is_no_word(domain: str) -> None:
    with pytest.raises(LocalProtocolError):
        ServerConnection(domain)


@pytest.mark.parametrize(
    ("line", "command", "reply"),
    [
        (b"NOOP", smtp.Noop(), b"250 2.0.0 OK\r\n"),
        (b"RSET", smtp.Rset(), b"250 2.0.0 OK\r\n"),
        (b"HELP", smtp.Help(), b"214 2.0.0 See RFC 5321\r\n"),
        (b"HELP MAIL", smtp.Help("MAIL"), b"214 2.0.0 See RFC 5321\r\n"),
        (
            b"VRFY bob",
            smtp.Vrfy("bob"),
            b"252 2.0.0 Cannot VRFY user, but will accept message and attempt delivery\r\n",
        ),
        (b"EXPN all", smtp.Expn("all"), b"252 2.0.0 Cannot EXPN list\r\n"),
        (b"xclient NAME=a", smtp.Extended("XCLIENT", "NAME=a"), b"250 2.0.0 OK\r\n"),
        (b"MAIL FROM:<a@b.example>", smtp.Mail("a@b.example"), b"250 2.1.0 Sender OK\r\n"),
        (b"mail from: <a@b.example>", smtp.Mail("a@b.example"), b"250 2.1.0 Sender OK\r\n"),
        (b"MAIL\tFROM:\t<a@b.example>", smtp.Mail("a@b.example"), b"250 2.1.0 Sender OK\r\n"),
        (b"NOOP a b\tc", smtp.Noop("a b c"), b"250 2.0.0 OK\r\n"),
        (b"MAIL FROM:<>", smtp.Mail(None), b"250 2.1.0 Sender OK\r\n"),
        (b"SEND FROM:<a@b.example>", smtp.SendMail("a@b.example"), b"250 2.1.0 Sender OK\r\n"),
        (b"HELO a.example", smtp.Helo("a.example"), b"250 mx.example greets a.example\r\n"),
        (b"QUIT", smtp.Quit(), b"221 2.0.0 mx.example Service closing transmission channel\r\n"),
    ],
)
def test_what_accept_says(line: bytes, command: smtp.Command, reply: bytes) -> None:
    conn = at(EHLO, ENHANCED, ext.Expn(), ext.Send(), ext.Verb("XCLIENT"))
    assert events(conn, line + b"\r\n") == [command]
    assert conn.owed == command
    conn.accept()
    assert conn.data_to_send() == reply
    # RFC 2034 section 4: no enhanced code but where it is offered
    plain = at(EHLO, ext.Expn(), ext.Send(), ext.Verb("XCLIENT"))
    assert talk(plain, line + b"\r\n") == re.sub(rb" 2\.\d\.\d ", b" ", reply)


@pytest.mark.parametrize("line", [b"NOOP", b"HELP", b"VRFY bob", b"RSET"])
def test_allowed_before_ehlo(line: bytes) -> None:
    assert codes(talk(server(), line + b"\r\n"))[0] in (214, 250, 252)


def test_one_reply_each_in_order() -> None:
    conn = server(ext.Pipelining())
    assert events(conn, EHLO + MAIL + RCPT) == [smtp.Ehlo("client.example")]
    assert conn.owed == smtp.Ehlo("client.example")
    assert conn.next_event() is None
    assert not conn.wants_data
    conn.accept()
    assert conn.owed is None
    assert events(conn) == [smtp.Mail("a@client.example")]
    conn.reject(450, "later")
    assert conn.owed is None
    # the RCPT came too late for the MAIL, and nobody is asked about it
    assert [type(event) for event in events(conn)] == [smtp.CommandRefused]
    assert codes(conn.data_to_send()) == [250, 450, 503]
    assert conn.wants_data


@pytest.mark.parametrize(
    "answer",
    [
        lambda conn: conn.accept(),
        lambda conn: conn.reject(550, "no"),
        lambda conn: conn.send(smtp.Reply(250)),
        lambda conn: conn.send(smtp.AuthChallenge(b"")),
        lambda conn: conn.authenticated("somebody"),
    ],
)
def test_answering_what_is_not_owed(answer: Callable[[ServerConnection], None]) -> None:
    for conn in (at(EHLO), at(EHLO + MAIL + RCPT + DATA + b"half a message"), at(b"QUIT\r\n")):
        state = conn.state
        with pytest.raises(LocalProtocolError, match="no reply is owed"):
            answer(conn)
        assert conn.state is state
        assert conn.data_to_send() == b""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"NOOP", lambda conn: conn.send(smtp.Reply(354))),
        (b"NOOP", lambda conn: conn.send(smtp.Reply(334, ""))),
        (b"NOOP", lambda conn: conn.send(smtp.AuthChallenge(b"x"))),
        (b"NOOP", lambda conn: conn.send(b"250 OK\r\n")),
        (b"NOOP", lambda conn: conn.send(smtp.Quit())),
        (b"NOOP", lambda conn: conn.accept(250)),
        (b"NOOP", lambda conn: conn.reject(550, b"no")),
        (b"NOOP", lambda conn: conn.reject(250, "OK")),
        (b"NOOP", lambda conn: conn.reject(354, "OK")),
        (b"NOOP", lambda conn: conn.reject(600, "OK")),
        (b"NOOP", lambda conn: conn.reject(550, "no", enhanced="4.1.1")),
        (b"NOOP", lambda conn: conn.reject(550, "no", enhanced="5.1")),
        (b"NOOP", lambda conn: conn.authenticated("somebody")),
        (b"EHLO x", lambda conn: conn.reject(550, "no", enhanced="4.1.1")),
        (b"DATA", lambda conn: conn.send(smtp.Reply(250))),
        (b"STARTTLS", lambda conn: conn.send(smtp.Reply(250))),
        (b"AUTH CRAM-MD5", lambda conn: conn.accept()),
        (b"AUTH CRAM-MD5", lambda conn: conn.accept("welcome")),
        (b"AUTH CRAM-MD5", lambda conn: conn.send(smtp.Reply(235))),
        (b"AUTH CRAM-MD5", lambda conn: conn.send(smtp.Reply(250))),
        (b"AUTH CRAM-MD5", lambda conn: conn.send(smtp.Reply(334, "eA=="))),
        (b"AUTH CRAM-MD5", lambda conn: conn.send(smtp.AuthChallenge(b"x" * 12288))),
        (b"TURN", lambda conn: conn.accept()),
        (b"ATRN", lambda conn: conn.accept()),
        (b"ETRN example.org", lambda conn: conn.accept()),
        (b"BURL imap://x/y", lambda conn: conn.accept()),
        (b"BURL imap://x/y LAST", lambda conn: conn.accept()),
    ],
)
def test_misuse_changes_nothing(line: bytes, answer: Callable[[ServerConnection], None]) -> None:
    before = EHLO
    if line.startswith((b"DATA", b"BURL")):
        before += MAIL + RCPT
    if line == b"ATRN":
        before += b"AUTH EXTERNAL =\r\n"
    conn = at(
        before,
        *OFFERED[:-1],
        ext.Auth("CRAM-MD5", "EXTERNAL"),
        ext.Turn(),
        ext.Etrn(),
        ext.Atrn(),
        ext.Burl(),
    )
    (request,) = events(conn, line + b"\r\n")
    state, envelope, identity = conn.state, conn.envelope, conn.identity
    with pytest.raises((LocalProtocolError, TypeError)):
        answer(conn)
    assert (conn.state, conn.envelope, conn.identity) == (state, envelope, identity)
    assert conn.owed is request
    assert conn.data_to_send() == b""
    conn.reject(550, "no")
    assert conn.data_to_send() == b"550 no\r\n"
    assert codes(talk(conn, b"NOOP\r\n")) == [250]


def test_nobody_gets_in_by_a_catch_all() -> None:
    """Not with the last response of an exchange either."""
    conn = at(EHLO, ext.Auth("CRAM-MD5"))
    events(conn, b"AUTH CRAM-MD5\r\n")
    conn.send(smtp.AuthChallenge(b"<1@mx.example>"))
    assert conn.data_to_send() == b"334 PDFAbXguZXhhbXBsZT4=\r\n"
    assert events(conn, b"Ym9iIDEyMw==\r\n") == [smtp.AuthResponse(b"bob 123")]
    for reply in (smtp.Reply(235), smtp.Reply(250), smtp.Reply(235, enhanced="2.7.0")):
        with pytest.raises(LocalProtocolError):
            conn.send(reply)
    with pytest.raises(LocalProtocolError):
        conn.accept()
    assert conn.identity is None
    conn.authenticated("bob")
    assert conn.data_to_send() == b"235 Authentication succeeded\r\n"
    assert conn.identity == "bob"


def test_an_answer_that_comes_later() -> None:
    conn = at(EHLO)
    assert events(conn, MAIL + RCPT) == [smtp.Mail("a@client.example")]
    assert not conn.wants_data
    conn.receive_data(DATA)  # read all the same: it waits
    assert conn.next_event() is None
    conn.accept()
    assert events(conn) == [smtp.Rcpt("b@mx.example")]
    conn.accept()
    assert events(conn) == [smtp.Data()]


def test_backlog() -> None:
    conn = at(EHLO, limits=smtp.Limits(backlog=100))
    events(conn, b"NOOP\r\n")
    conn.receive_data(b"NOOP " + b"x" * 93 + b"\r\n")  # 100 octets
    with pytest.raises(LocalProtocolError, match=r"100 octets .* 1 more .* 100 .*wants_data"):
        conn.receive_data(b"Q")
    conn.accept()
    assert [type(event) for event in events(conn)] == [smtp.Noop]
    with pytest.raises(LocalProtocolError, match=r"0 octets .* 101 more"):
        conn.receive_data(b"x" * 101)
    conn.receive_data(b"NOOP " + b"x" * 55)
    with pytest.raises(LocalProtocolError, match=r"60 octets .* 41 more"):
        conn.receive_data(b"x" * 41)
    conn.receive_data(b"x" * 38 + b"\r\n")
    conn.accept()
    assert [type(event) for event in events(conn)] == [smtp.Noop]
    conn.accept()
    assert codes(conn.data_to_send()) == [250, 250, 250]
    assert events(conn) == []
    assert conn.wants_data
    # one read may bring more, when it was asked for
    assert codes(talk(conn, b"NOOP\r\n" * 100)) == [250] * 100


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(convert: Callable[[bytes], Any]) -> None:
    conn = at(EHLO)
    data = bytearray(MAIL + RCPT + DATA)
    conn.receive_data(convert(bytes(data)))
    assert events(conn) == [smtp.Mail("a@client.example")]


# -- the enhanced status code of refusals ---------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "line", "code", "status"),
    [
        (b"", b"EHLO x", 550, None),  # RFC 2034 section 4: never here
        (EHLO, b"MAIL FROM:<a@b.example>", 550, "5.1.0"),
        (EHLO, b"MAIL FROM:<a@b.example>", 451, "4.3.0"),
        (EHLO + MAIL, b"RCPT TO:<a@b.example>", 452, "4.3.1"),
        (EHLO + MAIL, b"RCPT TO:<a@b.example>", 550, "5.1.0"),
        (EHLO + MAIL + RCPT, b"DATA", 554, "5.0.0"),
        (EHLO + MAIL + RCPT + DATA, b".", 554, "5.6.0"),
        (EHLO, b"VRFY bob", 553, "5.1.0"),
        (EHLO, b"AUTH CRAM-MD5", 535, "5.7.8"),
        (EHLO, b"AUTH CRAM-MD5", 454, "4.7.0"),
        (EHLO, b"STARTTLS", 454, "4.7.0"),
        (EHLO, b"NOOP", 502, "5.5.1"),
    ],
)
def test_reject(before: bytes, line: bytes, code: int, status: str | None) -> None:
    conn = at(before, ENHANCED, *OFFERED)
    events(conn, line + b"\r\n")
    conn.reject(code, "not like this")
    head = f"{code} {status} " if status else f"{code} "
    assert conn.data_to_send() == head.encode() + b"not like this\r\n"

    plain = at(before, *OFFERED)
    events(plain, line + b"\r\n")
    plain.reject(code, "not like this")
    assert plain.data_to_send() == f"{code} not like this\r\n".encode()

    given = at(before, *OFFERED)
    events(given, line + b"\r\n")
    given.reject(code, "not like this", enhanced=f"{code // 100}.9.9")
    head = f"{code} {code // 100}.9.9 " if status else f"{code} "
    assert given.data_to_send() == head.encode() + b"not like this\r\n"


def test_400_is_a_refusal() -> None:
    conn = at(EHLO + MAIL)
    for line in (RCPT, b"RSET\r\n"):
        events(conn, line)
        conn.reject(400, "no")
    assert conn.envelope == smtp.Envelope(smtp.Mail("a@client.example"))
    assert codes(conn.data_to_send() + talk(conn, b"RSET\r\n")) == [400, 400, 250]
    events(conn, MAIL)
    conn.reject(400, "no")
    assert conn.envelope is None
    assert codes(conn.data_to_send() + talk(conn, RCPT * 40)) == [400, *[503] * 40]


def test_reject_without_words() -> None:
    conn = at(EHLO, ENHANCED)
    events(conn, b"NOOP\r\n")
    conn.reject(502)
    assert conn.data_to_send() == b"502 5.5.1 Command not implemented\r\n"


def test_a_reply_of_ones_own_is_written_as_it_is() -> None:
    conn = at(EHLO, ENHANCED)
    events(conn, b"VRFY bob\r\n")
    conn.send(smtp.Reply(250, "Bob Smith", "<bob@mx.example>"))
    assert conn.data_to_send() == b"250-Bob Smith\r\n250 <bob@mx.example>\r\n"


# -- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("two\nlines", b"550-5.1.0 two\r\n550 5.1.0 lines\r\n"),
        ("two\r\n250 lies", b"550-5.1.0 two\r\n550 5.1.0 250 lies\r\n"),
        ("a\0b\x1b[2J\x7f", b"550 5.1.0 a?b?[2J?\r\n"),
        ("gr\u00fc\u00dfe", b"550 5.1.0 gr??e\r\n"),
        ("\udcff", b"550 5.1.0 ?\r\n"),
        ("tab\there", b"550 5.1.0 tab\there\r\n"),
        ("", b"550 5.1.0\r\n"),
    ],
)
def test_what_a_session_cannot_carry_is_replaced(text: str, written: bytes) -> None:
    conn = at(EHLO, ENHANCED)
    events(conn, MAIL)
    conn.reject(550, text)
    assert conn.data_to_send() == written


def test_utf8_where_the_client_can_read_it() -> None:
    """RFC 6531 section 3.7.4.2."""
    conn = at(EHLO, ext.SmtpUtf8(), ext.EightBitMime())
    assert talk(conn, b"VRFY bob\r\n").startswith(b"252 ")
    for line in (
        b"VRFY bob SMTPUTF8",
        b"MAIL FROM:<a@b.example> SMTPUTF8",
        b"RCPT TO:<b@c.example>",
    ):
        events(conn, line + b"\r\n")
        conn.accept("gr\u00fc\u00df \ud800")
        assert conn.data_to_send() == b"250 gr\xc3\xbc\xc3\x9f ?\r\n".replace(
            b"250", b"252" if line.startswith(b"VRFY") else b"250"
        )
    talk(conn, b"RSET\r\n")
    events(conn, b"NOOP\r\n")
    conn.accept("gr\u00fc\u00df")
    assert conn.data_to_send() == b"250 gr??\r\n"


@given(st.text(max_size=3000) | st.text("ab \n\u00fc", min_size=400, max_size=3000), st.booleans())
def test_any_text_gives_a_reply_that_can_be_read(text: str, utf8: bool) -> None:
    conn = at(EHLO, ENHANCED, ext.SmtpUtf8(), ext.EightBitMime())
    mail = b"MAIL FROM:<a@b.example> SMTPUTF8\r\n" if utf8 else MAIL
    events(conn, mail)
    conn.accept(text)
    written = conn.data_to_send()
    reply = smtp.Reply.parse(written)
    assert reply.code == 250
    assert str(reply.enhanced) == "2.1.0"
    assert all(len(line) <= 512 for line in written.splitlines(keepends=True))
    assert utf8 or written.isascii()
    words = re.findall(r"[a-z]+", text)
    if len(text) < 2000 and len(text.splitlines()) < 90 and all(len(word) < 400 for word in words):
        assert re.findall(r"[a-z]+", reply.text) == words  # nothing is lost


def test_long_text_is_folded_at_a_space_or_between_characters() -> None:
    conn = at(EHLO, ext.SmtpUtf8(), ext.EightBitMime())
    events(conn, b"MAIL FROM:<a@b.example> SMTPUTF8\r\n")
    conn.accept("word " * 150 + "\n" + "\u00fc" * 400)
    lines = smtp.Reply.parse(conn.data_to_send()).lines
    assert " ".join(lines[:2]).split() == ["word"] * 150
    assert "".join(lines[2:]) == "\u00fc" * 400


def test_an_endless_text_is_cut() -> None:
    conn = at(EHLO)
    events(conn, b"NOOP\r\n")
    conn.accept("x" * 10_000_000)
    assert len(conn.data_to_send()) < 20_000
    events(conn, b"NOOP\r\n")
    conn.accept("\n" * 10_000)
    assert len(conn.data_to_send()) < 20_000


@pytest.mark.parametrize("text", [None, "hello\r\nbye", "\u00fc" * 2000, "x" * 2000])
def test_the_first_line_of_ehlo_is_one_line(text: str | None) -> None:
    conn = server(ext.EightBitMime(), ext.SmtpUtf8())
    events(conn, b"EHLO " + b"x" * 490 + b"\r\n")
    conn.accept(text)
    first, second, third = conn.data_to_send().splitlines(keepends=True)
    assert len(first) <= 512
    assert first.startswith(b"250-mx.example")
    assert (second, third) == (b"250-8BITMIME\r\n", b"250 SMTPUTF8\r\n")


# -- section 8: what the connection answers by itself ---------------------------------------------

IN_RCPT = EHLO + MAIL + RCPT
REFUSED = [
    # what came before, the line, the reply
    (b"", b"FOO bar", 500, "5.5.2"),
    (b"", b"", 500, "5.5.2"),
    (b"", b"LHLO client.example", 500, "5.5.2"),
    (b"", b"NO\0OP", 500, "5.5.2"),
    (b"", b"NOOP\0", 500, "5.5.2"),
    (b"", b"NO\rOP", 500, "5.5.2"),
    (b"", b"NO\nOP", 500, "5.5.2"),
    (b"", b"NOOP\r", 500, "5.5.2"),
    (b"", b"EXPN " + b"x" * 506, 500, "5.5.2"),  # too long comes before not offered: 502
    (b"", b"NOOP \x7f", 500, "5.5.2"),
    (EHLO, b'MAIL FROM:<"a\tb"@client.example>', 500, "5.5.2"),  # which is not <"a b"@...>
    (b"", b"NOOP \x1b[2J", 500, "5.5.2"),
    (b"", b"NOOP \xff", 500, "5.5.2"),
    (b"", b"NOOP " + b"x" * 506, 500, "5.5.2"),
    (b"", b"MAIL FROM:<a@b.example> X=" + b"x" * 3000, 500, "5.5.2"),
    (b"", b"EXPN list", 502, "5.5.1"),
    (b"", b"ETRN example.org", 502, "5.5.1"),
    (b"", b"ATRN", 502, "5.5.1"),
    (b"", b"TURN", 502, "5.5.1"),
    (b"", b"SEND FROM:<a@b.example>", 502, "5.5.1"),
    (b"", b"SOML FROM:<a@b.example>", 502, "5.5.1"),
    (b"", b"SAML FROM:<a@b.example>", 502, "5.5.1"),
    (b"", b"BURL imap://x LAST", 502, "5.5.1"),
    (b"", b"MAIL FROM:<a@b.example>", 503, "5.5.1"),
    (b"", b"RCPT TO:<a@b.example>", 503, "5.5.1"),
    (b"", b"DATA", 503, "5.5.1"),
    (b"", b"STARTTLS", 503, "5.5.1"),
    (b"", b"AUTH PLAIN", 503, "5.5.1"),
    (EHLO, b"RCPT TO:<a@b.example>", 503, "5.5.1"),
    (EHLO, b"DATA", 503, "5.5.1"),
    (EHLO + MAIL, b"MAIL FROM:<a@b.example>", 503, "5.5.1"),
    (EHLO + MAIL, b"DATA", 503, "5.5.1"),
    (EHLO + MAIL, b"STARTTLS", 503, "5.5.1"),
    (EHLO + MAIL, b"AUTH CRAM-MD5", 503, "5.5.1"),
    (IN_RCPT, b"MAIL FROM:<a@b.example>", 503, "5.5.1"),
    (IN_RCPT, b"AUTH CRAM-MD5", 503, "5.5.1"),
    (IN_RCPT + b"BDAT 2\r\nhi", b"DATA", 503, "5.5.1"),
    (IN_RCPT + b"BDAT 2\r\nhi", b"RCPT TO:<a@b.example>", 503, "5.5.1"),
    (b"", b"EHLO", 501, "5.5.4"),
    (b"", b"EHLO two words", 501, "5.5.4"),
    (b"", b"HELO", 501, "5.5.4"),
    (EHLO, b"MAIL", 501, "5.5.4"),
    (EHLO, b"MAIL a@b.example", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:", 501, "5.5.4"),
    (EHLO, b"MAIL TO:<a@b.example>", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> SIZE=many", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> SIZE", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> BODY=9BIT", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> SMTPUTF8=yes", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> SIZE=1 SIZE=1", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> =1", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a b@c.example>", 501, "5.1.7"),
    (EHLO, b"MAIL FROM:<a@b_c.example>", 501, "5.1.7"),
    (EHLO, b"MAIL FROM:<Postmaster>", 501, "5.1.7"),
    (EHLO, b"MAIL FROM:<a@b.example", 501, "5.1.7"),
    (EHLO + MAIL, b"RCPT TO:<a b@c.example>", 501, "5.1.3"),
    (EHLO + MAIL, b"RCPT TO:<>", 501, "5.1.3"),
    (EHLO + MAIL, b"RCPT TO:<bob>", 501, "5.1.3"),
    (EHLO + MAIL, b"RCPT TO:<a@[300.1.2.3]>", 501, "5.1.3"),
    (EHLO + MAIL, b"RCPT", 501, "5.5.4"),
    (EHLO, b"VRFY", 501, "5.5.4"),
    (EHLO, b"RSET now", 501, "5.5.4"),
    (EHLO, b"QUIT now", 501, "5.5.4"),
    (IN_RCPT, b"DATA now", 501, "5.5.4"),
    (EHLO, b"AUTH", 501, "5.5.4"),
    (EHLO, b"STARTTLS now", 501, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> FOO", 555, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> FOO=bar", 555, "5.5.4"),
    (EHLO, b"MAIL FROM:<a@b.example> RET=FULL", 555, "5.5.4"),
    (EHLO + MAIL, b"RCPT TO:<a@b.example> NOTIFY=NEVER", 555, "5.5.4"),
    (EHLO + MAIL, b"RCPT TO:<a@b.example> SIZE=1", 555, "5.5.4"),
    (EHLO, "MAIL FROM:<\u00fc@b.example>".encode(), 550, "5.6.7"),
    (EHLO + MAIL, "RCPT TO:<\u00fc@b.example>".encode(), 553, "5.6.7"),
    (EHLO, "VRFY \u00fc".encode(), 550, "5.6.7"),
    (EHLO, b"MAIL FROM:<a@b.example> SIZE=1001", 552, "5.3.4"),
    (EHLO, b"MAIL FROM:<a@b.example> SIZE=99999999999999999999", 552, "5.3.4"),
    (EHLO, b"AUTH GSSAPI", 504, "5.5.4"),
    (EHLO, b"AUTH PLAIN", 538, "5.7.11"),
    (EHLO, b"AUTH PLAIN AGJvYgBzZWNyZXQ=", 538, "5.7.11"),
    (EHLO, b"AUTH CRAM-MD5 Ym9i", 501, "5.7.0"),
    (EHLO, b"AUTH CRAM-MD5 =", 501, "5.7.0"),
    (EHLO, b"AUTH CRAM-MD5 !", 501, "5.5.2"),
    (IN_RCPT + b"BDAT 2\r\nhi", b"RSET now", 501, "5.5.4"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "line", "code", "status"), REFUSED)
def test_refused(before: bytes, line: bytes, code: int, status: str) -> None:
    conn = at(before, ENHANCED, *OFFERED)
    state, envelope = conn.state, conn.envelope
    (refused,) = events(conn, line + b"\r\n")
    assert isinstance(refused, smtp.CommandRefused)
    written = conn.data_to_send()
    assert written.startswith(f"{code} {status} ".encode())
    assert written == bytes(refused.reply)
    assert refused.line == line[:512] or b"AUTH" in line
    assert (conn.state, conn.envelope, conn.owed) == (state, envelope, None)
    assert codes(talk(conn, b"NOOP\r\n")) == [250]

    plain = at(before, *OFFERED)
    (refused,) = events(plain, line + b"\r\n")
    written = plain.data_to_send()
    assert re.match(rb"%d (?!\d\.)\S" % code, written)
    assert isinstance(refused, smtp.CommandRefused)
    assert written == bytes(refused.reply)


@pytest.mark.parametrize("line", ["MAIL FROM:<\u00fc@b.example>", "VRFY \u00fc", "NOOP \u00fc"])
def test_utf8_where_smtputf8_is_not_offered(line: str) -> None:
    conn = at(EHLO, ENHANCED)
    assert talk(conn, line.encode() + b"\r\n").startswith(b"500 5.5.2 ")
    conn = at(EHLO + MAIL, ENHANCED)
    assert talk(conn, "RCPT TO:<\u00fc@b.example>\r\n".encode()).startswith(b"500 5.5.2 ")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"MAIL FROM:<a@b.example> SIZE=1", b"SIZE"),
        (b"MAIL FROM:<a@b.example> BODY=7BIT", b"BODY"),
        (b"MAIL FROM:<a@b.example> BODY=8BITMIME", b"BODY"),
        (b"MAIL FROM:<a@b.example> BODY=BINARYMIME", b"BODY"),
        (b"MAIL FROM:<a@b.example> SMTPUTF8", b"SMTPUTF8"),
        (b"MAIL FROM:<a@b.example> AUTH=<>", b"AUTH"),
        (b"VRFY bob SMTPUTF8", b"SMTPUTF8"),
    ],
)
def test_a_parameter_that_is_not_offered(line: bytes, word: bytes) -> None:
    for extensions in ((ENHANCED,), (ENHANCED, ext.Unknown("X-SOMETHING"))):
        written = talk(at(EHLO, *extensions), line + b"\r\n")
        assert written.startswith(b"555 5.5.4 ")
        assert word in written


def test_body_binarymime_is_more_than_8bitmime() -> None:
    conn = at(EHLO, ENHANCED, ext.EightBitMime())
    line = b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n"
    assert talk(conn, line).startswith(b"555 5.5.4 ")
    assert codes(talk(conn, b"MAIL FROM:<a@b.example> BODY=8bitmime\r\n")) == [250]


def test_parameters_of_unknown_extensions_pass_through() -> None:
    conn = at(EHLO, ext.Unknown("X-SOMETHING"))
    (mail,) = events(conn, b"MAIL FROM:<a@b.example> X-FOO=bar X-ALONE\r\n")
    assert mail == smtp.Mail("a@b.example", {"X-FOO": "bar", "X-ALONE": True})


# the order: 500, 502, 503, 530 and 538, 501, 555, 553 and 550, 552 and 452
@pytest.mark.parametrize(
    ("before", "line", "code"),
    [
        (b"", b"EXPN \0", 500),  # not 502
        (b"", b"RCPT TO:<a@b.example>" + b" " * 1000 + b"\0", 500),  # not 503
        (EHLO + MAIL, b"ETRN x y", 502),  # not 503, not 501
        (b"", b"BURL", 502),  # not 503, not 501
        (b"", b"MAIL garbage", 503),  # not 501
        (EHLO, b"RCPT TO:<garbage> FOO=bar", 503),  # not 501, not 555
        (EHLO + MAIL, b"AUTH PLAIN", 503),  # not 538
        (EHLO + MAIL, b"AUTH GSSAPI !", 503),  # not 504, not 501
        (EHLO, b"AUTH PLAIN !", 538),  # not 501
        (EHLO, b"MAIL FROM:<garbage> FOO=bar", 501),  # not 555
        (EHLO, b"MAIL FROM:<a@b.example> FOO=bar SIZE=x", 501),  # not 555
        (EHLO, "MAIL FROM:<\u00fc@b.example> FOO=bar".encode(), 555),  # not 550
        (EHLO + MAIL, "RCPT TO:<\u00fc@b.example> FOO=bar".encode(), 555),  # not 553
        (EHLO, b"MAIL FROM:<a@b.example> SIZE=9999 FOO=bar", 555),  # not 552
        (EHLO, "MAIL FROM:<\u00fc@b.example> SIZE=9999".encode(), 550),  # not 552
        (EHLO + MAIL + RCPT + RCPT, b"RCPT TO:<garbage>", 501),  # not 452
        (EHLO + MAIL + RCPT + RCPT, b"RCPT TO:<a@b.example> FOO=bar", 555),  # not 452
        (EHLO + MAIL + RCPT + RCPT, "RCPT TO:<\u00fc@b.example>".encode(), 553),  # not 452
        (EHLO + MAIL + RCPT + RCPT, b"RCPT TO:<a@b.example>", 452),
    ],
)  # fmt: skip
def test_order_of_the_checks(before: bytes, line: bytes, code: int) -> None:
    conn = at(before, *OFFERED, limits=smtp.Limits(recipients=2))
    assert codes(talk(conn, line + b"\r\n")) == [code]


def test_what_is_wrong_comes_before_what_is_too_much() -> None:
    """In whatever order it is said, and offered."""
    for extensions in (
        (ext.Size(10), ext.FutureRelease(60)),
        (ext.FutureRelease(60), ext.Size(10)),
    ):
        conn = at(EHLO, *extensions)
        for parameters in (b"SIZE=11 HOLDFOR=61", b"HOLDFOR=61 SIZE=11"):
            assert codes(talk(conn, b"MAIL FROM:<a@b.example> %s\r\n" % parameters)) == [501]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"FOO", 500),
        (b"ETRN x", 502),
        (b"RCPT TO:<a@b.example>", 503),  # not 530
        (b"DATA", 503),
        (b"MAIL FROM:<a@b.example>", 530),
        (b"MAIL garbage", 530),  # not 501
        (b"MAIL FROM:<a@b.example> FOO=bar", 530),  # not 555
        (b"MAIL FROM:<a@b.example> SIZE=9999", 530),  # not 552
        (b"VRFY bob", 530),
        (b"NOOP", 250),
        (b"RSET", 250),
        (b"EHLO again", 250),
        (b"QUIT", 221),
    ],
)
@pytest.mark.parametrize("required", ["require_auth", "require_tls"])
def test_mail_without_what_the_server_requires(required: str, line: bytes, code: int) -> None:
    conn = at(EHLO, ENHANCED, *OFFERED, **{required: True})
    written = talk(conn, line + b"\r\n")
    assert codes(written) == [code]
    if code == 530:
        assert written.startswith(b"530 5.7.0 ")


def test_what_the_server_requires_can_be_done() -> None:
    extensions = (ENHANCED, ext.Verb("XCLIENT"), *OFFERED)
    conn = at(EHLO, *extensions, require_auth=True, require_tls=True)
    assert talk(conn, b"AUTH CRAM-MD5\r\n").startswith(b"530 5.7.0 ")
    assert codes(talk(conn, b"STARTTLS\r\n")) == [220]
    conn.tls_started()
    assert talk(conn, EHLO + MAIL).endswith(b"530 5.7.0 Authentication required\r\n")
    assert codes(talk(conn, b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n")) == [235]
    assert codes(talk(conn, b"XCLIENT NAME=a\r\n" + MAIL)) == [250, 250]


def test_too_many_recipients() -> None:
    conn = at(EHLO + MAIL, ENHANCED)
    assert set(codes(talk(conn, RCPT * 1000))) == {250}
    assert talk(conn, RCPT).startswith(b"452 4.5.3 ")
    assert codes(talk(conn, DATA + b".\r\n")) == [354, 250]
    # refused ones do not count
    conn = at(EHLO + MAIL, limits=smtp.Limits(recipients=1))
    events(conn, RCPT)
    conn.reject(550, "no")
    assert codes(talk(conn, RCPT + RCPT)) == [550, 250, 452]


# -- the command line's length --------------------------------------------------------------------


def line_of(length: int, start: bytes, end: bytes = b"") -> bytes:
    """A line of so many octets with its CRLF."""
    return start + b"x" * (length - len(start) - len(end) - 2) + end + b"\r\n"


@pytest.mark.parametrize(
    ("extensions", "start", "end", "limit"),
    [
        ((), b"NOOP ", b"", 512),
        (OFFERED, b"NOOP ", b"", 512),  # though AUTH is offered, whose lines are longer
        ((), b"MAIL FROM:<", b"@b.example>", 512),
        ((ext.Size(),), b"MAIL FROM:<", b"@b.example> SIZE=1", 512 + 26),
        ((ext.Size(),), b"NOOP ", b"", 512),
        ((ext.Size(), ext.EightBitMime()), b"MAIL FROM:<", b"@b.example>", 512 + 26 + 17),
        ((ext.Auth("EXTERNAL"),), b"MAIL FROM:<", b"@b.example>", 512 + 500),
        ((ext.Dsn(),), b"VRFY ", b"", 512),
        ((ext.Dsn(),), b"MAIL FROM:<", b"@b.example>", 512 + 9 + 107),
        ((ext.EightBitMime(), ext.SmtpUtf8()), b"MAIL FROM:<", b"@b.example>", 512 + 17 + 10),
        ((ext.DeliverBy(),), b"MAIL FROM:<", b"@b.example>", 512 + 17),
        ((ext.MtPriority(),), b"MAIL FROM:<", b"@b.example>", 512 + 15),
        ((ext.NoSoliciting(),), b"MAIL FROM:<", b"@b.example>", 512 + 1007),
        ((ext.Conperm(),), b"MAIL FROM:<", b"@b.example>", 512 + 8),
        ((ext.Checkpoint(),), b"MAIL FROM:<", b"@b.example>", 512 + 88),
    ],
)
def test_line_length(
    extensions: tuple[smtp.Extension, ...], start: bytes, end: bytes, limit: int
) -> None:
    conn = at(EHLO, ENHANCED, *extensions)
    (event,) = events(conn, line_of(limit, start, end))
    assert isinstance(event, smtp.Command)
    conn.reject(550, "no")
    conn.data_to_send()
    (event,) = events(conn, line_of(limit + 1, start, end))
    assert isinstance(event, smtp.CommandRefused)
    assert conn.data_to_send().startswith(b"500 5.5.2 ")
    assert codes(talk(conn, b"NOOP\r\n")) == [250]


@pytest.mark.parametrize(
    ("extension", "end", "limit"),
    [
        (ext.Dsn(), b"@mx.example> ORCPT=rfc822;b", 512 + 29 + 507),  # RFC 3461 section 4
        (ext.Rrvs(), b"@mx.example> RRVS=2030-01-02T12:00:00Z", 512 + 33),
        (ext.Conneg(), b"@mx.example> CONNEG", 512 + 7),
    ],
)
def test_the_line_of_rcpt(extension: smtp.Extension, end: bytes, limit: int) -> None:
    conn = at(EHLO + MAIL, ENHANCED, extension)
    (event,) = events(conn, line_of(limit, b"RCPT TO:<", end))
    assert isinstance(event, smtp.Rcpt)
    conn.reject(550, "no")
    conn.data_to_send()
    assert talk(conn, line_of(limit + 1, b"RCPT TO:<", end)).startswith(b"500 5.5.2 ")


def test_the_line_of_auth() -> None:
    """RFC 4954 section 4: what clients with long tokens send is taken, up to 12288 octets."""
    conn = at(EHLO, ENHANCED, ext.Auth("EXTERNAL"))
    initial = b"AUTH EXTERNAL " + b"eHh4" * 3068 + b"\r\n"
    assert len(initial) == 12288
    (event,) = events(conn, initial)
    assert event == smtp.Auth("EXTERNAL", b"xxx" * 3068)
    conn.reject(535, "no")
    conn.data_to_send()
    (event,) = events(conn, b"AUTH EXTERNAL " + b"eHh4" * 3069 + b"\r\n")
    assert isinstance(event, smtp.CommandRefused)
    assert conn.data_to_send().startswith(b"500 5.5.2 ")


def test_a_line_without_end_is_dropped() -> None:
    conn = at(EHLO)
    for _ in range(100):
        assert events(conn, b"x" * 100_000) == []
        assert conn.wants_data
    assert conn.data_to_send() == b""
    (refused,) = events(conn, b"\r\nNOOP\r\n")[:1]
    assert isinstance(refused, smtp.CommandRefused)
    assert len(refused.line) <= 512
    assert codes(conn.data_to_send()) == [500]


# -- the message ----------------------------------------------------------------------------------


def content(found: list[smtp.Event]) -> bytes:
    return b"".join(event.data for event in found if isinstance(event, smtp.MessageData))


@pytest.mark.parametrize(
    ("wire", "passed"),
    [
        (b"one\rtwo\r\n", b"one"),
        (b"one\ntwo\r\n", b"one"),
        (b"one\r\n\ntwo\r\n", b"one\r\n"),
        (b"one\r\r\n", b"one"),
        (b"one\n.\r\n", b"one"),
        (b"one\r.\r\n", b"one"),
        (b"\n.\nMAIL FROM:<evil@example.org>\r\n", b""),
    ],
)
@pytest.mark.parametrize("size", [1000, 1])
def test_bare_newlines_in_a_message(wire: bytes, passed: bytes, size: int) -> None:
    """Refused at the end, which is CRLF.CRLF; what stands before them has been handed out."""
    conn = at(EHLO + MAIL + RCPT + DATA, ENHANCED)
    found: list[smtp.Event] = []
    for start in range(0, len(wire), size):
        found += events(conn, wire[start : start + size])
        assert conn.data_to_send() == b""
    found += events(conn, b".\r\n")
    assert content(found) == passed
    refused = found[-1]
    assert isinstance(refused, smtp.MessageRefused)
    assert refused.reply is not None
    assert conn.data_to_send() == bytes(refused.reply)
    assert bytes(refused.reply).startswith(b"550 5.6.0 ")
    assert [e for e in found[:-1] if not isinstance(e, smtp.MessageData)] == []
    assert conn.envelope is None
    assert codes(talk(conn, MAIL)) == [250]


def test_nul_passes_in_a_message() -> None:
    conn = at(EHLO + MAIL + RCPT + DATA)
    assert events(conn, b"a\0b\r\n.\r\n") == [
        smtp.MessageData(b"a\0b\r\n"),
        smtp.EndOfMessage(),
    ]


def test_people_on_telnet() -> None:
    """bare_newlines="accept"."""
    conn = server(bare_newlines="accept")
    session = (EHLO + MAIL + RCPT + DATA).replace(b"\r\n", b"\n")
    assert codes(talk(conn, session)) == [250, 250, 250, 354]
    found = events(conn, b"one\ntwo\rthree\r\n.\r\n")
    assert content(found) == b"one\ntwo\rthree\r\n"
    assert found[-1] == smtp.EndOfMessage()
    conn.accept()
    conn.data_to_send()
    assert codes(talk(conn, b"NO\rOP\r\n")) == [500]
    assert codes(talk(conn, b"NO\0OP\n")) == [500]


def test_a_message_over_the_limit() -> None:
    """The limit's octets are handed out, the rest is read and dropped, 552 comes at the end."""
    conn = at(EHLO + MAIL + RCPT + DATA, ENHANCED, ext.Size(20))
    found = events(conn, b"..345678\r\n0123456\r\n")  # 18 octets of message
    assert content(found) == b".345678\r\n0123456"
    assert conn.data_to_send() == b""
    found += events(conn, b"a\r\n" + b"b" * 1_000_000)
    assert content(found) == b".345678\r\n0123456\r\na\r"
    assert conn.data_to_send() == b""
    found += events(conn, b"\r\n.\r\n")
    assert isinstance(found[-1], smtp.MessageRefused)
    assert conn.data_to_send().startswith(b"552 5.3.4 ")
    assert codes(talk(conn, MAIL + RCPT + DATA + b"x" * 18 + b"\r\n.\r\n")) == [250, 250, 354, 250]


def test_size_0_is_no_limit() -> None:
    """RFC 1870 section 4."""
    conn = server(ext.Size(0))
    assert talk(conn, EHLO).endswith(b"250 SIZE 0\r\n")
    assert codes(talk(conn, b"MAIL FROM:<a@b.example> SIZE=1000000000\r\n" + RCPT + DATA)) == [
        250, 250, 354
    ]  # fmt: skip
    assert codes(talk(conn, b"hi\r\n.\r\n")) == [250]


def test_the_first_reason_counts() -> None:
    conn = at(EHLO + MAIL + RCPT + DATA, ENHANCED, ext.Size(5))
    assert talk(conn, b"a\nb\r\nlonger than five\r\n.\r\n").startswith(b"550 5.6.0 ")
    conn = at(EHLO + MAIL + RCPT + DATA, ENHANCED, ext.Size(5))
    assert talk(conn, b"longer than five\r\na\nb\r\n.\r\n").startswith(b"552 5.3.4 ")
    conn = at(EHLO + MAIL + RCPT + DATA, ENHANCED, ext.Size(5))
    assert talk(conn, b"longer than five\r\n") == b""
    assert talk(conn, b"a\nb\r\n.\r\n").startswith(b"552 5.3.4 ")
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking(), ext.Size(5))
    assert talk(conn, b"BDAT 7 LAST\r\nabcdef\r").startswith(b"552 5.3.4 ")


def test_the_transaction_is_over_whatever_the_answer() -> None:
    conn = at(EHLO + MAIL + RCPT + DATA)
    assert events(conn, b"hi\r\n.\r\n")[-1] == smtp.EndOfMessage()
    conn.reject(554, "Spam")
    assert conn.data_to_send() == b"554 Spam\r\n"
    assert state(conn) is State.READY
    assert codes(talk(conn, RCPT + MAIL)) == [503, 250]


# -- BDAT (RFC 3030) ------------------------------------------------------------------------------


def test_bdat_looks_like_data() -> None:
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking())
    assert events(conn, b"BDAT 12\r\nSubject: x\r\nBDAT 5 LAST\r\n\r\n.\r\nNOOP\r\n") == [
        smtp.MessageData(b"Subject: x\r\n"),
        smtp.ChunkReceived(12),
    ]
    assert conn.owed == smtp.ChunkReceived(12)
    conn.accept()
    assert state(conn) is State.BDAT
    assert conn.data_to_send() == b"250 2.6.0 Chunk received\r\n"
    assert events(conn) == [smtp.MessageData(b"\r\n.\r\n"), smtp.EndOfMessage()]
    conn.accept()
    assert conn.data_to_send() == b"250 2.6.0 Message accepted\r\n"
    assert events(conn) == [smtp.Noop()]


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (b"BDAT 4 LAST\r\nhi\r\n", [smtp.MessageData(b"hi\r\n"), smtp.EndOfMessage()]),
        (b"bdat 2 last\r\nhi", [smtp.MessageData(b"hi"), smtp.EndOfMessage()]),
        (b"BDAT 5 LAST\r\n\r\n.\r\n", [smtp.MessageData(b"\r\n.\r\n"), smtp.EndOfMessage()]),
        (b"BDAT 0 LAST\r\n", [smtp.EndOfMessage()]),
        (b"BDAT 0\r\n", [smtp.ChunkReceived(0)]),
    ],
)
def test_bdat(wire: bytes, found: list[smtp.Event]) -> None:
    conn = at(EHLO + MAIL + RCPT, ext.Chunking())
    assert events(conn, wire) == found
    conn.accept()
    assert codes(conn.data_to_send()) == [250]
    for cut in range(1, len(wire)):
        conn = at(EHLO + MAIL + RCPT, ext.Chunking())
        pieces = events(conn, wire[:cut]) + events(conn, wire[cut:])
        assert content(pieces) == content(found)
        assert pieces[-1] == found[-1]


def test_bdat_without_chunking_is_no_command() -> None:
    conn = at(EHLO + MAIL + RCPT, ENHANCED)
    assert talk(conn, b"BDAT 6 LAST\r\nNOOP\r\n") == (
        b"502 5.5.1 BDAT is not offered here\r\n250 2.0.0 OK\r\n"
    )


@pytest.mark.parametrize("before", [b"", EHLO, EHLO + MAIL])
@pytest.mark.parametrize("line", [b"BDAT 6", b"BDAT 6 LAST"])
@pytest.mark.parametrize("size", [1000, 1])
def test_the_octets_of_a_refused_bdat_are_dropped(before: bytes, line: bytes, size: int) -> None:
    conn = at(before, ENHANCED, ext.Chunking())
    found: list[smtp.Event] = []
    wire = line + b"\r\nQUIT\r\n"
    for start in range(0, len(wire), size):
        assert conn.data_to_send() == b""  # the answer comes behind them
        found += events(conn, wire[start : start + size])
    (refused,) = found
    assert isinstance(refused, smtp.CommandRefused)
    assert refused.line == line
    assert conn.data_to_send().startswith(b"503 5.5.1 ")
    assert codes(talk(conn, b"NOOP\r\n")) == [250]


@pytest.mark.parametrize(
    "line",
    [
        b"BDAT 6 LAST" + b" " * 505,  # over 512 octets
        b"BDAT 6 LAST" + b" " * 20000,  # over any limit
        b"BDAT 6 \0LAST",
        b"BDAT 6 LAST\r",
        b"BDAT 6\nLAST",
        b"BDAT 6 LAST\xff",
        b"BDAT 6 L\xc3\x84ST",
    ],
)
@pytest.mark.parametrize("before", [b"", EHLO + MAIL + RCPT])
def test_the_octets_of_a_refused_bdat_are_never_commands(before: bytes, line: bytes) -> None:
    """Refused for whatever reason: dropped, or the session is over."""
    conn = at(before, ext.Chunking())
    refused, *rest = events(conn, line + b"\r\nQUIT\r\n")
    assert isinstance(refused, smtp.CommandRefused)
    assert smtp.Quit() not in rest
    assert codes(conn.data_to_send())[0] == 500


def test_a_bdat_that_is_too_long_where_other_lines_may_be_longer() -> None:
    """It can be read, and so the session goes on behind its octets."""
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking(), ext.Auth("EXTERNAL"))
    line = b"BDAT 6 LAST" + b" " * 500
    assert talk(conn, line + b"\r\nQUIT\r\nNOOP\r\n") == (
        b"500 5.5.2 Line too long: at most 512 octets here\r\n250 2.0.0 OK\r\n"
    )


@pytest.mark.parametrize(
    "argument", [b"", b" six", b" -1", b" 6 FIRST", b" LAST", b" 0x10", b" 1" + b"0" * 30, b" 1.5"]
)
@pytest.mark.parametrize("before", [b"", EHLO, EHLO + MAIL + RCPT])
def test_a_size_that_cannot_be_read_ends_the_session(before: bytes, argument: bytes) -> None:
    conn = at(before, ENHANCED, ext.Chunking())
    refused, closed = events(conn, b"BDAT" + argument + b"\r\nQUIT\r\n")
    assert isinstance(refused, smtp.CommandRefused)
    assert isinstance(closed, smtp.ConnectionClosed)
    first, second = conn.data_to_send().splitlines()
    assert first.startswith(b"501 5.5.4 ")
    assert second.startswith(b"421 4.")
    assert conn.closed


def test_after_a_failed_chunk_each_further_one_is_dropped() -> None:
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking())
    assert events(conn, b"BDAT 2\r\nhi")[-1] == smtp.ChunkReceived(2)
    conn.reject(452, "no room")
    (refused,) = events(conn)
    assert conn.data_to_send() == b"452 4.3.1 no room\r\n"
    assert refused == smtp.MessageRefused(smtp.Reply(452, "no room", enhanced="4.3.1"))
    for line in (b"BDAT 6\r\nQUIT\r\n", b"BDAT 6 LAST\r\nQUIT\r\n", b"BDAT 0 LAST\r\n"):
        (again,) = events(conn, line)
        assert isinstance(again, smtp.CommandRefused)
        assert conn.data_to_send().startswith(b"503 5.5.1 ")
    assert codes(talk(conn, MAIL + RCPT + DATA)) == [503, 503, 503]
    assert events(conn, b"RSET\r\n") == [smtp.Rset()]
    conn.accept()
    assert codes(conn.data_to_send() + talk(conn, MAIL)) == [250, 250]


@pytest.mark.parametrize("line", [b"EHLO again", b"HELO again", b"QUIT"])
def test_a_failed_transaction_is_left(line: bytes) -> None:
    conn = at(EHLO + MAIL + RCPT, ext.Chunking(), ext.Size(3))
    assert codes(talk(conn, b"BDAT 4\r\nlong")) == [552]
    (command,) = events(conn, line + b"\r\n")
    assert isinstance(command, smtp.Ehlo | smtp.Helo | smtp.Quit)
    conn.accept()
    assert conn.state in (State.READY, State.CLOSED)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"RSET", smtp.Rset()),
        (b"EHLO again", smtp.Ehlo("again")),
        (b"HELO again", smtp.Helo("again")),
    ],
)
def test_given_up_between_chunks(line: bytes, command: smtp.Command) -> None:
    conn = at(EHLO + MAIL + RCPT + b"BDAT 2\r\nhi", ext.Chunking())
    conn.receive_data(line + b"\r\n")
    assert conn.next_event() == smtp.MessageRefused(None)
    assert conn.next_event() == command
    assert conn.owed == command
    conn.accept()
    assert state(conn) is State.READY
    assert conn.envelope is None


def test_the_message_in_chunks_is_the_end_of_its_transaction() -> None:
    conn = at(EHLO + MAIL + RCPT, ext.Chunking())
    assert codes(talk(conn, b"FOO\r\n" * 20)) == [500] * 20
    assert codes(talk(conn, b"BDAT 2\r\nhiBDAT 0 LAST\r\n")) == [250, 250]
    assert conn.envelope is None
    assert codes(talk(conn, b"FOO\r\n" * 20)) == [500] * 20  # the count has begun anew
    assert not conn.closed


def test_given_up_between_chunks_though_the_rset_is_refused() -> None:
    conn = at(EHLO + MAIL + RCPT + b"BDAT 2\r\nhi", ext.Chunking())
    assert events(conn, b"RSET\r\n") == [smtp.MessageRefused(None), smtp.Rset()]
    conn.reject(450, "not now")
    assert codes(conn.data_to_send() + talk(conn, b"BDAT 2 LAST\r\nho")) == [450, 503]
    assert events(conn, b"RSET\r\n") == [smtp.Rset()]  # the message has had its end


@pytest.mark.parametrize(
    "line", [b"NOOP", b"HELP", b"VRFY bob", b"EHLO", b"MAIL FROM:<x@y.example>"]
)
def test_between_chunks_the_rest_changes_nothing(line: bytes) -> None:
    conn = at(EHLO + MAIL + RCPT + b"BDAT 2\r\nhi", ext.Chunking())
    assert smtp.MessageRefused(None) not in events(conn, line + b"\r\n")
    if conn.owed is not None:
        conn.accept()
    assert events(conn, b"BDAT 2 LAST\r\nho") == [smtp.MessageData(b"ho"), smtp.EndOfMessage()]


def test_quit_between_chunks() -> None:
    conn = at(EHLO + MAIL + RCPT + b"BDAT 2\r\nhi", ext.Chunking())
    assert events(conn, b"QUIT\r\n") == [smtp.Quit()]
    conn.accept()
    (closed,) = events(conn)
    assert isinstance(closed, smtp.ConnectionClosed)


@pytest.mark.parametrize(
    ("wire", "passed"),
    [
        (b"BDAT 3\r\na\nb", b"a"),
        (b"BDAT 3\r\na\rb", b"a"),
        (b"BDAT 3 LAST\r\na\nb", b"a"),
        (b"BDAT 2\r\na\rBDAT 1\r\nb", b"a"),
        (b"BDAT 2\r\na\rBDAT 0 LAST\r\n", b"a"),
        (b"BDAT 2 LAST\r\na\r", b"a"),
        (b"BDAT 1\r\n\n", b""),
    ],
)
def test_bare_newlines_in_chunks(wire: bytes, passed: bytes) -> None:
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking())
    found = []
    for event in events(conn, wire):
        found.append(event)
    if conn.owed == smtp.ChunkReceived(2):
        conn.accept()
        assert conn.data_to_send() == b"250 2.6.0 Chunk received\r\n"
        found += events(conn)
    assert content(found) == passed
    assert isinstance(found[-1], smtp.MessageRefused)
    assert conn.data_to_send().startswith(b"550 5.6.0 ")


def test_crlf_may_be_cut_by_chunks() -> None:
    conn = at(EHLO + MAIL + RCPT, ext.Chunking())
    assert events(conn, b"BDAT 2\r\na\r") == [smtp.MessageData(b"a"), smtp.ChunkReceived(2)]
    conn.accept()
    assert events(conn, b"BDAT 2 LAST\r\n\nb") == [smtp.MessageData(b"\r\nb"), smtp.EndOfMessage()]


@pytest.mark.parametrize("octets", [b"\r", b"\n", b"\0\r\r\n\n\xff"])
def test_binarymime(octets: bytes) -> None:
    conn = at(EHLO, ext.Chunking(), ext.BinaryMime())
    talk(conn, b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" + RCPT)
    line = b"BDAT %d LAST\r\n" % len(octets)
    assert events(conn, line + octets) == [smtp.MessageData(octets), smtp.EndOfMessage()]


def test_binarymime_cannot_be_sent_with_data() -> None:
    """RFC 3030 section 3: 503, and the transaction is to be reset."""
    conn = at(EHLO, ENHANCED, ext.Chunking(), ext.BinaryMime())
    talk(conn, b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" + RCPT)
    assert talk(conn, DATA).startswith(b"503 5.5.1 ")
    assert codes(talk(conn, b"RSET\r\n" + MAIL + RCPT + DATA)) == [250, 250, 250, 354]


def test_chunks_over_the_limit() -> None:
    conn = at(EHLO + MAIL + RCPT, ENHANCED, ext.Chunking(), ext.Size(5))
    assert codes(talk(conn, b"BDAT 3\r\nabc")) == [250]
    found = events(conn, b"BDAT 3\r\ndef")
    assert content(found) == b"de"
    assert isinstance(found[-1], smtp.MessageRefused)
    assert conn.data_to_send().startswith(b"552 5.3.4 ")
    assert codes(talk(conn, b"BDAT 3 LAST\r\nghi")) == [503]
    assert codes(talk(conn, b"RSET\r\n" + MAIL + RCPT + b"BDAT 5 LAST\r\nabcde")) == [250] * 4


def test_a_huge_chunk_announced_costs_nothing() -> None:
    conn = at(EHLO + MAIL + RCPT, ext.Chunking(), ext.Size(10))
    events(conn, b"BDAT 99999999999999999999\r\n")
    for _ in range(100):
        assert content(events(conn, b"x" * 65536)) in (b"x" * 10, b"")
        assert conn.wants_data
    assert conn.data_to_send() == b""


# -- HTTP, TLS, and too many refusals -------------------------------------------------------------


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nHost: mx.example\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\nMAIL FROM:<a@b.example>\r\n",
        b"CONNECT mx.example:25 HTTP/1.1\r\n",
        b"put / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x16",
    ],
)
def test_whoever_is_no_mail_client_is_turned_away(wire: bytes) -> None:
    conn = server(ENHANCED)
    refused, closed = events(conn, wire)
    assert isinstance(refused, smtp.CommandRefused)
    assert conn.data_to_send().startswith(b"421 4.7.0 mx.example ")
    assert isinstance(closed, smtp.ConnectionClosed)
    assert conn.closed
    plain = server()
    events(plain, wire)
    assert re.match(rb"421 mx\.example ", plain.data_to_send())


@pytest.mark.parametrize("wire", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\r\n"])
@pytest.mark.parametrize("first", [b"NOOP\r\n", b"FOO\r\n", b"\r\n", b"x" * 600 + b"\r\n", EHLO])
def test_only_the_first_line(first: bytes, wire: bytes) -> None:
    conn = server()
    talk(conn, first)
    assert codes(talk(conn, wire)) == [500]
    assert not conn.closed


def test_more_than_20_refusals() -> None:
    conn = at(EHLO, ENHANCED)
    lines = [b"FOO\r\n", b"VRFY\r\n", b"EXPN x\r\n", b"DATA\r\n"] * 5
    assert codes(talk(conn, b"".join(lines))) == [500, 501, 502, 503] * 5
    assert not conn.closed
    refused, closed = events(conn, b"FOO\r\nNOOP\r\n")
    written = conn.data_to_send()
    assert written.startswith(b"421 4.7.0 ")
    assert codes(written) == [421]
    assert isinstance(refused, smtp.CommandRefused)
    assert bytes(refused.reply) == written
    assert isinstance(closed, smtp.ConnectionClosed)
    assert conn.closed


def test_an_accepted_message_begins_the_count_anew() -> None:
    conn = at(EHLO)
    assert codes(talk(conn, b"FOO\r\n" * 20)) == [500] * 20
    talk(conn, MAIL + RCPT + DATA + b"hi\r\n.\r\n")
    assert codes(talk(conn, b"FOO\r\n" * 20)) == [500] * 20
    # a refused one does not
    talk(conn, MAIL + RCPT + DATA)
    events(conn, b"hi\r\n.\r\n")
    conn.reject(554, "no")
    conn.data_to_send()
    assert codes(talk(conn, b"FOO\r\n")) == [421]


@pytest.mark.parametrize(
    ("before", "line", "code"),
    [
        (EHLO, b"MAIL FROM:<a@b.example> FOO=bar", 555),
        (EHLO, b"MAIL FROM:<a@b.example> SIZE=9999", 552),
        (EHLO + MAIL + RCPT, b"RCPT TO:<b@c.example>", 452),
        (EHLO, b"AUTH PLAIN", 538),
        (EHLO, b"AUTH GSSAPI", 504),
    ],
)
def test_refusals_that_do_not_count(before: bytes, line: bytes, code: int) -> None:
    conn = at(before, *OFFERED, limits=smtp.Limits(recipients=1))
    assert codes(talk(conn, (line + b"\r\n") * 50)) == [code] * 50


def test_what_is_required_does_not_count() -> None:
    conn = at(EHLO, require_auth=True)
    assert codes(talk(conn, MAIL * 50)) == [530] * 50


@pytest.mark.parametrize("by", [b"application", b"a@b.example", b"auth@b.example"])
def test_what_was_pipelined_behind_a_refused_mail_does_not_count(by: bytes) -> None:
    """A client that pipelines 1000 recipients is not to be blamed for 1000 refusals."""
    conn = at(EHLO, ext.Pipelining(), ext.Chunking())
    if by == b"application":
        events(conn, MAIL)
        conn.reject(450, "later")
    else:
        events(conn, b"MAIL FROM:<%s> FOO=bar\r\n" % by)
    conn.data_to_send()
    assert codes(talk(conn, RCPT * 40 + DATA + b"BDAT 2 LAST\r\nhi")) == [503] * 42
    assert codes(talk(conn, b"RSET\r\n" + RCPT * 20)) == [250, *[503] * 20]
    assert codes(talk(conn, RCPT)) == [421]


def test_data_behind_refused_recipients_does_not_count() -> None:
    conn = at(EHLO, ext.Pipelining())
    for _ in range(30):
        talk(conn, MAIL)
        events(conn, RCPT + DATA)
        conn.reject(550, "no such user")
        assert codes(conn.data_to_send() + talk(conn, b"RSET\r\n")) == [550, 503, 250]
        lines = MAIL + b"RCPT TO:<b@mx.example> FOO=bar\r\n" + DATA + b"RSET\r\n"
        assert codes(talk(conn, lines)) == [250, 555, 503, 250]
    assert not conn.closed


def test_what_was_refused_in_another_transaction_is_no_excuse() -> None:
    conn = at(EHLO + MAIL)
    events(conn, RCPT)
    conn.reject(550, "no such user")
    talk(conn, RCPT + DATA + b"hi\r\n.\r\n")
    assert codes(talk(conn, DATA * 21)) == [*[503] * 20, 421]


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (b"", RCPT),
        (EHLO, RCPT),
        (EHLO + b"MAIL FROM:<a@b.example> FOO=bar\r\n" + MAIL, DATA),  # the second was accepted
    ],
)
def test_what_follows_no_refusal_counts(before: bytes, line: bytes) -> None:
    assert codes(talk(at(before), line * 21)) == [*[503] * 20, 421]


@pytest.mark.parametrize("refusals", [0, 3, None])
def test_the_limit_of_refusals(refusals: int | None) -> None:
    conn = at(EHLO, limits=smtp.Limits(refusals=refusals))
    if refusals is None:
        assert codes(talk(conn, b"FOO\r\n" * 500)) == [500] * 500
    else:
        assert codes(talk(conn, b"FOO\r\n" * 10)) == [*[500] * refusals, 421]


def test_cancelled_exchanges_count() -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"), limits=smtp.Limits(refusals=3))
    for _ in range(3):
        events(conn, b"AUTH EXTERNAL\r\n")
        conn.send(smtp.AuthChallenge())
        assert events(conn, b"!\r\n") == [smtp.AuthCancelled()]
        assert codes(conn.data_to_send()) == [334, 501]
    events(conn, b"AUTH EXTERNAL\r\n")
    conn.send(smtp.AuthChallenge())
    assert events(conn, b"!\r\n") == [smtp.AuthCancelled(), smtp.ConnectionClosed(False)]
    assert codes(conn.data_to_send()) == [334, 421]


# -- AUTH (RFC 4954) ------------------------------------------------------------------------------


def test_auth() -> None:
    conn = at(EHLO, ENHANCED, ext.Auth("CRAM-MD5"))
    assert events(conn, b"auth cram-md5\r\n") == [smtp.Auth("CRAM-MD5")]
    conn.send(smtp.AuthChallenge(b"<1896.697170952@postoffice.example.net>"))
    assert conn.data_to_send() == (b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UuZXhhbXBsZS5uZXQ+\r\n")
    assert state(conn) is State.AUTH
    assert conn.owed is None
    response = smtp.AuthResponse(b"tim b913a602c7eda7a495b4e6e7334d3890")
    wire = b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n"
    assert events(conn, wire) == [response]
    assert conn.owed == response
    conn.authenticated("tim")
    assert conn.data_to_send() == b"235 2.7.0 Authentication succeeded\r\n"
    assert conn.identity == "tim"
    assert state(conn) is State.READY
    assert talk(conn, b"AUTH CRAM-MD5\r\n").startswith(b"503 5.5.1 ")
    talk(conn, b"EHLO again\r\n")
    assert conn.identity == "tim"


@pytest.mark.parametrize("identity", ["", None, b"bob"])
def test_nobody_in_particular_is_not_let_in(identity: str) -> None:
    conn = at(EHLO, ext.Auth("PLAIN", plaintext_without_tls=True))
    assert events(conn, b"AUTH PLAIN AGEAYg==\r\n") == [smtp.Auth("PLAIN", b"\0a\0b")]
    with pytest.raises(LocalProtocolError, match="expected the name"):
        conn.authenticated(identity)
    conn.reject(535)
    assert conn.data_to_send().startswith(b"535 ")


def test_authenticated_with_words() -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL =\r\n")
    conn.authenticated("tim", "welcome\u00fc")
    assert conn.data_to_send() == b"235 welcome?\r\n"


@pytest.mark.parametrize(
    ("line", "initial"),
    [
        (b"AUTH EXTERNAL", None),
        (b"AUTH EXTERNAL =", b""),
        (b"AUTH EXTERNAL YQ==", b"a"),
        (b"AUTH  EXTERNAL YQ==  ", b"a"),
    ],
)
def test_initial_response(line: bytes, initial: bytes | None) -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    assert events(conn, line + b"\r\n") == [smtp.Auth("EXTERNAL", initial)]


@pytest.mark.parametrize("octets", [b"", b"\0", b"\xff" * 9000])
def test_challenge_and_response(octets: bytes) -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL\r\n")
    conn.send(smtp.AuthChallenge(octets))
    written = conn.data_to_send()
    assert written.startswith(b"334 ")
    assert events(conn, written[4:]) == [smtp.AuthResponse(octets)]


@pytest.mark.parametrize(
    ("line", "code", "status"),
    [
        (b"*", 501, "5.7.0"),
        (b"!", 501, "5.5.2"),
        (b"=", 501, "5.5.2"),
        (b"YQ", 501, "5.5.2"),
        (b"YQ==YQ==", 501, "5.5.2"),
        (b" YQ==", 501, "5.5.2"),
        (b"YR==", 501, "5.5.2"),
        (b"**", 501, "5.5.2"),
        (b"Y\0Q=", 501, "5.5.2"),
        (b"eHh4" * 3072, 500, "5.5.6"),  # 12288 octets and CRLF
        (b"eHh4" * 30720, 500, "5.5.6"),
    ],
)
def test_a_response_that_ends_the_exchange(line: bytes, code: int, status: str) -> None:
    conn = at(EHLO, ENHANCED, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL\r\n")
    conn.send(smtp.AuthChallenge())
    conn.data_to_send()
    assert events(conn, line + b"\r\n") == [smtp.AuthCancelled()]
    written = conn.data_to_send()
    assert written.startswith(f"{code} {status} ".encode())
    assert codes(written) == [code]
    assert conn.owed is None
    assert state(conn) is State.READY
    assert codes(talk(conn, b"AUTH EXTERNAL =\r\n")) == [235]


def test_the_longest_response() -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL\r\n")
    conn.send(smtp.AuthChallenge())
    line = b"eHh4" * 3071 + b"\r\n"
    assert len(line) == 12286
    assert events(conn, line) == [smtp.AuthResponse(b"xxx" * 3071)]


def test_the_longest_challenge() -> None:
    """The limit counts the 334 and CRLF."""
    line = b"334 " + b"eHh4" * 1000 + b"\r\n"
    for limit in (len(line), len(line) - 1):
        conn = at(EHLO, ext.Auth("EXTERNAL"), limits=smtp.Limits(auth_line=limit))
        events(conn, b"AUTH EXTERNAL\r\n")
        if limit < len(line):
            with pytest.raises(LocalProtocolError, match="a challenge of 3000 octets is longer"):
                conn.send(smtp.AuthChallenge(b"xxx" * 1000))
        else:
            conn.send(smtp.AuthChallenge(b"xxx" * 1000))
            assert conn.data_to_send() == line


def test_commands_within_an_exchange_are_responses() -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL\r\nQUIT\r\n")
    conn.send(smtp.AuthChallenge())
    assert events(conn) == [smtp.AuthResponse(b"A\x42\x13")]  # QUIT is base64


def test_auth_is_shown_as_it_can_be_used() -> None:
    conn = server(ext.Auth("PLAIN", "CRAM-MD5", "LOGIN"), ext.StartTls())
    assert talk(conn, EHLO).splitlines()[1:] == [b"250-AUTH CRAM-MD5", b"250 STARTTLS"]
    conn = server(ext.Auth("PLAIN", "CRAM-MD5", "LOGIN"), ext.StartTls(), tls=True)
    assert talk(conn, EHLO).splitlines()[1:] == [b"250 AUTH PLAIN CRAM-MD5 LOGIN"]
    conn = server(ext.Auth("PLAIN"))
    assert talk(conn, EHLO) == b"250 mx.example greets client.example\r\n"
    assert codes(talk(conn, b"AUTH PLAIN\r\n")) == [538]
    conn = server(ext.Auth("PLAIN", plaintext_without_tls=True))
    assert talk(conn, EHLO).splitlines()[1:] == [b"250 AUTH PLAIN"]
    assert codes(talk(conn, b"AUTH PLAIN =\r\n")) == [235]
    assert codes(talk(at(EHLO, ENHANCED), b"AUTH PLAIN\r\n")) == [502]


def test_the_empty_challenge_asks_for_the_initial_response() -> None:
    conn = at(EHLO, ext.Auth("PLAIN"), tls=True)
    assert events(conn, b"AUTH PLAIN\r\n") == [smtp.Auth("PLAIN")]
    conn.send(smtp.AuthChallenge())
    assert conn.data_to_send() == b"334 \r\n"
    assert events(conn, b"AGJvYgBzZWNyZXQ=\r\n") == [smtp.AuthResponse(b"\0bob\0secret")]
    conn.reject(535, "no", enhanced="5.7.8")
    assert conn.data_to_send() == b"535 5.7.8 no\r\n"
    assert conn.identity is None


# -- secrets --------------------------------------------------------------------------------------

SECRET = b"AGJvYgBzZWNyZXQ="


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH PLAIN AGJvYgBzZWNyZXQ=",
        b"auth plain AGJvYgBzZWNyZXQ=",
        b" AUTH PLAIN AGJvYgBzZWNyZXQ=",
        b"\tAUTH PLAIN AGJvYgBzZWNyZXQ=",
        b"AUTH  PLAIN  AGJvYgBzZWNyZXQ=",
        b"AUTH\tPLAIN\tAGJvYgBzZWNyZXQ=",
        b"AUTH PLAIN AGJvYgBzZWNyZXQ= trailing",
        b"AUTH PLAIN \0AGJvYgBzZWNyZXQ=",
        b"AUTH PLAIN AGJvYgBzZWNyZXQ=" + b"x" * 1000,
        b"AUTH PLAIN AGJvYgBzZWNyZXQ=" + b"x" * 100_000,
    ],
)
@pytest.mark.parametrize(
    "before",
    [b"", EHLO, EHLO + MAIL, EHLO + b"AUTH CRAM-MD5\r\n"],
    ids=["", "EHLO", "MAIL", "AUTH"],
)
def test_the_argument_of_a_refused_auth_is_not_shown(before: bytes, line: bytes) -> None:
    for extensions in (OFFERED, ()):
        conn = at(before, *extensions)
        found = events(conn, line + b"\r\n")
        assert isinstance(found[0], smtp.CommandRefused)
        assert SECRET not in found[0].line
        assert SECRET.decode() not in repr(found)
        assert SECRET not in conn.data_to_send()
        assert len(found[0].line) <= 512


@pytest.mark.parametrize(
    "auth",
    [
        b"AUTH LOGIN",
        b"auth login",
        b" AUTH LOGIN",
        b"AUTH\tLOGIN",
        b"AUTH GSSAPI",
        b"AUTH",
        b"AUTH LOGIN !",
    ],
)
@pytest.mark.parametrize("offered", [(), (ext.Auth("LOGIN"),)], ids=["no AUTH", "AUTH"])
def test_responses_that_follow_a_refused_auth_are_not_shown(
    offered: tuple[smtp.Extension, ...], auth: bytes
) -> None:
    """Clients that do not wait for the answer send the user name and the password next."""
    conn = at(EHLO, *offered, ext.Chunking())
    found = events(conn, auth + b"\r\nYm9i\r\nc2VjcmV0\r\nNOOP\r\n")
    conn.accept()
    found += events(conn, b"c2VjcmV0 after NOOP\r\n")
    first, user, password, noop, other = found
    assert isinstance(first, smtp.CommandRefused)
    assert "Ym9i" not in repr(user)
    assert "c2VjcmV0" not in repr(password)
    assert noop == smtp.Noop()
    assert isinstance(other, smtp.CommandRefused)
    assert other.line == b"c2VjcmV0 after NOOP"  # that is no response any more
    *_, chunk, other = events(conn, auth + b"\r\nBDAT 1\r\nxc2VjcmV0 after BDAT\r\n")
    assert isinstance(chunk, smtp.CommandRefused)
    assert isinstance(other, smtp.CommandRefused)
    assert other.line == b"c2VjcmV0 after BDAT"


def test_responses_that_follow_a_failed_exchange_are_not_shown() -> None:
    for refuse in (b"!\r\n", b"*\r\n"):
        conn = at(EHLO, ext.Auth("EXTERNAL"))
        events(conn, b"AUTH EXTERNAL\r\n")
        conn.send(smtp.AuthChallenge())
        found = events(conn, refuse + b"c2VjcmV0\r\n")
        assert found[0] == smtp.AuthCancelled()
        assert isinstance(found[1], smtp.CommandRefused)
        assert "c2VjcmV0" not in repr(found)
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL =\r\nc2VjcmV0\r\n")
    conn.reject(535, "no")
    found = events(conn)
    assert isinstance(found[0], smtp.CommandRefused)
    assert "c2VjcmV0" not in repr(found)


def test_secrets_do_not_show_in_repr() -> None:
    conn = at(EHLO, ext.Auth("PLAIN"), tls=True)
    (auth,) = events(conn, b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n")
    assert repr(auth) == "Auth(mechanism='PLAIN', initial_response=REDACTED)"
    with pytest.raises(LocalProtocolError) as caught:
        conn.accept()
    assert "secret" not in str(caught.value)
    conn.abort()
    (closed,) = events(conn)
    assert closed == smtp.ConnectionClosed(False, (smtp.Auth("PLAIN", b"\0bob\0secret"),))
    assert "secret" not in repr(closed)


# -- STARTTLS (RFC 3207) --------------------------------------------------------------------------


def test_starttls() -> None:
    conn = server(ENHANCED, ext.StartTls(), ext.Auth("PLAIN"))
    assert talk(conn, EHLO).splitlines() == [
        b"250-mx.example greets client.example",
        b"250-ENHANCEDSTATUSCODES",
        b"250 STARTTLS",
    ]
    assert events(conn, b"STARTTLS\r\n") == [smtp.StartTls()]
    assert conn.owed == smtp.StartTls()
    conn.accept()
    assert conn.data_to_send() == b"220 2.0.0 Ready to start TLS\r\n"
    assert events(conn) == [smtp.TlsHandshake()]
    assert state(conn) is State.TLS
    assert not conn.wants_data
    assert not conn.tls
    with pytest.raises(LocalProtocolError):
        conn.accept()
    conn.tls_started()
    assert conn.tls
    assert conn.wants_data
    assert state(conn) is State.CONNECTED
    assert conn.hello is None
    assert codes(talk(conn, MAIL)) == [503]
    assert talk(conn, EHLO).splitlines()[1:] == [b"250-ENHANCEDSTATUSCODES", b"250 AUTH PLAIN"]
    assert codes(talk(conn, b"STARTTLS\r\n")) == [502]
    with pytest.raises(LocalProtocolError):
        conn.tls_started()


def test_what_was_learnt_in_clear_is_forgotten() -> None:
    conn = at(EHLO + b"AUTH EXTERNAL =\r\n", ext.StartTls(), ext.Auth("EXTERNAL"))
    assert (conn.identity, conn.hello) == ("somebody", smtp.Ehlo("client.example"))
    talk(conn, b"STARTTLS\r\n")
    conn.tls_started()
    assert (conn.identity, conn.hello) == (None, None)
    assert codes(talk(conn, EHLO + b"AUTH EXTERNAL =\r\n")) == [250, 235]


def test_a_refused_starttls() -> None:
    conn = at(EHLO, ext.StartTls())
    events(conn, b"STARTTLS\r\nNOOP\r\n")
    conn.reject(454, "TLS not available due to temporary reason")
    assert events(conn) == [smtp.Noop()]
    assert conn.hello == smtp.Ehlo("client.example")
    assert not conn.tls


@pytest.mark.parametrize("behind", [b"NOOP\r\n", b"\r\n", b"X", b"\x16\x03\x01"])
@pytest.mark.parametrize("answer", ["accept", "send"])
@pytest.mark.parametrize("together", [True, False])
def test_octets_behind_starttls(behind: bytes, answer: str, together: bool) -> None:
    """CVE-2011-0411: what came in clear is not run under TLS, nor at all."""
    conn = at(EHLO, ENHANCED, ext.StartTls())
    if together:
        assert events(conn, b"STARTTLS\r\n" + behind) == [smtp.StartTls()]
    else:
        assert events(conn, b"STARTTLS\r\n") == [smtp.StartTls()]
        conn.receive_data(behind)
    if answer == "accept":
        conn.accept()
    else:
        conn.send(smtp.Reply(220, "go ahead"))
    written = conn.data_to_send()
    assert written.startswith(b"554 5.5.0 ")
    assert codes(written) == [554]
    refused, closed = events(conn)
    assert isinstance(refused, smtp.CommandRefused)
    assert bytes(refused.reply) == written
    assert isinstance(closed, smtp.ConnectionClosed)
    assert not closed.clean
    assert conn.closed
    assert not conn.tls


def test_the_client_leaves_before_the_handshake_is_done() -> None:
    conn = at(EHLO, ext.StartTls())
    conn.receive_data(b"STARTTLS\r\n")
    conn.receive_data(b"")
    assert conn.next_event() == smtp.StartTls()
    conn.accept()
    assert conn.next_event() == smtp.TlsHandshake()
    conn.tls_started()
    assert not conn.wants_data
    assert events(conn) == [smtp.ConnectionClosed(True)]


def test_the_client_leaves_instead_of_a_handshake() -> None:
    conn = at(EHLO + b"STARTTLS\r\n", ext.StartTls())
    assert events(conn) == []
    conn.receive_data(b"")
    assert events(conn) == [smtp.ConnectionClosed(False)]
    with pytest.raises(LocalProtocolError):
        conn.tls_started()


# -- TURN and ATRN --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"TURN", smtp.Turn()),
        (b"ATRN", smtp.Atrn()),
        (b"ATRN example.org, example.net", smtp.Atrn(["example.org", "example.net"])),
    ],
)
def test_the_roles_are_reversed(line: bytes, command: smtp.Command) -> None:
    conn = at(EHLO + b"AUTH EXTERNAL =\r\n", ENHANCED, ext.Turn(), ext.Atrn(), ext.Auth("EXTERNAL"))
    assert events(conn, line + b"\r\n") == [command]
    with pytest.raises(LocalProtocolError, match="reversed"):
        conn.send(smtp.Reply(250, "as you like"))
    client = smtp.ClientConnection()
    conn.reversed(client, "now you")
    assert conn.data_to_send() + client.data_to_send() == b"250 2.0.0 now you\r\n"
    assert events(conn) == [smtp.ConnectionClosed(True, handed_over=True)]
    assert conn.closed
    client.receive_data(b"220 client.example\r\n")
    assert list(client.events()) == [
        smtp.ReplyReceived(smtp.Greeting(), smtp.Reply(220, "client.example"))
    ]
    client.send(smtp.Ehlo("mx.example"))
    assert client.data_to_send() == b"EHLO mx.example\r\n"


def test_the_roles_stay() -> None:
    conn = at(EHLO, ENHANCED, ext.Turn())
    events(conn, b"TURN\r\n")
    conn.reject(502, "I would rather not")
    assert conn.data_to_send() == b"502 5.5.1 I would rather not\r\n"
    assert events(conn, b"NOOP\r\n") == [smtp.Noop()]
    with pytest.raises(LocalProtocolError, match="NOOP"):
        conn.reversed(smtp.ClientConnection())
    conn.accept()
    with pytest.raises(LocalProtocolError, match="no reply is owed"):
        conn.reversed(smtp.ClientConnection())


def test_atrn_wants_authentication() -> None:
    """RFC 2645 section 5.1."""
    conn = at(EHLO, ENHANCED, ext.Atrn(), ext.Auth("EXTERNAL"))
    assert talk(conn, b"ATRN\r\n").startswith(b"530 5.7.0 ")


# -- XCLIENT --------------------------------------------------------------------------------------


def test_after_220_to_xclient_the_session_is_another_clients() -> None:
    conn = at(EHLO + b"AUTH EXTERNAL =\r\n" + MAIL, ext.Verb("XCLIENT"), ext.Auth("EXTERNAL"))
    identity = conn.identity
    assert identity is not None
    assert events(conn, b"XCLIENT NAME=spike.example\r\n") == [
        smtp.Extended("XCLIENT", "NAME=spike.example")
    ]
    conn.send(smtp.Reply(220, "mx.example"))
    assert conn.data_to_send() == b"220 mx.example\r\n"
    assert state(conn) is State.CONNECTED
    assert (conn.hello, conn.identity, conn.envelope) == (None, None, None)
    assert codes(talk(conn, MAIL + EHLO + MAIL)) == [503, 250, 250]


# -- CHECKPOINT (RFC 1845) ------------------------------------------------------------------------


def test_a_message_that_is_resumed() -> None:
    """355 to MAIL leads straight to DATA."""
    conn = at(EHLO, ext.Checkpoint())
    for line in (b"MAIL FROM:<a@b.example>", b"NOOP"):
        events(conn, line + b"\r\n")
        with pytest.raises(LocalProtocolError):
            conn.send(smtp.Reply(355, "6135 is the transaction offset"))
        conn.reject(450, "no")
    conn.data_to_send()
    events(conn, b"MAIL FROM:<a@b.example> TRANSID=<12345@b.example>\r\n")
    conn.send(smtp.Reply(355, "6135 is the transaction offset"))
    assert conn.data_to_send() == b"355 6135 is the transaction offset\r\n"
    assert codes(talk(conn, DATA)) == [354]
    assert events(conn, b"the rest\r\n.\r\n")[-1] == smtp.EndOfMessage()
    conn.accept()
    assert state(conn) is State.READY


# -- LMTP (RFC 2033) ------------------------------------------------------------------------------

LHLO = b"LHLO client.example\r\n"


def lmtp(octets: bytes = b"", *extensions: smtp.Extension, **options: Any) -> ServerConnection:
    return at(octets, *extensions, lmtp=True, **options)


def test_lmtp_greets_and_implies_extensions() -> None:
    conn = ServerConnection("mx.example", lmtp=True, extensions=[ext.Size(9)])
    conn.accept()
    assert conn.data_to_send() == b"220 mx.example LMTP\r\n"
    assert events(conn, LHLO) == [smtp.Lhlo("client.example")]
    conn.reject(550, "not you")
    assert conn.data_to_send() == b"550 not you\r\n"  # RFC 2034 section 4: as EHLO is answered
    assert events(conn, LHLO) == [smtp.Lhlo("client.example")]
    conn.accept()
    assert conn.data_to_send() == (
        b"250-mx.example greets client.example\r\n"
        b"250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 9\r\n"
    )
    conn = lmtp(b"", ext.Pipelining())
    assert talk(conn, LHLO).count(b"PIPELINING") == 1


@pytest.mark.parametrize("line", [b"EHLO x", b"HELO x"])
def test_ehlo_is_no_command_of_lmtp(line: bytes) -> None:
    assert talk(lmtp(), line + b"\r\n").startswith(b"500 5.5.2 ")


def test_one_reply_for_each_recipient() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + RCPT + DATA)
    found = events(conn, b"hi\r\n.\r\n")
    assert found == [smtp.MessageData(b"hi\r\n"), smtp.EndOfMessage()]
    assert conn.owed == smtp.EndOfMessage()
    assert conn.owed_recipient == smtp.Rcpt("b@mx.example")
    conn.send(smtp.Reply(250, "one"))
    assert conn.owed == smtp.EndOfMessage()
    assert conn.owed_recipient == smtp.Rcpt("c@mx.example")
    assert not conn.wants_data
    conn.send(smtp.Reply(452, "two"))
    assert conn.owed_recipient == smtp.Rcpt("b@mx.example")  # duplicates included
    assert conn.envelope is not None
    conn.send(smtp.Reply(550, "three"))
    assert conn.owed is None
    assert conn.owed_recipient is None
    assert conn.envelope is None
    assert conn.data_to_send() == b"250 one\r\n452 two\r\n550 three\r\n"
    assert codes(talk(conn, MAIL)) == [250]


def test_a_reply_of_another_kind_answers_no_recipient() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + DATA)
    events(conn, b".\r\n")
    with pytest.raises(InvalidValueError, match="cannot answer \\. in state data: expected 2yz"):
        conn.send(smtp.Reply(354))
    assert conn.owed_recipient == smtp.Rcpt("b@mx.example")
    assert conn.data_to_send() == b""


def test_accept_and_reject_answer_all_that_are_left() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + DATA)
    assert talk(conn, b".\r\n") == b"250 2.6.0 Message accepted\r\n" * 2
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + RCPT + DATA)
    events(conn, b".\r\n")
    conn.send(smtp.Reply(250, "one"))
    conn.reject(451, "no")
    assert conn.data_to_send() == b"250 one\r\n451 4.3.0 no\r\n451 4.3.0 no\r\n"
    assert conn.owed is None


def test_bdat_last_has_one_reply_for_each_recipient() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2, ext.Chunking())
    assert codes(talk(conn, b"BDAT 2\r\nhi")) == [250]
    assert codes(talk(conn, b"BDAT 2 LAST\r\nho")) == [250, 250]
    assert codes(talk(conn, MAIL + RCPT + b"BDAT 2 LAST\r\nho")) == [250, 250, 250]


def test_lhlo_between_chunks_gives_the_message_up() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + b"BDAT 2\r\nhi", ext.Chunking())
    assert events(conn, LHLO) == [smtp.MessageRefused(None), smtp.Lhlo("client.example")]


def test_the_servers_own_refusals_are_repeated_for_each() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + DATA, ext.Size(3))
    written = talk(conn, b"long\r\n.\r\n")
    assert codes(written) == [552, 552]
    assert written.startswith(b"552 5.3.4 ")
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2, ext.Chunking())
    assert codes(talk(conn, b"BDAT 3 LAST\r\na\nb")) == [550, 550]
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2, ext.Chunking())
    assert codes(talk(conn, b"BDAT 3\r\na\nb")) == [550]  # a chunk is no message


def test_lmtp_data_without_recipients() -> None:
    conn = lmtp(LHLO + MAIL)
    assert talk(conn, DATA).startswith(b"503 5.5.1 ")
    events(conn, RCPT)
    conn.reject(550, "no")
    assert codes(conn.data_to_send() + talk(conn, DATA)) == [550, 503]


def test_a_refused_chunk_has_as_many_replies_as_the_client_counts() -> None:
    """RFC 2033 section 4.2: the last has one for each recipient; but one where there is none."""
    conn = lmtp(LHLO + MAIL, ext.Chunking())
    assert codes(talk(conn, b"BDAT 2 LAST\r\nhi")) == [503]
    assert codes(talk(conn, RCPT + RCPT_2)) == [250, 250]
    assert codes(talk(conn, b"BDAT 3\r\na\nb")) == [550]
    assert codes(talk(conn, b"BDAT 2\r\nhi")) == [503]
    assert codes(talk(conn, b"BDAT 2 LAST\r\nhi")) == [503, 503]


def test_421_between_the_replies_of_lmtp() -> None:
    conn = lmtp(LHLO + MAIL + RCPT + RCPT_2 + DATA)
    events(conn, b".\r\n")
    conn.send(smtp.Reply(250, "one"))
    conn.shutdown()
    assert codes(conn.data_to_send()) == [250, 421]
    (closed,) = events(conn)
    assert isinstance(closed, smtp.ConnectionClosed)
    assert not closed.clean


# -- what the session is --------------------------------------------------------------------------


def test_envelope() -> None:
    conn = at(EHLO)
    assert conn.envelope is None
    events(conn, MAIL)
    assert conn.envelope is None  # not accepted yet
    conn.accept()
    mail, rcpt, rcpt_2 = (
        smtp.Mail("a@client.example"),
        smtp.Rcpt("b@mx.example"),
        smtp.Rcpt("c@mx.example"),
    )
    first = conn.envelope
    assert first == smtp.Envelope(mail)
    talk(conn, RCPT)
    events(conn, b"RCPT TO:<nobody@mx.example>\r\n")
    conn.reject(550, "no")
    talk(conn, RCPT_2)
    assert conn.envelope == smtp.Envelope(mail, [rcpt, rcpt_2])
    assert first == smtp.Envelope(mail)  # a snapshot
    talk(conn, DATA)
    events(conn, b"hi\r\n.\r\n")
    assert conn.envelope == smtp.Envelope(mail, [rcpt, rcpt_2])
    conn.accept()
    assert conn.envelope is None


@pytest.mark.parametrize("line", [b"RSET", b"EHLO again", b"HELO again"])
def test_what_ends_a_transaction(line: bytes) -> None:
    conn = at(EHLO + MAIL + RCPT)
    events(conn, line + b"\r\n")
    conn.reject(450, "no")
    assert conn.envelope is not None  # refused, it changes nothing
    assert state(conn) is State.RCPT
    talk(conn, line + b"\r\n")
    assert conn.envelope is None
    assert state(conn) is State.READY
    assert codes(talk(conn, RCPT)) == [503]


@pytest.mark.parametrize(
    ("octets", "options", "name"),
    [
        (b"", {}, "SMTP"),
        (b"HELO x\r\n", {}, "SMTP"),
        (b"EHLO x\r\n", {}, "ESMTP"),
        (b"EHLO x\r\n", {"tls": True}, "ESMTPS"),
        (b"EHLO x\r\nAUTH EXTERNAL =\r\n", {}, "ESMTPA"),
        (b"EHLO x\r\nAUTH EXTERNAL =\r\n", {"tls": True}, "ESMTPSA"),
        (b"EHLO x\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n", {}, "UTF8SMTP"),
        (b"EHLO x\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n", {"tls": True}, "UTF8SMTPS"),
        (b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n", {}, "ESMTP"),
        (b"LHLO x\r\n", {"lmtp": True}, "LMTP"),
        (b"LHLO x\r\n", {"lmtp": True, "tls": True}, "LMTPS"),
        (b"LHLO x\r\nAUTH EXTERNAL =\r\n", {"lmtp": True, "tls": True}, "LMTPSA"),
        (b"LHLO x\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n", {"lmtp": True}, "UTF8LMTP"),
    ],
)
def test_with_protocol(octets: bytes, options: dict[str, Any], name: str) -> None:
    """RFC 3848, RFC 6531 section 4.3."""
    conn = at(octets, ext.Auth("EXTERNAL"), ext.SmtpUtf8(), ext.EightBitMime(), **options)
    assert conn.with_protocol == name


def test_extensions_may_be_changed_until_ehlo_is_answered() -> None:
    conn = ServerConnection("mx.example", extensions=[ext.Pipelining()])
    conn.accept()
    events(conn, EHLO)
    assert conn.extensions == (ext.Pipelining(),)
    conn.extensions = (ext.Size(5), ext.StartTls())
    conn.accept()
    assert conn.data_to_send().splitlines()[2:] == [b"250-SIZE 5", b"250 STARTTLS"]
    with pytest.raises(LocalProtocolError):
        conn.extensions = ()
    assert conn.extensions == (ext.Size(5), ext.StartTls())
    talk(conn, b"STARTTLS\r\n")
    conn.tls_started()
    conn.extensions = (ext.Pipelining(),)
    assert talk(conn, EHLO).splitlines()[1:] == [b"250 PIPELINING"]


def test_extensions_may_be_changed_when_ehlo_is_sent_again() -> None:
    """Its answer replaces the earlier one (RFC 5321 section 4.1.4)."""
    conn = server(ext.Size(5))
    talk(conn, EHLO)
    conn.receive_data(EHLO)
    assert isinstance(conn.next_event(), smtp.Ehlo)
    conn.extensions = (ext.EightBitMime(),)
    conn.accept()
    assert conn.data_to_send().endswith(b"250 8BITMIME\r\n")
    assert talk(conn, MAIL.replace(b">", b"> SIZE=1")).startswith(b"555 ")
    with pytest.raises(LocalProtocolError, match="until EHLO is answered"):
        conn.extensions = ()


def test_extensions_may_be_changed_after_helo() -> None:
    conn = at(b"HELO client.example\r\n")
    conn.extensions = (ext.Size(5),)
    assert talk(conn, EHLO).splitlines()[1:] == [b"250 SIZE 5"]


def test_timeout() -> None:
    assert server().timeout == 300  # RFC 5321 section 4.5.3.2.7


# -- the ends -------------------------------------------------------------------------------------


def must_be_over(conn: ServerConnection) -> None:
    assert conn.closed
    assert state(conn) is State.CLOSED
    assert conn.owed is None
    assert conn.envelope is None
    assert not conn.wants_data
    assert conn.next_event() is None
    conn.receive_data(b"NOOP\r\n")  # dropped
    conn.receive_data(b"")
    assert conn.next_event() is None
    conn.shutdown()
    conn.abort()
    assert conn.next_event() is None
    assert conn.data_to_send() == b""


def test_quit() -> None:
    conn = at(EHLO)
    assert events(conn, b"QUIT\r\nNOOP\r\n") == [smtp.Quit()]
    assert not conn.closed
    conn.accept("bye")
    assert conn.closed
    assert conn.data_to_send() == b"221 bye\r\n"
    assert events(conn) == [smtp.ConnectionClosed(True)]
    must_be_over(conn)


def test_the_greeting_can_be_a_refusal() -> None:
    """RFC 5321 section 3.1: 554, and then 503 to everything but QUIT."""
    conn = ServerConnection("mx.example", extensions=[ENHANCED, ext.Chunking()])
    conn.reject(554, "No SMTP service here", enhanced="5.3.2")
    assert conn.data_to_send() == b"554 No SMTP service here\r\n"
    assert state(conn) is State.CLOSING
    for line in (EHLO, b"HELO x\r\n", b"NOOP\r\n", b"RSET\r\n", MAIL, b"BDAT 6\r\nQUIT\r\n"):
        assert talk(conn, line).startswith(b"503 5.5.1 ")
    assert codes(talk(conn, b"QUIT\r\n")) == [221]
    must_be_over(conn)


def test_the_greeting_can_be_421() -> None:
    says: list[Callable[[ServerConnection], None]] = [
        lambda conn: conn.reject(421, "busy"),
        lambda conn: conn.send(smtp.Reply(421, "busy")),
        lambda conn: conn.shutdown("busy"),
    ]
    for say in says:
        conn = ServerConnection("mx.example", extensions=[ENHANCED])
        say(conn)
        assert codes(conn.data_to_send()) == [421]
        assert conn.closed
        assert events(conn) == [smtp.ConnectionClosed(True)]  # nothing was cut off
        must_be_over(conn)


@pytest.mark.parametrize(
    ("octets", "clean"),
    [
        (b"", True),
        (EHLO, True),
        (EHLO + MAIL, False),
        (EHLO + MAIL + RCPT, False),
        (EHLO + MAIL + RCPT + DATA, False),
        (EHLO + MAIL + RCPT + DATA + b"half", False),
        (EHLO + MAIL + RCPT + DATA + b".\r\n", True),
        (EHLO + MAIL + RCPT + b"BDAT 10\r\nhalf", False),
        (EHLO + MAIL + RCPT + b"BDAT 4\r\nhalf", False),
    ],
)
class TestEnds:
    def test_shutdown(self, octets: bytes, clean: bool) -> None:
        conn = at(octets, ENHANCED, ext.Chunking())
        conn.receive_data(b"some")
        conn.shutdown("going down")
        assert conn.data_to_send() == b"421 4.3.2 mx.example going down\r\n"
        assert last_event(conn) == smtp.ConnectionClosed(clean)
        must_be_over(conn)

    def test_abort(self, octets: bytes, clean: bool) -> None:
        conn = at(octets, ext.Chunking())
        conn.abort()
        assert conn.data_to_send() == b""
        assert events(conn) == [smtp.ConnectionClosed(False)]
        must_be_over(conn)

    def test_the_peer_leaves(self, octets: bytes, clean: bool) -> None:
        conn = at(octets, ext.Chunking())
        conn.receive_data(b"")
        assert last_event(conn) == smtp.ConnectionClosed(clean)
        assert conn.data_to_send() == b""
        must_be_over(conn)


@pytest.mark.parametrize(
    ("octets", "clean"),
    [(b"", True), (EHLO, True), (EHLO + MAIL, False), (EHLO + MAIL + RCPT, False)],
)
@pytest.mark.parametrize(
    "answer",
    [
        lambda conn: conn.send(smtp.Reply(421, "busy")),
        lambda conn: conn.reject(421, "busy"),
    ],
    ids=["send", "reject"],
)
def test_421_from_the_application(
    answer: Callable[[ServerConnection], None], octets: bytes, clean: bool
) -> None:
    """It answers what is owed, and ends the session from every state (RFC 5321 section 3.8)."""
    conn = at(octets)
    assert events(conn, b"NOOP\r\nNOOP\r\n") == [smtp.Noop()]
    answer(conn)
    assert conn.data_to_send() == b"421 busy\r\n"
    # NOOP has its reply; only a transaction can have been cut off
    assert events(conn) == [smtp.ConnectionClosed(clean)]
    must_be_over(conn)


def test_shutdown_while_a_reply_is_owed() -> None:
    conn = at(EHLO)
    events(conn, MAIL)
    conn.shutdown()
    assert codes(conn.data_to_send()) == [421]
    (closed,) = events(conn)
    assert isinstance(closed, smtp.ConnectionClosed)
    must_be_over(conn)


def test_shutdown_within_the_handshake_writes_nothing_in_clear() -> None:
    conn = at(EHLO + b"STARTTLS\r\n", ext.StartTls())
    conn.shutdown()
    assert conn.data_to_send() == b""
    assert events(conn) == [smtp.ConnectionClosed(False)]
    must_be_over(conn)


def test_abort_names_what_got_no_reply() -> None:
    conn = at(EHLO)
    events(conn, MAIL + RCPT)
    conn.abort()
    assert events(conn) == [smtp.ConnectionClosed(False, (smtp.Mail("a@client.example"),))]
    must_be_over(conn)


def test_abort_drops_what_is_queued() -> None:
    conn = at(EHLO)
    events(conn, b"NOOP\r\n")
    conn.accept()
    conn.abort()
    assert conn.data_to_send() == b""
    conn = at(EHLO)
    events(conn, b"QUIT\r\n")
    conn.accept()
    conn.abort()  # closed already, and yet: nothing more is written
    assert conn.data_to_send() == b""


def test_abort_before_the_greeting() -> None:
    conn = ServerConnection("mx.example")
    conn.abort()
    assert conn.data_to_send() == b""
    assert events(conn) == [smtp.ConnectionClosed(False, (smtp.Greeting(),))]
    must_be_over(conn)


@pytest.mark.parametrize("half", [b"N", b"NOOP", b"NOOP\r", b"x" * 600])
def test_half_a_line_is_no_clean_end(half: bytes) -> None:
    conn = at(EHLO)
    conn.receive_data(half)
    conn.receive_data(b"")
    assert events(conn) == [smtp.ConnectionClosed(False)]


def test_the_peer_leaves_within_an_exchange() -> None:
    conn = at(EHLO, ext.Auth("EXTERNAL"))
    events(conn, b"AUTH EXTERNAL\r\n")
    conn.send(smtp.AuthChallenge())
    conn.receive_data(b"")
    assert events(conn) == [smtp.ConnectionClosed(False)]


def test_a_client_that_closes_its_half_is_answered() -> None:
    """``printf ... | nc mx.example 25``"""
    conn = server(ext.Chunking())
    conn.receive_data(EHLO + MAIL + RCPT + DATA + b"hi\r\n.\r\nNOOP\r\n")
    conn.receive_data(b"")
    assert not conn.wants_data
    found = []
    for event in conn.events():
        found.append(event)
        if isinstance(event, smtp.Request):
            assert conn.next_event() is None
            assert not conn.closed
            conn.accept()
    assert [type(event).__name__ for event in found] == [
        "Ehlo", "Mail", "Rcpt", "Data", "MessageData", "EndOfMessage", "Noop", "ConnectionClosed"
    ]  # fmt: skip
    assert codes(conn.data_to_send()) == [250, 250, 250, 354, 250, 250]
    assert found[-1] == smtp.ConnectionClosed(True)
    must_be_over(conn)


def test_the_peer_leaves_while_a_reply_is_owed() -> None:
    conn = at(EHLO)
    assert events(conn, b"NOOP\r\n") == [smtp.Noop()]
    conn.receive_data(b"")
    assert conn.next_event() is None
    assert not conn.closed
    conn.accept()
    assert events(conn) == [smtp.ConnectionClosed(True)]
    assert codes(conn.data_to_send()) == [250]


def test_the_peer_leaves_before_the_greeting() -> None:
    conn = ServerConnection("mx.example")
    conn.receive_data(b"")
    assert conn.next_event() == smtp.Greeting()
    assert conn.next_event() is None
    conn.accept()
    assert events(conn) == [smtp.ConnectionClosed(True)]


def test_octets_after_the_peer_has_closed() -> None:
    conn = at(EHLO)
    events(conn, b"NOOP\r\n")
    conn.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        conn.receive_data(b"NOOP\r\n")
    conn.receive_data(b"")  # said twice


# -- whatever comes -------------------------------------------------------------------------------

SESSION = (
    EHLO
    + b"FOO\r\nAUTH EXTERNAL =\r\n"
    + MAIL
    + RCPT
    + DATA
    + b"..a\r\n\r\n.b\r\n.\r\n"
    + MAIL
    + RCPT
    + b"BDAT 4\r\na\r\nbBDAT 3\r\n\r\nc"
    + b"BDAT 2 LAST\r\n\r\n"
    + b"BDAT 5 LAST\r\nhello"
    + MAIL
    + RCPT
    + DATA
    + b"a\r\nb\nc\r\n.\r\n"
    + b"NOOP "
    + b"x" * 600
    + b"\r\nQUIT\r\n"
)


def play(wire: list[bytes]) -> tuple[list[smtp.Event], bytes]:
    """What comes of a session, adjacent MessageData joined, and what is written."""
    conn = server(ext.Chunking(), ext.Auth("EXTERNAL"), ext.Pipelining())
    found: list[smtp.Event] = []
    for piece in wire:
        conn.receive_data(piece)
        for event in conn.events():
            if found and isinstance(event, smtp.MessageData):
                last = found[-1]
                if isinstance(last, smtp.MessageData):
                    found[-1] = smtp.MessageData(last.data + event.data)
                    continue
            found.append(event)
            if isinstance(event, smtp.Auth | smtp.AuthResponse):
                conn.authenticated("somebody")
            elif isinstance(event, smtp.Request):
                conn.accept()
    return found, conn.data_to_send()


def test_chunking_does_not_matter() -> None:
    whole = play([SESSION])
    assert codes(whole[1]) == [
        250, 500, 235, 250, 250, 354, 250, 250, 250, 250, 250, 250, 503, 250, 250, 354, 550, 500,
        221,
    ]  # fmt: skip
    for cut in range(1, len(SESSION)):
        assert play([SESSION[:cut], SESSION[cut:]]) == whole
    assert play([SESSION[i : i + 1] for i in range(len(SESSION))]) == whole


WORDS = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b".", b" ", b"\0", b"\xff", b"\x16", b"<a@b.example>", b"EHLO x\r\n",
     b"MAIL FROM:", b"RCPT TO:", b"DATA\r\n", b"BDAT ", b"3", b" LAST", b"AUTH EXTERNAL ", b"=",
     b"*\r\n", b"RSET\r\n", b"QUIT\r\n", b"GET ", MAIL, RCPT, b"SIZE=", b"\xc3\xbc"]
)  # fmt: skip


@given(st.lists(WORDS | st.binary(max_size=5), max_size=40), st.booleans())
def test_nothing_a_client_sends_raises(pieces: list[bytes], lmtp: bool) -> None:
    conn = server(*OFFERED[:-2], ext.Auth("EXTERNAL"), lmtp=lmtp)
    found: list[smtp.Event] = []
    for piece in filter(None, pieces):
        conn.receive_data(piece.replace(b"EHLO", b"LHLO") if lmtp else piece)
        for event in conn.events():
            found.append(event)
            if isinstance(event, smtp.Auth | smtp.AuthResponse):
                conn.send(smtp.AuthChallenge(b"?"))
            elif isinstance(event, smtp.Request):
                conn.accept()
    conn.receive_data(b"")
    found += conn.events()
    assert conn.closed
    assert [e for e in found if isinstance(e, smtp.ConnectionClosed)] == found[-1:]
    # a message that has begun is followed by its one end
    runs = "".join(
        "d" if isinstance(event, smtp.MessageData) else "e"
        for event in found
        if isinstance(event, _MESSAGE)
    )
    assert not runs or runs.endswith("e")
    written = conn.data_to_send()
    assert all(re.match(rb"\d{3}[ -]", line) for line in written.splitlines())
    # one reply each: our own and the refusals' (LMTP: more of them)
    asked = [e for e in found if isinstance(e, smtp.Request | smtp.CommandRefused)]
    assert lmtp or len(codes(written)) >= len(asked)


_MESSAGE = (smtp.MessageData, smtp.EndOfMessage, smtp.MessageRefused, smtp.ConnectionClosed)


# -- BURL between chunks (RFC 4468) ---------------------------------------------------------------


def burl(answer: int, *lines: bytes) -> tuple[list[smtp.Event], list[int]]:
    conn = at(EHLO + MAIL + RCPT, ext.EightBitMime(), ext.Chunking(), ext.Burl())
    found = []
    for line in lines:
        for event in events(conn, line):
            found.append(event)
            if isinstance(event, smtp.Burl):
                conn.send(smtp.Reply(answer))
            elif isinstance(event, smtp.Request):
                conn.accept()
        found += events(conn)
    return found, codes(conn.data_to_send())


def test_a_refused_burl_ends_the_message_that_the_chunks_before_it_began() -> None:
    found, said = burl(554, b"BDAT 2\r\nab", b"BURL imap://x LAST\r\n")
    assert found == [
        smtp.MessageData(b"ab"),
        smtp.ChunkReceived(2),
        smtp.Burl("imap://x", last=True),
        smtp.MessageRefused(smtp.Reply(554)),
    ]
    assert said == [250, 554]


def test_a_refused_burl_before_the_last_ends_the_message_too() -> None:
    found, said = burl(554, b"BDAT 2\r\nab", b"BURL imap://x\r\n", b"BDAT 2 LAST\r\ncd")
    assert found[2:4] == [smtp.Burl("imap://x"), smtp.MessageRefused(smtp.Reply(554))]
    assert isinstance(found[4], smtp.CommandRefused)
    assert said == [250, 554, 503]


def test_no_octets_are_wanted_while_an_event_waits() -> None:
    conn = at(EHLO + MAIL + RCPT, ext.EightBitMime(), ext.Chunking(), ext.Burl())
    conn.receive_data(b"BDAT 2\r\nab")
    for _ in conn.events():
        if conn.owed is not None:
            conn.accept()
    assert conn.wants_data
    conn.receive_data(b"BURL imap://x LAST\r\n")
    assert conn.next_event() == smtp.Burl("imap://x", last=True)
    conn.reject(554)
    assert not conn.wants_data
    assert conn.next_event() == smtp.MessageRefused(smtp.Reply(554))
    assert conn.wants_data


def test_a_cr_before_a_burl_is_bare() -> None:
    found, said = burl(250, b"BDAT 2\r\na\r", b"BURL imap://x LAST\r\n")
    assert found[:2] == [smtp.MessageData(b"a"), smtp.ChunkReceived(2)]
    assert isinstance(found[2], smtp.CommandRefused)
    assert said == [250, 550]


def test_bare_newlines_are_seen_behind_a_burl() -> None:
    found, said = burl(250, b"BURL imap://x\r\n", b"BDAT 3 LAST\r\na\n.")
    assert found[1] == smtp.MessageData(b"a")
    assert isinstance(found[2], smtp.MessageRefused)
    assert said == [250, 550]


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH LOGIN\nc2VjcmV0",
        b"EHLO x\nAUTH PLAIN c2VjcmV0\n",
        b"AUTH PLAIN\rc2VjcmV0",
        b"AUTH\x0bPLAIN c2VjcmV0",
        b"\0AUTH PLAIN c2VjcmV0",
        b"\xef\xbb\xbfAUTH PLAIN c2VjcmV0",
    ],
)
def test_secrets_behind_controls_are_not_shown(line: bytes) -> None:
    refused = events(at(EHLO, ext.Auth("PLAIN")), line + b"\r\n")[0]
    assert isinstance(refused, smtp.CommandRefused)
    assert b"c2VjcmV0" not in refused.line
    assert refused.line.endswith(b"[redacted]")


@pytest.mark.parametrize(
    "auth", [b"\0AUTH LOGIN", b"\xef\xbb\xbfAUTH LOGIN", b"EHLO x\nAUTH LOGIN"]
)
def test_responses_that_follow_an_auth_that_is_none_are_not_shown(auth: bytes) -> None:
    found = events(at(EHLO, ext.Auth("LOGIN")), auth + b"\r\nYm9i\r\nc2VjcmV0\r\n")
    assert [event.line for event in found if isinstance(event, smtp.CommandRefused)] == [
        auth, b"[redacted]", b"[redacted]"
    ]  # fmt: skip


def test_what_a_client_makes_the_server_say_is_not_kept() -> None:
    """Every parameter that is not offered is named in its refusal."""
    conn = at(EHLO)
    for number in range(1000):
        line = b"MAIL FROM:<a@b.example> X-%d\r\n" % number
        assert talk(conn, line) == b"555 The parameter X-%d is not offered here\r\n" % number
    assert standard.cache_info().currsize <= 256
