"""Dialogues: the sessions that stand in tests/dialogues, read as its README describes them.

What the octets mean is the business of the test that runs them: SMTP and POP3 alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

from smtpproto.explain._recording import unescaped

__all__ = ["DIRECTORY", "Dialogue", "Said", "Switch", "dialogues"]

DIRECTORY = Path(__file__).parent / "dialogues"


class Said(NamedTuple):
    """What one side writes: a line with its CRLF, or a `piece` of a message as it stands."""

    side: Literal["C", "S"]
    octets: bytes
    piece: bool = False
    server: str | None = None
    """Of a reply that our server gives by itself, in other words: its code."""


class Switch(NamedTuple):
    """What both sides do here."""

    to: Literal["TLS", "REVERSED"]


class Dialogue(NamedTuple):
    name: str
    comments: tuple[str, ...]
    steps: tuple[Said | Switch, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """Which of our connections can take part in it."""
        given = self._directive("role")
        return (given,) if given else ("client", "server")

    @property
    def offers(self) -> tuple[str, ...]:
        """What the server is configured with although no answer in the file shows it."""
        return tuple((self._directive("offers") or "").split())

    @property
    def by_hand(self) -> bool:
        """Whether no RFC has it: then our server's own replies stand in its own words."""
        return any(text.startswith("Written by hand") for text in self.comments)

    def _directive(self, name: str) -> str | None:
        found = [text for text in self.comments if text.startswith(f"{name}: ")]
        return found[0].partition(": ")[2] if found else None

    def halves(self) -> tuple[Dialogue, Dialogue | None]:
        """Up to REVERSED, and from there on with "C" and "S" changed: "C" is the client again."""
        reverse = Switch("REVERSED")
        if reverse not in self.steps:
            return self, None
        place = self.steps.index(reverse)
        after = tuple(
            step._replace(side="C" if step.side == "S" else "S") if isinstance(step, Said) else step
            for step in self.steps[place + 1 :]
        )
        return self._replace(steps=self.steps[:place]), self._replace(steps=after)

    def turns(self) -> Iterator[tuple[str, list[Said]]]:
        """The steps in runs: ("C", lines), ("S", lines), ("TLS", [])."""
        for who, steps in groupby(self.steps, lambda s: s.side if isinstance(s, Said) else s.to):
            yield who, [step for step in steps if isinstance(step, Said)]


def dialogues(pattern: str) -> list[Dialogue]:
    """Every dialogue whose file name matches, in order of their names."""
    found = [_read(path) for path in sorted(DIRECTORY.glob(pattern))]
    assert found, f"no file matches {pattern}"
    return found


def _read(path: Path) -> Dialogue:
    comments: list[str] = []
    steps: list[Said | Switch] = []
    server = None
    for line in path.read_text("utf-8").removesuffix("\n").split("\n"):
        mark, text = line[:3], line[3:]
        if line.startswith("# server: ") and line[10:].isdigit():
            server = line[10:]
        elif line.startswith("#"):
            comments.append(line[1:].strip(" "))
        elif mark == "C: ":
            steps.append(Said("C", text.encode() + b"\r\n"))
        elif mark == "S: ":
            steps.append(Said("S", text.encode() + b"\r\n", server=server))
            server = None
        elif mark == "C> ":
            steps.append(Said("C", unescaped(text.encode()), piece=True))
        elif line == "TLS":
            steps.append(Switch("TLS"))
        elif line == "REVERSED":
            steps.append(Switch("REVERSED"))
        else:
            raise ValueError(f"{path.name}: {line!r} is no line of a dialogue")
    return Dialogue(path.name, tuple(comments), tuple(steps))
