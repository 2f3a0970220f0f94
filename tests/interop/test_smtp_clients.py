"""Real SMTP clients against our server."""

from __future__ import annotations

import pytest

from smtpproto import smtp
from tests.interop.client import Account, Mail, SmtpClient
from tests.interop.features import SMTP_AUTH, UTF8_NAME, Smtp, mechanism
from tests.interop.mailboxes import DOMAIN
from tests.interop.messages import MESSAGES, SMTP_MESSAGES
from tests.interop.ours import Receivers, smtp_server
from tests.interop.table import SMTP_CLIENTS, trials
from tests.wrappers.kinds import KINDS
from tests.wrappers.smtp_server import EXTENSIONS

PLAIN = MESSAGES[Smtp.PLAIN]


def assert_arrived(server: Receivers, *messages: bytes) -> None:
    assert [message for _, message in server.mailbox] == list(messages)


@trials(SMTP_CLIENTS, *SMTP_MESSAGES)
def test_octets_that_arrive_equal_octets_that_left(peer: SmtpClient, message: bytes) -> None:
    with smtp_server(peer.certificate) as server:
        assert peer.send(Account(server.port), Mail(message)) == [True]
    assert_arrived(server, peer.as_sent(message))


@trials(SMTP_CLIENTS, Smtp.REFUSED)
def test_many_recipients_some_refused(peer: SmtpClient) -> None:
    accepted = [f"box{number}@{DOMAIN}" for number in range(70)]
    recipients = list(accepted)
    for number in range(30):
        recipients.insert(3 * number, f"nobody{number}@{DOMAIN}")
    with smtp_server(peer.certificate) as server:
        peer.send(Account(server.port), Mail(PLAIN, recipients=recipients))
    assert_arrived(server, peer.as_sent(PLAIN))
    ((envelope, _),) = server.mailbox
    assert [str(rcpt.forward_path) for rcpt in envelope.recipients] == accepted


@trials(SMTP_CLIENTS, Smtp.PIPELINING)
def test_pipelining(peer: SmtpClient) -> None:
    with smtp_server(peer.certificate, pipelined=True) as server:
        assert peer.send(Account(server.port), Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))


@trials(SMTP_CLIENTS, Smtp.NO_PIPELINING)
def test_without_pipelining(peer: SmtpClient) -> None:
    extensions = [e for e in EXTENSIONS if not isinstance(e, smtp.ext.Pipelining)]
    with smtp_server(peer.certificate, extensions=extensions) as server:
        assert peer.send(Account(server.port), Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))


@trials(SMTP_CLIENTS, Smtp.BDAT)
def test_bdat(peer: SmtpClient) -> None:
    with smtp_server(peer.certificate) as server:
        assert peer.send(Account(server.port), Mail(MESSAGES[Smtp.EIGHT_BIT])) == [True]
    assert_arrived(server, peer.as_sent(MESSAGES[Smtp.EIGHT_BIT]))
    (session,) = server.sessions
    assert b"BDAT " in b"".join(session.heard)


@pytest.mark.parametrize("kind", KINDS)
@trials(SMTP_CLIENTS, Smtp.STARTTLS)
def test_starttls(peer: SmtpClient, kind: str) -> None:
    with smtp_server(
        peer.certificate,
        kind=kind,
        extensions=[*EXTENSIONS, smtp.ext.StartTls()],
        require_tls=True,
    ) as server:
        assert peer.send(Account(server.port, "start"), Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))


@trials(SMTP_CLIENTS, Smtp.TLS)
def test_implicit_tls(peer: SmtpClient) -> None:
    with smtp_server(peer.certificate, tls=True) as server:
        assert peer.send(Account(server.port, "implicit"), Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))


@trials(SMTP_CLIENTS, *SMTP_AUTH)
def test_authentication(peer: SmtpClient, feature: Smtp) -> None:
    name = mechanism(feature)
    with smtp_server(
        peer.certificate,
        extensions=[*EXTENSIONS, smtp.ext.StartTls(), smtp.ext.Auth(name)],
        require_auth=True,
    ) as server:
        account = Account(server.port, "start", name)
        assert peer.send(account._replace(password="wrong"), Mail(PLAIN)) == [False]
        assert server.mailbox == []
        assert peer.send(account, Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))
    assert server.sessions[-1].conn.identity == account.user


@trials(SMTP_CLIENTS, Smtp.DSN)
def test_dsn(peer: SmtpClient) -> None:
    with smtp_server(peer.certificate, extensions=[*EXTENSIONS, smtp.ext.Dsn()]) as server:
        assert peer.send(Account(server.port), Mail(PLAIN, dsn=True)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))
    ((envelope, _),) = server.mailbox
    assert isinstance(envelope.mail, smtp.Mail)
    assert envelope.mail.parameters["RET"] == "HDRS"
    assert envelope.recipients[0].parameters["NOTIFY"] == ("SUCCESS",)


@trials(SMTP_CLIENTS, Smtp.SMTPUTF8)
def test_smtputf8(peer: SmtpClient) -> None:
    mail = Mail(
        "Keywords: Grüße\r\n".encode() + PLAIN,
        sender="jürgen@client.example",
        recipients=[f"{UTF8_NAME}@{DOMAIN}"],
        utf8=True,
    )
    with smtp_server(peer.certificate) as server:
        assert peer.send(Account(server.port), mail) == [True]
    assert_arrived(server, peer.as_sent(mail.message))
    ((envelope, _),) = server.mailbox
    assert isinstance(envelope.mail, smtp.Mail)
    assert envelope.mail.parameters["SMTPUTF8"] is True
    assert str(envelope.mail.reverse_path) == mail.sender


@trials(SMTP_CLIENTS, Smtp.SIZE)
def test_size_refused(peer: SmtpClient) -> None:
    """By MAIL, or, where the client does not say the size, at the end of the message."""
    with smtp_server(peer.certificate, extensions=[smtp.ext.Size(1_000_000)]) as server:
        assert peer.send(Account(server.port), Mail(MESSAGES[Smtp.FIVE_MB])) == [False]
        assert peer.send(Account(server.port), Mail(PLAIN)) == [True]
    assert_arrived(server, peer.as_sent(PLAIN))


@trials(SMTP_CLIENTS, Smtp.RSET)
def test_rset_in_a_transaction(peer: SmtpClient) -> None:
    """After a MAIL whose recipients are all refused."""
    refused = Mail(PLAIN, recipients=[f"nobody@{DOMAIN}"])
    with smtp_server(peer.certificate) as server:
        assert peer.send(Account(server.port), refused, Mail(PLAIN)) == [False, True]
    assert_arrived(server, peer.as_sent(PLAIN))
    (session,) = server.sessions
    assert b"RSET\r\n" in b"".join(session.heard).upper()


@trials(SMTP_CLIENTS, Smtp.TWO_MESSAGES)
def test_two_messages(peer: SmtpClient) -> None:
    with smtp_server(peer.certificate) as server:
        assert peer.send(Account(server.port), Mail(PLAIN), Mail(PLAIN)) == [True, True]
    assert_arrived(server, peer.as_sent(PLAIN), peer.as_sent(PLAIN))
    assert len(server.sessions) == 1
