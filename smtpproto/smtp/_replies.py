"""Reply and EnhancedStatus: their texts, how they are read, and how any text becomes one.

RFC 5321 section 4.2; RFC 2034 and 3463 for the enhanced status codes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from smtpproto._value import Value, constructor, fill, is_number, no_text
from smtpproto._wire.text import printable, without_controls
from smtpproto.errors import InvalidValueError, RemoteProtocolError

__all__ = [
    "TEXTS",
    "EnhancedStatus",
    "Reply",
    "ReplyReader",
    "default_status",
    "fold",
    "standard",
    "trusted_reply",
]

TEXTS: dict[int, str] = {
    # RFC 5321 section 4.2.3 unless said otherwise.
    211: "System status",
    214: "See RFC 5321",
    220: "Service ready",
    221: "Service closing transmission channel",
    235: "Authentication succeeded",  # RFC 4954 section 6
    250: "OK",
    251: "User not local; will forward",
    252: "Cannot VRFY user, but will accept message and attempt delivery",
    253: "OK, pending messages for node started",  # RFC 1985 section 5
    334: "",  # RFC 4954 section 4: a challenge
    354: "Start mail input; end with <CRLF>.<CRLF>",
    355: "Octet-offset is the transaction offset",  # RFC 1845 section 5
    421: "Service not available, closing transmission channel",
    432: "A password transition is needed",  # RFC 4954 section 6
    450: "Requested mail action not taken: mailbox unavailable",
    451: "Requested action aborted: local error in processing",
    452: "Requested action not taken: insufficient system storage",
    453: "You have no mail",  # RFC 2645 section 5
    454: "Temporary authentication failure",  # RFC 4954 section 6; RFC 3207: TLS not available
    455: "Server unable to accommodate parameters",
    458: "Unable to queue messages for node",  # RFC 1985 section 5
    459: "Node not allowed",  # RFC 1985 section 5
    500: "Syntax error, command unrecognized",
    501: "Syntax error in parameters or arguments",
    502: "Command not implemented",
    503: "Bad sequence of commands",
    504: "Command parameter not implemented",
    521: "Server does not accept mail",  # RFC 7504 section 3
    530: "Authentication required",  # RFC 4954 section 6; RFC 3207: STARTTLS first
    534: "Authentication mechanism is too weak",  # RFC 4954 section 6
    535: "Authentication credentials invalid",  # RFC 4954 section 6
    538: "Encryption required for requested authentication mechanism",  # RFC 2554 section 6
    550: "Requested action not taken: mailbox unavailable",
    551: "User not local",
    552: "Requested mail action aborted: exceeded storage allocation",
    553: "Requested action not taken: mailbox name not allowed",
    554: "Transaction failed",
    555: "MAIL FROM/RCPT TO parameters not recognized or not implemented",
    556: "Domain does not accept mail",  # RFC 7504 section 4
}
"""The standard text of each reply code."""

_ENHANCED = re.compile(r"([245])\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?= |$)")
_CONTROLS = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_CODES = {b"%d" % code: code for code in range(200, 600)}
"""The codes as they are written."""
_LAST_LINES = {b"%d " % code: code for code in range(200, 600)}
"""The codes as they begin the last line of a reply, which nearly always is its only one."""


class EnhancedStatus(Value):
    """An enhanced mail system status code, ``class.subject.detail`` (RFC 3463 section 2).

    `klass` is 2, 4 or 5; `subject` and `detail` are 0 to 999. Raises InvalidValueError.
    """

    __slots__ = __match_args__ = ("klass", "subject", "detail")  # the order of the RFC
    klass: int
    subject: int
    detail: int

    def __init__(self, klass: int, subject: int, detail: int) -> None:
        if klass not in (2, 4, 5) or not (is_number(subject, 0, 999) and is_number(detail, 0, 999)):
            raise InvalidValueError(
                f"{klass}.{subject}.{detail} is no enhanced status code: expected class 2, 4 or"
                " 5, subject and detail 0 to 999 (RFC 3463 section 2)"
            )
        fill(self, klass, subject, detail)

    @classmethod
    def parse(cls, text: str) -> EnhancedStatus:
        """The value of a text like ``"5.1.1"``. Raises InvalidValueError for any other."""
        match = _ENHANCED.fullmatch(text)
        if match is None:
            raise InvalidValueError(
                f"{text!r} is no enhanced status code: expected class.subject.detail, such as"
                " 5.1.1 (RFC 3463 section 2)"
            )
        return cls(*map(int, match.groups()))

    def check(self, code: int) -> None:
        """Raise InvalidValueError unless this goes with the reply code `code`."""
        if self.klass != code // 100:
            raise InvalidValueError(
                f"the enhanced status code {self} does not go with reply code {code}: its class"
                " must be the code's first digit (RFC 2034 section 4)"
            )

    def __str__(self) -> str:
        return f"{self.klass}.{self.subject}.{self.detail}"


class Reply(Value):
    """A server's reply: a code and one or more lines of text (RFC 5321 section 4.2).

    `code` is 200 to 599. `lines` are the lines of text, without controls but HTAB; none means
    the code's standard text. `enhanced`, an EnhancedStatus or a text like ``"5.1.1"``, is
    written at the head of each line; its class must be the code's first digit, so a 3yz has none.
    Raises InvalidValueError.

    Equality is on code and lines as written, the enhanced code included.
    """

    __slots__ = __match_args__ = ("code", "lines")
    code: int
    lines: tuple[str, ...]

    def __init__(
        self, code: int, *lines: str, enhanced: EnhancedStatus | str | None = None
    ) -> None:
        if not is_number(code, 200, 599):
            raise InvalidValueError(f"reply code {code}: expected 200 to 599")
        written = tuple(map(_writable, lines)) or (TEXTS.get(code, ""),)
        if enhanced is not None:
            status = EnhancedStatus.parse(enhanced) if isinstance(enhanced, str) else enhanced
            status.check(code)
            written = tuple(f"{status} {line}".rstrip(" ") for line in written)
        fill(self, code, written)

    @classmethod
    def parse(cls, octets: bytes) -> Reply:
        """The reply that stands complete in `octets`. Raises RemoteProtocolError."""
        reader = ReplyReader(len(octets))
        *lines, rest = octets.split(b"\r\n")
        read = [reader.read(line) for line in lines]
        if rest or not read or read[-1] is None or any(read[:-1]):
            raise RemoteProtocolError(f"expected one complete reply, got {octets[:512]!r}")
        return read[-1]

    @property
    def severity(self) -> int:
        """The code's first digit: 2 done, 3 go on, 4 not now, 5 no (RFC 5321 section 4.2.1)."""
        return self.code // 100

    @property
    def enhanced(self) -> EnhancedStatus | None:
        """The enhanced status code at the head of the text (RFC 2034), or None."""
        match = _ENHANCED.match(self.lines[0])
        if match is None or int(match[1]) != self.severity:
            return None
        return EnhancedStatus(*map(int, match.groups()))

    @property
    def text(self) -> str:
        """The lines without their enhanced status code, joined by ``"\\n"``."""
        status = self.enhanced
        if status is None:
            return "\n".join(self.lines)
        head = f"{status}"
        return "\n".join(
            line[len(head) :].removeprefix(" ") if line.startswith(head) else line
            for line in self.lines
        )

    def __bytes__(self) -> bytes:
        *first, last = self.lines
        wire = "".join(f"{self.code}-{line}\r\n" for line in first) + f"{self.code} {last}\r\n"
        return wire.encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return f"Reply({', '.join(map(repr, (self.code, *self.lines)))})"


trusted_reply = constructor(Reply)
"""A Reply of a code and lines that are known to be right."""


def _writable(line: str) -> str:
    """`line` as it is read back from the wire. Raises InvalidValueError."""
    if not isinstance(line, str):
        no_text("reply text", line)
    if _CONTROLS.search(line):
        raise InvalidValueError(
            f"the reply text {line!r} holds a control character; a text of several lines is"
            " given as several arguments"
        )
    try:
        # Octets of a foreign charset that were read into a text go out again as they came.
        return line.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidValueError(f"the reply text {line!r} cannot be written as UTF-8") from None


class ReplyReader:
    """Puts replies together from the lines of a server (RFC 5321 section 4.2).

    Accepts what servers write beside the grammar: a code alone on a line, text in any charset,
    stray controls (read as "?"). Refuses what cannot be a reply.
    """

    __slots__ = ("_code", "_limit", "_lines", "_size")

    def __init__(self, limit: int) -> None:
        """`limit` is the most octets that a whole reply may have."""
        self._limit = limit
        self._lines: list[str] = []
        self._code = b""
        self._size = 0

    @property
    def within_reply(self) -> bool:
        """True when a reply has begun and not ended."""
        return bool(self._lines)

    def read(self, line: bytes) -> Reply | None:
        """Take one line without its end; the reply that it completes, or None.

        Raises RemoteProtocolError when the line is no reply line, when it changes the code of
        the reply that it continues, and when the reply is longer than the limit.
        """
        code = _LAST_LINES.get(line[:4])
        text = line[4:].decode("utf-8", "surrogateescape")
        if code is None or self._lines or not text.isprintable():
            return self._read_part(line, text)
        return trusted_reply(code, (text,))  # as nearly every reply is

    def _read_part(self, line: bytes, text: str) -> Reply | None:
        code = line[:3]
        number = _CODES.get(code)
        mark = line[3:4]
        if number is None or mark not in (b" ", b"-", b""):
            raise RemoteProtocolError(
                f"expected a reply, three digits from 200 to 599 and a text, got {line[:512]!r}"
            )
        if not text.isprintable():
            text = _shown(line)
        if not self._lines and mark != b"-":
            return trusted_reply(number, (text,))
        if self._lines and code != self._code:
            raise RemoteProtocolError(
                f"a reply that began with {self._code.decode()} goes on with {line[:512]!r}:"
                " every line of a reply has the same code (RFC 5321 section 4.2.1)"
            )
        self._size += len(line) + 2
        if self._size > self._limit:
            raise RemoteProtocolError(f"a reply is longer than {self._limit} octets")
        self._code = code
        self._lines.append(text)
        if mark == b"-":
            return None
        lines, self._lines, self._size = tuple(self._lines), [], 0
        return trusted_reply(number, lines)


def _shown(line: bytes) -> str:
    """The text of a line that holds controls, or octets of a foreign charset."""
    if any(octet in line for octet in (b"\r", b"\n", b"\0")):
        raise RemoteProtocolError(f"a reply holds a bare CR, bare LF or NUL: {line[:512]!r}")
    return without_controls(line[4:]).decode("utf-8", "surrogateescape")


# -- replies in the words of the connection -------------------------------------------------------

_BY_CODE = {
    421: "4.3.2", 432: "4.7.12", 450: "4.2.0", 451: "4.3.0", 452: "4.3.1", 453: "4.3.0",
    454: "4.7.0", 455: "4.5.4", 458: "4.3.0", 459: "4.7.1", 500: "5.5.2", 501: "5.5.4",
    502: "5.5.1", 503: "5.5.1", 504: "5.5.4", 521: "5.3.2", 530: "5.7.0", 534: "5.7.9",
    535: "5.7.8", 538: "5.7.11", 551: "5.1.6", 552: "5.3.4", 555: "5.5.4", 556: "5.1.10",
}  # fmt: skip


def default_status(code: int, subject: int) -> str:
    """The enhanced status code of a refusal that was given none (RFC 3463, RFC 4954, RFC 7504).

    Where the reply code does not say what is wrong, `subject` does: that of the step.
    """
    return _BY_CODE.get(code) or f"{code // 100}.{subject}.0"


_WIDTH = 488
"""Octets of text in a folded line: with code, enhanced code and CRLF within the 512 of RFC 5321
section 4.5.3.1.5."""

_MOST_TEXT = 16384
_MOST_LINES = 100
"""How much of a text is said: clients stop reading a reply that does not end."""


def fold(code: int, text: str, status: EnhancedStatus | str | None, *, utf8: bool) -> Reply:
    """A reply of any text whatever: long lines are folded, what cannot be sent becomes "?".

    Raises InvalidValueError for what is no str.
    """
    if not isinstance(text, str):
        raise InvalidValueError(f"the text of a reply is a str, not {text!r:.60}")
    charset = "utf-8" if utf8 else "ascii"
    carried = text[:_MOST_TEXT].encode(charset, "replace").decode(charset)
    lines = [line for paragraph in carried.splitlines() for line in _folded(paragraph)]
    return Reply(code, *(lines[:_MOST_LINES] or [""]), enhanced=status)


def _folded(paragraph: str) -> list[str]:
    octets = printable(paragraph).encode()
    lines = []
    start = 0
    while len(octets) - start > _WIDTH:
        window = octets[start : start + _WIDTH]
        # At the last space, or else between two characters.
        stop = window.rfind(b" ") + 1 or len(window.decode(errors="ignore").encode())
        lines.append(window[:stop].decode().rstrip(" "))
        start += stop
    return [*lines, octets[start:].decode()]


@lru_cache(maxsize=256)
def standard(code: int, status: str | None, text: str) -> tuple[Reply, bytes]:
    """A reply that is said again and again, and its wire form.

    Bounded, for some texts name what the client sent.
    """
    reply = Reply(code, text, enhanced=status)
    return reply, bytes(reply)
