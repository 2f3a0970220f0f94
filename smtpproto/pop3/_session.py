"""Session: where a POP3 session stands, what may come next, and what an answer changes.

Theory of operation
===================

Both roles hold the same object, and so does `explain`. It knows the state, the user between USER
and PASS, the capabilities of the server and the timestamp of its greeting; it does not know which
role it serves, and no octet of the wire.

`check` says whether a command is allowed besides its place in the order, which `moves` has. It
raises Refused with the text of an ``-ERR``: a server sends that, a client raises it. A server
checks a command before it hands it out, and calls `follow` when the command is answered.

A client may send more before its commands are answered. So it has, besides the Session that follows
the answers, an `Ahead`: the place where the session will be if everything that was sent succeeds.
What may be sent next is asked there. Behind a command whose answer decides that, its state is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smtpproto.errors import Refused
from smtpproto.events import Request
from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._commands import Apop, Auth, Command, Lang, Pass, Stls, User, Utf8
from smtpproto.pop3._state import (
    AUTHORIZATION,
    BARRIERS,
    ENTERED,
    ERR,
    GREETING,
    MACHINE,
    OK,
    SUCCESS,
    Moves,
    State,
)

__all__ = ["Ahead", "Session", "step_of"]

_NOWHERE: Mapping[str, Moves] = {}


def step_of(request: Request) -> str:
    """The step that a request is."""
    if isinstance(request, Auth) and request.mechanism is None:
        return "AUTH list"
    return request.step


class Session:
    """A session of POP3 (RFC 1939), known to either side of it."""

    __slots__ = (
        "auth", "capabilities", "marked", "messages", "moves", "state", "timestamp", "tls", "user",
        "utf8",
    )  # fmt: skip

    def __init__(self, *, tls: bool) -> None:
        self.tls = tls
        self.state = GREETING
        self.moves = MACHINE[GREETING]
        """The steps that the state allows, and where the answers to each lead."""
        self.capabilities: Capabilities | None = None
        """What the server is capable of; None where that is not known: a client may try."""
        self.timestamp: str | None = None
        """The timestamp of the greeting, for APOP."""
        self.user: str | None = None
        """The name of the USER that was accepted, while PASS may follow."""
        self.utf8 = False
        """Whether both sides may send UTF-8 (RFC 6856 section 2.1)."""
        self.marked = False
        """Whether a message may be marked as deleted: STAT does not count it, and it keeps its
        number."""
        self.messages: int | None = None
        """How many messages the maildrop has, so that a listing can have no higher number; None
        where no STAT has told it."""
        self.auth: Auth | None = None
        """The AUTH whose exchange goes on, or has ended last."""

    # -- what may come next -----------------------------------------------------------------------

    def out_of_order(self, verb: str) -> Refused:
        """The refusal of a command whose turn it is not."""
        return Refused(503, "5.5.1", f"{verb} is out of order: {_NEXT[self.state]}")

    def check(self, command: Command, utf8: bool) -> None:
        """Raise Refused when the capabilities of the server, or what came before, do not allow a
        command whose turn it is. `utf8`: UTF8 has come before."""
        rule = _RULES.get(type(command))
        if rule is not None:
            rule(self, command, utf8)

    def may_begin_tls(self) -> bool:
        """Whether STLS is allowed now (RFC 2595 section 4, RFC 6856 section 2.1)."""
        return not self.tls and not self.utf8 and Stls.step in self.moves

    def _check_stls(self, command: Stls, utf8: bool) -> None:
        if self.tls or utf8:
            why = "TLS is active" if self.tls else "STLS must precede UTF8"
            raise Refused(503, "5.5.1", f"STLS is out of order: {why}")
        self._check_offered(command, utf8)

    def _check_offered(self, command: Command, utf8: bool) -> None:
        if self.capabilities is not None and command.verb not in self.capabilities:
            raise Refused(502, "5.5.1", f"{command.verb} is not offered here")

    def _check_apop(self, command: Apop, utf8: bool) -> None:
        if self.timestamp is None:
            raise Refused(
                502,
                "5.5.1",
                "APOP needs a greeting with a timestamp that is a msg-id (RFC 1939 section 7), and"
                " not one from before TLS",
            )
        self._check_text(command.name)

    def _check_user(self, command: User, utf8: bool) -> None:
        self._check_text(command.name)

    def _check_pass(self, command: Pass, utf8: bool) -> None:
        self._check_text(command.secret)

    def _check_text(self, text: str) -> None:
        if not text.isascii() and not (self.capabilities and self.capabilities.utf8_user):
            raise Refused(
                500,
                "5.5.2",
                "it is not ASCII, and UTF8 USER is not offered (RFC 6856 section 2.2)",
            )

    def _check_auth(self, command: Auth, utf8: bool) -> None:
        shows_sasl = self.capabilities is not None and "SASL" in self.capabilities
        if command.initial_response is not None and not shows_sasl:
            raise Refused(
                501,
                "5.7.0",
                "an initial response needs SASL in the answer to CAPA (RFC 5034 section 3); send"
                " Auth without it, and it as the response to the empty challenge",
            )

    # -- what an answer changes -------------------------------------------------------------------

    def enter(self, step: str) -> None:
        """It is the turn of `step`, which may change the state before it is answered."""
        entered = ENTERED.get((self.state, step))
        if entered is not None:
            self._move(entered)

    def follow(self, step: str, request: Any, kind: str, state: State) -> None:
        """`request`, which is `step`, has got an answer of this kind, which leads to `state`."""
        self._move(state)
        self.user = request.name if state is State.USER else None
        if step == "UTF8":
            self.utf8 = self.utf8 or kind == OK
        elif step == "AUTH":
            self.auth = request
        elif step in ("DELE", "RSET") and kind == OK:
            self.marked = step == "DELE"

    def refuse(self) -> None:
        """A line was refused that was not even a command whose turn it was."""
        self.follow("refused", None, ERR, self.moves["refused"][ERR])

    def tls_started(
        self, capabilities: Capabilities | None = None, timestamp: str | None = None
    ) -> None:
        """TLS has begun: what was learnt in clear is forgotten. A server knows its own
        `capabilities` and `timestamp`."""
        self.tls = True
        self.capabilities = capabilities
        self.timestamp = timestamp
        self.user = self.auth = None
        self._move(AUTHORIZATION)

    def end(self) -> None:
        """The session is over, wherever it stood."""
        self.user = None
        self._move(State.CLOSED)

    def _move(self, state: State) -> None:
        self.state = state
        self.moves = MACHINE[state]

    def ahead(self) -> Ahead:
        """The place ahead of this session: here, until something is sent."""
        return Ahead(self)

    def force(self, state: State) -> None:
        """Go to `state`, whatever the rules say: for a session that is only watched."""
        self._move(state)


class Ahead:
    """Where a session will be when everything that was sent has succeeded."""

    __slots__ = ("moves", "state", "utf8")

    def __init__(self, session: Session) -> None:
        self.state: State | None = session.state
        """None behind a command whose answer decides what may be sent."""
        self.moves = session.moves
        self.utf8 = session.utf8

    def assume(self, step: str, request: Request | None) -> None:
        """`step` is sent: go where the answer leads that is hoped for. A step that is not allowed
        any more, because one before it was refused, changes nothing."""
        if self.state is None or step in BARRIERS:
            self.state = None
            self.moves = _NOWHERE
            return
        state = SUCCESS[self.state].get(step)
        if state is not None:
            self.state = state
            self.moves = MACHINE[state]
        if step == "UTF8":
            self.utf8 = True


_NEXT = {
    State.AUTHORIZATION: "log in first, USER and then PASS",
    State.USER: "PASS is next",
    State.TRANSACTION: "somebody is logged in already",
}
"""What a refusal for the order of commands tells the client to do."""

_RULES: dict[type[Command], Callable[[Session, Any, bool], None]] = {
    Stls: Session._check_stls,
    Utf8: Session._check_offered,
    Lang: Session._check_offered,
    Apop: Session._check_apop,
    User: Session._check_user,
    Pass: Session._check_pass,
    Auth: Session._check_auth,
}
"""What a command must fulfil besides its place in the order."""
