"""Any octets from the server of a Delivery, with messages of every kind; and any octets as the
message, to a server that the head of the input makes accept and refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fuzz.decisions import Decisions, cut, split
from smtpproto import LocalProtocolError, smtp
from smtpproto.smtp import State
from tests.delivered import deliver

SEEDS = "S"
DICTIONARY = "smtp"

MAILS: tuple[smtp.Mail, ...] = (
    smtp.Mail("a@client.example"),
    smtp.Mail(None, body="BINARYMIME"),
    smtp.Mail("é@client.example"),
)
NAMES = ("b@x.example", "c@x.example", "d@y.example", "é@x.example", "Postmaster")
PIECES = (b"hello\r\n", b".\r\n", b"\xe9\n", b"", b"x" * 70_000)
RESTING = (State.READY, State.CONNECTED, State.CLOSING, State.CLOSED)


def run(data: bytes) -> None:
    head, octets = split(data)
    session(head, [octets] if octets else [])
    session(head, cut(octets, head))
    deliver(Decisions(head).pick, list(cut(octets, head)))


def session(head: bytes, pieces: Iterable[bytes]) -> None:
    decisions = Decisions(head)
    conn = smtp.ClientConnection(
        lmtp=decisions.below(4) == 1,
        newlines="strict" if decisions.below(8) == 1 else "crlf",
    )
    mail = MAILS[decisions.below(6) % 4 % 3]
    envelope = smtp.Envelope(mail, NAMES[: 1 + decisions.below(len(NAMES))])
    content = [PIECES[decisions.below(len(PIECES))] for _ in range(decisions.below(4))]
    kind = decisions.below(3)
    message = (b"".join(content), iter(content), None)[kind]
    to_feed = iter(content)
    try:
        delivery = smtp.Delivery(conn, envelope, message, domain="client.example")
    except LocalProtocolError:
        assert conn.newlines == "strict"
        return
    write(delivery, to_feed)
    for piece in pieces:
        if delivery.report is not None:
            break
        assert conn.wants_data, "it neither writes nor reads"
        assert not conn.idle or conn.within_reply, "it waits for nothing"
        delivery.receive_data(piece)
        write(delivery, to_feed)
    if delivery.report is None:
        delivery.receive_data(b"")
    check(conn, envelope, delivery.report)


def write(delivery: smtp.Delivery, to_feed: Iterator[bytes]) -> None:
    """Take all that is to be written, and feed the message where it is fed."""
    while delivery.report is None:
        try:
            while delivery.data_to_send():
                pass
        except LocalProtocolError:  # a message that must not go out
            assert delivery.report is not None
        if not delivery.wants_message:
            return
        piece = next(to_feed, None)
        if piece is None:
            delivery.end_message()
        else:
            delivery.send_message(piece)


def check(conn: smtp.ClientConnection, envelope: smtp.Envelope, report: smtp.Report | None) -> None:
    """The rules of every report."""
    assert report is not None, "the session is over, and there is no report"
    assert tuple(outcome.recipient for outcome in report.outcomes) == envelope.recipients
    assert conn.idle
    assert conn.state in RESTING
    for outcome in report.outcomes:
        severity = outcome.reply.severity if outcome.reply is not None else None
        assert severity != 2 or outcome.verdict is smtp.Verdict.ACCEPTED
        assert (outcome.verdict is smtp.Verdict.ACCEPTED) is (severity == 2)
