"""What the tests of Delivery share: a dialogue that is played to one, and the usual one."""

from __future__ import annotations

from itertools import groupby
from textwrap import dedent
from typing import Any

from smtpproto import smtp
from smtpproto.smtp._outgoing import Message

__all__ = ["ENVELOPE", "HELLO", "A", "D", "R", "U", "begin", "play", "verdicts", "written"]

A, R, D, U = (
    smtp.Verdict.ACCEPTED,
    smtp.Verdict.REFUSED,
    smtp.Verdict.DEFERRED,
    smtp.Verdict.UNKNOWN,
)

ENVELOPE = smtp.Envelope("a@client.example", ["b@mx.example", "c@mx.example"])
HELLO = b"Subject: hello\r\n\r\nhello\r\n"


def begin(
    message: Message = HELLO,
    envelope: smtp.Envelope = ENVELOPE,
    *,
    conn: smtp.ClientConnection | None = None,
    **options: Any,
) -> tuple[smtp.ClientConnection, smtp.Delivery]:
    """A connection that has yet to be greeted, and a delivery over it."""
    conn = conn or smtp.ClientConnection(**options)
    return conn, smtp.Delivery(conn, envelope, message, domain="client.example")


def written(delivery: smtp.Delivery) -> bytes:
    """All that is to be written now."""
    octets = b""
    while piece := delivery.data_to_send():
        assert len(piece) <= 65536
        octets += piece
    return octets


def play(delivery: smtp.Delivery, dialogue: str) -> None:
    """The ``C:`` lines are what the delivery writes, neither less nor more, before it hears the
    ``S:`` lines after them. ``S: EOF``: the server closes."""
    for side, lines in groupby(dedent(dialogue).strip().splitlines(), key=lambda line: line[:2]):
        texts = [line[3:] for line in lines]
        if side == "C:":
            assert written(delivery).decode().split("\r\n") == [*texts, ""]
        elif texts == ["EOF"]:
            delivery.receive_data(b"")
        else:
            assert written(delivery) == b""
            delivery.receive_data("".join(f"{text}\r\n" for text in texts).encode())


def verdicts(delivery: smtp.Delivery) -> list[smtp.Verdict]:
    assert delivery.report is not None
    return [outcome.verdict for outcome in delivery.report.outcomes]
