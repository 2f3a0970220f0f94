"""Tally: the commands of a session that LIMITS bounds (RFC 9422), counted alike by both roles."""

from __future__ import annotations

from smtpproto.smtp._commands import Rcpt
from smtpproto.smtp._events import MailCommand
from smtpproto.smtp._refused import Refused
from smtpproto.smtp.ext import Limits

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

    def count(self, command: MailCommand | Rcpt) -> None:
        """`command` is on its way. Raises Refused, and does not count it, when it is one more than
        the server takes."""
        if isinstance(command, MailCommand):
            self._count_mail()
        else:
            self._count_rcpt(command)

    def _count_mail(self) -> None:
        most = self.limits.mailmax
        if most is not None and self._mails >= most:
            raise Refused(421, "4.7.0", f"At most {most} transactions in one session")
        self._mails += 1
        self._recipients = 0

    def _count_rcpt(self, command: Rcpt) -> None:
        most = self.limits.rcptmax
        if most is not None and self._recipients >= most:
            raise Refused(452, "4.5.3", f"At most {most} recipients in one transaction")
        most = self.limits.rcptdomainmax
        if most is not None:
            domain = (command.forward_path.domain or "").lower()
            if domain not in self._domains and len(self._domains) >= most:
                raise Refused(452, "4.5.3", f"Recipients of at most {most} domains in one session")
            self._domains.add(domain)
        self._recipients += 1
