"""Parameters of MAIL and RCPT (RFC 5321 section 4.1.2), and xtext (RFC 3461 section 4).

A parameter that is registered in `KEYWORDS` is checked and typed by its entry there, which reads
and writes the value side by side. Every other keyword passes through: with its value as a str,
or True where it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from smtpproto.commandline import upper
from smtpproto.errors import LocalProtocolError
from smtpproto.values import Value

__all__ = ["KEYWORDS", "NO_PARAMETERS", "ParameterValue", "Parameters", "from_xtext", "to_xtext"]

ParameterValue = str | int | bool
"""What a parameter can be: True for a keyword that stands alone."""

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_VALUE = re.compile("[!-<>-~\u00a0-\ud7ff\ue000-\U0010ffff]+")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")


def to_xtext(text: str) -> str:
    """`text` with everything that could end a parameter written as ``+hexadecimal``.

    RFC 3461 section 4. Raises LocalProtocolError for characters beyond ASCII, which it has no
    way to write.
    """
    if not text.isascii():
        raise LocalProtocolError(f"{text!r} is not ASCII, and xtext has nothing else")
    return re.sub(r"[^!-*,-<>-~]", lambda match: f"+{ord(match[0]):02X}", text)


def from_xtext(text: str) -> str:
    """The text that `to_xtext` was given. Raises ValueError when `text` is no xtext."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("not xtext")
    decoded = re.sub(r"\+(..)", lambda match: chr(int(match[1], 16)), text)
    if not decoded.isascii():
        raise ValueError("not ASCII")
    return decoded


class Keyword(NamedTuple):
    """How a registered parameter is read from and written to the wire."""

    expected: str
    """What its value must be, for people."""
    read: Callable[[str | None], ParameterValue]
    """The value of what stands after ``=`` (None: no ``=``). Raises ValueError."""
    write: Callable[[ParameterValue], str | None]
    """The inverse. Raises ValueError for a value that the parameter cannot have."""


def _alone(text: str | None) -> ParameterValue:
    if text is not None:
        raise ValueError
    return True


def _write_alone(value: ParameterValue) -> None:
    if value is not True:
        raise ValueError


def _read_size(text: str | None) -> ParameterValue:
    # RFC 1870 section 3: up to 20 digits. str.isdigit() alone would take Arabic-Indic ones.
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError
    return int(text)


def _write_size(value: ParameterValue) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**20:
        raise ValueError
    return str(value)


_BODIES = ("7BIT", "8BITMIME", "BINARYMIME")


def _body(value: ParameterValue | None) -> str:
    if not isinstance(value, str) or upper(value) not in _BODIES:
        raise ValueError
    return upper(value)


def _read_xtext(text: str | None) -> ParameterValue:
    if not text:
        raise ValueError
    return from_xtext(text)


def _write_xtext(value: ParameterValue) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return to_xtext(value)


KEYWORDS: dict[str, Keyword] = {
    # RFC 1870 section 3
    "SIZE": Keyword("a number of octets, at most 20 digits", _read_size, _write_size),
    # RFC 6152 section 2, RFC 3030 section 3
    "BODY": Keyword(f"one of {', '.join(_BODIES)}", _body, _body),
    # RFC 4954 section 5: the mailbox that submitted the message, or "<>"
    "AUTH": Keyword("a mailbox or <>, in xtext", _read_xtext, _write_xtext),
    # RFC 6531 section 3.4
    "SMTPUTF8": Keyword("no value", _alone, _write_alone),
}


class Parameters(Value, Mapping[str, ParameterValue]):
    """The parameters of a MAIL or RCPT command: a mapping from keyword to value.

    Keywords are upper case. Built from a mapping and from keyword arguments, whose ``_`` stands
    for the ``-`` of the wire: ``Parameters({"SIZE": 2048}, mt_priority=4)``. A value of None or
    False leaves the keyword out. Raises LocalProtocolError for what no wire could carry.
    """

    __slots__ = ("_values",)
    __match_args__ = ()
    _values: dict[str, ParameterValue]

    def __init__(
        self,
        values: Mapping[str, ParameterValue | None] | None = None,
        **keywords: ParameterValue | None,
    ) -> None:
        given: dict[str, ParameterValue] = {}
        named = {name.replace("_", "-"): value for name, value in keywords.items()}
        for name, value in (*(values or {}).items(), *named.items()):
            if value is None or value is False:
                continue
            keyword = upper(name)
            if keyword in given:
                raise LocalProtocolError(f"the parameter {keyword} is given twice")
            given[keyword] = self._checked(keyword, value)
        object.__setattr__(self, "_values", given)

    @staticmethod
    def _checked(keyword: str, value: ParameterValue) -> ParameterValue:
        if not _KEYWORD.fullmatch(keyword):
            raise LocalProtocolError(f"{keyword!r} is no parameter keyword: letters, digits, '-'")
        registered = KEYWORDS.get(keyword)
        if registered is None:
            text = value if value is True else str(value)
            if text is not True and not _VALUE.fullmatch(text):
                raise LocalProtocolError(
                    f"{keyword}={text!r}: a parameter's value is printable, without space and"
                    " '=' (RFC 5321 section 4.1.2); encode it, with xtext for one"
                )
            return text
        try:
            return registered.read(registered.write(value))
        except ValueError:
            raise LocalProtocolError(
                f"{keyword}={value!r}: expected {registered.expected}"
            ) from None

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read the parameters that end a command line. Raises ValueError, for people."""
        values: dict[str, ParameterValue] = {}
        for word in filter(None, text.split(" ")):
            name, equals, written = word.partition("=")
            keyword = upper(name)
            if not _KEYWORD.fullmatch(keyword) or (equals and not _VALUE.fullmatch(written)):
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
        parameters = object.__new__(cls)
        object.__setattr__(parameters, "_values", values)
        return parameters

    def __getitem__(self, keyword: str) -> ParameterValue:
        return self._values[keyword]

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


NO_PARAMETERS = Parameters()
