"""Messages travel: between every two kinds of I/O, in clear and under TLS, logged in or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import trustme

from smtpproto import LocalProtocolError, pop3, sasl, smtp
from tests.wrappers.client import RefusedError
from tests.wrappers.kinds import KINDS, Kind, Tls
from tests.wrappers.pop3_client import Fetcher
from tests.wrappers.pop3_server import CAPABILITIES, Keeper, Maildrops
from tests.wrappers.server import MECHANISMS
from tests.wrappers.smtp_client import Sender
from tests.wrappers.smtp_server import EXTENSIONS, Receiver

TIM, PASSWORD = "tim", "tanstaaftanstaaf"
PASSWORDS = {TIM: PASSWORD}
ADDRESS = smtp.Address("tim@mx.example")
ENVELOPE = smtp.Envelope("a@client.example", [ADDRESS])
HELLO = b"Subject: hello\r\n\r\nHow do you do?\r\n"
DOTS = b".\r\n..\r\n" + b".dots, at the start of every line\r\n" * 150_000

MAILBOX = list[tuple[smtp.Envelope, bytes]]
STARTTLS_AND_AUTH = (
    *EXTENSIONS,
    smtp.ext.StartTls(),
    smtp.ext.Auth(*MECHANISMS, plaintext_without_tls=True),
)
STLS_AND_SASL = pop3.Capabilities(
    (*CAPABILITIES, "STLS", f"SASL {' '.join(MECHANISMS)}"), plaintext_without_tls=True
)


def receiver(mailbox: MAILBOX, *, tls: bool = False, lmtp: bool = False) -> Receiver:
    extensions = STARTTLS_AND_AUTH
    return Receiver({ADDRESS}, mailbox, extensions=extensions, tls=tls, lmtp=lmtp)


def keeper(maildrops: Maildrops, *, tls: bool = False) -> Keeper:
    return Keeper(maildrops, capabilities=STLS_AND_SASL, tls=tls)


def client_mechanisms(password: str) -> Iterator[sasl.ClientMechanism]:
    yield sasl.ScramClient("SCRAM-SHA-256", TIM, password)
    yield sasl.ScramClient("SCRAM-SHA-1", TIM, password)
    yield sasl.CramMd5Client(TIM, password)
    yield sasl.PlainClient(TIM, password)
    yield sasl.LoginClient(TIM, password)


@pytest.mark.parametrize("tls", [None, "starttls", "implicit"])
@pytest.mark.parametrize("client", KINDS)
@pytest.mark.parametrize("server", KINDS)
def test_a_message_goes_in_by_smtp_and_comes_out_by_pop3(
    server: str, client: str, tls: Tls, authority: trustme.CA, certificate: trustme.LeafCert
) -> None:
    implicit = tls == "implicit"
    mailbox: MAILBOX = []
    with KINDS[server].start(
        lambda: receiver(mailbox, tls=implicit), certificate=certificate
    ) as smtp_server:
        report = KINDS[client].deliver(
            smtp_server.port, ENVELOPE, HELLO, tls=tls, authority=authority
        )
    assert [outcome.verdict for outcome in report.outcomes] == [smtp.Verdict.ACCEPTED]
    ((envelope, message),) = mailbox
    assert envelope.recipients == ENVELOPE.recipients

    maildrops = Maildrops({TIM: {"uid-1": message}})
    with KINDS[server].start(
        lambda: keeper(maildrops, tls=implicit),
        password_of=PASSWORDS.get,
        certificate=certificate,
    ) as pop3_server:
        messages = KINDS[client].fetch(
            pop3_server.port, TIM, PASSWORD, tls=tls, authority=authority
        )
    assert messages == [("uid-1", HELLO)]
    assert maildrops == {TIM: {}}


def test_five_megabytes_of_dots_arrive_as_they_left(kind: Kind) -> None:
    mailbox: MAILBOX = []
    with kind.start(lambda: receiver(mailbox)) as server:
        kind.deliver(server.port, ENVELOPE, DOTS)
    assert mailbox[0][1] == DOTS

    maildrops = Maildrops({TIM: {"1": DOTS, "2": HELLO}})
    with kind.start(lambda: keeper(maildrops), password_of=PASSWORDS.get) as server:
        assert kind.fetch(server.port, TIM, PASSWORD) == [("1", DOTS), ("2", HELLO)]


def test_two_messages_on_one_connection(kind: Kind) -> None:
    mailbox: MAILBOX = []
    sessions: list[Receiver] = []

    def make_session() -> Receiver:
        sessions.append(receiver(mailbox))
        return sessions[-1]

    refused = smtp.Envelope(None, ["nobody@mx.example"])
    sender = Sender([(refused, HELLO), (ENVELOPE, DOTS), (ENVELOPE, HELLO)], domain="me.example")
    with kind.start(make_session) as server:
        kind.run(sender, server.port)
    assert [report.outcomes[0].verdict.name for report in sender.reports] == [
        "REFUSED",
        "ACCEPTED",
        "ACCEPTED",
    ]
    assert [message for _, message in mailbox] == [DOTS, HELLO]
    assert len(sessions) == 1


def test_lmtp(kind: Kind) -> None:
    mailbox: MAILBOX = []
    envelope = smtp.Envelope(None, [ADDRESS, "nobody@mx.example"])
    with kind.start(lambda: receiver(mailbox, lmtp=True)) as server:
        report = kind.deliver(server.port, envelope, HELLO, lmtp=True)
    assert [outcome.verdict.name for outcome in report.outcomes] == ["ACCEPTED", "REFUSED"]


def test_messages_that_are_known_are_left_where_they_are(kind: Kind) -> None:
    maildrops = Maildrops({TIM: {"old": DOTS, "new": HELLO}})
    with kind.start(lambda: keeper(maildrops), password_of=PASSWORDS.get) as server:
        fetch = partial(kind.fetch, server.port, TIM, PASSWORD)
        assert fetch(seen={"old"}, delete=False) == [("new", HELLO)]
        assert fetch(seen={"new", "old"}) == []
    assert maildrops == {TIM: {"old": DOTS, "new": HELLO}}


def test_every_mechanism_lets_in_who_knows_the_password(kind: Kind) -> None:
    mailbox: MAILBOX = []
    maildrops = Maildrops({TIM: {"1": HELLO}})
    start = partial(kind.start, password_of=PASSWORDS.get)
    with start(lambda: receiver(mailbox)) as taking, start(lambda: keeper(maildrops)) as giving:
        for mechanism in client_mechanisms(PASSWORD):
            kind.deliver(taking.port, ENVELOPE, HELLO, mechanism=mechanism)
        assert len(mailbox) == len(MECHANISMS)
        for mechanism in client_mechanisms(PASSWORD):
            assert kind.fetch(giving.port, mechanism=mechanism, delete=False) == [("1", HELLO)]


def test_no_mechanism_lets_in_who_does_not(kind: Kind) -> None:
    start = partial(kind.start, password_of=PASSWORDS.get)
    maildrops = Maildrops({TIM: {"1": HELLO}})
    with start(lambda: receiver([])) as taking, start(lambda: keeper(maildrops)) as giving:
        for mechanism in client_mechanisms("wrong"):
            with pytest.raises(RefusedError, match="535"):
                kind.deliver(taking.port, ENVELOPE, HELLO, mechanism=mechanism)
        for mechanism in client_mechanisms("wrong"):
            with pytest.raises(RefusedError, match="Invalid user name or password"):
                kind.fetch(giving.port, mechanism=mechanism)
        for user in (TIM, "nobody"):
            with pytest.raises(RefusedError, match="Invalid user name or password"):
                kind.fetch(giving.port, user, "wrong")  # by APOP
        scram = sasl.ScramClient("SCRAM-SHA-256", "nobody", PASSWORD)
        with pytest.raises(RefusedError, match="535"):
            kind.deliver(taking.port, ENVELOPE, HELLO, mechanism=scram)
        other = sasl.PlainClient(TIM, PASSWORD, authorization_id="root")
        with pytest.raises(RefusedError, match="535"):
            kind.deliver(taking.port, ENVELOPE, HELLO, mechanism=other)


def test_a_password_in_clear(kind: Kind) -> None:
    maildrops = Maildrops({TIM: {"1": HELLO}})
    without_apop = partial(Keeper, maildrops, apop=False)
    with kind.start(without_apop, password_of=PASSWORDS.get) as server:
        with pytest.raises(RefusedError, match="Invalid user name or password"):
            kind.fetch(server.port, TIM, "wrong")
        assert kind.fetch(server.port, TIM, PASSWORD) == [("1", HELLO)]


def test_nothing_is_said_in_clear_to_a_server_without_tls(kind: Kind) -> None:
    mailbox: MAILBOX = []
    with (
        kind.start(lambda: Receiver({ADDRESS}, mailbox)) as server,
        pytest.raises(LocalProtocolError, match="STARTTLS"),
    ):
        kind.deliver(server.port, ENVELOPE, HELLO, tls="starttls")
    with (
        kind.start(lambda: Keeper(Maildrops({}))) as server,
        pytest.raises(LocalProtocolError, match="STLS"),
    ):
        kind.fetch(server.port, TIM, PASSWORD, tls="starttls")
    assert mailbox == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_nothing_is_said_to_a_server_that_nobody_vouches_for(
    kind: Kind, tls: Tls, certificate: trustme.LeafCert
) -> None:
    mailbox: MAILBOX = []
    implicit = tls == "implicit"
    make_session = partial(receiver, mailbox, tls=implicit)
    with kind.start(make_session, certificate=certificate) as server:
        session = Sender(
            [(ENVELOPE, HELLO)], domain="me.example", starttls=not implicit, tls=implicit
        )
        with pytest.raises(OSError, match="certificate"):
            kind.run(session, server.port, authority=trustme.CA())
    assert mailbox == []


def test_one_session_at_a_time_has_the_maildrop() -> None:
    maildrops = Maildrops({TIM: {"1": HELLO}})
    assert maildrops.open(TIM, "one session")
    kind = KINDS["sockets"]
    with kind.start(lambda: keeper(maildrops), password_of=PASSWORDS.get) as server:
        with pytest.raises(RefusedError, match="Somebody else has this maildrop open"):
            kind.fetch(server.port, TIM, PASSWORD)
        maildrops.close(TIM)
        assert kind.fetch(server.port, TIM, PASSWORD) == [("1", HELLO)]


def test_a_message_that_cannot_be_kept_stays_on_the_server() -> None:
    """Though the server pipelines: DELE follows its message, and QUIT comes last."""

    class FullDisk(Fetcher):
        def keep(self, uid: str, message: bytes) -> None:
            if self.messages:
                raise OSError("disk full")
            super().keep(uid, message)

    fetcher = FullDisk(TIM, PASSWORD)
    written = b""
    for answer in (
        b"+OK ready\r\n",
        b"+OK\r\nPIPELINING\r\n.\r\n",
        b"+OK\r\n",
        b"+OK\r\n",
        b"+OK\r\n1 a\r\n2 b\r\n.\r\n",
        b"+OK\r\none\r\n.\r\n",
    ):
        written += fetcher.data_to_send()
        fetcher.receive_data(answer)
    written += fetcher.data_to_send()
    fetcher.receive_data(b"+OK\r\ntwo\r\n.\r\n")
    with pytest.raises(OSError, match="disk full"):
        fetcher.data_to_send()
    assert written.endswith(b"UIDL\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\n")
    assert fetcher.messages == [("a", b"one\r\n")]


def test_a_client_says_what_the_server_refused() -> None:
    fetcher = Fetcher(TIM, PASSWORD)
    fetcher.receive_data(b"-ERR [SYS/TEMP] closed today\r\n")
    with pytest.raises(RefusedError, match=r"Greeting\(\): closed today"):
        fetcher.data_to_send()
