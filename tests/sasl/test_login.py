"""LOGIN, draft-murchison-sasl-login."""

import pytest

from smtpproto import LocalProtocolError, sasl


def test_an_exchange() -> None:
    server = sasl.LoginServer()
    client = sasl.LoginClient("tim", "tanstaaftanstaaf")
    assert client.name == server.name == "LOGIN"

    assert client.respond(None) is None  # the server speaks first
    assert server.step(None) == sasl.Challenge(b"Username:")
    assert client.respond(b"Username:") == b"tim"
    assert not client.complete
    assert server.step(b"tim") == sasl.Challenge(b"Password:")
    assert client.respond(b"Password:") == b"tanstaaftanstaaf"
    assert client.complete
    assert server.step(b"tanstaaftanstaaf") == sasl.Credentials(None, "tim", "tanstaaftanstaaf")
    assert server.accept("tim") == sasl.Success("tim")


@pytest.mark.parametrize("prompt", [b"User Name\0", b"", b"VXNlcm5hbWU6", b"\xff"])
def test_a_client_does_not_care_what_it_is_asked_with(prompt: bytes) -> None:
    client = sasl.LoginClient("tim", "secret")
    assert client.respond(None) is None
    assert client.respond(prompt) == b"tim"
    assert client.respond(prompt) == b"secret"


def test_a_client_gives_up_when_asked_a_third_time() -> None:
    client = sasl.LoginClient("tim", "secret")
    assert [client.respond(b"?") for _ in range(4)] == [b"tim", b"secret", None, None]
    assert not client.complete


def test_a_server_takes_an_initial_response_as_the_user_name() -> None:
    # .NET: AUTH login dGlt
    server = sasl.LoginServer()
    assert server.step(b"tim") == sasl.Challenge(b"Password:")
    assert server.step(b"secret") == sasl.Credentials(None, "tim", "secret")


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        ([b""], "LOGIN: the user name is empty"),
        ([b"t\0m"], "LOGIN: the user name holds NUL"),
        ([b"t\xefm"], "LOGIN: the user name is not UTF-8"),
        ([b"tim", b""], "LOGIN: the password is empty"),
        ([b"tim", b"\0"], "LOGIN: the password holds NUL"),
        ([b"tim", b"\xff"], "LOGIN: the password is not UTF-8"),
    ],
)
def test_malformed_responses_fail(responses: list[bytes], reason: str) -> None:
    server = sasl.LoginServer()
    server.step(None)
    assert [server.step(response) for response in responses][-1] == sasl.Failure(reason)


def test_a_client_refuses_empty_strings() -> None:
    with pytest.raises(LocalProtocolError, match="the user name must not be empty"):
        sasl.LoginClient("", "secret")
    with pytest.raises(LocalProtocolError, match="the password must not be empty"):
        sasl.LoginClient("tim", "")
