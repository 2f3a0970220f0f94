"""Session: one side of an SMTP or POP3 session, a connection and what is done about its events.

There is no I/O in it. This loop drives every session, of either protocol and either side, on any
kind of I/O; on_sockets.py is the loop itself, and on_asyncio.py, on_trio.py and on_twisted.py
are what it comes to there:

    while True:
        while octets := session.data_to_send():
            write(octets)                            # and wait until the peer takes them
        if session.closed:
            break
        if session.handshake_due:
            start_tls()
            session.tls_started()
        elif session.asks_for is not None:
            session.answer(password_of(session.asks_for))
        else:
            session.receive_data(read())             # b"": the peer will send no more
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from smtpproto import pop3, smtp

Connection: TypeAlias = (
    smtp.ServerConnection | smtp.ClientConnection | pop3.ServerConnection | pop3.ClientConnection
)

_ENOUGH = 65536
"""Octets that are written at a time: an event is handled only when the answers to those before
it are on their way, or a client that asks for much and reads nothing fills the memory."""


class Session:
    """What is done about the events of `conn`: a subclass says it in `handle`."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.channel: Connection | smtp.Delivery = conn
        """Where the octets go: a Delivery stands before its connection."""
        self.handshake_due = conn.tls  # implicit TLS begins with one (RFC 8314 section 3)
        self.asks_for: str | None = None
        """The user whose password the session cannot go on without."""
        self._check: Callable[[str | None], None]

    def handle(self, event: smtp.Event) -> None:
        """Do what is to be done about an event of the connection."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether the transport is to be closed, once `data_to_send` has nothing more."""
        return self.conn.closed

    @property
    def wants_data(self) -> bool:
        """Whether the transport is to be read now."""
        return self.conn.wants_data and not self.handshake_due

    @property
    def timeout(self) -> float:
        """Seconds to wait for the peer, be it to read or to write."""
        return self.conn.timeout

    def receive_data(self, octets: bytes | bytearray) -> None:
        """The peer has sent this; b"" when it will send no more."""
        self.channel.receive_data(octets)

    def data_to_send(self) -> bytes:
        """What is to be written next; b"" when something else is due."""
        if self.handshake_due:
            return b""
        octets = b""
        going_on = True
        while going_on and len(octets) < _ENOUGH:
            going_on = self.step()
            octets += self.channel.data_to_send()  # a step that finds no event may queue some, too
        return octets

    def step(self) -> bool:
        """Do what is next; False when there is nothing until the peer or somebody else does."""
        event = self.conn.next_event()
        if event is None:
            return False
        if isinstance(event, smtp.TlsHandshake):
            self.handshake_due = True
        else:
            self.handle(event)
        return True

    def tls_started(self) -> None:
        """The handshake is done."""
        self.handshake_due = False
        if not self.conn.tls:
            self.conn.tls_started()

    def ask(self, user: str, check: Callable[[str | None], None]) -> None:
        """Have the password of `user` looked up, None if there is none, and go on with `check`."""
        self.asks_for = user
        self._check = check

    def answer(self, password: str | None) -> None:
        """The answer to `asks_for`."""
        self.asks_for = None
        if not self.conn.closed:  # the session may have ended meanwhile
            self._check(password)

    def timed_out(self) -> None:
        """The peer has said nothing for `timeout` seconds."""
        raise TimeoutError(f"the server has said nothing for {self.timeout} seconds")

    def shutdown(self, text: str) -> None:
        """End the session before its time."""
        self.abort()

    def transport_closed(self) -> None:
        """The peer has closed both directions: what came before that still counts."""
        self.receive_data(b"")
        while self.data_to_send():
            pass

    def abort(self) -> None:
        """The transport is broken, or about to be cut."""
        self.conn.abort()
