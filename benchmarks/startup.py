"""Import time, in fresh interpreters."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import AS_FAST, Contestant, Effort, Row, Spread, at_least, race

__all__ = ["import_time"]

_SCRIPT = """
import sys, time
sys.path.insert(0, {folder!r})
start = time.process_time()
import {module}
print(time.process_time() - start)
"""


def import_time(effort: Effort) -> Iterator[Row]:
    """`import smtpproto.smtp` against `import h11`, compiled already."""
    modules = _Import("smtpproto.smtp"), _Import("h11")
    ours, theirs = race(modules, effort)
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    milliseconds = [f"{1000 * Spread.of(each).median:.1f} ms" for each in (ours, theirs)]
    title = "import smtpproto.smtp"
    goal = at_least(1 / 1.5)  # at most 1.5 times its time, said as in the other rows
    yield Row(title, "import h11", Spread.of(ratios), AS_FAST, goal, *milliseconds)


class _Import(Contestant):
    """An interpreter with nothing but the standard library, and the folder of the module."""

    def __init__(self, module: str) -> None:
        self.name = module
        found = importlib.util.find_spec(module.partition(".")[0])
        if found is None or found.origin is None:
            raise ModuleNotFoundError(name=module)
        folder = str(Path(found.origin).parents[1])
        script = _SCRIPT.format(folder=folder, module=module)
        self._command = [sys.executable, "-I", "-S", "-c", script]

    def outcome(self) -> object:
        self.seconds(0)
        return None

    def seconds(self, at_least: float) -> float:
        """How long the import takes, once: a second import would find it done."""
        done = subprocess.run(self._command, capture_output=True, text=True, check=True)
        return float(done.stdout)
