"""The state machine of SMTP and LMTP: everything that decides what may come next.

Theory of operation
===================

A session is a sequence of *steps* of the client, each answered by a reply of the server, and the
reply moves the session from one state to the next. Steps are named by their verbs; four are not
commands: the opening of the connection ("connect"), the end of a message ("."), a SASL response
("AUTH response") and the TLS handshake ("TLS"). The last chunk of a message, "BDAT LAST", is a
step apart from the other chunks because it leads elsewhere.

`MACHINE` says for each state which steps it allows, and for each step where each kind of reply
leads. A kind is a reply code (354) or the first digit of one (5); a code counts before a digit,
and the first kind listed is success. A reply of a kind that is not listed breaks the protocol.

This file does not know which role anybody plays. The server asks the table before it hands a
command out (not allowed: 503), the client before it sends one (not allowed: LocalProtocolError),
and both move along it when a reply is given. What the table does not say: 421 ends the session
from every state (RFC 5321 section 3.8); `OVERTAKEN` is for a client whose pipelined commands
come after one that was refused.

The second half is about pipelining (RFC 2920) and time (RFC 5321 section 4.5.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from smtpproto.events import Request
from smtpproto.smtp._commands import Bdat, Burl

__all__ = [
    "MACHINE",
    "OVERTAKEN",
    "SUCCESS",
    "Moves",
    "State",
    "named",
    "next_state",
    "step_of",
    "success",
]


class State(Enum):
    """Where a session stands, by the replies that have been given."""

    GREETING = "greeting"
    """The server has yet to greet."""
    CONNECTED = "connected"
    """Greeted; no EHLO, HELO or LHLO accepted yet, or none since TLS began."""
    READY = "ready"
    """No mail transaction."""
    MAIL = "mail"
    """A transaction without recipients."""
    RCPT = "rcpt"
    """A transaction with recipients."""
    DATA = "data"
    """After 354: everything up to CRLF.CRLF is the message."""
    BDAT = "bdat"
    """Between the chunks of a message."""
    FAILED = "failed"
    """A chunk was refused: the transaction must be given up with RSET (RFC 3030 section 2)."""
    AUTH = "auth"
    """Within a SASL exchange: a challenge wants its response."""
    TLS = "tls"
    """After the 220 to STARTTLS, until the handshake is done."""
    TURNED = "turned"
    """After the 250 to TURN or ATRN: ``reversed()`` gives the connection for the other role."""
    CLOSING = "closing"
    """The greeting was a refusal: only QUIT is left (RFC 5321 section 3.1)."""
    CLOSED = "closed"
    """Over."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is slow


Moves = Mapping[int, State]
"""Where the kinds of reply lead."""

# Looked for in every command, and slow to look up in an Enum.
GREETING, CONNECTED, READY = State.GREETING, State.CONNECTED, State.READY
MAIL, RCPT, DATA, BDAT, FAILED = State.MAIL, State.RCPT, State.DATA, State.BDAT, State.FAILED
AUTH, TLS, TURNED = State.AUTH, State.TLS, State.TURNED
CLOSING, CLOSED = State.CLOSING, State.CLOSED


def _moves(done: State, refused: State) -> Moves:
    return {2: done, 4: refused, 5: refused}


def _anywhere(here: State, after_reset: State) -> dict[str, Moves]:
    """What every state between commands allows, inside a transaction or not."""
    stay = _moves(here, here)
    return {
        # Accepted they end a transaction, refused they change nothing (section 4.1.4).
        "EHLO": _moves(READY, here),
        "HELO": _moves(READY, here),
        "LHLO": _moves(READY, here),
        "RSET": _moves(after_reset, here),
        "NOOP": stay,
        "HELP": stay,
        "VRFY": stay,
        "EXPN": stay,
        "extended": stay,
        "QUIT": _moves(CLOSED, CLOSED),
    }


_AUTHENTICATION: Moves = {235: READY, 334: AUTH, 4: READY, 5: READY}
_CHUNKS: dict[str, Moves] = {
    "BDAT": _moves(BDAT, FAILED),
    "BDAT LAST": _moves(READY, READY),
    "BURL": _moves(BDAT, FAILED),
    "BURL LAST": _moves(READY, READY),
}

MACHINE: Mapping[State, Mapping[str, Moves]] = {
    GREETING: {"connect": {220: CONNECTED, 4: CLOSING, 5: CLOSING}},
    CONNECTED: _anywhere(CONNECTED, CONNECTED),
    READY: {
        **_anywhere(READY, READY),
        # 355: a message that broke off is resumed, with the recipients it had (RFC 1845).
        "MAIL": {**_moves(MAIL, READY), 355: RCPT},
        "STARTTLS": {220: TLS, 4: READY, 5: READY},
        "AUTH": _AUTHENTICATION,
        "ETRN": _moves(READY, READY),
        "ATRN": _moves(TURNED, READY),
        "TURN": _moves(TURNED, READY),
    },
    MAIL: {
        **_anywhere(MAIL, READY),
        "RCPT": _moves(RCPT, MAIL),
    },
    RCPT: {
        **_anywhere(RCPT, READY),
        "RCPT": _moves(RCPT, RCPT),
        "DATA": {354: DATA, 4: RCPT, 5: RCPT},
        **_CHUNKS,
    },
    DATA: {".": _moves(READY, READY)},
    BDAT: {
        **_anywhere(BDAT, READY),
        # Whoever wants to give the message up must: it was dropped when this came in.
        **dict.fromkeys(("EHLO", "HELO", "LHLO", "RSET"), _moves(READY, FAILED)),
        **_CHUNKS,
    },
    FAILED: _anywhere(FAILED, READY),
    AUTH: {"AUTH response": _AUTHENTICATION},
    TLS: {"TLS": {2: CONNECTED}},
    TURNED: {},
    CLOSING: {"QUIT": _moves(CLOSED, CLOSED)},
    CLOSED: {},
}

RESTING = (CONNECTED, READY, CLOSING)
"""Where either side may leave without cutting anything off."""

OVERTAKEN: Mapping[str, tuple[int, ...]] = {
    # A server may answer 354 although it refused every recipient (RFC 2920 section 3.1): then
    # the client is in DATA, and can only send the final dot.
    "DATA": (354, 4, 5),
}
"""What may answer a pipelined command that is not allowed any more, because one before it was
refused: anything else than a refusal only where it stands here."""

REFUSALS = (4, 5)


def next_state(moves: Moves, code: int) -> State | None:
    """Where a reply with this code leads; None when it is of a kind that the table lacks."""
    return moves.get(code) or moves.get(code // 100)


def named(kinds: Iterable[int]) -> str:
    """Kinds of reply for people: "354, 4yz, 5yz"."""
    return ", ".join(f"{kind}yz" if kind < 10 else str(kind) for kind in kinds)


def success(moves: Moves) -> State:
    """Where the reply leads that the client hopes for."""
    return next(iter(moves.values()))


SUCCESS: Mapping[State, Mapping[str, State]] = {
    state: {step: success(moves) for step, moves in allowed.items()}
    for state, allowed in MACHINE.items()
}
"""The same for each step that a state allows."""


def step_of(request: Request) -> str:
    """The step that a request is."""
    if isinstance(request, _CHUNK_COMMANDS) and request.last:
        return f"{request.step} LAST"
    return request.step


_CHUNK_COMMANDS = (Bdat, Burl)  # a tuple: `isinstance` takes several times as long for a union


TAKES_MESSAGE = (".", "BDAT LAST", "BURL LAST")
"""The steps whose reply takes the message, or refuses it."""

# -- who may say what -----------------------------------------------------------------------------

WITHOUT_AUTH = frozenset({"EHLO", "HELO", "LHLO", "AUTH", "STARTTLS", "NOOP", "RSET", "QUIT"})
"""What a server that requires authentication allows before it (RFC 4954 section 6)."""

WITHOUT_TLS = frozenset({"EHLO", "HELO", "LHLO", "STARTTLS", "NOOP", "RSET", "QUIT"})
"""What a server that requires TLS allows before it (RFC 3207 section 4; RSET does no harm)."""

ONLY_WITH_AUTH = frozenset({"ATRN"})
"""What every server allows to authenticated clients only (RFC 2645 section 5.1)."""

NEVER_BY_DEFAULT = frozenset({"AUTH", "AUTH response", "TURN", "ATRN", "ETRN", "BURL", "BURL LAST"})
"""Steps that a server cannot accept without knowing more."""

# -- pipelining -----------------------------------------------------------------------------------

ENDS_GROUP = frozenset(
    {"connect", "EHLO", "HELO", "LHLO", "DATA", "VRFY", "EXPN", "TURN", "QUIT", "NOOP", "HELP",
     "ETRN", "ATRN", "STARTTLS", "AUTH", "AUTH response", "extended", "raw", "BURL LAST"}
)  # fmt: skip
"""Steps after which a client waits for the reply (RFC 2920 section 3.1, and 1985, 2645, 3207,
4468, 4954 for theirs; what an unregistered verb does nobody knows)."""

WITH_BURL = ENDS_GROUP | {"BDAT LAST"}
"""The same where BURL is offered: the last chunk of a message may be the one that a URL stands
behind (RFC 4468 section 3.2)."""

ONLY_BEHIND: Mapping[str, str] = {"BDAT": "BDAT", "BDAT LAST": "BDAT"}
"""What alone may be unanswered when these are written: MAIL and RCPT must be answered before the
first chunk (RFC 3030 section 2)."""

BARRIERS = frozenset({"EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "AUTH response", "TURN", "ATRN"})
"""Steps after which nothing may even be queued until they are answered: they change who talks,
or what may be said, or whether it is said in clear."""

# -- time -----------------------------------------------------------------------------------------

TIMEOUTS: Mapping[str, float] = {"DATA": 120.0, ".": 600.0, "BDAT LAST": 600.0, "BURL LAST": 600.0}
"""Seconds that a client waits for the reply to a step (RFC 5321 section 4.5.3.2)."""

TIMEOUT = 300.0
"""Seconds that a client waits for any other reply, and a server for the next command."""

BLOCK_TIMEOUT = 180.0
"""Seconds that a client waits for each block of a message to be taken."""
