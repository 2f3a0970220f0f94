"""Responses: what is written, what is read, what servers write beyond the RFC."""

from __future__ import annotations

import pytest

from smtpproto import LocalProtocolError, RemoteProtocolError
from smtpproto.pop3 import Err, Ok, Response

WIRE: list[tuple[Response, bytes]] = [
    (Ok(), b"+OK\r\n"),
    (Ok("2 320"), b"+OK 2 320\r\n"),
    (Ok(" two spaces"), b"+OK  two spaces\r\n"),
    (Ok("a [b] c"), b"+OK a [b] c\r\n"),
    (Ok("[not a code] c"), b"+OK [not a code] c\r\n"),
    (Err(), b"-ERR\r\n"),
    (
        Err("Do you have another POP session running?", "IN-USE"),
        b"-ERR [IN-USE] Do you have another POP session running?\r\n",
    ),
    (Err("", "sys/temp"), b"-ERR [SYS/TEMP]\r\n"),
    (Err("[b] c", "a"), b"-ERR [A] [b] c\r\n"),
    (Ok(lines=[]), b"+OK\r\n.\r\n"),
    (Ok(lines=[""]), b"+OK\r\n\r\n.\r\n"),
    (Ok("l", lines=["1 120", "2 200"]), b"+OK l\r\n1 120\r\n2 200\r\n.\r\n"),
    (Ok(lines=[".", "..", ".a", "b."]), b"+OK\r\n..\r\n...\r\n..a\r\nb.\r\n.\r\n"),
    (Ok("Språk\tü"), "+OK Språk\tü\r\n".encode()),
    (Ok("\udce4"), b"+OK \xe4\r\n"),
]


@pytest.mark.parametrize(("response", "wire"), WIRE)
def test_written_and_read_back(response: Response, wire: bytes) -> None:
    assert bytes(response) == wire
    assert Response.parse(wire) == response


@pytest.mark.parametrize(
    ("wire", "response"),
    [
        (b"+OK \r\n", Ok()),
        (b"+OK[IN-USE]x\r\n", Ok("x", "IN-USE")),
        (b"-ERR [in-use]  x\r\n", Err(" x", "IN-USE")),
        (b"-ERR [UTF8/A/b/C] x\r\n", Err("x", "UTF8/A/B/C")),
        (b"-ERR [] x\r\n", Err("[] x")),
        (b"-ERR [/a] x\r\n", Err("[/a] x")),
        (b"+OK\tx\r\n", Ok("\tx")),
        (b"+OK a\x07b\x7f\r\n", Ok("a?b?")),
        (b"+OK <a@b>\r\n", Ok("<a@b>")),
        (b"+OK\r\na\x07b\r\n.\r\n", Ok(lines=["a?b"])),
    ],
)
def test_what_servers_write_is_read(wire: bytes, response: Response) -> None:
    assert Response.parse(wire) == response


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"+OK",
        b"OK\r\n",
        b"+ok\r\n",
        b"+OKAY\r\n",
        b"-ERROR\r\n",
        b"-err\r\n",
        b"250 ok\r\n",
        b"+ \r\n",
        b"+OK a\rb\r\n",
        b"+OK a\nb\r\n",
        b"+OK a\0b\r\n",
        b"+OK\r\n+OK\r\n",
        b"+OK\r\na\r\n.\r\nb",
        b"+OK\r\na\nb\r\n.\r\n",
        b"+OK\r\na\rb\r\n.\r\n",
        b"+OK\r\na\0b\r\n.\r\n",
        b"-ERR\r\na\r\n.\r\n",
    ],
)
def test_what_is_no_response(wire: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Response.parse(wire)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Ok("a\r\n+OK"),
        lambda: Ok("a\nb"),
        lambda: Err("\0"),
        lambda: Ok("[IN-USE] x"),
        lambda: Err("[SYS/TEMP]"),
        lambda: Ok("\ud800"),
        lambda: Ok("\udcc3\udca4"),  # would be read back as "ä"
        lambda: Ok("x", ""),
        lambda: Ok("x", "a b"),
        lambda: Ok("x", "a]"),
        lambda: Ok("x", "/a"),
        lambda: Ok("x", "ü"),
        lambda: Ok(lines="abc"),
        lambda: Ok(lines=["a\r\n."]),
        lambda: Ok(lines=["a\n."]),
        lambda: Ok(lines=["a", "b\0"]),
        lambda: Ok(lines=["\ud800"]),
    ],
)
def test_what_cannot_be_built(build: object) -> None:
    with pytest.raises(LocalProtocolError):
        build()  # type: ignore[operator]


def test_values() -> None:
    assert Ok("x") != Err("x")
    assert Ok() != Ok(lines=())
    assert hash(Ok("x", "A", ["b"])) == hash(Ok("x", "a", ("b",)))
    assert repr(Ok("x", "in-use", ["a"])) == "Ok(text='x', code='IN-USE', lines=('a',))"
    assert repr(Err("x")) == "Err(text='x', code=None)"
    match Err("x", "AUTH"):
        case Response(text, code):
            assert (text, code) == ("x", "AUTH")
