"""SMTP servers in memory: small transactions, and large messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.measure import Contestant, Effort, Goal, Row, Work, at_least, compare
from benchmarks.messages import SMALL, mail_text, pieces, stuffed
from smtpproto import smtp

__all__ = ["EXTENSIONS", "bulk", "dots_everywhere", "some_dots", "transactions"]

EXTENSIONS = (
    smtp.ext.Pipelining(),
    smtp.ext.Size(2_000_000_000),
    smtp.ext.EightBitMime(),
    smtp.ext.Chunking(),
    smtp.ext.EnhancedStatusCodes(),
)
HELLO = b"EHLO client.example.org\r\n"
ENVELOPE = (b"MAIL FROM:<sender@example.org>\r\n", b"RCPT TO:<recipient@example.net>\r\n")
DATA = b"DATA\r\n"
QUIET = "Twisted without timeouts and log"


def transactions(effort: Effort) -> Iterator[Row]:
    """MAIL, RCPT, DATA and 25 octets, each in a read of its own, again and again."""
    from benchmarks.peers import twisted

    count = effort.of(1000)
    reads = [HELLO, *[*ENVELOPE, DATA, stuffed(SMALL)] * count]
    yield from compare(
        "SMTP server, small transactions",
        Work(count, "transactions"),
        Contestant("smtpproto", lambda: serve(reads)),
        [
            (Contestant("Twisted", lambda: twisted.serve_smtp(reads)), at_least(5)),
            (Contestant(QUIET, lambda: twisted.serve_smtp(reads, quiet=True)), None),
        ],
        effort,
    )


def bulk(effort: Effort) -> Iterator[Row]:
    """DATA, 10 MB of mail text in reads of 64 KiB."""
    yield from _bulk("SMTP server, DATA 10 MB", 0, 6, effort)


def some_dots(effort: Effort) -> Iterator[Row]:
    """The same, a dot at the start of every 20th line."""
    yield from _bulk("SMTP server, DATA 10 MB, a dot before every 20th line", 20, 4, effort)


def dots_everywhere(effort: Effort) -> Iterator[Row]:
    """The same, a dot at the start of every line."""
    yield from _bulk("SMTP server, DATA 10 MB, a dot before every line", 1, 4, effort)


def _bulk(title: str, dot_every: int, goal: float, effort: Effort) -> Iterator[Row]:
    from benchmarks.peers import twisted

    message = mail_text(effort.of(10_000_000), dot_every)
    blocks = pieces(stuffed(message))
    reads = [HELLO, *ENVELOPE, DATA, *blocks]
    peers: list[tuple[Contestant, Goal | None]] = [
        (Contestant("Twisted", lambda: twisted.serve_smtp(reads)), at_least(goal)),
        (Contestant(QUIET, lambda: twisted.serve_smtp(reads, quiet=True)), None),
    ]
    if not dot_every:  # else there is something to replace, which costs far more than to look
        one_pass = Contestant("one bytes.replace pass", lambda: replace(blocks, message))
        peers.append((one_pass, at_least(0.55)))
    ours = Contestant("smtpproto", lambda: serve(reads))
    yield from compare(title, Work(len(message) / 1e6, "MB"), ours, peers, effort)


def serve(reads: Sequence[bytes]) -> Callable[[], object]:
    """A server that accepts everything and keeps the messages."""
    conn = smtp.ServerConnection("mx.example.com", extensions=EXTENSIONS)
    written = []
    messages = []
    message: list[bytes] = []
    conn.accept()
    for read in reads:
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case smtp.MessageData(data):
                    message.append(data)
                case smtp.EndOfMessage():
                    conn.accept()
                    messages.append(message)
                    message = []
                case smtp.MessageRefused():
                    message = []
                case smtp.Request():
                    conn.accept()
        written.append(conn.data_to_send())
    return lambda: [b"".join(message) for message in messages]


def replace(blocks: Sequence[bytes], message: bytes) -> Callable[[], object]:
    """What no decoder written in Python can do without."""
    for block in blocks:
        block.replace(b"\r\n.", b"\r\n")
    return lambda: [message]
