"""Which newlines stand in octets: the proof that a message has no bare CR and no bare LF."""

from __future__ import annotations

import re
from io import IncrementalNewlineDecoder
from typing import NoReturn

from smtpproto.errors import InvalidValueError

__all__ = ["NewlineRepair", "bare_newline"]

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def bare_newline(octets: bytes) -> int:
    """Where the first CR without LF, or LF without CR, stands in `octets`; -1 when none does.

    A CR at the very end counts as bare: do not ask before what follows it is known.
    """
    # One C loop that records which kinds of newline it has met, at the price of counting one
    # octet; counting CR, LF and CRLF, and comparing, takes three such passes.
    scanner = IncrementalNewlineDecoder(None, False)
    scanner.decode(octets.decode("latin-1"), True)
    seen = scanner.newlines
    if seen is None or seen == "\r\n":
        return -1
    found = _BARE.search(octets)
    assert found is not None
    return found.start()


class NewlineRepair:
    """Makes each newline of a message CRLF, and ends its last line.

    A bare CR or LF becomes CRLF; with `strict` it raises InvalidValueError.
    """

    __slots__ = ("_held", "_strict", "at_line_start")

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._held = b""  # a CR at the end of a piece, until the next one shows what follows it
        self.at_line_start = True

    def repair(self, data: bytes) -> bytes:
        """The next piece of the message, with the CR that was held back before it.

        With `strict`, raises InvalidValueError at a bare CR or LF, and takes nothing of `data`.
        """
        octets = self._held + data
        held = octets[-1:] if octets.endswith(b"\r") else b""
        if held:
            octets = octets[:-1]
        if bare_newline(octets) >= 0:
            if self._strict:
                self._refuse()
            octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        self._held = held
        if octets:
            self.at_line_start = octets.endswith(b"\r\n")
        return octets

    def finish(self) -> bytes:
        """The CRLF that the last line may lack. The next message may follow."""
        if self._held and self._strict:
            self._refuse()
        missing = b"" if self.at_line_start and not self._held else b"\r\n"
        self._held = b""
        self.at_line_start = True
        return missing

    def _refuse(self) -> NoReturn:
        raise InvalidValueError(
            "the message holds a CR without LF or a LF without CR, which no mail message may"
            " (RFC 5321 section 2.3.8): repair it, or let newlines='crlf' do it"
        )
