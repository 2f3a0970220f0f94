"""The command line: its verdicts, its refusals, its exit statuses."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from smtpproto import __main__ as cli
from smtpproto.sasl import PlainClient


def run(*arguments: str) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ended:
        return int(str(ended.code))


def test_the_sample_message_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    said = capsys.readouterr().out
    assert "C: MAIL FROM:<sender@example.org> SIZE=435 BODY=8BITMIME\n" in said
    assert "      Mail('sender@example.org', size=435, body='8BITMIME')\n" in said
    assert "C: AUTH PLAIN [redacted]\n" in said
    assert "C: USER tim\n" in said
    assert "C: PASS [redacted]\n" in said
    assert "C: RETR 1\n" in said
    assert "C: DELE 1\n" in said
    assert "tanstaaf" not in said
    assert "AHRpbQB0YW5zdGFhZnRhbnN0YWFm" not in said
    assert "Delivered: 435 octets came out, and they are those that went in" in said


@pytest.mark.parametrize("message", [b"", b".", b"a\n.\n..\r\n\rb", b"x" * 200_000, b"\0\xff\r\n"])
def test_a_file_arrives(tmp_path: Path, message: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(message)
    assert run("deliver", str(file), "--from", "a@b.example", "--to", "c@d", "--to", "e@f") == 0
    said = capsys.readouterr().out
    assert ("each line ended by CRLF" in said) is (message not in (b"", b"\0\xff\r\n"))
    assert "C: RCPT TO:<c@d>\nC: RCPT TO:<e@f>\nC: DATA\n" in said
    assert "Delivered: " in said


def test_addresses_beyond_ascii(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(b"hello\n")
    assert run("deliver", str(file), "--from", "a@b.example", "--to", "grüße@example.org") == 0
    assert "C: MAIL FROM:<a@b.example> SIZE=7 SMTPUTF8\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("deliver",), "the following arguments are required: file, --from, --to"),
        (("deliver", "FILE", "--from", "a@b"), "the following arguments are required: --to"),
        (("dilever",), "invalid choice: 'dilever'"),
        (("deliver", "FILE", "--from", "a@", "--to", "c@d"), "'a@' is no address"),
        (("deliver", "FILE", "--from", "a@b", "--to", "x y@z"), "'x y@z' is no address"),
        (("deliver", "/no/file", "--from", "a@b", "--to", "c@d"), "No such file or directory"),
        (("deliver", "/", "--from", "a@b", "--to", "c@d"), "Is a directory"),
        (("deliver", "FILE", "--from", "a@b", "--to", "c" * 600 + "@d"), "at most 512"),
        (("explain",), "explain wants a FILE, or --client FILE and --server FILE"),
        (
            ("explain", "--client", "FILE"),
            "explain wants a FILE, or --client FILE and --server FILE",
        ),
        (("explain", "FILE", "--client", "FILE"), "explain wants a FILE, or"),
        (("explain", "/no/file"), "/no/file: No such file or directory"),
        (("explain", "--client", "FILE", "--server", "/"), "/: Is a directory"),
        (("explain", "FILE"), "a.eml:1: expected C: or S: and what that side said, got b'hello'"),
    ],
)
def test_one_clear_line_and_exit_2(
    tmp_path: Path,
    arguments: tuple[str, ...],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(b"hello\n")
    assert run(*(str(file) if word == "FILE" else word for word in arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_a_client_that_smtp_does_not_let_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("smtpproto.sasl.PlainClient", lambda *_: PlainClient("tim", "wrong"))
    assert run() == 1
    said = capsys.readouterr().out
    assert "S: 535 5.7.8 Authentication credentials invalid\nC: QUIT\n" in quietly(said)
    assert said.endswith("Not delivered: 435 octets went in, None came out.\n")


def test_a_client_that_pop3_does_not_let_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("smtpproto.pop3.ServerConnection.user", "somebody else")
    assert run() == 1
    said = capsys.readouterr().out
    assert "S: -ERR [AUTH] Invalid user name or password\nC: QUIT\n" in quietly(said)
    assert said.endswith("Not delivered: 435 octets went in, None came out.\n")


def quietly(said: str) -> str:
    """The transcript without its notes."""
    return "".join(line for line in said.splitlines(True) if not line.startswith(" "))


def test_a_message_that_does_not_arrive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "retrieve", lambda *arguments: b"something else")
    assert run() == 1
    assert "Not delivered: 435 octets went in" in capsys.readouterr().out


def test_explain_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "session.txt"
    file.write_text("S: 220 mx\nC: DATA\nS: 503 no\n")
    assert run("explain", str(file)) == 1
    refused = "DATA is out of order: send EHLO first"
    assert capsys.readouterr().out == (
        "SMTP, C: the client, S: the server:\n\n"
        "S: 220 mx\n"
        "C: DATA\n"
        f"      CommandRefused(line=b'DATA', reply=Reply(503, '{refused}'))\n"
        "S: 503 no\n"
        f"      PROBLEM: {refused} (RFC 5321 section 4.1.4)\n\n"
        f'{file}:2: "C: DATA": {refused} (RFC 5321 section 4.1.4)\n'
    )


def test_explain_says_that_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "session.txt"
    file.write_bytes(b"S: 220 mx\nC: QUIT\nS: 221 \xc3\xbc\xff\n")
    assert run("explain", str(file)) == 0
    said = capsys.readouterr().out
    assert said.endswith("\n\nAll is well.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain", "FILE"), b"S: 221 ??"),
        (("deliver", "FILE", "--from", "a@b.example", "--to", "\xfc@c.example"), b"<?@c.example>"),
    ],
)
def test_it_prints_what_the_terminal_has(
    tmp_path: Path, arguments: tuple[str, ...], said: bytes
) -> None:
    file = tmp_path / "session.txt"
    file.write_bytes(b"S: 220 mx\nC: QUIT\nS: 221 \xc3\xbc\xff\n")
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "smtpproto",
            *(word.replace("FILE", str(file)) for word in arguments),
        ],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert said in ended.stdout


def test_it_prints_into_a_string() -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run() == 0
    assert "Delivered: 435 octets" in said.getvalue()


def test_who_reads_the_output_may_stop_reading(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert run() == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux and BSDs have /dev/full")
def test_the_output_has_no_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run() == 2
    said = capsys.readouterr().err
    assert said == "python -m smtpproto: the standard output: No space left on device\n"


def test_explain_does_without_assertions(tmp_path: Path) -> None:
    file = tmp_path / "session.txt"
    file.write_text("S: +OK\nC: STAT\nS: +OK 1 10\nC: QUIT\nS: +OK\n")
    ended = subprocess.run(
        [sys.executable, "-O", "-m", "smtpproto", "explain", str(file)],
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert b"and the server took it all the same: +OK 1 10" in ended.stdout


def test_explain_reads_both_directions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client, server = tmp_path / "client", tmp_path / "server"
    client.write_bytes(b"QUIT\r\n")
    server.write_bytes(b"+OK\r\n+OK\r\n")
    assert run("explain", "--client", str(client), "--server", str(server)) == 0
    assert capsys.readouterr().out.startswith("POP3, C: the client, S: the server:\n\nS: +OK\n")


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["smtpproto"])
    monkeypatch.delitem(sys.modules, "smtpproto.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("smtpproto", run_name="__main__")
    assert ended.value.code == 0
