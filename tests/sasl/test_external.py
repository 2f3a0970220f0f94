"""EXTERNAL, RFC 4422 appendix A."""

import pytest

from smtpproto import LocalProtocolError, sasl


def test_the_first_example_of_a2_leaves_the_identity_to_the_server() -> None:
    server = sasl.ExternalServer()
    client = sasl.ExternalClient()
    assert client.name == server.name == "EXTERNAL"

    assert server.step(None) == sasl.Challenge(b"")
    assert client.respond(b"") == b""  # empty, and yet a response
    assert client.complete
    assert server.step(b"") == sasl.Identity(None)
    assert server.accept("fred@example.com") == sasl.Success("fred@example.com")


def test_the_second_example_of_a2_names_an_identity() -> None:
    client = sasl.ExternalClient("fred@example.com")
    assert client.respond(None) == b"fred@example.com"
    server = sasl.ExternalServer()
    assert server.step(b"fred@example.com") == sasl.Identity("fred@example.com")
    assert server.reject() == sasl.Failure("not authenticated")


def test_an_initial_response_may_be_empty() -> None:
    assert sasl.ExternalClient().respond(None) == b""
    assert sasl.ExternalServer().step(b"") == sasl.Identity(None)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"fr\0ed", "EXTERNAL: the authorization identity holds NUL"),
        (b"\xff", "EXTERNAL: the authorization identity is not UTF-8"),
    ],
)
def test_malformed_responses_fail(response: bytes, reason: str) -> None:
    assert sasl.ExternalServer().step(response) == sasl.Failure(reason)


def test_a_client_refuses_what_the_message_cannot_carry() -> None:
    with pytest.raises(LocalProtocolError, match="must not be empty"):
        sasl.ExternalClient("")
