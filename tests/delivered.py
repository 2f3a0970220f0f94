"""A delivery from end to end, and a model of what must come of it.

A ServerConnection takes the message; its application accepts and refuses as chance has it, and
notes whom each refusal is about. Octets are cut anywhere, and the transport may break. Nothing
here knows how Delivery works: the message that is handed out and the verdicts are judged by what
was to be sent and by what the application has said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from smtpproto import LocalProtocolError, smtp
from smtpproto.smtp import State, Verdict, ext
from smtpproto.smtp._outgoing import BLOCK, Message
from tests.sessions import repaired

__all__ = ["Pick", "deliver"]

T = TypeVar("T")

OFFERS: tuple[smtp.Extension, ...] = (
    ext.Pipelining(), ext.Size(), ext.Size(1000), ext.EightBitMime(), ext.Chunking(),
    ext.BinaryMime(), ext.SmtpUtf8(), ext.EnhancedStatusCodes(), ext.Limits(rcptmax=2),
    ext.Limits(mailmax=2, rcptmax=1), ext.Limits(rcptdomainmax=1), ext.Unknown("X-ANY"),
)  # fmt: skip
NAMES = ("b@x.example", "c@x.example", "d@y.example", "Postmaster", "é@x.example")
MAILS = (
    *[smtp.Mail("a@client.example")] * 6, smtp.Mail(None), smtp.Mail("é@client.example"),
    smtp.Mail("a@client.example", body="BINARYMIME"), smtp.Mail("a@client.example", body="7BIT"),
    smtp.Mail("a@client.example", body="8BITMIME"),
)  # fmt: skip
REFUSALS = (
    (450, None), (451, None), (452, None), (452, "4.5.3"), (550, None), (552, None),
    (552, "5.2.2"), (554, None), (421, None),
)  # fmt: skip


class Pick(Protocol):
    """Chance: one of the options. `what` it is about is for whoever reads a failure."""

    def __call__(self, what: str, options: Sequence[T]) -> T: ...


class Refusal(NamedTuple):
    """What the application has said, whom it is about, and what that means for them."""

    code: int
    about: tuple[smtp.Rcpt, ...]
    verdict: Verdict


class Receiver:
    """A server that takes messages, and refuses now and then whatever it is asked."""

    def __init__(self, pick: Pick, envelope: smtp.Envelope, lmtp: bool) -> None:
        self.pick = pick
        self.everybody = envelope.recipients
        self.hostility = pick("of ten are refused", (0, 0, 1, 3))
        offers = {one.keyword: one for one in OFFERS if pick(f"offers {one}", (False, True))}
        self.conn = smtp.ServerConnection(
            "mx.example",
            extensions=[one for one in offers.values() if set(one.needs) <= set(offers)],
            lmtp=lmtp,
            limits=smtp.Limits(recipients=pick("recipients at a time", (1000, 1000, 1, 2))),
        )
        self.message = b""
        self.accepted: list[tuple[smtp.Rcpt, bytes]] = []
        self.enhanced = lmtp or "ENHANCEDSTATUSCODES" in offers
        self.refusals: dict[str, Refusal] = {}
        """By their texts, each of which is said once."""
        self.own_refusals: list[smtp.Reply] = []
        self.answer(self.everybody)

    def refuses(self) -> bool:
        return self.pick("a number", range(10)) < self.hostility

    def refusal(
        self, about: tuple[smtp.Rcpt, ...], rcpt: bool = False
    ) -> tuple[int, str, str | None]:
        code, status = self.pick("refusal", REFUSALS)
        # RFC 5321 section 4.5.3.1.10; where there are enhanced codes it gets one that knows better.
        too_many = rcpt and (code, status) == (552, None) and not self.enhanced
        verdict = Verdict.DEFERRED if code < 500 or too_many else Verdict.REFUSED
        text = f"no {len(self.refusals)}"
        self.refusals[text] = Refusal(code, self.everybody if code == 421 else about, verdict)
        return code, text, status

    def answer(self, about: tuple[smtp.Rcpt, ...], rcpt: bool = False) -> bool:
        """Answer what is owed; whether it was accepted."""
        if self.refuses():
            self.conn.reject(*self.refusal(about, rcpt))
            return False
        self.conn.accept()
        return True

    def receive(self, octets: bytes) -> None:
        self.conn.receive_data(octets)
        for event in self.conn.events():
            match event:
                case smtp.MessageData(data):
                    self.message += data
                case smtp.MessageRefused(reply):
                    self.message = b""
                    if reply is not None:
                        self.own_refusals.append(reply)
                case smtp.CommandRefused(_, reply):
                    self.own_refusals.append(reply)
                case smtp.EndOfMessage():
                    self.take_message()
                case smtp.Rcpt():
                    self.answer((event,), rcpt=True)
                case smtp.Request():
                    self.answer(self.everybody)

    def take_message(self) -> None:
        message, self.message = self.message, b""
        assert self.conn.envelope is not None
        mail, recipients = self.conn.envelope.mail, self.conn.envelope.recipients
        assert isinstance(mail, smtp.Mail)
        assert message.isascii() or mail.body in ("8BITMIME", "BINARYMIME")
        assert mail.size in (None, len(message))
        if self.conn.owed_recipient is None:
            if self.answer(recipients):
                self.accepted += [(recipient, message) for recipient in recipients]
            return
        while (recipient := self.conn.owed_recipient) is not None:  # LMTP
            if self.refuses():
                code, text, status = self.refusal((recipient,))
                self.conn.send(smtp.Reply(code, text, enhanced=status))
            else:
                self.conn.send(smtp.Reply(250))
                self.accepted.append((recipient, message))


def deliver(pick: Pick, pieces: Sequence[bytes]) -> None:
    """Deliver a message of these pieces. Raises AssertionError when the model knows better."""
    lmtp = pick("LMTP", (False, False, True))
    names = [pick("recipient", NAMES) for _ in range(pick("recipients", (1, 2, 3, 6)))]
    envelope = smtp.Envelope(pick("MAIL", MAILS), names)
    whole = b"".join(pieces)
    form = pick("form", ("octets", "octets", "pieces", "fed"))
    message: Message = {"octets": whole, "pieces": iter(pieces), "fed": None}[form]

    server = Receiver(pick, envelope, lmtp)
    limits = smtp.Limits(pipeline_octets=pick("pipeline_octets", (None, 4096, 60, 1)))
    conn = smtp.ClientConnection(lmtp=lmtp, limits=limits)
    delivery = smtp.Delivery(conn, envelope, message, domain="client.example")
    breaks = pick("the transport breaks", (False, False, True))
    until_break = pick("after octets", (*range(300), 2 * BLOCK)) if breaks else None
    at_a_time = pick("octets at a time", (None, None, 1, 5)) if len(whole) < 1000 else None
    carry(delivery, server, list(pieces), pick, until_break, at_a_time)

    assert delivery.data_to_send() == b""
    if not conn.closed:
        assert conn.idle
        assert conn.state is server.conn.state
        assert conn.state in (State.READY, State.CONNECTED, State.CLOSING)
    assert delivery.report is not None
    mail = envelope.mail
    assert isinstance(mail, smtp.Mail)
    arrives = whole if mail.body == "BINARYMIME" else repaired(whole)
    assert all(message == arrives for _, message in server.accepted)
    check(delivery.report, envelope, server)
    for outcome in delivery.report.outcomes:
        if outcome.reply is None and not conn.closed:
            assert (
                cannot_go(mail, outcome.recipient, arrives, conn.capabilities)
                or "LIMITS" in conn.capabilities
                or (form != "octets" and outcome.verdict is Verdict.DEFERRED)  # read only once
            )


def carry(
    delivery: smtp.Delivery,
    server: Receiver,
    to_feed: list[bytes],
    pick: Pick,
    until_break: int | None,
    at_a_time: int | None,
) -> None:
    """Carry octets both ways until the report is there."""
    to_client = b""
    while delivery.report is None:
        while delivery.wants_message:
            if to_feed:
                delivery.send_message(to_feed.pop(0))
            else:
                delivery.end_message()
        try:
            out = delivery.data_to_send()
        except LocalProtocolError:  # octets beyond ASCII turned up within DATA
            assert delivery.report is not None
            return
        assert len(out) <= 65536
        broken = until_break is not None and len(out) >= until_break
        if until_break is not None:
            out, until_break = out[:until_break], until_break - len(out)
        step = at_a_time or len(out) or 1
        for start in range(0, len(out), step):
            server.receive(out[start : start + step])
        to_client += server.conn.data_to_send()
        if broken:  # and nothing that the server has said comes back
            delivery.receive_data(b"")
        elif to_client:
            heard = pick("octets heard", (len(to_client), len(to_client), 1))
            delivery.receive_data(to_client[:heard])
            to_client = to_client[heard:]
        elif server.conn.closed:
            delivery.receive_data(b"")
        else:
            assert out or delivery.wants_message, "both wait for the other"


def check(report: smtp.Report, envelope: smtp.Envelope, server: Receiver) -> None:
    """The report says of each recipient what the server said."""
    assert tuple(outcome.recipient for outcome in report.outcomes) == envelope.recipients
    taken = Counter(recipient for recipient, _ in server.accepted)
    for recipient in set(envelope.recipients):
        found = [one.verdict for one in report.outcomes if one.recipient == recipient]
        accepted = found.count(Verdict.ACCEPTED)
        assert accepted <= taken[recipient] <= accepted + found.count(Verdict.UNKNOWN)
    for outcome in report.outcomes:
        reply = outcome.reply
        if reply is None:
            assert outcome.verdict is not Verdict.ACCEPTED
        elif reply.severity == 2:
            assert outcome.verdict is Verdict.ACCEPTED
        elif reply in server.own_refusals:
            temporary = reply.severity == 4
            assert outcome.verdict is (Verdict.DEFERRED if temporary else Verdict.REFUSED)
        else:
            refusal = server.refusals[reply.text]
            assert reply.code == refusal.code
            assert outcome.recipient in refusal.about
            assert outcome.verdict is refusal.verdict


def cannot_go(
    mail: smtp.Mail, recipient: smtp.Rcpt, arrives: bytes, offered: smtp.Capabilities
) -> bool:
    """Whether this server cannot be sent such a message, or not for this recipient."""
    if mail.body == "BINARYMIME":
        unfit = not {"BINARYMIME", "CHUNKING"} <= {one.keyword for one in offered}
    else:
        unfit = (mail.body is not None or not arrives.isascii()) and "8BITMIME" not in offered
        unfit = unfit or (mail.body == "7BIT" and not arrives.isascii())
    paths = (mail.reverse_path, recipient.forward_path)
    beyond_ascii = any(path is not None and not path.is_ascii for path in paths)
    return (
        unfit
        or (beyond_ascii and "SMTPUTF8" not in offered)
        or (offered.size is not None and len(arrives) > offered.size)
    )
