"""Decisions: the head of an input decides what the application does and how octets are cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from smtpproto.events import Event, MessageData

HEAD = 16

T = TypeVar("T")


class Decisions:
    """An endless supply of small numbers, taken from the head of an input in a circle.

    Two runs that ask the same questions in the same order get the same answers.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head or b"\0"
        self._next = 0

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        octet = self._head[self._next % len(self._head)]
        # The second time round the same octets decide otherwise.
        octet += 7 * (self._next // len(self._head))
        self._next += 1
        return octet % count

    def pick(self, what: str, options: Sequence[T]) -> T:
        """One of the options; `what` it is about makes no difference."""
        return options[self.below(len(options))]


def split(data: bytes) -> tuple[bytes, bytes]:
    """The head of an input and its octets."""
    return data[:HEAD], data[HEAD:]


def cut(octets: bytes, head: bytes) -> Iterator[bytes]:
    """`octets` in pieces of 1 to 16 and of 256."""
    decisions = Decisions(head[::-1])
    position = 0
    while position < len(octets):
        size = 1 + decisions.below(17)
        size = 256 if size == 17 else size
        yield octets[position : position + size]
        position += size


def joined(events: Iterable[Event]) -> list[Event]:
    """The events with neighbouring pieces of a message made one."""
    result: list[Event] = []
    for event in events:
        last = result[-1] if result else None
        if isinstance(event, MessageData) and isinstance(last, MessageData):
            result[-1] = MessageData(last.data + event.data)
        else:
            result.append(event)
    return result
