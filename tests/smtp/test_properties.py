"""What holds whatever a peer sends, in every state and however its octets are cut."""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, RemoteProtocolError, smtp
from smtpproto.smtp import State, ext
from tests.sessions import cut_at, joined, replies_in

EVERYTHING: tuple[smtp.Extension, ...] = (
    ext.Pipelining(), ext.Size(40), ext.EightBitMime(), ext.BinaryMime(), ext.Chunking(),
    ext.EnhancedStatusCodes(), ext.StartTls(), ext.SmtpUtf8(),
    ext.Auth("LOGIN", "PLAIN", plaintext_without_tls=True),
    ext.Dsn(), ext.Expn(), ext.Etrn(), ext.Atrn(), ext.Turn(), ext.Burl(),
    ext.Send(), ext.Soml(), ext.Saml(), ext.Verb("XCLIENT"), ext.Unknown("X-ANY"),
)  # fmt: skip

OFFERS: list[tuple[smtp.Extension, ...]] = [
    (),
    (ext.Pipelining(), ext.Chunking(), ext.Size()),
    EVERYTHING,
]


# -- what is said ---------------------------------------------------------------------------------

CLIENT_TEXT = st.sampled_from(
    [
        b"EHLO c.example\r\n", b"HELO c.example\r\n", b"LHLO c.example\r\n", b"EHLO\r\n",
        b"MAIL FROM:<a@b.example>\r\n", b"MAIL FROM:<>\r\n", b"mail from: a@b.example \r\n",
        b"MAIL FROM:<a@b.example> SIZE=41 BODY=8BITMIME\r\n", b"MAIL FROM:<a@[1.2.3.4]>\r\n",
        b"MAIL FROM:<a@b.example> BODY=BINARYMIME SMTPUTF8\r\n", b"MAIL FROM:<a@b> X-Y=1\r\n",
        "MAIL FROM:<é@b.example> SMTPUTF8\r\n".encode(), "RCPT TO:<é@b.example>\r\n".encode(),
        b"RCPT TO:<c@d.example>\r\n", b"RCPT TO:<Postmaster>\r\n", b"RCPT TO:<@e:c@d>\r\n",
        b'RCPT TO:<"q\\"@ >"@d>\r\n', b"RCPT TO:<c@d> NOTIFY=NEVER\r\n", b"RCPT\r\n",
        b"DATA\r\n", b".\r\n", b"\r\n.\r\n", b"text\r\n", b"..\r\n", b"BDAT 3\r\n", b"abc",
        b"BDAT 0 LAST\r\n", b"BDAT 4 LAST\r\n", b"a\r\nb", b"BDAT x\r\n", b"BDAT 99999999\r\n",
        b"BURL imap://u@h/x LAST\r\n", b"BURL imap://u@h/x\r\n", b"RSET\r\n", b"NOOP\r\n",
        b"NOOP x\r\n", b"QUIT\r\n", b"HELP\r\n", b"VRFY x\r\n", "VRFY é SMTPUTF8\r\n".encode(),
        b"EXPN l\r\n", b"AUTH PLAIN\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"AUTH LOGIN\r\n",
        b"AUTH PLAIN =\r\n", b"AUTH NTLM\r\n", b"AGEAYg==\r\n", b"*\r\n", b"ETRN #q\r\n",
        b"ATRN d.example\r\n", b"TURN\r\n", b"SEND FROM:<a@b>\r\n", b"XCLIENT NAME=x\r\n",
        b"X\r\n", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"\r\n", b"\r", b"\n", b"\0", b" ",
        b"<", b">", b'"', b":", b"\t", b"\xff", b"x" * 600,
    ]
)  # fmt: skip

SERVER_TEXT = st.sampled_from(
    [
        b"220 mx.example ESMTP\r\n", b"220-mx\r\n", b"250 OK\r\n", b"250-PIPELINING\r\n",
        b"250-mx.example\r\n250-SIZE 1000\r\n250-AUTH PLAIN\r\n250 CHUNKING\r\n", b"250\r\n",
        b"250-\r\n", b"250 2.1.5 OK\r\n", b"354 go on\r\n", b"334 \r\n", b"334 AGEAYg==\r\n",
        b"334 ?\r\n", b"235 in\r\n", b"221 bye\r\n", b"252 perhaps\r\n", b"214 help\r\n",
        b"421 down\r\n", b"450 later\r\n", b"503 sequence\r\n", b"550 5.1.1 no\r\n", b"554-no\r\n",
        b"554 no\r\n", b"355 8\r\n", b"100 x\r\n", b"600 x\r\n", b"99\r\n", b"\r\n", b"\r", b"\n",
        b"\0", b"2", b"25", b"250", b"-", b" ", b"\xe9", b"x" * 1100,
    ]
)  # fmt: skip


def sayings(text: st.SearchStrategy[bytes], *, most: int = 14) -> st.SearchStrategy[bytes]:
    return st.lists(text | st.binary(max_size=4), max_size=most).map(b"".join)


def without_tls(octets: bytes) -> bytes:
    """Hand-overs are the one thing where the cut matters: nobody asks for TLS here."""
    return octets.replace(b"STARTTLS", b"STARTTLX")


lots = st.lists(st.integers(0, 11), min_size=1, max_size=20)
cuts = st.lists(st.integers(0, 200), max_size=20)


# -- a server whose application decides by lot ----------------------------------------------------


class Application:
    """Answers each request by lot, and counts the replies that must have been written."""

    def __init__(self, server: smtp.ServerConnection, lots: list[int]) -> None:
        self.server = server
        self.lots = itertools.cycle(lots)
        self.events: list[smtp.Event] = []
        self.written = b""
        self.replies = 0
        self.chunk_rejected = False

    def answer(self, request: smtp.Request | None) -> None:
        server, lot = self.server, next(self.lots)
        recipients = 1
        if isinstance(request, smtp.EndOfMessage) and server.owed_recipient is not None:
            assert server.envelope is not None
            recipients = len(server.envelope.recipients)
        if lot == 0:
            server.reject(550, "no")
        elif lot == 1:
            server.reject(450)
        elif isinstance(request, smtp.Auth | smtp.AuthResponse):
            if lot < 6:
                server.send(smtp.AuthChallenge(b"go on"))
            else:
                server.authenticated("somebody")
        elif isinstance(request, smtp.Etrn | smtp.Burl):
            for _ in range(recipients):
                server.send(smtp.Reply(250, "OK"))
        elif isinstance(request, smtp.Turn | smtp.Atrn):
            server.reject(502)
        else:
            server.accept("text of ours" if lot == 2 else None)
        self.chunk_rejected = lot < 2 and isinstance(request, smtp.ChunkReceived | smtp.Burl)
        injected = isinstance(request, smtp.StartTls) and server.closed
        self.replies += 0 if injected else recipients

    def handle_events(self) -> None:
        server = self.server
        while True:
            before = len(self.events)
            for event in server.events():
                self.events.append(event)
                if isinstance(event, smtp.TlsHandshake):
                    server.tls_started()
                elif isinstance(event, smtp.CommandRefused | smtp.AuthCancelled):
                    self.replies += 1
                elif isinstance(event, smtp.MessageRefused):
                    self.replies += event.reply is not None and not self.chunk_rejected
                    self.chunk_rejected = False
                if isinstance(event, smtp.Request):
                    self.answer(event)
            if len(self.events) == before:
                break
        self.written += server.data_to_send()

    def hear(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self.server.state is State.TLS:
                continue
            self.server.receive_data(piece)
            self.handle_events()


TRANSACTION = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"

TO_STATE: dict[State, bytes] = {
    State.CONNECTED: b"",
    State.READY: b"EHLO c.example\r\n",
    State.MAIL: b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n",
    State.RCPT: TRANSACTION,
    State.DATA: TRANSACTION + b"DATA\r\n",
    State.BDAT: TRANSACTION + b"BDAT 3\r\nabc",
    State.FAILED: TRANSACTION + b"BDAT 3\r\na\nb",
    State.AUTH: b"EHLO c.example\r\nAUTH LOGIN\r\n",
    State.TLS: b"EHLO c.example\r\nSTARTTLS\r\n",
    State.CLOSED: b"QUIT\r\n",
}
"""What a client says to bring a server that accepts everything into a state."""

# A server that is TURNED is over: the session goes on with the other connection.
EVERY_STATE = [state for state in State if state is not State.TURNED]


def server_in(
    state: State, offer: tuple[smtp.Extension, ...] = EVERYTHING, *, lmtp: bool = False
) -> smtp.ServerConnection:
    """A server in a state, nothing owed but the greeting; TLS has just begun in State.TLS."""
    server = smtp.ServerConnection("mx.example", extensions=offer, lmtp=lmtp)
    if state is State.GREETING:
        return server
    if state is State.CLOSING:
        server.reject(554)
        server.data_to_send()
        return server
    server.accept()
    server.receive_data(
        TO_STATE[state].replace(b"EHLO", b"LHLO" if lmtp else b"EHLO") or b"NOOP\r\n"
    )
    for event in server.events():
        if isinstance(event, smtp.Auth):
            server.send(smtp.AuthChallenge(b"Username:"))
        elif isinstance(event, smtp.Request):
            server.accept()
    server.data_to_send()
    assert server.state is state
    if state is State.TLS:
        server.tls_started()
    return server


def check_story(events: list[smtp.Event]) -> None:
    """The rules that hold for the events of any session."""
    assert [type(event) for event in events].count(smtp.ConnectionClosed) == 1
    assert isinstance(events[-1], smtp.ConnectionClosed)
    message_open = False
    for event in events:
        if isinstance(event, smtp.MessageData):
            assert event.data
            assert type(event.data) is bytes
            message_open = True
        elif isinstance(event, smtp.EndOfMessage | smtp.MessageRefused | smtp.ConnectionClosed):
            message_open = False
        elif isinstance(event, smtp.Data | smtp.Mail | smtp.Ehlo | smtp.Helo | smtp.Rset):
            assert not message_open, f"the message before {event!r} has no end"
        elif isinstance(event, smtp.CommandRefused):
            assert len(event.line) <= 512


class TestAnyOctetsIntoAServer:
    @pytest.mark.parametrize("state", EVERY_STATE)
    @pytest.mark.parametrize("lmtp", [False, True])
    @settings(max_examples=40)
    @given(octets=sayings(CLIENT_TEXT), lots=lots, places=cuts)
    def test_in_every_state(
        self, state: State, lmtp: bool, octets: bytes, lots: list[int], places: list[int]
    ) -> None:
        """Nothing is raised, the story is sound, and every request has got its one reply."""
        server = server_in(state, lmtp=lmtp)
        application = Application(server, lots)
        if state is State.GREETING:
            server.receive_data(octets)
            application.handle_events()
        elif state is not State.CLOSED:
            application.hear(cut_at(octets, places))
        server.receive_data(b"")
        application.handle_events()
        if state is not State.CLOSED:
            check_story(application.events)
        assert server.closed
        assert server.next_event() is None
        assert not server.wants_data
        replies = replies_in(application.written)
        goodbyes = [reply for reply in replies if reply.code == 421]
        assert len(goodbyes) <= 1
        assert goodbyes in ([], replies[-1:])
        # A BDAT that cannot be read is refused, and then the session is over.
        unreadable_chunk = any("tell the message from the commands" in one.text for one in goodbyes)
        if not lmtp:  # where one refusal is written for each recipient
            assert len(replies) == application.replies + unreadable_chunk

    @pytest.mark.parametrize("offer", OFFERS, ids=len)
    @pytest.mark.parametrize("bare_newlines", ["refuse", "accept"])
    @settings(max_examples=60)
    @given(
        octets=sayings(CLIENT_TEXT, most=25),
        lots=lots,
        require_auth=st.booleans(),
        require_tls=st.booleans(),
    )
    def test_from_the_start(
        self,
        offer: tuple[smtp.Extension, ...],
        bare_newlines: str,
        octets: bytes,
        lots: list[int],
        require_auth: bool,
        require_tls: bool,
    ) -> None:
        server = smtp.ServerConnection(
            "mx.example",
            extensions=offer,
            bare_newlines="accept" if bare_newlines == "accept" else "refuse",
            require_auth=require_auth,
            require_tls=require_tls,
        )
        application = Application(server, lots)
        application.answer(None)
        application.hear([octets])
        server.receive_data(b"")
        application.handle_events()
        check_story(application.events)
        replies_in(application.written)


class TestTheEndOfAMessage:
    """Octets that came in one piece are not run ahead of the events."""

    WIRE = TRANSACTION + b"DATA\r\ntext\r\n.\r\n"

    def server_with_the_message_handed_out(self) -> smtp.ServerConnection:
        server = server_in(State.CONNECTED)
        server.receive_data(self.WIRE)
        for event in server.events():
            if event == smtp.MessageData(b"text\r\n"):
                break
            server.accept()
        server.data_to_send()
        return server

    def test_nothing_is_owed_before_its_event(self) -> None:
        server = self.server_with_the_message_handed_out()
        assert server.owed is None
        with pytest.raises(LocalProtocolError):
            server.accept()
        assert server.data_to_send() == b""
        assert server.next_event() == smtp.EndOfMessage()
        server.accept()

    @pytest.mark.parametrize("end", ["shutdown", "abort"])
    def test_nothing_wants_a_reply_after_the_session_is_over(self, end: str) -> None:
        server = self.server_with_the_message_handed_out()
        getattr(server, end)()
        (closed,) = server.events()
        assert isinstance(closed, smtp.ConnectionClosed)
        assert closed.clean is False


class TestSecrets:
    @pytest.mark.parametrize(
        "line",
        [
            b"AUTH PLAIN AHRpbQBzM2NyZXQ",
            b"auth  plain  AHRpbQBzM2NyZXQ",
            b"AUTH X AHRpbQBzM2NyZXQ",
            b"AUTH PLAIN=AHRpbQBzM2NyZXQ",
            b"AUTH\tPLAIN\tAHRpbQBzM2NyZXQ",
            b"AUTH=PLAIN AHRpbQBzM2NyZXQ",
            b"AUTH PLAIN\rAHRpbQBzM2NyZXQ",
            b"AUTH PLAIN\nAHRpbQBzM2NyZXQ",
            b"AUTH\x0bPLAIN AHRpbQBzM2NyZXQ",
            b"\0AUTH PLAIN AHRpbQBzM2NyZXQ",
            b" AUTH PLAIN AHRpbQBzM2NyZXQ\0",
            b"AUTH: PLAIN AHRpbQBzM2NyZXQ",
            b"AUTH PLAIN AHRpbQBzM2NyZXQ" + b"A" * 13000,
            b"AUTH PLAIN \xff AHRpbQBzM2NyZXQ",
        ],
    )
    def test_a_line_that_was_refused_does_not_show_it(self, line: bytes) -> None:
        """However little it is a command: a client has sent a password, and it is logged."""
        server = server_in(State.READY)
        server.receive_data(line + b"\r\n")
        refused = server.next_event()
        assert isinstance(refused, smtp.CommandRefused)
        assert b"AHRpbQBzM2NyZXQ" not in refused.line
        assert "AHRpbQBzM2NyZXQ" not in repr(refused)
        assert b"AHRpbQBzM2NyZXQ" not in server.data_to_send()


class TestWithoutSmtpUtf8:
    @pytest.mark.parametrize(
        "command",
        [
            smtp.Ehlo("bücher.example"),
            smtp.Noop("é"),
            smtp.Help("é"),
            smtp.Etrn("bücher.example"),
            smtp.Extended("XCLIENT", "é"),
            smtp.Mail("a@b", {"X": "é"}),
            smtp.Mail("é@b"),
            smtp.Vrfy("é"),
        ],
    )
    def test_a_client_sends_nothing_beyond_ascii(self, command: smtp.Command) -> None:
        """The server would answer 500 5.5.2: RFC 6531 section 3.2."""
        client = smtp.ClientConnection()
        client.receive_data(b"220 mx\r\n250-mx\r\n250-XCLIENT\r\n250-ETRN\r\n250 X-ANY\r\n")
        client.send(smtp.Ehlo("c"))
        list(client.events())
        client.data_to_send()
        with pytest.raises(LocalProtocolError, match=r"RFC 6531|SMTPUTF8"):
            client.send(command)
        assert client.data_to_send() == b""


class TestAnyOctetsIntoAClient:
    GREETED = b"220 mx.example ESMTP\r\n"
    OFFERED = GREETED + (
        b"250-mx.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n"
        b"250-XCLIENT\r\n250 AUTH PLAIN\r\n"
    )
    HEARD: ClassVar[dict[str, tuple[list[smtp.Command | smtp.MessageData], bytes]]] = {
        "waits for the greeting": ([], b""),
        "has sent EHLO too early": ([smtp.Ehlo("c")], b""),
        "waits for EHLO": ([smtp.Ehlo("c")], GREETED),
        "connected": ([], GREETED),
        "refused": ([], b"554 no\r\n"),
        "quits": ([smtp.Ehlo("c"), smtp.Quit()], OFFERED),
        "ready": ([smtp.Ehlo("c")], OFFERED),
        "verifies": ([smtp.Ehlo("c"), smtp.Vrfy("x")], OFFERED),
        "waits for a transaction": (
            [smtp.Ehlo("c"), smtp.Mail("a@b"), smtp.Rcpt("c@d"), smtp.Rcpt("e@f"), smtp.Data()],
            OFFERED,
        ),
        "sends a message": (
            [smtp.Ehlo("c"), smtp.Mail("a@b"), smtp.Rcpt("c@d"), smtp.Data()],
            OFFERED + b"250 OK\r\n250 OK\r\n354 go\r\n",
        ),
        "sends chunks": (
            [
                smtp.Ehlo("c"), smtp.Mail("a@b"), smtp.Rcpt("c@d"), smtp.Bdat(1),
                smtp.MessageData(b"x"), smtp.Bdat(3, True), smtp.MessageData(b"ab"),
            ],
            OFFERED + b"250 OK\r\n250 OK\r\n",
        ),
        "authenticates": ([smtp.Ehlo("c"), smtp.Auth("PLAIN")], OFFERED),
        "is challenged": ([smtp.Ehlo("c"), smtp.Auth("PLAIN")], OFFERED + b"334 \r\n"),
        "waits for TLS": ([smtp.Ehlo("c"), smtp.StartTls()], OFFERED),
        "says anything": ([smtp.Ehlo("c"), smtp.Raw(b"HI\r\n", 2)], OFFERED),
        "is within a reply": ([], b"220-mx\r\n220-"),
    }  # fmt: skip

    def client_that(self, situation: str, *, lmtp: bool = False) -> smtp.ClientConnection:
        commands, heard = self.HEARD[situation]
        client = smtp.ClientConnection(lmtp=lmtp)
        left = list(commands)
        for reply in heard.splitlines(keepends=True):
            client.receive_data(reply)
            list(client.events())
            while left:
                try:
                    client.send(
                        smtp.Lhlo("c") if lmtp and isinstance(left[0], smtp.Ehlo) else left[0]
                    )
                except LocalProtocolError:
                    break
                left.pop(0)
        if not heard and left:
            client.send(smtp.Lhlo("c") if lmtp else smtp.Ehlo("c"))
            left.pop(0)
        assert left == []
        return client

    @pytest.mark.parametrize("situation", HEARD)
    @pytest.mark.parametrize("lmtp", [False, True])
    @settings(max_examples=40)
    @given(octets=sayings(SERVER_TEXT), places=cuts)
    def test_only_remote_protocol_error_and_only_once(
        self, situation: str, lmtp: bool, octets: bytes, places: list[int]
    ) -> None:
        client = self.client_that(situation, lmtp=lmtp)
        events: list[smtp.Event] = []
        errors: list[RemoteProtocolError] = []

        def handle_events() -> None:
            while True:
                try:
                    event = client.next_event()
                except RemoteProtocolError as error:
                    errors.append(error)
                    continue
                if event is None:
                    return
                assert not errors or isinstance(event, smtp.ConnectionClosed)
                events.append(event)
                if isinstance(event, smtp.TlsHandshake):
                    client.tls_started()

        for piece in cut_at(octets, places):
            if client.state is not State.TLS:
                client.receive_data(piece)
            handle_events()
        client.receive_data(b"")
        handle_events()

        assert len(errors) <= 1
        assert client.closed
        assert isinstance(events[-1], smtp.ConnectionClosed)
        assert [type(event) for event in events].count(smtp.ConnectionClosed) == 1
        if errors:
            assert events[-1].clean is False
        client.receive_data(b"250 dropped\r\n")
        assert client.next_event() is None


# -- cutting --------------------------------------------------------------------------------------


class TestCutting:
    @pytest.mark.parametrize("state", [state for state in EVERY_STATE if state is not State.CLOSED])
    @settings(max_examples=40)
    @given(octets=sayings(CLIENT_TEXT, most=20).map(without_tls), lots=lots, places=cuts)
    def test_of_what_a_client_says(
        self, state: State, octets: bytes, lots: list[int], places: list[int]
    ) -> None:
        stories = []
        for pieces in (
            [octets] if octets else [],
            cut_at(octets, places),
            cut_at(octets, range(len(octets))),
        ):
            server = server_in(state)
            application = Application(server, lots)
            if state is State.GREETING:
                application.answer(None)
            application.hear(pieces)
            server.receive_data(b"")
            application.handle_events()
            stories.append((joined(application.events), application.written))
        assert stories[1] == stories[0]
        assert stories[2] == stories[0]

    @pytest.mark.parametrize("lmtp", [False, True])
    @settings(max_examples=150)
    @given(
        octets=sayings(SERVER_TEXT, most=20),
        prefix=st.sampled_from([b"", TestAnyOctetsIntoAClient.OFFERED]),
        wishes=st.lists(
            st.sampled_from(
                [
                    smtp.Mail("a@b"), smtp.Rcpt("c@d"), smtp.Data(), smtp.MessageData(b".a\r"),
                    smtp.EndOfMessage(), smtp.Bdat(2), smtp.MessageData(b"xy"), smtp.Bdat(0, True),
                    smtp.Rset(), smtp.Auth("PLAIN", b"\0a\0b"), smtp.AuthResponse(b"x"),
                    smtp.AuthCancelled(), smtp.Vrfy("x"), smtp.Noop(), smtp.Quit(),
                ]
            ),
            min_size=1,
            max_size=12,
        ),
        places=cuts,
    )  # fmt: skip
    def test_of_what_a_server_says(
        self,
        lmtp: bool,
        octets: bytes,
        prefix: bytes,
        wishes: list[smtp.Command | smtp.MessageData | smtp.EndOfMessage],
        places: list[int],
    ) -> None:
        """To a client that tries to send the next of its wishes after each event."""
        octets = prefix + octets
        stories = []
        for pieces in (
            [octets] if octets else [],
            cut_at(octets, places),
            cut_at(octets, range(len(octets))),
        ):
            client = smtp.ClientConnection(lmtp=lmtp)
            client.send(smtp.Lhlo("c") if lmtp else smtp.Ehlo("c"))
            events: list[smtp.Event | str] = []
            left = list(wishes)
            written = b""
            for piece in [*pieces, b""]:
                client.receive_data(piece)
                while True:
                    try:
                        event = client.next_event()
                    except RemoteProtocolError as error:
                        events.append(str(error))
                        continue
                    if event is None:
                        break
                    events.append(event)
                    while left:
                        try:
                            client.send(left[0])
                        except LocalProtocolError:
                            break
                        left.pop(0)
                written += client.data_to_send()
            stories.append((events, written))
        assert stories[1] == stories[0]
        assert stories[2] == stories[0]


# -- smuggling ------------------------------------------------------------------------------------

NO_ENDINGS = [
    b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\r\n.\r\r\n",
    b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\n\n.\r\n", b"\r\n.\r\r\n", b"\r\n.\n\r\n", b"\n.\r",
    b"\r.\n", b"\r\n.\r\0\n", b"\r\n\r.\r\n", b"\x85.\x85", b"\r\n. \r\n", b"\r\n\t.\r\n",
]  # fmt: skip
"""What some reader at some time has taken for the end of a message."""

SMUGGLED = b"MAIL FROM:<admin@d.example>\r\nRCPT TO:<victim@d.example>\r\nDATA\r\nevil\r\n"


class TestSmuggling:
    @pytest.mark.parametrize("ending", NO_ENDINGS)
    def test_nothing_but_crlf_dot_crlf_ends_a_message(self, ending: bytes) -> None:
        """However it is cut; and what holds a bare CR or LF is refused at its true end."""
        said = TRANSACTION + b"DATA\r\nharmless" + ending + SMUGGLED + b".\r\nNOOP\r\n"
        bare = b"\n" in ending.replace(b"\r\n", b"") or b"\r" in ending.replace(b"\r\n", b"")
        start = said.index(b"harmless") + len(b"harmless")
        for first, second in itertools.combinations_with_replacement(
            range(start - 1, start + len(ending) + 2), 2
        ):
            server = smtp.ServerConnection("mx.example")
            application = Application(server, [11])
            application.answer(None)
            application.hear(cut_at(said, [first, second]))
            *_, data, last, noop = application.events[:3] + joined(application.events[3:])
            assert noop == smtp.Noop()
            assert [type(event) for event in application.events].count(smtp.Mail) == 1
            if bare:
                assert isinstance(last, smtp.MessageRefused)
                assert last.reply is not None
                assert last.reply.code == 550
                assert data == smtp.MessageData(b"harmless" + before_bare(ending))
                assert application.written.endswith(b"\r\n" + bytes(last.reply) + b"250 OK\r\n")
            else:
                assert last == smtp.EndOfMessage()
                assert isinstance(data, smtp.MessageData)
                assert data.data.endswith(SMUGGLED)

    @pytest.mark.parametrize("ending", [b"\r\n.\r\n", b".\r\n", b"\r\n\r\n.\r\n"])
    def test_the_true_end_does(self, ending: bytes) -> None:
        """Otherwise the test above could not fail."""
        content = b"\r\n" if ending == b".\r\n" else b""
        server = smtp.ServerConnection("mx.example")
        application = Application(server, [11])
        application.answer(None)
        application.hear([TRANSACTION + b"DATA\r\nharmless" + content + ending + SMUGGLED])
        assert [type(event) for event in application.events].count(smtp.Mail) == 2

    @pytest.mark.parametrize("ending", NO_ENDINGS)
    def test_what_a_client_writes_ends_nowhere_for_any_reader(self, ending: bytes) -> None:
        client = smtp.ClientConnection()
        client.receive_data(b"220 mx\r\n")
        list(client.events())
        for command, reply in [
            (smtp.Ehlo("c"), b"250 mx\r\n"),
            (smtp.Mail("a@b"), b"250 OK\r\n"),
            (smtp.Rcpt("c@d"), b"250 OK\r\n"),
            (smtp.Data(), b"354 go\r\n"),
        ]:
            client.send(command)
            client.receive_data(reply)
            list(client.events())
        client.data_to_send()
        client.send(smtp.MessageData(b"harmless" + ending + SMUGGLED))
        written = client.data_to_send()
        assert b"." not in written.replace(b"\r", b"\n").split(b"\n")
        client.send(smtp.EndOfMessage())
        assert client.data_to_send() == b".\r\n"


def before_bare(octets: bytes) -> bytes:
    """What stands before the first bare CR or LF, its dots undone."""
    kept = b""
    while octets:
        if octets.startswith(b"\r\n"):
            kept, octets = kept + b"\r\n", octets[2:]
            if octets.startswith(b"."):
                octets = octets[1:]
        elif octets[:1] in (b"\r", b"\n"):
            return kept
        else:
            kept, octets = kept + octets[:1], octets[1:]
    return kept


# -- memory ---------------------------------------------------------------------------------------


def held_by(connection: object) -> int:
    """Octets that everything reachable from a connection's own slots takes."""
    seen: set[int] = set()
    stack: list[object] = [connection]
    total = 0
    while stack:
        one = stack.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if type(one).__module__.startswith("smtpproto"):
            stack += [
                getattr(one, name, None)
                for cls in type(one).__mro__
                for name in getattr(cls, "__slots__", ())
            ]
        elif isinstance(one, list | tuple | deque):
            stack += one
        elif isinstance(one, dict):
            stack += [*one.keys(), *one.values()]
    return total


class TestMemory:
    """A peer that never stops does not make a connection hold more than its limits."""

    PIECES = 100
    PIECE = 4096

    def flood(
        self, server: smtp.ServerConnection, piece: bytes, *, lots: list[int]
    ) -> tuple[int, Application]:
        application = Application(server, lots)
        most = 0
        for _ in range(self.PIECES):
            application.hear([piece])
            application.events.clear()
            application.written = b""
            most = max(most, held_by(server))
        return most, application

    @pytest.mark.parametrize(
        ("state", "octet"),
        [
            (State.CONNECTED, b"x"), (State.READY, b"x"), (State.READY, b" "), (State.AUTH, b"A"),
            (State.DATA, b"x"), (State.DATA, b"\n"), (State.DATA, b"\r"), (State.FAILED, b"x"),
        ],
    )  # fmt: skip
    def test_an_endless_line(self, state: State, octet: bytes) -> None:
        server = server_in(state)
        before = held_by(server)
        most, _ = self.flood(server, octet * self.PIECE, lots=[11])
        assert most - before < 12288 + 3 * self.PIECE

    @pytest.mark.parametrize("begin", [b"BDAT 99999999999\r\n", b"BDAT 99999999999 LAST\r\n"])
    @pytest.mark.parametrize("state", [State.READY, State.RCPT, State.FAILED])
    def test_an_endless_chunk(self, state: State, begin: bytes) -> None:
        server = server_in(state)
        server.receive_data(begin)
        before = held_by(server)
        most, _ = self.flood(server, b"x" * self.PIECE, lots=[11])
        assert most - before < 3 * self.PIECE

    @pytest.mark.parametrize(
        "line",
        [
            b"RCPT TO:<c@d.example>\r\n", b"EHLO c.example\r\n", b"NOOP\r\n", b"RSET\r\n",
            b"MAIL FROM:<a@b.example>\r\n", b"AUTH LOGIN\r\n*\r\n", b"VRFY x\r\n",
        ],
    )  # fmt: skip
    def test_endless_commands(self, line: bytes) -> None:
        limits = smtp.Limits(recipients=100, refusals=None)
        server = smtp.ServerConnection("mx.example", extensions=EVERYTHING, limits=limits)
        application = Application(server, [11])
        application.answer(None)
        application.hear([TRANSACTION])
        before = held_by(server)
        most, _ = self.flood(server, line * (self.PIECE // len(line)), lots=[11])
        assert most - before < 100 * 1000 + 3 * self.PIECE

    def test_commands_while_a_reply_is_owed(self) -> None:
        """Whoever reads on all the same is told at the backlog's end."""
        limits = smtp.Limits(backlog=10_000)
        server = smtp.ServerConnection("mx.example", limits=limits)
        server.accept()
        server.receive_data(b"NOOP\r\n")
        assert server.next_event() == smtp.Noop()
        assert not server.wants_data
        for _ in range(10):
            server.receive_data(b"NOOP\r\n" * 166)
        with pytest.raises(LocalProtocolError, match="wants_data"):
            server.receive_data(b"NOOP\r\n" * 166)
        assert held_by(server) < 60_000

    @pytest.mark.parametrize(
        "flood",
        [b"2" * 4096, b"220-x\r\n" * 500, b"220-\r\n" * 500, b"220-" + b"x" * 4000 + b"\r\n"],
    )
    def test_an_endless_reply(self, flood: bytes) -> None:
        client = smtp.ClientConnection()
        most = 0
        with pytest.raises(RemoteProtocolError):  # noqa: PT012 (somewhere on the way)
            for _ in range(self.PIECES):
                client.receive_data(flood)
                assert client.next_event() is None
                most = max(most, held_by(client))
        assert most < 2_000_000  # 65536 octets, in lines as small as can be

    def test_an_endless_answer_to_ehlo(self) -> None:
        client = smtp.ClientConnection()
        client.receive_data(b"220 mx\r\n")
        client.send(smtp.Ehlo("c"))
        list(client.events())
        with pytest.raises(RemoteProtocolError):  # noqa: PT012 (somewhere on the way)
            for number in range(self.PIECES * 100):
                client.receive_data(b"250-X%d\r\n" % number)
                assert client.next_event() is None
        assert client.closed

    def test_endless_refusals(self) -> None:
        server = smtp.ServerConnection("mx.example")
        application = Application(server, [11])
        application.answer(None)
        application.hear([b"NONSENSE\r\n"] * 30)
        assert server.closed
        assert application.written.count(b"500 ") == 20
        assert application.written.count(b"421 ") == 1
