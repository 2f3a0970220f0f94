"""The table, and what it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from benchmarks import aside
from benchmarks.loader import SMTP_SOURCE
from benchmarks.measure import AS_FAST, Row

__all__ = ["folded", "machine", "markdown", "text"]

HEADINGS = ("workload", "against", "ours", "theirs", "measured (quartiles)", "goal", "")
_PACKAGES = ("smtpproto", "Twisted", "aiosmtpd", "aiosmtplib", "h11")


def text(rows: Sequence[Row]) -> str:
    """Every row, for a terminal."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = (map(str.ljust, row, widths) for row in cells)
    return "\n".join("  ".join(line).rstrip() for line in padded)


def markdown(rows: Sequence[Row]) -> str:
    """The folded rows, for the README."""
    cells = [HEADINGS, ("---",) * len(HEADINGS), *map(_cells, folded(rows))]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def folded(rows: Sequence[Row]) -> list[Row]:
    """Of the many rows that a workload measures by itself, the worst alone."""
    result: list[Row] = []
    kinds = groupby(sorted(rows, key=_kind), key=_kind)
    worst = {kind: _worst(list(group)) for kind, group in kinds if kind[1] != AS_FAST}
    for row in rows:
        if row.unit == AS_FAST:
            result.append(row)
        elif _kind(row) in worst:
            result.append(worst.pop(_kind(row)))
    return result


def _kind(row: Row) -> tuple[str, str]:
    return row.workload, row.unit


def _worst(rows: Sequence[Row]) -> Row:
    def distance(row: Row) -> float:
        return row.goal.distance(row.measured.median) if row.goal else 0.0

    row = min(rows, key=distance)
    if len(rows) == 1:
        return row
    missed = sum(not row.goal.met_by(row.measured.median) for row in rows if row.goal)
    count = f"the worst of {len(rows)}" + (f", {missed} of which miss" if missed else "")
    return row._replace(against=f"{row.against} ({count})")


def _cells(row: Row) -> tuple[str, ...]:
    low, median, high = map(_number, row.measured)
    spread = "" if low == high else f" ({low} to {high})"
    goal = verdict = ""
    if row.goal is not None:
        goal = str(row.goal)
        verdict = "met" if row.goal.met_by(row.measured.median) else "missed"
    measured = f"{median}{spread} {row.unit}"
    return row.workload, row.against, row.ours, row.theirs, measured, goal, verdict


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def machine() -> str:
    """Python, the processor, and whom we were measured against."""
    peers = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    load = "smtp-source" if SMTP_SOURCE else "blocking sockets"
    other = f"smtpproto {aside.VERSION} of the index, " if aside.installed() else ""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {_processor()},"
        f" {os.cpu_count()} cores, {platform.system()}. {peers}, {other}load from {load}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
