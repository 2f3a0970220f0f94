"""Transaction: a mail transaction as a server sees it (RFC 5321 section 3.3)."""

from __future__ import annotations

from smtpproto._value import constructor
from smtpproto.smtp._commands import Mail, Rcpt
from smtpproto.smtp._events import Envelope, MailCommand
from smtpproto.smtp._incoming import Intake

__all__ = ["NO_TRANSACTION", "Transaction"]

_build_envelope = constructor(Envelope)


class Transaction:
    """From the acceptance of MAIL until the message is answered, or given up."""

    __slots__ = ("_envelope", "intake", "mail", "recipients", "unanswered")

    def __init__(self, mail: MailCommand) -> None:
        self.mail = mail
        self.recipients: list[Rcpt] = []
        """Those that were accepted."""
        self.intake: Intake | None = None
        """The message, once the server has begun to take it."""
        self.unanswered = 0
        """LMTP, after the message: how many recipients, the last ones, have no reply yet (RFC 2033
        section 4.2)."""
        self._envelope: Envelope | None = None

    def add(self, recipient: Rcpt) -> None:
        """One more recipient has been accepted."""
        self.recipients.append(recipient)
        self._envelope = None

    @property
    def envelope(self) -> Envelope:
        """Who sends, and to whom, so far."""
        if self._envelope is None:
            self._envelope = _build_envelope(self.mail, tuple(self.recipients))
        return self._envelope


NO_TRANSACTION = Transaction(Mail(None))
"""What stands where there is none; nothing is ever added to it."""
