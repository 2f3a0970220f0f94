"""Timing and statistics: whatever is measured goes through here.

Contestants do the same work: what comes out of them is compared before the clock runs. Then they
take turns, one sample of each a round, so that whatever else the machine does meets them all; a
ratio is taken within a round, and the median of the rounds stands between their quartiles.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = [
    "AS_FAST",
    "FULL",
    "QUICK",
    "Contestant",
    "Effort",
    "Goal",
    "Row",
    "Run",
    "Spread",
    "Work",
    "at_least",
    "at_most",
    "compare",
    "growth",
    "race",
]

Run = Callable[[], Callable[[], object]]
"""Does the work once. What it returns tells, when the clock is off, what came out."""

AS_FAST = "times as fast"
"""The unit of a row that sets us against a peer."""

TWICE = "times as long for twice the octets"
LINEAR = 2.2
"""What is linear takes twice as long for twice the octets, and a little more on a bad day."""
_NEIGHBOURS = 3
"""Pairs of runs for each round of an effort."""


class Effort(NamedTuple):
    """How much of everything is done."""

    rounds: int
    seconds: float
    """How long a sample lasts at least; the work is repeated for as long."""
    divisor: int

    def of(self, amount: int) -> int:
        """What of an amount of work is to be done."""
        return max(1, amount // self.divisor)


FULL = Effort(rounds=11, seconds=0.1, divisor=1)
QUICK = Effort(rounds=1, seconds=0.0, divisor=200)


class Spread(NamedTuple):
    """What the rounds gave: their median, between the quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        return cls(*statistics.quantiles(values, n=4, method="inclusive"))


class Goal(NamedTuple):
    """A bound on the median."""

    bound: float
    most: bool
    """Whether it is the most that is allowed, rather than the least."""

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.most else value >= self.bound

    def distance(self, value: float) -> float:
        """How far a value is on the right side: over 1 when the goal is met."""
        return self.bound / value if self.most else value / self.bound

    def __str__(self) -> str:
        return f"at {'most' if self.most else 'least'} {self.bound:.3g}"


def at_least(bound: float) -> Goal:
    return Goal(bound, most=False)


def at_most(bound: float) -> Goal:
    return Goal(bound, most=True)


class Row(NamedTuple):
    """One line of the table."""

    workload: str
    against: str
    """The peer; of what is measured by itself, the shape or the role."""
    measured: Spread
    unit: str
    goal: Goal | None = None
    ours: str = ""
    theirs: str = ""


class Work(NamedTuple):
    """What one run does, for the columns that say how much of it is done in a second."""

    amount: float
    unit: str

    def rate(self, seconds: float) -> str:
        rate = self.amount / seconds
        if self.unit == "MB":
            return f"{rate:.0f} MB/s" if rate >= 10 else f"{rate:.1f} MB/s"
        return f"{rate / 1000:.1f} thousand {self.unit} a second"


class Contestant:
    """Somebody who can do the work.

    Measured is processor time, which others on the machine do not lengthen: this process's, or
    that of another which does the work.
    """

    def __init__(self, name: str, run: Run, clock: Callable[[], float] = time.process_time) -> None:
        self.name = name
        self._run = run
        self._clock = clock

    def outcome(self) -> object:
        """What comes out of the work when it is done once."""
        return self._run()()

    def seconds(self, at_least: float) -> float:
        """How long one run takes, by as many runs as fill `at_least` seconds."""
        gc.collect()
        gc.freeze()  # what other workloads have left must not be searched again and again
        runs, spent = 0, 0.0
        start = self._clock()
        while not runs or spent < at_least:
            self._run()
            runs += 1
            spent = self._clock() - start
        gc.unfreeze()
        return spent / runs


def race(contestants: Sequence[Contestant], effort: Effort) -> list[list[float]]:
    """The seconds of every round, a list for each contestant.

    The runs that show what comes out warm everything up. Raises RuntimeError when not the same
    comes out of all of them.
    """
    first, *others = contestants
    expected = first.outcome()
    for other in others:
        if other.outcome() != expected:
            raise RuntimeError(f"{other.name} and {first.name} have not done the same work")
    seconds: list[list[float]] = [[] for _ in contestants]
    for number in range(effort.rounds):
        turns = list(zip(contestants, seconds, strict=True))
        for contestant, found in turns if number % 2 else reversed(turns):
            found.append(contestant.seconds(effort.seconds))
    return seconds


def compare(
    workload: str,
    work: Work,
    ours: Contestant,
    peers: Sequence[tuple[Contestant, Goal | None]],
    effort: Effort,
) -> list[Row]:
    """A row for each peer: how many times as fast as it we are."""
    own, *theirs = race([ours, *(peer for peer, _ in peers)], effort)
    return [
        Row(
            workload,
            peer.name,
            Spread.of([their / our for our, their in zip(own, seconds, strict=True)]),
            AS_FAST,
            goal,
            work.rate(statistics.median(own)),
            work.rate(statistics.median(seconds)),
        )
        for (peer, goal), seconds in zip(peers, theirs, strict=True)
    ]


def growth(
    workload: str,
    shape: str,
    octets: int,
    prepare: Callable[[int], Callable[[], object]],
    effort: Effort,
) -> tuple[Row, Row]:
    """What is done with so many octets: MB/s, and how many times as long twice as many take.

    `prepare` makes the octets, and the work to be timed.

    The machine may run at half its speed for some seconds and then at all of it. So a run of
    either length is a sample, they take turns, and each ratio is that of two neighbours.
    """
    amount = effort.of(octets)
    once, twice = prepare(amount), prepare(2 * amount)
    once()
    twice()  # warms everything up
    gc.collect()
    gc.freeze()
    seconds: list[tuple[float, float]] = []
    start = time.process_time()
    least, enough = _NEIGHBOURS * effort.rounds, 2 * effort.rounds * effort.seconds
    while len(seconds) < least or time.process_time() - start < enough:
        seconds.append((_timed(once), _timed(twice)))
    gc.unfreeze()
    rates = Spread.of([2 * amount / 1e6 / longer for _, longer in seconds])
    factor = Spread.of([longer / shorter for shorter, longer in seconds])
    return (
        Row(f"{workload}, speed", shape, rates, "MB/s"),
        Row(f"{workload}, n against 2n", shape, factor, TWICE, at_most(LINEAR)),
    )


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
