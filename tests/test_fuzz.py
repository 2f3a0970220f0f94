"""The seeds of every fuzz target keep its rules, and so do the inputs that once did not."""

from __future__ import annotations

import pytest

from fuzz.__main__ import TARGETS, load, seeds


@pytest.mark.parametrize("target", TARGETS)
def test_seeds(target: str) -> None:
    run, sides, _ = load(target)
    found = seeds(sides, target.partition("_")[0])
    assert len(found) > 20
    for seed in found:
        run(seed)
