"""Peers start when a test first asks for them, and end with the test run.

The tests of one that cannot be had are skipped, or, with INTEROP=required in the environment, fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.interop.certificate import Certificate
from tests.interop.features import Pop3, Smtp
from tests.interop.messages import MESSAGES
from tests.interop.peer import Peer
from tests.interop.programs import NotInstalledError
from tests.interop.table import Trial, trial_of


@cache
def missing(peer: type[Peer]) -> str | None:
    """Why it cannot be had, and what to do about it."""
    try:
        peer.version()
    except NotInstalledError as reason:
        return str(reason)
    return None


def require(peer: type[Peer]) -> None:
    reason = missing(peer)
    if reason is not None:
        if os.environ.get("INTEROP") == "required":
            pytest.fail(reason)
        pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    trial = trial_of(item)
    if trial is not None:
        require(trial.peer)


@pytest.fixture(scope="session")
def certificate() -> Iterator[Certificate]:
    with TemporaryDirectory(prefix="peers-", dir="/tmp") as directory:
        yield Certificate(Path(directory))


@pytest.fixture(scope="session")
def peers(certificate: Certificate) -> Iterator[Callable[[type[Peer]], Peer]]:
    """Gives the peer of a class, which starts when it is first asked for."""
    started: dict[type[Peer], Peer] = {}

    def start(peer: type[Peer]) -> Peer:
        if peer not in started:
            require(peer)
            started[peer] = peer(certificate)
        return started[peer]

    yield start
    for peer in started.values():
        peer.stop()


@pytest.fixture
def peer(request: pytest.FixtureRequest, peers: Callable[[type[Peer]], Peer]) -> Peer:
    """Who is tried."""
    trial: Trial = request.param
    return peers(trial.peer)


@pytest.fixture
def feature(request: pytest.FixtureRequest) -> Smtp | Pop3:
    """What is tried of the peer."""
    trial: Trial = request.node.callspec.params["peer"]
    return trial.feature


@pytest.fixture
def message(feature: Smtp | Pop3) -> bytes:
    """What the feature that is tried is about."""
    return MESSAGES[feature]
