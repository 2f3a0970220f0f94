"""The commands of POP3, one small class each: how it is read beside how it is written.

The reader takes what people and old clients send: any case, trailing spaces, ``TOP 1`` and
``TOP 1,5``. The writer writes only what the RFCs allow, and no command can be built that would
hold CR, LF or NUL, so nothing that is put into one can start another.

A reader gets the text after the verb and raises Refused, which has the text of the response.
"""

from __future__ import annotations

import re
from typing import NoReturn

from smtpproto import _mechanisms as mechanisms
from smtpproto._command import CONTROL, CommandLine, clean, upper
from smtpproto._redact import redacted
from smtpproto._value import fill, is_number, no_text
from smtpproto._value import octets as as_octets
from smtpproto._wire.base64 import decode, encode
from smtpproto.errors import InvalidValueError, Refused
from smtpproto.sasl._strings import same

__all__ = [
    "MOST",
    "VERBS",
    "Apop",
    "Auth",
    "Capa",
    "Command",
    "Dele",
    "Extended",
    "Lang",
    "List",
    "Noop",
    "Pass",
    "Quit",
    "Raw",
    "Retr",
    "Rset",
    "Stat",
    "Stls",
    "Top",
    "Uidl",
    "User",
    "Utf8",
]

MOST = 10**10 - 1
"""The largest message-number, and the largest number of lines, that is read or written."""


def _bad_argument(text: str) -> NoReturn:
    raise Refused(501, "5.5.4", f"Syntax: {text}")


def _name(name: str) -> str:
    if not name or clean(name, "name").strip(" ") != name:
        raise InvalidValueError(f"the name {name!r} is empty, or has spaces around it")
    return name


def _number(number: int, what: str, least: int = 1) -> int:
    if not is_number(number, least, MOST):
        raise InvalidValueError(f"{what} {number!r}: expected a number from {least} to {MOST}")
    return number


class Command(CommandLine):
    """A command of the client: ``bytes(command)`` is its line on the wire, CRLF included."""

    __slots__ = ()

    @classmethod
    def parse(cls, line: bytes) -> Command:
        """The command of a line with or without its CRLF, whatever this class is.

        A verb that is none of the RFCs' gives Extended. Raises Refused.
        """
        try:
            text = line.removesuffix(b"\r\n").decode()
        except UnicodeDecodeError:
            text = "\0"
        verb, argument = split(text)
        if CONTROL.search(verb + argument.replace("\t", " ")):
            raise Refused(500, "5.5.2", "A command is one line of printable UTF-8")
        command = VERBS.get(verb)
        return command.read(argument) if command else read_extended(verb, argument)

    @classmethod
    def read(cls, argument: str) -> Command:
        """The command of this verb with that argument; of a command without fields, the one.

        Raises Refused.
        """
        raise NotImplementedError

    @property
    def multiline(self) -> bool:
        """Whether a positive response goes on with lines up to a dot (RFC 1939 section 3)."""
        return False


_PARTS = re.compile(r"[ \t]*([^ \t]*)[ \t]?(.*)", re.DOTALL)


def split(text: str) -> tuple[str, str]:
    """A command line's verb, in upper case, and its argument.

    Spaces around the argument do not count, but in a password (RFC 1939 section 7: a server may
    treat spaces in PASS as part of the password), where a tab may stand too.
    """
    match = _PARTS.fullmatch(text)
    assert match is not None
    verb, argument = match.groups()
    if verb not in VERBS:  # as nearly every client writes it
        verb = upper(verb)
    if verb == "PASS":
        return verb, argument
    return verb, argument.replace("\t", " ").strip(" ")


class _Bare(Command):
    """A command without argument."""

    __slots__ = ()

    @classmethod
    def read(cls, argument: str) -> Command:
        if argument:
            _bad_argument(f"{cls.verb}, with no argument")
        return _ONLY[cls]


def _read_number(verb: str, argument: str) -> int:
    # The length first: int() of a long string takes long.
    if len(argument) <= 10 and argument.isascii() and argument.isdigit() and int(argument):
        return int(argument)
    _bad_argument(f"{verb} and a message-number, which is 1 or more")


class _Numbered(Command):
    """A command about one message."""

    __slots__ = __match_args__ = ("number",)
    number: int

    def __init__(self, number: int) -> None:
        fill(self, _number(number, self.verb))

    @classmethod
    def read(cls, argument: str) -> Command:
        return cls(_read_number(cls.verb, argument))

    def written(self) -> str:
        return f" {self.number}"


class _Listing(Command):
    """A command about one message, or all."""

    __slots__ = __match_args__ = ("number",)
    number: int | None

    def __init__(self, number: int | None = None) -> None:
        fill(self, None if number is None else _number(number, self.verb))

    @classmethod
    def read(cls, argument: str) -> Command:
        return cls(_read_number(cls.verb, argument)) if argument else _ONLY[cls]

    @property
    def multiline(self) -> bool:
        return self.number is None

    def written(self) -> str:
        return "" if self.number is None else f" {self.number}"


# -- the AUTHORIZATION state ----------------------------------------------------------------------


class User(Command):
    """USER: the name of a mailbox; PASS is next (RFC 1939 section 7)."""

    __slots__ = __match_args__ = ("name",)
    verb = step = "USER"
    name: str

    def __init__(self, name: str) -> None:
        fill(self, _name(name))

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument:
            _bad_argument("USER name")
        return cls(argument)

    def written(self) -> str:
        return f" {self.name}"


class Pass(Command):
    """PASS: the password, right after a USER that was accepted (RFC 1939 section 7).

    It is taken as it stands, spaces and all, and never shows in ``repr``.
    """

    __slots__ = __match_args__ = ("secret",)
    verb = step = "PASS"
    secret: str
    _secret = frozenset({"secret"})

    def __init__(self, secret: str) -> None:
        if not isinstance(secret, str):
            no_text("password", secret)
        # Not shown, as no secret is.
        if not secret or CONTROL.search(secret.replace("\t", " ")):
            raise InvalidValueError("the password is empty, or holds a control character")
        fill(self, secret)

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument:
            _bad_argument("PASS password")
        return cls(argument)

    def written(self) -> str:
        return f" {self.secret}"

    def verify(self, password: str | None) -> bool:
        """Whether the client's password is this one, to the letter, in constant time; None, of who
        is not known, is nobody's.

        For passwords that are kept in clear; a hashed one is its hash's library's to verify.
        """
        return same(self.secret, password or "") and password is not None


class Apop(Command):
    """APOP: a name, and a digest of the greeting's timestamp and the secret (RFC 1939 section 7).

    ``sasl.apop_digest(timestamp, secret)`` makes the digest, which never shows in ``repr``.
    """

    __slots__ = __match_args__ = ("name", "digest")
    verb = step = "APOP"
    name: str
    digest: str
    _secret = frozenset({"digest"})

    def __init__(self, name: str, digest: str) -> None:
        if not _DIGEST.fullmatch(digest):
            raise InvalidValueError("APOP: a digest is 32 lower-case hexadecimal digits")
        fill(self, _name(name), digest)

    @classmethod
    def read(cls, argument: str) -> Command:
        name, _, digest = argument.rpartition(" ")
        if not name or not _DIGEST.fullmatch(digest.lower()):
            _bad_argument("APOP name digest")
        return cls(name.rstrip(" "), digest.lower())

    def written(self) -> str:
        return f" {self.name} {self.digest}"


_DIGEST = re.compile("[0-9a-f]{32}")


class Auth(Command):
    """AUTH: begin a SASL exchange with a mechanism (RFC 5034 section 4).

    `initial_response` are octets without base64; b"" is an empty one (``=`` on the wire), None
    is none. It never shows in ``repr``. Without `mechanism` it asks for the list of them, as
    clients did before there was CAPA.
    """

    __slots__ = __match_args__ = ("mechanism", "initial_response")
    verb = step = "AUTH"
    mechanism: str | None
    initial_response: bytes | None
    _secret = frozenset({"initial_response"})

    def __init__(self, mechanism: str | None = None, initial_response: bytes | None = None) -> None:
        if mechanism is None:
            if initial_response is not None:
                raise InvalidValueError("AUTH without a mechanism has no initial response")
            fill(self, None, None)
            return
        name = upper(mechanism)
        if not mechanisms.NAME.fullmatch(name):
            raise InvalidValueError(
                f"{mechanism!r} is no SASL mechanism name: 1 to 20 letters, digits, '-' and '_'"
                " (RFC 4422 section 3.1)"
            )
        fill(self, name, None if initial_response is None else as_octets(initial_response))

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument:
            return _ONLY[cls]
        name, _, initial = argument.partition(" ")
        if not mechanisms.NAME.fullmatch(upper(name)):
            _bad_argument("AUTH mechanism [initial-response]")
        if not initial:
            return cls(name)
        try:
            return cls(name, b"" if initial == "=" else decode(initial.strip(" ").encode()))
        except ValueError:
            raise Refused(501, "5.5.2", "Cannot decode the initial response") from None

    @property
    def multiline(self) -> bool:
        return self.mechanism is None

    def written(self) -> str:
        if self.mechanism is None:
            return ""
        if self.initial_response is None:
            return f" {self.mechanism}"
        return f" {self.mechanism} {encode(self.initial_response).decode() or '='}"


class Stls(_Bare):
    """STLS: after the response both sides begin a TLS handshake (RFC 2595 section 4)."""

    __slots__ = ()
    verb = step = "STLS"


class Utf8(_Bare):
    """UTF8: from here on both sides may send UTF-8 (RFC 6856 section 2.1)."""

    __slots__ = ()
    verb = step = "UTF8"


# -- the TRANSACTION state ------------------------------------------------------------------------


class Stat(_Bare):
    """STAT: how many messages there are, and how large they are (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "STAT"


class List(_Listing):
    """LIST: the scan listing of message `number`, or of all (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "LIST"


class Uidl(_Listing):
    """UIDL: the unique-id listing of message `number`, or of all (RFC 1939 section 7)."""

    __slots__ = ()
    verb = step = "UIDL"


class Retr(_Numbered):
    """RETR: message `number` (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "RETR"

    @property
    def multiline(self) -> bool:
        return True


class Top(Command):
    """TOP: the header of message `number` and the first `lines` of its body (RFC 1939 section 7).

    The RFC wants both numbers; without the second, as people type it, `lines` is 0.
    """

    __slots__ = __match_args__ = ("number", "lines")
    verb = step = "TOP"
    number: int
    lines: int

    def __init__(self, number: int, lines: int = 0) -> None:
        fill(self, _number(number, "TOP"), _number(lines, "TOP: lines", 0))

    @classmethod
    def read(cls, argument: str) -> Command:
        match = re.fullmatch(r"0*([1-9][0-9]{0,9})(?:[ ,]+([0-9]{1,10}))?", argument)
        if match is None:
            _bad_argument("TOP, a message-number, which is 1 or more, and a number of lines")
        return cls(int(match[1]), int(match[2] or 0))

    @property
    def multiline(self) -> bool:
        return True

    def written(self) -> str:
        return f" {self.number} {self.lines}"


class Dele(_Numbered):
    """DELE: mark message `number` as deleted (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "DELE"


class Noop(_Bare):
    """NOOP: nothing (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "NOOP"


class Rset(_Bare):
    """RSET: unmark every message that was marked as deleted (RFC 1939 section 5)."""

    __slots__ = ()
    verb = step = "RSET"


# -- both states ----------------------------------------------------------------------------------


class Quit(_Bare):
    """QUIT: the session ends; what is marked as deleted is removed (RFC 1939 section 6)."""

    __slots__ = ()
    verb = step = "QUIT"


class Capa(_Bare):
    """CAPA: what the server is capable of (RFC 2449 section 5)."""

    __slots__ = ()
    verb = step = "CAPA"

    @property
    def multiline(self) -> bool:
        return True


class Lang(Command):
    """LANG: speak the language of a range `tag`, ``*`` for yours; or list all (RFC 6856 3.2)."""

    __slots__ = __match_args__ = ("tag",)
    verb = step = "LANG"
    tag: str | None

    def __init__(self, tag: str | None = None) -> None:
        if tag is not None and not _RANGE.fullmatch(tag):
            raise InvalidValueError(f"LANG: {tag!r} is no language range (RFC 4647 section 2.1)")
        fill(self, tag)

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument:
            return _ONLY[cls]
        if not _RANGE.fullmatch(argument):
            _bad_argument("LANG [language-range]")
        return cls(argument)

    @property
    def multiline(self) -> bool:
        return self.tag is None

    def written(self) -> str:
        return "" if self.tag is None else f" {self.tag}"


_RANGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,20}|\*")


class Extended(Command):
    """Any other verb, offered by a capability of its name. It has one response of one line."""

    __slots__ = ("argument", "name")
    __match_args__ = ("name", "argument")
    step = "extended"
    name: str
    argument: str | None

    def __init__(self, verb: str, argument: str | None = None) -> None:
        name = upper(verb)
        if not _VERB.fullmatch(name) or name in VERBS:
            raise InvalidValueError(
                f"{verb!r}: expected a verb of letters, digits and '-' that has no class of its own"
            )
        text = clean(argument, "argument").strip(" ") if argument else ""
        fill(self, name, text or None)

    def __bytes__(self) -> bytes:
        return f"{self.name}{f' {self.argument}' if self.argument else ''}\r\n".encode()


_VERB = re.compile(r"[A-Z0-9][A-Z0-9-]*")


def read_extended(verb: str, argument: str) -> Command:
    """An Extended command. Raises Refused when the verb is none."""
    if not _VERB.fullmatch(upper(verb)):
        raise Refused(500, "5.5.2", "Unknown command")
    return Extended(verb, argument or None)


class Raw(Command):
    """Any octets at all, unchecked, for test tools; a client waits for `replies` responses.

    `multiline` says that a positive response goes on up to a dot. Nothing is ever parsed into
    one. What it does to the server's state the connection cannot know: it goes on as if nothing
    had changed.
    """

    __slots__ = __match_args__ = ("octets", "replies", "multiline")
    step = "raw"
    octets: bytes
    replies: int
    multiline: bool

    def __init__(self, octets: bytes, replies: int = 1, multiline: bool = False) -> None:
        if replies < 0:
            raise InvalidValueError(f"Raw: {replies} replies: expected 0 or more")
        fill(self, as_octets(octets), replies, bool(multiline))

    def __bytes__(self) -> bytes:
        return self.octets

    def __repr__(self) -> str:
        shown = redacted(self.octets)
        return f"Raw(octets={shown!r}, replies={self.replies}, multiline={self.multiline})"


VERBS: dict[str, type[Command]] = {
    command.verb: command
    for command in (
        User, Pass, Apop, Auth, Stls, Utf8, Stat, List, Uidl, Retr, Top, Dele, Noop, Rset, Quit,
        Capa, Lang,
    )
}  # fmt: skip
"""The class of each verb."""

_ONLY: dict[type[Command], Command] = {
    command: command()
    for command in (Auth, Stls, Utf8, Stat, List, Uidl, Noop, Rset, Quit, Capa, Lang)
}
