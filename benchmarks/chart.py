"""The ratios, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import AS_FAST, Row

__all__ = ["draw"]

_MET, _MISSED, _NO_GOAL, _INK = "#2a7f62", "#c8553d", "#8d99ae", "#333333"
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def draw(rows: Sequence[Row], file: Path, caption: str) -> None:
    """How many times as fast as each peer we are, with quartiles and goal, as SVG.

    A logarithmic scale, on which twice as fast and half as fast are equally far from even.
    """
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "smtpproto"})
    matplotlib.rcParams.update({"font.size": 8, "text.color": _INK, "font.family": "sans-serif"})
    from matplotlib import pyplot

    drawn = [row for row in rows if row.unit == AS_FAST]
    figure, axes = pyplot.subplots(figsize=(9, 0.3 * len(drawn) + 1.2))
    axes.set_xscale("log")
    for place, row in enumerate(drawn):
        low, median, high = row.measured
        axes.barh(place, median - 1, left=1, height=0.6, color=_colour(row))
        axes.plot([low, high], [place, place], color=_INK, linewidth=1)
        if row.goal is not None:
            goal = row.goal.bound
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color=_INK, linewidth=2)
        where = ("axes fraction", "data")
        axes.annotate(f"{median:.2g}", (1, place), xycoords=where, ha="right", va="center")
    least, most = axes.get_xlim()
    axes.set_xlim(least, 1.4 * most)
    axes.set_xticks([tick for tick in _TICKS if least <= tick <= most], minor=False)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.axvline(1, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(drawn)), [f"{row.workload}: {row.against}" for row in drawn])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer, median and quartiles; the upright mark is the goal")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.annotate(
        caption, (1, 0), (0, -42), "axes fraction", "offset points", ha="right", fontsize=6
    )
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _colour(row: Row) -> str:
    if row.goal is None:
        return _NO_GOAL
    return _MET if row.goal.met_by(row.measured.median) else _MISSED
