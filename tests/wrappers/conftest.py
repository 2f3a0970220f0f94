"""What the tests of the wrappers share."""

from __future__ import annotations

import pytest
import trustme

from tests.wrappers.kinds import HOST, KINDS, Kind


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Whom the clients trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    """The servers' certificate."""
    return authority.issue_cert(HOST)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of I/O."""
    return KINDS[request.param]
