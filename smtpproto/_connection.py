"""Connection: what all four connections do alike, in either protocol and either role.

Octets come in and wait, events go out one at a time, octets are queued for writing; TLS may
begin once; there is one end, after which nothing happens. A subclass knows what the octets mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar, NoReturn, Protocol

from smtpproto._wire.lines import LineBuffer
from smtpproto.errors import (
    ClosedError,
    InvalidValueError,
    LimitError,
    OutOfOrderError,
    RemoteProtocolError,
)
from smtpproto.events import ConnectionClosed, Event, Request, TlsHandshake

__all__ = ["Connection"]


class Session(Protocol):
    """What a connection knows of the `_session` of its protocol."""

    state: Any  # a member of the protocol's own enumeration
    tls: bool


class Connection:
    """Base of the four connections, and what a wrapper needs that carries any of them.

    Not to be used by itself.
    """

    __slots__ = (
        "_at_eof", "_backlog", "_closed", "_events", "_handshake_owed", "_input", "_need_data",
        "_outbox", "_session",
    )  # fmt: skip

    _role: ClassVar[str]
    """The protocol and the role: "SMTP server"."""
    _counterpart: ClassVar[str]
    """The same of the other side."""
    _readers: ClassVar[Mapping[Enum, Callable[[Any], Event | None]]]
    """For each state the function that finds the next event in the octets that wait."""
    _step: str | None = None
    """What the next reply of ours answers. A server that owes one reads nothing more until it is
    given; a client never owes one."""

    def __init__(self, session: Session, *, backlog: int, bare_lf: bool = False) -> None:
        self._session: Any = session  # each subclass declares it as its own protocol's
        self._backlog = backlog  # octets that may wait while nobody can read them
        self._input = LineBuffer(bare_lf=bare_lf)
        self._outbox: list[bytes] = []  # joined only when it is asked for
        self._events: list[Event] = []  # found already, not handed out yet: one or two
        # More octets are needed: all that came were read, and the end of them is dealt with.
        self._need_data = True
        self._at_eof = False
        self._closed = False
        self._handshake_owed = False

    # -- public: octets and events ----------------------------------------------------------------

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take octets that have arrived; b"" says that the peer will send no more.

        Then call `next_event` or `events`. Octets after the end are dropped. Octets between
        TlsHandshake and `tls_started` came in clear, and end the session: a wrapper passes on
        whatever its transport had read ahead.

        Raises OutOfOrderError after b"", LimitError when more octets than the limit ``backlog``
        would wait although `wants_data` is False, and TypeError for anything that is not octets,
        such as None.
        """
        if type(data) is not bytes and not isinstance(data, bytearray | memoryview | bytes):
            raise TypeError(
                "receive_data(data): octets (bytes, bytearray, memoryview), b'' at their end, not"
                f" {type(data).__name__}"
            )
        if self._closed:
            return
        if not data:
            self._at_eof = True
            self._need_data = False
            return
        if self._at_eof:
            raise OutOfOrderError("octets after b'', which said that there would be no more")
        if self._handshake_owed:
            self._injected(data)
            return
        waiting = self._input
        room = self._backlog - len(data)
        if (room < 0 or not waiting.empty) and len(waiting) > room and not self.wants_data:
            raise LimitError(
                f"{len(waiting)} octets are waiting already, and with {len(data)} more it would be"
                f" more than {self._backlog} (Limits.backlog): handle the events, and read only"
                " while wants_data is True"
            )
        waiting.append(data)
        self._need_data = False

    def next_event(self) -> Event | None:
        """The next event; None when there is none until octets arrive or you answer.

        It may queue octets, also when it returns None: a server's own refusals, the steps of a
        SASL exchange. So write what `data_to_send` gives before you wait for more.

        A client raises RemoteProtocolError, once, when the server breaks the protocol; the session
        is over with that, and ConnectionClosed comes next. A server raises nothing.
        """
        if self._events:
            return self._events.pop(0)
        if self._need_data or self._step is not None:
            return None
        return self._readers[self._session.state](self)

    def events(self) -> Iterator[Event]:
        """The events up to the first None of `next_event`."""
        while (event := self.next_event()) is not None:
            yield event

    def data_to_send(self) -> bytes:
        """All that is to be written, once; b"" when there is nothing."""
        pieces = self._outbox
        if not pieces:
            return b""
        octets = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return octets

    @property
    def wants_data(self) -> bool:
        """True when reading from the transport is the next useful thing to do."""
        return (
            self._need_data
            and self._step is None
            and not (self._events or self._closed or self._handshake_owed)
        )

    @property
    def timeout(self) -> float:
        """Seconds to wait for the peer, as the RFC of the protocol advises."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """True once nothing more will be sent: write what is queued, then close."""
        return self._closed

    @property
    def tls(self) -> bool:
        """Whether the octets travel under TLS."""
        return bool(self._session.tls)

    def tls_started(self) -> None:
        """The TLS handshake is done. Everything learnt in clear is forgotten.

        Raises OutOfOrderError when no handshake is owed, ClosedError when the session is over.
        """
        if self._closed or (self._handshake_owed and not self._input.empty):
            raise ClosedError("the session is over: nothing may go on under TLS")
        if not self._handshake_owed:
            raise OutOfOrderError("no TLS handshake is owed: wait for the TlsHandshake event")
        self._handshake_owed = False
        self._need_data = not self._at_eof
        self._forget()

    def abort(self) -> None:
        """Cut the session off: drop everything queued, write nothing more.

        The transport must be cut too, so that the peer cannot take half a message for a whole.
        """
        self._outbox.clear()
        if not self._closed:
            self._end(clean=False)

    def __repr__(self) -> str:
        tls = " under TLS" if self._session.tls else ""
        return f"<{self._role} in state {self._session.state.value}{tls}{self._waiting_for()}>"

    # -- for subclasses ---------------------------------------------------------------------------

    def _forget(self) -> None:
        """TLS has begun: forget what was learnt in clear."""
        raise NotImplementedError

    def _waiting_for(self) -> str:
        """For `repr`: what is owed, or unanswered, without secrets."""
        raise NotImplementedError

    def _injected(self, data: bytes | bytearray | memoryview) -> None:
        """Octets came in clear although the answer that begins TLS was given. Somebody put them
        there who wants them to be taken for what came under TLS (CVE-2011-0411)."""
        raise NotImplementedError

    def _unanswered_requests(self) -> tuple[Request, ...]:
        raise NotImplementedError

    def _at_rest(self) -> bool:
        """Whether the peer may leave now without cutting anything off."""
        raise NotImplementedError

    def _no_more_data(self) -> Event | None:
        """All octets are read: wait for more, or end."""
        if not self._at_eof:
            self._need_data = True
            return None
        self._end(clean=self._at_rest() and self._input.at_line_start)
        return self._events.pop(0)

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        """The session is over: what is found but not handed out still comes, then the end."""
        self._closed = True
        self._input.clear()
        self._events.append(ConnectionClosed(clean, self._unanswered_requests(), handed_over))

    def _begin_tls(self) -> None:
        """The answer that begins TLS is on its way: nothing but the handshake may follow it."""
        self._handshake_owed = True
        self._events.append(TlsHandshake())

    def _check_successor(self, successor: Connection) -> None:
        """Raise unless `successor` can go on with this session in the other role."""
        if not isinstance(successor, Connection):
            raise TypeError(f"reversed() takes a connection for the other role, not {successor!r}")
        if successor._role != self._counterpart:
            raise InvalidValueError(
                f"reversed() takes a new {self._counterpart}, not {successor!r}"
            )
        if successor.tls != self.tls:
            raise InvalidValueError(
                f"reversed() takes a connection with tls={self.tls}, as this one: the transport"
                " stays the same"
            )
        unused = successor._session.state.value == "greeting" and not successor._closed
        if not unused or not successor._input.empty or successor._outbox:
            raise InvalidValueError(
                f"reversed() takes a connection not used yet, not {successor!r}"
            )

    def _hand_over(self, successor: Connection) -> None:
        """The session goes on with the roles reversed: octets in both directions go with it."""
        successor._input.append(self._input.take(len(self._input)))
        successor._outbox = self._outbox  # one queue, whichever connection the caller asks
        successor._at_eof = self._at_eof
        successor._need_data = successor._input.empty and not successor._at_eof
        self._end(clean=True, handed_over=True)

    def _fail(self, problem: str, line: bytes = b"", command: Request | None = None) -> NoReturn:
        """The peer broke the protocol beyond repair, with `line`, as the answer to `command`."""
        self._end(clean=False)
        raise RemoteProtocolError(problem, command=command, line=line)
