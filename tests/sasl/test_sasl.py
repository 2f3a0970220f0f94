"""What holds for every mechanism: the order of steps, secrets, and that no peer makes it raise."""

import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, sasl

CHALLENGE = "<1896.697170952@postoffice.reston.mci.net>"
BINDING = ("tls-unique", b"\x01\x02\x03")

CLIENTS: dict[str, Callable[[], sasl.ClientMechanism]] = {
    "PLAIN": lambda: sasl.PlainClient("tim", "s3cret", "ursel"),
    "LOGIN": lambda: sasl.LoginClient("tim", "s3cret"),
    "CRAM-MD5": lambda: sasl.CramMd5Client("tim", "s3cret"),
    "EXTERNAL": lambda: sasl.ExternalClient("tim"),
    "ANONYMOUS": lambda: sasl.AnonymousClient("tim"),
    "XOAUTH2": lambda: sasl.XOAuth2Client("tim", "s3cret"),
    "OAUTHBEARER": lambda: sasl.OAuthBearerClient("tim", "s3cret", "mx.example", 587),
    "SCRAM-SHA-1": lambda: sasl.ScramClient("SCRAM-SHA-1", "tim", "s3cret", nonce="abc"),
    "SCRAM-SHA-256-PLUS": lambda: sasl.ScramClient(
        "SCRAM-SHA-256-PLUS", "tim", "s3cret", BINDING, nonce="abc"
    ),
}

SERVERS: dict[str, Callable[[], sasl.ServerMechanism]] = {
    "PLAIN": sasl.PlainServer,
    "LOGIN": sasl.LoginServer,
    "CRAM-MD5": lambda: sasl.CramMd5Server(CHALLENGE),
    "EXTERNAL": sasl.ExternalServer,
    "ANONYMOUS": sasl.AnonymousServer,
    "XOAUTH2": sasl.XOAuth2Server,
    "OAUTHBEARER": sasl.OAuthBearerServer,
    "SCRAM-SHA-1": lambda: sasl.ScramServer("SCRAM-SHA-1", nonce="def"),
    "SCRAM-SHA-256-PLUS": lambda: sasl.ScramServer("SCRAM-SHA-256-PLUS", BINDING, nonce="def"),
}

CLIENT_FIRST = sorted(CLIENTS.keys() - {"LOGIN", "CRAM-MD5"})


def run(
    client: sasl.ClientMechanism,
    server: sasl.ServerMechanism,
    *,
    secret: str,
    initial: bool = True,
) -> tuple[sasl.Step, bool]:
    """A server that knows one `secret`, against a client: the outcome, and the client's view."""
    step = server.step(client.respond(None) if initial else None)
    while True:
        match step:
            case sasl.Challenge(octets):
                response = client.respond(octets)
                assert response is not None
                step = server.step(response)
            case sasl.Credentials(_, user) | sasl.Proof(user):
                step = server.accept(user) if step.verify(secret) else server.reject()
            case sasl.Token(user, token):
                step = server.accept(user or "nobody") if token == secret else server.reject()
            case sasl.Identity(user):
                step = server.accept(user or "nobody")
            case sasl.Trace():
                step = server.accept("anonymous")
            case sasl.Lookup():
                assert isinstance(server, sasl.ScramServer)
                step = server.supply(sasl.ScramKeys.derive(server.name, secret, iterations=4096))
            case _:
                return step, client.complete


# What every mechanism can carry: SASLprep maps the like of U+00AD to nothing, so letters only.
names = st.text(st.characters(codec="utf-8", categories=["Ll", "Lu"]), min_size=1, max_size=300)
secrets = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)
tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
ascii_secrets = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


@given(secrets, secrets, st.none() | secrets, st.booleans())
def test_plain_agrees(user: str, password: str, act_as: str | None, initial: bool) -> None:
    client = sasl.PlainClient(user, password, act_as)
    server = sasl.PlainServer()
    if not initial:
        assert server.step(None) == sasl.Challenge(b"")
    assert server.step(client.respond(None)) == sasl.Credentials(act_as, user, password)


@given(secrets, secrets)
def test_login_agrees(user: str, password: str) -> None:
    outcome = run(sasl.LoginClient(user, password), sasl.LoginServer(), secret=password)
    assert outcome == (sasl.Success(user), True)


@given(secrets, secrets, secrets)
def test_cram_md5_agrees_when_the_secrets_do(user: str, secret: str, other: str) -> None:
    client = sasl.CramMd5Client(user, secret)
    server = sasl.CramMd5Server(sasl.make_timestamp("mx.example"))
    assert run(client, server, secret=secret) == (sasl.Success(user), True)

    # HMAC pads a key of up to 64 octets with NUL and hashes a longer one: others never collide.
    assume(other != secret)
    client = sasl.CramMd5Client(user, secret)
    server = sasl.CramMd5Server(sasl.make_timestamp("mx.example"))
    assert run(client, server, secret=other)[0] == sasl.Failure("not authenticated")


@given(st.none() | secrets, st.booleans())
def test_external_agrees(user: str | None, initial: bool) -> None:
    outcome = run(sasl.ExternalClient(user), sasl.ExternalServer(), secret="", initial=initial)
    assert outcome == (sasl.Success(user or "nobody"), True)


@given(names.map(lambda name: name[:255]), st.booleans())
def test_anonymous_agrees(trace: str, initial: bool) -> None:
    outcome = run(sasl.AnonymousClient(trace), sasl.AnonymousServer(), secret="", initial=initial)
    assert outcome == (sasl.Success("anonymous"), True)


@given(
    st.none() | secrets,
    tokens,
    st.none() | tokens,
    st.none() | st.integers(min_value=1, max_value=65535),
)
def test_oauthbearer_agrees(
    user: str | None, token: str, host: str | None, port: int | None
) -> None:
    assume(user is None or "\x01" not in user)
    client = sasl.OAuthBearerClient(user, token, host, port)
    server = sasl.OAuthBearerServer()
    assert server.step(client.respond(None)) == sasl.Token(user, token, host, port)


@given(tokens, tokens, st.booleans())
def test_oauthbearer_is_refused_in_two_steps(token: str, other: str, initial: bool) -> None:
    assume(token != other)
    for client, server in (
        (sasl.OAuthBearerClient("tim", token), sasl.OAuthBearerServer(scope="mail")),
        (sasl.XOAuth2Client("tim", token), sasl.XOAuth2Server(scope="mail")),
    ):
        outcome = run(client, server, secret=other, initial=initial)
        assert outcome == (sasl.Failure("not authenticated"), False)


@given(secrets, tokens, st.booleans())
def test_xoauth2_agrees(user: str, token: str, initial: bool) -> None:
    assume("\x01" not in user)
    outcome = run(
        sasl.XOAuth2Client(user, token), sasl.XOAuth2Server(), secret=token, initial=initial
    )
    assert outcome == (sasl.Success(user), True)


@pytest.mark.parametrize("name", sasl.SCRAM_MECHANISMS)
@given(user=ascii_secrets, password=ascii_secrets, other=ascii_secrets, initial=st.booleans())
def test_scram_agrees_when_the_passwords_do(
    name: str, user: str, password: str, other: str, initial: bool
) -> None:
    binding = BINDING if name.endswith("-PLUS") else None
    client = sasl.ScramClient(name, user, password, binding)
    server = sasl.ScramServer(name, binding)
    outcome = run(client, server, secret=password, initial=initial)
    assert outcome == (sasl.Success(user), True)

    assume(other != password)
    client = sasl.ScramClient(name, user, password, binding)
    server = sasl.ScramServer(name, binding)
    failure, satisfied = run(client, server, secret=other, initial=initial)
    assert isinstance(failure, sasl.Failure)
    assert not satisfied


# Octets that get past the first checks of some mechanism, and any.
hostile = (
    st.binary(max_size=100)
    | st.lists(
        st.sampled_from(
            [
                *(b"\0", b"\x01", b"tim", b"auth=", b"Bearer ", b"user=", b"host=", b"port=", b"1"),
                *(b"n,,", b"y,", b"p=tls-unique,,", b"a=", b"n=", b",r=abcdef", b",s=", b",i=4096"),
                *(b"=2C", b"c=biws", b",p=", b"v=", b"e=other-error", b"AAAA", b"m=", b"\xff"),
                *(b"\xc3\xa9", b"\xc2\xad", b" ", b"b913a602c7eda7a495b4e6e7334d3890", b",", b"="),
            ]
        )
    ).map(b"".join)
    | st.sampled_from([b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", b"n,,n=tim,r=abc", b"tim"])
)


@pytest.mark.parametrize("name", CLIENTS)
@given(initial=st.booleans(), challenges=st.lists(hostile, max_size=5))
def test_no_server_makes_a_client_raise(name: str, initial: bool, challenges: list[bytes]) -> None:
    client = CLIENTS[name]()
    if initial:
        client.respond(None)
    given_up = False
    for challenge in challenges:
        response = client.respond(challenge)
        if given_up:
            assert response is None
        given_up = response is None
        assert not (given_up and client.complete)
    if name.startswith("SCRAM"):
        assert not client.complete


@pytest.mark.parametrize("name", SERVERS)
@given(initial=st.booleans(), responses=st.lists(hostile, max_size=5), accept=st.booleans())
def test_no_client_makes_a_server_raise(
    name: str, initial: bool, responses: list[bytes], accept: bool
) -> None:
    server = SERVERS[name]()
    if not initial:
        assert isinstance(server.step(None), sasl.Challenge)
    for response in responses:
        step = server.step(response)
        if isinstance(step, sasl.Lookup):
            assert isinstance(server, sasl.ScramServer)
            step = server.supply(sasl.ScramKeys.decoy(server.name, "tim", b"key"))
        elif not isinstance(step, (sasl.Challenge, sasl.Failure)):
            step = server.accept("tim") if accept else server.reject()
        if not isinstance(step, sasl.Challenge):
            break
    if name.startswith("SCRAM") and responses:
        assert not isinstance(step, sasl.Success)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_serves_one_exchange(name: str) -> None:
    client = CLIENTS[name]()
    assert client.name == name
    client.respond(None)
    with pytest.raises(LocalProtocolError, match=f"the {name} exchange has begun: build a new "):
        client.respond(None)


@pytest.mark.parametrize("name", CLIENT_FIRST)
def test_an_empty_challenge_asks_for_the_initial_response(name: str) -> None:
    assert CLIENTS[name]().respond(b"") == CLIENTS[name]().respond(None)


@pytest.mark.parametrize("name", CLIENT_FIRST)
def test_a_client_that_speaks_first_gives_up_on_another_first_challenge(name: str) -> None:
    # RFC 4422 section 5, 2a: the server's first challenge MUST be empty.
    client = CLIENTS[name]()
    assert client.respond(b"Username:") is None
    assert client.respond(b"") is None
    assert not client.complete


@pytest.mark.parametrize("name", ["PLAIN", "EXTERNAL", "ANONYMOUS"])
def test_a_client_that_has_said_all_gives_up_on_a_challenge(name: str) -> None:
    client = CLIENTS[name]()
    client.respond(None)
    assert client.complete
    assert client.respond(b"") is None
    assert not client.complete


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_without_initial_response_sends_its_first_challenge_once(name: str) -> None:
    server = SERVERS[name]()
    assert server.name == name
    first = {"LOGIN": b"Username:", "CRAM-MD5": CHALLENGE.encode()}.get(name, b"")
    assert server.step(None) == sasl.Challenge(first)
    with pytest.raises(LocalProtocolError, match="None stands for no initial response"):
        server.step(None)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_decides_only_what_is_to_be_decided(name: str) -> None:
    server = SERVERS[name]()
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="the client's response comes next"):
            server.accept("tim")
        with pytest.raises(LocalProtocolError, match="the client's response comes next"):
            server.reject()
        server = SERVERS[name]()
        server.step(None)


def test_a_server_is_not_stepped_past_a_check_or_the_end() -> None:
    server = sasl.PlainServer()
    server.step(b"\0tim\0secret")
    with pytest.raises(
        LocalProtocolError, match=r"PLAIN: Credentials comes next: accept\(\) or reject\(\) it"
    ):
        server.step(b"\0tim\0other")
    with pytest.raises(LocalProtocolError, match="the identity must not be empty"):
        server.accept("")
    server.accept("tim")
    over = "PLAIN: the exchange is over: build a new PlainServer"
    with pytest.raises(LocalProtocolError, match=over):
        server.step(b"")
    with pytest.raises(LocalProtocolError, match=over):
        server.accept("tim")
    with pytest.raises(LocalProtocolError, match=over):
        server.reject()

    server = sasl.PlainServer()
    assert isinstance(server.step(b""), sasl.Failure)
    with pytest.raises(LocalProtocolError, match="the exchange is over"):
        server.step(b"\0tim\0secret")

    server = sasl.PlainServer()
    server.step(b"\0tim\0wrong")
    server.reject()
    with pytest.raises(LocalProtocolError, match=over):
        server.accept("tim")


@pytest.mark.parametrize("name", CLIENTS)
def test_a_mechanism_does_not_show_its_secret(name: str) -> None:
    client, server = CLIENTS[name](), SERVERS[name]()
    assert repr(client) == f"<{type(client).__name__} {name} complete=False>"
    assert repr(server) == f"<{type(server).__name__} {name} after nothing>"
    server.step(None)
    assert repr(server) == f"<{type(server).__name__} {name} after Challenge>"


def test_a_step_does_not_show_its_secret() -> None:
    assert (
        repr(sasl.Credentials(None, "tim", "s3cret"))
        == "Credentials(authorization_id=None, authentication_id='tim', password=REDACTED)"
    )
    assert "s3cret" not in repr(sasl.Token("tim", "s3cret"))
    assert "s3cret" not in repr(sasl.Proof("tim", CHALLENGE, "s3cret"))
    keys = sasl.ScramKeys(b"s3cret s3cret", b"s3cret", b"s3cret", 4096)
    assert (
        repr(keys)
        == "ScramKeys(salt=REDACTED, stored_key=REDACTED, server_key=REDACTED, iterations=4096)"
    )


class Text(str, Enum):
    """Its members are strings, but str() and format() give another text than their value."""

    USER = "tim"
    SECRET = "s3cret"
    HOST = "mx.example"
    CHALLENGE = CHALLENGE
    DOMAIN = "mail.example"

    def __str__(self) -> str:
        return f"Text.{self.name}"

    def __format__(self, spec: str) -> str:
        return str(self)


@pytest.mark.parametrize(
    ("client", "same_as"),
    [
        (sasl.PlainClient(Text.USER, Text.SECRET, Text.USER), CLIENTS["PLAIN"]),
        (sasl.ExternalClient(Text.USER), CLIENTS["EXTERNAL"]),
        (sasl.AnonymousClient(Text.USER), CLIENTS["ANONYMOUS"]),
        (sasl.XOAuth2Client(Text.USER, Text.SECRET), CLIENTS["XOAUTH2"]),
        (
            sasl.OAuthBearerClient(Text.USER, Text.SECRET, Text.HOST, 587),
            CLIENTS["OAUTHBEARER"],
        ),
    ],
)
def test_a_client_takes_a_member_of_an_enumeration_for_its_value(
    client: sasl.ClientMechanism, same_as: Callable[[], sasl.ClientMechanism]
) -> None:
    assert client.respond(None) == same_as().respond(None).replace(b"ursel", b"tim")  # type: ignore[union-attr]


def test_a_server_first_client_takes_a_member_of_an_enumeration_for_its_value() -> None:
    login = sasl.LoginClient(Text.USER, Text.SECRET)
    assert [login.respond(b"Username:"), login.respond(b"Password:")] == [b"tim", b"s3cret"]
    challenge = CHALLENGE.encode()
    cram_md5 = sasl.CramMd5Client(Text.USER, Text.SECRET)
    assert cram_md5.respond(challenge) == CLIENTS["CRAM-MD5"]().respond(challenge)


@pytest.mark.parametrize(
    "step",
    [
        sasl.Lookup(Text.USER, Text.USER),
        sasl.Credentials(Text.USER, Text.USER, Text.SECRET),
        sasl.Proof(Text.USER, Text.CHALLENGE, Text.SECRET),
        sasl.Token(Text.USER, Text.SECRET, Text.HOST, 587),
        sasl.Identity(Text.USER),
        sasl.Trace(Text.USER),
        sasl.Success(Text.USER),
        sasl.Failure(Text.USER),
        sasl.PlainServer().step(b"\0tim\0s3cret"),
        sasl.CramMd5Server(Text.CHALLENGE).step(None),
    ],
)
def test_a_step_holds_plain_strings(step: sasl.Step) -> None:
    values = [getattr(step, name) for name in step.__match_args__]
    assert all(type(value) in (str, bytes, int, type(None)) for value in values)
    assert "Text." not in repr(values)


def test_what_is_verified_may_be_a_member_of_an_enumeration() -> None:
    assert sasl.Credentials(None, "tim", "s3cret").verify(Text.SECRET)
    digest = sasl.cram_md5_digest(Text.CHALLENGE, Text.SECRET)
    assert sasl.Proof("tim", CHALLENGE, digest).verify(Text.SECRET)
    assert sasl.check_apop(Text.CHALLENGE, Text.SECRET, sasl.apop_digest(CHALLENGE, "s3cret"))
    assert sasl.make_timestamp(Text.DOMAIN).endswith("@mail.example>")

    server = sasl.OAuthBearerServer(scope=Text.DOMAIN, openid_configuration=Text.HOST)
    server.step(b"n,,\x01auth=Bearer s3cret\x01\x01")
    assert server.reject(Text.USER, status=Text.HOST) == sasl.Challenge(
        b'{"status":"mx.example","scope":"mail.example","openid-configuration":"mx.example"}'
    )
    assert server.step(b"\x01") == sasl.Failure("tim")


def test_values_of_another_type_raise() -> None:
    wrong: Any = b"s3cret"
    for build in (
        lambda: sasl.PlainClient("tim", wrong),
        lambda: sasl.Credentials(None, "tim", "s3cret").verify(wrong),
        lambda: sasl.check_apop(CHALLENGE, "s3cret", wrong),
        lambda: sasl.make_timestamp(wrong),
        lambda: sasl.CramMd5Server(wrong),
        lambda: sasl.XOAuth2Client("tim", wrong),
        lambda: sasl.Failure(wrong),
    ):
        with pytest.raises(LocalProtocolError, match=r"is text \(str\), not bytes"):
            build()
    number: Any = "587"
    with pytest.raises(LocalProtocolError, match="the port must be from 1 to 65535, not '587'"):
        sasl.OAuthBearerClient(None, "s3cret", "mx.example", number)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_messages_may_be_of_any_kind_of_octets(kind: Any) -> None:
    client = sasl.CramMd5Client("tim", "s3cret")
    response = client.respond(kind(CHALLENGE.encode()))
    assert response == CLIENTS["CRAM-MD5"]().respond(CHALLENGE.encode())
    step = sasl.PlainServer().step(kind(b"\0tim\0s3cret"))
    assert step == sasl.Credentials(None, "tim", "s3cret")
    challenge = sasl.Challenge(kind(b"x"))
    assert challenge == sasl.Challenge(b"x")
    assert type(challenge.octets) is bytes


@pytest.mark.parametrize(
    "build",
    [
        lambda: sasl.PlainClient("tim", "s3cret\ud800"),
        lambda: sasl.LoginClient("tim", "s3cret\ud800"),
        lambda: sasl.CramMd5Client("tim", "s3cret\ud800"),
        lambda: sasl.apop_digest(CHALLENGE, "s3cret\ud800"),
        lambda: sasl.ScramClient("SCRAM-SHA-256", "tim", "s3cret\ud800"),
        lambda: sasl.ScramKeys.derive("SCRAM-SHA-256", "s3cret\ud800"),
        lambda: sasl.ScramClient("SCRAM-SHA-256", "tim", "s3cret\ue000"),
        lambda: sasl.XOAuth2Client("tim", "s3cret\ud800"),
    ],
)
def test_an_error_does_not_lead_to_the_secret(build: Callable[[], object]) -> None:
    """Neither in its text nor by __context__, which "from None" hides and does not clear."""
    with pytest.raises(LocalProtocolError) as caught:
        build()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_costly_modules_are_imported_when_they_are_needed() -> None:
    heavy = {"ssl", "json", "stringprep", "unicodedata", "secrets", "base64"}
    script = f"import sys, smtpproto.sasl; print({heavy!r} & sys.modules.keys())"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert loaded == "set()\n"
