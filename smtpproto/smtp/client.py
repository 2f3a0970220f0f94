"""ClientConnection: the client's side of an SMTP or LMTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NoReturn, get_args

from smtpproto.clientside import ClientSide, Sent
from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.smtp import extensions as ext
from smtpproto.smtp.capabilities import CLASSES, NO_CAPABILITIES, Capabilities
from smtpproto.smtp.commands import (
    Auth,
    Bdat,
    Command,
    Ehlo,
    Expn,
    Extended,
    Helo,
    Lhlo,
    Mail,
    Raw,
    Rcpt,
    Vrfy,
)  # fmt: skip
from smtpproto.smtp.events import (
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
from smtpproto.smtp.extension import Extension, octets_added
from smtpproto.smtp.limits import Limits
from smtpproto.smtp.offer import OWNED
from smtpproto.smtp.parameters import NO_PARAMETERS
from smtpproto.smtp.refused import LimitError, Refused
from smtpproto.smtp.replies import Reply, ReplyReader
from smtpproto.smtp.state import (
    BARRIERS,
    BLOCK_TIMEOUT,
    ENDS_GROUP,
    MACHINE,
    OVERTAKEN,
    REFUSALS,
    SUCCESS,
    TAKES_MESSAGE,
    TIMEOUT,
    TIMEOUTS,
    State,
    named,
    next_state,
    step_of,
)
from smtpproto.smtp.tally import Tally
from smtpproto.values import check_choice
from smtpproto.wire.dots import DotEncoder

if TYPE_CHECKING:
    from smtpproto.smtp.server import ServerConnection

__all__ = ["ClientConnection"]

_NO_LIMITS_GIVEN = Limits()

_OFFERED_BY = {verb: keyword for keyword, extension in CLASSES.items() for verb in extension.verbs}
"""The extension that each verb needs."""

_WITHOUT_EHLO = frozenset({"EXPN", "TURN", "SEND", "SOML", "SAML"})
"""Verbs of RFC 821, which had no way to list them: after HELO anyone may try."""


class ClientConnection(ClientSide):
    """The client's side of an SMTP session (RFC 5321), or LMTP (RFC 2033).

    `tls` says that the transport is under TLS already. `newlines="crlf"` turns a bare CR or LF
    in the messages that are sent into CRLF, `"strict"` raises LocalProtocolError for one.

    Commands may be sent at once, a whole transaction of them: they go out as the server's
    offers allow, and each gets its ReplyReceived. The greeting is the first, with no command.
    """

    __slots__ = (
        "_auth", "_behind_chunks", "_capabilities", "_chunk_left", "_encoder", "_expected",
        "_hello", "_limits", "_lmtp", "_longest_line", "_mail", "_mail_sent", "_other_greetings",
        "_over", "_reader", "_recipients", "_refused", "_resumed", "_state", "_strict", "_tally",
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
        super().__init__(tls=tls, backlog=limits.backlog, most_unanswered=limits.pipeline_octets)
        self._lmtp = lmtp
        self._other_greetings = ("EHLO", "HELO") if lmtp else ("LHLO",)
        self._behind_chunks = ("BDAT", "BDAT LAST", *(("BURL LAST",) if lmtp else ()))
        self._limits = limits
        self._longest_line = max(limits.reply_line, limits.auth_line)
        self._strict = newlines == "strict"
        self._reader = ReplyReader(limits.reply)
        self._state = State.GREETING
        self._expected: State | None = State.CONNECTED  # None: to be worked out again
        self._capabilities = NO_CAPABILITIES
        self._hello: Ehlo | Helo | Lhlo | None = None
        self._mail_sent: MailCommand | None = None  # of the transaction that is being sent
        self._auth: Auth | None = None
        self._tally: Tally | None = None  # where the server has LIMITS
        self._encoder: DotEncoder | None = None
        self._chunk_left = 0  # octets that the last Bdat has announced and not got yet
        self._refused = False  # the message that is being sent was refused before its end
        self._end_transaction()

    def _end_transaction(self) -> None:
        self._mail: MailCommand | None = None
        self._recipients: list[Rcpt] = []
        self._resumed = False  # its recipients are those of the message that broke off
        self._over = False  # the transaction's last reply has been handed out

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
    def capabilities(self) -> Capabilities:
        """What the server's answer to EHLO offered; nothing before it, or after HELO."""
        return self._capabilities

    @property
    def envelope(self) -> Envelope | None:
        """What the server has accepted of the transaction so far: None without one.

        It stays until the event after the reply that ends it.
        """
        return None if self._mail is None else Envelope(self._mail, self._recipients)

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server, or for it to take a block (RFC 5321 4.5.3.2)."""
        if self._unanswered:
            return TIMEOUTS.get(self._unanswered[0].step, TIMEOUT)
        return BLOCK_TIMEOUT if self._state is State.DATA else TIMEOUT

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
        from smtpproto.smtp.server import ServerConnection  # which imports this module

        if self._state is not State.TURNED:
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
        if self._closed:
            raise LocalProtocolError(f"the session is over: {item!r} cannot be sent")
        if isinstance(item, Command):
            self._send_command(item)
        elif isinstance(item, MessageData):
            self._send_data(item.data)
        elif isinstance(item, EndOfMessage):
            self._send_end(item)
        elif isinstance(item, AuthResponse | AuthCancelled):
            self._send_auth(item, self._auth)
            self._expected = None
        else:
            raise LocalProtocolError(
                f"a client sends commands, messages and SASL responses, not {item!r}"
            )

    def _send_command(self, command: Command) -> None:
        step = step_of(command)
        leads_to = self._check_order(command, step)
        if isinstance(command, Raw):
            self._queue(Sent(command, step, command.octets, command.replies))
            return
        try:
            self._check_offer(command, step)
        except Refused as refused:
            error = LimitError if refused.code < 500 else LocalProtocolError
            raise error(f"{command!r} cannot be sent to this server: {refused.text}") from None
        wire = bytes(command)
        if len(wire) > self._limits.command_line or not wire.isascii():
            self._check_line(command, wire)
        self._expected = leads_to
        remember = _REMEMBER.get(step)
        if remember is not None:
            remember(self, command)
        self._queue(Sent(command, step, wire, 1))

    def _remember_mail(self, command: Command) -> None:
        assert isinstance(command, _MAIL_COMMANDS)
        self._mail_sent = command
        if self._tally is not None:
            self._tally.count(command)

    def _remember_rcpt(self, command: Command) -> None:
        if self._tally is not None:
            assert isinstance(command, Rcpt)
            self._tally.count(command)

    def _remember_chunk(self, command: Command) -> None:
        assert isinstance(command, Bdat)
        self._chunk_left = command.size

    def _remember_auth(self, command: Command) -> None:
        assert isinstance(command, Auth)
        self._auth = command

    def _send_data(self, data: bytes) -> None:
        if self._chunk_left:
            if len(data) > self._chunk_left:
                raise LocalProtocolError(
                    f"{len(data)} octets of message, but the last Bdat announced only"
                    f" {self._chunk_left} more"
                )
            self._chunk_left -= len(data)
            if self._waiting:  # behind their Bdat
                self._waiting.append(Sent(None, "octets", data, 0))
            else:
                self._outbox.append(data)
            return
        self._check_message()
        if not self._recipients and not self._resumed:
            raise LocalProtocolError(
                "no recipient was accepted: the server said 354 all the same, and only"
                " EndOfMessage() may follow (RFC 2920 section 3.1)"
            )
        assert self._encoder is not None
        wire = self._encoder.encode(data)
        if wire:
            self._outbox.append(wire)

    def _send_end(self, item: EndOfMessage) -> None:
        self._check_message()
        assert self._encoder is not None
        wire = self._encoder.finish()
        self._encoder = None
        self._expected = State.READY
        self._queue(Sent(item, ".", wire, 1))

    def _check_message(self) -> None:
        if self._encoder is None:
            raise LocalProtocolError(
                f"no message can be sent in state {self._state.value}: it follows the 354 to"
                " Data(), or a Bdat(size) of its length"
            )
        if self._refused:
            raise LocalProtocolError(
                "the server has refused the message before its end: abort(), there is no other"
                " way to leave it"
            )

    # -- checking what is sent --------------------------------------------------------------------

    def _expected_state(self) -> State:
        """The state that holds when everything unanswered succeeds, worked out again."""
        state = self._state
        for sent in (*self._unanswered, *self._waiting):
            state = SUCCESS[state].get(sent.step, state)
        self._expected = state
        return state

    def _check_order(self, command: Command, step: str) -> State:
        """The state that `command` leads to when it succeeds, after everything unanswered has.

        Raises LocalProtocolError where it may not be sent.
        """
        if self._chunk_left:
            raise LocalProtocolError(
                f"the last Bdat announced {self._chunk_left} octets more: send them as MessageData"
                f" before {command!r}"
            )
        self._check_barrier(command)
        expected = self._expected or self._expected_state()
        leads_to = SUCCESS[expected].get(step)
        if leads_to is not None and step not in self._other_greetings:
            return leads_to
        if step != "raw":
            may = ", ".join(sorted({*SUCCESS[expected]} - {*self._other_greetings})) or "nothing"
            raise LocalProtocolError(
                f"{command!r} cannot be sent in state {expected.value}: allowed are {may}"
            )
        if expected in _NO_COMMANDS:
            raise LocalProtocolError(f"Raw cannot be sent in state {expected.value}")
        return expected

    def _check_offer(self, command: Command, step: str) -> None:
        """What the server does not offer is refused here, by name."""
        if isinstance(command, Extended):
            needed: str | None = command.name
        else:
            needed = _OFFERED_BY.get(command.verb)
        if needed is not None and not (self._offers(needed) or self._may_try(needed)):
            self._not_offered(command, needed)
        check = _CHECKS.get(step)
        if check is not None:
            check(self, command)

    def _check_mail(self, command: Command) -> None:
        if isinstance(command, Mail) and command.parameters is not NO_PARAMETERS:
            self._check_parameters(command)
            if command.binary and not self._offers("CHUNKING"):
                self._not_offered(command, "CHUNKING")
        if self._tally is not None:
            assert isinstance(command, _MAIL_COMMANDS)
            self._tally.check(command)

    def _check_rcpt(self, command: Command) -> None:
        assert isinstance(command, Rcpt)
        if command.parameters is not NO_PARAMETERS:
            self._check_parameters(command)
        if self._tally is not None:
            self._tally.check(command)

    def _check_data(self, command: Command) -> None:
        if self._mail_sent is not None and self._mail_sent.binary:
            raise LocalProtocolError("a message with BODY=BINARYMIME is sent with Bdat (RFC 3030)")

    def _check_query(self, command: Command) -> None:
        assert isinstance(command, Vrfy | Expn)
        if command.smtputf8 and not self._offers("SMTPUTF8"):
            self._not_offered(command, "SMTPUTF8")

    def _check_first_auth(self, command: Command) -> None:
        if self._auth is not None:
            raise LocalProtocolError("one AUTH a session has succeeded already (RFC 4954 4)")

    def _may_try(self, keyword: str) -> bool:
        return keyword in _WITHOUT_EHLO and isinstance(self._hello, Helo)

    def _offers(self, keyword: str) -> bool:
        """Whether the server offered it, and may."""
        offered = self._capabilities
        return keyword in offered and offered[keyword].available(self._tls)

    def _check_parameters(self, command: Mail | Rcpt) -> None:
        offered = [one for one in self._capabilities if one.available(self._tls)]
        for keyword, value in command.parameters.items():
            if keyword in OWNED:
                if not any(_brings(one, command, keyword, value) for one in offered):
                    raise LocalProtocolError(
                        f"{command!r} cannot be sent: the server offers no extension that adds"
                        f" {keyword} to {command.verb}"
                    )
            elif not any(isinstance(one, ext.Unknown) for one in offered):
                raise LocalProtocolError(
                    f"{command!r} cannot be sent: the server offers nothing that could bring"
                    f" {keyword}"
                )
        if isinstance(command, Mail):
            for one in offered:
                one.check(command.parameters)

    def _not_offered(self, command: Command, keyword: str) -> NoReturn:
        raise LocalProtocolError(f"{command!r} cannot be sent: the server does not offer {keyword}")

    def _check_line(self, command: Command, wire: bytes) -> None:
        """A line that is not ASCII, or longer than a command line is without extensions."""
        if not wire.isascii():
            self._check_utf8(command)
        limit = self._limits.command_line
        if isinstance(command, Mail):
            limit += octets_added(one.mail_parameters for one in self._capabilities)
        elif isinstance(command, Rcpt):
            limit += octets_added(one.rcpt_parameters for one in self._capabilities)
        if len(wire) > limit:
            advice = (
                "; send Auth without it, and it as the response to the empty challenge"
                if isinstance(command, Auth)
                else ""
            )
            raise LocalProtocolError(
                f"{command!r} is {len(wire)} octets long, and a command line has at most {limit}"
                f" (RFC 5321 section 4.5.3.1.4){advice}"
            )

    def _check_utf8(self, command: Command) -> None:
        """A command that is not ASCII (RFC 6531)."""
        if isinstance(command, MailCommand):
            path = command.reverse_path
            if path is not None and not path.is_ascii and not _asks_for_utf8(command):
                raise LocalProtocolError(f"{path} needs smtputf8=True on its Mail (RFC 6531)")
        elif isinstance(command, Rcpt):
            path = command.forward_path
            if not path.is_ascii and not _asks_for_utf8(self._mail_sent):
                raise LocalProtocolError(
                    f"{path} needs smtputf8=True on the Mail before it (RFC 6531)"
                )
        elif isinstance(command, Vrfy | Expn) and not command.smtputf8:
            raise LocalProtocolError(f"{command!r} needs smtputf8=True (RFC 6531)")
        if "SMTPUTF8" not in self._capabilities:
            self._not_offered(command, "SMTPUTF8")

    # -- what goes out, and when (RFC 2920) -------------------------------------------------------

    BARRIERS = BARRIERS
    ENDS_GROUP = ENDS_GROUP

    def _may_follow(self, sent: Sent) -> bool:
        # MAIL and RCPT must be answered before the first chunk (RFC 3030 section 2); LMTP counts
        # the recipients whenever a message ends.
        if sent.step in self._behind_chunks and self._unanswered[-1].step != "BDAT":
            return False
        return super()._may_follow(sent)

    def _write(self, sent: Sent) -> None:
        if self._lmtp and sent.step in TAKES_MESSAGE:
            # One reply for each recipient that was accepted (RFC 2033 section 4.2).
            sent = sent._replace(replies=max(1, len(self._recipients)))
        super()._write(sent)

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        if self._over:
            self._end_transaction()
        if self._state in _NO_REPLIES:
            return self._await_no_reply()
        while True:
            line = self._next_line(self._longest_line)
            if line is None:
                return self._starve()
            most = self._limits.reply_line
            if len(line) + 2 > most and not line.startswith(b"334"):
                self._fail(f"a reply line is longer than {most} octets")
            try:
                reply = self._reader.read(line)
            except RemoteProtocolError as error:
                self._fail(str(error))
            if reply is not None:
                event = self._replied(reply)
                if event is not None:
                    return event

    def _await_no_reply(self) -> Event | None:
        """The session is over, or for others to go on with."""
        if self._state is State.TLS and len(self._input):
            self._fail("octets in clear behind the reply to STARTTLS: somebody put them there")
        return self._starve() if self._at_eof and not self._closed else None

    def _replied(self, reply: Reply) -> Event | None:
        """What a complete reply comes to."""
        if reply.code == 421:
            return self._service_closed(reply)
        if not self._unanswered:
            return self._unasked(reply)
        sent = self._unanswered[0]
        state = self._follow(sent, reply)
        if isinstance(sent.request, Auth) and state is not State.AUTH:
            self._auth_answered(sent, reply.code == 235)
        recipient = self._recipient_of(sent) if self._lmtp else None
        if sent.replies > 1:
            self._unanswered[0] = sent._replace(replies=sent.replies - 1)
        else:
            self._answered()
            self._state = state
            effect = _EFFECTS.get(sent.step)
            if effect is not None:
                effect(self, sent.request, reply)
        event: Event | None = reply_received(sent.request, reply, recipient)
        if state in _LEADS_ELSEWHERE:
            event = self._go_elsewhere(state, reply, event)
        if self._waiting:
            self._write_what_may_go()
        return event

    def _go_elsewhere(self, state: State, reply: Reply, event: Event | None) -> Event | None:
        """No reply to a command is next. The event to hand out now, if any."""
        if state is State.AUTH:
            text = "\n".join(reply.lines).encode("utf-8", "surrogateescape")
            return self._challenged(text, self._auth)
        if state is State.CLOSED:
            self._end(clean=not self._unanswered and not self._waiting)
        elif state is State.TLS and not len(self._input):
            self._begin_tls()
        return event

    def _follow(self, sent: Sent, reply: Reply) -> State:
        """The state that the reply leads to. Raises RemoteProtocolError when to none."""
        moves = MACHINE[self._state].get(sent.step)
        if moves is not None:
            state = next_state(moves, reply.code)
            if state is not SUCCESS[self._state][sent.step]:
                self._expected = None
            if state is not None:
                return state
            expected = list(moves)
        else:
            self._expected = None
            if sent.step == "raw":
                return self._state
            expected = list(OVERTAKEN.get(sent.step, REFUSALS))
            if reply.code in expected:
                return State.DATA
            if reply.severity in expected:
                return self._state
        self._fail(
            f"{reply!r} cannot answer {sent.request or 'the opening of the connection'!r} in state"
            f" {self._state.value}: expected {named(expected)}"
        )

    # What an answered step changes besides the state.

    def _after_hello(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 400:
            assert isinstance(request, Ehlo | Helo | Lhlo)
            self._end_transaction()
            self._hello = request
            self._follow_offer(
                NO_CAPABILITIES if isinstance(request, Helo) else Capabilities.parse(reply)
            )
            self._follow_limits()

    def _after_rset(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 400:
            self._end_transaction()

    def _after_mail(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 400:
            assert isinstance(request, _MAIL_COMMANDS)
            self._mail = request
            self._resumed = reply.code == 355

    def _after_rcpt(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 400:
            assert isinstance(request, Rcpt)
            self._recipients.append(request)

    def _after_data(self, request: Request | None, reply: Reply) -> None:
        if reply.code == 354:
            self._encoder = DotEncoder(strict=self._strict)
            self._refused = False

    def _after_message(self, request: Request | None, reply: Reply) -> None:
        self._over = self._state is State.READY

    def _after_auth(self, request: Request | None, reply: Reply) -> None:
        if reply.code >= 400:
            self._auth = None

    def _follow_offer(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._pipelining = "PIPELINING" in capabilities

    def _follow_limits(self) -> None:
        """A new EHLO brings new limits, and what was sent before still counts (RFC 9422)."""
        if self._tally is not None:
            self._tally.limits = self._capabilities.limits
        elif "LIMITS" in self._capabilities:
            self._tally = Tally(self._capabilities.limits)

    def _unasked(self, reply: Reply) -> Event:
        """A reply although nothing waits for one."""
        if self._encoder is not None and not self._refused and reply.severity in REFUSALS:
            self._refused = True
            return ReplyReceived(EndOfMessage(), reply)
        self._fail(f"{reply!r} answers nothing: every command has had its reply")

    def _service_closed(self, reply: Reply) -> Event:
        """421 answers the oldest step, and ends the session (RFC 5321 section 3.8)."""
        request: Request | None = None
        recipient = None
        resting = self._state in _RESTING
        if self._unanswered:
            sent = self._unanswered[0]
            request = sent.request
            recipient = self._recipient_of(sent)
            if sent.replies == 1:  # else other recipients wait in vain
                self._unanswered.popleft()
            resting = resting or sent.step == "connect"
        elif self._encoder is not None and not self._refused:
            request = EndOfMessage()
        self._end(clean=resting and not self._unanswered and not self._waiting)
        return ReplyReceived(request, reply, recipient)

    def _recipient_of(self, sent: Sent) -> Rcpt | None:
        """Whom the next reply to a step is about: LMTP's to a message (RFC 2033 section 4.2)."""
        if self._lmtp and sent.step in TAKES_MESSAGE and self._recipients:
            return self._recipients[-sent.replies]
        return None

    # -- SASL -------------------------------------------------------------------------------------

    def _check_auth(self, mechanism: str) -> None:
        command = Auth(mechanism)
        if self._closed:
            raise LocalProtocolError(f"the session is over: {command!r} cannot be sent")
        self._check_order(command, "AUTH")
        self._check_offer(command, "AUTH")
        offered = self._capabilities.auth
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
        self._follow_offer(NO_CAPABILITIES)
        self._tally = None
        self._hello = None
        self._auth = None
        self._end_transaction()

    def _at_rest(self) -> bool:
        return (
            self._state in _RESTING
            and not self._unanswered
            and not self._waiting
            and not self._reader.within_reply
        )

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._state = self._expected = State.CLOSED
        self._encoder = None
        self._chunk_left = 0

    @property
    def _within_auth(self) -> bool:
        return self._state is State.AUTH

    @property
    def _longest_auth_line(self) -> int:
        return self._limits.auth_line


_RESTING = (State.CONNECTED, State.READY, State.CLOSING)
_NO_REPLIES = frozenset({State.TLS, State.TURNED, State.CLOSED})
_LEADS_ELSEWHERE = frozenset({State.AUTH, State.TLS, State.CLOSED})
_NO_COMMANDS = (State.DATA, State.AUTH, State.TURNED, State.CLOSED)
_MAIL_COMMANDS = get_args(MailCommand)

_CHECKS: dict[str, Callable[[ClientConnection, Command], None]] = {
    "MAIL": ClientConnection._check_mail,
    "RCPT": ClientConnection._check_rcpt,
    "DATA": ClientConnection._check_data,
    "VRFY": ClientConnection._check_query,
    "EXPN": ClientConnection._check_query,
    "AUTH": ClientConnection._check_first_auth,
}
"""What a step must fulfil besides its order and the offer of its verb."""

_EFFECTS: dict[str, Callable[[ClientConnection, Request | None, Reply], None]] = {
    "EHLO": ClientConnection._after_hello,
    "HELO": ClientConnection._after_hello,
    "LHLO": ClientConnection._after_hello,
    "RSET": ClientConnection._after_rset,
    "MAIL": ClientConnection._after_mail,
    "RCPT": ClientConnection._after_rcpt,
    "DATA": ClientConnection._after_data,
    "raw": ClientConnection._after_data,
    ".": ClientConnection._after_message,
    "BDAT LAST": ClientConnection._after_message,
    "BURL LAST": ClientConnection._after_message,
    "AUTH": ClientConnection._after_auth,
    "AUTH response": ClientConnection._after_auth,
}
"""What a step changes when it has had its last reply, besides the state."""

_REMEMBER: dict[str, Callable[[ClientConnection, Command], None]] = {
    "MAIL": ClientConnection._remember_mail,
    "RCPT": ClientConnection._remember_rcpt,
    "BDAT": ClientConnection._remember_chunk,
    "BDAT LAST": ClientConnection._remember_chunk,
    "AUTH": ClientConnection._remember_auth,
}
"""What a step changes when it is sent, before its reply."""


def _asks_for_utf8(mail: MailCommand | None) -> bool:
    return isinstance(mail, Mail) and mail.smtputf8


def _brings(extension: Extension, command: Mail | Rcpt, keyword: str, value: object) -> bool:
    """Whether an extension allows a parameter on a command."""
    if isinstance(command, Rcpt):
        return keyword in extension.rcpt_parameters
    if keyword == "BODY":
        return value in extension.bodies
    return keyword in extension.mail_parameters
