"""Every POP3 session of tests/dialogues, with our server and with our client in it.

The server is given each line of the client and must read it; what the script answers is sent as
the script has it, and what the connection answers by itself is refused in the script too. The
client sends each line of the client and must write it as it stands; each response must come back
as it stands, with the command that it answers. Lines come in whole, and again one octet at a time.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from smtpproto import LocalProtocolError, pop3
from tests.dialogue import Dialogue, dialogues

ALL = dialogues("pop3-*.txt")

whole_or_octets = pytest.mark.parametrize("size", [1 << 20, 1], ids=["whole", "octets"])
every_dialogue = pytest.mark.parametrize("dialogue", ALL, ids=lambda d: d.name[:-4])


# -- what the files say, read without the package --------------------------------------------------


class Exchange(NamedTuple):
    """A line of the client, b"" for the opening, and what the server answers, all of it."""

    line: bytes
    answer: bytes
    tls: bool
    """TLS begins after it."""

    @property
    def status(self) -> bytes:
        return self.answer.partition(b"\r\n")[0]

    @property
    def lines(self) -> list[bytes] | None:
        """The lines up to the dot, dots undone; None where there are none."""
        _, *lines, last = self.answer.split(b"\r\n")
        assert last == b""
        if not lines:
            return None
        assert lines.pop() == b"."
        return [line.removeprefix(b".") for line in lines]

    @property
    def message(self) -> bytes:
        return b"".join(line + b"\r\n" for line in self.lines or [])


def exchanges(dialogue: Dialogue) -> list[Exchange]:
    found: list[Exchange] = []
    line = b""
    for who, lines in dialogue.turns():
        octets = b"".join(said.octets for said in lines)
        if who == "C":
            assert len(lines) == 1
            line = octets
        elif who == "S":
            found.append(Exchange(line, octets, False))
        else:
            found[-1] = found[-1]._replace(tls=True)
    return found


def capabilities(dialogue: Dialogue) -> list[pop3.Capabilities]:
    """What the server offers before TLS, and after: what its answers to CAPA show."""
    words = dialogue.offers
    offers = [" ".join(words)] if words[:1] == ("SASL",) else list(words)
    phases: list[list[str]] = [["TOP", "UIDL"]]
    for exchange in exchanges(dialogue):
        if exchange.line == b"CAPA\r\n":
            phases[-1] = [line.decode() for line in exchange.lines or []]
        if exchange.tls:
            phases.append([])
    return [pop3.Capabilities([*phase, *offers]) for phase in phases]


def pieces(octets: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


# -- the server ------------------------------------------------------------------------------------


@whole_or_octets
@every_dialogue
def test_server(dialogue: Dialogue, size: int) -> None:
    offers = capabilities(dialogue)
    opening, *script = exchanges(dialogue)
    timestamp = re.search("<.*>", opening.answer.decode())
    server = pop3.ServerConnection(
        "server.example",
        capabilities=offers.pop(0),
        timestamp=timestamp[0] if timestamp else None,
    )
    server.send(pop3.Response.parse(opening.answer))
    assert server.data_to_send() == opening.answer
    for exchange in script:
        events: list[pop3.Event] = []
        for piece in pieces(exchange.line, size):
            assert server.wants_data
            server.receive_data(piece)
            events += server.events()
        (event,) = events
        if isinstance(event, pop3.CommandRefused):
            assert exchange.status.startswith(b"-ERR")
            assert server.data_to_send() == bytes(event.response)
            assert server.next_event() is None
            continue
        assert server.owed is event
        answer(server, exchange)
        assert server.data_to_send() == exchange.answer
        after = list(server.events())
        if exchange.tls:
            assert after == [pop3.TlsHandshake()]
            server.tls_started()
            server.capabilities = offers.pop(0)
        elif isinstance(event, pop3.Quit):
            assert after == [pop3.ConnectionClosed(True)]
        else:
            assert after == []
    if not server.closed:  # the script stops here
        server.receive_data(b"")
        assert list(server.events()) == [pop3.ConnectionClosed(True)]
    assert server.closed


def answer(server: pop3.ServerConnection, exchange: Exchange) -> None:
    """Say what the script says."""
    request, status = server.owed, exchange.status
    text = status.decode()[4:]
    lets_in = isinstance(request, pop3.Pass | pop3.Apop | pop3.Auth | pop3.AuthResponse)
    if status.startswith(b"+ "):
        server.send(pop3.AuthChallenge(base64.b64decode(status[2:], validate=True)))
    elif status.startswith(b"+OK") and lets_in:
        server.authenticated("somebody", text)
        assert server.identity == "somebody"
    elif isinstance(request, pop3.Retr | pop3.Top) and status.startswith(b"+OK"):
        server.send(pop3.Ok(text))
        for piece in pieces(exchange.message, 7):
            server.send(pop3.MessageData(piece))
        assert server.owed is request
        server.send(pop3.EndOfMessage())
    else:
        server.send(pop3.Response.parse(exchange.answer))


# -- the client ------------------------------------------------------------------------------------


@whole_or_octets
@every_dialogue
def test_client(dialogue: Dialogue, size: int) -> None:
    raw = any("no form in our client but Raw" in comment for comment in dialogue.comments)
    client = pop3.ClientConnection()
    commands: deque[pop3.Request | None] = deque()
    for exchange in exchanges(dialogue):
        octets = exchange.line
        if octets == b"":
            commands.append(pop3.Greeting())
        elif client.state is pop3.State.AUTH:
            client.send(pop3.AuthResponse(base64.b64decode(octets[:-2], validate=True)))
            assert client.data_to_send() == octets
        else:
            command = pop3.Command.parse(octets)
            try:
                client.send(command)
            except LocalProtocolError:
                assert raw
                command = pop3.Raw(octets)
                client.send(command)
            commands.append(command)
            written = client.data_to_send()
            assert written == octets or pop3.Command.parse(written) == command
            assert written == octets or octets.islower()  # as people type
        events: list[pop3.Event] = []
        for piece in pieces(exchange.answer, size):
            assert client.wants_data
            client.receive_data(piece)
            events += client.events()
        check(client, exchange, commands, events)
    if not client.closed:  # the script stops here
        client.receive_data(b"")
        assert list(client.events()) == [pop3.ConnectionClosed(True)]
    assert client.closed


def check(
    client: pop3.ClientConnection,
    exchange: Exchange,
    commands: deque[pop3.Request | None],
    events: list[pop3.Event],
) -> None:
    """The events are those of the answer."""
    if exchange.status.startswith(b"+ "):
        challenge = base64.b64decode(exchange.status[2:], validate=True)
        assert events == [pop3.AuthChallenge(challenge)]
        return
    first, *others = events
    command = commands.popleft()
    assert isinstance(first, pop3.ResponseReceived)
    assert first.command is command or command == pop3.Greeting()
    if isinstance(command, pop3.Retr | pop3.Top) and exchange.status.startswith(b"+OK"):
        assert bytes(first.response) == exchange.status + b"\r\n"
        *content, last = others
        data = [event.data for event in content if isinstance(event, pop3.MessageData)]
        assert len(data) == len(content)
        assert b"".join(data) == exchange.message
        assert last == pop3.EndOfMessage()
        return
    assert bytes(first.response) == exchange.answer
    if exchange.tls:
        assert others == [pop3.TlsHandshake()]
        client.tls_started()
    elif isinstance(command, pop3.Quit):
        assert others == [pop3.ConnectionClosed(True)]
    else:
        assert others == []
