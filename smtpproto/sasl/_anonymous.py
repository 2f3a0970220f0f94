"""ANONYMOUS: nobody in particular, with a word for the log (RFC 4505)."""

from __future__ import annotations

from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Trace
from smtpproto.sasl._strings import decode, encode

__all__ = ["AnonymousClient", "AnonymousServer"]


class AnonymousClient(ClientExchange):
    """ANONYMOUS for a client.

    `trace` goes to the server's log: an e-mail address, or a token without ``@`` of at most 255
    characters, or nothing. Raises `LocalProtocolError` when the RFC's "trace" profile prohibits
    it (control characters, private use, mixed directions: RFC 4505 section 3).
    """

    name = "ANONYMOUS"

    def __init__(self, trace: str = "") -> None:
        super().__init__()
        if trace and (fault := _fault(trace)):
            raise LocalProtocolError(fault)
        self._message = encode("trace", trace) if trace else b""

    def _initial_response(self) -> bytes:
        self.complete = True
        return self._message


class AnonymousServer(ServerExchange):
    """ANONYMOUS for a server: gives a `Trace`. Off unless you offer it (RFC 4505 section 5).

    What the trace profile prohibits is a `Failure`, so that no line end reaches the log.
    """

    name = "ANONYMOUS"

    def _receive(self, response: bytes) -> Trace:
        if not response:
            return Trace("")
        text = decode("trace", response)
        if fault := _fault(text):
            raise RemoteProtocolError(fault)
        return Trace(text)


def _fault(trace: str) -> str | None:
    """What is wrong with a trace (RFC 4505 sections 2 and 3), or None."""
    # Not for those who never use ANONYMOUS: stringprep brings the tables of Unicode 3.2.
    import stringprep as tables

    if "@" not in trace and len(trace) > 255:
        return "a trace that is not an e-mail address has at most 255 characters"
    prohibited = (
        tables.in_table_c21_c22,
        tables.in_table_c3,
        tables.in_table_c4,
        tables.in_table_c5,
        tables.in_table_c6,
        tables.in_table_c8,
        tables.in_table_c9,
    )
    if any(in_table(char) for char in trace for in_table in prohibited):
        return "the trace holds a character that RFC 4505 section 3 prohibits"
    # Bidirectional text, RFC 3454 section 6: what holds a right-to-left character holds no
    # left-to-right one, and begins and ends right-to-left.
    if any(map(tables.in_table_d1, trace)) and (
        any(map(tables.in_table_d2, trace))
        or not (tables.in_table_d1(trace[0]) and tables.in_table_d1(trace[-1]))
    ):
        return "the trace mixes directions of writing"
    return None
