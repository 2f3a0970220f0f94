"""ClientConnection: the client's side of a POP3 session."""

from __future__ import annotations

from collections.abc import Callable

from smtpproto._client import ClientSide, Sent, prospects
from smtpproto._wire.dots import DotDecoder
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.events import message_data
from smtpproto.pop3._capabilities import NO_CAPABILITIES, Capabilities
from smtpproto.pop3._commands import (
    Auth,
    Capa,
    Command,
    Lang,
    Raw,
    Retr,
    Top,
    Utf8,
)  # fmt: skip
from smtpproto.pop3._events import (
    AuthCancelled,
    AuthResponse,
    EndOfMessage,
    Event,
    Request,
    ResponseReceived,
    Result,
    response_received,
)
from smtpproto.pop3._limits import Limits
from smtpproto.pop3._responses import Ok, Response, ok, read_block, read_status
from smtpproto.pop3._results import timestamp_of, typed_result
from smtpproto.pop3._state import (
    BARRIERS,
    CONTINUE,
    ENDS_GROUP,
    ENTERED,
    ERR,
    MACHINE,
    OK,
    RESTING,
    SUCCESS,
    TIMEOUT,
    Moves,
    State,
    step_of,
)

__all__ = ["ClientConnection"]

_NO_LIMITS_GIVEN = Limits()
_PROSPECTS = prospects(SUCCESS, BARRIERS)
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


class ClientConnection(ClientSide[State]):
    """The client's side of a POP3 session (RFC 1939).

    `tls` says that the transport is under TLS already. `limits` bound what the server can do, and
    what is unanswered at a time.

    Commands may be sent at once: they go out as the server's capabilities allow, and each gets
    its ResponseReceived. The greeting is the first, with no command.
    """

    __slots__ = ("_auth", "_block", "_capabilities", "_limits", "_state", "_timestamp", "_utf8")

    def __init__(self, *, tls: bool = False, limits: Limits = _NO_LIMITS_GIVEN) -> None:
        super().__init__(
            tls=tls,
            backlog=limits.backlog,
            most_unanswered=limits.pipeline_octets,
            prospects=_PROSPECTS,
            ends_group=ENDS_GROUP,
            only_behind={},
            greeted=State.AUTHORIZATION,
        )
        self._limits = limits
        self._state = State.GREETING
        self._capabilities = NO_CAPABILITIES
        self._timestamp: str | None = None
        self._auth: Auth | None = None
        self._utf8 = False  # Utf8 was sent
        self._block: _Block | None = None

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the responses that have come.

        UPDATE: QUIT is on its way, and whether the server has removed what is marked as deleted
        nobody knows before its response.
        """
        step = self._unanswered[0].step if self._unanswered else ""
        return ENTERED.get((self._state, step), self._state)

    @property
    def capabilities(self) -> Capabilities:
        """What the server's last answer to CAPA listed; nothing before it."""
        return self._capabilities

    @property
    def timestamp(self) -> str | None:
        """The greeting's timestamp for ``sasl.apop_digest``; None without APOP, or under TLS that
        has begun since: what came in clear is forgotten."""
        return self._timestamp

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server. The RFC has no figure but the ten minutes that a server
        waits for its client (RFC 1939 section 3)."""
        return TIMEOUT

    # -- public: sending --------------------------------------------------------------------------

    def send(self, item: Command | AuthResponse | AuthCancelled) -> None:
        """Queue a command, or a step of a SASL exchange.

        What may not follow what was sent so far, should all of it succeed, raises
        LocalProtocolError. TOP and UIDL may always be tried; STLS, UTF8 and LANG are refused
        here when CAPA was answered without them.
        """
        if isinstance(item, AuthResponse | AuthCancelled):
            self._send_auth(item, self._auth)
            return
        if not isinstance(item, Command):
            raise LocalProtocolError(f"a client sends commands and SASL responses, not {item!r}")
        step = step_of(item)
        line = item.__bytes__()  # bytes() takes half as long again
        leads_to = self._check_command(item, step, line)
        if isinstance(item, Raw):
            self._queue(Sent(item, step, line, item.replies, leads_to))
            return
        if isinstance(item, Auth):
            self._auth = item
        elif isinstance(item, Utf8):
            self._utf8 = True
        self._queue(Sent(item, step, line, 1, leads_to))

    # -- checking what is sent --------------------------------------------------------------------

    def _check_command(self, command: Command, step: str, line: bytes) -> State | None:
        """The state to be expected after a command, which is `line` on the wire.

        Raises LocalProtocolError when it cannot be sent now, or is too long.
        """
        leads_to = self._expects(command, step)
        rule = _RULES.get(step)
        problem = None if rule is None else rule(self, command, line)
        if problem is not None:
            raise LocalProtocolError(f"{command!r} cannot be sent: {problem}")
        limit = self._limits.command_line
        if len(line) > limit and step != "raw":
            raise LocalProtocolError(
                f"{command!r} is {len(line)} octets long, and a command line has at"
                f" most {limit} (RFC 2449 section 4)"
            )
        return leads_to

    # What the RFCs forbid a client, given what the server offered; None where nothing.

    def _stls_rule(self, command: Command, line: bytes) -> str | None:
        if self._tls or self._utf8:
            return "TLS is active already" if self._tls else "STLS must precede UTF8"
        return self._offer_rule(command, line)

    def _offer_rule(self, command: Command, line: bytes) -> str | None:
        offered = self._capabilities
        if offered is NO_CAPABILITIES or command.verb in offered:
            return None
        return f"the server does not offer {command.verb}"

    def _apop_rule(self, command: Command, line: bytes) -> str | None:
        if self._timestamp is None:
            return (
                "the greeting had no timestamp that is a msg-id (RFC 1939 section 7), or it came"
                " before TLS"
            )
        return self._login_rule(command, line)

    def _login_rule(self, command: Command, line: bytes) -> str | None:
        if line.isascii() or self._capabilities.utf8_user:
            return None
        return "it is not ASCII, and the server does not offer UTF8 USER (RFC 6856 section 2.2)"

    def _auth_rule(self, command: Command, line: bytes) -> str | None:
        assert isinstance(command, Auth)
        if command.initial_response is None or self._takes_initial_response:
            return None
        return (
            "no initial response where CAPA has not shown SASL (RFC 5034 section 3); send Auth"
            " without it, and it as the response to the empty challenge"
        )

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        if self._closed:
            return None
        if self._state is State.TLS:
            if not self._input.empty:
                self._fail("octets in clear behind the +OK to STLS: somebody put them there")
            return self._starve() if self._at_eof else None
        event: Event | None = None
        while event is None:
            if self._block is not None:
                self._check_message_limit(self._block)
                data = self._input.peek(_WINDOW)
                if not data:
                    return self._starve()
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
                self._fail(f"a line of a response is longer than {limits.response_line} octets")
            try:
                response = read_status(line)
            except RemoteProtocolError as error:
                self._fail(str(error))
            event = self._read_response(response, line)
        return event

    def _read_challenge(self, line: bytes) -> Event | None:
        if not self._unanswered:
            self._fail(f"{line[:512]!r} answers nothing: every command has had its response")
        sent = self._unanswered[0]
        self._state = self._follow(sent, CONTINUE, line)
        self._answered(self._state)
        return self._challenged(line[1:], self._auth)

    def _read_response(self, response: Response, line: bytes) -> Event | None:
        """A response's first line has come."""
        if not self._unanswered:
            return self._unasked(response)
        sent = self._unanswered[0]
        state = self._follow(sent, response.status, line)
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
            self._fail(f"a list is longer than {most} octets")
        if not decoder.ended:
            return None
        self._block = None
        try:
            octets = read_block(bytes(block.gathered))
        except RemoteProtocolError as error:
            self._fail(str(error))
        response = ok(response.text, response.code, octets)
        return self._complete(self._unanswered[0], block.state, response)

    def _longest_list(self, request: Request | None) -> int:
        """The most octets that the lines of an answer may have."""
        short = isinstance(request, Capa | Lang | Auth)
        return self._limits.short_list if short else self._limits.list

    def _check_message_limit(self, block: _Block) -> None:
        most = self._limits.message
        if block.response is None and most is not None and block.octets > most:
            self._fail(f"a message is longer than {most} octets")

    def _pass_on(self, block: _Block, content: bytes) -> Event | None:
        """A piece of a message."""
        most = self._limits.message
        if most is not None and block.octets > most:
            content = content[: max(0, most - block.octets + len(content))]
        elif block.decoder.ended:
            self._block = None
            self._answered(block.state)
            self._write_what_may_go()
            if not content:
                return _END_OF_MESSAGE
            self._events.append(_END_OF_MESSAGE)
        return message_data(content) if content else None

    def _complete(self, sent: Sent[State], state: State, response: Response) -> Event:
        """All of a response has come."""
        result: Result = None
        done = isinstance(response, Ok)
        if isinstance(response, Ok):
            try:
                result = typed_result(sent.request, response)
            except RemoteProtocolError as error:
                self._fail(f"the answer to {sent.request!r}: {error}")
        if isinstance(sent.request, Auth) and sent.request.mechanism is not None:
            self._auth_answered(sent, done)
        if sent.request is None:
            self._timestamp = timestamp_of(response) if done else None
            result = self._timestamp
        elif isinstance(result, Capabilities):
            self._follow_offer(result)
        elif isinstance(sent.request, Utf8):
            self._utf8 = done
        self._state = state
        if sent.replies > 1:
            sent.replies -= 1
        else:
            self._answered(state)
        if state is State.CLOSED:
            self._end(clean=self.idle)
        elif state is State.TLS and self._input.empty:
            self._begin_tls()
        self._write_what_may_go()
        return ResponseReceived(sent.request, response, result)

    def _follow_offer(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._pipelining = "PIPELINING" in capabilities

    def _follow(self, sent: Sent[State], kind: str, line: bytes) -> State:
        """The state that an answer of this kind leads to. Raises RemoteProtocolError."""
        moves: Moves = MACHINE[self._state].get(sent.step, {})
        if kind in moves:
            return moves[kind]
        # Without moves it is anybody's guess, or overtaken by a refusal.
        expected = moves or ((OK, ERR) if sent.step == "raw" else (ERR,))
        if kind in expected:
            return self._state
        asked = "the opening of the connection" if sent.request is None else repr(sent.request)
        self._fail(
            f"{line[:512]!r} cannot answer {asked} in state {self._state.value}: expected"
            f" {', '.join(expected)}"
        )

    def _unasked(self, response: Response) -> Event:
        """A response although nothing waits for one: before they go, servers may say why."""
        if isinstance(response, Ok):
            self._fail(f"{response!r} answers nothing: every command has had its response")
        self._end(clean=self._state in RESTING)
        return ResponseReceived(None, response)

    # -- SASL -------------------------------------------------------------------------------------

    @property
    def _takes_initial_response(self) -> bool:
        return "SASL" in self._capabilities

    def _check_auth(self, mechanism: str) -> None:
        command = Auth(mechanism)
        self._check_command(command, "AUTH", bytes(command))

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        command = Auth(mechanism, initial)
        fits = self._takes_initial_response and len(bytes(command)) <= self._limits.command_line
        self.send(command if fits else Auth(mechanism))
        return fits

    @property
    def _within_auth(self) -> bool:
        return self._state is State.AUTH

    @property
    def _longest_auth_line(self) -> int:
        return self._limits.auth_line

    # -- TLS, and the end -------------------------------------------------------------------------

    def _forget(self) -> None:
        self._state = self._expected = State.AUTHORIZATION
        self._follow_offer(NO_CAPABILITIES)
        self._timestamp = None
        self._auth = None

    def _at_rest(self) -> bool:
        return self._state in RESTING and self.idle

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._state = self._expected = State.CLOSED
        self._block = None


_RULES: dict[str, Callable[[ClientConnection, Command, bytes], str | None]] = {
    "STLS": ClientConnection._stls_rule,
    "UTF8": ClientConnection._offer_rule,
    "LANG": ClientConnection._offer_rule,
    "APOP": ClientConnection._apop_rule,
    "USER": ClientConnection._login_rule,
    "PASS": ClientConnection._login_rule,
    "AUTH": ClientConnection._auth_rule,
}
"""What a step must fulfil besides its order."""
