"""The ratios, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import AS_FAST, Row

__all__ = ["draw"]

_MET, _MISSED, _NO_GOAL, _INK = "#2a7f62", "#c8553d", "#8d99ae", "#333333"


def draw(rows: Sequence[Row], file: Path, caption: str) -> None:
    """How many times as fast as each peer we are, with its quartiles and its goal, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "smtpproto"})
    from matplotlib import pyplot

    drawn = [row for row in rows if row.unit == AS_FAST]
    figure, axes = pyplot.subplots(figsize=(10, 0.34 * len(drawn) + 1.4))
    for place, row in enumerate(drawn):
        low, median, high = row.measured
        axes.barh(place, median, height=0.62, color=_colour(row))
        axes.plot([low, high], [place, place], color=_INK, linewidth=1)
        axes.annotate(
            f"{median:.2g}", (high, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=8, color=_INK,
        )  # fmt: skip
        if row.goal is not None:
            axes.plot([row.goal.bound] * 2, [place - 0.42, place + 0.42], color=_INK, linewidth=2)
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 1.3)
    axes.axvline(1, color=_INK, linewidth=0.8, linestyle=":")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(drawn)), [f"{row.workload}: {row.against}" for row in drawn])
    axes.tick_params(axis="y", labelsize=8, length=0)
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer (bar: median; line: quartiles; tick: goal)")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_title(caption, fontsize=8, loc="left", color=_INK)
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _colour(row: Row) -> str:
    if row.goal is None:
        return _NO_GOAL
    return _MET if row.goal.met_by(row.measured.median) else _MISSED
