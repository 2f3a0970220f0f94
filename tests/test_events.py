"""Events: what they carry, what of it they show, and which of them want a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from smtpproto import LocalProtocolError, events, pop3, sasl, smtp, strategies
from smtpproto.smtp import Reply


def test_repr_of_a_long_piece_is_short() -> None:
    shown = repr(smtp.MessageData(b"x" * 100_000))
    assert shown.startswith("MessageData(data=<100000 octets: b'xxx")
    assert len(shown) < 120


@pytest.mark.parametrize("name", [name for name in events.__all__ if hasattr(smtp, name)])
def test_smtp_gives_the_shared_ones_out_under_its_own_name(name: str) -> None:
    assert getattr(smtp, name) is getattr(events, name)


@pytest.mark.parametrize(
    ("event", "wants_reply"),
    [
        (smtp.Ehlo("c"), True),
        (smtp.EndOfMessage(), True),
        (smtp.ChunkReceived(3), True),
        (smtp.AuthResponse(b""), True),
        (smtp.MessageData(b"x"), False),
        (smtp.AuthChallenge(), False),
        (smtp.AuthCancelled(), False),
        (smtp.TlsHandshake(), False),
        (smtp.CommandRefused(b"X", Reply(500)), False),
        (smtp.MessageRefused(None), False),
        (smtp.ReplyReceived(smtp.Greeting(), Reply(220)), False),
        (smtp.ConnectionClosed(True), False),
    ],
)
def test_what_wants_a_reply(event: smtp.Event, wants_reply: bool) -> None:
    assert isinstance(event, smtp.Event)
    assert isinstance(event, smtp.Request) is wants_reply


@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
def test_octets_are_bytes_whatever_they_came_as(data: bytes | bytearray | memoryview) -> None:
    event = smtp.MessageData(data)
    assert event == smtp.MessageData(b"abc")
    assert type(event.data) is bytes


def test_octets_do_not_change_with_the_buffer_they_came_in() -> None:
    buffer = bytearray(b"abc")
    event = smtp.MessageData(buffer)
    buffer[:] = b"xyz"
    assert event.data == b"abc"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (smtp.AuthResponse(b"s3cret"), "AuthResponse(data=REDACTED)"),
        (smtp.AuthResponse(b""), "AuthResponse(data=b'')"),
        (smtp.AuthChallenge(b"Username:"), "AuthChallenge(data=b'Username:')"),
        (smtp.MessageData(b"a\r\n"), "MessageData(data=b'a\\r\\n')"),
        (smtp.EndOfMessage(), "EndOfMessage()"),
        (
            smtp.ConnectionClosed(False, (smtp.Auth("PLAIN", b"s3cret"),)),
            "ConnectionClosed(clean=False, unanswered=(Auth(mechanism='PLAIN',"
            " initial_response=REDACTED),), handed_over=False)",
        ),
        (
            smtp.ReplyReceived(smtp.Auth("PLAIN", b"s3cret"), Reply(535, "no")),
            "ReplyReceived(Auth(mechanism='PLAIN', initial_response=REDACTED), Reply(535, 'no'))",
        ),
    ],
)
def test_repr_shows_no_secret(event: smtp.Event, shown: str) -> None:
    assert repr(event) == shown


@given(strategies.smtp_events() | strategies.pop3_events())
def test_repr_of_any(event: smtp.Event) -> None:
    assert repr(event).startswith(type(event).__name__ + "(")


def test_pattern_matching() -> None:
    match smtp.ReplyReceived(smtp.Rcpt("c@d"), Reply(550, "no", enhanced="5.1.1")):
        case smtp.ReplyReceived(smtp.Rcpt(address), Reply(code, lines)):
            assert str(address) == "c@d"
            assert (code, lines) == (550, ("5.1.1 no",))
        case _:
            raise AssertionError


class TestEnvelope:
    def test_takes_addresses_texts_and_commands(self) -> None:
        envelope = smtp.Envelope("a@b", ["c@d", smtp.Address("e@f"), smtp.Rcpt("g@h", {"X": "1"})])
        assert envelope.mail == smtp.Mail("a@b")
        assert envelope.recipients == (
            smtp.Rcpt("c@d"),
            smtp.Rcpt("e@f"),
            smtp.Rcpt("g@h", {"X": "1"}),
        )
        assert smtp.Envelope(None).mail == smtp.Mail(None)
        assert smtp.Envelope(smtp.SendMail("a@b")).mail == smtp.SendMail("a@b")

    def test_one_text_is_no_list_of_recipients(self) -> None:
        with pytest.raises(LocalProtocolError, match="a list"):
            smtp.Envelope("a@b", "c@d")

    @given(strategies.envelopes())
    def test_of_its_own_parts_is_itself(self, envelope: smtp.Envelope) -> None:
        assert smtp.Envelope(envelope.mail, envelope.recipients) == envelope


@pytest.mark.parametrize("name", strategies.__all__)
def test_every_public_strategy_is_documented(name: str) -> None:
    assert getattr(strategies, name).__doc__


OF_ONE_CLASS: list[SearchStrategy[str]] = [
    strategies.smtp_commands(smtp.Ehlo).map(lambda ehlo: ehlo.domain),
    strategies.smtp_extensions(smtp.ext.Auth).map(lambda auth: " ".join(auth.mechanisms)),
    strategies.pop3_commands(pop3.User).map(lambda user: user.name),
    strategies.pop3_responses(pop3.Ok).map(lambda ok: "\n".join(ok.lines or ())),
    strategies.pop3_listings(pop3.UniqueId).map(lambda unique: unique.uid),
    strategies.sasl_steps(sasl.Success).map(lambda success: success.identity),
]


@given(st.one_of(OF_ONE_CLASS))
def test_a_strategy_of_one_class_is_of_that_class_for_type_checkers_too(field: str) -> None:
    assert isinstance(field, str)
