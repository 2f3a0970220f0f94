"""ServerSide: what the servers of both protocols do alike.

Theory of operation
===================

A request wants one reply. While it is owed (`_owed`, and `_step`, the request's name in the tables
of the protocol's `_state`), nothing more is read. The greeting is owed from the beginning.

A command line ends in one of three ways:

- it is handed out, and owed a reply;
- it is refused here, because it cannot be read or breaks a rule. Parsers and rules all raise
  `Refused`, and `_refuse` alone answers it: it decides what may be shown of the line, counts the
  refusal, and reports both as CommandRefused, which owes nothing;
- it is turned away: a refusal with 421 is the last reply of the session.

So may the line of a SASL exchange, but its refusal ends the exchange, and is AuthCancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from smtpproto._connection import Connection
from smtpproto._mechanisms import SERVER_FIRST
from smtpproto._redact import REDACTED, redacted, secrets_follow, verb_of
from smtpproto._wire import base64
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import ClosedError, InvalidValueError, OutOfOrderError, Refused
from smtpproto.events import (
    GREETING,
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    Event,
    Greeting,
    Request,
)

__all__ = ["ServerSide", "written_call"]

_HTTP_VERBS = frozenset({"GET", "POST", "CONNECT", "PUT"})
"""A client that begins with one of these speaks HTTP."""
_TLS_CLIENT_HELLO = 0x16
"""The first octet of a client that begins with TLS (RFC 8446 section 5.1)."""
_MOST_SHOWN = 512
"""Octets of a refused line that its event shows."""


class ServerSide(Connection):
    """Base of both server connections."""

    __slots__ = (
        "_auth_line", "_early_talker", "_first_line", "_identity", "_longest_line",
        "_most_refusals", "_owed", "_refusals", "_secrets_follow", "_step",
    )  # fmt: skip

    _protocol: ClassVar[str]
    _starttls: ClassVar[str]
    """The verb that begins TLS."""
    _command_refused: ClassVar[Callable[[bytes, Any], Event]]
    """The protocol's own CommandRefused, of a line without secrets and a reply."""

    def __init__(
        self,
        session: Any,
        *,
        backlog: int,
        most_refusals: int | None,
        auth_line: int,
        bare_lf: bool = False,
    ) -> None:
        super().__init__(session, backlog=backlog, bare_lf=bare_lf)
        self._most_refusals = most_refusals  # None for any number
        self._auth_line = auth_line  # octets of a line of a SASL exchange
        self._longest_line = 0  # octets of a command line, whatever its verb turns out to be
        self._refusals = 0  # since the last message that was accepted, or the last login
        # Until the first line is read: a client of another protocol shows itself there.
        self._first_line = True
        self._secrets_follow = False  # AUTH was refused: its responses may be on their way
        self._step: str | None = GREETING.step
        self._owed: Request | None = GREETING
        self._events.append(GREETING)
        self._early_talker = False
        self._identity: str | None = None

    @property
    def owed(self) -> Request | None:
        """The event that the next reply answers; None when no reply is owed."""
        return self._owed

    @property
    def identity(self) -> str | None:
        """Who the client is, as given to `authenticated`; None when nobody was let in."""
        return self._identity

    @property
    def early_talker(self) -> bool:
        """Whether the client sent octets before the greeting was given, as no client may (RFC 5321
        section 4.3.1). Senders of spam often do."""
        return self._early_talker or (self._owed is GREETING and not self._input.empty)

    def shutdown(self, text: str | None = None) -> None:
        """End the session now, whatever its state: 421, POP3's -ERR, and what the client sent is
        dropped (RFC 5321 section 3.8; RFC 1939 section 3: nothing is removed).

        `text` may be anything, as for ``accept``. Does nothing when the session is over already.
        """
        if self._closed:
            return
        if self._cannot_speak:
            self._end(clean=False)
        else:
            words = text or "Service not available, closing transmission channel"
            self._say_goodbye(self._farewell("4.3.2", words))

    # -- for subclasses ---------------------------------------------------------------------------

    def _command(self, line: bytes) -> Event | None:
        """What a command line comes to. Raises Refused."""
        raise NotImplementedError

    def _own(self, refused: Refused) -> tuple[Any, bytes]:
        """A refusal in the words of the connection, and its wire form."""
        raise NotImplementedError

    def _farewell(self, status: str, text: str) -> Any:
        """The last reply of a session, 421 or -ERR; `status` is an enhanced status code."""
        raise NotImplementedError

    def _answer(self, reply: Any, wire: bytes) -> None:
        """Give the reply that is owed, and follow the table."""
        raise NotImplementedError

    def _counts(self, verb: str, refused: Refused) -> bool:
        """Whether a refusal of the line with this verb is one of those that a session may not have
        too many of."""
        raise NotImplementedError

    @property
    def _cannot_speak(self) -> bool:
        """Whether the client would take a reply for something else: a part of a handshake."""
        raise NotImplementedError

    # -- what is owed -----------------------------------------------------------------------------

    def _owe(self, request: Request, step: str) -> None:
        self._owed = request
        self._step = step

    def _owed_step(self, call: str, *arguments: object) -> str:
        """The step that awaits our reply. Raises OutOfOrderError, naming the caller's call, when
        there is none."""
        if self._step is None:
            error = ClosedError if self._closed else OutOfOrderError
            raise error(
                f"{written_call(call, arguments)}: no reply is owed: each request gets exactly one,"
                " and CommandRefused reports one that the connection has answered"
            )
        return self._step

    def _greeted(self) -> None:
        """The greeting is answered, which may have happened before it was handed out."""
        self._early_talker = not self._input.empty
        if self._events and isinstance(self._events[0], Greeting):
            del self._events[0]

    # -- reading ----------------------------------------------------------------------------------

    def _read(self) -> Event | None:
        """The next command line."""
        if self._first_line and self._input.first_octet() == _TLS_CLIENT_HELLO:
            text = f"This is {self._protocol}, where TLS begins with {self._starttls}"
            return self._refuse(b"\x16", Refused(421, "4.7.0", text))
        try:
            line = self._input.next_line(self._longest_line)
        except LineTooLong as too_long:
            self._first_line = False
            return self._refuse(too_long.start, Refused(500, "5.5.2", "Line too long"))
        if line is None:
            return self._no_more_data()
        self._need_data = self._input.empty and not self._at_eof
        try:
            return self._command(line)
        except Refused as refused:
            return self._refuse(line, refused)
        finally:
            self._first_line = False

    def _check_verb_http(self, verb: str) -> None:
        """Raise Refused for a client that speaks HTTP."""
        if self._first_line and verb in _HTTP_VERBS:
            raise Refused(421, "4.7.0", f"{verb} is HTTP, this is {self._protocol}")

    def _read_response(self) -> Event | None:
        """The next line of a SASL exchange (RFC 4954 section 4, RFC 5034 section 4)."""
        try:
            line = self._input.next_line(self._auth_line)
        except LineTooLong:
            text = "Authentication exchange line is too long"
            return self._cancel_auth(Refused(500, "5.5.6", text))
        if line is None:
            return self._no_more_data()
        if line == b"*":
            return self._cancel_auth(Refused(501, "5.7.0", "Authentication cancelled"))
        try:
            response = AuthResponse(base64.decode(line))
        except ValueError:
            return self._cancel_auth(Refused(501, "5.5.2", "Cannot decode the response"))
        self._owe(response, response.step)
        return response

    def _read_nothing(self) -> Event | None:
        return None if self._closed else self._no_more_data()

    def _check_mechanism(
        self,
        mechanism: str,
        initial_response: bytes | None,
        offered: Collection[str],
        private: bool,
    ) -> None:
        """Raise Refused when AUTH cannot begin with `mechanism`. `private`: the condition of the
        connection is good enough for it."""
        if mechanism not in offered:
            raise Refused(504, "5.5.4", "This mechanism is not offered here")
        if not private:
            raise Refused(538, "5.7.11", f"This mechanism needs TLS: {self._starttls} first")
        if mechanism in SERVER_FIRST and initial_response is not None:
            raise Refused(501, "5.7.0", f"In {mechanism} the server speaks first")

    def _challenge(self, challenge: AuthChallenge, head: bytes) -> bytes:
        """The line of a challenge, which begins with `head`. Raises OutOfOrderError where only
        another reply can be given, InvalidValueError when it is too long."""
        if self._step not in ("AUTH", "AUTH response"):
            raise OutOfOrderError(f"a challenge cannot answer {self._step}, only AUTH")
        line = head + base64.encode(challenge.data) + b"\r\n"
        if len(line) > self._auth_line:
            raise InvalidValueError(
                f"a challenge of {len(challenge.data)} octets is longer than a line of"
                f" {self._auth_line} can carry"
            )
        return line

    def _check_identity(self, identity: str) -> None:
        if not isinstance(identity, str) or not identity:
            raise InvalidValueError(
                f"authenticated({identity!r}): expected the name of the client that is let in;"
                " reject() lets nobody in"
            )

    # -- refusing ---------------------------------------------------------------------------------

    def _refuse(
        self, line: bytes, refused: Refused, wire: bytes | None = None, verb: str | None = None
    ) -> Event:
        """Answer a command line, whose verb may be known, without asking the application; with
        `wire` where the usual reply has to be repeated."""
        if verb is None:
            verb = verb_of(line)
        known = self._knows(verb)
        shown = REDACTED if self._secrets_follow and not known else redacted(line[:_MOST_SHOWN])
        if secrets_follow(line):
            self._secrets_follow = True
        elif known:
            self._secrets_follow = False
        if refused.code == 421:
            reply = self._farewell(refused.status, refused.text)
            self._say_goodbye(reply)
        elif self._counts(verb, refused) and self._too_many_refusals():
            reply = self._farewell("4.7.0", "Too many errors")
            self._say_goodbye(reply)
        else:
            reply, usual = self._own(refused)
            self._outbox.append(usual if wire is None else wire)
        return type(self)._command_refused(shown, reply)

    def _knows(self, verb: str) -> bool:
        """Whether a command of the protocol begins with this verb."""
        raise NotImplementedError

    def _too_many_refusals(self) -> bool:
        """Count a refusal. Whether it is one too many: then the session must end with it."""
        self._refusals += 1
        return self._most_refusals is not None and self._refusals > self._most_refusals

    def _cancel_auth(self, refused: Refused) -> Event:
        """Refuse a response of the SASL exchange, which is over with that."""
        self._step = AuthResponse.step
        if self._too_many_refusals():
            self._say_goodbye(self._farewell("4.7.0", "Too many errors"))
        else:
            self._answer(*self._own(refused))
        return AuthCancelled()

    def _refuse_injection(self) -> None:
        """Octets in clear came behind STARTTLS: somebody put them there who wants them to be run
        as if they had come under TLS (CVE-2011-0411)."""
        refused = Refused(554, "5.5.0", f"Octets in clear behind {self._starttls}")
        reply, wire = self._own(refused)
        self._outbox.append(wire)
        self._owed = None
        self._events.append(type(self)._command_refused(self._starttls.encode(), reply))
        self._end(clean=False)

    def _injected(self, data: bytes | bytearray | memoryview) -> None:
        if not self._outbox:  # the go-ahead is on its way: anything in clear would break TLS
            self._end(clean=False)
            return
        self._outbox.pop()
        self._events.clear()  # TlsHandshake, where it was not handed out
        self._refuse_injection()

    # -- the end ----------------------------------------------------------------------------------

    def _say_goodbye(self, reply: Any) -> None:
        """The reply that answers what is owed, and the end."""
        clean = self._at_rest()
        if self._owed is GREETING:
            self._greeted()
        self._owed = None
        self._outbox.append(bytes(reply))
        self._end(clean=clean)

    def _waiting_for(self) -> str:
        return "" if self._owed is None else f", owes a reply to {_name(self._owed)}"

    def _unanswered_requests(self) -> tuple[Request, ...]:
        return () if self._owed is None else (self._owed,)

    def _end(self, *, clean: bool, handed_over: bool = False) -> None:
        if self._owed is GREETING:
            self._greeted()
        super()._end(clean=clean, handed_over=handed_over)
        self._step = self._owed = None


def written_call(method: str, arguments: tuple[object, ...]) -> str:
    """A call, as it is written."""
    return f"{method}({', '.join(map(repr, arguments))})"


def _name(request: Request) -> str:
    return type(request).__name__
