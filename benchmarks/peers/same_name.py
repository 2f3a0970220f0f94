"""The client-only package of the same name, in the process that `aside` starts.

Each line of the standard input is a question, each line of the output its answer.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks.measure import Contestant
from benchmarks.messages import CLIENT, RECIPIENT, SENDER, SMALL, replies


class _Response(Protocol):
    def is_error(self) -> bool: ...


class _Client(Protocol):
    """What is used of its SMTPClientProtocol."""

    def feed_bytes(self, data: bytes) -> _Response | None: ...
    def get_outgoing_data(self) -> bytes: ...
    def send_greeting(self, domain: str) -> None: ...
    def mail(self, sender: str, *, smtputf8: bool) -> None: ...
    def recipient(self, recipient: str) -> None: ...
    def start_data(self) -> None: ...
    def data(self, message: _Prepared) -> None: ...


class _Prepared:
    """In the place of an EmailMessage: its octets are there, so that only the protocol counts."""

    def __contains__(self, header: str) -> bool:
        return False

    def as_bytes(self, policy: object) -> bytes:
        return SMALL


def main(folder: str, messages: int) -> None:
    sys.path.insert(0, folder)
    protocol = importlib.import_module("smtpproto.protocol")
    reads = replies(messages)
    message = _Prepared()

    def deliver() -> Callable[[], object]:
        return _deliver(protocol.SMTPClientProtocol(), reads, messages, message)

    contestant = Contestant("", deliver)
    for line in sys.stdin:
        question, at_least = json.loads(line)
        if question == "outcome":
            outcome = contestant.outcome()
            assert isinstance(outcome, bytes)
            print(outcome.hex(), flush=True)
        else:
            print(contestant.seconds(at_least), flush=True)


def _deliver(
    client: _Client, reads: Sequence[bytes], messages: int, message: _Prepared
) -> Callable[[], object]:
    """A client that sends a message again and again."""
    written = []
    replies = iter(reads)

    def answered() -> None:
        written.append(client.get_outgoing_data())
        response = client.feed_bytes(next(replies))
        if response is None or response.is_error():
            raise RuntimeError(f"expected a positive reply, got {response}")

    answered()  # the greeting
    client.send_greeting(CLIENT)
    answered()
    for _ in range(messages):
        client.mail(SENDER, smtputf8=False)
        answered()
        client.recipient(RECIPIENT)
        answered()
        client.start_data()
        answered()
        client.data(message)
        answered()
    return lambda: b"".join(written).upper()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
