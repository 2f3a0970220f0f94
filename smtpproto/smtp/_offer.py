"""Offer: what a server allows now, worked out once for each set of extensions and shared."""

from __future__ import annotations

from functools import lru_cache

from smtpproto.errors import LocalProtocolError
from smtpproto.smtp import ext
from smtpproto.smtp._answers import ACCEPTED, standard
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._commands import VERBS, Command, Extended
from smtpproto.smtp._extension import Extension, octets_added

__all__ = ["OWNED", "Offer", "offer"]

_IMPLIED_BY_LMTP: tuple[Extension, ...] = (ext.Pipelining(), ext.EnhancedStatusCodes())
_UNDERSTOOD = (
    "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "HELP",
)  # fmt: skip


OWNED = frozenset(
    word
    for extension in CLASSES.values()
    for word in (*extension.mail_parameters, *extension.rcpt_parameters)
)
"""The parameters that belong to an extension which the package knows."""


class Offer:
    """What the extensions of a server come to, on a connection with or without TLS."""

    __slots__ = (
        "accepted", "any_parameter", "auth", "bodies", "checks", "enhanced", "extra_mail",
        "extra_rcpt", "known", "limits", "lines", "mail_parameters", "rcpt_parameters", "size",
        "utf8", "verbs",
    )  # fmt: skip

    def __init__(self, extensions: tuple[Extension, ...], tls: bool, lmtp: bool) -> None:
        given = {extension.keyword for extension in extensions}
        if lmtp:
            implied = tuple(one for one in _IMPLIED_BY_LMTP if one.keyword not in given)
            extensions = implied + extensions
        for one in extensions:
            missing = ", ".join(keyword for keyword in one.needs if keyword not in given)
            if missing:
                raise LocalProtocolError(f"a server that offers {one.keyword} must offer {missing}")
        available = [one for one in extensions if one.available(tls)]
        by_keyword = {one.keyword: one for one in reversed(available)}
        lines = [(one, one.shown(tls)) for one in extensions]
        shown = [one for one, line in lines if line is not None]

        self.lines = tuple(str(line) for _, line in lines if line is not None)
        """The lines of the answer to EHLO, after the first."""
        greetings = ("LHLO",) if lmtp else ("EHLO", "HELO")
        not_here = ("EHLO", "HELO") if lmtp else ("LHLO",)
        self.known: dict[str, type[Command]] = {
            **{verb: command for verb, command in VERBS.items() if verb not in not_here},
            **{verb: Extended for one in extensions for verb in one.verbs if verb not in VERBS},
        }
        """Every verb that is not 500."""
        allowed = {*greetings, *_UNDERSTOOD, *(verb for one in available for verb in one.verbs)}
        self.verbs = {verb: command for verb, command in self.known.items() if verb in allowed}
        """Every verb that is not 502."""
        self.mail_parameters = frozenset(word for one in shown for word in one.mail_parameters)
        self.rcpt_parameters = frozenset(word for one in shown for word in one.rcpt_parameters)
        self.any_parameter = any(isinstance(one, ext.Unknown) for one in available)
        """Whether parameters that no known extension owns pass through."""
        self.extra_mail = octets_added(one.mail_parameters for one in shown)
        self.extra_rcpt = octets_added(one.rcpt_parameters for one in shown)
        self.bodies = frozenset(body for one in available for body in one.bodies)
        self.utf8 = "SMTPUTF8" in by_keyword
        self.enhanced = "ENHANCEDSTATUSCODES" in by_keyword
        self.accepted = {
            step: standard(code, status if self.enhanced else None, text)
            for step, (code, status, text) in ACCEPTED.items()
        }
        """What `accept` says to each step without a text of the caller's, and its wire form."""
        size = by_keyword.get("SIZE")
        self.size = (size.limit or None) if isinstance(size, ext.Size) else None
        """The largest message in octets, or None."""
        limits = by_keyword.get("LIMITS")
        self.limits = limits if isinstance(limits, ext.Limits) else None
        checks = [one for one in available if type(one).check is not Extension.check]
        self.checks = tuple(sorted(checks, key=lambda one: one.keyword == "SIZE"))
        """Those that have something to say about the parameters of MAIL: what is wrong before
        what is too much."""
        auth = by_keyword.get("AUTH")
        self.auth = auth if isinstance(auth, ext.Auth) else None


def offer(extensions: tuple[Extension, ...], tls: bool, lmtp: bool) -> Offer:
    """The Offer of a server with these extensions."""
    for extension in extensions:
        if not isinstance(extension, Extension):
            raise LocalProtocolError(
                f"extensions are values such as smtp.ext.Pipelining(), and not {extension!r}"
            )
    policies = tuple(extension.server_policy for extension in extensions)
    return _shared(extensions, policies, tls, lmtp)


@lru_cache(maxsize=64)
def _shared(
    extensions: tuple[Extension, ...], policies: tuple[object, ...], tls: bool, lmtp: bool
) -> Offer:
    return Offer(extensions, tls, lmtp)
