"""Our SMTP and LMTP client against real servers."""

from __future__ import annotations

import pytest

from smtpproto import LocalProtocolError, smtp
from tests.interop.features import SIZE_LIMIT, SMTP_AUTH, UTF8_NAME, Smtp, mechanism
from tests.interop.mailboxes import DOMAIN, PASSWORD, delivered
from tests.interop.messages import MESSAGES, SMTP_MESSAGES, complete
from tests.interop.server import SmtpServer
from tests.interop.session import SmtpSession, client_mechanism
from tests.interop.table import SMTP_SERVERS, trials

CHUNK = 1_000_000


def connect(server: SmtpServer, *, starttls: bool = False) -> SmtpSession:
    """A session with the server; EHLO is answered."""
    session = SmtpSession(server.port, server.certificate.client_context, lmtp=server.lmtp)
    if starttls:
        session.start_tls()
    else:
        session.hello()
    return session


def begin(session: SmtpSession, name: str) -> None:
    session.begin(smtp.Mail("jo@client.example"), smtp.Rcpt(f"{name}@{DOMAIN}"))


def send(session: SmtpSession, server: SmtpServer, message: bytes) -> None:
    """One message by DATA, to one recipient, who gets it."""
    (name,) = server.mailboxes.take(1)
    begin(session, name)
    (reply,) = session.data(message)
    assert reply.code == 250
    (file,) = server.mailboxes.wait_for(name)
    assert delivered(file, complete(message)) == complete(message)


@trials(SMTP_SERVERS, *SMTP_MESSAGES)
def test_octets_that_arrive_equal_octets_that_left(peer: SmtpServer, message: bytes) -> None:
    with connect(peer) as session:
        send(session, peer, message)
        session.quit()


@trials(SMTP_SERVERS, Smtp.REFUSED)
def test_many_recipients_some_refused(peer: SmtpServer) -> None:
    names = peer.mailboxes.take(70)
    recipients = [f"{name}@{DOMAIN}" for name in names]
    for number in range(30):
        recipients.insert(3 * number, f"nobody{number}@{DOMAIN}")
    message = MESSAGES[Smtp.PLAIN]
    with connect(peer) as session:
        mail, *replies = session.replies(
            smtp.Mail("jo@client.example"), *map(smtp.Rcpt, recipients)
        )
        assert mail.code == 250
        refused = {
            recipient
            for recipient, reply in zip(recipients, replies, strict=True)
            if reply.code == 550
        }
        assert refused == {f"nobody{number}@{DOMAIN}" for number in range(30)}
        assert {reply.code for reply in session.data(message)} == {250}
        session.quit()
    for name in names:
        (file,) = peer.mailboxes.wait_for(name)
        assert delivered(file, message) == message


@trials(SMTP_SERVERS, Smtp.PIPELINING)
def test_pipelining(peer: SmtpServer) -> None:
    """The group of MAIL, RCPT and DATA, and the next one with the end of the message."""
    names = peer.mailboxes.take(2)
    message = MESSAGES[Smtp.PLAIN]
    first, second = (
        f"MAIL FROM:<jo@client.example>\r\nRCPT TO:<{name}@{DOMAIN}>\r\nDATA\r\n".encode()
        for name in names
    )
    with connect(peer) as session:
        conn = session.conn

        def transaction(name: str) -> None:
            conn.send(smtp.Mail("jo@client.example"))
            conn.send(smtp.Rcpt(f"{name}@{DOMAIN}"))
            conn.send(smtp.Data())

        def the_message() -> None:
            conn.send(smtp.MessageData(message))
            conn.send(smtp.EndOfMessage())

        transaction(names[0])
        assert session.flush() == first
        assert [session.reply().code for _ in range(3)] == [250, 250, 354]
        the_message()
        transaction(names[1])
        assert session.flush() == message + b".\r\n" + second
        assert [session.reply().code for _ in range(4)] == [250, 250, 250, 354]
        the_message()
        assert session.reply().code == 250
        session.quit()
    for name in names:
        (file,) = peer.mailboxes.wait_for(name)
        assert delivered(file, message) == message


@trials(SMTP_SERVERS, Smtp.NO_PIPELINING)
def test_without_pipelining(peer: SmtpServer) -> None:
    with SmtpSession(
        peer.unpipelined_port, peer.certificate.client_context, lmtp=peer.lmtp
    ) as session:
        session.hello()
        assert "PIPELINING" not in session.conn.capabilities
        send(session, peer, MESSAGES[Smtp.DOTS])
        session.quit()


@trials(SMTP_SERVERS, Smtp.BDAT)
@pytest.mark.parametrize(
    "content", [Smtp.DOTS, Smtp.EMPTY_LINES, Smtp.EIGHT_BIT, Smtp.FIVE_MB], ids=lambda f: f.value
)
def test_bdat(peer: SmtpServer, content: Smtp) -> None:
    (name,) = peer.mailboxes.take(1)
    message = MESSAGES[content]
    with connect(peer) as session:
        begin(session, name)
        (reply,) = session.chunks(message, max(7, len(message) // 9))
        assert reply.code == 250
        session.quit()
    (file,) = peer.mailboxes.wait_for(name)
    assert delivered(file, message) == message


@trials(SMTP_SERVERS, Smtp.STARTTLS)
def test_starttls(peer: SmtpServer) -> None:
    with connect(peer, starttls=True) as session:
        assert session.conn.tls
        send(session, peer, MESSAGES[Smtp.DOTS])
        session.quit()


@trials(SMTP_SERVERS, Smtp.TLS)
def test_implicit_tls(peer: SmtpServer) -> None:
    with SmtpSession(
        peer.tls_port, peer.certificate.client_context, lmtp=peer.lmtp, tls=True
    ) as session:
        session.hello()
        send(session, peer, MESSAGES[Smtp.DOTS])
        session.quit()


@trials(SMTP_SERVERS, *SMTP_AUTH)
def test_authentication(peer: SmtpServer, feature: Smtp) -> None:
    name = mechanism(feature)
    with connect(peer, starttls=Smtp.STARTTLS in peer.features) as session:
        assert session.authenticate(client_mechanism(name, "box0", "wrong")).code == 535
        assert session.authenticate(client_mechanism(name, "box0", PASSWORD)).code == 235
        send(session, peer, MESSAGES[Smtp.PLAIN])
        session.quit()


@trials(SMTP_SERVERS, Smtp.DSN)
def test_dsn(peer: SmtpServer) -> None:
    """NOTIFY=SUCCESS: the sender gets a notification that has the other parameters in it."""
    sender, recipient = peer.mailboxes.take(2)
    with connect(peer) as session:
        session.begin(
            smtp.Mail(f"{sender}@{DOMAIN}", ret="HDRS", envid="QQ314159"),
            smtp.Rcpt(
                f"{recipient}@{DOMAIN}", notify="SUCCESS,FAILURE", orcpt="rfc822;jim@far.example"
            ),
        )
        (reply,) = session.data(MESSAGES[Smtp.PLAIN])
        assert reply.code == 250
        session.quit()
    seen = peer.parameters_seen(sender, recipient)
    assert b"QQ314159" in seen
    assert b"rfc822;jim@far.example" in seen


@trials(SMTP_SERVERS, Smtp.SMTPUTF8)
def test_smtputf8(peer: SmtpServer) -> None:
    message = "Subject: Grüße\r\n\r\n".encode()
    with connect(peer) as session:
        session.begin(
            smtp.Mail("jürgen@bücher.example", smtputf8=True, body="8BITMIME"),
            smtp.Rcpt(f"{UTF8_NAME}@{DOMAIN}"),
        )
        (reply,) = session.data(message)
        assert reply.code == 250
        session.quit()
    (file,) = peer.mailboxes.wait_for(UTF8_NAME)
    assert delivered(file, message) == message
    assert "<jürgen@bücher.example>".encode() in file


@trials(SMTP_SERVERS, Smtp.SIZE)
def test_size_refused(peer: SmtpServer) -> None:
    (name,) = peer.mailboxes.take(1)
    with connect(peer) as session:
        assert session.conn.capabilities.size == SIZE_LIMIT
        with pytest.raises(LocalProtocolError, match="at most 30000000 octets"):
            session.conn.send(smtp.Mail("jo@client.example", size=SIZE_LIMIT + 1))
        (reply,) = session.replies(
            smtp.Raw(f"MAIL FROM:<jo@client.example> SIZE={SIZE_LIMIT + 1}\r\n".encode())
        )
        assert reply.code == 552
        session.replies(smtp.Rset())  # or Postfix refuses the next MAIL for the size of this one
        begin(session, name)
        session.quit()


@trials(SMTP_SERVERS, Smtp.RSET)
def test_rset_in_a_transaction(peer: SmtpServer) -> None:
    (forgotten,) = peer.mailboxes.take(1)
    with connect(peer) as session:
        begin(session, forgotten)
        (reply,) = session.replies(smtp.Rset())
        assert reply.code == 250
        assert session.conn.envelope is None
        send(session, peer, MESSAGES[Smtp.PLAIN])
        session.quit()
    assert peer.mailboxes.files(forgotten) == []


@trials(SMTP_SERVERS, Smtp.TWO_MESSAGES)
def test_two_messages(peer: SmtpServer) -> None:
    with connect(peer) as session:
        send(session, peer, MESSAGES[Smtp.DOTS])
        send(session, peer, MESSAGES[Smtp.NO_FINAL_CRLF])
        session.quit()
