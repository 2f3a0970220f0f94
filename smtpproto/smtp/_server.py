"""ServerConnection: the server's side of an SMTP or LMTP session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NoReturn

from smtpproto._command import CONTROL, upper
from smtpproto._mechanisms import SERVER_FIRST
from smtpproto._server import HTTP_VERBS, TLS_CLIENT_HELLO, ServerSide
from smtpproto._value import check_choice, is_number
from smtpproto._wire import base64
from smtpproto._wire.dots import DotDecoder
from smtpproto._wire.lines import LineTooLong
from smtpproto._wire.plain import PlainDecoder
from smtpproto.errors import LocalProtocolError
from smtpproto.events import message_data
from smtpproto.smtp import _redact as redact
from smtpproto.smtp._answers import default_status, fold, standard
from smtpproto.smtp._capabilities import Capabilities
from smtpproto.smtp._client import ClientConnection
from smtpproto.smtp._commands import (
    Auth,
    Bdat,
    Burl,
    Command,
    CommandSyntaxError,
    Data,
    Ehlo,
    Expn,
    Extended,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    SendAndMail,
    SendMail,
    SendOrMail,
    Vrfy,
    read_extended,
    spaced,
    split,
)  # fmt: skip
from smtpproto.smtp._events import (
    AuthChallenge,
    ChunkReceived,
    EndOfMessage,
    Envelope,
    Event,
    MailCommand,
    MessageRefused,
    Request,
    command_refused,
)
from smtpproto.smtp._extension import Extension
from smtpproto.smtp._incoming import Chunk, Intake
from smtpproto.smtp._limits import Limits
from smtpproto.smtp._offer import OWNED, Offer, offer
from smtpproto.smtp._parameters import NO_PARAMETERS, Parameters
from smtpproto.smtp._refused import Refused
from smtpproto.smtp._replies import TEXTS, EnhancedStatus, Reply, trusted_reply
from smtpproto.smtp._state import (
    BDAT,
    MACHINE,
    NEVER_BY_DEFAULT,
    ONLY_WITH_AUTH,
    RESTING,
    TAKES_MESSAGE,
    TIMEOUT,
    TLS,
    WITHOUT_AUTH,
    WITHOUT_TLS,
    State,
    named,
    next_state,
    step_of,
)
from smtpproto.smtp._tally import Tally
from smtpproto.smtp._transaction import NO_TRANSACTION, Transaction

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

    Begin with `accept()`, which greets; then feed `receive_data`, handle `events`, and give each
    Request its one reply. Raises LocalProtocolError for a domain that is not one word, for what
    is no extension, and for one without another that it needs.
    """

    __slots__ = (
        "_chunk", "_domain", "_extensions", "_giving_up", "_guarded", "_hello", "_lenient",
        "_limits", "_lmtp", "_longest_line", "_moves", "_offer", "_overtaken", "_require_auth",
        "_require_tls", "_state", "_tally", "_transaction",
    )  # fmt: skip

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
        super().__init__(
            tls=tls,
            backlog=limits.backlog,
            most_refusals=limits.refusals,
            bare_lf=self._lenient,
        )
        Ehlo(domain)  # raises LocalProtocolError for what could not stand in a reply
        self._domain = domain
        self._limits = limits
        self._lmtp = lmtp
        self._require_auth = require_auth
        self._require_tls = require_tls
        self._guarded = _STEPS if require_auth or require_tls else _GUARDED
        self._extensions = _offerable(extensions)
        self._follow(offer(self._extensions, tls, lmtp))

        self._state = State.GREETING
        self._moves = MACHINE[State.GREETING]

        self._hello: Ehlo | Helo | Lhlo | None = None
        self._tally: Tally | None = None  # where LIMITS are offered
        self._transaction = NO_TRANSACTION
        self._overtaken = False  # MAIL or RCPT was refused: what was pipelined fails for that
        self._chunk: Chunk | None = None
        self._giving_up: Command | None = None  # between chunks, handed out next

    def _follow(self, offered: Offer) -> None:
        """Allow what is offered from here on."""
        self._offer = offered
        # The most octets of a command line, whatever its verb turns out to be.
        longest = self._limits.command_line + max(offered.extra_mail, offered.extra_rcpt)
        self._longest_line = (
            longest if offered.auth is None else max(longest, self._limits.auth_line)
        )

    def _begin_transaction(self, mail: MailCommand) -> None:
        self._transaction = Transaction(mail)
        self._overtaken = False

    def _end_transaction(self) -> None:
        self._transaction = NO_TRANSACTION
        self._overtaken = False

    # -- public: what the session is --------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands, by the replies that were given."""
        return self._state

    @property
    def owed_recipient(self) -> Rcpt | None:
        """LMTP, after a message: the recipient that the next reply is for (RFC 2033 4.2).

        `send` answers for this one alone, `accept` and `reject` for all that are left.
        """
        transaction = self._transaction
        return transaction.recipients[-transaction.unanswered] if transaction.unanswered else None

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """What EHLO advertises, in order. May be assigned until EHLO is answered, and again while
        a later one waits for its answer, which replaces the earlier (RFC 5321 section 4.1.4).

        At another time that raises LocalProtocolError, and so does what cannot be offered.
        """
        return self._extensions

    @extensions.setter
    def extensions(self, extensions: Iterable[Extension]) -> None:
        greets = isinstance(self._owed, Ehlo | Helo | Lhlo)
        if isinstance(self._hello, Ehlo | Lhlo) and not greets:
            raise LocalProtocolError("the extensions can only be changed until EHLO is answered")
        offered = _offerable(extensions)
        self._follow(offer(offered, self._tls, self._lmtp))
        self._extensions = offered

    @property
    def hello(self) -> Ehlo | Helo | Lhlo | None:
        """The EHLO, HELO or LHLO that was accepted last; None before."""
        return self._hello

    @property
    def envelope(self) -> Envelope | None:
        """The transaction so far: from MAIL's acceptance until its message is answered."""
        return None if self._transaction is NO_TRANSACTION else self._transaction.envelope

    @property
    def with_protocol(self) -> str:
        """The name of the session for a Received field: SMTP, ESMTPSA, LMTP, ... (RFC 3848)."""
        if self._hello is None or isinstance(self._hello, Helo):
            return "SMTP"
        name = "LMTP" if self._lmtp else "ESMTP"
        if self._transaction.mail.smtputf8:
            name = "UTF8LMTP" if self._lmtp else "UTF8SMTP"  # RFC 6531 section 4.3
        return f"{name}{'S' if self._tls else ''}{'A' if self._identity is not None else ''}"

    @property
    def timeout(self) -> float:
        """Seconds to wait for the client at least (RFC 5321 section 4.5.3.2.7)."""
        return TIMEOUT

    # -- public: answering ------------------------------------------------------------------------

    def accept(self, text: str | None = None) -> None:
        """The usual positive reply to what is owed: 250, 354, 220, ..., with `text` or without.

        `text` may be anything: what the session cannot carry is replaced. To the greeting and
        to EHLO it is said after the domain. Answers all recipients that are left in LMTP.

        Raises LocalProtocolError when nothing is owed, and for what nothing can answer without
        knowing more: AUTH and its responses want `authenticated`, TURN, ATRN, ETRN and BURL a
        reply of your own.
        """
        step = self._step or self._owed_step("accept")
        usual = self._offer.accepted.get(step)
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
        LocalProtocolError where only the application knows."""
        if step in NEVER_BY_DEFAULT:
            if step in ("AUTH", "AUTH response"):
                raise LocalProtocolError(
                    f"accept() lets nobody in: {step} is answered by authenticated(identity),"
                    " send(AuthChallenge(...)) or reject(...)"
                )
            raise LocalProtocolError(
                f"accept() cannot answer {step}: send(Reply(...)) what it comes to, or reject(...)"
            )
        if step == "connect":
            usual = "LMTP" if self._lmtp else "ESMTP"
            return self._fold(220, f"{self._domain} {text or usual}", None)
        if step == "QUIT":
            status = "2.0.0" if self._offer.enhanced else None
            return self._fold(221, text or f"{self._domain} {TEXTS[221]}", status)
        return self._hello_reply(text)

    def _hello_reply(self, text: str | None) -> Reply:
        assert isinstance(self._owed, Ehlo | Helo | Lhlo)
        words = f"{self._domain} {text or f'greets {self._owed.domain}'}"
        first = self._fold(250, words, None).lines[0]
        if isinstance(self._owed, Helo):
            return Reply(250, first)
        return trusted_reply(250, (first, *self._offer.lines))

    def reject(
        self, code: int, text: str | None = None, enhanced: EnhancedStatus | str | None = None
    ) -> None:
        """A negative reply, 400 to 599, to what is owed.

        `enhanced` is written where a reply may carry it; where ENHANCEDSTATUSCODES is offered
        and none is given, one that fits the code is. `text` may be anything, as for `accept`.
        Refuses the message for all recipients that are left in LMTP; `send` does for one.

        Raises LocalProtocolError when nothing is owed, and for another code.
        """
        step = self._owed_step("reject")
        if not is_number(code, 400, 599):
            raise LocalProtocolError(f"reject({code!r}): a refusal has a code from 400 to 599")
        self._give(self._negative(step, code, text, enhanced))

    def _negative(
        self, step: str, code: int, text: str | None, enhanced: EnhancedStatus | str | None
    ) -> Reply:
        if isinstance(enhanced, str):
            enhanced = EnhancedStatus.parse(enhanced)
        if enhanced is not None:
            enhanced.check(code)  # here too where it is not written
        if step in ("connect", "EHLO", "HELO", "LHLO"):  # RFC 2034 section 4
            enhanced = None
        elif enhanced is None and self._offer.enhanced:
            enhanced = default_status(code, step)
        if text is None:
            return Reply(code, enhanced=enhanced)
        return self._fold(code, text, enhanced)

    def send(self, item: Reply | AuthChallenge) -> None:
        """Answer what is owed with a Reply of your own, or AUTH with an AuthChallenge.

        Raises LocalProtocolError when nothing is owed, and for a reply of a kind that cannot
        answer it. Nobody is let in by a Reply: `authenticated` does that.
        """
        step = self._owed_step("send", item)
        if isinstance(item, AuthChallenge):
            if step not in ("AUTH", "AUTH response"):
                raise LocalProtocolError(f"a challenge cannot answer {step}, only AUTH")
            text = base64.encode(item.data).decode()
            if len(text) + 6 > self._limits.auth_line:
                raise LocalProtocolError(
                    f"a challenge of {len(item.data)} octets is longer than a line of"
                    f" {self._limits.auth_line} can carry"
                )
            item = Reply(334, text)
        elif not isinstance(item, Reply):
            raise LocalProtocolError(f"a server sends a Reply or an AuthChallenge, not {item!r}")
        elif step in ("AUTH", "AUTH response") and item.code < 400:
            raise LocalProtocolError(
                f"Reply({item.code}) lets nobody in: authenticated(identity) does, and"
                " send(AuthChallenge(...)) goes on"
            )
        elif step in _TURNS and item.severity == 2:
            raise LocalProtocolError(f"reversed() accepts {step}: it gives you the other role")
        elif item.code == 355 and not self._resumable():
            raise LocalProtocolError("355 answers a MAIL with TRANSID (RFC 1845 section 4)")
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

        `text` may be anything, as for `accept`. Raises LocalProtocolError when neither is owed,
        and for an empty `identity`.
        """
        step = self._owed_step("authenticated")
        self._check_identity(identity)
        if step not in ("AUTH", "AUTH response"):
            raise LocalProtocolError(f"authenticated() answers AUTH, but {step} is owed a reply")
        status = "2.7.0" if self._offer.enhanced else None
        reply = self._fold(235, text or "Authentication succeeded", status)
        self._answer(reply, bytes(reply))
        self._identity = identity

    def reversed(
        self, text: str | None = None, *, newlines: Literal["crlf", "strict"] = "crlf"
    ) -> ClientConnection:
        """Answer TURN or ATRN with 250: the client's side of the session from here on.

        This connection is over; the new one has what is queued too, and waits for the peer's
        greeting (RFC 2645 section 5.3, RFC 821 section 3.8). `newlines` is the client's. Raises
        LocalProtocolError when neither is owed a reply.
        """
        step = self._owed_step("reversed")
        if step not in _TURNS:
            raise LocalProtocolError(
                f"reversed() answers TURN and ATRN, but {step} is owed a reply"
            )
        client = ClientConnection(tls=self._tls, limits=self._limits, newlines=newlines)
        status = "2.0.0" if self._offer.enhanced else None
        reply = self._fold(250, text or "OK, now reversing the connection", status)
        self._answer(reply, bytes(reply))
        self._hand_over(client)
        return client

    def shutdown(self, text: str | None = None) -> None:
        """End the session now, whatever its state: 421, and what the client sent is dropped.

        RFC 5321 section 3.8. Does nothing when the session is over already.
        """
        if self._closed:
            return
        if self._state is TLS:  # anything in clear would only break the handshake
            self._end(clean=False)
            return
        status = "4.3.2" if self._offer.enhanced and self._step != "connect" else None
        words = text or "Service not available, closing transmission channel"
        self._say_goodbye(self._fold(421, f"{self._domain} {words}", status))

    # -- the reply and what it leads to -----------------------------------------------------------

    def _fold(self, code: int, text: str, status: EnhancedStatus | str | None) -> Reply:
        return fold(code, text, status, utf8=self._speaks_utf8())

    def _speaks_utf8(self) -> bool:
        """Whether the client has said that it can read UTF-8 (RFC 6531 section 3.7.4.2)."""
        if isinstance(self._owed, Vrfy | Expn):
            return self._owed.smtputf8
        mail = self._owed if isinstance(self._owed, Mail) else self._transaction.mail
        return mail.smtputf8

    def _answer(self, reply: Reply, wire: bytes, *, all_recipients: bool = True) -> None:
        """Give the owed reply and follow the table."""
        step = self._step
        assert step is not None
        moves = self._moves[step]
        state = next_state(moves, reply.code)
        if state is None:
            raise LocalProtocolError(
                f"{reply!r} cannot answer {step} in state {self._state.value}: expected"
                f" {named(moves)}"
            )
        if state is TLS and not self._input.empty:
            self._refuse_injection()
            return
        self._outbox.append(wire)
        if self._lmtp and self._more_recipients(wire, all_recipients):
            return
        request = self._owed
        self._step = self._owed = None
        if state is not self._state:
            self._enter(state)
        effect = _EFFECTS.get(step)
        if effect is not None:
            effect(self, request, reply)

    def _more_recipients(self, wire: bytes, all_recipients: bool) -> bool:
        """One reply of LMTP's to a message is given: whether the next one is owed now."""
        transaction = self._transaction
        if transaction.unanswered < 2:
            return False
        transaction.unanswered -= 1
        if all_recipients:
            self._outbox.append(wire * transaction.unanswered)
        return not all_recipients

    def _enter(self, state: State) -> None:
        self._state = state
        self._moves = MACHINE[state]
        self._reading = _READERS[state]

    def _after_hello(self, request: Request | None, reply: Reply) -> None:
        if reply.severity == 2:
            assert isinstance(request, Ehlo | Helo | Lhlo)
            self._hello = request
            self._end_transaction()
            if self._tally is None and self._offer.limits is not None:
                self._tally = Tally(self._offer.limits)

    def _after_rset(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 300:
            self._end_transaction()

    def _after_mail(self, request: Request | None, reply: Reply) -> None:
        if reply.code >= 400:
            self._overtaken = True
        else:
            assert isinstance(request, MailCommand)
            self._begin_transaction(request)

    def _after_rcpt(self, request: Request | None, reply: Reply) -> None:
        if reply.code >= 400:
            self._overtaken = True
            return
        assert isinstance(request, Rcpt)
        self._transaction.add(request)

    def _after_data(self, request: Request | None, reply: Reply) -> None:
        if reply.code == 354:
            decoder = DotDecoder(strict=not self._lenient)
            self._transaction.intake = Intake(self._offer.size, decoder)

    def _after_chunk(self, request: Request | None, reply: Reply) -> None:
        if reply.severity != 2 and request is not None:  # else the connection tells it itself
            self._events.append(MessageRefused(reply))

    def _after_message(self, request: Request | None, reply: Reply) -> None:
        if reply.code < 300:
            self._refusals = 0
        elif isinstance(request, Burl):
            intake = self._transaction.intake
            if intake is not None and intake.octets:  # of the chunks before it
                self._events.append(MessageRefused(reply))
        self._end_transaction()

    def _after_starttls(self, request: Request | None, reply: Reply) -> None:
        if reply.code == 220:
            self._begin_tls()

    def _after_auth(self, request: Request | None, reply: Reply) -> None:
        self._auth_line_follows = reply.code >= 400

    def _after_quit(self, request: Request | None, reply: Reply) -> None:
        self._end(clean=True)

    # -- reading: commands ------------------------------------------------------------------------

    def _read(self) -> Event | None:
        if self._first_line and self._input.first_octet() == TLS_CLIENT_HELLO:
            return self._turn_away(b"\x16", "This is SMTP, where TLS begins with STARTTLS")
        try:
            line = self._input.next_line(self._longest_line)
        except LineTooLong as too_long:
            self._first_line = False
            return self._refuse_unread(too_long.start, "Line too long")
        if line is None:
            return self._starve()
        self._look_for_more()
        try:
            verb, argument = self._split(line)
        except Refused as refused:
            self._first_line = False
            return self._refuse_unread(line, refused.text)
        try:
            command_class = self._offer.verbs.get(verb)
            if command_class is None:
                self._refuse_verb(line, verb)
            self._auth_line_follows = False
            if command_class is Bdat:
                return self._begin_chunk(line, argument)
            if len(line) + 2 > self._limits.command_line:
                self._check_length(line, verb)
            step = command_class.step
            if step not in self._moves or step in self._guarded:
                self._check_sequence(verb, step)
            if command_class is Auth:
                self._check_privacy(argument)
            if command_class is Extended:
                command = read_extended(verb, argument)
            else:
                command = command_class.read(argument)
            check = _CHECKS.get(command_class)
            if check is not None:
                check(self, command)
        except Refused as refused:
            if refused.code == 421:
                return self._turn_away(line, refused.text)
            return self._refuse(line, refused.code, refused.status, refused.text)
        except CommandSyntaxError as error:
            reply = self._without_status(error.reply)
            return self._refuse_with(line, reply, bytes(reply))
        finally:
            self._first_line = False
        if self._state is BDAT or step == "BURL":
            return self._go_on_with_chunks(command)
        self._owed, self._step = command, step
        return command

    def _refuse_unread(self, line: bytes, text: str) -> Event:
        """A line that is no text. Had it announced a chunk, nobody knows where that ends, and
        its octets must not be taken for commands."""
        event = self._refuse(line, 500, "5.5.2", text)
        if _verb_of(line) == b"BDAT" and "BDAT" in self._offer.verbs:
            self.shutdown(_LOST)
        return event

    def _split(self, line: bytes) -> tuple[str, str]:
        """The verb in upper case and the argument, of a line that is readable text."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Refused(500, "5.5.2", "A command is ASCII, or UTF-8") from None
        if not text.isprintable():
            text = spaced(text)
            if CONTROL.search(text):
                raise Refused(500, "5.5.2", "Control character in a command line")
        if not text.isascii() and not self._offer.utf8:
            raise Refused(500, "5.5.2", "A command is ASCII where SMTPUTF8 is not offered")
        return split(text)

    def _refuse_verb(self, line: bytes, verb: str) -> NoReturn:
        if self._first_line and verb in HTTP_VERBS:
            raise Refused(421, "4.7.0", f"{verb} is HTTP, this is SMTP")
        self._check_length(line, verb)
        if verb in self._offer.known:
            raise Refused(502, "5.5.1", f"{verb} is not offered here")
        raise Refused(500, "5.5.2", "Command unrecognized")

    def _check_length(self, line: bytes, verb: str) -> None:
        limit = self._limits.command_line
        if len(line) + 2 <= limit:
            return
        if verb == "MAIL":
            limit += self._offer.extra_mail
        elif verb == "RCPT":
            limit += self._offer.extra_rcpt
        elif verb == "AUTH":
            # RFC 4954 tells clients to keep to 512, and clients with long tokens do not.
            limit = max(limit, self._limits.auth_line)
        if len(line) + 2 > limit:
            raise Refused(500, "5.5.2", f"Line too long: at most {limit} octets here")

    def _check_sequence(self, verb: str, step: str) -> None:
        if step not in self._moves:
            raise Refused(503, "5.5.1", f"{verb} is out of order: {_NEXT[self._state]}")
        if step == "AUTH" and self._identity is not None:
            raise Refused(503, "5.5.1", "Authenticated already")
        if self._require_tls and not self._tls and step not in WITHOUT_TLS:
            raise Refused(530, "5.7.0", "Must issue a STARTTLS command first")
        needs_auth = step in ONLY_WITH_AUTH or (self._require_auth and step not in WITHOUT_AUTH)
        if needs_auth and self._identity is None:
            raise Refused(530, "5.7.0", "Authentication required")

    def _check_mail(self, command: Command) -> None:
        assert isinstance(command, MailCommand)
        parameters = command.parameters if isinstance(command, Mail) else NO_PARAMETERS
        offered = self._offer
        if parameters is not NO_PARAMETERS:
            self._check_parameters(parameters, offered.mail_parameters)
            if "BODY" in parameters and parameters["BODY"] not in offered.bodies:
                raise Refused(555, "5.5.4", f"BODY={parameters['BODY']} is not offered here")
        path = command.reverse_path
        if path is not None and not path.is_ascii and "SMTPUTF8" not in parameters:
            raise Refused(550, "5.6.7", "An address beyond ASCII needs MAIL ... SMTPUTF8")
        if parameters is not NO_PARAMETERS:
            for extension in offered.checks:
                extension.check(parameters)
        if self._tally is not None:
            self._tally.count(command)

    def _check_rcpt(self, command: Command) -> None:
        assert isinstance(command, Rcpt)
        if command.parameters is not NO_PARAMETERS:
            self._check_parameters(command.parameters, self._offer.rcpt_parameters)
        if not command.forward_path.is_ascii and not self._speaks_utf8():
            raise Refused(553, "5.6.7", "An address beyond ASCII needs MAIL ... SMTPUTF8")
        if len(self._transaction.recipients) >= self._limits.recipients:
            raise Refused(452, "4.5.3", "Too many recipients: send the others in another message")
        if self._tally is not None:
            self._tally.count(command)

    def _check_parameters(self, parameters: Parameters, offered: frozenset[str]) -> None:
        for keyword in parameters:
            if keyword in offered or (self._offer.any_parameter and keyword not in OWNED):
                continue
            raise Refused(555, "5.5.4", f"The parameter {keyword} is not offered here")

    def _check_privacy(self, argument: str) -> None:
        """Before anything else of AUTH is looked at."""
        auth = self._offer.auth
        mechanism = upper(argument.partition(" ")[0])
        if auth and mechanism in auth.mechanisms and not auth.allows(mechanism, self._tls):
            raise Refused(538, "5.7.11", "This mechanism needs TLS: STARTTLS first")

    def _check_data(self, command: Command) -> None:
        if self._transaction.mail.binary:
            raise Refused(503, "5.5.1", "BODY=BINARYMIME is sent with BDAT")  # RFC 3030 3

    def _check_burl(self, command: Command) -> None:
        intake = self._transaction.intake
        if intake is not None:
            intake.check_ended()

    def _check_auth(self, command: Command) -> None:
        assert isinstance(command, Auth)
        auth = self._offer.auth
        assert auth is not None
        if command.mechanism not in auth.mechanisms:
            raise Refused(504, "5.5.4", "This mechanism is not offered here")
        if command.mechanism in SERVER_FIRST and command.initial_response is not None:
            raise Refused(501, "5.7.0", f"In {command.mechanism} the server speaks first")

    def _check_query(self, command: Command) -> None:
        assert isinstance(command, Vrfy | Expn)
        if command.smtputf8 and not self._offer.utf8:
            raise Refused(555, "5.5.4", "The parameter SMTPUTF8 is not offered here")
        if not command.smtputf8 and not command.argument.isascii():
            raise Refused(550, "5.6.7", f"A name beyond ASCII needs {command.verb} ... SMTPUTF8")

    def _go_on_with_chunks(self, command: Command) -> Event:
        if command.step in _GIVE_UP:
            # The message ends before the command is answered, and even if that is refused.
            self._giving_up = command
            self._starved = False
            self._reading = ServerConnection._read_giving_up
            return MessageRefused(None)
        step = step_of(command)
        if self._lmtp:
            self._begin_answers(step)
        self._owe(command, step)
        return command

    def _begin_answers(self, step: str) -> None:
        """LMTP: the end of a message has one reply for each recipient (RFC 2033 section 4.2)."""
        if step in TAKES_MESSAGE:
            transaction = self._transaction
            transaction.unanswered = len(transaction.recipients)

    def _read_giving_up(self) -> Event:
        command = self._giving_up
        assert command is not None
        self._reading = ServerConnection._read
        self._owe(command, command.step)
        self._giving_up = None
        return command

    # -- reading: messages ------------------------------------------------------------------------

    def _read_message(self) -> Event | None:
        """After 354 (RFC 5321 section 4.1.1.4)."""
        intake = self._transaction.intake
        assert intake is not None
        decoder = intake.decoder
        assert isinstance(decoder, DotDecoder)
        while not decoder.ended:
            data = self._input.peek(_WINDOW)
            if not data:
                return self._starve()
            content = intake.take(data)
            self._input.skip(len(data) - decoder.unused)
            if content:
                return message_data(content)
        return self._message_complete(".", intake)

    def _begin_chunk(self, line: bytes, argument: str) -> Event | None:
        """BDAT (RFC 3030 section 2): its octets must be read even when it is refused."""
        try:
            command = Bdat.read(argument)
        except CommandSyntaxError as error:
            reply = self._without_status(error.reply)
            event = self._refuse_with(line, reply, bytes(reply))
            self.shutdown(_LOST)
            return event
        assert isinstance(command, Bdat)
        self._chunk = chunk = Chunk(line, command)
        try:
            self._check_length(line, "BDAT")
            self._check_sequence("BDAT", chunk.step)
        except Refused as refused:
            chunk.refused = refused
        transaction = self._transaction
        if chunk.refused is None and transaction.intake is None:
            decoder = PlainDecoder(strict=not (self._lenient or transaction.mail.binary))
            transaction.intake = Intake(self._offer.size, decoder)
        self._reading = ServerConnection._read_chunk
        return self._read_chunk()

    def _read_chunk(self) -> Event | None:
        chunk = self._chunk
        assert chunk is not None
        while chunk.left:
            data = self._input.take(min(chunk.left, _WINDOW))
            if not data:
                return self._starve()
            chunk.left -= len(data)
            if chunk.refused is None:
                intake = self._transaction.intake
                assert intake is not None
                content = intake.take(data)
                if content:
                    return message_data(content)
        self._reading = _READERS[self._state]
        if chunk.refused is not None:
            return self._refuse_chunk(chunk, chunk.refused)
        intake = self._transaction.intake
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
        times = max(1, len(self._transaction.recipients)) if self._lmtp and chunk.last else 1
        reply, wire = self._own(refused.code, refused.status, refused.text)
        return self._refuse_with(chunk.line, reply, wire * times)

    def _message_complete(self, step: str, intake: Intake) -> Event:
        """All of the message has come, or of a chunk that ruins it: the reply is owed, or given."""
        if self._lmtp:
            self._begin_answers(step)
        refused = intake.refused
        self._look_for_more()
        if refused is None:
            self._owed, self._step = _END_OF_MESSAGE, step
            return _END_OF_MESSAGE
        self._step = step
        reply, wire = self._own(refused.code, refused.status, refused.text)
        self._answer(reply, wire)
        return MessageRefused(reply)

    # -- reading: SASL and TLS --------------------------------------------------------------------

    def _read_auth_line(self) -> Event | None:
        return self._read_response(self._limits.auth_line)

    def _cancel_auth(self, code: int, status: str, text: str) -> None:
        self._step = "AUTH response"
        reply, wire = self._own(code, status, text)
        if self._count_refusal():
            self._say_goodbye(self._enough())
        else:
            self._answer(reply, wire)

    def _forget(self) -> None:
        self._hello = None
        self._identity = None
        self._tally = None
        self._follow(offer(self._extensions, True, self._lmtp))
        self._end_transaction()
        self._enter(State.CONNECTED)

    def _refuse_injection(self) -> None:
        """Octets came in clear behind STARTTLS: whoever put them there wants them to be run as
        if they had come under TLS (CVE-2011-0411)."""
        self._owed = None
        event = self._refuse(b"STARTTLS", 554, "5.5.0", "Octets in clear behind STARTTLS")
        self._events.append(event)
        self._end(clean=False)

    # -- refusing, and the end --------------------------------------------------------------------

    def _refuse(self, line: bytes, code: int, status: str, text: str) -> Event:
        reply, wire = self._own(code, status, text)
        return self._refuse_with(line, reply, wire)

    def _own(self, code: int, status: str, text: str) -> tuple[Reply, bytes]:
        """A reply of the connection's own, and its wire form."""
        return standard(code, status if self._offer.enhanced else None, text)

    def _refuse_with(self, line: bytes, reply: Reply, wire: bytes) -> Event:
        """Answer a command line with `wire`, which is `reply`, without asking anybody."""
        code = reply.code
        visible = redact.shown(line, after_auth=self._auth_line_follows and code == 500)
        verb = _verb_of(line)
        if redact.secrets_follow(line):
            self._auth_line_follows = True
        if verb in (b"MAIL", b"RCPT") and code != 503:
            self._overtaken = True
        overtaken = code == 503 and self._overtaken and verb in (b"RCPT", b"DATA", b"BDAT")
        if not overtaken and code in _COUNTED and self._count_refusal():
            reply = self._enough()
            self._say_goodbye(reply)
        else:
            self._outbox.append(wire)
        return command_refused(visible, reply)

    def _without_status(self, reply: Reply) -> Reply:
        if self._offer.enhanced:
            return reply
        return Reply(reply.code, *reply.text.split("\n"))

    def _enough(self) -> Reply:
        status = "4.7.0" if self._offer.enhanced else None
        return self._fold(421, f"{self._domain} Too many errors", status)

    def _turn_away(self, line: bytes, text: str) -> Event:
        """Whoever this is, it is no mail client."""
        status = "4.7.0" if self._offer.enhanced else None
        reply = self._fold(421, f"{self._domain} {text}", status)
        self._say_goodbye(reply)
        return command_refused(redact.shown(line, after_auth=False), reply)

    def _say_goodbye(self, reply: Reply) -> None:
        """421, which answers what is owed, and the end (RFC 5321 section 3.8)."""
        self._owed = None
        self._outbox.append(bytes(reply))
        self._end(clean=self._state in RESTING or self._state is State.GREETING)

    def _at_rest(self) -> bool:
        return self._state in RESTING

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._end_transaction()
        self._enter(State.CLOSED)


def _offerable(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    """What a server can offer of these: of what another server has offered, as a proxy's client
    saw it, all that does not need what is lacking."""
    offered = tuple(extensions)
    if not isinstance(extensions, Capabilities):
        return offered
    return tuple(one for one in offered if all(keyword in extensions for keyword in one.needs))


def _verb_of(line: bytes) -> bytes:
    """The first four octets of a line that may hold anything."""
    return line.lstrip(b" \t")[:4].upper()


_LOST = "No way to tell the message from the commands"
_COUNTED = (500, 501, 502, 503)
"""The refusals of which a session may have so many: they are the client's fault."""
_TURNS = ("TURN", "ATRN")
_GIVE_UP = ("RSET", "EHLO", "HELO", "LHLO")

_GUARDED = ONLY_WITH_AUTH | {"AUTH"}
_STEPS = frozenset().union(*MACHINE.values())
"""The steps that not everybody may take who is in the right state: on every server, and on one
that requires AUTH or TLS."""

_NEXT = {
    State.CONNECTED: "send EHLO first",
    State.READY: "send MAIL first",
    State.MAIL: "a transaction has begun: RCPT is next, or RSET",
    State.RCPT: "a transaction has begun: RCPT or DATA is next, or RSET",
    State.BDAT: "BDAT is next, or RSET",
    State.FAILED: "the transaction has failed: send RSET",
    State.CLOSING: "there is no service here: QUIT",
}
"""What 503 tells the client to do."""

_READERS: dict[State, Callable[[ServerConnection], Event | None]] = {
    **dict.fromkeys(State, ServerConnection._read),
    State.DATA: ServerConnection._read_message,
    State.AUTH: ServerConnection._read_auth_line,
    State.TLS: ServerConnection._read_nothing,
    State.TURNED: ServerConnection._read_nothing,
    State.CLOSED: ServerConnection._read_nothing,
}
"""What the octets are in each state."""

_EFFECTS: dict[str, Callable[[ServerConnection, Request | None, Reply], None]] = {
    "EHLO": ServerConnection._after_hello,
    "HELO": ServerConnection._after_hello,
    "LHLO": ServerConnection._after_hello,
    "RSET": ServerConnection._after_rset,
    "MAIL": ServerConnection._after_mail,
    "RCPT": ServerConnection._after_rcpt,
    "DATA": ServerConnection._after_data,
    "BDAT": ServerConnection._after_chunk,
    "BURL": ServerConnection._after_chunk,
    ".": ServerConnection._after_message,
    "BDAT LAST": ServerConnection._after_message,
    "BURL LAST": ServerConnection._after_message,
    "STARTTLS": ServerConnection._after_starttls,
    "AUTH": ServerConnection._after_auth,
    "AUTH response": ServerConnection._after_auth,
    "QUIT": ServerConnection._after_quit,
}
"""What a reply to a step does besides leading to another state."""

_CHECKS: dict[type[Command], Callable[[ServerConnection, Command], None]] = {
    Mail: ServerConnection._check_mail,
    SendMail: ServerConnection._check_mail,
    SendOrMail: ServerConnection._check_mail,
    SendAndMail: ServerConnection._check_mail,
    Rcpt: ServerConnection._check_rcpt,
    Data: ServerConnection._check_data,
    Burl: ServerConnection._check_burl,
    Auth: ServerConnection._check_auth,
    Vrfy: ServerConnection._check_query,
    Expn: ServerConnection._check_query,
}
"""What a command that could be read must fulfil."""
