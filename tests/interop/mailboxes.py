"""Mailboxes: what servers have delivered, as octets.

Every server delivers into maildirs, ``box0``, ``box1``, ... of one directory; those are the users
that it knows. What it puts before a message, and nothing else, is taken off again here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from tests.interop.features import UTF8_NAME

__all__ = ["DOMAIN", "NAMES", "PASSWORD", "Mailboxes", "deliver", "delivered", "is_mailbox"]

DOMAIN = "example.org"
NAMES = tuple(f"box{number}" for number in range(500))
PASSWORD = "tanstaaftanstaaf"  # everybody's

_LONGEST_WAIT = 30.0
_PAUSE = 0.01

_TRACE = re.compile(
    rb"(?:(?:Return-Path|Delivered-To|X-Original-To|Envelope-To|Delivery-Date|Received|X-Peer"
    rb"|X-MailFrom|X-RcptTo|X-Client-Addr|X-Client-Proto"
    rb"|X-Helo-Args|X-Mail-Args|X-Rcpt-Args): ?.*\r\n(?:[ \t].*\r\n)*)*"
    rb"(?:\r\n)?",  # before a message that does not begin with a header
    re.IGNORECASE,
)


class Mailboxes:
    """The maildirs of one server; each test takes its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        directory.chmod(0o777)  # servers deliver as somebody who has no rights
        self._unused = iter(NAMES)

    def take(self, count: int) -> list[str]:
        """The names of mailboxes that nothing has been delivered to yet."""
        return [next(self._unused) for _ in range(count)]

    def wait_for(self, name: str, count: int = 1) -> list[bytes]:
        """The files that are delivered to a mailbox, oldest first, once there are `count`."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while len(found := self.files(name)) < count:
            assert time.monotonic() < deadline, f"{name}: {len(found)} messages, not {count}"
            time.sleep(_PAUSE)
        return found

    def fill(self, messages: Sequence[bytes]) -> str:
        """The name of a mailbox that holds these, in this order; they belong to nobody."""
        (name,) = self.take(1)
        maildir = self.directory / name
        for part in (maildir, maildir / "cur", maildir / "new", maildir / "tmp"):
            part.mkdir()
            part.chmod(0o777)
        written: dict[bytes, Path] = {}
        for number, message in enumerate(messages):
            file = maildir / "new" / f"{10**9 + number}.peer"
            if message in written:  # ten thousand files would be slow to remove
                file.hardlink_to(written[message])
            else:
                # As many maildir tools have it: lines end with LF.
                file.write_bytes(message.replace(b"\r\n", b"\n"))
                written[message] = file
        return name

    def files(self, name: str) -> list[bytes]:
        """What is in a mailbox, oldest first."""
        paths = [*(self.directory / name).glob("new/*"), *(self.directory / name).glob("cur/*")]
        return [path.read_bytes() for path in sorted(paths, key=lambda path: path.name)]


def is_mailbox(address: str) -> bool:
    """For servers that are told so in Python."""
    name, _, domain = address.rpartition("@")
    return domain == DOMAIN and name in (*NAMES, UTF8_NAME)


def deliver(directory: Path, address: str, message: bytes) -> None:
    """Put a message into a maildir, as a server that is written in Python does."""
    name = address.rpartition("@")[0]
    maildir = directory / name
    for part in ("tmp", "new"):
        (maildir / part).mkdir(parents=True, exist_ok=True)
    number = len(list(maildir.glob("new/*")))
    file = maildir / "tmp" / str(number)
    file.write_bytes(message)
    file.rename(maildir / "new" / str(number))


def delivered(file: bytes, message: bytes) -> bytes:
    """What a delivered file holds behind the trace header fields that the server has put there.

    `message` is what is expected: without it nobody knows where the fields of the server end.
    """
    if b"\r\n" not in file:
        file = file.replace(b"\n", b"\r\n")
    start = len(file) - len(message)
    return file[start:] if _TRACE.fullmatch(file, 0, max(0, start)) else file
