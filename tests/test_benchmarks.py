"""The benchmarks' statistics and tables; and that a workload runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from benchmarks import instructions, report
from benchmarks.__main__ import WORKLOADS, main
from benchmarks.measure import (
    AS_FAST,
    FULL,
    QUICK,
    Contestant,
    Row,
    Spread,
    Work,
    at_least,
    at_most,
    compare,
    race,
)
from benchmarks.messages import mail_text, pieces, stuffed


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    assert Spread.of([5, 1, 4, 2, 3]) == Spread(2, 3, 4)
    assert Spread.of([7]) == Spread(7, 7, 7)


def test_goals() -> None:
    assert at_least(5).met_by(5)
    assert not at_least(5).met_by(4.9)
    assert at_most(2.2).met_by(2.2)
    assert not at_most(2.2).met_by(2.3)
    assert (str(at_least(0.55)), str(at_most(2))) == ("at least 0.55", "at most 2")
    assert at_least(5).distance(10) == at_most(5).distance(2.5) == 2


class Steady(Contestant):
    """Somebody who always takes the same time."""

    def __init__(self, name: str, seconds: float, outcome: object = b"the same") -> None:
        super().__init__(name, lambda: lambda: outcome)
        self._seconds = seconds

    def seconds(self, at_least: float) -> float:
        return self._seconds


def test_a_race_is_run_in_turns() -> None:
    order = []

    def run(name: str) -> Callable[[], Callable[[], object]]:
        def run_once() -> Callable[[], object]:
            order.append(name)
            return lambda: None

        return run_once

    contestants = [Contestant(name, run(name)) for name in "ab"]
    seconds = race(contestants, FULL._replace(rounds=3, seconds=0))
    assert order == ["a", "b", *"ba", *"ab", *"ba"]
    assert [len(found) for found in seconds] == [3, 3]


def test_no_race_between_those_who_do_different_work() -> None:
    with pytest.raises(RuntimeError, match="peer and ours have not done the same work"):
        race([Steady("ours", 1), Steady("peer", 1, b"another")], QUICK)


def test_a_ratio_says_how_many_times_as_fast_we_are() -> None:
    rows = compare(
        "work", Work(10, "MB"), Steady("ours", 0.1), [(Steady("peer", 0.5), at_least(4))], FULL
    )
    assert rows == [
        Row("work", "peer", Spread(5, 5, 5), AS_FAST, at_least(4), "100 MB/s", "20 MB/s")
    ]


ROWS = [
    Row("work", "peer", Spread(4.9, 5, 5.25), AS_FAST, at_least(4), "100 MB/s", "20 MB/s"),
    Row("shapes", "dots", Spread.of([200]), "MB/s", at_least(30)),
    Row("shapes", "zeros", Spread.of([25]), "MB/s", at_least(30)),
    Row("work", "another", Spread.of([1]), AS_FAST),
]


def test_the_text_has_every_row_in_columns() -> None:
    heading, *lines = report.text(ROWS).splitlines()
    assert [re.split(" {2,}", line) for line in lines] == [
        [
            "work",
            "peer",
            "100 MB/s",
            "20 MB/s",
            f"5.00 (4.90 to 5.25) {AS_FAST}",
            "at least 4",
            "met",
        ],
        ["shapes", "dots", "200 MB/s", "at least 30", "met"],
        ["shapes", "zeros", "25.00 MB/s", "at least 30", "missed"],
        ["work", "another", f"1.00 {AS_FAST}"],
    ]
    measured = ("5.00", "200", "25.00", "1.00")
    places = {line.index(cell) for line, cell in zip(lines, measured, strict=True)}
    assert places == {heading.index("measured")}


def test_the_readme_has_the_worst_of_what_is_measured_by_itself() -> None:
    worst = "zeros (the worst of 2, 1 of which miss)"
    assert report.markdown(ROWS).splitlines()[2:] == [
        f"| work | peer | 100 MB/s | 20 MB/s | 5.00 (4.90 to 5.25) {AS_FAST} | at least 4 | met |",
        f"| shapes | {worst} |  |  | 25.00 MB/s | at least 30 | missed |",
        f"| work | another |  |  | 1.00 {AS_FAST} |  |  |",
    ]


@pytest.mark.parametrize("dot_every", [0, 1, 20])
def test_mail_text(dot_every: int) -> None:
    message = mail_text(100_000, dot_every)
    lines = message.split(b"\r\n")[4:-1]
    assert 100_000 <= len(message) < 100_100
    dotted = [number % 1000 for number, line in enumerate(lines) if line.startswith(b".")]
    assert dotted == [n % 1000 for n in range(len(lines)) if dot_every and n % dot_every == 0]
    assert b"".join(pieces(stuffed(message), 999)).endswith(b"\r\n.\r\n")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    main()


def test_a_workload_that_needs_no_peer_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--quick", "octets", "pop3-list")
    printed = capsys.readouterr().out
    assert "one octet at a time, n against 2n  SMTP server, commands" in printed
    assert "POP3 client, LIST of 100 thousand  poplib" in printed


def test_the_workloads_can_be_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--list")
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == list(WORKLOADS)


def test_an_unknown_workload_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "smtp-sever")
    assert "no workload is called smtp-sever: see --list" in capsys.readouterr().err


@pytest.mark.parametrize("name", instructions.LOADS)
def test_each_load_that_is_counted_does_its_work(name: str) -> None:
    instructions.LOADS[name](2)
    assert name in instructions.BEFORE


def test_what_callgrind_has_counted() -> None:
    assert instructions.collected("==7== \n==7== Collected : 123456789\n==7==\n") == 123456789
    with pytest.raises(RuntimeError, match="callgrind has counted nothing: no such tool"):
        instructions.collected("no such tool")


def test_the_count_of_a_load_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts the interpreter, and warms it up, is in both and counts in neither."""
    counted = {instructions.FEW: 5_000_000, instructions.MANY: 6_000_000}
    monkeypatch.setattr(
        instructions, "_valgrind", lambda name, times: f"Collected : {counted[times]}"
    )
    assert instructions.count("server, EHLO and QUIT") == 10_000
