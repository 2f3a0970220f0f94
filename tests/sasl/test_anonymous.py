"""ANONYMOUS, RFC 4505."""

import pytest

from smtpproto import LocalProtocolError, sasl

PROHIBITED = "the trace holds a character that RFC 4505 section 3 prohibits"
DIRECTIONS = "the trace mixes directions of writing"
LENGTH = "a trace that is not an e-mail address has at most 255 characters"


def test_the_example_of_section_4() -> None:
    server = sasl.AnonymousServer()
    client = sasl.AnonymousClient("sirhc")
    assert client.name == server.name == "ANONYMOUS"

    assert server.step(None) == sasl.Challenge(b"")
    assert client.respond(b"") == b"sirhc"
    assert client.complete
    assert server.step(b"sirhc") == sasl.Trace("sirhc")
    assert server.accept("anonymous") == sasl.Success("anonymous")


def test_the_trace_may_be_empty() -> None:
    assert sasl.AnonymousClient().respond(None) == b""
    assert sasl.AnonymousServer().step(b"") == sasl.Trace("")


def test_a_trace_is_no_identity() -> None:
    # case sasl.Identity(user): must not let in whoever says that he is root.
    assert not isinstance(sasl.AnonymousServer().step(b"root"), sasl.Identity)


@pytest.mark.parametrize(
    "trace",
    [
        "x" * 255,
        "a" * 300 + "@example.com",
        "chris@example.com",
        "two words",
        "é½",
        "אב גד",
    ],
)
def test_traces(trace: str) -> None:
    assert sasl.AnonymousClient(trace).respond(None) == trace.encode()
    assert sasl.AnonymousServer().step(trace.encode()) == sasl.Trace(trace)


@pytest.mark.parametrize(
    ("trace", "fault"),
    [
        ("x" * 256, LENGTH),
        ("sirhc\r\nroot logged in", PROHIBITED),
        ("\x7f", PROHIBITED),
        ("\x85", PROHIBITED),
        ("\ue000", PROHIBITED),
        ("\ufffe", PROHIBITED),
        ("\ufffd", PROHIBITED),
        ("\u202e", PROHIBITED),
        ("\U000e0041", PROHIBITED),
        ("א a ב", DIRECTIONS),
        ("אב1", DIRECTIONS),
        ("1אב", DIRECTIONS),
    ],
)
def test_traces_that_the_profile_prohibits(trace: str, fault: str) -> None:
    with pytest.raises(LocalProtocolError, match=fault):
        sasl.AnonymousClient(trace)
    assert sasl.AnonymousServer().step(trace.encode()) == sasl.Failure(f"ANONYMOUS: {fault}")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"\xff", "ANONYMOUS: the trace is not UTF-8"),
        (b"a\0b", "ANONYMOUS: the trace holds NUL"),
    ],
)
def test_malformed_responses_fail(response: bytes, reason: str) -> None:
    assert sasl.AnonymousServer().step(response) == sasl.Failure(reason)


def test_a_surrogate_is_prohibited() -> None:
    with pytest.raises(LocalProtocolError, match=PROHIBITED):
        sasl.AnonymousClient("\ud800")
