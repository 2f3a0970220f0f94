"""Commands: what is read, what is written, and what cannot be built."""

from __future__ import annotations

import copy
import pickle

import pytest

from smtpproto import LocalProtocolError, RemoteProtocolError, pop3
from smtpproto.errors import Refused
from smtpproto.pop3 import (
    Apop,
    Auth,
    Capa,
    Command,
    Dele,
    Extended,
    Lang,
    List,
    Noop,
    Pass,
    Quit,
    Raw,
    Retr,
    Rset,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
    Utf8,
)

DIGEST = "c4c9334bac560ecc979e58001b3e22fb"

WIRE: list[tuple[Command, bytes]] = [
    (User("mrose"), b"USER mrose\r\n"),
    (User("marshall rose"), b"USER marshall rose\r\n"),
    (User("röse"), "USER röse\r\n".encode()),
    (Pass("secret"), b"PASS secret\r\n"),
    (Pass(" a  b "), b"PASS  a  b \r\n"),
    (Pass("\t"), b"PASS \t\r\n"),
    (Apop("mrose", DIGEST), f"APOP mrose {DIGEST}\r\n".encode()),
    (Apop("m rose", DIGEST), f"APOP m rose {DIGEST}\r\n".encode()),
    (Auth(), b"AUTH\r\n"),
    (Auth("PLAIN"), b"AUTH PLAIN\r\n"),
    (Auth("plain", b""), b"AUTH PLAIN =\r\n"),
    (Auth("PLAIN", b"\0tim\0tan"), b"AUTH PLAIN AHRpbQB0YW4=\r\n"),
    (Stls(), b"STLS\r\n"),
    (Utf8(), b"UTF8\r\n"),
    (Stat(), b"STAT\r\n"),
    (List(), b"LIST\r\n"),
    (List(2), b"LIST 2\r\n"),
    (Uidl(), b"UIDL\r\n"),
    (Uidl(9999999999), b"UIDL 9999999999\r\n"),
    (Retr(1), b"RETR 1\r\n"),
    (Top(1, 10), b"TOP 1 10\r\n"),
    (Top(1), b"TOP 1 0\r\n"),
    (Dele(3), b"DELE 3\r\n"),
    (Noop(), b"NOOP\r\n"),
    (Rset(), b"RSET\r\n"),
    (Quit(), b"QUIT\r\n"),
    (Capa(), b"CAPA\r\n"),
    (Lang(), b"LANG\r\n"),
    (Lang("en-boont"), b"LANG en-boont\r\n"),
    (Lang("*"), b"LANG *\r\n"),
    (Extended("XTND"), b"XTND\r\n"),
    (Extended("xtnd", " XMIT a b "), b"XTND XMIT a b\r\n"),
]


@pytest.mark.parametrize(("command", "wire"), WIRE, ids=lambda value: repr(value)[:40])
def test_written_and_read_back(command: Command, wire: bytes) -> None:
    assert bytes(command) == wire
    assert Command.parse(wire) == command
    assert Command.parse(wire.removesuffix(b"\r\n")) == command
    assert type(Command.parse(wire)) is type(command)


@pytest.mark.parametrize(
    ("wire", "command"),
    [
        (b"user mrose", User("mrose")),
        (b"  UsEr \t mrose  ", User("mrose")),
        (b"pass  a ", Pass(" a ")),
        (b"\tPaSs a", Pass("a")),
        (b"APOP mrose  " + DIGEST.upper().encode(), Apop("mrose", DIGEST)),
        (b"AUTH ", Auth()),
        (b"auth  plain   AA==", Auth("PLAIN", b"\0")),
        (b"top 1", Top(1, 0)),
        (b"TOP 1,5", Top(1, 5)),
        (b"TOP 1 , 5", Top(1, 5)),
        (b"TOP 01\t05 ", Top(1, 5)),
        (b"retr 0001", Retr(1)),
        (b"LIST  ", List()),
        (b"LIST 1 ", List(1)),
        (b"QUIT ", Quit()),
        (b"capa\t", Capa()),
    ],
)
def test_what_people_write_is_read(wire: bytes, command: Command) -> None:
    assert Command.parse(wire) == command


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"?",
        b"RETR",
        b"RETR 0",
        b"RETR -1",
        b"RETR +1",
        b"RETR 1.0",
        b"RETR 1 2",
        b"RETR one",
        b"RETR " + b"9" * 5000,
        b"RETR 10000000000",
        "RETR ٣".encode(),
        "RETR ²".encode(),
        b"LIST 0",
        b"UIDL -1",
        b"DELE",
        b"TOP",
        b"TOP 0 1",
        b"TOP 1 -1",
        b"TOP 1 x",
        b"TOP 1 10000000000",
        b"TOP 1 2 3",
        b"TOP 12345678901",
        b"STAT 1",
        b"NOOP x",
        b"CAPA x",
        b"USER",
        b"USER  ",
        b"PASS",
        b"PASS ",
        b"APOP",
        b"APOP mrose",
        b"APOP " + DIGEST.encode(),
        b"APOP mrose " + DIGEST.encode()[1:],
        b"AUTH a.b",
        b"AUTH PLAIN *",
        b"AUTH PLAIN A",
        b"AUTH PLAIN AA==AA==",
        b"AUTH PLAIN AA== AA==",
        b"LANG a_b",
        b"LANG en de",
        b"USER a\0b",
        b"USER a\rb",
        b"USER a\nb",
        b"PASS a\0b",
        b"PASS \xff",
        b"USER \xff",
        b"NO\x01P",
    ],
    ids=lambda wire: repr(wire)[:30],
)
def test_what_cannot_be_read(wire: bytes) -> None:
    with pytest.raises(Refused) as raised:
        Command.parse(wire)
    assert isinstance(raised.value, RemoteProtocolError)
    assert pop3.Err(raised.value.text).text == str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("bad", ["a\r\nDELE 1", "a\nb", "a\rb", "a\0b", "a\x7f", "\udcff"])
def test_injection_cannot_be_built(bad: str) -> None:
    for build in (
        User,
        Pass,
        Lang,
        Auth,
        Extended,
        lambda text: Apop(text, DIGEST),
        lambda text: Apop("mrose", text),
        lambda text: Extended("XTND", text),
    ):
        with pytest.raises(LocalProtocolError):
            build(bad)


@pytest.mark.parametrize(
    "build",
    [
        lambda: User(""),
        lambda: User(" a"),
        lambda: Pass(""),
        lambda: Apop("", DIGEST),
        lambda: Apop("a", DIGEST.upper()),
        lambda: Auth(None, b""),
        lambda: Auth("a b"),
        lambda: Auth(""),
        lambda: Retr(0),
        lambda: Dele(-1),
        lambda: List(0),
        lambda: Uidl(10**10),
        lambda: Top(0),
        lambda: Top(1, -1),
        lambda: Lang(""),
        lambda: Extended("STAT"),
        lambda: Extended("a b"),
        lambda: Extended(""),
        lambda: Raw(b"", -1),
    ],
)
def test_what_cannot_be_built(build: object) -> None:
    with pytest.raises(LocalProtocolError):
        build()  # type: ignore[operator]


def test_secrets_do_not_show() -> None:
    assert repr(Pass("tanstaaf")) == "Pass(secret=REDACTED)"
    assert repr(Apop("mrose", DIGEST)) == "Apop(name='mrose', digest=REDACTED)"
    assert repr(Auth("PLAIN", b"x")) == "Auth(mechanism='PLAIN', initial_response=REDACTED)"
    assert repr(Auth("PLAIN")) == "Auth(mechanism='PLAIN', initial_response=None)"
    with pytest.raises(LocalProtocolError) as raised:
        Pass("tanstaaf\r\n")
    assert "tanstaaf" not in str(raised.value)


@pytest.mark.parametrize(
    ("command", "multiline"),
    [
        (List(), True),
        (List(1), False),
        (Uidl(), True),
        (Uidl(1), False),
        (Lang(), True),
        (Lang("de"), False),
        (Auth(), True),
        (Auth("PLAIN"), False),
        (Capa(), True),
        (Retr(1), True),
        (Top(1), True),
        (Stat(), False),
        (Raw(b"X"), False),
        (Raw(b"X", multiline=True), True),
    ],
)
def test_which_answers_have_lines(command: Command, multiline: bool) -> None:
    assert command.multiline is multiline


def test_values() -> None:
    assert Stat() == Stat() != Noop()
    assert List(1) != Uidl(1)
    assert Retr(1) != Dele(1)
    assert len({List(), List(1), Uidl(1), List(1)}) == 3
    match Top(1, 2):
        case Top(number, lines):
            assert (number, lines) == (1, 2)
    match Extended("XTND", "a"):
        case Extended(verb, argument):
            assert (verb, argument) == ("XTND", "a")
    for value in (Raw(b"a\r\n", 2, True), Top(1, 2), Pass("a")):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    assert bytes(Raw(b"\0\r\n")) == b"\0\r\n"
    assert repr(Raw(b"a", 2)) == "Raw(octets=b'a', replies=2, multiline=False)"
    with pytest.raises(AttributeError):
        Retr(1).number = 2


def test_pass_verifies_a_password() -> None:
    assert pop3.Pass(" a b ").verify(" a b ")
    assert not pop3.Pass("secret").verify("Secret")
    assert not pop3.Pass("secret").verify(None)
    assert not pop3.Pass("sécret").verify("secret")
