"""Who sends to the servers over loopback: Postfix's smtp-source, or plain blocking sockets."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import ExitStack

from benchmarks.messages import CLIENT, RECIPIENT, SENDER, SMALL, stuffed

__all__ = ["SMTP_SOURCE", "plain", "small_messages"]

SMTP_SOURCE = shutil.which("smtp-source", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SESSIONS = 5
"""Connections at a time."""


def small_messages(port: int, messages: int) -> None:
    """Small messages, one after the other on each of a few connections."""
    if SMTP_SOURCE is None:
        plain(port, messages, stuffed(SMALL), sessions=SESSIONS)
        return
    command = [SMTP_SOURCE, "-d", "-s", str(SESSIONS), "-m", str(messages), "-l", str(len(SMALL))]
    command += ["-M", CLIENT, "-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"]
    subprocess.run(command, check=True)


def plain(port: int, messages: int, wire: bytes, *, sessions: int = 1) -> None:
    """Messages that are dot-stuffed already. The sessions keep step with each other."""
    steps = [f"MAIL FROM:<{SENDER}>\r\n".encode(), f"RCPT TO:<{RECIPIENT}>\r\n".encode()]
    steps += [b"DATA\r\n", wire]
    with ExitStack() as stack:
        socks = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(sessions)
        ]
        for step in [b"", f"EHLO {CLIENT}\r\n".encode(), *steps * (messages // sessions)]:
            for sock in socks:
                sock.sendall(step)
            for sock in socks:
                _read_reply(sock)


def _read_reply(sock: socket.socket) -> None:
    """Read one reply. Raises RuntimeError when it is a refusal."""
    reply = b""
    while not reply.endswith(b"\r\n") or reply.splitlines()[-1][3:4] != b" ":
        read = sock.recv(65536)
        if not read:
            raise RuntimeError("the server has closed the connection")
        reply += read
    if reply[:1] not in b"23":
        raise RuntimeError(f"the server has refused: {reply.decode()}")
