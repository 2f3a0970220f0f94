"""Capabilities: the lines of CAPA, and what they say."""

from __future__ import annotations

import pytest

from smtpproto import LocalProtocolError
from smtpproto.pop3 import Capabilities

RFC_2449 = (
    "TOP",
    "USER",
    "SASL CRAM-MD5 KERBEROS_V4",
    "RESP-CODES",
    "LOGIN-DELAY 900",
    "PIPELINING",
    "EXPIRE 60",
    "UIDL",
    "IMPLEMENTATION Shlemazle-Plotz-v302",
)


def test_what_they_say() -> None:
    found = Capabilities.parse(RFC_2449)
    assert found == Capabilities(RFC_2449)
    assert found.lines == tuple(found) == RFC_2449
    assert len(found) == 9
    assert "top" in found
    assert "STLS" not in found
    assert "SAS" not in found
    assert "CRAM-MD5" not in found
    assert "SASL CRAM-MD5" not in found
    assert found["sasl"] == found.sasl == ("CRAM-MD5", "KERBEROS_V4")
    assert found["TOP"] == ()
    assert found.login_delay == 900
    assert found.expire == 60
    assert found.implementation == "Shlemazle-Plotz-v302"
    assert not found.utf8_user
    with pytest.raises(KeyError):
        found["STLS"]


def test_what_they_do_not_say() -> None:
    nothing = Capabilities()
    assert nothing.sasl == ()
    assert nothing.login_delay is None
    assert nothing.expire is None
    assert nothing.implementation is None
    # Arguments that are missing, or are none.
    found = Capabilities.parse(["SASL", "LOGIN-DELAY", "EXPIRE soon", "IMPLEMENTATION", "UTF8 x"])
    assert found.sasl == ()
    assert found.login_delay is None
    assert found.expire is None
    assert found.implementation == ""
    assert not found.utf8_user
    assert Capabilities.parse(["LOGIN-DELAY " + "9" * 5000]).login_delay is None


def test_other_arguments() -> None:
    found = Capabilities.parse(["EXPIRE never USER", "UTF8 user", "IMPLEMENTATION a b"])
    assert found.expire == "NEVER"
    assert "USER" in found["EXPIRE"]
    assert found.utf8_user
    assert found.implementation == "a b"


def test_what_servers_write_is_read() -> None:
    lines = ["", "  sasl  plain\tLOGIN ", "\x07", "a.b", "ÜBER", "TOP\x07", "UIDL ", "SASL X"]
    found = Capabilities.parse(lines)
    assert found.lines == ("sasl plain LOGIN", "UIDL", "SASL X")
    assert found.sasl == ("PLAIN", "LOGIN")  # the first counts
    for line in lines[2:6]:
        assert Capabilities.parse([line, "TOP"]).lines == ("TOP",)


def test_many_lines() -> None:
    lines = [*(f"X{number} {number}" for number in range(20_000)), "Top a", "TOP b"]
    found = Capabilities.parse(lines)
    assert found.lines == tuple(lines)
    assert found["x19999"] == ("19999",)
    assert found["TOP"] == ("a",)
    assert Capabilities.parse(()) == Capabilities()


@pytest.mark.parametrize("line", ["", " ", ".", "a.b", "ü", "TOP \x07", "\x07"])
def test_what_is_no_line(line: str) -> None:
    with pytest.raises(LocalProtocolError):
        Capabilities(["USER", line])


def test_the_lines_are_a_list() -> None:
    with pytest.raises(LocalProtocolError, match="list"):
        Capabilities("USER")


def test_mechanisms_and_tls() -> None:
    usual = Capabilities(["SASL PLAIN SCRAM-SHA-256 LOGIN XOAUTH2 OAUTHBEARER"])
    assert usual.mechanisms(tls=False) == ("SCRAM-SHA-256",)
    assert usual.mechanisms(tls=True) == usual.sasl
    private = Capabilities(["SASL PLAIN"], plaintext_without_tls=True)
    assert private.mechanisms(tls=False) == ("PLAIN",)
    assert private == Capabilities(["SASL PLAIN"])
    assert private.with_user().lines == ("USER", "SASL PLAIN")
    assert private.with_user().allows("PLAIN", tls=False)
    assert Capabilities(["TOP", "user"]).with_user().lines == ("TOP", "user")
    assert repr(Capabilities(["TOP"])) == "Capabilities(lines=('TOP',))"
