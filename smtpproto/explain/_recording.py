"""Recording: a session that somebody wrote down, read from a file into what each side said.

A recording is of one of two kinds. A dialogue has a line for each line of either side, in the
order in which they were said, with a mark that names the side. Directions are the octets of each
side in a file of its own, as tcpflow writes them; who waited for whom cannot be told from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = [
    "Dialogue",
    "Directions",
    "NotARecording",
    "Recording",
    "Said",
    "Side",
    "Switch",
    "unescaped",
]

LONGEST = 1 << 24
"""Octets of a recording: it is held in memory."""

Side = Literal["C", "S"]
"""Who opened the connection, and who answered it; they keep these names when the roles change."""


class NotARecording(Exception):  # noqa: N818 (the words that a person is told)
    """A file that cannot be read as a recording; the text names it, and the line."""


class Said(NamedTuple):
    """What one side wrote: a line with its end, or octets that are none."""

    side: Side
    octets: bytes
    line: int
    """Where it stands in its file."""


class Switch(NamedTuple):
    """What both sides did: they began TLS, or changed their roles (RFC 2645)."""

    to: Literal["TLS", "REVERSED"]
    line: int


class Recording:
    """Base of both kinds. `ordered`: whether it tells what was said before what."""

    ordered: bool
    offers: tuple[str, ...] = ()
    """What the server offers although no answer shows it."""

    def name(self, side: Side) -> str:
        """The file in which a side's words stand."""
        raise NotImplementedError

    def said(self, side: Side) -> Iterator[Said]:
        """All that a side wrote."""
        raise NotImplementedError

    def steps(self, turn: Callable[[], Side]) -> Iterator[Said | Switch]:
        """The session from its beginning. `turn` says which side is to speak next, where the
        recording does not tell."""
        raise NotImplementedError


def read(path: Path) -> bytes:
    """The octets of a file. Raises OSError, and NotARecording for too many."""
    with path.open("rb") as file:
        octets = file.read(LONGEST + 1)
    if len(octets) > LONGEST:
        raise NotARecording(f"{path}: a recording has at most {LONGEST} octets: shorten it")
    return octets


# -- dialogues ------------------------------------------------------------------------------------

_MARKED = re.compile(
    rb"(?P<piece>C> )(?P<octets>.*)"
    rb"|(?:(?P<client>C:|>>>|[-~]>|>)|(?P<server>S:|<<<|<\*\*|<~\*|<[-~] ?|<)) ?(?P<text>.*)"
    rb"|(?P<reply>[2-5][0-9][0-9](?:[ -].*)?|(?:\+OK|-ERR)(?: .*)?)",
    re.DOTALL,
)
"""A line of a dialogue. ``C:``, ``S:`` as the RFCs print it; ``>>>``, ``<<<`` and a reply without
any mark: sendmail -v; ``->``, ``<-``, ``~>`` and ``<~`` under TLS, ``<**`` a refusal: swaks; ``>``,
``<``: curl -v. ``C>`` is a piece of a message with escapes."""

_REMARK = (b"#", b"*", b"=", b"{", b"}")
"""What begins a line that nobody said: comments, and what curl and swaks tell of themselves."""

_OFFERS = b"# offers: "
_ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([rn\\]))")
_REPEATED = re.compile(rb"\{([0-9]{1,9})\*(\\x[0-9A-Fa-f]{2}|\\.|.)\}", re.DOTALL)


class Dialogue(Recording):
    """The lines of both sides in one file, in their order."""

    ordered = True

    def __init__(self, path: Path) -> None:
        """Read the file. Raises OSError, NotARecording."""
        self._path = path
        self._octets = read(path).removeprefix(b"\xef\xbb\xbf")
        self._repeated = 0
        self.offers = tuple(
            word.decode(errors="replace")
            for line in BytesIO(self._octets)
            if line.startswith(_OFFERS)
            for word in line[len(_OFFERS) :].split()
        )

    def name(self, side: Side) -> str:
        return str(self._path)

    def said(self, side: Side) -> Iterator[Said]:
        for step in self._steps():
            if isinstance(step, Said) and step.side == side:
                yield step

    def steps(self, turn: Callable[[], Side]) -> Iterator[Said | Switch]:
        return self._steps()

    def _steps(self) -> Iterator[Said | Switch]:
        """Raises NotARecording for a line that is nothing."""
        self._repeated = 0
        for number, ended in enumerate(BytesIO(self._octets), 1):
            line = ended.removesuffix(b"\n").removesuffix(b"\r").lstrip(b" \t")
            if not line.strip() or line.startswith(_REMARK):
                continue
            if line in (b"TLS", b"REVERSED"):
                yield Switch("TLS" if line == b"TLS" else "REVERSED", number)
                continue
            match = _MARKED.fullmatch(line)
            if match is None:
                raise NotARecording(
                    f"{self._path}:{number}: expected C: or S: and what that side said, got"
                    f" {line[:60]!r}"
                )
            if match["piece"]:
                yield Said("C", self._piece(match["octets"], number), number)
            elif match["reply"]:
                yield Said("S", match["reply"] + b"\r\n", number)
            else:
                side: Side = "C" if match["client"] else "S"
                yield Said(side, match["text"] + b"\r\n", number)

    def _piece(self, text: bytes, number: int) -> bytes:
        self._repeated += sum(int(count) for count, _ in _REPEATED.findall(text))
        if self._repeated > LONGEST:
            raise NotARecording(f"{self._path}:{number}: more than {LONGEST} repeated octets")
        return unescaped(text)


def unescaped(text: bytes) -> bytes:
    r"""The octets of a ``C>`` line: \\r \\n \\\\ \\xHH, and {n*X} for n times the octet X."""
    octets = _REPEATED.sub(lambda match: match[2] * int(match[1]), text)
    return _ESCAPED.sub(
        lambda match: (
            bytes.fromhex(match[1].decode())
            if match[1]
            else {b"r": b"\r", b"n": b"\n"}.get(match[2], b"\\")
        ),
        octets,
    )


# -- directions -----------------------------------------------------------------------------------


class Directions(Recording):
    """The octets of each side in a file of its own."""

    ordered = False

    def __init__(self, client: Path, server: Path) -> None:
        """Read the files. Raises OSError, NotARecording."""
        self._paths: dict[Side, Path] = {"C": client, "S": server}
        self._octets = {side: read(path) for side, path in self._paths.items()}

    def name(self, side: Side) -> str:
        return str(self._paths[side])

    def said(self, side: Side) -> Iterator[Said]:
        for number, line in enumerate(BytesIO(self._octets[side]), 1):
            yield Said(side, line, number)

    def steps(self, turn: Callable[[], Side]) -> Iterator[Said | Switch]:
        left = {side: self.said(side) for side in self._octets}
        while left:
            side = turn()
            if side not in left:
                (side,) = left
            said = next(left[side], None)
            if said is None:
                del left[side]
            else:
                yield said
