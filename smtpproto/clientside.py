"""ClientSide: what the clients of both protocols do alike.

What is sent waits until it may be written, and then for its replies, in order. A few steps are
barriers: until they are answered nothing more may even be queued, because the answer decides
what may be said, or to whom, or whether it is said in clear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set as AbstractSet
from typing import ClassVar, NamedTuple

from smtpproto.connection import Connection
from smtpproto.errors import LocalProtocolError
from smtpproto.events import AuthCancelled, AuthChallenge, AuthResponse, Request
from smtpproto.wire import base64

__all__ = ["ClientSide", "Sent"]


class Sent(NamedTuple):
    """A step of ours: queued, or written and waiting for its replies."""

    request: Request | None
    """None: the opening of the connection, or octets that follow the step before them."""
    step: str
    """Its name in the tables of the protocol's state.py."""
    wire: bytes
    replies: int


class ClientSide(Connection):
    """Base of both client connections."""

    __slots__ = ("_unanswered", "_unanswered_octets", "_waiting")

    BARRIERS: ClassVar[AbstractSet[str]]
    ENDS_GROUP: ClassVar[AbstractSet[str]]

    def __init__(self, *, tls: bool) -> None:
        super().__init__(tls=tls)
        self._unanswered: deque[Sent] = deque([Sent(None, "connect", b"", 1)])
        self._unanswered_octets = 0
        self._waiting: deque[Sent] = deque()

    # -- for subclasses ---------------------------------------------------------------------------

    @property
    def _pipelining(self) -> bool:
        """Whether the server offered PIPELINING."""
        raise NotImplementedError

    @property
    def _most_unanswered(self) -> int | None:
        """How many octets of commands may be unanswered; None for any number."""
        raise NotImplementedError

    @property
    def _within_auth(self) -> bool:
        """Whether a SASL challenge waits for its response."""
        raise NotImplementedError

    @property
    def _longest_auth_line(self) -> int:
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
        if self._waiting or not self._may_go(sent):
            self._waiting.append(sent)
        else:
            self._write(sent)

    def _may_go(self, sent: Sent) -> bool:
        """Whether the next step may be written now (RFC 2920 section 3.1, RFC 2449 6.6)."""
        if not self._unanswered or not sent.replies:
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
        while waiting and self._may_go(waiting[0]):
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
        """The challenge in base64; None for one that cannot be decoded, which is answered with
        the cancelling ``*`` (RFC 4954 section 4, RFC 5034 section 4)."""
        try:
            return AuthChallenge(base64.decode(text.strip(b" ")))
        except ValueError:
            self._queue(Sent(command, "AUTH response", b"*\r\n", 1))
            return None

    def _unanswered_requests(self) -> tuple[Request, ...]:
        cut_off = (*self._unanswered, *self._waiting)
        return tuple(sent.request for sent in cut_off if sent.request is not None)

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._unanswered.clear()
        self._waiting.clear()
