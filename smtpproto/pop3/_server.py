"""ServerConnection: the server's side of a POP3 session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from smtpproto._command import CONTROL
from smtpproto._server import ServerSide, written_call
from smtpproto.errors import (
    DecisionNeededError,
    InvalidValueError,
    OutOfOrderError,
    Refused,
)
from smtpproto.pop3._answers import USUAL, fitting, refusal, typed_answer
from smtpproto.pop3._capabilities import Capabilities, offered_verbs
from smtpproto.pop3._commands import (
    VERBS,
    Auth,
    Command,
    Extended,
    List,
    Retr,
    Stat,
    Top,
    Uidl,
    read_extended,
    split,
)
from smtpproto.pop3._events import (
    AuthChallenge,
    EndOfMessage,
    Event,
    MessageData,
    Result,
    ServerEvent,
    command_refused,
)
from smtpproto.pop3._limits import Limits
from smtpproto.pop3._outgoing import MessageWriter
from smtpproto.pop3._responses import Err, Ok, Response
from smtpproto.pop3._session import Session, step_of
from smtpproto.pop3._state import CONTINUE, LETS_IN, RESTING, STEPS, TIMEOUT, State
from smtpproto.sasl._digests import check_timestamp

__all__ = ["ServerConnection"]

_NO_LIMITS_GIVEN = Limits()
_USUAL = Capabilities(("USER", "TOP", "UIDL", "RESP-CODES", "PIPELINING"))


class ServerConnection(ServerSide):
    """The server's side of a POP3 session (RFC 1939).

    `domain` is the server's name for itself. `capabilities` are the lines of the answer to CAPA,
    in order, and what the server then allows; USER is always among them. `timestamp`, a fresh one
    for each session (``sasl.make_timestamp``), stands in the greeting and allows APOP. `tls` says
    that the transport is under TLS already. `limits` bound what the client can do.

    Feed `receive_data`, handle `events`, and give each Request its one reply; the first is
    Greeting. Raises InvalidValueError for a domain that is not one word, and for a timestamp that
    is not a msg-id.
    """

    __slots__ = (
        "_capabilities", "_charset", "_domain", "_limits", "_message", "_timestamp",
        "_utf8_text", "_verbs",
    )  # fmt: skip

    _role = "POP3 server"
    _counterpart = "POP3 client"
    _protocol = "POP3"
    _starttls = "STLS"
    _command_refused = staticmethod(command_refused)
    _session: Session

    if TYPE_CHECKING:  # what comes out, for type checkers

        def next_event(self) -> ServerEvent | None: ...
        def events(self) -> Iterator[ServerEvent]: ...

    def __init__(
        self,
        domain: str,
        *,
        capabilities: Capabilities | Iterable[str] = _USUAL,
        timestamp: str | None = None,
        tls: bool = False,
        limits: Limits = _NO_LIMITS_GIVEN,
    ) -> None:
        super().__init__(
            Session(tls=tls),
            backlog=limits.backlog,
            most_refusals=limits.refusals,
            auth_line=limits.auth_line,
        )
        if not domain.isprintable() or not domain or " " in domain:
            raise InvalidValueError(f"the domain {domain!r} must be one word")
        self._domain = domain
        self._timestamp = None if timestamp is None else check_timestamp(timestamp)
        self._session.timestamp = self._timestamp
        self._limits = limits
        self._set_capabilities(capabilities)
        self._utf8_text = False  # UTF8 or LANG was accepted: texts may be UTF-8
        self._message: MessageWriter | None = None  # between Ok to RETR or TOP and its end

    def _set_capabilities(self, capabilities: Capabilities | Iterable[str]) -> None:
        """Allow what these are, from here on."""
        if not isinstance(capabilities, Capabilities):
            capabilities = Capabilities(capabilities)
        self._session.capabilities = self._capabilities = offered = capabilities.with_user()
        self._verbs = offered_verbs(offered, self._timestamp is not None)
        self._charset = "utf-8" if offered.utf8_user else "ascii"
        limits = self._limits
        self._longest_line = limits.command_line
        if "SASL" in offered:
            self._longest_line = max(limits.command_line, limits.auth_line)

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the responses that were given."""
        return self._session.state

    @property
    def capabilities(self) -> Capabilities:
        """What CAPA shows and the server allows, as far as state and TLS do. May be assigned:
        some capabilities have other arguments after login (RFC 2449 section 5)."""
        return self._capabilities

    @capabilities.setter
    def capabilities(self, capabilities: Capabilities | Iterable[str]) -> None:
        self._set_capabilities(capabilities)

    @property
    def user(self) -> str | None:
        """The name of the USER that was accepted, while PASS may follow or is owed its reply."""
        return self._session.user

    @property
    def timestamp(self) -> str | None:
        """The greeting's timestamp, of which APOP has the digest."""
        return self._timestamp

    @property
    def utf8(self) -> bool:
        """Whether the client has asked for UTF-8 mode, and got it (RFC 6856 section 2.1)."""
        return self._session.utf8

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

        Raises OutOfOrderError when nothing is owed, and DecisionNeededError where only the
        application can decide: PASS, APOP, AUTH and its responses want `authenticated`, STAT, LIST
        and UIDL a result, RETR and TOP a message (``send(Ok())``, then MessageData, EndOfMessage),
        LANG a language. Raises InvalidValueError for a result that cannot answer.
        """
        step = self._owed_step("accept")
        usual = USUAL.get(step)
        if usual is not None and text is None and result is None:
            response, wire = usual
            self._answer(response, wire)
            return
        row = STEPS[step]
        if row.lets_in:
            raise DecisionNeededError(
                f"accept() lets nobody in: {step} is answered by authenticated(identity) or"
                " reject(...)"
            )
        if row.needs_result:
            if result is None:
                raise DecisionNeededError(f"accept() cannot answer {step}: give its result")
            assert isinstance(self._owed, Stat | List | Uidl)
            answer = typed_answer(self._owed, result)
            if text is not None and answer.lines is not None:
                answer = Ok(self._fitting("", text), lines=answer.lines)
            self._answer(answer)
            return
        if row.accepted is None:
            raise DecisionNeededError(
                f"accept() cannot answer {step}: send(Ok(...)), or reject(...)"
            )
        if result is not None:
            raise InvalidValueError(f"{step} has no result")
        words = row.accepted if text is None else text
        if step == "greeting":
            self._answer(Ok(self._greeting(words)))
        elif step == "QUIT" and text is None:
            self._answer(Ok(self._fitting(self._domain, words)))
        elif step == "CAPA":
            self._answer(Ok(self._fitting("", words), lines=self._shown()))
        elif step == "AUTH list":
            mechanisms = self._capabilities.mechanisms(self.tls)
            self._answer(Ok(self._fitting("", words), lines=mechanisms))
        else:
            self._answer(Ok(self._fitting("", words)))

    def reject(self, text: str | None = None, code: str | None = None) -> None:
        """A negative response to what is owed, with a response code or without.

        `text` may be anything, as for `accept`. Raises OutOfOrderError when nothing is owed, and
        when a message has begun; InvalidValueError for anything but a response code.
        """
        self._owed_step("reject")
        self._answer(Err(self._fitting("", "Refused" if text is None else text), code))

    def send(self, item: Response | MessageData | EndOfMessage | AuthChallenge) -> None:
        """Answer what is owed with a response of your own, or AUTH with an AuthChallenge.

        After an Ok to Retr or Top, send the message: MessageData in any number of pieces, whole
        in both cases (TOP's cut is made here), then EndOfMessage; until then the reply is owed.

        Raises OutOfOrderError when nothing is owed, and InvalidValueError for what cannot answer
        it. Nobody is let in by an Ok: `authenticated` does that.
        """
        if isinstance(item, MessageData | EndOfMessage):
            self._send_message(item)
            return
        step = self._owed_step("send", item)
        if isinstance(item, AuthChallenge):
            self._outbox.append(self._challenge(item, b"+ "))
            self._follow(step, CONTINUE)
            return
        if not isinstance(item, Ok | Err):
            raise TypeError(
                f"a server sends an Ok, an Err, a message or an AuthChallenge, not {item!r}"
            )
        if isinstance(item, Ok):
            self._check_ok(item, step)
        self._answer(item)

    def _check_ok(self, response: Ok, step: str) -> None:
        """Raise LocalProtocolError when an Ok cannot answer the step."""
        if step in LETS_IN:
            raise InvalidValueError(f"Ok() lets nobody in to {step}: authenticated(identity) does")
        timestamp = self._timestamp if step == "greeting" else None
        if timestamp is not None and timestamp not in response.text:
            raise InvalidValueError(
                f"the timestamp {timestamp} must stand in the greeting, for APOP"
            )
        owed = self._owed
        streamed = isinstance(owed, Retr | Top)
        wanted = isinstance(owed, Command) and owed.multiline and not streamed
        if wanted != (response.lines is not None):
            raise InvalidValueError(
                f"the answer to {step if owed is None else repr(owed)} "
                + ("has lines: Ok(text, lines=[...])" if wanted else "has no lines")
                + (": the message follows, as MessageData and EndOfMessage" if streamed else "")
            )

    def _send_message(self, item: MessageData | EndOfMessage) -> None:
        message = self._message
        if message is None:
            raise OutOfOrderError(
                f"no message can be sent in state {self.state.value}: it follows send(Ok()) to"
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

        `text` may be anything, as for `accept`. Raises OutOfOrderError when none of them is owed,
        and InvalidValueError for an empty `identity`.
        """
        step = self._owed_step("authenticated")
        self._check_identity(identity)
        if step not in LETS_IN:
            raise OutOfOrderError(
                f"authenticated() answers PASS, APOP and AUTH, but {step} is owed a reply"
            )
        self._answer(Ok(self._fitting("", "Maildrop ready" if text is None else text)))
        self._identity = identity
        self._refusals = 0

    # -- the response and what it leads to --------------------------------------------------------

    def _owed_step(self, call: str, *arguments: object) -> str:
        if self._message is not None:
            raise OutOfOrderError(
                f"{written_call(call, arguments)}: the message has begun: MessageData is next, or"
                " EndOfMessage, or abort()"
            )
        return super()._owed_step(call, *arguments)

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
                mechanisms = self._capabilities.mechanisms(self.tls)
                if mechanisms:
                    found.append(" ".join(("SASL", *mechanisms)))
            elif tag != "STLS" or self._session.may_begin_tls():
                found.append(line)
        return found

    def _answer(self, response: Response, wire: bytes | None = None) -> None:
        """Give the owed response, whose wire form may be known, and follow the table."""
        step, request = self._step, self._owed
        assert step is not None
        kind = response.status
        if self._session.moves[step][kind] is State.TLS and not self._input.empty:
            self._refuse_injection()
            return
        self._outbox.append(bytes(response) if wire is None else wire)
        done = isinstance(response, Ok)
        if done and isinstance(request, Retr | Top):
            self._message = MessageWriter(request.lines if isinstance(request, Top) else None)
            return
        self._follow(step, kind)
        if step in ("AUTH", "AUTH response"):
            self._secrets_follow = not done
        elif step in ("UTF8", "LANG"):
            self._utf8_text = self._utf8_text or done

    def _follow(self, step: str, kind: str) -> None:
        """An answer of this kind is given."""
        session, request = self._session, self._owed
        state = session.moves[step][kind]
        self._step = self._owed = None
        session.follow(step, request, kind, state)
        if step == "greeting":
            self._greeted()
        if state is State.TLS:
            self._begin_tls()
        elif state is State.CLOSED:
            self._end(clean=True)

    # -- reading ----------------------------------------------------------------------------------

    def _command(self, line: bytes) -> Event | None:
        verb, argument = self._split(line)
        command_class = self._verbs.get(verb)
        if command_class is None:
            self._refuse_verb(verb)
        if len(line) + 2 > self._limits.command_line:
            self._check_length(line, verb)
        session = self._session
        step = command_class.step
        if step not in session.moves:
            raise session.out_of_order(verb)
        if command_class is Extended:
            command = read_extended(verb, argument)
        else:
            command = command_class.read(argument)
        session.check(command, session.utf8)
        if isinstance(command, Auth) and command.mechanism is not None:  # else it wants the list
            mechanism, offered = command.mechanism, self._capabilities.sasl
            private = self._capabilities.allows(mechanism, self.tls)
            self._check_mechanism(mechanism, command.initial_response, offered, private)
        self._secrets_follow = False
        step = step_of(command)
        session.enter(step)
        self._owe(command, step)
        return command

    def _split(self, line: bytes) -> tuple[str, str]:
        """The verb in upper case and the argument, of a line that is readable text."""
        try:
            text = line.decode(self._charset)
        except UnicodeDecodeError:
            raise Refused(
                500, "5.5.2", "A command is ASCII, or UTF-8 where UTF8 USER is offered"
            ) from None
        verb, argument = split(text)
        if not text.isprintable() and CONTROL.search(verb + argument.replace("\t", " ")):
            raise Refused(500, "5.5.2", "Control character in a command line")
        return verb, argument

    def _refuse_verb(self, verb: str) -> NoReturn:
        if verb in VERBS:
            raise Refused(502, "5.5.1", f"{verb} is not offered here")
        self._check_verb_http(verb)
        raise Refused(500, "5.5.2", "Unknown command")

    def _check_length(self, line: bytes, verb: str) -> None:
        # RFC 5034 tells clients to keep to 255, and clients with long tokens do not.
        limit = self._limits.command_line
        if verb != "AUTH" or len(line) + 2 > self._auth_line:
            raise Refused(500, "5.5.2", f"Line too long: a command has at most {limit} octets")

    # -- TLS --------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._identity = None
        self._utf8_text = False
        self._session.tls_started(self._capabilities, self._timestamp)

    # -- refusing, and the end --------------------------------------------------------------------

    def _own(self, refused: Refused) -> tuple[Err, bytes]:
        return refusal(refused.text)

    def _refuse(
        self, line: bytes, refused: Refused, wire: bytes | None = None, verb: str | None = None
    ) -> Event:
        self._session.refuse()
        return super()._refuse(line, refused, wire, verb)

    def _counts(self, verb: str, refused: Refused) -> bool:
        return True

    def _knows(self, verb: str) -> bool:
        return verb in VERBS

    def _farewell(self, status: str, text: str) -> Err:
        return Err(self._fitting(self._domain, text))

    @property
    def _cannot_speak(self) -> bool:
        # Within a message it would be taken for a part of it.
        return self._session.state is State.TLS or self._message is not None

    def _at_rest(self) -> bool:
        return self._session.state in RESTING

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        super()._end(clean=clean, handed_over=handed_over)
        self._message = None
        self._session.end()


ServerConnection._readers = {
    **dict.fromkeys(State, ServerConnection._read),
    State.AUTH: ServerConnection._read_response,
    State.TLS: ServerConnection._read_nothing,
    State.CLOSED: ServerConnection._read_nothing,
}
