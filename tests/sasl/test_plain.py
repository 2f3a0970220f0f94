"""PLAIN, RFC 4616."""

import pytest

from smtpproto import LocalProtocolError, sasl


def test_the_first_example_of_section_4() -> None:
    client = sasl.PlainClient("tim", "tanstaaftanstaaf")
    assert client.name == "PLAIN"
    assert not client.complete
    assert client.respond(None) == b"\0tim\0tanstaaftanstaaf"
    assert client.complete

    server = sasl.PlainServer()
    assert server.step(b"\0tim\0tanstaaftanstaaf") == sasl.Credentials(
        None, "tim", "tanstaaftanstaaf"
    )
    assert server.accept("tim") == sasl.Success("tim")


def test_the_second_example_of_section_4_acts_as_somebody_else() -> None:
    client = sasl.PlainClient("Kurt", "xipj3plmq", authorization_id="Ursel")
    assert client.respond(None) == b"Ursel\0Kurt\0xipj3plmq"

    server = sasl.PlainServer()
    assert server.step(b"Ursel\0Kurt\0xipj3plmq") == sasl.Credentials("Ursel", "Kurt", "xipj3plmq")
    assert server.reject("Kurt may not act as Ursel") == sasl.Failure("Kurt may not act as Ursel")


def test_without_an_initial_response_the_server_sends_an_empty_challenge() -> None:
    server = sasl.PlainServer()
    assert server.step(None) == sasl.Challenge(b"")
    assert server.step(b"\0tim\0secret") == sasl.Credentials(None, "tim", "secret")


def test_octets_are_left_alone_no_normalization() -> None:
    # U+00BD is what SASLprep turns into "1/2" (RFC 5802 section 3 recommends to try it).
    client = sasl.PlainClient("\u00bd", "\u00e9 e\u0301")
    assert client.respond(None) == b"\0\xc2\xbd\0\xc3\xa9 e\xcc\x81"
    server = sasl.PlainServer()
    assert server.step(b"\0\xc2\xbd\0\xc3\xa9 e\xcc\x81") == sasl.Credentials(
        None, "\u00bd", "\u00e9 e\u0301"
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "PLAIN: the message holds 0 NULs instead of two"),
        (b"tim\0secret", "PLAIN: the message holds 1 NULs instead of two"),
        (b"\0tim\0secret\0", "PLAIN: the message holds 3 NULs instead of two"),
        (b"\0\0secret", "PLAIN: the authentication identity is empty"),
        (b"\0tim\0", "PLAIN: the password is empty"),
        (b"\xff\0tim\0secret", "PLAIN: the authorization identity is not UTF-8"),
        (b"\0\xc0\xaf\0secret", "PLAIN: the authentication identity is not UTF-8"),
        (b"\0tim\0\xed\xa0\x80", "PLAIN: the password is not UTF-8"),
    ],
)
def test_malformed_messages_fail(message: bytes, reason: str) -> None:
    assert sasl.PlainServer().step(message) == sasl.Failure(reason)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("", "secret", None), "the authentication_id must not be empty"),
        (("tim", "", None), "the password must not be empty"),
        (("tim", "secret", ""), "the authorization_id must not be empty"),
        (("t\0m", "secret", None), "the authentication_id must not hold NUL"),
        (("tim", "sec\0ret", None), "the password must not hold NUL"),
        (("tim", "sec\ud800ret", None), "the password cannot be written in UTF-8"),
    ],
)
def test_a_client_refuses_what_the_message_cannot_carry(
    arguments: tuple[str, str, str | None], error: str
) -> None:
    with pytest.raises(LocalProtocolError, match=error) as caught:
        sasl.PlainClient(*arguments)
    assert "ret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_credentials_verify_against_a_password_kept_in_clear() -> None:
    credentials = sasl.Credentials(None, "tim", "pässword")
    assert credentials.verify("pässword")
    assert not credentials.verify("password")
    assert not credentials.verify("")
    assert not credentials.verify(None)
    assert not credentials.verify("p\udce4ssword")
    assert not sasl.Credentials(None, "tim", "p\udce4ssword").verify("password")
