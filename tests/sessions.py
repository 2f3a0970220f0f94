"""What the tests of whole sessions share: how octets are cut, and what is to come of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from smtpproto import smtp
from smtpproto.events import Event, MessageData


def cut_at(octets: bytes, places: Iterable[int]) -> list[bytes]:
    edges = sorted({0, len(octets), *(place for place in places if place < len(octets))})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


def replies_in(octets: bytes) -> list[smtp.Reply]:
    """What a server wrote, reply by reply, read apart from any connection."""
    replies = []
    whole = b""
    for line in octets.splitlines(keepends=True):
        assert line.endswith(b"\r\n")
        assert len(line) <= 512
        whole += line
        if line[3:4] == b" ":
            replies.append(smtp.Reply.parse(whole))
            whole = b""
    assert whole == b""
    return replies


def joined(events: Iterable[Event]) -> list[Event]:
    """The events with adjacent MessageData made one."""
    result: list[Event] = []
    for event in events:
        if isinstance(event, MessageData) and result and isinstance(result[-1], MessageData):
            result[-1] = MessageData(result[-1].data + event.data)
        else:
            result.append(event)
    return result


def repaired(message: bytes) -> bytes:
    """A message as it arrives when it is not binary: every line ended with CRLF."""
    message = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    return message if not message or message.endswith(b"\r\n") else message + b"\r\n"
