"""ClientSide: what the clients of both protocols do alike.

What is sent waits until it may be written, and then for its replies, in order. A few steps are
barriers: until they are answered nothing more may even be queued, because the answer decides
what may be said, or to whom, or whether it is said in clear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from smtpproto.connection import Connection
from smtpproto.errors import LocalProtocolError
from smtpproto.events import AuthCancelled, AuthChallenge, AuthResponse, Request
from smtpproto.wire import base64
from smtpproto.wire.lines import LineTooLong

if TYPE_CHECKING:  # not for those who do not authenticate
    from smtpproto.sasl.mechanism import ClientMechanism

__all__ = ["ClientSide", "Exchange", "Sent"]


_CANCEL = b"*\r\n"
_MOST_ROUNDS = 100
"""Challenges that a mechanism is asked to answer; the longest registered one has three."""


class Sent(NamedTuple):
    """A step of ours: queued, or written and waiting for its replies."""

    request: Request | None
    """None: the opening of the connection, or octets that follow the step before them."""
    step: str
    """Its name in the tables of the protocol's state.py."""
    wire: bytes
    replies: int


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
        if challenge is not None and self._rounds <= _MOST_ROUNDS:
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


class ClientSide(Connection):
    """Base of both client connections."""

    __slots__ = (
        "_exchange", "_most_unanswered", "_pipelining", "_unanswered", "_unanswered_octets",
        "_waiting",
    )  # fmt: skip

    BARRIERS: ClassVar[AbstractSet[str]]
    ENDS_GROUP: ClassVar[AbstractSet[str]]

    def __init__(self, *, tls: bool, backlog: int, most_unanswered: int | None) -> None:
        super().__init__(tls=tls, backlog=backlog)
        self._pipelining = False  # whether the server offered it
        self._most_unanswered = most_unanswered  # octets of commands; None for any number
        self._unanswered: deque[Sent] = deque([Sent(None, "connect", b"", 1)])
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

    def _check_barrier(self, item: object) -> None:
        """Raise LocalProtocolError when `item` would have to be queued behind a barrier."""
        last = self._waiting or self._unanswered
        if last and last[-1].step in self.BARRIERS:
            raise LocalProtocolError(
                f"{item!r} must wait for the reply to {last[-1].step}, which decides what may be"
                " said, and to whom"
            )
        if self._handshake_owed:
            raise LocalProtocolError(f"{item!r}: the TLS handshake comes first: tls_started()")

    def _queue(self, sent: Sent) -> None:
        if not self._waiting and (not self._unanswered or self._may_follow(sent)):
            self._write(sent)
        else:
            self._waiting.append(sent)

    def _may_follow(self, sent: Sent) -> bool:
        """Whether the next step may be written while others are unanswered (RFC 2920 section
        3.1, RFC 2449 6.6)."""
        if not sent.replies:
            return True
        if not self._pipelining or self._unanswered[-1].step in self.ENDS_GROUP:
            return False
        most = self._most_unanswered
        return most is None or self._unanswered_octets + len(sent.wire) <= most

    def _write(self, sent: Sent) -> None:
        self._outbox.append(sent.wire)
        if sent.replies:
            self._unanswered.append(sent)
            self._unanswered_octets += len(sent.wire)

    def _write_what_may_go(self) -> None:
        waiting = self._waiting
        while waiting and (not self._unanswered or self._may_follow(waiting[0])):
            self._write(waiting.popleft())

    def _answered(self) -> None:
        """The oldest step has had its last reply."""
        self._unanswered_octets -= len(self._unanswered.popleft().wire)

    def _send_auth(self, item: AuthResponse | AuthCancelled, command: Request | None) -> None:
        """Answer a challenge within the exchange that `command` began."""
        if not self._within_auth or self._unanswered:
            raise LocalProtocolError(f"{type(item).__name__} answers an AuthChallenge: none waits")
        line = b"*" if isinstance(item, AuthCancelled) else base64.encode(item.data)
        most = self._longest_auth_line
        if len(line) + 2 > most:
            raise LocalProtocolError(
                f"a SASL response of {len(line)} octets in base64 does not fit in a line of {most}"
                " (RFC 4954 section 4)"
            )
        self._queue(Sent(command, "AUTH response", line + b"\r\n", 1))

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
        self._queue(Sent(command, "AUTH response", line + b"\r\n", 1))
        return None

    def _auth_answered(self, sent: Sent, success: bool) -> None:
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

    def _next_line(self, limit: int) -> bytes | None:
        """The next line of a response, None when none is complete.

        Raises RemoteProtocolError as soon as one is too long: it need never end.
        """
        try:
            line = self._input.next_line(limit)
        except LineTooLong:
            self._fail(f"a line of a response is longer than {limit} octets")
        if line is None and self._input.overlong:
            self._fail(f"a line of a response is longer than {limit} octets")
        return line

    def _unanswered_requests(self) -> tuple[Request, ...]:
        cut_off = (*self._unanswered, *self._waiting)
        return tuple(sent.request for sent in cut_off if sent.request is not None)

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._unanswered.clear()
        self._waiting.clear()
        self._exchange = None
