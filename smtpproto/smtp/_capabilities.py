"""Service extensions (RFC 5321 section 2.2): the list of them, and what it allows.

`Capabilities` is the list in the answer to EHLO, as a client sees it. `Service` is what a list of
extensions allows, for either role. `ServerService` is that, and what a server says of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from smtpproto._command import upper
from smtpproto._value import Value, constructor, fill
from smtpproto.errors import InvalidValueError
from smtpproto.smtp import ext
from smtpproto.smtp._commands import VERBS, Command, Extended
from smtpproto.smtp._extension import PARAMETER, Extension
from smtpproto.smtp._replies import Reply, standard
from smtpproto.smtp._state import STEPS

__all__ = [
    "NOTHING",
    "NO_CAPABILITIES",
    "RFC_821",
    "Capabilities",
    "ClientService",
    "ServerService",
    "Service",
    "server_service",
]

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


# -- what they allow ------------------------------------------------------------------------------

_OWNED = frozenset(
    word
    for extension in CLASSES.values()
    for word in (*extension.mail_parameters, *extension.rcpt_parameters)
)
"""The parameters that belong to an extension which the package knows."""


class Service:
    """What the extensions in effect on a session allow."""

    __slots__ = (
        "_verbs", "any_parameter", "bodies", "checks", "extra_mail", "extra_rcpt", "limits",
        "mail_parameters", "rcpt_parameters", "utf8",
    )  # fmt: skip

    def __init__(self, extensions: Iterable[Extension], verbs: Collection[str] = ()) -> None:
        """`verbs` are allowed besides those that the extensions bring."""
        mail: dict[str, int] = {}
        rcpt: dict[str, int] = {}
        bodies: set[str] = set()
        allowed = {*verbs}
        unknown = False
        checks = []
        keywords: dict[str, Extension] = {}
        for one in extensions:
            mail.update(one.mail_parameters)
            rcpt.update(one.rcpt_parameters)
            bodies.update(one.bodies)
            allowed.update(one.verbs)
            unknown = unknown or isinstance(one, ext.Unknown)
            if type(one).check is not Extension.check:
                checks.append(one)
            keywords.setdefault(one.keyword, one)
        if "CHUNKING" not in keywords:
            bodies.discard("BINARYMIME")  # which is sent with BDAT only (RFC 3030 section 3)
        self.mail_parameters = mail
        """The parameters of MAIL, each with the octets that it may lengthen the line."""
        self.rcpt_parameters = rcpt
        self.extra_mail = sum(mail.values())
        """How much longer than others a MAIL may be, in octets."""
        self.extra_rcpt = sum(rcpt.values())
        self.bodies = bodies
        """The values of MAIL's BODY parameter."""
        self.any_parameter = unknown
        """Whether an extension is there that the package does not know, and what it might bring."""
        self.utf8 = "SMTPUTF8" in keywords
        self.checks = tuple(sorted(checks, key=lambda one: one.keyword == "SIZE"))
        """The extensions with a rule about the parameters of MAIL: what is wrong before what is too
        much."""
        limits = keywords.get("LIMITS")
        self.limits = limits if isinstance(limits, ext.Limits) else None
        self._verbs = allowed

    def allows_verb(self, verb: str) -> bool:
        """Whether a verb is brought by one of the extensions."""
        return verb in self._verbs

    def passes_through(self, keyword: str) -> bool:
        """Whether a parameter may belong to an extension that the package does not know."""
        return self.any_parameter and keyword not in _OWNED


NOTHING = Service(())
"""What a session begins with."""

RFC_821 = Service((), verbs=("EXPN", "TURN", "SEND", "SOML", "SAML"))
"""After HELO: RFC 821 had no way to list its verbs, so anyone may try."""


class ClientService(Service):
    """What a server's answer to EHLO allows its client.

    It is worked out when it is first asked for: most sessions never need it.
    """

    __slots__ = ("_capabilities", "_tls")

    def __init__(self, capabilities: Capabilities, tls: bool) -> None:
        self._capabilities = capabilities
        self._tls = tls

    def __getattr__(self, name: str) -> object:
        """Anything but these two is asked for the first time."""
        if name not in Service.__slots__:
            raise AttributeError(name)
        available = [one for one in self._capabilities if one.available(self._tls)]
        # A keyword that the package does not know may be a verb too.
        verbs = [one.keyword for one in available if isinstance(one, ext.Unknown)]
        super().__init__(available, verbs)
        return getattr(self, name)


# -- what a server says of them -------------------------------------------------------------------

_IMPLIED_BY_LMTP: tuple[Extension, ...] = (ext.Pipelining(), ext.EnhancedStatusCodes())
_UNDERSTOOD = ("MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "HELP")
"""The verbs that every server must know (RFC 5321 section 4.5.1), and HELP."""
_ACCEPTED = {name: step.accepted for name, step in STEPS.items() if step.accepted}


class ServerService(Service):
    """The extensions of a server, on a connection with or without TLS."""

    __slots__ = ("accepted", "auth", "enhanced", "known", "lines", "size", "verbs")

    def __init__(self, extensions: tuple[Extension, ...], tls: bool, lmtp: bool) -> None:
        given = {extension.keyword for extension in extensions}
        if lmtp:
            implied = tuple(one for one in _IMPLIED_BY_LMTP if one.keyword not in given)
            extensions = implied + extensions
        for one in extensions:
            missing = ", ".join(keyword for keyword in one.needs if keyword not in given)
            if missing:
                raise InvalidValueError(f"a server that offers {one.keyword} must offer {missing}")
        available = [one for one in extensions if one.available(tls)]
        by_keyword = {one.keyword: one for one in reversed(available)}
        lines = [(one, one.shown(tls)) for one in extensions]
        shown = [one for one, line in lines if line is not None]
        greetings = ("LHLO",) if lmtp else ("EHLO", "HELO")
        allowed = {*greetings, *_UNDERSTOOD, *(verb for one in available for verb in one.verbs)}
        super().__init__(shown, allowed)

        self.lines = tuple(str(line) for _, line in lines if line is not None)
        """The lines of the answer to EHLO, after the first."""
        not_here = ("EHLO", "HELO") if lmtp else ("LHLO",)
        self.known: dict[str, type[Command]] = {
            **{verb: command for verb, command in VERBS.items() if verb not in not_here},
            **{verb: Extended for one in extensions for verb in one.verbs if verb not in VERBS},
        }
        """The verbs that are understood: another one gets 500."""
        self.verbs = {verb: command for verb, command in self.known.items() if verb in allowed}
        """The verbs that are offered too: a known one that is not gets 502."""
        self.enhanced = "ENHANCEDSTATUSCODES" in by_keyword
        self.accepted = {
            name: standard(code, status if self.enhanced else None, text)
            for name, (code, status, text) in _ACCEPTED.items()
        }
        """What `accept` says to each step without a text of the caller's, and its wire form."""
        size = by_keyword.get("SIZE")
        self.size = (size.limit or None) if isinstance(size, ext.Size) else None
        """The largest message in octets, or None."""
        auth = by_keyword.get("AUTH")
        self.auth = auth if isinstance(auth, ext.Auth) else None


def server_service(extensions: tuple[Extension, ...], tls: bool, lmtp: bool) -> ServerService:
    """The ServerService of a server with these extensions, worked out once for all its sessions."""
    for extension in extensions:
        if not isinstance(extension, Extension):
            raise TypeError(
                "extensions are values such as smtp.ext.Pipelining(), not"
                f" {type(extension).__name__}: {extension!r:.80}"
            )
    policies = tuple(extension.server_policy for extension in extensions)
    return _shared(extensions, policies, tls, lmtp)


@lru_cache(maxsize=64)
def _shared(
    extensions: tuple[Extension, ...], policies: tuple[object, ...], tls: bool, lmtp: bool
) -> ServerService:
    return ServerService(extensions, tls, lmtp)
