"""What the README says is so."""

from __future__ import annotations

import re

import pytest

from smtpproto import smtp
from tests.diagram import MACHINES, README, drawn

TEXT = README.read_text()


@pytest.mark.parametrize("name", MACHINES)
def test_the_diagram_is_drawn_from_the_tables(name: str) -> None:
    assert drawn(name, TEXT) == MACHINES[name], "run: python -m tests.diagram"


class Pipe:
    """A transport of a test: what the other end writes is what this one reads."""

    def __init__(self, script: list[bytes]) -> None:
        self.script = script
        self.written = b""

    def read(self) -> bytes:
        return self.script.pop(0) if self.script else b""

    def write(self, data: bytes) -> None:
        self.written += data


def example(function: str) -> dict[str, object]:
    """The names that the README's example with this function defines."""
    (code,) = (
        block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if function in block
    )
    names: dict[str, object] = {}
    exec(code, names)
    return names


def test_the_server_example_serves() -> None:
    stored = []

    def store(envelope: smtp.Envelope, message: bytes) -> str:
        stored.append((envelope, message))
        return "4711"

    pipe = Pipe(
        [
            b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<no@mx.example>\r\n",
            b"RCPT TO:<b@mx.example>\r\nDATA\r\n",
            b"Hello\r\n.\r\nQUIT\r\n",
        ]
    )
    serve = example("def serve")["serve"]
    assert callable(serve)
    serve(pipe, {"b@mx.example"}, store)
    assert pipe.written == (
        b"220 mx.example ESMTP\r\n"
        b"250-mx.example greets me\r\n"
        b"250-PIPELINING\r\n"
        b"250 SIZE 10000000\r\n"
        b"250 Sender OK\r\n"
        b"550 5.1.1 No such user here\r\n"
        b"250 Recipient OK\r\n"
        b"354 Start mail input; end with <CRLF>.<CRLF>\r\n"
        b"250 queued as 4711\r\n"
        b"221 mx.example Service closing transmission channel\r\n"
    )
    assert stored == [(smtp.Envelope("a@example.org", ["b@mx.example"]), b"Hello\r\n")]


def test_the_client_example_delivers(capsys: pytest.CaptureFixture[str]) -> None:
    pipe = Pipe(
        [
            b"220 mx.example\r\n",
            b"250-mx.example\r\n250 PIPELINING\r\n",
            b"250 OK\r\n550 No such user\r\n250 OK\r\n354 Go on\r\n",
            b"250 OK\r\n221 Bye\r\n",
        ]
    )
    deliver = example("def deliver")["deliver"]
    assert callable(deliver)
    deliver(pipe, "a@example.org", ["no@mx.example", "b@mx.example"], b"Hello\n")
    assert pipe.written == (
        b"EHLO client.example\r\n"
        b"MAIL FROM:<a@example.org>\r\n"
        b"RCPT TO:<no@mx.example>\r\n"
        b"RCPT TO:<b@mx.example>\r\n"
        b"DATA\r\n"
        b"Hello\r\n.\r\nQUIT\r\n"
    )
    assert capsys.readouterr().out == "Rcpt('no@mx.example') refused: No such user\n"
