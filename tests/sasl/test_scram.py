"""SCRAM, RFC 5802 and 7677, over scramp."""

import base64
import sys

import pytest

from smtpproto import LocalProtocolError, sasl

BINDING = ("tls-unique", b"\x01\x02\x03")


def dialogue(
    client: sasl.ScramClient, server: sasl.ScramServer, keys: sasl.ScramKeys
) -> tuple[sasl.Step, bool]:
    """Run an exchange to its end: what the server says, and whether the client is satisfied."""
    step = server.step(client.respond(None))
    while True:
        match step:
            case sasl.Lookup():
                step = server.supply(keys)
            case sasl.Challenge(octets):
                response = client.respond(octets)
                if response is None:
                    return step, client.complete
                step = server.step(response)
            case _:
                return step, client.complete


def test_the_example_of_rfc_5802_section_5() -> None:
    client = sasl.ScramClient("SCRAM-SHA-1", "user", "pencil", nonce="fyko+d2lbbFgONRv9qkxdawL")
    server = sasl.ScramServer("SCRAM-SHA-1", nonce="3rfcNHYJY1ZVvWVs7j")
    keys = sasl.ScramKeys.derive(
        "SCRAM-SHA-1", "pencil", salt=base64.b64decode("QSXCR+Q6sek8bf92"), iterations=4096
    )
    assert client.name == server.name == "SCRAM-SHA-1"

    c1 = b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    s1 = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    c2 = b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    s2 = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="

    assert client.respond(None) == c1
    assert server.step(c1) == sasl.Lookup("user")
    assert server.supply(keys) == sasl.Challenge(s1)
    assert client.respond(s1) == c2
    assert not client.complete
    assert server.step(c2) == sasl.Challenge(s2)
    assert client.respond(s2) == b""
    assert client.complete
    assert server.step(b"") == sasl.Success("user")


def test_the_example_of_rfc_7677_section_3() -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    server = sasl.ScramServer("SCRAM-SHA-256", nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    keys = sasl.ScramKeys.derive(
        "SCRAM-SHA-256",
        "pencil",
        salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="),
        iterations=4096,
    )

    c1 = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    s1 = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    c2 = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    s2 = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

    assert server.step(None) == sasl.Challenge(b"")
    assert client.respond(b"") == c1
    assert server.step(c1) == sasl.Lookup("user")
    assert server.supply(keys) == sasl.Challenge(s1)
    assert client.respond(s1) == c2
    assert server.step(c2) == sasl.Challenge(s2)
    assert client.respond(s2) == b""
    assert client.complete
    assert server.step(b"") == sasl.Success("user")


KEYS = {
    name: sasl.ScramKeys.derive(name, "pencil", iterations=4096) for name in sasl.SCRAM_MECHANISMS
}


@pytest.mark.parametrize("name", sasl.SCRAM_MECHANISMS)
def test_the_right_password_and_the_wrong_one(name: str) -> None:
    binding = BINDING if name.endswith("-PLUS") else None
    right = sasl.ScramClient(name, "user", "pencil", binding)
    assert dialogue(right, sasl.ScramServer(name, binding), KEYS[name]) == (
        sasl.Success("user"),
        True,
    )
    wrong = sasl.ScramClient(name, "user", "pen", binding)
    failure, satisfied = dialogue(wrong, sasl.ScramServer(name, binding), KEYS[name])
    assert isinstance(failure, sasl.Failure)
    assert not satisfied


def test_channel_binding_begins_with_its_type() -> None:
    client = sasl.ScramClient("SCRAM-SHA-256-PLUS", "user", "pencil", BINDING, nonce="abc")
    assert client.respond(None) == b"p=tls-unique,,n=user,r=abc"


def test_another_channel_is_a_man_in_the_middle() -> None:
    name = "SCRAM-SHA-256-PLUS"
    client = sasl.ScramClient(name, "user", "pencil", ("tls-unique", b"to the attacker"))
    server = sasl.ScramServer(name, ("tls-unique", b"from the attacker"))
    failure, satisfied = dialogue(client, server, KEYS[name])
    assert isinstance(failure, sasl.Failure)
    assert "channel bindings don't match" in failure.reason
    assert not satisfied


def test_who_was_kept_from_seeing_plus_is_refused() -> None:
    # RFC 5802 section 6: "y" says that the client could have bound the channel.
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", BINDING, nonce="abc")
    assert client.respond(None) == b"y,,n=user,r=abc"
    step = sasl.ScramServer("SCRAM-SHA-256", BINDING).step(b"y,,n=user,r=abc")
    assert isinstance(step, sasl.Failure)
    # The same client is welcome where there is no -PLUS.
    assert dialogue(
        sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", BINDING),
        sasl.ScramServer("SCRAM-SHA-256"),
        KEYS["SCRAM-SHA-256"],
    ) == (sasl.Success("user"), True)


def test_the_names_are_escaped_and_prepared() -> None:
    # ',' and '=' as =2C and =3D (RFC 5802 section 5.1); SASLprep turns U+00AA into "a".
    client = sasl.ScramClient("SCRAM-SHA-256", "a,b=\u00aa", "pencil", nonce="abc")
    assert client.respond(None) == b"n,,n=a=2Cb=3Da,r=abc"
    assert sasl.ScramServer("SCRAM-SHA-256").step(b"n,,n=a=2Cb=3Da,r=abc") == sasl.Lookup("a,b=a")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"n,,",
        b"n,,n=user",
        b"n,,n=us=er,r=abc",
        b"n,,m=x,n=user,r=abc",
        b"n,a=admin,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"x,,n=user,r=abc",
        b"n,,n=user,r=ab\0c",
    ],
)
def test_malformed_first_messages_fail(message: bytes) -> None:
    step = sasl.ScramServer("SCRAM-SHA-256").step(message)
    assert isinstance(step, sasl.Failure)
    assert step.reason.startswith("SCRAM-SHA-256: ")


def test_what_a_client_wrote_cannot_break_a_line_of_the_log() -> None:
    step = sasl.ScramServer("SCRAM-SHA-256-PLUS", BINDING).step(b"p=\nroot,,n=user,r=abc")
    assert isinstance(step, sasl.Failure)
    assert "\n" not in step.reason


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws,r=abcdef",
        b"c=biws,r=abcdef,p=",
        b"c=biws,r=abcdef,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"c=biws,r=abc,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"c=biws,r=abcdef,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    ],
)
def test_malformed_and_wrong_last_messages_fail(message: bytes) -> None:
    server = sasl.ScramServer("SCRAM-SHA-256", nonce="def")
    server.step(b"n,,n=user,r=abc")
    server.supply(KEYS["SCRAM-SHA-256"])
    assert isinstance(server.step(message), sasl.Failure)


def test_the_last_response_must_be_empty() -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil")
    server = sasl.ScramServer("SCRAM-SHA-256")
    server.step(client.respond(None))
    server.step(client.respond(server.supply(KEYS["SCRAM-SHA-256"]).octets))
    assert server.step(b"x") == sasl.Failure(
        "SCRAM-SHA-256: the response to the last message is not empty"
    )


@pytest.mark.parametrize(
    "server_first",
    [
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" + b"9" * 5000,
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,i=1000000000",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=\xd9\xa4096",
        b"r=xyzdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=abcdef,s=!,i=4096",
        b"e=unknown-user",
        b"\xff",
        b"",
    ],
)
def test_a_client_gives_up_on_a_bad_first_message(server_first: bytes) -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", nonce="abc")
    client.respond(None)
    assert client.respond(server_first) is None
    assert client.respond(b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") is None
    assert not client.complete


def test_the_iteration_count_may_be_bounded_more_tightly() -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", max_iterations=5000, nonce="abc")
    client.respond(None)
    assert client.respond(b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=5001") is None
    with pytest.raises(LocalProtocolError, match="max_iterations must be at least 4096"):
        sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", max_iterations=4095)


@pytest.mark.parametrize(
    "server_final",
    [
        b"",
        b"v=",
        b"v=AAAA",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95H4=",
        b"e=invalid-proof",
        b"\xff",
    ],
)
def test_a_client_gives_up_on_a_server_that_does_not_know_the_password(
    server_final: bytes,
) -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    client.respond(None)
    assert client.respond(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert client.respond(server_final) is None
    assert client.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") is None
    assert not client.complete


def test_after_the_last_message_a_client_answers_nothing_more() -> None:
    client = sasl.ScramClient("SCRAM-SHA-256", "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    client.respond(None)
    client.respond(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert client.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
    assert client.complete
    assert client.respond(b"") is None
    assert not client.complete


def test_nobody_gets_in_by_accept() -> None:
    server = sasl.ScramServer("SCRAM-SHA-256")
    with pytest.raises(LocalProtocolError, match="the client's response comes next"):
        server.accept("user")
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(LocalProtocolError, match=r"supply\(keys\) or reject\(\)"):
        server.accept("user")
    with pytest.raises(LocalProtocolError, match=r"supply\(keys\) or reject\(\)"):
        server.step(b"c=biws")
    assert isinstance(server.supply(KEYS["SCRAM-SHA-256"]), sasl.Challenge)
    with pytest.raises(LocalProtocolError, match="the client's response comes next"):
        server.supply(KEYS["SCRAM-SHA-256"])


def test_an_unknown_user_may_be_refused_at_once() -> None:
    server = sasl.ScramServer("SCRAM-SHA-256")
    server.step(b"n,,n=nobody,r=abc")
    assert server.reject("no such user") == sasl.Failure("no such user")
    with pytest.raises(LocalProtocolError, match="the exchange is over"):
        server.reject()


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_an_unknown_user_may_be_hidden_behind_a_decoy(name: str) -> None:
    decoy = sasl.ScramKeys.decoy(name, "nobody", b"the server's own key")
    assert decoy == sasl.ScramKeys.decoy(name, "nobody", b"the server's own key")
    assert decoy.salt != sasl.ScramKeys.decoy(name, "noone", b"the server's own key").salt
    real = sasl.ScramKeys.derive(name, "pencil")
    assert len(decoy.salt) == len(real.salt)
    assert len(decoy.stored_key) == len(real.stored_key)
    assert decoy.iterations == real.iterations
    failure, satisfied = dialogue(
        sasl.ScramClient(name, "nobody", "pencil"), sasl.ScramServer(name), decoy
    )
    assert isinstance(failure, sasl.Failure)
    assert not satisfied


def test_keys_that_cannot_be_used() -> None:
    server = sasl.ScramServer("SCRAM-SHA-256")
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(LocalProtocolError, match="the keys must be of 32 octets"):
        server.supply(KEYS["SCRAM-SHA-1"])
    # Nothing has changed.
    assert isinstance(server.supply(KEYS["SCRAM-SHA-256"]), sasl.Challenge)


def test_keys_that_no_client_would_take() -> None:
    salt, key = b"twelve octets", bytes(32)
    with pytest.raises(LocalProtocolError, match="a salt has at least 12 octets, not 5"):
        sasl.ScramKeys(b"short", key, key, 4096)
    with pytest.raises(LocalProtocolError, match="the keys must be of the same length"):
        sasl.ScramKeys(salt, key, bytes(20), 4096)
    for iterations in (1, 4095, 10_000_001):
        with pytest.raises(LocalProtocolError, match="iterations are from 4096 to 10,000,000"):
            sasl.ScramKeys(salt, key, key, iterations)
    server = sasl.ScramServer("SCRAM-SHA-256")
    server.step(b"n,,n=user,r=abc")
    assert isinstance(
        server.supply(sasl.ScramKeys(b"12 octets it", key, key, 10_000_000)), sasl.Challenge
    )


def test_salts_are_random() -> None:
    one = sasl.ScramKeys.derive("SCRAM-SHA-1", "pencil", iterations=4096)
    other = sasl.ScramKeys.derive("SCRAM-SHA-1", "pencil", iterations=4096)
    assert one.salt != other.salt


def test_arguments_that_cannot_be_taken() -> None:
    with pytest.raises(LocalProtocolError, match="'SCRAM-MD5' is none of SCRAM-SHA-256-PLUS, "):
        sasl.ScramClient("SCRAM-MD5", "user", "pencil")
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS needs channel_binding"):
        sasl.ScramClient("SCRAM-SHA-1-PLUS", "user", "pencil")
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS needs channel_binding"):
        sasl.ScramServer("SCRAM-SHA-1-PLUS")
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS: "):
        sasl.ScramClient("SCRAM-SHA-1-PLUS", "user", "pencil", ("tls-exporter", b"x"))
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS: "):
        sasl.ScramServer("SCRAM-SHA-1-PLUS", ("tls-exporter", b"x"))
    with pytest.raises(LocalProtocolError, match="the authentication_id must not be empty"):
        sasl.ScramClient("SCRAM-SHA-1", "", "pencil")
    with pytest.raises(LocalProtocolError, match="the password must not be empty"):
        sasl.ScramClient("SCRAM-SHA-1", "user", "")
    with pytest.raises(LocalProtocolError, match="the password must not be empty"):
        sasl.ScramKeys.derive("SCRAM-SHA-1", "", iterations=4096)
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1: control characters forbidden"):
        sasl.ScramClient("SCRAM-SHA-1", "us\x07er", "pencil")
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1: control characters forbidden"):
        sasl.ScramKeys.derive("SCRAM-SHA-1", "pen\x07cil", iterations=4096)
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1: "):
        sasl.ScramKeys.derive("SCRAM-SHA-1", "pencil", iterations=1)


def test_without_scramp_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scramp", None)
    for build in (
        lambda: sasl.ScramClient("SCRAM-SHA-256", "user", "pencil"),
        lambda: sasl.ScramServer("SCRAM-SHA-256"),
        lambda: sasl.ScramKeys.derive("SCRAM-SHA-256", "pencil"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'smtpproto\[scram\]'"):
            build()
