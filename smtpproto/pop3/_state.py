"""The state machine of POP3: everything that decides what may come next.

Theory of operation
===================

A session is a sequence of *steps* of the client, each answered by the server, and the answer
moves the session from one state to the next. Steps are named by their verbs; four are not
commands the client means: the opening of the connection ("greeting"), a SASL response ("AUTH
response"), the TLS handshake ("TLS"), and any line that the server connection refuses by itself
("refused"). AUTH without a mechanism, "AUTH list", is a step apart because it leads nowhere.

`STEPS` has a row for each step: what is true of it in every state. `MACHINE` says for each state
which steps it allows, and for each step where each kind of answer leads. A kind is how the answer
begins, ``+OK``, ``-ERR``, or ``+`` for a SASL challenge; the first kind listed is success. An
answer of a kind that is not listed breaks the protocol. The message behind an ``+OK`` to RETR or
TOP, and the lines behind others, are part of that answer.

The RFC's AUTHORIZATION state is two here: USER is the one after a USER that was accepted, and
there alone PASS is allowed (RFC 1939 section 7). `ENTERED` names the one step that moves the
session before it is answered: QUIT in the TRANSACTION state, which enters the UPDATE state.

This file does not know which role anybody plays. The server asks the table before it hands a
command out (not allowed: ``-ERR``), the client before it sends one (not allowed: OutOfOrderError),
and both move along it when an answer is given. A client's pipelined command that is not allowed
any more, because one before it was refused, can only be refused too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

__all__ = ["ENTERED", "MACHINE", "STEPS", "SUCCESS", "Moves", "State", "Step", "success"]


class State(Enum):
    """Where a session stands, by the responses that have been given."""

    GREETING = "greeting"
    """The server has yet to greet."""
    AUTHORIZATION = "authorization"
    """Nobody is in yet."""
    USER = "user"
    """The AUTHORIZATION state right after a USER that was accepted: PASS may come."""
    AUTH = "auth"
    """Within a SASL exchange: a challenge wants its response."""
    TLS = "tls"
    """After the +OK to STLS, until the handshake is done."""
    TRANSACTION = "transaction"
    """Somebody is in, and has the maildrop."""
    UPDATE = "update"
    """After QUIT in the TRANSACTION state: what is marked as deleted is being removed."""
    CLOSED = "closed"
    """Over."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is slow


OK, ERR, CONTINUE = "+OK", "-ERR", "+"

GREETING, AUTHORIZATION, USER = State.GREETING, State.AUTHORIZATION, State.USER
AUTH, TLS, TRANSACTION = State.AUTH, State.TLS, State.TRANSACTION
UPDATE, CLOSED = State.UPDATE, State.CLOSED

RESTING = (GREETING, AUTHORIZATION, USER, TRANSACTION)
"""Where either side may leave without cutting off an exchange or the UPDATE state."""


# -- the steps ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What is true of a step in every state that allows it."""

    accepted: str | None = None
    """The text with which ``accept()`` answers. None where only the application knows the
    answer."""
    lets_in: bool = False
    """Whether its success lets somebody in: a server must say who."""
    needs_result: bool = False
    """Whether ``accept()`` needs a result."""
    ends_group: bool = False
    """Whether a client waits for the response before it writes more (RFC 2449 section 6.6; what
    an unregistered verb does is not known)."""
    barrier: bool = False
    """Whether nothing may even be queued until it is answered: it changes who talks, or what may
    be sent, or whether it is sent in clear."""


STEPS: Mapping[str, Step] = {
    "greeting": Step("POP3 server ready", ends_group=True),
    "USER": Step("Send the password"),
    "PASS": Step(lets_in=True),
    "APOP": Step(lets_in=True),
    "AUTH": Step(lets_in=True, ends_group=True, barrier=True),
    "AUTH response": Step(lets_in=True, ends_group=True, barrier=True),
    "AUTH list": Step("Mechanism list follows", ends_group=True),
    "STLS": Step("Begin TLS negotiation", ends_group=True, barrier=True),
    "TLS": Step(),
    "UTF8": Step("UTF8 enabled"),
    "STAT": Step(needs_result=True),
    "LIST": Step(needs_result=True),
    "UIDL": Step(needs_result=True),
    "RETR": Step(),
    "TOP": Step(),
    "DELE": Step("Message deleted"),
    "NOOP": Step(""),
    "RSET": Step("No message is deleted"),
    "QUIT": Step("POP3 server signing off", ends_group=True),
    "CAPA": Step("Capability list follows"),
    "LANG": Step(),
    "extended": Step("", ends_group=True),
    "raw": Step(ends_group=True),
    "refused": Step(),
}

ENDS_GROUP = frozenset(name for name, step in STEPS.items() if step.ends_group)
BARRIERS = frozenset(name for name, step in STEPS.items() if step.barrier)
LETS_IN = frozenset(name for name, step in STEPS.items() if step.lets_in)

TIMEOUT = 600.0
"""Seconds of silence that a server allows at least (RFC 1939 section 3)."""


# -- the machine ----------------------------------------------------------------------------------

Moves = Mapping[str, State]
"""Where the kinds of answer lead."""


def _moves(done: State, refused: State) -> Moves:
    return {OK: done, ERR: refused}


def _anywhere(here: State) -> dict[str, Moves]:
    """What the AUTHORIZATION and the TRANSACTION state both allow."""
    stay = _moves(here, here)
    return {
        "CAPA": stay,
        "LANG": stay,
        "extended": stay,
        # A refused QUIT still ends the session (RFC 1939 section 6).
        "QUIT": _moves(CLOSED, CLOSED),
        "refused": {ERR: here},
    }


_AUTHENTICATION: Moves = {OK: TRANSACTION, CONTINUE: AUTH, ERR: AUTHORIZATION}
_AUTHORIZATION: Mapping[str, Moves] = {
    **_anywhere(AUTHORIZATION),
    "USER": _moves(USER, AUTHORIZATION),
    "APOP": _moves(TRANSACTION, AUTHORIZATION),
    "AUTH": _AUTHENTICATION,
    "AUTH list": _moves(AUTHORIZATION, AUTHORIZATION),
    "STLS": _moves(TLS, AUTHORIZATION),
    "UTF8": _moves(AUTHORIZATION, AUTHORIZATION),
}

MACHINE: Mapping[State, Mapping[str, Moves]] = {
    GREETING: {"greeting": _moves(AUTHORIZATION, CLOSED)},
    AUTHORIZATION: _AUTHORIZATION,
    # Behind anything else PASS does not come right after USER any more.
    USER: {"PASS": _moves(TRANSACTION, AUTHORIZATION), **_AUTHORIZATION},
    AUTH: {"AUTH response": _AUTHENTICATION},
    TLS: {"TLS": {OK: AUTHORIZATION}},
    TRANSACTION: {
        **_anywhere(TRANSACTION),
        **dict.fromkeys(
            ("STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET"),
            _moves(TRANSACTION, TRANSACTION),
        ),
    },
    UPDATE: {"QUIT": _moves(CLOSED, CLOSED)},
    CLOSED: {},
}


def success(moves: Moves) -> State:
    """Where the answer leads that the client hopes for."""
    return next(iter(moves.values()))


SUCCESS: Mapping[State, Mapping[str, State]] = {
    state: {step: success(moves) for step, moves in allowed.items()}
    for state, allowed in MACHINE.items()
}
"""The same for each step that a state allows."""

ENTERED: Mapping[tuple[State, str], State] = {(TRANSACTION, "QUIT"): UPDATE}
"""Where a step leads as soon as it is its turn, before its answer."""
