"""SmtpObserver: what is wrong with sessions of SMTP and LMTP."""

from __future__ import annotations

import pytest

from tests.explained import explained, problems, problems_of_directions

HELLO = "S: 220 mx\nC: EHLO me\nS: 250 mx\n"
RECIPIENT = "C: MAIL FROM:<a@b>\nS: 250 OK\nC: RCPT TO:<c@d>\nS: 250 OK\n"
MESSAGE = "C: DATA\nS: 354 go on\nC: text\nC: .\nS: 250 OK\n"
QUIT = "C: QUIT\nS: 221 bye\n"
REST = RECIPIENT + MESSAGE + QUIT


def hello(*extensions: str) -> str:
    """Lines 1 to 3, and one for each extension."""
    *first, last = ("mx", *extensions)
    return "S: 220 mx\nC: EHLO me\n" + "".join(f"S: 250-{x}\n" for x in first) + f"S: 250 {last}\n"


def test_a_session_that_is_well() -> None:
    assert problems(HELLO + REST) == []


# -- what the client should not have said, and the server has refused ------------------------------


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("FROB", "Command unrecognized (RFC 5321 section 4.1.1)"),
        (
            f"NOOP {'x' * 600}",
            "Line too long (RFC 5321 section 4.1.1)",
        ),
        ("DATA", "DATA is out of order: send MAIL first (RFC 5321 section 4.1.4)"),
        ("MAIL FROM:<a@b", "Bad address syntax (RFC 5321 section 4.1.1)"),
        (
            "MAIL FROM:<a@b> BODY=8BITMIME",
            "The parameter BODY is not offered here (RFC 5321 section 4.1.1.11)",
        ),
        ("STARTTLS now", None),
        ("VRFY", "Syntax: VRFY name (RFC 5321 section 4.1.1)"),
        ("EXPN x", None),  # a client may try what is not listed
        ("XCLIENT NAME=x", "Command unrecognized (RFC 5321 section 4.1.1)"),
    ],
)
def test_a_refused_command(said: str, problem: str | None) -> None:
    found = problems(f"{HELLO}C: {said}\nS: 500 no\n{REST}")
    shown = f"C: {said}" if len(said) < 97 else f"C: {said[:97]}..."
    assert found == ([] if problem is None else [f'4: "{shown}": {problem}'])


def test_a_verb_that_the_server_lists_is_known() -> None:
    assert (
        problems(hello("XADR NAME", "8BITMIME", "BURL", "MAIL") + "C: XADR NAME=x\nS: 220 mx\n")
        == []
    )


def test_what_rfc_821_could_not_list_may_be_said_after_helo() -> None:
    assert problems("S: 220 mx\nC: HELO me\nS: 250 mx\nC: SEND FROM:<a@b>\nS: 250 OK\n") == []


def test_what_the_recording_says_is_offered() -> None:
    assert (
        problems(f"# offers: 8BITMIME\n{HELLO}C: MAIL FROM:<a@b> BODY=8BITMIME\nS: 250 OK\n") == []
    )
    assert problems(f"# offers: \x01\n{HELLO}") == [
        "4: \"S: 250 mx\": the reply text '\\x01' holds a control character; a text of several"
        " lines is given as several arguments"
    ]


def test_too_large_a_message_is_no_breach_of_the_protocol() -> None:
    session = f"{hello('SIZE 10')}C: MAIL FROM:<a@b> SIZE=11\nS: 552 too large\n{QUIT}"
    assert problems(session) == []


def test_plain_text_secrets_without_tls_are_between_these_two() -> None:
    assert problems(hello("AUTH PLAIN") + "C: AUTH PLAIN AHRpbQB0YW4=\nS: 235 in\n") == []


def test_a_mechanism_that_is_not_offered_may_be_tried() -> None:
    assert problems(hello("AUTH PLAIN") + "C: AUTH LOGIN\nS: 504 no\n") == []


def test_a_group_fails_together() -> None:
    group = (
        "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\nS: 550 no\nS: 503 MAIL first\n"
        "S: 503 MAIL first\n"
    )
    assert problems(hello("PIPELINING") + group + REST) == []
    after_reset = "C: RSET\nS: 250 OK\nC: DATA\nS: 503 no\n"
    assert problems(hello("PIPELINING") + group + after_reset) == [
        '13: "C: DATA": DATA is out of order: send MAIL first (RFC 5321 section 4.1.4)'
    ]


def test_354_without_recipients() -> None:
    group = (
        "C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\nS: 250 OK\nS: 550 no\nS: 354 go on\n"
        "C: .\nS: 554 no\n"
    )
    assert problems(hello("PIPELINING") + group + REST) == []


# -- what the server should have refused -----------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "problem"),
    [
        (
            f"S: 220 mx\n{REST}",
            '2: "C: MAIL FROM:<a@b>": MAIL is out of order: send EHLO first'
            " (RFC 5321 section 4.1.4)",
        ),
        (
            f"{HELLO}C: MAIL FROM:<a@b> RET=FULL\nS: 250 OK\n{REST[29:]}",
            '4: "C: MAIL FROM:<a@b> RET=FULL": The parameter RET is not offered here'
            " (RFC 5321 section 4.1.1.11)",
        ),
        (
            f"{HELLO}C: RCPT TO:<c@d>\nS: 250 OK\n{MESSAGE}{QUIT}",
            '4: "C: RCPT TO:<c@d>": RCPT is out of order: send MAIL first (RFC 5321 section 4.1.4)',
        ),
        (
            f"{HELLO}{RECIPIENT}{REST}",
            '8: "C: MAIL FROM:<a@b>": MAIL is out of order: a transaction has begun: RCPT or DATA'
            " is next, or RSET (RFC 5321 section 4.1.4)",
        ),
        (
            f"S: 220 mx\nC: EHLO\nS: 250 OK\n{REST}",
            '2: "C: EHLO": Syntax: EHLO domain, or an address literal (RFC 5321 section 4.1.1)',
        ),
        (
            f"{HELLO}C: RSET x\nS: 250 OK\n{REST}",
            '4: "C: RSET x": Syntax: RSET, with no argument (RFC 5321 section 4.1.1)',
        ),
        (
            f"{HELLO}C: FROB\nS: 250 OK\n{REST}",
            '4: "C: FROB": Command unrecognized (RFC 5321 section 4.1.1)',
        ),
        (
            f"{HELLO}C: EXPN x\nS: 250 OK\n{REST}",
            '4: "C: EXPN x": EXPN is not offered here (RFC 5321 section 4.2.4)',
        ),
        (
            f"{HELLO}{RECIPIENT}{MESSAGE}C: QUIT now\nS: 250 OK\n",
            '13: "C: QUIT now": Syntax: QUIT, with no argument (RFC 5321 section 4.1.1)',
        ),
        (
            f"S: 220 mx\nC: LHLO me\nS: 250 OK\n{RECIPIENT}C: HELO me\nS: 250 OK\n{REST}",
            '8: "C: HELO me": Command unrecognized (RFC 5321 section 4.1.1)',
        ),
    ],
)
def test_a_command_that_was_taken(session: str, problem: str) -> None:
    assert problems(session) == [f"{problem}, and the server took it all the same: 250 OK"]


def test_what_our_connection_is_told_instead_is_not_shown() -> None:
    shown = str(explained(f"{HELLO}C: MAIL FROM:<a@b> RET=FULL\nS: 250 OK\n"))
    assert "\n      CommandRefused(" in shown
    assert "Mail(" not in shown


def test_lhlo_is_missing() -> None:
    assert problems(f"S: 220 mx\n{REST}C: LHLO me\nS: 250 OK\n".replace(QUIT, "")) == [
        '2: "C: MAIL FROM:<a@b>": MAIL is out of order: send EHLO first (RFC 5321 section 4.1.4),'
        " and the server took it all the same: 250 OK"
    ]


@pytest.mark.parametrize("reply", ["220 go on", "354 go on"])
def test_a_command_that_leads_nobody_knows_where(reply: str) -> None:
    assert problems(f"{HELLO}C: STARTTLS\nS: {reply}\n{REST}") == [
        '4: "C: STARTTLS": STARTTLS is not offered here (RFC 5321 section 4.2.4), and the server'
        f" took it all the same: {reply}",
        f'5: "S: {reply}": what STARTTLS has led to is unknown',
    ]


def test_a_step_that_the_offered_limits_allow_no_more() -> None:
    once = hello("LIMITS MAILMAX=1") + RECIPIENT + MESSAGE
    assert problems(f"{once}C: DATA\nS: 354 go on\nC: text\nC: .\nS: 250 OK\n{QUIT}") == [
        '14: "C: DATA": DATA is out of order: send MAIL first (RFC 5321 section 4.1.4), and the'
        " server took it all the same: 354 go on"
    ]
    one = hello("LIMITS RCPTMAX=1") + RECIPIENT.replace("<c@d>\nS: 250 OK", "<c@d>\nS: 550 no")
    assert problems(f"{one}{REST}")[1:] == []


def test_a_step_that_is_not_offered_has_no_stand_in() -> None:
    assert problems(f"{HELLO}{RECIPIENT}C: BDAT 2 LAST\nC> hi\nS: 250 OK\n") == [
        '8: "C: BDAT 2 LAST": BDAT is not offered here (RFC 5321 section 4.2.4), and the server'
        " took it all the same: 250 OK",
        '10: "S: 250 OK": what BDAT LAST has led to is unknown',
    ]


def test_http() -> None:
    session = "S: 220 mx\nC: GET / HTTP/1.1\nS: 500 what?\nC: Host: mx\nS: 500 what?\n"
    assert problems(session) == ['2: "C: GET / HTTP/1.1": GET is HTTP, this is SMTP']
    assert "... our server would have ended the session" in str(explained(session))


# -- messages --------------------------------------------------------------------------------------

BARE = "A CR without LF, or a LF without CR, in the message (RFC 5321 section 2.3.8)"
TAKEN = ", and the server took it all the same: 250 OK"


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\r", b"\r\n.\n"])
def test_smuggling(ending: bytes) -> None:
    client = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi"
    rest = b"MAIL FROM:<x@y>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"
    server = b"220 mx\r\n250 mx\r\n250 OK\r\n250 OK\r\n354 go on\r\n"
    (problem,) = problems_of_directions(client + ending + rest, server + b"250 OK\r\n221 bye\r\n")
    assert problem.endswith(BARE + TAKEN)
    assert problem.startswith(("client:5:", "client:6:"))


def test_a_bare_newline_is_found_where_it_stands() -> None:
    message = "C: DATA\nS: 354 go on\nC: one\nC> two\\nthree\\r\\n\nC: four\\r\nC: .\nS: 250 OK\n"
    assert problems(HELLO + RECIPIENT + message) == [f'11: "C: two?three": {BARE}{TAKEN}']
    refused = message.replace("S: 250 OK", "S: 550 no")
    assert problems(HELLO + RECIPIENT + refused) == [f'11: "C: two?three": {BARE}']


def test_chunks() -> None:
    session = hello("CHUNKING") + RECIPIENT
    assert (
        problems(f"{session}C: BDAT 3\nC> hi\\r\nS: 250 OK\nC: BDAT 1 LAST\nC> \\n\nS: 250 OK\n")
        == []
    )
    bare = f"{session}C: BDAT 3\nC> h\\ni\nS: 250 OK\nC: BDAT 1 LAST\nC> x\nS: 250 OK\n{QUIT}"
    assert problems(bare) == [f'10: "C: <3 octets of message>": {BARE}{TAKEN}']
    assert problems(f"{session}C: BDAT 3\nC> abc\nS: 250 OK\n{REST}") == [
        '12: "C: MAIL FROM:<a@b>": MAIL is out of order: BDAT is next, or RSET'
        f" (RFC 5321 section 4.1.4){TAKEN}"
    ]
    assert problems(f"{session}C: BDAT 3\nC> hi\n") == [
        '9: "C: BDAT 3": the recording ends before the end of what begins here'
    ]
    unread = f"{session}C: BDAT many\nS: 501 no\nC: text\n"
    assert problems(unread) == [
        '9: "C: BDAT many": Syntax: BDAT size [LAST] (RFC 5321 section 4.1.1)'
    ]


def test_a_message_without_its_end() -> None:
    assert problems(HELLO + RECIPIENT + "C: DATA\nS: 354 go on\nC: text\n") == [
        '10: "C: text": the recording ends within the message: it has no final dot'
        " (RFC 5321 section 4.1.1.4)"
    ]


def test_a_message_that_is_not_in_the_recording() -> None:
    """As curl -v leaves it out."""
    session = HELLO + RECIPIENT + "C: DATA\nS: 354 go on\n} [18 bytes data]\nS: 250 OK\n" + QUIT
    assert problems(session) == []
    assert "... the message is not in the recording\n" in str(explained(session))


# -- replies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replies", "problem"),
    [
        ("S: OK", "expected a reply, three digits from 200 to 599 and a text, got b'OK'"),
        (
            "S: 250-a\nS: 251 b",
            "a reply that began with 250 goes on with b'251 b': every line of a reply has the same"
            " code (RFC 5321 section 4.2.1)",
        ),
        (
            "S: 354 go on",
            "354 cannot answer MAIL: expected 2yz, 4yz, 5yz, 355 (RFC 5321 section 4.3.2)",
        ),
        ("S: 355 resumed", "355 answers a MAIL with TRANSID (RFC 1845 section 4)"),
        ("S: 250-a", "the recording ends within this reply (RFC 5321 section 4.2)"),
    ],
)
def test_a_reply_that_is_none(replies: str, problem: str) -> None:
    last = replies.rpartition("\n")[2]
    line = 5 + replies.count("\n")
    assert problems(f"{HELLO}C: MAIL FROM:<a@b>\n{replies}\n") == [f'{line}: "{last}": {problem}']


def test_a_reply_line_that_is_too_long() -> None:
    (problem,) = problems(f"S: 220 mx\nC: NOOP\nS: 250 {'x' * 3000}\n{QUIT}")
    assert problem.endswith('x...": a reply line of more than 2048 octets (RFC 5321 section 4.2)')


def test_a_greeting_that_is_missing() -> None:
    missing = "the greeting is missing: expected 220, 4yz, 5yz"
    assert problems("C: EHLO me\nS: 250 mx\n" + REST) == [f'2: "S: 250 mx": {missing}']
    assert problems_of_directions(b"QUIT\r\n", b"221 bye\r\n") == [
        f'server:1: "S: 221 bye": {missing}',
        'server:1: "S: 221 bye": answers nothing that was asked (RFC 5321 section 4.2)',
        'client:1: "C: QUIT": the recording ends before its reply',
    ]


def test_421_ends_the_session_whatever_was_asked() -> None:
    assert problems("S: 421 not now\n") == []
    assert problems(HELLO + "S: 421 too slow\n") == []
    assert problems(HELLO + "C: MAIL FROM:<a@b>\nS: 421 down\nC: RSET\n") == []
    assert problems(HELLO + "C: FROB\nS: 421 enough\n") == [
        '4: "C: FROB": Command unrecognized (RFC 5321 section 4.1.1)'
    ]
    assert problems(HELLO + "C: EXPN x\nS: 421 enough\n") == []


# -- SASL ------------------------------------------------------------------------------------------


def test_sasl() -> None:
    begun = hello("AUTH LOGIN") + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\n"
    assert problems(begun + "C: *\nS: 501 cancelled\n" + REST) == []
    assert problems(begun + "C: *\nS: 235 in\n" + REST) == [
        '7: "C: *": the client has cancelled, and the server took it all the same: 235 in'
    ]
    assert problems(begun + "C: tim\nS: 501 what?\n" + REST) == [
        '7: "C: [redacted]": the SASL response is not base64, or too long (RFC 4954 section 4)'
    ]
    assert problems(begun + "C: tim\nS: 334 UGFzc3dvcmQ6\n" + REST) == [
        '7: "C: [redacted]": the SASL response is not base64, or too long (RFC 4954 section 4), and'
        " the server took it all the same: 334 UGFzc3dvcmQ6",
        '8: "S: 334 UGFzc3dvcmQ6": what AUTH response has led to is unknown',
    ]
    assert problems(begun) == [
        '5: "C: AUTH LOGIN": the recording ends within the SASL exchange (RFC 4954 section 4)'
    ]
    assert problems(begun.replace("VX", "!") + "C: dGlt\nS: 535 no\n") == [
        '6: "S: 334 !Nlcm5hbWU6": the challenge is not base64 (RFC 4954 section 4)'
    ]


# -- a second EHLO, other roles --------------------------------------------------------------------


def test_a_second_ehlo_offers_something_else() -> None:
    again = "C: EHLO me\nS: 250-mx\nS: 250 SIZE\nC: MAIL FROM:<a@b> SIZE=1\nS: 250 OK\n"
    assert problems(hello("8BITMIME") + again) == []


ATRN = hello("AUTH PLAIN", "ATRN") + "C: AUTH PLAIN AHRpbQB0YW4=\nS: 235 in\nC: ATRN\n"


def reversed_roles(session: str) -> str:
    return session.translate({ord("C"): "S", ord("S"): "C"})


@pytest.mark.parametrize("mark", ["REVERSED\n", ""])
def test_the_roles_change(mark: str) -> None:
    session = f"{ATRN}S: 250 now\n{mark}C: 220 me\nS: HELO mx\nC: 250 me\nS: DATA\nC: 503 no\n"
    line = session[: session.index("S: DATA")].count("\n") + 1
    assert problems(session) == [
        f'{line}: "C: DATA": DATA is out of order: send MAIL first (RFC 5321 section 4.1.4)'
    ]


def test_the_roles_do_not_change() -> None:
    assert problems(f"{ATRN}S: 453 no mail\nREVERSED\nREVERSED\n") == [
        '10: "REVERSED": nobody has agreed to change the roles'
    ]
    assert problems(f"{ATRN}C: NOOP\nS: 250 now\n") == [
        '9: "C: NOOP": sent before the roles changed (RFC 2645 section 5.3)'
    ]


@pytest.mark.parametrize("path", ["a@b.example", " <a@b.example>", " a@b.example"])
def test_an_address_without_brackets(path: str) -> None:
    mail = f"S: 220 mx\nC: EHLO me\nS: 250 mx\nC: mail from:{path}\nS: 250 OK\n{QUIT}"
    assert problems(mail) == [
        f'4: "C: mail from:{path}": the address stands in < and >, right behind the colon (RFC 5321'
        " section 4.1.2)"
    ]


def test_a_problem_is_one_line() -> None:
    (problem,) = problems(f"S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 SIZE\n{QUIT}")
    assert problem.endswith("and the server took it all the same: 250 mx SIZE")


def test_helo_behind_ehlo() -> None:
    (problem,) = problems(f"S: 220 mx\nC: EHLO me\nS: 250 mx\nC: HELO\nS: 250 mx\n{QUIT}")
    assert problem.startswith('4: "C: HELO": Syntax: HELO domain')


def test_an_extension_that_needs_another() -> None:
    session = f"S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-SIZE\nS: 250 SMTPUTF8\n{QUIT}"
    assert problems(session) == [
        '5: "S: 250 SMTPUTF8": a server that offers SMTPUTF8 must offer 8BITMIME'
    ]


# -- LMTP ------------------------------------------------------------------------------------------

LHLO = "S: 220 mx\nC: LHLO me\nS: 250-mx\nS: 250 CHUNKING\n"
TWO = "C: MAIL FROM:<a@b>\nS: 250 OK\nC: RCPT TO:<c@d>\nS: 250 OK\nC: RCPT TO:<e@f>\nS: 250 OK\n"


def test_lmtp_has_a_reply_for_each_recipient() -> None:
    begun = f"{LHLO}{TWO}C: DATA\nS: 354 go on\nC: text\nC: .\nS: 250 OK\n"
    assert problems(f"{begun}S: 452 full\n{QUIT}") == []
    assert problems(f"{begun}C: QUIT\nS: 221 bye\n")[-1] == (
        '16: "C: QUIT": the recording ends before its reply'
    )


def test_lmtp_has_a_refusal_for_each_recipient() -> None:
    bare = f"{LHLO}{TWO}C: DATA\nS: 354 go on\nC: te\rxt\nC: .\nS: 250 OK\nS: 550 no\n{QUIT}"
    assert problems(bare) == [f'13: "C: te?xt": {BARE}{TAKEN}']
    unordered = f"{LHLO}{TWO}C: BDAT 1 LAST\nC> x\nS: 554 no\nS: 554 no\n{QUIT}"
    assert problems(unordered) == []
    again = (
        f"{LHLO}{TWO}C: BDAT 1 LAST\nC> x\nS: 250 OK\nS: 250 OK\nC: BDAT 0 LAST\nS: 503 no\n{QUIT}"
    )
    assert problems(again) == [
        '15: "C: BDAT 0 LAST": BDAT is out of order: send MAIL first (RFC 5321 section 4.1.4)'
    ]
