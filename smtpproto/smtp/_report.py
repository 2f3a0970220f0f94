"""Report: what became of a message, for each of its recipients."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from smtpproto._value import Value, fill
from smtpproto._wire.text import printable
from smtpproto.smtp._commands import Rcpt
from smtpproto.smtp._replies import Reply

__all__ = ["Outcome", "Report", "Verdict"]


class Verdict(Enum):
    """What became of a message for one recipient."""

    ACCEPTED = "accepted"
    """The server has taken responsibility for it (RFC 5321 section 4.2.5)."""
    REFUSED = "refused"
    """It will be refused again: report the failure to the sender."""
    DEFERRED = "deferred"
    """Not now: try again later (RFC 5321 section 4.5.4.1)."""
    UNKNOWN = "unknown"
    """The connection was lost between the end of the message and the reply to it: it may have
    been accepted. Tried again, it may arrive twice; not tried again, it may be lost (RFC 1047)."""


class Outcome(Value):
    """The verdict for one recipient, and why.

    `reply` is the server's reply that decided it, 100 lines at most; None where there was none:
    the connection was lost, or the message was not even offered to this server. `reason` says it
    in words.
    """

    __slots__ = __match_args__ = ("recipient", "verdict", "reply", "reason")  # the order of use
    recipient: Rcpt
    verdict: Verdict
    reply: Reply | None
    reason: str

    def __init__(self, recipient: Rcpt, verdict: Verdict, reply: Reply | None, reason: str) -> None:
        fill(self, recipient, verdict, reply, reason)

    def __str__(self) -> str:
        """One line, for people and logs: what of a reply does not print is a "?"."""
        said = "" if self.reply is None else f": {self.reply.code} {' '.join(self.reply.lines)}"
        return printable(
            f"<{self.recipient.forward_path}> {self.verdict.value}: {self.reason}{said}"
        )


class Report(Value):
    """The outcomes of a delivery: one for each recipient of the envelope, in its order."""

    __slots__ = __match_args__ = ("outcomes",)
    outcomes: tuple[Outcome, ...]

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        fill(self, tuple(outcomes))

    @property
    def all_accepted(self) -> bool:
        """Whether the server has accepted the message for every recipient."""
        return all(outcome.verdict is Verdict.ACCEPTED for outcome in self.outcomes)

    @property
    def refused(self) -> tuple[Outcome, ...]:
        """The recipients that will not get it: what a bounce is about."""
        return tuple(one for one in self.outcomes if one.verdict is Verdict.REFUSED)

    @property
    def to_retry(self) -> tuple[Rcpt, ...]:
        """The recipients that are to be tried again: those deferred, and those unknown."""
        again = (Verdict.DEFERRED, Verdict.UNKNOWN)
        return tuple(one.recipient for one in self.outcomes if one.verdict in again)

    def __str__(self) -> str:
        return "\n".join(map(str, self.outcomes))
