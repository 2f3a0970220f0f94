"""The README's matrix of peers and features: ``python -m tests.interop.matrix`` writes it.

It runs the tests, and what stands there is what has passed. tests/interop/test_matrix.py holds the
README and the features that the peers declare together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence

import pytest

from tests import readme
from tests.interop.features import Pop3, Smtp
from tests.interop.peer import Peer
from tests.interop.table import (
    POP3_CLIENTS,
    POP3_SERVERS,
    SMTP_CLIENTS,
    SMTP_SERVERS,
    Trial,
    trial_of,
)

__all__ = ["MATRICES", "matrix"]

Columns = Sequence[tuple[str, type[Peer]]]

MATRICES: dict[str, tuple[type[Smtp] | type[Pop3], Columns]] = {
    "smtp peers": (
        Smtp,
        [("client", peer) for peer in SMTP_SERVERS] + [("server", peer) for peer in SMTP_CLIENTS],
    ),
    "pop3 peers": (
        Pop3,
        [("client", peer) for peer in POP3_SERVERS] + [("server", peer) for peer in POP3_CLIENTS],
    ),
}


def matrix(
    name: str, has: Callable[[type[Peer], Smtp | Pop3], bool], versions: Sequence[str]
) -> str:
    """One of the tables in Markdown: a column for each peer, a row for each feature."""
    features, columns = MATRICES[name]
    rows = [
        ["", *(peer.name for _, peer in columns)],
        ["---"] * (len(columns) + 1),
        ["our side", *(side for side, _ in columns)],
        ["version", *versions],
        *([f.value, *("✓" if has(peer, f) else "" for _, peer in columns)] for f in features),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


class _Recorder:
    """A pytest plugin that notes which trials pass, in all of their tests."""

    def __init__(self) -> None:
        self.passed: set[Trial] = set()
        self.others: set[Trial] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        trial = trial_of(item)
        if trial is not None:
            (self.passed if report.passed else self.others).add(trial)
        return report


def main() -> int:
    recorder = _Recorder()
    status = pytest.main(["-q", "tests/interop"], plugins=[recorder])
    passed = recorder.passed - recorder.others
    text = readme.README.read_text()
    for name, (_, columns) in MATRICES.items():
        versions = [peer.version() for _, peer in columns]
        table = matrix(name, lambda peer, feature: Trial(peer, feature) in passed, versions)
        text = readme.put(name, table, text)
    readme.README.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
