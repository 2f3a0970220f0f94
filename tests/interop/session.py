"""Our client connections on blocking sockets, driven step by step by a test."""

from __future__ import annotations

import socket
import ssl
from typing import TypeVar

from smtpproto import pop3, sasl, smtp
from smtpproto._connection import Connection
from smtpproto.events import Event
from smtpproto.transcript import Transcript

__all__ = ["Pop3Session", "Session", "SmtpSession", "client_mechanism"]

Self = TypeVar("Self", bound="Session")

_TIMEOUT = 30.0
_PIECE = 65536


def client_mechanism(name: str, user: str, password: str) -> sasl.ClientMechanism:
    """Our side of a SASL mechanism."""
    match name:
        case "PLAIN":
            return sasl.PlainClient(user, password)
        case "LOGIN":
            return sasl.LoginClient(user, password)
        case "CRAM-MD5":
            return sasl.CramMd5Client(user, password)
    return sasl.ScramClient(name, user, password)


class Session:
    """A connection and its socket; pytest shows the transcript of a test that fails."""

    def __init__(self, conn: Connection, port: int, trust: ssl.SSLContext) -> None:
        self._conn = conn
        self._trust = trust
        self._transcript = Transcript()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
        if conn.tls:
            self._handshake()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        print(self._transcript)

    def flush(self) -> bytes:
        """Write what is queued, and tell what it was."""
        octets = self._conn.data_to_send()
        self._transcript.client(octets)
        self._socket.sendall(octets)
        return octets

    def event(self) -> Event:
        """The next event; where it is TlsHandshake, TLS begins."""
        while (event := self._conn.next_event()) is None:
            self.flush()
            octets = self._socket.recv(_PIECE)
            self._transcript.server(octets)
            self._conn.receive_data(octets)
        self._transcript.note(event)
        if isinstance(event, smtp.TlsHandshake):
            self.flush()
            self._handshake()
            self._conn.tls_started()
        return event

    def _handshake(self) -> None:
        self._socket = self._trust.wrap_socket(self._socket, server_hostname="localhost")


class SmtpSession(Session):
    """The client's side of an SMTP or LMTP session; the greeting has been read."""

    def __init__(
        self,
        port: int,
        trust: ssl.SSLContext,
        *,
        lmtp: bool = False,
        tls: bool = False,
    ) -> None:
        self.conn = smtp.ClientConnection(lmtp=lmtp, tls=tls)
        super().__init__(self.conn, port, trust)
        self._lmtp = lmtp
        assert self.reply().code == 220

    def reply(self) -> smtp.Reply:
        """The next reply."""
        event = self.event()
        assert isinstance(event, smtp.ReplyReceived)
        return event.reply

    def replies(self, *commands: smtp.Command) -> list[smtp.Reply]:
        """Send these, all at once as far as the server allows; their replies."""
        for command in commands:
            self.conn.send(command)
        return [self.reply() for _ in commands]

    def hello(self) -> None:
        name = "client.example"
        (reply,) = self.replies(smtp.Lhlo(name) if self._lmtp else smtp.Ehlo(name))
        assert reply.code == 250

    def start_tls(self) -> None:
        """EHLO, STARTTLS, the handshake, and EHLO again."""
        self.hello()
        (reply,) = self.replies(smtp.StartTls())
        assert reply.code == 220
        assert isinstance(self.event(), smtp.TlsHandshake)
        self.hello()

    def authenticate(self, mechanism: sasl.ClientMechanism) -> smtp.Reply:
        self.conn.authenticate(mechanism)
        return self.reply()

    def begin(self, mail: smtp.Mail, *recipients: smtp.Rcpt) -> None:
        """MAIL and RCPTs; all are accepted."""
        assert {reply.code for reply in self.replies(mail, *recipients)} == {250}

    def data(self, message: bytes) -> list[smtp.Reply]:
        """DATA, the message, and the replies to its end: LMTP has one for each recipient."""
        (reply,) = self.replies(smtp.Data())
        assert reply.code == 354
        recipients = self._recipients()
        self._write(message)
        self.conn.send(smtp.EndOfMessage())
        return [self.reply() for _ in range(recipients)]

    def chunks(self, message: bytes, size: int) -> list[smtp.Reply]:
        """The message in BDATs of `size` octets at most; the replies to the last."""
        recipients = self._recipients()
        pieces = [message[start : start + size] for start in range(0, len(message), size)]
        for number, piece in enumerate(pieces, 1):
            self.conn.send(smtp.Bdat(len(piece), last=number == len(pieces)))
            self.conn.send(smtp.MessageData(piece))
        for _ in pieces[:-1]:
            assert self.reply().code == 250
        return [self.reply() for _ in range(recipients)]

    def quit(self) -> None:
        (reply,) = self.replies(smtp.Quit())
        assert reply.code == 221
        closed = self.event()
        assert isinstance(closed, smtp.ConnectionClosed)
        assert closed.clean

    def _recipients(self) -> int:
        """How many replies the end of the message gets."""
        envelope = self.conn.envelope
        assert envelope is not None
        return len(envelope.recipients) if self._lmtp else 1

    def _write(self, message: bytes) -> None:
        for start in range(0, len(message), _PIECE):
            self.conn.send(smtp.MessageData(message[start : start + _PIECE]))
            self.flush()


class Pop3Session(Session):
    """The client's side of a POP3 session; the greeting has been read."""

    def __init__(self, port: int, trust: ssl.SSLContext, *, tls: bool = False) -> None:
        self.conn = pop3.ClientConnection(tls=tls)
        super().__init__(self.conn, port, trust)
        assert isinstance(self.received().response, pop3.Ok)

    def received(self) -> pop3.ResponseReceived:
        """The next response."""
        event = self.event()
        assert isinstance(event, pop3.ResponseReceived)
        return event

    def response(self, command: pop3.Command) -> pop3.ResponseReceived:
        self.conn.send(command)
        return self.received()

    def ok(self, command: pop3.Command) -> object:
        """Send a command, which succeeds; its result."""
        received = self.response(command)
        assert isinstance(received.response, pop3.Ok)
        return received.result

    def start_tls(self) -> None:
        """CAPA, STLS, the handshake, and CAPA again."""
        self.ok(pop3.Capa())
        self.ok(pop3.Stls())
        assert isinstance(self.event(), pop3.TlsHandshake)
        self.ok(pop3.Capa())

    def authenticate(self, mechanism: sasl.ClientMechanism) -> pop3.Response:
        self.conn.authenticate(mechanism)
        return self.received().response

    def log_in(self, user: str, password: str) -> None:
        self.ok(pop3.User(user))
        self.ok(pop3.Pass(password))

    def message(self, command: pop3.Retr | pop3.Top) -> bytes:
        """Send RETR or TOP; what comes."""
        self.ok(command)
        return self.body()

    def body(self) -> bytes:
        """What comes after the +OK to RETR or TOP."""
        content = bytearray()
        while not isinstance(event := self.event(), pop3.EndOfMessage):
            assert isinstance(event, pop3.MessageData)
            content += event.data
        return bytes(content)

    def quit(self) -> None:
        self.ok(pop3.Quit())
        closed = self.event()
        assert isinstance(closed, pop3.ConnectionClosed)
        assert closed.clean
