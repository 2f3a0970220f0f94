"""The registered parameters of MAIL and RCPT: what each may be, and how it is written.

A Keyword reads and writes its value side by side. It is also the attribute of Mail or Rcpt that
gives that value: ``Mail.size`` is the keyword, ``mail.size`` the size, None where it was not said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast, overload

from smtpproto._command import CONTROL, upper
from smtpproto._value import Value, fill, is_number, octets
from smtpproto._wire import base64
from smtpproto.errors import InvalidValueError
from smtpproto.smtp._address import Address
from smtpproto.smtp._timestamps import from_timestamp, to_timestamp
from smtpproto.smtp._xtext import from_unitext, from_xtext, to_unitext, to_xtext

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = [
    "KEYWORDS",
    "By",
    "Flag",
    "Keyword",
    "OriginalRecipient",
    "Tracking",
    "ValidSince",
    "check_together",
]

T = TypeVar("T")


# -- values that have parts -----------------------------------------------------------------------


class By(Value):
    """BY: deliver within `seconds`, or what `mode` says: "N" notify, "R" return (RFC 2852).

    `seconds` counts from the MAIL command, -999999999 to 999999999, and is positive with "R".
    `trace` asks for a report from each relay.
    """

    __slots__ = __match_args__ = ("seconds", "mode", "trace")
    seconds: int
    mode: str
    trace: bool

    def __init__(self, seconds: int, mode: str, trace: bool = False) -> None:
        if not is_number(seconds, -999_999_999, 999_999_999) or upper(mode) not in ("N", "R"):
            raise InvalidValueError(
                f"By({seconds!r}, {mode!r}): expected seconds of at most nine digits, and the mode"
                ' "N" or "R" (RFC 2852 section 4)'
            )
        if upper(mode) == "R" and seconds <= 0:
            raise InvalidValueError(
                f"By({seconds!r}, {mode!r}): a message that is to be returned has some time: more"
                " than 0 seconds (RFC 2852 section 4)"
            )
        fill(self, seconds, upper(mode), bool(trace))

    @classmethod
    def parse(cls, text: str) -> By:
        """Read it from the wire. Raises ValueError."""
        match = re.fullmatch(r"([+-]?[0-9]{1,9});([NRnr])([Tt])?", text)
        if match is None:
            raise ValueError("not seconds;mode")
        return _built(lambda: cls(int(match[1]), match[2], match[3] is not None))

    def __str__(self) -> str:
        return f"{self.seconds};{self.mode}{'T' if self.trace else ''}"


class Tracking(Value):
    """MTRK: the `certifier` of who may track the message, and for how long (RFC 3885 section 3).

    `timeout` is in seconds, at most nine digits; None leaves it to the server.
    """

    __slots__ = __match_args__ = ("certifier", "timeout")
    certifier: bytes
    timeout: int | None

    def __init__(self, certifier: bytes, timeout: int | None = None) -> None:
        if not certifier or not (timeout is None or is_number(timeout, 0, 999_999_999)):
            raise InvalidValueError(
                f"Tracking({certifier!r}, {timeout!r}): expected some octets, and seconds of at"
                " most nine digits (RFC 3885 section 3)"
            )
        fill(self, octets(certifier), timeout)

    @classmethod
    def parse(cls, text: str) -> Tracking:
        """Read it from the wire. Raises ValueError."""
        certifier, colon, timeout = text.partition(":")
        if colon and not re.fullmatch(r"[0-9]{1,9}", timeout):
            raise ValueError("not seconds")
        padding = "=" * (-len(certifier) % 4)  # "=" cannot stand in a parameter
        decoded = base64.decode(f"{certifier}{padding}".encode())
        return _built(lambda: cls(decoded, int(timeout) if colon else None))

    def __str__(self) -> str:
        certifier = base64.encode(self.certifier).decode().rstrip("=")
        return certifier if self.timeout is None else f"{certifier}:{self.timeout}"


class OriginalRecipient(Value):
    """ORCPT: the address that the message was first sent to (RFC 3461 section 4.2).

    `addr_type` is how to read `address`: "rfc822", "utf-8" (RFC 6533, for what is not ASCII),
    "x400", ... The address is printable text, without any encoding; it may be empty, but for the
    type "utf-8".
    """

    __slots__ = __match_args__ = ("addr_type", "address")
    addr_type: str
    address: str

    def __init__(self, addr_type: str, address: str) -> None:
        kind = addr_type.lower() if _ADDR_TYPE.fullmatch(addr_type) else ""
        fits = address if kind == "utf-8" else address.isascii()
        if not kind or not fits or CONTROL.search(address) or "\t" in address:
            raise InvalidValueError(
                f"OriginalRecipient({addr_type!r}, {address!r}): expected an address type and"
                ' printable ASCII, or the type "utf-8" (RFC 3461 section 4.2, RFC 6533)'
            )
        fill(self, kind, address)

    @classmethod
    def parse(cls, text: str) -> OriginalRecipient:
        """Read it from the wire. Raises ValueError."""
        kind, encoded = _typed(text)
        if upper(kind) != "UTF-8":
            return _built(lambda: cls(kind, from_xtext(encoded)))
        try:
            address = from_unitext(encoded)
        except ValueError:
            address = from_xtext(encoded)  # which people use for "utf-8" as well
        return _built(lambda: cls(kind, address))

    def __str__(self) -> str:
        encode = to_unitext if self.addr_type == "utf-8" else to_xtext
        return f"{self.addr_type};{encode(self.address)}"


def _typed(text: str) -> tuple[str, str]:
    """The address type and the address."""
    kind, semicolon, address = text.partition(";")
    if not semicolon:
        raise ValueError("an address has a type before it")
    return kind, address


_ADDR_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+")


class ValidSince(Value):
    """RRVS: deliver only if the mailbox has had one owner `since` then (RFC 7293 section 3.1).

    `since` is an aware datetime of a whole second. `no_support` is what to do where the next
    server does not know the parameter: "R" reject, "C" continue, None for the usual "R".
    """

    __slots__ = __match_args__ = ("since", "no_support")
    since: datetime
    no_support: str | None

    def __init__(self, since: datetime, no_support: str | None = None) -> None:
        try:
            if no_support is not None and upper(no_support) not in ("C", "R"):
                raise ValueError('the action is "C" or "R"')
            moment = from_timestamp(to_timestamp(since, fractions=False))
        except ValueError as error:
            raise InvalidValueError(
                f"ValidSince({since!r}, {no_support!r}): {error} (RFC 7293 section 3.1)"
            ) from None
        fill(self, moment, no_support and upper(no_support))

    @classmethod
    def parse(cls, text: str) -> ValidSince:
        """Read it from the wire. Raises ValueError."""
        since, semicolon, action = text.partition(";")
        return _built(lambda: cls(from_timestamp(since), action if semicolon else None))

    def __str__(self) -> str:
        action = "" if self.no_support is None else f";{self.no_support}"
        return f"{to_timestamp(self.since, fractions=False)}{action}"


def _built(build: Callable[[], T]) -> T:
    """What was read from the wire is nobody's local mistake."""
    try:
        return build()
    except InvalidValueError as error:
        raise ValueError(str(error)) from None


# -- keywords -------------------------------------------------------------------------------------


class _Command(Protocol):
    @property
    def parameters(self) -> Mapping[str, object]: ...


class Keyword(Generic[T]):
    """A registered parameter. `expected` says for people what its value must be."""

    __slots__ = ("_read", "_write", "expected", "name")

    def __init__(
        self, name: str, expected: str, read: Callable[[str], T], write: Callable[[object], str]
    ) -> None:
        self.name = name
        self.expected = expected
        self._read = read
        self._write = write

    def read(self, text: str | None) -> T:
        """The value of what stands after ``=`` (None: no ``=``). Raises ValueError."""
        if text is None:
            raise ValueError("a value is missing")
        return self._read(text)

    def write(self, value: object) -> str | None:
        """The inverse. Raises ValueError for a value that the parameter cannot have."""
        return self._write(value)

    def normal(self, value: object) -> T:
        """A value as a caller may give it, in the form in which it is read. Raises ValueError."""
        return self.read(self.write(value))

    @overload
    def __get__(self, command: None, owner: object) -> Keyword[T]: ...
    @overload
    def __get__(self, command: _Command, owner: object) -> T | None: ...
    def __get__(self, command: _Command | None, owner: object) -> Keyword[T] | T | None:
        if command is None:
            return self
        return cast("T | None", command.parameters.get(self.name))


class Flag(Keyword[bool]):
    """A parameter that stands alone: said or not."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, "no value", bool, str)

    def read(self, text: str | None) -> bool:
        if text is not None:
            raise ValueError("it has no value")
        return True

    def write(self, value: object) -> None:
        if value is not True:
            raise ValueError("it has no value")

    @overload
    def __get__(self, command: None, owner: object) -> Flag: ...
    @overload
    def __get__(self, command: _Command, owner: object) -> bool: ...
    def __get__(self, command: _Command | None, owner: object) -> Flag | bool:
        return self if command is None else self.name in command.parameters


# -- how the plain values are read and written ----------------------------------------------------


def _number(first: int, last: int) -> tuple[Callable[[str], int], Callable[[object], str]]:
    digits = len(str(last))
    pattern = re.compile(rf"{'-?' if first < 0 else ''}[0-9]{{1,{digits}}}")

    def read(text: str) -> int:
        if not pattern.fullmatch(text) or not first <= int(text) <= last:
            raise ValueError(f"not from {first} to {last}")
        return int(text)

    def write(value: object) -> str:
        if not is_number(value, first, last):
            raise ValueError(f"not from {first} to {last}")
        return str(value)

    return read, write


def _one_of(*words: str) -> tuple[Callable[[str], str], Callable[[object], str]]:
    def read(text: str) -> str:
        if upper(text) not in words:
            raise ValueError(f"not one of {words}")
        return upper(text)

    return read, _text


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not text")
    return value


def _words(value: object) -> str:
    """Words given as such, or as one text with commas."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return _text(value)
    return ",".join(map(_text, value))


def _wire_of(kind: type[Value]) -> Callable[[object], str]:
    """A writer that takes the value, or its text on the wire."""

    def write(value: object) -> str:
        return str(value) if isinstance(value, kind) else _text(value)

    return write


def _read_printable(text: str) -> str:
    decoded = from_xtext(text)
    if not decoded.isprintable():
        raise ValueError("not printable")
    return decoded


def _read_envid(text: str) -> str:
    if not 1 <= len(text) <= 100:
        raise ValueError("not up to 100 characters")
    return _read_printable(text)


def _encode(value: object) -> str:
    text = _text(value)
    if not text.isascii():
        raise ValueError("not ASCII")
    return to_xtext(text)


def _read_notify(text: str) -> tuple[str, ...]:
    # "Using the ABNF of RFC 822", in which a list may have empty elements that do not count.
    words = tuple(word for word in upper(text).split(",") if word)
    if not words or (words != ("NEVER",) and not set(words) <= {"SUCCESS", "FAILURE", "DELAY"}):
        raise ValueError("NEVER stands alone")
    return words


def _write_orcpt(value: object) -> str:
    if isinstance(value, OriginalRecipient):
        return str(value)
    return str(_built(lambda: OriginalRecipient(*_typed(_text(value)))))


def _read_hold_until(text: str) -> datetime:
    if text[-1:] not in ("Z", "z"):
        raise ValueError("not in UTC")
    return from_timestamp(text)


_SOLICITATION = r"[A-Za-z][A-Za-z0-9._:-]*"


def read_solicitation(text: str) -> tuple[str, ...]:
    """Solicitation class keywords (RFC 3865 section 2.2). Raises ValueError."""
    if len(text) > 1000 or not re.fullmatch(rf"{_SOLICITATION}(?:,{_SOLICITATION})*", text):
        raise ValueError("not solicitation class keywords")
    return tuple(text.split(","))


# RFC 1845 section 2: what RFC 2045 calls tspecials, space and the dot are no part of an atom.
_TRANSID_TOKEN = r"[!#-'*+\-0-9A-Z^-~]+(?:\.[!#-'*+\-0-9A-Z^-~]+)*"
_TRANSID = re.compile(rf"<{_TRANSID_TOKEN}@{_TRANSID_TOKEN}>")


def _read_transid(text: str) -> str:
    if len(text) > 80 or not _TRANSID.fullmatch(text):
        raise ValueError("not <local@domain>")
    return text


def _read_submitter(text: str) -> Address:
    address = _built(lambda: Address(from_xtext(text)))
    if address.domain is None:
        raise ValueError("no domain")
    return address


# -- the registry ---------------------------------------------------------------------------------

SIZE = Keyword("SIZE", "a number of octets, at most 20 digits", *_number(0, 10**20 - 1))
"""RFC 1870 section 3: the octets of the message, as the client counts them."""
BODY = Keyword(
    "BODY", "one of 7BIT, 8BITMIME, BINARYMIME", *_one_of("7BIT", "8BITMIME", "BINARYMIME")
)
"""RFC 6152 section 2, RFC 3030 section 3: which octets the message may hold."""
AUTH = Keyword("AUTH", "a mailbox or <>, in xtext", _read_printable, _encode)
"""RFC 4954 section 5: the mailbox that submitted the message, or "<>"."""
SMTPUTF8 = Flag("SMTPUTF8")
"""RFC 6531 section 3.4: addresses and header fields may be UTF-8."""
RET = Keyword("RET", "FULL or HDRS", *_one_of("FULL", "HDRS"))
"""RFC 3461 section 4.3: how much of the message a failure report returns."""
ENVID = Keyword("ENVID", "up to 100 printable characters, in xtext", _read_envid, _encode)
"""RFC 3461 section 4.4: the envelope identifier that reports will name."""
NOTIFY = Keyword("NOTIFY", "NEVER, or some of SUCCESS,FAILURE,DELAY", _read_notify, _words)
"""RFC 3461 section 4.1: when to report about this recipient."""
ORCPT = Keyword(
    "ORCPT", "address-type;address, the address in xtext", OriginalRecipient.parse, _write_orcpt
)
"""RFC 3461 section 4.2, RFC 6533 section 3: the original recipient."""
REQUIRETLS = Flag("REQUIRETLS")
"""RFC 8689: every hop must be under TLS."""
BY = Keyword("BY", "seconds;N or seconds;R, then T or not", By.parse, _wire_of(By))
"""RFC 2852 section 4: deliver by then."""
HOLDFOR = Keyword("HOLDFOR", "seconds, 1 to 999999999", *_number(1, 999_999_999))
"""RFC 4865 section 3: hold the message this many seconds."""
HOLDUNTIL = Keyword(
    "HOLDUNTIL",
    "a date-time in UTC",
    _read_hold_until,
    lambda value: to_timestamp(value, fractions=True),
)
"""RFC 4865 section 3: hold the message until then; an aware datetime."""
MT_PRIORITY = Keyword("MT-PRIORITY", "a number from -9 to 9", *_number(-9, 9))
"""RFC 6710 section 7: higher goes first."""
MTRK = Keyword("MTRK", "base64 without padding, :seconds", Tracking.parse, _wire_of(Tracking))
"""RFC 3885 section 3.1: who may track the message."""
SOLICIT = Keyword("SOLICIT", "solicitation class keywords, with commas", read_solicitation, _words)
"""RFC 3865 section 2.3: the classes of solicitation that the message belongs to."""
CONPERM = Flag("CONPERM")
"""RFC 4141 section 4: the content may be converted."""
CONNEG = Flag("CONNEG")
"""RFC 4141 section 5: tell in the reply what the recipient can show."""
TRANSID = Keyword("TRANSID", "<local@domain>, at most 80 characters", _read_transid, _text)
"""RFC 1845 section 2: the transaction, so that it can be resumed."""
SUBMITTER = Keyword(
    "SUBMITTER",
    "a mailbox, in xtext",
    _read_submitter,
    lambda value: _encode(str(value) if isinstance(value, Address) else value),
)
"""RFC 4405 section 4: who is responsible for submitting the message."""
RRVS = Keyword(
    "RRVS", "a date-time of whole seconds;C or R", ValidSince.parse, _wire_of(ValidSince)
)
"""RFC 7293 section 3.1: since when the mailbox must have had its owner."""

KEYWORDS: Mapping[str, Keyword[object]] = {
    value.name: value for value in tuple(globals().values()) if isinstance(value, Keyword)
}
"""Every registered parameter by its name on the wire."""


def check_together(values: Mapping[str, object]) -> None:
    """Check parameters of one command that depend on each other. Raises ValueError, for people."""
    if "HOLDFOR" in values and "HOLDUNTIL" in values:
        raise ValueError("HOLDFOR and HOLDUNTIL exclude each other (RFC 4865 section 4)")
    by, hold_for = values.get("BY"), values.get("HOLDFOR")
    if isinstance(by, By) and isinstance(hold_for, int) and hold_for > by.seconds:
        raise ValueError("HOLDFOR is later than BY (RFC 4865 section 5.2)")
    envid = values.get("ENVID")
    if "MTRK" in values and not (isinstance(envid, str) and "@" in envid):
        raise ValueError("MTRK needs ENVID=identifier@host (RFC 3885 section 3.2)")
