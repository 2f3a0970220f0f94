"""Delivery to a server that accepts and refuses at random, over a transport that may break.

Whatever comes of it, the report says of each recipient what the server did, what the server
received is the message, and the connection can be used again or is closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from smtpproto import smtp, strategies
from smtpproto.smtp._outgoing import BLOCK
from tests.delivered import T, deliver
from tests.delivering import A, D, begin, verdicts, written

pieces = st.lists(
    st.sampled_from(
        [b"hello\n", b".", b".\r\n", b"\r\n.\r\n", b"\r", b"", b"\xe9\r\n", b"\0\n.",
         b"x" * BLOCK, b"\n" * (BLOCK + 1)]
    ) | st.binary(max_size=20) | strategies.messages(max_pieces=4),
    max_size=4,
)  # fmt: skip


@settings(max_examples=300)
@given(data=st.data(), pieces=pieces)
def test_the_report_is_what_the_server_did(data: st.DataObject, pieces: list[bytes]) -> None:
    def pick(what: str, options: Sequence[T]) -> T:
        return data.draw(st.sampled_from(options), label=what)

    deliver(pick, pieces)


@given(
    st.integers(1, 60),
    st.lists(st.integers(0, 60), min_size=1, max_size=20),
    st.sampled_from([[], ["PIPELINING"], ["PIPELINING", "LIMITS RCPTMAX=7"]]),
)
def test_a_server_of_little_room_costs_three_rcpt_a_recipient_at_most(
    recipients: int, rooms: list[int], keywords: list[str]
) -> None:
    """It takes so many in the first transaction, so many in the second, and says 452 to the
    others: whom it does not take is named again only while somebody else is delivered to."""
    names = [f"user{number}@x.example" for number in range(recipients)]
    _, delivery = begin(b"x", smtp.Envelope("a@b", names))
    delivery.receive_data(b"220 x\r\n")
    said: Counter[str] = Counter()
    room = 0
    while delivery.report is None:
        for line in written(delivery).decode().splitlines():
            verb = line[:4]
            said[verb] += 1
            if verb == "MAIL":
                room = rooms[said["MAIL"] % len(rooms)]
            answer = "250 OK"
            if verb == "EHLO":
                answer = "\r\n".join(f"250-{one}" for one in ["x", *keywords]) + "\r\n250 HELP"
            elif verb == "RCPT":
                room -= 1
                answer = "250 OK" if room >= 0 else "452 too many"
            elif verb == "DATA":
                answer = "354 go on"
            if verb != "x":
                delivery.receive_data(f"{answer}\r\n".encode())
    assert set(verdicts(delivery)) <= {A, D}
    assert said["RCPT"] <= 3 * recipients
    assert said["MAIL"] <= recipients
