"""The state machine of POP3: everything that decides what may come next.

Theory of operation
===================

A session is a sequence of *steps* of the client, each answered by the server, and the answer
moves the session from one state to the next. Steps are named by their verbs; three are not
commands: the opening of the connection ("connect"), a SASL response ("AUTH response") and the
TLS handshake ("TLS"). AUTH without a mechanism, "AUTH list", is a step apart because it leads
nowhere.

`MACHINE` says for each state which steps it allows, and for each step where each kind of answer
leads. A kind is how the answer begins, ``+OK``, ``-ERR``, or ``+`` for a SASL challenge; the first
kind listed is success. An answer of a kind that is not listed breaks the protocol. The message
behind an ``+OK`` to RETR or TOP, and the lines behind others, are part of that answer.

The RFC's AUTHORIZATION state is two here: USER is the one after a USER that was accepted, and
there alone PASS is allowed (RFC 1939 section 7). `ENTERED` names the one step that moves the
session before it is answered: QUIT in the TRANSACTION state, which enters the UPDATE state.

This file does not know which role anybody plays. The server asks the table before it hands a
command out (not allowed: ``-ERR``), the client before it sends one (not allowed:
LocalProtocolError), and both move along it when an answer is given. A client's pipelined command
that is not allowed any more, because one before it was refused, can only be refused too.

The second half is about pipelining (RFC 2449 section 6.6) and time (RFC 1939 section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from smtpproto.events import Request
from smtpproto.pop3._commands import Auth

__all__ = ["ENTERED", "MACHINE", "SUCCESS", "Moves", "State", "step_of", "success"]


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


Moves = Mapping[str, State]
"""Where the kinds of answer lead."""

OK, ERR, CONTINUE = "+OK", "-ERR", "+"

GREETING, AUTHORIZATION, USER = State.GREETING, State.AUTHORIZATION, State.USER
AUTH, TLS, TRANSACTION = State.AUTH, State.TLS, State.TRANSACTION
UPDATE, CLOSED = State.UPDATE, State.CLOSED


def _moves(done: State, refused: State) -> Moves:
    return {OK: done, ERR: refused}


def _anywhere(here: State) -> dict[str, Moves]:
    """What the AUTHORIZATION and the TRANSACTION state both allow."""
    stay = _moves(here, here)
    # A refused QUIT still ends the session (RFC 1939 section 6).
    return {"CAPA": stay, "LANG": stay, "extended": stay, "QUIT": _moves(CLOSED, CLOSED)}


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
    GREETING: {"connect": _moves(AUTHORIZATION, CLOSED)},
    AUTHORIZATION: _AUTHORIZATION,
    # Whatever else is said, PASS does not come right after USER any more.
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

RESTING = (AUTHORIZATION, USER, TRANSACTION)
"""Where either side may leave without cutting anything off."""

ENTERED: Mapping[tuple[State, str], State] = {(TRANSACTION, "QUIT"): UPDATE}
"""Where a step leads as soon as it is its turn, before its answer."""


def success(moves: Moves) -> State:
    """Where the answer leads that the client hopes for."""
    return next(iter(moves.values()))


SUCCESS: Mapping[State, Mapping[str, State]] = {
    state: {step: success(moves) for step, moves in allowed.items()}
    for state, allowed in MACHINE.items()
}
"""The same for each step that a state allows."""


def step_of(request: Request) -> str:
    """The step that a request is."""
    if isinstance(request, Auth) and request.mechanism is None:
        return "AUTH list"
    return request.step


# -- who may say what -----------------------------------------------------------------------------

LETS_IN = frozenset({"PASS", "APOP", "AUTH", "AUTH response"})
"""Steps whose success lets somebody in: a server must say who."""

NEEDS_RESULT = frozenset({"STAT", "LIST", "UIDL"})
"""Steps that a server cannot accept without a result."""

NEVER_BY_DEFAULT = frozenset({"RETR", "TOP", "LANG"})
"""Steps that a server can only answer with a response of its own."""

# -- pipelining -----------------------------------------------------------------------------------

ENDS_GROUP = frozenset(
    {"connect", "AUTH", "AUTH response", "AUTH list", "STLS", "QUIT", "extended", "raw"}
)
"""Steps after which a client waits for the response (what an unregistered verb does nobody
knows)."""

BARRIERS = frozenset({"STLS", "AUTH", "AUTH response"})
"""Steps after which nothing may even be queued until they are answered: they change who talks,
or what may be said, or whether it is said in clear."""

# -- time -----------------------------------------------------------------------------------------

TIMEOUT = 600.0
"""Seconds of silence that a server allows at least (RFC 1939 section 3)."""
