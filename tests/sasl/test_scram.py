"""SCRAM, RFC 5802 and 7677: octet by octet, each failure by its wire text, and against scramp."""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import Enum
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, sasl
from smtpproto.sasl._strings import saslprep

# It has no types of its own.
scramp: Any = import_module("scramp")

SHA_256 = "SCRAM-SHA-256"
PLUS = "SCRAM-SHA-256-PLUS"
UNIQUE = ("tls-unique", b"\x01\x02\x03")
EXPORTER = ("tls-exporter", bytes(range(32)))

KEYS = {
    name: sasl.ScramKeys.derive(name, "pencil", iterations=4096) for name in sasl.SCRAM_MECHANISMS
}
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
RFC_7677_KEYS = sasl.ScramKeys.derive(SHA_256, "pencil", salt=SALT, iterations=4096)

SERVER_FIRST = b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
"""A good answer to a client whose nonce is "abc"."""


def client_final(
    client_first: bytes,
    server_first: bytes,
    binding: bytes = b"",
    *,
    channel: bytes | None = None,
    extension: bytes = b"",
    password: bytes = b"pencil",
) -> bytes:
    """The third message of SCRAM-SHA-256 with a right proof, computed as RFC 5802 section 3 does.

    `channel` replaces the octets of c=.
    """
    header = b"".join(field + b"," for field in client_first.split(b",")[:2])
    first_bare = client_first[len(header) :]
    attributes = dict(field.split(b"=", 1) for field in server_first.split(b","))
    cbind_input = header + binding if channel is None else channel
    without_proof = b"c=%b,r=%b" % (base64.b64encode(cbind_input), attributes[b"r"]) + extension
    salt, rounds = base64.b64decode(attributes[b"s"]), int(attributes[b"i"])
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, rounds)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    signed = b",".join((first_bare, server_first, without_proof))
    signature = hmac.digest(stored_key, signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return without_proof + b",p=" + base64.b64encode(proof)


def supplied(
    client_first: bytes, server: sasl.ScramServer, identity: str | None = None
) -> tuple[sasl.Lookup, bytes]:
    """The look-up that a server wants after `client_first`, and its server-first-message."""
    lookup = server.step(client_first)
    assert isinstance(lookup, sasl.Lookup), lookup
    return lookup, server.supply(RFC_7677_KEYS, identity).octets


def fails(step: sasl.Step, reason: str) -> None:
    assert isinstance(step, sasl.Failure), step
    assert step.reason.startswith("SCRAM-SHA-256")
    assert reason in step.reason
    assert step.reason.isprintable()


def dialogue(
    client: sasl.ScramClient,
    server: sasl.ScramServer,
    keys: sasl.ScramKeys,
    identity: str | None = None,
) -> tuple[sasl.Step, bool]:
    """Run an exchange to its end: the server's last step, and whether the client is satisfied."""
    step = server.step(client.respond(None))
    while True:
        match step:
            case sasl.Lookup():
                step = server.supply(keys, identity)
            case sasl.Challenge(octets):
                response = client.respond(octets)
                if response is None:
                    return step, client.complete
                step = server.step(response)
            case _:
                return step, client.complete


# The examples of the RFCs


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
    assert server.step(c1) == sasl.Lookup(None, "user")
    assert server.supply(keys) == sasl.Challenge(s1)
    assert client.respond(s1) == c2
    assert not client.complete
    assert server.step(c2) == sasl.Challenge(s2)
    assert client.respond(s2) == b""
    assert client.complete
    assert server.step(b"") == sasl.Success("user")


def test_the_example_of_rfc_7677_section_3() -> None:
    client = sasl.ScramClient(SHA_256, "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    server = sasl.ScramServer(SHA_256, nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")

    c1 = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    s1 = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    c2 = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    s2 = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

    assert server.step(None) == sasl.Challenge(b"")
    assert client.respond(b"") == c1
    assert server.step(c1) == sasl.Lookup(None, "user")
    assert server.supply(RFC_7677_KEYS) == sasl.Challenge(s1)
    assert client.respond(s1) == c2
    assert server.step(c2) == sasl.Challenge(s2)
    assert client.respond(s2) == b""
    assert client.complete
    assert server.step(b"") == sasl.Success("user")


# Whole exchanges


@pytest.mark.parametrize("name", sasl.SCRAM_MECHANISMS)
def test_the_right_password_and_the_wrong_one(name: str) -> None:
    binding = UNIQUE if name.endswith("-PLUS") else None
    right = sasl.ScramClient(name, "user", "pencil", binding)
    assert dialogue(right, sasl.ScramServer(name, binding), KEYS[name]) == (
        sasl.Success("user"),
        True,
    )
    wrong = sasl.ScramClient(name, "user", "pen", binding)
    failure, satisfied = dialogue(wrong, sasl.ScramServer(name, binding), KEYS[name])
    assert failure == sasl.Failure(f"{name}: the proof is wrong")
    assert not satisfied


def test_nonces_are_random() -> None:
    firsts = {sasl.ScramClient(SHA_256, "user", "pencil").respond(None) for _ in range(3)}
    assert len(firsts) == 3
    challenges = {supplied(b"n,,n=user,r=abc", sasl.ScramServer(SHA_256))[1] for _ in range(3)}
    assert len(challenges) == 3


# Names and the authorization identity (RFC 5802 section 5.1)


def test_the_first_message_of_cyrus_sasl() -> None:
    """mutt, neomutt and nmh send the identity that they authenticate with in a= too."""
    first = b"n,a=alice,n=alice,r=4V4x"
    server = sasl.ScramServer(SHA_256)
    lookup, challenge = supplied(first, server)
    assert lookup == sasl.Lookup("alice", "alice")
    assert isinstance(server.step(client_final(first, challenge)), sasl.Challenge)
    assert server.step(b"") == sasl.Success("alice")


def test_an_authorization_identity_is_in_the_header_and_in_c() -> None:
    client = sasl.ScramClient(
        SHA_256, "user", "pencil", authorization_id="ad,min=\u00aa", nonce="abc"
    )
    assert client.respond(None) == b"n,a=ad=2Cmin=3Da,n=user,r=abc"
    final = client.respond(SERVER_FIRST)
    assert final is not None
    assert final.startswith(b"c=" + base64.b64encode(b"n,a=ad=2Cmin=3Da,") + b",r=abcdef,p=")


def test_acting_as_another_user_fails_unless_the_server_permits_it() -> None:
    def client() -> sasl.ScramClient:
        return sasl.ScramClient(SHA_256, "user", "pencil", authorization_id="admin")

    assert dialogue(client(), sasl.ScramServer(SHA_256), KEYS[SHA_256]) == (
        sasl.Failure("SCRAM-SHA-256: 'user' may not act as 'admin'"),
        False,
    )
    assert dialogue(client(), sasl.ScramServer(SHA_256), KEYS[SHA_256], "admin") == (
        sasl.Success("admin"),
        True,
    )


def test_nobody_learns_without_a_password_which_identities_are_permitted() -> None:
    client = sasl.ScramClient(SHA_256, "user", "wrong", authorization_id="admin")
    outcome = dialogue(client, sasl.ScramServer(SHA_256), KEYS[SHA_256])
    assert outcome == (sasl.Failure("SCRAM-SHA-256: the proof is wrong"), False)


def test_success_may_name_a_canonical_identity() -> None:
    client = sasl.ScramClient(SHA_256, "user", "pencil")
    outcome = dialogue(client, sasl.ScramServer(SHA_256), KEYS[SHA_256], "user@mail.example")
    assert outcome == (sasl.Success("user@mail.example"), True)


def test_c_must_hold_the_authorization_identity() -> None:
    first = b"n,a=user,n=user,r=abc"
    server = sasl.ScramServer(SHA_256)
    _, challenge = supplied(first, server)
    fails(server.step(client_final(first, challenge, channel=b"n,,")), "c= is not the GS2 header")


def test_the_names_are_escaped_and_prepared() -> None:
    # SASLprep turns U+00AA into "a".
    client = sasl.ScramClient(SHA_256, "a,b=\u00aa", "pencil", nonce="abc")
    assert client.respond(None) == b"n,,n=a=2Cb=3Da,r=abc"
    server = sasl.ScramServer(SHA_256)
    assert server.step("n,a=\u00aa,n=a=2Cb=3D\u00aa,r=abc".encode()) == sasl.Lookup("a", "a,b=a")


def test_a_name_may_hold_unassigned_code_points_and_a_password_may_not() -> None:
    # U+1F600 came after Unicode 3.2. A name is a query string, a password a stored string.
    client = sasl.ScramClient(SHA_256, "\U0001f600", "pencil", nonce="abc")
    assert client.respond(None) == "n,,n=\U0001f600,r=abc".encode()
    assert sasl.ScramServer(SHA_256).step("n,,n=\U0001f600,r=abc".encode()) == sasl.Lookup(
        None, "\U0001f600"
    )
    unassigned = "the password holds a code point that is unassigned in Unicode 3.2"
    with pytest.raises(LocalProtocolError, match=unassigned):
        sasl.ScramClient(SHA_256, "user", "pen\U0001f600cil")
    with pytest.raises(LocalProtocolError, match=unassigned):
        sasl.ScramKeys.derive(SHA_256, "pen\U0001f600cil", iterations=4096)


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        # RFC 4013 section 3, and the characters of RFC 5802 section 3.
        ("I\u00adX", "IX"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u00bd", "1\u20442"),
        ("\u00b4x", " \u0301x"),
        ("a\u00a0b", "a b"),
        ("a\u1680b", "a b"),  # a space that NFKC leaves alone
        ("a\u200bb", "ab"),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),
    ],
)
def test_passwords_are_prepared(password: str, prepared: str) -> None:
    one, other = (
        sasl.ScramKeys.derive(SHA_256, text, salt=SALT, iterations=4096)
        for text in (password, prepared)
    )
    assert one == other


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\u00ad", "SASLprep makes the {} empty"),
        ("us\x07er", "SASLprep prohibits a character of the {}"),
        ("us\u2028er", "SASLprep prohibits a character of the {}"),  # C.2.2
        ("us\ue000er", "SASLprep prohibits a character of the {}"),  # C.3
        ("us\ufdd0er", "SASLprep prohibits a character of the {}"),  # C.4
        ("us\ufffder", "SASLprep prohibits a character of the {}"),  # C.6
        ("us\u2ff0er", "SASLprep prohibits a character of the {}"),  # C.7
        ("us\u202aer", "SASLprep prohibits a character of the {}"),  # C.8
        ("us\U000e0041er", "SASLprep prohibits a character of the {}"),  # C.9
        ("\u0627\u0031", "the {} mixes directions of writing"),
        ("\u0627a\u0628", "the {} mixes directions of writing"),
    ],
)
def test_strings_that_saslprep_prohibits(text: str, fault: str) -> None:
    with pytest.raises(LocalProtocolError, match=fault.format("authentication_id")):
        sasl.ScramClient(SHA_256, text, "pencil")
    with pytest.raises(LocalProtocolError, match=fault.format("authorization_id")):
        sasl.ScramClient(SHA_256, "user", "pencil", authorization_id=text)
    with pytest.raises(LocalProtocolError, match=fault.format("password")):
        sasl.ScramClient(SHA_256, "user", text)
    with pytest.raises(LocalProtocolError, match=fault.format("password")):
        sasl.ScramKeys.derive(SHA_256, text, iterations=4096)
    fails(
        sasl.ScramServer(SHA_256).step(f"n,,n={text},r=abc".encode()),
        fault.format("name"),
    )
    fails(
        sasl.ScramServer(SHA_256).step(f"n,a={text},n=user,r=abc".encode()),
        fault.format("authorization identity"),
    )


def test_saslprep_prohibits_lone_surrogates() -> None:
    """Table C.5. Neither UTF-8 nor a string that can be written in it holds one."""
    with pytest.raises(LocalProtocolError, match="SASLprep prohibits a character of the name"):
        saslprep("name", "\ud800", LocalProtocolError)


def test_no_message_is_longer_than_a_line_of_an_auth_exchange() -> None:
    """12288 octets of base64 (RFC 4954 section 4), with everything as long as it may be."""
    binding = ("x" * 64, bytes(1024))
    name = "=" * 1024
    client = sasl.ScramClient(PLUS, name, "pencil", binding, authorization_id=name, nonce="c" * 256)
    server = sasl.ScramServer(PLUS, binding, nonce="s" * 256)
    keys = sasl.ScramKeys.derive(
        PLUS, "pencil", salt=bytes(1024), iterations=1_000_000, max_iterations=1_000_000
    )
    first = client.respond(None)
    assert first is not None
    assert server.step(first) == sasl.Lookup(name, name)
    challenge = server.supply(keys).octets
    final = client.respond(challenge)
    assert final is not None
    assert isinstance(server.step(final), sasl.Challenge)
    for message in (first, challenge, final):
        assert len(base64.b64encode(message) + b"\r\n") <= 12288


def test_the_longest_message() -> None:
    first = b"n,,n=user,r=abc,x="
    server = sasl.ScramServer(SHA_256)
    assert server.step(first + b"x" * (9216 - len(first))) == sasl.Lookup(None, "user")
    server = sasl.ScramServer(SHA_256)
    fails(server.step(first + b"x" * (9217 - len(first))), "the message is longer than 9216 octets")


@pytest.mark.parametrize("name", ["x" * 1025, "\u00e9" * 513, "\ufdfa" * 100])
def test_names_are_bounded(name: str) -> None:
    # SASLprep makes 18 characters of U+FDFA.
    with pytest.raises(
        LocalProtocolError, match="the authentication_id is longer than 1024 octets"
    ):
        sasl.ScramClient(SHA_256, name, "pencil")
    fails(
        sasl.ScramServer(SHA_256).step(f"n,,n={name},r=abc".encode()),
        "the name is longer than 1024 octets",
    )


# Channel binding (RFC 5802 section 6)


@pytest.mark.parametrize(
    "binding",
    [UNIQUE, EXPORTER, ("tls-server-end-point", bytes(32)), ("an.other-1", bytearray(b"x"))],
)
def test_any_type_of_channel_binding(binding: sasl.ChannelBinding) -> None:
    client = sasl.ScramClient(PLUS, "user", "pencil", binding, nonce="abc")
    server = sasl.ScramServer(PLUS, binding)
    first = client.respond(None)
    assert first == b"p=" + binding[0].encode() + b",,n=user,r=abc"
    _, challenge = supplied(first, server)
    final = client.respond(challenge)
    assert final == client_final(first, challenge, binding[1])
    assert isinstance(server.step(final), sasl.Challenge)


def test_another_channel_is_a_man_in_the_middle() -> None:
    client = sasl.ScramClient(PLUS, "user", "pencil", ("tls-unique", b"to the attacker"))
    server = sasl.ScramServer(PLUS, ("tls-unique", b"from the attacker"))
    failure, satisfied = dialogue(client, server, KEYS[PLUS])
    fails(failure, "c= is not the GS2 header as sent and the channel's binding")
    assert not satisfied


def test_a_client_that_did_not_see_plus_is_refused() -> None:
    # "y": the client could have bound the channel, but the server does not seem to.
    def client() -> sasl.ScramClient:
        return sasl.ScramClient(SHA_256, "user", "pencil", UNIQUE, nonce="abc")

    assert client().respond(None) == b"y,,n=user,r=abc"
    for server in (
        sasl.ScramServer(SHA_256, plus_offered=True),
        sasl.ScramServer(SHA_256, UNIQUE),
    ):
        fails(
            server.step(b"y,,n=user,r=abc"),
            "the client did not see that SCRAM-SHA-256-PLUS is offered",
        )
    # The same client succeeds at a server that does not offer -PLUS ...
    assert dialogue(client(), sasl.ScramServer(SHA_256), KEYS[SHA_256]) == (
        sasl.Success("user"),
        True,
    )
    # ... and a client without channel binding at a server that does.
    assert dialogue(
        sasl.ScramClient(SHA_256, "user", "pencil"),
        sasl.ScramServer(SHA_256, plus_offered=True),
        KEYS[SHA_256],
    ) == (sasl.Success("user"), True)


@pytest.mark.parametrize("header", [b"n,", b"y,", b"p=tls-exporter,", b"p=,", b"p,"])
def test_plus_demands_the_binding_that_the_server_has(header: bytes) -> None:
    step = sasl.ScramServer(PLUS, UNIQUE).step(header + b",n=user,r=abc")
    fails(step, "the client does not use the server's channel binding")


# What a server refuses


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "the message is empty"),
        (b"\xff", "the message is not UTF-8"),
        (b"n,,n=us\0er,r=abc", "the message holds NUL"),
        (b"n,,n=user,r=abc,x=" + b"x" * 9200, "the message is longer than 9216 octets"),
        (b"n", "does not begin with a GS2 header"),
        (b"n,n=user", "does not begin with a GS2 header"),
        (b"p=tls-unique,,n=user,r=abc", "begins with another flag than n or y"),
        (b"x,,n=user,r=abc", "begins with another flag than n or y"),
        (b"F,n,,n=user,r=abc", "begins with another flag than n or y"),
        (b"n,user,n=user,r=abc", "the GS2 header holds something else than a=name"),
        (b"n,user=x,n=user,r=abc", "the GS2 header holds something else than a=name"),
        (b"n,a=,n=user,r=abc", "SASLprep makes the authorization identity empty"),
        (b"n,a=us=er,n=user,r=abc", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,,n=us=er,r=abc", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,,n=user=,r=abc", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,,n=user=2c,r=abc", "a saslname holds a = that begins neither =2C nor =3D"),
        (b"n,,", "the message holds something else than attributes"),
        (b"n,,n=user,r=abc,", "the message holds something else than attributes"),
        (b"n,,n=,r=abc", "the message holds something else than attributes"),
        (b"n,,n=user,r=", "the message holds something else than attributes"),
        (b"n,,n:user,r=abc", "the message holds something else than attributes"),
        (b"n,,n=user,r=abc,1=x", "the message holds something else than attributes"),
        (b"n,,n=user,r=abc,\xc3\xa9=x", "the message holds something else than attributes"),
        (b"n,,m=x,n=user,r=abc", "the message holds a mandatory extension"),
        (b"n,,n=user,r=abc,m=x", "the message holds a mandatory extension"),
        (b"n,,n=user,n=user,r=abc", "the message holds n= twice"),
        (b"n,,n=user,r=abc,r=abc", "the message holds r= twice"),
        (b"n,,n=user,r=abc,x=1,x=2", "the message holds x= twice"),
        (b"n,,n=user", "the attributes of the message are not n=, r= in this order"),
        (b"n,,r=abc,n=user", "the attributes of the message are not n=, r= in this order"),
        (b"n,,n=user,x=1,r=abc", "the attributes of the message are not n=, r= in this order"),
        (b"n,,x=1,n=user,r=abc", "the attributes of the message are not n=, r= in this order"),
        (b"n,,n=user,r=abc,i=4096", "the attributes of the message are not n=, r= in this order"),
        (b"n,,n=user,r=abc,x=1,a=x", "the attributes of the message are not n=, r= in this order"),
        (b"n,,n=user,r=a c", "the nonce is not 1 to 256 printable characters"),
        (b"n,,n=user,r=a\x7fc", "the nonce is not 1 to 256 printable characters"),
        (b"n,,n=user,r=a\xc3\xa9c", "the nonce is not 1 to 256 printable characters"),
        (b"n,,n=user,r=" + b"a" * 257, "the nonce is not 1 to 256 printable characters"),
    ],
)
def test_client_first_messages_that_fail(message: bytes, reason: str) -> None:
    server = sasl.ScramServer(SHA_256)
    fails(server.step(message), reason)
    with pytest.raises(LocalProtocolError, match="the exchange is over"):
        server.step(b"n,,n=user,r=abc")


def test_optional_extensions_are_ignored() -> None:
    # RFC 5802 section 5.1; they are part of what is signed.
    first = b"n,,n=user,r=abc,x=1,Y=a=b"
    server = sasl.ScramServer(SHA_256, nonce="def")
    lookup, challenge = supplied(first, server)
    assert lookup == sasl.Lookup(None, "user")
    final = client_final(first, challenge, extension=b",z=1,x=2")
    assert b",z=1,x=2,p=" in final
    assert isinstance(server.step(final), sasl.Challenge)

    client = sasl.ScramClient(SHA_256, "user", "pencil", nonce="abc")
    client.respond(None)
    assert client.respond(SERVER_FIRST + b",x=1,y=2") == client_final(
        b"n,,n=user,r=abc", b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,x=1,y=2"
    )


PROOF = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "the message is empty"),
        (b"\xff", "the message is not UTF-8"),
        (b"c=biws,r=abcdef", "are not c=, r=, p= in this order"),
        (b"c=biws,r=abcdef,p=", "something else than attributes"),
        (b"r=abcdef,c=biws,p=%b" % PROOF, "are not c=, r=, p= in this order"),
        (b"c=biws,p=%b,r=abcdef" % PROOF, "are not c=, r=, p= in this order"),
        (b"c=biws,r=abcdef,p=%b,x=1" % PROOF, "are not c=, r=, p= in this order"),
        (b"c=biws,r=abcdef,s=AAAA,p=%b" % PROOF, "are not c=, r=, p= in this order"),
        (b"c=biws,r=abcdef,m=x,p=%b" % PROOF, "a mandatory extension"),
        (b"m=x,c=biws,r=abcdef,p=%b" % PROOF, "a mandatory extension"),
        (b"c=biws,c=biws,r=abcdef,p=%b" % PROOF, "c= twice"),
        (b"c=biws,r=abcdef,p=%b,p=%b" % (PROOF, PROOF), "p= twice"),
        (b"c=eSws,r=abcdef,p=%b" % PROOF, "c= is not the GS2 header"),  # y,,
        (b"c=biwsAA==,r=abcdef,p=%b" % PROOF, "c= is not the GS2 header"),
        (b"c=\xc3\xa9,r=abcdef,p=%b" % PROOF, "c= is not the GS2 header"),
        (b"c=biws,r=abc,p=%b" % PROOF, "the nonce is not the one that the server sent"),
        (b"c=biws,r=abcdefg,p=%b" % PROOF, "the nonce is not the one that the server sent"),
        (b"c=biws,r=abcdef,p=!", "the proof is not base64"),
        (b"c=biws,r=abcdef,p=\xc3\xa9", "the proof is not base64"),
        (b"c=biws,r=abcdef,p=%b" % PROOF[:-1], "the proof is not base64"),
        (b"c=biws,r=abcdef,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "the proof is not of 32 octets"),
        (b"c=biws,r=abcdef,p=%b" % PROOF, "the proof is wrong"),
    ],
)
def test_client_final_messages_that_fail(message: bytes, reason: str) -> None:
    server = sasl.ScramServer(SHA_256, nonce="def")
    supplied(b"n,,n=user,r=abc", server)
    fails(server.step(message), reason)


def test_the_last_response_must_be_empty() -> None:
    client = sasl.ScramClient(SHA_256, "user", "pencil")
    server = sasl.ScramServer(SHA_256)
    server.step(client.respond(None))
    server.step(client.respond(server.supply(KEYS[SHA_256]).octets))
    fails(server.step(b"x"), "the response to the server-final-message is not empty")


# What a client refuses


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The iteration counts with which PBKDF2 is called."""
    calls: list[int] = []
    pbkdf2_hmac = hashlib.pbkdf2_hmac

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        calls.append(iterations)
        return pbkdf2_hmac(name, password, salt, iterations)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    return calls


@pytest.mark.parametrize(
    "server_first",
    [
        b"",
        b"\xff",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=40\x0096",
        SERVER_FIRST + b",x=" + b"x" * 9216,
        # iteration counts
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=04096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4_096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i= 4096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\n",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" + b"9" * 5000,
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=\xd9\xa4096",
        # salts
        b"r=abcdef,s=!,i=4096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gR==,i=4096",
        b"r=abcdef,s=W22Z aJ0,i=4096",
        b"r=abcdef,s=,i=4096",
        # nonces
        b"r=xyzdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=ab,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=abcd f,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=abc" + b"d" * 257 + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        # attributes
        b"m=x," + SERVER_FIRST,
        SERVER_FIRST + b",m=x",
        SERVER_FIRST + b",i=4096",
        SERVER_FIRST + b",i=1000000000",
        SERVER_FIRST + b",p=AAAA",
        SERVER_FIRST + b",x=1,x=2",
        SERVER_FIRST + b",",
        b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        b"s=W22ZaJ0SNY7soEsUEjb6gQ==,r=abcdef,i=4096",
        b"r=abcdef,i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ],
)
def test_server_first_messages_that_a_client_gives_up_on(
    server_first: bytes, hashed: list[int]
) -> None:
    client = sasl.ScramClient(SHA_256, "user", "pencil", nonce="abc")
    client.respond(None)
    assert client.respond(server_first) is None
    assert client.respond(SERVER_FIRST) is None
    assert not client.complete
    assert client.refusal is None
    assert hashed == []


def test_the_bounds_of_the_iteration_count_can_be_moved(hashed: list[int]) -> None:
    def answer(iterations: int, least: int, most: int) -> bytes | None:
        client = sasl.ScramClient(
            SHA_256, "user", "pencil", min_iterations=least, max_iterations=most, nonce="abc"
        )
        client.respond(None)
        return client.respond(b"r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=%d" % iterations)

    assert answer(5001, 4096, 5000) is None
    assert answer(999, 1000, 5000) is None
    assert hashed == []
    assert answer(5000, 4096, 5000) is not None
    assert answer(1000, 1000, 5000) is not None
    assert hashed == [5000, 1000]


@pytest.mark.parametrize("bounds", [(0, 4096), (4096, 4095), (4096, 2**31), (True, 4096)])
def test_bounds_of_the_iteration_count_that_raise(bounds: tuple[int, int]) -> None:
    least, most = bounds
    with pytest.raises(LocalProtocolError, match="min_iterations and max_iterations are from 1 to"):
        sasl.ScramClient(SHA_256, "user", "pencil", min_iterations=least, max_iterations=most)
    with pytest.raises(LocalProtocolError, match="min_iterations and max_iterations are from 1 to"):
        sasl.ScramKeys.derive(SHA_256, "pencil", min_iterations=least, max_iterations=most)


SIGNATURE = b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def proved_client() -> sasl.ScramClient:
    """The client of RFC 7677 section 3, after its client-final-message."""
    client = sasl.ScramClient(SHA_256, "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    client.respond(None)
    assert client.respond(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    return client


@pytest.mark.parametrize(
    "server_final",
    [
        b"",
        b"\xff",
        b"v=",
        b"v=AAAA",
        b"v=" + SIGNATURE[:-2],
        b"v=\xc3\xa9",
        b"v=" + SIGNATURE + b",v=" + SIGNATURE,
        b"v=" + SIGNATURE + b",m=x",
        b"v=" + SIGNATURE + b",e=other-error",
        b"x=1,v=" + SIGNATURE,
    ],
)
def test_a_client_gives_up_on_a_server_that_does_not_prove_itself(server_final: bytes) -> None:
    client = proved_client()
    assert client.respond(server_final) is None
    assert client.respond(b"v=" + SIGNATURE) is None
    assert not client.complete
    assert client.refusal is None


def test_a_server_that_proves_itself_may_add_extensions() -> None:
    client = proved_client()
    assert client.respond(b"v=" + SIGNATURE + b",x=1") == b""
    assert client.complete


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (b"e=invalid-proof", b"invalid-proof"),
        (b"e=other-error,x=1", b"other-error"),
        (b"e=", b""),
        (b"e=\xc3\xa9", b"\xc3\xa9"),
    ],
)
def test_a_server_may_say_why_it_refuses(message: bytes, refusal: bytes) -> None:
    unproved = sasl.ScramClient(SHA_256, "user", "pencil")
    unproved.respond(None)
    for client in (unproved, proved_client()):
        assert client.refusal is None
        assert client.respond(message) is None
        assert not client.complete
        assert client.refusal == refusal


def test_after_the_last_message_a_client_answers_nothing_more() -> None:
    client = proved_client()
    assert client.respond(b"v=" + SIGNATURE) == b""
    assert client.complete
    assert client.respond(b"v=" + SIGNATURE) is None
    assert not client.complete


# The caller of the server


def test_accept_cannot_make_a_success() -> None:
    server = sasl.ScramServer(SHA_256)
    with pytest.raises(LocalProtocolError, match="the client's response comes next"):
        server.accept("user")
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(LocalProtocolError, match=r"supply\(keys\) or reject\(\)"):
        server.accept("user")
    with pytest.raises(LocalProtocolError, match=r"supply\(keys\) or reject\(\)"):
        server.step(b"c=biws")
    assert isinstance(server.supply(KEYS[SHA_256]), sasl.Challenge)
    with pytest.raises(LocalProtocolError, match="the client's response comes next"):
        server.supply(KEYS[SHA_256])


def test_an_unknown_user_may_be_refused_at_once() -> None:
    server = sasl.ScramServer(SHA_256)
    server.step(b"n,,n=nobody,r=abc")
    assert server.reject("no such user") == sasl.Failure("no such user")
    with pytest.raises(LocalProtocolError, match="the exchange is over"):
        server.reject()


def test_a_supply_that_raises_changes_nothing() -> None:
    server = sasl.ScramServer(SHA_256)
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(LocalProtocolError, match="the keys must be of 32 octets"):
        server.supply(KEYS["SCRAM-SHA-1"])
    with pytest.raises(TypeError, match="the keys are ScramKeys, not NoneType"):
        server.supply(None)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="the identity must not be empty"):
        server.supply(KEYS[SHA_256], "")
    assert isinstance(server.supply(KEYS[SHA_256]), sasl.Challenge)


# Stored keys


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_keys_of_any_kind_of_octets(kind: Any) -> None:
    keys = sasl.ScramKeys(kind(bytes(12)), kind(bytes(32)), kind(bytes(32)), 4096)
    assert keys == sasl.ScramKeys(bytes(12), bytes(32), bytes(32), 4096)
    assert all(type(octets) is bytes for octets in (keys.salt, keys.stored_key, keys.server_key))
    assert isinstance(hash(keys), int)
    derived = sasl.ScramKeys.derive(SHA_256, "pencil", salt=kind(SALT), iterations=4096)
    assert derived == RFC_7677_KEYS
    assert sasl.ScramKeys.decoy(SHA_256, "user", kind(b"k")) == sasl.ScramKeys.decoy(
        SHA_256, "user", b"k"
    )
    client = sasl.ScramClient(PLUS, "user", "pencil", ("tls-unique", kind(b"x")), nonce="abc")
    assert client.respond(None) == b"p=tls-unique,,n=user,r=abc"
    # The messages too.
    assert client.respond(kind(SERVER_FIRST)) is not None
    assert sasl.ScramServer(SHA_256).step(kind(b"n,,n=user,r=abc")) == sasl.Lookup(None, "user")


def test_keys_that_raise() -> None:
    salt, key = b"twelve octets", bytes(32)
    for short in (b"", b"short", bytes(1025)):
        with pytest.raises(LocalProtocolError, match="a salt has at least 12 and at most 1024"):
            sasl.ScramKeys(short, key, key, 4096)
        with pytest.raises(LocalProtocolError, match="a salt has at least 12 and at most 1024"):
            sasl.ScramKeys.derive(SHA_256, "pencil", salt=short)
    with pytest.raises(LocalProtocolError, match="the keys must be of the same length"):
        sasl.ScramKeys(salt, key, bytes(20), 4096)
    text: Any = "text"
    wrong: list[Any] = [(text, key, key, 4096), (salt, text, key, 4096), (salt, key, text, 4096)]
    for arguments in wrong:
        with pytest.raises(TypeError, match="octets"):
            sasl.ScramKeys(*arguments)


def test_iterations_of_keys_are_checked_before_hashing(hashed: list[int]) -> None:
    salt, key = b"twelve octets", bytes(32)
    wrong: list[Any] = [1, 4095, 1_000_001, True, 4096.0, "4096", None]
    for iterations in wrong:
        with pytest.raises(LocalProtocolError, match="iterations are from 4096 to 1000000"):
            sasl.ScramKeys(salt, key, key, iterations)
        with pytest.raises(LocalProtocolError, match="iterations are from 4096 to 1000000"):
            sasl.ScramKeys.derive(SHA_256, "pencil", iterations=iterations)
        with pytest.raises(LocalProtocolError, match="iterations are from 4096 to 1000000"):
            sasl.ScramKeys.decoy(SHA_256, "user", b"key", iterations=iterations)
    assert hashed == []
    assert sasl.ScramKeys(salt, key, key, 1_000_000).iterations == 1_000_000
    old = sasl.ScramKeys.derive(SHA_256, "pencil", iterations=1000, min_iterations=1000)
    assert old.iterations == 1000
    many = sasl.ScramKeys(salt, key, key, 2_000_000, max_iterations=2_000_000)
    assert many.iterations == 2_000_000
    decoy = sasl.ScramKeys.decoy(SHA_256, "user", b"key", iterations=1000, min_iterations=1000)
    assert decoy.iterations == 1000
    assert hashed == [1000]


def test_salts_are_random() -> None:
    one = sasl.ScramKeys.derive("SCRAM-SHA-1", "pencil", iterations=4096)
    other = sasl.ScramKeys.derive("SCRAM-SHA-1", "pencil", iterations=4096)
    assert one.salt != other.salt


# Decoys


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_an_unknown_user_may_be_hidden_behind_a_decoy(name: str) -> None:
    decoy = sasl.ScramKeys.decoy(name, "nobody", b"the server's own key")
    assert decoy == sasl.ScramKeys.decoy(name, "nobody", b"the server's own key")
    assert decoy == sasl.ScramKeys.decoy(f"{name}-PLUS", "nobody", b"the server's own key")
    assert decoy.salt != sasl.ScramKeys.decoy(name, "noone", b"the server's own key").salt
    assert decoy.salt != sasl.ScramKeys.decoy(name, "nobody", b"another key").salt
    real = sasl.ScramKeys.derive(name, "pencil")
    assert len(decoy.salt) == len(real.salt)
    assert len(decoy.stored_key) == len(real.stored_key)
    assert decoy.iterations == real.iterations
    failure, satisfied = dialogue(
        sasl.ScramClient(name, "nobody", "pencil"), sasl.ScramServer(name), decoy
    )
    assert failure == sasl.Failure(f"{name}: the proof is wrong")
    assert not satisfied


def test_a_decoy_has_another_salt_for_each_hash_as_a_user_has() -> None:
    one, other = (
        sasl.ScramKeys.decoy(name, "nobody", b"key") for name in ("SCRAM-SHA-1", "SCRAM-SHA-256")
    )
    assert one.salt != other.salt


def test_a_decoy_has_salts_as_long_as_those_of_the_users() -> None:
    for size in (12, 64):
        assert len(sasl.ScramKeys.decoy(SHA_256, "user", b"key", salt_size=size).salt) == size
    for size in (11, 65):
        with pytest.raises(LocalProtocolError, match="salt_size is from 12 to 64"):
            sasl.ScramKeys.decoy(SHA_256, "user", b"key", salt_size=size)
    with pytest.raises(LocalProtocolError, match="the key must not be empty"):
        sasl.ScramKeys.decoy(SHA_256, "user", b"")


# Arguments


def test_arguments_that_raise() -> None:
    any_value: Any = 1
    with pytest.raises(
        LocalProtocolError, match="'SCRAM-MD5' is not one of SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS"
    ):
        sasl.ScramClient("SCRAM-MD5", "user", "pencil")
    with pytest.raises(LocalProtocolError, match="'SCRAM-MD5' is not one of"):
        sasl.ScramServer("SCRAM-MD5")
    with pytest.raises(LocalProtocolError, match="'SCRAM-MD5' is not one of"):
        sasl.ScramKeys.derive("SCRAM-MD5", "pencil")
    with pytest.raises(LocalProtocolError, match="the mechanism is text"):
        sasl.ScramServer(any_value)
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS needs channel_binding"):
        sasl.ScramClient("SCRAM-SHA-1-PLUS", "user", "pencil")
    with pytest.raises(LocalProtocolError, match="SCRAM-SHA-1-PLUS needs channel_binding"):
        sasl.ScramServer("SCRAM-SHA-1-PLUS")
    with pytest.raises(LocalProtocolError, match="the authentication_id must not be empty"):
        sasl.ScramClient("SCRAM-SHA-1", "", "pencil")
    with pytest.raises(LocalProtocolError, match="the authorization_id must not be empty"):
        sasl.ScramClient("SCRAM-SHA-1", "user", "pencil", authorization_id="")
    with pytest.raises(LocalProtocolError, match="the password must not be empty"):
        sasl.ScramClient("SCRAM-SHA-1", "user", "")
    with pytest.raises(LocalProtocolError, match="the password must not be empty"):
        sasl.ScramKeys.derive("SCRAM-SHA-1", "", iterations=4096)
    with pytest.raises(LocalProtocolError, match=r"the password is text \(str\), not int"):
        sasl.ScramClient("SCRAM-SHA-1", "user", any_value)
    for nonce in ("", "a,b", "a b", "\u00e9", "x" * 257):
        with pytest.raises(LocalProtocolError, match="a nonce is of 1 to 256 printable ASCII"):
            sasl.ScramClient(SHA_256, "user", "pencil", nonce=nonce)
        with pytest.raises(LocalProtocolError, match="a nonce is of 1 to 256 printable ASCII"):
            sasl.ScramServer(SHA_256, nonce=nonce)


@pytest.mark.parametrize(
    ("binding", "fault"),
    [
        ("tls-unique", "channel_binding is a tuple of a type and octets"),
        (("tls-unique",), "channel_binding is a tuple of a type and octets"),
        ((b"tls-unique", b"x"), "the channel binding type is text"),
        (("", b"x"), "'' is not a type of channel binding"),
        (("tls unique", b"x"), "'tls unique' is not a type of channel binding"),
        (("tls,unique", b"x"), "'tls,unique' is not a type of channel binding"),
        (("\u00e9", b"x"), "is not a type of channel binding"),
        (("x" * 65, b"x"), "is not a type of channel binding"),
        (("tls-unique", b""), "channel binding data have 1 to 1024 octets, not 0"),
        (("tls-unique", bytes(1025)), "channel binding data have 1 to 1024 octets, not 1025"),
        # ssl's get_channel_binding() before the handshake
        (("tls-unique", None), "the channel binding data is octets"),
    ],
)
def test_channel_bindings_that_raise(binding: Any, fault: str) -> None:
    with pytest.raises((LocalProtocolError, TypeError), match=fault):
        sasl.ScramClient(PLUS, "user", "pencil", binding)
    with pytest.raises((LocalProtocolError, TypeError), match=fault):
        sasl.ScramServer(PLUS, binding)


class Text(str, Enum):
    MECHANISM = "SCRAM-SHA-256"
    USER = "user"
    ADMIN = "admin"
    PASSWORD = "pencil"
    NONCE = "abc"


def test_members_of_enumerations_stand_for_their_values() -> None:
    client = sasl.ScramClient(
        Text.MECHANISM, Text.USER, Text.PASSWORD, authorization_id=Text.ADMIN, nonce=Text.NONCE
    )
    server = sasl.ScramServer(Text.MECHANISM, nonce=Text.NONCE)
    assert type(client.name) is type(server.name) is str
    first = client.respond(None)
    assert first == b"n,a=admin,n=user,r=abc"
    keys = sasl.ScramKeys.derive(Text.MECHANISM, Text.PASSWORD, salt=SALT, iterations=4096)
    assert keys == RFC_7677_KEYS
    server.step(first)
    response = client.respond(server.supply(keys, Text.ADMIN).octets)
    response = client.respond(getattr(server.step(response), "octets"))  # noqa: B009
    success = server.step(response)
    assert success == sasl.Success("admin")
    assert type(success.identity) is str  # type: ignore[union-attr]
    decoy = sasl.ScramKeys.decoy(Text.MECHANISM, Text.USER, b"key")
    assert decoy == sasl.ScramKeys.decoy("SCRAM-SHA-256", "user", b"key")


# Against scramp


def takes(user: str, password: str) -> bool:
    """Whether both implementations take these strings."""
    try:
        scramp.ScramClient([SHA_256], user, password)
        sasl.ScramClient(SHA_256, user, password)
    except (scramp.ScramException, LocalProtocolError):
        return False
    return True


texts = st.text(
    st.characters(codec="utf-8")
    | st.sampled_from("a,=\u00aa\u00ad\u00a0\u00bd\u00e9\u0301\u0627\u0628\u2168\u200b\ufdfa"),
    min_size=1,
    max_size=12,
)
strings = st.tuples(texts, texts).filter(lambda pair: takes(*pair))


@pytest.mark.parametrize("name", sasl.SCRAM_MECHANISMS)
@given(strings=strings, y=st.booleans())
def test_our_client_agrees_with_scramp(name: str, strings: tuple[str, str], y: bool) -> None:
    user, password = strings
    plus = name.endswith("-PLUS")
    info = scramp.ScramMechanism(name).make_auth_info(password, iteration_count=4096)
    users: list[str] = []

    def find(user: str) -> Any:
        users.append(user)
        return info

    server = scramp.ScramMechanism(name).make_server(find, UNIQUE if plus else None)
    client = sasl.ScramClient(name, user, password, UNIQUE if plus or y else None)
    first = client.respond(None)
    assert first is not None
    server.set_client_first(first.decode())
    assert users == [str(scramp.core.Username(user))]
    final = client.respond(server.get_server_first().encode())
    assert final is not None
    server.set_client_final(final.decode())
    assert not client.complete
    assert client.respond(server.get_server_final().encode()) == b""
    assert client.complete


@pytest.mark.parametrize("name", sasl.SCRAM_MECHANISMS)
@given(strings=strings, y=st.booleans())
def test_our_server_agrees_with_scramp(name: str, strings: tuple[str, str], y: bool) -> None:
    user, password = strings
    plus = name.endswith("-PLUS")
    client = scramp.ScramClient([name], user, password, UNIQUE if plus or y else None)
    server = sasl.ScramServer(name, UNIQUE if plus else None)
    keys = sasl.ScramKeys.derive(name, password, iterations=4096)
    lookup = server.step(client.get_client_first().encode())
    assert lookup == sasl.Lookup(None, str(scramp.core.Username(user)))
    client.set_server_first(server.supply(keys).octets.decode())
    challenge = server.step(client.get_client_final().encode())
    assert isinstance(challenge, sasl.Challenge)
    client.set_server_final(challenge.octets.decode())
    assert server.step(b"") == sasl.Success(str(scramp.core.Username(user)))


@given(texts, st.binary(min_size=12, max_size=40), st.integers(4096, 5000))
def test_our_keys_are_those_of_scramp(password: str, salt: bytes, iterations: int) -> None:
    if takes("user", password):
        keys = sasl.ScramKeys.derive(SHA_256, password, salt=salt, iterations=iterations)
        info = scramp.ScramMechanism(SHA_256).make_auth_info(password, iterations, salt)
        assert (keys.salt, keys.stored_key, keys.server_key, keys.iterations) == info


# Any octets


PIECES = [
    *(b"n", b"y", b"p=tls-unique", b"a=", b"n=", b"r=", b"abc", b"abcdef", b"s=", b"W22Z", b"i="),
    *(b"4096", b"c=biws", b"p=", b"v=", b"e=", b"m=", b",", b",,", b"=", b"=2C", b"=3D", b"x=1"),
    *(b"\xc3\xa9", b"\xc2\xad", b"\xd8\xa7", b"\xff", b"\0", b"\n", SERVER_FIRST, PROOF),
]
any_octets = st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)


@given(any_octets, any_octets)
def test_no_octets_make_a_server_raise(first: bytes, final: bytes) -> None:
    server = sasl.ScramServer(SHA_256)
    if isinstance(server.step(first), sasl.Lookup):
        server.supply(RFC_7677_KEYS)
        assert isinstance(server.step(final), sasl.Failure)
    server = sasl.ScramServer(SHA_256, nonce="def")
    supplied(b"n,,n=user,r=abc", server)
    assert isinstance(server.step(final), sasl.Failure)


@given(any_octets, any_octets)
def test_no_octets_make_a_client_raise_or_complete(first: bytes, final: bytes) -> None:
    client = sasl.ScramClient(SHA_256, "user", "pencil", nonce="abc")
    client.respond(None)
    client.respond(first)
    assert not client.complete
    client.respond(final)
    assert not client.complete
    client = proved_client()
    assert client.respond(final) is None
    assert not client.complete
