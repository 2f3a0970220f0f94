"""Memory: a gigabyte through each role, and ten thousand connections that wait."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, repeat
from typing import TypeVar

from benchmarks.measure import Effort, Row, Spread, at_most
from benchmarks.messages import PIECE, RECIPIENT, SENDER, mail_text, replies
from benchmarks.pop3 import logged_in, logged_in_server
from benchmarks.smtp_server import DATA, ENVELOPE, EXTENSIONS, HELLO
from smtpproto import pop3, smtp

__all__ = ["gigabyte", "idle"]

T = TypeVar("T")


def gigabyte(effort: Effort) -> Iterator[Row]:
    """1 GiB of one message through each role; what is allocated on the way, at its peak."""
    reads = effort.of((1 << 30) // PIECE)
    for role, run in _ROLES.items():
        run(1)  # what is built once is no growth
        octets, _, peak = _allocated(partial(run, reads))
        if octets < reads * PIECE:
            raise RuntimeError(f"{role}: {octets} octets came out of {reads} reads")
        growth = Spread.of([peak / (1 << 20)])
        yield Row("1 GiB of a message through each role", role, growth, "MiB more", at_most(4))


def idle(effort: Effort) -> Iterator[Row]:
    """10 thousand SMTP server connections that wait after EHLO."""
    from benchmarks.peers import twisted

    count = effort.of(10_000)
    size: dict[str, float] = {}
    for name, build in (("smtpproto", _idle_server), ("Twisted", twisted.idle_server)):
        build()  # what is built once belongs to none
        _, held, _ = _allocated(partial(_many, build, count))
        size[name] = held / count
    ours, theirs = size["smtpproto"] / 1024, size["Twisted"] / 1024
    title = "10 thousand idle SMTP server connections"
    yield Row(title, "itself", Spread.of([ours]), "KiB each", at_most(2))
    ratio = Spread.of([ours / theirs])
    sizes = f"{ours:.2f} KiB", f"{theirs:.2f} KiB"
    yield Row(title, "Twisted", ratio, "times its memory", at_most(1), *sizes)


def _allocated(work: Callable[[], T]) -> tuple[T, int, int]:
    """What comes of the work, the octets that are held with it, and the most that were."""
    gc.collect()
    tracemalloc.start()
    result = work()
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return result, held, peak


def _many(build: Callable[[], object], count: int) -> list[object]:
    return [build() for _ in range(count)]


def _idle_server() -> smtp.ServerConnection:
    conn = smtp.ServerConnection("mx.example.com", extensions=EXTENSIONS)
    conn.accept()
    conn.receive_data(HELLO)
    for _ in conn.events():
        conn.accept()
    conn.data_to_send()
    return conn


_BLOCK = mail_text(PIECE)


def _through_smtp_server(data: bytes, reads: int) -> int:
    conn = _idle_server()
    octets = 0
    for read in chain([b"".join(ENVELOPE) + data], repeat(_BLOCK, reads)):
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case smtp.MessageData(content):
                    octets += len(content)
                case smtp.Request():
                    conn.accept()
        conn.data_to_send()
    return octets


def _smtp_server_data(reads: int) -> int:
    return _through_smtp_server(DATA, reads)


def _smtp_server_bdat(reads: int) -> int:
    return _through_smtp_server(b"BDAT %d LAST\r\n" % (reads * len(_BLOCK)), reads)


def _smtp_client(reads: int) -> int:
    conn = smtp.ClientConnection()
    commands = [smtp.Ehlo("me"), smtp.Mail(SENDER), smtp.Rcpt(RECIPIENT), smtp.Data()]
    for reply in replies(1)[:-1]:  # all but the last, to the message
        conn.receive_data(reply)
        for _ in conn.events():
            if commands:
                conn.send(commands.pop(0))
    octets = 0
    conn.data_to_send()
    for _ in range(reads):
        conn.send(smtp.MessageData(_BLOCK))
        octets += len(conn.data_to_send())
    return octets


def _pop3_client(reads: int) -> int:
    conn = logged_in()
    conn.send(pop3.Retr(1))
    octets = 0
    for read in chain([b"+OK\r\n"], repeat(_BLOCK, reads)):
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case pop3.MessageData(content):
                    octets += len(content)
    return octets


def _pop3_server(reads: int) -> int:
    conn = logged_in_server()
    conn.receive_data(b"RETR 1\r\n")
    conn.next_event()
    conn.send(pop3.Ok())
    octets = -len(conn.data_to_send())
    for _ in range(reads):
        conn.send(pop3.MessageData(_BLOCK))
        octets += len(conn.data_to_send())
    return octets


_ROLES: Mapping[str, Callable[[int], int]] = {
    "SMTP server, DATA": _smtp_server_data,
    "SMTP server, BDAT": _smtp_server_bdat,
    "SMTP client, DATA": _smtp_client,
    "POP3 client, RETR": _pop3_client,
    "POP3 server, RETR": _pop3_server,
}
"""What takes a message of so many reads and says how many octets came out at the other end."""
