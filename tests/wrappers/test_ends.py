"""Sessions end otherwise than they should: peers that vanish, dawdle, or stop half-way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from queue import Queue

import pytest
import trustme

from smtpproto import pop3, smtp
from tests.wrappers import on_asyncio, on_sockets
from tests.wrappers.kinds import HOST, Kind, Tls
from tests.wrappers.pop3_client import Fetcher
from tests.wrappers.pop3_server import Keeper, Maildrops
from tests.wrappers.session import Session
from tests.wrappers.smtp_client import Sender
from tests.wrappers.smtp_server import EXTENSIONS, Receiver
from tests.wrappers.test_messages import ADDRESS, ENVELOPE, HELLO, PASSWORD, PASSWORDS, TIM

ENDS = Queue["smtp.ConnectionClosed"]


class WatchedReceiver(Receiver):
    """Tells how it has ended."""

    def __init__(self, ends: ENDS, mailbox: list[tuple[smtp.Envelope, bytes]]) -> None:
        super().__init__({ADDRESS}, mailbox)
        self._ends = ends

    def handle(self, event: smtp.Event) -> None:
        super().handle(event)
        if isinstance(event, smtp.ConnectionClosed):
            self._ends.put(event)


class WatchedKeeper(Keeper):
    """Tells how it has ended, and how many messages it was asked for."""

    retrieved = 0

    def __init__(self, ends: ENDS, maildrops: Maildrops) -> None:
        super().__init__(maildrops, apop=False)
        self._ends = ends

    def handle(self, event: pop3.Event) -> None:
        super().handle(event)
        self.retrieved += isinstance(event, pop3.Retr)
        if isinstance(event, pop3.ConnectionClosed):
            self._ends.put(event)


class ImpatientReceiver(WatchedReceiver):
    timeout = 0.05


class ImpatientKeeper(WatchedKeeper):
    timeout = 0.2


class ImpatientSender(Sender):
    timeout = 0.05


class ImpatientFetcher(Fetcher):
    timeout = 0.05


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A client that has no library, and waits ten seconds at most."""
    with socket.create_connection((HOST, port), timeout=10) as sock:
        yield sock


def read_to_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def read_line(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1), b"\n"))


def test_a_client_that_vanishes_within_a_message_leaves_none(kind: Kind) -> None:
    ends, mailbox = ENDS(), list[tuple[smtp.Envelope, bytes]]()
    with kind.start(lambda: WatchedReceiver(ends, mailbox)) as server:
        with connected(server.port) as sock:
            sock.sendall(b"HELO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<tim@mx.example>\r\nDATA\r\n")
            while not read_line(sock).startswith(b"354"):
                pass
            sock.sendall(b"The first line\r\n.")
        assert ends.get(timeout=10) == smtp.ConnectionClosed(clean=False)
        kind.deliver(server.port, ENVELOPE, HELLO)  # the others go on
    assert [message for _, message in mailbox] == [HELLO]


def test_a_client_whose_connection_is_reset_leaves_its_maildrop(kind: Kind) -> None:
    ends = ENDS()
    maildrops = Maildrops({TIM: {"1": HELLO}})
    make_session = partial(WatchedKeeper, ends, maildrops)
    with kind.start(make_session, password_of=PASSWORDS.get) as server:
        with connected(server.port) as sock:
            read_line(sock)
            sock.sendall(f"USER {TIM}\r\nPASS {PASSWORD}\r\nDELE 1\r\n".encode())
            for _ in range(3):
                read_line(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert not ends.get(timeout=10).clean
        assert kind.fetch(server.port, TIM, PASSWORD) == [("1", HELLO)]  # nothing was removed


def test_a_client_that_has_said_all_still_reads_the_answers(kind: Kind) -> None:
    maildrops = Maildrops({TIM: {"1": HELLO}})
    make_session = partial(Keeper, maildrops, apop=False)
    with (
        kind.start(make_session, password_of=PASSWORDS.get) as server,
        connected(server.port) as sock,
    ):
        sock.sendall(f"USER {TIM}\r\nPASS {PASSWORD}\r\nRETR 1\r\n".encode())
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock).endswith(b"\r\n+OK 34 octets\r\n" + HELLO + b".\r\n")


def test_a_server_that_stops_says_so(kind: Kind) -> None:
    smtp_server = kind.start(lambda: Receiver({ADDRESS}, []))
    pop3_server = kind.start(lambda: Keeper(Maildrops({})))
    with connected(smtp_server.port) as sender, connected(pop3_server.port) as fetcher:
        sender.sendall(b"HELO me\r\n")
        assert read_line(sender).startswith(b"220")
        assert read_line(sender).startswith(b"250")
        assert read_line(fetcher).startswith(b"+OK")
        smtp_server.stop()
        pop3_server.stop()
        assert read_to_end(sender) == b"421 4.3.2 mx.example Shutting down\r\n"
        assert read_to_end(fetcher) == b"-ERR pop.example Shutting down\r\n"
    with pytest.raises(OSError):  # noqa: PT011 (each kind says it in its own words)
        kind.deliver(smtp_server.port, ENVELOPE, HELLO)


def test_a_server_does_not_wait_for_ever(kind: Kind) -> None:
    ends = ENDS()
    with (
        kind.start(lambda: ImpatientReceiver(ends, [])) as server,
        connected(server.port) as sock,
    ):
        assert read_to_end(sock).endswith(b"\r\n421 4.3.2 mx.example Timeout\r\n")
        assert ends.get(timeout=10).clean


def test_a_client_does_not_wait_for_ever(kind: Kind) -> None:
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TimeoutError):
            kind.run(ImpatientFetcher(TIM, PASSWORD), port)
        sender = ImpatientSender([(ENVELOPE, HELLO)], domain="me.example")
        with pytest.raises(TimeoutError):
            kind.run(sender, port)
    assert sender.reports[0].outcomes[0].verdict is smtp.Verdict.DEFERRED


def test_a_client_that_reads_nothing_is_not_worked_for_and_not_waited_for(kind: Kind) -> None:
    ends, sessions = ENDS(), list[ImpatientKeeper]()
    maildrops = Maildrops({TIM: {"1": bytes(32_000_000)}})

    def make_session() -> Session:
        sessions.append(ImpatientKeeper(ends, maildrops))
        return sessions[-1]

    with (
        kind.start(make_session, password_of=PASSWORDS.get) as server,
        connected(server.port) as sock,
    ):
        sock.sendall(f"USER {TIM}\r\nPASS {PASSWORD}\r\n".encode() + b"RETR 1\r\n" * 1000)
        assert not ends.get(timeout=10).clean
    assert sessions[0].retrieved == 1


class FullTransport(asyncio.Transport):
    """Takes one piece and then no more."""

    driver: on_asyncio.Driver
    reads = True

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        self.driver.pause_writing()

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def abort(self) -> None:
        pass


def test_asyncio_does_nothing_for_a_client_before_it_reads() -> None:
    async def session() -> None:
        transport = FullTransport()
        driver = transport.driver = on_asyncio.Driver(Receiver({ADDRESS}, []), None)
        driver.connection_made(transport)
        await asyncio.sleep(0)
        assert transport.written == [b"220 mx.example ESMTP\r\n"]
        assert not transport.reads
        driver.data_received(b"NOOP\r\n")
        assert len(transport.written) == 1
        driver.resume_writing()
        assert transport.written[1:] == [b"250 2.0.0 OK\r\n"]
        assert not transport.reads
        driver.resume_writing()
        assert transport.reads
        driver.cut()

    asyncio.run(session())


def test_a_handshake_that_does_not_come_is_not_waited_for(
    kind: Kind, certificate: trustme.LeafCert
) -> None:
    ends = ENDS()

    def make_session() -> Session:
        session = ImpatientReceiver(ends, [])
        session.conn.extensions = (*EXTENSIONS, smtp.ext.StartTls())
        return session

    with (
        kind.start(make_session, certificate=certificate) as server,
        connected(server.port) as sock,
    ):
        sock.sendall(b"EHLO me\r\n")
        while not read_line(sock).startswith(b"250 "):
            pass
        sock.sendall(b"STARTTLS\r\n")
        assert read_line(sock).startswith(b"220")
        ends.get(timeout=10)


class VanishingKeeper(Keeper):
    def handle(self, event: pop3.Event) -> None:
        if isinstance(event, pop3.Uidl):
            self.abort()
        else:
            super().handle(event)


class VanishingReceiver(Receiver):
    def handle(self, event: smtp.Event) -> None:
        if isinstance(event, smtp.EndOfMessage):
            self.abort()
        else:
            super().handle(event)


@pytest.mark.parametrize("tls", [None, "implicit"])
def test_a_server_that_vanishes_is_told_from_one_that_says_goodbye(
    kind: Kind, tls: Tls, authority: trustme.CA, certificate: trustme.LeafCert
) -> None:
    start = partial(kind.start, password_of=PASSWORDS.get, certificate=certificate)
    implicit = tls == "implicit"
    with start(lambda: VanishingReceiver({ADDRESS}, [], tls=implicit)) as server:
        report = kind.deliver(server.port, ENVELOPE, HELLO, tls=tls, authority=authority)
    assert report.outcomes[0].verdict is smtp.Verdict.UNKNOWN
    with (
        start(lambda: VanishingKeeper(Maildrops({}), tls=implicit)) as server,
        pytest.raises(ConnectionError),
    ):
        kind.fetch(server.port, TIM, PASSWORD, tls=tls, authority=authority)


def test_a_session_that_fails_takes_no_other_with_it(kind: Kind) -> None:
    class Failing(Receiver):
        def handle(self, event: smtp.Event) -> None:
            if isinstance(event, smtp.Vrfy):
                raise KeyError("a mistake of the author's")
            super().handle(event)

    mailbox: list[tuple[smtp.Envelope, bytes]] = []
    with (
        kind.start(lambda: Failing({ADDRESS}, mailbox)) as server,
        connected(server.port) as sock,
    ):
        sock.sendall(b"VRFY tim\r\n")
        with suppress(ConnectionResetError):
            assert read_to_end(sock).startswith(b"220")
        kind.deliver(server.port, ENVELOPE, HELLO)
    assert len(mailbox) == 1


def test_a_password_is_looked_up_while_others_are_served() -> None:
    async def session() -> None:
        found = asyncio.Event()

        async def look_up(user: str) -> str | None:
            if user == TIM:
                await found.wait()
            return PASSWORD

        maildrops = Maildrops({TIM: {"1": HELLO}, "tom": {"2": HELLO}})
        server = on_asyncio.Server(lambda: Keeper(maildrops), password_of=look_up)
        port = await server.start()
        tim, tom = Fetcher(TIM, PASSWORD), Fetcher("tom", PASSWORD)
        waiting = asyncio.ensure_future(on_asyncio.run(tim, HOST, port))
        await on_asyncio.run(tom, HOST, port)
        assert tom.complete
        assert not waiting.done()
        found.set()
        await waiting
        assert tim.complete
        await server.stop()

    asyncio.run(session())


def test_a_server_that_stops_waits_for_no_password() -> None:
    async def session() -> None:
        asked = asyncio.Event()

        async def look_up(user: str) -> str | None:
            asked.set()
            await asyncio.Event().wait()
            return None

        server = on_asyncio.Server(lambda: Keeper(Maildrops({})), password_of=look_up)
        port = await server.start()
        client = asyncio.ensure_future(on_asyncio.run(Fetcher(TIM, PASSWORD), HOST, port))
        await asked.wait()
        await server.stop(patience=3600)
        with pytest.raises(ConnectionError):
            await client

    asyncio.run(session())


def test_threads_are_not_without_number() -> None:
    server = on_sockets.Server(lambda: Receiver({ADDRESS}, []), most=1)
    with connected(server.port) as first, connected(server.port) as second:
        assert read_to_end(second) == b""
        server.stop()
        assert read_to_end(first).endswith(b"\r\n421 4.3.2 mx.example Shutting down\r\n")
