"""Capabilities: the answer to CAPA, as a server is given it and as a client sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Literal

from smtpproto._mechanisms import REVEALING
from smtpproto._value import Value, constructor, fill
from smtpproto.errors import InvalidValueError
from smtpproto.pop3._commands import VERBS, Command, Extended

__all__ = ["NO_CAPABILITIES", "Capabilities", "offered_verbs"]


class Capabilities(Value):
    """The capabilities of a server, a line each: a tag, and its arguments (RFC 2449 section 5).

    ``"PIPELINING" in capabilities`` asks for a tag, ``capabilities["SASL"]`` gives its
    arguments; iteration gives the lines. A client gets the same value that a server is built
    with, so that a proxy can offer what it was offered.

    Mechanisms that show the secret to whoever listens (PLAIN, LOGIN, XOAUTH2, OAUTHBEARER) are
    neither shown nor allowed without TLS (RFC 5034 section 4), unless `plaintext_without_tls`
    says that the connection is private by other means. That is the server's policy and not on
    the wire, so it is no part of the value. Raises InvalidValueError for what is no line.
    """

    __slots__ = ("lines", "_folded", "_without_tls")
    __match_args__ = ("lines",)
    lines: tuple[str, ...]
    _folded: str
    _without_tls: bool

    def __init__(self, lines: Iterable[str] = (), *, plaintext_without_tls: bool = False) -> None:
        if isinstance(lines, str):
            raise InvalidValueError(f"Capabilities: {lines!r} must be a list of lines")
        words = [line.split() for line in lines]
        for tag, *arguments in (line or [""] for line in words):
            if not (tag.isascii() and tag.isprintable()) or "." in tag or not tag:
                raise InvalidValueError(f"{tag!r} is no tag of a capability (RFC 2449 section 3)")
            if not all(word.isprintable() for word in arguments):
                raise InvalidValueError(f"the arguments of {tag} hold a control character")
        fill(self, tuple(map(" ".join, words)))
        object.__setattr__(self, "_folded", _fold(self.lines))
        object.__setattr__(self, "_without_tls", plaintext_without_tls)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Capabilities:
        """Read the lines of the answer to CAPA; what is no line of words is passed over."""
        found = tuple(lines)
        text = " ".join(("", *found, ""))
        if "  " in text or "." in text or not (text.isascii() and text.isprintable()):
            return cls(filter(_is_line, (" ".join(line.split()) for line in found)))
        return _capabilities(found, _fold(found), False)

    def __contains__(self, tag: str) -> bool:
        return self._find(tag) >= 0

    def __getitem__(self, tag: str) -> tuple[str, ...]:
        arguments = self._arguments(tag)
        if arguments is None:
            raise KeyError(tag)
        return arguments

    def _find(self, tag: str) -> int:
        """Where the first line with a tag is in `_folded`, its separator included; or -1."""
        return -1 if " " in tag else self._folded.find(f"\n{tag.upper()} ")

    def _arguments(self, tag: str) -> tuple[str, ...] | None:
        at = self._find(tag)
        if at < 0:
            return None
        line = self.lines[self._folded.count("\n", 0, at)]
        return tuple(line.split(" ")[1:])

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def sasl(self) -> tuple[str, ...]:
        """The SASL mechanisms, in the server's order (RFC 5034 section 3)."""
        return tuple(map(str.upper, self._arguments("SASL") or ()))

    @property
    def login_delay(self) -> int | None:
        """Seconds between two logins at least; None when not said (RFC 2449 section 6.5)."""
        return _number(self._arguments("LOGIN-DELAY"))

    @property
    def expire(self) -> int | Literal["NEVER"] | None:
        """Days that messages stay on the server at least (RFC 2449 section 6.7).

        None when not said. ``"USER" in capabilities["EXPIRE"]`` when it is another after login.
        """
        arguments = self._arguments("EXPIRE")
        if arguments and arguments[0].upper() == "NEVER":
            return "NEVER"
        return _number(arguments)

    @property
    def implementation(self) -> str | None:
        """What the server says that it is (RFC 2449 section 6.9)."""
        arguments = self._arguments("IMPLEMENTATION")
        return None if arguments is None else " ".join(arguments)

    @property
    def utf8_user(self) -> bool:
        """Whether names and passwords may be UTF-8 (RFC 6856 section 2.2)."""
        return "USER" in map(str.upper, self._arguments("UTF8") or ())

    def mechanisms(self, tls: bool) -> tuple[str, ...]:
        """The SASL mechanisms for which the condition of the connection is good enough."""
        return tuple(name for name in self.sasl if self.allows(name, tls))

    def with_user(self) -> Capabilities:
        """These, with USER among them: there are clients that insist on it (curl)."""
        if "USER" in self:
            return self
        return Capabilities(("USER", *self.lines), plaintext_without_tls=self._without_tls)

    def allows(self, mechanism: str, tls: bool) -> bool:
        """Whether the condition of the connection is good enough for `mechanism`."""
        return tls or self._without_tls or mechanism not in REVEALING


_capabilities = constructor(Capabilities)


def _fold(lines: tuple[str, ...]) -> str:
    """The lines in one text, in which a tag is found without taking all of them to pieces: a
    hostile server may have thousands."""
    return " \n".join(("", *lines, "")).upper()


def _is_line(line: str) -> bool:
    tag = line.split(" ", 1)[0]
    return bool(tag) and tag.isascii() and "." not in tag and line.isprintable()


def _number(arguments: tuple[str, ...] | None) -> int | None:
    word = arguments[0] if arguments else ""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 10 else None


NO_CAPABILITIES = Capabilities()


# -- what they allow ------------------------------------------------------------------------------

_NEEDED = {"TOP": "TOP", "UIDL": "UIDL", "AUTH": "SASL", "STLS": "STLS", "UTF8": "UTF8",
           "LANG": "LANG"}  # fmt: skip
"""The capability that each optional command needs; the others are allowed everywhere."""
_NO_VERBS = frozenset(
    {"SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "IMPLEMENTATION",
     "AUTH-RESP-CODE"}
)  # fmt: skip
"""Capabilities that are no commands (RFC 2449 section 6, RFC 3206 section 6); others may be."""


@lru_cache(maxsize=64)
def offered_verbs(capabilities: Capabilities, apop: bool) -> Mapping[str, type[Command]]:
    """The commands that may be given, each with its class."""
    tags = {line.split(" ")[0].upper() for line in capabilities}
    offered = {
        verb: command
        for verb, command in VERBS.items()
        if verb not in _NEEDED or _NEEDED[verb] in tags
    }
    if not apop:
        del offered["APOP"]
    return {**offered, **dict.fromkeys(tags - VERBS.keys() - _NO_VERBS, Extended)}
