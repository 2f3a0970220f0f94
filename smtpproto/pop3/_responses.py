"""Ok and Err: the two responses of POP3, and how they are read.

RFC 1939 section 3; RFC 2449 section 8 for the response codes. What follows a ``+OK`` as lines up
to a dot is part of the response where it is short (LIST, UIDL, CAPA, ...): `lines`. A message is
not: it is streamed behind its response.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from smtpproto._value import Value, constructor, fill, no_text, setters
from smtpproto._wire.dots import DotDecoder, DotEncoder
from smtpproto._wire.newlines import bare_newline
from smtpproto._wire.text import without_controls
from smtpproto.errors import InvalidValueError, RemoteProtocolError

__all__ = ["Err", "Ok", "Response", "read_block", "read_status"]

_LEVEL = r"[!-.0-\\^-~]+"  # rchar: printable ASCII without "/" and "]" (RFC 2449 section 3)
_CODE = re.compile(rf"\[({_LEVEL}(?:/{_LEVEL})*)\] ?")
_CONTROLS = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_CONTROLS_IN_LINES = re.compile(r"[\0-\x08\x0b-\x1f\x7f]")
_NEVER = re.compile(r"[\0\r\n]")
_STATUS = re.compile(rb"(\+OK|-ERR)(?![0-9A-Za-z]) ?(.*)", re.DOTALL)


class Response(Value):
    """A server's response: Ok or Err.

    `text` is for people. `code` is the response code before it, in upper case and without
    brackets, or None: IN-USE, LOGIN-DELAY (RFC 2449), AUTH, SYS/TEMP, SYS/PERM (RFC 3206), UTF8
    (RFC 6856), or any other. Raises InvalidValueError for what cannot be written.
    """

    __slots__ = ()
    __match_args__ = ("text", "code")
    text: str
    code: str | None
    status: ClassVar[str]
    """How it begins on the wire: ``+OK`` or ``-ERR``."""

    @staticmethod
    def parse(octets: bytes) -> Response:
        """The response that stands complete in `octets`: a line, or lines up to the dot.

        Raises RemoteProtocolError.
        """
        line, end, rest = octets.partition(b"\r\n")
        response = read_status(line)
        if not end:
            raise RemoteProtocolError(f"expected a complete response, got {octets[:512]!r}")
        if not rest:
            return response
        decoder = DotDecoder(strict=False)
        block = decoder.decode(rest)
        if not decoder.ended or decoder.unused or not isinstance(response, Ok):
            raise RemoteProtocolError(f"expected one complete response, got {octets[:512]!r}")
        return ok(response.text, response.code, read_block(block))

    def _status_line(self) -> bytes:
        line = self.status if self.code is None else f"{self.status} [{self.code}]"
        if self.text:
            line = f"{line} {self.text}"
        return f"{line}\r\n".encode("utf-8", "surrogateescape")

    def __bytes__(self) -> bytes:
        return self._status_line()


class Ok(Response):
    """``+OK``: done. `lines` are what follows up to a dot, None where nothing does.

    Lines are without their ends, and as they were meant: dots are doubled on the wire only.
    `block` holds them as octets, each with its CRLF; they are split when `lines` is asked for.
    """

    __slots__ = ("text", "code", "block")
    __match_args__ = ("text", "code", "lines")
    block: bytes | None
    status = "+OK"

    def __init__(
        self, text: str = "", code: str | None = None, lines: Iterable[str] | None = None
    ) -> None:
        if isinstance(lines, str):
            raise InvalidValueError("Ok: the lines are a list, not one text")
        block = None if lines is None else _block_of(tuple(lines))
        text, code = _checked(text, code)
        _set_text(self, text)
        _set_code(self, code)
        _set_block(self, block)

    @property
    def lines(self) -> tuple[str, ...] | None:
        """What follows up to the dot, line by line."""
        if self.block is None:
            return None
        return tuple(self.block.decode("utf-8", "surrogateescape").split("\r\n")[:-1])

    def __bytes__(self) -> bytes:
        if self.block is None:
            return self._status_line()
        encoder = DotEncoder(strict=True)
        return self._status_line() + encoder.encode(self.block) + encoder.finish()


class Err(Response):
    """``-ERR``: not done."""

    __slots__ = __match_args__ = ("text", "code")
    status = "-ERR"

    def __init__(self, text: str = "", code: str | None = None) -> None:
        fill(self, *_checked(text, code))


_set_text, _set_code, _set_block = setters(Ok)
ok = constructor(Ok)
err = constructor(Err)


def _checked(text: str, code: str | None) -> tuple[str, str | None]:
    """What can be written, and is read back as it is. Raises InvalidValueError."""
    if not isinstance(text, str):
        no_text("response text", text)
    if code is not None:
        code = code.upper()
        if not _CODE.fullmatch(f"[{code}]"):
            raise InvalidValueError(
                f"{code!r} is no response code, such as IN-USE or SYS/TEMP (RFC 2449 section 8)"
            )
    elif _CODE.match(text):
        raise InvalidValueError(
            f"the text {text!r} begins with what would be read as a response code: give it as code"
        )
    if _CONTROLS.search(text):
        raise InvalidValueError(f"the text {text!r} holds a control character: it is one line")
    _encoded(text)
    return text, code


def _block_of(lines: tuple[str, ...]) -> bytes:
    """The lines as octets, each with its CRLF. Raises InvalidValueError."""
    text = "\n".join((*lines, ""))
    if text.count("\n") != len(lines) or _CONTROLS_IN_LINES.search(text):
        raise InvalidValueError("a line of the response holds a control character")
    return _encoded(text).replace(b"\n", b"\r\n")


def _encoded(text: str) -> bytes:
    """The octets that are read back as `text`. Raises InvalidValueError."""
    try:
        # Octets of a foreign charset that were read into a text go out again as they came.
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        octets = b""
    if octets.decode("utf-8", "surrogateescape") != text:
        raise InvalidValueError(f"the text {text[:512]!r} cannot be written as UTF-8")
    return octets


# -- reading --------------------------------------------------------------------------------------


def read_status(line: bytes) -> Response:
    """The response of a line without its end. Raises RemoteProtocolError.

    Accepts what servers write beside the grammar: no text, text in any charset, stray controls
    (read as "?").
    """
    match = _STATUS.fullmatch(line)
    if match is None:
        raise RemoteProtocolError(f"expected a response, +OK or -ERR, got {line[:512]!r}")
    text = match[2].decode("utf-8", "surrogateescape")
    if not text.isprintable():
        if _NEVER.search(text):
            raise RemoteProtocolError(f"a response holds a bare CR, LF or NUL: {line[:512]!r}")
        text = without_controls(match[2]).decode("utf-8", "surrogateescape")
    code = None
    found = _CODE.match(text)
    if found is not None:
        code, text = found[1].upper(), text[found.end() :]
    return ok(text, code, None) if match[1] == b"+OK" else err(text, code)


def read_block(block: bytes) -> bytes:
    """The lines that follow a status line, dots undone, without controls.

    Raises RemoteProtocolError. All at once: a scan listing may have a hundred thousand.
    """
    if bare_newline(block) >= 0 or b"\0" in block:
        raise RemoteProtocolError("a list holds a bare CR, a bare LF or NUL")
    return without_controls(block)
