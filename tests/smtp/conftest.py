"""What every test of SMTP leaves behind as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtpproto.smtp import _session


@pytest.fixture(autouse=True)
def the_recipients_that_all_sessions_share_stay_empty() -> Iterator[None]:
    yield
    assert _session._NOBODY == []
