"""Any octets into a POP3 client, with an application that sends at random."""

from __future__ import annotations

from collections.abc import Iterable

from fuzz.decisions import Decisions, cut, joined, split
from smtpproto import LocalProtocolError, RemoteProtocolError, pop3

SEEDS = "S"
DICTIONARY = "pop3"

ITEMS: tuple[pop3.Command | pop3.AuthResponse | pop3.AuthCancelled, ...] = (
    pop3.Capa(),
    pop3.User("mrose"),
    pop3.Pass("tanstaaf"),
    pop3.Stat(),
    pop3.List(),
    pop3.List(1),
    pop3.Uidl(),
    pop3.Uidl(1),
    pop3.Retr(1),
    pop3.Top(1, 2),
    pop3.Dele(1),
    pop3.Rset(),
    pop3.Noop(),
    pop3.Stls(),
    pop3.Auth("PLAIN"),
    pop3.Auth(),
    pop3.AuthResponse(b"\0user\0secret"),
    pop3.AuthCancelled(),
    pop3.Apop("mrose", "c4c9334bac560ecc979e58001b3e22fb"),
    pop3.Lang(),
    pop3.Utf8(),
    pop3.Raw(b"WHAT\r\n"),
    pop3.Quit(),
)


def run(data: bytes) -> None:
    head, octets = split(data)
    whole = session(head, [octets] if octets else [])
    pieces = session(head, cut(octets, head))
    if not any(isinstance(event, pop3.TlsHandshake) for event in (*whole[0], *pieces[0])):
        assert whole == pieces, f"cutting changed the session:\n{whole}\n{pieces}"


def session(head: bytes, pieces: Iterable[bytes]) -> tuple[list[pop3.Event], bytes, bool]:
    """What came of the octets: the events, what was written, whether the server broke the rules."""
    decisions = Decisions(head)
    conn = pop3.ClientConnection()
    events: list[pop3.Event] = []
    written = b""
    broken = False

    def send_some() -> None:
        for _ in range(decisions.below(4)):
            try:
                conn.send(ITEMS[decisions.below(len(ITEMS))])
            except LocalProtocolError:
                pass

    def drain() -> None:
        nonlocal written, broken
        try:
            for event in conn.events():
                events.append(event)
                if isinstance(event, pop3.TlsHandshake):
                    conn.tls_started()
                # How often a message is cut must not decide what is sent.
                if not isinstance(event, pop3.MessageData):
                    send_some()
        except RemoteProtocolError:
            assert not broken, "raised twice"
            broken = True
            events.extend(conn.events())
        written += conn.data_to_send()

    send_some()
    for piece in pieces:
        conn.receive_data(piece)
        drain()
    conn.receive_data(b"")
    drain()
    assert conn.closed
    assert isinstance(events[-1], pop3.ConnectionClosed), "the end comes last"
    assert sum(isinstance(event, pop3.ConnectionClosed) for event in events) == 1
    return joined(events), written, broken
