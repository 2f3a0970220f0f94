"""LIMITS: what a server takes in a session, honoured and enforced (RFC 9422)."""

from __future__ import annotations

import pytest

from smtpproto import LocalProtocolError, smtp
from smtpproto.errors import LimitError
from smtpproto.smtp import Mail, Rcpt, ext


def server(limits: ext.Limits, *, tls: bool = False) -> smtp.ServerConnection:
    conn = smtp.ServerConnection(
        "mx.example", extensions=[ext.Pipelining(), ext.StartTls(), ext.Send(), limits], tls=tls
    )
    conn.accept()
    conn.data_to_send()
    talk(conn, b"EHLO c.example\r\n")
    return conn


def talk(conn: smtp.ServerConnection, octets: bytes, *, refuse: bool = False) -> list[int]:
    """The codes of the answers, where everything is accepted or everything refused."""
    conn.receive_data(octets)
    for event in conn.events():
        if isinstance(event, smtp.Request):
            if refuse:
                conn.reject(550)
            else:
                conn.accept()
    lines = conn.data_to_send().splitlines()
    return [int(line[:3]) for line in lines if line[3:4] != b"-"]


def client(*lines: str) -> smtp.ClientConnection:
    conn = smtp.ClientConnection()
    greet(conn, *lines, greeting=b"220 mx.example\r\n")
    return conn


def greet(conn: smtp.ClientConnection, *lines: str, greeting: bytes = b"") -> None:
    conn.send(smtp.Ehlo("c.example"))
    conn.receive_data(greeting + bytes(smtp.Reply(250, "mx.example", *lines)))
    list(conn.events())
    conn.data_to_send()


def send(conn: smtp.ClientConnection, command: smtp.Command, reply: bytes = b"250 OK\r\n") -> None:
    conn.send(command)
    conn.data_to_send()
    conn.receive_data(reply)
    list(conn.events())


class TestServer:
    @pytest.mark.parametrize("refuse", [False, True])
    def test_mailmax_ends_the_session(self, refuse: bool) -> None:
        conn = server(ext.Limits(mailmax=2))
        for _ in range(2):
            talk(conn, b"MAIL FROM:<a@b>\r\n", refuse=refuse)
            assert talk(conn, b"RSET\r\n") == [250]
        conn.receive_data(b"MAIL FROM:<a@b>\r\nNOOP\r\n")
        refused, closed = conn.events()
        assert isinstance(refused, smtp.CommandRefused)
        assert conn.data_to_send() == (b"421 mx.example At most 2 transactions in one session\r\n")
        assert closed == smtp.ConnectionClosed(True, ())

    def test_rcptmax_counts_in_one_transaction(self) -> None:
        conn = server(ext.Limits(rcptmax=2))
        rcpts = b"RCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"
        assert talk(conn, b"MAIL FROM:<a@b>\r\n" + rcpts) == [250, 250, 250, 452]
        assert talk(conn, b"RSET\r\nMAIL FROM:<a@b>\r\n" + rcpts) == [250, 250, 250, 250, 452]

    def test_rcptmax_counts_refused_ones(self) -> None:
        conn = server(ext.Limits(rcptmax=1))
        talk(conn, b"MAIL FROM:<a@b>\r\n")
        assert talk(conn, b"RCPT TO:<a@b>\r\n", refuse=True) == [550]
        assert talk(conn, b"RCPT TO:<a@b>\r\n") == [452]

    def test_rcptdomainmax_counts_in_the_session(self) -> None:
        conn = server(ext.Limits(rcptdomainmax=2))
        assert talk(
            conn,
            b"MAIL FROM:<a@b>\r\nRCPT TO:<a@one>\r\nRCPT TO:<b@ONE>\r\nRCPT TO:<Postmaster>\r\n"
            b"RCPT TO:<a@two>\r\nRSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@two>\r\nRCPT TO:<c@one>\r\n",
        ) == [250, 250, 250, 250, 452, 250, 250, 452, 250]

    def test_a_new_ehlo_forgets_nothing(self) -> None:
        conn = server(ext.Limits(mailmax=1))
        assert talk(conn, b"MAIL FROM:<a@b>\r\nEHLO c\r\nMAIL FROM:<a@b>\r\n") == [250, 250, 421]

    def test_send_begins_a_transaction_as_mail_does(self) -> None:
        conn = server(ext.Limits(mailmax=2, rcptmax=1))
        transaction = b"SEND FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
        assert talk(conn, transaction + b"RSET\r\n" + transaction) == [250] * 5
        assert talk(conn, b"RSET\r\nSEND FROM:<a@b>\r\n") == [250, 421]

    def test_tls_begins_anew(self) -> None:
        conn = server(ext.Limits(mailmax=1))
        assert talk(conn, b"MAIL FROM:<a@b>\r\nRSET\r\nSTARTTLS\r\n") == [250, 250, 220]
        conn.tls_started()
        assert talk(conn, b"EHLO c\r\nMAIL FROM:<a@b>\r\n") == [250, 250]

    def test_helo_has_no_extensions_but_what_was_offered_still_holds(self) -> None:
        conn = server(ext.Limits(mailmax=1))
        assert talk(conn, b"HELO c\r\nMAIL FROM:<a@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\n") == [
            250, 250, 250, 421,
        ]  # fmt: skip


class TestClient:
    def test_mailmax(self) -> None:
        conn = client("LIMITS MAILMAX=1")
        send(conn, Mail(None), b"550 no\r\n")
        with pytest.raises(LimitError, match="At most 1 transactions in one session"):
            conn.send(Mail(None))

    def test_rcptmax(self) -> None:
        conn = client("LIMITS RCPTMAX=1")
        send(conn, Mail(None))
        send(conn, Rcpt("a@b"), b"550 no\r\n")
        with pytest.raises(LimitError, match="At most 1 recipients in one transaction"):
            conn.send(Rcpt("c@d"))
        send(conn, smtp.Rset())
        send(conn, Mail(None))
        conn.send(Rcpt("c@d"))

    def test_send_begins_a_transaction_as_mail_does(self) -> None:
        conn = client("SEND", "LIMITS MAILMAX=2 RCPTMAX=1")
        for _ in range(2):
            send(conn, smtp.SendMail(None))
            send(conn, Rcpt("a@b"))
            send(conn, smtp.Rset())
        with pytest.raises(LocalProtocolError, match="At most 2 transactions in one session"):
            conn.send(smtp.SendMail(None))

    def test_rcptdomainmax(self) -> None:
        conn = client("LIMITS RCPTDOMAINMAX=1")
        send(conn, Mail(None))
        send(conn, Rcpt("a@b"))
        send(conn, Rcpt("c@B"))
        with pytest.raises(LimitError, match="Recipients of at most 1 domains"):
            conn.send(Rcpt("c@d"))

    def test_what_was_not_sent_does_not_count(self) -> None:
        conn = client("LIMITS MAILMAX=1")
        with pytest.raises(LocalProtocolError) as caught:
            conn.send(Mail(None, size=5))
        assert not isinstance(caught.value, LimitError)
        conn.send(Mail(None))

    def test_a_new_ehlo_replaces_the_limits(self) -> None:
        conn = client("LIMITS MAILMAX=1")
        send(conn, Mail(None), b"550 no\r\n")
        greet(conn, "LIMITS MAILMAX=2")
        send(conn, Mail(None), b"550 no\r\n")
        with pytest.raises(LocalProtocolError):
            conn.send(Mail(None))
        greet(conn)
        conn.send(Mail(None))
