"""Any text as the parameters of MAIL and RCPT, to their parser and to a server that offers all."""

from __future__ import annotations

from fuzz.decisions import split
from smtpproto import smtp
from smtpproto.smtp._capabilities import CLASSES

SEEDS = "C"
DICTIONARY = "smtp"

EXTENSIONS = tuple(extension() for extension in CLASSES.values())


def run(data: bytes) -> None:
    _, octets = split(data)
    for line in octets.split(b"\r\n"):
        text = line.partition(b">")[2]
        _parsed_again(text.decode("utf-8", "surrogateescape"))
        _heard(b"MAIL FROM:<a@b.example>" + text, b"")
        _heard(b"RCPT TO:<a@b.example>" + text, b"MAIL FROM:<a@b.example> SMTPUTF8\r\n")


def _parsed_again(text: str) -> None:
    """What is read is written so that it is read again, and can be built from its values."""
    try:
        parameters = smtp.Parameters.parse(text)
    except ValueError:
        return
    assert smtp.Parameters.parse(str(parameters)) == parameters
    assert smtp.Parameters(dict(parameters)) == parameters


def _heard(line: bytes, before: bytes) -> None:
    """A line alone is an event, or it is refused; an event's own line is the same event."""
    (event,) = _events(line, before)
    if not isinstance(event, smtp.CommandRefused):
        assert isinstance(event, smtp.Mail | smtp.Rcpt)
        assert _events(bytes(event)[:-2], before) == [event]


def _events(line: bytes, before: bytes) -> list[smtp.Event]:
    """The events of a line in a session under TLS."""
    conn = smtp.ServerConnection("mx.example", extensions=EXTENSIONS, tls=True)
    conn.accept()
    conn.receive_data(b"EHLO client.example\r\n" + before + line + b"\r\n")
    expected = 3 if before else 2
    events: list[smtp.Event] = []
    while len(events) < expected and (event := conn.next_event()) is not None:
        events.append(event)
        if len(events) < expected and isinstance(event, smtp.Request):
            conn.accept()
    return events[expected - 1 :]
