"""Extension: what every class of `extensions` is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from smtpproto._value import Value

__all__ = ["PARAMETER", "Extension"]

PARAMETER = re.compile("[!-~]+")
"""RFC 5321 section 4.1.1.1: ehlo-param, a word behind the keyword."""

_NONE: Mapping[str, int] = MappingProxyType({})


class Extension(Value):
    """An SMTP service extension, as one line of the answer to EHLO (RFC 5321 section 2.2).

    A server is given the ones it offers; a client finds the ones it was offered in its
    capabilities. ``str(extension)`` is the line: the keyword and its parameters.
    """

    __slots__ = ()
    keyword: ClassVar[str]
    verbs: ClassVar[tuple[str, ...]] = ()
    """The verbs that it adds."""
    mail_parameters: ClassVar[Mapping[str, int]] = _NONE
    """The parameters that it adds to MAIL, each with the octets that it may lengthen the line."""
    rcpt_parameters: ClassVar[Mapping[str, int]] = _NONE
    """The same for RCPT."""
    bodies: ClassVar[tuple[str, ...]] = ()
    """The values of MAIL's BODY parameter that it adds."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The keywords without which a server may not offer it."""

    @property
    def server_policy(self) -> object:
        """What a server was told about it beyond what is on the wire; no part of the value."""
        return None

    @classmethod
    def parse(cls, words: list[str]) -> Extension:
        """The extension of a line's parameters. Raises ValueError when they cannot be read."""
        return cls()

    def words(self) -> tuple[str, ...]:
        """The parameters after the keyword."""
        return ()

    def available(self, tls: bool) -> bool:
        """Whether what it adds is allowed on a connection with or without TLS."""
        return True

    def check(self, parameters: Mapping[str, object]) -> None:
        """Raise Refused when the parameters of a MAIL ask for more than the extension offers."""

    def shown(self, tls: bool) -> Extension | None:
        """What the answer to EHLO says of it; None for nothing."""
        return self if self.available(tls) else None

    def __str__(self) -> str:
        return " ".join((self.keyword, *self.words()))
