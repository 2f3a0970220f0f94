"""What STAT, LIST, UIDL and LANG tell, typed: as a server gives it and as a client gets it.

``str(value)`` is how it stands on the wire. Whatever servers write behind the numbers and the
unique-id is passed over (RFC 1939 section 5: "additional information").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from smtpproto.errors import LocalProtocolError, RemoteProtocolError
from smtpproto.pop3.commands import MOST
from smtpproto.values import Value, constructor, fill, is_number

__all__ = ["Language", "MaildropStatus", "ScanListing", "UniqueId", "read_listings"]

L = TypeVar("L", bound="_Listing")

_NUMBER = r"[ \t]*0*([1-9][0-9]{0,9})"
_OCTETS = r"[ \t]+([0-9]{1,19})"
_REST = r"(?:[ \t].*)?$"


_MOST_OCTETS = 10**19 - 1


def _check(what: str, number: int, least: int, most: int) -> None:
    if not is_number(number, least, most):
        raise LocalProtocolError(f"{what} {number!r}: expected a number from {least} to {most}")


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


class ScanListing(_Listing):
    """LIST's scan listing of a message: its `number`, and its size in `octets`."""

    __slots__ = ("number", "octets")
    number: int
    octets: int
    _pattern = re.compile(rf"^{_NUMBER}{_OCTETS}{_REST}", re.MULTILINE)
    _form = "a message-number and a number of octets"

    def __init__(self, number: int, octets: int) -> None:
        _check("ScanListing", number, 1, MOST)
        _check("ScanListing: octets", octets, 0, _MOST_OCTETS)
        fill(self, number, octets)

    @classmethod
    def _of(cls, *words: str) -> ScanListing:
        return _scan_listing(int(words[0]), int(words[1]))


class UniqueId(_Listing):
    """UIDL's unique-id listing of a message: its `number`, and its `uid`.

    A unique-id is 1 to 70 characters from "!" to "~" (RFC 1939 section 7). A client takes
    whatever the server has, up to a space.
    """

    __slots__ = ("number", "uid")
    number: int
    uid: str
    _pattern = re.compile(rf"^{_NUMBER}[ \t]+([^ \t\n]+){_REST}", re.MULTILINE)
    _form = "a message-number and a unique-id"

    def __init__(self, number: int, uid: str) -> None:
        _check("UniqueId", number, 1, MOST)
        if not re.fullmatch("[!-~]{1,70}", uid):
            raise LocalProtocolError(
                f"{uid!r} is no unique-id: 1 to 70 characters from '!' to '~' (RFC 1939 section 7)"
            )
        fill(self, number, uid)

    @classmethod
    def _of(cls, *words: str) -> UniqueId:
        return _unique_id(int(words[0]), words[1])


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


_scan_listing = constructor(ScanListing)
_unique_id = constructor(UniqueId)
_language = constructor(Language)


def read_listings(kind: type[L], lines: Sequence[str]) -> tuple[L, ...]:
    """The values of all lines of a listing. Raises RemoteProtocolError for the first that is none.

    One pass of one pattern: nothing is built for a line but its value.
    """
    found = kind._pattern.findall("\n".join(lines)) if lines else []
    if len(found) != len(lines):
        return tuple(map(kind.parse, lines))  # raises for the one that was not found
    return tuple([kind._of(*words) for words in found])
