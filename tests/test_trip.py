"""How far one command has to go: few calls, and no module twice but the connection's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.trip import Trip, mail_in, mail_out, visits

CONNECTION = {"_connection", "_server", "_client", "smtp._server", "smtp._client", "_wire.lines"}
"""The connection, its base in either role, and the buffer of its input."""


@pytest.mark.parametrize(("way", "most"), [(mail_in, 18), (mail_out, 20)])
def test_the_trip_is_short(way: Callable[[], Trip], most: int) -> None:
    calls = way()
    assert len(calls) <= most, calls


def test_at_the_server_no_module_is_entered_again() -> None:
    """But the session: it says whether a command may come, and what the answer to it changes."""
    entered = Counter(visits(mail_in()))
    again = {module for module, times in entered.items() if times > 1} - CONNECTION
    assert again == {"smtp._session"}


def test_at_the_client_no_module_is_entered_again() -> None:
    """But the session, as at the server; and what builds values: the reply, and its event."""
    entered = Counter(visits(mail_out()))
    again = {module for module, times in entered.items() if times > 1} - CONNECTION
    assert again == {"smtp._session", "_value"}
