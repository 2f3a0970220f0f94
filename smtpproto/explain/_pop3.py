"""Pop3Observer: what is wrong with a recorded session of POP3."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from smtpproto import _mechanisms as mechanisms
from smtpproto import pop3
from smtpproto._command import upper
from smtpproto._redact import verb_of
from smtpproto._wire import base64
from smtpproto.errors import LocalProtocolError, Refused, RemoteProtocolError
from smtpproto.events import Event, Greeting, Request
from smtpproto.explain._observer import DOMAIN, Asked, Heard, Observer, RefusedByUs
from smtpproto.explain._recording import Recording
from smtpproto.pop3._capabilities import NO_CAPABILITIES
from smtpproto.pop3._commands import VERBS, split
from smtpproto.pop3._responses import ok, read_block, read_status
from smtpproto.pop3._results import timestamp_of, typed_result
from smtpproto.pop3._session import step_of
from smtpproto.pop3._state import ENDS_GROUP, LETS_IN, MACHINE

__all__ = ["Pop3Observer"]

_UNLIMITED = 1 << 62
_LIMITS = pop3.Limits(refusals=None, backlog=_UNLIMITED)

_OPTIONAL = ("USER", "TOP", "UIDL", "STLS", "UTF8", "LANG")
"""What a server may have without saying so to a client that does not ask."""

_MOST_MECHANISMS = 100
"""How many of those that are asked for it may have: for each AUTH all are looked through."""


class Pop3Observer(Observer):
    """Follows a session of POP3 (RFC 1939)."""

    _server: pop3.ServerConnection

    TLS_BEGINS = "RFC 2595 section 4"
    PIPELINING = "RFC 2449 section 6.6"
    REPLIES = "RFC 1939 section 3"
    SASL = "RFC 5034 section 4"
    ENDS_GROUP = ENDS_GROUP

    protocol = "POP3"

    def __init__(self, recording: Recording) -> None:
        asked_for = dict.fromkeys(_mechanism(said.octets) for said in recording.said("C"))
        sasl = " ".join(("SASL", *islice(filter(None, asked_for), _MOST_MECHANISMS)))
        self._everything = pop3.Capabilities((*_OPTIONAL, sasl), plaintext_without_tls=True)
        super().__init__(recording)

    def _begin(self, *, tls: bool) -> None:
        super()._begin(tls=tls)
        self._tls_started()
        self._answer_begun: pop3.Ok | None = None  # its lines, or its message, follow
        self._gathered: list[bytes] = []

    def _connection(self, tls: bool, timestamp: str | None = None) -> pop3.ServerConnection:
        return pop3.ServerConnection(
            DOMAIN,
            capabilities=self._everything,
            timestamp=timestamp,
            tls=tls,
            limits=_LIMITS,
        )

    def _tls_started(self) -> None:
        self._offers = NO_CAPABILITIES
        self._server.capabilities = self._everything

    @property
    def _pipelining(self) -> bool:
        return "PIPELINING" in self._offers

    @property
    def _within_message(self) -> bool:
        return False

    def _unfinished_reply(self) -> bool:
        return self._answer_begun is not None

    def _unfinished_exchange(self) -> str | None:
        if self._server.state is pop3.State.AUTH:
            return f"the SASL exchange ({self.SASL})"
        return None

    # -- the client -------------------------------------------------------------------------------

    def _step_of(self, request: Request) -> str:
        return step_of(request)

    def _happened(self, event: Event) -> None:
        if not isinstance(event, pop3.CommandRefused):
            return
        assert self._last is not None
        octets = self._last.said.octets
        step, mistake = verb_of(octets), True
        step = step if step in VERBS else ""
        try:
            command = pop3.Command.parse(octets)
        except Refused:
            pass
        else:
            step = step_of(command)
            # A command of the RFCs that is not offered may be tried.
            known = not isinstance(command, pop3.Extended) and len(octets) <= _LIMITS.command_line
            mistake = not known or step not in MACHINE[self._server.state]
        text = event.response.text.removeprefix(f"{DOMAIN} ")
        self._refused(step, f"{text} ({self.REPLIES})", mistake=mistake)

    def _unshown(self) -> bool:
        shown = self._gathered or self._queue or not self._recording.ordered
        if self._answer_begun is None or shown:
            return False
        self._transcript.note("... the rest of the response is not in the recording")
        assert isinstance(self._awaited, Asked)
        self._end_of_answer(self._awaited, self._awaited.heard)
        self._drain()
        return True

    # -- the server -------------------------------------------------------------------------------

    def _replied(self, line: bytes, heard: Heard) -> None:
        awaited = self._awaited
        if self._answer_begun is not None:
            assert isinstance(awaited, Asked)
            if line == b".":
                self._end_of_answer(awaited, heard)
            else:
                self._gathered.append(line.removeprefix(b"."))
            return
        if line == b"+" or line.startswith(b"+ "):
            self._answered("+", lambda asked: self._challenged(line, heard), heard)
            return
        response = read_status(line)
        if len(line) + 2 > _LIMITS.response_line:
            most = _LIMITS.response_line
            self._problem(heard, f"a response of more than {most} octets ({self.REPLIES})")
        if awaited is None and isinstance(response, pop3.Err):
            # So servers take their leave.
            self._server.shutdown()
            self._drain()
            self._stop("the server has ended the session")
            return
        taken = None if isinstance(response, pop3.Err) else line.decode(errors="replace")
        self._answered(taken, lambda asked: self._answer(asked, response, heard), heard)

    def _answered(self, taken: str | None, answer: Callable[[Asked], None], heard: Heard) -> None:
        """`taken` is None when the server has refused; `answer` gives the answer to ours."""
        awaited = self._awaited
        if awaited is None:
            self._problem(heard, f"answers nothing that was asked ({self.REPLIES})")
        elif isinstance(awaited, Asked):
            answer(awaited)
        else:
            if awaited.mistake or taken is not None:
                self._judged(awaited, taken)
            self._awaited = None
            if self._server.closed:
                self._stop("our server would have ended the session: the rest is not judged")
            elif taken is not None:
                self._catch_up(awaited, taken, answer, heard)

    def _catch_up(
        self, refused: RefusedByUs, taken: str, answer: Callable[[Asked], None], heard: Heard
    ) -> None:
        """Bring our connection to where the server is, which has taken what ours refuses."""
        server, step = self._server, refused.step
        server.capabilities = self._everything
        entered = step in LETS_IN and taken != "+"
        inside = step in MACHINE[pop3.State.TRANSACTION] and step not in MACHINE[server.state]
        if (entered or inside) and server.state is not pop3.State.TRANSACTION:
            self._log_in()
        if entered:
            return
        self._stand_in(refused.heard.said.octets)
        if isinstance(self._awaited, Asked):
            answer(self._awaited)
        else:
            self._lose(heard, "what this has led to is unknown")

    def _log_in(self) -> None:
        """Nobody knows as whom."""
        self._server._session.force(pop3.State.TRANSACTION)

    def _challenged(self, line: bytes, heard: Heard) -> None:
        challenge = None
        try:
            challenge = base64.decode(line[1:].strip(b" "))
        except ValueError:
            pass
        try:
            self._server.send(pop3.AuthChallenge(challenge or b""))
        except LocalProtocolError as error:
            self._lose(heard, f"{error} ({self.REPLIES})")
            return
        self._awaited = None
        if challenge is None:
            self._problem(heard, f"the challenge is not base64 ({self.SASL})")

    def _answer(self, asked: Asked, response: pop3.Response, heard: Heard) -> None:
        """Give our connection the response that it owes, or what of it has come."""
        request = asked.request
        if isinstance(response, pop3.Ok):
            if isinstance(request, pop3.Command) and request.multiline:
                self._answer_begun = response
                return
            if isinstance(request, pop3.Stls) and self._injected():
                return
        self._give(asked, response, heard)

    def _end_of_answer(self, asked: Asked, heard: Heard) -> None:
        """The dot behind the lines of a listing, or behind a message."""
        begun, self._answer_begun = self._answer_begun, None
        assert begun is not None
        block = b"".join(line + b"\r\n" for line in self._gathered)
        self._gathered = []
        if isinstance(asked.request, pop3.Retr | pop3.Top):
            self._give(asked, begun, heard)
            self._server.send(pop3.MessageData(block))
            self._server.send(pop3.EndOfMessage())
        else:
            self._give(asked, ok(begun.text, begun.code, read_block(block)), heard)

    def _give(self, asked: Asked, response: pop3.Response, heard: Heard) -> None:
        if isinstance(response, pop3.Ok):
            self._learn(asked.request, response, heard)
        if isinstance(response, pop3.Ok) and asked.step in LETS_IN:
            self._server.authenticated("somebody")
        else:
            self._server.send(response)
        self._awaited = None

    def _learn(self, request: Request, response: pop3.Ok, heard: Heard) -> None:
        """What a response tells."""
        if isinstance(request, Greeting):
            self._server = self._connection(self._server.tls, timestamp_of(response))
        try:
            result = typed_result(request, response)
        except RemoteProtocolError as error:
            self._problem(heard, f"{error} ({self.REPLIES})")
            return
        if isinstance(result, pop3.ScanListings | pop3.UniqueIds):
            for line in result.unread:
                self._problem(heard, f"{line[:80]!r} is not a line of a listing ({self.REPLIES})")
        if isinstance(result, pop3.Capabilities):
            self._offers = result
            self._server.capabilities = pop3.Capabilities(result, plaintext_without_tls=True)


def _mechanism(line: bytes) -> str | None:
    """The mechanism that a line asks for."""
    verb, argument = split(line[:64].decode("latin-1").strip("\r\n"))
    name = upper(argument.partition(" ")[0])
    return name if verb == "AUTH" and mechanisms.NAME.fullmatch(name) else None
