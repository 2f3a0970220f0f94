"""Our POP3 client against real servers."""

from __future__ import annotations

from collections.abc import Sequence

from smtpproto import pop3, sasl
from tests.interop.features import POP3_AUTH, Pop3, mechanism
from tests.interop.mailboxes import PASSWORD
from tests.interop.messages import MESSAGES, POP3_MESSAGES, complete
from tests.interop.server import Pop3Server
from tests.interop.session import Pop3Session, client_mechanism
from tests.interop.table import POP3_SERVERS, trials

SMALL = [MESSAGES[Pop3.PLAIN], MESSAGES[Pop3.DOTS], MESSAGES[Pop3.NO_FINAL_CRLF]]


def connect(server: Pop3Server, *, tls: bool = False) -> Pop3Session:
    port = server.tls_port if tls else server.port
    return Pop3Session(port, server.certificate.client_context, tls=tls)


def read_all(session: Pop3Session, expected: list[bytes]) -> None:
    """RETR of each message."""
    for number, message in enumerate(expected, 1):
        assert session.message(pop3.Retr(number)) == complete(message)


@trials(POP3_SERVERS, Pop3.USER)
def test_user_and_pass(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.ok(pop3.User(user))
        refused = session.response(pop3.Pass("wrong")).response
        assert isinstance(refused, pop3.Err)
        session.log_in(user, PASSWORD)
        read_all(session, SMALL)
        session.quit()


@trials(POP3_SERVERS, Pop3.APOP)
def test_apop(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        timestamp = session.conn.timestamp
        assert timestamp is not None
        session.ok(pop3.Apop(user, sasl.apop_digest(timestamp, PASSWORD)))
        read_all(session, SMALL)
        session.quit()


@trials(POP3_SERVERS, *POP3_AUTH)
def test_authentication(peer: Pop3Server, feature: Pop3) -> None:
    name = mechanism(feature)
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.ok(pop3.Capa())
        assert isinstance(session.authenticate(client_mechanism(name, user, "wrong")), pop3.Err)
        assert isinstance(session.authenticate(client_mechanism(name, user, PASSWORD)), pop3.Ok)
        read_all(session, SMALL)
        session.quit()


@trials(POP3_SERVERS, Pop3.STLS)
def test_stls(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.start_tls()
        assert session.conn.tls
        session.log_in(user, PASSWORD)
        read_all(session, SMALL)
        session.quit()


@trials(POP3_SERVERS, Pop3.TLS)
def test_implicit_tls(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer, tls=True) as session:
        session.log_in(user, PASSWORD)
        read_all(session, SMALL)
        session.quit()


@trials(POP3_SERVERS, *POP3_MESSAGES)
def test_octets_that_arrive_equal_octets_that_were_there(peer: Pop3Server, message: bytes) -> None:
    user = peer.mailboxes.fill([message])
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        read_all(session, [message])
        session.quit()


@trials(POP3_SERVERS, Pop3.LIST)
def test_stat_and_list(peer: Pop3Server) -> None:
    """The sizes are the server's own: some count a line end as one octet."""
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        status = session.ok(pop3.Stat())
        listing = session.ok(pop3.List())
        assert isinstance(status, pop3.MaildropStatus)
        assert isinstance(listing, Sequence)
        assert [scan.number for scan in listing] == [1, 2, 3]
        assert status == pop3.MaildropStatus(3, sum(scan.octets for scan in listing))
        assert session.ok(pop3.List(2)) == listing[1]
        assert isinstance(session.response(pop3.List(4)).response, pop3.Err)
        session.quit()


@trials(POP3_SERVERS, Pop3.UIDL)
def test_uidl(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    listings = []
    for _ in range(2):
        with connect(peer) as session:
            session.log_in(user, PASSWORD)
            listing = session.ok(pop3.Uidl())
            assert isinstance(listing, Sequence)
            assert session.ok(pop3.Uidl(3)) == listing[2]
            session.quit()
        listings.append(listing)
    assert [unique.number for unique in listings[0]] == [1, 2, 3]
    assert len({unique.uid for unique in listings[0]}) == 3
    assert listings[0] == listings[1]


@trials(POP3_SERVERS, Pop3.TOP)
def test_top(peer: Pop3Server) -> None:
    header, body = b"Subject: top\r\n\r\n", b".one\r\ntwo\r\nthree\r\n"
    user = peer.mailboxes.fill([header + body])
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        assert session.message(pop3.Top(1, 0)) == header
        assert session.message(pop3.Top(1, 1)) == header + b".one\r\n"
        assert session.message(pop3.Top(1, 9)) == header + body
        session.quit()


@trials(POP3_SERVERS, Pop3.DELE)
def test_what_quit_leaves(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:  # without QUIT nothing is removed (RFC 1939 section 6)
        session.log_in(user, PASSWORD)
        session.ok(pop3.Dele(2))
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        session.ok(pop3.Dele(1))
        session.ok(pop3.Dele(3))
        assert isinstance(session.response(pop3.Retr(1)).response, pop3.Err)
        session.quit()
    (left,) = peer.mailboxes.files(user)
    assert left == SMALL[1].replace(b"\r\n", b"\n")


@trials(POP3_SERVERS, Pop3.RSET)
def test_rset(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        session.ok(pop3.Dele(1))
        session.ok(pop3.Rset())
        read_all(session, SMALL)
        session.quit()
    assert len(peer.mailboxes.files(user)) == 3


@trials(POP3_SERVERS, Pop3.PIPELINING)
def test_pipelining(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill(SMALL)
    with connect(peer) as session:
        session.ok(pop3.Capa())
        session.log_in(user, PASSWORD)
        for number in (1, 2, 3):
            session.conn.send(pop3.Retr(number))
            session.conn.send(pop3.Dele(number))
        assert session.flush() == b"".join(b"RETR %d\r\nDELE %d\r\n" % (n, n) for n in (1, 2, 3))
        for message in SMALL:
            assert isinstance(session.received().response, pop3.Ok)
            assert session.body() == complete(message)
            assert isinstance(session.received().response, pop3.Ok)
        session.quit()
    assert peer.mailboxes.files(user) == []


@trials(POP3_SERVERS, Pop3.TEN_THOUSAND)
def test_ten_thousand_messages_listed(peer: Pop3Server) -> None:
    user = peer.mailboxes.fill([b"a: b\r\n\r\n"] * 10_000)
    with connect(peer) as session:
        session.log_in(user, PASSWORD)
        status, listing, uids = (session.ok(c) for c in (pop3.Stat(), pop3.List(), pop3.Uidl()))
        assert isinstance(status, pop3.MaildropStatus)
        assert status.count == 10_000
        for numbered in (listing, uids):
            assert isinstance(numbered, Sequence)
            assert [line.number for line in numbered] == list(range(1, 10_001))
        session.quit()
