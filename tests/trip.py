"""``python -m tests.trip``: the way of one command through the code, call by call.

MAIL at the server: from `receive_data` to the event, and from `accept()` to `data_to_send`. MAIL
at the client: from `send` to `data_to_send`, and from `receive_data` to the event that has its
reply. This is the picture to look at first; `tests/test_trip.py` holds it to its length.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from types import FrameType

import smtpproto
from smtpproto import smtp

PACKAGE = Path(smtpproto.__file__).parent
EXTENSIONS = (smtp.ext.Pipelining(), smtp.ext.Size(), smtp.ext.EightBitMime())

Trip = list[tuple[str, str]]
"""The module and the function of each call of Python, in order."""


def trip(action: Callable[[], object]) -> Trip:
    """The calls of the package's own functions that an action makes."""
    calls: Trip = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in path.parents:
            module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
            calls.append((module, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
    return calls


def mail_in() -> Trip:
    """MAIL at a server, and its 250."""
    conn = smtp.ServerConnection("mx.example", extensions=EXTENSIONS)
    conn.accept()
    conn.receive_data(b"EHLO c.example\r\n")
    conn.next_event()
    conn.accept()
    conn.data_to_send()

    def action() -> None:
        conn.receive_data(b"MAIL FROM:<a@b.example>\r\n")
        assert isinstance(conn.next_event(), smtp.Mail)
        conn.accept()
        assert conn.data_to_send() == b"250 Sender OK\r\n"

    return trip(action)


def mail_out() -> Trip:
    """MAIL from a client, and its 250."""
    conn = smtp.ClientConnection()
    conn.receive_data(b"220 mx.example\r\n")
    conn.next_event()
    conn.send(smtp.Ehlo("c.example"))
    conn.data_to_send()
    conn.receive_data(b"250-mx.example\r\n250-PIPELINING\r\n250 SIZE\r\n")
    conn.next_event()
    mail = smtp.Mail("a@b.example")

    def action() -> None:
        conn.send(mail)
        assert conn.data_to_send() == b"MAIL FROM:<a@b.example>\r\n"
        conn.receive_data(b"250 OK\r\n")
        assert conn.next_event() is not None

    return trip(action)


def visits(calls: Trip) -> list[str]:
    """The modules in the order in which they are entered."""
    return [module for module, _ in groupby(calls, lambda call: call[0])]


def main() -> None:
    for title, calls in (("MAIL in, at the server", mail_in()), ("send(Mail)", mail_out())):
        print(f"{title}: {len(calls)} calls, {len({module for module, _ in calls})} modules")
        for module, functions in groupby(calls, lambda call: call[0]):
            print(f"    {module:22}{', '.join(name for _, name in functions)}")


if __name__ == "__main__":
    main()
