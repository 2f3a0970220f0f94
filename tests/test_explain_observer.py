"""Observer: turns, pipelining, TLS and the end, in both protocols."""

from __future__ import annotations

import pytest

from tests.explained import explained, problems, problems_of_directions

# -- turns ----------------------------------------------------------------------------------------


def test_a_reply_that_nothing_asked_for() -> None:
    assert problems("S: 220 mx\nS: 250 hello\nC: NOOP\nS: 250 OK\n") == [
        '2: "S: 250 hello": answers nothing that was asked (RFC 5321 section 4.2)'
    ]
    assert problems("S: +OK\nC: CAPA\nS: +OK\nS: USER\nS: .\nS: +OK\nC: QUIT\nS: +OK\n") == [
        '6: "S: +OK": answers nothing that was asked (RFC 1939 section 3)'
    ]


def test_a_missing_reply() -> None:
    assert problems("S: 220 mx\nC: NOOP\nC: QUIT\n") == [
        '2: "C: NOOP": the recording ends before its reply',
    ]


def test_words_after_the_end() -> None:
    over = "said after the end of the session"
    assert problems("S: 220 mx\nC: QUIT\nS: 221 bye\nC: NOOP\nC: NOOP\n") == [
        f'4: "C: NOOP": {over}'
    ]
    assert problems("S: 220 mx\nC: QUIT\nS: 221 bye\nS: 250 OK\nS: 250 OK\n") == [
        f'4: "S: 250 OK": {over}'
    ]


# -- pipelining -----------------------------------------------------------------------------------

TRANSACTION = """\
C: MAIL FROM:<a@b>
C: RCPT TO:<c@d>
C: DATA
S: 250 OK
S: 250 OK
S: 354 go on
C: .
C: QUIT
S: 250 OK
S: 221 bye
"""


def test_pipelining_that_is_not_offered_is_said_once() -> None:
    assert problems(f"S: 220 mx\nC: EHLO me\nS: 250 mx\n{TRANSACTION}") == [
        '5: "C: RCPT TO:<c@d>": sent before the reply to MAIL, and PIPELINING is not offered'
        " (RFC 2920 section 3.1)"
    ]
    offered = f"S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 PIPELINING\n{TRANSACTION}"
    assert problems(offered) == []


def test_pipelining_across_the_end_of_a_group() -> None:
    session = f"S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 PIPELINING\n{TRANSACTION}"
    early = session.replace("C: DATA\n", "C: DATA\nC: text\nC: .\n").replace("go on\nC: .", "go on")
    assert problems(early) == ['8: "C: text": sent before the reply to DATA (RFC 2920 section 3.1)']
    assert problems("C: EHLO me\nS: 220 mx\nS: 250 mx\n") == [
        '1: "C: EHLO me": sent before the reply to the greeting (RFC 2920 section 3.1)'
    ]


def test_auth_with_its_response_may_stand_in_a_group() -> None:
    group = "C: AUTH PLAIN AHRpbQB0YW4=\nC: MAIL FROM:<a@b>\nS: 235 in\nS: 250 OK\n"
    hello = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-PIPELINING\nS: 250 AUTH PLAIN\n"
    assert problems(hello + group) == []
    early = hello + "C: AUTH PLAIN\nC: AHRpbQB0YW4=\nS: 334 \nS: 235 in\n"
    assert problems(early) == [
        '7: "C: [redacted]": sent before the reply to AUTH (RFC 2920 section 3.1)'
    ]


def test_what_is_pipelined_nobody_can_tell_from_the_octets_of_both_sides() -> None:
    client = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n"
    server = b"220 mx\r\n250 mx\r\n250 OK\r\n250 OK\r\n354 go on\r\n250 OK\r\n221 bye\r\n"
    assert problems_of_directions(client, server) == []


# -- lines ----------------------------------------------------------------------------------------


def test_lines_that_lf_alone_ends() -> None:
    without = "the line ends in LF without CR (RFC 5321 section 2.3.8)"
    assert problems_of_directions(b"NOOP\nQUIT\n", b"220 mx\n250 OK\n221 bye\n") == [
        f'server:1: "a part of a line, or of a message": {without}',
        f'client:1: "a part of a line, or of a message": {without}',
    ]


def test_a_line_that_does_not_end() -> None:
    assert problems_of_directions(b"NOOP\r\nQUI", b"220 mx\r\n250 OK\r\n") == [
        'client:2: "a part of a line, or of a message": the recording ends before the end of what'
        " begins here"
    ]
    assert problems_of_directions(b"NOOP\r\n", b"220 mx\r\n250 O") == [
        'server:2: "a part of a line, or of a message": the recording ends within this reply'
        " (RFC 5321 section 4.2)"
    ]


# -- TLS ------------------------------------------------------------------------------------------

STARTTLS = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go on\n"
UNDER_TLS = "C: EHLO me\nS: 250 mx\nC: QUIT\nS: 221 bye\n"
STLS = "S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: STLS\nS: +OK go on\n"


@pytest.mark.parametrize("session", [STARTTLS + "TLS\n" + UNDER_TLS, STARTTLS + UNDER_TLS])
def test_tls(session: str) -> None:
    assert problems(session) == []


@pytest.mark.parametrize(
    "session",
    [
        "TLS\nS: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 AUTH PLAIN\n",
        "TLS\nS: +OK\nC: QUIT\nS: +OK\n",
    ],
)
def test_tls_from_the_first_octet_on(session: str) -> None:
    assert problems(session) == []


def test_what_was_offered_in_clear_is_forgotten() -> None:
    pipelined = UNDER_TLS.replace("QUIT\n", "NOOP\nC: RSET\nS: 250 OK\nS: 250 OK\n", 1)
    session = STARTTLS.replace("STARTTLS\nC", "PIPELINING\nS: 250 STARTTLS\nC")
    session = session.replace("250 PIPELINING", "250-PIPELINING") + "TLS\n" + pipelined
    assert problems(session)[0].startswith(
        '12: "C: RSET": sent before the reply to NOOP (RFC 2920 section 3.1)'
    )


def test_tls_that_nobody_has_agreed_to() -> None:
    assert problems("S: 220 mx\nC: NOOP\nS: 250 OK\nTLS\nTLS\nC: NOOP\n") == [
        '4: "TLS": nobody has agreed to begin TLS (RFC 3207 section 4)'
    ]


def test_octets_in_clear_behind_starttls() -> None:
    behind = (
        "sent in clear behind the command that begins TLS, before its reply: a server may not take"
        " it for something that came under TLS"
    )
    assert problems(STARTTLS.replace("C: STARTTLS\n", "C: STARTTLS\nC: NOOP\n")) == [
        f'6: "C: NOOP": {behind} (RFC 3207 section 4)'
    ]
    assert problems(STLS.replace("C: STLS\n", "C: STLS\nC: NOOP\n")) == [
        f'7: "C: NOOP": {behind} (RFC 2595 section 4)'
    ]


CLIENT = b"EHLO me\r\nSTARTTLS\r\n"
SERVER = b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go on\r\n"


def test_the_octets_of_tls_are_not_read() -> None:
    assert problems_of_directions(CLIENT + b"\x16\x03\n\x01\n", SERVER + b"\x16\x03\n\x02") == []
    assert problems_of_directions(CLIENT, SERVER + b"\x16\x03\n\x02") == []
    assert problems_of_directions(CLIENT + b"EHLO me\r\nQUIT\r\n\x16", SERVER + b"\x16") == [
        'client:3: "C: EHLO me": said in clear where TLS was to begin (RFC 3207 section 4)'
    ]


def test_nothing_is_judged_once_it_is_lost() -> None:
    session = STARTTLS.replace("S: 220 go on", "S: 354 go on") + "TLS\n" + UNDER_TLS
    assert problems(session) == [
        '6: "S: 354 go on": 354 cannot answer STARTTLS: expected 220, 4yz, 5yz'
        " (RFC 5321 section 4.3.2)"
    ]
    shown = str(explained(session))
    assert "... where the session stands now cannot be told: the rest is not judged\nC: EH" in shown
    assert shown.endswith("S: 221 bye")
