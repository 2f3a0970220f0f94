"""ServerConnection: the server's side of an SMTP or LMTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from smtpproto._command import upper
from smtpproto._connection import Connection
from smtpproto._redact import verb_of
from smtpproto._server import ServerSide
from smtpproto._value import check_choice, is_number
from smtpproto._wire.dots import DotDecoder
from smtpproto._wire.plain import PlainDecoder
from smtpproto.errors import DecisionNeededError, InvalidValueError, OutOfOrderError, Refused
from smtpproto.events import message_data
from smtpproto.smtp._capabilities import Capabilities, ServerService, server_service
from smtpproto.smtp._commands import (
    Auth,
    Bdat,
    Burl,
    Command,
    Ehlo,
    Expn,
    Extended,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Vrfy,
    read_extended,
    read_line,
)
from smtpproto.smtp._events import (
    AuthChallenge,
    ChunkReceived,
    EndOfMessage,
    Envelope,
    Event,
    MailCommand,
    MessageRefused,
    Request,
    ServerEvent,
    command_refused,
)
from smtpproto.smtp._extension import Extension
from smtpproto.smtp._incoming import Chunk, Intake
from smtpproto.smtp._limits import Limits
from smtpproto.smtp._replies import (
    TEXTS,
    EnhancedStatus,
    Reply,
    default_status,
    fold,
    standard,
    trusted_reply,
)
from smtpproto.smtp._session import Session, step_of
from smtpproto.smtp._state import (
    BDAT,
    MACHINE,
    ONLY_WITH_AUTH,
    RESTING,
    STEPS,
    TAKES_MESSAGE,
    TIMEOUT,
    TLS,
    State,
    named,
    next_state,
)

__all__ = ["ServerConnection"]

_NO_LIMITS_GIVEN = Limits()
_END_OF_MESSAGE = EndOfMessage()
_WINDOW = 65536
"""Octets of a message that are looked at in one go: many small messages in one huge piece must
not be copied again for each."""


class ServerConnection(ServerSide):
    """The server's side of an SMTP session (RFC 5321), or LMTP (RFC 2033).

    `domain` is the server's name for itself. `extensions` are what EHLO advertises, in order,
    and what the server then allows: values such as ``smtp.ext.Size(1000)``, or the `capabilities`
    of a proxy's client, less those that need another which is not there. `lmtp` makes it LMTP's.
    `tls` says that the transport is under TLS already. `limits` bound what the client can do.
    `bare_newlines="accept"` lets LF end a command line and pass in a message, for people on
    telnet. `require_auth` and `require_tls` answer 530 to whoever wants to send mail without.

    Feed `receive_data`, handle `events`, and give each Request its one reply; the first is
    Greeting. Raises InvalidValueError for a domain that is not one word and for an extension
    without another that it needs, TypeError for anything else among `extensions`.
    """

    __slots__ = (
        "_chunk", "_domain", "_extensions", "_guarded", "_hello", "_lenient", "_limits",
        "_message", "_service", "_require_auth", "_require_tls",
    )  # fmt: skip

    _role = "SMTP server"
    _counterpart = "SMTP client"
    _protocol = "SMTP"
    _starttls = "STARTTLS"
    _command_refused = staticmethod(command_refused)
    _session: Session

    if TYPE_CHECKING:  # what comes out, for type checkers

        def next_event(self) -> ServerEvent | None: ...
        def events(self) -> Iterator[ServerEvent]: ...

    def __init__(
        self,
        domain: str,
        *,
        extensions: Iterable[Extension] = (),
        lmtp: bool = False,
        tls: bool = False,
        limits: Limits = _NO_LIMITS_GIVEN,
        bare_newlines: Literal["refuse", "accept"] = "refuse",
        require_auth: bool = False,
        require_tls: bool = False,
    ) -> None:
        check_choice("bare_newlines", bare_newlines, "refuse", "accept")
        self._lenient = bare_newlines == "accept"
        session = Session(lmtp=lmtp, tls=tls, most_recipients=limits.recipients)
        super().__init__(
            session,
            backlog=limits.backlog,
            most_refusals=limits.refusals,
            auth_line=limits.auth_line,
            bare_lf=self._lenient,
        )
        Ehlo(domain)  # raises InvalidValueError for what could not stand in a reply
        self._domain = domain
        self._limits = limits
        self._require_auth = require_auth
        self._require_tls = require_tls
        # The steps that a client may not always take although it is their turn.
        self._guarded = _STEPS if require_auth or require_tls else _GUARDED
        self._extensions = _offerable(extensions)
        self._use_service(server_service(self._extensions, tls, lmtp))
        self._hello: Ehlo | Helo | Lhlo | None = None
        self._message: Intake | None = None  # that is being received
        self._chunk: Chunk | None = None  # whose octets are being read

    def _use_service(self, service: ServerService) -> None:
        """Allow what these extensions bring, from here on."""
        self._service = service
        self._session.begin_with(service)
        longest = self._limits.command_line + max(service.extra_mail, service.extra_rcpt)
        self._longest_line = longest if service.auth is None else max(longest, self._auth_line)

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the replies that were given."""
        return self._session.state

    @property
    def owed_recipient(self) -> Rcpt | None:
        """LMTP, after a message: the recipient that the next reply is for (RFC 2033 4.2).

        `send` answers for this one alone, `accept` and `reject` for all that are left.
        """
        session = self._session
        if not session.lmtp or self._step not in TAKES_MESSAGE:
            return None
        left = session.unanswered or len(session.recipients)
        return session.recipients[-left] if left else None

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """What EHLO advertises, in order. May be assigned until EHLO is answered, and again while
        a later one waits for its answer, which replaces the earlier (RFC 5321 section 4.1.4).

        At another time that raises OutOfOrderError. An extension without another that it needs
        raises InvalidValueError.
        """
        return self._extensions

    @extensions.setter
    def extensions(self, extensions: Iterable[Extension]) -> None:
        greets = isinstance(self._owed, Ehlo | Helo | Lhlo)
        if isinstance(self._hello, Ehlo | Lhlo) and not greets:
            raise OutOfOrderError("the extensions can only be changed until EHLO is answered")
        offered = _offerable(extensions)
        self._use_service(server_service(offered, self.tls, self._session.lmtp))
        self._extensions = offered

    @property
    def hello(self) -> Ehlo | Helo | Lhlo | None:
        """The EHLO, HELO or LHLO that was accepted last; None before."""
        return self._hello

    @property
    def envelope(self) -> Envelope | None:
        """The transaction so far: from MAIL's acceptance until its message is answered."""
        return None if self._closed else self._session.envelope

    @property
    def with_protocol(self) -> str:
        """The name of the session for a Received field: SMTP, ESMTPSA, LMTP, ... (RFC 3848)."""
        if self._hello is None or isinstance(self._hello, Helo):
            return "SMTP"
        session = self._session
        name = "LMTP" if session.lmtp else "ESMTP"
        if session.mail is not None and session.mail.smtputf8:
            name = "UTF8LMTP" if session.lmtp else "UTF8SMTP"  # RFC 6531 section 4.3
        return f"{name}{'S' if session.tls else ''}{'A' if self._identity is not None else ''}"

    @property
    def timeout(self) -> float:
        """Seconds to wait for the client at least (RFC 5321 section 4.5.3.2.7)."""
        return TIMEOUT

    # -- public: answering ------------------------------------------------------------------------

    def accept(self, text: str | None = None) -> None:
        """The usual positive reply to what is owed: 250, 354, 220, ..., with `text` or without.

        `text` may be anything: what the session cannot carry is replaced. To the greeting and
        to EHLO it is said after the domain. Answers all recipients that are left in LMTP.

        Raises OutOfOrderError when nothing is owed, and DecisionNeededError where only the
        application can decide: AUTH and its responses want `authenticated`, TURN, ATRN, ETRN and
        BURL a reply of your own.
        """
        step = self._step or self._owed_step("accept")
        usual = self._service.accepted.get(step)
        if usual is None:
            reply = self._named_reply(step, text)
            wire = bytes(reply)
        else:
            reply, wire = usual
            if text is not None:
                reply = self._fold(reply.code, text, reply.enhanced)
                wire = bytes(reply)
        self._answer(reply, wire)

    def _named_reply(self, step: str, text: str | None) -> Reply:
        """The positive reply to a step where the server gives its name. Raises
        DecisionNeededError where only the application knows."""
        if not STEPS[step].by_default:
            if step in ("AUTH", "AUTH response"):
                raise DecisionNeededError(
                    f"accept() lets nobody in: {step} is answered by authenticated(identity),"
                    " send(AuthChallenge(...)) or reject(...)"
                )
            raise DecisionNeededError(
                f"accept() cannot answer {step}: send(Reply(...)) what it comes to, or reject(...)"
            )
        if step == "greeting":
            usual = "LMTP" if self._session.lmtp else "ESMTP"
            return self._fold(220, f"{self._domain} {text or usual}", None)
        if step == "QUIT":
            status = "2.0.0" if self._service.enhanced else None
            return self._fold(221, text or f"{self._domain} {TEXTS[221]}", status)
        return self._hello_reply(text)

    def _hello_reply(self, text: str | None) -> Reply:
        assert isinstance(self._owed, Ehlo | Helo | Lhlo)
        words = f"{self._domain} {text or f'greets {self._owed.domain}'}"
        first = self._fold(250, words, None).lines[0]
        if isinstance(self._owed, Helo):
            return Reply(250, first)
        return trusted_reply(250, (first, *self._service.lines))

    def reject(
        self, code: int, text: str | None = None, enhanced: EnhancedStatus | str | None = None
    ) -> None:
        """A negative reply, 400 to 599, to what is owed.

        `enhanced` is written where a reply may carry it; where ENHANCEDSTATUSCODES is offered
        and none is given, one that fits the code is. `text` may be anything, as for `accept`.
        Refuses the message for all recipients that are left in LMTP; `send` does for one.

        Raises OutOfOrderError when nothing is owed, and InvalidValueError for another code.
        """
        step = self._owed_step("reject")
        if not is_number(code, 400, 599):
            raise InvalidValueError(f"reject({code!r}): a refusal has a code from 400 to 599")
        self._give(self._negative(step, code, text, enhanced))

    def _negative(
        self, step: str, code: int, text: str | None, enhanced: EnhancedStatus | str | None
    ) -> Reply:
        if isinstance(enhanced, str):
            enhanced = EnhancedStatus.parse(enhanced)
        if enhanced is not None:
            enhanced.check(code)  # here too where it is not written
        if step in ("greeting", "EHLO", "HELO", "LHLO"):  # RFC 2034 section 4
            enhanced = None
        elif enhanced is None and self._service.enhanced:
            enhanced = default_status(code, STEPS[step].subject)
        if text is None:
            return Reply(code, enhanced=enhanced)
        return self._fold(code, text, enhanced)

    def send(self, item: Reply | AuthChallenge) -> None:
        """Answer what is owed with a Reply of your own, or AUTH with an AuthChallenge.

        Raises OutOfOrderError when nothing is owed, or a challenge where AUTH is not, and
        InvalidValueError for a reply of a kind that cannot answer it. Nobody is let in by a Reply:
        `authenticated` does that.
        """
        step = self._owed_step("send", item)
        if isinstance(item, AuthChallenge):
            wire = self._challenge(item, b"334 ")
            self._answer(trusted_reply(334, (wire[4:-2].decode(),)), wire)
            return
        if not isinstance(item, Reply):
            raise TypeError(f"a server sends a Reply or an AuthChallenge, not {item!r}")
        if step in ("AUTH", "AUTH response") and item.code < 400:
            raise InvalidValueError(
                f"Reply({item.code}) lets nobody in: authenticated(identity) does, and"
                " send(AuthChallenge(...)) goes on"
            )
        if step in _TURNS and item.severity == 2:
            raise InvalidValueError(f"reversed() accepts {step}: another connection goes on")
        if item.code == 355 and not self._resumable():
            raise InvalidValueError("355 answers a MAIL with TRANSID (RFC 1845 section 4)")
        self._give(item, all_recipients=False)

    def _give(self, reply: Reply, *, all_recipients: bool = True) -> None:
        """Answer what is owed; 421 answers it too, and is the last that is said."""
        if reply.code == 421:
            self._say_goodbye(reply)
        else:
            self._answer(reply, bytes(reply), all_recipients=all_recipients)

    def _resumable(self) -> bool:
        return isinstance(self._owed, Mail) and "TRANSID" in self._owed.parameters

    def authenticated(self, identity: str, text: str | None = None) -> None:
        """Let the client in as `identity`: 235 to AUTH or its last response (RFC 4954).

        `text` may be anything, as for `accept`. Raises OutOfOrderError when neither is owed, and
        InvalidValueError for an empty `identity`.
        """
        step = self._owed_step("authenticated")
        self._check_identity(identity)
        if step not in ("AUTH", "AUTH response"):
            raise OutOfOrderError(f"authenticated() answers AUTH, but {step} is owed a reply")
        status = "2.7.0" if self._service.enhanced else None
        reply = self._fold(235, text or "Authentication succeeded", status)
        self._answer(reply, bytes(reply))
        self._identity = identity

    def reversed(self, successor: Connection, text: str | None = None) -> None:
        """Answer TURN or ATRN with 250; `successor` goes on with the session as its client.

        `successor` is a new ClientConnection with the same `tls`. It takes over what is queued, the
        250 with it, and the octets that were not read, and waits for the peer's greeting (RFC 2645
        section 5.3, RFC 821 section 3.8). This connection is over: its ConnectionClosed says
        `handed_over`.

        Raises OutOfOrderError when neither TURN nor ATRN is owed a reply, InvalidValueError and
        TypeError for another successor.
        """
        step = self._owed_step("reversed")
        if step not in _TURNS:
            raise OutOfOrderError(f"reversed() answers TURN and ATRN, but {step} is owed a reply")
        self._check_successor(successor)
        status = "2.0.0" if self._service.enhanced else None
        reply = self._fold(250, text or "OK, now reversing the connection", status)
        self._answer(reply, bytes(reply))
        self._hand_over(successor)

    # -- the reply and what it leads to -----------------------------------------------------------

    def _fold(self, code: int, text: str, status: EnhancedStatus | str | None) -> Reply:
        return fold(code, text, status, utf8=self._speaks_utf8())

    def _speaks_utf8(self) -> bool:
        """Whether the client has said that it can read UTF-8 (RFC 6531 section 3.7.4.2)."""
        if isinstance(self._owed, Vrfy | Expn):
            return self._owed.smtputf8
        mail = self._owed if isinstance(self._owed, Mail) else self._session.mail
        return mail is not None and mail.smtputf8

    def _answer(self, reply: Reply, wire: bytes, *, all_recipients: bool = True) -> None:
        """Give the owed reply and follow the table."""
        step, request, session = self._step, self._owed, self._session
        assert step is not None
        if step == "STARTTLS" and reply.code == 220 and not self._input.empty:
            self._refuse_injection()
            return
        if session.lmtp and step in TAKES_MESSAGE:
            wire = self._for_recipients(reply, wire, all_recipients)
            if session.unanswered:
                self._outbox.append(wire)
                return
        if session.follow(step, request, reply.code) is None:
            raise self._wrong_kind(reply, step)
        self._outbox.append(wire)
        self._step = self._owed = None
        effect = _EFFECTS.get(step)
        if effect is not None:
            effect(self, request, reply)

    def _wrong_kind(self, reply: Reply, step: str) -> InvalidValueError:
        return InvalidValueError(
            f"{reply!r} cannot answer {step} in state {self.state.value}: expected"
            f" {named(self._session.moves[step])}"
        )

    def _for_recipients(self, reply: Reply, wire: bytes, all_recipients: bool) -> bytes:
        """LMTP, the end of a message: the reply for the next recipient, or once for each that is
        left. The session's `unanswered` tells whether more are owed."""
        session = self._session
        assert self._step is not None
        if next_state(session.moves[self._step], reply.code) is None:
            raise self._wrong_kind(reply, self._step)
        _, left = session.next_recipient()
        if all_recipients:
            session.unanswered = 0
            wire *= left
        return wire

    # What a reply to a step does here besides what the session makes of it.

    def _after_greeting(self, request: Request, reply: Reply) -> None:
        self._greeted()

    def _after_hello(self, request: Any, reply: Reply) -> None:
        if reply.severity == 2:
            self._hello = request
            self._message = None
            if not isinstance(request, Helo):
                self._session.in_effect(self._service, self._service.limits)

    def _after_rset(self, request: Request, reply: Reply) -> None:
        if reply.code < 300:
            self._message = None

    def _after_data(self, request: Request, reply: Reply) -> None:
        if reply.code == 354:
            decoder = DotDecoder(strict=not self._lenient)
            self._message = Intake(self._service.size, decoder)

    def _after_chunk(self, request: Request | None, reply: Reply) -> None:
        if reply.severity != 2 and request is not None:  # else the connection reports it itself
            self._events.append(MessageRefused(reply))

    def _after_message(self, request: Request | None, reply: Reply) -> None:
        message, self._message = self._message, None
        if reply.code < 300:
            self._refusals = 0
        elif isinstance(request, Burl) and message is not None and message.octets:
            self._events.append(MessageRefused(reply))  # of the chunks before it

    def _after_starttls(self, request: Request, reply: Reply) -> None:
        if reply.code == 220:
            self._begin_tls()

    def _after_auth(self, request: Request, reply: Reply) -> None:
        self._secrets_follow = reply.code >= 400

    def _after_extended(self, request: Request, reply: Reply) -> None:
        if reply.code == 220:  # the session is another client's from here on (XCLIENT)
            self._hello = self._identity = self._message = None

    def _after_quit(self, request: Request, reply: Reply) -> None:
        self._end(clean=True)

    # -- reading: commands ------------------------------------------------------------------------

    def _read(self) -> Event | None:
        return super()._read() if self._chunk is None else self._read_chunk()

    def _command(self, line: bytes) -> Event | None:
        verb, argument = read_line(line, ascii_only=not self._service.utf8)
        command_class = self._service.verbs.get(verb)
        if command_class is None:
            self._refuse_verb(line, verb)
        self._secrets_follow = False
        if command_class is Bdat:
            return self._begin_chunk(line, argument)
        if len(line) + 2 > self._limits.command_line:
            self._check_length(line, verb)
        session = self._session
        step = command_class.step
        if step not in session.moves or step in self._guarded:
            self._check_sequence(verb, step)
        if command_class is Auth:
            self._check_privacy(argument)
        if command_class is Extended:
            command = read_extended(verb, argument)
        else:
            command = command_class.read(argument)
        session.check(command, session.mail)
        if session.tally is not None and isinstance(command, _COUNTED_BY_LIMITS):
            session.tally.count(command)
        if isinstance(command, Auth):
            assert self._service.auth is not None
            offered = self._service.auth.mechanisms
            self._check_mechanism(command.mechanism, command.initial_response, offered, True)
        elif session.state is BDAT or command_class is Burl:
            return self._between_chunks(command)
        self._owed, self._step = command, step
        return command

    def _refuse_verb(self, line: bytes, verb: str) -> NoReturn:
        self._check_verb_http(verb)
        self._check_length(line, verb)
        if verb in self._service.known:
            raise Refused(502, "5.5.1", f"{verb} is not offered here")
        raise Refused(500, "5.5.2", "Command unrecognized")

    def _check_length(self, line: bytes, verb: str) -> None:
        limit = self._limits.command_line
        if len(line) + 2 <= limit:
            return
        if verb == "MAIL":
            limit += self._service.extra_mail
        elif verb == "RCPT":
            limit += self._service.extra_rcpt
        elif verb == "AUTH":
            # RFC 4954 tells clients to keep to 512, and clients with long tokens do not.
            limit = max(limit, self._limits.auth_line)
        if len(line) + 2 > limit:
            raise Refused(500, "5.5.2", f"Line too long: at most {limit} octets here")

    def _check_sequence(self, verb: str, step: str) -> None:
        self._session.check_order(verb, step)
        if self._require_tls and not self.tls and not STEPS[step].without_tls:
            raise Refused(530, "5.7.0", "Must issue a STARTTLS command first")
        needs_auth = step in ONLY_WITH_AUTH or (self._require_auth and not STEPS[step].without_auth)
        if needs_auth and self._identity is None:
            raise Refused(530, "5.7.0", "Authentication required")

    def _check_privacy(self, argument: str) -> None:
        """Before anything else of AUTH is looked at."""
        auth = self._service.auth
        mechanism = upper(argument.partition(" ")[0])
        if auth and mechanism in auth.mechanisms and not auth.allows(mechanism, self.tls):
            raise Refused(538, "5.7.11", "This mechanism needs TLS: STARTTLS first")

    def _between_chunks(self, command: Command) -> Event:
        """A command that comes between the chunks of a message, or BURL, which is one."""
        if isinstance(command, Burl) and self._message is not None:
            self._message.check_ended()
        self._owe(command, step_of(command))
        if command.step in _GIVE_UP:
            # The message ends before the command is answered, and even if that is refused.
            self._events.append(command)
            return MessageRefused(None)
        return command

    # -- reading: messages ------------------------------------------------------------------------

    def _read_message(self) -> Event | None:
        """After 354 (RFC 5321 section 4.1.1.4)."""
        intake = self._message
        assert intake is not None
        decoder = intake.decoder
        assert isinstance(decoder, DotDecoder)
        while not decoder.ended:
            data = self._input.peek(_WINDOW)
            if not data:
                return self._no_more_data()
            content = intake.take(data)
            self._input.skip(len(data) - decoder.unused)
            if content:
                return message_data(content)
        return self._message_complete(".", intake)

    def _begin_chunk(self, line: bytes, argument: str) -> Event | None:
        """BDAT (RFC 3030 section 2): its octets must be read even when it is refused."""
        command = Bdat.read(argument)
        assert isinstance(command, Bdat)
        self._chunk = chunk = Chunk(line, command)
        try:
            self._check_length(line, "BDAT")
            self._check_sequence("BDAT", chunk.step)
        except Refused as refused:
            chunk.refused = refused
        if chunk.refused is None and self._message is None:
            mail = self._session.mail
            assert mail is not None
            decoder = PlainDecoder(strict=not (self._lenient or mail.binary))
            self._message = Intake(self._service.size, decoder)
        return self._read_chunk()

    def _read_chunk(self) -> Event | None:
        chunk, intake = self._chunk, self._message
        assert chunk is not None
        while chunk.left:
            data = self._input.take(min(chunk.left, _WINDOW))
            if not data:
                return self._no_more_data()
            chunk.left -= len(data)
            if chunk.refused is None:
                assert intake is not None
                content = intake.take(data)
                if content:
                    return message_data(content)
        self._chunk = None
        self._need_data = self._input.empty and not self._at_eof
        if chunk.refused is not None:
            return self._refuse_chunk(chunk, chunk.refused)
        assert intake is not None
        if chunk.last:
            intake.finish()
        if chunk.last or intake.refused is not None:
            return self._message_complete(chunk.step, intake)
        received = ChunkReceived(chunk.size)
        self._owe(received, "BDAT")
        return received

    def _refuse_chunk(self, chunk: Chunk, refused: Refused) -> Event:
        # LMTP's clients count the replies to the last chunk, whatever they are.
        session = self._session
        times = max(1, len(session.recipients)) if session.lmtp and chunk.last else 1
        _, wire = self._own(refused)
        return self._refuse(chunk.line, refused, wire * times)

    def _message_complete(self, step: str, intake: Intake) -> Event:
        """All of the message has come, or of a chunk that ruins it: the reply is owed, or given."""
        self._need_data = self._input.empty and not self._at_eof
        if intake.refused is None:
            self._owed, self._step = _END_OF_MESSAGE, step
            return _END_OF_MESSAGE
        self._step = step
        reply, wire = self._own(intake.refused)
        self._answer(reply, wire)
        return MessageRefused(reply)

    def _force(self, state: State) -> None:
        """Be in `state`, whatever came before: for a session that is only watched."""
        self._session.force(state)
        self._message = None

    # -- TLS --------------------------------------------------------------------------------------

    def _forget(self) -> None:
        service = server_service(self._extensions, True, self._session.lmtp)
        self._session.tls_started(service)
        self._use_service(service)
        self._hello = self._identity = None

    # -- refusing, and the end --------------------------------------------------------------------

    def _own(self, refused: Refused) -> tuple[Reply, bytes]:
        return standard(
            refused.code, refused.status if self._service.enhanced else None, refused.text
        )

    def _refuse(
        self, line: bytes, refused: Refused, wire: bytes | None = None, verb: str | None = None
    ) -> Event:
        verb = verb_of(line)
        event = super()._refuse(line, refused, wire, verb)
        if wire is None and verb == "BDAT" and "BDAT" in self._service.verbs:
            # Nobody knows where the octets of the chunk end, and they must not be taken for
            # commands.
            self.shutdown(_LOST)
        return event

    def _counts(self, verb: str, refused: Refused) -> bool:
        session, code = self._session, refused.code
        if verb in ("MAIL", "RCPT") and code != 503:
            session.overtaken = True
        if code == 503 and session.overtaken and verb in ("RCPT", "DATA", "BDAT"):
            return False
        return code in _COUNTED

    def _knows(self, verb: str) -> bool:
        return verb in self._service.known

    def _farewell(self, status: str, text: str) -> Reply:
        """421 (RFC 5321 section 3.8)."""
        enhanced = self._service.enhanced and self._step != "greeting"  # RFC 2034 section 4
        return self._fold(421, f"{self._domain} {text}", status if enhanced else None)

    @property
    def _cannot_speak(self) -> bool:
        return self._session.state is TLS

    def _at_rest(self) -> bool:
        return self._session.state in RESTING

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        super()._end(clean=clean, handed_over=handed_over)
        self._chunk = self._message = None
        self._session.end()


def _offerable(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    """The extensions to offer. Of another server's Capabilities, as a proxy's client saw them,
    those whose prerequisites are missing are dropped."""
    offered = tuple(extensions)
    if not isinstance(extensions, Capabilities):
        return offered
    return tuple(one for one in offered if all(keyword in extensions for keyword in one.needs))


_LOST = "No way to tell the message from the commands"
_COUNTED = (500, 501, 502, 503)
"""The refusals of which a session may have so many: they are the client's fault."""
_TURNS = ("TURN", "ATRN")
_GIVE_UP = ("RSET", "EHLO", "HELO", "LHLO")

_GUARDED = ONLY_WITH_AUTH | {"AUTH"}
_STEPS = frozenset().union(*MACHINE.values())
"""The steps that not everybody may take who is in the right state: on every server, and on one
that requires AUTH or TLS."""

_COUNTED_BY_LIMITS = (MailCommand, Rcpt)

ServerConnection._readers = {
    **dict.fromkeys(State, ServerConnection._read),
    State.DATA: ServerConnection._read_message,
    State.AUTH: ServerConnection._read_response,
    State.TLS: ServerConnection._read_nothing,
    State.TURNED: ServerConnection._read_nothing,
    State.CLOSED: ServerConnection._read_nothing,
}

_EFFECTS: dict[str, Callable[[ServerConnection, Any, Reply], None]] = {
    "greeting": ServerConnection._after_greeting,
    **dict.fromkeys(("EHLO", "HELO", "LHLO"), ServerConnection._after_hello),
    "RSET": ServerConnection._after_rset,
    "DATA": ServerConnection._after_data,
    "BDAT": ServerConnection._after_chunk,
    "BURL": ServerConnection._after_chunk,
    **dict.fromkeys((".", "BDAT LAST", "BURL LAST"), ServerConnection._after_message),
    "STARTTLS": ServerConnection._after_starttls,
    **dict.fromkeys(("AUTH", "AUTH response"), ServerConnection._after_auth),
    "extended": ServerConnection._after_extended,
    "QUIT": ServerConnection._after_quit,
}
