"""ServerSide: what the servers of both protocols do alike.

Each request wants one reply, and until it has it nothing more is read. `_step` names what the
next reply answers in the tables of the protocol's state.py, and `_owed` is the event.
"""

from __future__ import annotations

from smtpproto._connection import Connection
from smtpproto._wire import base64
from smtpproto._wire.lines import LineTooLong
from smtpproto.errors import LocalProtocolError
from smtpproto.events import AuthCancelled, AuthResponse, Event, Request

__all__ = ["HTTP_VERBS", "TLS_CLIENT_HELLO", "ServerSide", "written_call"]

HTTP_VERBS = frozenset({"GET", "POST", "CONNECT", "PUT"})
"""Whoever begins the first line with one is no mail client."""
TLS_CLIENT_HELLO = 0x16
"""The first octet of whoever begins with TLS (RFC 8446 section 5.1), where it comes later."""


class ServerSide(Connection):
    """Base of both server connections."""

    __slots__ = (
        "_auth_line_follows", "_first_line", "_identity", "_most_refusals", "_owed", "_refusals",
        "_step",
    )  # fmt: skip

    def __init__(
        self, *, tls: bool, backlog: int, most_refusals: int | None, bare_lf: bool = False
    ) -> None:
        super().__init__(tls=tls, backlog=backlog, bare_lf=bare_lf)
        self._most_refusals = most_refusals  # None for any number
        self._refusals = 0  # since the client last got something done
        self._first_line = True  # it is still to come: who is no mail client shows it there
        self._auth_line_follows = False  # AUTH was refused: its responses may be on their way
        # The greeting is the first thing owed, and no event asks for it.
        self._step: str | None = "connect"
        self._owed: Request | None = None
        self._identity: str | None = None

    @property
    def owed(self) -> Request | None:
        """The event that the next reply answers; None when no event waits for one.

        The greeting is owed to no event: ``state`` says that it is.
        """
        return self._owed

    @property
    def identity(self) -> str | None:
        """Who the client is, as given to `authenticated`; None when nobody was let in."""
        return self._identity

    def shutdown(self, text: str | None = None) -> None:
        """End the session now, whatever its state; what the client sent is dropped."""
        raise NotImplementedError

    # -- for subclasses ---------------------------------------------------------------------------

    def _cancel_auth(self, code: int, status: str, text: str) -> None:
        """Refuse a response of the SASL exchange, which is over with that.

        `code` and `status` are SMTP's; POP3 has only the text.
        """
        raise NotImplementedError

    def _owe(self, request: Request, step: str) -> None:
        self._owed = request
        self._step = step

    def _count_refusal(self) -> bool:
        """Count a refusal. Whether it is one too many: then the session must end with it."""
        self._refusals += 1
        return self._most_refusals is not None and self._refusals > self._most_refusals

    def _owed_step(self, call: str, *said: object) -> str:
        """What is owed a reply. Raises LocalProtocolError when nothing is, to whoever has called
        the method `call` and `said` that."""
        if self._step is None:
            raise LocalProtocolError(
                f"{written_call(call, said)}: no reply is owed: each request gets exactly one, and"
                " what the connection reports as refused has had it"
            )
        return self._step

    def _check_identity(self, identity: str) -> None:
        if not isinstance(identity, str) or not identity:
            raise LocalProtocolError(
                f"authenticated({identity!r}): who was let in has a name; reject() lets nobody in"
            )

    def _read_response(self, limit: int) -> Event | None:
        """The next line of a SASL exchange (RFC 4954 section 4, RFC 5034 section 4)."""
        try:
            line = self._input.next_line(limit)
        except LineTooLong:
            self._cancel_auth(500, "5.5.6", "Authentication exchange line is too long")
            return AuthCancelled()
        if line is None:
            return self._starve()
        if line == b"*":
            self._cancel_auth(501, "5.7.0", "Authentication cancelled")
            return AuthCancelled()
        try:
            response = AuthResponse(base64.decode(line))
        except ValueError:
            self._cancel_auth(501, "5.5.2", "Cannot decode the response")
            return AuthCancelled()
        self._owe(response, response.step)
        return response

    def _read_nothing(self) -> Event | None:
        return None if self._closed else self._starve()

    def _unanswered_requests(self) -> tuple[Request, ...]:
        return () if self._owed is None else (self._owed,)

    def _end(self, *, clean: bool) -> None:
        super()._end(clean=clean)
        self._step = self._owed = None


def written_call(method: str, arguments: tuple[object, ...]) -> str:
    """A call, as it is written."""
    return f"{method}({', '.join(map(repr, arguments))})"
