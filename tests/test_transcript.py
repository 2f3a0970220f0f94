"""The transcript shows who said what, and no secret, however the octets were cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import smtp
from smtpproto.transcript import Transcript


def log(session: str, cut: int = 10_000, message_lines: int | None = 6) -> str:
    """The transcript of a dialogue, each run of lines of one side written in pieces."""
    transcript = Transcript(message_lines=message_lines)
    for side, run in re.findall(r"([CS]): (.*(?:\n\1: .*)*)", session):
        octets = re.sub(rf"\n{side}: ", "\n", run).replace("\n", "\r\n").encode() + b"\r\n"
        write = transcript.client if side == "C" else transcript.server
        for start in range(0, len(octets), cut):
            write(octets[start : start + cut])
    return str(transcript)


SMTP = """\
S: 220 mx.example ESMTP
C: EHLO me
S: 250 mx.example
C: AUTH PLAIN AHRlc3QAMTIzNA==
S: 535 no
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: dGVzdA==
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0
S: 235 welcome
C: MAIL FROM:<a@b> AUTH=<>
S: 250 OK
C: DATA
S: 354 go on
C: AUTH PLAIN is only text here
C: ..
C: .
S: 250 OK
C: QUIT
S: 221 bye"""


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_smtp(cut: int) -> None:
    assert log(SMTP, cut) == (
        SMTP.replace("AHRlc3QAMTIzNA==", "[redacted]")
        .replace("dGVzdA==", "[redacted]")
        .replace("c2VjcmV0", "[redacted]")
    )


POP3 = """\
S: +OK ready <1896.697170952@dbc.mtview.ca.us>
C: USER mrose
S: +OK
C: PASS tan staaf
S: -ERR no
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: +OK
C: AUTH PLAIN
S: +
C: dGVzdAB0ZXN0AHRlc3Q=
S: -ERR logged in already
C: LIST
S: +OK
S: 1 120
S: .
C: LIST 1
S: +OK 1 120
C: RETR 1
S: +OK
S: PASS is only text here
S: .
C: QUIT
S: +OK"""


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_pop3(cut: int) -> None:
    assert log(POP3, cut) == (
        POP3.replace("tan staaf", "[redacted]")
        .replace("c4c9334bac560ecc979e58001b3e22fb", "[redacted]")
        .replace("dGVzdAB0ZXN0AHRlc3Q=", "[redacted]")
    )


LISTINGS = """\
S: +OK ready
C: CAPA
S: -ERR what?
C: LIST
C: LIST 1
C: TOP 1 0
C: UIDL
C: NOOP
S: +OK
S: 1 120
S: .
S: +OK 1 120
S: +OK
S: -ERR is only text here
S: .
S: -ERR no
S: +OK
C: PASS tanstaaf
S: -ERR no"""


def test_what_follows_a_status_belongs_to_its_command() -> None:
    text = r"S: (1 120|-ERR is only text here)(?=\nS: \.)"
    assert log(LISTINGS, message_lines=0) == (
        re.sub(text, "S: <1 lines more>", LISTINGS).replace("tanstaaf", "[redacted]")
    )


@pytest.mark.parametrize(
    "session",
    [
        "C: DATA\nS: 554 no",
        "C: NOOP\nS: 354 go on",
        "C: DATA\nC: NOOP\nS: 354 go on",
        "C: DATA\nS: 354 go on\nC: .\nS: 354 go on",
    ],
)
def test_only_354_to_data_begins_a_message(session: str) -> None:
    assert log(f"{session}\nC: PASS tanstaaf") == f"{session}\nC: PASS [redacted]"


def test_secrets_sent_without_waiting_for_the_reply_to_auth() -> None:
    assert log("S: 220 x\nC: AUTH LOGIN\nC: dXNlcg==\nC: c2VjcmV0\nS: 504 no\nC: QUIT") == (
        "S: 220 x\nC: AUTH LOGIN\nC: [redacted]\nC: [redacted]\nS: 504 no\nC: QUIT"
    )
    assert log("C: \0AUTH LOGIN\nC: dXNlcg==\nS: 500 what?\nC: QUIT") == (
        "C: ?AUTH LOGIN\nC: [redacted]\nS: 500 what?\nC: QUIT"
    )
    assert log("C:  \tauth=LOGIN\nC: c2VjcmV0\nS: 500 what?") == (
        "C:  \tauth= [redacted]\nC: [redacted]\nS: 500 what?"
    )


@pytest.mark.parametrize(
    "line",
    [
        "EHLO auth.example", "mail FROM:<auth@b.example> SIZE=1", "RCPT\tTO:<compass@b.example>",
        "VRFY pass", "RCPT TO:<gr\u00fc\u00df-auth@b.example>", "AUTHOR", "BYPASSED",
    ],
)  # fmt: skip
def test_hosts_and_addresses_may_be_called_as_they_like(line: str) -> None:
    assert log(f"S: 220 x\nC: {line}\nC: what") == f"S: 220 x\nC: {line}\nC: what"


def test_what_stands_behind_a_control_may_be_any_command() -> None:
    assert log("S: 220 x\nC: EHLO x\nC: RCPT TO:<a@b>\0AUTH PLAIN c2VjcmV0\nC: c2VjcmV0") == (
        "S: 220 x\nC: EHLO x\nC: RCPT TO:<a@b>?AUTH PLAIN [redacted]\nC: [redacted]"
    )


def test_a_cancelled_exchange_shows_its_star() -> None:
    assert (
        log("C: auth plain\nS: 334 \nC: *\nS: 501 no") == "C: auth plain\nS: 334 \nC: *\nS: 501 no"
    )


def test_long_messages_are_shown_by_their_first_lines() -> None:
    session = "C: DATA\nS: 354 go on\nC: one\nC: two\nC: three\nC: .\nS: 250 OK"
    assert log(session, message_lines=1) == (
        "C: DATA\nS: 354 go on\nC: one\nC: <2 lines more>\nC: .\nS: 250 OK"
    )
    assert log(session, message_lines=None) == session


def test_chunks_are_counted() -> None:
    transcript = Transcript()
    transcript.client(b"BDAT 9\r\nPASS")
    transcript.client(b" word")
    transcript.client(b"BDAT 0 LAST\r\nQUIT\r\n")
    assert str(transcript) == (
        "C: BDAT 9\nC: <4 octets of message>\nC: <5 octets of message>\nC: BDAT 0 LAST\nC: QUIT"
    )


def test_notes_are_indented_and_hold_no_message() -> None:
    transcript = Transcript()
    transcript.client(b"\x1b[2Jodd\r\n" + b"x" * 20_000 + b"\r\n")
    transcript.note(smtp.MessageData(b"secret"))
    transcript.note(smtp.AuthChallenge(b"<nonce>"))
    transcript.note(smtp.Auth("PLAIN", b"\0user\0secret"))
    assert str(transcript) == (
        "C: ?[2Jodd\n"
        f"C: {'x' * 512}...\n"
        "      MessageData(<6 octets>)\n"
        "      AuthChallenge(<7 octets>)\n"
        "      Auth(mechanism='PLAIN', initial_response=REDACTED)"
    )


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60))))
def test_takes_any_octets(session: list[tuple[bool, bytes]]) -> None:
    transcript = Transcript()
    for is_client, octets in session:
        (transcript.client if is_client else transcript.server)(octets)
    assert str(transcript).isprintable() or "\n" in str(transcript) or "\t" in str(transcript)
