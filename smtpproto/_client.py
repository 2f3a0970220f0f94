"""ClientSide: what the clients of both protocols do alike.

What is sent waits until it may be written, and then for its replies, in order. A few steps are
barriers: until they are answered nothing more may even be queued, because the answer decides
what may be said, or to whom, or whether it is said in clear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from smtpproto._connection import Connection
from smtpproto._wire import base64
from smtpproto.errors import LocalProtocolError
from smtpproto.events import AuthCancelled, AuthChallenge, AuthResponse, Event, Request

if TYPE_CHECKING:  # not for those who do not authenticate
    from smtpproto.sasl._mechanism import ClientMechanism

__all__ = ["ClientSide", "Exchange", "Prospects", "Sent", "prospects"]


_CANCEL = b"*\r\n"
_NAMES = {
    ".": "MessageData and EndOfMessage",
    "AUTH list": "AUTH",
    "AUTH response": "AuthResponse and AuthCancelled",
    "extended": "verbs of extensions",
}
"""What is sent to take a step that is not called after its verb."""
_MOST_ROUNDS = 100
"""Challenges that a mechanism is asked to answer; the longest registered one has three."""


S = TypeVar("S", bound=Enum)

Prospects = Mapping[S | None, Mapping[str, S | None]]
"""Which steps a client may take in each state that it expects, and what it expects after them:
None where the answer decides what may be said, and nothing may even be queued before it."""


def prospects(
    success: Mapping[S, Mapping[str, S]],
    barriers: AbstractSet[str],
    without: AbstractSet[str] = frozenset(),
) -> Prospects[S]:
    """The prospects of a machine, but for the steps in `without`."""
    allowed: dict[S | None, Mapping[str, S | None]] = {None: {}}
    for state, steps in success.items():
        leads = {
            step: None if step in barriers else after
            for step, after in steps.items()
            if step not in without
        }
        # Anything at all may be said between commands.
        allowed[state] = {**leads, "raw": state} if "QUIT" in leads else leads
    return allowed


class Sent(Generic[S]):
    """A step of ours: queued, or written and waiting for its replies."""

    __slots__ = ("leads_to", "replies", "request", "step", "wire")

    def __init__(
        self, request: Request | None, step: str, wire: bytes, replies: int, leads_to: S | None
    ) -> None:
        self.request = request
        """None: the opening of the connection, or octets that follow the step before them."""
        self.step = step
        """Its name in the tables of the protocol's state.py."""
        self.wire = wire
        self.replies = replies
        """How many are still to come."""
        self.leads_to = leads_to
        """The state that is expected after it, when it and all before it succeed; None where
        its answer decides what may be said."""


class Exchange:
    """A SASL exchange that a mechanism runs; `initial` is its response that has not gone out."""

    __slots__ = ("_cancelled", "_initial", "_rounds", "mechanism")

    def __init__(self, mechanism: ClientMechanism, initial: bytes | None) -> None:
        self.mechanism = mechanism
        self._initial = initial
        self._cancelled = False
        self._rounds = 0

    def respond(self, challenge: bytes | None, longest: int) -> bytes:
        """The line, without its end, that answers a challenge, None for one that could not be
        decoded. The cancelling ``*`` where there is nothing better to say, or where the line
        would be longer than `longest` with its end."""
        self._rounds += 1
        response = None
        # Once cancelled, whatever the server asks for: it may be the password.
        if challenge is not None and self._rounds <= _MOST_ROUNDS and not self._cancelled:
            response = self._response(challenge)
        if response is not None:
            line = base64.encode(response)
            if len(line) + 2 <= longest:
                return line
        self._cancelled = True
        return b"*"

    def _response(self, challenge: bytes) -> bytes | None:
        initial, self._initial = self._initial, None
        if initial is not None:
            # The server was told no initial response: its challenge is empty (RFC 4422 5, 2a).
            return None if challenge else initial
        # A mechanism may be anybody's: whatever it makes of what the server sent, it gives up.
        try:
            return self.mechanism.respond(challenge)
        except Exception:
            return None

    @property
    def complete(self) -> bool:
        return self.mechanism.complete and self._initial is None and not self._cancelled


class ClientSide(Connection, Generic[S]):
    """Base of both client connections."""

    __slots__ = (
        "_ends_group", "_exchange", "_expected", "_most_unanswered", "_only_behind", "_pipelining",
        "_prospects", "_unanswered", "_unanswered_octets", "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        *,
        tls: bool,
        backlog: int,
        most_unanswered: int | None,
        prospects: Prospects[S],
        ends_group: AbstractSet[str],
        only_behind: Mapping[str, str],
        greeted: S,
    ) -> None:
        super().__init__(tls=tls, backlog=backlog)
        self._pipelining = False  # whether the server offered it
        self._most_unanswered = most_unanswered  # octets of commands; None for any number
        self._prospects = prospects
        self._ends_group = ends_group  # steps after which nothing follows until they are answered
        self._only_behind = only_behind  # what alone may be unanswered when a step follows
        # The state that holds when all that is unanswered succeeds; None behind a barrier.
        self._expected: S | None = greeted
        self._unanswered: deque[Sent[S]] = deque([Sent(None, "connect", b"", 1, greeted)])
        self._unanswered_octets = 0
        self._waiting: deque[Sent[S]] = deque()
        self._exchange: Exchange | None = None

    # -- public: what waits -----------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """True when everything that was sent has been answered."""
        return not (self._unanswered or self._waiting)

    @property
    def held_back(self) -> bool:
        """True while something that was sent may not be written before replies come.

        More can be sent, and waits in memory behind it.
        """
        return bool(self._waiting)

    # -- public: SASL -----------------------------------------------------------------------------

    def authenticate(self, mechanism: ClientMechanism) -> None:
        """Run a SASL exchange with `mechanism`, from AUTH to the event that answers it.

        The challenges are answered here and not handed out; the exchange ends in the event that
        names the Auth command. An initial response that does not fit in its line follows on the
        empty challenge. A mechanism that gives up, or raises, cancels the exchange. A server
        that says success before the mechanism is complete has proved nothing: RemoteProtocolError.

        Raises LocalProtocolError where Auth cannot be sent, before the mechanism is asked.
        """
        self._check_auth(mechanism.name)
        initial = mechanism.respond(None)
        sent = self._begin_auth(mechanism.name, initial)
        self._exchange = Exchange(mechanism, None if sent else initial)

    # -- for subclasses ---------------------------------------------------------------------------

    @property
    def _within_auth(self) -> bool:
        """Whether a SASL challenge waits for its response."""
        raise NotImplementedError

    @property
    def _longest_auth_line(self) -> int:
        raise NotImplementedError

    def _check_auth(self, mechanism: str) -> None:
        """Raise LocalProtocolError when AUTH with `mechanism` cannot be sent now."""
        raise NotImplementedError

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        """Send AUTH; whether the initial response went with it."""
        raise NotImplementedError

    def _expects(self, command: Request, step: str) -> S | None:
        """The state to be expected after `command`, which is `step`, and all before it.

        Raises LocalProtocolError where it may not be sent.
        """
        try:
            return self._prospects[self._expected][step]
        except KeyError:
            self._out_of_order(command)

    def _check_open(self, item: object) -> None:
        if self._closed:
            raise LocalProtocolError(f"the session is over: {item!r} cannot be sent")

    def _out_of_order(self, command: Request) -> NoReturn:
        """Say why `command` cannot be sent."""
        self._check_open(command)
        if self._handshake_owed:
            raise LocalProtocolError(f"{command!r}: the TLS handshake comes first: tls_started()")
        if self._expected is None:
            barrier = (self._waiting or self._unanswered)[-1]
            raise LocalProtocolError(
                f"{command!r} must wait for the reply to {barrier.step}, which decides what may be"
                " said, and to whom"
            )
        steps = self._prospects[self._expected].keys() - {"raw"}
        names = ", ".join(sorted({_NAMES.get(step, step) for step in steps}))
        raise LocalProtocolError(
            f"{command!r} cannot be sent in state {self._expected.value}: "
            + (f"allowed are {names}" if names else "no command is")
        )

    def _expect(self, state: S | None) -> None:
        """A reply has led to `state`, not where it was expected to: so may what is unanswered, up
        to the first step that leads to the same state from both."""
        for sent in chain(self._unanswered, self._waiting):
            if sent.leads_to is None:
                return  # nothing is behind it
            state = self._prospects[state].get(sent.step, self._still_leads(sent.step, state))
            if state is sent.leads_to:
                return
            sent.leads_to = state
        self._expected = state

    def _still_leads(self, step: str, state: S | None) -> S | None:
        """Where a step leads, should it succeed, that `state` does not allow any more."""
        return state

    def _queue(self, sent: Sent[S]) -> None:
        self._expected = sent.leads_to
        if self._waiting or (self._unanswered and not self._may_follow(sent)):
            self._waiting.append(sent)
        else:
            self._write(sent)

    def _may_follow(self, sent: Sent[S]) -> bool:
        """Whether the next step may be written while others are unanswered (RFC 2920 section
        3.1, RFC 2449 6.6)."""
        if not sent.replies:
            return True
        if not self._pipelining:
            return False
        last = self._unanswered[-1].step
        if last in self._ends_group or self._only_behind.get(sent.step, last) != last:
            return False
        most = self._most_unanswered
        return most is None or self._unanswered_octets + len(sent.wire) <= most

    def _write(self, sent: Sent[S]) -> None:
        self._outbox.append(sent.wire)
        if sent.replies:
            self._unanswered.append(sent)
            self._unanswered_octets += len(sent.wire)

    def _write_what_may_go(self) -> None:
        waiting = self._waiting
        while waiting and (not self._unanswered or self._may_follow(waiting[0])):
            self._write(waiting.popleft())

    def _answered(self, state: S) -> None:
        """The oldest step has had its last reply, which has led to `state`."""
        sent = self._unanswered.popleft()
        self._unanswered_octets -= len(sent.wire)
        if state is not sent.leads_to:
            self._expect(state)

    def _send_auth(self, item: AuthResponse | AuthCancelled, command: Request | None) -> None:
        """Answer a challenge within the exchange that `command` began."""
        if not self._within_auth or self._unanswered:
            self._check_open(item)
            raise LocalProtocolError(f"{type(item).__name__} answers an AuthChallenge: none waits")
        line = b"*" if isinstance(item, AuthCancelled) else base64.encode(item.data)
        most = self._longest_auth_line
        if len(line) + 2 > most:
            raise LocalProtocolError(
                f"a SASL response of {len(line)} octets in base64 does not fit in a line of {most}"
                " (RFC 4954 section 4)"
            )
        self._queue(Sent(command, "AUTH response", line + b"\r\n", 1, None))

    def _challenged(self, text: bytes, command: Request | None) -> AuthChallenge | None:
        """The challenge in base64; None for one that is answered here: by the mechanism that
        runs, or, where it cannot be decoded, with the cancelling ``*`` (RFC 4954 section 4, RFC
        5034 section 4)."""
        try:
            challenge: bytes | None = base64.decode(text.strip(b" "))
        except ValueError:
            challenge = None
        if self._exchange is not None:
            line = self._exchange.respond(challenge, self._longest_auth_line)
        elif challenge is not None:
            return AuthChallenge(challenge)
        else:
            line = b"*"
        self._queue(Sent(command, "AUTH response", line + b"\r\n", 1, None))
        return None

    def _auth_answered(self, sent: Sent[S], success: bool) -> None:
        """The server has ended the exchange. Raises RemoteProtocolError when it says success and
        the mechanism does not."""
        exchange, self._exchange = self._exchange, None
        if success and exchange is not None and not exchange.complete:
            self._fail(
                f"the server says that {exchange.mechanism.name} has succeeded, before it was"
                " complete: expected a challenge, or a refusal"
            )
        if success and sent.wire == _CANCEL:
            self._fail("the server says that AUTH has succeeded, after it was cancelled")

    def _no_line(self, limit: int) -> Event | None:
        """No line is complete. Raises RemoteProtocolError as soon as one is too long: it need
        never end."""
        if self._input.overlong:
            self._line_too_long(limit)
        return self._starve()

    def _line_too_long(self, limit: int) -> NoReturn:
        self._fail(f"a line of a response is longer than {limit} octets")

    def _unanswered_requests(self) -> tuple[Request, ...]:
        cut_off = (*self._unanswered, *self._waiting)
        return tuple(sent.request for sent in cut_off if sent.request is not None)

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._unanswered.clear()
        self._waiting.clear()
        self._exchange = None
