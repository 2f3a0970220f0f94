"""Delivery to a ServerConnection that behaves at random, over a transport that may be cut anywhere.

Whatever comes of it, the report says of each recipient what the server did, what the server
received is the message, and the connection can be used again or is closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, smtp, strategies
from smtpproto.smtp import State, ext
from smtpproto.smtp.content import BLOCK, Message
from tests.delivering import A, U
from tests.sessions import repaired

OFFERS: list[smtp.Extension] = [
    ext.Pipelining(), ext.Size(), ext.Size(1000), ext.EightBitMime(), ext.Chunking(),
    ext.BinaryMime(), ext.SmtpUtf8(), ext.EnhancedStatusCodes(), ext.Limits(rcptmax=2),
    ext.Limits(mailmax=2, rcptmax=1), ext.Limits(rcptdomainmax=1), ext.Unknown("X-ANY"),
]  # fmt: skip
NAMES = ["b@x.example", "c@x.example", "d@y.example", "Postmaster", "é@x.example"]
MAILS = [
    *[smtp.Mail("a@client.example")] * 6, smtp.Mail(None), smtp.Mail("é@client.example"),
    smtp.Mail("a@client.example", body="BINARYMIME"), smtp.Mail("a@client.example", body="7BIT"),
]  # fmt: skip
REFUSALS = [(450, None), (451, None), (452, None), (452, "4.5.3"), (550, None), (552, None),
            (552, "5.2.2"), (554, None), (421, None)]  # fmt: skip

pieces = st.lists(
    st.sampled_from([b"hello\n", b".\r\n", b"\r", b"", b"x" * BLOCK, b"\n" * (BLOCK + 1)])
    | strategies.messages(max_pieces=4),
    max_size=4,
)


class Server:
    """A ServerConnection, and an application that accepts and refuses as it likes."""

    def __init__(self, data: st.DataObject, offers: Iterable[smtp.Extension], lmtp: bool) -> None:
        self.data = data
        self.hostility = data.draw(st.sampled_from([0, 0, 1, 3]), label="of ten are refused")
        self.conn = smtp.ServerConnection(
            "mx.example",
            extensions=offers,
            lmtp=lmtp,
            limits=smtp.Limits(recipients=data.draw(st.sampled_from([1, 2, 1000]))),
        )
        self.message = b""
        self.accepted: list[tuple[smtp.Rcpt, bytes]] = []
        self.answer()

    def answer(self) -> bool:
        """Answer what is owed; whether it was accepted."""
        if self.data.draw(st.integers(0, 9)) >= self.hostility:
            self.conn.accept()
            return True
        code, status = self.data.draw(st.sampled_from(REFUSALS))
        self.conn.reject(code, "no", status)
        return False

    def receive(self, octets: bytes) -> None:
        conn = self.conn
        conn.receive_data(octets)
        for event in conn.events():
            match event:
                case smtp.MessageData(data):
                    self.message += data
                case smtp.MessageRefused():
                    self.message = b""
                case smtp.EndOfMessage():
                    self.take_message()
                case smtp.Request():
                    self.answer()

    def take_message(self) -> None:
        message, self.message = self.message, b""
        assert self.conn.envelope is not None
        recipients = self.conn.envelope.recipients
        if self.conn.owed_recipient is None:
            if self.answer():
                self.accepted += [(recipient, message) for recipient in recipients]
            return
        while (recipient := self.conn.owed_recipient) is not None:
            if self.data.draw(st.integers(0, 9)) < self.hostility:
                code, _ = self.data.draw(st.sampled_from(REFUSALS))
                self.conn.send(smtp.Reply(code))
            else:
                self.conn.send(smtp.Reply(250))
                self.accepted.append((recipient, message))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    offers=st.lists(st.sampled_from(OFFERS), unique_by=lambda one: one.keyword),
    lmtp=st.booleans(),
    mail=st.sampled_from(MAILS),
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=6),
    pieces=pieces,
    form=st.sampled_from(["octets", "pieces", "fed"]),
    pipeline_octets=st.sampled_from([None, 4096, 60]),
)
def test_the_report_is_what_the_server_did(
    data: st.DataObject,
    offers: list[smtp.Extension],
    lmtp: bool,
    mail: smtp.Mail,
    names: list[str],
    pieces: list[bytes],
    form: str,
    pipeline_octets: int | None,
) -> None:
    offered = {one.keyword for one in offers}
    server = Server(data, [one for one in offers if offered.issuperset(one.needs)], lmtp)
    conn = smtp.ClientConnection(lmtp=lmtp, limits=smtp.Limits(pipeline_octets=pipeline_octets))
    whole = b"".join(pieces)
    message: Message = {"octets": whole, "pieces": iter(pieces), "fed": None}[form]
    envelope = smtp.Envelope(mail, names)
    delivery = smtp.Delivery(conn, envelope, message, domain="client.example")
    until_cut = data.draw(st.none() | st.integers(0, 300) | st.integers(0, 3 * BLOCK))
    to_feed = list(pieces)
    to_client = b""
    for _ in range(5000):
        if delivery.report is not None:
            break
        while delivery.wants_message:
            if to_feed:
                delivery.send_message(to_feed.pop(0))
            else:
                delivery.end_message()
        try:
            out = delivery.data_to_send()
        except LocalProtocolError:  # octets beyond ASCII
            assert not whole.isascii()
            continue
        assert len(out) <= 65536
        if until_cut is not None and len(out) >= until_cut:
            server.receive(out[:until_cut])  # and nothing that it says comes back
            delivery.receive_data(b"")
            continue
        if until_cut is not None:
            until_cut -= len(out)
        if out:
            server.receive(out)
        to_client += server.conn.data_to_send()
        heard = data.draw(st.sampled_from([len(to_client), len(to_client), 1]))
        if to_client:
            delivery.receive_data(to_client[:heard])
            to_client = to_client[heard:]
        elif server.conn.closed and delivery.report is None:
            delivery.receive_data(b"")

    report = delivery.report
    assert report is not None
    assert tuple(one.recipient for one in report.outcomes) == envelope.recipients
    taken = Counter(recipient for recipient, _ in server.accepted)
    for recipient in set(envelope.recipients):
        found = [one.verdict for one in report.outcomes if one.recipient == recipient]
        assert found.count(A) <= taken[recipient] <= found.count(A) + found.count(U)
    expected = whole if mail.body == "BINARYMIME" else repaired(whole)
    assert all(received == expected for _, received in server.accepted)
    assert all(one.verdict is not U for one in report.outcomes) or conn.closed
    assert delivery.data_to_send() == b""
    if not conn.closed:
        assert conn.idle
        assert conn.state is server.conn.state
        assert conn.state in (State.READY, State.CONNECTED, State.CLOSING)
