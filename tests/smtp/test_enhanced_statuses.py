"""ENHANCEDSTATUSCODES: on every 2yz, 4yz and 5yz that a server writes by itself where it is
offered, on none where it is not, and never on the greeting or the answer to EHLO (RFC 2034).
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smtpproto
from smtpproto import smtp
from smtpproto.smtp import ext
from smtpproto.smtp._replies import default_status
from smtpproto.smtp._state import MACHINE, STEPS
from tests.smtp.test_properties import CLIENT_TEXT, EVERYTHING, lots, sayings

OFFERED: tuple[smtp.Extension, ...] = (
    ext.Pipelining(), ext.Size(1000), ext.EightBitMime(), ext.Chunking(), ext.BinaryMime(),
    ext.SmtpUtf8(), ext.StartTls(), ext.Auth("PLAIN", "LOGIN", "CRAM-MD5"), ext.Expn(), ext.Turn(),
    ext.DeliverBy(60), ext.FutureRelease(60), ext.Limits(2, 2, 1), ext.Verb("XCLIENT"), ext.Burl(),
    ext.Send(),
)  # fmt: skip

HELLO = "EHLO c.example\r\n"
MAIL = HELLO + "MAIL FROM:<a@b.example>\r\n"
RCPT = MAIL + "RCPT TO:<c@d.example>\r\n"

REGISTERED = {0: 0, 1: 10, 2: 4, 3: 5, 4: 7, 5: 6, 6: 10, 7: 30}
"""The last detail of each subject in the registry of RFC 5248."""

ANSWERS = [
    # what is said and accepted, what comes then, the reply
    ("", "NOOP\r\n", "250 2.0.0"),
    ("", "RSET\r\n", "250 2.0.0"),
    ("", "HELP\r\n", "214 2.0.0"),
    ("", "VRFY x\r\n", "252 2.0.0"),
    ("", "EXPN x\r\n", "252 2.0.0"),
    ("", "QUIT\r\n", "221 2.0.0"),
    (HELLO, "STARTTLS\r\n", "220 2.0.0"),
    (HELLO, "XCLIENT x\r\n", "250 2.0.0"),
    (HELLO, "AUTH CRAM-MD5\r\n", "235 2.7.0"),
    (HELLO, "MAIL FROM:<a@b.example>\r\n", "250 2.1.0"),
    (HELLO, "SEND FROM:<a@b.example>\r\n", "250 2.1.0"),
    (MAIL, "RCPT TO:<c@d.example>\r\n", "250 2.1.5"),
    (RCPT, "DATA\r\n", "354"),
    (RCPT + "DATA\r\n", "x\r\n.\r\n", "250 2.6.0"),
    (RCPT, "BDAT 1\r\nx", "250 2.6.0"),
    (RCPT, "BDAT 1 LAST\r\nx", "250 2.6.0"),
]

REFUSALS = [
    # a line that is no command, or none that is known or offered
    ("", "X\r\n", "500 5.5.2"),
    ("", "X?\r\n", "500 5.5.2"),
    ("", "NOOP \0\r\n", "500 5.5.2"),
    ("", "NOOP \udcff\r\n", "500 5.5.2"),
    ("", "NOOP\n\r\n", "500 5.5.2"),
    ("", "NOOP " + "x" * 508 + "\r\n", "500 5.5.2"),
    ("", "NOOP " + "x" * 20000 + "\r\n", "500 5.5.2"),
    (HELLO, "SAML FROM:<a@b.example>\r\n", "502 5.5.1"),
    (HELLO, "ETRN x\r\n", "502 5.5.1"),
    # arguments
    ("", "EHLO\r\n", "501 5.5.4"),
    (HELLO, "RSET x\r\n", "501 5.5.4"),
    (HELLO, "MAIL a@b.example\r\n", "501 5.5.4"),
    (HELLO, "MAIL FROM:<a@>\r\n", "501 5.1.7"),
    (MAIL, "RCPT TO:<a@>\r\n", "501 5.1.3"),
    (HELLO, "MAIL FROM:<> SIZE=x\r\n", "501 5.5.4"),
    (HELLO, "MAIL FROM:<> HOLDFOR=61\r\n", "501 5.5.4"),
    (HELLO, "MAIL FROM:<> HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z\r\n", "501 5.5.4"),
    (HELLO, "MAIL FROM:<> SIZE=1001\r\n", "552 5.3.4"),
    (HELLO, "MAIL FROM:<> BY=59;R\r\n", "555 5.5.4"),
    (HELLO, "MAIL FROM:<> RET=FULL\r\n", "555 5.5.4"),
    (HELLO, "MAIL FROM:<é@b.example>\r\n", "550 5.6.7"),
    (HELLO, "VRFY é\r\n", "550 5.6.7"),
    (MAIL, "RCPT TO:<é@d.example>\r\n", "553 5.6.7"),
    # sequence, and who may do it
    ("", "MAIL FROM:<>\r\n", "503 5.5.1"),
    (MAIL, "DATA\r\n", "503 5.5.1"),
    (HELLO + "AUTH CRAM-MD5\r\n", "AUTH CRAM-MD5\r\n", "503 5.5.1"),
    (HELLO + "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\n", "DATA\r\n", "503 5.5.1"),
    (RCPT, "RCPT TO:<e@f.example>\r\n", "452 4.5.3"),
    (RCPT + "RCPT TO:<e@d.example>\r\n", "RCPT TO:<g@d.example>\r\n", "452 4.5.3"),
    (MAIL + "RSET\r\n" + MAIL + "RSET\r\n", "MAIL FROM:<>\r\n", "421 4.7.0"),
    # messages
    (RCPT + "DATA\r\n", "x\nx\r\n.\r\n", "550 5.6.0"),
    (RCPT + "DATA\r\n", "x" * 1001 + "\r\n.\r\n", "552 5.3.4"),
    (RCPT, "BDAT 3\r\nx\nx", "550 5.6.0"),
    (RCPT, "BDAT 2 LAST\r\nx\r", "550 5.6.0"),
    (RCPT + "BDAT 2\r\nx\r", "BURL imap://u@h/x LAST\r\n", "550 5.6.0"),
    (RCPT, "BDAT x\r\n", "501 5.5.4"),
    (HELLO, "BDAT 1\r\nx", "503 5.5.1"),
    # AUTH, TLS
    (HELLO, "AUTH PLAIN AGEAYg==\r\n", "538 5.7.11"),
    (HELLO, "AUTH X\r\n", "504 5.5.4"),
    (HELLO, "AUTH ?\r\n", "501 5.5.4"),
    (HELLO, "AUTH CRAM-MD5 ?\r\n", "501 5.5.2"),
    (HELLO, "AUTH CRAM-MD5 AGEAYg==\r\n", "501 5.7.0"),
    (HELLO, "STARTTLS\r\nRSET\r\n", "554 5.5.0"),
    # no mail client
    ("", "GET / HTTP/1.1\r\n", "421 4.7.0"),
    ("", "\x16\x03\x01", "421 4.7.0"),
]

IN_AN_EXCHANGE = [
    ("*\r\n", "501 5.7.0"),
    ("?\r\n", "501 5.5.2"),
    ("A" * 20000 + "\r\n", "500 5.5.6"),
]

REJECTED = {
    421: "4.3.2", 432: "4.7.12", 450: "4.2.0", 451: "4.3.0", 452: "4.3.1", 453: "4.3.0",
    454: "4.7.0", 455: "4.5.4", 458: "4.3.0", 459: "4.7.1", 500: "5.5.2", 501: "5.5.4",
    502: "5.5.1", 503: "5.5.1", 504: "5.5.4", 521: "5.3.2", 530: "5.7.0", 534: "5.7.9",
    535: "5.7.8", 538: "5.7.11", 550: "5.0.0", 551: "5.1.6", 552: "5.3.4", 553: "5.0.0",
    554: "5.0.0", 555: "5.5.4", 556: "5.1.10",
}  # fmt: skip
"""What goes with a code that the application gives to a NOOP, none of its own."""


def server(enhanced: bool, *, require_auth: bool = False) -> smtp.ServerConnection:
    extensions = (ext.EnhancedStatusCodes(), *OFFERED) if enhanced else OFFERED
    conn = smtp.ServerConnection("mx.example", extensions=extensions, require_auth=require_auth)
    conn.accept()
    assert conn.data_to_send() == b"220 mx.example ESMTP\r\n"
    return conn


def said(conn: smtp.ServerConnection, text: str) -> bytes:
    """What is written when `text` comes and everything in it is accepted."""
    if text:
        conn.receive_data(text.encode("utf-8", "surrogateescape"))
    for event in conn.events():
        if isinstance(event, smtp.Auth):
            conn.authenticated("somebody")
        elif isinstance(event, smtp.Burl):
            conn.send(smtp.Reply(250))
        elif isinstance(event, smtp.Request):
            conn.accept()
    return conn.data_to_send()


def head(reply: str, enhanced: bool) -> bytes:
    """How the reply begins: without its status where that is not offered."""
    return (reply if enhanced else reply[:3]).encode() + b" "


@pytest.mark.parametrize("enhanced", [True, False])
class TestEachReply:
    @pytest.mark.parametrize(("before", "then", "reply"), [*ANSWERS, *REFUSALS])
    def test_to_what_is_said(self, before: str, then: str, reply: str, enhanced: bool) -> None:
        conn = server(enhanced)
        said(conn, before)
        written = said(conn, then)
        assert written.startswith(head(reply, enhanced))
        check(written, enhanced)

    @pytest.mark.parametrize(("response", "reply"), IN_AN_EXCHANGE)
    def test_to_a_sasl_response(self, response: str, reply: str, enhanced: bool) -> None:
        conn = server(enhanced)
        said(conn, HELLO)
        conn.receive_data(b"AUTH CRAM-MD5\r\n")
        conn.next_event()
        conn.send(smtp.AuthChallenge(b"<1@mx>"))
        assert conn.data_to_send() == b"334 PDFAbXg+\r\n"
        assert said(conn, response).startswith(head(reply, enhanced))

    def test_to_mail_without_authentication(self, enhanced: bool) -> None:
        conn = server(enhanced, require_auth=True)
        said(conn, HELLO)
        assert said(conn, "MAIL FROM:<>\r\n").startswith(head("530 5.7.0", enhanced))

    def test_to_too_many_errors(self, enhanced: bool) -> None:
        conn = server(enhanced)
        (*_, last) = said(conn, "X\r\n" * 30).splitlines()
        assert last == head("421 4.7.0", enhanced) + b"mx.example Too many errors"

    def test_of_a_shutdown(self, enhanced: bool) -> None:
        conn = server(enhanced)
        conn.shutdown()
        assert conn.data_to_send().startswith(head("421 4.3.2", enhanced))

    def test_that_reverses_the_roles(self, enhanced: bool) -> None:
        conn = server(enhanced)
        said(conn, HELLO)
        conn.receive_data(b"TURN\r\n")
        conn.next_event()
        client = smtp.ClientConnection()
        conn.reversed(client)
        assert (conn.data_to_send() + client.data_to_send()).startswith(head("250 2.0.0", enhanced))

    @pytest.mark.parametrize("code", REJECTED)
    def test_of_reject(self, code: int, enhanced: bool) -> None:
        conn = server(enhanced)
        conn.receive_data(b"NOOP\r\n")
        conn.next_event()
        conn.reject(code, "no")
        assert conn.data_to_send() == head(f"{code} {REJECTED[code]}", enhanced) + b"no\r\n"

    @pytest.mark.parametrize("hello", ["EHLO", "HELO"])
    @pytest.mark.parametrize("code", [250, 421, 451, 550])
    def test_of_ehlo_never(self, hello: str, code: int, enhanced: bool) -> None:
        """RFC 2034 section 4."""
        conn = server(enhanced)
        conn.receive_data(f"{hello} c.example\r\n".encode())
        conn.next_event()
        if code == 250:
            conn.accept("2.0.0 hello")  # even what looks like one is none
        else:
            conn.reject(code, "no", enhanced=f"{code // 100}.0.0")
        text = b"mx.example 2.0.0 hello" if code == 250 else b"no"
        assert conn.data_to_send().splitlines()[0][4:] == text


def test_the_tables_have_every_reply_in_the_source() -> None:
    """Each place that names a code with its enhanced status code, or one alone.

    But for the example in a docstring.
    """
    seen = {row[-1] for row in (*ANSWERS, *REFUSALS, *IN_AN_EXCHANGE)}
    seen |= {f"{code} {status}" for code, status in REJECTED.items()}
    seen |= {"530 5.7.0"}
    package = Path(smtpproto.__file__).parent
    source = "".join(
        path.read_text() for path in (package / "_server.py", *package.glob("smtp/*.py"))
    )
    pairs = set(re.findall(r'\b(\d{3})[,:] "([245]\.\d+\.\d+)"', source))
    assert len(pairs) > 30
    assert {" ".join(pair) for pair in pairs} <= seen
    statuses = set(re.findall(r'"([245]\.\d+\.\d+)"', source))
    assert statuses - {"5.1.1"} <= {reply.partition(" ")[2] for reply in seen}


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ("MAIL", "5.1.0"), ("RCPT", "5.1.0"), ("VRFY", "5.1.0"), ("EXPN", "5.1.0"), (".", "5.6.0"),
        ("BDAT", "5.6.0"), ("BDAT LAST", "5.6.0"), ("AUTH", "5.7.0"), ("AUTH response", "5.7.0"),
        ("STARTTLS", "5.7.0"), ("EHLO", "5.0.0"), ("DATA", "5.0.0"),
    ],
)  # fmt: skip
def test_a_code_that_tells_little_has_the_subject_of_its_step(step: str, status: str) -> None:
    assert default_status(554, STEPS[step].subject) == status


def test_each_is_registered() -> None:
    """RFC 3463, RFC 5248: the class is the code's first digit, the subject has that detail."""
    steps = {step for steps in MACHINE.values() for step in steps}
    replies = [
        *(row[-1] for row in (*ANSWERS, *REFUSALS, *IN_AN_EXCHANGE) if row[-1] != "354"),
        *(
            f"{code} {default_status(code, STEPS[step].subject)}"
            for code, step in itertools.product(range(400, 600), steps)
        ),
    ]
    for reply in replies:
        code, _, text = reply.partition(" ")
        status = smtp.EnhancedStatus.parse(text)
        assert status.klass == int(code[0])
        assert status.detail <= REGISTERED[status.subject], reply


@settings(max_examples=200)
@given(octets=sayings(CLIENT_TEXT, most=25), lots=lots, enhanced=st.booleans())
def test_whatever_is_said(octets: bytes, lots: list[int], enhanced: bool) -> None:
    """And however the application decides."""
    offer = [one for one in EVERYTHING if enhanced or one != ext.EnhancedStatusCodes()]
    conn = smtp.ServerConnection("mx.example", extensions=offer)
    conn.accept()
    conn.data_to_send()
    decisions = itertools.cycle(lots)
    conn.receive_data(octets)
    while True:
        event = conn.next_event()
        check(conn.data_to_send(), enhanced)  # what the connection says by itself
        if event is None:
            break
        if not isinstance(event, smtp.Request):
            continue
        lot = next(decisions)
        if isinstance(event, smtp.Auth | smtp.AuthResponse) and lot > 1:
            conn.authenticated("somebody")
        elif isinstance(event, smtp.Etrn | smtp.Burl | smtp.Turn) or lot < 2:
            conn.reject(450 + 100 * lot % 200, None if lot else "no")
        else:
            conn.accept("our own words" if lot == 2 else None)
        hello = isinstance(event, smtp.Ehlo | smtp.Helo)
        check(conn.data_to_send(), enhanced and not hello)
        if isinstance(event, smtp.StartTls):
            break


def check(written: bytes, enhanced: bool) -> None:
    for line in written.splitlines():
        has_one = re.match(rb"([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3}( |$)", line) is not None
        assert has_one is (enhanced and line[:1] != b"3"), line
