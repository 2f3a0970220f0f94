"""Peers start when a test first asks for them, and end with the test run.

The tests of one that cannot be had are skipped, or, with INTEROP=required in the environment, fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.interop.certificate import Certificate
from tests.interop.features import Pop3, Smtp
from tests.interop.messages import MESSAGES
from tests.interop.peer import Peer
from tests.interop.programs import NotInstalledError
from tests.interop.table import Trial


@pytest.fixture(scope="session")
def certificate() -> Iterator[Certificate]:
    with TemporaryDirectory(prefix="peers-", dir="/tmp") as directory:
        yield Certificate(Path(directory))


@pytest.fixture(scope="session")
def peers(certificate: Certificate) -> Iterator[dict[type[Peer], Peer | NotInstalledError]]:
    """Those that have been started."""
    started: dict[type[Peer], Peer | NotInstalledError] = {}
    yield started
    for peer in started.values():
        if isinstance(peer, Peer):
            peer.stop()


@pytest.fixture
def peer(
    request: pytest.FixtureRequest,
    peers: dict[type[Peer], Peer | NotInstalledError],
    certificate: Certificate,
) -> Peer:
    trial: Trial = request.param
    if trial.peer not in peers:
        try:
            peers[trial.peer] = trial.peer(certificate)
        except NotInstalledError as reason:
            peers[trial.peer] = reason
    found = peers[trial.peer]
    if isinstance(found, Peer):
        return found
    if os.environ.get("INTEROP") == "required":
        pytest.fail(str(found))
    pytest.skip(str(found))


@pytest.fixture
def feature(request: pytest.FixtureRequest) -> Smtp | Pop3:
    """What is tried of the peer."""
    trial: Trial = request.node.callspec.params["peer"]
    return trial.feature


@pytest.fixture
def message(feature: Smtp | Pop3) -> bytes:
    """What the feature that is tried is about."""
    return MESSAGES[feature]
