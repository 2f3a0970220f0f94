"""Real POP3 clients against our server."""

from __future__ import annotations

import pytest

from tests.interop.client import Account, Pop3Client, RefusedError
from tests.interop.features import POP3_AUTH, Pop3, mechanism
from tests.interop.messages import MESSAGES, POP3_MESSAGES, complete
from tests.interop.ours import pop3_server
from tests.interop.table import POP3_CLIENTS, trials
from tests.wrappers.kinds import KINDS
from tests.wrappers.pop3_server import CAPABILITIES

SMALL = [MESSAGES[Pop3.PLAIN], MESSAGES[Pop3.DOTS], complete(MESSAGES[Pop3.NO_FINAL_CRLF])]
ALL = ["RETR 1", "RETR 2", "RETR 3"]


@trials(POP3_CLIENTS, Pop3.USER)
def test_user_and_pass(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL) as server:
        account = Account(server.port)
        with pytest.raises(RefusedError):
            peer.talk(account._replace(password="wrong"), *ALL)
        assert peer.talk(account, *ALL) == SMALL
    assert b"PASS " in b"".join(server.sessions[-1].heard)


@trials(POP3_CLIENTS, Pop3.APOP)
def test_apop(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL, apop=True) as server:
        account = Account(server.port, mechanism="APOP")
        with pytest.raises(RefusedError):
            peer.talk(account._replace(password="wrong"), *ALL)
        assert peer.talk(account, *ALL) == SMALL
    assert b"APOP " in b"".join(server.sessions[-1].heard)


@trials(POP3_CLIENTS, *POP3_AUTH)
def test_authentication(peer: Pop3Client, feature: Pop3) -> None:
    name = mechanism(feature)
    capabilities = [*CAPABILITIES, "STLS", f"SASL {name}"]
    with pop3_server(peer.certificate, SMALL, capabilities=capabilities) as server:
        account = Account(server.port, "start", name)
        with pytest.raises(RefusedError):
            peer.talk(account._replace(password="wrong"), *ALL)
        assert peer.talk(account, *ALL) == SMALL
    assert f"AUTH {name}".encode() in b"".join(server.sessions[-1].heard)


@pytest.mark.parametrize("kind", KINDS)
@trials(POP3_CLIENTS, Pop3.STLS)
def test_stls(peer: Pop3Client, kind: str) -> None:
    capabilities = [*CAPABILITIES, "STLS"]
    with pop3_server(peer.certificate, SMALL, kind=kind, capabilities=capabilities) as server:
        assert peer.talk(Account(server.port, "start"), *ALL) == SMALL
    assert server.sessions[-1].conn.tls


@trials(POP3_CLIENTS, Pop3.TLS)
def test_implicit_tls(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL, tls=True) as server:
        assert peer.talk(Account(server.port, "implicit"), *ALL) == SMALL


@trials(POP3_CLIENTS, *POP3_MESSAGES)
def test_octets_that_arrive_equal_octets_that_were_there(peer: Pop3Client, message: bytes) -> None:
    with pop3_server(peer.certificate, [message]) as server:
        assert peer.talk(Account(server.port), "RETR 1") == [complete(message)]


@trials(POP3_CLIENTS, Pop3.LIST)
def test_list(peer: Pop3Client) -> None:
    listing = b"".join(b"%d %d\r\n" % (n, len(message)) for n, message in enumerate(SMALL, 1))
    with pop3_server(peer.certificate, SMALL) as server:
        assert peer.talk(Account(server.port), "LIST") == [listing]


@trials(POP3_CLIENTS, Pop3.UIDL)
def test_uidl(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL) as server:
        assert peer.talk(Account(server.port), "UIDL") == [b"1 uid1\r\n2 uid2\r\n3 uid3\r\n"]


@trials(POP3_CLIENTS, Pop3.TOP)
def test_top(peer: Pop3Client) -> None:
    header, body = b"Subject: top\r\n\r\n", b".one\r\ntwo\r\nthree\r\n"
    with pop3_server(peer.certificate, [header + body]) as server:
        assert peer.talk(Account(server.port), "TOP 1 1") == [header + b".one\r\n"]
        assert peer.talk(Account(server.port), "TOP 1 9") == [header + body]


@trials(POP3_CLIENTS, Pop3.DELE)
def test_what_quit_leaves(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL) as server:
        *messages, _, _, _ = peer.talk(Account(server.port), *ALL, "DELE 1", "DELE 2", "DELE 3")
        assert messages == SMALL
    assert server.left == []


@trials(POP3_CLIENTS, Pop3.RSET)
def test_rset(peer: Pop3Client) -> None:
    with pop3_server(peer.certificate, SMALL) as server:
        _, _, _, message = peer.talk(Account(server.port), "DELE 1", "RSET", "DELE 2", "RETR 1")
        assert message == SMALL[0]
    assert server.left == [SMALL[0], SMALL[2]]


@trials(POP3_CLIENTS, Pop3.PIPELINING)
def test_pipelining(peer: Pop3Client) -> None:
    """While a large message is on its way, the commands behind it come in."""
    messages = [MESSAGES[Pop3.FIVE_MB], *SMALL[1:]]
    with pop3_server(peer.certificate, messages) as server:
        assert peer.talk(Account(server.port), *ALL) == messages
    heard = server.sessions[-1].heard
    assert [piece for piece in heard if b"RETR 2\r\nRETR 3\r\n" in piece]


@trials(POP3_CLIENTS, Pop3.TEN_THOUSAND)
def test_ten_thousand_messages_listed(peer: Pop3Client) -> None:
    numbers = range(1, 10_001)
    with pop3_server(peer.certificate, [b"a: b\r\n\r\n"] * 10_000) as server:
        sizes, uids = peer.talk(Account(server.port), "LIST", "UIDL")
    assert sizes == b"".join(b"%d 8\r\n" % number for number in numbers)
    assert uids == b"".join(b"%d uid%d\r\n" % (number, number) for number in numbers)
