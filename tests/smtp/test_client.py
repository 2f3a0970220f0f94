"""ClientConnection: what goes out, and when; what each reply comes to; what is refused here.

`client(...)` has been greeted and has sent EHLO; its arguments are the lines of the answer.
`got` plays the server: it gives the events of what the server wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import (
    Connection,
    InvalidValueError,
    LocalProtocolError,
    NotOfferedError,
    OutOfOrderError,
    RemoteProtocolError,
    pop3,
    sasl,
    smtp,
)
from smtpproto.smtp import ClientConnection, ReplyReceived, State, ext
from tests.counting import calls

EHLO = smtp.Ehlo("client.example")
MAIL = smtp.Mail("a@client.example")
RCPT = smtp.Rcpt("b@mx.example")
RCPT_2 = smtp.Rcpt("c@mx.example")
DATA = smtp.Data()
END = smtp.EndOfMessage()

WIRE_MAIL = b"MAIL FROM:<a@client.example>\r\n"
WIRE_RCPT = b"RCPT TO:<b@mx.example>\r\n"
WIRE_RCPT_2 = b"RCPT TO:<c@mx.example>\r\n"


def greeted(**options: Any) -> ClientConnection:
    conn = ClientConnection(**options)
    conn.receive_data(b"220 mx.example ESMTP\r\n")
    assert [type(event) for event in conn.events()] == [ReplyReceived]
    return conn


def client(*offered: str, **options: Any) -> ClientConnection:
    conn = greeted(**options)
    conn.send(smtp.Lhlo("client.example") if options.get("lmtp") else EHLO)
    conn.data_to_send()
    *first, last = ("mx.example", *offered)
    conn.receive_data(
        b"".join(b"250-%s\r\n" % line.encode() for line in first) + b"250 %s\r\n" % last.encode()
    )
    assert [type(event) for event in conn.events()] == [ReplyReceived]
    assert state(conn) is State.READY
    return conn


def in_message(*offered: str, **options: Any) -> ClientConnection:
    """After 354, with one recipient."""
    conn = client(*offered, **options)
    send(conn, MAIL, b"250 ok")
    send(conn, RCPT, b"250 ok")
    send(conn, DATA, b"354 go ahead")
    assert state(conn) is State.DATA
    return conn


def send(conn: ClientConnection, item: Any, reply: bytes) -> None:
    """One command and its reply."""
    conn.send(item)
    assert conn.data_to_send()
    (event,) = got(conn, reply + b"\r\n")
    assert isinstance(event, ReplyReceived)
    assert event.command == item


def got(conn: ClientConnection, octets: bytes) -> list[smtp.Event]:
    conn.receive_data(octets)
    return list(conn.events())


def received(command: smtp.Request | None, code: int, *lines: str) -> ReplyReceived:
    return ReplyReceived(command, smtp.Reply(code, *lines))


def state(conn: ClientConnection) -> State:
    return conn.state


# -- the greeting and EHLO ------------------------------------------------------------------------


def test_the_greeting() -> None:
    conn = ClientConnection()
    assert state(conn) is State.GREETING
    assert conn.wants_data
    assert conn.timeout == 300
    assert got(conn, b"220-mx.example\r\n220 ready\r\n") == [
        received(smtp.Greeting(), 220, "mx.example", "ready")
    ]
    assert state(conn) is State.CONNECTED


@pytest.mark.parametrize("code", [554, 521, 450])
def test_a_greeting_that_refuses(code: int) -> None:
    conn = ClientConnection()
    assert got(conn, b"%d No SMTP here\r\n" % code) == [
        received(smtp.Greeting(), code, "No SMTP here")
    ]
    assert state(conn) is State.CLOSING
    assert not conn.closed
    for command in (EHLO, smtp.Noop(), MAIL):
        with pytest.raises(LocalProtocolError, match=r"allowed are QUIT$"):
            conn.send(command)
    conn.send(smtp.Quit())
    assert conn.data_to_send() == b"QUIT\r\n"
    assert got(conn, b"221 bye\r\n") == [
        received(smtp.Quit(), 221, "bye"),
        smtp.ConnectionClosed(True),
    ]


@pytest.mark.parametrize("reply", [b"250 hello", b"354 go", b"235 welcome", b"211 status"])
def test_a_greeting_that_is_none(reply: bytes) -> None:
    conn = ClientConnection()
    conn.receive_data(reply + b"\r\n")
    with pytest.raises(RemoteProtocolError, match=r"Greeting\(\).*expected 220"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False, (smtp.Greeting(),))]


def test_ehlo_may_be_queued_before_the_greeting() -> None:
    conn = ClientConnection()
    conn.send(EHLO)
    assert conn.data_to_send() == b""
    got(conn, b"220 hello\r\n")
    assert conn.data_to_send() == b"EHLO client.example\r\n"


def test_capabilities() -> None:
    conn = greeted()
    assert len(conn.capabilities) == 0
    conn.send(EHLO)
    got(
        conn,
        b"250-mx.example\r\n250-SIZE 100\r\n250-size 200\r\n250-X-FOO bar\r\n250 AUTH=PLAIN\r\n",
    )
    assert conn.capabilities == smtp.Capabilities(
        [ext.Size(100), ext.Unknown("X-FOO", "bar"), ext.Auth("PLAIN")]
    )
    assert conn.capabilities.size == 100
    assert conn.capabilities.auth == ("PLAIN",)
    conn.send(smtp.Ehlo("again"))
    got(conn, b"250 mx.example\r\n")
    assert conn.capabilities == smtp.Capabilities()


def test_a_refused_ehlo_changes_nothing() -> None:
    conn = client("PIPELINING")
    send(conn, MAIL, b"250 ok")
    send(conn, EHLO, b"501 again?")
    assert "PIPELINING" in conn.capabilities
    assert conn.envelope == smtp.Envelope(MAIL)
    assert state(conn) is State.MAIL


def test_400_is_a_refusal() -> None:
    conn = client("PIPELINING")
    send(conn, EHLO, b"400 no")
    assert "PIPELINING" in conn.capabilities
    send(conn, MAIL, b"400 no")
    assert conn.envelope is None
    send(conn, MAIL, b"250 ok")
    send(conn, RCPT, b"400 no")
    send(conn, smtp.Rset(), b"400 no")
    assert conn.envelope == smtp.Envelope(MAIL)


def test_helo_after_a_refused_ehlo() -> None:
    conn = greeted()
    conn.send(EHLO)
    assert got(conn, b"502 what?\r\n") == [received(EHLO, 502, "what?")]
    assert state(conn) is State.CONNECTED
    conn.data_to_send()
    conn.send(smtp.Helo("client.example"))
    assert conn.data_to_send() == b"HELO client.example\r\n"
    got(conn, b"250-mx.example\r\n250 PIPELINING\r\n")
    assert state(conn) is State.READY
    assert conn.capabilities == smtp.Capabilities()  # HELO's answer lists nothing


@pytest.mark.parametrize("ended_by", [smtp.Rset(), smtp.Ehlo("again"), smtp.Helo("again")])
def test_what_ends_a_transaction(ended_by: smtp.Command) -> None:
    conn = client()
    send(conn, MAIL, b"250 ok")
    send(conn, RCPT, b"250 ok")
    send(conn, ended_by, b"250 ok")
    assert state(conn) is State.READY
    assert conn.envelope is None
    send(conn, MAIL, b"250 ok")


# -- pipelining (RFC 2920) ------------------------------------------------------------------------


def test_without_pipelining_commands_go_out_one_by_one() -> None:
    conn = client()
    for command in (MAIL, RCPT, RCPT_2, DATA):
        conn.send(command)
    assert conn.data_to_send() == WIRE_MAIL
    assert conn.data_to_send() == b""
    assert got(conn, b"250 ok\r\n") == [received(MAIL, 250, "ok")]
    assert conn.data_to_send() == WIRE_RCPT
    assert got(conn, b"550 no\r\n") == [received(RCPT, 550, "no")]
    assert conn.data_to_send() == WIRE_RCPT_2
    assert got(conn, b"250-still\r\n") == []
    assert conn.data_to_send() == b""
    assert got(conn, b"250 ok\r\n") == [received(RCPT_2, 250, "still", "ok")]
    assert conn.data_to_send() == b"DATA\r\n"
    assert got(conn, b"354 go\r\n") == [received(DATA, 354, "go")]


def test_with_pipelining_a_transaction_goes_out_at_once() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, RCPT_2, DATA):
        conn.send(command)
    assert conn.data_to_send() == WIRE_MAIL + WIRE_RCPT + WIRE_RCPT_2 + b"DATA\r\n"
    assert state(conn) is State.READY  # what replies have confirmed
    assert got(conn, b"250 a\r\n550 b\r\n250 c\r\n354 d\r\n") == [
        received(MAIL, 250, "a"),
        received(RCPT, 550, "b"),
        received(RCPT_2, 250, "c"),
        received(DATA, 354, "d"),
    ]
    conn.send(smtp.MessageData(b"hi\r\n"))
    conn.send(END)
    for following in (MAIL, RCPT, smtp.Rset(), smtp.Quit()):
        conn.send(following)
    assert conn.data_to_send() == b"hi\r\n.\r\n" + WIRE_MAIL + WIRE_RCPT + b"RSET\r\nQUIT\r\n"
    assert got(conn, b"250 e\r\n250 f\r\n250 g\r\n250 h\r\n221 i\r\n") == [
        received(END, 250, "e"),
        received(MAIL, 250, "f"),
        received(RCPT, 250, "g"),
        received(smtp.Rset(), 250, "h"),
        received(smtp.Quit(), 221, "i"),
        smtp.ConnectionClosed(True),
    ]


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (smtp.Noop(), b"NOOP\r\n"),
        (smtp.Help(), b"HELP\r\n"),
        (smtp.Vrfy("bob"), b"VRFY bob\r\n"),
        (smtp.Expn("all"), b"EXPN all\r\n"),
        (smtp.Etrn("example.org"), b"ETRN example.org\r\n"),
        (smtp.Extended("XCLIENT", "NAME=x"), b"XCLIENT NAME=x\r\n"),
        (smtp.Raw(b"FOO\r\n"), b"FOO\r\n"),
    ],
)
def test_what_ends_a_group(command: smtp.Command, wire: bytes) -> None:
    conn = client("PIPELINING", "EXPN", "ETRN", "XCLIENT")
    conn.send(smtp.Rset())
    conn.send(command)
    conn.send(MAIL)
    conn.send(RCPT)
    assert conn.data_to_send() == b"RSET\r\n" + wire
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b""
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == WIRE_MAIL + WIRE_RCPT


def test_nothing_follows_the_greeting() -> None:
    conn = ClientConnection()
    conn.send(smtp.Noop())
    conn.send(smtp.Quit())
    assert conn.data_to_send() == b""
    got(conn, b"220 hello\r\n")
    assert conn.data_to_send() == b"NOOP\r\n"
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("offered", "barrier"),
    [
        ((), EHLO),
        ((), smtp.Helo("client.example")),
        (("STARTTLS",), smtp.StartTls()),
        (("AUTH EXTERNAL",), smtp.Auth("EXTERNAL", b"")),
        (("TURN",), smtp.Turn()),
        (("ATRN",), smtp.Atrn(["example.org"])),
    ],
)
def test_barriers(offered: tuple[str, ...], barrier: smtp.Command) -> None:
    """Nothing may even be queued behind them: nothing goes out because it was queued early."""
    conn = client("PIPELINING", *offered)
    conn.send(barrier)
    assert conn.data_to_send() == bytes(barrier)
    for item in (
        MAIL,
        smtp.Noop(),
        smtp.Quit(),
        smtp.Raw(b"x"),
        EHLO,
        smtp.MessageData(b"x"),
        END,
        smtp.AuthResponse(b"x"),
    ):
        with pytest.raises(LocalProtocolError):
            conn.send(item)
    assert conn.data_to_send() == b""
    got(conn, b"550 no\r\n")
    assert conn.data_to_send() == b""
    conn.send(smtp.Noop())
    assert conn.data_to_send() == b"NOOP\r\n"


def test_lhlo_is_a_barrier() -> None:
    conn = greeted(lmtp=True)
    conn.send(smtp.Lhlo("client.example"))
    with pytest.raises(LocalProtocolError, match="LHLO"):
        conn.send(MAIL)
    conn.data_to_send()
    got(conn, b"250 mx.example\r\n")
    conn.send(MAIL)
    assert conn.data_to_send() == WIRE_MAIL


def test_a_barrier_waits_for_what_is_before_it() -> None:
    conn = client("PIPELINING", "STARTTLS")
    conn.send(smtp.Noop())
    conn.send(smtp.StartTls())
    with pytest.raises(LocalProtocolError, match="STARTTLS"):
        conn.send(smtp.Noop())
    assert conn.data_to_send() == b"NOOP\r\n"
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b"STARTTLS\r\n"


def test_a_barrier_behind_what_is_refused() -> None:
    """AUTH is out of order now; until it is answered nothing is known all the same."""
    conn = client("PIPELINING", "AUTH EXTERNAL")
    send(conn, MAIL, b"250 ok")
    conn.send(smtp.Rset())
    conn.send(smtp.Auth("EXTERNAL", b""))
    got(conn, b"450 no\r\n")
    with pytest.raises(LocalProtocolError, match="must wait for the reply to AUTH"):
        conn.send(RCPT)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (len(WIRE_MAIL + WIRE_RCPT), WIRE_MAIL + WIRE_RCPT),
        (len(WIRE_MAIL + WIRE_RCPT) - 1, WIRE_MAIL),
    ],
)
def test_pipeline_octets_are_counted_exactly(octets: int, written: bytes) -> None:
    conn = client("PIPELINING", limits=smtp.Limits(pipeline_octets=octets))
    conn.send(MAIL)
    conn.send(RCPT)
    assert conn.data_to_send() == written


def test_pipeline_octets() -> None:
    """RFC 2920 section 3.1: never more unanswered than the peer's window surely holds."""
    conn = client("PIPELINING", limits=smtp.Limits(pipeline_octets=100))
    conn.send(MAIL)
    for _ in range(10):
        conn.send(RCPT)
    first = conn.data_to_send()
    assert first == WIRE_MAIL + WIRE_RCPT * 2  # 30 and 24 each
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == WIRE_RCPT * 2
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == WIRE_RCPT
    got(conn, b"550 no\r\n" * 4)
    assert conn.data_to_send() == WIRE_RCPT * 4
    got(conn, b"250 ok\r\n" * 4)
    assert conn.data_to_send() == WIRE_RCPT


@pytest.mark.parametrize("mail", [b"250 ok\r\n", b"550 no\r\n"])
def test_refusals_of_what_is_pipelined_take_linear_time(mail: bytes) -> None:
    """What is expected after all that is unanswered is not worked out again for each of them."""

    def refused(recipients: int) -> int:
        conn = client("PIPELINING", limits=smtp.Limits(pipeline_octets=None))
        for command in (MAIL, *[RCPT] * recipients):
            conn.send(command)

        def hear() -> None:
            for reply in (mail, *[b"550 no\r\n"] * recipients):
                (event,) = got(conn, reply)
                assert isinstance(event, ReplyReceived)
                if event.reply.code == 550:
                    conn.send(smtp.Rset())

        return calls(hear)

    assert refused(400) < 2.1 * refused(200)


def test_pipeline_octets_by_default_and_without_limit() -> None:
    conn = client("PIPELINING")
    conn.send(MAIL)
    for _ in range(1000):
        conn.send(RCPT)
    assert len(conn.data_to_send()) in range(4096 - len(WIRE_RCPT), 4097)
    conn = client("PIPELINING", limits=smtp.Limits(pipeline_octets=None))
    conn.send(MAIL)
    for _ in range(1000):
        conn.send(RCPT)
    assert conn.data_to_send() == WIRE_MAIL + WIRE_RCPT * 1000


def test_one_command_goes_out_however_long_it_is() -> None:
    conn = client("PIPELINING", limits=smtp.Limits(pipeline_octets=10))
    conn.send(MAIL)
    assert conn.data_to_send() == WIRE_MAIL


def test_every_command_gets_its_reply_also_when_one_before_it_was_refused() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    assert got(conn, b"450 a\r\n503 b\r\n503 c\r\n") == [
        received(MAIL, 450, "a"),
        received(RCPT, 503, "b"),
        received(DATA, 503, "c"),
    ]
    assert state(conn) is State.READY
    assert conn.envelope is None
    with pytest.raises(LocalProtocolError, match="ready"):
        conn.send(RCPT)
    conn.data_to_send()
    send(conn, MAIL, b"250 ok")


def test_what_is_expected_is_worked_out_anew_after_a_refusal() -> None:
    """Behind a refused MAIL the next one may begin a transaction, though more is unanswered."""
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, smtp.Rset()):
        conn.send(command)
    conn.data_to_send()
    got(conn, b"450 later\r\n")
    conn.send(smtp.Mail(None))
    assert conn.data_to_send() == b"MAIL FROM:<>\r\n"


def test_a_refusal_makes_what_follows_out_of_order() -> None:
    conn = client("PIPELINING")
    conn.send(MAIL)
    conn.send(RCPT)
    conn.data_to_send()
    got(conn, b"250 ok\r\n")
    got(conn, b"550 no\r\n")
    with pytest.raises(LocalProtocolError, match=r"Data\(\) cannot be sent in state mail"):
        conn.send(DATA)
    conn.send(RCPT_2)
    conn.send(DATA)  # should RCPT succeed
    assert conn.data_to_send() == WIRE_RCPT_2 + b"DATA\r\n"


@pytest.mark.parametrize(
    "replies", [b"450 a\r\n250 b\r\n", b"450 a\r\n354 b\r\n", b"550 a\r\n334 \r\n"]
)
def test_success_behind_a_refused_mail_is_none(replies: bytes) -> None:
    conn = client("PIPELINING")
    conn.send(MAIL)
    conn.send(RCPT)
    conn.receive_data(replies)
    assert isinstance(conn.next_event(), ReplyReceived)
    with pytest.raises(RemoteProtocolError, match="cannot answer Rcpt"):
        conn.next_event()
    assert conn.next_event() == smtp.ConnectionClosed(False, (RCPT,))


@pytest.mark.parametrize(
    "command",
    [RCPT, DATA, END, smtp.MessageData(b"x"), smtp.Bdat(5), smtp.AuthResponse(b"")],
)
def test_the_order_of_commands(command: smtp.Command) -> None:
    conn = client("CHUNKING")
    with pytest.raises(LocalProtocolError):
        conn.send(command)
    assert conn.data_to_send() == b""


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ([MAIL], [MAIL, DATA, smtp.Bdat(1), smtp.StartTls(), smtp.Auth("EXTERNAL")]),
        ([MAIL, RCPT], [MAIL, smtp.StartTls(), smtp.Auth("EXTERNAL"), smtp.Etrn("example.org")]),
        ([MAIL, RCPT, DATA], [MAIL, RCPT, DATA, smtp.Rset(), smtp.Noop(), smtp.Quit()]),
        ([smtp.Quit()], [MAIL, smtp.Noop(), smtp.Quit(), EHLO]),
    ],
)
def test_the_order_should_all_succeed(
    before: list[smtp.Command], refused: list[smtp.Command]
) -> None:
    conn = client("PIPELINING", "CHUNKING", "STARTTLS", "AUTH EXTERNAL", "ETRN")
    for command in before:
        conn.send(command)
    conn.data_to_send()
    for command in refused:
        with pytest.raises(LocalProtocolError, match="cannot be sent in state"):
            conn.send(command)
    assert conn.data_to_send() == b""


def test_before_ehlo() -> None:
    conn = greeted()
    for command in (MAIL, smtp.StartTls(), smtp.Auth("PLAIN"), smtp.Lhlo("x")):
        with pytest.raises(LocalProtocolError):
            conn.send(command)
    send(conn, smtp.Noop(), b"250 ok")
    send(conn, smtp.Rset(), b"250 ok")


@pytest.mark.parametrize("command", [EHLO, smtp.Helo("x")])
def test_ehlo_is_no_command_of_lmtp(command: smtp.Command) -> None:
    conn = greeted(lmtp=True)
    with pytest.raises(NotOfferedError, match="LMTP has LHLO instead"):
        conn.send(command)


def test_what_cannot_be_sent_at_all() -> None:
    conn = client()
    for item in (b"NOOP\r\n", smtp.Reply(250), smtp.TlsHandshake(), None):
        with pytest.raises(TypeError, match="a client sends"):
            conn.send(item)  # type: ignore[arg-type]
    assert conn.data_to_send() == b""


def test_raw() -> None:
    conn = client("PIPELINING")
    conn.send(smtp.Raw(b"DATA\r\n.\r\n", replies=2))
    conn.send(smtp.Noop())
    assert conn.data_to_send() == b"DATA\r\n.\r\n"
    raw = smtp.Raw(b"DATA\r\n.\r\n", replies=2)
    assert got(conn, b"503 a\r\n") == [received(raw, 503, "a")]
    assert conn.data_to_send() == b""
    assert got(conn, b"299 b\r\n") == [received(raw, 299, "b")]
    assert conn.data_to_send() == b"NOOP\r\n"
    got(conn, b"250 ok\r\n")
    conn.send(smtp.Raw(b"\xff", replies=0))
    conn.send(smtp.Noop())
    assert conn.data_to_send() == b"\xffNOOP\r\n"
    assert state(conn) is State.READY


@pytest.mark.parametrize("make", [in_message, lambda: sent_quit()])
def test_raw_has_no_place_in_a_message_or_behind_quit(
    make: Callable[[], ClientConnection],
) -> None:
    with pytest.raises(LocalProtocolError):
        make().send(smtp.Raw(b"RSET\r\n"))


def sent_quit() -> ClientConnection:
    conn = client()
    conn.send(smtp.Quit())
    return conn


# -- the message ----------------------------------------------------------------------------------


def test_a_message() -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b"Subject: x\r\n\r\n.dot\r"))
    assert conn.data_to_send() == b"Subject: x\r\n\r\n..dot"
    conn.send(smtp.MessageData(b"\nlast"))
    conn.send(END)
    assert conn.data_to_send() == b"\r\nlast\r\n.\r\n"
    with pytest.raises(LocalProtocolError):
        conn.send(smtp.MessageData(b"more"))
    with pytest.raises(LocalProtocolError):
        conn.send(END)
    assert got(conn, b"250 queued\r\n") == [received(END, 250, "queued")]
    assert state(conn) is State.READY


def test_an_empty_message() -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b""))
    conn.send(END)
    assert conn.data_to_send() == b".\r\n"


def test_newlines() -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b"a\nb\rc\r\n.\n"))
    conn.send(END)
    assert conn.data_to_send() == b"a\r\nb\r\nc\r\n..\r\n.\r\n"


@pytest.mark.parametrize("data", [b"a\nb", b"a\rb", b"\n", b"a\r\r\n"])
def test_strict_newlines(data: bytes) -> None:
    conn = in_message(newlines="strict")
    conn.send(smtp.MessageData(b"first\r\n"))
    with pytest.raises(LocalProtocolError, match="CR without LF"):
        conn.send(smtp.MessageData(data))
    conn.send(smtp.MessageData(b"last\r\n"))
    conn.send(END)
    assert conn.data_to_send() == b"first\r\nlast\r\n.\r\n"


def test_strict_newlines_at_the_end() -> None:
    conn = in_message(newlines="strict")
    conn.send(smtp.MessageData(b"last\r"))
    with pytest.raises(LocalProtocolError):
        conn.send(END)
    conn.send(smtp.MessageData(b"\n"))
    conn.send(END)
    assert conn.data_to_send() == b"last\r\n.\r\n"


def test_354_without_an_accepted_recipient() -> None:
    """RFC 2920 section 3.1: only the final dot may follow."""
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    conn.data_to_send()
    assert got(conn, b"250 a\r\n550 b\r\n354 c\r\n")[-1] == received(DATA, 354, "c")
    assert state(conn) is State.DATA
    with pytest.raises(LocalProtocolError, match="no recipient was accepted"):
        conn.send(smtp.MessageData(b"x"))
    conn.send(END)
    assert conn.data_to_send() == b".\r\n"
    assert got(conn, b"554 no valid recipients\r\n") == [received(END, 554, "no valid recipients")]
    assert state(conn) is State.READY


@pytest.mark.parametrize("refusals", [b"250 a\r\n550 b\r\n", b"550 a\r\n503 b\r\n"])
def test_nothing_is_queued_behind_data_that_may_still_lead_to_the_message(refusals: bytes) -> None:
    """It would be written after the 354, and be a line of the message."""
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    got(conn, refusals)
    conn.data_to_send()
    for early in (smtp.Rset(), MAIL, RCPT, smtp.Quit()):
        with pytest.raises(
            LocalProtocolError, match=r"state data: allowed are MessageData and EndOfMessage$"
        ):
            conn.send(early)
    got(conn, b"503 no valid recipients\r\n")
    conn.send(smtp.Rset())
    assert conn.data_to_send() == b"RSET\r\n"


@pytest.mark.parametrize("code", [452, 552, 554])
def test_a_refusal_in_the_middle_of_a_message(code: int) -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b"half "))
    assert got(conn, b"%d no\r\n" % code) == [received(END, code, "no")]
    for item in (smtp.MessageData(b"more"), END, smtp.Rset(), smtp.Quit()):
        with pytest.raises(LocalProtocolError, match=r"refused .* before its end: abort\(\)"):
            conn.send(item)
    conn.abort()
    assert conn.data_to_send() == b""  # no terminator is ever written
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]


def test_only_one_reply_in_the_middle_of_a_message() -> None:
    conn = in_message()
    got(conn, b"552 no\r\n")
    conn.receive_data(b"552 no\r\n")
    with pytest.raises(RemoteProtocolError):
        conn.next_event()


@pytest.mark.parametrize("reply", [b"250 thanks", b"354 more", b"220 hello"])
def test_no_success_in_the_middle_of_a_message(reply: bytes) -> None:
    conn = in_message()
    conn.receive_data(reply + b"\r\n")
    with pytest.raises(RemoteProtocolError):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]


def test_a_message_that_is_resumed() -> None:
    """RFC 1845: 355 to MAIL leads straight to DATA; the recipients are those it had."""
    conn = client("CHECKPOINT")
    mail = smtp.Mail("a@client.example", transid="<12345@client.example>")
    send(conn, mail, b"355 6135 is the transaction offset")
    assert conn.envelope == smtp.Envelope(mail)
    send(conn, DATA, b"354 go ahead")
    conn.send(smtp.MessageData(b"the rest\r\n"))
    conn.send(END)
    assert conn.data_to_send() == b"the rest\r\n.\r\n"
    got(conn, b"250 ok\r\n")
    send(conn, MAIL, b"250 ok")
    assert state(conn) is State.MAIL


def test_no_message_without_recipients_behind_one_that_was_resumed() -> None:
    conn = client("CHECKPOINT", "PIPELINING")
    send(conn, smtp.Mail("a@client.example", transid="<1@client.example>"), b"355 6135 octets")
    send(conn, DATA, b"354 go ahead")
    send(conn, END, b"250 ok")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    got(conn, b"550 a\r\n503 b\r\n354 c\r\n")
    with pytest.raises(LocalProtocolError, match="no recipient was accepted"):
        conn.send(smtp.MessageData(b"x"))


# -- BDAT (RFC 3030) ------------------------------------------------------------------------------


def ready_for_chunks(*offered: str, **options: Any) -> ClientConnection:
    conn = client("CHUNKING", *offered, **options)
    send(conn, MAIL, b"250 ok")
    send(conn, RCPT, b"250 ok")
    return conn


def test_chunks() -> None:
    conn = ready_for_chunks("PIPELINING")
    conn.send(smtp.Bdat(5))
    conn.send(smtp.MessageData(b"\r\n."))
    conn.send(smtp.MessageData(b"\r\n"))
    conn.send(smtp.Bdat(0, last=True))
    assert conn.data_to_send() == b"BDAT 5\r\n\r\n.\r\nBDAT 0 LAST\r\n"
    assert got(conn, b"250 a\r\n250 b\r\n") == [
        received(smtp.Bdat(5), 250, "a"),
        received(smtp.Bdat(0, True), 250, "b"),
    ]
    assert state(conn) is State.READY


def test_chunks_are_sent_as_they_are() -> None:
    conn = ready_for_chunks("BINARYMIME")
    conn.send(smtp.Bdat(6, last=True))
    conn.send(smtp.MessageData(b"\n\r\0.\r\n"))
    assert conn.data_to_send() == b"BDAT 6 LAST\r\n\n\r\0.\r\n"


def test_exactly_the_octets_that_were_announced() -> None:
    conn = ready_for_chunks()
    conn.send(smtp.Bdat(3))
    with pytest.raises(LocalProtocolError, match="announced only 3"):
        conn.send(smtp.MessageData(b"four"))
    conn.send(smtp.MessageData(b"on"))
    for item in (smtp.Bdat(1), smtp.Rset(), smtp.Noop(), smtp.Raw(b"x"), END):
        with pytest.raises(LocalProtocolError):
            conn.send(item)
    conn.send(smtp.MessageData(b"e"))
    with pytest.raises(LocalProtocolError):
        conn.send(smtp.MessageData(b"x"))
    assert conn.data_to_send() == b"BDAT 3\r\none"


def test_no_exchange_begins_before_the_octets_that_were_announced() -> None:
    conn = ready_for_chunks("AUTH EXTERNAL")
    conn.send(smtp.Bdat(3, last=True))
    mechanism = Mechanism(b"")
    with pytest.raises(LocalProtocolError, match="announced 3 octets more"):
        conn.authenticate(mechanism)
    assert mechanism.asked == []


def test_chunks_wait_for_mail_and_rcpt() -> None:
    conn = client("CHUNKING", "PIPELINING")
    for item in (MAIL, RCPT, smtp.Bdat(3), smtp.MessageData(b"one"), smtp.Bdat(0, True)):
        conn.send(item)
    assert conn.data_to_send() == WIRE_MAIL + WIRE_RCPT
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b""
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b"BDAT 3\r\noneBDAT 0 LAST\r\n"


@pytest.mark.parametrize(
    ("offered", "last", "follows"),
    [
        (["PIPELINING"], smtp.Bdat(0, last=True), True),
        # RFC 4468 section 3.2: "it MUST wait for the results of the LAST BDAT or BURL command".
        (["PIPELINING", "BURL"], smtp.Bdat(0, last=True), False),
        (["PIPELINING", "BURL"], smtp.Burl("imap://x", last=True), False),
    ],
)
def test_the_next_transaction_behind_the_last_chunk(
    offered: list[str], last: smtp.Command, follows: bool
) -> None:
    conn = ready_for_chunks(*offered)
    conn.send(last)
    conn.send(MAIL)
    assert conn.data_to_send() == bytes(last) + WIRE_MAIL * follows
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == WIRE_MAIL * (not follows)


def test_chunks_without_pipelining() -> None:
    conn = ready_for_chunks()
    for item in (smtp.Bdat(3), smtp.MessageData(b"one"), smtp.Bdat(3), smtp.MessageData(b"tw")):
        conn.send(item)
    assert conn.data_to_send() == b"BDAT 3\r\none"
    conn.send(smtp.MessageData(b"o"))
    conn.send(smtp.Bdat(0, last=True))
    assert conn.data_to_send() == b""
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b"BDAT 3\r\ntwo"
    got(conn, b"250 ok\r\n")
    assert conn.data_to_send() == b"BDAT 0 LAST\r\n"


def test_between_chunks() -> None:
    conn = ready_for_chunks()
    send(conn, smtp.Bdat(0), b"250 ok")
    assert state(conn) is State.BDAT
    for command in (DATA, MAIL, RCPT):
        with pytest.raises(LocalProtocolError, match="bdat"):
            conn.send(command)
    send(conn, smtp.Noop(), b"250 ok")
    send(conn, smtp.Rset(), b"250 ok")
    assert state(conn) is State.READY


def test_a_refused_chunk() -> None:
    conn = ready_for_chunks("PIPELINING")
    for item in (smtp.Bdat(3), smtp.MessageData(b"one"), smtp.Bdat(3, True)):
        conn.send(item)
    assert got(conn, b"552 too much\r\n") == [received(smtp.Bdat(3), 552, "too much")]
    conn.send(smtp.MessageData(b"two"))  # it was announced
    assert conn.data_to_send() == b"BDAT 3\r\noneBDAT 3 LAST\r\ntwo"
    assert got(conn, b"503 failed\r\n") == [received(smtp.Bdat(3, True), 503, "failed")]
    assert state(conn) is State.FAILED
    with pytest.raises(LocalProtocolError, match="failed"):
        conn.send(smtp.Bdat(3))
    send(conn, smtp.Rset(), b"250 ok")
    send(conn, MAIL, b"250 ok")


def test_binarymime_is_not_for_data() -> None:
    """RFC 3030 section 3."""
    conn = client("CHUNKING", "BINARYMIME")
    mail = smtp.Mail("a@client.example", body="BINARYMIME")
    send(conn, mail, b"250 ok")
    send(conn, RCPT, b"250 ok")
    with pytest.raises(LocalProtocolError, match="BINARYMIME"):
        conn.send(DATA)
    conn.send(smtp.Bdat(1, True))


# -- replies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"hello\r\n", "expected a reply, three digits"),
        (b"\r\n", "expected a reply, three digits"),
        (b"25 ok\r\n", "expected a reply, three digits"),
        (b"250_ok\r\n", "expected a reply, three digits"),
        (b"2500 ok\r\n", "expected a reply, three digits"),
        (b"150 ok\r\n", "three digits from 200 to 599"),
        (b"600 ok\r\n", "three digits from 200 to 599"),
        ("\u0662\u0665\u0660 ok\r\n".encode(), "three digits"),
        (b"250-ok\r\n251 ok\r\n", "every line of a reply has the same code"),
        (b"250-ok\r\nhello\r\n", "three digits"),
        (b"250 o\rk\r\n", "bare CR, bare LF or NUL"),
        (b"250 o\nk\r\n", "bare CR, bare LF or NUL"),
        (b"250 o\0k\r\n", "bare CR, bare LF or NUL"),
        (b"250 " + b"x" * 2043 + b"\r\n", "longer than 2048"),
        (b"250 " + b"x" * 20000 + b"\r\n", "longer than 12288"),
        ((b"250-" + b"x" * 994 + b"\r\n") * 66, "longer than 65536"),
        (b"354 go\r\n", "expected 2yz, 4yz, 5yz"),
        (b"334 eA==\r\n", "expected 2yz, 4yz, 5yz"),
    ],
)
@pytest.mark.parametrize("size", [100_000, 1])
def test_a_reply_that_is_none(octets: bytes, complaint: str, size: int) -> None:
    conn = client()
    conn.send(smtp.Noop())
    with pytest.raises(RemoteProtocolError, match=complaint):
        read_in_pieces(conn, octets, size)
    assert conn.closed
    assert state(conn) is State.CLOSED
    assert list(conn.events()) == [smtp.ConnectionClosed(False, (smtp.Noop(),))]
    assert conn.next_event() is None
    with pytest.raises(LocalProtocolError, match="over"):
        conn.send(smtp.Noop())


def read_in_pieces(conn: ClientConnection, octets: bytes, size: int) -> None:
    for start in range(0, len(octets), size):
        conn.receive_data(octets[start : start + size])
        assert conn.next_event() is None


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (b"250\r\n", ("",)),
        (b"250 \r\n", ("",)),
        (b"250-a\r\n250\r\n", ("a", "")),
        (b"250-\r\n250 b\r\n", ("", "b")),
        (b"250 gr\xc3\xbc\xc3\x9f\r\n", ("gr\u00fc\u00df",)),
        (b"250 gr\xfc\xdf\r\n", ("gr\udcfc\udcdf",)),
        (b"250 \x1b[2J\r\n", ("?[2J",)),
        (b"250 " + b"x" * 2042 + b"\r\n", ("x" * 2042,)),
    ],
)
def test_what_servers_write_beside_the_grammar(octets: bytes, lines: tuple[str, ...]) -> None:
    conn = client()
    conn.send(smtp.Noop())
    assert got(conn, octets) == [received(smtp.Noop(), 250, *lines)]


@pytest.mark.parametrize("reply", [b"250 ok", b"550 no", b"354 go"])
def test_a_reply_to_nothing(reply: bytes) -> None:
    conn = client()
    conn.receive_data(reply + b"\r\n")
    with pytest.raises(RemoteProtocolError, match="answers nothing"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (DATA, b"250 ok"),
        (DATA, b"334 "),
        (smtp.StartTls(), b"250 ok"),
        (smtp.Auth("EXTERNAL"), b"250 ok"),
        (smtp.Auth("EXTERNAL"), b"354 go"),
        (smtp.Ehlo("x"), b"354 go"),
        (MAIL, b"354 go"),
    ],
)
def test_a_reply_of_the_wrong_kind(command: smtp.Command, reply: bytes) -> None:
    conn = client("STARTTLS", "AUTH EXTERNAL")
    if command is DATA:
        send(conn, MAIL, b"250 ok")
        send(conn, RCPT, b"250 ok")
    conn.send(command)
    conn.receive_data(reply + b"\r\n")
    with pytest.raises(RemoteProtocolError, match=r"cannot answer .* expected"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False, (command,))]


def test_the_error_is_raised_once() -> None:
    conn = client()
    conn.receive_data(b"nonsense\r\nmore nonsense\r\n")
    with pytest.raises(RemoteProtocolError):
        conn.next_event()
    assert conn.next_event() == smtp.ConnectionClosed(False)
    conn.receive_data(b"nonsense\r\n")
    assert conn.next_event() is None


def test_an_endless_line_is_not_waited_for() -> None:
    conn = client()
    assert got(conn, b"250 " + b"x" * 12_000) == []
    conn.receive_data(b"x" * 300)
    with pytest.raises(RemoteProtocolError, match="longer than 12288 octets"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]


def test_after_a_cancelled_exchange_commands_may_be_sent() -> None:
    """Also when one was tried within the exchange."""
    conn = client("AUTH XTEST")
    conn.send(smtp.Auth("XTEST"))
    assert got(conn, b"334 \r\n") == [smtp.AuthChallenge()]
    with pytest.raises(
        LocalProtocolError, match=r"in state auth: allowed are AuthResponse and AuthCancelled$"
    ):
        conn.send(smtp.Quit())
    conn.send(smtp.AuthCancelled())
    assert got(conn, b"501 cancelled\r\n") == [received(smtp.Auth("XTEST"), 501, "cancelled")]
    conn.send(smtp.Quit())
    assert conn.data_to_send() == b"AUTH XTEST\r\n*\r\nQUIT\r\n"


# -- 421 ------------------------------------------------------------------------------------------


def test_421_as_the_greeting() -> None:
    conn = ClientConnection()
    assert got(conn, b"421 busy\r\n") == [
        received(smtp.Greeting(), 421, "busy"),
        smtp.ConnectionClosed(True),
    ]


def test_421_that_nothing_asked_for() -> None:
    conn = client()
    assert got(conn, b"421 idle too long\r\n") == [
        received(None, 421, "idle too long"),
        smtp.ConnectionClosed(True),
    ]
    assert conn.closed


def test_within_reply() -> None:
    """Whoever sends while a reply that nothing has asked for comes in gets it for an answer."""
    conn = client()
    for octets, within in ((b"4", True), (b"21-busy\r\n", True), (b"421 bye\r\n", False)):
        got(conn, octets)
        assert conn.within_reply is within
    conn = client()
    got(conn, b"250-what\r\n")
    with pytest.raises(RemoteProtocolError):
        got(conn, b"what\r\n")
    assert not conn.within_reply


def test_421_answers_the_oldest_command() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    got(conn, b"250 ok\r\n")
    assert got(conn, b"421 going down\r\n250 never read\r\n") == [
        received(RCPT, 421, "going down"),
        smtp.ConnectionClosed(False, (DATA,)),
    ]


def test_421_with_commands_that_were_not_written_yet() -> None:
    conn = client()
    for command in (MAIL, RCPT):
        conn.send(command)
    assert got(conn, b"421 going down\r\n") == [
        received(MAIL, 421, "going down"),
        smtp.ConnectionClosed(False, (RCPT,)),
    ]
    assert conn.data_to_send() == WIRE_MAIL  # and RCPT has not been written


def test_421_that_answers_the_only_command() -> None:
    conn = client()
    conn.send(smtp.Noop())
    assert got(conn, b"421 going down\r\n") == [
        received(smtp.Noop(), 421, "going down"),
        smtp.ConnectionClosed(True),
    ]


def test_421_within_a_transaction() -> None:
    conn = client()
    send(conn, MAIL, b"250 ok")
    assert got(conn, b"421 going down\r\n") == [
        received(None, 421, "going down"),
        smtp.ConnectionClosed(False),
    ]


def test_421_in_the_middle_of_a_message() -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b"half"))
    assert got(conn, b"421 going down\r\n") == [
        received(END, 421, "going down"),
        smtp.ConnectionClosed(False),
    ]


def test_421_after_a_refusal_in_the_middle_of_a_message() -> None:
    conn = in_message()
    assert got(conn, b"552 too much\r\n421 going down\r\n") == [
        received(END, 552, "too much"),
        received(None, 421, "going down"),  # the message has had its reply
        smtp.ConnectionClosed(False),
    ]


def test_421_to_the_message() -> None:
    conn = in_message()
    conn.send(END)
    conn.receive_data(b"421 going down\r\n")
    assert conn.next_event() == received(END, 421, "going down")
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT])  # that has not been delivered


def test_421_to_quit() -> None:
    conn = sent_quit()
    assert got(conn, b"421 going down\r\n") == [
        received(smtp.Quit(), 421, "going down"),
        smtp.ConnectionClosed(True),
    ]


# -- STARTTLS (RFC 3207) --------------------------------------------------------------------------


def test_starttls() -> None:
    conn = client("STARTTLS", "PIPELINING")
    conn.send(smtp.StartTls())
    assert conn.data_to_send() == b"STARTTLS\r\n"
    assert got(conn, b"220 go ahead\r\n") == [
        received(smtp.StartTls(), 220, "go ahead"),
        smtp.TlsHandshake(),
    ]
    assert state(conn) is State.TLS
    assert not conn.wants_data
    assert not conn.tls
    for command in (EHLO, smtp.Noop(), smtp.Raw(b"x")):
        with pytest.raises(LocalProtocolError, match="TLS"):
            conn.send(command)
    conn.tls_started()
    assert conn.tls
    assert conn.wants_data
    assert state(conn) is State.CONNECTED
    assert len(conn.capabilities) == 0  # learnt in clear
    with pytest.raises(LocalProtocolError):
        conn.send(MAIL)
    with pytest.raises(LocalProtocolError, match="no TLS handshake"):
        conn.tls_started()
    conn.send(EHLO)
    got(conn, b"250 mx.example\r\n")
    assert state(conn) is State.READY


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("behind", [b"250 EHLO is answered early\r\n", b"x", b"421 bye\r\n"])
def test_octets_behind_the_220(behind: bytes, size: int) -> None:
    conn = client("STARTTLS")
    conn.send(smtp.StartTls())
    conn.receive_data(b"220 go ahead\r\n" + behind)
    assert conn.next_event() == received(smtp.StartTls(), 220, "go ahead")
    with pytest.raises(RemoteProtocolError, match="in clear"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]
    with pytest.raises(LocalProtocolError):
        conn.tls_started()


def test_a_refused_starttls() -> None:
    conn = client("STARTTLS", "PIPELINING")
    send(conn, smtp.StartTls(), b"454 not now")
    assert state(conn) is State.READY
    assert "PIPELINING" in conn.capabilities


def test_the_server_leaves_instead_of_a_handshake() -> None:
    conn = client("STARTTLS")
    conn.send(smtp.StartTls())
    got(conn, b"220 go ahead\r\n")
    assert got(conn, b"") == [smtp.ConnectionClosed(False)]


def test_under_tls_from_the_beginning() -> None:
    assert client(tls=True).tls


# -- AUTH (RFC 4954) ------------------------------------------------------------------------------


def test_auth() -> None:
    conn = client("AUTH CRAM-MD5 LOGIN")
    auth = smtp.Auth("CRAM-MD5")
    conn.send(auth)
    assert conn.data_to_send() == b"AUTH CRAM-MD5\r\n"
    assert got(conn, b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UuZXhhbXBsZS5uZXQ+\r\n") == [
        smtp.AuthChallenge(b"<1896.697170952@postoffice.example.net>")
    ]
    assert state(conn) is State.AUTH
    for item in (MAIL, smtp.Noop(), smtp.Raw(b"x"), auth):
        with pytest.raises(LocalProtocolError):
            conn.send(item)
    conn.send(smtp.AuthResponse(b"tim b913a602c7eda7a495b4e6e7334d3890"))
    assert conn.data_to_send() == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n"
    with pytest.raises(LocalProtocolError, match="none waits"):
        conn.send(smtp.AuthResponse(b"again"))
    assert got(conn, b"235 welcome\r\n") == [received(auth, 235, "welcome")]
    assert state(conn) is State.READY
    with pytest.raises(OutOfOrderError, match="Authenticated already"):
        conn.send(smtp.Auth("LOGIN"))


@pytest.mark.parametrize(
    ("auth", "wire"),
    [
        (smtp.Auth("PLAIN"), b"AUTH PLAIN\r\n"),
        (smtp.Auth("PLAIN", b""), b"AUTH PLAIN =\r\n"),
        (smtp.Auth("plain", b"\0bob\0secret"), b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"),
    ],
)
def test_initial_response(auth: smtp.Auth, wire: bytes) -> None:
    conn = client("AUTH PLAIN")
    conn.send(auth)
    assert conn.data_to_send() == wire


@pytest.mark.parametrize("challenge", [b"334 \r\n", b"334\r\n"])
def test_the_empty_challenge_and_the_empty_response(challenge: bytes) -> None:
    conn = client("AUTH PLAIN")
    conn.send(smtp.Auth("PLAIN"))
    conn.data_to_send()
    assert got(conn, challenge) == [smtp.AuthChallenge(b"")]
    conn.send(smtp.AuthResponse(b""))
    assert conn.data_to_send() == b"\r\n"


def test_the_client_cancels() -> None:
    conn = client("AUTH LOGIN")
    conn.send(smtp.Auth("LOGIN"))
    conn.data_to_send()
    got(conn, b"334 VXNlcm5hbWU6\r\n")
    conn.send(smtp.AuthCancelled())
    assert conn.data_to_send() == b"*\r\n"
    assert got(conn, b"501 cancelled\r\n") == [received(smtp.Auth("LOGIN"), 501, "cancelled")]
    assert state(conn) is State.READY
    conn.send(smtp.Auth("LOGIN"))  # another try


@pytest.mark.parametrize("item", [smtp.AuthCancelled(), smtp.AuthResponse(b"x")])
def test_nothing_to_respond_to(item: smtp.AuthCancelled | smtp.AuthResponse) -> None:
    for conn in (client(), in_message(), sent_quit()):
        with pytest.raises(LocalProtocolError, match="none waits"):
            conn.send(item)


@pytest.mark.parametrize(
    "challenge",
    [b"334 !\r\n", b"334 =\r\n", b"334 YQ\r\n", b"334-YQ==\r\n334 YQ==\r\n", b"334 \xff\r\n"],
)
def test_a_challenge_that_cannot_be_decoded(challenge: bytes) -> None:
    conn = client("AUTH LOGIN")
    conn.send(smtp.Auth("LOGIN"))
    conn.data_to_send()
    assert got(conn, challenge) == []
    assert conn.data_to_send() == b"*\r\n"
    assert got(conn, b"501 cancelled\r\n") == [received(smtp.Auth("LOGIN"), 501, "cancelled")]


def test_a_long_challenge() -> None:
    """334 up to 12288 octets, other replies up to 2048."""
    conn = client("AUTH LOGIN")
    conn.send(smtp.Auth("LOGIN"))
    assert got(conn, b"334 " + b"eHh4" * 3070 + b"\r\n") == [smtp.AuthChallenge(b"xxx" * 3070)]
    conn.send(smtp.AuthResponse(b"x"))
    conn.receive_data(b"334 " + b"eHh4" * 3071 + b"\r\n")
    with pytest.raises(RemoteProtocolError):
        conn.next_event()


def test_a_long_response() -> None:
    conn = client("AUTH LOGIN")
    conn.send(smtp.Auth("LOGIN"))
    conn.data_to_send()
    got(conn, b"334 \r\n")
    with pytest.raises(LocalProtocolError, match="12288"):
        conn.send(smtp.AuthResponse(b"xxx" * 3072))
    conn.send(smtp.AuthResponse(b"xxx" * 3071))
    assert len(conn.data_to_send()) == 12286


@pytest.mark.parametrize(("limit", "fits"), [(402, True), (401, False)])
def test_the_longest_response(limit: int, fits: bool) -> None:
    """The limit counts the CRLF."""
    limits = smtp.Limits(auth_line=limit)
    conn = client("AUTH EXTERNAL", limits=limits)
    conn.send(smtp.Auth("EXTERNAL", b""))
    got(conn, b"334 \r\n")
    conn.data_to_send()
    if fits:
        conn.send(smtp.AuthResponse(b"xxx" * 100))
        assert conn.data_to_send() == b"eHh4" * 100 + b"\r\n"
    else:
        with pytest.raises(LocalProtocolError, match="does not fit in a line of 401"):
            conn.send(smtp.AuthResponse(b"xxx" * 100))
    conn = client("AUTH EXTERNAL", limits=limits)
    conn.authenticate(Mechanism(b"", b"xxx" * 100))
    conn.data_to_send()
    got(conn, b"334 \r\n")
    assert conn.data_to_send() == (b"eHh4" * 100 + b"\r\n" if fits else b"*\r\n")


def test_an_initial_response_that_is_too_long() -> None:
    conn = client("AUTH PLAIN")
    with pytest.raises(LocalProtocolError, match="response to the empty challenge") as caught:
        conn.send(smtp.Auth("PLAIN", b"secret" * 100))
    assert "secret" not in str(caught.value)
    assert "c2Vj" not in str(caught.value)
    assert conn.data_to_send() == b""
    conn.send(smtp.Auth("PLAIN"))


def test_a_refused_auth_may_be_tried_again() -> None:
    conn = client("AUTH PLAIN")
    auth = smtp.Auth("PLAIN", b"\0bob\0secret")
    send(conn, auth, b"535 no")
    send(conn, auth, b"235 yes")


def test_secrets_do_not_show() -> None:
    conn = client("AUTH PLAIN")
    conn.send(smtp.Auth("PLAIN", b"\0bob\0secret"))
    conn.receive_data(b"299 what\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        conn.next_event()
    closed = conn.next_event()
    assert "secret" not in f"{caught.value}{closed!r}"
    assert "AGJv" not in f"{caught.value}{closed!r}"


# -- authenticate(): a mechanism runs the exchange ------------------------------------------------


class Mechanism:
    """Says what the test says, and notes what it was asked."""

    name = "EXTERNAL"

    def __init__(self, *says: bytes | Exception | None, complete: bool = True) -> None:
        self.says = list(says)
        self.asked: list[bytes | None] = []
        self.complete = complete

    def respond(self, challenge: bytes | None) -> bytes | None:
        self.asked.append(challenge)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def test_authenticate() -> None:
    conn = client("AUTH PLAIN CRAM-MD5")
    conn.authenticate(sasl.PlainClient("bob", "secret"))
    assert conn.data_to_send() == b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"
    with pytest.raises(LocalProtocolError, match="AUTH"):
        conn.send(MAIL)
    assert got(conn, b"235 welcome\r\n") == [
        received(smtp.Auth("PLAIN", b"\0bob\0secret"), 235, "welcome")
    ]
    conn.send(MAIL)


def test_authenticate_with_what_the_server_does_not_offer() -> None:
    """The mechanism is not even asked: it has no secret to lose."""
    conn = client("AUTH CRAM-MD5 LOGIN")
    mechanism = Mechanism()
    with pytest.raises(LocalProtocolError, match=r"EXTERNAL is not among .*: CRAM-MD5, LOGIN"):
        conn.authenticate(mechanism)
    assert mechanism.asked == []
    with pytest.raises(LocalProtocolError, match="offers: none"):
        client("AUTH").authenticate(mechanism)


def test_the_challenges_are_answered_and_not_handed_out() -> None:
    """RFC 2195 section 2."""
    conn = client("AUTH CRAM-MD5")
    conn.authenticate(sasl.CramMd5Client("tim", "tanstaaftanstaaf"))
    assert conn.data_to_send() == b"AUTH CRAM-MD5\r\n"
    challenge = b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n"
    assert got(conn, challenge) == []
    assert conn.data_to_send() == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n"
    assert got(conn, b"235 ok\r\n") == [received(smtp.Auth("CRAM-MD5"), 235, "ok")]


def test_an_initial_response_too_long_for_its_line_follows_the_empty_challenge() -> None:
    conn = client("AUTH EXTERNAL")
    mechanism = Mechanism(b"x" * 600, b"more")
    conn.authenticate(mechanism)
    assert conn.data_to_send() == b"AUTH EXTERNAL\r\n"
    assert got(conn, b"334 \r\n") == []
    assert conn.data_to_send() == b"eHh4" * 200 + b"\r\n"
    assert mechanism.asked == [None]  # the challenge was not one of the mechanism's
    assert got(conn, b"334 YQ==\r\n") == []
    assert conn.data_to_send() == b"bW9yZQ==\r\n"
    assert mechanism.asked == [None, b"a"]


def test_a_server_that_goes_on_after_the_cancelling_gets_no_password() -> None:
    conn = client("AUTH LOGIN")
    conn.authenticate(sasl.LoginClient("bob", "secret"))
    assert conn.data_to_send() == b"AUTH LOGIN\r\n"
    for challenge in (b"334 Username:\r\n", b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
        assert got(conn, challenge) == []
        assert conn.data_to_send() == b"*\r\n"


def test_an_initial_response_goes_with_auth_where_it_just_fits() -> None:
    line = b"AUTH EXTERNAL " + b"eHh4" * 50 + b"\r\n"
    for limit, written in ((len(line), line), (len(line) - 1, b"AUTH EXTERNAL\r\n")):
        conn = client("AUTH EXTERNAL", limits=smtp.Limits(command_line=limit))
        conn.authenticate(Mechanism(b"xxx" * 50))
        assert conn.data_to_send() == written


def test_a_challenge_where_an_empty_one_is_due() -> None:
    conn = client("AUTH EXTERNAL")
    conn.authenticate(Mechanism(b"x" * 600))
    conn.data_to_send()
    assert got(conn, b"334 YQ==\r\n") == []
    assert conn.data_to_send() == b"*\r\n"


@pytest.mark.parametrize(
    ("says", "challenge"),
    [
        (None, b"334 YQ==\r\n"),  # it gives up
        (ValueError("bad"), b"334 YQ==\r\n"),  # it raises
        (b"never asked", b"334 !\r\n"),  # the challenge cannot be decoded
        (b"x" * 12288, b"334 YQ==\r\n"),  # no line carries this
    ],
)
def test_the_exchange_is_cancelled(says: bytes | Exception | None, challenge: bytes) -> None:
    conn = client("AUTH EXTERNAL")
    conn.authenticate(Mechanism(b"", says))
    assert conn.data_to_send() == b"AUTH EXTERNAL =\r\n"
    assert got(conn, challenge) == []
    assert conn.data_to_send() == b"*\r\n"
    assert got(conn, b"501 cancelled\r\n") == [
        received(smtp.Auth("EXTERNAL", b""), 501, "cancelled")
    ]
    assert state(conn) is State.READY
    conn.authenticate(Mechanism(b""))


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_server_that_lets_in_before_the_mechanism_is_complete(cancelled: bool) -> None:
    """One that skips SCRAM's last step has proved nothing."""
    conn = client("AUTH EXTERNAL")
    conn.authenticate(Mechanism(b"", None, complete=cancelled))
    if cancelled:
        got(conn, b"334 YQ==\r\n")
    conn.receive_data(b"235 welcome\r\n")
    with pytest.raises(RemoteProtocolError, match="complete"):
        conn.next_event()
    assert list(conn.events()) == [smtp.ConnectionClosed(False, (smtp.Auth("EXTERNAL", b""),))]


def test_a_refusal_before_the_mechanism_is_complete() -> None:
    conn = client("AUTH EXTERNAL")
    conn.authenticate(Mechanism(b"", complete=False))
    assert got(conn, b"535 no\r\n") == [received(smtp.Auth("EXTERNAL", b""), 535, "no")]


def test_authenticate_where_auth_cannot_be_sent() -> None:
    """The mechanism is not asked, and serves another time."""
    mechanism = Mechanism(b"")
    over = client("AUTH EXTERNAL")
    over.abort()
    authenticated = client("AUTH EXTERNAL")
    send(authenticated, smtp.Auth("EXTERNAL", b""), b"235 ok")
    for conn in (client("PIPELINING"), greeted(), in_message("AUTH EXTERNAL"), over, authenticated):
        with pytest.raises(LocalProtocolError):
            conn.authenticate(mechanism)
    assert mechanism.asked == []


# -- XCLIENT --------------------------------------------------------------------------------------


def test_after_220_to_xclient_nothing_counts_that_was_offered_before() -> None:
    conn = client("XCLIENT", "PIPELINING", "SIZE")
    send(conn, MAIL, b"250 ok")
    command = smtp.Extended("XCLIENT", "NAME=spike.example")
    conn.send(command)
    assert conn.data_to_send() == b"XCLIENT NAME=spike.example\r\n"
    assert got(conn, b"220 mx.example\r\n") == [received(command, 220, "mx.example")]
    assert state(conn) is State.CONNECTED
    assert conn.capabilities == smtp.Capabilities()
    assert conn.envelope is None
    with pytest.raises(OutOfOrderError):
        conn.send(MAIL)
    conn.send(EHLO)


def test_what_waits_behind_xclient_is_planned_again() -> None:
    conn = client("XCLIENT", "PIPELINING")
    conn.send(smtp.Extended("XCLIENT", "NAME=x"))
    conn.send(MAIL)
    conn.data_to_send()
    got(conn, b"220 mx.example\r\n")
    assert conn.data_to_send() == bytes(MAIL)  # it was sent for a session that is no more
    assert got(conn, b"503 EHLO first\r\n") == [received(MAIL, 503, "EHLO first")]
    assert state(conn) is State.CONNECTED
    conn.send(EHLO)


# -- TURN and ATRN --------------------------------------------------------------------------------


def test_the_roles_are_reversed() -> None:
    """RFC 2645 section 5.3."""
    conn = client("ATRN")
    conn.send(smtp.Atrn(["example.org"]))
    assert conn.data_to_send() == b"ATRN example.org\r\n"
    (reply,) = got(conn, b"250 now reversing the connection\r\n")
    assert reply == received(smtp.Atrn(["example.org"]), 250, "now reversing the connection")
    for item in (smtp.Noop(), smtp.Raw(b"x"), MAIL):
        with pytest.raises(LocalProtocolError):
            conn.send(item)
    server = smtp.ServerConnection("client.example", extensions=[ext.Pipelining()])
    conn.reversed(server)
    assert list(conn.events()) == [smtp.ConnectionClosed(True, handed_over=True)]
    must_be_over(conn)
    server.accept()
    assert server.data_to_send() == b"220 client.example ESMTP\r\n"
    assert server.next_event() is None
    assert server.wants_data
    server.receive_data(b"EHLO mx.example\r\nMAIL FROM:<>\r\n")
    assert list(server.events()) == [smtp.Ehlo("mx.example")]
    server.accept()
    assert list(server.events()) == [smtp.Mail(None)]


def test_the_successor_reads_what_came_behind_the_250() -> None:
    conn = client("TURN", tls=True)
    conn.send(smtp.Turn())
    assert conn.data_to_send() == b"TURN\r\n"
    behind = b"EHLO mx.example\r\n" + b"x" * 99 + b"\nMAIL FROM:<>\n"
    assert got(conn, b"250 ok\r\n" + behind) == [received(smtp.Turn(), 250, "ok")]
    server = smtp.ServerConnection(
        "client.example",
        bare_newlines="accept",
        require_auth=True,
        tls=True,
        limits=smtp.Limits(command_line=100),
    )
    conn.reversed(server)
    assert server.early_talker
    assert server.next_event() == smtp.Greeting()
    server.accept()
    assert server.next_event() == smtp.Ehlo("mx.example")
    server.accept()
    list(server.events())
    assert server.data_to_send() == (
        b"220 client.example ESMTP\r\n"
        b"250 client.example greets mx.example\r\n"
        b"500 Line too long: at most 100 octets here\r\n"
        b"530 Authentication required\r\n"
    )


def used() -> smtp.ServerConnection:
    server = smtp.ServerConnection("client.example")
    server.accept()
    return server


@pytest.mark.parametrize(
    ("successor", "problem"),
    [
        (smtp.ClientConnection(), "a new SMTP server, not <SMTP client in state greeting"),
        (pop3.ServerConnection("client.example"), "a new SMTP server, not <POP3 server"),
        (smtp.ServerConnection("client.example", tls=True), "with tls=False, as this one"),
        (used(), "not used yet, not <SMTP server in state connected>"),
    ],
)
def test_successors_that_cannot_go_on(successor: Connection, problem: str) -> None:
    conn = client("TURN")
    send(conn, smtp.Turn(), b"250 ok")
    with pytest.raises(InvalidValueError, match=problem):
        conn.reversed(successor)
    with pytest.raises(TypeError, match="a connection for the other role, not None"):
        conn.reversed(None)  # type: ignore[arg-type] # what is tested
    conn.reversed(smtp.ServerConnection("client.example"))


@pytest.mark.parametrize("reply", [b"453 no mail for you", b"502 no"])
def test_the_roles_stay(reply: bytes) -> None:
    conn = client("TURN")
    send(conn, smtp.Turn(), reply)
    with pytest.raises(LocalProtocolError, match="reversed"):
        conn.reversed(smtp.ServerConnection("client.example"))
    send(conn, MAIL, b"250 ok")


def test_the_server_leaves_where_the_roles_should_be_reversed() -> None:
    conn = client("TURN")
    send(conn, smtp.Turn(), b"250 ok")
    (closed,) = got(conn, b"")
    assert isinstance(closed, smtp.ConnectionClosed)


# -- what the server does not offer ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "name", "offered"),
    [
        (smtp.StartTls(), "STARTTLS", ("STARTTLS",)),
        (smtp.Auth("PLAIN"), "AUTH", ("AUTH PLAIN",)),
        (smtp.Expn("all"), "EXPN", ("EXPN",)),
        (smtp.Etrn("example.org"), "ETRN", ("ETRN",)),
        (smtp.Atrn(), "ATRN", ("ATRN",)),
        (smtp.Turn(), "TURN", ("TURN",)),
        (smtp.SendMail("a@b.example"), "SEND", ("SEND",)),
        (smtp.SendOrMail("a@b.example"), "SOML", ("SOML",)),
        (smtp.SendAndMail("a@b.example"), "SAML", ("SAML",)),
        (smtp.Extended("XCLIENT", "NAME=x"), "XCLIENT", ("XCLIENT NAME",)),
        (smtp.Mail("a@b.example", size=5), "SIZE", ("SIZE",)),
        (smtp.Mail("a@b.example", body="8BITMIME"), "BODY", ("8BITMIME",)),
        (smtp.Mail("a@b.example", auth="<>"), "AUTH", ("AUTH PLAIN",)),
        (smtp.Mail("a@b.example", smtputf8=True), "SMTPUTF8", ("SMTPUTF8", "8BITMIME")),
        (smtp.Mail("a@b.example", body="BINARYMIME"), "BODY", ("BINARYMIME", "CHUNKING")),
        (smtp.Mail("a@b.example", ret="FULL"), "RET", ("DSN",)),
        (smtp.Mail("a@b.example", {"X-FOO": "1"}), "X-FOO", ("X-SOMETHING",)),
        (smtp.Vrfy("bob", smtputf8=True), "SMTPUTF8", ("SMTPUTF8", "8BITMIME")),
    ],
)
def test_what_is_not_offered(command: smtp.Command, name: str, offered: tuple[str, ...]) -> None:
    conn = client("PIPELINING")
    with pytest.raises(LocalProtocolError, match=rf"\b{name} is not offered here"):
        conn.send(command)
    assert conn.data_to_send() == b""
    assert state(conn) is State.READY
    conn = client(*offered)
    conn.send(command)
    assert conn.data_to_send() == bytes(command)


@pytest.mark.parametrize(
    ("command", "name", "offered"),
    [
        (smtp.Bdat(1), "CHUNKING", "CHUNKING"),
        (smtp.Burl("imap://x/y"), "BURL", "BURL imap"),
    ],
)
def test_ways_to_send_a_message_that_are_not_offered(
    command: smtp.Command, name: str, offered: str
) -> None:
    for line in ("PIPELINING", offered):
        conn = client(line)
        send(conn, MAIL, b"250 ok")
        send(conn, RCPT, b"250 ok")
        if line == offered:
            conn.send(command)
            assert conn.data_to_send() == bytes(command)
        else:
            with pytest.raises(LocalProtocolError, match=name):
                conn.send(command)


def test_rcpt_parameters_that_are_not_offered() -> None:
    rcpt = smtp.Rcpt("b@mx.example", notify="NEVER")
    for offered, refused in (("PIPELINING", True), ("SIZE", True), ("DSN", False)):
        conn = client(offered)
        send(conn, MAIL, b"250 ok")
        if refused:
            with pytest.raises(LocalProtocolError, match="NOTIFY"):
                conn.send(rcpt)
        else:
            conn.send(rcpt)


def test_binarymime_needs_chunking() -> None:
    conn = client("BINARYMIME")
    with pytest.raises(NotOfferedError, match="BODY=BINARYMIME is not offered"):
        conn.send(smtp.Mail("a@b.example", body="BINARYMIME"))


def test_addresses_beyond_ascii_need_smtputf8() -> None:
    conn = client("SMTPUTF8", "8BITMIME", "EXPN", "SAML")
    path = "gr\u00fc\u00df@b.example"
    with pytest.raises(LocalProtocolError, match="SMTPUTF8"):
        conn.send(smtp.Mail(path))
    with pytest.raises(LocalProtocolError, match="SMTPUTF8"):
        conn.send(smtp.SendAndMail(path))
    with pytest.raises(LocalProtocolError, match="SMTPUTF8"):
        conn.send(smtp.Vrfy("gr\u00fc\u00df"))
    send(conn, MAIL, b"250 ok")
    with pytest.raises(LocalProtocolError, match="SMTPUTF8"):
        conn.send(smtp.Rcpt(path))
    send(conn, smtp.Rset(), b"250 ok")
    conn.send(smtp.Mail(path, smtputf8=True))
    assert conn.data_to_send() == "MAIL FROM:<gr\u00fc\u00df@b.example> SMTPUTF8\r\n".encode()
    got(conn, b"250 ok\r\n")
    conn.send(smtp.Rcpt(path))
    assert conn.data_to_send() == "RCPT TO:<gr\u00fc\u00df@b.example>\r\n".encode()


def test_parameters_beyond_ascii_need_no_more_than_the_offer() -> None:
    mail, rcpt = smtp.Mail(None, {"X-A": "\u00fc"}), smtp.Rcpt("b@mx.example", {"X-B": "\u00fc"})
    conn = client("SMTPUTF8", "8BITMIME", "X-A")
    for command in (mail, smtp.Mail("a@b.example", {"X-A": "\u00fc"})):
        send(conn, command, b"550 no")
    send(conn, mail, b"250 ok")
    send(conn, rcpt, b"250 ok")
    conn = client("X-A")
    with pytest.raises(LocalProtocolError, match="SMTPUTF8 is not offered"):
        conn.send(mail)


def test_after_helo_what_rfc_821_had_may_be_tried() -> None:
    conn = greeted()
    conn.send(smtp.Helo("client.example"))
    got(conn, b"250 mx.example\r\n")
    conn.data_to_send()
    conn.send(smtp.Expn("all"))
    assert conn.data_to_send() == b"EXPN all\r\n"
    got(conn, b"502 no\r\n")
    for command in (smtp.StartTls(), smtp.Mail("a@b.example", size=5)):
        with pytest.raises(LocalProtocolError):
            conn.send(command)


def test_the_length_of_a_command() -> None:
    conn = client("DSN")
    conn.send(smtp.Noop("x" * 505))
    assert len(conn.data_to_send()) == 512
    got(conn, b"250 ok\r\n")
    with pytest.raises(LocalProtocolError, match=r"513 octets long, .* at most 512"):
        conn.send(smtp.Noop("x" * 506))
    assert conn.data_to_send() == b""


def test_of_a_long_command_what_is_not_offered_is_blamed() -> None:
    conn = client("PIPELINING")
    with pytest.raises(LocalProtocolError, match="The parameter ENVID is not offered"):
        conn.send(smtp.Mail(f"{'a' * 500}@b.example", envid="x"))


@pytest.mark.parametrize(
    ("command", "offered", "limit"),
    [(smtp.Mail, "SIZE", 512 + 26), (smtp.Rcpt, "DSN", 512 + 29 + 507)],
)
def test_extensions_lengthen_commands(
    command: Callable[[str], smtp.Command], offered: str, limit: int
) -> None:
    room = limit - len(bytes(command("a@b.example"))) + 1
    for offers, most in ((("PIPELINING", offered), limit), (("PIPELINING",), 512)):
        conn = client(*offers)
        if command is smtp.Rcpt:
            send(conn, MAIL, b"250 ok")
        if most == limit:
            conn.send(command(f"{'a' * room}@b.example"))
            assert len(conn.data_to_send()) == limit
            got(conn, b"550 no\r\n")
        with pytest.raises(LocalProtocolError, match=f"at most {most}"):
            conn.send(command(f"{'a' * (room + 1)}@b.example"))


# -- LMTP (RFC 2033) ------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [False, True])
def test_one_reply_for_each_accepted_recipient(chunks: bool) -> None:
    conn = client("PIPELINING", "CHUNKING", lmtp=True)
    refused = smtp.Rcpt("nobody@mx.example")
    for command in (MAIL, RCPT, refused, RCPT_2, RCPT):
        conn.send(command)
    got(conn, b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n250 ok\r\n")
    last: smtp.Request
    if chunks:
        last = smtp.Bdat(2, last=True)
        conn.send(last)
        conn.send(smtp.MessageData(b"hi"))
    else:
        conn.send(DATA)
        got(conn, b"354 go\r\n")
        last = END
        conn.send(last)
    conn.data_to_send()
    conn.send(smtp.Rset())
    assert got(conn, b"250 one\r\n") == [ReplyReceived(last, smtp.Reply(250, "one"), RCPT)]
    assert state(conn) is not State.READY
    assert got(conn, b"452 two\r\n550-three\r\n") == [
        ReplyReceived(last, smtp.Reply(452, "two"), RCPT_2)
    ]
    assert got(conn, b"550 three\r\n250 reset\r\n") == [
        ReplyReceived(last, smtp.Reply(550, "three", "three"), RCPT),
        received(smtp.Rset(), 250, "reset"),
    ]
    assert state(conn) is State.READY


def test_lmtp_a_url_that_is_pipelined_has_a_reply_for_each_recipient_that_was_accepted() -> None:
    """RFC 4468 section 3.2: BURL may be pipelined with MAIL and RCPT."""
    conn = client("CHUNKING", "BURL", "PIPELINING", lmtp=True)
    url = smtp.Burl("imap://example.org/x", last=True)
    for command in (MAIL, RCPT, RCPT_2, RCPT, url):
        conn.send(command)
    assert conn.data_to_send().endswith(b"BURL imap://example.org/x LAST\r\n")
    got(conn, b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n")
    assert got(conn, b"250 one\r\n") == [ReplyReceived(url, smtp.Reply(250, "one"), RCPT)]
    assert not conn.idle
    assert got(conn, b"450 two\r\n") == [ReplyReceived(url, smtp.Reply(450, "two"), RCPT)]
    assert conn.idle


def test_a_message_of_lmtp_to_nobody_has_one_reply() -> None:
    """The server said 354 although it had refused every recipient (RFC 2920 section 3.1)."""
    conn = client("PIPELINING", lmtp=True)
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    conn.data_to_send()
    got(conn, b"250 ok\r\n550 no\r\n354 go\r\n")
    conn.send(END)
    assert got(conn, b"554 nobody\r\n") == [received(END, 554, "nobody")]
    assert conn.idle


def test_the_envelope_stays_until_the_last_of_the_replies() -> None:
    conn = client(lmtp=True)
    for command in (MAIL, RCPT, RCPT_2):
        send(conn, command, b"250 ok")
    send(conn, DATA, b"354 go")
    conn.send(END)
    got(conn, b"250 one\r\n")
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT, RCPT_2])
    conn.receive_data(b"250 two\r\n")
    conn.next_event()
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT, RCPT_2])
    assert conn.next_event() is None
    assert conn.envelope is None


def test_the_envelope_is_not_left_behind_when_the_session_ends() -> None:
    conn = in_message()
    conn.send(END)
    conn.receive_data(b"250 taken\r\n")
    assert conn.next_event() == received(END, 250, "taken")
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT])
    conn.abort()
    assert conn.next_event() == smtp.ConnectionClosed(False)
    assert conn.envelope is None


def test_the_server_leaves_between_the_replies_of_lmtp() -> None:
    conn = client(lmtp=True)
    for command in (MAIL, RCPT, RCPT_2):
        send(conn, command, b"250 ok")
    send(conn, DATA, b"354 go")
    conn.send(END)
    assert got(conn, b"250 one\r\n") == [ReplyReceived(END, smtp.Reply(250, "one"), RCPT)]
    assert got(conn, b"") == [smtp.ConnectionClosed(False, (END,))]


def test_both_sides_count_the_replies_to_the_last_chunk_alike() -> None:
    """Also when a chunk before it has failed, and it was pipelined behind that."""
    server = smtp.ServerConnection("mx.example", lmtp=True, extensions=[ext.Chunking()])
    server.accept()
    conn = ClientConnection(lmtp=True)
    found: list[smtp.Event] = []

    def say(*items: Any) -> None:
        for item in items:
            conn.send(item)
        server.receive_data(conn.data_to_send())
        for event in server.events():
            if isinstance(event, smtp.Request):
                server.accept()
        found.extend(got(conn, server.data_to_send()))

    got(conn, server.data_to_send())
    say(smtp.Lhlo("client.example"))
    say(MAIL, RCPT, RCPT_2)
    say(smtp.Bdat(3), smtp.MessageData(b"a\nb"), smtp.Bdat(0, last=True), smtp.Rset())
    say(smtp.Quit())
    replies = [(e.command, e.reply.code) for e in found if isinstance(e, ReplyReceived)]
    assert replies[-1] == (smtp.Quit(), 221)
    assert (smtp.Rset(), 250) in replies
    assert {code for command, code in replies if command == smtp.Bdat(0, True)} == {503}
    assert found[-1] == smtp.ConnectionClosed(True)


# -- what the session is --------------------------------------------------------------------------


def test_envelope() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, RCPT_2, DATA):
        conn.send(command)
    assert conn.envelope is None
    got(conn, b"250 ok\r\n")
    first = conn.envelope
    assert first == smtp.Envelope(MAIL)
    got(conn, b"550 no\r\n250 ok\r\n354 go\r\n")
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT_2])
    assert first == smtp.Envelope(MAIL)  # a snapshot
    conn.send(END)
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT_2])
    mail = smtp.Mail(None)
    conn.send(mail)
    conn.receive_data(b"250 taken\r\n250 ok\r\n")
    assert conn.next_event() == received(END, 250, "taken")
    assert conn.envelope == smtp.Envelope(MAIL, [RCPT_2])
    assert conn.next_event() == received(mail, 250, "ok")
    assert conn.envelope == smtp.Envelope(mail)


def test_timeout() -> None:
    """RFC 5321 section 4.5.3.2."""
    conn = client("PIPELINING", "CHUNKING")
    assert conn.timeout == 300
    conn.send(MAIL)
    assert conn.timeout == 300
    conn.send(RCPT)
    conn.send(DATA)
    assert conn.timeout == 300  # the reply to MAIL is the next
    got(conn, b"250 ok\r\n250 ok\r\n")
    assert conn.timeout == 120  # DATA initiation
    got(conn, b"354 go\r\n")
    assert conn.timeout == 180  # data block
    conn.send(END)
    assert conn.timeout == 600  # data termination
    got(conn, b"250 ok\r\n")
    for command in (MAIL, RCPT):
        send(conn, command, b"250 ok")
    conn.send(smtp.Bdat(0, True))
    assert conn.timeout == 600


# -- the ends -------------------------------------------------------------------------------------


def must_be_over(conn: ClientConnection) -> None:
    assert conn.closed
    assert state(conn) is State.CLOSED
    assert not conn.wants_data
    assert conn.next_event() is None
    conn.receive_data(b"250 ok\r\n")
    conn.receive_data(b"")
    assert conn.next_event() is None
    for item in (smtp.Noop(), smtp.MessageData(b"x"), END, smtp.Raw(b"x"), smtp.AuthResponse()):
        with pytest.raises(LocalProtocolError, match="over"):
            conn.send(item)
    conn.abort()
    assert conn.next_event() is None


@pytest.mark.parametrize("reply", [b"221 bye", b"250 bye", b"500 what?"])
def test_quit(reply: bytes) -> None:
    conn = client()
    conn.send(smtp.Quit())
    assert conn.data_to_send() == b"QUIT\r\n"
    first, last = got(conn, reply + b"\r\n")
    assert isinstance(first, ReplyReceived)
    assert first.command == smtp.Quit()
    assert last == smtp.ConnectionClosed(True)
    must_be_over(conn)


def test_the_server_closes_without_answering_quit() -> None:
    conn = sent_quit()
    assert got(conn, b"") == [smtp.ConnectionClosed(False, (smtp.Quit(),))]
    must_be_over(conn)


def test_the_server_closes_before_the_greeting() -> None:
    assert got(ClientConnection(), b"") == [smtp.ConnectionClosed(False, (smtp.Greeting(),))]


def test_the_server_closes_between_commands() -> None:
    conn = client()
    assert got(conn, b"") == [smtp.ConnectionClosed(True)]
    must_be_over(conn)


def test_the_server_closes_within_a_transaction() -> None:
    conn = client()
    send(conn, MAIL, b"250 ok")
    assert got(conn, b"") == [smtp.ConnectionClosed(False)]


def test_the_server_closes_with_commands_unanswered() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    conn.receive_data(b"250 ok\r\n")
    conn.receive_data(b"")
    assert list(conn.events()) == [
        received(MAIL, 250, "ok"),
        smtp.ConnectionClosed(False, (RCPT, DATA)),
    ]


@pytest.mark.parametrize("half", [b"2", b"250 ok", b"250 ok\r", b"250-ok\r\n"])
def test_the_server_closes_within_a_reply(half: bytes) -> None:
    conn = client()
    assert got(conn, half) == []
    assert got(conn, b"") == [smtp.ConnectionClosed(False)]


def test_the_server_closes_before_it_answers_the_message() -> None:
    conn = in_message()
    conn.send(END)
    assert got(conn, b"") == [smtp.ConnectionClosed(False, (END,))]


def test_abort() -> None:
    conn = client("PIPELINING")
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    conn.abort()
    assert conn.data_to_send() == b""
    assert list(conn.events()) == [smtp.ConnectionClosed(False, (MAIL, RCPT, DATA))]
    must_be_over(conn)


def test_abort_within_a_chunk() -> None:
    conn = ready_for_chunks()
    conn.send(smtp.Bdat(10))
    conn.abort()
    for item in (smtp.MessageData(b"more"), smtp.Quit()):
        with pytest.raises(LocalProtocolError, match="the session is over"):
            conn.send(item)
    assert conn.data_to_send() == b""


def test_abort_writes_no_terminator() -> None:
    conn = in_message()
    conn.send(smtp.MessageData(b"half"))
    conn.abort()
    assert conn.data_to_send() == b""
    assert list(conn.events()) == [smtp.ConnectionClosed(False)]
    conn = in_message()
    conn.send(smtp.MessageData(b"all"))
    conn.send(END)
    got(conn, b"421 going down\r\n")
    conn.abort()  # closed already, and yet: nothing more is written
    assert conn.data_to_send() == b""


def test_octets_after_the_server_has_closed() -> None:
    conn = client()
    conn.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        conn.receive_data(b"250 ok\r\n")


def test_backlog() -> None:
    conn = client("STARTTLS", limits=smtp.Limits(backlog=100))
    for _ in range(3):
        conn.send(smtp.Noop())
    conn.receive_data(b"250 " + b"x" * 40 + b"\r\n")
    with pytest.raises(LocalProtocolError, match="wants_data"):
        conn.receive_data(b"250 " + b"x" * 60 + b"\r\n")
    assert conn.next_event() == received(smtp.Noop(), 250, "x" * 40)
    assert conn.next_event() is None
    assert conn.wants_data
    assert got(conn, b"250 " + b"x" * 600 + b"\r\n") == [received(smtp.Noop(), 250, "x" * 600)]


# -- whatever comes -------------------------------------------------------------------------------

REPLIES = (
    b"250 ok\r\n250-two\r\n250 lines\r\n550 5.1.1 no\r\n354 go\r\n250 2.0.0 taken\r\n221 bye\r\n"
)


def test_chunking_does_not_matter() -> None:
    def play(*pieces: bytes) -> list[smtp.Event]:
        conn = client("PIPELINING")
        for command in (MAIL, RCPT, RCPT_2, DATA):
            conn.send(command)
        found: list[smtp.Event] = []
        for piece in pieces:
            conn.receive_data(piece)
            for event in conn.events():
                found.append(event)
                if event == received(DATA, 354, "go"):
                    conn.send(END)
                    conn.send(smtp.Quit())
        return found

    whole = play(REPLIES)
    assert [type(event) for event in whole] == [ReplyReceived] * 6 + [smtp.ConnectionClosed]
    for cut in range(1, len(REPLIES)):
        assert play(REPLIES[:cut], REPLIES[cut:]) == whole
    assert play(*(REPLIES[i : i + 1] for i in range(len(REPLIES)))) == whole


FRAGMENTS = st.sampled_from(
    [b"250 ok\r\n", b"250-", b"354 go\r\n", b"334 eA==\r\n", b"220 x\r\n", b"421 bye\r\n",
     b"550 no\r\n", b"\r\n", b"\r", b"\n", b"\0", b"\xff", b"235 in\r\n"]
)  # fmt: skip


@given(st.lists(FRAGMENTS | st.binary(max_size=4).filter(bool), max_size=12), st.booleans())
def test_nothing_a_server_sends_raises_anything_else(pieces: list[bytes], lmtp: bool) -> None:
    conn = client("PIPELINING", "CHUNKING", "AUTH EXTERNAL", lmtp=lmtp)
    for command in (MAIL, RCPT, DATA):
        conn.send(command)
    found: list[smtp.Event] = []
    errors = 0
    for piece in [*pieces, b""]:
        conn.receive_data(piece)
        try:
            found += conn.events()
        except RemoteProtocolError:
            errors += 1
            found += conn.events()
    assert errors <= 1
    assert conn.closed
    assert [e for e in found if isinstance(e, smtp.ConnectionClosed)] == found[-1:]


@pytest.mark.parametrize("challenge", [b"334 ", b"334 %%%"])
def test_a_server_that_lets_in_whoever_has_cancelled(challenge: bytes) -> None:
    conn = client("AUTH LOGIN")
    conn.send(smtp.Auth("LOGIN"))
    if got(conn, challenge + b"\r\n"):
        conn.send(smtp.AuthCancelled())
    assert conn.data_to_send() == b"AUTH LOGIN\r\n*\r\n"
    conn.receive_data(b"235 welcome\r\n")
    with pytest.raises(RemoteProtocolError, match="after it was cancelled"):
        conn.next_event()


def test_what_is_no_octets_is_not_the_end() -> None:
    """None is what a non-blocking read gives when there is nothing yet."""
    conn = client()
    for nothing in (None, "", 0):
        with pytest.raises(TypeError, match=r"octets \(bytes"):
            conn.receive_data(nothing)  # type: ignore[arg-type] # the point of the test
    for no_octets in ("220 mx.example\r\n", [50, 50, 48]):
        with pytest.raises(TypeError, match=r"octets \(bytes"):
            conn.receive_data(no_octets)  # type: ignore[arg-type] # the point of the test
    assert list(conn.events()) == []
    assert not conn.closed


class Endless:
    name = "XENDLESS"
    complete = False

    def respond(self, challenge: bytes | None) -> bytes | None:
        return b""


def test_an_endless_exchange_is_cancelled() -> None:
    conn = client("AUTH XENDLESS")
    conn.authenticate(Endless())
    assert got(conn, b"334 \r\n" * 101) == []
    assert conn.data_to_send() == b"AUTH XENDLESS =\r\n" + b"\r\n" * 100 + b"*\r\n"
