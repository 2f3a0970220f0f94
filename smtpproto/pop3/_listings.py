"""What STAT, LIST, UIDL and LANG tell, typed: as a server gives it and as a client gets it.

``str(value)`` is how it stands on the wire. Whatever servers write behind the numbers and the
unique-id is passed over (RFC 1939 section 5: "additional information").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import filterfalse, repeat
from typing import Any, ClassVar, NamedTuple, TypeVar, overload

from smtpproto._value import Value, constructor, fill, is_number, no_text, setters
from smtpproto.errors import InvalidValueError, RemoteProtocolError
from smtpproto.pop3._commands import MOST

__all__ = [
    "Language",
    "Listings",
    "MaildropStatus",
    "ScanListing",
    "ScanListings",
    "UniqueId",
    "UniqueIds",
    "check_octets",
    "check_uid",
]

L = TypeVar("L", bound="_Listing")
N = TypeVar("N", bound="_Numbered")
S = TypeVar("S", bound="Listings[Any]")

_NUMBER = r"[ \t]*0{0,9}([1-9][0-9]{0,9})"
_OCTETS = r"[ \t]+0{0,18}(0|[1-9][0-9]{0,18})"
_REST = r"(?:[ \t].*)?$"
_UID = re.compile("[!-~]{1,70}")
_MOST_OCTETS = 10**19 - 1
_COMMAS = bytes.maketrans(b" \r", b",,")
_WINDOW = 16384


def _check(what: str, number: int, least: int, most: int) -> None:
    if not is_number(number, least, most):
        raise InvalidValueError(f"{what} {number!r}: expected a number from {least} to {most}")


def check_octets(octets: int) -> None:
    """Raise InvalidValueError for what is no size of a message."""
    _check("ScanListing: octets", octets, 0, _MOST_OCTETS)


def check_uid(uid: str) -> None:
    """Raise InvalidValueError for what is no unique-id."""
    if not isinstance(uid, str):
        no_text("unique-id", uid)
    if not _UID.fullmatch(uid):
        raise InvalidValueError(
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
        return " ".join(map(str, self._contents()))


class MaildropStatus(_Listing):
    """STAT's drop listing: `count` messages, `octets` in all; what is deleted does not count."""

    __slots__ = __match_args__ = ("count", "octets")
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
    """What a line for each message tells: its number, and something about it.

    A tuple, which one call in C builds: there may be a hundred thousand of them.
    """

    __slots__ = ()
    _plain: ClassVar[re.Pattern[bytes]]
    """Lines as the RFC has them, and no others."""

    @staticmethod
    def _columns(lines: bytes) -> tuple[Sequence[int], Sequence[object]]:
        """The numbers of plain lines, and what they tell about them."""
        raise NotImplementedError

    # Unlike other tuples, equal to none of another class.
    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._contents() == other._contents()

    __ne__ = object.__ne__
    __hash__ = Value.__hash__

    def __reduce__(self) -> tuple[object, ...]:
        return _build, (type(self), self._contents())


class _Scan(NamedTuple):
    number: int
    octets: int


class ScanListing(_Numbered, _Scan):
    """LIST's scan listing of a message: its `number`, and its size in `octets`."""

    __slots__ = ()
    __match_args__ = ("number", "octets")
    _pattern = re.compile(rf"^{_NUMBER}{_OCTETS}{_REST}", re.MULTILINE)
    _plain = re.compile(rb"(?:[1-9][0-9]{0,9} (?:0|[1-9][0-9]{0,18})\r\n)*")
    _form = "a message-number and a number of octets"

    def __new__(cls, number: int, octets: int) -> ScanListing:
        _check("ScanListing", number, 1, MOST)
        check_octets(octets)
        return super().__new__(cls, number, octets)

    @classmethod
    def _of(cls, *words: str) -> ScanListing:
        return tuple.__new__(cls, map(int, words))

    @staticmethod
    def _columns(lines: bytes) -> tuple[Sequence[int], Sequence[int]]:
        # json.loads takes two thirds of the time of split() and int() for each word.
        row = lines[:-2].translate(_COMMAS, b"\n").decode("ascii")
        words: list[int] = json.loads(f"[{row}]")
        return words[::2], words[1::2]


class _Unique(NamedTuple):
    number: int
    uid: str


class UniqueId(_Numbered, _Unique):
    """UIDL's unique-id listing of a message: its `number`, and its `uid`.

    A unique-id is 1 to 70 characters from "!" to "~" (RFC 1939 section 7). A client takes
    whatever the server has, up to a space.
    """

    __slots__ = ()
    __match_args__ = ("number", "uid")
    _pattern = re.compile(rf"^{_NUMBER}[ \t]+(\S[^ \t\n]*){_REST}", re.MULTILINE)
    _plain = re.compile(rb"(?:[1-9][0-9]{0,9} [!-~]+\r\n)*")
    _form = "a message-number and a unique-id"

    def __new__(cls, number: int, uid: str) -> UniqueId:
        _check("UniqueId", number, 1, MOST)
        check_uid(uid)
        return super().__new__(cls, number, uid)

    @classmethod
    def _of(cls, *words: str) -> UniqueId:
        return tuple.__new__(cls, (int(words[0]), words[1]))

    @staticmethod
    def _columns(lines: bytes) -> tuple[Sequence[int], Sequence[str]]:
        words = lines.split()
        uids = b" ".join(words[1::2]).decode("utf-8", "surrogateescape")
        return [*map(int, words[::2])], uids.split(" ")


class Language(_Listing):
    """LANG's listing of a language: its `tag`, and its `description` in the language itself."""

    __slots__ = __match_args__ = ("tag", "description")
    tag: str
    description: str
    _pattern = re.compile(r"^[ \t]*([!-~]+)(?:[ \t]+([^\n]*))?$", re.MULTILINE)
    _form = "a language tag and a description"

    def __init__(self, tag: str, description: str = "") -> None:
        if not re.fullmatch("[A-Za-z0-9-]+", tag):
            raise InvalidValueError(f"{tag!r} is no language tag (RFC 5646)")
        if not description.isprintable() or description.strip(" ") != description:
            raise InvalidValueError(f"{description!r} is no description of a language")
        fill(self, tag, description)

    @classmethod
    def _of(cls, *words: str) -> Language:
        return _language(words[0], (words[1] or "").rstrip(" \t"))

    def __str__(self) -> str:
        return f"{self.tag} {self.description}".rstrip(" ")


_language = constructor(Language)
_build: Callable[..., Any] = tuple.__new__  # a ScanListing or a UniqueId that is known to be right


class Listings(Value, Sequence[N]):
    """The values of all lines of a listing, each built when it is asked for.

    Stands for the tuple of them: immutable, equal to it, with its hash. Raises InvalidValueError
    for values of another class.
    """

    __slots__ = ("_about", "_numbers")
    __match_args__ = ()
    _kind: ClassVar[type[_Numbered]]
    _numbers: tuple[int, ...]
    _about: tuple[object, ...]

    def __init__(self, values: Iterable[N] = ()) -> None:
        listed = tuple(values)
        for value in listed:
            if not isinstance(value, self._kind):
                raise InvalidValueError(
                    f"{type(self).__name__} are made of {self._kind.__name__} values, not"
                    f" {value!r:.60}"
                )
        pairs = [value._contents() for value in listed]
        self._fill([number for number, _ in pairs], [about for _, about in pairs])

    def _fill(self, numbers: Iterable[object], about: Iterable[object]) -> None:
        _set_about(self, tuple(about))
        _set_numbers(self, tuple(numbers))

    @classmethod
    def read(cls: type[S], block: bytes) -> S:
        """The values of the lines of a block.

        Raises RemoteProtocolError for the first line that is none.
        """
        numbers: list[int] = []
        about: list[object] = []
        # All lines are proved before the first is read.
        for lines in [_plainly(cls._kind, lines) for lines in _windows(block)]:
            more_numbers, more_about = cls._kind._columns(lines)
            numbers += more_numbers
            about += more_about
        listings = cls()
        listings._fill(numbers, about)
        return listings

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> N: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[N, ...]: ...
    def __getitem__(self, index: int | slice) -> N | tuple[N, ...]:
        if isinstance(index, slice):
            return tuple(self._built(self._numbers[index], self._about[index]))
        built: N = _build(self._kind, (self._numbers[index], self._about[index]))
        return built

    def __iter__(self) -> Iterator[N]:
        return self._built(self._numbers, self._about)

    def _built(self, numbers: Iterable[int], about: Iterable[object]) -> Iterator[N]:
        return map(_build, repeat(self._kind), zip(numbers, about, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listings | tuple):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


_set_about, _set_numbers = setters(Listings)


class ScanListings(Listings[ScanListing]):
    """LIST's answer for all messages: a sequence of ScanListing values (RFC 1939 section 5)."""

    __slots__ = ()
    _kind = ScanListing


class UniqueIds(Listings[UniqueId]):
    """UIDL's answer for all messages: a sequence of UniqueId values (RFC 1939 section 7)."""

    __slots__ = ()
    _kind = UniqueId


def _windows(block: bytes) -> Iterator[bytes]:
    """Some lines of a block at a time, so that what they are taken to pieces in is soon free."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + _WINDOW) + 1 or len(block)
        yield block[start:end]
        start = end


def _plainly(kind: type[_Numbered], lines: bytes) -> bytes:
    """The lines without what the RFC does not want: other spaces, zeros, more words.

    Raises RemoteProtocolError for the first that is none.
    """
    if kind._plain.fullmatch(lines):
        return lines
    text = lines.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    found = kind._pattern.findall(text)
    if len(found) != text.count("\n"):
        wrong = next(filterfalse(kind._pattern.match, text.split("\n")))
        kind.parse(wrong)  # raises
    plain = "".join(f"{number} {about}\r\n" for number, about in found)
    return plain.encode("utf-8", "surrogateescape")
