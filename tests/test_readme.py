"""What the README says is so."""

from __future__ import annotations

import re

import pytest

from smtpproto import sasl, smtp
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._commands import VERBS
from smtpproto.smtp._keywords import KEYWORDS
from tests.explained import explained
from tests.readme import PARTS, README, part

TEXT = README.read_text()


@pytest.mark.parametrize("name", PARTS)
def test_what_is_written_from_the_code(name: str) -> None:
    assert part(name, TEXT) == PARTS[name], "run: python -m tests.readme"


EXTENSIONS = {
    cells[0]: cells
    for line in part("smtp extensions", TEXT).splitlines()[2:]
    for cells in [[cell.strip() for cell in line.split("|")[1:-1]]]
}
"""The rows of the table, as the README has them."""


class TestTheTableOfExtensions:
    def test_has_every_class(self) -> None:
        named = {name for row in EXTENSIONS.values() for name in re.findall(r"ext\.(\w+)", row[2])}
        assert named == {name for name in vars(smtp.ext) if name[0].isupper()}

    def test_has_every_parameter_and_every_verb(self) -> None:
        named = {
            word.rstrip("=").partition("=")[0]
            for row in EXTENSIONS.values()
            for cell in row[3:6]
            for word in cell.split(", ")
        }
        always = {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "HELP"}
        assert named - {"", "any", "that verb"} == {*KEYWORDS, *VERBS} - always

    @pytest.mark.parametrize("keyword", CLASSES)
    def test_each_row_is_in_both_roles(self, keyword: str) -> None:
        """What a server offers is what a client finds."""
        _, rfc, name, _, _, _, needs = EXTENSIONS[keyword]
        assert rfc.isdigit()
        extension = getattr(smtp.ext, name.strip("`").removeprefix("ext."))()
        needed = [CLASSES[word]() for word in needs.split(", ") if word]
        tls = keyword != "STARTTLS"
        server = smtp.ServerConnection("mx.example", extensions=[*needed, extension], tls=tls)
        client = smtp.ClientConnection(tls=tls)
        client.send(smtp.Ehlo("c.example"))
        server.accept()
        client.receive_data(server.data_to_send())
        list(client.events())
        server.receive_data(client.data_to_send())
        assert server.next_event() == smtp.Ehlo("c.example")
        server.accept()
        client.receive_data(server.data_to_send())
        list(client.events())
        assert client.capabilities[keyword] == extension


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
    serve = example("def serve(")["serve"]
    assert callable(serve)
    serve(pipe, {smtp.Address("b@MX.example")}, store)
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


def test_the_delivery_example_delivers(capsys: pytest.CaptureFixture[str]) -> None:
    deliver = example("def deliver")["deliver"]
    assert callable(deliver)
    pipe = Pipe(
        [
            b"220 mx.example\r\n",
            b"250-mx.example\r\n250 PIPELINING\r\n",
            b"250 OK\r\n550 No such user\r\n450 Greylisted\r\n250 OK\r\n354 Go on\r\n",
            b"250 OK\r\n",
        ]
    )
    recipients = ["no@mx.example", "later@mx.example", "b@mx.example"]
    assert deliver(pipe, "a@example.org", recipients, b"Hello\n") == (
        smtp.Rcpt("later@mx.example"),
    )
    assert pipe.written == (
        b"EHLO client.example\r\n"
        b"MAIL FROM:<a@example.org>\r\n"
        b"RCPT TO:<no@mx.example>\r\n"
        b"RCPT TO:<later@mx.example>\r\n"
        b"RCPT TO:<b@mx.example>\r\n"
        b"DATA\r\n"
        b"Hello\r\n.\r\n"
        b"QUIT\r\n"
    )
    assert capsys.readouterr().out == (
        "<no@mx.example> refused: RCPT was refused: 550 No such user\n"
        "<later@mx.example> deferred: RCPT was refused: 450 Greylisted\n"
    )
    assert deliver(Pipe([]), "a@example.org", ["b@mx.example"], b"") == (smtp.Rcpt("b@mx.example"),)


def test_the_client_example_sends(capsys: pytest.CaptureFixture[str]) -> None:
    pipe = Pipe(
        [
            b"220 mx.example\r\n",
            b"250-mx.example\r\n250 PIPELINING\r\n",
            b"250 OK\r\n550 No such user\r\n250 OK\r\n354 Go on\r\n",
            b"250 OK\r\n221 Bye\r\n",
        ]
    )
    send = example("def send")["send"]
    assert callable(send)
    assert send(pipe, "a@example.org", ["no@mx.example", "b@mx.example"], b"Hello\n")
    assert pipe.written == (
        b"EHLO client.example\r\n"
        b"MAIL FROM:<a@example.org>\r\n"
        b"RCPT TO:<no@mx.example>\r\n"
        b"RCPT TO:<b@mx.example>\r\n"
        b"DATA\r\n"
        b"Hello\r\n.\r\nQUIT\r\n"
    )
    assert capsys.readouterr().out == "Rcpt('no@mx.example') refused: No such user\n"


@pytest.mark.parametrize(
    "script",
    [
        [],
        [b"554 no\r\n", b"221 bye\r\n"],
        [b"220 x\r\n", b"502 no\r\n", b"221 bye\r\n"],
        [b"220 x\r\n", b"250 x\r\n", b"450 no\r\n", b"503 no\r\n", b"503 no\r\n", b"221 bye\r\n"],
        [b"220 x\r\n", b"250 x\r\n", b"250 a\r\n", b"250 b\r\n", b"354 go\r\n", b"554 no\r\n"],
        [b"421 not today\r\n"],
        [
            b"220 x\r\n",
            b"250-x\r\n250 PIPELINING\r\n",
            b"250 a\r\n550 no\r\n354 go\r\n",
            b"554 no\r\n",
            b"221 bye\r\n",
        ],
    ],
)
def test_the_client_example_always_ends(script: list[bytes]) -> None:
    send = example("def send")["send"]
    assert callable(send)
    assert send(Pipe(script), "a@example.org", ["b@mx.example"], b"Hello\n") is False


def test_the_pop3_server_example_serves() -> None:
    pipe = Pipe(
        [
            b"USER mrose\r\nPASS wrong\r\nUSER mrose\r\nPASS tan staaf\r\n",
            b"LIST\r\nTOP 1 0\r\nRETR 2\r\nDELE 1\r\nRETR 1\r\nQUIT\r\n",
        ]
    )
    messages = {"one": b"a: b\r\n\r\nbody\r\n", "two": b".\r\n"}
    serve = example("def serve_pop3")["serve_pop3"]
    assert callable(serve)
    serve(pipe, {"mrose": "tan staaf"}, messages)
    said = pipe.written.split(b"\r\n")
    assert said[0].startswith(b"+OK pop.example")
    assert said[2] == b"-ERR [AUTH] Invalid user name or password"
    assert said[5:] == [
        b"+OK 2 messages (17 octets)",
        b"1 14",
        b"2 3",
        b".",
        b"+OK",
        b"a: b",
        b"",
        b".",
        b"+OK 3 octets",
        b"..",
        b".",
        b"+OK message 1 deleted",
        b"-ERR message 1 already deleted",
        b"+OK pop.example POP3 server signing off",
        b"",
    ]
    assert messages == {"two": b".\r\n"}


def test_the_pop3_client_example_fetches(capsys: pytest.CaptureFixture[str]) -> None:
    fetch = example("def fetch")["fetch"]
    assert callable(fetch)
    pipe = Pipe(
        [
            b"+OK ready\r\n",
            b"+OK\r\n",
            b"+OK\r\n",
            b"+OK\r\n1 3\r\n.\r\n",
            b"+OK\r\nhi\r\n..\r\n.\r\n",
            b"+OK\r\n",
            b"+OK\r\n",
        ]
    )
    assert fetch(pipe, "mrose", "tanstaaf") == [b"hi\r\n.\r\n"]
    assert pipe.written == b"USER mrose\r\nPASS tanstaaf\r\nLIST\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n"
    assert fetch(Pipe([b"+OK\r\n", b"-ERR [AUTH] no such user\r\n"]), "x", "y") == []
    assert capsys.readouterr().out == "refused: no such user\n"


def test_the_authentication_example() -> None:
    answer = example("def answer_auth")["answer_auth"]
    assert callable(answer)
    for password, code in (("secret", b"235"), ("wrong", b"535")):
        conn = smtp.ServerConnection("mx.example", extensions=[smtp.ext.Auth("PLAIN")], tls=True)
        mechanism = sasl.PlainServer()
        conn.accept()
        conn.receive_data(b"EHLO me\r\nAUTH PLAIN\r\n")
        for event in conn.events():
            match event:
                case smtp.Auth(_, response) | smtp.AuthResponse(response):
                    answer(conn, mechanism, response, {"tim": password})
                case _:
                    conn.accept()
        conn.data_to_send()
        conn.receive_data(b"AHRpbQBzZWNyZXQ=\r\n")
        for event in conn.events():
            assert isinstance(event, smtp.AuthResponse)
            answer(conn, mechanism, event.data, {"tim": password})
        assert conn.data_to_send()[:3] == code


def test_the_problems_that_explain_finds() -> None:
    found = explained(
        "S: 220 mx\nC: EHLO me\nS: 250 mx\nC: MAIL FROM:<a@b.example> BODY=8BITMIME\nS: 250 OK\n"
        "C: DATA\nS: 503 RCPT first\n"
    ).problems
    assert len(found) == 2
    for problem in found:
        assert f"\nsession.txt{problem[problem.index(':') :]}\n" in TEXT


def test_the_wrapper_is_the_one_that_is_tested() -> None:
    (shown,) = re.findall(r"```python\n(def nobody\(.*?)```", TEXT, re.DOTALL)
    assert shown in (README.parent / "tests/wrappers/on_sockets.py").read_text()


def test_the_example_of_parameters() -> None:
    (block,) = re.findall(r"```python\n([^`]*?envid=[^`]*?)```", TEXT)
    exec(block, {})
