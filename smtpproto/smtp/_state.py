"""The state machine of SMTP and LMTP: everything that decides what may come next.

Theory of operation
===================

A session is a sequence of *steps* of the client, each answered by a reply of the server, and the
reply moves the session from one state to the next. Steps are named by their verbs; four are not
commands: the opening of the connection ("greeting"), the end of a message ("."), a SASL response
("AUTH response") and the TLS handshake ("TLS"). The last chunk of a message, "BDAT LAST", is a
step apart from the other chunks because it leads elsewhere.

`STEPS` has a row for each step: what is true of it in every state. `MACHINE` says for each state
which steps it allows, and for each step where each kind of reply leads. A kind is a reply code
(354) or the first digit of one (5); a code counts before a digit, and the first kind listed is
success. A reply of a kind that is not listed breaks the protocol.

This file does not know which role anybody plays. The server asks the table before it hands a
command out (not allowed: 503), the client before it sends one (not allowed: OutOfOrderError), and
both move along it when a reply is given. Two rules stand outside the table: 421 ends the session
from every state (RFC 5321 section 3.8), and `overtaken` is for a client whose pipelined commands
come after one that was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from smtpproto.smtp._replies import TEXTS

__all__ = [
    "MACHINE",
    "STEPS",
    "SUCCESS",
    "Moves",
    "State",
    "Step",
    "named",
    "next_state",
    "overtaken",
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
    """After the 250 to TURN or ATRN: ``reversed()`` hands over to the other role."""
    CLOSING = "closing"
    """The greeting was a refusal: only QUIT is left (RFC 5321 section 3.1)."""
    CLOSED = "closed"
    """Over."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is slow


# Looked for in every command, and slow to look up in an Enum.
GREETING, CONNECTED, READY = State.GREETING, State.CONNECTED, State.READY
MAIL, RCPT, DATA, BDAT, FAILED = State.MAIL, State.RCPT, State.DATA, State.BDAT, State.FAILED
AUTH, TLS, TURNED = State.AUTH, State.TLS, State.TURNED
CLOSING, CLOSED = State.CLOSING, State.CLOSED

RESTING = (GREETING, CONNECTED, READY, CLOSING)
"""Where either side may leave without cutting off a transaction or an exchange."""


# -- the steps ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What is true of a step in every state that allows it."""

    accepted: tuple[int, str | None, str] | None = None
    """What ``accept()`` says: reply code, enhanced status code, text. None where the server gives
    its name, or where `by_default` is False."""
    by_default: bool = True
    """Whether ``accept()`` may answer it: False where only the application knows the answer."""
    subject: int = 0
    """The subject of a refusal's enhanced status code (RFC 3463 section 3): 1 addressing, 6 the
    message, 7 security."""
    ends_group: bool = True
    """Whether a client waits for its reply before it writes more (RFC 2920 section 3.1, and RFC
    1985, 2645, 3207, 4468, 4954 for theirs; what an unregistered verb does is not known)."""
    barrier: bool = False
    """Whether nothing may even be queued until it is answered: it changes who talks, or what may
    be sent, or whether it is sent in clear."""
    without_auth: bool = False
    """Whether a server that requires authentication allows it before (RFC 4954 section 6)."""
    without_tls: bool = False
    """Whether a server that requires TLS allows it before (RFC 3207 section 4; RSET is not on
    its list, and does no harm)."""
    takes_message: bool = False
    """Whether its reply takes the message, or refuses it."""
    timeout: float = 300.0
    """Seconds that a client waits for the reply (RFC 5321 section 4.5.3.2)."""


_OK = (250, "2.0.0", "OK")
_TAKEN = (250, "2.6.0", "Message accepted")
_HELLO = Step(barrier=True, without_auth=True, without_tls=True)

STEPS: Mapping[str, Step] = {
    "greeting": Step(),
    "EHLO": _HELLO,
    "HELO": _HELLO,
    "LHLO": _HELLO,
    "MAIL": Step((250, "2.1.0", "Sender OK"), subject=1, ends_group=False),
    "RCPT": Step((250, "2.1.5", "Recipient OK"), subject=1, ends_group=False),
    "DATA": Step((354, None, TEXTS[354]), timeout=120.0),
    ".": Step(_TAKEN, subject=6, ends_group=False, takes_message=True, timeout=600.0),
    "BDAT": Step((250, "2.6.0", "Chunk received"), subject=6, ends_group=False),
    "BDAT LAST": Step(_TAKEN, subject=6, ends_group=False, takes_message=True, timeout=600.0),
    "BURL": Step(by_default=False, ends_group=False),
    "BURL LAST": Step(by_default=False, takes_message=True, timeout=600.0),
    "RSET": Step(_OK, ends_group=False, without_auth=True, without_tls=True),
    "NOOP": Step(_OK, without_auth=True, without_tls=True),
    "HELP": Step((214, "2.0.0", TEXTS[214])),
    # Not 250: nobody has verified anything (RFC 5321 section 3.5.3).
    "VRFY": Step((252, "2.0.0", TEXTS[252]), subject=1),
    "EXPN": Step((252, "2.0.0", "Cannot EXPN list"), subject=1),
    "QUIT": Step(without_auth=True, without_tls=True),
    "STARTTLS": Step(
        (220, "2.0.0", "Ready to start TLS"),
        subject=7,
        barrier=True,
        without_auth=True,
        without_tls=True,
    ),
    "AUTH": Step(by_default=False, subject=7, barrier=True, without_auth=True),
    "AUTH response": Step(by_default=False, subject=7, barrier=True),
    "TLS": Step(),
    "ETRN": Step(by_default=False),
    "ATRN": Step(by_default=False, barrier=True),
    "TURN": Step(by_default=False, barrier=True),
    "extended": Step(_OK),
    "raw": Step(),
}

ENDS_GROUP = frozenset(name for name, step in STEPS.items() if step.ends_group)
BARRIERS = frozenset(name for name, step in STEPS.items() if step.barrier)
TAKES_MESSAGE = frozenset(name for name, step in STEPS.items() if step.takes_message)

WITH_BURL = ENDS_GROUP | {"BDAT LAST"}
"""The steps that end a group where BURL is offered: the last chunk of a message may be the one
that a URL stands behind (RFC 4468 section 3.2)."""

ONLY_BEHIND: Mapping[str, str] = {"BDAT": "BDAT", "BDAT LAST": "BDAT"}
"""What alone may be unanswered when these are written: MAIL and RCPT must be answered before the
first chunk (RFC 3030 section 2)."""

ONLY_WITH_AUTH = frozenset({"ATRN"})
"""What every server allows to authenticated clients only (RFC 2645 section 5.1)."""

TIMEOUT = 300.0
"""Seconds that a server waits for the next command, and a client for most replies."""

BLOCK_TIMEOUT = 180.0
"""Seconds that a client waits for each block of a message to be taken."""


# -- the machine ----------------------------------------------------------------------------------

Moves = Mapping[int, State]
"""Where the kinds of reply lead."""


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
        # 220 is a greeting: XCLIENT has made the session that of another client.
        "extended": {**stay, 220: CONNECTED},
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
    GREETING: {"greeting": {220: CONNECTED, 4: CLOSING, 5: CLOSING}},
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
        # A client that wants to give the message up must: it was dropped when this came in.
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


def next_state(moves: Moves, code: int) -> State | None:
    """Where a reply with this code leads; None when it is of a kind that the table lacks."""
    return moves.get(code) or moves.get(code // 100)


def success(moves: Moves) -> State:
    """Where the reply leads that the client hopes for."""
    return next(iter(moves.values()))


SUCCESS: Mapping[State, Mapping[str, State]] = {
    state: {step: success(moves) for step, moves in allowed.items()}
    for state, allowed in MACHINE.items()
}
"""The same for each step that a state allows."""


def overtaken(step: str, state: State) -> Moves:
    """Where replies lead to a pipelined step that is not allowed any more, because one before it
    was refused: it can only be refused too, but for DATA. A server may answer 354 although it
    refused every recipient (RFC 2920 section 3.1); the client can only send the final dot then.
    """
    return {354: DATA, 4: state, 5: state} if step == "DATA" else {4: state, 5: state}


def named(kinds: Iterable[int]) -> str:
    """Kinds of reply for people: "354, 4yz, 5yz"."""
    return ", ".join(f"{kind}yz" if kind < 10 else str(kind) for kind in kinds)
