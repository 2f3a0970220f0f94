"""Pop3Observer: what is wrong with sessions of POP3."""

from __future__ import annotations

import pytest

from tests.explained import explained, problems, problems_of_directions

LOGIN = "S: +OK\nC: USER tim\nS: +OK\nC: PASS tan\nS: +OK\n"
TAKEN = ", and the server took it all the same: +OK"


def test_a_session_that_is_well() -> None:
    assert (
        problems(
            LOGIN
            + "C: STAT\nS: +OK 1 10\nC: LIST\nS: +OK\nS: 1 10\nS: .\nC: UIDL 1\nS: +OK 1 abc\n"
            "C: RETR 1\nS: +OK\nS: a: b\nS: \nS: ..\nS: .\nC: TOP 1 0\nS: +OK\nS: a: b\nS: \nS: .\n"
            "C: DELE 1\nS: -ERR locked\nC: QUIT\nS: +OK\n"
        )
        == []
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("FROB", "Unknown command"),
        ("DELE", "Syntax: DELE and a message-number, which is 1 or more"),
        ("USER tim", "USER is out of order: somebody is logged in already"),
        (f"DELE {'1' * 300}", "Line too long: a command has at most 255 octets"),
        (f"LANG {'x' * 300}", "Line too long: a command has at most 255 octets"),
        ("TOP 1 0", None),
    ],
)
def test_a_refused_command(said: str, problem: str | None) -> None:
    """What is not offered may be tried."""
    capa = "C: CAPA\nS: +OK\nS: USER\nS: SASL\nS: LANG\nS: .\n"
    shown = f"C: {said}" if len(said) < 97 else f"C: {said[:97]}..."
    expected = [] if problem is None else [f'12: "{shown}": {problem} (RFC 1939 section 3)']
    assert problems(f"{LOGIN}{capa}C: {said}\nS: -ERR no\nC: QUIT\nS: +OK\n") == expected


def test_what_capa_does_not_list() -> None:
    capa = "C: CAPA\nS: +OK\nS: USER\nS: .\n"
    assert problems(f"{LOGIN}{capa}C: UIDL\nS: +OK\nS: 1 abc\nS: .\nC: QUIT\nS: +OK\n") == [
        f'10: "C: UIDL": UIDL is not offered here (RFC 1939 section 3){TAKEN}'
    ]
    assert problems(f"S: +OK\n{capa}C: AUTH PLAIN\nS: +\nC: AHRpbQB0YW4=\nS: +OK\n") == [
        '6: "C: AUTH PLAIN": AUTH is not offered here (RFC 1939 section 3), and the server took it'
        " all the same: +"
    ]


def test_before_capa_everything_may_be_tried() -> None:
    assert problems("S: +OK\nC: AUTH XYZ =\nS: -ERR no\nC: AUTH \xe9\nS: -ERR no\n")[1:] == []
    assert problems("S: +OK\nC: AUTH XYZ\nS: + \nC: \nS: +OK\nC: UIDL 1\nS: +OK 1 abc\n") == []


@pytest.mark.parametrize(
    ("session", "problem"),
    [
        (
            "C: LIST\nS: +OK\nS: 1 10\nS: .\n",
            '2: "C: LIST": LIST is out of order: log in first, USER and then PASS'
            " (RFC 1939 section 3)",
        ),
        (
            "C: PASS tan\nS: +OK\nC: STAT\nS: +OK 1 10\n",
            '2: "C: PASS [redacted]": PASS is out of order: log in first, USER and then PASS'
            " (RFC 1939 section 3)",
        ),
        (
            "C: USER tim\nS: +OK\nC: APOP tim c4c9334bac560ecc979e58001b3e22fb\nS: +OK\n"
            "C: STAT\nS: +OK 1 10\n",
            '4: "C: APOP tim [redacted]": APOP is not offered here (RFC 1939 section 3)',
        ),
    ],
)
def test_a_command_that_was_taken(session: str, problem: str) -> None:
    assert problems(f"S: +OK\n{session}C: QUIT\nS: +OK\n") == [problem + TAKEN]


@pytest.mark.parametrize("said", ["FROB", "USER tim", "DELE x"])
def test_a_command_that_leads_nobody_knows_where(said: str) -> None:
    first, second = problems(f"{LOGIN}C: {said}\nS: +OK\nC: QUIT\nS: +OK\n")
    assert first.endswith(TAKEN)
    assert second == '7: "S: +OK": what this has led to is unknown'


def test_a_second_login() -> None:
    (problem,) = problems(f"{LOGIN}C: PASS tan\nS: +OK\nC: STAT\nS: +OK 0 0\n")
    assert problem.startswith('6: "C: PASS [redacted]": PASS is out of order')


def test_http() -> None:
    session = "S: +OK\nC: GET / HTTP/1.1\nS: -ERR what?\nC: Host: mx\n"
    assert problems(session) == [
        '2: "C: GET / HTTP/1.1": GET is HTTP, this is POP3 (RFC 1939 section 3)'
    ]
    assert "... our server would have ended the session" in str(explained(session))


# -- responses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ("S: 250 OK", "expected a response, +OK or -ERR, got b'250 OK'"),
        ("S: + ", "a challenge cannot answer STAT, only AUTH (RFC 1939 section 3)"),
        (
            "S: +OK two",
            "expected the number of messages and of their octets, got 'two' (RFC 1939 section 3)",
        ),
    ],
)
def test_a_response_that_is_none(responses: str, problem: str) -> None:
    assert problems(f"{LOGIN}C: STAT\n{responses}\n") == [f'7: "{responses}": {problem}']


def test_a_listing_that_is_none() -> None:
    assert problems(f"{LOGIN}C: LIST\nS: +OK\nS: 1 ten\nS: .\n") == [
        "9: \"S: .\": '1 ten' is not a line of a listing (RFC 1939 section 3)"
    ]
    assert problems(f"{LOGIN}C: LIST\nS: +OK\nS: 1 \0\nS: .\n") == [
        '9: "S: .": a list holds a bare CR, a bare LF or NUL'
    ]


def test_a_response_that_does_not_end() -> None:
    assert problems(f"{LOGIN}C: RETR 1\nS: +OK\nS: a: b\nC: QUIT\n") == [
        '8: "S: a: b": the recording ends within this reply (RFC 1939 section 3)'
    ]
    client = b"USER tim\r\nPASS tan\r\nRETR 1\r\nQUIT\r\n"
    assert problems_of_directions(client, b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n") == [
        'server:4: "S: +OK": the recording ends within this reply (RFC 1939 section 3)'
    ]


def test_a_message_that_is_not_in_the_recording() -> None:
    """As curl -v leaves it out."""
    session = f"{LOGIN}C: RETR 1\nS: +OK\n{{ [120 bytes data]\nC: QUIT\nS: +OK\n"
    assert problems(session) == []
    assert "... the rest of the response is not in the recording\n" in str(explained(session))


def test_a_response_that_is_too_long() -> None:
    (problem,) = problems(f"{LOGIN}C: NOOP\nS: +OK {'x' * 3000}\nC: QUIT\nS: +OK\n")
    assert problem.endswith('x...": a response of more than 2048 octets (RFC 1939 section 3)')


def test_servers_may_take_their_leave() -> None:
    assert problems(f"{LOGIN}S: -ERR idle for too long\nC: STAT\n") == []


# -- SASL and pipelining ---------------------------------------------------------------------------


def test_sasl() -> None:
    begun = "S: +OK\nC: AUTH LOGIN\nS: + VXNlcm5hbWU6\n"
    assert problems(begun + "C: *\nS: -ERR cancelled\nC: QUIT\nS: +OK\n") == []
    assert problems(begun + "C: tim\nS: -ERR what?\n") == [
        '4: "C: [redacted]": the SASL response is not base64, or too long (RFC 5034 section 4)'
    ]
    assert problems(begun) == [
        '2: "C: AUTH LOGIN": the recording ends within the SASL exchange (RFC 5034 section 4)'
    ]
    assert problems(begun.replace("VX", "!") + "C: dGlt\nS: -ERR no\n") == [
        '3: "S: + !Nlcm5hbWU6": the challenge is not base64 (RFC 5034 section 4)'
    ]


def test_pipelining() -> None:
    group = "C: STAT\nC: NOOP\nS: +OK 0 0\nS: +OK\n"
    assert problems(LOGIN + group) == [
        '7: "C: NOOP": sent before the reply to STAT, and PIPELINING is not offered'
        " (RFC 2449 section 6.6)"
    ]
    assert problems(f"{LOGIN}C: CAPA\nS: +OK\nS: PIPELINING\nS: .\n{group}") == []


def test_more_mechanisms_than_anybody_has() -> None:
    """Of those that are asked for, the first hundred are known: each AUTH looks through them."""
    tried = "".join(f"C: AUTH M{n}\nS: -ERR\n" for n in range(1, 102))
    bye = "C: QUIT\nS: +OK\n"
    assert problems(f"S: +OK\n{tried}{bye}") == []
    assert problems(f"S: +OK\n{tried}C: AUTH M100\nS: + \nC: \nS: +OK\n{bye}") == []
    assert problems(f"S: +OK\n{tried}C: AUTH M101\nS: + \nC: \nS: +OK\n{bye}") == [
        '204: "C: AUTH M101": This mechanism is not offered here (RFC 1939 section 3), and the'
        " server took it all the same: +",
        '205: "S: + ": what this has led to is unknown',
    ]
