"""Delivery: what goes over the wire, and what the report says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from smtpproto import LocalProtocolError, smtp
from smtpproto.smtp import State
from smtpproto.smtp._outgoing import BLOCK
from tests.delivering import ENVELOPE, HELLO, A, D, R, begin, play, verdicts, written
from tests.dialogue import dialogues

ONE = smtp.Envelope("a@client.example", ["b@mx.example"])

# -- the usual course -----------------------------------------------------------------------------


def test_without_extensions_one_command_at_a_time() -> None:
    conn, delivery = begin()
    play(
        delivery,
        """
        S: 220 mx.example
        C: EHLO client.example
        S: 250 mx.example
        C: MAIL FROM:<a@client.example>
        S: 250 OK
        C: RCPT TO:<b@mx.example>
        S: 250 OK
        C: RCPT TO:<c@mx.example>
        S: 250 OK
        C: DATA
        S: 354 go on
        C: Subject: hello
        C:
        C: hello
        C: .
        """,
    )
    assert not delivery.report
    play(delivery, "S: 250 2.0.0 queued as 4711")
    queued = smtp.Reply(250, "2.0.0 queued as 4711")
    b, c = ENVELOPE.recipients
    assert delivery.report == smtp.Report(
        [
            smtp.Outcome(b, A, queued, "the message was accepted"),
            smtp.Outcome(c, A, queued, "the message was accepted"),
        ]
    )
    assert delivery.report.all_accepted
    assert written(delivery) == b""
    assert state(conn) is State.READY


def test_pipelining_envelope_and_data_are_one_group() -> None:
    """Four round trips with QUIT's (RFC 2920 section 4.2)."""
    conn, delivery = begin()
    play(
        delivery,
        """
        S: 220 mx.example
        C: EHLO client.example
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250 SIZE 1000
        C: MAIL FROM:<a@client.example> SIZE=25
        C: RCPT TO:<b@mx.example>
        C: RCPT TO:<c@mx.example>
        C: DATA
        S: 250 OK
        S: 550 5.1.1 No such user
        S: 250 OK
        S: 354 go on
        C: Subject: hello
        C:
        C: hello
        C: .
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [R, A]
    assert delivery.report is not None
    assert not delivery.report.all_accepted
    assert [one.recipient for one in delivery.report.refused] == [smtp.Rcpt("b@mx.example")]
    assert str(delivery.report) == (
        "<b@mx.example> refused: RCPT was refused: 550 5.1.1 No such user\n"
        "<c@mx.example> accepted: the message was accepted: 250 OK"
    )
    conn.send(smtp.Quit())
    assert conn.data_to_send() == b"QUIT\r\n"


def test_chunking_no_dots_and_no_354() -> None:
    """The envelope is answered before the first chunk, so it takes as many round trips."""
    _, delivery = begin(b".\n..\n")
    play(
        delivery,
        """
        S: 220 mx.example
        C: EHLO client.example
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250 CHUNKING
        C: MAIL FROM:<a@client.example>
        C: RCPT TO:<b@mx.example>
        C: RCPT TO:<c@mx.example>
        S: 250 OK
        S: 250 OK
        S: 250 OK
        C: BDAT 7 LAST
        C: .
        C: ..
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [A, A]


def test_lmtp_a_reply_for_each_recipient_duplicates_included() -> None:
    envelope = smtp.Envelope(None, ["b@x", "no@x", "b@x", "c@x"])
    conn, delivery = begin(b"", envelope, lmtp=True)
    play(
        delivery,
        """
        S: 220 lmtp
        C: LHLO client.example
        S: 250-lmtp
        S: 250 PIPELINING
        C: MAIL FROM:<>
        C: RCPT TO:<b@x>
        C: RCPT TO:<no@x>
        C: RCPT TO:<b@x>
        C: RCPT TO:<c@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 550 no
        S: 250 OK
        S: 250 OK
        S: 354 go on
        C: .
        S: 250 OK
        S: 452 over quota
        S: 550 never
        """,
    )
    assert verdicts(delivery) == [A, R, D, R]
    assert delivery.report is not None
    assert delivery.report.to_retry == (smtp.Rcpt("b@x"),)
    assert state(conn) is State.READY


def test_helo_where_ehlo_is_not_known() -> None:
    _, delivery = begin(envelope=ONE)
    play(
        delivery,
        """
        S: 220 old
        C: EHLO client.example
        S: 500 what?
        C: HELO client.example
        S: 250 old
        C: MAIL FROM:<a@client.example>
        """,
    )


def test_another_delivery_over_the_same_connection() -> None:
    """After a refused MAIL and its RSET; pieces have no SIZE that could be said."""
    (dialogue,) = dialogues("smtp-rset-after-mail.txt")
    *turns, _, _ = dialogue.turns()  # QUIT and its reply are the caller's
    conn, first = begin(envelope=ONE)
    delivery = first
    for side, said in turns:
        octets = b"".join(line.octets for line in said)
        if side == "S":
            delivery.receive_data(octets)
            continue
        if delivery.report is not None:
            delivery = smtp.Delivery(conn, ONE, iter([HELLO]))
        assert written(delivery) == octets
    assert verdicts(first) == [D]
    assert verdicts(delivery) == [A]


def test_rset_after_a_refused_last_chunk() -> None:
    """RFC 3030 section 2: what state it leaves is not determined."""
    conn, delivery = offered("CHUNKING", message=b"hello\r\n")
    play(
        delivery,
        """
        C: MAIL FROM:<a@client.example>
        S: 250 OK
        C: RCPT TO:<b@mx.example>
        S: 250 OK
        C: BDAT 7 LAST
        C: hello
        S: 554 5.6.0 no
        C: RSET
        """,
    )
    assert not delivery.report
    play(delivery, "S: 250 OK")
    assert verdicts(delivery) == [R]
    assert state(conn) is State.READY
    assert written(smtp.Delivery(conn, ONE, b"")) == b"MAIL FROM:<a@client.example>\r\n"


def test_one_rset_after_a_refused_chunk_and_the_last_one_behind_it() -> None:
    conn, delivery = offered("PIPELINING", "CHUNKING", message=bytes(BLOCK + 1))
    written(delivery)
    delivery.receive_data(b"250 OK\r\n" * 2)
    assert written(delivery) == b"BDAT %d\r\n%bBDAT 3 LAST\r\n\0\r\n" % (BLOCK, bytes(BLOCK))
    play(
        delivery,
        """
        S: 452 4.3.1 full
        S: 503 RSET first
        C: RSET
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [D]
    assert state(conn) is State.READY


def test_rset_after_a_refused_mail_and_what_was_pipelined_behind_it() -> None:
    for after_data in ("S: 503 MAIL first", "S: 354 go on\nC: .\nS: 554 no"):
        conn, delivery = offered("PIPELINING")
        play(
            delivery,
            """
            C: MAIL FROM:<a@client.example>
            C: RCPT TO:<b@mx.example>
            C: DATA
            S: 550 not from you
            S: 503 MAIL first
            """,
        )
        play(delivery, after_data)
        play(delivery, "C: RSET\nS: 250 OK")
        assert verdicts(delivery) == [R]
        assert state(conn) is State.READY


def test_a_connection_that_is_greeted_already() -> None:
    conn = smtp.ClientConnection()
    conn.receive_data(b"220 mx.example\r\n")
    assert list(conn.events())
    _, delivery = begin(conn=conn)
    play(delivery, "C: EHLO client.example")


def test_send_soml_saml() -> None:
    envelope = smtp.Envelope(smtp.SendOrMail("a@client.example"), ["b@mx.example"])
    _, delivery = begin(b"x", envelope)
    play(
        delivery,
        """
        S: 220 x
        C: EHLO client.example
        S: 250-x
        S: 250-PIPELINING
        S: 250-SIZE
        S: 250 SOML
        C: SOML FROM:<a@client.example>
        C: RCPT TO:<b@mx.example>
        C: DATA
        """,
    )


# -- the message ----------------------------------------------------------------------------------


def offered(
    *keywords: str, message: Any = HELLO, envelope: smtp.Envelope = ONE, **options: Any
) -> tuple[smtp.ClientConnection, smtp.Delivery]:
    """A delivery that has just heard what the server offers."""
    conn, delivery = begin(message, envelope, **options)
    delivery.receive_data(b"220 x\r\n")
    written(delivery)
    *first, last = ("x", *keywords)
    answer = "".join(f"250-{line}\r\n" for line in first) + f"250 {last}\r\n"
    delivery.receive_data(answer.encode())
    return conn, delivery


def accepted(*keywords: str, **options: Any) -> tuple[smtp.ClientConnection, smtp.Delivery]:
    """The same when the envelope is accepted, and the message may begin."""
    conn, delivery = offered(*keywords, **options)
    while octets := written(delivery):
        for line in octets.splitlines():
            delivery.receive_data(b"354 go on\r\n" if line == b"DATA" else b"250 OK\r\n")
            if line == b"DATA" or (b"RCPT" in line and "CHUNKING" in keywords):
                return conn, delivery
    raise AssertionError


def state(conn: smtp.ClientConnection) -> State:
    return conn.state


@pytest.mark.parametrize(
    ("message", "repaired"),
    [
        (b"", b""),
        (b"a", b"a\r\n"),
        (b"a\nb\r\rc\r\n", b"a\r\nb\r\n\r\nc\r\n"),
        (b"\r", b"\r\n"),
        (b".\n.", b".\r\n.\r\n"),
    ],
)
@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda octets: iter([octets])])
def test_the_same_octets_arrive_by_data_and_by_bdat(
    message: bytes, repaired: bytes, form: Callable[[bytes], object]
) -> None:
    _, delivery = accepted("PIPELINING", message=form(message))
    assert written(delivery) == repaired.replace(b".", b"..") + b".\r\n"
    _, delivery = accepted("PIPELINING", "CHUNKING", message=form(message))
    assert written(delivery) == b"BDAT %d LAST\r\n%b" % (len(repaired), repaired)


def test_binarymime_octets_as_they_are() -> None:
    envelope = smtp.Envelope(smtp.Mail("a@client.example", body="BINARYMIME"), ["b@mx.example"])
    keywords = ("SIZE", "BINARYMIME", "CHUNKING", "LIMITS RCPTMAX=5")
    conn, delivery = offered(*keywords, message=b"\n\r\0\xff", envelope=envelope)
    play(delivery, "C: MAIL FROM:<a@client.example> BODY=BINARYMIME SIZE=4")
    conn, delivery = accepted(*keywords, message=iter([b"\n\r", b"\0\xff"]), envelope=envelope)
    assert written(delivery) == b"BDAT 4 LAST\r\n\n\r\0\xff"
    conn, delivery = offered("BINARYMIME", message=b"\n", envelope=envelope)
    assert verdicts(delivery) == [R]
    assert written(delivery) == b""
    assert state(conn) is State.READY


class Pulled:
    """The pieces of a message, and how many octets of them were pulled so far."""

    def __init__(self, *sizes: int) -> None:
        self.octets = 0
        self._sizes = iter(sizes)

    def __iter__(self) -> Iterator[bytes]:
        for size in self._sizes:
            self.octets += size
            yield b"x" * size


@pytest.mark.parametrize("keywords", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")])
@pytest.mark.parametrize("size", [1, 1000, BLOCK, BLOCK + 1, 10 * BLOCK])
def test_pieces_are_pulled_only_when_they_can_go_out(keywords: tuple[str, ...], size: int) -> None:
    """No more than the piece that shows whether a block is the last is ahead of what went out."""
    message = Pulled(*[size] * (20 * BLOCK // size))
    _, delivery = accepted(*keywords, message=message)
    assert message.octets == 0
    out = 0
    while octets := delivery.data_to_send():
        assert len(octets) <= 65536
        out += octets.count(b"x")
        assert message.octets - out <= size
    assert message.octets == out == 20 * BLOCK // size * size


def test_chunks_wait_for_their_replies_without_pipelining() -> None:
    """Nothing more is pulled meanwhile."""
    envelope = smtp.Envelope(smtp.Mail("a@client.example", body="BINARYMIME"), ["b@mx.example"])
    message = Pulled(*[BLOCK] * 5)
    _, delivery = accepted("BINARYMIME", "CHUNKING", message=message, envelope=envelope)
    assert written(delivery) == b"BDAT %d\r\n%b" % (BLOCK, b"x" * BLOCK)
    assert message.octets <= 4 * BLOCK
    delivery.receive_data(b"250 OK\r\n")
    assert message.octets <= 4 * BLOCK
    assert written(delivery).startswith(b"BDAT")


def test_without_pipelining_a_long_message_goes_by_data() -> None:
    """Where each chunk would cost a round trip."""
    _, delivery = offered("CHUNKING", message=b"x" * BLOCK)
    play(delivery, "C: MAIL FROM:<a@client.example>\nS: 250 OK\nC: RCPT TO:<b@mx.example>")
    play(delivery, "S: 250 OK\nC: DATA")
    _, delivery = accepted("CHUNKING", message=b"x" * (BLOCK - 2))
    assert written(delivery).startswith(b"BDAT %d LAST\r\n" % BLOCK)


def test_a_server_that_answers_no_chunk_gets_so_many() -> None:
    """No more than may be unanswered (RFC 2920 section 3.1), and none is held in memory."""
    message = Pulled(*[BLOCK] * 100)
    conn, delivery = accepted(
        "PIPELINING", "CHUNKING", message=message, limits=smtp.Limits(pipeline_octets=40)
    )
    assert written(delivery).count(b"BDAT") == 3
    for _ in range(10):
        assert written(delivery) == b""
    assert message.octets <= 5 * BLOCK
    assert conn.held_back


def test_a_message_is_fed_while_it_is_wanted() -> None:
    _, delivery = offered("PIPELINING", message=None)
    assert not delivery.wants_message
    with pytest.raises(LocalProtocolError, match=r"send_message\(\) .*while wants_message is True"):
        delivery.send_message(b"x")
    with pytest.raises(LocalProtocolError, match=r"end_message\(\) .*while wants_message is True"):
        delivery.end_message()
    written(delivery)
    delivery.receive_data(b"250 OK\r\n250 OK\r\n354 go on\r\n")
    assert delivery.wants_message
    assert written(delivery) == b""
    buffer = bytearray(b"hello\n")
    delivery.send_message(buffer)
    buffer[:] = b"spoilt"
    assert delivery.wants_message
    delivery.send_message(memoryview(b"x" * 3 * BLOCK))
    assert not delivery.wants_message
    out = written(delivery)
    assert delivery.wants_message
    delivery.end_message()
    assert not delivery.wants_message
    with pytest.raises(LocalProtocolError, match="while wants_message is True"):
        delivery.send_message(b"x")
    out += written(delivery)
    assert out == b"hello\r\n%b\r\n.\r\n" % (b"x" * 3 * BLOCK)
    delivery.receive_data(b"250 OK\r\n")
    assert verdicts(delivery) == [A]
    assert not delivery.wants_message


@pytest.mark.parametrize("keywords", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
def test_what_the_pieces_raise_passes_through(keywords: tuple[str, ...]) -> None:
    """Half a message is on its way: the connection is cut, and the report is there."""

    def pieces() -> Iterator[bytes]:
        yield b"x" * 2 * BLOCK
        raise OSError("disk on fire")

    conn, delivery = accepted(*keywords, message=pieces())
    assert delivery.data_to_send()
    with pytest.raises(OSError, match="disk on fire"):
        written(delivery)
    assert written(delivery) == b""
    assert conn.closed
    assert str(delivery.report) == (
        "<b@mx.example> deferred: the message broke off (OSError: disk on fire) before the message"
        " was complete"
    )


def test_a_piece_that_is_no_octets() -> None:
    conn, delivery = accepted(message=iter(["text"]))
    with pytest.raises(TypeError):
        written(delivery)
    assert conn.closed
    assert verdicts(delivery) == [D]


@pytest.mark.parametrize("keywords", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
def test_strict_newlines(keywords: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError, match="CR without LF"):
        begin(b"a\nb", newlines="strict")
    for pieces in ([b"a\nb"], [b"a\r"]):
        conn, delivery = accepted(*keywords, message=iter(pieces), newlines="strict")
        with pytest.raises(LocalProtocolError, match="CR without LF"):
            written(delivery)
        assert conn.closed
        assert verdicts(delivery) == [D]


# -- what the server offers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "mail", "message", "line"),
    [
        ("", smtp.Mail("a@b"), b"x", ""),
        ("SIZE 8BITMIME SMTPUTF8", smtp.Mail("a@b"), b"x\n", " SIZE=3"),
        ("SIZE", smtp.Mail("a@b"), b"\r\nx", " SIZE=5"),
        ("SIZE", smtp.Mail("a@b", size=7), b"x", " SIZE=7"),
        ("", smtp.Mail("a@b", size=7), b"x", ""),
        ("SIZE=10M", smtp.Mail("a@b"), b"x", " SIZE=3"),
        ("SIZE=100000000000000000000", smtp.Mail("a@b", size=7), b"x", " SIZE=7"),
        ("SIZE", smtp.Mail("a@b", size=7), iter([b"x"]), " SIZE=7"),
        ("SIZE", smtp.Mail("a@b"), iter([b"x"]), ""),
        ("8BITMIME", smtp.Mail("a@b"), b"\xff", " BODY=8BITMIME"),
        ("8BITMIME", smtp.Mail("a@b"), iter([b"x"]), " BODY=8BITMIME"),
        ("8BITMIME", smtp.Mail("a@b"), None, " BODY=8BITMIME"),
        ("8BITMIME", smtp.Mail("a@b", body="7BIT"), iter([b"x"]), " BODY=7BIT"),
        ("SMTPUTF8", smtp.Mail("é@b"), b"x", " SMTPUTF8"),
        ("DSN", smtp.Mail("a@b", ret="HDRS"), b"x", " RET=HDRS"),
    ],
)
def test_parameters_of_mail(keywords: str, mail: smtp.Mail, message: object, line: str) -> None:
    envelope = smtp.Envelope(mail, ["b@mx.example"])
    lines = (word.replace("=", " ") for word in keywords.split(" "))
    _, delivery = offered(*lines, message=message, envelope=envelope)
    wire = written(delivery)
    assert wire.decode() == f"MAIL FROM:<{mail.reverse_path}>{line}\r\n"


def test_a_recipient_beyond_ascii() -> None:
    envelope = smtp.Envelope("a@b", ["x@y", "é@y", "z@y"])
    _, delivery = offered("PIPELINING", "SMTPUTF8", envelope=envelope)
    play(
        delivery,
        """
        C: MAIL FROM:<a@b> SMTPUTF8
        C: RCPT TO:<x@y>
        C: RCPT TO:<é@y>
        C: RCPT TO:<z@y>
        C: DATA
        """,
    )


def test_only_who_needs_smtputf8_is_refused_without_it() -> None:
    envelope = smtp.Envelope("a@b", ["x@y", "é@y", "z@y"])
    _, delivery = offered("PIPELINING", envelope=envelope)
    play(
        delivery,
        """
        C: MAIL FROM:<a@b>
        C: RCPT TO:<x@y>
        C: RCPT TO:<z@y>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: 354 go on
        """,
    )
    written(delivery)
    delivery.receive_data(b"250 OK\r\n")
    assert verdicts(delivery) == [A, R, A]
    assert "<é@y> refused: An address beyond ASCII needs MAIL ... SMTPUTF8" in str(delivery.report)


@pytest.mark.parametrize(
    ("keywords", "mail", "message", "why"),
    [
        ("PIPELINING", smtp.Mail("a@b"), b"\xff", "the message has octets beyond ASCII"),
        ("8BITMIME", smtp.Mail("a@b", body="7BIT"), b"\xff", "goes without 8BITMIME"),
        ("8BITMIME SEND", smtp.SendMail("a@b"), b"\xff", "goes without 8BITMIME"),
        ("PIPELINING", smtp.Mail("é@b"), b"x", "An address beyond ASCII needs MAIL"),
        ("SMTPUTF8 SEND", smtp.SendMail("é@b"), b"x", "An address beyond ASCII needs MAIL"),
        (
            "PIPELINING",
            smtp.Mail("a@b", smtputf8=True),
            b"x",
            "The parameter SMTPUTF8 is not offered here",
        ),
        ("SIZE 4", smtp.Mail("a@b"), b"abc", "at most 4 octets"),
        ("SIZE 4", smtp.Mail("a@b", size=5), iter([b"x"]), "at most 4 octets"),
        ("PIPELINING", smtp.Mail("a@b", ret="HDRS"), b"x", "The parameter RET is not offered here"),
        (
            "PIPELINING",
            smtp.Mail("a@b", body="8BITMIME"),
            b"x",
            "The parameter BODY is not offered here",
        ),
    ],
)
def test_what_the_server_cannot_take_is_refused_before_anything_is_sent(
    keywords: str, mail: smtp.Mail, message: object, why: str
) -> None:
    words = keywords.replace("SIZE 4", "SIZE=4").split(" ")
    conn, delivery = offered(
        *(word.replace("=", " ") for word in words),
        message=message,
        envelope=smtp.Envelope(mail, ["b@mx.example", "c@mx.example"]),
    )
    assert verdicts(delivery) == [R, R]
    assert delivery.report is not None
    for outcome in delivery.report.outcomes:
        assert outcome.reply is None
        assert why in outcome.reason
    assert written(delivery) == b""
    assert state(conn) is State.READY


def test_all_recipients_beyond_ascii_nothing_is_sent() -> None:
    _, delivery = offered("PIPELINING", envelope=smtp.Envelope("a@b", ["é@y", "è@y"]))
    assert verdicts(delivery) == [R, R]
    assert written(delivery) == b""


def test_what_only_one_recipient_asks_for_is_refused_for_it() -> None:
    recipients = [smtp.Rcpt("b@x", notify="NEVER"), smtp.Rcpt("c@x")]
    _, delivery = offered("PIPELINING", envelope=smtp.Envelope("a@b", recipients))
    play(
        delivery,
        """
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 354 go on
        """,
    )
    written(delivery)
    delivery.receive_data(b"250 OK\r\n")
    assert verdicts(delivery) == [R, A]


@pytest.mark.parametrize("keywords", [(), ("PIPELINING",)])
def test_when_nobody_can_be_named_the_transaction_is_given_up(keywords: tuple[str, ...]) -> None:
    recipients = [smtp.Rcpt("b@x", notify="NEVER"), smtp.Rcpt("c@x", notify="NEVER")]
    conn, delivery = offered("X", *keywords, envelope=smtp.Envelope("a@b", recipients))
    play(delivery, "C: MAIL FROM:<a@b>\nS: 250 OK\nC: RSET\nS: 250 OK")
    assert verdicts(delivery) == [R, R]
    assert state(conn) is State.READY


def test_octets_beyond_ascii_turn_up_within_data_without_8bitmime() -> None:
    """They are not sent, and there is no other way to give the message up than to cut it off."""
    for first in (b"", b"x" * 2 * BLOCK):
        conn, delivery = accepted("PIPELINING", message=iter([first, b"\xff"]))
        out = b"".join(delivery.data_to_send() for _ in range(len(first) // BLOCK))
        assert len(out) == len(first)
        with pytest.raises(LocalProtocolError, match="beyond ASCII, and goes without 8BITMIME"):
            delivery.data_to_send()
        assert written(delivery) == b""
        assert conn.closed
        assert verdicts(delivery) == [R]


def test_octets_beyond_ascii_turn_up_between_chunks_without_8bitmime() -> None:
    """They are not sent, and the connection stays."""
    for first, chunks in ((b"", 0), (b"x" * 2 * BLOCK, 2)):
        conn, delivery = accepted("PIPELINING", "CHUNKING", message=iter([first, b"\xff"]))
        out = written(delivery)
        assert out.count(b"BDAT") == chunks
        for _ in range(chunks):
            delivery.receive_data(b"250 OK\r\n")
        out += written(delivery)
        assert out.endswith(b"RSET\r\n")
        assert b"\xff" not in out
        delivery.receive_data(b"250 OK\r\n")
        assert verdicts(delivery) == [R]
        assert "the message has octets beyond ASCII" in str(delivery.report)
        assert state(conn) is State.READY


# -- many recipients ------------------------------------------------------------------------------

MANY = smtp.Envelope("a@b", [f"{name}@x" for name in "bcdef"])


def test_rcptmax_asks_for_several_transactions() -> None:
    _, delivery = offered("PIPELINING", "LIMITS RCPTMAX=2", envelope=MANY, message=b"x")
    for names in ("bc", "de", "f"):
        lines = [f"C: RCPT TO:<{name}@x>" for name in names]
        play(delivery, "\n".join(["C: MAIL FROM:<a@b>", *lines, "C: DATA"]))
        delivery.receive_data(b"250 OK\r\n" * (1 + len(names)) + b"354 go on\r\n")
        play(delivery, f"C: x\nC: .\nS: 250 OK {names}")
    assert delivery.report is not None
    assert [one.reply for one in delivery.report.outcomes] == [
        smtp.Reply(250, "OK bc"), smtp.Reply(250, "OK bc"), smtp.Reply(250, "OK de"),
        smtp.Reply(250, "OK de"), smtp.Reply(250, "OK f"),
    ]  # fmt: skip


def test_a_message_that_cannot_be_read_twice_has_one_transaction() -> None:
    """Unless the first one never came to read it."""
    _, delivery = offered("LIMITS RCPTMAX=1", envelope=MANY, message=iter([b"x"]))
    play(
        delivery,
        """
        C: MAIL FROM:<a@b>
        S: 250 OK
        C: RCPT TO:<b@x>
        S: 550 no
        C: RSET
        S: 250 OK
        C: MAIL FROM:<a@b>
        S: 250 OK
        C: RCPT TO:<c@x>
        S: 250 OK
        C: DATA
        S: 354 go on
        C: x
        C: .
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [R, A, D, D, D]
    assert delivery.report is not None
    assert delivery.report.outcomes[4].reason == "the message cannot be read a second time"


def test_mailmax_leaves_the_others_to_another_session() -> None:
    conn, delivery = accepted("LIMITS MAILMAX=1 RCPTMAX=1", envelope=MANY, message=b"x")
    play(delivery, "C: x\nC: .\nS: 250 OK")
    assert verdicts(delivery) == [A, D, D, D, D]
    assert "At most 1 transactions in one session" in str(delivery.report)
    assert state(conn) is State.READY


def test_rcptdomainmax_leaves_the_other_domains_to_another_session() -> None:
    envelope = smtp.Envelope("a@b", ["b@x", "c@y", "d@x"])
    _, delivery = offered("PIPELINING", "LIMITS RCPTDOMAINMAX=1", envelope=envelope, message=b"x")
    play(delivery, "C: MAIL FROM:<a@b>\nC: RCPT TO:<b@x>\nC: RCPT TO:<d@x>\nC: DATA")
    delivery.receive_data(b"250 OK\r\n" * 3 + b"354 go on\r\n")
    play(delivery, "C: x\nC: .\nS: 250 OK")
    assert verdicts(delivery) == [A, D, A]


@pytest.mark.parametrize("crowded", ["452 too many", "552 too many", "452 4.5.3 too many"])
def test_too_many_recipients_go_in_further_transactions(crowded: str) -> None:
    """Each of as many as the one before delivered (RFC 5321 section 4.5.3.1.10)."""
    _, delivery = offered("PIPELINING", envelope=MANY, message=b"x")
    play(
        delivery,
        f"""
        C: MAIL FROM:<a@b>
        C: RCPT TO:<b@x>
        C: RCPT TO:<c@x>
        C: RCPT TO:<d@x>
        C: RCPT TO:<e@x>
        C: RCPT TO:<f@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: {crowded}
        S: {crowded}
        S: {crowded}
        S: 354 go on
        C: x
        C: .
        S: 250 first
        C: MAIL FROM:<a@b>
        C: RCPT TO:<d@x>
        C: RCPT TO:<e@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 550 no
        S: 354 go on
        C: x
        C: .
        S: 250 second
        C: MAIL FROM:<a@b>
        C: RCPT TO:<f@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 354 go on
        C: x
        C: .
        S: 250 third
        """,
    )
    assert verdicts(delivery) == [A, A, A, R, A]


def test_a_transaction_that_delivered_nothing_has_no_further_one() -> None:
    """However often the server says that there are too many."""
    _, delivery = offered("PIPELINING", envelope=smtp.Envelope("a@b", ["b@x", "c@x"]), message=b"x")
    written(delivery)
    delivery.receive_data(b"250 OK\r\n250 OK\r\n452 too many\r\n354 go on\r\n")
    play(
        delivery,
        """
        C: x
        C: .
        S: 250 OK
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@x>
        C: DATA
        S: 250 OK
        S: 452 too many
        S: 503 nobody
        C: RSET
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [A, D]


def test_who_was_too_many_where_nobody_was_delivered_to_is_not_named_again() -> None:
    """Else a server that refuses all but the last could have all the others named again."""
    envelope = smtp.Envelope("a@b", ["b@x", "c@x"])
    _, delivery = offered("PIPELINING", "LIMITS RCPTMAX=1", envelope=envelope, message=b"x")
    play(
        delivery,
        """
        C: MAIL FROM:<a@b>
        C: RCPT TO:<b@x>
        C: DATA
        S: 250 OK
        S: 452 too many
        S: 503 nobody
        C: RSET
        S: 250 OK
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 354 go on
        C: x
        C: .
        S: 250 OK
        """,
    )
    assert verdicts(delivery) == [D, A]


def in_the_second_transaction() -> smtp.Delivery:
    """The first of two recipients has the message, and the server has to answer it."""
    envelope = smtp.Envelope("a@b", ["b@x", "c@x"])
    _, delivery = accepted("PIPELINING", "LIMITS RCPTMAX=1", envelope=envelope, message=b"x")
    play(delivery, "C: x\nC: .")
    return delivery


def test_the_connection_is_lost_in_the_second_transaction() -> None:
    """Whether a message was complete is asked of each one."""
    delivery = in_the_second_transaction()
    play(
        delivery,
        """
        S: 250 OK
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@x>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: EOF
        """,
    )
    assert verdicts(delivery) == [A, D]


def test_the_second_transaction_is_answered_before_it_is_sent() -> None:
    delivery = in_the_second_transaction()
    play(delivery, "S: 250 OK\nS: 250 OK\nS: 250 OK\nS: 354 go on\nS: 250 OK")
    assert verdicts(delivery) == [A, D]


def test_the_second_transaction_begins_the_message_anew() -> None:
    """Although the first one has left off in its middle, and its recipients come by and by."""
    keywords = ("PIPELINING", "CHUNKING", "LIMITS RCPTMAX=2")
    envelope = smtp.Envelope("a@b", ["b@x", "c@x", "d@x", "e@x"])
    _, delivery = offered(*keywords, envelope=envelope, message=b"x" * 5 * BLOCK)
    written(delivery)
    delivery.receive_data(b"250 OK\r\n250 OK\r\n550 no\r\n")
    assert delivery.data_to_send().startswith(b"BDAT")
    delivery.receive_data(b"552 too large\r\n")
    play(delivery, "C: RSET\nS: 250 OK\nC: MAIL FROM:<a@b>\nC: RCPT TO:<d@x>\nC: RCPT TO:<e@x>")
    play(delivery, "S: 250 OK\nS: 250 OK")
    assert written(delivery) == b""
    delivery.receive_data(b"550 no\r\n")
    assert written(delivery).count(b"x") == 5 * BLOCK


@pytest.mark.parametrize(
    ("message", "end"), [(iter([b"x"]), "250 OK"), (b"x", "451 later"), (b"x", "554 no")]
)
def test_too_many_recipients_are_deferred_where_there_is_no_further_transaction(
    message: object, end: str
) -> None:
    """The message cannot be read again, or it is not taken anyway: no server can keep us busy."""
    envelope = smtp.Envelope("a@b", ["b@x", "c@x"])
    _, delivery = offered("PIPELINING", envelope=envelope, message=message)
    written(delivery)
    delivery.receive_data(b"250 OK\r\n250 OK\r\n552 too many\r\n354 go on\r\n")
    play(delivery, f"C: x\nC: .\nS: {end}")
    assert delivery.report is not None
    assert delivery.report.outcomes[1] == smtp.Outcome(
        smtp.Rcpt("c@x"), D, smtp.Reply(552, "too many"), "too many recipients at a time"
    )


def test_552_that_is_about_the_mailbox_is_permanent() -> None:
    _, delivery = offered(envelope=ONE)
    play(delivery, "C: MAIL FROM:<a@client.example>\nS: 250 OK\nC: RCPT TO:<b@mx.example>")
    play(delivery, "S: 552 5.2.2 mailbox full\nC: RSET\nS: 250 OK")
    assert verdicts(delivery) == [R]


def test_a_group_of_any_size_goes_out_64_kib_at_a_time() -> None:
    names = [f"user{number:05}@example.org" for number in range(3000)]
    _, delivery = offered(
        "PIPELINING",
        envelope=smtp.Envelope("a@b", names),
        limits=smtp.Limits(pipeline_octets=None),
    )
    first = delivery.data_to_send()
    assert len(first) == 65536
    assert (first + written(delivery)).count(b"RCPT") == 3000


# -- misuse ---------------------------------------------------------------------------------------


def test_the_domain_is_needed_for_ehlo() -> None:
    with pytest.raises(LocalProtocolError, match=r"Delivery\(..., domain=...\) says EHLO"):
        smtp.Delivery(smtp.ClientConnection(), ENVELOPE, HELLO)


@pytest.mark.parametrize("domain", ["münchen.example", "x" * 600])
def test_a_domain_that_cannot_be_said(domain: str) -> None:
    conn = smtp.ClientConnection()
    delivery = smtp.Delivery(conn, ENVELOPE, HELLO, domain=domain)
    delivery.receive_data(b"220 x\r\n")
    assert verdicts(delivery) == [R, R]
    assert written(delivery) == b""


def test_there_must_be_recipients() -> None:
    with pytest.raises(LocalProtocolError, match="no recipients"):
        begin(envelope=smtp.Envelope("a@b"))


def test_an_envelope_is_an_envelope() -> None:
    with pytest.raises(
        TypeError, match=r"Envelope\(reverse_path, recipients\) is wanted, not 'a@b'"
    ):
        begin(envelope="a@b")  # type: ignore[arg-type] # what is tested


def test_a_message_is_octets() -> None:
    with pytest.raises(TypeError, match="encode the text"):
        begin("text")  # type: ignore[arg-type] # what is tested
    with pytest.raises(TypeError, match=r"give bytes\(message\)"):
        begin(EmailMessage())  # type: ignore[arg-type] # what is tested
    with pytest.raises(TypeError):
        accepted(message=5)[1].data_to_send()


def test_a_message_that_is_resumed_is_not_for_a_delivery() -> None:
    mail = smtp.Mail("a@b", transid="<1@b>")
    with pytest.raises(LocalProtocolError, match="leave TRANSID out"):
        begin(envelope=smtp.Envelope(mail, ["b@x"]))


def test_the_connection_must_be_at_rest() -> None:
    queued, waiting, over = (smtp.ClientConnection() for _ in range(3))
    queued.send(smtp.Noop())
    waiting.receive_data(b"220 x\r\n")
    assert waiting.next_event()
    waiting.send(smtp.Noop())
    over.abort()
    for conn in (queued, waiting, over, accepted()[0]):
        with pytest.raises(LocalProtocolError, match="between transactions"):
            smtp.Delivery(conn, ENVELOPE, HELLO, domain="x")


def test_time_is_up() -> None:
    """The wrapper's clock decides: abort the connection, and ask for the report."""
    conn, delivery = begin()
    conn.abort()
    delivery.receive_data(b"")
    assert verdicts(delivery) == [D, D]


def test_after_the_report_the_connection_is_the_callers() -> None:
    conn, delivery = begin()
    delivery.receive_data(b"554 no\r\n")
    assert verdicts(delivery) == [R, R]
    assert state(conn) is State.CLOSING
    conn.send(smtp.Quit())
    delivery.receive_data(b"221 bye\r\n")
    assert [type(event) for event in conn.events()] == [smtp.ReplyReceived, smtp.ConnectionClosed]


# -- a hostile server -----------------------------------------------------------------------------


def test_354_with_no_recipient_the_lone_dot() -> None:
    """Whatever it is answered with (RFC 2920 section 3.1)."""
    for answer in ("250 queued", "554 no valid recipients"):
        conn, delivery = offered("PIPELINING")
        play(
            delivery,
            f"""
            C: MAIL FROM:<a@client.example>
            C: RCPT TO:<b@mx.example>
            C: DATA
            S: 250 OK
            S: 550 no
            S: 354 go on
            C: .
            S: {answer}
            """,
        )
        assert verdicts(delivery) == [R]
        assert state(conn) is State.READY


@pytest.mark.parametrize("keywords", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
def test_a_message_accepted_before_its_end_is_not_accepted(keywords: tuple[str, ...]) -> None:
    """The reply comes while half of a block is still to be handed out."""
    conn, delivery = accepted(*keywords, message=b"\n" * BLOCK)
    assert len(delivery.data_to_send()) == 65536
    delivery.receive_data(b"250 OK\r\n")
    assert conn.closed
    assert verdicts(delivery) == [D]
    assert written(delivery) == b""
    assert "the server answered the message before the message was complete" in str(delivery.report)


@pytest.mark.parametrize("last_words", [b"", b"250 OK\r\n421 going down\r\n"])
def test_the_last_chunk_waits_when_the_connection_is_lost(last_words: bytes) -> None:
    """It may go as soon as the one before it is answered, and must not any more."""
    envelope = smtp.Envelope(smtp.Mail("a@client.example", body="BINARYMIME"), ["b@mx.example"])
    message = iter([b"x" * (BLOCK + 1)])
    conn, delivery = accepted("BINARYMIME", "CHUNKING", message=message, envelope=envelope)
    assert written(delivery)
    assert written(delivery) == b""
    assert conn.held_back
    delivery.receive_data(last_words)
    assert verdicts(delivery) == [D]
    assert written(delivery) == b""


def test_an_envelope_accepted_before_it_is_sent_does_no_harm() -> None:
    """A server that answers all in advance gets the message, or nothing was accepted."""
    _, delivery = begin(envelope=ONE)
    delivery.receive_data(b"220 x\r\n250 x\r\n250 x\r\n250 x\r\n354 x\r\n250 x\r\n")
    assert verdicts(delivery) == [D]


def test_abort() -> None:
    conn = smtp.ClientConnection()
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), b"text\r\n", domain="me.example")
    assert delivery.timeout == conn.timeout == 300.0
    delivery.receive_data(b"220 mx\r\n")
    delivery.abort("time is up")
    assert delivery.data_to_send() == b""
    assert conn.closed
    assert delivery.report is not None
    (outcome,) = delivery.report.outcomes
    assert outcome.verdict is smtp.Verdict.DEFERRED
    assert outcome.reason == "time is up before the message was complete"
    report = delivery.report
    delivery.abort("again")
    assert delivery.report is report


def test_a_refused_reset_leaves_no_further_transaction() -> None:
    conn, delivery = offered("LIMITS RCPTMAX=1", envelope=ENVELOPE)
    play(
        delivery,
        """
        C: MAIL FROM:<a@client.example>
        S: 250 OK
        C: RCPT TO:<b@mx.example>
        S: 550 never
        C: RSET
        S: 400 no
        """,
    )
    assert conn.closed
    assert str(delivery.report) == (
        "<b@mx.example> refused: RCPT was refused: 550 never\n"
        "<c@mx.example> deferred: the server refused RSET before the message was complete"
    )


def test_abort_after_the_report_leaves_the_connection_alone() -> None:
    conn, delivery = offered(envelope=ONE)
    delivery.receive_data(b"550 no\r\n")
    delivery.data_to_send()
    delivery.receive_data(b"250 reset\r\n")
    assert verdicts(delivery) == [R]
    delivery.abort()
    assert not conn.closed


def test_begun_within_the_handling_of_an_event_it_wants_the_reply() -> None:
    """Whoever reads while wants_data is True must not wait for ever."""
    conn = smtp.ClientConnection()
    conn.send(smtp.Ehlo("me.example"))
    conn.receive_data(b"220 mx\r\n250 mx\r\n")
    assert conn.next_event() == smtp.ReplyReceived(smtp.Greeting(), smtp.Reply(220, "mx"))
    conn.next_event()
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), b"text\r\n")
    assert delivery.data_to_send().endswith(b"MAIL FROM:<a@b>\r\n")
    assert conn.wants_data


def test_what_waits_already_is_heard() -> None:
    conn = smtp.ClientConnection()
    conn.receive_data(b"421 busy\r\n")
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), b"text\r\n", domain="me.example")
    assert delivery.report is not None
    assert delivery.report.outcomes[0].reply == smtp.Reply(421, "busy")


def test_pieces_that_are_fed_are_octets() -> None:
    """bytes(5) would be five NULs."""
    conn = smtp.ClientConnection()
    conn.receive_data(b"220 mx\r\n")
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), None, domain="me.example")
    for answer in (b"250 mx\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
        delivery.data_to_send()
        delivery.receive_data(answer)
    piece: Any = 5
    with pytest.raises(TypeError, match="octets are wanted"):
        delivery.send_message(piece)
    delivery.send_message(b"text\r\n")
    delivery.end_message()
    assert delivery.data_to_send() == b"text\r\n.\r\n"


def test_pieces_are_octets() -> None:
    conn = smtp.ClientConnection()
    conn.receive_data(b"220 mx\r\n")
    pieces: list[Any] = ["text"]
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), pieces, domain="me.example")
    for answer in (b"250 mx\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n"):
        delivery.data_to_send()
        delivery.receive_data(answer)
    with pytest.raises(TypeError, match="octets are wanted"):
        delivery.data_to_send()
    assert conn.closed


def test_a_reply_too_many_is_not_the_reply_to_the_next_mail() -> None:
    """Else each reply would be taken for the one after it, and 250 to RCPT for the message's."""
    conn, delivery = begin(envelope=ONE)
    delivery.receive_data(b"220 mx\r\n")
    assert written(delivery) == b"EHLO client.example\r\n"
    delivery.receive_data(b"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
    assert written(delivery) == b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n"
    delivery.receive_data(b"250 ok\r\n250 ok\r\n")
    assert written(delivery) == b"BDAT 25 LAST\r\n" + HELLO
    delivery.receive_data(b"250 ok\r\n250 what nobody has asked for\r\n")
    assert verdicts(delivery) == [A]
    assert conn.closed


def test_a_reply_that_comes_with_the_reply_to_ehlo_is_not_the_reply_to_mail() -> None:
    _, delivery = begin(envelope=ONE)
    delivery.receive_data(b"220 mx\r\n")
    assert written(delivery) == b"EHLO client.example\r\n"
    delivery.receive_data(b"250 mx\r\n250 what nobody has asked for\r\n")
    assert written(delivery) == b""
    assert verdicts(delivery) == [D]


def test_a_reply_left_over_from_before_is_not_the_reply_to_mail() -> None:
    conn = smtp.ClientConnection()
    conn.send(smtp.Ehlo("client.example"))
    conn.receive_data(b"220 mx\r\n250 mx\r\n250 what nobody has asked for\r\n")
    conn.next_event()
    conn.next_event()
    assert state(conn) is State.READY
    delivery = smtp.Delivery(conn, ONE, HELLO)
    assert verdicts(delivery) == [D]
    assert "answers nothing" in str(delivery.report)


@pytest.mark.parametrize(("begun", "rest"), [(b"2", b"50 ok\r\n"), (b"250-ok\r\n", b"250 ok\r\n")])
class TestAReplyThatHasBegun:
    """It is the answer to nothing that goes out after it, however it is cut."""

    @pytest.mark.parametrize("keywords", [(), ("PIPELINING", "CHUNKING")])
    def test_before_the_message(self, keywords: tuple[str, ...], begun: bytes, rest: bytes) -> None:
        _, delivery = accepted(*keywords)
        delivery.receive_data(begun)
        assert written(delivery) == b""
        delivery.receive_data(rest)
        assert written(delivery) == b""
        assert verdicts(delivery) == [D]
        assert "answers nothing" in str(delivery.report)

    @pytest.mark.parametrize("keywords", [(), ("PIPELINING", "CHUNKING")])
    def test_within_the_last_block(
        self, keywords: tuple[str, ...], begun: bytes, rest: bytes
    ) -> None:
        _, delivery = accepted(*keywords, message=b"\n" * (BLOCK - 2))
        assert len(delivery.data_to_send()) == 65536
        delivery.receive_data(begun)
        assert written(delivery) == b""
        delivery.receive_data(rest)
        assert written(delivery) == b""
        assert verdicts(delivery) == [D]

    def test_before_mail(self, begun: bytes, rest: bytes) -> None:
        conn, delivery = begin(envelope=ONE)
        delivery.receive_data(b"220 mx\r\n")
        assert written(delivery) == b"EHLO client.example\r\n"
        delivery.receive_data(b"250 mx\r\n" + begun)
        assert written(delivery) == b""
        assert conn.wants_data
        delivery.receive_data(rest)
        assert verdicts(delivery) == [D]

    def test_and_is_cut_off(self, begun: bytes, rest: bytes) -> None:
        _, delivery = accepted()
        delivery.receive_data(begun)
        delivery.receive_data(b"")
        assert verdicts(delivery) == [D]


def test_a_refusal_within_the_message_may_be_cut_anywhere() -> None:
    _, delivery = accepted(message=b"x" * 5 * BLOCK)
    assert delivery.data_to_send()
    for octet in b"554 too large\r\n":
        assert delivery.report is None
        delivery.receive_data(bytes([octet]))
        assert written(delivery) == b""
    assert verdicts(delivery) == [R]


def test_a_refusal_of_the_message_before_the_lone_dot() -> None:
    """The dot would follow what the server does not wait for any more."""
    conn, delivery = offered("PIPELINING")
    written(delivery)
    delivery.receive_data(b"250 OK\r\n550 no\r\n354 go on\r\n554 no valid recipients\r\n")
    assert written(delivery) == b""
    assert conn.closed
    assert delivery.report is not None
    assert delivery.report.outcomes[0].reply == smtp.Reply(550, "no")


def test_a_report_keeps_a_hundred_lines_of_a_reply() -> None:
    """The 64 KiB that a server may say of each recipient need not stay in memory."""
    _, delivery = offered("PIPELINING", envelope=MANY)
    written(delivery)
    delivery.receive_data(b"250 OK\r\n")
    for code in (b"550", b"452", b"452", b"552", b"250"):
        lines = b"".join(code + b"-%d\r\n" % number for number in range(5000))
        delivery.receive_data(lines + code + b" end\r\n")
    delivery.abort()
    assert delivery.report is not None
    first, *others = (one.reply for one in delivery.report.outcomes)
    assert first == smtp.Reply(550, *map(str, range(100)))
    assert [one and len(one.lines) for one in others] == [100, 100, 100, None]


def test_a_report_can_be_written_to_a_log() -> None:
    """Whatever the server's charset is, and with whatever it would begin another line."""
    _, delivery = offered("PIPELINING")
    written(delivery)
    delivery.receive_data(b"250 OK\r\n550 Bo\xeete pleine\xc2\x85\xe2\x80\xa8\x1b[2J\r\n503 no\r\n")
    written(delivery)
    delivery.receive_data(b"250 OK\r\n")
    words = "RCPT was refused: 550 Bo?te pleine???[2J"
    assert str(delivery.report) == f"<b@mx.example> refused: {words}"


def test_repr() -> None:
    conn = smtp.ClientConnection()
    delivery = smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d", "e@f"]), b"hi", domain="me")
    assert repr(delivery).startswith("<Delivery to 2 recipients over <SMTP client in state greet")
    delivery.abort()
    assert repr(delivery) == "<Delivery: 2 recipients, reported>"
