"""Which newlines stand in octets: the proof that a message has no bare CR and no bare LF."""

from __future__ import annotations

import re
from io import IncrementalNewlineDecoder

__all__ = ["NewlineGuard", "bare_newline"]

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def bare_newline(octets: bytes) -> int:
    """Where the first CR without LF, or LF without CR, stands in `octets`; -1 when none does.

    A CR at the very end counts as bare: do not ask before what follows it is known.
    """
    # One C loop that records which kinds of newline it has met, at the price of counting one
    # octet; counting CR, LF and CRLF, and comparing, takes three such passes.
    scanner = IncrementalNewlineDecoder(None, False)
    scanner.decode(octets.decode("latin-1"), True)
    if scanner.newlines is None or scanner.newlines == "\r\n":
        return -1
    found = _BARE.search(octets)
    assert found is not None
    return found.start()


class NewlineGuard:
    """Lets a message that is not dot-stuffed (RFC 3030) pass up to its first bare CR or LF."""

    __slots__ = ("_held", "bare")

    def __init__(self) -> None:
        self._held = b""  # a CR that still waits for its LF
        self.bare = False

    def check(self, data: bytes) -> bytes:
        """What of `data` may pass, with the CR that was held back before it."""
        if self.bare:
            return b""
        octets = self._held + data
        self._held = b"\r" if octets.endswith(b"\r") else b""
        if self._held:
            octets = octets[:-1]
        position = bare_newline(octets)
        if position < 0:
            return octets
        self.bare = True
        return octets[:position]

    @property
    def unfinished(self) -> bool:
        """Whether a CR is held back."""
        return bool(self._held)

    def finish(self) -> None:
        """The message ends here: a CR that was held back is bare."""
        self.bare = self.bare or bool(self._held)
