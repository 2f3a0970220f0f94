"""The state machine: MACHINE is consistent, and no session can get stuck in it.

Both roles move along one table, but not at one time: a client may send before what it sent
earlier is answered. `JOINT` is the product of both machines: where the client is, where the
server is, and what is on its way between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from smtpproto import smtp
from smtpproto.smtp import State
from smtpproto.smtp import _state as table
from smtpproto.smtp._session import step_of
from smtpproto.smtp._state import (
    BARRIERS,
    ENDS_GROUP,
    MACHINE,
    ONLY_WITH_AUTH,
    STEPS,
    next_state,
    overtaken,
    success,
)

REFUSALS = (4, 5)
NOT_COMMANDS = {"greeting", ".", "AUTH response", "TLS"}
OVER = {State.CLOSED, State.TURNED}
"""Where this connection has nothing more to say: the session is over, or belongs to another."""

# -- the table by itself --------------------------------------------------------------------------


def test_every_state_is_in_the_table() -> None:
    assert set(MACHINE) == set(State)


def test_every_state_can_be_reached() -> None:
    reached = {State.GREETING}
    waiting = [State.GREETING]
    while waiting:
        for moves in MACHINE[waiting.pop()].values():
            for state in set(moves.values()) - reached:
                reached.add(state)
                waiting.append(state)
    assert reached == set(State)


def test_the_end_can_be_reached_from_every_state() -> None:
    def ends(state: State) -> bool:
        seen = {state}
        waiting = [state]
        while waiting:
            for moves in MACHINE[waiting.pop()].values():
                new = set(moves.values()) - seen
                seen |= new
                waiting += new
        return bool(seen & OVER)

    assert [state for state in State if not ends(state)] == []


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_kinds_of_reply(state: State) -> None:
    for step, moves in MACHINE[state].items():
        kinds = list(moves)
        # the first is success, whatever else succeeds; a refusal is always possible
        assert kinds[0] // (1 if kinds[0] < 10 else 100) in (2, 3), step
        assert success(moves) is moves[kinds[0]]
        if step != "TLS":  # which is no reply at all
            assert set(REFUSALS) <= set(kinds), step
        assert all(kind in (2, 4, 5) or 200 <= kind <= 399 for kind in kinds), step


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_a_refusal_leads_no_further(state: State) -> None:
    """A refused command changes nothing (RFC 5321 section 4.1.4); what else a refusal does is
    listed here."""
    leads = {
        (step, next_state(moves, code))
        for step, moves in MACHINE[state].items()
        for code in (450, 550)
        if next_state(moves, code) not in (state, None)
    }
    a_message_is_over = {(step, State.READY) for step in (".", "BDAT LAST", "BURL LAST")}
    a_chunk_failed = {("BDAT", State.FAILED), ("BURL", State.FAILED)}
    # a server has dropped the chunks already when these come between them
    given_up = {(step, State.FAILED) for step in ("RSET", "EHLO", "HELO", "LHLO")}
    assert leads <= {
        ("greeting", State.CLOSING),
        ("QUIT", State.CLOSED),
        ("AUTH response", State.READY),
        *a_message_is_over,
        *a_chunk_failed,
        *(given_up if state is State.BDAT else ()),
    }


def test_next_state() -> None:
    moves = {354: State.DATA, 2: State.READY, 5: State.RCPT}
    assert next_state(moves, 354) is State.DATA  # a code counts before a digit
    assert next_state(moves, 250) is State.READY
    assert next_state(moves, 599) is State.RCPT
    assert next_state(moves, 355) is None
    assert next_state(moves, 450) is None
    assert success(moves) is State.DATA


def test_steps_have_commands() -> None:
    """Every step of the table is some command's, and every command's is in the table."""
    commands = [
        smtp.Ehlo("x"), smtp.Helo("x"), smtp.Lhlo("x"), smtp.Mail(None), smtp.Rcpt("a@b"),
        smtp.Data(), smtp.Bdat(1), smtp.Bdat(1, True), smtp.Burl("u"), smtp.Burl("u", True),
        smtp.Rset(), smtp.Noop(), smtp.Quit(), smtp.Help(), smtp.Vrfy("x"), smtp.Expn("x"),
        smtp.StartTls(), smtp.Auth("PLAIN"), smtp.Etrn("x"), smtp.Atrn(), smtp.Turn(),
        smtp.SendMail(None), smtp.SendOrMail(None), smtp.SendAndMail(None),
        smtp.Extended("XCLIENT"),
    ]  # fmt: skip
    assert {step_of(command) for command in commands} == set(STEPS) - NOT_COMMANDS - {"raw"}
    assert step_of(smtp.EndOfMessage()) == "."
    assert step_of(smtp.AuthResponse()) == "AUTH response"
    assert step_of(smtp.ChunkReceived(5)) == "BDAT"
    assert step_of(smtp.Greeting()) == "greeting"
    assert step_of(smtp.Raw(b"")) == "raw"


def test_every_step_of_the_machine_has_a_row() -> None:
    """A name that is written wrongly in either table is found here."""
    in_machine = {step for steps in MACHINE.values() for step in steps}
    assert in_machine == set(STEPS) - {"raw"}  # Raw is sent between commands, wherever they are
    assert set(STEPS) >= ONLY_WITH_AUTH


def test_what_a_server_allows_before_auth_and_before_tls() -> None:
    """RFC 4954 section 6 and RFC 3207 section 4."""
    free = {"EHLO", "HELO", "LHLO", "STARTTLS", "NOOP", "RSET", "QUIT"}
    assert {name for name, step in STEPS.items() if step.without_tls} == free
    assert {name for name, step in STEPS.items() if step.without_auth} == free | {"AUTH"}


def test_what_only_the_application_can_answer() -> None:
    never = {"AUTH", "AUTH response", "TURN", "ATRN", "ETRN", "BURL", "BURL LAST"}
    assert {name for name, step in STEPS.items() if not step.by_default} == never
    assert not any(STEPS[name].accepted for name in never)


def test_timeouts() -> None:
    """RFC 5321 section 4.5.3.2."""
    longer = {name: step.timeout for name, step in STEPS.items() if step.timeout != 300}
    assert longer == {"DATA": 120, ".": 600, "BDAT LAST": 600, "BURL LAST": 600}


def test_pipelining() -> None:
    """RFC 2920 section 3.1: only these may stand in the middle of a group."""
    anywhere = {"RSET", "MAIL", "RCPT", "SEND", "SOML", "SAML"}
    assert set(STEPS) - ENDS_GROUP <= anywhere | {
        ".", "BDAT", "BDAT LAST", "BURL", "BURL LAST"
    }  # fmt: skip
    assert BARRIERS <= ENDS_GROUP  # nothing may even be queued behind them
    assert "raw" in ENDS_GROUP


def test_overtaken() -> None:
    """Behind a refused command everything is refused, but for the 354 of RFC 2920."""
    here = State.MAIL
    assert overtaken("DATA", here) == {354: State.DATA, 4: here, 5: here}
    for step in ("RCPT", "BDAT", "NOOP"):
        assert overtaken(step, here) == {4: here, 5: here}


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_between_commands_one_may_always_leave(state: State) -> None:
    """QUIT is allowed wherever commands are (RFC 5321 section 4.1.1.10), NOOP and RSET but
    where there is no service."""
    steps = MACHINE[state]
    if any(step in steps for step in ("NOOP", "RSET", "MAIL", "DATA", "BDAT")):
        assert {"QUIT", "NOOP", "RSET", "HELP", "VRFY", "EXPN", "EHLO", "HELO"} <= set(steps)
    assert state in OVER or "QUIT" in steps or not (set(steps) - NOT_COMMANDS)


def test_rset_ends_every_transaction() -> None:
    for state in (State.MAIL, State.RCPT, State.BDAT, State.FAILED):
        assert success(MACHINE[state]["RSET"]) is State.READY
        assert success(MACHINE[state]["EHLO"]) is State.READY
    assert success(MACHINE[State.CONNECTED]["RSET"]) is State.CONNECTED  # still no EHLO


def test_421_is_in_no_table() -> None:
    """It ends the session from every state: the connections see to it, not the tables."""
    assert not any(421 in moves for steps in MACHINE.values() for moves in steps.values())


def test_the_machine_knows_no_role() -> None:
    assert table.__doc__ is not None
    assert not {"client", "server"} & {name for name in vars(table) if not name.startswith("_")}


# -- the product of the client's and the server's machine ------------------------------------------

DEPTH = 3
"""How many steps may be unanswered: enough for a MAIL, a RCPT and a DATA behind a refusal."""


def _column(step: str) -> tuple[object, ...]:
    """All that the tables say about a step."""
    moves = tuple(tuple(MACHINE[state].get(step, {}).items()) for state in State)
    return (*moves, step in ENDS_GROUP, step == "DATA")


ALIKE = {step: min(s for s in STEPS if _column(s) == _column(step)) for step in STEPS}
"""One step for all that are alike in every state (NOOP, HELP, VRFY, ...): walking them all would
tell no more."""


class Joint(NamedTuple):
    """Both sides at one moment.

    The client has been told of replies up to its state, the server is where its own replies
    have led; `asked` are on their way to the server, `told` on their way back: the step that
    each answers, and its kind.
    """

    client: State
    asked: tuple[str, ...]
    server: State
    told: tuple[tuple[str, int], ...]


START = Joint(State.GREETING, ("greeting",), State.GREETING, ())


def expected(joint: Joint) -> State:
    """Where the client's session stands when all that is unanswered succeeds."""
    state = joint.client
    for step in (*(step for step, _ in joint.told), *joint.asked):
        moves = MACHINE[state].get(step)
        if moves is not None:
            state = success(moves)
    return state


def client_moves(joint: Joint) -> Iterator[Joint]:
    # reads a reply
    if joint.told:
        (step, code), *rest = joint.told
        moves = MACHINE[joint.client].get(step) or overtaken(step, joint.client)
        state = next_state(moves, code)
        assert state is not None, f"{joint}: a reply that breaks the protocol"
        yield joint._replace(client=state, told=tuple(rest))
    # sends a step
    unanswered = (*(step for step, _ in joint.told), *joint.asked)
    last = unanswered[-1] if unanswered else None
    if last in ENDS_GROUP or last == "TLS" or len(unanswered) >= DEPTH:
        return
    for step in MACHINE[expected(joint)]:
        if step == "greeting" or ALIKE[step] != step:
            continue
        if step in ("BDAT", "BDAT LAST") and last not in (None, "BDAT"):
            continue
        if step in (".", "AUTH response", "TLS") and unanswered:
            continue  # they answer a reply that has come
        yield joint._replace(asked=(*joint.asked, step))


def server_moves(joint: Joint) -> Iterator[Joint]:
    if not joint.asked:
        return
    step, *rest = joint.asked
    moves = MACHINE[joint.server].get(step)
    if moves is None:  # 503: out of order
        yield joint._replace(asked=tuple(rest), told=(*joint.told, (step, 503)))
        return
    for kind, state in moves.items():
        if kind == 5 and moves.get(4) is state:
            continue  # a refusal is a refusal
        code = kind if kind > 9 else kind * 100 + 50
        yield Joint(joint.client, tuple(rest), state, (*joint.told, (step, code)))


def is_over(joint: Joint) -> bool:
    return joint.client in OVER and joint.server in OVER and not joint.asked and not joint.told


def walk() -> dict[Joint, set[Joint]]:
    """Every joint state that can be reached, and where it leads."""
    found: dict[Joint, set[Joint]] = {}
    waiting = deque([START])
    while waiting:
        joint = waiting.popleft()
        if joint in found:
            continue
        found[joint] = {*client_moves(joint), *server_moves(joint)}
        waiting.extend(found[joint] - found.keys())
    return found


@pytest.fixture(scope="module")
def product() -> dict[Joint, set[Joint]]:
    return walk()


def test_both_sides_can_be_in_every_state(product: dict[Joint, set[Joint]]) -> None:
    assert {joint.client for joint in product} == set(State)
    assert {joint.server for joint in product} == set(State)
    assert len(product) > 1000


def test_no_joint_state_that_neither_side_can_leave(product: dict[Joint, set[Joint]]) -> None:
    assert [joint for joint, leads in product.items() if not leads and not is_over(joint)] == []


def test_from_every_joint_state_the_session_can_end(product: dict[Joint, set[Joint]]) -> None:
    """Not even in a circle can both sides be caught."""
    came_from: dict[Joint, set[Joint]] = {}
    for joint, leads in product.items():
        for lead in leads:
            came_from.setdefault(lead, set()).add(joint)
    ended = {joint for joint in product if is_over(joint)}
    waiting = list(ended)
    while waiting:
        for joint in came_from.get(waiting.pop(), set()) - ended:
            ended.add(joint)
            waiting.append(joint)
    assert [joint for joint in product if joint not in ended] == []


def test_with_nothing_on_its_way_both_sides_agree(product: dict[Joint, set[Joint]]) -> None:
    assert [
        joint
        for joint in product
        if not joint.asked and not joint.told and joint.client is not joint.server
    ] == []


def test_data_is_never_read_as_commands(product: dict[Joint, set[Joint]]) -> None:
    """While the client sends octets of a message or of a handshake, the server waits for them."""
    for joint in product:
        if joint.client in (State.DATA, State.AUTH, State.TLS, State.TURNED):
            assert joint.server is joint.client or joint.asked or joint.told, joint
        if joint.server in (State.DATA, State.AUTH, State.TLS, State.TURNED):
            # what comes next can only be what belongs there
            assert set(joint.asked[:1]) <= set(MACHINE[joint.server]), joint
        if joint.server in (State.AUTH, State.TLS, State.TURNED):
            assert len(joint.asked) <= 1, joint  # nor is anything queued behind it


def test_a_server_that_says_354_though_it_refused_all(product: dict[Joint, set[Joint]]) -> None:
    """RFC 2920 section 3.1. It has left the table, and the client can still end the message."""
    joint = Joint(State.MAIL, (), State.DATA, (("DATA", 354),))
    (read,) = client_moves(joint)
    assert read.client is State.DATA
    assert list(client_moves(read)) == [read._replace(asked=(".",))]
