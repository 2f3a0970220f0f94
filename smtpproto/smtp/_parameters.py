"""Parameters of MAIL and RCPT (RFC 5321 section 4.1.2).

A parameter that is registered in keywords.py is checked and typed there. Every other keyword
passes through: with its value as a str, or True where it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Union, overload

from smtpproto._command import upper
from smtpproto._value import Value
from smtpproto.errors import InvalidValueError
from smtpproto.smtp._address import Address
from smtpproto.smtp._keywords import (
    KEYWORDS,
    By,
    OriginalRecipient,
    Tracking,
    ValidSince,
    check_together,
)

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "KEYWORD",
    "NO_PARAMETERS",
    "MailKeywords",
    "ParameterValue",
    "Parameters",
    "RcptKeywords",
]

ParameterValue = Union[
    str,
    int,
    bool,
    tuple[str, ...],
    "datetime",
    Address,
    By,
    OriginalRecipient,
    Tracking,
    ValidSince,
]
"""What a parameter can be: True for a keyword that stands alone."""

T = TypeVar("T")


class MailKeywords(TypedDict, total=False):
    """The keyword arguments of Mail that type checkers know; None and False leave one out."""

    size: int | None
    body: str | None
    auth: str | None
    smtputf8: bool | None
    ret: str | None
    envid: str | None
    requiretls: bool | None
    by: By | str | None
    holdfor: int | None
    holduntil: datetime | None
    mt_priority: int | None
    mtrk: Tracking | str | None
    solicit: Iterable[str] | str | None
    conperm: bool | None
    transid: str | None
    submitter: Address | str | None


class RcptKeywords(TypedDict, total=False):
    """The keyword arguments of Rcpt that type checkers know."""

    notify: Iterable[str] | str | None
    orcpt: OriginalRecipient | str | None
    conneg: bool | None
    rrvs: ValidSince | str | None


KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
"""RFC 5321 section 4.1.2: esmtp-keyword; section 4.1.1.1: ehlo-keyword."""
_VALUE = re.compile("[^\0- =\x7f-\x9f\ud800-\udfff]+")


class Parameters(Value, Mapping[str, ParameterValue]):
    """The parameters of a MAIL or RCPT command: a mapping from keyword to value.

    Keywords are upper case. Built from a mapping and from keyword arguments, whose ``_`` stands
    for the ``-`` of the wire: ``Parameters({"SIZE": 2048}, mt_priority=4)``. A value of None or
    False leaves the keyword out. Raises InvalidValueError for what no wire could carry.
    """

    __slots__ = ("_values",)
    __match_args__ = ()
    _values: dict[str, ParameterValue]

    def __init__(
        self, values: Mapping[str, ParameterValue | None] | None = None, **keywords: object
    ) -> None:
        given: dict[str, Any] = {}
        named = {name.replace("_", "-"): value for name, value in keywords.items()}
        for name, value in (*(values or {}).items(), *named.items()):
            if value is None or value is False:
                continue
            keyword = upper(name)
            if keyword in given:
                raise InvalidValueError(f"the parameter {keyword} is given twice")
            given[keyword] = _checked(keyword, value)
        try:
            check_together(given)
        except ValueError as error:
            raise InvalidValueError(str(error)) from None
        object.__setattr__(self, "_values", given)

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read the parameters that end a command line. Raises ValueError, for people."""
        values: dict[str, Any] = {}
        for word in filter(None, text.split(" ")):
            name, equals, written = word.partition("=")
            keyword = upper(name)
            if not KEYWORD.fullmatch(keyword) or (equals and not _VALUE.fullmatch(written)):
                raise ValueError("a parameter is KEYWORD or KEYWORD=value")
            if keyword in values:
                raise ValueError(f"{keyword} is given twice")
            registered = KEYWORDS.get(keyword)
            if registered is None:
                values[keyword] = written if equals else True
                continue
            try:
                values[keyword] = registered.read(written if equals else None)
            except ValueError:
                raise ValueError(f"{keyword}: expected {registered.expected}") from None
        if not values:
            return NO_PARAMETERS
        check_together(values)
        parameters = object.__new__(cls)
        object.__setattr__(parameters, "_values", values)
        return parameters

    def __getitem__(self, keyword: str) -> ParameterValue:
        return self._values[keyword]

    # Mapping's own two raise a KeyError for what is not there, and catch it.

    def __contains__(self, keyword: object) -> bool:
        return keyword in self._values

    @overload
    def get(self, keyword: str) -> ParameterValue | None: ...
    @overload
    def get(self, keyword: str, default: ParameterValue | T) -> ParameterValue | T: ...
    def get(self, keyword: str, default: object = None) -> object:
        return self._values.get(keyword, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __str__(self) -> str:
        """The wire form, each parameter after a space."""
        words = []
        for keyword, value in self._values.items():
            registered = KEYWORDS.get(keyword)
            written = registered.write(value) if registered else value
            words.append(f" {keyword}" if written in (None, True) else f" {keyword}={written}")
        return "".join(words)

    def __repr__(self) -> str:
        return f"Parameters({self._values!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return Parameters, (self._values,)


def _checked(keyword: str, value: object) -> object:
    """A value that a caller gave, as it will be read. Raises InvalidValueError."""
    if not KEYWORD.fullmatch(keyword):
        raise InvalidValueError(f"{keyword!r} is no parameter keyword: letters, digits, '-'")
    registered = KEYWORDS.get(keyword)
    if registered is None:
        text = value if value is True else str(value)
        if text is not True and not _VALUE.fullmatch(text):
            raise InvalidValueError(
                f"{keyword}={text!r}: a parameter's value is printable, without space and '='"
                " (RFC 5321 section 4.1.2); encode it, with xtext for one"
            )
        return text
    try:
        return registered.normal(value)
    except ValueError:
        raise InvalidValueError(f"{keyword}={value!r}: expected {registered.expected}") from None


NO_PARAMETERS = Parameters()
