"""Properties: round trips, cuts that do not matter, arbitrary octets, client against server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, RemoteProtocolError, pop3, strategies
from smtpproto.pop3 import (
    Apop,
    Auth,
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    Capa,
    Capabilities,
    ClientConnection,
    Command,
    CommandRefused,
    ConnectionClosed,
    Dele,
    EndOfMessage,
    Err,
    Event,
    Extended,
    Lang,
    Limits,
    List,
    Maildrop,
    MessageData,
    Noop,
    Ok,
    Pass,
    Quit,
    Response,
    ResponseReceived,
    Retr,
    Rset,
    ScanListing,
    ServerConnection,
    Stat,
    State,
    Stls,
    TlsHandshake,
    Top,
    Uidl,
    UniqueId,
    User,
)
from smtpproto.pop3._commands import VERBS
from tests.sessions import joined, repaired

# -- values ----------------------------------------------------------------------------------------


@given(strategies.pop3_commands())
def test_commands_round_trip(command: Command) -> None:
    assert Command.parse(bytes(command)) == command
    assert bytes(command).count(b"\n") == 1
    assert bytes(command).endswith(b"\r\n")


@given(strategies.pop3_responses())
def test_responses_round_trip(response: Response) -> None:
    assert Response.parse(bytes(response)) == response


@given(strategies.pop3_listings())
def test_listings_round_trip(listing: ScanListing) -> None:
    assert listing.parse(str(listing)) == listing


@given(strategies.pop3_capabilities())
def test_capabilities_round_trip(capabilities: Capabilities) -> None:
    assert Capabilities.parse(capabilities.lines) == capabilities == Capabilities(capabilities)


@given(strategies.pop3_maildrops(), st.lists(st.integers(1, 6), max_size=6))
def test_a_maildrop_is_of_one_mind(maildrop: Maildrop, numbers: list[int]) -> None:
    """STAT, LIST, UIDL and what is deleted fit together, whatever DELE was said."""
    before = maildrop.status
    marked = {n for n in numbers if isinstance(maildrop.answer(Dele(n)), Ok)}
    assert [unique.number for unique in maildrop.deleted] == sorted(marked)
    scans, ids = (maildrop.answer(command) for command in (List(), Uidl()))
    assert isinstance(scans, Ok)
    assert isinstance(ids, Ok)
    left = [ScanListing.parse(line) for line in scans.lines or ()]
    assert maildrop.answer(Stat()) == Ok(f"{len(left)} {sum(one.octets for one in left)}")
    assert [UniqueId.parse(line).number for line in ids.lines or ()] == [n.number for n in left]
    assert {one.number for one in left} | marked == set(range(1, before.count + 1))
    maildrop.answer(Rset())
    assert maildrop.status == before
    assert maildrop.deleted == ()


@given(st.data(), st.sampled_from([*VERBS.values(), Extended]))
def test_the_strategies_know_every_command(data: st.DataObject, command: type[Command]) -> None:
    assert type(data.draw(strategies.pop3_commands(command))) is command


@given(st.binary(max_size=60))
def test_parsers_raise_only_remote_protocol_errors(octets: bytes) -> None:
    for parse in (Command.parse, Response.parse):
        try:
            value = parse(octets)
        except RemoteProtocolError:
            continue
        assert parse(bytes(value)) == value


# -- cuts ------------------------------------------------------------------------------------------

TOKENS = [
    b"USER mrose\r\n", b"PASS tanstaaf\r\n", b"STAT\r\n", b"LIST\r\n", b"LIST 2\r\n",
    b"UIDL\r\n", b"RETR 1\r\n", b"TOP 1 1\r\n", b"DELE 1\r\n", b"NOOP\r\n", b"RSET\r\n",
    b"QUIT\r\n", b"CAPA\r\n", b"AUTH X =\r\n", b"AUTH\r\n", b"dHdv\r\n", b"*\r\n",
    b"STLS\r\n", b"UTF8\r\n", b"LANG\r\n", b"APOP a c4c9334bac560ecc979e58001b3e22fb\r\n",
    b"GET / HTTP/1.1\r\n", b"\x16", b"\r", b"\n", b"\0", b".\r\n", b"x" * 300, b"\xff", b" ",
    b"\r\n",
]  # fmt: skip
scripts = st.lists(st.sampled_from(TOKENS), max_size=15).map(b"".join)
cuts = st.lists(st.integers(1, 30), max_size=20)


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        if size < len(octets):
            pieces.append(octets[:size])
            octets = octets[size:]
    return [*pieces, octets] if octets else pieces


def server_session(pieces: list[bytes], ready: State) -> tuple[list[Event], bytes]:
    """What comes of these pieces when everything is accepted, and what is written."""
    server = ServerConnection(
        "pop.example",
        capabilities=["TOP", "UIDL", "SASL X", "UTF8", "LANG"],
        timestamp="<a@b>",
    )
    server.accept()
    if ready is State.TRANSACTION:
        server.receive_data(b"USER mrose\r\nPASS secret\r\n")
        for _ in range(2):
            server.next_event()
            accept(server)
    events: list[Event] = []
    for piece in [*pieces, b""]:
        server.receive_data(piece)
        for event in server.events():
            events.append(event)
            if isinstance(event, pop3.Request):
                assert server.owed is event
                accept(server)
    assert server.closed
    assert isinstance(events[-1], ConnectionClosed)
    assert not any(isinstance(event, ConnectionClosed) for event in events[:-1])
    return events, server.data_to_send()


MAILDROP = Maildrop([("a", 10), ("b", 20)])


def accept(server: ServerConnection) -> None:
    match server.owed:
        case Pass() | Apop() | AuthResponse():
            server.authenticated("mrose")
        case Auth(str()):
            server.send(AuthChallenge(b"one"))
        case Stat() | List() | Uidl() as command:
            server.send(MAILDROP.answer(command))
        case Retr() | Top():
            server.send(Ok())
            server.send(MessageData(b"a\r\n\r\n.b\r\nc"))
            server.send(EndOfMessage())
        case Lang(tag):
            server.send(Ok(lines=["de"] if tag is None else None))
        case _:
            server.accept()


@pytest.mark.parametrize("ready", [State.AUTHORIZATION, State.TRANSACTION])
@given(octets=scripts, sizes=cuts)
def test_cuts_do_not_matter_to_a_server(ready: State, octets: bytes, sizes: list[int]) -> None:
    whole = server_session([octets] if octets else [], ready)
    assert server_session(cut(octets, sizes), ready) == whole
    assert server_session([octets[i : i + 1] for i in range(len(octets))], ready) == whole
    events, written = whole
    for event in events:
        assert "tanstaaf" not in repr(event)
    for line in written.split(b"\r\n"):
        assert len(line) <= 510


ANSWERS = [
    b"+OK\r\n", b"-ERR\r\n", b"+ \r\n", b"+ b25l\r\n", b"+OK 1 1\r\n", b"1 1\r\n", b"2 a\r\n",
    b".\r\n", b"..\r\n", b"\r\n", b"\r", b"\n", b".", b"+OK <a@b>\r\n", b"PIPELINING\r\n",
    b"x" * 300, b"\0", b"\xff", b"-ERR [IN-USE] x\r\n", b"SASL X\r\n",
]  # fmt: skip
answers = st.lists(st.sampled_from(ANSWERS), max_size=15).map(b"".join)
CLIENT_COMMANDS = [
    Stat(), List(), List(1), Uidl(), Retr(1), Top(1, 1), Dele(1), Noop(), Rset(), Capa(), Quit(),
]  # fmt: skip


def client_session(
    pieces: list[bytes], ready: State, asked: list[Command]
) -> tuple[list[Event | str], bytes]:
    """What comes of these pieces, errors included, and what is written."""
    client = ClientConnection(limits=Limits(list=500, short_list=500, message=310))
    events: list[Event | str] = []
    if ready is not State.GREETING:
        client.receive_data(b"+OK\r\n")
        client.next_event()
    if ready is State.TRANSACTION:
        for login in (User("mrose"), Pass("secret")):
            client.send(login)
            client.receive_data(b"+OK\r\n")
            client.next_event()
        for command in asked:
            try:
                client.send(command)
            except LocalProtocolError:
                break
    elif ready is State.AUTHORIZATION:
        client.send(Capa())
        client.send(Auth("X"))
    for piece in [*pieces, b""]:
        client.receive_data(piece)
        try:
            for event in client.events():
                events.append(event)
                if isinstance(event, AuthChallenge):
                    client.send(AuthResponse(b"two"))
        except RemoteProtocolError as error:
            events.append(str(error))
            events.extend(client.events())
    assert client.closed
    assert isinstance(events[-1], ConnectionClosed)
    assert sum(isinstance(event, ConnectionClosed) for event in events) == 1
    assert sum(isinstance(event, str) for event in events) <= 1
    return list(joined(events)), client.data_to_send()  # type: ignore[arg-type]


@pytest.mark.parametrize("ready", [State.GREETING, State.AUTHORIZATION, State.TRANSACTION])
@given(
    octets=answers,
    sizes=cuts,
    asked=st.lists(st.sampled_from(CLIENT_COMMANDS), max_size=5),
)
def test_cuts_do_not_matter_to_a_client(
    ready: State, octets: bytes, sizes: list[int], asked: list[Command]
) -> None:
    whole = client_session([octets] if octets else [], ready, asked)
    assert client_session(cut(octets, sizes), ready, asked) == whole
    by_octet = [octets[i : i + 1] for i in range(len(octets))]
    assert client_session(by_octet, ready, asked) == whole


# -- arbitrary octets ------------------------------------------------------------------------------


@pytest.mark.parametrize("ready", [State.AUTHORIZATION, State.TRANSACTION])
@given(octets=st.binary(max_size=200), sizes=cuts)
def test_arbitrary_octets_into_a_server(ready: State, octets: bytes, sizes: list[int]) -> None:
    server_session(cut(octets, sizes), ready)


@given(octets=st.binary(max_size=200))
def test_arbitrary_octets_into_a_server_in_an_exchange(octets: bytes) -> None:
    server_session([b"AUTH X\r\n" + octets], State.AUTHORIZATION)


@pytest.mark.parametrize("ready", [State.GREETING, State.AUTHORIZATION, State.TRANSACTION])
@pytest.mark.parametrize("begun", [b"", b"+OK\r\n", b"+ \r\n"])
@given(octets=st.binary(max_size=200), asked=st.lists(st.sampled_from(CLIENT_COMMANDS), max_size=3))
def test_arbitrary_octets_into_a_client(
    ready: State, begun: bytes, octets: bytes, asked: list[Command]
) -> None:
    client_session([begun + octets], ready, asked)


# -- client against server -------------------------------------------------------------------------

MESSAGES = st.lists(strategies.messages(max_pieces=8), max_size=4)


@settings(max_examples=200)
@given(
    messages=MESSAGES,
    asked=st.lists(
        st.sampled_from(
            [Stat(), List(), Uidl(), Noop(), Rset(), Capa(), Lang(), Lang("de"), Top(1, 0),
             *(kind(number) for kind in (Retr, Dele, List, Uidl, Top) for number in (1, 2, 9))]
        ),
        max_size=12,
    ),
    pipelining=st.booleans(),
    tls=st.booleans(),
    refusals=st.sets(st.integers(0, 12)),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
)  # fmt: skip
def test_client_against_server(
    messages: list[bytes],
    asked: list[Command],
    pipelining: bool,
    tls: bool,
    refusals: set[int],
    sizes: list[int],
) -> None:
    """Whatever the server accepts and refuses, the client hears what the server said."""
    pair = Session(messages, pipelining, refusals, sizes)
    pair.ask([Capa()])
    if tls:
        pair.ask([Stls()])
        pair.handshake()
        pair.ask([Capa()])
    while pair.client.state is not State.TRANSACTION:
        pair.ask([User("mrose"), Pass("secret")])
    pair.ask([*asked, Quit()])
    assert pair.client.closed
    assert pair.server.closed
    assert pair.heard == pair.said


class Session:
    """Both connections, and what the one said and the other heard."""

    def __init__(
        self, messages: list[bytes], pipelining: bool, refusals: set[int], sizes: list[int]
    ) -> None:
        self.messages = messages
        self.maildrop = Maildrop([(f"u{n}", len(message)) for n, message in enumerate(messages)])
        self.server = ServerConnection(
            "pop.example",
            capabilities=["TOP", "UIDL", "STLS", "LANG", *(["PIPELINING"] if pipelining else [])],
        )
        self.client = ClientConnection()
        self.refusals = refusals
        self.sizes = sizes
        self.said: list[object] = []
        self.heard: list[object] = []
        self.requests = 0
        self.server.accept()
        self.carry()
        self.heard.clear()

    def ask(self, requests: list[Command]) -> None:
        for request in requests:
            self.client.send(request)
        self.carry()

    def handshake(self) -> None:
        if self.client.state is State.TLS:
            self.client.tls_started()
            self.server.tls_started()

    def carry(self) -> None:
        """Carry octets, in pieces, until nothing moves."""
        turn = 0
        while True:
            to_server, to_client = self.client.data_to_send(), self.server.data_to_send()
            if not to_server and not to_client:
                return
            for octets, receive in ((to_server, self.serve), (to_client, self.listen)):
                while octets:
                    size = self.sizes[turn % len(self.sizes)]
                    turn += 1
                    receive(octets[:size])
                    octets = octets[size:]

    def serve(self, octets: bytes) -> None:
        self.server.receive_data(octets)
        for event in self.server.events():
            assert not isinstance(event, AuthCancelled)
            if isinstance(event, CommandRefused):
                self.said.append((event.response, None))
            elif isinstance(event, Command):
                self.answer(event)

    def answer(self, command: Command) -> None:
        self.requests += 1
        refused = self.requests in self.refusals and not isinstance(command, Quit)
        if refused:
            self.server.reject("not this time")
            self.said.append((Err("not this time"), None))
            return
        match command:
            case Pass():
                self.server.authenticated("mrose")
                self.said.append((Ok("Maildrop ready"), None))
            case Lang(tag):
                response: Response = Ok("de gut", lines=["de"] if tag is None else None)
                self.server.send(response)
                self.said.append((response, None))
            case Stat() | List() | Uidl() | Dele() | Rset() | Noop() | Retr() | Top():
                response = self.maildrop.answer(command)
                self.server.send(response)
                content = None
                if isinstance(command, Retr | Top) and isinstance(response, Ok):
                    content = self.stream(command)
                self.said.append((response, content))
            case _:
                self.server.accept()
                self.said.append(None)

    def stream(self, command: Retr | Top) -> bytes:
        message = self.messages[command.number - 1]
        for start in range(0, len(message), 7):
            self.server.send(MessageData(message[start : start + 7]))
        self.server.send(EndOfMessage())
        # What arrives: newlines repaired, the last line ended, and the top cut.
        normal = repaired(message)
        if isinstance(command, Retr):
            return normal
        header: list[bytes] = []
        *body, _ = normal.split(b"\r\n")
        while body:
            header.append(body.pop(0))
            if not header[-1]:
                break
        return b"".join(line + b"\r\n" for line in [*header, *body[: command.lines]])

    def listen(self, octets: bytes) -> None:
        self.client.receive_data(octets)
        for event in self.client.events():
            match event:
                case ResponseReceived(command, response, _):
                    streams = isinstance(command, Retr | Top) and isinstance(response, Ok)
                    by_itself = isinstance(command, Capa | Stls | User | Quit) and isinstance(
                        response, Ok
                    )
                    content = b"" if streams else None
                    self.heard.append(None if by_itself else (response, content))
                case MessageData(data):
                    response, content = self.heard.pop()  # type: ignore[misc]
                    assert content is not None
                    self.heard.append((response, content + data))
                case _:
                    assert isinstance(event, EndOfMessage | TlsHandshake | ConnectionClosed)
