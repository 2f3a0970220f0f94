"""What STAT, LIST, UIDL and LANG tell, typed: as a server gives it and as a client gets it.

``str(value)`` is how it stands on the wire. Whatever servers write behind the numbers and the
unique-id is passed over (RFC 1939 section 5: "additional information").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, TypeVar, overload

from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.pop3.commands import MOST
from smtpproto.values import Value, constructor, fill, is_number

__all__ = [
    "Language",
    "Listings",
    "MaildropStatus",
    "ScanListing",
    "UniqueId",
    "check_octets",
    "check_uid",
    "read_listings",
]

L = TypeVar("L", bound="_Listing")
N = TypeVar("N", bound="_Numbered")

_NUMBER = r"[ \t]*(0{0,9}[1-9][0-9]{0,9})"
_OCTETS = r"[ \t]+([0-9]{1,19})"
_REST = r"(?:[ \t].*)?$"
_UID = re.compile("[!-~]{1,70}")
_MOST_OCTETS = 10**19 - 1


def _check(what: str, number: int, least: int, most: int) -> None:
    if not is_number(number, least, most):
        raise LocalProtocolError(f"{what} {number!r}: expected a number from {least} to {most}")


def check_octets(octets: int) -> None:
    """Raise LocalProtocolError for what is no size of a message."""
    _check("ScanListing: octets", octets, 0, _MOST_OCTETS)


def check_uid(uid: str) -> None:
    """Raise LocalProtocolError for what is no unique-id."""
    if not _UID.fullmatch(uid):
        raise LocalProtocolError(
            f"{uid!r} is no unique-id: 1 to 70 characters from '!' to '~' (RFC 1939 section 7)"
        )


class _Listing(Value):
    """One line of a listing."""

    __slots__ = ()
    _pattern: ClassVar[re.Pattern[str]]
    _form: ClassVar[str]

    @classmethod
    def parse(cls: type[L], text: str) -> L:
        """The value of a line. Raises RemoteProtocolError."""
        match = cls._pattern.match(text)
        if match is None or match.end() != len(text):
            raise RemoteProtocolError(f"expected {cls._form}, got {text[:512]!r}")
        return cls._of(*match.groups())

    @classmethod
    def _of(cls: type[L], *words: str) -> L:
        raise NotImplementedError

    def __str__(self) -> str:
        return " ".join(map(str, self._fields()))


class MaildropStatus(_Listing):
    """STAT's drop listing: `count` messages, `octets` in all; what is deleted does not count."""

    __slots__ = ("count", "octets")
    count: int
    octets: int
    _pattern = re.compile(rf"^[ \t]*([0-9]{{1,10}}){_OCTETS}{_REST}", re.MULTILINE)
    _form = "the number of messages and of their octets"

    def __init__(self, count: int, octets: int) -> None:
        _check("MaildropStatus", count, 0, MOST)
        _check("MaildropStatus: octets", octets, 0, _MOST_OCTETS)
        fill(self, count, octets)

    @classmethod
    def _of(cls, *words: str) -> MaildropStatus:
        return cls(*map(int, words))


class _Numbered(_Listing):
    """What a line for each message tells: its number, and something about it."""

    __slots__ = ()
    _type: ClassVar[type[int] | type[str]]

    @classmethod
    def _of(cls: type[N], *words: str) -> N:
        number, about = words
        value: N = _BUILD[cls](int(number), cls._type(about))
        return value


class ScanListing(_Numbered):
    """LIST's scan listing of a message: its `number`, and its size in `octets`."""

    __slots__ = ("number", "octets")
    number: int
    octets: int
    _pattern = re.compile(rf"^{_NUMBER}{_OCTETS}{_REST}", re.MULTILINE)
    _form = "a message-number and a number of octets"
    _type = int

    def __init__(self, number: int, octets: int) -> None:
        _check("ScanListing", number, 1, MOST)
        check_octets(octets)
        fill(self, number, octets)


class UniqueId(_Numbered):
    """UIDL's unique-id listing of a message: its `number`, and its `uid`.

    A unique-id is 1 to 70 characters from "!" to "~" (RFC 1939 section 7). A client takes
    whatever the server has, up to a space.
    """

    __slots__ = ("number", "uid")
    number: int
    uid: str
    _pattern = re.compile(rf"^{_NUMBER}[ \t]+(\S[^ \t\n]*){_REST}", re.MULTILINE)
    _form = "a message-number and a unique-id"
    _type = str

    def __init__(self, number: int, uid: str) -> None:
        _check("UniqueId", number, 1, MOST)
        check_uid(uid)
        fill(self, number, uid)


class Language(_Listing):
    """LANG's listing of a language: its `tag`, and its `description` in the language itself."""

    __slots__ = ("tag", "description")
    tag: str
    description: str
    _pattern = re.compile(r"^[ \t]*([!-~]+)(?:[ \t]+([^\n]*))?$", re.MULTILINE)
    _form = "a language tag and a description"

    def __init__(self, tag: str, description: str = "") -> None:
        if not re.fullmatch("[A-Za-z0-9-]+", tag):
            raise LocalProtocolError(f"{tag!r} is no language tag (RFC 5646)")
        if not description.isprintable() or description.strip(" ") != description:
            raise LocalProtocolError(f"{description!r} is no description of a language")
        fill(self, tag, description)

    @classmethod
    def _of(cls, *words: str) -> Language:
        return _language(words[0], (words[1] or "").rstrip(" \t"))

    def __str__(self) -> str:
        return f"{self.tag} {self.description}".rstrip(" ")


_language = constructor(Language)
_BUILD: Mapping[type[_Listing], Callable[..., Any]] = {
    kind: constructor(kind) for kind in (ScanListing, UniqueId)
}


class Listings(Value, Sequence[N]):
    """The values of all lines of a listing, each built when it is asked for.

    A maildrop may have a hundred thousand messages, and to build and keep a value for each takes
    longer than all the rest. Stands for the tuple of them: immutable, equal to it, with its hash.
    """

    __slots__ = ("_kind", "_numbers", "_about")
    _kind: type[N]
    _numbers: tuple[int, ...]
    _about: tuple[int | str, ...]

    def __init__(self, kind: type[N], words: Sequence[str]) -> None:
        """`words` are the two of each line, one after the other, and known to be right."""
        fill(self, kind, tuple(map(int, words[::2])), tuple(map(kind._type, words[1::2])))

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> N: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[N, ...]: ...
    def __getitem__(self, index: int | slice) -> N | tuple[N, ...]:
        build = _BUILD[self._kind]
        if isinstance(index, slice):
            return tuple(map(build, self._numbers[index], self._about[index]))
        built: N = build(self._numbers[index], self._about[index])
        return built

    def __iter__(self) -> Iterator[N]:
        return map(_BUILD[self._kind], self._numbers, self._about)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listings | tuple):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def read_listings(kind: type[N], lines: Sequence[str]) -> Listings[N]:
    """The values of all lines of a listing. Raises RemoteProtocolError for the first that is none.

    A pass that proves that every line is right, and one that splits them all.
    """
    text = "\n".join(lines)
    if lines:
        wrong = re.search(rf"\n(?!{kind._pattern.pattern})", f"\n{text}", re.MULTILINE)
        if wrong is not None:
            kind.parse(text[wrong.start() :].split("\n", 1)[0])  # raises
    words = text.split()
    if len(words) != 2 * len(lines):  # no line has less than two words; some have more
        words = [*chain.from_iterable(kind._pattern.findall(text))]
    return Listings(kind, words)
