"""Any octets into an SMTP or LMTP client, with an application that sends at random."""

from __future__ import annotations

from collections.abc import Iterable

from fuzz.decisions import Decisions, cut, joined, split
from smtpproto import LocalProtocolError, RemoteProtocolError, smtp

SEEDS = "S"
DICTIONARY = "smtp"

ITEMS: tuple[
    smtp.Command | smtp.MessageData | smtp.EndOfMessage | smtp.AuthResponse | smtp.AuthCancelled,
    ...,
] = (
    smtp.Ehlo("me.example"),
    smtp.Mail("a@example.org"),
    smtp.Rcpt("b@example.org"),
    smtp.Data(),
    smtp.MessageData(b".hello\n"),
    smtp.EndOfMessage(),
    smtp.Rcpt("c@example.org"),
    smtp.Bdat(5),
    smtp.MessageData(b"12345"),
    smtp.Bdat(5, last=True),
    smtp.Rset(),
    smtp.Noop(),
    smtp.StartTls(),
    smtp.Auth("PLAIN"),
    smtp.AuthResponse(b"\0user\0secret"),
    smtp.AuthCancelled(),
    smtp.Helo("me.example"),
    smtp.Lhlo("me.example"),
    smtp.Raw(b"WHAT\r\n"),
    smtp.Vrfy("somebody"),
    smtp.Quit(),
)


def run(data: bytes) -> None:
    head, octets = split(data)
    whole = session(head, [octets] if octets else [])
    pieces = session(head, cut(octets, head))
    if not any(isinstance(event, smtp.TlsHandshake) for event in (*whole[0], *pieces[0])):
        assert whole == pieces, f"cutting changed the session:\n{whole}\n{pieces}"


def session(head: bytes, pieces: Iterable[bytes]) -> tuple[list[smtp.Event], bytes, bool]:
    """What came of the octets: the events, what was written, whether the server broke the rules."""
    decisions = Decisions(head)
    conn = smtp.ClientConnection(
        lmtp=decisions.below(4) == 1,
        newlines="strict" if decisions.below(8) == 1 else "crlf",
    )
    events: list[smtp.Event] = []
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
                if isinstance(event, smtp.TlsHandshake):
                    conn.tls_started()
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
    assert isinstance(events[-1], smtp.ConnectionClosed), "the end comes last"
    assert sum(isinstance(event, smtp.ConnectionClosed) for event in events) == 1
    return joined(events), written, broken
