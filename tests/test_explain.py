"""Explain: which protocol it is, the sessions of the RFCs, and files that mean no good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto.explain import NotARecording
from tests.dialogue import DIRECTORY
from tests.explained import explained, problems, problems_of_directions

DIFFERENT = {
    "smtp-rfc1845-5-1.txt": [
        '15: "C: The first part of the text.": the recording ends within the message: it has no'
        " final dot (RFC 5321 section 4.1.1.4)"
    ],
    "smtp-rfc1985-7-1.txt": [
        '9: "C: ETRN": Syntax: ETRN [@|#]domain (RFC 5321 section 4.1.1)',
    ],
    "smtp-rfc1985-7-2.txt": [
        '9: "C: ETRN": Syntax: ETRN [@|#]domain (RFC 5321 section 4.1.1)',
    ],
}
"""The sessions that show a mistake of the client, or break off."""

MISTAKES = {
    "smtp-deliverby-refused.txt": [9, 11],
    "smtp-futurerelease-refused.txt": [10, 12, 14, 16],
    "smtp-limits-exceeded.txt": [12, 14, 24],
    "smtp-smtputf8-refused.txt": [11, 13, 15, 17, 21],
    # no < and > around the address, or a space before it
    "smtp-auth-login-sina.txt": [13, 15],
    "smtp-postfix-extmail.txt": [22, 24],
    "smtp-rfc2645-6.txt": [21, 23],
    "smtp-rfc4141-9.1.txt": [8],
}
"""The lines where the client says what it must not."""


@pytest.mark.parametrize(
    "name", sorted({path.name for path in DIRECTORY.glob("*.txt")} - MISTAKES.keys())
)
def test_the_sessions_of_the_rfcs_are_well(name: str) -> None:
    assert problems((DIRECTORY / name).read_bytes()) == DIFFERENT.get(name, [])


@pytest.mark.parametrize(("name", "lines"), MISTAKES.items())
def test_the_mistakes_of_a_client(name: str, lines: list[int]) -> None:
    found = problems((DIRECTORY / name).read_bytes())
    assert [int(problem.partition(":")[0]) for problem in found] == lines


@pytest.mark.parametrize(
    ("session", "protocol"),
    [
        ("S: 220 mx\nC: EHLO me\nS: 250 mx\n", "SMTP"),
        ("S: 220 mx\nC: NOOP\nS: 250 OK\nC: lhlo me\nS: 250 mx\n", "LMTP"),
        ("S: 554 no\nC: QUIT\nS: 221 bye\n", "SMTP"),
        ("S: +OK\nC: QUIT\nS: +OK\n", "POP3"),
        ("S: -ERR not now\n", "POP3"),
    ],
)
def test_the_protocol(session: str, protocol: str) -> None:
    observer = explained(session)
    assert observer.protocol == protocol
    assert observer.problems == []


@pytest.mark.parametrize("session", ["", "C: EHLO me\n", "S: * OK IMAP\n", "S: 2200 mx\n"])
def test_no_greeting(session: str) -> None:
    with pytest.raises(NotARecording, match=r"session: no greeting of a server is here"):
        explained(session)


def test_what_is_shown() -> None:
    assert str(
        explained(
            "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AHRlc3QAMTIzNA==\n"
            "S: 235 in\nC: MAIL FROM:<a@b>\nS: 250 OK\nC: RCPT TO:<c@d>\nS: 250 OK\nC: DATA\n"
            "S: 354 go on\nC: one\nC: two\nC: .\nS: 250 OK\nC: DATA\nS: 503 no\n"
        )
    ) == (
        "S: 220 mx\n"
        "C: EHLO me\n"
        "      Ehlo(domain='me')\n"
        "S: 250-mx\n"
        "S: 250 AUTH PLAIN\n"
        "C: AUTH PLAIN [redacted]\n"
        "      Auth(mechanism='PLAIN', initial_response=REDACTED)\n"
        "S: 235 in\n"
        "C: MAIL FROM:<a@b>\n"
        "      Mail('a@b')\n"
        "S: 250 OK\n"
        "C: RCPT TO:<c@d>\n"
        "      Rcpt('c@d')\n"
        "S: 250 OK\n"
        "C: DATA\n"
        "      Data()\n"
        "S: 354 go on\n"
        "C: one\n"
        "C: two\n"
        "C: .\n"
        "      MessageData(<10 octets>)\n"
        "      EndOfMessage()\n"
        "S: 250 OK\n"
        "C: DATA\n"
        "      CommandRefused(line=b'DATA', reply=Reply(503, 'DATA is out of order: send MAIL"
        " first'))\n"
        "S: 503 no\n"
        "      PROBLEM: DATA is out of order: send MAIL first (RFC 5321 section 4.1.4)"
    )


def test_a_file_that_is_no_session_has_a_hundred_problems() -> None:
    observer = explained("S: 220 mx\n" + "C: hello\nS: 500 what?\n" * 200)
    assert len(observer.problems) == 100
    assert str(observer).endswith("      ... too many problems: the rest is left out")


def test_a_long_line_is_cut_where_it_is_named() -> None:
    (problem,) = problems(f"S: 220 mx\nC: {'x' * 200}\nS: 500 what?\n")
    assert problem == f'2: "C: {"x" * 97}...": Command unrecognized (RFC 5321 section 4.1.1)'


SECRETS = """\
S: 220 mx
C: AUTH LOGIN dG9wc2VjcmV0
S: 503 EHLO first
C: dG9wc2VjcmV0
S: 500 what?
C: PASS dG9wc2VjcmV0
C: AUTH PLAIN dG9wc2VjcmV0
S: 421 bye
C: dG9wc2VjcmV0
"""


def test_no_secret_is_shown() -> None:
    observer = explained(SECRETS)
    assert len(observer.problems) == 2
    assert "dG9wc2VjcmV0" not in f"{observer}{observer.problems}"


@given(st.lists(st.tuples(st.sampled_from(["C: ", "S: ", "C> "]), st.binary(max_size=40))))
def test_any_octets_are_read(lines: list[tuple[str, bytes]]) -> None:
    text = b"".join(mark.encode() + octets + b"\n" for mark, octets in lines)
    for greeting in (b"S: 220 mx\n", b"S: +OK\n"):
        try:
            str(explained(greeting + text))
        except NotARecording:
            pass
    said = {side: [octets for mark, octets in lines if mark[0] == side] for side in "CS"}
    for greeting in (b"220 mx\r\n", b"+OK\r\n"):
        problems_of_directions(b"\r\n".join(said["C"]), greeting + b"\r\n".join(said["S"]))


LINES = sorted(
    {
        line
        for path in DIRECTORY.glob("*.txt")
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("#")
    }
    | {
        "S: 421 bye",
        "S: 250-a",
        "S: +",
        "C: *",
        "C: BDAT 5",
        "C> a\\n.\\r\\n",
        "S: -ERR",
        "C: \x16",
    }
)


@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_any_session_is_read(lines: list[str]) -> None:
    for greeting in ("S: 220 mx", "S: +OK <1.2@mx>"):
        str(explained("\n".join([greeting, *lines])))


def test_who_wants_smtp_alone_does_not_pay_for_it() -> None:
    program = "import sys, smtpproto.smtp; sys.exit('smtpproto.explain' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)
