"""SMTP clients in memory: small transactions, and a large message out.

The server is a list of replies. What the clients write is compared, but for the case of verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks import aside
from benchmarks.measure import Contestant, Effort, Goal, Row, Work, at_least, compare
from benchmarks.messages import (
    CLIENT,
    RECIPIENT,
    SENDER,
    SMALL,
    grouped_replies,
    mail_text,
    replies,
)
from benchmarks.peers import stdlib
from smtpproto import smtp

__all__ = ["bulk", "pipelining", "some_dots", "transactions"]


def transactions(effort: Effort) -> Iterator[Row]:
    """MAIL, RCPT, DATA and 25 octets again and again: each command waits for its reply."""
    count = effort.of(1000)
    reads = replies(count)
    peers: list[tuple[Contestant, Goal | None]] = [
        (Contestant("smtplib", lambda: stdlib.deliver(reads, count, SMALL)), at_least(1.5))
    ]
    with aside.contestant(count) as same_name:
        if same_name is not None:
            peers.append((same_name, at_least(1)))
        yield from compare(
            "SMTP client, small transactions",
            Work(count, "transactions"),
            Contestant("smtpproto", lambda: deliver(reads, count, SMALL)),
            peers,
            effort,
        )


def pipelining(effort: Effort) -> Iterator[Row]:
    """The same with a server that offers PIPELINING, which smtplib leaves alone."""
    count = effort.of(1000)
    reads = grouped_replies(count)
    yield from compare(
        "SMTP client, small transactions, PIPELINING offered",
        Work(count, "transactions"),
        Contestant("smtpproto", lambda: deliver(reads, count, SMALL)),
        [(Contestant("smtplib", lambda: stdlib.deliver(reads, count, SMALL)), at_least(1.5))],
        effort,
    )


def bulk(effort: Effort) -> Iterator[Row]:
    """One message of 10 MB of mail text out of one bytes object."""
    yield from _bulk("SMTP client, message of 10 MB", 0, effort)


def some_dots(effort: Effort) -> Iterator[Row]:
    """The same, a dot at the start of every 20th line."""
    yield from _bulk("SMTP client, message of 10 MB, a dot before every 20th line", 20, effort)


def _bulk(title: str, dot_every: int, effort: Effort) -> Iterator[Row]:
    message = mail_text(effort.of(10_000_000), dot_every)
    reads = replies(1)
    yield from compare(
        title,
        Work(len(message) / 1e6, "MB"),
        Contestant("smtpproto", lambda: deliver(reads, 1, message)),
        [(Contestant("smtplib", lambda: stdlib.deliver(reads, 1, message)), at_least(2.5))],
        effort,
    )


def deliver(reads: Sequence[bytes], messages: int, message: bytes) -> Callable[[], object]:
    """A client that sends a message again and again."""
    conn = smtp.ClientConnection()
    written = []
    replies = iter(reads)

    def exchange(until: smtp.State) -> None:
        while conn.state is not until:
            written.append(conn.data_to_send())
            conn.receive_data(next(replies))
            for event in conn.events():
                if not isinstance(event, smtp.ReplyReceived) or event.reply.code >= 400:
                    raise RuntimeError(f"expected a positive reply, got {event}")

    exchange(smtp.State.CONNECTED)
    conn.send(smtp.Ehlo(CLIENT))
    exchange(smtp.State.READY)
    for _ in range(messages):
        conn.send(smtp.Mail(SENDER))
        conn.send(smtp.Rcpt(RECIPIENT))
        conn.send(smtp.Data())
        exchange(smtp.State.DATA)
        conn.send(smtp.MessageData(message))
        conn.send(smtp.EndOfMessage())
        exchange(smtp.State.READY)
    return lambda: b"".join(written).upper()
