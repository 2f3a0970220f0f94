"""Whatever octets into each connection, with an application that answers all that it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from smtpproto import RemoteProtocolError, pop3, smtp

__all__ = ["pop3_client", "pop3_server", "smtp_client", "smtp_server"]

_EXTENSIONS = (
    smtp.ext.Pipelining(),
    smtp.ext.Chunking(),
    smtp.ext.EnhancedStatusCodes(),
    smtp.ext.Auth("LOGIN", plaintext_without_tls=True),
)
_CAPABILITIES = ("USER", "TOP", "UIDL", "PIPELINING", "SASL LOGIN")


def _received(opening: bytes, before: bytes, reads: Iterable[bytes]) -> Iterator[bytes]:
    """What a connection gets, without b"", which would be its end."""
    return filter(None, chain([opening, before], reads))


def smtp_server(before: bytes, reads: Iterable[bytes]) -> None:
    """An SMTP server that nobody is turned away from, however often it has to refuse."""
    conn = smtp.ServerConnection(
        "mx.example.com", extensions=_EXTENSIONS, limits=smtp.Limits(refusals=None)
    )
    conn.accept()
    for read in _received(b"EHLO client.example.org\r\n", before, reads):
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case smtp.Auth() | smtp.AuthResponse():
                    conn.send(smtp.AuthChallenge(b"go on"))
                case smtp.Request():
                    conn.accept()
        conn.data_to_send()


def _read(conn: smtp.ClientConnection | pop3.ClientConnection, reads: Iterator[bytes]) -> None:
    try:
        for read in reads:
            conn.data_to_send()
            conn.receive_data(read)
            for _ in conn.events():
                pass
    except RemoteProtocolError:
        for read in reads:  # the session is over, and a careless wrapper goes on reading
            conn.receive_data(read)


def smtp_client(commands: Iterable[smtp.Command], before: bytes, reads: Iterable[bytes]) -> None:
    """An SMTP client that has sent its commands to a server with PIPELINING."""
    conn = smtp.ClientConnection(limits=smtp.Limits(pipeline_octets=None))
    conn.receive_data(b"220 mx.example.com\r\n")
    conn.next_event()
    conn.send(smtp.Ehlo("client.example.org"))
    conn.receive_data(b"250-mx.example.com\r\n250 PIPELINING\r\n")
    conn.next_event()
    for command in commands:
        conn.send(command)
    _read(conn, _received(b"", before, reads))


def pop3_server(before: bytes, reads: Iterable[bytes]) -> None:
    """A POP3 server that nobody is turned away from; it has one message of no octets."""
    conn = pop3.ServerConnection(
        "pop.example.com", capabilities=_CAPABILITIES, limits=pop3.Limits(refusals=None)
    )
    maildrop = pop3.Maildrop([("1", 0)])
    conn.accept()
    for read in _received(b"", before, reads):
        conn.receive_data(read)
        for event in conn.events():
            match event:
                case pop3.Pass():
                    conn.authenticated("tim")
                case pop3.Auth() | pop3.AuthResponse():
                    conn.send(pop3.AuthChallenge(b"go on"))
                case pop3.Retr() | pop3.Top():
                    answer = maildrop.answer(event)
                    conn.send(answer)
                    if isinstance(answer, pop3.Ok):
                        conn.send(pop3.EndOfMessage())
                case pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele() | pop3.Rset():
                    conn.send(maildrop.answer(event))
                case pop3.Request():
                    conn.accept()
        conn.data_to_send()


def pop3_client(commands: Iterable[pop3.Command], before: bytes, reads: Iterable[bytes]) -> None:
    """A POP3 client that has logged in and sent commands."""
    conn = pop3.ClientConnection()
    conn.send(pop3.User("tim"))
    conn.send(pop3.Pass("secret"))
    for command in commands:
        conn.send(command)
    _read(conn, _received(b"+OK ready\r\n+OK\r\n+OK\r\n", before, reads))
