"""What the mistakes of both protocols are made with: things to say, and decks to draw them from."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from tests.interop.oracle.conversation import Said

__all__ = ["Decks", "cut_off", "each", "escaped", "octets", "pipelined", "response", "said"]


def said(text: str, name: str | None = None) -> Said:
    """A line, which has one reply."""
    return Said(text.encode() + b"\r\n", _visible(text) if name is None else name)


def octets(what: bytes, name: str | None = None) -> Said:
    """What servers may take for more than one line."""
    return Said(what, escaped(what) if name is None else name, replies="some")


def response(text: str, name: str | None = None) -> Said:
    """A line of a SASL exchange."""
    return Said(
        text.encode() + b"\r\n", _visible(f"response {text}") if name is None else name, "auth"
    )


def cut_off(what: bytes) -> Said:
    """The last that a client says before it closes."""
    return Said(what, f"{escaped(what)}, and close", replies="rest")


def _visible(text: str) -> str:
    return "".join(one if one.isprintable() else escaped(one.encode()) for one in text)


def escaped(what: bytes) -> str:
    """As differences.md has octets."""
    return repr(what)[2:-1]


class Decks:
    """In each place all of a kind is drawn once before any of it comes again."""

    def __init__(self, rng: random.Random, kinds: Mapping[str, Sequence[Sequence[Said]]]) -> None:
        self._rng = rng
        self._kinds = kinds
        self._left: dict[tuple[str, str], list[Sequence[Said]]] = {}

    def draw(self, kind: str, place: str = "") -> Sequence[Said]:
        left = self._left.setdefault((kind, place), [])
        if not left:
            left.extend(self._kinds[kind])
            self._rng.shuffle(left)
        return left.pop()

    def sometimes(self, probability: float, kind: str, place: str = "") -> Sequence[Said]:
        return self.draw(kind, place) if self._rng.random() < probability else ()


def each(things: Iterable[Said]) -> list[list[Said]]:
    """One at a time."""
    return [[one] for one in things]


def pipelined(things: Iterable[Said], *ends: bytes) -> list[list[Said]]:
    """In groups as large as they may be; a command that begins with one of `ends` ends a group."""
    groups: list[list[Said]] = [[]]
    for one in things:
        if one.only_in or one.replies != "one":
            groups += [[one], []]
        else:
            groups[-1].append(one)
            if one.octets.upper().startswith(ends):
                groups.append([])
    return [group for group in groups if group]
