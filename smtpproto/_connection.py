"""Connection: what all four connections do alike, whatever they speak.

Octets come in and wait, events go out one at a time, octets are queued for writing; TLS may
begin once; there is one end, after which nothing happens. A subclass says what the octets mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from smtpproto._wire.lines import LineBuffer
from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.events import ConnectionClosed, Event, Request, TlsHandshake

__all__ = ["Connection"]


class Connection:
    """Base of the four connections, and what a wrapper needs that carries any of them.

    Not to be used by itself.
    """

    __slots__ = (
        "_at_eof", "_backlog", "_closed", "_events", "_handshake_owed", "_input", "_outbox",
        "_reading", "_starved", "_tls",
    )  # fmt: skip

    _step: str | None = None
    """What the next reply of ours answers. A server that owes one reads nothing more until it is
    given; a client never owes one."""

    def __init__(self, *, tls: bool, backlog: int, bare_lf: bool = False) -> None:
        self._backlog = backlog  # octets that may wait while nobody can read them
        self._input = LineBuffer(bare_lf=bare_lf)
        self._outbox: list[bytes] = []  # joined only when somebody asks for it
        self._events: list[Event] = []  # found already, not handed out yet: one or two
        self._starved = True  # nothing more can be done with the octets that are here
        self._at_eof = False
        self._closed = False
        self._tls = tls
        self._handshake_owed = False
        # What the octets that come next are. Not a method of this object: that would be a cycle.
        self._reading: Callable[..., Event | None] = type(self)._read

    # -- public: octets and events ----------------------------------------------------------------

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take octets that have arrived; b"" says that the peer will send no more.

        Then call `next_event` or `events`. Octets after the end are dropped. Raises
        LocalProtocolError while a TLS handshake is owed, after b"", and when more octets than
        the limit ``backlog`` would wait although `wants_data` is False; TypeError for what is no
        octets, None too.
        """
        if self._closed:
            return
        if not data:
            if not isinstance(data, bytes | bytearray | memoryview):
                raise TypeError(f"receive_data() takes octets, b'' at their end, not {data!r}")
            self._at_eof = True
            self._starved = False
            return
        if self._at_eof:
            raise LocalProtocolError("octets after b'', which said that there would be none")
        if self._handshake_owed:
            raise LocalProtocolError(
                "the TLS handshake comes first: its octets belong to the TLS library; call"
                " tls_started() when it is done"
            )
        waiting = self._input
        room = self._backlog - len(data)
        if (room < 0 or not waiting.empty) and len(waiting) > room and not self.wants_data:
            raise LocalProtocolError(
                f"{len(waiting)} octets are waiting already, and with {len(data)} more it would be"
                f" more than {self._backlog} (Limits.backlog): handle the events, and read only"
                " while wants_data is True"
            )
        waiting.append(data)
        self._starved = False

    def next_event(self) -> Event | None:
        """The next event; None when there is none until octets arrive or you answer.

        It may queue octets, also when it returns None: a server's own refusals, the steps of a
        SASL exchange. So write what `data_to_send` gives before you wait for more.

        A client raises RemoteProtocolError, once, when the server breaks the protocol; the session
        is over with that, and ConnectionClosed comes next. A server raises nothing.
        """
        if self._events:
            return self._events.pop(0)
        if self._starved or self._step is not None:
            return None
        return self._reading(self)

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
            self._starved
            and self._step is None
            and not (self._events or self._closed or self._handshake_owed)
        )

    @property
    def timeout(self) -> float:
        """Seconds to wait for the peer, as the RFC of the protocol advises."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """True once nothing more will be said: write what is queued, then close."""
        return self._closed

    @property
    def tls(self) -> bool:
        """Whether the octets travel under TLS."""
        return self._tls

    def tls_started(self) -> None:
        """The TLS handshake is done. Everything learnt in clear is forgotten.

        Raises LocalProtocolError when no handshake is owed.
        """
        if not self._handshake_owed or self._closed:
            raise LocalProtocolError("no TLS handshake is owed: wait for the TlsHandshake event")
        self._handshake_owed = False
        self._tls = True
        self._look_for_more()
        self._forget()

    def abort(self) -> None:
        """Cut the session off: drop everything queued, write nothing more.

        The transport must be cut too, so that the peer cannot take half a message for a whole.
        """
        self._outbox.clear()
        if not self._closed:
            self._end(clean=False)

    # -- for subclasses ---------------------------------------------------------------------------

    def _forget(self) -> None:
        """TLS has begun: forget what was learnt in clear."""
        raise NotImplementedError

    def _read(self) -> Event | None:
        """Find the next event in the octets that wait."""
        raise NotImplementedError

    def _unanswered_requests(self) -> tuple[Request, ...]:
        raise NotImplementedError

    def _at_rest(self) -> bool:
        """Whether the peer may leave now without cutting anything off."""
        raise NotImplementedError

    def _look_for_more(self) -> None:
        """Octets were taken, or are others' now: unless some are left, and unless the end of the
        session is still to be told, there is nothing to do but to wait."""
        self._starved = self._input.empty and not self._at_eof

    def _starve(self) -> Event | None:
        """There are no more octets to read: wait for some, or end."""
        if not self._at_eof:
            self._starved = True
            return None
        self._end(clean=self._at_rest() and self._input.at_line_start)
        return self._events.pop(0)

    def _end(self, *, clean: bool) -> None:
        """The session is over: what is found but not handed out still comes, then the end."""
        self._closed = True
        self._input.clear()
        self._events.append(ConnectionClosed(clean, self._unanswered_requests()))

    def _begin_tls(self) -> None:
        """The answer that begins TLS is on its way: nothing but the handshake may follow it."""
        self._handshake_owed = True
        self._events.append(TlsHandshake())

    def _hand_over(self, successor: Connection) -> None:
        """The session goes on with the roles reversed: octets in both directions go with it."""
        successor._input.append(self._input.take(len(self._input)))
        successor._outbox = self._outbox  # one of them is asked, whichever the caller still holds
        successor._at_eof = self._at_eof
        successor._look_for_more()
        self._end(clean=True)

    def _fail(self, problem: str) -> NoReturn:
        """The peer broke the protocol beyond repair."""
        self._end(clean=False)
        raise RemoteProtocolError(problem)
