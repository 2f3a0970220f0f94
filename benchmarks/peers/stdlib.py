"""smtplib and poplib on a socket that is none: it takes what is sent, and its replies are there."""

from __future__ import annotations

import io
import poplib
import smtplib
import socket
from collections.abc import Callable, Sequence
from typing import cast

from benchmarks.messages import CLIENT, RECIPIENT, SENDER

__all__ = ["deliver", "listing", "retrieve"]


class _Socket:
    """What the two modules use of a socket."""

    def __init__(self, reads: Sequence[bytes]) -> None:
        self._file = io.BytesIO(b"".join(reads))
        self.written: list[bytes] = []
        self.sendall = self.written.append

    def makefile(self, mode: str) -> io.BytesIO:
        return self._file


class _Pop3(poplib.POP3):
    def __init__(self, sock: _Socket) -> None:
        self._socket = sock
        super().__init__("")

    def _create_socket(self, timeout: float) -> _Socket:
        return self._socket


def deliver(reads: Sequence[bytes], messages: int, message: bytes) -> Callable[[], object]:
    """A client that sends a message again and again."""
    sock = _Socket(reads)
    client = smtplib.SMTP(local_hostname=CLIENT)
    client.sock = cast(socket.socket, sock)
    client.getreply()  # the greeting
    for _ in range(messages):
        client.sendmail(SENDER, [RECIPIENT], message)
    return lambda: b"".join(sock.written).upper()


def retrieve(reads: Sequence[bytes]) -> Callable[[], object]:
    """A client that retrieves one message; `reads` begin with the greeting."""
    lines = _Pop3(_Socket(reads)).retr(1)[1]
    return lambda: b"".join(line + b"\r\n" for line in lines)


def listing(reads: Sequence[bytes]) -> Callable[[], object]:
    """A client that wants the size of every message, as numbers."""
    lines = _Pop3(_Socket(reads)).list()[1]
    sizes = [(int(number), int(octets)) for number, octets in map(bytes.split, lines)]
    return lambda: sizes
