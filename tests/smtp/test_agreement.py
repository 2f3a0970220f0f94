"""A client and a server that agree on extensions by lot: what the one means, the other is told.

In test_conversation.py both behave at random. Here each step is brought to its end, so that it is
known what must come of it: a command that the offer allows is handed out as it was sent, every
parameter and every octet of the message included; one that the offer rules out is refused by the
client, and by the server when its octets come all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from smtpproto import LocalProtocolError, smtp, strategies
from smtpproto._mechanisms import REVEALING, SERVER_FIRST
from smtpproto.smtp import State, ext
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._events import MailCommand
from tests.sessions import joined, repaired, replies_in


def names(parameters: Iterable[Mapping[str, int]]) -> tuple[str, ...]:
    """Sorted, each once."""
    return tuple(sorted({name for each in parameters for name in each}))


OF_MAIL = names(one.mail_parameters for one in CLASSES.values())
OF_RCPT = names(one.rcpt_parameters for one in CLASSES.values())
ALWAYS = {"EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "HELP"}
IMPLIED_BY_LMTP = (ext.Pipelining(), ext.EnhancedStatusCodes())
NO_LIMITS = smtp.Limits(refusals=None)  # what is refused here is refused on purpose

PRIVATE_VERBS = st.sampled_from(["XCLIENT", "XFORWARD", "VERB", "ONEX"])


def offers() -> st.SearchStrategy[tuple[smtp.Extension, ...]]:
    """Some extensions, or one of each class, with what they need; limits that are soon reached."""
    few = st.none() | st.integers(1, 4)
    narrow: dict[type[smtp.Extension], st.SearchStrategy[smtp.Extension]] = {
        ext.Size: st.builds(ext.Size, st.none() | st.integers(0, 60)),
        ext.Limits: st.builds(ext.Limits, few, few, few),
        # Of other verbs a client cannot know that they are verbs.
        ext.Verb: st.builds(ext.Verb, PRIVATE_VERBS),
    }
    classes = [
        narrow[one] if one in narrow else strategies.smtp_extensions(one)
        for one in (*CLASSES.values(), ext.Verb, ext.Unknown)
    ]
    some = st.lists(st.one_of(classes), max_size=12, unique_by=lambda one: one.keyword)
    return st.one_of(some, st.tuples(*classes)).map(with_what_they_need)


def with_what_they_need(extensions: Iterable[smtp.Extension]) -> tuple[smtp.Extension, ...]:
    offered = {one.keyword: one for one in extensions}
    for one in list(offered.values()):
        for keyword in one.needs:
            offered.setdefault(keyword, CLASSES[keyword]())
    return tuple(offered.values())


# -- what a client may say ------------------------------------------------------------------------
# Built once: to build a strategy takes longer than to draw from it.

REVERSE_PATHS = st.one_of(
    st.none(),
    strategies.smtp_addresses(utf8=False, bare_postmaster=False),
    strategies.smtp_addresses(bare_postmaster=False),
)
FORWARD_PATHS = st.one_of(
    st.sampled_from(["c@d.example", "e@D.Example", "e@f.example", "Postmaster"]).map(smtp.Address),
    strategies.smtp_addresses(utf8=False),
    strategies.smtp_addresses(),
)
SENDS = st.builds(
    lambda kind, path: kind(path),
    st.sampled_from([smtp.SendMail, smtp.SendOrMail, smtp.SendAndMail]),
    REVERSE_PATHS,
)
NAMES = st.sampled_from(["Smith", "Example-People", "jörg@mx.example", "李"])
QUERIES = st.one_of(
    st.builds(smtp.Vrfy, NAMES, st.booleans()),
    st.builds(smtp.Expn, NAMES, st.booleans()),
    st.builds(smtp.Help, st.none() | NAMES),
    st.builds(smtp.Etrn, NAMES),
    st.builds(smtp.Extended, PRIVATE_VERBS, st.none() | NAMES),
    strategies.smtp_commands(smtp.Vrfy, smtp.Expn, smtp.Noop, smtp.Rset),
)
BURLS = st.builds(smtp.Burl, st.sampled_from(["imap://u@h/x", "imap://jörg@h/x"]), st.just(True))
MESSAGES = strategies.messages()


@cache
def mails(offered: tuple[str, ...]) -> st.SearchStrategy[smtp.Command]:
    """With parameters that are offered, or any of MAIL's, or any at all."""
    return st.one_of(
        *(
            st.builds(smtp.Mail, REVERSE_PATHS, strategies.smtp_parameters(only=names))
            for names in ((), offered, offered, OF_MAIL, None)
        ),
        SENDS,
    )


@cache
def recipients(offered: tuple[str, ...]) -> st.SearchStrategy[list[smtp.Rcpt]]:
    """With parameters that are offered, or any of RCPT's, or any at all."""
    each = st.one_of(
        *(
            st.builds(smtp.Rcpt, FORWARD_PATHS, strategies.smtp_parameters(only=names))
            for names in ((), offered, offered, OF_RCPT, None)
        )
    )
    return st.lists(each, max_size=4)


# -- what comes of it -----------------------------------------------------------------------------

Reasons = frozenset[int]
"""The codes of what speaks against a command, or against a message: one of them is given."""


class Terms:
    """What two sides with this offer have agreed on, worked out apart from both connections."""

    def __init__(self, offer: tuple[smtp.Extension, ...], *, tls: bool, lmtp: bool) -> None:
        given = {one.keyword for one in offer}
        implied = [one for one in IMPLIED_BY_LMTP if lmtp and one.keyword not in given]
        lines = [(one, one.shown(tls)) for one in (*implied, *offer)]
        self.lines = [str(line) for _, line in lines if line is not None]
        self.offered = [one for one, line in lines if line is not None]
        self.verbs = {verb for one in offer if one.available(tls) for verb in one.verbs}
        self.limits = next((one for one in offer if isinstance(one, ext.Limits)), ext.Limits())
        auth = next((one for one in offer if isinstance(one, ext.Auth)), ext.Auth())
        self.mechanisms = [name for name in auth.mechanisms if tls or name not in REVEALING]
        self.hidden = [name for name in auth.mechanisms if name not in self.mechanisms]
        self.unknown = any(isinstance(one, ext.Unknown) for one in offer)
        self.of_mail = names(one.mail_parameters for one in self.offered)
        self.of_rcpt = names(one.rcpt_parameters for one in self.offered)
        self.tls = tls
        self.lmtp = lmtp
        self.authenticated = False
        self.mail: MailCommand | None = None
        self.mails = 0
        self.recipients = 0
        self.domains: set[str] = set()

    def offers(self, keyword: str) -> bool:
        return any(one.keyword == keyword for one in self.offered)

    @property
    def size(self) -> int | None:
        """The largest message."""
        return next((one.limit or None for one in self.offered if isinstance(one, ext.Size)), None)

    def reasons(self, command: smtp.Command) -> Iterator[int]:
        """The codes for which a server must refuse it, were it sent now."""
        verb = command.name if isinstance(command, smtp.Extended) else command.verb
        if verb not in ALWAYS and verb not in self.verbs:
            yield 500 if isinstance(command, smtp.Extended) else 502
        if isinstance(command, smtp.Ehlo if self.lmtp else smtp.Lhlo):
            yield 500
        if not bytes(command).isascii() and not self.offers("SMTPUTF8"):
            yield 500
        if isinstance(command, MailCommand) and full(self.mails, self.limits.mailmax):
            yield 421
        match command:
            case smtp.Mail():
                yield from self.against_mail(command)
            case smtp.SendMail(path) | smtp.SendOrMail(path) | smtp.SendAndMail(path):
                if path is not None and not path.is_ascii:
                    yield 550
            case smtp.Rcpt():
                yield from self.against_rcpt(command)
            case smtp.Data():
                if isinstance(self.mail, smtp.Mail) and self.mail.body == "BINARYMIME":
                    yield 503
            case smtp.Vrfy(argument, smtputf8) | smtp.Expn(argument, smtputf8):
                if smtputf8 and not self.offers("SMTPUTF8"):
                    yield 555
                if not smtputf8 and not argument.isascii():
                    yield 550
            case smtp.Auth(mechanism) if mechanism not in self.mechanisms:
                yield 538 if mechanism in self.hidden else 504
            case smtp.Auth():
                if self.authenticated:
                    yield 503

    def against_mail(self, mail: smtp.Mail) -> Iterator[int]:
        for name, value in mail.parameters.items():
            bringing = [one for one in self.offered if name in one.mail_parameters]
            if name == "BODY":
                bringing = [one for one in bringing if value in one.bodies]
            if not bringing and not self.passes(name):
                yield 555
        if mail.reverse_path is not None and not mail.reverse_path.is_ascii and not mail.smtputf8:
            yield 550
        if mail.size is not None and self.size is not None and mail.size > self.size:
            yield 552
        for one in self.offered:
            match one:
                case ext.DeliverBy(int(minimum)) if mail.by is not None and mail.by.mode == "R":
                    if mail.by.seconds < minimum:
                        yield 555
                case ext.FutureRelease(interval, date_time):
                    if mail.holdfor is not None and mail.holdfor > interval:
                        yield 501
                    if mail.holduntil is not None and mail.holduntil > date_time:
                        yield 501

    def against_rcpt(self, rcpt: smtp.Rcpt) -> Iterator[int]:
        for name in rcpt.parameters:
            bringing = [one for one in self.offered if name in one.rcpt_parameters]
            if not bringing and not self.passes(name):
                yield 555
        utf8 = isinstance(self.mail, smtp.Mail) and self.mail.smtputf8
        if not rcpt.forward_path.is_ascii and not utf8:
            yield 553
        if full(self.recipients, self.limits.rcptmax):
            yield 452
        known = domain_of(rcpt) in self.domains
        if not known and full(len(self.domains), self.limits.rcptdomainmax):
            yield 452

    def passes(self, name: str) -> bool:
        """Whether a parameter that no extension brings may be one of an unknown extension."""
        return self.unknown and name not in OF_MAIL and name not in OF_RCPT

    def count(self, command: smtp.Command) -> None:
        """The command is sent."""
        if isinstance(command, MailCommand):
            self.mail = command
            self.mails += 1
            self.recipients = 0
        elif isinstance(command, smtp.Rcpt):
            self.recipients += 1
            self.domains.add(domain_of(command))


def full(count: int, most: int | None) -> bool:
    return most is not None and count >= most


def domain_of(rcpt: smtp.Rcpt) -> str:
    return (rcpt.forward_path.domain or "").lower()


def running(machine: Agreement) -> bool:
    return not machine.client.closed


class Agreement(RuleBasedStateMachine):
    lmtp: ClassVar[bool] = False

    @initialize(
        offer=offers(),
        tls=st.booleans(),
        sizes=st.lists(st.integers(1, 80), min_size=1, max_size=4),
    )
    def connect(self, offer: tuple[smtp.Extension, ...], tls: bool, sizes: list[int]) -> None:
        self.offer = offer
        self.sizes = itertools.cycle(sizes)
        self.told: list[smtp.Event] = []
        self.heard: list[smtp.ReplyReceived] = []
        self.written = b""
        self.reply: smtp.Reply | None = None  # to the next request
        self.rejected: set[smtp.Rcpt] = set()
        self.turned: smtp.ClientConnection | None = None
        self.server = smtp.ServerConnection(
            "mx.example", extensions=offer, lmtp=self.lmtp, tls=tls, limits=NO_LIMITS
        )
        self.client = smtp.ClientConnection(lmtp=self.lmtp, tls=tls, limits=NO_LIMITS)
        self.begin()

    def begin(self) -> None:
        self.server.accept()
        self.agree()
        self.terms = Terms(self.offer, tls=self.server.tls, lmtp=self.lmtp)
        self.hello()

    @precondition(lambda self: self.client.closed)
    @rule()
    def nothing_more(self) -> None:
        """After a 421."""
        with pytest.raises(LocalProtocolError, match="the session is over"):
            self.client.send(smtp.Noop())
        self.agree()

    # -- what the client says ---------------------------------------------------------------------

    @precondition(running)
    @rule()
    def hello(self) -> None:
        hello = (smtp.Lhlo if self.lmtp else smtp.Ehlo)("c.example")
        self.agree(self.send(hello))
        assert [str(one) for one in self.client.capabilities] == self.terms.lines

    @precondition(running)
    @rule(data=st.data(), count=st.integers(1, 6))
    def transactions(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            if not self.client.closed:
                self.transaction(data)

    def transaction(self, data: st.DataObject) -> None:
        mail = self.send(data.draw(mails(self.terms.of_mail)))
        if not isinstance(mail, MailCommand):
            self.agree(mail)
            return
        rcpts = data.draw(recipients(self.terms.of_rcpt))
        self.rejected = data.draw(st.sets(st.sampled_from(rcpts))) if rcpts else set()
        meant = [mail, *map(self.send, rcpts)]
        sent = [one for one in meant if isinstance(one, smtp.Rcpt)]
        self.agree(*meant)
        accepted = [rcpt for rcpt in sent if rcpt not in self.rejected]
        assert self.server.envelope == smtp.Envelope(mail, accepted)
        if accepted:
            how = data.draw(st.sampled_from([self.by_data, self.by_bdat, self.by_burl]))
            answered = [one.recipient for one in how(data) if one.recipient is not None]
            assert answered == (accepted if self.lmtp and self.client.envelope is None else [])
        if self.client.state is not State.READY:
            self.agree(self.send(smtp.Rset()))

    def by_data(self, data: st.DataObject) -> list[smtp.ReplyReceived]:
        begun = self.send(smtp.Data())
        heard = self.agree(begun)
        if isinstance(begun, frozenset):
            return heard
        message = data.draw(MESSAGES)
        for piece in self.pieces(message):
            self.client.send(smtp.MessageData(piece))
        self.client.send(smtp.EndOfMessage())
        return self.agree(*self.message(repaired(message)))

    def by_bdat(self, data: st.DataObject) -> list[smtp.ReplyReceived]:
        if not self.terms.offers("CHUNKING"):
            return self.agree(self.send(smtp.Bdat(0, last=True)))
        mail = self.terms.mail
        binary = isinstance(mail, smtp.Mail) and mail.body == "BINARYMIME"
        drawn = data.draw(MESSAGES)
        message = drawn if binary else repaired(drawn)
        too_large = self.terms.size is not None and len(message) > self.terms.size
        # A chunk that is too large ends the message, so it is the last then.
        *chunks, last = [message] if too_large else [*self.pieces(message)] or [b""]
        meant: list[smtp.Event | Reasons] = []
        held = b""
        for chunk in chunks:
            self.client.send(smtp.Bdat(len(chunk)))
            self.client.send(smtp.MessageData(chunk))
            content = held + chunk
            held = b"\r" if content.endswith(b"\r") and not binary else b""  # waits for its LF
            if content != held:
                meant.append(smtp.MessageData(content.removesuffix(held)))
            meant.append(smtp.ChunkReceived(len(chunk)))
        self.client.send(smtp.Bdat(len(last), last=True))
        if last:
            self.client.send(smtp.MessageData(last))
        return self.agree(*meant, *self.message(held + last))

    def by_burl(self, data: st.DataObject) -> list[smtp.ReplyReceived]:
        return self.agree(self.send(data.draw(BURLS)))

    def message(self, content: bytes) -> Iterator[smtp.Event | Reasons]:
        """What the server is told of a message, or of what is left of it."""
        most = self.terms.size
        too_large = most is not None and len(content) > most
        if content[:most]:
            yield smtp.MessageData(content[:most])
        yield frozenset({552}) if too_large else smtp.EndOfMessage()

    @precondition(running)
    @rule(
        command=QUERIES,
        reply=strategies.smtp_replies(codes=st.sampled_from([214, 250, 252, 450, 504, 550, 553])),
    )
    def query(self, command: smtp.Command, reply: smtp.Reply) -> None:
        """With an answer of any text, in one line or several."""
        meant = self.send(command)
        self.reply = None if isinstance(meant, frozenset) else reply
        self.agree(meant)

    @precondition(running)
    @rule(
        command=strategies.smtp_commands(
            smtp.StartTls, smtp.Turn, smtp.Atrn, smtp.Burl, smtp.Bdat, smtp.SendMail,
            smtp.SendOrMail, smtp.SendAndMail, smtp.Etrn, smtp.Expn, smtp.Ehlo, smtp.Lhlo,
        )
    )  # fmt: skip
    def what_is_not_offered(self, command: smtp.Command) -> None:
        if isinstance(command, smtp.Bdat):
            command = smtp.Bdat(0, command.last)  # no octets follow
        if any(self.terms.reasons(command)):
            self.agree(self.send(command))

    @precondition(running)
    @rule(initial=st.none() | st.binary(max_size=20), place=st.integers(0, 3))
    def auth(self, initial: bytes | None, place: int) -> None:
        usable = self.terms.mechanisms
        if not usable and self.terms.offers("AUTH"):
            return  # offered without any mechanism: the client may try
        mechanism = usable[place % len(usable)] if usable else "PLAIN"
        command = smtp.Auth(mechanism, None if mechanism in SERVER_FIRST else initial)
        self.agree(self.send(command))
        self.terms.authenticated = self.server.identity is not None

    @precondition(lambda self: running(self) and self.terms.offers("STARTTLS"))
    @rule()
    def starttls(self) -> None:
        self.agree(self.send(smtp.StartTls()), smtp.TlsHandshake())
        assert self.client.tls
        assert self.server.tls
        self.terms = Terms(self.offer, tls=True, lmtp=self.lmtp)
        self.hello()

    @precondition(lambda self: running(self) and not self.lmtp)
    @rule(command=st.just(smtp.Turn()) | strategies.smtp_commands(smtp.Atrn))
    def turn(self, command: smtp.Turn | smtp.Atrn) -> None:
        if any(self.terms.reasons(command)):
            return
        meant = self.send(command)
        if isinstance(command, smtp.Atrn) and not self.terms.authenticated:
            self.agree(frozenset({530}))
            return
        self.hand_to_server(self.client.data_to_send())
        assert self.told == [meant, smtp.ConnectionClosed(True, handed_over=True)]
        assert self.turned is not None
        self.client.receive_data(self.turned.data_to_send())
        self.listen()
        server = smtp.ServerConnection(
            "c.example", extensions=self.offer, tls=self.client.tls, limits=NO_LIMITS
        )
        self.client.reversed(server)
        self.client, self.server = self.turned, server
        self.told.clear()
        self.heard.clear()
        self.begin()

    # -- both sides -------------------------------------------------------------------------------

    def send(self, command: smtp.Command) -> smtp.Event | Reasons:
        """What the server must make of a command; what it must refuse is sent as Raw."""
        reasons = frozenset(self.terms.reasons(command))
        if not reasons:
            self.client.send(command)
            self.terms.count(command)
            return command
        self.hand_to_server(self.client.data_to_send())
        before = (self.client.state, self.client.envelope, self.client.closed)
        with pytest.raises(LocalProtocolError):
            self.client.send(command)
        assert self.client.data_to_send() == b""
        assert (self.client.state, self.client.envelope, self.client.closed) == before
        self.client.send(smtp.Raw(bytes(command)))
        return reasons

    def agree(self, *meant: smtp.Event | Reasons) -> list[smtp.ReplyReceived]:
        """Everything arrives: the server was told what was meant, the client hears each reply."""
        while self.carry():
            pass
        told = joined(self.told)
        if told and isinstance(told[-1], smtp.ConnectionClosed):  # after 421
            assert told.pop() == smtp.ConnectionClosed(True)
            assert self.client.closed
        for event, expected in itertools.zip_longest(told, meant):
            if isinstance(expected, frozenset):
                assert isinstance(event, smtp.CommandRefused | smtp.MessageRefused)
                assert event.reply is not None
                assert event.reply.code in expected
            else:
                assert event == expected
        heard = self.heard
        assert [event.reply for event in heard] == replies_in(self.written)
        assert self.client.state is self.server.state
        assert self.client.envelope == self.server.envelope
        self.told, self.heard, self.written = [], [], b""
        return heard

    def carry(self) -> bool:
        """Hand on what there is."""
        to_server, to_client = self.client.data_to_send(), self.server.data_to_send()
        self.hand_to_server(to_server)
        self.written += to_client
        for piece in self.pieces(to_client):
            self.client.receive_data(piece)
            self.listen()
        return bool(to_server or to_client)

    def pieces(self, octets: bytes) -> Iterator[bytes]:
        while octets:
            size = next(self.sizes)
            yield octets[:size]
            octets = octets[size:]

    def hand_to_server(self, octets: bytes) -> None:
        for piece in self.pieces(octets):
            self.server.receive_data(piece)
            for event in self.server.events():
                self.told.append(event)
                if isinstance(event, smtp.Request):
                    self.answer(event)

    def answer(self, request: smtp.Request) -> None:
        server = self.server
        if self.reply is not None:
            server.send(self.reply)
            self.reply = None
        elif isinstance(request, smtp.Auth):
            server.authenticated("somebody")
        elif isinstance(request, smtp.Turn | smtp.Atrn):
            self.turned = smtp.ClientConnection(tls=server.tls, limits=NO_LIMITS)
            server.reversed(self.turned)
        elif isinstance(request, smtp.Rcpt) and request in self.rejected:
            server.reject(550)
        elif server.owed_recipient is not None:
            server.send(smtp.Reply(250, str(server.owed_recipient.forward_path)))
            if server.owed_recipient is not None:  # all the others
                server.reject(452)
        elif isinstance(request, smtp.Burl):
            server.send(smtp.Reply(250))
        else:
            server.accept()

    def listen(self) -> None:
        for event in self.client.events():
            if isinstance(event, smtp.TlsHandshake):
                self.client.tls_started()
                self.server.tls_started()
            elif isinstance(event, smtp.ReplyReceived):
                self.heard.append(event)


class LmtpAgreement(Agreement):
    lmtp = True


TestSmtp = Agreement.TestCase
TestLmtp = LmtpAgreement.TestCase
TestSmtp.settings = TestLmtp.settings = settings(
    max_examples=100,
    stateful_step_count=12,
    report_multiple_bugs=False,
)
