"""Offered: what a server's offer lets a client send, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from smtpproto.errors import LocalProtocolError
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import CLASSES, NO_CAPABILITIES, Capabilities
from smtpproto.smtp._commands import (
    VERBS,
    Auth,
    Command,
    Data,
    Ehlo,
    Expn,
    Extended,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Vrfy,
)  # fmt: skip
from smtpproto.smtp._events import MailCommand
from smtpproto.smtp._extension import Extension, octets_added
from smtpproto.smtp._offer import OWNED
from smtpproto.smtp._parameters import NO_PARAMETERS
from smtpproto.smtp._refused import LimitError, Refused
from smtpproto.smtp._replies import Reply
from smtpproto.smtp._tally import Tally

__all__ = ["Offered"]

_OFFERED_BY = {verb: keyword for keyword, extension in CLASSES.items() for verb in extension.verbs}
"""The extension that each verb needs."""

_WITHOUT_EHLO = frozenset({"EXPN", "TURN", "SEND", "SOML", "SAML"})
"""Verbs of RFC 821, which had no way to list them: after HELO anyone may try."""


class Offered:
    """What a command must fulfil besides its place in the order.

    It needs what the server offered, and what has been sent already: the Mail of the
    transaction, and what LIMITS counts. A session begins with nothing offered, and again when
    TLS begins.
    """

    __slots__ = (
        "_known", "_longest", "_mail", "_rfc821", "_tally", "_tls", "_unknown", "authenticated",
        "capabilities",
    )  # fmt: skip

    def __init__(self, *, longest: int, tls: bool) -> None:
        """`longest` is the most octets of a command line that no extension lengthens."""
        self._longest = longest
        self._tls = tls
        self._rfc821 = False
        self._mail: MailCommand | None = None
        self._tally: Tally | None = None  # where the server has LIMITS
        self.authenticated = False
        self._follow(NO_CAPABILITIES)

    def _follow(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        # A server may name thousands of extensions, but only so many that bring a parameter.
        self._known = tuple(
            one
            for one in capabilities
            if not isinstance(one, ext.Unknown) and one.available(self._tls)
        )
        self._unknown = any(isinstance(one, ext.Unknown) for one in capabilities)

    def greeted(self, request: Ehlo | Helo | Lhlo, reply: Reply) -> None:
        """The server has taken `request`: from here on this is its offer."""
        self._rfc821 = isinstance(request, Helo)
        self._follow(NO_CAPABILITIES if self._rfc821 else Capabilities.parse(reply))
        if self._tally is not None:
            # A new EHLO brings new limits, and what was sent before still counts (RFC 9422).
            self._tally.limits = self.capabilities.limits
        elif "LIMITS" in self.capabilities:
            self._tally = Tally(self.capabilities.limits)

    def admit(self, command: Command, wire: bytes) -> None:
        """`command` is about to be sent, as `wire`.

        Raises LocalProtocolError where the server does not offer what it needs, and LimitError
        where LIMITS do not leave room for it; then it does not count.
        """
        if len(wire) > self._longest or not wire.isascii():
            self._check_line(command, wire)
        rule = _RULES.get(command.step)
        if rule is not None:
            try:
                rule(self, command)
            except Refused as refused:
                error = LimitError if refused.code < 500 else LocalProtocolError
                raise error(f"{command!r} cannot be sent to this server: {refused.text}") from None

    def _mail_rule(self, command: MailCommand) -> None:
        if not isinstance(command, Mail):
            self._verb_rule(command)
        elif command.parameters is not NO_PARAMETERS:
            self._check_parameters(command)
            if command.binary and not self._offers("CHUNKING"):
                self._not_offered(command, "CHUNKING")
        if self._tally is not None:
            self._tally.count(command)
        self._mail = command

    def _rcpt_rule(self, command: Rcpt) -> None:
        if command.parameters is not NO_PARAMETERS:
            self._check_parameters(command)
        if self._tally is not None:
            self._tally.count(command)

    def _data_rule(self, command: Data) -> None:
        if self._mail is not None and self._mail.binary:
            raise LocalProtocolError("a message with BODY=BINARYMIME is sent with Bdat (RFC 3030)")

    def _query_rule(self, command: Vrfy | Expn) -> None:
        self._verb_rule(command)
        if command.smtputf8 and not self._offers("SMTPUTF8"):
            self._not_offered(command, "SMTPUTF8")

    def _auth_rule(self, command: Auth) -> None:
        self._verb_rule(command)
        if self.authenticated:
            raise LocalProtocolError("one AUTH a session has succeeded already (RFC 4954 4)")

    def _verb_rule(self, command: Command) -> None:
        """What the server does not offer is refused here, by name."""
        if isinstance(command, Extended):
            needed: str | None = command.name
        else:
            needed = _OFFERED_BY.get(command.verb)
        if needed is None or self._offers(needed) or (self._rfc821 and needed in _WITHOUT_EHLO):
            return
        self._not_offered(command, needed)

    def _offers(self, keyword: str) -> bool:
        """Whether the server offered it, and may."""
        offered = self.capabilities
        return keyword in offered and offered[keyword].available(self._tls)

    def _not_offered(self, command: Command, keyword: str) -> NoReturn:
        raise LocalProtocolError(f"{command!r} cannot be sent: the server does not offer {keyword}")

    def _check_parameters(self, command: Mail | Rcpt) -> None:
        for keyword, value in command.parameters.items():
            if keyword in OWNED:
                if not any(_brings(one, command, keyword, value) for one in self._known):
                    raise LocalProtocolError(
                        f"{command!r} cannot be sent: the server offers no extension that adds"
                        f" {keyword} to {command.verb}"
                    )
            elif not self._unknown:
                raise LocalProtocolError(
                    f"{command!r} cannot be sent: the server offers nothing that could bring"
                    f" {keyword}"
                )
        if isinstance(command, Mail):
            for one in self._known:
                one.check(command.parameters)

    def _check_line(self, command: Command, wire: bytes) -> None:
        """A line that is not ASCII, or longer than a command line is without extensions."""
        if not wire.isascii():
            self._check_utf8(command)
        limit = self._longest
        if isinstance(command, Mail):
            limit += octets_added(one.mail_parameters for one in self._known)
        elif isinstance(command, Rcpt):
            limit += octets_added(one.rcpt_parameters for one in self._known)
        if len(wire) > limit:
            if isinstance(command, Mail | Rcpt):
                self._check_parameters(command)  # one that is not offered is the better reason
            advice = (
                "; send Auth without it, and it as the response to the empty challenge"
                if isinstance(command, Auth)
                else ""
            )
            raise LocalProtocolError(
                f"{command!r} is {len(wire)} octets long, and a command line has at most {limit}"
                f" (RFC 5321 section 4.5.3.1.4){advice}"
            )

    def _check_utf8(self, command: Command) -> None:
        """A command that is not ASCII (RFC 6531)."""
        if isinstance(command, MailCommand):
            path = command.reverse_path
            if path is not None and not path.is_ascii and not command.smtputf8:
                raise LocalProtocolError(f"{path} needs smtputf8=True on its Mail (RFC 6531)")
        elif isinstance(command, Rcpt):
            path = command.forward_path
            if not path.is_ascii and not (self._mail is not None and self._mail.smtputf8):
                raise LocalProtocolError(
                    f"{path} needs smtputf8=True on the Mail before it (RFC 6531)"
                )
        elif isinstance(command, Vrfy | Expn) and not command.smtputf8:
            raise LocalProtocolError(f"{command!r} needs smtputf8=True (RFC 6531)")
        if "SMTPUTF8" not in self.capabilities:
            self._not_offered(command, "SMTPUTF8")


_RULES: dict[str, Callable[..., None]] = {
    **{VERBS[verb].step: Offered._verb_rule for verb in _OFFERED_BY},
    "extended": Offered._verb_rule,
    "MAIL": Offered._mail_rule,
    "RCPT": Offered._rcpt_rule,
    "DATA": Offered._data_rule,
    "VRFY": Offered._query_rule,
    "EXPN": Offered._query_rule,
    "AUTH": Offered._auth_rule,
}
"""What the commands of a step must fulfil; those of other steps may always be sent."""


def _brings(extension: Extension, command: Mail | Rcpt, keyword: str, value: object) -> bool:
    """Whether an extension allows a parameter on a command."""
    if isinstance(command, Rcpt):
        return keyword in extension.rcpt_parameters
    if keyword == "BODY":
        return value in extension.bodies
    return keyword in extension.mail_parameters
