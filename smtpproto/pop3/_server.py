"""ServerConnection: the server's side of a POP3 session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from smtpproto._command import CONTROL
from smtpproto._mechanisms import SERVER_FIRST
from smtpproto._server import HTTP_VERBS, TLS_CLIENT_HELLO, ServerSide, written_call
from smtpproto._wire import base64
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import LocalProtocolError
from smtpproto.pop3 import _redact as redact
from smtpproto.pop3._answers import ACCEPTED, USUAL, fitting, refusal, typed_answer
from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._commands import (
    VERBS,
    Auth,
    Command,
    CommandSyntaxError,
    Extended,
    List,
    Retr,
    Stat,
    Top,
    Uidl,
    User,
    read_extended,
    split,
)  # fmt: skip
from smtpproto.pop3._events import (
    AuthChallenge,
    CommandRefused,
    EndOfMessage,
    Event,
    MessageData,
    Result,
    command_refused,
)
from smtpproto.pop3._limits import Limits
from smtpproto.pop3._offer import offered_verbs
from smtpproto.pop3._outgoing import MessageWriter
from smtpproto.pop3._responses import Err, Ok, Response
from smtpproto.pop3._state import (
    CONTINUE,
    ENTERED,
    LETS_IN,
    MACHINE,
    NEEDS_RESULT,
    NEVER_BY_DEFAULT,
    RESTING,
    TIMEOUT,
    State,
    step_of,
)
from smtpproto.sasl._digests import check_timestamp

__all__ = ["ServerConnection"]

_NO_LIMITS_GIVEN = Limits()
_USUAL = Capabilities(("USER", "TOP", "UIDL", "RESP-CODES", "PIPELINING"))


class _Refused(Exception):  # noqa: N818 (no error: what the connection answers by itself)
    """The connection refuses a command line; `fatal`: and the session is over."""

    def __init__(self, text: str, *, fatal: bool = False) -> None:
        self.text = text
        self.fatal = fatal


class ServerConnection(ServerSide):
    """The server's side of a POP3 session (RFC 1939).

    `domain` is the server's name for itself. `capabilities` are the lines of the answer to CAPA,
    in order, and what the server then allows; USER is always among them. `timestamp`, a fresh one
    for each session (``sasl.make_timestamp``), stands in the greeting and allows APOP. `tls` says
    that the transport is under TLS already. `limits` bound what the client can do.

    Begin with `accept()`, which greets; then feed `receive_data`, handle `events`, and give each
    Request its one reply. Raises LocalProtocolError for a domain that is not one word, and for a
    timestamp that is no msg-id.
    """

    __slots__ = (
        "_capabilities", "_charset", "_domain", "_limits", "_longest_line", "_message", "_moves",
        "_state", "_timestamp", "_user", "_utf8_mode", "_utf8_text", "_verbs",
    )  # fmt: skip

    def __init__(
        self,
        domain: str,
        *,
        capabilities: Capabilities | Iterable[str] = _USUAL,
        timestamp: str | None = None,
        tls: bool = False,
        limits: Limits = _NO_LIMITS_GIVEN,
    ) -> None:
        super().__init__(tls=tls, backlog=limits.backlog, most_refusals=limits.refusals)
        if not domain.isprintable() or not domain or " " in domain:
            raise LocalProtocolError(f"the domain {domain!r} must be one word")
        self._domain = domain
        self._timestamp = None if timestamp is None else check_timestamp(timestamp)
        self._limits = limits
        self._offer(capabilities)

        self._state = State.GREETING
        self._moves = MACHINE[State.GREETING]

        self._user: str | None = None
        self._utf8_mode = False  # UTF8 was accepted
        self._utf8_text = False  # UTF8 or LANG was accepted: texts may be UTF-8
        self._message: MessageWriter | None = None  # between Ok to RETR or TOP and its end

    def _offer(self, capabilities: Capabilities | Iterable[str]) -> None:
        """Allow what these are, from here on."""
        if not isinstance(capabilities, Capabilities):
            capabilities = Capabilities(capabilities)
        self._capabilities = offered = capabilities.with_user()
        self._verbs = offered_verbs(offered, self._timestamp is not None)
        self._charset = "utf-8" if offered.utf8_user else "ascii"
        # The most octets of a command line, whatever its verb turns out to be.
        limits = self._limits
        self._longest_line = limits.command_line
        if "SASL" in offered:
            self._longest_line = max(limits.command_line, limits.auth_line)

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the responses that were given."""
        return self._state

    @property
    def capabilities(self) -> Capabilities:
        """What CAPA shows and the server allows, as far as state and TLS do. May be assigned:
        some capabilities have other arguments after login (RFC 2449 section 5)."""
        return self._capabilities

    @capabilities.setter
    def capabilities(self, capabilities: Capabilities | Iterable[str]) -> None:
        self._offer(capabilities)

    @property
    def user(self) -> str | None:
        """The name of the USER that was accepted, while PASS may follow or is owed its reply."""
        return self._user

    @property
    def timestamp(self) -> str | None:
        """The greeting's timestamp, of which APOP has the digest."""
        return self._timestamp

    @property
    def utf8(self) -> bool:
        """Whether the client has asked for UTF-8 mode, and got it (RFC 6856 section 2.1)."""
        return self._utf8_mode

    @property
    def timeout(self) -> float:
        """Seconds to wait for the client at least (RFC 1939 section 3)."""
        return TIMEOUT

    # -- public: answering ------------------------------------------------------------------------

    def accept(self, text: str | None = None, result: Result = None) -> None:
        """The usual positive response to what is owed, with `text` or without.

        `result` answers Stat with a MaildropStatus, List and Uidl with ScanListing and UniqueId
        values: one where a number was given, else all. `text` may be anything: what the session
        cannot carry is replaced. In the greeting it is said after the domain.

        Raises LocalProtocolError when nothing is owed, and for what nothing can answer without
        knowing more: PASS, APOP, AUTH and its responses want `authenticated`, STAT, LIST and
        UIDL a result, RETR and TOP a message (``send(Ok())``, then MessageData, EndOfMessage),
        LANG a language.
        """
        step = self._owed_step("accept")
        usual = USUAL.get(step)
        if usual is not None and text is None and result is None:
            response, wire = usual
            self._answer(response, wire)
            return
        if step in LETS_IN:
            raise LocalProtocolError(
                f"accept() lets nobody in: {step} is answered by authenticated(identity) or"
                " reject(...)"
            )
        if step in NEVER_BY_DEFAULT or (step in NEEDS_RESULT and result is None):
            raise LocalProtocolError(
                f"accept() cannot answer {step}: "
                + ("give its result" if step in NEEDS_RESULT else "send(Ok(...)), or reject(...)")
            )
        if step in NEEDS_RESULT:
            assert isinstance(self._owed, Stat | List | Uidl)
            answer = typed_answer(self._owed, result)
            if text is not None and answer.lines is not None:
                answer = Ok(self._fitting("", text), lines=answer.lines)
            self._answer(answer)
            return
        if result is not None:
            raise LocalProtocolError(f"{step} has no result")
        words = ACCEPTED[step] if text is None else text
        if step == "connect":
            self._answer(Ok(self._greeting(words)))
        elif step == "QUIT" and text is None:
            self._answer(Ok(self._fitting(self._domain, words)))
        elif step == "CAPA":
            self._answer(Ok(self._fitting("", words), lines=self._shown()))
        elif step == "AUTH list":
            mechanisms = self._capabilities.mechanisms(self._tls)
            self._answer(Ok(self._fitting("", words), lines=mechanisms))
        else:
            self._answer(Ok(self._fitting("", words)))

    def reject(self, text: str | None = None, code: str | None = None) -> None:
        """A negative response to what is owed, with a response code or without.

        `text` may be anything, as for `accept`. Raises LocalProtocolError when nothing is owed,
        when a message has begun, and for what is no response code.
        """
        self._owed_step("reject")
        self._answer(Err(self._fitting("", "Refused" if text is None else text), code))

    def send(self, item: Response | MessageData | EndOfMessage | AuthChallenge) -> None:
        """Answer what is owed with a response of your own, or AUTH with an AuthChallenge.

        After an Ok to Retr or Top, send the message: MessageData in any number of pieces, whole
        in both cases (TOP's cut is made here), then EndOfMessage; until then the reply is owed.

        Raises LocalProtocolError when nothing is owed, and for what cannot answer it. Nobody is
        let in by an Ok: `authenticated` does that.
        """
        if isinstance(item, MessageData | EndOfMessage):
            self._send_message(item)
            return
        step = self._owed_step("send", item)
        if isinstance(item, AuthChallenge):
            self._send_challenge(item, step)
            return
        if not isinstance(item, Ok | Err):
            raise LocalProtocolError(
                f"a server sends an Ok, an Err, a message or an AuthChallenge, not {item!r}"
            )
        if isinstance(item, Ok):
            self._check_ok(item, step)
        self._answer(item)

    def _check_ok(self, response: Ok, step: str) -> None:
        """Raise LocalProtocolError when an Ok cannot answer the step."""
        if step in LETS_IN:
            raise LocalProtocolError(f"Ok() lets nobody in to {step}: authenticated(identity) does")
        timestamp = self._timestamp if step == "connect" else None
        if timestamp is not None and timestamp not in response.text:
            raise LocalProtocolError(
                f"the timestamp {timestamp} must stand in the greeting, for APOP"
            )
        owed = self._owed
        streamed = isinstance(owed, Retr | Top)
        wanted = isinstance(owed, Command) and owed.multiline and not streamed
        if wanted != (response.lines is not None):
            raise LocalProtocolError(
                f"the answer to {step if owed is None else repr(owed)} "
                + ("has lines: Ok(text, lines=[...])" if wanted else "has no lines")
                + (": the message follows, as MessageData and EndOfMessage" if streamed else "")
            )

    def _send_challenge(self, challenge: AuthChallenge, step: str) -> None:
        if step not in ("AUTH", "AUTH response"):
            raise LocalProtocolError(f"a challenge cannot answer {step}, only AUTH")
        line = b"+ " + base64.encode(challenge.data) + b"\r\n"
        if len(line) > self._limits.auth_line:
            raise LocalProtocolError(
                f"a challenge of {len(challenge.data)} octets is longer than a line of"
                f" {self._limits.auth_line} can carry"
            )
        self._outbox.append(line)
        self._step = self._owed = None
        self._enter(self._moves[step][CONTINUE])

    def _send_message(self, item: MessageData | EndOfMessage) -> None:
        message = self._message
        if message is None:
            raise LocalProtocolError(
                f"no message can be sent in state {self._state.value}: it follows send(Ok()) to"
                " Retr or Top"
            )
        if isinstance(item, MessageData):
            wire = message.write(item.data)
            if wire:
                self._outbox.append(wire)
            return
        self._outbox.append(message.finish())
        self._message = None
        self._refusals = 0
        self._step = self._owed = None

    def authenticated(self, identity: str, text: str | None = None) -> None:
        """Let the client in as `identity`: +OK to PASS, APOP, AUTH or its last response.

        `text` may be anything, as for `accept`. Raises LocalProtocolError when none of them is
        owed, and for an empty `identity`.
        """
        step = self._owed_step("authenticated")
        self._check_identity(identity)
        if step not in LETS_IN:
            raise LocalProtocolError(
                f"authenticated() answers PASS, APOP and AUTH, but {step} is owed a reply"
            )
        self._answer(Ok(self._fitting("", "Maildrop ready" if text is None else text)))
        self._identity = identity
        self._refusals = 0

    def shutdown(self, text: str | None = None) -> None:
        """End the session now, whatever its state: -ERR, and what the client sent is dropped.

        Nothing is marked as read or removed by it (RFC 1939 section 3: not the UPDATE state).
        Does nothing when the session is over already.
        """
        if self._closed:
            return
        if self._state is State.TLS or self._message is not None:
            # Anything in clear would only break the handshake; within a message it would be
            # taken for a part of it.
            self._end(clean=False)
            return
        words = text or "Service not available, closing transmission channel"
        self._say_goodbye(Err(self._fitting(self._domain, words)))

    # -- the response and what it leads to --------------------------------------------------------

    def _owed_step(self, call: str, *said: object) -> str:
        if self._message is not None:
            raise LocalProtocolError(
                f"{written_call(call, said)}: the message has begun: MessageData is next, or"
                " EndOfMessage, or abort()"
            )
        return super()._owed_step(call, *said)

    def _fitting(self, head: str, text: str, tail: str = "") -> str:
        return fitting(head, text, tail, utf8=self._utf8_text)

    def _greeting(self, text: str) -> str:
        if self._timestamp is None:
            return self._fitting(self._domain, text)
        # A client finds the timestamp by its bracket.
        return self._fitting(self._domain, text.replace("<", "?"), f" {self._timestamp}")

    def _shown(self) -> list[str]:
        """The lines of the answer to CAPA."""
        found = []
        for line in self._capabilities:
            tag = line.split(" ")[0].upper()
            if tag == "SASL":
                mechanisms = self._capabilities.mechanisms(self._tls)
                if mechanisms:
                    found.append(" ".join(("SASL", *mechanisms)))
            elif tag != "STLS" or self._may_begin_tls():
                found.append(line)
        return found

    def _may_begin_tls(self) -> bool:
        return not self._tls and not self._utf8_mode and "STLS" in self._moves

    def _answer(self, response: Response, wire: bytes | None = None) -> None:
        """Give the owed response, whose wire form may be known, and follow the table."""
        step, request = self._step, self._owed
        assert step is not None
        state = self._moves[step][response.status]
        if state is State.TLS and not self._input.empty:
            self._refuse_injection()
            return
        self._outbox.append(bytes(response) if wire is None else wire)
        done = isinstance(response, Ok)
        if done and isinstance(request, Retr | Top):
            self._message = MessageWriter(request.lines if isinstance(request, Top) else None)
            return
        self._step = self._owed = None
        self._enter(state)
        if state is State.USER:
            assert isinstance(request, User)
            self._user = request.name
        elif state is State.TLS:
            self._begin_tls()
        elif state is State.CLOSED:
            self._end(clean=True)
        else:
            self._user = None
        if step in ("AUTH", "AUTH response"):
            self._auth_line_follows = not done
        elif step == "UTF8" and done:
            self._utf8_mode = self._utf8_text = True
        elif step == "LANG" and done:
            self._utf8_text = True

    def _enter(self, state: State) -> None:
        self._state = state
        self._moves = MACHINE[state]
        self._reading = _READERS[state]

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        if self._first_line and self._input.first_octet() == TLS_CLIENT_HELLO:
            return self._turn_away(b"\x16", "This is POP3, where TLS begins with STLS")
        try:
            line = self._input.next_line(self._longest_line)
        except LineTooLong as too_long:
            self._first_line = False
            return self._refuse(too_long.start, "Line too long")
        if line is None:
            return self._starve()
        self._look_for_more()
        try:
            verb, argument = self._split(line)
            command = self._command(verb, argument, len(line) + 2)
        except _Refused as refused:
            if refused.fatal:
                return self._turn_away(line, refused.text)
            return self._refuse(line, refused.text)
        except CommandSyntaxError as error:
            return self._refuse(line, error.response.text)
        finally:
            self._first_line = False
        self._auth_line_follows = False
        step = step_of(command)
        entered = ENTERED.get((self._state, step))
        if entered is not None:
            self._enter(entered)
        self._owe(command, step)
        return command

    def _split(self, line: bytes) -> tuple[str, str]:
        """The verb in upper case and the argument, of a line that is readable text."""
        try:
            text = line.decode(self._charset)
        except UnicodeDecodeError:
            raise _Refused("A command is ASCII, or UTF-8 where UTF8 USER is offered") from None
        verb, argument = split(text)
        if not text.isprintable() and CONTROL.search(verb + argument.replace("\t", " ")):
            raise _Refused("Control character in a command line")
        return verb, argument

    def _command(self, verb: str, argument: str, octets: int) -> Command:
        """The command, if it may come now. Raises _Refused, CommandSyntaxError."""
        command_class = self._verbs.get(verb)
        if command_class is None:
            self._refuse_verb(verb)
        if octets > self._limits.command_line:
            self._check_length(verb, octets)
        step = command_class.step
        if step not in self._moves or step == "STLS":
            self._check_sequence(verb, step)
        if command_class is Extended:
            return read_extended(verb, argument)
        command = command_class.read(argument)
        if isinstance(command, Auth) and command.mechanism is not None:
            self._check_mechanism(command.mechanism, command.initial_response)
        return command

    def _refuse_verb(self, verb: str) -> NoReturn:
        if verb in VERBS:
            raise _Refused(f"{verb} is not offered here")
        if self._first_line and verb in HTTP_VERBS:
            raise _Refused(f"{verb} is HTTP, this is POP3", fatal=True)
        raise _Refused("Unknown command")

    def _check_length(self, verb: str, octets: int) -> None:
        # RFC 5034 tells clients to keep to 255, and clients with long tokens do not.
        limit = self._limits.command_line
        if verb != "AUTH" or octets > self._limits.auth_line:
            raise _Refused(f"Line too long: a command has at most {limit} octets")

    def _check_sequence(self, verb: str, step: str) -> None:
        if step not in self._moves:
            raise _Refused(f"{verb} is out of order: {_NEXT[self._state]}")
        if not self._may_begin_tls():
            raise _Refused(
                "STLS is out of order: TLS is active" if self._tls else "STLS must precede UTF8"
            )

    def _check_mechanism(self, mechanism: str, initial_response: bytes | None) -> None:
        if mechanism not in self._capabilities.sasl:
            raise _Refused("This mechanism is not offered here")
        if not self._capabilities.allows(mechanism, self._tls):
            raise _Refused("This mechanism needs TLS: STLS first")
        if mechanism in SERVER_FIRST and initial_response is not None:
            raise _Refused(f"In {mechanism} the server speaks first")

    def _read_auth_line(self) -> Event | None:
        return self._read_response(self._limits.auth_line)

    # -- SASL and TLS -----------------------------------------------------------------------------

    def _cancel_auth(self, code: int, status: str, text: str) -> None:
        self._step = "AUTH response"
        if self._count_refusal():
            self._say_goodbye(self._enough())
        else:
            self._answer(Err(text))

    def _forget(self) -> None:
        self._identity = None
        self._user = None
        self._utf8_text = False
        self._enter(State.AUTHORIZATION)

    def _refuse_injection(self) -> None:
        """Octets came in clear behind STLS: whoever put them there wants them to be run as if
        they had come under TLS (CVE-2011-0411)."""
        response = Err("Octets in clear behind STLS")
        self._outbox.append(bytes(response))
        self._events.append(CommandRefused(b"STLS", response))
        self._owed = None
        self._end(clean=False)

    # -- refusing, and the end --------------------------------------------------------------------

    def _refuse(self, line: bytes, text: str) -> Event:
        """Answer a command line without asking anybody."""
        visible = redact.shown(line, after_auth=self._auth_line_follows)
        secrets_follow = redact.secrets_follow(line)
        if secrets_follow or redact.verb_of(line):
            self._auth_line_follows = secrets_follow
        if self._state is State.USER:  # PASS comes right after USER, or not at all
            self._user = None
            self._enter(State.AUTHORIZATION)
        response, wire = refusal(text)
        if self._count_refusal():
            response = self._enough()
            self._say_goodbye(response)
        else:
            self._outbox.append(wire)
        return command_refused(visible, response)

    def _enough(self) -> Err:
        return Err(self._fitting(self._domain, "Too many errors"))

    def _turn_away(self, line: bytes, text: str) -> Event:
        """Whoever this is, it is no mail client."""
        response = Err(self._fitting(self._domain, text))
        self._say_goodbye(response)
        return command_refused(redact.shown(line, after_auth=False), response)

    def _say_goodbye(self, response: Response) -> None:
        """-ERR, which answers what is owed, and the end."""
        clean = self._at_rest()
        self._owed = None
        self._outbox.append(bytes(response))
        self._end(clean=clean)

    def _at_rest(self) -> bool:
        return self._step is None and self._state in RESTING

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._message = None
        self._user = None
        self._enter(State.CLOSED)


_READERS: dict[State, Callable[[ServerConnection], Event | None]] = {
    **dict.fromkeys(State, ServerConnection._read),
    State.AUTH: ServerConnection._read_auth_line,
    State.TLS: ServerConnection._read_nothing,
    State.CLOSED: ServerConnection._read_nothing,
}
"""What the octets are in each state."""

_NEXT = {
    State.AUTHORIZATION: "log in first, USER and then PASS",
    State.USER: "PASS is next",
    State.TRANSACTION: "somebody is logged in already",
}
"""What a refusal for the order of commands tells the client to do."""
