"""Tally: the commands of a session that LIMITS bounds (RFC 9422), counted alike by both roles."""

from __future__ import annotations

from smtpproto.smtp.commands import Rcpt
from smtpproto.smtp.events import MailCommand
from smtpproto.smtp.extensions import Limits
from smtpproto.smtp.refused import Refused

__all__ = ["Tally"]


class Tally:
    """How many transactions and domains a session has seen, and recipients its transaction.

    Commands count whether or not they succeed, from the EHLO on whose answer has `limits`;
    a later EHLO may change these.
    """

    __slots__ = ("_domains", "_mails", "_recipients", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._mails = 0
        self._recipients = 0
        self._domains: set[str] = set()

    def check(self, command: MailCommand | Rcpt) -> None:
        """Raise Refused when `command` is one more than the server takes."""
        limits = self.limits
        if isinstance(command, MailCommand):
            if limits.mailmax is not None and self._mails >= limits.mailmax:
                raise Refused(421, "4.7.0", f"At most {limits.mailmax} transactions in one session")
            return
        if limits.rcptmax is not None and self._recipients >= limits.rcptmax:
            raise Refused(452, "4.5.3", f"At most {limits.rcptmax} recipients in one transaction")
        most = limits.rcptdomainmax
        if most is None or len(self._domains) < most:
            return
        if _domain(command) not in self._domains:
            raise Refused(452, "4.5.3", f"Recipients of at most {most} domains in one session")

    def count(self, command: MailCommand | Rcpt) -> None:
        """`command` is on its way."""
        if isinstance(command, MailCommand):
            self._mails += 1
            self._recipients = 0
            return
        self._recipients += 1
        if self.limits.rcptdomainmax is not None:
            self._domains.add(_domain(command))


def _domain(command: Rcpt) -> str:
    return (command.forward_path.domain or "").lower()
