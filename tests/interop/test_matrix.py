"""The README's matrix and what the peers declare."""

from __future__ import annotations

import pytest

from tests.interop.matrix import MATRICES, matrix
from tests.readme import README, part


@pytest.mark.parametrize("name", MATRICES)
def test_the_readme_has_what_the_peers_declare(name: str) -> None:
    """But for the versions, which are those of the machine where it was written."""
    stands = part(name, README.read_text()).splitlines()
    versions = [cell.strip() for cell in stands[3].split("|")[2:-1]]
    declared = matrix(name, lambda peer, feature: feature in peer.features, versions)
    assert stands == declared.splitlines(), "run: python -m tests.interop.matrix"
