"""Delivery against a server that fails at every possible point, each once.

The server is a script of its own: it splits lines, counts recipients, and answers well, but for
the steps that a failure names. What the report must say stands in the tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from smtpproto import smtp
from smtpproto.smtp import State
from smtpproto.smtp._outgoing import BLOCK
from tests.delivering import A, D, R, U, begin, verdicts, written

CUT = "the server closes"
GARBAGE = "\0 this is no reply"
LONG = b"Subject: long\r\n\r\n" + b"hello\r\n" * BLOCK
TWO = smtp.Envelope("a@b", ["b@x", "c@x"])
"""Recipients."""


class Server:
    """Takes everything, but for what stands in `failures`: by step, what is answered instead.

    Steps are verbs, ``RCPT b``, ``.`` for the reply to the message, ``. c`` for LMTP's about one
    recipient, ``BDAT`` and ``BDAT LAST``, and ``middle`` for what is said while the message comes.
    """

    def __init__(self, keywords: Sequence[str], lmtp: bool, failures: dict[str, str]) -> None:
        self.keywords = keywords
        self.lmtp = lmtp
        self.failures = dict(failures)
        self.input = b""
        self.output = b""
        self.open = True
        self.in_data = False
        self.in_transaction = False
        self.failed = False  # a chunk was
        self.recipients: list[str] = []
        self.message = b""
        self.accepted: list[tuple[str, bytes]] = []
        self.say("connect", "220 mx")

    def say(self, step: str, *usual: str) -> str:
        """The answer to a step: the failure that stands for it, once, or what is usual."""
        failure = self.failures.pop(step, None)
        if failure == CUT:
            self.open = False
            return failure
        lines = usual if failure is None else (failure,)
        self.output += "".join(f"{line}\r\n" for line in lines).encode()
        if failure is not None and failure.startswith(("421", GARBAGE)):
            self.open = False
        return lines[-1]

    def receive(self, octets: bytes) -> None:
        self.input += octets
        while self.open and (self.read_message() if self.in_data else self.read_line()):
            pass

    def read_message(self) -> bool:
        if "middle" in self.failures:
            self.say("middle")
            return False
        message, end, rest = (b"\r\n" + self.input).partition(b"\r\n.\r\n")
        if not end:
            return False
        self.message = (message + b"\r\n")[2:].replace(b"\r\n..", b"\r\n.")
        self.input = rest
        self.in_data = False
        self.end(".")
        return True

    def end(self, step: str) -> None:
        """The message has come: one answer, LMTP's one a recipient."""
        recipients, self.recipients = self.recipients, []
        if self.lmtp and recipients:
            for name in recipients:
                if self.open and self.say(f"{step} {name}", "250 taken").startswith("2"):
                    self.accepted.append((name, self.message))
        elif self.say(step, "250 taken").startswith("2"):
            self.accepted += [(name, self.message) for name in recipients]
        self.message = b""

    def read_line(self) -> bool:
        line, end, rest = self.input.partition(b"\r\n")
        if not end:
            return False
        text = line.decode()
        verb = text[:4]
        if verb == "BDAT":
            return self.read_chunk(text, rest)
        self.input = rest
        if verb in ("EHLO", "LHLO"):
            lines = ["mx", *self.keywords]
            self.say(verb, *(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")
        elif verb == "RCPT":
            found = re.search(r"<(.*)@", text)
            assert found
            usual = "250 OK" if self.in_transaction else "503 MAIL first"
            if self.say(f"RCPT {found[1]}", usual).startswith("2"):
                self.recipients.append(found[1])
        elif verb == "DATA":
            code = "354" if self.recipients else "503"
            self.in_data = self.say("DATA", f"{code} so").startswith("3")
        elif verb == "MAIL":
            self.in_transaction = self.say("MAIL", "250 OK").startswith("2")
        else:
            self.recipients, self.message, self.failed = [], b"", False
            self.say(verb, "250 OK")
        return True

    def read_chunk(self, line: str, rest: bytes) -> bool:
        size = int(line.split()[1])
        if len(rest) < size:
            return False
        self.input = rest[size:]
        last = line.endswith("LAST")
        if self.failed:
            for _ in self.recipients if self.lmtp and last else "x":
                self.say("", "503 the transaction has failed")
            return True
        self.message += rest[:size]
        if last:
            self.end("BDAT LAST")
        else:
            self.failed = not self.say("BDAT", "250 OK").startswith("2")
        return True


def converse(delivery: smtp.Delivery, server: Server, *, eager: bool = False) -> int:
    """Carry octets until the report is there; how often the client had something to say.

    It listens as soon as the server says something, or, `eager`, when it has nothing to say.
    """
    for flights in range(1000):
        if server.output:
            octets, server.output = server.output, b""
            delivery.receive_data(octets)
        if not server.open and delivery.report is None:
            delivery.receive_data(b"")
        if delivery.report is not None:
            return flights
        while (eager or (server.open and not server.output)) and (
            octets := delivery.data_to_send()
        ):
            server.receive(octets)
    raise AssertionError("no end to it")


OFFERS = {
    "": [],
    "PIPELINING": ["PIPELINING"],
    "CHUNKING": ["CHUNKING", "BINARYMIME"],
    "PIPELINING CHUNKING": ["PIPELINING", "CHUNKING"],
}

Row = tuple[dict[str, str], list[smtp.Verdict], State]
"""Failures, the verdicts on b and c, and where the connection is afterwards."""

EVERYWHERE: list[Row] = [
    ({}, [A, A], State.READY),
    ({"connect": "421 busy"}, [D, D], State.CLOSED),
    ({"connect": "400 not yet"}, [D, D], State.CLOSING),
    ({"connect": "554 no mail here"}, [R, R], State.CLOSING),
    ({"connect": "521 no mail here"}, [R, R], State.CLOSING),
    ({"connect": GARBAGE}, [D, D], State.CLOSED),
    ({"connect": CUT}, [D, D], State.CLOSED),
    ({"HELLO": "421 busy"}, [D, D], State.CLOSED),
    ({"HELLO": "400 not yet"}, [D, D], State.CONNECTED),
    ({"HELLO": "354 what"}, [D, D], State.CLOSED),
    ({"HELLO": GARBAGE}, [D, D], State.CLOSED),
    ({"HELLO": CUT}, [D, D], State.CLOSED),
    ({"MAIL": "421 busy"}, [D, D], State.CLOSED),
    ({"MAIL": "400 not yet"}, [D, D], State.READY),
    ({"MAIL": "550 not from you"}, [R, R], State.READY),
    ({"MAIL": "552 too large"}, [R, R], State.READY),
    ({"MAIL": "550 not from you", "RSET": "421 busy"}, [R, R], State.CLOSED),
    ({"MAIL": "550 not from you", "RSET": "400 what"}, [R, R], State.CLOSED),
    ({"MAIL": "451 not yet", "RSET": CUT}, [D, D], State.CLOSED),
    ({"MAIL": GARBAGE}, [D, D], State.CLOSED),
    ({"MAIL": CUT}, [D, D], State.CLOSED),
    ({"RCPT b": "421 busy"}, [D, D], State.CLOSED),
    ({"RCPT b": "450 not yet"}, [D, A], State.READY),
    ({"RCPT b": "452 4.2.2 full"}, [D, A], State.READY),
    ({"RCPT b": "550 never"}, [R, A], State.READY),
    ({"RCPT b": "552 5.2.2 full"}, [R, A], State.READY),
    ({"RCPT b": "251 will forward"}, [A, A], State.READY),
    ({"RCPT b": "354 what"}, [D, D], State.CLOSED),
    ({"RCPT b": GARBAGE}, [D, D], State.CLOSED),
    ({"RCPT b": CUT}, [D, D], State.CLOSED),
    ({"RCPT c": "421 busy"}, [D, D], State.CLOSED),
    ({"RCPT c": "550 never"}, [A, R], State.READY),
    ({"RCPT c": GARBAGE}, [D, D], State.CLOSED),
    ({"RCPT c": CUT}, [D, D], State.CLOSED),
    ({"RCPT b": "550 never", "RCPT c": "421 busy"}, [R, D], State.CLOSED),
    ({"RCPT b": "550 never", "RCPT c": CUT}, [R, D], State.CLOSED),
    ({"RCPT b": "552 too many", "RCPT c": CUT}, [D, D], State.CLOSED),
    ({"RCPT b": "452 too many", "RCPT c": "550 never"}, [D, R], State.READY),
    ({"RCPT b": "550 never", "RCPT c": "450 not yet"}, [R, D], State.READY),
    # All are refused, so the transaction is given up.
    ({"RCPT b": "550 never", "RCPT c": "550 never", "RSET": "550 no"}, [R, R], State.CLOSED),
    ({"RCPT b": "550 never", "RCPT c": "550 never", "RSET": CUT}, [R, R], State.CLOSED),
]

WITH_DATA: list[Row] = [
    ({"DATA": "421 busy"}, [D, D], State.CLOSED),
    ({"DATA": "400 not yet"}, [D, D], State.READY),
    ({"DATA": "554 no"}, [R, R], State.READY),
    ({"DATA": "250 what"}, [D, D], State.CLOSED),
    ({"DATA": GARBAGE}, [D, D], State.CLOSED),
    ({"DATA": CUT}, [D, D], State.CLOSED),
    ({"RCPT b": "550 never", "DATA": "451 not yet"}, [R, D], State.READY),
    ({"RCPT b": "550 never", "DATA": "554 no"}, [R, R], State.READY),
    # A message that is refused before its end can only be cut off.
    ({"middle": "421 busy"}, [D, D], State.CLOSED),
    ({"middle": "452 full"}, [D, D], State.CLOSED),
    ({"middle": "554 no"}, [R, R], State.CLOSED),
    ({"middle": "250 what"}, [D, D], State.CLOSED),
    ({"middle": GARBAGE}, [D, D], State.CLOSED),
    ({"middle": CUT}, [D, D], State.CLOSED),
    ({"RCPT b": "450 not yet", "middle": "554 no"}, [D, R], State.CLOSED),
]

WITH_CHUNKS: list[Row] = [
    ({"BDAT": "421 busy"}, [D, D], State.CLOSED),
    ({"BDAT": "400 full"}, [D, D], State.READY),
    ({"BDAT": "552 too large"}, [R, R], State.READY),
    ({"BDAT": "354 what"}, [D, D], State.CLOSED),
    ({"BDAT": GARBAGE}, [D, D], State.CLOSED),
    ({"BDAT": CUT}, [D, D], State.CLOSED),
    ({"BDAT": "552 too large", "RSET": "421 busy"}, [R, R], State.CLOSED),
    ({"BDAT": "552 too large", "RSET": "500 what"}, [R, R], State.CLOSED),
]

AT_THE_END: list[tuple[str, smtp.Verdict, State]] = [
    ("421 busy", D, State.CLOSED),
    ("451 not yet", D, State.READY),
    ("554 no", R, State.READY),
    ("552 too large", R, State.READY),
    # Now only the server knows.
    ("354 what", U, State.CLOSED),
    (GARBAGE, U, State.CLOSED),
    (CUT, U, State.CLOSED),
]
"""What the message is answered with."""


def uses_chunks(offer: str) -> bool:
    return "CHUNKING" in offer


def deliver(
    offer: str, lmtp: bool, failures: dict[str, str], *, eager: bool = False
) -> tuple[smtp.ClientConnection, smtp.Delivery, Server, int]:
    failures = {
        step.replace("HELLO", "LHLO" if lmtp else "EHLO"): said for step, said in failures.items()
    }
    server = Server(OFFERS[offer], lmtp, failures)
    envelope = TWO
    if offer == "CHUNKING":  # else a long message goes by DATA
        envelope = smtp.Envelope(smtp.Mail("a@b", body="BINARYMIME"), TWO.recipients)
    conn, delivery = begin(LONG, envelope, lmtp=lmtp)
    flights = converse(delivery, server, eager=eager)
    return conn, delivery, server, flights


def check(
    conn: smtp.ClientConnection, delivery: smtp.Delivery, server: Server, state: State
) -> None:
    """The report agrees with the server, and the connection is where it says."""
    assert delivery.report is not None
    assert [one.recipient for one in delivery.report.outcomes] == list(TWO.recipients)
    for name, verdict in zip("bc", verdicts(delivery), strict=True):
        if verdict is not U:
            assert ((name, LONG) in server.accepted) is (verdict is A)
    assert all(message == LONG for _, message in server.accepted)
    assert conn.state is state
    if state is State.READY:
        assert written(delivery) == b""
        assert conn.idle
        conn.send(smtp.Mail("next@b"))


@pytest.mark.parametrize("lmtp", [False, True])
@pytest.mark.parametrize(
    ("offer", "failures", "expected", "state"),
    [
        (offer, *row)
        for offer in OFFERS
        for row in EVERYWHERE + (WITH_CHUNKS if uses_chunks(offer) else WITH_DATA)
    ],
)
def test_before_the_end_of_the_message(
    offer: str, lmtp: bool, failures: dict[str, str], expected: list[smtp.Verdict], state: State
) -> None:
    conn, delivery, server, _ = deliver(offer, lmtp, failures)
    assert verdicts(delivery) == expected
    assert not server.failures
    check(conn, delivery, server, state)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(("reply", "expected", "state"), AT_THE_END)
def test_the_reply_to_the_message(
    offer: str, reply: str, expected: smtp.Verdict, state: State
) -> None:
    step = "BDAT LAST" if uses_chunks(offer) else "."
    conn, delivery, server, _ = deliver(offer, False, {step: reply})
    assert verdicts(delivery) == [expected, expected]
    check(conn, delivery, server, state)
    conn, delivery, server, _ = deliver(offer, False, {step: reply, "RCPT b": "550 never"})
    assert verdicts(delivery) == [R, expected]
    check(conn, delivery, server, state)
    if expected is U:
        assert "it may have been accepted" in str(delivery.report)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(("reply", "expected", "state"), AT_THE_END)
def test_lmtp_the_replies_to_the_message(
    offer: str, reply: str, expected: smtp.Verdict, state: State
) -> None:
    """The one about c leaves b as it is; after the one about b nobody may hear of c."""
    step = "BDAT LAST" if uses_chunks(offer) else "."
    conn, delivery, server, _ = deliver(offer, True, {f"{step} c": reply})
    assert verdicts(delivery) == [A, expected]
    check(conn, delivery, server, state)
    conn, delivery, server, _ = deliver(offer, True, {f"{step} b": reply})
    assert verdicts(delivery) == [expected, A if state is State.READY else U]
    check(conn, delivery, server, state)


@pytest.mark.parametrize("verb", ["EHLO", "HELO"])
def test_ehlo_and_helo_are_refused(verb: str) -> None:
    for code, expected in (("550", R), ("450", D), ("421", D)):
        failures = {"EHLO": "502 what", "HELO": f"{code} no"}
        conn, delivery, server, _ = deliver("", False, failures)
        assert verdicts(delivery) == [expected, expected]
        check(conn, delivery, server, State.CLOSED if code == "421" else State.CONNECTED)
    conn, delivery, server, _ = deliver("PIPELINING", False, {"EHLO": "502 what"})
    assert verdicts(delivery) == [A, A]
    check(conn, delivery, server, State.READY)


def test_lhlo_is_refused() -> None:
    conn, delivery, server, _ = deliver("", True, {"HELLO": "550 no"})
    assert verdicts(delivery) == [R, R]
    check(conn, delivery, server, State.CONNECTED)


@pytest.mark.parametrize("lmtp", [False, True])
@pytest.mark.parametrize(
    ("offer", "flights"),
    # EHLO; MAIL, two RCPT, DATA, or one group; the message. BDAT saves nothing but 354's.
    [("", 6), ("PIPELINING", 3), ("PIPELINING CHUNKING", 3)],
)
def test_round_trips(offer: str, lmtp: bool, flights: int) -> None:
    """QUIT is one more, and the caller's."""
    conn, delivery, server, counted = deliver(offer, lmtp, {}, eager=True)
    assert verdicts(delivery) == [A, A]
    assert counted == flights
    check(conn, delivery, server, State.READY)


def test_the_report_says_where_it_came_from() -> None:
    for failures, words in [
        ({"MAIL": "550 not you"}, "refused: MAIL was refused: 550 not you"),
        ({"RCPT b": "450 not yet"}, "deferred: RCPT was refused: 450 not yet"),
        ({"DATA": "554 no"}, "refused: DATA was refused: 554 no"),
        ({"connect": "554 no"}, "refused: the server takes no mail: 554 no"),
        ({"HELLO": "450 no"}, "deferred: the server refused the client: 450 no"),
        ({"MAIL": "421 busy"}, "deferred: the server has ended the session: 421 busy"),
        ({"middle": "554 no"}, "refused: the message was refused before its end: 554 no"),
        ({".": "554 no"}, "refused: the message was refused: 554 no"),
        ({"MAIL": CUT}, "deferred: the connection was lost before the message was complete"),
        (
            {".": CUT},
            "unknown: the connection was lost before the message was answered: it may have been"
            " accepted",
        ),
        (
            {"DATA": "250 ok"},
            "deferred: the server broke the protocol: Reply(250, 'ok') cannot answer Data() in"
            " state rcpt: expected 354, 4yz, 5yz before the message was complete",
        ),
    ]:
        _, delivery, _, _ = deliver("", False, failures)
        assert str(delivery.report).splitlines()[0] == f"<b@x> {words}"
