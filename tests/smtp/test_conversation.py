"""A client and a server connected in memory, both behaving at random: they stay of one mind.

The client sends any command at any time; what it may not send is refused and changes nothing.
The server accepts, rejects, challenges, lets in and shuts down as it likes. The transport hands
on any number of octets at a time. Whatever comes of it, the server is told what the client sent,
the client is told what the server answered, in order, and nobody waits for ever.
"""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smtpproto import LocalProtocolError, smtp, strategies
from smtpproto.smtp import State, ext
from tests.sessions import repaired

OFFERS: list[tuple[smtp.Extension, ...]] = [
    (),
    (ext.Chunking(), ext.StartTls(), ext.Auth("LOGIN")),
    (
        ext.Pipelining(), ext.Size(200), ext.EightBitMime(), ext.BinaryMime(), ext.Chunking(),
        ext.EnhancedStatusCodes(), ext.StartTls(), ext.Auth("LOGIN", "XTEST"), ext.SmtpUtf8(),
        ext.Expn(), ext.Etrn(), ext.Atrn(), ext.Turn(), ext.Burl(), ext.Send(), ext.Soml(),
        ext.Saml(), ext.Verb("XCLIENT"), ext.Unknown("X-ANY"),
    ),
]  # fmt: skip

COMMANDS: list[smtp.Command] = [
    smtp.Ehlo("c.example"), smtp.Helo("c.example"), smtp.Lhlo("c.example"),
    smtp.Mail("a@b.example"), smtp.Mail(None), smtp.Mail("a@b.example", size=201),
    smtp.Mail("a@b.example", size=20, body="8BITMIME"), smtp.Mail("é@b.example", smtputf8=True),
    smtp.Mail("a@b.example", body="BINARYMIME"), smtp.Mail("a@b.example", {"X-Y": "1"}),
    smtp.Rcpt("c@d.example"), smtp.Rcpt("Postmaster"), smtp.Rcpt('"two words"@d.example'),
    smtp.Rcpt("é@d.example"), smtp.Data(), smtp.Rset(), smtp.Noop(), smtp.Noop("x"), smtp.Help(),
    smtp.Vrfy("c"), smtp.Vrfy("é", True), smtp.Expn("list"), smtp.Etrn("#q"), smtp.Quit(),
    smtp.Burl("imap://u@h/x"), smtp.Burl("imap://u@h/x", True), smtp.SendMail("a@b.example"),
    smtp.SendOrMail(None), smtp.SendAndMail("a@b.example"), smtp.Extended("XCLIENT", "NAME=x"),
    smtp.Auth("LOGIN"), smtp.Auth("XTEST", b"\0a"), smtp.Auth("XTEST", b""), smtp.StartTls(),
]  # fmt: skip
ONWARD: list[smtp.Command] = [
    smtp.Ehlo("c.example"), smtp.Lhlo("c.example"), smtp.Mail("a@b.example"),
    smtp.Rcpt("c@d.example"), smtp.Data(), smtp.Auth("LOGIN"), smtp.StartTls(),
]  # fmt: skip
"""What leads to a message, or elsewhere, so that somebody gets there."""

Sent = smtp.Command | smtp.EndOfMessage | smtp.AuthResponse | smtp.AuthCancelled


class Conversation(RuleBasedStateMachine):
    lmtp: ClassVar[bool] = False

    @initialize(
        offer=st.sampled_from(OFFERS),
        pipeline_octets=st.sampled_from([None, 4096, 60]),
        refusals=st.sampled_from([None, 20, 2]),
        done=st.sampled_from([4, 3, 2, 1, 0]),
    )
    def connect(
        self,
        offer: tuple[smtp.Extension, ...],
        pipeline_octets: int | None,
        refusals: int | None,
        done: int,
    ) -> None:
        self.server = smtp.ServerConnection(
            "mx.example",
            extensions=offer,
            lmtp=self.lmtp,
            limits=smtp.Limits(recipients=3, refusals=refusals),
        )
        self.client = smtp.ClientConnection(
            lmtp=self.lmtp, limits=smtp.Limits(pipeline_octets=pipeline_octets)
        )
        self.to_server = b""
        self.to_client = b""
        self.server_said = b""
        self.client_events: list[smtp.Event] = []
        self.server_events: list[smtp.Event] = []
        self.sent: list[tuple[Sent, bytes]] = []  # each with the octets of the message it ends
        self.message = b""
        self.chunk_left = b""
        self.rejected_at: set[int] = set()  # where the server reports the chunk that we reject
        begin = [
            smtp.Lhlo("c.example") if self.lmtp else smtp.Ehlo("c.example"),
            smtp.Mail("a@b.example"),
            smtp.Rcpt("c@d.example"),
        ]
        for command in begin[:done]:
            self.client_sends(command)
            self.everything_arrives("accept")

    # -- the client -------------------------------------------------------------------------------

    def client_sends(self, item: Sent | smtp.MessageData, message: bytes = b"") -> bool:
        client = self.client
        before = (client.state, client.envelope, client.closed, client.wants_data)
        try:
            client.send(item)
        except LocalProtocolError:
            assert client.data_to_send() == b""
            assert (client.state, client.envelope, client.closed, client.wants_data) == before
            return False
        self.to_server += client.data_to_send()
        if not isinstance(item, smtp.MessageData):
            self.sent.append((item, message))
        return True

    @rule(command=st.sampled_from(COMMANDS) | st.sampled_from(ONWARD))
    def client_sends_a_command(self, command: smtp.Command) -> None:
        self.client_sends(command)

    @rule(command=strategies.smtp_commands())
    def client_sends_anything(self, command: smtp.Command) -> None:
        if not isinstance(command, smtp.Bdat) and bytes(command).isascii():
            self.client_sends(command)

    @rule(recipients=st.lists(st.sampled_from(["c@d.example", "e@f.example"]), max_size=4))
    def client_sends_a_transaction(self, recipients: list[str]) -> None:
        self.client_sends(smtp.Mail("a@b.example"))
        for recipient in recipients:
            self.client_sends(smtp.Rcpt(recipient))

    @rule(piece=strategies.messages(), end=st.booleans())
    def client_sends_message(self, piece: bytes, end: bool) -> None:
        if not self.chunk_left and self.client_sends(smtp.MessageData(piece)):
            self.message += piece
        if end:
            self.client_ends_the_message()

    @rule()
    def client_ends_the_message(self) -> None:
        if self.client_sends(smtp.EndOfMessage(), repaired(self.message)):
            self.message = b""

    @rule(chunk=strategies.messages(max_pieces=4), last=st.booleans(), now=st.integers(0, 20))
    def client_sends_a_chunk(self, chunk: bytes, last: bool, now: int) -> None:
        if self.client_sends(smtp.Bdat(len(chunk), last), chunk):
            self.chunk_left = chunk
            self.client_sends_octets(now)

    @rule(count=st.integers(0, 20))
    def client_sends_octets(self, count: int) -> None:
        """Of the chunk that it has announced."""
        if self.client.closed:
            self.chunk_left = b""
        octets, self.chunk_left = self.chunk_left[:count], self.chunk_left[count:]
        if octets:
            assert self.client_sends(smtp.MessageData(octets))

    @rule(
        answer=st.sampled_from(
            [smtp.AuthResponse(b"me"), smtp.AuthResponse(), smtp.AuthCancelled()]
        )
    )
    def client_goes_on_with_auth(self, answer: smtp.AuthResponse | smtp.AuthCancelled) -> None:
        self.client_sends(answer)

    @rule(
        command=st.sampled_from([smtp.Auth("LOGIN"), smtp.Auth("XTEST", b"")]),
        first=st.sampled_from([None, smtp.Rset(), smtp.Ehlo("c.example"), smtp.Lhlo("c.example")]),
    )
    def client_is_challenged(self, command: smtp.Auth, first: smtp.Command | None) -> None:
        if first is not None and self.client_sends(first):
            self.everything_arrives("accept")
        if self.client_sends(command):
            self.octets_reach_the_server(10**6)
            self.server_answers("challenge", 0)
            self.octets_reach_the_client(10**6)

    # -- the server -------------------------------------------------------------------------------

    def server_writes(self) -> None:
        octets = self.server.data_to_send()
        self.to_client += octets
        self.server_said += octets

    def server_handles_events(self) -> None:
        for event in self.server.events():
            self.server_events.append(event)
        self.server_writes()

    def server_owes(self) -> bool:
        return self.server.owed is not None or self.server.state is State.GREETING

    @rule(
        answer=st.sampled_from(["accept"] * 6 + ["text", "refuse for now", "refuse", "challenge"]),
        code=st.sampled_from([450, 451, 500, 502, 503, 550, 552, 554]),
    )
    def server_answers(self, answer: str, code: int) -> None:
        server = self.server
        if not self.server_owes():
            with pytest.raises(LocalProtocolError):
                server.accept()
            assert server.data_to_send() == b""
            return
        owed = server.owed
        if answer.startswith("refuse") and isinstance(owed, smtp.ChunkReceived | smtp.Burl):
            self.rejected_at.add(len(self.server_events))
        if answer == "refuse":
            server.reject(code, "no, or perhaps later", None)
        elif answer == "refuse for now":
            server.reject(451)
        elif isinstance(owed, smtp.Auth | smtp.AuthResponse):
            with pytest.raises(LocalProtocolError):
                server.accept()
            with pytest.raises(LocalProtocolError):
                server.send(smtp.Reply(235, "in"))
            assert server.data_to_send() == b""
            assert server.owed == owed
            if answer == "challenge":
                server.send(smtp.AuthChallenge(b"more"))
            else:
                server.authenticated("somebody")
        elif isinstance(owed, smtp.Etrn | smtp.Burl):
            server.send(smtp.Reply(250, "OK"))
        elif isinstance(owed, smtp.Atrn | smtp.Turn):
            server.reject(502)
        elif isinstance(owed, smtp.EndOfMessage) and server.owed_recipient is not None:
            server.send(smtp.Reply(250 if answer == "text" else 452))
        else:
            server.accept("of course" if answer == "text" else None)
        self.server_handles_events()

    @precondition(lambda self: len(self.sent) > 8)
    @rule()
    def server_shuts_down(self) -> None:
        self.server.shutdown("going down")
        self.server_handles_events()

    # -- the transport ----------------------------------------------------------------------------

    @rule(count=st.integers(1, 40) | st.just(10**6))
    def octets_reach_the_server(self, count: int) -> None:
        piece, self.to_server = self.to_server[:count], self.to_server[count:]
        if piece:
            self.server.receive_data(piece)
        self.server_handles_events()

    @rule(count=st.integers(1, 40) | st.just(10**6))
    def octets_reach_the_client(self, count: int) -> None:
        piece, self.to_client = self.to_client[:count], self.to_client[count:]
        if piece:
            self.client.receive_data(piece)
        for event in self.client.events():
            self.client_events.append(event)
            if isinstance(event, smtp.TlsHandshake):
                assert self.to_client == b""
                assert self.server_events[-1] == smtp.TlsHandshake()
                self.client.tls_started()
                self.server.tls_started()
        self.to_server += self.client.data_to_send()

    @precondition(lambda self: len(self.sent) > 5)
    @rule()
    def connection_is_lost(self) -> None:
        """With all that was on its way."""
        owed = () if self.server.owed is None else (self.server.owed,)
        closed = self.server.closed
        self.to_client = self.to_server = b""
        self.server.receive_data(b"")
        self.server_handles_events()
        if owed:
            assert not self.server.closed
            self.server.abort()
            self.server_handles_events()
        if not closed:
            assert isinstance(self.server_events[-1], smtp.ConnectionClosed)
            assert self.server_events[-1].unanswered == owed
        self.client.receive_data(b"")
        self.client_events += self.client.events()
        assert isinstance(self.client_events[-1], smtp.ConnectionClosed)
        self.to_client = self.to_server = b""

    @rule(answer=st.sampled_from(["accept", "accept", "accept", "refuse for now"]))
    def everything_arrives(self, answer: str) -> None:
        """And is answered."""
        for _ in range(2000):
            self.octets_reach_the_client(10**6)
            self.octets_reach_the_server(10**6)
            if self.server_owes():
                self.server_answers(answer, 0)
            elif not self.to_client and not self.to_server:
                return
        raise AssertionError("they never come to rest")

    # -- of one mind ------------------------------------------------------------------------------

    def replies(self) -> list[smtp.Reply]:
        """What the server has said, read apart from the client."""
        replies = []
        whole = b""
        for line in self.server_said.splitlines(keepends=True):
            whole += line
            if line[3:4] == b" ":
                replies.append(smtp.Reply.parse(whole))
                whole = b""
        return replies

    @invariant()
    def the_client_hears_the_replies_in_order(self) -> None:
        """And each belongs to the oldest step that waits for one."""
        steps: list[smtp.Request | smtp.AuthCancelled | None] = [smtp.Greeting()]
        for item, _ in self.sent:
            if isinstance(item, smtp.AuthResponse | smtp.AuthCancelled):
                steps.append(next(one for one in reversed(steps) if isinstance(one, smtp.Auth)))
            else:
                steps.append(item)
        waiting = iter(steps)
        recipients: list[smtp.Rcpt] = []
        answered = 0  # of the recipients, after an LMTP message
        heard = (
            event
            for event in self.client_events
            if isinstance(event, smtp.ReplyReceived | smtp.AuthChallenge)
        )
        for reply, event in zip(self.replies(), heard, strict=False):
            if isinstance(event, smtp.AuthChallenge):
                assert reply == smtp.Reply(334, "bW9yZQ==")
                assert isinstance(next(waiting), smtp.Auth)
                continue
            assert event.reply == reply
            if answered == 0:
                step = next(waiting, smtp.EndOfMessage() if reply.code == 421 else None)
            if reply.code == 421:  # it may come although nothing was asked
                assert event.command in (step, None)
                if event.recipient is not None:  # the others of them are left unanswered
                    answered = (answered + 1) % len(recipients)
                continue
            assert event.command == step
            if event.recipient is not None:
                assert self.lmtp
                assert event.recipient == recipients[answered]
                answered = (answered + 1) % len(recipients)
            if reply.severity != 2:
                continue
            if isinstance(step, smtp.Rcpt):
                recipients.append(step)
            elif isinstance(step, smtp.Mail | smtp.SendMail | smtp.SendOrMail | smtp.SendAndMail):
                recipients = []
        if self.client_events and isinstance(self.client_events[-1], smtp.ConnectionClosed):
            partly_answered = [step] if answered else []
            unanswered = [one for one in (*partly_answered, *waiting) if one is not None]
            assert self.client_events[-1].unanswered == tuple(unanswered)

    @invariant()
    def the_server_hears_what_the_client_sent(self) -> None:
        sent = iter(self.sent)
        got = b""
        chunks = b""
        for place, event in enumerate(self.server_events):
            match event:
                case smtp.Greeting():
                    pass
                case smtp.MessageData(data):
                    got += data
                case smtp.CommandRefused(line, reply):
                    if reply.code == 421 and event == self.server_events[-2]:
                        continue
                    item, _ = next(sent)
                    assert isinstance(item, smtp.Command)
                    if isinstance(item, smtp.Auth):
                        assert line.startswith(b"AUTH")
                    else:
                        assert line + b"\r\n" == bytes(item)
                case smtp.AuthCancelled():
                    assert next(sent) == (smtp.AuthCancelled(), b"")
                case smtp.ChunkReceived(size):
                    item, chunk = next(sent)
                    assert item == smtp.Bdat(size)
                    chunks += chunk
                case smtp.EndOfMessage():
                    item, message = next(sent)
                    if item == smtp.EndOfMessage():
                        assert got == message
                    else:
                        assert isinstance(item, smtp.Bdat)
                        assert item.last
                        assert got == chunks + message
                    got = chunks = b""
                case smtp.MessageRefused(reply):
                    if reply is not None and place not in self.rejected_at:
                        item, message = next(sent)
                        assert isinstance(item, smtp.Bdat | smtp.EndOfMessage)
                        assert (chunks + message).startswith(got)
                    got = chunks = b""
                case smtp.Request():
                    assert next(sent)[0] == event
                    if isinstance(event, smtp.Burl) and event.last:
                        got = chunks = b""

    def quiet(self) -> bool:
        """Whether nothing is on its way and nobody owes anything."""
        return (
            not self.to_server
            and not self.to_client
            and not self.server_owes()
            and not self.chunk_left
        )

    @invariant()
    def states_agree_when_nothing_is_on_its_way(self) -> None:
        client, server = self.client, self.server
        if self.quiet():
            assert client.next_event() is None
            assert client.data_to_send() == b""
            assert client.closed is server.closed
            assert client.state is server.state
            assert client.tls is server.tls
            if not client.closed:
                assert client.envelope == server.envelope
                assert client.wants_data
                assert server.wants_data

    def teardown(self) -> None:
        """Both come to rest: the client finishes what it has begun, the server answers all."""
        if not hasattr(self, "client"):
            return
        client, server = self.client, self.server
        for _ in range(20):
            self.everything_arrives("accept")
            if self.chunk_left:
                self.client_sends_octets(10**6)
            elif client.state is State.DATA:
                self.client_ends_the_message()
            elif client.state is State.AUTH:
                self.client_sends(smtp.AuthCancelled())
            else:
                break
        self.the_client_hears_the_replies_in_order()
        self.the_server_hears_what_the_client_sent()
        assert self.quiet()
        self.states_agree_when_nothing_is_on_its_way()
        if not client.closed:
            # Nothing is unanswered: a NOOP, or RSET where one is due, gets its reply.
            answered = len(self.client_events)
            assert self.client_sends(smtp.Quit())
            self.octets_reach_the_server(10**6)
            self.server_answers("accept", 0)
            self.octets_reach_the_client(10**6)
            assert [type(event) for event in self.client_events[answered:]] == [
                smtp.ReplyReceived,
                smtp.ConnectionClosed,
            ]
            assert self.client_events[-1] == smtp.ConnectionClosed(True)
        assert client.closed
        assert server.closed
        for events in (self.client_events, self.server_events):
            assert isinstance(events[-1], smtp.ConnectionClosed)


class LmtpConversation(Conversation):
    lmtp = True


TestSmtp = Conversation.TestCase
TestLmtp = LmtpConversation.TestCase
TestSmtp.settings = TestLmtp.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    report_multiple_bugs=False,
)


# -- what it has found, told as dialogues ----------------------------------------------------------


def talk(
    *lines: str, lmtp: bool = False, offers: str = "PIPELINING CHUNKING BURL AUTH"
) -> smtp.ClientConnection:
    """A client that has said the ``C:`` lines, Raw, and heard the ``S:`` lines."""
    client = smtp.ClientConnection(lmtp=lmtp)
    client.receive_data(b"220 mx.example\r\n")
    client.send(smtp.Lhlo("c") if lmtp else smtp.Ehlo("c"))
    words = offers.split()
    answer = ["250-mx.example", *(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}", ""]
    client.receive_data("\r\n".join(answer).encode())
    list(client.events())
    for line in lines:
        side, _, text = line.partition(": ")
        if side == "C":
            client.send(smtp.Command.parse(text.encode()))
        else:
            client.receive_data(f"{text}\r\n".encode())
            list(client.events())
    client.data_to_send()
    return client


def test_a_refused_send_within_auth_leaves_no_trace() -> None:
    client = talk("C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6")
    with pytest.raises(LocalProtocolError):
        client.send(smtp.Mail("a@b"))
    client.send(smtp.AuthCancelled())
    client.receive_data(b"501 5.7.0 Authentication cancelled\r\n")
    list(client.events())
    client.send(smtp.Mail("a@b"))
    assert client.data_to_send() == b"*\r\nMAIL FROM:<a@b>\r\n"


def test_a_last_chunk_that_comes_too_late_ends_no_transaction() -> None:
    """RCPT and the chunk go out one after the other; the recipient was refused."""
    client = talk(
        "C: MAIL FROM:<a@b>", "S: 250 OK", "C: RCPT TO:<c@d>", "C: BDAT 0 LAST",
        "S: 550 no such user", "S: 503 no recipients",
    )  # fmt: skip
    assert client.state is State.MAIL
    assert client.envelope == smtp.Envelope("a@b")


@pytest.mark.parametrize("given_up_with", ["RSET", "EHLO c"])
def test_a_message_is_given_up_even_if_rset_is_refused(
    given_up_with: str,
) -> None:
    """The server has said so with MessageRefused(None): there is no way back into the message."""
    client = talk(
        "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@d>", "S: 250 OK", "S: 250 OK",
        "C: BDAT 0", "S: 250 OK", f"C: {given_up_with}", "S: 451 later",
    )  # fmt: skip
    server = smtp.ServerConnection("mx.example", extensions=[ext.Chunking()])
    server.accept()
    server.receive_data(
        b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0\r\n%b\r\n" % given_up_with.encode()
    )
    given_up = False
    for event in server.events():
        if event == smtp.MessageRefused(None):
            given_up = True
        elif given_up:
            server.reject(451, "later")
        else:
            server.accept()
    assert given_up
    assert client.state is server.state


@pytest.mark.parametrize("last", ["BDAT 0 LAST", "BURL imap://u@h/x LAST"])
def test_lmtp_one_reply_for_each_recipient(last: str) -> None:
    """Whatever ends the message (RFC 2033 section 4.2)."""
    server = smtp.ServerConnection(
        "mx.example", extensions=[ext.EightBitMime(), ext.Chunking(), ext.Burl()], lmtp=True
    )
    server.accept()
    server.receive_data(
        b"LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n%b\r\n" % last.encode()
    )
    for event in server.events():
        if isinstance(event, smtp.EndOfMessage | smtp.Burl):
            break
        assert isinstance(event, smtp.Request)
        server.accept()
    server.data_to_send()
    assert server.owed_recipient == smtp.Rcpt("c@d")
    server.send(smtp.Reply(250, "first"))
    assert server.owed_recipient == smtp.Rcpt("e@f")
    server.send(smtp.Reply(450, "second"))
    assert server.owed_recipient is None
    assert server.data_to_send() == b"250 first\r\n450 second\r\n"


def test_lmtp_a_chunk_after_a_failed_one_is_refused_for_each_recipient() -> None:
    """Both count the same: the client does not wait for a reply that never comes."""
    server = smtp.ServerConnection("mx.example", extensions=[ext.Chunking()], lmtp=True)
    server.accept()
    server.receive_data(b"LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n")
    for _ in server.events():
        server.accept()
    server.data_to_send()
    server.receive_data(b"BDAT 1\r\nxBDAT 1 LAST\r\ny")
    for event in server.events():
        if isinstance(event, smtp.ChunkReceived):
            server.reject(451, "later")
    answer = server.data_to_send()
    assert [line[:3] for line in answer.splitlines()] == [b"451", b"503", b"503"]

    client = talk(
        "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@d>", "C: RCPT TO:<e@f>", "S: 250 OK", "S: 250 OK",
        "S: 250 OK", lmtp=True,
    )  # fmt: skip
    for chunk, last in ((b"x", False), (b"y", True)):
        client.send(smtp.Bdat(1, last))
        client.send(smtp.MessageData(chunk))
    client.receive_data(answer)
    assert [type(event) for event in client.events()] == [smtp.ReplyReceived] * 3
    client.send(smtp.Rset())
    assert client.data_to_send().endswith(b"RSET\r\n")


def test_421_ends_the_session_whichever_call_says_it() -> None:
    server = smtp.ServerConnection("mx.example")
    server.accept()
    server.receive_data(b"NOOP\r\nNOOP\r\n")
    assert server.next_event() == smtp.Noop()
    server.reject(421, "going down")
    assert server.closed
    assert isinstance(server.next_event(), smtp.ConnectionClosed)


def test_lmtp_the_recipients_are_known_before_the_end_of_the_message_is_written() -> None:
    """However many there are: the client waits for as many replies."""
    client = talk(
        "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@d>", "C: RCPT TO:<e@f>", "C: BURL imap://u@h/x LAST",
        "S: 250 OK", "S: 250 OK", "S: 250 OK", lmtp=True,
    )  # fmt: skip
    client.receive_data(b"250 first\r\n450 second\r\n")
    burl = smtp.Burl("imap://u@h/x", last=True)
    assert list(client.events()) == [
        smtp.ReplyReceived(burl, smtp.Reply(250, "first"), smtp.Rcpt("c@d")),
        smtp.ReplyReceived(burl, smtp.Reply(450, "second"), smtp.Rcpt("e@f")),
    ]
