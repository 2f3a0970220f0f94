"""Delivery: one message to many recipients, over a client connection, to its result.

Theory of operation
===================

Where the session stands is the connection's business: whenever everything that was sent has been
answered, `_NEXT` says by its state what comes next. What a reply means for the recipients is said
by `_AFTER`, by the step that it answers; the `Ledger` remembers it. Beyond that only the message
has a state: whether it goes out, has ended, and has gone out whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableSequence

from smtpproto._wire.newlines import NewlineRepair
from smtpproto.errors import (
    InvalidValueError,
    LimitError,
    LocalProtocolError,
    OutOfOrderError,
    Refused,
    RemoteProtocolError,
)
from smtpproto.smtp._client import ClientConnection
from smtpproto.smtp._commands import Bdat, Command, Data, Ehlo, Helo, Lhlo, Mail, Rset
from smtpproto.smtp._events import (
    EndOfMessage,
    Envelope,
    MailCommand,
    MessageData,
    ReplyReceived,
)
from smtpproto.smtp._ledger import Ledger
from smtpproto.smtp._outgoing import BLOCK, Content, Message, Octets, survey
from smtpproto.smtp._replies import Reply
from smtpproto.smtp._report import Report, Verdict
from smtpproto.smtp._session import step_of
from smtpproto.smtp._state import State

__all__ = ["Delivery"]

_CALL = 65536
"""The most octets that one call of data_to_send() gives."""

_LINES = 100
"""The most lines of a reply that a report keeps. In lines of a few letters, a server's replies to
each of the recipients take seven times as much memory as they have octets."""


class Delivery:
    """Sends one message to the recipients of `envelope`, and reports on each of them::

        delivery = smtp.Delivery(conn, envelope, message, domain="client.example")
        while delivery.report is None:
            while octets := delivery.data_to_send():
                transport.write(octets)
            delivery.receive_data(transport.read())   # b"" when the server has closed

    `conn` is a ClientConnection that has yet to be greeted, or has been, or is ready for a
    transaction; STARTTLS and AUTH come before. `domain` is who the client is, for EHLO (LHLO;
    HELO where EHLO is refused), which is said unless it was. Until the report is there the
    connection is this object's. Afterwards it is closed, or where the server has left it: READY,
    for another Delivery; in any state, for QUIT, which is not sent here.

    `message` is octets, which must not change meanwhile, or an iterable of pieces, which are
    pulled when they can go out, or None: then give pieces to `send_message` while
    `wants_message`, and say `end_message`. Its newlines become CRLF, its last line is ended. Of
    an email.message.EmailMessage give ``bytes(message)``.

    What the server offers is used: PIPELINING; CHUNKING; SIZE where the size is known;
    8BITMIME where the message holds octets beyond ASCII, or may; SMTPUTF8 where an address needs
    it. What `envelope.mail` says of SIZE and BODY counts before what is found here. A message
    that the server cannot take as it is, is refused here, without a reply.

    A server that takes only so many recipients at a time (LIMITS, or 452 to RCPT) gets the others
    in further transactions, if `message` is octets: nothing else can be read twice.

    Raises LocalProtocolError when the connection is in another state, or waits for a reply; when
    `domain` is missing; when there are no recipients; and for a CR or LF that stands alone in
    `message` where the connection's `newlines` is "strict". Raises TypeError for an `envelope`
    that is none, and for a `message` that is text, or an EmailMessage itself.
    """

    __slots__ = (
        "_chunked", "_complete", "_conn", "_content", "_eight_bit", "_ended", "_envelope", "_hello",
        "_ledger", "_mail", "_message", "_most", "_problem", "_read", "_report", "_reset_first",
        "_room", "_seven_bit", "_size", "_successes", "_unsent",
    )  # fmt: skip

    def __init__(
        self,
        conn: ClientConnection,
        envelope: Envelope,
        message: Message,
        *,
        domain: str | None = None,
    ) -> None:
        _check(conn, envelope, message, domain)
        self._conn = conn
        self._envelope = envelope
        self._message = message
        self._hello: Command | None = None
        if domain is not None:
            self._hello = Lhlo(domain) if conn.lmtp else Ehlo(domain)
        self._size: int | None = None  # None: not known
        self._eight_bit = True  # it has octets beyond ASCII, or may
        if isinstance(message, Octets):
            self._size, ascii_only = survey(message, self._repair())
            self._eight_bit = not ascii_only

        self._ledger = Ledger(envelope.recipients)
        self._report: Report | None = None
        self._problem = "the connection was lost"

        # How this server gets it.
        self._mail: MailCommand | None = None  # with what the server's offers add to it
        self._most = len(envelope.recipients)  # in one transaction
        self._chunked = False
        self._seven_bit = False  # octets beyond ASCII must not go out
        self._read = False  # the message has been, or has begun to be

        # The transaction.
        self._reset_first = False  # before the next MAIL
        self._room = 0  # for so many more recipients
        self._successes = 0
        self._content: Content | None = None  # once the message may go out
        self._ended = False  # the end of the message is queued,
        self._complete = False  # and handed out
        self._unsent = b""
        self._hear()

    # -- public -----------------------------------------------------------------------------------

    @property
    def report(self) -> Report | None:
        """What became of the message for each recipient; None until it is known for all."""
        return self._report

    def receive_data(self, data: Octets) -> None:
        """Take octets that have arrived; b"" says that the server has closed.

        Raises nothing because of what the server says: that stands in the report.
        """
        self._conn.receive_data(data)
        self._hear()

    def _hear(self) -> None:
        """Hear all that has come before anything else is sent: a reply that is here already, or
        has begun, cannot answer it, and would be taken for the reply to it."""
        try:
            while self._report is None and (event := self._conn.next_event()) is not None:
                if isinstance(event, ReplyReceived):
                    self._replied(event)
        except RemoteProtocolError as error:
            self._problem = f"the server broke the protocol: {error}"
        self._go_on()

    @property
    def timeout(self) -> float:
        """Seconds to wait for the server: the connection's (RFC 5321 section 4.5.3.2)."""
        return self._conn.timeout

    def abort(self, reason: str = "the delivery was given up") -> None:
        """End it now: time is up, or the transport is broken. The transport must be cut; the
        report is there, and gives the reason."""
        if self._report is None:
            self._problem = reason
            self._conn.abort()
            self._hear()

    def data_to_send(self) -> bytes:
        """The next octets to write, 64 KiB at most; call it again until it gives b"".

        The message is read here and nowhere else. What its pieces raise passes through;
        LocalProtocolError is raised for pieces that must not go out: a bare CR or LF where the
        connection is strict, octets beyond ASCII within DATA where 8BITMIME is not offered.
        Then the connection is aborted and must be cut, and the report is there.
        """
        conn = self._conn
        if conn.within_reply:  # it cannot answer what goes out now, and would be taken for that
            return b""
        octets = self._unsent + conn.data_to_send()
        if not octets and self._content is not None and self._ledger.taken and not conn.held_back:
            self._send_block(self._content)
            octets = conn.data_to_send()
        self._unsent = octets[_CALL:]
        self._complete = self._ended and not self._unsent and not conn.held_back
        return octets[:_CALL]

    @property
    def wants_message(self) -> bool:
        """True when `send_message` or `end_message` is the next useful thing to do."""
        return self._content is not None and bool(self._ledger.taken) and self._content.wants

    def send_message(self, piece: Octets) -> None:
        """The next piece of a message that was announced as None.

        Raises LocalProtocolError while `wants_message` is False.
        """
        self._fed("send_message()").feed(piece)

    def end_message(self) -> None:
        """The message is whole. Raises LocalProtocolError while `wants_message` is False."""
        self._fed("end_message()").end()

    def _fed(self, call: str) -> Content:
        if self._content is None or not self.wants_message:
            raise OutOfOrderError(f"{call} is for a message of None, while wants_message is True")
        return self._content

    def __repr__(self) -> str:
        if self._report is not None:
            return f"<Delivery: {len(self._report.outcomes)} recipients, reported>"
        return f"<Delivery to {len(self._envelope.recipients)} recipients over {self._conn!r}>"

    # -- what comes next, when everything is answered ---------------------------------------------

    def _go_on(self) -> None:
        conn = self._conn
        if conn.idle and not conn.within_reply and self._report is None:
            _NEXT[conn.state](self)

    def _say_hello(self) -> None:
        assert self._hello is not None
        waiting = self._ledger.todo
        if not waiting or not self._try(self._hello, waiting):
            self._finish()

    def _begin_transaction(self) -> None:
        if self._reset_first:
            self._conn.send(Rset())
            return
        ledger = self._ledger
        if self._mail is None:
            self._mail = self._prepare()
        if not self._successes or not isinstance(self._message, Octets):
            # Where nobody was delivered to, nobody was too many (RFC 5321 section 4.5.3.1.10); a
            # server could else have everybody named again for each whom it takes.
            ledger.defer_crowded()
        elif ledger.crowded:
            self._most = self._successes  # as many as the server took this time
            ledger.readmit()
        if self._read and not isinstance(self._message, Octets):
            ledger.settle(ledger.todo, Verdict.DEFERRED, "the message cannot be read a second time")
        self._content = None
        self._ended = self._complete = False
        self._successes = 0
        self._room = self._most
        if not ledger.todo or not self._try(self._mail, ledger.todo):
            self._finish()
        elif self._pipelining:
            self._ask()
            if ledger.asked and not self._chunked:
                self._conn.send(Data())

    def _ask(self) -> None:
        """Name the next recipients: all of the transaction where they can go out together, else
        one."""
        ledger = self._ledger
        while ledger.todo and self._room:
            index = ledger.todo.popleft()
            if self._try(self._envelope.recipients[index], [index]):
                ledger.asked.append(index)
                self._room -= 1
                if not self._pipelining:
                    return

    def _after_envelope(self) -> None:
        self._ask()
        if self._ledger.asked:
            return
        if not self._ledger.taken:
            self._conn.send(Rset())
        elif self._chunked:
            self._begin_message()
        else:
            self._conn.send(Data())

    def _after_354(self) -> None:
        if self._ledger.taken:
            self._begin_message()
        else:
            self._conn.send(EndOfMessage())  # nothing else may be said (RFC 2920 section 3.1)

    def _begin_message(self) -> None:
        self._read = True
        self._content = Content(self._message, self._repair() if self._chunked else None)

    def _between_chunks(self) -> None:
        if not self._ledger.taken:
            self._conn.send(Rset())

    def _reset(self) -> None:
        self._conn.send(Rset())

    def _lost(self) -> None:
        """The connection is closed, whoever closed it: nothing more may go out, least of all the
        end of a message that is not accepted."""
        self._conn.abort()
        self._unsent = b""
        ledger = self._ledger
        if self._complete:
            reason = f"{self._problem} before the message was answered: it may have been accepted"
            ledger.settle(ledger.taken, Verdict.UNKNOWN, reason)
        reason = f"{self._problem} before the message was complete"
        for queue in (ledger.todo, ledger.asked, ledger.taken):
            ledger.settle(queue, Verdict.DEFERRED, reason)
        self._finish()

    def _finish(self) -> None:
        self._report = self._ledger.report()

    def _try(self, command: Command, whose: MutableSequence[int]) -> bool:
        """Send what the connection may find that this server does not take: then it is settled
        for those whom it is about."""
        try:
            self._conn.send(command)
        except LimitError as error:
            self._ledger.settle(whose, Verdict.DEFERRED, str(error))
        except LocalProtocolError as error:
            self._ledger.settle(whose, Verdict.REFUSED, str(error))
        else:
            return True
        return False

    # -- what a reply means for the recipients ----------------------------------------------------

    def _replied(self, event: ReplyReceived) -> None:
        if len(event.reply.lines) > _LINES:
            shortened = Reply(event.reply.code, *event.reply.lines[:_LINES])
            event = ReplyReceived(event.command, shortened, event.recipient)
        if event.reply.code == 421 and event.recipient is None:
            self._ledger.refuse_all("the server has ended the session", event.reply)
        else:
            assert event.command is not None  # that is for a 421
            _AFTER[step_of(event.command)](self, event)

    def _greeted(self, event: ReplyReceived) -> None:
        if event.reply.code >= 400:
            self._ledger.refuse_all("the server takes no mail", event.reply)

    def _after_hello(self, event: ReplyReceived) -> None:
        if event.reply.severity == 5 and isinstance(event.command, Ehlo):
            self._hello = Helo(event.command.domain)  # RFC 5321 section 3.2
        elif event.reply.code >= 400:
            self._ledger.refuse_all("the server refused the client", event.reply)

    def _after_mail(self, event: ReplyReceived) -> None:
        if event.reply.code >= 400:
            # No transaction has begun, but Postfix holds the SIZE of a refused MAIL against the
            # next one that says none, whoever sends it.
            self._reset_first = True
            self._ledger.refuse_all("MAIL was refused", event.reply)

    def _after_rcpt(self, event: ReplyReceived) -> None:
        ledger = self._ledger
        if not ledger.asked:  # MAIL was refused, which has settled them
            return
        index = ledger.asked.popleft()
        if event.reply.severity == 2:
            ledger.taken.append(index)
        elif _too_many(event.reply):
            ledger.crowded.append((index, event.reply))
        else:
            ledger.refuse([index], "RCPT was refused", event.reply)

    def _after_data(self, event: ReplyReceived) -> None:
        if event.reply.code >= 400:
            self._ledger.refuse(self._ledger.taken, "DATA was refused", event.reply)

    def _after_chunk(self, event: ReplyReceived) -> None:
        if event.reply.code >= 400:
            self._ledger.refuse(self._ledger.taken, _REFUSED_EARLY, event.reply)

    def _after_message(self, event: ReplyReceived) -> None:
        ledger, conn = self._ledger, self._conn
        if event.reply.code >= 400 and isinstance(event.command, Bdat):
            # The last chunk too leaves a state that only RSET makes sure of (RFC 3030 section 2).
            self._reset_first = True
        unasked = conn.idle and conn.state is State.DATA  # not even the lone dot is sent
        if unasked or (ledger.taken and not self._complete):
            self._answered_early(event.reply)
            return
        if not ledger.taken:  # it was the lone dot, or what followed a refused chunk
            return
        whose: MutableSequence[int] = ledger.taken
        if event.recipient is not None:  # LMTP answers for one after the other
            whose = [ledger.taken.popleft()]
        if event.reply.severity == 2:
            self._successes += len(whose)
            ledger.settle(whose, Verdict.ACCEPTED, "the message was accepted", event.reply)
        else:
            ledger.refuse(whose, "the message was refused", event.reply)

    def _answered_early(self, reply: Reply) -> None:
        """The reply to the message came before its end was handed out."""
        if reply.severity != 2:
            self._ledger.refuse(self._ledger.taken, _REFUSED_EARLY, reply)
        self._problem = "the server answered the message"
        self._conn.abort()

    def _after_reset(self, event: ReplyReceived) -> None:
        self._reset_first = False
        if event.reply.code >= 400:
            self._problem = "the server refused RSET"
            self._conn.abort()

    # -- what this server can take ----------------------------------------------------------------

    def _prepare(self) -> MailCommand:
        """MAIL as it goes to this server; settles whom nothing can be sent to."""
        offered = self._conn.capabilities
        self._most = min(self._most, offered.limits.rcptmax or self._most)
        self._chunked = "CHUNKING" in offered and (
            self._pipelining
            # else each chunk costs a round trip, and DATA one in all
            or (self._size is not None and self._size <= BLOCK)
            or self._envelope.mail.binary
        )
        ledger = self._ledger
        mail = self._fitted()
        self._seven_bit = not isinstance(mail, Mail) or mail.body not in _EIGHT_BIT_BODIES
        if self._size is not None and self._eight_bit and self._seven_bit:
            ledger.settle(ledger.todo, Verdict.REFUSED, _NO_8BITMIME)
        self._settle_beyond_ascii(mail)
        return mail

    def _fitted(self) -> MailCommand:
        """The envelope's MAIL with the parameters that the server's offers call for."""
        given = self._envelope.mail
        if not isinstance(given, Mail):
            return given
        offered = self._conn.capabilities
        parameters = dict(given.parameters)
        if "SIZE" not in offered:
            parameters.pop("SIZE", None)  # it asks for nothing
        elif self._size is not None:
            parameters.setdefault("SIZE", self._size)
        if "8BITMIME" in offered and self._eight_bit:
            parameters.setdefault("BODY", "8BITMIME")
        paths = (given.reverse_path, *(to.forward_path for to in self._envelope.recipients))
        if "SMTPUTF8" in offered and not all(path is None or path.is_ascii for path in paths):
            parameters["SMTPUTF8"] = True
        return Mail(given.reverse_path, parameters)

    def _settle_beyond_ascii(self, mail: MailCommand) -> None:
        """Ask before anything is sent whether this server takes the addresses beyond ASCII: where
        none of the recipients is left, not even MAIL need go out."""
        ledger, recipients = self._ledger, self._envelope.recipients
        left: deque[int] = deque()
        for index in ledger.todo:
            try:
                if not recipients[index].forward_path.is_ascii:
                    self._conn._session.check(recipients[index], mail)
                left.append(index)
            except Refused as refused:
                ledger.settle([index], Verdict.REFUSED, refused.text)
        ledger.todo = left

    # -- the message ------------------------------------------------------------------------------

    @property
    def _pipelining(self) -> bool:
        return "PIPELINING" in self._conn.capabilities

    def _repair(self) -> NewlineRepair | None:
        """What makes the newlines of the message right, where they must be."""
        if self._envelope.mail.binary:
            return None
        return NewlineRepair(strict=self._conn.newlines == "strict")

    def _send_block(self, content: Content) -> None:
        """Send the next octets of the message, if there are any yet."""
        try:
            block = content.block()
            if block is not None:
                self._send_octets(*block)
        except BaseException as error:  # whatever it is, half a message is on its way
            self._problem = f"the message broke off ({type(error).__name__}: {error})"
            self._conn.abort()
            self._go_on()
            raise

    def _send_octets(self, octets: bytes, last: bool) -> None:
        conn = self._conn
        if self._seven_bit and not octets.isascii():
            self._ledger.settle(self._ledger.taken, Verdict.REFUSED, _NO_8BITMIME)
            if not self._chunked:  # only between chunks there is a way back
                raise InvalidValueError(_NO_8BITMIME)
            self._go_on()
            return
        if self._chunked:
            conn.send(Bdat(len(octets), last))
        if octets:
            conn.send(MessageData(octets))
        if last and not self._chunked:
            conn.send(EndOfMessage())
        if last:
            self._content = None
            self._ended = True


def _check(
    conn: ClientConnection, envelope: Envelope, message: Message, domain: str | None
) -> None:
    """Raise LocalProtocolError for what cannot be delivered at all, TypeError for what is no
    envelope or no octets."""
    if not isinstance(envelope, Envelope):
        raise TypeError(f"an Envelope(reverse_path, recipients) is wanted, not {envelope!r:.60}")
    if not envelope.recipients:
        raise InvalidValueError("the envelope has no recipients: there is nobody to deliver to")
    if isinstance(message, str):
        raise TypeError("a message is octets: encode the text")
    if hasattr(message, "as_bytes"):  # email.message's, which iterates over names of fields
        raise TypeError("a message is octets: give bytes(message)")
    if not (message is None or isinstance(message, Octets | Iterable)):
        raise TypeError(
            f"message: octets, an iterable of pieces, or None, not {type(message).__name__}"
        )
    mail = envelope.mail
    if isinstance(mail, Mail) and mail.transid is not None:
        raise InvalidValueError("a Delivery sends whole messages: leave TRANSID out")
    greeted = conn.state in (State.CONNECTED, State.READY) and conn.idle
    if not greeted and (conn.state is not State.GREETING or conn.held_back):
        raise OutOfOrderError(
            f"a delivery cannot begin in state {conn.state.value}, or while a reply is awaited:"
            " only before the greeting, and between transactions"
        )
    if conn.state is not State.READY and domain is None:
        raise InvalidValueError(
            "the server has yet to be told who you are: Delivery(..., domain=...) says EHLO"
        )


def _too_many(reply: Reply) -> bool:
    """Whether a reply to RCPT is about the number of recipients: 452, or RFC 821's 552 (RFC 5321
    section 4.5.3.1.10), unless its enhanced status code knows better (RFC 3463 section 3.6)."""
    status = reply.enhanced
    return reply.code in (452, 552) and (
        status is None or (status.subject, status.detail) in ((5, 3), (0, 0))
    )


_EIGHT_BIT_BODIES = ("8BITMIME", "BINARYMIME")
_REFUSED_EARLY = "the message was refused before its end"
_NO_8BITMIME = "the message has octets beyond ASCII, and goes without 8BITMIME (RFC 6152)"

_NEXT: Mapping[State, Callable[[Delivery], None]] = {
    State.CONNECTED: Delivery._say_hello,
    State.READY: Delivery._begin_transaction,
    State.MAIL: Delivery._after_envelope,
    State.RCPT: Delivery._after_envelope,
    State.DATA: Delivery._after_354,
    State.BDAT: Delivery._between_chunks,
    State.FAILED: Delivery._reset,
    State.CLOSING: Delivery._finish,
    State.CLOSED: Delivery._lost,
}
"""What comes next in each state of the connection, when everything is answered."""

_AFTER: Mapping[str, Callable[[Delivery, ReplyReceived], None]] = {
    "greeting": Delivery._greeted,
    "EHLO": Delivery._after_hello,
    "HELO": Delivery._after_hello,
    "LHLO": Delivery._after_hello,
    "MAIL": Delivery._after_mail,
    "RCPT": Delivery._after_rcpt,
    "DATA": Delivery._after_data,
    "BDAT": Delivery._after_chunk,
    "BDAT LAST": Delivery._after_message,
    ".": Delivery._after_message,
    "RSET": Delivery._after_reset,
}
"""What the reply to each step means for the recipients."""
