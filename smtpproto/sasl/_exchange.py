"""The order of the steps of an authentication exchange (RFC 4422 section 3).

It is the same for every mechanism and checked here. The mechanisms define the messages.
"""

from __future__ import annotations

from smtpproto._value import octets
from smtpproto.errors import OutOfOrderError, RemoteProtocolError
from smtpproto.sasl._mechanism import Challenge, Failure, Step, Success
from smtpproto.sasl._strings import encode

__all__ = ["ClientExchange", "ServerExchange"]


class ClientExchange:
    """The client's side: the base of the mechanisms here. It has the members of `ClientMechanism`.

    A client-first mechanism overrides `_initial_response`, a server-first one `_answer`, and a
    client-first one of several messages both. These methods set `complete`.
    """

    name: str
    complete: bool

    def __init__(self) -> None:
        self.complete = False
        self._begun = False
        self._given_up = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} complete={self.complete}>"

    def _initial_response(self) -> bytes | None:
        """The initial response; None if the mechanism is server-first."""
        return None

    def _answer(self, challenge: bytes) -> bytes | None:
        """The response to a challenge; None to give up, as does a RemoteProtocolError."""
        return None

    def respond(self, challenge: bytes | None) -> bytes | None:
        """The response to `challenge`, or None to give up; see `ClientMechanism.respond`.

        Nothing that the server sends makes this raise. Raises `OutOfOrderError` for None once
        the exchange has begun: build a new mechanism for a new exchange.
        """
        if challenge is not None:
            challenge = octets(challenge)
        initial = None
        if not self._begun:
            self._begun = True
            initial = self._initial_response()
        elif challenge is None:
            raise OutOfOrderError(
                f"the {self.name} exchange has begun: build a new {type(self).__name__} for another"
            )
        if challenge is None:
            return initial
        if initial is not None:
            # Client-first, but the AUTH command carried no initial response: then the server's
            # first challenge must be empty (RFC 4422 section 5, 2a).
            response = None if challenge else initial
        elif self._given_up:
            return None
        else:
            try:
                response = self._answer(challenge)
            except RemoteProtocolError:
                response = None
        if response is None:
            self._given_up = True
            self.complete = False
        return response


class ServerExchange:
    """The server's side: the base of the mechanisms here. It has the members of `ServerMechanism`.

    A mechanism overrides `_receive`, and `_first_challenge` where the server speaks first.
    """

    name: str
    _first_challenge = b""
    """Empty for a client-first mechanism (RFC 4422 section 5, 2a)."""

    def __init__(self) -> None:
        self._begun = False
        self._last: Step | None = None

    def __repr__(self) -> str:
        last = "nothing" if self._last is None else type(self._last).__name__
        return f"<{type(self).__name__} {self.name} after {last}>"

    def _receive(self, response: bytes) -> Step:
        """The step after a response. Raises `RemoteProtocolError` for a malformed one."""
        raise NotImplementedError

    def step(self, response: bytes | None) -> Step:
        """Take the client's response; None when it sent no initial response.

        Nothing that the client sends makes this raise: a malformed response gives a `Failure`.
        Raises `OutOfOrderError`, which names the call that is due, when the last step was not a
        Challenge, and when the exchange is over.
        """
        if self._last is not None and not isinstance(self._last, Challenge):
            raise OutOfOrderError(self._expected())
        if response is None:
            if self._begun:
                raise OutOfOrderError(
                    f"{self.name}: None stands for no initial response; the exchange has begun"
                )
            self._begun = True
            return self._set(Challenge(self._first_challenge))
        response = octets(response)
        self._begun = True
        try:
            return self._set(self._receive(response))
        except RemoteProtocolError as error:
            return self._set(Failure(f"{self.name}: {error}"))

    def accept(self, identity: str) -> Success:
        """End the exchange after a good check: the client is authenticated as `identity`.

        Raises `OutOfOrderError` when the last step was not one to check, or `identity` is empty.
        """
        self._check_is_due()
        encode("identity", identity)
        success = Success(identity)
        self._last = success
        return success

    def reject(self, reason: str = "not authenticated") -> Challenge | Failure:
        """End the exchange after a check that failed. `reason` is for the log, not for the client.

        Raises `OutOfOrderError` when the last step was not one to check.
        """
        self._check_is_due()
        failure = Failure(reason)
        self._last = failure
        return failure

    def _check_is_due(self) -> None:
        if self._last is None or isinstance(self._last, (Challenge, Success, Failure)):
            raise OutOfOrderError(self._expected())

    def _set(self, step: Step) -> Step:
        self._last = step
        return step

    def _expected(self) -> str:
        match self._last:
            case None | Challenge():
                return f"{self.name}: the client's response comes next: step(response)"
            case Success() | Failure():
                return f"{self.name}: the exchange is over: build a new {type(self).__name__}"
            case check:
                return f"{self.name}: {type(check).__name__} comes next: accept() or reject() it"
