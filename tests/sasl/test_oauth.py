"""OAUTHBEARER, RFC 7628; XOAUTH2, Google's description."""

import pytest

from smtpproto import LocalProtocolError, sasl

TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


def test_the_example_of_section_4_1() -> None:
    client = sasl.OAuthBearerClient("user@example.com", TOKEN, "server.example.com", 143)
    assert client.name == "OAUTHBEARER"
    message = (
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
        b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
    )
    assert client.respond(None) == message
    assert client.complete

    server = sasl.OAuthBearerServer()
    assert server.step(message) == sasl.Token("user@example.com", TOKEN, "server.example.com", 143)
    assert server.accept("user@example.com") == sasl.Success("user@example.com")


def test_the_example_of_section_4_3_asks_for_the_scope() -> None:
    server = sasl.OAuthBearerServer(
        scope="example_scope",
        openid_configuration="https://example.com/.well-known/openid-configuration",
    )
    refusal = (
        b'{"status":"invalid_token","scope":"example_scope",'
        b'"openid-configuration":"https://example.com/.well-known/openid-configuration"}'
    )
    assert server.step(
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01"
    ) == sasl.Challenge(refusal)
    assert server.step(b"\x01") == sasl.Failure("OAUTHBEARER: there is no bearer token")


def test_the_example_of_section_4_4_refuses_the_token() -> None:
    # "user=" is not what RFC 5801 has there, but it is what the example has.
    server = sasl.OAuthBearerServer(scope="https://mail.example.com/")
    assert server.step(
        b"n,user=someuser@example.com,\x01"
        b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\x01\x01"
    ) == sasl.Token("someuser@example.com", "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==")
    assert server.reject("expired") == sasl.Challenge(
        b'{"status":"invalid_token","scope":"https://mail.example.com/"}'
    )
    assert server.step(b"\x01") == sasl.Failure("expired")


def test_a_client_acknowledges_the_refusal_and_keeps_it() -> None:
    client = sasl.OAuthBearerClient("someuser@example.com", TOKEN)
    assert (
        client.respond(None)
        == b"n,a=someuser@example.com,\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"
    )
    assert client.refusal is None
    assert client.respond(b'{"status":"invalid_token"}') == b"\x01"
    assert client.refusal == b'{"status":"invalid_token"}'
    assert not client.complete
    assert client.respond(b"and another thing") is None
    assert client.refusal == b'{"status":"invalid_token"}'


def test_what_acknowledges_the_refusal_changes_nothing() -> None:
    server = sasl.OAuthBearerServer()
    server.step(b"n,,\x01auth=Bearer x\x01\x01")
    assert server.reject("too narrow", status="insufficient_scope") == sasl.Challenge(
        b'{"status":"insufficient_scope"}'
    )
    assert server.step(b"n,,\x01auth=Bearer y\x01\x01") == sasl.Failure("too narrow")


def test_the_authorization_identity_is_a_saslname() -> None:
    client = sasl.OAuthBearerClient("a,b=c=2C", "t")
    assert client.respond(None) == b"n,a=a=2Cb=3Dc=3D2C,\x01auth=Bearer t\x01\x01"
    assert sasl.OAuthBearerServer().step(
        b"n,a=a=2Cb=3Dc=3D2C,\x01auth=Bearer t\x01\x01"
    ) == sasl.Token("a,b=c=2C", "t")


def test_all_but_the_token_may_be_missing() -> None:
    client = sasl.OAuthBearerClient(None, "t")
    assert client.respond(None) == b"n,,\x01auth=Bearer t\x01\x01"
    assert sasl.OAuthBearerServer().step(b"n,,\x01auth=Bearer t\x01\x01") == sasl.Token(None, "t")


@pytest.mark.parametrize(
    "message",
    [
        b"y,,\x01auth=BeArEr t\x01\x01",
        b"n,,\x01qs=a=b\r\n\t\x01auth=bearer t\x01path=\xc3\xa9\x01\x01",
        b"n,,\x01qs=1\x01qs=2\x01auth=Bearer t\x01\x01",
    ],
)
def test_any_case_of_the_scheme_and_unknown_pairs_are_understood(message: bytes) -> None:
    assert sasl.OAuthBearerServer().step(message) == sasl.Token(None, "t")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "the message is empty"),
        (b"\x01", "the message does not begin with a GS2 header (n,,)"),
        (b"\xff", "the message is not UTF-8"),
        (b"x,,\x01auth=Bearer t\x01\x01", "the message does not begin with a GS2 header (n,,)"),
        (b"n,\x01auth=Bearer t\x01\x01", "the message does not begin with a GS2 header (n,,)"),
        (b"n,,,\x01auth=Bearer t\x01\x01", "the message does not begin with a GS2 header (n,,)"),
        (b"n,,x\x01auth=Bearer t\x01\x01", "the message does not begin with a GS2 header (n,,)"),
        (
            b"p=tls-unique,,\x01auth=Bearer t\x01\x01",
            "the message does not begin with a GS2 header (n,,)",
        ),
        (b"n,a=,\x01\x01", "the GS2 header holds something else than a=name"),
        (b"n,b=x,\x01\x01", "the GS2 header holds something else than a=name"),
        (b"n,a=x=2c,\x01\x01", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,a=x=,\x01\x01", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,,", "the message does not end in %x01 %x01"),
        (b"n,,\x01auth=Bearer t\x01", "the message does not end in %x01 %x01"),
        (b"n,,\x01auth=Bearer t", "the message does not end in %x01 %x01"),
        (b"n,,\x01\x01", "the message holds no auth="),
        (b"n,,\x01\x01\x01", "the message holds something else than key=value"),
        (b"n,,\x01auth\x01\x01", "the message holds something else than key=value"),
        (b"n,,\x01=Bearer t\x01\x01", "the message holds something else than key=value"),
        (b"n,,\x01p1=2\x01\x01", "the message holds something else than key=value"),
        (b"n,,\x01\xc3\xa9=2\x01\x01", "the message holds something else than key=value"),
        (b"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", "the message holds auth= twice"),
        (
            b"n,,\x01auth=Bearer t u\x01\x01",
            "the token or the host is not of visible ASCII characters",
        ),
        (
            b"n,,\x01host=\x01auth=Bearer t\x01\x01",
            "the token or the host is not of visible ASCII characters",
        ),
        (b"n,,\x01port=\x01auth=Bearer t\x01\x01", "the port is not a number from 1 to 65535"),
        (b"n,,\x01port=0\x01auth=Bearer t\x01\x01", "the port is not a number from 1 to 65535"),
        (b"n,,\x01port=025\x01auth=Bearer t\x01\x01", "the port is not a number from 1 to 65535"),
        (b"n,,\x01port=65536\x01auth=Bearer t\x01\x01", "the port is not a number from 1 to 65535"),
        (
            b"n,,\x01port=" + b"9" * 5000 + b"\x01auth=Bearer t\x01\x01",
            "the port is not a number from 1 to 65535",
        ),
        (
            "n,,\x01port=2\u00b2\x01auth=Bearer t\x01\x01".encode(),
            "the port is not a number from 1 to 65535",
        ),
        (b"n,,\x01port=-1\x01auth=Bearer t\x01\x01", "the port is not a number from 1 to 65535"),
    ],
)
def test_malformed_messages_fail(message: bytes, reason: str) -> None:
    assert sasl.OAuthBearerServer().step(message) == sasl.Failure(f"OAUTHBEARER: {reason}")


def test_the_message_of_a_client_without_a_bearer_token_is_refused_in_json() -> None:
    server = sasl.OAuthBearerServer()
    assert server.step(b"n,,\x01auth=Basic dXNlcjpwYXNz\x01\x01") == sasl.Challenge(
        b'{"status":"invalid_token"}'
    )


def test_a_client_refuses_what_the_message_cannot_carry() -> None:
    with pytest.raises(LocalProtocolError, match="the token must be of visible ASCII characters"):
        sasl.OAuthBearerClient(None, "")
    with pytest.raises(LocalProtocolError, match="the token must be of visible ASCII characters"):
        sasl.OAuthBearerClient(None, "two words")
    with pytest.raises(LocalProtocolError, match="the host must be of visible ASCII characters"):
        sasl.OAuthBearerClient(None, "t", host="x\x01y")
    for port in (-1, 0, 65536):
        with pytest.raises(LocalProtocolError, match="the port must be from 1 to 65535"):
            sasl.OAuthBearerClient(None, "t", port=port)
    with pytest.raises(LocalProtocolError, match="the authorization_id must not be empty"):
        sasl.OAuthBearerClient("", "t")
    with pytest.raises(LocalProtocolError, match="the authorization_id must not hold %x01"):
        sasl.XOAuth2Client("a\x01auth=Bearer u", "t")


def test_xoauth2_the_initial_response_of_googles_description() -> None:
    client = sasl.XOAuth2Client("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEu")
    assert client.name == "XOAUTH2"
    message = (
        b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEu\x01\x01"
    )
    assert client.respond(None) == message
    assert client.complete

    server = sasl.XOAuth2Server()
    assert server.name == "XOAUTH2"
    assert server.step(message) == sasl.Token(
        "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEu"
    )
    assert server.accept("someuser@example.com") == sasl.Success("someuser@example.com")


def test_xoauth2_a_refusal_is_acknowledged_by_an_empty_response() -> None:
    server = sasl.XOAuth2Server(scope="https://mail.google.com/")
    client = sasl.XOAuth2Client("someuser@example.com", "old")
    refusal = b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'

    assert server.step(None) == sasl.Challenge(b"")
    assert client.respond(b"") == b"user=someuser@example.com\x01auth=Bearer old\x01\x01"
    server.step(b"user=someuser@example.com\x01auth=Bearer old\x01\x01")
    assert server.reject("expired") == sasl.Challenge(refusal)
    assert client.respond(refusal) == b""
    assert client.refusal == refusal
    assert not client.complete
    assert server.step(b"") == sasl.Failure("expired")


def test_xoauth2_without_scope() -> None:
    assert sasl.XOAuth2Server().step(b"user=a\x01auth=\x01\x01") == sasl.Challenge(
        b'{"status":"401","schemes":"bearer"}'
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"auth=Bearer t\x01\x01", "the message holds no user="),
        (b"user=\x01auth=Bearer t\x01\x01", "the message holds no user="),
        (b"user=a\x01\x01", "the message holds no auth="),
        (b"user=a\x01user=b\x01auth=Bearer t\x01\x01", "the message holds user= twice"),
    ],
)
def test_xoauth2_malformed_messages_fail(message: bytes, reason: str) -> None:
    assert sasl.XOAuth2Server().step(message) == sasl.Failure(f"XOAUTH2: {reason}")
