"""The state machine: its tables are whole, and no session can end up where nobody can leave."""

from __future__ import annotations

from collections import deque

import pytest

from smtpproto import LocalProtocolError, RemoteProtocolError, pop3
from smtpproto.pop3 import (
    Apop,
    Auth,
    AuthChallenge,
    AuthResponse,
    Capa,
    Command,
    ConnectionClosed,
    Dele,
    EndOfMessage,
    Extended,
    Lang,
    List,
    MessageData,
    Noop,
    Ok,
    Pass,
    Quit,
    Retr,
    Rset,
    Stat,
    State,
    Stls,
    TlsHandshake,
    Top,
    Uidl,
    User,
    Utf8,
)
from smtpproto.pop3._commands import VERBS
from smtpproto.pop3._session import step_of
from smtpproto.pop3._state import BARRIERS, ENDS_GROUP, ENTERED, MACHINE, STEPS, success

COMMANDS: list[Command] = [
    User("mrose"), Pass("secret"), Apop("mrose", "c4c9334bac560ecc979e58001b3e22fb"),
    Auth(), Auth("X"), Stls(), Utf8(), Stat(), List(), List(1), Uidl(), Retr(1), Top(1, 1), Dele(1),
    Noop(), Rset(), Quit(), Capa(), Lang(), Lang("de"), Extended("XTND"),
]  # fmt: skip


def test_every_state_is_in_the_machine() -> None:
    assert set(MACHINE) == set(State)


def test_every_command_has_a_step() -> None:
    steps = {step for state in MACHINE.values() for step in state}
    assert {step_of(command) for command in COMMANDS} <= steps
    others = {"greeting", "AUTH response", "TLS", "AUTH list", "extended", "refused"}
    assert steps - others == set(VERBS)
    assert steps | {"raw"} == set(STEPS)
    assert ENDS_GROUP >= BARRIERS


def test_success_comes_first() -> None:
    for steps in MACHINE.values():
        for step, moves in steps.items():
            if step == "refused":  # nothing else can become of it
                assert set(moves) == {"-ERR"}
                continue
            assert next(iter(moves)) == "+OK"
            assert success(moves) is moves["+OK"]


def test_every_state_is_reached_and_left() -> None:
    edges = {
        (state, target)
        for state, steps in MACHINE.items()
        for moves in steps.values()
        for target in moves.values()
    } | {(state, target) for (state, _), target in ENTERED.items()}
    for state in State:
        assert state is State.GREETING or any(target is state for _, target in edges)
        assert reaches(state, State.CLOSED, edges)


def reaches(state: State, goal: State, edges: set[tuple[State, State]]) -> bool:
    found = {state}
    while new := {b for a, b in edges if a in found} - found:
        found |= new
    return goal in found


def test_entering_a_state_keeps_the_step_answerable() -> None:
    for (state, step), entered in ENTERED.items():
        assert MACHINE[entered][step] == MACHINE[state][step]


# -- the product of both machines ------------------------------------------------------------------

ANSWERS = ("+OK", "-ERR", "+")
Joint = tuple[State, State, bool, bool]
Way = tuple[tuple[Command | str, str], ...]
GREETED: Way = (("", "+OK"),)
LOGGED_IN: Way = (*GREETED, (User("mrose"), "+OK"), (Pass("secret"), "+OK"))


class Pair:
    """A client and a server, and what has been done to them; built anew for each way."""

    def __init__(self, way: Way) -> None:
        self.server = pop3.ServerConnection(
            "pop.example",
            capabilities=["TOP", "UIDL", "SASL X", "STLS", "UTF8", "LANG", "XTND"],
            timestamp="<a@b>",
        )
        self.client = pop3.ClientConnection()
        for said, answer in way:
            self.do(said, answer)

    def do(self, said: Command | str, answer: str) -> None:
        """The client says it, the server answers; raises LocalProtocolError where one cannot."""
        if isinstance(said, Command):
            self.client.send(said)
        elif said == "response":
            self.client.send(AuthResponse(b"r"))
        elif said == "TLS":
            self.client.tls_started()
            self.server.tls_started()
            return
        if said:  # not the greeting
            self.server.receive_data(self.client.data_to_send())
        events = [*self.server.events()]
        assert len(events) <= 1
        if not any(isinstance(event, pop3.CommandRefused) for event in events):
            self.answer(answer)
        assert not [e for e in self.server.events() if isinstance(e, pop3.Request)]
        self.client.receive_data(self.server.data_to_send())
        for event in self.client.events():
            assert not isinstance(event, ConnectionClosed) or event.clean

    def answer(self, answer: str) -> None:
        server, owed = self.server, self.server.owed
        if answer == "-ERR":
            server.reject()
        elif answer == "+":
            server.send(AuthChallenge(b"c"))
        elif isinstance(owed, Pass | Apop | AuthResponse) or owed == Auth("X"):
            server.authenticated("mrose")
        elif isinstance(owed, Retr | Top):
            server.send(Ok())
            server.send(MessageData(b"\r\n"))
            server.send(EndOfMessage())
        elif isinstance(owed, Stat):
            server.send(Ok("0 0"))
        elif isinstance(owed, List | Uidl) and owed.number:
            server.send(Ok("1 1"))
        elif isinstance(owed, Command) and owed.multiline:
            server.send(Ok(lines=[]))
        elif isinstance(owed, pop3.Greeting):
            server.accept()
        else:
            server.send(Ok())

    @property
    def state(self) -> Joint:
        return self.client.state, self.server.state, self.server.utf8, self.server.tls


def test_no_joint_state_holds_both_sides_fast() -> None:
    """Walk every joint state: both sides agree, and from each there is a way to the end."""
    ways: dict[Joint, Way] = {Pair(GREETED).state: GREETED}
    unseen = deque(ways)
    edges: set[tuple[Joint, Joint]] = set()
    while unseen:
        joint = unseen.popleft()
        assert joint[0] is joint[1]
        steps: tuple[Command | str, ...] = (*COMMANDS, "response", "TLS")
        for said in steps:
            for answer in ANSWERS:
                pair = Pair(ways[joint])
                try:
                    pair.do(said, answer)
                except LocalProtocolError:
                    continue
                edges.add((joint, pair.state))
                if pair.state not in ways:
                    ways[pair.state] = (*ways[joint], (said, answer))
                    unseen.append(pair.state)
    assert {state for state, *_ in ways} == set(State) - {State.GREETING, State.UPDATE}
    found = {joint for joint in ways if joint[0] is State.CLOSED}
    while new := {a for a, b in edges if b in found} - found:
        found |= new
    assert found == set(ways)


@pytest.mark.parametrize(
    ("state", "way"),
    [
        (State.AUTHORIZATION, GREETED),
        (State.USER, (*GREETED, (User("mrose"), "+OK"))),
        (State.TRANSACTION, LOGGED_IN),
    ],
)
def test_whatever_the_table_lacks_is_refused_on_both_sides(state: State, way: Way) -> None:
    for command in COMMANDS:
        allowed = step_of(command) in MACHINE[state]
        pair = Pair(way)
        pair.server.receive_data(bytes(command))
        event = pair.server.next_event()
        assert isinstance(event, pop3.CommandRefused) is not allowed, command
        try:
            pair.client.send(command)
            sent = True
        except LocalProtocolError:
            sent = False
        assert sent is allowed, command


def test_answers_of_a_kind_that_the_table_lacks() -> None:
    for command in COMMANDS:
        if command in (Auth("X"), Pass("secret")):
            continue
        for way in (GREETED, LOGGED_IN):
            pair = Pair(way)
            try:
                pair.client.send(command)
            except LocalProtocolError:
                continue
            pair.client.receive_data(b"+ \r\n")
            with pytest.raises(RemoteProtocolError, match="expected"):
                pair.client.next_event()


def test_tls_events_match() -> None:
    pair = Pair(GREETED)
    pair.client.send(Stls())
    pair.server.receive_data(pair.client.data_to_send())
    assert list(pair.server.events()) == [Stls()]
    pair.server.accept()
    assert list(pair.server.events()) == [TlsHandshake()]
    pair.client.receive_data(pair.server.data_to_send())
    assert list(pair.client.events())[1:] == [TlsHandshake()]
