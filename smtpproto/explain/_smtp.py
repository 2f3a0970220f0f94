"""SmtpObserver: what is wrong with a recorded session of SMTP or LMTP."""

from __future__ import annotations

import re
from collections import deque

from smtpproto import smtp
from smtpproto._redact import verb_of
from smtpproto._wire import base64
from smtpproto._wire.newlines import bare_newline
from smtpproto.errors import LocalProtocolError, Refused
from smtpproto.events import Event, Greeting, Request
from smtpproto.explain._observer import DOMAIN, Asked, Heard, Observer, RefusedByUs
from smtpproto.explain._recording import Recording
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import NO_CAPABILITIES
from smtpproto.smtp._commands import VERBS
from smtpproto.smtp._replies import ReplyReader
from smtpproto.smtp._session import step_of
from smtpproto.smtp._state import (
    ENDS_GROUP,
    MACHINE,
    TAKES_MESSAGE,
    named,
    next_state,
    overtaken,
)
from smtpproto.transcript import Transcript

__all__ = ["SmtpObserver"]

_UNLIMITED = 1 << 62
_LIMITS = smtp.Limits(refusals=None, recipients=_UNLIMITED, backlog=_UNLIMITED)
"""How often a client may err, and how much a server takes, is policy and no matter of right."""

_OF_RFC_821 = (ext.Expn(), ext.Turn(), ext.Send(), ext.Soml(), ext.Saml())
"""What a server could not list before there was EHLO."""

_MAY_BE_TRIED = (502, 504)
"""Our refusals of what a client may find out by trying: a verb or a mechanism is not offered."""

_SECTIONS = {
    500: "RFC 5321 section 4.1.1",
    501: "RFC 5321 section 4.1.1",
    502: "RFC 5321 section 4.2.4",
    503: "RFC 5321 section 4.1.4",
    504: "RFC 4954 section 4",
    550: "RFC 6531 section 3.5",
    553: "RFC 6531 section 3.5",
    555: "RFC 5321 section 4.1.1.11",
}
"""Where it stands that a command is to be refused with the code."""

_STAND_INS = {
    "EHLO": b"EHLO unknown\r\n",
    "HELO": b"HELO unknown\r\n",
    "LHLO": b"LHLO unknown\r\n",
    "MAIL": b"MAIL FROM:<>\r\n",
    "RCPT": b"RCPT TO:<Postmaster>\r\n",
    "DATA": b"DATA\r\n",
    "BDAT": b"BDAT 0\r\n",
    "BDAT LAST": b"BDAT 0 LAST\r\n",
    "RSET": b"RSET\r\n",
    "QUIT": b"QUIT\r\n",
}
"""What our connection is told when the server has taken what ours refuses: the same step, in
words that nobody could object to."""

_FAIL_TOGETHER = ("RCPT", "DATA", "BDAT", "BDAT LAST", "BURL", "BURL LAST")
"""What a pipelining client has sent already when MAIL, RCPT or a chunk is refused."""

_HANDS_OVER = ("STARTTLS", "AUTH", "TURN", "ATRN", "ETRN", "BURL", "BURL LAST")
"""Steps without a stand-in that lead elsewhere, or may."""


class SmtpObserver(Observer):
    """Follows a session of SMTP (RFC 5321), or LMTP (RFC 2033)."""

    _server: smtp.ServerConnection

    TLS_BEGINS = "RFC 3207 section 4"
    PIPELINING = "RFC 2920 section 3.1"
    REPLIES = "RFC 5321 section 4.2"
    SASL = "RFC 4954 section 4"
    ENDS_GROUP = ENDS_GROUP

    def __init__(self, recording: Recording) -> None:
        greetings = (verb_of(said.octets) for said in recording.said("C"))
        first = next((verb for verb in greetings if verb in ("EHLO", "HELO", "LHLO")), "")
        self._lmtp = first == "LHLO"
        self.protocol = "LMTP" if self._lmtp else "SMTP"
        super().__init__(recording)

    def _begin(self, *, tls: bool) -> None:
        super()._begin(tls=tls)
        self._tls_started()
        self._reader = ReplyReader(_LIMITS.reply)
        self._reply: smtp.Reply | None = None  # that was given last
        self._bare: Heard | None = None  # where the message has a bare CR or LF
        self._recipients = 0  # of the transaction

    def _connection(self, tls: bool) -> smtp.ServerConnection:
        return smtp.ServerConnection(DOMAIN, lmtp=self._lmtp, tls=tls, limits=_LIMITS)

    def _tls_started(self) -> None:
        self._offers = NO_CAPABILITIES

    @property
    def _pipelining(self) -> bool:
        return self._lmtp or "PIPELINING" in self._offers

    @property
    def _within_message(self) -> bool:
        return self._server.state is smtp.State.DATA

    def _unfinished_reply(self) -> bool:
        return self._reader.within_reply

    def _unfinished_exchange(self) -> str | None:
        if self._server.state is smtp.State.DATA:
            return "the message: it has no final dot (RFC 5321 section 4.1.1.4)"
        if self._server.state is smtp.State.AUTH:
            return f"the SASL exchange ({self.SASL})"
        return None

    # -- the client -------------------------------------------------------------------------------

    def _tell(self, octets: bytes) -> None:
        within = self._within_message or self._begun is not self._last
        if within and self._bare is None and bare_newline(octets.removesuffix(b"\r")) >= 0:
            self._bare = self._last
        envelope = self._server.envelope
        self._recipients = 0 if envelope is None else len(envelope.recipients)
        super()._tell(octets)

    def _step_of(self, request: Request) -> str:
        if isinstance(request, smtp.EndOfMessage) and not self._within_message:
            return "BDAT LAST"
        return step_of(request)

    def _asked(self, request: Request, step: str) -> None:
        heard = self._begun or self._last
        if step in ("MAIL", "RCPT") and heard is not None and not _PATH.match(heard.said.octets):
            what = "the address stands in < and >, right behind the colon"
            self._problem(heard, f"{what} (RFC 5321 section 4.1.2)")
        super()._asked(request, step)

    def _happened(self, event: Event) -> None:
        match event:
            case smtp.CommandRefused(_, reply):
                self._command_refused(reply)
            case smtp.MessageRefused(smtp.Reply() as reply) if reply is not self._reply:
                # After a chunk the transaction has failed, after a whole message it is over.
                step = "BDAT" if self._server.state is smtp.State.FAILED else "."
                why = f"{reply.text} (RFC 5321 section 2.3.8)"
                replies = self._replies_to(step)
                self._refused(step, why, mistake=True, replies=replies, at=self._bare)
                self._bare = None

    def _command_refused(self, reply: smtp.Reply) -> None:
        heard = self._begun or self._last
        assert heard is not None
        step = _step(heard.said.octets)
        section = _SECTIONS.get(reply.code)
        text = reply.text.removeprefix(f"{DOMAIN} ")
        why = f"{text} ({section})" if section else text
        if self._server._session.overtaken and reply.code == 503 and self._pipelining:
            mistake = step not in _FAIL_TOGETHER
        else:
            mistake = reply.code not in _MAY_BE_TRIED
        self._refused(step, why, mistake=mistake, replies=self._replies_to(step))

    def _replies_to(self, step: str) -> int:
        return max(1, self._recipients) if self._lmtp and step in TAKES_MESSAGE else 1

    # -- the server -------------------------------------------------------------------------------

    def _replied(self, line: bytes, heard: Heard) -> None:
        reply = self._reader.read(line)
        if reply is None:
            return
        if len(line) + 2 > _LIMITS.reply_line and reply.code != 334:
            most = _LIMITS.reply_line
            self._problem(heard, f"a reply line of more than {most} octets ({self.REPLIES})")
        self._answered(reply, heard)

    def _answered(self, reply: smtp.Reply, heard: Heard) -> None:
        awaited = self._awaited
        if reply.code == 421:
            self._left(awaited, heard)
        elif awaited is None:
            self._unasked(reply, heard)
        elif isinstance(awaited, RefusedByUs):
            self._judge(awaited, reply, heard)
        else:
            self._answer(awaited, reply, heard)

    def _left(self, awaited: Asked | RefusedByUs | None, heard: Heard) -> None:
        """421 answers whatever was asked, and ends the session (RFC 5321 section 3.8)."""
        if isinstance(awaited, RefusedByUs) and awaited.mistake:
            self._problem(awaited.heard, awaited.why)
        self._awaited = None
        self._server.shutdown()
        self._drain()
        self._stop("the server has ended the session")

    def _unasked(self, reply: smtp.Reply, heard: Heard) -> None:
        if self._recording.ordered and self._within_message and self._begun is None:
            # People leave the message out of what they show, and curl does.
            self._transcript.note("... the message is not in the recording")
            self._stand_in(b".\r\n")
            self._answered(reply, heard)
        else:
            self._problem(heard, f"answers nothing that was asked ({self.REPLIES})")

    def _answer(self, asked: Asked, reply: smtp.Reply, heard: Heard) -> None:
        """Give our connection the reply that it owes."""
        server, request, step = self._server, asked.request, asked.step
        moves = MACHINE[server.state][step]
        if next_state(moves, reply.code) is None:
            kinds = named(moves)
            if isinstance(request, Greeting):
                self._problem(heard, f"the greeting is missing: expected {kinds}")
                server.accept()
                self._awaited = None
                self._queue = deque(first._replace(early=False) for first in self._queue)
                self._read_on()
                self._answered(reply, heard)
            else:
                what = f"{reply.code} cannot answer {step}: expected {kinds}"
                self._lose(heard, f"{what} (RFC 5321 section 4.3.2)")
            return
        if step == "STARTTLS" and reply.code == 220 and self._injected():
            return
        if step in ("TURN", "ATRN") and reply.severity == 2:
            if self._queue:
                self._lose(self._queue[0], "sent before the roles changed (RFC 2645 section 5.3)")
            else:
                self._turned()
            return
        try:
            self._give(request, reply, heard)
        except LocalProtocolError as error:
            self._lose(heard, str(error))
            return
        if server.owed is None:
            self._awaited = None

    def _give(self, request: Request, reply: smtp.Reply, heard: Heard) -> None:
        server = self._server
        self._reply = reply
        if isinstance(request, smtp.Ehlo | smtp.Lhlo | smtp.Helo) and reply.severity == 2:
            helo = isinstance(request, smtp.Helo)
            lines = reply.lines[:1] if helo else reply.lines
            self._offers = smtp.Capabilities.parse(smtp.Reply(250, *lines, *self._recording.offers))
            allowed = _allowed(self._offers, helo)
            try:
                server.extensions = allowed
            except LocalProtocolError as error:
                self._problem(heard, str(error))
                offered = {one.keyword for one in allowed}
                server.extensions = [one for one in allowed if offered.issuperset(one.needs)]
        if isinstance(request, smtp.Auth | smtp.AuthResponse) and reply.code == 235:
            server.authenticated("somebody")
        elif isinstance(request, smtp.Auth | smtp.AuthResponse) and reply.code == 334:
            server.send(smtp.AuthChallenge(self._challenge(reply, heard)))
        else:
            server.send(reply)

    def _challenge(self, reply: smtp.Reply, heard: Heard) -> bytes:
        try:
            return base64.decode(reply.lines[0].strip(" ").encode())
        except (ValueError, UnicodeEncodeError):
            self._problem(heard, f"the challenge is not base64 ({self.SASL})")
            return b""

    def _turned(self) -> None:
        """From here on the side that answered the connection is the client (RFC 2645)."""
        self._transcript.note("... the roles change: C: is who answered the connection")
        self._swapped = not self._swapped
        self._transcript = Transcript()
        self._transcripts.append(self._transcript)
        self._begin(tls=self._server.tls)

    # -- what ours refuses ------------------------------------------------------------------------

    def _judge(self, refused: RefusedByUs, reply: smtp.Reply, heard: Heard) -> None:
        """The reply to what our connection has refused by itself."""
        taken = reply.code < 400
        unusual = taken and reply.code not in overtaken(refused.step, self._server.state)
        if refused.mistake or unusual:
            self._judged(refused, f"{reply.code} {reply.text}" if taken else None)
        if self._server.closed:
            self._stop("our server would have ended the session: the rest is not judged")
        elif refused.replies > 1 and (refused.step == "." or not taken):
            self._awaited = refused._replace(replies=refused.replies - 1, judged=True)
        elif taken and refused.step != ".":
            self._catch_up(refused, reply, heard)
        else:
            self._awaited = None

    def _catch_up(self, refused: RefusedByUs, reply: smtp.Reply, heard: Heard) -> None:
        """Bring our connection to where the server is, which has taken what ours refuses."""
        server, step = self._server, refused.step
        stand_in = _STAND_INS.get(step)
        if stand_in is None:
            self._awaited = None
            if step in _HANDS_OVER or reply.severity != 2:
                self._lose(heard, f"what {step} has led to is unknown")
            return
        if step not in server._session.moves:
            server._force(next(state for state, moves in MACHINE.items() if step in moves))
        self._stand_in(self._hello(stand_in), noted=False)
        if isinstance(self._awaited, Asked):
            self._answer(self._awaited, reply, heard)
        else:
            self._lose(heard, f"what {step} has led to is unknown")

    def _hello(self, line: bytes) -> bytes:
        """The line, with LMTP's word for HELO and EHLO."""
        return re.sub(b"HELO|EHLO", b"LHLO", line) if self._lmtp else line


_PATH = re.compile(rb"[ \t]*[A-Za-z]+[ \t]+[A-Za-z]+:<")
"""What servers take without it, but no client may leave out."""


def _step(line: bytes) -> str:
    """The step that a line was meant to be; its verb where it is none."""
    try:
        return step_of(smtp.Command.parse(line))
    except Refused:
        verb = verb_of(line)
        return VERBS[verb].step if verb in VERBS else verb


def _allowed(offers: smtp.Capabilities, helo: bool) -> tuple[smtp.Extension, ...]:
    """What the server allows that has offered these."""
    if helo:
        return (*_OF_RFC_821, *offers)
    allowed: list[smtp.Extension] = []
    for one in offers:
        if isinstance(one, ext.Auth):
            # Whether the connection is private by other means a recording does not tell.
            allowed.append(ext.Auth(*one.mechanisms, plaintext_without_tls=True))
        elif isinstance(one, ext.Size):
            allowed.append(ext.Size())  # too large is no breach of protocol
        else:
            allowed.append(one)
        if isinstance(one, ext.Unknown) and one.keyword not in VERBS:
            allowed.append(ext.Verb(one.keyword))  # it may be a verb too
    return tuple(allowed)
