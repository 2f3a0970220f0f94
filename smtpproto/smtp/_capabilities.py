"""Capabilities: what a server's answer to EHLO offers, as a client sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpproto._command import upper
from smtpproto._value import Value, constructor, fill
from smtpproto.smtp import ext
from smtpproto.smtp._extension import PARAMETER, Extension
from smtpproto.smtp._replies import Reply

__all__ = ["NO_CAPABILITIES", "Capabilities"]

CLASSES: dict[str, type[Extension]] = {
    value.keyword: value
    for value in vars(ext).values()
    if isinstance(value, type) and issubclass(value, Extension)
    if isinstance(value.__dict__.get("keyword"), str)
}
"""The class of each keyword."""

_VERBS = frozenset({"ONEX", "VERB", "XCLIENT", "XFORWARD"})
"""Keywords that are known to bring the verb of that name, and nothing else."""


class Capabilities(Value):
    """The extensions that a server offered, in its order.

    ``"PIPELINING" in capabilities`` asks for a keyword, `capabilities[keyword]` gives the
    extension. They are the same values that a server is built with, so that a proxy can offer
    what it was offered.
    """

    __slots__ = ("_by_keyword", "extensions")
    __match_args__ = ("extensions",)
    extensions: tuple[Extension, ...]
    _by_keyword: dict[str, Extension]

    def __init__(self, extensions: Iterable[Extension] = ()) -> None:
        fill(self, tuple(extensions))
        by_keyword = {extension.keyword: extension for extension in reversed(self.extensions)}
        object.__setattr__(self, "_by_keyword", by_keyword)

    @classmethod
    def parse(cls, reply: Reply) -> Capabilities:
        """Read the answer to EHLO or LHLO: each line after the first (RFC 5321 4.1.1.1).

        The legacy ``AUTH=`` line counts where there is no other. What cannot be read becomes
        Unknown, within the grammar or not, or is passed over when it is not even a line of words.
        """
        extensions: dict[str, Extension] = {}
        for line in reply.lines[1:]:
            keyword, *words = line.split() or [""]
            if upper(keyword).startswith("AUTH="):
                legacy = [word for word in (keyword[5:], *words) if word]
                extensions["AUTH="] = _read("AUTH", legacy)
                continue
            if keyword.isprintable() and upper(keyword) not in extensions and keyword:
                extensions[upper(keyword)] = _read(upper(keyword), words)
        if "AUTH" in extensions:
            extensions.pop("AUTH=", None)
        return cls(extensions.values())

    def __contains__(self, keyword: str) -> bool:
        return upper(keyword) in self._by_keyword

    def __getitem__(self, keyword: str) -> Extension:
        return self._by_keyword[upper(keyword)]

    def __iter__(self) -> Iterator[Extension]:
        return iter(self.extensions)

    def __len__(self) -> int:
        return len(self.extensions)

    @property
    def size(self) -> int | None:
        """The largest message in octets (RFC 1870); None when not said, or without limit."""
        extension = self._by_keyword.get("SIZE")
        return (extension.limit or None) if isinstance(extension, ext.Size) else None

    @property
    def auth(self) -> tuple[str, ...]:
        """The SASL mechanisms, in the server's order (RFC 4954)."""
        extension = self._by_keyword.get("AUTH")
        return extension.mechanisms if isinstance(extension, ext.Auth) else ()

    @property
    def limits(self) -> ext.Limits:
        """What the server takes in a session (RFC 9422); each None where it is not said."""
        extension = self._by_keyword.get("LIMITS")
        return extension if isinstance(extension, ext.Limits) else _NO_LIMITS


def _read(keyword: str, words: list[str]) -> Extension:
    known = CLASSES.get(keyword)
    parameters = [word for word in words if PARAMETER.fullmatch(word)]
    if known is not None:
        try:
            return known.parse(parameters)
        except ValueError:
            pass
    if keyword in _VERBS:
        return ext.Verb(keyword, *parameters)
    return _unknown(keyword, tuple(word for word in words if word.isprintable()))


_unknown = constructor(ext.Unknown)  # as it stands: see there
_NO_LIMITS = ext.Limits()
NO_CAPABILITIES = Capabilities()
