"""Every value of every class: equal to its like and to nothing else, hashed, never changed."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, pop3, sasl, smtp, strategies
from smtpproto._value import Value, constructor
from smtpproto.errors import LimitError, Refused
from smtpproto.smtp import ext

values = st.one_of(
    strategies.smtp_addresses(),
    strategies.smtp_parameters(),
    strategies.smtp_replies(),
    strategies.enhanced_statuses(),
    strategies.smtp_extensions(),
    strategies.smtp_capabilities(),
    strategies.smtp_events(),
    strategies.smtp_limits(),
    strategies.smtp_reports(),
    strategies.envelopes(),
    strategies.pop3_commands(),
    strategies.pop3_responses(),
    strategies.pop3_listings(),
    strategies.pop3_capabilities(),
    strategies.pop3_limits(),
    strategies.pop3_events(),
    strategies.sasl_steps(),
    strategies.sasl_scram_keys(),
)


@given(values, values)
def test_equality_and_hash(one: Value, other: Value) -> None:
    if type(one) is not type(other):
        assert one != other
    if one == other:
        assert hash(one) == hash(other)
    assert (one == other) is (other == one)
    assert one != object()


@given(values)
def test_copies_are_equal(value: Value) -> None:
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert again == value
        assert type(again) is type(value)
        assert hash(again) == hash(value)
        assert repr(again) == repr(value)


@given(values)
def test_nothing_can_be_changed(value: Value) -> None:
    for name in (*type(value).__match_args__, "code", "anything", "_text"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(value, name, None)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(value, name)
    assert not hasattr(value, "__dict__")


@given(values)
def test_the_fields_are_those_of_the_class(value: Value) -> None:
    for name in type(value).__match_args__:
        getattr(value, name)


def test_errors_can_be_copied() -> None:
    """As they are on their way from one process to another."""
    with pytest.raises(Refused) as smtp_error:
        smtp.Command.parse(b"MAIL FROM:<a@>\r\n")
    with pytest.raises(Refused) as pop3_error:
        pop3.Command.parse(b"RETR 0\r\n")
    for error in (smtp_error.value, pop3_error.value, LimitError("MAILMAX")):
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(again) is type(error)
            assert (str(again), vars(again)) == (str(error), vars(error))
    assert (smtp_error.value.code, smtp_error.value.status) == (501, "5.1.7")
    assert str(smtp_error.value) == "Bad address syntax"


NOT_EQUAL: list[tuple[object, object]] = [
    (smtp.Ehlo("c"), smtp.Helo("c")),
    (smtp.Ehlo("c"), smtp.Lhlo("c")),
    (smtp.Data(), smtp.Rset()),
    (smtp.Noop(), smtp.Help()),
    (smtp.Vrfy("a"), smtp.Expn("a")),
    (smtp.Mail("a@b"), smtp.SendMail("a@b")),
    (smtp.SendMail("a@b"), smtp.SendOrMail("a@b")),
    (smtp.SendOrMail("a@b"), smtp.SendAndMail("a@b")),
    (smtp.AuthChallenge(b"x"), smtp.AuthResponse(b"x")),
    (smtp.MessageData(b"x"), smtp.AuthChallenge(b"x")),
    (smtp.StartTls(), ext.StartTls()),
    (smtp.Auth("PLAIN"), ext.Auth("PLAIN")),
    (smtp.Vrfy("x"), ext.Vrfy()),
    (ext.Expn(), ext.Vrfy()),
    (ext.Unknown("XCLIENT"), ext.Verb("XCLIENT")),
    (ext.Atrn("x"), ext.Burl("x")),
    (smtp.Bdat(1), smtp.ChunkReceived(1)),
    (smtp.Rcpt("a@b"), smtp.Address("a@b")),
    (smtp.Address("a@b"), "a@b"),
    (smtp.Reply(250, "OK"), "250 OK"),
    (smtp.EnhancedStatus(2, 0, 0), (2, 0, 0)),
    (smtp.Parameters(), {}),
    (smtp.EndOfMessage(), smtp.TlsHandshake()),
    (smtp.Bdat(1), smtp.Bdat(1, True)),
]


@pytest.mark.parametrize(("one", "other"), NOT_EQUAL)
def test_values_of_different_classes_are_never_equal(one: object, other: object) -> None:
    assert one != other
    assert other != one
    assert len({one, other} if not isinstance(other, dict) else {one, "{}"}) == 2


def test_a_value_of_a_subclass_is_another_value() -> None:
    class Own(smtp.Noop):
        __slots__ = ()

    assert Own() != smtp.Noop()
    assert smtp.Noop() != Own()
    assert Own() == Own()


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (smtp.Mail("a@b"), ("reverse_path", "parameters")),
        (smtp.Rcpt("a@b"), ("forward_path", "parameters")),
        (smtp.Bdat(1), ("size", "last")),
        (smtp.Extended("X"), ("name", "argument")),
        (smtp.Data(), ()),
        (smtp.Reply(250), ("code", "lines")),
        (smtp.EnhancedStatus(2, 0, 0), ("klass", "subject", "detail")),
        (smtp.Address("a@b"), ("local_part", "domain")),
        (smtp.ReplyReceived(None, smtp.Reply(250)), ("command", "reply", "recipient")),
        (smtp.ConnectionClosed(True), ("clean", "unanswered", "handed_over")),
        (smtp.CommandRefused(b"", smtp.Reply(500)), ("line", "reply")),
        (smtp.Envelope("a@b"), ("mail", "recipients")),
        (ext.Size(1), ("limit",)),
        (ext.Unknown("X"), ("keyword", "parameters")),
    ],
)
def test_the_order_of_fields_for_pattern_matching(value: Value, fields: tuple[str, ...]) -> None:
    assert type(value).__match_args__ == fields


def test_a_value_names_its_fields_for_pattern_matching() -> None:
    with pytest.raises(TypeError, match="Nameless: name the fields in __match_args__ too"):
        type("Nameless", (Value,), {"__slots__": ("one",)})


@pytest.mark.parametrize("count", [1, 2, 3])
def test_constructor_builds_what_the_class_would(count: int) -> None:
    names = ("one", "two", "three")[:count]
    cls: Any = type("Counted", (Value,), {"__slots__": names, "__match_args__": names})
    built: Any = constructor(cls)(*range(count))
    assert [getattr(built, name) for name in names] == list(range(count))
    assert type(built) is cls
    assert built == constructor(cls)(*range(count))
    assert built != constructor(cls)(*range(1, count + 1))
    with pytest.raises(AttributeError, match="immutable"):
        built.one = 7


@pytest.mark.parametrize(
    "build",
    [
        smtp.Bdat, smtp.Reply, ext.Size, pop3.Retr, pop3.Dele,
        lambda number: smtp.EnhancedStatus(2, number, 0),
        lambda number: pop3.ScanListing(1, number),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [True, "250", 250.0])
def test_a_number_is_an_int(build: Any, number: Any) -> None:
    with pytest.raises(LocalProtocolError):
        build(number)


@pytest.mark.parametrize(
    "build",
    [
        lambda octets: smtp.MessageData(octets), lambda octets: smtp.AuthResponse(octets),
        lambda octets: smtp.AuthChallenge(octets), lambda octets: smtp.Auth("PLAIN", octets),
        lambda octets: smtp.Raw(octets), lambda octets: pop3.Auth("PLAIN", octets),
    ],
)  # fmt: skip
@pytest.mark.parametrize("octets", ["text", 5, [1, 2]])
def test_octets_are_bytes(build: Any, octets: Any) -> None:
    """bytes(5) would be five NULs."""
    with pytest.raises(TypeError, match="octets are wanted") as error:
        build(octets)
    assert "text" not in str(error.value)
    assert build(memoryview(b"x")) == build(bytearray(b"x")) == build(b"x")


def test_arguments_with_a_choice() -> None:
    with pytest.raises(LocalProtocolError, match="newlines='lf': expected 'crlf' or 'strict'"):
        smtp.ClientConnection(newlines="lf")  # type: ignore[arg-type] # what is tested
    with pytest.raises(LocalProtocolError, match="bare_newlines='no': expected 'refuse' or"):
        smtp.ServerConnection("mx", bare_newlines="no")  # type: ignore[arg-type] # the same


@pytest.mark.parametrize("extensions", ["PIPELINING", ["PIPELINING"], [ext.Pipelining]])
def test_extensions_are_values(extensions: Any) -> None:
    with pytest.raises(TypeError, match=r"such as smtp.ext.Pipelining\(\), not"):
        smtp.ServerConnection("mx", extensions=extensions)


@pytest.mark.parametrize(
    "build",
    [
        smtp.Address, smtp.Mail, smtp.Rcpt, smtp.Ehlo, smtp.Etrn, smtp.Vrfy, smtp.Envelope,
        smtp.Noop, ext.Auth, pop3.User, pop3.Pass, lambda text: smtp.Envelope("a@b", [text]),
        lambda text: smtp.Reply(250, text), pop3.Ok, pop3.Err,
        lambda text: pop3.Maildrop([(text, 120)]),
        lambda text: sasl.PlainClient("tim", text), lambda text: sasl.apop_digest("<a@b>", text),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [b"a@b.example", 5, ["a@b.example"]])
def test_text_is_str(build: Any, text: Any) -> None:
    with pytest.raises(LocalProtocolError):
        build(text)


@pytest.mark.parametrize(
    ("build", "secret"),
    [
        (pop3.Pass, "tan\0staaf"),
        (pop3.Pass, b"tanstaaf"),
        (lambda secret: pop3.Auth("PLAIN", secret), "tanstaaf"),
        (lambda secret: smtp.Auth("PLAIN", secret), "tanstaaf"),
        (smtp.AuthResponse, "tanstaaf"),
        (lambda secret: sasl.PlainClient("tim", secret), "tan\0staaf"),
        (lambda secret: sasl.PlainClient("tim", secret), b"tanstaaf"),
    ],
)
def test_no_error_shows_a_secret(build: Any, secret: Any) -> None:
    with pytest.raises((LocalProtocolError, TypeError)) as error:
        build(secret)
    assert "staaf" not in str(error.value)
