"""Responses: what is written, what is read, what servers write beyond the RFC."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from smtpproto import LocalProtocolError, RemoteProtocolError
from smtpproto.pop3 import (
    Err,
    Language,
    MaildropStatus,
    Ok,
    Response,
    ScanListing,
    ScanListings,
    UniqueId,
    UniqueIds,
)  # fmt: skip

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


# -- listings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MaildropStatus(2, 320), "2 320"),
        (MaildropStatus(0, 0), "0 0"),
        (ScanListing(1, 120), "1 120"),
        (UniqueId(1, "whqtswO00WBw418f9t5JxYwZ"), "1 whqtswO00WBw418f9t5JxYwZ"),
        (Language("en-boont", "English Boontling dialect"), "en-boont English Boontling dialect"),
        (Language("de"), "de"),
    ],
)
def test_listings(value: MaildropStatus, text: str) -> None:
    assert str(value) == text
    assert value.parse(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 320 octets in all", MaildropStatus(2, 320)),
        (" 2\t320 ", MaildropStatus(2, 320)),
        ("1 120 new", ScanListing(1, 120)),
        ("001  0 ", ScanListing(1, 0)),
        ("1 a b", UniqueId(1, "a")),
        ("1 " + "a" * 70 + " 5", UniqueId(1, "a" * 70)),
        ("de\tDeutsch ", Language("de", "Deutsch")),
    ],
)
def test_what_servers_add_is_passed_over(text: str, value: MaildropStatus) -> None:
    assert value.parse(text) == value


def test_a_client_takes_any_unique_id() -> None:
    assert UniqueId.parse("1 " + "ü" * 100).uid == "ü" * 100


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (MaildropStatus, ""),
        (MaildropStatus, "2"),
        (MaildropStatus, "2 messages"),
        (MaildropStatus, "2 -1"),
        (MaildropStatus, "2 320octets"),
        (MaildropStatus, "2 320\n"),
        (MaildropStatus, "9" * 5000 + " 1"),
        (ScanListing, "0 120"),
        (ScanListing, "one 120"),
        (ScanListing, "1 " + "9" * 20),
        (ScanListing, "1 \u0661"),
        (UniqueId, "1"),
        (UniqueId, "1 "),
        (UniqueId, "1 \u3000"),
        (UniqueId, "0" * 5000 + "1 a"),
        (UniqueId, "x y"),
        (Language, ""),
    ],
)
def test_what_is_no_listing(kind: type[MaildropStatus], text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"expected (a|the) "):
        kind.parse(text)


def test_a_bad_line_among_good_ones() -> None:
    with pytest.raises(RemoteProtocolError, match="got '2 x'"):
        ScanListings.read(b"1 1\r\n2 x\r\n3 y\r\n")
    with pytest.raises(RemoteProtocolError, match="got ''"):
        ScanListings.read(b"1 1\r\n\r\n3 3\r\n")
    assert ScanListings.read(b"") == ()


@pytest.mark.parametrize(
    ("cls", "block", "values"),
    [
        (ScanListings, b"1 120\r\n2 200\r\n", (ScanListing(1, 120), ScanListing(2, 200))),
        (ScanListings, b"001 0\r\n 2\t0200 \r\n3 300 x y\r\n",
         (ScanListing(1, 0), ScanListing(2, 200), ScanListing(3, 300))),
        (UniqueIds, b"1 a\r\n2 b\r\n", (UniqueId(1, "a"), UniqueId(2, "b"))),
        (UniqueIds, "1 a\r\n2 ü\u3000ü\r\n3 c x\r\n".encode(),
         (UniqueId(1, "a"), UniqueId.parse("2 ü\u3000ü"), UniqueId(3, "c"))),
        (UniqueIds, b"1 \xe4\r\n2 b\r\n", (UniqueId.parse("1 \udce4"), UniqueId(2, "b"))),
    ],
)  # fmt: skip
def test_a_listing_stands_for_a_tuple(
    cls: type[ScanListings | UniqueIds], block: bytes, values: tuple[object, ...]
) -> None:
    listings = cls.read(block)
    assert listings == values
    assert values == listings
    assert listings != values[1:]
    assert listings != list(values)
    assert hash(listings) == hash(values)
    assert repr(listings) == repr(values)
    assert (len(listings), listings[0], listings[-1]) == (len(values), values[0], values[-1])
    assert listings[1:] == values[1:]
    assert values[1] in listings
    assert pickle.loads(pickle.dumps(listings)) == copy.deepcopy(listings) == listings
    with pytest.raises(IndexError):
        listings[len(values)]
    with pytest.raises(AttributeError):
        listings.more = 1
    match listings:
        case [first, *_]:
            assert first == values[0]
        case _:
            pytest.fail("it is no sequence")


@pytest.mark.parametrize(
    ("cls", "kind", "about", "wrong"),
    [
        (ScanListings, ScanListing, lambda number: f"{number * 11}", "20001 -1"),
        (UniqueIds, UniqueId, lambda number: "x" * (number % 70 + 1), "20001"),
    ],
)
def test_a_long_listing(
    cls: type[ScanListings | UniqueIds],
    kind: type[ScanListing | UniqueId],
    about: Callable[[int], str],
    wrong: str,
) -> None:
    lines = [f"{number} {about(number)}" for number in range(1, 20_001)]
    values = tuple(map(kind.parse, lines))
    plain = "".join(f"{line}\r\n" for line in lines).encode()
    assert cls.read(plain) == values
    assert cls.read(plain.replace(b" ", b"  ")) == values
    with pytest.raises(RemoteProtocolError, match=f"got '{wrong}'"):
        cls.read(plain + f"{wrong}\r\n".encode())


def test_listings_of_values() -> None:
    """As a test double of a server's answer has them."""
    assert ScanListings([ScanListing(1, 120)]) == ScanListings.read(b"1 120\r\n")
    assert UniqueIds([UniqueId(1, "a"), UniqueId(3, "b")]) == UniqueIds.read(b"1 a\r\n3 b\r\n")
    assert UniqueIds() == UniqueIds.read(b"")
    with pytest.raises(LocalProtocolError, match=r"ScanListing values, not UniqueId\(number=1"):
        ScanListings([UniqueId(1, "a")])  # type: ignore[list-item] # what is tested
    with pytest.raises(LocalProtocolError, match=r"UniqueId values, not \(1, 'a'\)"):
        UniqueIds([(1, "a")])  # type: ignore[list-item] # what is tested


def test_listings_are_pairs() -> None:
    assert dict(UniqueIds.read(b"1 a\r\n2 b\r\n")) == {1: "a", 2: "b"}
    number, octets = ScanListing(2, 200)
    assert (number, octets) == (2, 200)
    pair: tuple[object, ...] = (2, 200)
    assert ScanListing(2, 200) != pair
    assert not ScanListing(2, 200) == pair  # noqa: SIM201 (== and != are two methods)
    assert pair != ScanListing(2, 200)
    for other in (ScanListing(2, 201), ScanListing(3, 200), UniqueId(2, "200")):
        assert ScanListing(2, 200) != other
    for value in (ScanListing(2, 200), UniqueId.parse("1 ü")):  # which is read, and not built
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    "build",
    [
        lambda: MaildropStatus(-1, 0),
        lambda: MaildropStatus(0, -1),
        lambda: ScanListing(0, 0),
        lambda: ScanListing(1, 10**19),
        lambda: ScanListing(10**10, 1),
        lambda: UniqueId(10**10, "a"),
        lambda: MaildropStatus(10**10, 1),
        lambda: UniqueId(1, ""),
        lambda: UniqueId(1, "a b"),
        lambda: UniqueId(1, "a" * 71),
        lambda: UniqueId(1, "ü"),
        lambda: UniqueId(0, "a"),
        lambda: Language(""),
        lambda: Language("de", "a\r\nb"),
        lambda: Language("de", " a"),
    ],
)
def test_what_is_no_value(build: object) -> None:
    with pytest.raises(LocalProtocolError):
        build()  # type: ignore[operator]


def test_listings_are_different_values() -> None:
    assert len({MaildropStatus(1, 2), ScanListing(1, 2), ScanListing(1, 2)}) == 2
    assert repr(ScanListing(1, 120)) == "ScanListing(number=1, octets=120)"
