"""CRAM-MD5, RFC 2195."""

import hmac

import pytest

from smtpproto import LocalProtocolError, sasl

CHALLENGE = "<1896.697170952@postoffice.reston.mci.net>"
RESPONSE = b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_the_example_of_section_2() -> None:
    client = sasl.CramMd5Client("tim", "tanstaaftanstaaf")
    server = sasl.CramMd5Server(CHALLENGE)
    assert client.name == server.name == "CRAM-MD5"

    assert client.respond(None) is None
    assert server.step(None) == sasl.Challenge(b"<1896.697170952@postoffice.reston.mci.net>")
    assert (
        client.respond(b"<1896.697170952@postoffice.reston.mci.net>")
        == b"tim b913a602c7eda7a495b4e6e7334d3890"
    )
    assert client.complete
    proof = server.step(b"tim b913a602c7eda7a495b4e6e7334d3890")
    assert proof == sasl.Proof("tim", CHALLENGE, "b913a602c7eda7a495b4e6e7334d3890")
    assert isinstance(proof, sasl.Proof)
    assert proof.verify("tanstaaftanstaaf")
    assert not proof.verify("tanstaaf")
    assert not proof.verify(None)
    assert server.accept("tim") == sasl.Success("tim")


def test_the_digest_alone() -> None:
    assert sasl.cram_md5_digest(CHALLENGE, "tanstaaftanstaaf") == "b913a602c7eda7a495b4e6e7334d3890"


def test_a_user_name_may_hold_spaces() -> None:
    server = sasl.CramMd5Server(CHALLENGE)
    server.step(None)
    proof = server.step(b"tim the elder b913a602c7eda7a495b4e6e7334d3890")
    assert proof == sasl.Proof("tim the elder", CHALLENGE, "b913a602c7eda7a495b4e6e7334d3890")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", "CRAM-MD5: the digest is not 32 lower-case hexadecimal digits"),
        (b"tim", "CRAM-MD5: the digest is not 32 lower-case hexadecimal digits"),
        (
            b"tim B913A602C7EDA7A495B4E6E7334D3890",
            "CRAM-MD5: the digest is not 32 lower-case hexadecimal digits",
        ),
        (
            b"tim X913a602c7eda7a495b4e6e7334d3890",
            "CRAM-MD5: the digest is not 32 lower-case hexadecimal digits",
        ),
        (b"b913a602c7eda7a495b4e6e7334d3890", "CRAM-MD5: the user name is empty"),
        (b" b913a602c7eda7a495b4e6e7334d3890", "CRAM-MD5: the user name is empty"),
        (b"t\xff b913a602c7eda7a495b4e6e7334d3890", "CRAM-MD5: the user name is not UTF-8"),
    ],
)
def test_malformed_responses_fail(response: bytes, reason: str) -> None:
    server = sasl.CramMd5Server(CHALLENGE)
    server.step(None)
    assert server.step(response) == sasl.Failure(reason)


def test_an_initial_response_fails_because_it_answers_no_challenge() -> None:
    # RFC 4422 section 5, 2a: to a server-first mechanism none must be sent. This one would be a
    # replay of an answer to the same challenge.
    assert sasl.CramMd5Server(CHALLENGE).step(RESPONSE) == sasl.Failure(
        "CRAM-MD5: an initial response, but the server speaks first"
    )


@pytest.mark.parametrize("challenge", [b"", b"\xff@example", b"<nul\0@example>"])
def test_a_client_gives_up_on_a_challenge_that_is_no_string(challenge: bytes) -> None:
    client = sasl.CramMd5Client("tim", "secret")
    assert client.respond(challenge) is None
    assert client.respond(CHALLENGE.encode()) is None
    assert not client.complete


def test_a_client_answers_once() -> None:
    client = sasl.CramMd5Client("tim", "tanstaaftanstaaf")
    assert client.respond(CHALLENGE.encode()) == RESPONSE
    assert client.respond(CHALLENGE.encode()) is None
    assert not client.complete


@pytest.mark.parametrize("key", [b"", b"?"])
@pytest.mark.parametrize("secret", ["", None])
def test_an_unknown_user_or_an_empty_secret_fails(key: bytes, secret: str | None) -> None:
    digest = hmac.new(key, CHALLENGE.encode(), "md5").hexdigest()
    assert not sasl.Proof("tim", CHALLENGE, digest).verify(secret)


def test_a_client_refuses_empty_strings() -> None:
    with pytest.raises(LocalProtocolError, match="the user name must not be empty"):
        sasl.CramMd5Client("", "secret")
    with pytest.raises(LocalProtocolError, match="the secret must not be empty"):
        sasl.CramMd5Client("tim", "")


@pytest.mark.parametrize(
    "challenge",
    ["", "<", "x", "<>", "<x>", "<@x>", "<x@>", "1@x", "<1@x", "<1@x y>", "<1@é>", "<1@x>>"],
)
def test_a_server_refuses_a_challenge_that_is_no_msg_id(challenge: str) -> None:
    with pytest.raises(LocalProtocolError, match="a timestamp is a msg-id"):
        sasl.CramMd5Server(challenge)


def test_a_fresh_timestamp_serves_as_the_challenge() -> None:
    one, other = sasl.make_timestamp("mx.example"), sasl.make_timestamp("mx.example")
    assert one != other
    assert one.startswith("<")
    assert one.endswith("@mx.example>")
    for challenge in (one, "<!X@Y~>", "<~@!>"):
        assert sasl.CramMd5Server(challenge).step(None) == sasl.Challenge(challenge.encode())
    with pytest.raises(LocalProtocolError, match="a timestamp is a msg-id"):
        sasl.make_timestamp("mx example")
