"""A server in a process of its own: ``python -m benchmarks.serve smtpproto``, or ``aiosmtpd``.

It writes its port, and then an answer to each line that it reads: how many messages and octets it
has taken since the last time, or how long it has worked. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from smtpproto import smtp
from tests.wrappers.on_asyncio import Server
from tests.wrappers.smtp_server import Receiver

__all__ = ["Process", "running"]


class Process:
    """The process, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._line())

    def taken(self) -> tuple[int, int]:
        """How many messages, and octets of them, it has taken since this was asked last."""
        messages, octets = self._ask("taken").split()
        return int(messages), int(octets)

    def processor_time(self) -> float:
        """The seconds that it has worked."""
        return float(self._ask("time"))

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        print(question, file=self._process.stdin, flush=True)
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def running(name: str) -> Iterator[Process]:
    """A server, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.serve", name]
    pipes = subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with pipes as process:
        yield Process(process)


class _Everybody(Container[smtp.Address]):
    def __contains__(self, address: object) -> bool:
        return True


class _Counter(list[tuple[smtp.Envelope, bytes]]):
    """A mailbox that counts what it is given, and keeps nothing of it."""

    messages = octets = 0

    def append(self, item: tuple[smtp.Envelope, bytes]) -> None:
        self.messages += 1
        self.octets += len(item[1])


async def main(name: str) -> None:
    taken = _Counter()
    if name == "smtpproto":
        port = await Server(lambda: Receiver(_Everybody(), taken)).start()
    else:
        from benchmarks.peers import aiosmtpd

        port = await aiosmtpd.start(taken)
    print(port, flush=True)
    ended = asyncio.Event()

    def asked() -> None:
        match sys.stdin.readline().strip():
            case "time":
                print(time.process_time(), flush=True)
            case "taken":
                print(taken.messages, taken.octets, flush=True)
                taken.messages = taken.octets = 0
            case _:
                ended.set()

    asyncio.get_running_loop().add_reader(sys.stdin, asked)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
