"""POP3 in memory: a message of 10 MB out of a server and into a client, and a long LIST."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from benchmarks.measure import Contestant, Effort, Row, Work, at_least, compare
from benchmarks.messages import mail_text, pieces, stuffed
from benchmarks.peers import stdlib
from smtpproto import pop3

__all__ = ["listing", "retr_client", "retr_server"]

GREETING = b"+OK ready\r\n"


def retr_client(effort: Effort) -> Iterator[Row]:
    """RETR of 10 MB of mail text in reads of 64 KiB."""
    from benchmarks.peers import twisted

    message = mail_text(effort.of(10_000_000))
    reads = [GREETING, *pieces(b"+OK\r\n" + stuffed(message))]
    yield from compare(
        "POP3 client, RETR 10 MB",
        Work(len(message) / 1e6, "MB"),
        Contestant("smtpproto", lambda: retrieve(reads)),
        [
            (Contestant("poplib", lambda: stdlib.retrieve(reads)), at_least(4)),
            (Contestant("Twisted", lambda: twisted.retrieve(reads)), at_least(7)),
        ],
        effort,
    )


def retr_server(effort: Effort) -> Iterator[Row]:
    """The same out of a server, which has it in memory. Twisted's wants lines that end in LF."""
    from benchmarks.peers import twisted

    message = mail_text(effort.of(10_000_000))
    as_a_file = message.replace(b"\r\n", b"\n")
    blocks = pieces(message)
    peer = Contestant("Twisted", lambda: twisted.serve_pop3(as_a_file))
    one_pass = Contestant("one bytes.replace pass", lambda: replace(blocks))
    yield from compare(
        "POP3 server, RETR 10 MB",
        Work(len(message) / 1e6, "MB"),
        Contestant("smtpproto", lambda: serve(blocks)),
        [(peer, at_least(4)), (one_pass, None)],
        effort,
    )


def listing(effort: Effort) -> Iterator[Row]:
    """LIST of 100 thousand messages; the sizes are wanted as numbers."""
    count = effort.of(100_000)
    lines = b"".join(b"%d %d\r\n" % (number, number % 90_000) for number in range(1, count + 1))
    reads = [GREETING, *pieces(b"+OK\r\n" + lines + b".\r\n")]
    yield from compare(
        "POP3 client, LIST of 100 thousand",
        Work(count, "messages"),
        Contestant("smtpproto", lambda: read_list(reads)),
        [(Contestant("poplib", lambda: stdlib.listing(reads)), at_least(1.5))],
        effort,
    )


def logged_in() -> pop3.ClientConnection:
    """A client whose login the server has accepted."""
    conn = pop3.ClientConnection()
    conn.send(pop3.User("tim"))
    conn.send(pop3.Pass("secret"))
    conn.receive_data(GREETING + b"+OK\r\n+OK\r\n")
    for _ in conn.events():
        conn.data_to_send()
    return conn


def retrieve(reads: Sequence[bytes]) -> Callable[[], object]:
    """A client that retrieves one message; `reads` begin with the greeting."""
    conn = logged_in()
    content = []
    conn.send(pop3.Retr(1))
    for read in reads[1:]:
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case pop3.MessageData(data):
                    content.append(data)
    return lambda: b"".join(content)


def read_list(reads: Sequence[bytes]) -> Callable[[], object]:
    """A client that wants the size of every message, as numbers."""
    conn = logged_in()
    numbers: list[tuple[int, int]] = []
    conn.send(pop3.List())
    for read in reads[1:]:
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case pop3.ResponseReceived(pop3.List(), pop3.Ok(), result):
                    scans = cast(Sequence[pop3.ScanListing], result)
                    numbers = [(scan.number, scan.octets) for scan in scans]
    return lambda: numbers


def logged_in_server() -> pop3.ServerConnection:
    """A server that has let its client in."""
    conn = pop3.ServerConnection("pop.example.com")
    conn.accept()
    conn.receive_data(b"USER tim\r\nPASS secret\r\n")
    for event in conn.events():
        match event:
            case pop3.User():
                conn.accept()
            case pop3.Pass():
                conn.authenticated("tim")
    conn.data_to_send()
    return conn


def serve(blocks: Iterable[bytes]) -> Callable[[], object]:
    """A server in TRANSACTION that is asked for its one message."""
    conn = logged_in_server()
    written = []
    conn.receive_data(b"RETR 1\r\n")
    for event in conn.events():
        match event:
            case pop3.Retr():
                conn.send(pop3.Ok())
                for block in blocks:
                    conn.send(pop3.MessageData(block))
                    written.append(conn.data_to_send())
                conn.send(pop3.EndOfMessage())
    written.append(conn.data_to_send())
    return lambda: b"".join(written).split(b"\r\n", 1)[1]


def replace(blocks: Sequence[bytes]) -> Callable[[], object]:
    """The dots alone, and nothing proved."""
    for block in blocks:
        block.replace(b"\r\n.", b"\r\n..")
    return lambda: stuffed(b"".join(blocks))
