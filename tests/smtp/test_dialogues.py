"""Every SMTP and LMTP session of tests/dialogues, with our server and with our client in it.

The server is given each line of the client and must read it; what the script answers is sent as
the script has it, and what the connection answers by itself has the script's code. The client
sends each line of the client and must write it as it stands; each reply must come back as it
stands, with the command that it answers. Lines come in whole, and again one octet at a time.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections import deque
from collections.abc import Iterator

import pytest

from smtpproto import smtp
from smtpproto.errors import Refused
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._commands import VERBS
from smtpproto.smtp._keywords import KEYWORDS
from tests.dialogue import Dialogue, Said, Switch, dialogues

NOT_YET: dict[tuple[str, str], str] = {}
"""What cannot be run before the package has what the session shows."""

ALL = [*dialogues("smtp-*.txt"), *dialogues("lmtp-*.txt")]


def of_role(role: str) -> list[object]:
    return [
        pytest.param(
            dialogue,
            id=dialogue.name.removesuffix(".txt"),
            marks=(
                [pytest.mark.xfail(strict=True, reason=NOT_YET[dialogue.name, role])]
                if (dialogue.name, role) in NOT_YET
                else []
            ),
        )
        for dialogue in ALL
        if role in dialogue.roles
    ]


whole_or_octets = pytest.mark.parametrize("size", [1 << 20, 1], ids=["whole", "octets"])


@whole_or_octets
@pytest.mark.parametrize("dialogue", of_role("server"))
def test_server(dialogue: Dialogue, size: int) -> None:
    before, after = dialogue.halves()
    first = ServerSession(before, size, reverse=after is not None)
    first.run()
    if after is not None:
        assert isinstance(first.reversed, smtp.ClientConnection)
        ClientSession(after, size, first.reversed).run()


@whole_or_octets
@pytest.mark.parametrize("dialogue", of_role("client"))
def test_client(dialogue: Dialogue, size: int) -> None:
    before, after = dialogue.halves()
    first = ClientSession(before, size)
    first.run()
    if after is not None:
        server = smtp.ServerConnection("client.example")
        first.client.reversed(server)
        ServerSession(after, size, server).run()


# -- that nothing is left out ----------------------------------------------------------------------


def said_by_clients() -> Iterator[tuple[str, list[str]]]:
    """The verb and the words of each line of a client, messages included."""
    for dialogue in ALL:
        for step in dialogue.steps:
            if isinstance(step, Said) and step.side == "C" and not step.piece:
                verb, *words = step.octets.decode().upper().split() or [""]
                yield verb, [word.partition("=")[0] for word in words]


@pytest.mark.parametrize("keyword", CLASSES)
def test_every_extension_is_offered_somewhere(keyword: str) -> None:
    assert any(
        one.keyword == keyword for dialogue in ALL for one in itertools.chain(*offers(dialogue))
    )


@pytest.mark.parametrize("parameter", KEYWORDS)
def test_every_parameter_is_used_somewhere(parameter: str) -> None:
    assert any(verb in ("MAIL", "RCPT") and parameter in words for verb, words in said_by_clients())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_used_somewhere(verb: str) -> None:
    assert any(verb == said for said, _ in said_by_clients())


# -- what the files say, read without the package --------------------------------------------------


def pieces(octets: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


def replies(lines: list[Said]) -> list[Said]:
    """The replies that lines of the server make: each ends with a line `250 text`."""
    found = []
    octets = b""
    for line in lines:
        octets += line.octets
        if line.octets[3:4] != b"-":
            found.append(line._replace(octets=octets))
            octets = b""
    assert octets == b""
    return found


def code_of(reply: bytes) -> int:
    return int(reply[:3])


def texts(reply: bytes) -> list[str]:
    return [line[4:].decode() for line in reply.removesuffix(b"\r\n").split(b"\r\n")]


def challenge(reply: bytes) -> bytes:
    (text,) = texts(reply)
    return base64.b64decode(text, validate=True)


def messages(dialogue: Dialogue) -> list[bytes]:
    """The messages of the session: after 354 up to the dot, or the pieces behind BDAT."""
    found: list[bytes] = []
    content: bytes | None = None
    chunks = b""
    said: bytes = b""
    for step in dialogue.steps:
        if isinstance(step, Switch):
            continue
        if step.side == "S":
            content = b"" if step.octets.startswith(b"354") else None
        elif step.piece:
            chunks += step.octets
        elif content is not None and step.octets != b".\r\n":
            content += step.octets.removeprefix(b".")
        elif content is not None:
            found.append(content)
            content = None
        if step.side == "C" and not step.piece:
            said = step.octets
        if said.endswith(b" LAST\r\n") and said.startswith(b"BDAT") and step.side == "S":
            found.append(chunks)
            chunks = said = b""
    if content is not None:
        found.append(content)  # cut off
    return found


def offers(dialogue: Dialogue) -> list[list[smtp.Extension]]:
    """What the server offers before TLS, and after: what its answer to EHLO or LHLO shows."""
    phases: list[list[str]] = [[]]
    hello = False
    plain_auth = False
    for who, lines in dialogue.turns():
        if who == "TLS":
            phases.append([])
        elif who == "C":
            hello = lines[-1].octets[:4].upper() in (b"EHLO", b"LHLO")
            if len(phases) == 1 and lines[-1].octets[:10].upper() in (b"AUTH LOGIN", b"AUTH PLAIN"):
                plain_auth = True
        elif hello and lines[0].octets.startswith(b"250"):
            phases[-1] = texts(b"".join(line.octets for line in lines))[1:]
            hello = False
    return [
        [
            ext.Auth(*one.mechanisms, plaintext_without_tls=plain_auth)
            if isinstance(one, ext.Auth)
            else one
            for one in smtp.Capabilities.parse(smtp.Reply(250, "", *words, *dialogue.offers))
        ]
        for words in phases
    ]


# -- the server ------------------------------------------------------------------------------------


class ServerSession:
    """Our server, the script's client, and an application that says what the script says."""

    def __init__(
        self,
        dialogue: Dialogue,
        size: int,
        server: smtp.ServerConnection | None = None,
        *,
        reverse: bool = False,
    ) -> None:
        self.size = size
        self.dialogue = dialogue
        self.reverse = reverse
        self.reversed: object = None
        self.offers = offers(dialogue)
        self.messages = messages(dialogue)
        self.script = deque(
            reply for who, lines in dialogue.turns() if who == "S" for reply in replies(lines)
        )
        self.answered: list[Said] = []
        self.content = b""
        self.handshake = False
        self.server = server or smtp.ServerConnection(
            "server.example", lmtp=dialogue.name.startswith("lmtp")
        )
        self.server.extensions = tuple(self.offers.pop(0))
        self.answer(None)

    def run(self) -> None:
        for who, lines in self.dialogue.turns():
            if who == "TLS":
                self.start_tls()
            elif who == "C":
                self.read(lines)
            else:
                self.must_have_answered(lines)
        self.end()

    def next_reply(self) -> Said:
        assert self.script, "the script has no more replies"
        self.answered.append(self.script.popleft())
        return self.answered[-1]

    def answer(self, request: smtp.Request | None) -> None:
        """Say what the script says."""
        reply = self.next_reply()
        assert reply.server is None, "our server was to answer this by itself"
        code = code_of(reply.octets)
        by_name = isinstance(request, smtp.Auth | smtp.AuthResponse)
        if by_name and code == 235:
            self.server.authenticated("somebody")
            assert code_of(self.server.data_to_send()) == 235
            return
        if by_name and code == 334:
            self.server.send(smtp.AuthChallenge(challenge(reply.octets)))
        elif isinstance(request, smtp.Atrn | smtp.Turn) and self.reverse and code == 250:
            self.reversed = smtp.ClientConnection()
            self.server.reversed(self.reversed)
            assert code_of(self.server.data_to_send()) == 250
            return
        else:
            self.server.send(smtp.Reply(code, *texts(reply.octets)))
        assert self.server.data_to_send() == reply.octets

    def read(self, lines: list[Said]) -> None:
        for line in lines:
            for piece in pieces(line.octets, self.size):
                self.server.receive_data(piece)
                for event in self.server.events():
                    self.handle(event)
                assert self.server.wants_data or self.server.closed or self.handshake

    def handle(self, event: smtp.Event) -> None:
        match event:
            case smtp.CommandRefused(_, reply):
                script = self.next_reply()
                assert reply.code == int(script.server or code_of(script.octets))
                assert bytes(reply) == script.octets or not self.dialogue.by_hand
                assert self.server.data_to_send() == bytes(reply)
            case smtp.MessageData(data):
                self.content += data
            case smtp.Request():
                if isinstance(event, smtp.EndOfMessage):
                    assert self.content == self.messages.pop(0)
                    self.content = b""
                while self.server.owed is not None:  # LMTP: once for each recipient
                    assert self.server.owed is event
                    self.answer(event)
            case smtp.TlsHandshake():
                self.handshake = True
            case smtp.ConnectionClosed(clean, unanswered):
                assert self.server.closed
                assert clean
                assert unanswered == ()
            case _:
                pytest.fail(f"unexpected: {event!r}")

    def must_have_answered(self, lines: list[Said]) -> None:
        assert self.answered == replies(lines)
        self.answered.clear()

    def start_tls(self) -> None:
        assert self.handshake
        self.handshake = False
        self.server.tls_started()
        self.server.extensions = tuple(self.offers.pop(0))

    def end(self) -> None:
        assert not self.script
        assert not self.answered
        if not self.server.closed:  # the script stops here
            self.server.receive_data(b"")
            *data, last = self.server.events()
            self.content += b"".join(e.data for e in data if isinstance(e, smtp.MessageData))
            assert isinstance(last, smtp.ConnectionClosed)
            assert last.unanswered == ()
        assert self.server.closed
        if self.content:  # cut off; the CRLF at the very end might still belong to the final dot
            assert self.content + b"\r\n" == self.messages.pop(0)
        assert self.messages == []


# -- the client ------------------------------------------------------------------------------------

OLD_FORM = re.compile(rb"[a-z]|RCPT to|(?:MAIL FROM|RCPT TO):(?:[^<]|<@)")
"""What clients write and ours does not: lower case, a space or no bracket after the colon, a
source route."""


class ClientSession:
    """Our client, which says what the script's client says, and the script's server."""

    def __init__(
        self, dialogue: Dialogue, size: int, client: smtp.ClientConnection | None = None
    ) -> None:
        self.size = size
        self.dialogue = dialogue
        self.raw = any("no form in our client but Raw" in text for text in dialogue.comments)
        self.shown = dialogue.offers
        self.lmtp = dialogue.name.startswith("lmtp")
        self.client = client or smtp.ClientConnection(lmtp=self.lmtp)
        self.unanswered: deque[tuple[smtp.Request | None, smtp.Rcpt | None]] = deque(
            [(smtp.Greeting(), None)]
        )
        self.accepted: list[smtp.Rcpt] = []
        self.handshake = False
        self.in_message = False

    def run(self) -> None:
        for who, lines in self.dialogue.turns():
            if who == "TLS":
                self.start_tls()
            elif who == "C":
                for line in lines:
                    self.write(line)
            else:
                for reply in replies(lines):
                    self.read(reply)
        self.end()

    def write(self, line: Said) -> None:
        client, octets = self.client, line.octets
        if line.piece:
            client.send(smtp.MessageData(octets))
        elif self.in_message and octets == b".\r\n":
            self.in_message = False
            self.ask(smtp.EndOfMessage())
        elif self.in_message:
            client.send(smtp.MessageData(octets.removeprefix(b".")))
        elif client.state is smtp.State.AUTH:
            response = base64.b64decode(octets.removesuffix(b"\r\n"), validate=True)
            client.send(smtp.AuthResponse(response))
        else:
            command = self.command(octets)
            self.ask(command)
            written = bytes(command)
            assert client.data_to_send() == written
            if not OLD_FORM.match(octets):
                assert written == octets
            return
        assert client.data_to_send() == octets

    def command(self, octets: bytes) -> smtp.Command:
        try:
            return smtp.Command.parse(octets)
        except Refused:
            assert self.raw, f"{octets!r} has no form in our client"
            return smtp.Raw(octets)

    def ask(self, request: smtp.Command | smtp.EndOfMessage) -> None:
        self.client.send(request)
        last_chunk = isinstance(request, smtp.Bdat) and request.last
        if self.lmtp and (last_chunk or isinstance(request, smtp.EndOfMessage)):
            self.unanswered.extend((request, recipient) for recipient in self.accepted)
        else:
            self.unanswered.append((request, None))

    def read(self, reply: Said) -> None:
        octets = self.as_offered(reply.octets)
        *early, last = pieces(octets, self.size)
        for piece in early:
            self.client.receive_data(piece)
            assert self.client.next_event() is None
        self.client.receive_data(last)
        events = list(self.client.events())
        if code_of(octets) == 334:
            assert events == [smtp.AuthChallenge(challenge(octets))]
            return
        request, recipient = self.unanswered.popleft()
        if isinstance(request, smtp.Mail):
            self.accepted.clear()
        elif isinstance(request, smtp.Rcpt) and octets.startswith(b"2"):
            self.accepted.append(request)
        assert events.pop(0) == smtp.ReplyReceived(
            request, smtp.Reply(code_of(octets), *texts(octets)), recipient
        )
        if self.client.closed:
            assert events == [smtp.ConnectionClosed(True)]
        elif self.client.state is smtp.State.TLS:
            assert events == [smtp.TlsHandshake()]
            self.handshake = True
        else:
            assert events == []
            self.in_message = self.client.state is smtp.State.DATA

    def as_offered(self, octets: bytes) -> bytes:
        """The reply; the one to EHLO lists what the file says is offered all the same."""
        if not (self.shown and isinstance(self.unanswered[0][0], smtp.Ehlo)):
            return octets
        lines = octets.splitlines(keepends=True)
        return b"".join([lines[0], *(b"250-%s\r\n" % w.encode() for w in self.shown), *lines[1:]])

    def start_tls(self) -> None:
        assert self.handshake
        self.handshake = False
        self.client.tls_started()

    def end(self) -> None:
        assert not self.unanswered
        if self.client.state is smtp.State.TURNED:  # the other half of the script follows
            return
        if not self.client.closed:  # the script stops here
            self.client.receive_data(b"")
            (last,) = self.client.events()
            assert isinstance(last, smtp.ConnectionClosed)
            assert last.unanswered == ()
        assert self.client.closed
        assert self.client.data_to_send() == b""
