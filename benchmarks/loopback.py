"""Over loopback: servers that each have a process of their own, and clients on asyncio.

What counts is how long the one that is measured works: not its loader, and not the waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator

from benchmarks.loader import SESSIONS, plain, small_messages
from benchmarks.measure import Contestant, Effort, Row, Run, Work, at_least, compare
from benchmarks.messages import CLIENT, RECIPIENT, SENDER, SMALL, mail_text, stuffed
from benchmarks.serve import Process, running
from smtpproto import smtp

__all__ = ["bulk", "clients", "transactions"]


def transactions(effort: Effort) -> Iterator[Row]:
    """Small messages into asyncio servers, from smtp-source where Postfix is installed."""
    count = SESSIONS * effort.of(400)

    def into(server: Process) -> Run:
        def run() -> Callable[[], object]:
            small_messages(server.port, count)
            return lambda: server.taken()[0]  # smtp-source writes the time into each

        return run

    title = "asyncio server over loopback, small transactions"
    yield from _servers(title, Work(count, "transactions"), into, 3, effort)


def bulk(effort: Effort) -> Iterator[Row]:
    """One message of 25 MB into asyncio servers, from a blocking socket."""
    message = mail_text(effort.of(25_000_000))
    wire = stuffed(message)

    def into(server: Process) -> Run:
        def run() -> Callable[[], object]:
            plain(server.port, 1, wire)
            return server.taken

        return run

    title = "asyncio server over loopback, DATA 25 MB"
    yield from _servers(title, Work(len(message) / 1e6, "MB"), into, 10, effort)


def _servers(
    title: str, work: Work, into: Callable[[Process], Run], goal: float, effort: Effort
) -> Iterator[Row]:
    with running("smtpproto") as ours, running("aiosmtpd") as peer:
        yield from compare(
            title,
            work,
            Contestant("smtpproto", into(ours), ours.processor_time),
            [(Contestant("aiosmtpd", into(peer), peer.processor_time), at_least(goal))],
            effort,
        )


def clients(effort: Effort) -> Iterator[Row]:
    """Small messages out of asyncio clients, one connection, into our server."""
    from benchmarks.peers import aiosmtplib

    count = effort.of(400)
    with running("smtpproto") as server:

        def by(deliver: Callable[[int, int], Coroutine[object, object, None]]) -> Run:
            def run() -> Callable[[], object]:
                asyncio.run(deliver(server.port, count))
                return server.taken

            return run

        yield from compare(
            "asyncio client over loopback, small transactions",
            Work(count, "transactions"),
            Contestant("smtpproto", by(_deliver)),
            [(Contestant("aiosmtplib", by(aiosmtplib.deliver)), None)],
            effort,
        )


async def _deliver(port: int, messages: int) -> None:
    """A client that sends the small message again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    conn = smtp.ClientConnection()

    async def exchange(until: smtp.State) -> None:
        while conn.state is not until:
            writer.write(conn.data_to_send())
            conn.receive_data(await reader.read(65536))
            for event in conn.events():
                if not isinstance(event, smtp.ReplyReceived) or event.reply.code >= 400:
                    raise RuntimeError(f"expected a positive reply, got {event}")

    await exchange(smtp.State.CONNECTED)
    conn.send(smtp.Ehlo(CLIENT))
    await exchange(smtp.State.READY)
    for _ in range(messages):
        conn.send(smtp.Mail(SENDER))
        conn.send(smtp.Rcpt(RECIPIENT))
        conn.send(smtp.Data())
        await exchange(smtp.State.DATA)
        conn.send(smtp.MessageData(SMALL))
        conn.send(smtp.EndOfMessage())
        await exchange(smtp.State.READY)
    writer.close()
    await writer.wait_closed()
