"""ClientConnection: the client's side of an SMTP or LMTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NoReturn

from smtpproto._client import ClientSide, Sent
from smtpproto._connection import Connection
from smtpproto._value import check_choice
from smtpproto._wire.dots import DotEncoder
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import (
    InvalidValueError,
    LimitError,
    LocalProtocolError,
    NotOfferedError,
    OutOfOrderError,
    Refused,
    RemoteProtocolError,
)
from smtpproto.smtp._capabilities import NO_CAPABILITIES, RFC_821, Capabilities, ClientService
from smtpproto.smtp._commands import Auth, Bdat, Command, Helo, Mail, Raw, Rcpt
from smtpproto.smtp._events import (
    AuthCancelled,
    AuthResponse,
    ClientEvent,
    EndOfMessage,
    Envelope,
    Event,
    MailCommand,
    MessageData,
    ReplyReceived,
    Request,
    reply_received,
)
from smtpproto.smtp._limits import Limits
from smtpproto.smtp._replies import Reply, ReplyReader
from smtpproto.smtp._session import Ahead, Session, step_of
from smtpproto.smtp._state import (
    AUTH,
    BLOCK_TIMEOUT,
    DATA,
    ENDS_GROUP,
    ONLY_BEHIND,
    READY,
    RESTING,
    STEPS,
    TAKES_MESSAGE,
    TIMEOUT,
    TLS,
    TURNED,
    WITH_BURL,
    Moves,
    State,
    named,
    next_state,
    overtaken,
)

__all__ = ["ClientConnection"]

_NO_LIMITS_GIVEN = Limits()


class ClientConnection(ClientSide):
    """The client's side of an SMTP session (RFC 5321), or LMTP (RFC 2033).

    `lmtp` makes it LMTP's. `tls` says that the transport is under TLS already. `limits` bound
    what the server can do, and what is unanswered at a time. `newlines="crlf"` turns a bare CR or
    LF in the messages that are sent into CRLF, `"strict"` raises InvalidValueError for one. What
    follows a Bdat has been counted, and goes out as it is: its lines must end in CRLF already,
    unless it is binary (RFC 3030 section 2).

    Commands may be sent at once, a whole transaction of them: they go out as the server's
    offers allow, and each gets its ReplyReceived. The first is the reply to Greeting.
    """

    __slots__ = (
        "_capabilities", "_chunk_left", "_encoder", "_ended", "_limits", "_longest_line",
        "_longest_reply", "_reader", "_refused", "_strict",
    )  # fmt: skip

    _role = "SMTP client"
    _counterpart = "SMTP server"
    _session: Session
    _ahead: Ahead

    if TYPE_CHECKING:  # what comes out, for type checkers

        def next_event(self) -> ClientEvent | None: ...
        def events(self) -> Iterator[ClientEvent]: ...

    def __init__(
        self,
        *,
        lmtp: bool = False,
        tls: bool = False,
        limits: Limits = _NO_LIMITS_GIVEN,
        newlines: Literal["crlf", "strict"] = "crlf",
    ) -> None:
        check_choice("newlines", newlines, "crlf", "strict")
        super().__init__(
            Session(lmtp=lmtp, tls=tls),
            backlog=limits.backlog,
            most_unanswered=limits.pipeline_octets,
            auth_line=limits.auth_line,
            ends_group=ENDS_GROUP,
            only_behind=ONLY_BEHIND,
        )
        self._limits = limits
        self._longest_line = max(limits.reply_line, limits.auth_line)
        self._longest_reply = limits.reply_line - 2
        self._strict = newlines == "strict"
        self._reader = ReplyReader(limits.reply)
        self._encoder = DotEncoder(strict=self._strict)
        self._capabilities = NO_CAPABILITIES
        self._chunk_left = 0  # octets that the last Bdat has announced and not got yet
        self._refused = False  # the message that is being sent was refused before its end
        # Of the transaction that just ended: its MAIL and its recipients.
        self._ended: tuple[MailCommand | None, list[Rcpt]] | None = None

    # -- public: what the session is --------------------------------------------------------------

    @property
    def lmtp(self) -> bool:
        """Whether this is LMTP."""
        return self._session.lmtp

    @property
    def newlines(self) -> Literal["crlf", "strict"]:
        """What becomes of a bare CR or LF in a message."""
        return "strict" if self._strict else "crlf"

    @property
    def state(self) -> State:
        """Where the session stands, by the replies that have come."""
        return self._session.state

    @property
    def within_reply(self) -> bool:
        """True while a reply has begun to arrive and has not ended, once the events are drained:
        it cannot be the answer to what is sent only now."""
        return not self._closed and (not self._input.empty or self._reader.within_reply)

    @property
    def capabilities(self) -> Capabilities:
        """What the server's answer to EHLO offered; nothing before it, or after HELO."""
        return self._capabilities

    @property
    def envelope(self) -> Envelope | None:
        """What the server has accepted of the transaction so far: None without one.

        It stays until the event after the reply that ends it, and for good where the session
        has ended within it.
        """
        if self._ended is not None and self._ended[0] is not None:
            return Envelope(*self._ended)
        return self._session.envelope

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server, or for it to take a block (RFC 5321 4.5.3.2)."""
        if self._unanswered:
            return STEPS[self._unanswered[0].step].timeout
        return BLOCK_TIMEOUT if self._session.state is DATA else TIMEOUT

    def reversed(self, successor: Connection) -> None:
        """After the 250 to TURN or ATRN: `successor` goes on with the session as its server.

        `successor` is a new ServerConnection with the same `tls`, which owes its greeting (RFC
        2645 section 5.3, RFC 821 section 3.8). It takes over what is queued, and the octets that
        were not read. This connection is over: its ConnectionClosed says `handed_over`.

        Raises OutOfOrderError in any other state, InvalidValueError and TypeError for another
        successor.
        """
        if self._session.state is not TURNED:
            raise OutOfOrderError(
                f"the roles cannot be reversed in state {self.state.value}: that follows the 250"
                " to Turn() or Atrn()"
            )
        self._check_successor(successor)
        self._hand_over(successor)

    # -- public: sending --------------------------------------------------------------------------

    def send(
        self, item: Command | MessageData | EndOfMessage | AuthResponse | AuthCancelled
    ) -> None:
        """Queue a command, a piece of a message or its end, or a step of a SASL exchange.

        Raises OutOfOrderError for what may not follow what was sent so far, should all of it
        succeed; NotOfferedError for what the server does not offer; LimitError for what could be
        sent in another transaction or session (RFC 9422); InvalidValueError for a line that is too
        long, and where `newlines` is strict; ClosedError when the session is over.
        """
        if isinstance(item, Command):
            step = item.step
            if step in _MORE_TO_DO:
                if isinstance(item, Raw):
                    self._send_raw(item)
                    return
                step = step_of(item)
            wire = item.__bytes__()  # bytes() takes half as long again
            self._check_command(item, step, wire)
            if step in _MORE_TO_DO and isinstance(item, Bdat):
                self._chunk_left = item.size
            ahead = self._ahead
            ahead.assume(step, item)
            self._waiting.append(Sent(item, step, wire, 1, ahead.state))
            self._write_what_may_go()
        elif isinstance(item, MessageData):
            self._send_data(item)
        elif isinstance(item, EndOfMessage):
            self._check_message(item)
            self._ahead.assume(item.step, item)
            self._queue(Sent(item, item.step, self._encoder.finish(), 1, READY))
        elif isinstance(item, AuthResponse | AuthCancelled):
            self._auth_step(item)
        else:
            raise TypeError(f"a client sends commands, messages and SASL responses, not {item!r}")

    def _check_command(self, command: Command, step: str, wire: bytes) -> None:
        """Raise LocalProtocolError when `command` cannot be sent now; count it where LIMITS are."""
        session, ahead = self._session, self._ahead
        if self._chunk_left:
            self._chunk_first(command)
        if step not in ahead.moves:
            self._out_of_order(command)
        try:
            session.check(command, ahead.mail)
            if len(wire) > self._limits.command_line or not wire.isascii():
                self._check_line(command, wire)
            if session.tally is not None and isinstance(command, _COUNTED_BY_LIMITS):
                session.tally.count(command)
        except Refused as refused:
            problem = refused
        else:
            return
        kind = _KINDS.get(problem.code, NotOfferedError)
        raise kind(f"{command!r} cannot be sent to this server: {problem.text}")

    def _check_line(self, command: Command, wire: bytes) -> None:
        """A line that is not ASCII, or longer than a command line is without extensions."""
        service = self._session.service
        if not wire.isascii() and not service.utf8:
            raise Refused(550, "5.6.7", "it is not ASCII, and SMTPUTF8 is not offered")
        limit = self._limits.command_line
        if isinstance(command, Mail):
            limit += service.extra_mail
        elif isinstance(command, Rcpt):
            limit += service.extra_rcpt
        if len(wire) > limit:
            advice = (
                "; send Auth without it, and it as the response to the empty challenge"
                if isinstance(command, Auth)
                else ""
            )
            raise InvalidValueError(
                f"{command!r} is {len(wire)} octets long, and a command line has at most {limit}"
                f" (RFC 5321 section 4.5.3.1.4){advice}"
            )

    def _send_raw(self, raw: Raw) -> None:
        """Anything may be sent between commands. What it leads to is not known."""
        if self._chunk_left:
            self._chunk_first(raw)
        if "QUIT" not in self._ahead.moves:
            self._out_of_order(raw)
        self._queue(Sent(raw, raw.step, raw.octets, raw.replies, self._ahead.state))

    def _chunk_first(self, command: Command) -> NoReturn:
        raise OutOfOrderError(
            f"the last Bdat announced {self._chunk_left} octets more: send them as MessageData"
            f" before {command!r}"
        )

    def _send_data(self, item: MessageData) -> None:
        data = item.data
        if not self._chunk_left:
            self._check_message(item)
            if not self._session.recipients and not self._session.resumed:
                raise OutOfOrderError(
                    "no recipient was accepted: the server said 354 all the same, and only"
                    " EndOfMessage() may follow (RFC 2920 section 3.1)"
                )
            wire = self._encoder.encode(data)
            if wire:
                self._outbox.append(wire)
            return
        if len(data) > self._chunk_left:
            raise InvalidValueError(
                f"{len(data)} octets of message, but the last Bdat announced only"
                f" {self._chunk_left} more"
            )
        self._chunk_left -= len(data)
        if self._waiting:  # behind their Bdat
            self._waiting.append(Sent(None, "octets", data, 0, self._ahead.state))
        else:
            self._outbox.append(data)

    def _check_message(self, item: MessageData | EndOfMessage) -> None:
        if self._session.state is not DATA or self._unanswered or self._refused:
            self._check_open(item)
            raise OutOfOrderError(
                f"no message can be sent in state {self.state.value}: it follows the 354 to"
                " Data(), or a Bdat(size) of its length"
            )

    def _check_open(self, item: object) -> None:
        super()._check_open(item)
        if self._refused:
            raise OutOfOrderError(
                "the server has refused the message before its end: abort(), there is no other"
                " way to leave it"
            )

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        """The next reply."""
        if self._ended is not None:  # the event after the last reply of a transaction ends it
            self._ended = None
            if self._input.empty:
                return self._no_more_data()
        while True:
            try:
                line = self._input.next_line(self._longest_line)
            except LineTooLong:
                self._line_too_long(self._longest_line)
            if line is None:
                return self._no_line(self._longest_line)
            self._need_data = self._input.empty and not self._at_eof
            if len(line) > self._longest_reply and not line.startswith(b"334"):
                self._broken(f"a reply line is longer than {self._limits.reply_line} octets", line)
            try:
                reply = self._reader.read(line)
            except RemoteProtocolError as error:
                self._broken(str(error), line)
            if reply is not None:
                event = self._replied(reply)
                if event is not None:
                    return event

    def _broken(self, problem: str, line: bytes) -> NoReturn:
        """What should have been the reply to the oldest command is not a reply."""
        command = self._unanswered[0].request if self._unanswered else None
        self._fail(problem, line, command)

    def _replied(self, reply: Reply) -> Event | None:
        """What a complete reply comes to."""
        code = reply.code
        if code == 421:
            return self._service_closed(reply)
        if not self._unanswered:
            return self._unasked(reply)
        session = self._session
        sent = self._unanswered[0]
        step = sent.step
        recipient = None
        if step in TAKES_MESSAGE:
            if session.lmtp:
                recipient, sent.replies = session.next_recipient()
            if sent.replies == 1:
                self._ended = session.mail, session.recipients
                self._need_data = False  # the next call of next_event() forgets it
        event: Event | None = reply_received(sent.request, reply, recipient)
        if sent.replies > 1:
            if step != Raw.step and next_state(self._kinds(step), code) is None:
                self._cannot_answer(sent, reply)
            sent.replies -= 1
            return event
        if step in session.moves:
            state = session.follow(step, sent.request, code)
        else:
            state = self._overtaken(sent, reply)
        if state is None:
            self._cannot_answer(sent, reply)
        if sent.leads_to is None and isinstance(sent.request, Auth) and state is not AUTH:
            self._auth_answered(sent, code == 235)
        self._unanswered.popleft()
        self._unanswered_octets -= len(sent.wire)
        if state is not sent.leads_to:
            self._plan_again()
        effect = _EFFECTS.get(step)
        if effect is not None:
            effect(self, sent, reply)
        if state is AUTH:
            event = self._challenged(_text_of(reply))
        if self._waiting:
            self._write_what_may_go()
        return event

    def _overtaken(self, sent: Sent, reply: Reply) -> State | None:
        """The state after Raw, and after a step whose place in the order is gone because one
        before it was refused."""
        if sent.step == Raw.step:
            return self.state
        state = next_state(self._kinds(sent.step), reply.code)
        if state is not None:
            self._session.force(state)
        return state

    def _kinds(self, step: str) -> Moves:
        """The kinds of reply that may answer a step now."""
        return self._session.moves.get(step) or overtaken(step, self.state)

    def _cannot_answer(self, sent: Sent, reply: Reply) -> NoReturn:
        self._fail(
            f"{_shown(reply)} cannot answer {sent.request!r} in state {self.state.value}: expected"
            f" {named(self._kinds(sent.step))}",
            bytes(reply),
            sent.request,
        )

    # What an answered step changes besides the session.

    def _after_hello(self, sent: Sent, reply: Reply) -> None:
        if reply.code >= 400:
            return
        session = self._session
        if isinstance(sent.request, Helo):
            self._capabilities = NO_CAPABILITIES
            session.in_effect(RFC_821, None)
        else:
            self._capabilities = capabilities = Capabilities.parse(reply)
            limits = capabilities.limits if "LIMITS" in capabilities else None
            session.in_effect(ClientService(capabilities, session.tls), limits)
        self._pipelining = "PIPELINING" in self._capabilities
        self._ends_group = WITH_BURL if "BURL" in self._capabilities else ENDS_GROUP

    def _after_data(self, sent: Sent, reply: Reply) -> None:
        self._refused = False

    def _after_starttls(self, sent: Sent, reply: Reply) -> None:
        if self._session.state is TLS and self._input.empty:
            self._begin_tls()

    def _after_extended(self, sent: Sent, reply: Reply) -> None:
        if reply.code == 220:  # what another client was offered does not count (XCLIENT)
            self._follow_nothing()

    def _after_quit(self, sent: Sent, reply: Reply) -> None:
        self._end(clean=self.idle)

    def _unasked(self, reply: Reply) -> Event:
        """A reply although nothing waits for one."""
        if self._session.state is DATA and not self._refused and reply.code >= 400:
            self._refused = True
            return ReplyReceived(EndOfMessage(), reply)
        self._fail(
            f"{_shown(reply)} answers nothing: every command has had its reply", bytes(reply)
        )

    def _service_closed(self, reply: Reply) -> Event:
        """421 answers the oldest step, and ends the session (RFC 5321 section 3.8)."""
        request: Request | None = None
        recipient = None
        session = self._session
        if self._unanswered:
            sent = self._unanswered[0]
            request = sent.request
            if session.lmtp and sent.step in TAKES_MESSAGE:
                recipient, sent.replies = session.next_recipient()
            if sent.replies == 1:  # else other recipients wait in vain
                self._unanswered.popleft()
        elif session.state is DATA and not self._refused:
            request = EndOfMessage()
        self._end(clean=session.state in RESTING and self.idle)
        return ReplyReceived(request, reply, recipient)

    # -- SASL -------------------------------------------------------------------------------------

    def _check_auth(self, mechanism: str) -> None:
        command = Auth(mechanism)
        self._check_command(command, command.step, bytes(command))
        offered = self._capabilities.auth
        if command.mechanism not in offered:
            raise NotOfferedError(
                f"{command.mechanism} is not among the mechanisms that the server offers:"
                f" {', '.join(offered) or 'none'}"
            )

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        command = Auth(mechanism, initial)
        fits = len(bytes(command)) <= self._limits.command_line
        self.send(command if fits else Auth(mechanism))
        return fits

    # -- TLS, and the end -------------------------------------------------------------------------

    def _follow_nothing(self) -> None:
        """What the server offered before does not count any more."""
        self._capabilities = NO_CAPABILITIES
        self._pipelining = False
        self._ends_group = ENDS_GROUP

    def _forget(self) -> None:
        self._session.tls_started()
        self._ahead = self._session.ahead()
        self._follow_nothing()

    def _at_rest(self) -> bool:
        return self._session.state in RESTING and self.idle and not self._reader.within_reply

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        super()._end(clean=clean, handed_over=handed_over)
        self._ended = None
        self._session.end()
        self._ahead = self._session.ahead()
        self._chunk_left = 0


def _text_of(reply: Reply) -> bytes:
    return "\n".join(reply.lines).encode("utf-8", "surrogateescape")


def _shown(reply: Reply) -> str:
    """A reply for an error text: its code and the beginning of its first line."""
    more = "..." if len(reply.lines) > 1 or len(reply.lines[0]) > _MOST_SHOWN else ""
    return f"Reply({reply.code}, {reply.lines[0][:_MOST_SHOWN]!r}{more})"


_MOST_SHOWN = 100
_COUNTED_BY_LIMITS = (MailCommand, Rcpt)
_MORE_TO_DO = frozenset({"BDAT", "BDAT LAST", "BURL", "raw"})
"""The steps of the commands that are not just a line: Bdat, Burl, Raw."""

_KINDS: dict[int, type[LocalProtocolError]] = {
    421: LimitError,
    452: LimitError,
    503: OutOfOrderError,
}
"""What a refusal of the session is for a client; any other is a NotOfferedError."""

ClientConnection._readers = {
    **dict.fromkeys(State, ClientConnection._read),
    State.TLS: ClientConnection._await_handshake,
    State.TURNED: ClientConnection._read_nothing,
    State.CLOSED: ClientConnection._read_nothing,
}

_EFFECTS: dict[str, Callable[[ClientConnection, Sent, Reply], None]] = {
    **dict.fromkeys(("EHLO", "HELO", "LHLO"), ClientConnection._after_hello),
    "DATA": ClientConnection._after_data,
    "STARTTLS": ClientConnection._after_starttls,
    "extended": ClientConnection._after_extended,
    "QUIT": ClientConnection._after_quit,
}
"""What a step changes when it has had its last reply, besides the session."""
