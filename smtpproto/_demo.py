"""The full circle: a message goes into a maildrop by SMTP and comes out of it by POP3.

All four connections are in memory, and no octet leaves the process. This is what ``python -m
smtpproto`` shows, and a model of how the connections are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smtpproto import pop3, sasl, smtp
from smtpproto._connection import Connection
from smtpproto.events import Event
from smtpproto.transcript import Transcript

__all__ = ["deliver", "retrieve"]

_USER = "tim"
_PASSWORD = "tanstaaftanstaaf"  # RFC 2195's
_PIECE = 65536


def deliver(envelope: smtp.Envelope, message: bytes, transcript: Transcript) -> bytes | None:
    """The octets that an SMTP server receives when a client logs in and sends it `message`.

    None when it refuses them. What is said on the way stands in `transcript`. Raises
    LocalProtocolError when the envelope cannot be sent.
    """
    client = smtp.ClientConnection(tls=True)
    server = smtp.ServerConnection(
        "mx.example.com",
        extensions=[
            smtp.ext.Pipelining(),
            smtp.ext.Size(),
            smtp.ext.EightBitMime(),
            smtp.ext.SmtpUtf8(),
            smtp.ext.EnhancedStatusCodes(),
            smtp.ext.Auth("PLAIN"),
        ],
        tls=True,
        require_auth=True,
    )
    received: bytes | None = None
    content = bytearray()

    def server_side(event: Event) -> None:
        nonlocal received
        match event:
            case smtp.Auth(_, response):
                match sasl.PlainServer().step(response):
                    case sasl.Credentials(None, user) as claim if user == _USER and claim.verify(
                        _PASSWORD
                    ):
                        server.authenticated(user)
                    case _:
                        server.reject(535)
            case smtp.MessageData(data):
                content.extend(data)
            case smtp.EndOfMessage():
                received = bytes(content)
                server.accept(f"{len(received)} octets received")
            case smtp.Request():
                server.accept()

    def client_side(event: Event) -> None:
        match event:
            case smtp.ReplyReceived(smtp.Greeting(), smtp.Reply(220)):
                client.send(smtp.Ehlo("client.example.org"))
            case smtp.ReplyReceived(smtp.Ehlo(), smtp.Reply(250)):
                client.authenticate(sasl.PlainClient(_USER, _PASSWORD))
            case smtp.ReplyReceived(smtp.Auth(), smtp.Reply(235)):
                client.send(envelope.mail)
                for recipient in envelope.recipients:
                    client.send(recipient)
                client.send(smtp.Data())
            case smtp.ReplyReceived(smtp.Data(), smtp.Reply(354)):
                for piece in _pieces(message):
                    client.send(smtp.MessageData(piece))
                client.send(smtp.EndOfMessage())
                client.send(smtp.Quit())
            case smtp.ReplyReceived(_, reply) if reply.code >= 400:
                client.send(smtp.Quit())

    _converse(client, client_side, server, server_side, transcript)
    return received


def retrieve(message: bytes, transcript: Transcript) -> bytes | None:
    """The octets that a POP3 client receives when a maildrop holds `message`.

    None when there are none, or when the message is not deleted at the end.
    """
    client = pop3.ClientConnection(tls=True)
    server = pop3.ServerConnection("pop.example.com", tls=True)
    maildrop = pop3.Maildrop([("1-1", len(message))])
    content = bytearray()
    received: bytes | None = None

    def server_side(event: Event) -> None:
        match event:
            case pop3.Pass() as claim if server.user == _USER and claim.verify(_PASSWORD):
                server.authenticated(_USER)
            case pop3.Pass():
                server.reject("Invalid user name or password", code="AUTH")
            case pop3.Retr():
                server.send(maildrop.answer(event))
                for piece in _pieces(message):
                    server.send(pop3.MessageData(piece))
                server.send(pop3.EndOfMessage())
            case pop3.List() | pop3.Dele():
                server.send(maildrop.answer(event))
            case pop3.Request():
                server.accept()

    def client_side(event: Event) -> None:
        nonlocal received
        match event:
            case pop3.ResponseReceived(pop3.Greeting(), pop3.Ok()):
                client.send(pop3.User(_USER))
            case pop3.ResponseReceived(pop3.User(), pop3.Ok()):
                client.send(pop3.Pass(_PASSWORD))
            case pop3.ResponseReceived(pop3.Pass(), pop3.Ok()):
                client.send(pop3.List())
            case pop3.ResponseReceived(pop3.List(), pop3.Ok(), [pop3.ScanListing(number)]):
                client.send(pop3.Retr(number))
            case pop3.MessageData(data):
                content.extend(data)
            case pop3.EndOfMessage():
                client.send(pop3.Dele(1))
            case pop3.ResponseReceived(pop3.Dele(), pop3.Ok()):
                received = bytes(content)
                client.send(pop3.Quit())
            case pop3.ResponseReceived(_, pop3.Err()):
                client.send(pop3.Quit())

    _converse(client, client_side, server, server_side, transcript)
    return received if maildrop.deleted else None


def _pieces(message: bytes) -> Iterator[bytes]:
    for start in range(0, len(message), _PIECE):
        yield message[start : start + _PIECE]


def _converse(
    client: Connection,
    client_side: Callable[[Event], None],
    server: Connection,
    server_side: Callable[[Event], None],
    transcript: Transcript,
) -> None:
    """Carry octets and events to and fro until both sides are done."""
    while not (client.closed and server.closed):
        for event in server.events():
            transcript.note(event)
            server_side(event)
        octets = server.data_to_send()
        transcript.server(octets)
        client.receive_data(octets)
        for event in client.events():
            transcript.note(event)
            client_side(event)
        octets = client.data_to_send()
        transcript.client(octets)
        server.receive_data(octets)
