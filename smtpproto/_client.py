"""ClientSide: what the clients of both protocols do alike.

Theory of operation
===================

`_session` is where the replies that have come have led (the Session of the protocol). `_ahead` is
where it will be if everything that was sent succeeds: a command is checked there, so that a whole
transaction can be sent at once.

What is sent stands in two queues. `_waiting` holds what may not be written yet, because the server
does not offer pipelining or because something before it ends a pipelining group. `_unanswered`
holds what is written, in the order in which its replies will come.

When a reply leads elsewhere than was hoped for, `_plan_again` follows the queues anew from the
confirmed session. It stops at the first step that leads where it was expected to lead all the
same, so a thousand refused recipients cost a thousand steps and no more.

A few steps are barriers: until they are answered nothing more may even be queued, because the
answer decides what may be sent, or to whom, or whether it is sent in clear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from smtpproto._connection import Connection
from smtpproto._wire import base64
from smtpproto.errors import ClosedError, InvalidValueError, OutOfOrderError
from smtpproto.events import (
    GREETING,
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    Event,
    Request,
)

if TYPE_CHECKING:  # not for those who do not authenticate
    from smtpproto.sasl._mechanism import ClientMechanism

__all__ = ["ClientSide", "Exchange", "Sent"]


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


class Sent:
    """Something of ours that was sent: queued, or written and waiting for its replies."""

    __slots__ = ("leads_to", "replies", "request", "step", "wire")

    def __init__(
        self, request: Request | None, step: str, wire: bytes, replies: int, leads_to: Enum | None
    ) -> None:
        self.request = request
        """None: octets of the message that follow the step before them."""
        self.step = step
        """Its name in the tables of the protocol's `_state`."""
        self.wire = wire
        self.replies = replies
        """How many are still to come."""
        self.leads_to = leads_to
        """The state that is expected after it, when it and all before it succeed; None for a
        barrier."""


class Exchange:
    """A SASL exchange that a mechanism runs; `initial` is its response that has not gone out."""

    __slots__ = ("_cancelled", "_initial", "_rounds", "mechanism")

    def __init__(self, mechanism: ClientMechanism, initial: bytes | None) -> None:
        self.mechanism = mechanism
        self._initial = initial
        self._cancelled = False
        self._rounds = 0

    def respond(self, challenge: bytes | None, longest: int) -> bytes:
        """The line, without its end, that answers a challenge; None stands for one that could not
        be decoded. The cancelling ``*`` where the mechanism gives up, or where the line would be
        longer than `longest` with its end."""
        self._rounds += 1
        response = None
        # Once cancelled it stays so, whatever the server asks for: it may be the password.
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
            # AUTH went out without it: the server's challenge is empty (RFC 4422 section 5, 2a).
            return None if challenge else initial
        # A mechanism may be anybody's: whatever it makes of what the server sent, it gives up.
        try:
            return self.mechanism.respond(challenge)
        except Exception:
            return None

    @property
    def complete(self) -> bool:
        return self.mechanism.complete and self._initial is None and not self._cancelled


class ClientSide(Connection):
    """Base of both client connections."""

    __slots__ = (
        "_ahead", "_auth_line", "_ends_group", "_exchange", "_most_unanswered", "_only_behind",
        "_pipelining", "_unanswered", "_unanswered_octets", "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        session: Any,
        *,
        backlog: int,
        most_unanswered: int | None,
        auth_line: int,
        ends_group: AbstractSet[str],
        only_behind: Mapping[str, str],
    ) -> None:
        super().__init__(session, backlog=backlog)
        self._pipelining = False  # whether the server offered it
        self._most_unanswered = most_unanswered  # octets of commands; None for any number
        self._auth_line = auth_line  # octets of a line of a SASL exchange
        self._ends_group = ends_group  # steps after which nothing follows until they are answered
        self._only_behind = only_behind  # what alone may be unanswered when a step follows
        self._ahead: Any = session.ahead()
        self._ahead.assume(GREETING.step, GREETING)
        opening = Sent(GREETING, GREETING.step, b"", 1, self._ahead.state)
        self._unanswered: deque[Sent] = deque([opening])
        self._unanswered_octets = 0
        self._waiting: deque[Sent] = deque()
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
        empty challenge. A mechanism that gives up, or raises, cancels the exchange. A server that
        reports success before the mechanism is complete has proved nothing: RemoteProtocolError.

        Raises NotOfferedError and OutOfOrderError where Auth cannot be sent, before the mechanism
        is asked.
        """
        if not callable(getattr(mechanism, "respond", None)):
            raise TypeError(
                "authenticate(mechanism): a client mechanism such as sasl.PlainClient(user,"
                f" password), not {type(mechanism).__name__}"
            )
        self._check_auth(mechanism.name)
        initial = mechanism.respond(None)
        sent = self._begin_auth(mechanism.name, initial)
        self._exchange = Exchange(mechanism, None if sent else initial)

    # -- for subclasses ---------------------------------------------------------------------------

    def _check_auth(self, mechanism: str) -> None:
        """Raise LocalProtocolError when AUTH with `mechanism` cannot be sent now."""
        raise NotImplementedError

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        """Send AUTH. Whether the initial response went with it."""
        raise NotImplementedError

    # -- what may be sent -------------------------------------------------------------------------

    def _check_open(self, item: object) -> None:
        if self._closed:
            raise ClosedError(f"the session is over: {item!r} cannot be sent")

    def _out_of_order(self, command: Request) -> NoReturn:
        """Say why `command` cannot be sent."""
        self._check_open(command)
        if self._handshake_owed:
            raise OutOfOrderError(f"{command!r}: the TLS handshake comes first: tls_started()")
        state = self._ahead.state
        if state is None:
            barrier = (self._waiting or self._unanswered)[-1]
            raise OutOfOrderError(
                f"{command!r} must wait for the reply to {barrier.step}, which decides what may be"
                " sent, and to whom"
            )
        names = ", ".join(sorted({_NAMES.get(step, step) for step in self._ahead.moves}))
        raise OutOfOrderError(
            f"{command!r} cannot be sent in state {state.value}: "
            + (f"allowed are {names}" if names else "no command is")
        )

    # -- the queues -------------------------------------------------------------------------------

    def _queue(self, sent: Sent) -> None:
        """Send `sent`, now or when it may go."""
        self._waiting.append(sent)
        self._write_what_may_go()

    def _write_what_may_go(self) -> None:
        waiting, unanswered = self._waiting, self._unanswered
        while waiting and (not unanswered or self._may_follow(waiting[0])):
            sent = waiting.popleft()
            self._outbox.append(sent.wire)
            if sent.replies:
                unanswered.append(sent)
                self._unanswered_octets += len(sent.wire)

    def _may_follow(self, sent: Sent) -> bool:
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

    def _plan_again(self) -> None:
        """A reply has led elsewhere than was hoped for."""
        ahead = self._session.ahead()
        for sent in chain(self._unanswered, self._waiting):
            ahead.assume(sent.step, sent.request)
            if ahead.state is sent.leads_to:
                return  # from here on all is as it was
            sent.leads_to = ahead.state
        self._ahead = ahead

    # -- SASL -------------------------------------------------------------------------------------

    def _auth_step(self, item: AuthResponse | AuthCancelled) -> None:
        """Answer a challenge."""
        if AuthResponse.step not in self._session.moves or self._unanswered:
            self._check_open(item)
            raise OutOfOrderError(f"{type(item).__name__} answers an AuthChallenge: none waits")
        line = b"*" if isinstance(item, AuthCancelled) else base64.encode(item.data)
        most = self._auth_line
        if len(line) + 2 > most:
            raise InvalidValueError(
                f"a SASL response of {len(line)} octets in base64 does not fit in a line of {most}"
                " (RFC 4954 section 4)"
            )
        self._send_auth_line(line)

    def _send_auth_line(self, line: bytes) -> None:
        self._queue(Sent(self._session.auth, AuthResponse.step, line + b"\r\n", 1, None))

    def _challenged(self, text: bytes) -> AuthChallenge | None:
        """The challenge in base64; None for one that is answered here: by the mechanism that
        runs, or, where it cannot be decoded, with the cancelling ``*`` (RFC 4954 section 4, RFC
        5034 section 4)."""
        try:
            challenge: bytes | None = base64.decode(text.strip(b" "))
        except ValueError:
            challenge = None
        if self._exchange is not None:
            self._send_auth_line(self._exchange.respond(challenge, self._auth_line))
        elif challenge is not None:
            return AuthChallenge(challenge)
        else:
            self._send_auth_line(b"*")
        return None

    def _auth_answered(self, sent: Sent, success: bool) -> None:
        """The server has ended the exchange. Raises RemoteProtocolError when it reports success
        and the mechanism does not."""
        exchange, self._exchange = self._exchange, None
        if success and exchange is not None and not exchange.complete:
            self._fail(
                f"the server says that {exchange.mechanism.name} has succeeded, before it was"
                " complete: expected a challenge, or a refusal",
                command=sent.request,
            )
        if success and sent.wire == _CANCEL:
            self._fail(
                "the server says that AUTH has succeeded, after it was cancelled",
                command=sent.request,
            )

    # -- reading, and the end ---------------------------------------------------------------------

    def _no_line(self, limit: int) -> Event | None:
        """No line is complete. Raises RemoteProtocolError as soon as one is too long: it need
        never end."""
        if self._input.overlong:
            self._line_too_long(limit)
        return self._no_more_data()

    def _line_too_long(self, limit: int) -> NoReturn:
        self._fail(f"a line of a response is longer than {limit} octets", self._input.overlong)

    def _await_handshake(self) -> Event | None:
        """The go-ahead for TLS has come: nothing may follow it in clear."""
        if not self._input.empty:
            self._fail("octets in clear behind the go-ahead for TLS: somebody put them there")
        return self._no_more_data()

    def _read_nothing(self) -> Event | None:
        return None if self._closed else self._no_more_data()

    def _injected(self, data: bytes | bytearray | memoryview) -> None:
        self._input.append(data)
        self._events.clear()  # TlsHandshake, where it was not handed out
        self._need_data = False

    def _waiting_for(self) -> str:
        count = len(self._unanswered) + len(self._waiting)
        if not count:
            return ""
        first = (self._unanswered or self._waiting)[0]
        more = f" and {count - 1} more" if count > 1 else ""
        return f", awaits the reply to {type(first.request).__name__}{more}"

    def _unanswered_requests(self) -> tuple[Request, ...]:
        cut_off = (*self._unanswered, *self._waiting)
        return tuple(sent.request for sent in cut_off if sent.request is not None)

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        super()._end(clean=clean, handed_over=handed_over)
        self._unanswered.clear()
        self._waiting.clear()
        self._exchange = None
