"""Any octets into a POP3 server, with an application that answers at random."""

from __future__ import annotations

from collections.abc import Iterable

from fuzz.decisions import Decisions, cut, joined, split
from smtpproto import pop3

SEEDS = "C"
DICTIONARY = "pop3"

MESSAGES = (
    b"Subject: one\n\n.dots\n..\nand more\n",
    b"\r\n",
    b"",
    b"no header\r.\r",
    b"a:b\r\n\r\n",
)


def run(data: bytes) -> None:
    head, octets = split(data)
    # Where TLS begins the cutting does matter, so it begins in one kind of session only.
    if Decisions(head).below(4) == 3:
        session(head, cut(octets, head), tls_allowed=True)
        return
    whole = session(head, [octets] if octets else [], tls_allowed=False)
    pieces = session(head, cut(octets, head), tls_allowed=False)
    assert whole == pieces, f"cutting changed the session:\n{whole}\n{pieces}"


def session(
    head: bytes, pieces: Iterable[bytes], *, tls_allowed: bool
) -> tuple[list[pop3.Event], bytes]:
    """What came of the octets: the events and what was written."""
    decisions = Decisions(head)
    decisions.below(4)
    conn = pop3.ServerConnection(
        "pop.example",
        capabilities=("USER", "TOP", "UIDL", "PIPELINING", "STLS", "SASL PLAIN", "UTF8", "LANG"),
        timestamp="<1896.697170952@pop.example>" if decisions.below(2) else None,
    )
    maildrop = pop3.Maildrop((str(n), len(message)) for n, message in enumerate(MESSAGES))
    events: list[pop3.Event] = []
    written = b""

    def drain() -> None:
        nonlocal written
        for event in conn.events():
            events.append(event)
            if isinstance(event, pop3.TlsHandshake):
                written += conn.data_to_send()
                conn.tls_started()
            elif isinstance(event, pop3.Request):
                answer(conn, maildrop, event, decisions, tls_allowed)
        written += conn.data_to_send()

    conn.accept()
    for piece in pieces:
        conn.receive_data(piece)
        drain()
    conn.receive_data(b"")
    drain()
    assert conn.closed
    assert isinstance(events[-1], pop3.ConnectionClosed), "the end comes last"
    assert sum(isinstance(event, pop3.ConnectionClosed) for event in events) == 1
    return joined(events), written


def answer(
    conn: pop3.ServerConnection,
    maildrop: pop3.Maildrop,
    event: pop3.Request,
    decisions: Decisions,
    tls_allowed: bool,
) -> None:
    """One answer, as the input decides."""
    choice = decisions.below(6)
    match event:
        case pop3.Stls() if not tls_allowed:
            conn.reject("not now")
        case _ if choice == 5:
            conn.reject(f"no: {event!r}\r\n{event!r}", code="SYS/TEMP")
        case pop3.Auth(None):
            conn.accept()
        case pop3.Auth() | pop3.AuthResponse():
            if choice < 3:
                conn.send(pop3.AuthChallenge(b"more"))
            else:
                conn.authenticated("somebody")
        case pop3.Pass() | pop3.Apop():
            conn.authenticated("somebody")
        case pop3.Retr(number) | pop3.Top(number):
            response = maildrop.answer(event)
            conn.send(response)
            if isinstance(response, pop3.Ok):
                message = MESSAGES[number - 1]
                middle = decisions.below(20)
                conn.send(pop3.MessageData(message[:middle]))
                conn.send(pop3.MessageData(message[middle:]))
                conn.send(pop3.EndOfMessage())
        case pop3.Lang(tag):
            conn.send(pop3.Ok("fine", lines=None if tag else ["en English"]))
        case pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele() | pop3.Rset():
            conn.send(maildrop.answer(event))
        case _:
            conn.accept(f"fine: {event!r}" if choice == 4 else None)
