"""Our servers beside other people's: the first digits of their replies to the same sessions.

The sessions are the client halves of tests/dialogues, and generated ones with mistakes in them. A
difference that differences.md does not list fails here, and so does one that it lists in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.interop.certificate import Certificate
from tests.interop.oracle import pop3_mistakes, smtp_mistakes
from tests.interop.oracle.alike import (
    DovecotAlike,
    DovecotLmtpAlike,
    EximAlike,
    PostfixAlike,
    pop3_server,
    smtp_server,
)
from tests.interop.oracle.comparison import OURS, Found, compared, row_for, rows
from tests.interop.oracle.conversation import (
    LmtpConversation,
    Pop3Conversation,
    SmtpConversation,
)
from tests.interop.oracle.halves import halves
from tests.interop.peer import Peer
from tests.wrappers import on_sockets
from tests.wrappers.pop3_server import Maildrops

MESSAGES = [b"Subject: %d\r\n\r\nOne\r\nTwo\r\n" % number for number in range(3)]

Peers = Callable[[type[Peer]], Peer]


def test_smtp(certificate: Certificate, peers: Peers) -> None:
    sessions = [*halves("smtp-*.txt"), *smtp_mistakes.sessions(400)]
    trust = certificate.client_context
    others = {"Postfix": port_of(peers(PostfixAlike)), "Exim": port_of(peers(EximAlike))}
    with running(smtp_server(certificate), others) as ports:
        found = compared(sessions, ports, lambda name, _: SmtpConversation(ports[name], trust))
    check("SMTP", found)


def test_lmtp(certificate: Certificate, peers: Peers) -> None:
    sessions = halves("lmtp-*.txt")
    trust = certificate.client_context
    others = {"Dovecot": port_of(peers(DovecotLmtpAlike))}
    with running(smtp_server(certificate, lmtp=True), others) as ports:
        found = compared(sessions, ports, lambda name, _: LmtpConversation(ports[name], trust))
    check("LMTP", found)


def test_pop3(certificate: Certificate, peers: Peers) -> None:
    sessions = [*halves("pop3-*.txt"), *pop3_mistakes.sessions(300)]
    trust = certificate.client_context
    dovecot = peers(DovecotAlike)
    assert isinstance(dovecot, DovecotAlike)
    users = [dovecot.mailboxes.fill(MESSAGES) for _ in sessions]
    maildrop = {f"uid{number}": message for number, message in enumerate(MESSAGES, 1)}
    server = pop3_server(certificate, Maildrops({user: dict(maildrop) for user in users}))
    with running(server, {"Dovecot": dovecot.port}) as ports:
        found = compared(
            sessions,
            ports,
            lambda name, number: Pop3Conversation(ports[name], trust, users[number]),
        )
    check("POP3", found)


def port_of(peer: Peer) -> int:
    assert isinstance(peer, PostfixAlike | EximAlike | DovecotLmtpAlike)
    return peer.port


@contextmanager
def running(ours: on_sockets.Server, others: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The ports of all; ours ends with the block."""
    try:
        yield {OURS: ours.port, **others}
    finally:
        ours.stop()


def check(table: str, found: Found) -> None:
    """Every difference is listed, and every line of the table is one."""
    listed = rows(table)
    unlisted = []
    in_vain = {
        (row, name, said)
        for row in listed
        for name in found
        if row.differs(name)
        for said in row.said
    } | {(row, "in", state) for row in listed for state in row.states}
    for name, comparisons in found.items():
        for one, transcripts in comparisons.items():
            if one.ours == one.theirs:
                continue
            row = row_for(listed, one)
            if row is None or (row.reply_of(OURS), row.reply_of(name)) != (one.ours, one.theirs):
                unlisted.append((name, one, *transcripts))
            else:
                in_vain -= {(row, name, one.said), (row, "in", one.state)}
    for name, one, ours, theirs in unlisted[:3]:
        print(f"== {one}", "-- ours:", ours, f"-- {name}:", theirs, sep="\n")
    assert [(name, one) for name, one, *_ in unlisted] == []
    assert in_vain == set()
