"""ClientConnection: the client's side of a POP3 session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smtpproto._client import ClientSide, Sent
from smtpproto._wire.dots import DotDecoder
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import (
    InvalidValueError,
    LocalProtocolError,
    NotOfferedError,
    OutOfOrderError,
    Refused,
    RemoteProtocolError,
)
from smtpproto.events import message_data
from smtpproto.pop3._capabilities import NO_CAPABILITIES, Capabilities
from smtpproto.pop3._commands import Auth, Capa, Command, Lang, Raw, Retr, Top
from smtpproto.pop3._events import (
    AuthCancelled,
    AuthResponse,
    ClientEvent,
    EndOfMessage,
    Event,
    Greeting,
    Request,
    ResponseReceived,
    Result,
    response_received,
)
from smtpproto.pop3._limits import Limits
from smtpproto.pop3._listings import MaildropStatus
from smtpproto.pop3._responses import Ok, Response, ok, read_block, read_status
from smtpproto.pop3._results import timestamp_of, typed_result
from smtpproto.pop3._session import Ahead, Session, step_of
from smtpproto.pop3._state import (
    CONTINUE,
    ENDS_GROUP,
    ENTERED,
    ERR,
    OK,
    RESTING,
    TIMEOUT,
    Moves,
    State,
)

__all__ = ["ClientConnection"]

_NO_LIMITS_GIVEN = Limits()
_END_OF_MESSAGE = EndOfMessage()
_WINDOW = 65536
"""Octets of a message that are looked at in one go: what comes after it must not be copied again
for each."""


class _Block:
    """What follows an Ok up to the dot: lines that are gathered, or a message that passes."""

    __slots__ = ("decoder", "gathered", "octets", "response", "state")

    def __init__(self, response: Ok | None, state: State) -> None:
        self.decoder = DotDecoder(strict=False)
        self.response = response
        """The Ok that the lines complete; None: a message, whose Ok is handed out already."""
        self.state = state
        """Where the response leads once it is complete."""
        self.gathered = bytearray()
        self.octets = 0


class ClientConnection(ClientSide):
    """The client's side of a POP3 session (RFC 1939).

    `tls` says that the transport is under TLS already. `limits` bound what the server can do, and
    what is unanswered at a time.

    Commands may be sent at once: they go out as the server's capabilities allow, and each gets
    its ResponseReceived. The first is the answer to Greeting.
    """

    __slots__ = ("_block", "_capabilities", "_limits")

    _role = "POP3 client"
    _counterpart = "POP3 server"
    _session: Session
    _ahead: Ahead

    if TYPE_CHECKING:  # what comes out, for type checkers

        def next_event(self) -> ClientEvent | None: ...
        def events(self) -> Iterator[ClientEvent]: ...

    def __init__(self, *, tls: bool = False, limits: Limits = _NO_LIMITS_GIVEN) -> None:
        super().__init__(
            Session(tls=tls),
            backlog=limits.backlog,
            most_unanswered=limits.pipeline_octets,
            auth_line=limits.auth_line,
            ends_group=ENDS_GROUP,
            only_behind={},
        )
        self._limits = limits
        self._capabilities = NO_CAPABILITIES
        self._block: _Block | None = None

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the responses that have come.

        UPDATE: QUIT is on its way, and whether the server has removed what is marked as deleted
        nobody knows before its response.
        """
        step = self._unanswered[0].step if self._unanswered else ""
        state = self._session.state
        return ENTERED.get((state, step), state)

    @property
    def capabilities(self) -> Capabilities:
        """What the server's last answer to CAPA listed; nothing before it."""
        return self._capabilities

    @property
    def timestamp(self) -> str | None:
        """The greeting's timestamp for ``sasl.apop_digest``; None without APOP, or under TLS that
        has begun since: what came in clear is forgotten."""
        return self._session.timestamp

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server. The RFC has no figure but the ten minutes that a server
        waits for its client (RFC 1939 section 3)."""
        return TIMEOUT

    # -- public: sending --------------------------------------------------------------------------

    def send(self, item: Command | AuthResponse | AuthCancelled) -> None:
        """Queue a command, or a step of a SASL exchange.

        TOP and UIDL may always be tried; STLS, UTF8 and LANG too, unless CAPA was answered without
        them.

        Raises OutOfOrderError for what may not follow what was sent so far, should all of it
        succeed; NotOfferedError for what the server does not offer; InvalidValueError for a line
        that is too long; ClosedError when the session is over.
        """
        if isinstance(item, AuthResponse | AuthCancelled):
            self._auth_step(item)
            return
        if not isinstance(item, Command):
            raise TypeError(f"a client sends commands and SASL responses, not {item!r}")
        ahead = self._ahead
        if isinstance(item, Raw):
            if "QUIT" not in ahead.moves:  # between commands anything may be sent
                self._out_of_order(item)
            self._queue(Sent(item, item.step, item.octets, item.replies, ahead.state))
            return
        step = step_of(item)
        wire = item.__bytes__()  # bytes() takes half as long again
        self._check_command(item, step, wire)
        ahead.assume(step, item)
        self._waiting.append(Sent(item, step, wire, 1, ahead.state))
        self._write_what_may_go()

    def _check_command(self, command: Command, step: str, wire: bytes) -> None:
        """Raise LocalProtocolError when `command` cannot be sent now."""
        ahead = self._ahead
        if step not in ahead.moves:
            self._out_of_order(command)
        try:
            self._session.check(command, ahead.utf8)
        except Refused as refused:
            problem = refused
        else:
            limit = self._limits.command_line
            if len(wire) > limit:
                raise InvalidValueError(
                    f"{command!r} is {len(wire)} octets long, and a command line has at most"
                    f" {limit} (RFC 2449 section 4)"
                )
            return
        kind = _KINDS.get(problem.code, NotOfferedError)
        raise kind(f"{command!r} cannot be sent to this server: {problem.text}")

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        """The next response, or the next piece of a message."""
        event: Event | None = None
        while event is None:
            if self._block is not None:
                self._check_message_limit(self._block)
                data = self._input.peek(_WINDOW)
                if not data:
                    return self._no_more_data()
                event = self._read_block(self._block, data)
                continue
            limits = self._limits
            longest = max(limits.response_line, limits.auth_line)
            try:
                line = self._input.next_line(longest)
            except LineTooLong:
                self._line_too_long(longest)
            if line is None:
                return self._no_line(longest)
            if line.startswith(b"+ ") or line == b"+":
                event = self._read_challenge(line)
                continue
            if len(line) + 2 > limits.response_line:
                most = limits.response_line
                self._broken(f"a line of a response is longer than {most} octets", line)
            try:
                response = read_status(line)
            except RemoteProtocolError as error:
                self._broken(str(error), line)
            event = self._answered(response, line)
        return event

    def _broken(self, problem: str, line: bytes = b"") -> NoReturn:
        """What should have been the response to the oldest command is not a response."""
        command = self._unanswered[0].request if self._unanswered else None
        self._fail(problem, line, command)

    def _read_challenge(self, line: bytes) -> Event | None:
        if not self._unanswered:
            self._fail(f"{line[:512]!r} answers nothing: every command has had its response", line)
        sent = self._unanswered[0]
        state = self._leads_to(sent, CONTINUE, line)
        self._take_answer(sent, CONTINUE, state)
        return self._challenged(line[1:])

    def _answered(self, response: Response, line: bytes) -> Event | None:
        """A response's first line has come."""
        if not self._unanswered:
            return self._unasked(response, line)
        sent = self._unanswered[0]
        state = self._leads_to(sent, response.status, line)
        if isinstance(response, Ok):
            request = sent.request
            if isinstance(request, Retr | Top):
                self._block = _Block(None, state)
                return response_received(request, response, None)
            if isinstance(request, Command) and request.multiline:
                self._block = _Block(response, state)
                return None
        return self._complete(sent, state, response)

    def _read_block(self, block: _Block, data: bytes) -> Event | None:
        """More of what follows an Ok."""
        decoder = block.decoder
        content = decoder.decode(data)
        self._input.skip(len(data) - decoder.unused)
        block.octets += len(content)
        response = block.response
        if response is None:
            return self._pass_on(block, content)
        block.gathered += content
        most = self._longest_list(self._unanswered[0].request)
        if block.octets > most:
            self._broken(f"a list is longer than {most} octets")
        if not decoder.ended:
            return None
        self._block = None
        try:
            octets = read_block(bytes(block.gathered))
        except RemoteProtocolError as error:
            self._broken(str(error))
        response = ok(response.text, response.code, octets)
        return self._complete(self._unanswered[0], block.state, response)

    def _longest_list(self, request: Request | None) -> int:
        """The most octets that the lines of an answer may have."""
        short = isinstance(request, Capa | Lang | Auth)
        return self._limits.short_list if short else self._limits.list

    def _check_message_limit(self, block: _Block) -> None:
        most = self._limits.message
        if block.response is None and most is not None and block.octets > most:
            self._broken(f"a message is longer than {most} octets")

    def _pass_on(self, block: _Block, content: bytes) -> Event | None:
        """A piece of a message."""
        most = self._limits.message
        if most is not None and block.octets > most:
            content = content[: max(0, most - block.octets + len(content))]
        elif block.decoder.ended:
            self._block = None
            self._take_answer(self._unanswered[0], OK, block.state)
            self._write_what_may_go()
            if not content:
                return _END_OF_MESSAGE
            self._events.append(_END_OF_MESSAGE)
        return message_data(content) if content else None

    def _complete(self, sent: Sent, state: State, response: Response) -> Event:
        """All of a response has come."""
        request = sent.request
        result: Result = None
        if isinstance(response, Ok):
            try:
                result = typed_result(request, response, self._session.messages)
            except RemoteProtocolError as error:
                # With others unanswered the answers may have shifted, and the next DELE would hit
                # another message; else it costs this answer alone.
                if len(self._unanswered) > 1:
                    self._broken(f"the answer to {request!r}: {error}")
        session = self._session
        if isinstance(request, Greeting):
            session.timestamp = timestamp_of(response) if isinstance(response, Ok) else None
            result = session.timestamp
        if sent.leads_to is None and isinstance(request, Auth):
            self._auth_answered(sent, isinstance(response, Ok))
        if sent.replies > 1:
            sent.replies -= 1
        else:
            self._take_answer(sent, response.status, state)
        effect = _EFFECTS.get(sent.step)
        if effect is not None:
            effect(self, sent, isinstance(response, Ok), result)
        if state is State.CLOSED:
            self._end(clean=self.idle)
        elif state is State.TLS and self._input.empty:
            self._begin_tls()
        self._write_what_may_go()
        return ResponseReceived(request, response, result)

    def _take_answer(self, sent: Sent, kind: str, state: State) -> None:
        """The oldest step has had its last answer, which leads to `state`."""
        self._unanswered.popleft()
        self._unanswered_octets -= len(sent.wire)
        if sent.step in self._session.moves:
            self._session.follow(sent.step, sent.request, kind, state)
        if state is not sent.leads_to:
            self._plan_again()

    # What an answered step changes besides the session.

    def _after_capa(self, sent: Sent, done: bool, result: Result) -> None:
        if isinstance(result, Capabilities):
            self._capabilities = self._session.capabilities = result
            self._pipelining = "PIPELINING" in result

    def _after_stat(self, sent: Sent, done: bool, result: Result) -> None:
        if isinstance(result, MaildropStatus) and not self._session.marked:
            self._session.messages = result.count

    def _after_utf8(self, sent: Sent, done: bool, result: Result) -> None:
        self._ahead.utf8 = self._session.utf8

    def _leads_to(self, sent: Sent, kind: str, line: bytes) -> State:
        """The state that an answer of this kind leads to. Raises RemoteProtocolError."""
        moves: Moves = self._session.moves.get(sent.step, {})
        if kind in moves:
            return moves[kind]
        # Without moves it was overtaken by a refusal, or it is Raw, whose answer may be any.
        expected = moves or ((OK, ERR) if sent.step == Raw.step else (ERR,))
        if kind in expected:
            return self._session.state
        self._fail(
            f"{line[:512]!r} cannot answer {sent.request!r} in state {self.state.value}: expected"
            f" {', '.join(expected)}",
            line,
            sent.request,
        )

    def _unasked(self, response: Response, line: bytes) -> Event:
        """A response although nothing waits for one: before they go, servers may say why."""
        if isinstance(response, Ok):
            self._fail(f"{line[:512]!r} answers nothing: every command has had its response", line)
        self._end(clean=self._session.state in RESTING)
        return ResponseReceived(None, response)

    # -- SASL -------------------------------------------------------------------------------------

    def _check_auth(self, mechanism: str) -> None:
        command = Auth(mechanism)
        self._check_command(command, command.step, bytes(command))

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        command = Auth(mechanism, initial)
        fits = "SASL" in self._capabilities and len(bytes(command)) <= self._limits.command_line
        self.send(command if fits else Auth(mechanism))
        return fits

    # -- TLS, and the end -------------------------------------------------------------------------

    def _forget(self) -> None:
        self._session.tls_started()
        self._ahead = self._session.ahead()
        self._capabilities = NO_CAPABILITIES
        self._pipelining = False

    def _at_rest(self) -> bool:
        return self._session.state in RESTING and self.idle

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        super()._end(clean=clean, handed_over=handed_over)
        self._block = None
        self._session.end()
        self._ahead = self._session.ahead()


_KINDS: dict[int, type[LocalProtocolError]] = {503: OutOfOrderError}
"""What a refusal of the session is for a client; any other is a NotOfferedError."""

ClientConnection._readers = {
    **dict.fromkeys(State, ClientConnection._read),
    State.TLS: ClientConnection._await_handshake,
    State.CLOSED: ClientConnection._read_nothing,
}

_EFFECTS: dict[str, Callable[[ClientConnection, Sent, bool, Any], None]] = {
    "CAPA": ClientConnection._after_capa,
    "STAT": ClientConnection._after_stat,
    "UTF8": ClientConnection._after_utf8,
}
"""What a step changes when it has had its last answer, besides the session."""
