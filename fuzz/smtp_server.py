"""Any octets into an SMTP or LMTP server, with an application that answers at random."""

from __future__ import annotations

from collections.abc import Iterable

from fuzz.decisions import Decisions, cut, joined, split
from smtpproto import smtp

SEEDS = "C"
DICTIONARY = "smtp"

EXTENSIONS: tuple[tuple[smtp.Extension, ...], ...] = (
    (),
    (smtp.ext.Pipelining(), smtp.ext.Size(300), smtp.ext.EnhancedStatusCodes()),
    (
        smtp.ext.Pipelining(),
        smtp.ext.Chunking(),
        smtp.ext.EightBitMime(),
        smtp.ext.BinaryMime(),
        smtp.ext.SmtpUtf8(),
        smtp.ext.EnhancedStatusCodes(),
        smtp.ext.Auth("PLAIN", "LOGIN", "CRAM-MD5", plaintext_without_tls=True),
        smtp.ext.StartTls(),
        smtp.ext.Dsn(),
        smtp.ext.Expn(),
        smtp.ext.Verb("XCLIENT"),
    ),
    (smtp.ext.Chunking(), smtp.ext.Size(300), smtp.ext.StartTls(), smtp.ext.Unknown("X-FOO")),
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
) -> tuple[list[smtp.Event], bytes]:
    """What came of the octets: the events and what was written."""
    decisions = Decisions(head)
    decisions.below(4)
    lmtp = decisions.below(4) == 1
    conn = smtp.ServerConnection(
        "mx.example",
        extensions=EXTENSIONS[decisions.below(len(EXTENSIONS))],
        lmtp=lmtp,
        bare_newlines="accept" if decisions.below(5) == 1 else "refuse",
        require_auth=decisions.below(7) == 1,
        require_tls=decisions.below(7) == 1,
        limits=smtp.Limits(recipients=3),
    )
    events: list[smtp.Event] = []
    written = b""

    def drain() -> None:
        nonlocal written
        for event in conn.events():
            events.append(event)
            if isinstance(event, smtp.TlsHandshake):
                written += conn.data_to_send()
                conn.tls_started()
            elif isinstance(event, smtp.Request):
                answer(conn, event, decisions, tls_allowed)
        written += conn.data_to_send()

    conn.accept()
    for piece in pieces:
        conn.receive_data(piece)
        drain()
    conn.receive_data(b"")
    drain()
    check(conn, events)
    return joined(events), written


def answer(
    conn: smtp.ServerConnection, event: smtp.Request, decisions: Decisions, tls_allowed: bool
) -> None:
    """One reply, as the input decides."""
    choice = decisions.below(6)
    if isinstance(event, smtp.Auth | smtp.AuthResponse):
        if choice < 3:
            conn.send(smtp.AuthChallenge(b"more"))
        elif choice < 5:
            conn.authenticated("somebody")
        else:
            conn.reject(535)
    elif choice == 5 or (isinstance(event, smtp.StartTls) and not tls_allowed):
        conn.reject(451, f"not now: {event!r}\r\n{event!r}")
    else:
        conn.accept(f"fine: {event!r}" if choice == 4 else None)


def check(conn: smtp.ServerConnection, events: list[smtp.Event]) -> None:
    """The rules of every server session."""
    assert conn.closed
    assert isinstance(events[-1], smtp.ConnectionClosed), "the end comes last"
    assert sum(isinstance(event, smtp.ConnectionClosed) for event in events) == 1
    open_message = False
    for event in events:
        if isinstance(event, smtp.MessageData):
            assert event.data, "an empty piece"
            open_message = True
        elif isinstance(event, smtp.EndOfMessage | smtp.MessageRefused | smtp.ConnectionClosed):
            open_message = False
        elif open_message and not isinstance(event, smtp.ChunkReceived):
            # Between chunks other commands may come, but none that ends the transaction.
            assert not isinstance(event, smtp.Mail | smtp.Rset | smtp.Ehlo | smtp.Helo | smtp.Lhlo)
