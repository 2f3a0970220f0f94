"""Outbox: everything once, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpproto.wire.outbox import Outbox


def test_everything_once() -> None:
    outbox = Outbox()
    assert outbox.take() == b""
    outbox.append(b"250 OK\r\n")
    assert outbox.take() == b"250 OK\r\n"
    assert outbox.take() == b""
    outbox.append(b"a")
    outbox.append(b"")
    outbox.append(b"b")
    assert outbox.take() == b"ab"
    assert outbox.take() == b""


def test_clear() -> None:
    outbox = Outbox()
    outbox.append(b"a")
    outbox.clear()
    assert outbox.take() == b""
    outbox.append(b"b")
    assert outbox.take() == b"b"


@given(st.lists(st.binary() | st.none()))
def test_in_order(pieces: list[bytes | None]) -> None:
    """None stands for a take."""
    outbox = Outbox()
    taken = b""
    for piece in pieces:
        if piece is None:
            taken += outbox.take()
        else:
            outbox.append(piece)
    assert taken + outbox.take() == b"".join(filter(None, pieces))
