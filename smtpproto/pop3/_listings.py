"""What STAT, LIST, UIDL and LANG answer, as values: written by a server, read by a client.

STAT answers with a drop listing (RFC 1939 section 5), LIST with scan listings, UIDL with unique-id
listings (section 7), LANG with languages (RFC 6856 section 3.2). ``str(value)`` is the wire form.
Servers write more behind the number and the size or unique-id ("additional information", RFC 1939
section 5): it is ignored.

Theory of operation. LIST and UIDL may be 16 MiB long, and a value for each of their lines would
take ten times as much. So a listing holds columns instead: the message-numbers and the sizes as
arrays of 64-bit integers; the unique-ids as octets, and an array of where each begins. That is 16
octets a line, and the unique-ids once more. A value is built when it is asked for. Nothing is done
line by line in Python where the lines are as the RFC writes them: some thousand at a time
(`_windows`) are matched by one regular expression (`_plain`) and converted by one call. Any other
window goes through a second expression (`_sift`), which separates the lines that can be read from
the others.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, count, islice, repeat
from operator import add, eq, lt, not_
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

_ENTRY = rb"[ \t]{0,255}%b[ \t]{1,255}%b(?:[ \t][^\n]*)?"
"""A line of two words and whatever follows them, without its line end. The spaces are bounded, for
a line that is nothing else would be scanned once for each alternative of the expressions below."""
_NUMBER = rb"0{0,9}([1-9][0-9]{0,9})"
_OCTETS = rb"0{0,18}(0|[1-9][0-9]{0,18})"
_ANY_UID = rb"([^ \t\r\n]+)"
_UID = re.compile("[!-~]{1,70}")
_MOST_OCTETS = 10**19 - 1
_MOST_UNREAD = 65536
"""Octets of unread lines that are kept. As str objects a whole listing of short ones would take
twenty times its octets."""
_COMMAS = bytes.maketrans(b" \r", b",,")
_WINDOW = 16384
_NO_ROWS = [(b"", b"", b"")]
_SHOWN = 20
"""Values that the repr of a listing shows: events are logged, and may hold a million."""


def _checked_number(what: str, number: int, least: int, most: int) -> int:
    if not is_number(number, least, most):
        raise InvalidValueError(f"{what} {number!r}: expected a number from {least} to {most}")
    # An IntEnum member, or an instance of any other subclass, may write itself differently.
    return int.__int__(number)


def check_octets(octets: int) -> int:
    """`octets` as a plain int. Raises InvalidValueError for anything but a message's size."""
    return _checked_number("ScanListing: octets", octets, 0, _MOST_OCTETS)


def check_uid(uid: str) -> str:
    """`uid` as a plain str. Raises InvalidValueError for anything but a unique-id."""
    uid = _plain_text("unique-id", uid)
    if not _UID.fullmatch(uid):
        raise InvalidValueError(
            f"{uid!r} is not a unique-id: 1 to 70 characters from '!' to '~' (RFC 1939 section 7)"
        )
    return uid


def _plain_text(what: str, text: str) -> str:
    if not isinstance(text, str):
        no_text(what, text)
    # A subclass or an Enum member may write itself differently: its str value is both checked
    # and written.
    return str.__str__(text)


class _Listing(Value):
    """One line of a listing."""

    __slots__ = ()
    _pattern: ClassVar[re.Pattern[bytes]]
    _form: ClassVar[str]

    @classmethod
    def parse(cls: type[L], text: str) -> L:
        """Read the value from a line. Raises RemoteProtocolError."""
        try:
            match = cls._pattern.fullmatch(text.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:  # a surrogate that does not stand for an octet
            match = None
        if match is None:
            raise RemoteProtocolError(f"expected {cls._form}, got {text[:512]!r}")
        return cls._of(*match.groups())

    @classmethod
    def _of(cls: type[L], *words: bytes) -> L:
        """The value whose fields were matched in a line."""
        raise NotImplementedError

    def __str__(self) -> str:
        return " ".join(map(str, self._contents()))


class MaildropStatus(_Listing):
    """STAT's drop listing: `count` messages of `octets` in all. Messages that are marked as
    deleted do not count."""

    __slots__ = __match_args__ = ("count", "octets")
    count: int
    octets: int
    _pattern = re.compile(_ENTRY % (rb"([0-9]{1,10})", _OCTETS))
    _form = "the number of messages and of their octets"

    def __init__(self, count: int, octets: int) -> None:
        fill(
            self,
            _checked_number("MaildropStatus", count, 0, MOST),
            _checked_number("MaildropStatus: octets", octets, 0, _MOST_OCTETS),
        )

    @classmethod
    def _of(cls, *words: bytes) -> MaildropStatus:
        return cls(*map(int, words))


def _sifter(about: bytes) -> re.Pattern[bytes]:
    """A pattern whose findall() takes lines apart into rows of three groups: three empty ones for
    empty lines; or a line that can be read, its number, and its size or unique-id; or a line that
    cannot be read, and two empty ones.

    Neighbouring lines share a row where it is cheap: a hostile server may send nothing else.
    """
    empty = rb"[ \t\r]*\n"
    entry = _ENTRY % (_NUMBER, about)
    begins_otherwise = rb"[ \t]*[^0-9 \t\r\n][^\n]*\n"
    not_empty = rb"[ \t\r]*[^ \t\r\n][^\n]*\n"
    return re.compile(
        rb"(?:%b)+|(%b\r?\n|(?:%b)+|%b)" % (empty, entry, begins_otherwise, not_empty)
    )


def _readable(about: bytes) -> re.Pattern[bytes]:
    """The same, for the lines that can be read alone: in less time when most lines cannot."""
    return re.compile(rb"^(%b\r?\n)" % (_ENTRY % (_NUMBER, about)), re.MULTILINE)


def _integers(words: list[bytes]) -> list[int]:
    """The integers of decimal words without leading zeros; in less time than int() for each."""
    integers: list[int] = json.loads(f"[{b','.join(words).decode('ascii')}]")
    return integers


class _Numbered(_Listing):
    """A line about one message: its number, and its size or unique-id."""

    __slots__ = ()
    _plain: ClassVar[re.Pattern[bytes]]
    """Matches lines that are exactly as the RFC writes them."""
    _sift: ClassVar[re.Pattern[bytes]]
    _find: ClassVar[re.Pattern[bytes]]

    @staticmethod
    def _column() -> array[int] | _Texts:
        """An empty column of sizes or unique-ids."""
        raise NotImplementedError

    @staticmethod
    def _columns(lines: bytes) -> tuple[list[int], list[Any]]:
        """The numbers of plain lines, and their sizes or unique-ids as the column takes them."""
        raise NotImplementedError

    @staticmethod
    def _converted(words: list[bytes]) -> list[Any]:
        """Sizes or unique-ids as the column takes them."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[object, ...]:
        return _build, (type(self), self._contents())


class _Scan(NamedTuple):
    number: int
    octets: int


# The named tuple comes first among the bases: equality and the hash are the tuple's.
class ScanListing(_Scan, _Numbered):
    """LIST's scan listing of a message: its `number`, and its size in `octets`.

    It equals the tuple ``(number, octets)``.
    """

    __slots__ = ()
    __match_args__ = ("number", "octets")
    _pattern = re.compile(_ENTRY % (_NUMBER, _OCTETS))
    _plain = re.compile(rb"(?:[1-9][0-9]{0,9} (?:0|[1-9][0-9]{0,18})\r\n)+")
    _sift = _sifter(_OCTETS)
    _find = _readable(_OCTETS)
    _form = "a message-number and a number of octets"

    def __new__(cls, number: int, octets: int) -> ScanListing:
        number = _checked_number("ScanListing", number, 1, MOST)
        return super().__new__(cls, number, check_octets(octets))

    @classmethod
    def _of(cls, *words: bytes) -> ScanListing:
        return tuple.__new__(cls, map(int, words))

    @staticmethod
    def _column() -> array[int]:
        return array("Q")

    @staticmethod
    def _columns(lines: bytes) -> tuple[list[int], list[int]]:
        integers = _integers([lines[:-2].translate(_COMMAS, b"\n")])
        return integers[::2], integers[1::2]

    @staticmethod
    def _converted(words: list[bytes]) -> list[int]:
        return _integers(words)


class _Unique(NamedTuple):
    number: int
    uid: str


class UniqueId(_Unique, _Numbered):
    """UIDL's unique-id listing of a message: its `number`, and its `uid`.

    A unique-id is 1 to 70 characters from "!" to "~" (RFC 1939 section 7). A client reads any
    octets up to a space or a tab as one, however many. It equals the tuple ``(number, uid)``.
    """

    __slots__ = ()
    __match_args__ = ("number", "uid")
    _pattern = re.compile(_ENTRY % (_NUMBER, _ANY_UID))
    _plain = re.compile(rb"(?:[1-9][0-9]{0,9} [!-~]+\r\n)+")
    _sift = _sifter(_ANY_UID)
    _find = _readable(_ANY_UID)
    _form = "a message-number and a unique-id"

    def __new__(cls, number: int, uid: str) -> UniqueId:
        number = _checked_number("UniqueId", number, 1, MOST)
        return super().__new__(cls, number, check_uid(uid))

    @classmethod
    def _of(cls, *words: bytes) -> UniqueId:
        return tuple.__new__(cls, (int(words[0]), words[1].decode("utf-8", "surrogateescape")))

    @staticmethod
    def _column() -> _Texts:
        return _Texts()

    @staticmethod
    def _columns(lines: bytes) -> tuple[list[int], list[bytes]]:
        words = lines.split()
        return _integers(words[::2]), words[1::2]

    @staticmethod
    def _converted(words: list[bytes]) -> list[bytes]:
        return words


class Language(_Listing):
    """LANG's listing of a language: its `tag`, and its `description` in that language."""

    __slots__ = __match_args__ = ("tag", "description")
    tag: str
    description: str
    _pattern = re.compile(rb"[ \t]*([!-~]+)(?:[ \t]+([^\n]*))?")
    _form = "a language tag and a description"

    def __init__(self, tag: str, description: str = "") -> None:
        tag = _plain_text("language tag", tag)
        description = _plain_text("description of a language", description)
        if not re.fullmatch("[A-Za-z0-9-]+", tag):
            raise InvalidValueError(f"{tag!r} is not a language tag (RFC 5646)")
        if not description.isprintable() or description.strip(" ") != description:
            raise InvalidValueError(
                f"the description {description!r} must be printable, without spaces around it"
            )
        fill(self, tag, description)

    @classmethod
    def _of(cls, *words: bytes) -> Language:
        description = (words[1] or b"").decode("utf-8", "surrogateescape")
        return _language(words[0].decode("ascii"), description.rstrip(" \t"))

    def __str__(self) -> str:
        return f"{self.tag} {self.description}".rstrip(" ")


_language = constructor(Language)
_build: Callable[..., Any] = tuple.__new__  # a ScanListing or UniqueId from checked fields


class _Texts:
    """A column of texts: their octets in one piece, a space behind each, and where each begins.

    A str object takes 50 octets besides its text.
    """

    __slots__ = ("octets", "starts")

    def __init__(self) -> None:
        self.octets = bytearray()
        self.starts = array("Q", [0])

    def extend(self, texts: Iterable[bytes]) -> None:
        words = [*texts]
        ends = map(add, accumulate(map(len, words)), count(len(self.octets) + 1))
        self.starts.extend(ends)
        self.octets += b" ".join([*words, b""])

    def __getitem__(self, index: int) -> str:
        if index < 0:
            index -= 1  # the last start is the end of the last text
        octets = self.octets[self.starts[index] : self.starts[index + 1] - 1]
        return octets.decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._windows())

    def _windows(self) -> Iterator[list[str]]:
        """The texts, as many at a time as fit into a window, but at least one."""
        starts = self.starts
        first, last = 0, len(starts) - 1
        while first < last:
            end = max(first + 1, bisect_right(starts, starts[first] + _WINDOW) - 1)
            octets = self.octets[starts[first] : starts[end] - 1]
            yield octets.decode("utf-8", "surrogateescape").split(" ")
            first = end


class Listings(Value, Sequence[N]):
    """The values of all lines of a listing, in ascending order of their message-numbers.

    A sequence that is immutable, equal to the tuple of its values and has its hash. A value is
    built when it is asked for, so a listing takes less memory than the tuple. Raises
    InvalidValueError for values of another class, and for message-numbers that do not ascend.
    """

    __slots__ = ("_about", "_numbers", "_unread")
    __match_args__ = ()
    _kind: ClassVar[type[_Numbered]]
    _numbers: array[int]
    _about: array[int] | _Texts
    _unread: bytes

    def __init__(self, values: Iterable[N] = ()) -> None:
        listed = tuple(values)
        for value in listed:
            if not isinstance(value, self._kind):
                raise InvalidValueError(
                    f"{type(self).__name__} are made of {self._kind.__name__} values, not"
                    f" {value!r:.60}"
                )
        lines = "".join(f"{value}\r\n" for value in listed)
        self._fill(lines.encode("utf-8", "surrogateescape"), MOST)
        if self != listed:
            raise InvalidValueError(f"{type(self).__name__}: the message-numbers must ascend")

    @classmethod
    def read(cls: type[S], block: bytes, most: int | None = None) -> S:
        """Read the lines of a multi-line response, each with its CRLF.

        Never raises: empty lines are skipped, and a line that cannot be read is left out and
        stands in `unread`. So does a line whose message-number is not above those of all lines
        before it (a client that sends commands for each entry must not be made to repeat them),
        or is above `most`, the number of messages in the maildrop where it is known.
        """
        listings = cls.__new__(cls)
        listings._fill(block, MOST if most is None else most)
        return listings

    def _fill(self, block: bytes, most: int) -> None:
        kind = self._kind
        numbers, about = array("Q"), kind._column()
        unread = bytearray()
        highest = 0
        for lines in _windows(block):
            rows: Sequence[bytes] = ()
            if kind._plain.fullmatch(lines):
                given, found = kind._columns(lines)
            else:
                pattern = kind._sift if len(unread) < _MOST_UNREAD else kind._find
                rows, words, texts = zip(*pattern.findall(lines) or _NO_ROWS, strict=True)
                # A line that cannot be read gets the number 0, which is never above another.
                given = _integers([word or b"0" for word in words])
                found = kind._converted([text or b"0" for text in texts])
            if all(map(lt, [highest, *given], [*given, most + 1])):  # ascending, up to `most`
                numbers.extend(given)
                about.extend(found)
                highest = given[-1]
                continue
            right = [highest < number <= most and bool(highest := number) for number in given]
            numbers.extend(compress(given, right))
            about.extend(compress(found, right))
            if len(unread) < _MOST_UNREAD:
                rows = rows or lines.splitlines(keepends=True)
                unread += b"".join(compress(rows, map(not_, right)))
        _set_about(self, about)
        _set_numbers(self, numbers)
        _set_unread(self, bytes(unread[:_MOST_UNREAD]))

    @property
    def unread(self) -> tuple[str, ...]:
        """The lines that could not be read, in the order in which they came.

        Only the first 65536 octets of them are kept, so the last line may be cut. Octets that
        are not UTF-8 are lone surrogates, as in `Ok.lines`. Not compared.
        """
        lines = self._unread.decode("utf-8", "surrogateescape").split("\n")
        return tuple(line for line in (line.removesuffix("\r") for line in lines) if line)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> N: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[N, ...]: ...
    def __getitem__(self, index: int | slice) -> N | tuple[N, ...]:
        if isinstance(index, slice):
            return tuple(map(self.__getitem__, range(len(self))[index]))
        built: N = _build(self._kind, (self._numbers[index], self._about[index]))
        return built

    def __iter__(self) -> Iterator[N]:
        pairs = zip(self._numbers, self._about, strict=True)
        return map(_build, repeat(self._kind), pairs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listings | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        more = len(self) - _SHOWN
        if more <= 0:
            return repr(tuple(self))
        return f"({', '.join(map(repr, islice(self, _SHOWN)))}, ... {more} more)"


_set_about, _set_numbers, _set_unread = setters(Listings)


class ScanListings(Listings[ScanListing]):
    """LIST's answer for all messages: a sequence of ScanListing values (RFC 1939 section 5)."""

    __slots__ = ()
    _kind = ScanListing


class UniqueIds(Listings[UniqueId]):
    """UIDL's answer for all messages: a sequence of UniqueId values (RFC 1939 section 7)."""

    __slots__ = ()
    _kind = UniqueId


def _windows(block: bytes) -> Iterator[bytes]:
    """The block, some whole lines at a time, so that temporary objects are few."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + _WINDOW) + 1
        if end:
            yield block[start:end]
        else:  # the last window; its last line may lack an end
            yield block[start:] if block.endswith(b"\n") else block[start:] + b"\n"
        start = end or len(block)
