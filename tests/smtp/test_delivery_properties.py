"""Delivery to a server that accepts and refuses at random, over a transport that may break.

Whatever comes of it, the report says of each recipient what the server did, what the server
received is the message, and the connection can be used again or is closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpproto import strategies
from smtpproto.smtp.content import BLOCK
from tests.delivered import T, deliver

pieces = st.lists(
    st.sampled_from(
        [b"hello\n", b".", b".\r\n", b"\r\n.\r\n", b"\r", b"", b"\xe9\r\n", b"\0\n.",
         b"x" * BLOCK, b"\n" * (BLOCK + 1)]
    ) | st.binary(max_size=20) | strategies.messages(max_pieces=4),
    max_size=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), pieces=pieces)
def test_the_report_is_what_the_server_did(data: st.DataObject, pieces: list[bytes]) -> None:
    def pick(what: str, options: Sequence[T]) -> T:
        return data.draw(st.sampled_from(options), label=what)

    deliver(pick, pieces)
