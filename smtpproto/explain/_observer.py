"""Observer: a recorded session, followed with a server connection of ours.

The connection hears what the recorded client said, and where it owes a reply it is given the
recorded one. What it refuses by itself the client should not have said; what it will not send the
server should not have. This file is what SMTP and POP3 have in common: turns, pipelining, TLS,
the end. A subclass knows the events of its connection, and how replies are read.

Once nobody can tell any more where the session stands, the rest is shown but not judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import ClassVar, NamedTuple

from smtpproto import pop3, smtp
from smtpproto._server import ServerSide
from smtpproto._wire.lines import LineBuffer
from smtpproto.errors import RemoteProtocolError
from smtpproto.events import (
    GREETING,
    AuthCancelled,
    Event,
    MessageData,
    Request,
    TlsHandshake,
)
from smtpproto.explain._recording import Recording, Said, Side, Switch
from smtpproto.transcript import Transcript

__all__ = ["DOMAIN", "Asked", "Heard", "Observer", "RefusedByUs"]

DOMAIN = "recorded"
"""The name that our connection has for itself."""

MOST_PROBLEMS = 100
"""A file that is no session at all has one a line."""

_SHOWN = 100
_ANY_LENGTH = 1 << 62
_TLS_RECORD = b"\x16"


class Heard(NamedTuple):
    """What one side wrote, and how it is shown: without its secrets."""

    said: Said
    shown: str
    early: bool = False
    """Of a client: before all that it had said was answered."""


class Asked(NamedTuple):
    """A request that waits for its recorded reply."""

    heard: Heard
    request: Request
    step: str
    """Its name in the protocol's `_state`."""


class RefusedByUs(NamedTuple):
    """What our connection has refused by itself, and how often the recorded server replies."""

    heard: Heard
    step: str
    """What the client meant."""
    why: str
    mistake: bool
    """Whether the client may not say it even when it is refused."""
    replies: int = 1
    judged: bool = False
    """Whether it has been said already that something is wrong."""


class Observer:
    """Base of the observers of both protocols."""

    _server: ServerSide

    protocol: str

    TLS_BEGINS: ClassVar[str]
    """The section that says what follows STARTTLS or STLS."""
    PIPELINING: ClassVar[str]
    REPLIES: ClassVar[str]
    SASL: ClassVar[str]
    ENDS_GROUP: ClassVar[AbstractSet[str]]

    def __init__(self, recording: Recording) -> None:
        self.problems: list[str] = []
        self._recording = recording
        self._transcript = Transcript()
        self._transcripts = [self._transcript]
        self._swapped = False  # the roles have changed
        self._followed = True
        self._encrypted = False
        self._told: set[str] = set()  # what is said once, however often it happens
        self._begin(tls=False)

    def _begin(self, *, tls: bool) -> None:
        """A session begins: the server is to greet."""
        self._server = self._connection(tls)
        self._server.next_event()  # the greeting, which is awaited from the beginning
        self._lines = LineBuffer()  # of the server
        self._queue: deque[Heard] = deque()  # from the client, waiting until it is their turn
        self._begun: Heard | None = None  # the first part of what is not complete
        self._message_octets = 0
        self._handshake = False  # the TLS handshake is next
        self._last: Heard | None = None  # from the client
        self._last_step, self._ends_group = "the greeting", True
        self._spoken: Heard | None = None  # from the server
        opening = Heard(Said("C", b"", 1), "the opening of the connection")
        self._awaited: Asked | RefusedByUs | None = Asked(opening, GREETING, GREETING.step)

    # -- for subclasses to fill -------------------------------------------------------------------

    def _connection(self, tls: bool) -> ServerSide:
        """The connection that follows a session which begins now."""
        raise NotImplementedError

    @property
    def _pipelining(self) -> bool:
        """Whether the server offered PIPELINING."""
        raise NotImplementedError

    @property
    def _within_message(self) -> bool:
        """Whether what the client says next is no command."""
        raise NotImplementedError

    def _step_of(self, request: Request) -> str:
        """The name of a request in the protocol's `_state`."""
        raise NotImplementedError

    def _happened(self, event: Event) -> None:
        """An event of our connection that both protocols do not share."""
        raise NotImplementedError

    def _replied(self, line: bytes, heard: Heard) -> None:
        """A line of the server. Raises RemoteProtocolError when it is no part of a reply."""
        raise NotImplementedError

    def _unfinished_reply(self) -> bool:
        """Whether a reply has begun and not ended."""
        raise NotImplementedError

    def _unfinished_exchange(self) -> str | None:
        """What the client has begun and not ended, between two requests."""
        raise NotImplementedError

    # -- the session ------------------------------------------------------------------------------

    def observe(self) -> None:
        """Follow the recording from its beginning to its end."""
        for step in self._recording.steps(self._turn):
            if len(self.problems) >= MOST_PROBLEMS:
                self._stop("too many problems: the rest is left out")
                return
            if isinstance(step, Switch):
                self._switch(step)
            else:
                self._said(step)
        if self._followed:
            self._ended()
        self._show_message()

    def __str__(self) -> str:
        """What was said, and what came of it."""
        return "\n".join(map(str, self._transcripts))

    def _turn(self) -> Side:
        """Who is to speak next."""
        return "C" if (self._awaited is None) is not self._swapped else "S"

    def _switch(self, switch: Switch) -> None:
        if not self._followed:
            return
        if switch.to == "REVERSED":
            if not self._swapped:
                self._lose(self._heard(switch), "nobody has agreed to change the roles")
        elif self._handshake:
            self._start_tls()
        elif self._last is None and self._spoken is None and not self._queue:
            self._begin(tls=True)  # from the first octet on
        else:
            self._lose(self._heard(switch), f"nobody has agreed to begin TLS ({self.TLS_BEGINS})")

    def _heard(self, switch: Switch) -> Heard:
        return Heard(Said("C", b"", switch.line), switch.to)

    def _said(self, said: Said) -> None:
        by_client = (said.side == "C") is not self._swapped
        if said.octets.startswith(_TLS_RECORD) and (self._handshake or self._server.tls):
            self._tls_record()
        if self._encrypted:
            return
        if by_client and self._handshake and self._followed:
            self._start_tls()  # somebody left out to say that they did
        write = self._transcript.client if by_client else self._transcript.server
        shown = write(said.octets) or "a part of a line, or of a message"
        if not self._followed:
            return
        waits = self._awaited is not None or bool(self._queue)
        heard = Heard(said, shown, early=waits and self._recording.ordered)
        if by_client:
            self._hear_client(heard)
        else:
            self._hear_server(heard)

    # -- TLS --------------------------------------------------------------------------------------

    def _start_tls(self) -> None:
        self._handshake = False
        self._server.tls_started()
        self._tls_started()

    def _tls_started(self) -> None:
        """Forget what was learnt in clear."""
        raise NotImplementedError

    def _tls_record(self) -> None:
        """The octets of TLS itself are recorded: what they mean nobody can read."""
        self._encrypted = True
        if not self._handshake and self._followed and self._last is not None:
            self._problem(self._last, f"said in clear where TLS was to begin ({self.TLS_BEGINS})")
        self._stop("the rest is under TLS, and cannot be read")

    def _injected(self) -> bool:
        """Whether the client spoke on in clear behind STARTTLS, before its reply."""
        if not self._queue:
            return False
        self._lose(
            self._queue[0],
            "sent in clear behind the command that begins TLS, before its reply: a server may not"
            f" take it for something that came under TLS ({self.TLS_BEGINS})",
        )
        return True

    # -- the client -------------------------------------------------------------------------------

    def _hear_client(self, heard: Heard) -> None:
        if self._unshown():
            heard = heard._replace(early=False)
        self._queue.append(heard)
        self._read_on()

    def _unshown(self) -> bool:
        """Take what the recording leaves out, when the client goes on, for said."""
        return False

    def _read_on(self) -> None:
        while self._queue and self._awaited is None and self._followed:
            heard = self._queue.popleft()
            self._last = heard
            if self._server.closed:
                self._lose(heard, "said after the end of the session")
                return
            octets = heard.said.octets
            if self._begun is None:
                if not self._within_message:
                    octets = self._repaired(heard)
                self._begun = heard
            self._tell(octets)

    def _tell(self, octets: bytes) -> None:
        self._server.receive_data(octets)
        self._drain()

    def _drain(self, *, noted: bool = True) -> None:
        """See what has come of what our connection was told last."""
        for event in self._server.events():
            if isinstance(event, MessageData):
                self._message_octets += len(event.data)
                continue
            self._show_message()
            if noted:
                self._transcript.note(event)
            if isinstance(event, Request):
                self._asked(event, self._step_of(event))
            elif isinstance(event, TlsHandshake):
                self._handshake = True
            elif isinstance(event, AuthCancelled):
                self._auth_cancelled()
            else:
                self._happened(event)
        self._server.data_to_send()

    def _stand_in(self, line: bytes, *, noted: bool = True) -> None:
        """Tell our connection what nobody said, or not in these words, or not to this server."""
        assert self._last is not None
        self._last = self._last._replace(early=False)
        self._server.receive_data(line)
        self._drain(noted=noted)

    def _show_message(self) -> None:
        if self._message_octets:
            self._transcript.note(f"MessageData(<{self._message_octets} octets>)")
            self._message_octets = 0

    def _asked(self, request: Request, step: str) -> None:
        """Our connection owes a reply."""
        # Of such an exchange more than the first step is rarely needed (RFC 4954 section 4).
        whole = isinstance(request, smtp.Auth | pop3.Auth) and request.initial_response is not None
        _, last = self._complete(step, step in self.ENDS_GROUP and not whole)
        self._awaited = Asked(last, request, step)

    def _refused(
        self, step: str, why: str, *, mistake: bool, replies: int = 1, at: Heard | None = None
    ) -> None:
        """Our connection has given the reply by itself."""
        begun, _ = self._complete(step, step in self.ENDS_GROUP)
        self._awaited = RefusedByUs(at or begun, step, why, mistake, replies)

    def _auth_cancelled(self) -> None:
        assert self._last is not None
        if self._last.said.octets == b"*\r\n":
            self._refused("AUTH response", "the client has cancelled", mistake=False)
        else:
            why = f"the SASL response is not base64, or too long ({self.SASL})"
            self._refused("AUTH response", why, mistake=True)

    def _complete(self, step: str, ends_group: bool) -> tuple[Heard, Heard]:
        """Our connection has got something whole: where it began, and where it ended."""
        last = self._last
        assert last is not None
        begun, self._begun = self._begun or last, None
        self._check_pipelining(begun, step, ends_group)
        return begun, last

    def _check_pipelining(self, begun: Heard, step: str, ends_group: bool) -> None:
        if begun.early and self._ends_group:
            self._problem(
                begun,
                f"sent before the reply to {self._last_step} ({self.PIPELINING})",
                once="group",
            )
        elif begun.early and not self._pipelining:
            self._problem(
                begun,
                f"sent before the reply to {self._last_step}, and PIPELINING is not offered"
                f" ({self.PIPELINING})",
                once="pipelining",
            )
        self._last_step, self._ends_group = step, ends_group

    # -- the server -------------------------------------------------------------------------------

    def _hear_server(self, heard: Heard) -> None:
        self._spoken = heard
        self._lines.append(self._repaired(heard))
        for line in self._whole_lines():
            if self._server.closed and self._awaited is None:
                self._lose(heard, "said after the end of the session")
            if not self._followed:
                return
            try:
                self._replied(line, heard)
            except RemoteProtocolError as error:
                self._lose(heard, str(error))
            if self._followed:
                self._drain()
                self._read_on()

    def _whole_lines(self) -> Iterator[bytes]:
        while (line := self._lines.next_line(_ANY_LENGTH)) is not None:
            yield line

    def _repaired(self, heard: Heard) -> bytes:
        """The octets; a line of a command or a reply that LF alone ends is ended by CRLF."""
        octets = heard.said.octets
        if self._recording.ordered or octets.endswith(b"\r\n") or not octets.endswith(b"\n"):
            return octets
        self._problem(
            heard, "the line ends in LF without CR (RFC 5321 section 2.3.8)", once=heard.said.side
        )
        return octets[:-1] + b"\r\n"

    def _judged(self, refused: RefusedByUs, taken: str | None) -> None:
        """Our connection refuses what the client said, and the server, or only the client, is
        wrong: `taken` is how the server replied when it did not refuse it."""
        if not refused.judged:
            too = "" if taken is None else f", and the server took it all the same: {taken}"
            self._problem(refused.heard, refused.why + too)

    # -- what is wrong ----------------------------------------------------------------------------

    def _problem(self, heard: Heard, what: str, *, once: str | None = None) -> None:
        if once is not None:
            if once in self._told:
                return
            self._told.add(once)
        said = heard.said
        what = what.replace("\n", " ")
        shown = heard.shown if len(heard.shown) <= _SHOWN else f"{heard.shown[:_SHOWN]}..."
        self._show_message()
        self._transcript.note(f"PROBLEM: {what}")
        self.problems.append(f'{self._recording.name(said.side)}:{said.line}: "{shown}": {what}')

    def _lose(self, heard: Heard, what: str) -> None:
        """A problem after which nobody can tell where the session stands."""
        self._problem(heard, what)
        self._stop("where the session stands now cannot be told: the rest is not judged")

    def _stop(self, why: str) -> None:
        if self._followed:
            self._followed = False
            self._transcript.note(f"... {why}")

    def _ended(self) -> None:
        """The recording ends here: may it?"""
        last, spoken = self._last, self._spoken
        if spoken is not None and (self._unfinished_reply() or len(self._lines)):
            self._problem(spoken, f"the recording ends within this reply ({self.REPLIES})")
        elif self._awaited is not None:
            self._problem(self._awaited.heard, "the recording ends before its reply")
        elif last is not None and (what := self._unfinished_exchange()) is not None:
            self._problem(last, f"the recording ends within {what}")
        elif self._begun is not None:
            self._problem(self._begun, "the recording ends before the end of what begins here")
