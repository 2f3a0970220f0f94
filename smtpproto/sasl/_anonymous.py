"""ANONYMOUS: access without an identity, with a trace for the log (RFC 4505)."""

from __future__ import annotations

from smtpproto.errors import InvalidValueError, RemoteProtocolError
from smtpproto.sasl._exchange import ClientExchange, ServerExchange
from smtpproto.sasl._mechanism import Trace
from smtpproto.sasl._strings import as_text, decode, encode, holds_any, mixes_directions

__all__ = ["AnonymousClient", "AnonymousServer"]


class AnonymousClient(ClientExchange):
    """ANONYMOUS for a client.

    `trace` goes to the server's log: an e-mail address, a token of at most 255 characters without
    ``@``, or "". Raises `InvalidValueError` when the "trace" profile prohibits it (control
    characters, private use, mixed directions of writing: RFC 4505 section 3).
    """

    name = "ANONYMOUS"

    def __init__(self, trace: str = "") -> None:
        super().__init__()
        trace = as_text("trace", trace)
        if trace and (fault := _fault(trace)):
            raise InvalidValueError(fault)
        self._message = encode("trace", trace) if trace else b""

    def _initial_response(self) -> bytes:
        self.complete = True
        return self._message


class AnonymousServer(ServerExchange):
    """ANONYMOUS for a server: gives a `Trace`. Offer it only on purpose (RFC 4505 section 5).

    A trace that the profile prohibits gives a `Failure`, so that no line end reaches the log.
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
    """The fault of a trace (RFC 4505 sections 2 and 3), or None."""
    if "@" not in trace and len(trace) > 255:
        return "a trace that is not an e-mail address has at most 255 characters"
    # Imported here: stringprep brings the tables of Unicode 3.2, which few programs need.
    import stringprep as tables

    # Unlike SASLprep, the trace profile maps nothing and allows non-ASCII spaces (C.1.2) and C.7.
    prohibited = (
        tables.in_table_c21_c22,
        tables.in_table_c3,
        tables.in_table_c4,
        tables.in_table_c5,
        tables.in_table_c6,
        tables.in_table_c8,
        tables.in_table_c9,
    )
    if holds_any(trace, *prohibited):
        return "the trace holds a character that RFC 4505 section 3 prohibits"
    if mixes_directions(trace):
        return "the trace mixes directions of writing"
    return None
