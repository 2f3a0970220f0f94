"""Session: where an SMTP or LMTP session stands, what may come next, and what a reply changes.

Theory of operation
===================

Both roles hold the same object, and so does `explain`. It knows the state, the mail transaction
(RFC 5321 section 3.3), the service extensions in effect (section 2.2) and what LIMITS counts
(RFC 9422); it does not know which role it serves, and no octet of the wire.

`check` says whether a command is allowed besides its place in the order, which `moves` has. It
raises Refused with the reply of RFC 5321: a server sends that, a client raises its text. A server
checks a command before it hands it out, and calls `follow` when the command is answered.

A client may send more before its commands are answered. So it has, besides the Session that follows
the replies, an `Ahead`: the place where the session will be if each command that was sent gets the
reply that is hoped for. What may be sent next is asked there. Behind a command whose answer decides
that, its state is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smtpproto._value import constructor
from smtpproto.errors import Refused
from smtpproto.events import Request
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import NOTHING, Service
from smtpproto.smtp._commands import (
    Atrn,
    Auth,
    Bdat,
    Burl,
    Command,
    Data,
    Ehlo,
    Etrn,
    Expn,
    Extended,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    SendAndMail,
    SendMail,
    SendOrMail,
    StartTls,
    Turn,
    Vrfy,
)
from smtpproto.smtp._events import Envelope, MailCommand
from smtpproto.smtp._parameters import NO_PARAMETERS, Parameters
from smtpproto.smtp._state import (
    BARRIERS,
    CONNECTED,
    GREETING,
    MACHINE,
    SUCCESS,
    Moves,
    State,
    overtaken,
    success,
)

__all__ = ["Ahead", "Session", "Tally", "step_of"]

_build_envelope = constructor(Envelope)
_NOWHERE: Mapping[str, Moves] = {}


def step_of(request: Request) -> str:
    """The step that a request is."""
    if isinstance(request, _CHUNK_COMMANDS) and request.last:
        return f"{request.step} LAST"
    return request.step


_CHUNK_COMMANDS = (Bdat, Burl)  # a tuple: `isinstance` takes several times as long for a union


class Tally:
    """How many transactions and domains a session has seen, and recipients its transaction.

    Commands count whether or not they succeed, from the EHLO on whose answer has `limits`; a later
    EHLO may change these (RFC 9422 section 3).
    """

    __slots__ = ("_domains", "_mails", "_recipients", "limits")

    def __init__(self, limits: ext.Limits) -> None:
        self.limits = limits
        self._mails = 0
        self._recipients = 0
        self._domains: set[str] = set()

    def count(self, command: MailCommand | Rcpt) -> None:
        """`command` is on its way. Raises Refused, and does not count it, when it is one more than
        the server takes."""
        if isinstance(command, MailCommand):
            self._count_mail()
        else:
            self._count_rcpt(command)

    def _count_mail(self) -> None:
        most = self.limits.mailmax
        if most is not None and self._mails >= most:
            raise Refused(421, "4.7.0", f"At most {most} transactions in one session")
        self._mails += 1
        self._recipients = 0

    def _count_rcpt(self, command: Rcpt) -> None:
        most = self.limits.rcptmax
        if most is not None and self._recipients >= most:
            raise Refused(452, "4.5.3", f"At most {most} recipients in one transaction")
        most = self.limits.rcptdomainmax
        if most is not None:
            domain = (command.forward_path.domain or "").lower()
            if domain not in self._domains and len(self._domains) >= most:
                raise Refused(452, "4.5.3", f"Recipients of at most {most} domains in one session")
            self._domains.add(domain)
        self._recipients += 1


class Session:
    """A session of SMTP or LMTP (RFC 5321, RFC 2033), known to either side of it.

    `most_recipients` are those that one transaction may have; None: any number.
    """

    __slots__ = (
        "_envelope", "_initial", "_most_recipients", "auth", "authenticated", "lmtp", "mail",
        "moves", "overtaken", "recipients", "resumed", "service", "state", "tally", "tls",
        "unanswered",
    )  # fmt: skip

    def __init__(
        self,
        *,
        lmtp: bool,
        tls: bool,
        service: Service = NOTHING,
        most_recipients: int | None = None,
    ) -> None:
        self.lmtp = lmtp
        self.tls = tls
        self._most_recipients = most_recipients
        self.state = GREETING
        self.moves = MACHINE[GREETING]
        """The steps that the state allows, and where the replies to each lead."""
        self.begin_with(service)
        self._begin()

    def begin_with(self, service: Service) -> None:
        """Begin with these extensions in effect, now and whenever the session begins anew: a
        server's own. A client knows of none before the answer to EHLO."""
        self._initial = self.service = service
        """The service extensions in effect."""

    def _begin(self) -> None:
        """Nothing was sent yet, or nothing that still counts."""
        self.service = self._initial
        self.tally: Tally | None = None
        """What LIMITS counts, where the server has them."""
        self.authenticated = False
        self.auth: Auth | None = None
        """The AUTH whose exchange goes on, or has ended last."""
        self._end_transaction()

    def _end_transaction(self) -> None:
        self.mail: MailCommand | None = None
        """The command that began the transaction; None outside of one."""
        self.recipients = _NOBODY
        """Those that were accepted."""
        self.resumed = False
        """Whether the recipients are those of a message that broke off (RFC 1845)."""
        self.unanswered = 0
        """LMTP, after the message: how many recipients, the last ones, have no reply yet (RFC 2033
        section 4.2)."""
        self.overtaken = False
        """Whether MAIL, RCPT or a chunk was refused: what is pipelined behind it fails for that."""
        self._envelope: Envelope | None = None

    @property
    def envelope(self) -> Envelope | None:
        """Who sends, and to whom, so far; None outside of a transaction."""
        if self._envelope is None and self.mail is not None:
            self._envelope = _build_envelope(self.mail, tuple(self.recipients))
        return self._envelope

    # -- what may come next -----------------------------------------------------------------------

    def check_order(self, verb: str, step: str) -> None:
        """Raise Refused when it is not the turn of a command with this verb, which is `step`."""
        if step not in self.moves:
            raise Refused(503, "5.5.1", f"{verb} is out of order: {_NEXT[self.state]}")
        if step == "AUTH" and self.authenticated:  # once in a session (RFC 4954 section 4)
            raise Refused(503, "5.5.1", "Authenticated already")

    def check(self, command: Command, mail: MailCommand | None) -> None:
        """Raise Refused when the extensions in effect, or the transaction that `mail` has begun, do
        not allow a command whose turn it is."""
        rule = _RULES.get(type(command))
        if rule is not None:
            rule(self, command, mail)

    def _check_mail(self, command: Mail, mail: object) -> None:
        parameters = command.parameters
        service = self.service
        if parameters is not NO_PARAMETERS:
            self._check_parameters(parameters, service.mail_parameters)
            if "BODY" in parameters and parameters["BODY"] not in service.bodies:
                raise Refused(555, "5.5.4", f"BODY={parameters['BODY']} is not offered here")
        path = command.reverse_path
        if path is not None and not path.text.isascii() and "SMTPUTF8" not in parameters:
            raise Refused(550, "5.6.7", "An address beyond ASCII needs MAIL ... SMTPUTF8")
        if parameters is not NO_PARAMETERS:
            for extension in service.checks:
                extension.check(parameters)

    def _check_send(self, command: SendMail | SendOrMail | SendAndMail, mail: object) -> None:
        """SEND, SOML and SAML are MAIL in another word, which a server must offer."""
        self._check_verb(command, mail)
        path = command.reverse_path
        if path is not None and not path.text.isascii():
            raise Refused(550, "5.6.7", "An address beyond ASCII needs MAIL ... SMTPUTF8")

    def _check_rcpt(self, command: Rcpt, mail: MailCommand | None) -> None:
        if command.parameters is not NO_PARAMETERS:
            self._check_parameters(command.parameters, self.service.rcpt_parameters)
        if not command.forward_path.text.isascii() and not (mail and mail.smtputf8):
            raise Refused(553, "5.6.7", "An address beyond ASCII needs MAIL ... SMTPUTF8")
        most = self._most_recipients
        if most is not None and len(self.recipients) >= most:
            raise Refused(452, "4.5.3", "Too many recipients: send the others in another message")

    def _check_parameters(self, parameters: Parameters, offered: Mapping[str, int]) -> None:
        for keyword in parameters:
            if keyword not in offered and not self.service.passes_through(keyword):
                raise Refused(555, "5.5.4", f"The parameter {keyword} is not offered here")

    def _check_data(self, command: Data, mail: MailCommand | None) -> None:
        if mail is not None and mail.binary:
            raise Refused(503, "5.5.1", "BODY=BINARYMIME is sent with BDAT")  # RFC 3030 section 3

    def _check_query(self, command: Vrfy | Expn, mail: object) -> None:
        if command.smtputf8 and not self.service.utf8:
            raise Refused(555, "5.5.4", "The parameter SMTPUTF8 is not offered here")
        if not command.smtputf8 and not command.argument.isascii():
            raise Refused(550, "5.6.7", f"A name beyond ASCII needs {command.verb} ... SMTPUTF8")

    def _check_expn(self, command: Expn, mail: object) -> None:
        self._check_verb(command, mail)
        self._check_query(command, mail)

    def _check_auth(self, command: Auth, mail: object) -> None:
        self._check_verb(command, mail)
        if self.authenticated:
            raise Refused(503, "5.5.1", "Authenticated already")

    def _check_verb(self, command: Command, mail: object) -> None:
        """A verb that only an extension brings."""
        verb = command.name if isinstance(command, Extended) else command.verb
        if not self.service.allows_verb(verb):
            keyword = "CHUNKING" if verb == "BDAT" else verb
            raise Refused(502, "5.5.1", f"{keyword} is not offered here")

    def _check_hello(self, command: Ehlo | Helo | Lhlo, mail: object) -> None:
        if isinstance(command, Lhlo) is not self.lmtp:
            other = "LHLO is LMTP's" if isinstance(command, Lhlo) else "LMTP has LHLO instead"
            raise Refused(500, "5.5.2", f"{command.verb} is not understood here: {other}")

    # -- what a reply changes ---------------------------------------------------------------------

    def follow(self, step: str, request: Any, code: int) -> State | None:
        """`request`, which is `step`, has been answered with `code`.

        Gives the state that this leads to. Gives None, and changes nothing, for a code that cannot
        answer the step.
        """
        moves = self.moves[step]
        state = moves.get(code) or moves.get(code // 100)
        if state is None:
            return None
        self.state = state
        self.moves = MACHINE[state]
        if step == "RCPT":  # the two most frequent ones here, for a call less
            if code < 400:
                self.recipients.append(request)
                self._envelope = None
            else:
                self.overtaken = True
        elif step == "MAIL":
            if code < 400:
                self.mail = request
                self.recipients = []
                self.resumed = code == 355
                self._envelope = None
            self.overtaken = code >= 400
        else:
            effect = _EFFECTS.get(step)
            if effect is not None:
                effect(self, request, code)
        return state

    def _after_hello(self, request: Any, code: int) -> None:
        if code < 400:
            self._end_transaction()

    def in_effect(self, service: Service, limits: ext.Limits | None) -> None:
        """EHLO, HELO or LHLO was accepted: these are the extensions that it listed, and the limits
        among them."""
        self.service = service
        if self.tally is not None:
            # A new EHLO brings new limits, and what was sent before still counts (RFC 9422).
            self.tally.limits = limits or _NO_LIMITS
        elif limits is not None:
            self.tally = Tally(limits)

    def _after_chunk(self, request: Any, code: int) -> None:
        self.overtaken = self.overtaken or code >= 400

    def _after_reset(self, request: Any, code: int) -> None:
        if code < 400:
            self._end_transaction()

    def _after_message(self, request: Any, code: int) -> None:
        self._end_transaction()

    def _after_auth(self, request: Any, code: int) -> None:
        self.authenticated = code == 235
        if isinstance(request, Auth):
            self.auth = request

    def _after_extended(self, request: Any, code: int) -> None:
        if code == 220:  # the session is another client's from here on (XCLIENT)
            self._begin()

    def tls_started(self, service: Service = NOTHING) -> None:
        """TLS has begun: what was learnt in clear is forgotten. `service` as for `begin_with`."""
        self.tls = True
        self._move(CONNECTED)
        self.begin_with(service)
        self._begin()

    def end(self) -> None:
        """The session is over, wherever it stood. The transaction that was cut off stays."""
        self._move(State.CLOSED)

    def next_recipient(self) -> tuple[Rcpt | None, int]:
        """LMTP: whom the next reply to the message is about, and how many replies are left with
        it. Each call is for one reply."""
        left = self.unanswered or len(self.recipients)
        if not left:
            return None, 1
        self.unanswered = left - 1
        return self.recipients[-left], left

    def _move(self, state: State) -> None:
        self.state = state
        self.moves = MACHINE[state]

    def ahead(self) -> Ahead:
        """The place ahead of this session: here, until something is sent."""
        return Ahead(self)

    def force(self, state: State) -> None:
        """Go to `state`, whatever the rules say: for a session that is only watched."""
        self._move(state)
        if state in _IN_TRANSACTION and self.mail is None:
            self.mail = Mail(None)
            self.recipients = []


class Ahead:
    """Where a session will be when everything that was sent has succeeded."""

    __slots__ = ("mail", "moves", "state")

    def __init__(self, session: Session) -> None:
        self.state: State | None = session.state
        """None behind a command whose answer decides what may be sent."""
        self.moves = session.moves
        self.mail = session.mail

    def assume(self, step: str, request: Request | None) -> None:
        """`step` is sent: go where the reply leads that is hoped for. A step that is not allowed
        any more, because one before it was refused, changes nothing."""
        if self.state is None or step in BARRIERS:
            self.state = None
            self.moves = _NOWHERE
            return
        state = SUCCESS[self.state].get(step)
        if state is None:
            if step != "DATA":
                return
            state = success(overtaken(step, self.state))  # it may be answered 354 all the same
        self.state = state
        self.moves = MACHINE[state]
        if step == "MAIL":
            assert isinstance(request, MailCommand)
            self.mail = request


_IN_TRANSACTION = (State.MAIL, State.RCPT, State.DATA, State.BDAT, State.FAILED)
_NOBODY: list[Rcpt] = []
"""The recipients outside of a transaction; never added to."""
_NO_LIMITS = ext.Limits()

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

_RULES: dict[type[Command], Callable[[Session, Any, MailCommand | None], None]] = {
    Mail: Session._check_mail,
    **dict.fromkeys((SendMail, SendOrMail, SendAndMail), Session._check_send),
    Rcpt: Session._check_rcpt,
    Data: Session._check_data,
    Vrfy: Session._check_query,
    Expn: Session._check_expn,
    Auth: Session._check_auth,
    **dict.fromkeys((Ehlo, Helo, Lhlo), Session._check_hello),
    **dict.fromkeys((StartTls, Bdat, Burl, Etrn, Atrn, Turn, Extended), Session._check_verb),
}
"""What a command must fulfil besides its place in the order."""

_EFFECTS: dict[str, Callable[[Session, Any, int], None]] = {
    **dict.fromkeys(("EHLO", "HELO", "LHLO"), Session._after_hello),
    "BDAT": Session._after_chunk,
    "BURL": Session._after_chunk,
    "RSET": Session._after_reset,
    **dict.fromkeys((".", "BDAT LAST", "BURL LAST"), Session._after_message),
    **dict.fromkeys(("AUTH", "AUTH response"), Session._after_auth),
    "extended": Session._after_extended,
}
"""What a reply to any other step than MAIL and RCPT changes besides the state."""
