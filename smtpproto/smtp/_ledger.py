"""Ledger: which recipient of a delivery stands where, until each has its outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableSequence

from smtpproto.smtp._commands import Rcpt
from smtpproto.smtp._replies import Reply
from smtpproto.smtp._report import Outcome, Report, Verdict

__all__ = ["Ledger"]


class Ledger:
    """The recipients of a delivery, by their place in the envelope.

    Each of them without an outcome stands in exactly one of four queues:

    =========  =======================================================================
    `todo`     not named to the server yet
    `asked`    RCPT is sent and not answered
    `crowded`  RCPT was answered "too many recipients": perhaps in another transaction
    `taken`    RCPT was accepted: the reply to the message decides
    =========  =======================================================================

    and leaves it for good when it is settled. So the first reply that refuses a recipient counts,
    and nothing that a server says later, or does not say, can lose one.
    """

    __slots__ = ("_outcomes", "_recipients", "asked", "crowded", "taken", "todo")

    def __init__(self, recipients: tuple[Rcpt, ...]) -> None:
        self._recipients = recipients
        self._outcomes: dict[int, Outcome] = {}
        self.todo = deque(range(len(recipients)))
        self.asked: deque[int] = deque()
        self.crowded: deque[tuple[int, Reply]] = deque()
        self.taken: deque[int] = deque()

    def settle(
        self,
        queue: MutableSequence[int],
        verdict: Verdict,
        reason: str,
        reply: Reply | None = None,
    ) -> None:
        """The outcome of all that stand in `queue`, which is empty afterwards."""
        while queue:
            index = queue.pop()
            self._outcomes[index] = Outcome(self._recipients[index], verdict, reply, reason)

    def refuse(self, queue: MutableSequence[int], reason: str, reply: Reply) -> None:
        """The same, when a 4yz or 5yz reply decides it."""
        self.settle(queue, _VERDICTS[reply.severity], reason, reply)

    def refuse_all(self, reason: str, reply: Reply) -> None:
        """The same for everybody, but for those who have had a reply of their own."""
        for queue in (self.todo, self.asked, self.taken):
            self.refuse(queue, reason, reply)

    def readmit(self) -> None:
        """Those who were too many are to be named once more."""
        self.todo.extend(index for index, _ in self.crowded)
        self.crowded.clear()

    def defer_crowded(self) -> None:
        """Those who were too many have had their only chance."""
        for index, reply in self.crowded:
            self.settle([index], Verdict.DEFERRED, "too many recipients at a time", reply)
        self.crowded.clear()

    def report(self) -> Report:
        """The outcomes of all, in the envelope's order."""
        self.defer_crowded()
        return Report(self._outcomes[index] for index in range(len(self._recipients)))


_VERDICTS = {4: Verdict.DEFERRED, 5: Verdict.REFUSED}
