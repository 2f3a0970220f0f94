"""ClientConnection: the client's side of an SMTP or LMTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NoReturn

from smtpproto._client import ClientSide, Sent, prospects
from smtpproto._value import check_choice
from smtpproto._wire.dots import DotEncoder
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.smtp._capabilities import Capabilities
from smtpproto.smtp._commands import Auth, Bdat, Command, Ehlo, Helo, Lhlo, Raw, Rcpt
from smtpproto.smtp._events import (
    AuthCancelled,
    AuthResponse,
    EndOfMessage,
    Envelope,
    Event,
    MailCommand,
    MessageData,
    ReplyReceived,
    Request,
    reply_received,
)
from smtpproto.smtp._extension import Extension
from smtpproto.smtp._limits import Limits
from smtpproto.smtp._offered import Offered
from smtpproto.smtp._replies import Reply, ReplyReader
from smtpproto.smtp._state import (
    AUTH,
    BARRIERS,
    BLOCK_TIMEOUT,
    CLOSED,
    DATA,
    ENDS_GROUP,
    MACHINE,
    ONLY_BEHIND,
    OVERTAKEN,
    READY,
    REFUSALS,
    RESTING,
    SUCCESS,
    TAKES_MESSAGE,
    TIMEOUT,
    TIMEOUTS,
    TLS,
    TURNED,
    WITH_BURL,
    State,
    named,
    next_state,
    step_of,
)

if TYPE_CHECKING:
    from smtpproto.smtp._server import ServerConnection

__all__ = ["ClientConnection"]

_NO_LIMITS_GIVEN = Limits()

_PROSPECTS = prospects(SUCCESS, BARRIERS, without={"LHLO"})
_LMTP_PROSPECTS = prospects(SUCCESS, BARRIERS, without={"EHLO", "HELO"})


class ClientConnection(ClientSide[State]):
    """The client's side of an SMTP session (RFC 5321), or LMTP (RFC 2033).

    `lmtp` makes it LMTP's. `tls` says that the transport is under TLS already. `limits` bound
    what the server can do, and what is unanswered at a time. `newlines="crlf"` turns a bare CR or
    LF in the messages that are sent into CRLF, `"strict"` raises LocalProtocolError for one. What
    follows a Bdat has been counted, and goes out as it is: its lines must end in CRLF already,
    unless it is binary (RFC 3030 section 2).

    Commands may be sent at once, a whole transaction of them: they go out as the server's
    offers allow, and each gets its ReplyReceived. The greeting is the first, with no command.
    """

    __slots__ = (
        "_auth", "_chunk_left", "_encoder", "_limits", "_lmtp", "_longest_line", "_longest_reply",
        "_mail", "_offered", "_reader", "_recipients", "_refused", "_resumed", "_state",
        "_strict", "_told",
    )  # fmt: skip

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
            tls=tls,
            backlog=limits.backlog,
            most_unanswered=limits.pipeline_octets,
            prospects=_LMTP_PROSPECTS if lmtp else _PROSPECTS,
            ends_group=ENDS_GROUP,
            only_behind=ONLY_BEHIND,
            greeted=State.CONNECTED,
        )
        self._lmtp = lmtp
        self._limits = limits
        self._longest_line = max(limits.reply_line, limits.auth_line)
        self._longest_reply = limits.reply_line - 2
        self._strict = newlines == "strict"
        self._reader = ReplyReader(limits.reply)
        self._encoder = DotEncoder(strict=self._strict)
        self._state = State.GREETING
        self._offered = Offered(longest=limits.command_line, tls=tls)
        self._auth: Request | None = None  # whose challenge waits for its response
        self._chunk_left = 0  # octets that the last Bdat has announced and not got yet
        self._refused = False  # the message that is being sent was refused before its end
        self._end_transaction()

    def _end_transaction(self) -> None:
        self._mail: MailCommand | None = None
        self._recipients: list[Rcpt] = []
        self._told = 0  # recipients that have had their reply to the message (LMTP)
        self._resumed = False  # its recipients are those of the message that broke off

    # -- public: what the session is --------------------------------------------------------------

    @property
    def lmtp(self) -> bool:
        """Whether this is LMTP."""
        return self._lmtp

    @property
    def newlines(self) -> Literal["crlf", "strict"]:
        """What becomes of a bare CR or LF in a message."""
        return "strict" if self._strict else "crlf"

    @property
    def state(self) -> State:
        """Where the session stands, by the replies that have come."""
        return self._state

    @property
    def within_reply(self) -> bool:
        """True while a reply has begun to arrive and has not ended, once the events are drained:
        it cannot be the answer to what is sent only now."""
        return not self._closed and (not self._input.empty or self._reader.within_reply)

    @property
    def capabilities(self) -> Capabilities:
        """What the server's answer to EHLO offered; nothing before it, or after HELO."""
        return self._offered.capabilities

    @property
    def envelope(self) -> Envelope | None:
        """What the server has accepted of the transaction so far: None without one.

        It stays until the event after the reply that ends it, and for good where the session
        has ended within it.
        """
        return None if self._mail is None else Envelope(self._mail, self._recipients)

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server, or for it to take a block (RFC 5321 4.5.3.2)."""
        if self._unanswered:
            return TIMEOUTS.get(self._unanswered[0].step, TIMEOUT)
        return BLOCK_TIMEOUT if self._state is DATA else TIMEOUT

    def reversed(
        self,
        domain: str,
        *,
        extensions: Iterable[Extension] = (),
        bare_newlines: Literal["refuse", "accept"] = "refuse",
        require_auth: bool = False,
        require_tls: bool = False,
    ) -> ServerConnection:
        """After the 250 to TURN or ATRN: the server's side of the session from here on.

        This connection is over; the new one begins with the greeting that it owes (RFC 2645
        section 5.3, RFC 821 section 3.8). The arguments are ServerConnection's. Raises
        LocalProtocolError in any other state.
        """
        from smtpproto.smtp._server import ServerConnection  # which imports this module

        if self._state is not TURNED:
            raise LocalProtocolError(
                f"the roles cannot be reversed in state {self._state.value}: that follows the 250"
                " to Turn() or Atrn()"
            )
        server = ServerConnection(
            domain,
            extensions=extensions,
            tls=self._tls,
            limits=self._limits,
            bare_newlines=bare_newlines,
            require_auth=require_auth,
            require_tls=require_tls,
        )
        self._hand_over(server)
        return server

    # -- public: sending --------------------------------------------------------------------------

    def send(
        self, item: Command | MessageData | EndOfMessage | AuthResponse | AuthCancelled
    ) -> None:
        """Queue a command, a piece of a message or its end, or a step of a SASL exchange.

        What may not follow what was sent so far, should all of it succeed, raises
        LocalProtocolError; so does what the server does not offer. LimitError, which is one,
        says that it could be sent in another transaction or session.
        """
        if isinstance(item, Command):
            self._send_command(item)
        elif isinstance(item, MessageData):
            self._send_data(item)
        elif isinstance(item, EndOfMessage):
            self._check_message(item)
            self._queue(Sent(item, ".", self._encoder.finish(), 1, READY))
        elif isinstance(item, AuthResponse | AuthCancelled):
            self._send_auth(item, self._auth)
        else:
            raise LocalProtocolError(
                f"a client sends commands, messages and SASL responses, not {item!r}"
            )

    def _send_command(self, command: Command) -> None:
        step = step_of(command)
        if self._chunk_left:
            self._chunk_first(command)
        leads_to = self._expects(command, step)
        if isinstance(command, Raw):
            self._queue(Sent(command, step, command.octets, command.replies, leads_to))
            return
        wire = command.__bytes__()  # bytes() takes half as long again
        self._offered.admit(command, wire)
        if isinstance(command, Bdat):
            self._chunk_left = command.size
        self._queue(Sent(command, step, wire, 1, leads_to))

    def _chunk_first(self, command: Command) -> NoReturn:
        raise LocalProtocolError(
            f"the last Bdat announced {self._chunk_left} octets more: send them as MessageData"
            f" before {command!r}"
        )

    def _send_data(self, item: MessageData) -> None:
        data = item.data
        if not self._chunk_left:
            self._check_message(item)
            if not self._recipients and not self._resumed:
                raise LocalProtocolError(
                    "no recipient was accepted: the server said 354 all the same, and only"
                    " EndOfMessage() may follow (RFC 2920 section 3.1)"
                )
            wire = self._encoder.encode(data)
            if wire:
                self._outbox.append(wire)
            return
        if len(data) > self._chunk_left:
            raise LocalProtocolError(
                f"{len(data)} octets of message, but the last Bdat announced only"
                f" {self._chunk_left} more"
            )
        self._chunk_left -= len(data)
        if self._waiting:  # behind their Bdat
            self._waiting.append(Sent(None, "octets", data, 0, self._expected))
        else:
            self._outbox.append(data)

    def _check_message(self, item: MessageData | EndOfMessage) -> None:
        if self._state is not DATA or self._unanswered or self._refused:
            self._check_open(item)
            raise LocalProtocolError(
                f"no message can be sent in state {self._state.value}: it follows the 354 to"
                " Data(), or a Bdat(size) of its length"
            )

    def _check_open(self, item: object) -> None:
        super()._check_open(item)
        if self._refused:
            raise LocalProtocolError(
                "the server has refused the message before its end: abort(), there is no other"
                " way to leave it"
            )

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        while True:
            try:
                line = self._input.next_line(self._longest_line)
            except LineTooLong:
                self._line_too_long(self._longest_line)
            if line is None:
                return self._no_line(self._longest_line)
            self._look_for_more()
            if len(line) > self._longest_reply and not line.startswith(b"334"):
                self._fail(f"a reply line is longer than {self._limits.reply_line} octets")
            try:
                reply = self._reader.read(line)
            except RemoteProtocolError as error:
                self._fail(str(error))
            if reply is not None:
                event = self._replied(reply)
                if event is not None:
                    return event

    def _read_on(self) -> Event | None:
        """The event after the last reply of a transaction, none too, ends it."""
        self._end_transaction()
        self._reading = ClientConnection._read
        return self._starve() if self._input.empty else self._read()

    def _await_no_reply(self) -> Event | None:
        """The session is over, or for others to go on with."""
        if self._state is TLS and not self._input.empty:
            self._fail("octets in clear behind the reply to STARTTLS: somebody put them there")
        return self._starve() if self._at_eof and not self._closed else None

    def _replied(self, reply: Reply) -> Event | None:
        """What a complete reply comes to."""
        code = reply.code
        if code == 421:
            return self._service_closed(reply)
        if not self._unanswered:
            return self._unasked(reply)
        sent = self._unanswered[0]
        moves = MACHINE[self._state].get(sent.step)
        state = self._overtaken(sent, reply) if moves is None else next_state(moves, code)
        if state is None:
            self._cannot_answer(sent, reply)
        recipient = self._next_recipient(sent) if self._lmtp else None
        event: Event | None = reply_received(sent.request, reply, recipient)
        if sent.replies > 1:
            sent.replies -= 1
            return event
        # The first condition is true of few steps, AUTH among them, and quickly seen.
        if sent.leads_to is None and isinstance(sent.request, Auth) and state is not AUTH:
            self._auth_answered(sent, code == 235)
        self._state = state
        self._answered(state)
        effect = _EFFECTS.get(sent.step)
        if effect is not None:
            effect(self, sent.request, reply)
        if state is AUTH:
            event = self._challenge(sent, reply)
        if self._waiting:
            self._write_what_may_go()
        return event

    def _overtaken(self, sent: Sent[State], reply: Reply) -> State | None:
        """The state after a step whose place in the order is gone: one before it was refused."""
        kinds = OVERTAKEN.get(sent.step, REFUSALS)
        if sent.step == "raw" or reply.severity in kinds:
            return self._state
        return DATA if reply.code in kinds else None

    def _still_leads(self, step: str, state: State | None) -> State | None:
        # A DATA that is on its way may be answered 354 all the same (RFC 2920 section 3.1), and
        # then whatever is behind it would be read as a line of the message.
        return DATA if step in OVERTAKEN else state

    def _cannot_answer(self, sent: Sent[State], reply: Reply) -> NoReturn:
        kinds = MACHINE[self._state].get(sent.step) or OVERTAKEN.get(sent.step, REFUSALS)
        self._fail(
            f"{reply!r} cannot answer {sent.request or 'the opening of the connection'!r} in state"
            f" {self._state.value}: expected {named(kinds)}"
        )

    # What an answered step changes besides the state.

    def _after_hello(self, request: Ehlo | Helo | Lhlo, reply: Reply) -> None:
        if reply.code < 400:
            self._end_transaction()
            self._offered.greeted(request, reply)
            self._pipelining = "PIPELINING" in self.capabilities
            self._ends_group = WITH_BURL if "BURL" in self.capabilities else ENDS_GROUP

    def _after_rset(self, request: Request, reply: Reply) -> None:
        if reply.code < 400:
            self._end_transaction()

    def _after_mail(self, request: MailCommand, reply: Reply) -> None:
        if reply.code < 400:
            self._mail = request
            self._resumed = reply.code == 355

    def _after_rcpt(self, request: Rcpt, reply: Reply) -> None:
        if reply.code < 400:
            self._recipients.append(request)

    def _after_data(self, request: Request, reply: Reply) -> None:
        self._refused = False

    def _after_message(self, request: Request, reply: Reply) -> None:
        if self._state is READY:
            self._reading = ClientConnection._read_on
            self._starved = False

    def _after_auth(self, request: Request, reply: Reply) -> None:
        self._offered.authenticated = reply.code == 235

    def _after_starttls(self, request: Request, reply: Reply) -> None:
        if self._state is TLS:
            self._reading = ClientConnection._await_no_reply
            if self._input.empty:
                self._begin_tls()

    def _after_turn(self, request: Request, reply: Reply) -> None:
        if self._state is TURNED:
            self._reading = ClientConnection._await_no_reply

    def _after_quit(self, request: Request, reply: Reply) -> None:
        self._end(clean=self.idle)

    def _challenge(self, sent: Sent[State], reply: Reply) -> Event | None:
        self._auth = sent.request
        text = "\n".join(reply.lines).encode("utf-8", "surrogateescape")
        return self._challenged(text, sent.request)

    def _next_recipient(self, sent: Sent[State]) -> Rcpt | None:
        """Whom the next reply is about: a message has one for each recipient that was accepted
        (RFC 2033 section 4.2)."""
        if sent.step not in TAKES_MESSAGE or not self._recipients:
            return None
        recipient = self._recipients[self._told]
        sent.replies = len(self._recipients) - self._told  # it is the first of these
        self._told += 1
        return recipient

    def _unasked(self, reply: Reply) -> Event:
        """A reply although nothing waits for one."""
        if self._state is DATA and not self._refused and reply.severity in REFUSALS:
            self._refused = True
            return ReplyReceived(EndOfMessage(), reply)
        self._fail(f"{reply!r} answers nothing: every command has had its reply")

    def _service_closed(self, reply: Reply) -> Event:
        """421 answers the oldest step, and ends the session (RFC 5321 section 3.8)."""
        request: Request | None = None
        recipient = None
        resting = self._state in RESTING
        if self._unanswered:
            sent = self._unanswered[0]
            request = sent.request
            recipient = self._next_recipient(sent) if self._lmtp else None
            if sent.replies == 1:  # else other recipients wait in vain
                self._unanswered.popleft()
            resting = resting or sent.step == "connect"
        elif self._state is DATA and not self._refused:
            request = EndOfMessage()
        self._end(clean=resting and self.idle)
        return ReplyReceived(request, reply, recipient)

    # -- SASL -------------------------------------------------------------------------------------

    def _check_auth(self, mechanism: str) -> None:
        command = Auth(mechanism)
        if self._chunk_left:
            self._chunk_first(command)
        self._expects(command, "AUTH")
        self._offered.admit(command, bytes(command))
        offered = self.capabilities.auth
        if command.mechanism not in offered:
            raise LocalProtocolError(
                f"{command.mechanism} is not among the mechanisms that the server offers:"
                f" {', '.join(offered) or 'none'}"
            )

    def _begin_auth(self, mechanism: str, initial: bytes | None) -> bool:
        command = Auth(mechanism, initial)
        fits = len(bytes(command)) <= self._limits.command_line
        self.send(command if fits else Auth(mechanism))
        return fits

    # -- TLS, and the end -------------------------------------------------------------------------

    def _forget(self) -> None:
        self._state = self._expected = State.CONNECTED
        self._reading = ClientConnection._read
        self._offered = Offered(longest=self._limits.command_line, tls=True)
        self._pipelining = False

    def _at_rest(self) -> bool:
        return self._state in RESTING and self.idle and not self._reader.within_reply

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        if self._reading is ClientConnection._read_on:
            self._end_transaction()
        self._state = self._expected = CLOSED
        self._reading = ClientConnection._await_no_reply
        self._chunk_left = 0

    @property
    def _within_auth(self) -> bool:
        return self._state is AUTH

    @property
    def _longest_auth_line(self) -> int:
        return self._limits.auth_line


_EFFECTS: dict[str, Callable[..., None]] = {
    **dict.fromkeys(("EHLO", "HELO", "LHLO"), ClientConnection._after_hello),
    **dict.fromkeys(("TURN", "ATRN"), ClientConnection._after_turn),
    **dict.fromkeys(("AUTH", "AUTH response"), ClientConnection._after_auth),
    **dict.fromkeys(TAKES_MESSAGE, ClientConnection._after_message),
    "RSET": ClientConnection._after_rset,
    "MAIL": ClientConnection._after_mail,
    "RCPT": ClientConnection._after_rcpt,
    "DATA": ClientConnection._after_data,
    "STARTTLS": ClientConnection._after_starttls,
    "QUIT": ClientConnection._after_quit,
}
"""What a step changes when it has had its last reply, besides the state."""
