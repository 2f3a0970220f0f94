"""What every test of SMTP leaves behind as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtpproto import smtp
from smtpproto.smtp._transaction import NO_TRANSACTION


@pytest.fixture(autouse=True)
def no_transaction_is_shared_and_stays_empty() -> Iterator[None]:
    yield
    assert NO_TRANSACTION.envelope == smtp.Envelope(None)
    assert NO_TRANSACTION.recipients == []
    assert NO_TRANSACTION.intake is None
    assert NO_TRANSACTION.unanswered == 0
