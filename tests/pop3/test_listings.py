"""Listings: the answers to STAT, LIST, UIDL and LANG, and lines in them that cannot be read."""

from __future__ import annotations

import copy
import enum
import gc
import pickle
import re
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, RemoteProtocolError
from smtpproto.pop3 import (
    Auth,
    Capa,
    Command,
    Lang,
    Language,
    List,
    Maildrop,
    MaildropStatus,
    Noop,
    Ok,
    ScanListing,
    ScanListings,
    Stat,
    Uidl,
    UniqueId,
    UniqueIds,
)
from smtpproto.pop3._results import typed_result

Kind = type[ScanListings] | type[UniqueIds]

# -- one value -------------------------------------------------------------------------------------


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
def test_the_wire_form_of_a_value(value: MaildropStatus, text: str) -> None:
    assert str(value) == text
    assert value.parse(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 320 octets in all", MaildropStatus(2, 320)),
        (" 2\t320 ", MaildropStatus(2, 320)),
        ("1 120 new", ScanListing(1, 120)),
        ("001  0 ", ScanListing(1, 0)),
        ("1 " + "0" * 19, ScanListing(1, 0)),
        ("1 a b", UniqueId(1, "a")),
        ("1 " + "a" * 70 + " 5", UniqueId(1, "a" * 70)),
        ("de\tDeutsch ", Language("de", "Deutsch")),
        ("de ", Language("de")),
    ],
)
def test_additional_information_is_ignored(text: str, value: MaildropStatus) -> None:
    assert value.parse(text) == value


@pytest.mark.parametrize("uid", ["ü" * 100, "\u3000", "\udce4", "a\xa0b", "\x00"])
def test_a_client_reads_any_unique_id(uid: str) -> None:
    assert UniqueId.parse(f"1 {uid}").uid == uid
    assert [*UniqueIds([UniqueId.parse(f"1 {uid}")])] == [(1, uid)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (MaildropStatus, ""),
        (MaildropStatus, "2"),
        (MaildropStatus, "2 messages"),
        (MaildropStatus, "2 messages (320 octets)"),
        (MaildropStatus, "2 -1"),
        (MaildropStatus, "2 320octets"),
        (MaildropStatus, "2 320\n"),
        (MaildropStatus, "9" * 5000 + " 1"),
        (ScanListing, "0 120"),
        (ScanListing, "one 120"),
        (ScanListing, "1 " + "9" * 20),
        (ScanListing, "1 \u0661"),
        (ScanListing, "1 1\ud800"),
        (UniqueId, "1"),
        (UniqueId, "1 "),
        (UniqueId, "1 \ud800"),
        (UniqueId, "0" * 5000 + "1 a"),
        (UniqueId, "x y"),
        (Language, ""),
    ],
)
def test_lines_that_cannot_be_parsed(kind: type[MaildropStatus], text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"expected (a|the) .*, got '"):
        kind.parse(text)


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
        lambda: UniqueId(1, b"a"),  # type: ignore[arg-type] # what is tested
        lambda: UniqueId(0, "a"),
        lambda: Language(""),
        lambda: Language(b"de"),  # type: ignore[arg-type] # what is tested
        lambda: Language("de", "a\r\nb"),
        lambda: Language("de", " a"),
    ],
)
def test_values_that_cannot_be_built(build: Callable[[], object]) -> None:
    with pytest.raises(LocalProtocolError):
        build()


def test_a_scan_listing_equals_the_tuple_that_it_is() -> None:
    one: tuple[int, int] = ScanListing(2, 200)
    assert one == (2, 200)
    assert (2, 200) == one  # noqa: SIM300 (each side's == is tested)
    assert (one != (2, 200)) is False
    assert hash(one) == hash((2, 200))
    assert {(2, 200): "found"}[one] == "found"
    assert UniqueId(1, "a") == (1, "a")
    number, octets = one
    assert (number, octets) == (2, 200)
    assert dict(UniqueIds.read(b"1 a\r\n2 b\r\n")) == {1: "a", 2: "b"}


def test_values_of_different_classes_are_never_equal() -> None:
    others: list[object] = [
        ScanListing(2, 201), ScanListing(3, 200), UniqueId(2, "200"), MaildropStatus(2, 200),
        [2, 200], (2, 200, 0),
    ]  # fmt: skip
    for other in others:
        assert ScanListing(2, 200) != other
        assert other != ScanListing(2, 200)
    assert len({MaildropStatus(1, 2), ScanListing(1, 2), ScanListing(1, 2), UniqueId(1, "2")}) == 3


@pytest.mark.parametrize("value", [ScanListing(2, 200), UniqueId.parse("1 ü"), Language("de", "ä")])
def test_a_value_can_be_copied_and_not_changed(value: Any) -> None:
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert again == value
        assert type(again) is type(value)
    with pytest.raises(AttributeError, match="immutable"):
        value.number = 3
    with pytest.raises(AttributeError, match="immutable"):
        del value.number
    assert repr(ScanListing(1, 120)) == "ScanListing(number=1, octets=120)"


class Shouting(str):
    def __str__(self) -> str:
        return "a\r\nb"

    def __format__(self, spec: str) -> str:
        return "a\r\nb"


class Uid(str, enum.Enum):
    FIRST = "abc"


class Size(enum.IntEnum):
    FIRST = 120


@pytest.mark.parametrize("uid", [Shouting("abc"), Uid.FIRST])
def test_a_text_counts_by_its_str_value(uid: str) -> None:
    unique = UniqueId(1, uid)
    assert type(unique.uid) is str
    assert (str(unique), repr(unique)) == ("1 abc", "UniqueId(number=1, uid='abc')")
    maildrop = Maildrop([(uid, 120)])
    assert type(maildrop.uid(1)) is str
    assert bytes(maildrop.answer(Uidl())).endswith(b"\r\n1 abc\r\n.\r\n")
    assert bytes(maildrop.answer(Uidl(1))) == b"+OK 1 abc\r\n"
    assert str(Language(uid, uid)) == "abc abc"


def test_a_number_counts_by_its_int_value() -> None:
    assert str(ScanListing(Size.FIRST, Size.FIRST)) == "120 120"
    assert str(MaildropStatus(Size.FIRST, Size.FIRST)) == "120 120"
    maildrop = Maildrop([("a", Size.FIRST)])
    assert bytes(maildrop.answer(List(1))) == b"+OK 1 120\r\n"
    assert bytes(maildrop.answer(List())).endswith(b"\r\n1 120\r\n.\r\n")
    assert UniqueId(Size.FIRST, "a").number.__class__ is int


# -- listings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "block", "values"),
    [
        (ScanListings, b"1 120\r\n2 200\r\n", (ScanListing(1, 120), ScanListing(2, 200))),
        (ScanListings, b"001 0\r\n 2\t0200 \r\n3 300 x y\r\n",
         (ScanListing(1, 0), ScanListing(2, 200), ScanListing(3, 300))),
        (ScanListings, b"1 9999999999999999999\r\n9999999999 0",
         (ScanListing(1, 10**19 - 1), ScanListing(10**10 - 1, 0))),
        (UniqueIds, b"1 a\r\n2 b\r\n", (UniqueId(1, "a"), UniqueId(2, "b"))),
        (UniqueIds, "1 a\r\n2 ü\u3000ü\r\n3 c x\r\n".encode(),
         (UniqueId(1, "a"), UniqueId.parse("2 ü\u3000ü"), UniqueId(3, "c"))),
        (UniqueIds, b"1 \xe4\r\n2 b\r\n", (UniqueId.parse("1 \udce4"), UniqueId(2, "b"))),
    ],
)  # fmt: skip
def test_a_listing_is_like_the_tuple_of_its_values(
    cls: Kind, block: bytes, values: tuple[object, ...]
) -> None:
    listings: Any = cls.read(block)
    assert listings.unread == ()
    assert listings == values
    assert values == listings
    assert listings == cls.read(block.replace(b" ", b"  "))
    assert listings != values[1:]
    assert listings != (*values[:-1], None)
    assert listings != list(values)
    assert listings != cls()
    assert hash(listings) == hash(values)
    assert repr(listings) == repr(values)
    count = len(values)
    assert len(listings) == count
    for index in range(-count, count):
        assert listings[index] == values[index]
        assert type(listings[index]) is type(values[index])
    for index in (count, -count - 1):
        with pytest.raises(IndexError):
            listings[index]
    for part in (slice(1, None), slice(-1, None), slice(None, None, -1), slice(5, 9)):
        assert listings[part] == values[part]
    assert values[1] in listings
    assert [*reversed(listings)] == [*reversed(values)]
    assert listings.index(values[1]) == listings.count(values[1]) == 1
    assert pickle.loads(pickle.dumps(listings)) == copy.deepcopy(listings) == listings
    with pytest.raises(AttributeError):
        listings.more = 1
    match listings:
        case [first, *_]:
            assert first == values[0]
        case _:
            pytest.fail("it is not a sequence")


def test_an_empty_listing() -> None:
    for listings in (ScanListings(), ScanListings.read(b""), UniqueIds(), UniqueIds.read(b"\r\n")):
        assert (len(listings), listings.unread, [*listings]) == (0, (), [])
        assert listings == ()
        assert hash(listings) == hash(())
        assert repr(listings) == "()"


@pytest.mark.parametrize(
    ("cls", "block", "good", "unread"),
    [
        (ScanListings, b"1 1\r\n2 x\r\n3 3\r\n", [(1, 1), (3, 3)], ("2 x",)),
        (ScanListings, b"1 -1\r\n2 2\r\n", [(2, 2)], ("1 -1",)),
        (ScanListings, b"1 1\r\n\r\n  \r\n3 3\r\n\r\n", [(1, 1), (3, 3)], ()),
        (UniqueIds, b"\r\n1 a\r\n2 b\r\n", [(1, "a"), (2, "b")], ()),
        (ScanListings, b"a\r\nb\r\n\xe4\r\n1\r\n", [], ("a", "b", "\udce4", "1")),
        (ScanListings, b"\t-\r\n 1 x\r\n\r\n1 1\r\n", [(1, 1)], ("\t-", " 1 x")),
        (ScanListings, b"1 1\r2 2\r\n3 3\r\n", [(3, 3)], ("1 1\r2 2",)),
        (ScanListings, b"1 1\nx\n2 2", [(1, 1), (2, 2)], ("x",)),
        (ScanListings, b"0 1\r\n10000000000 1\r\n1 10000000000000000000\r\n", [],
         ("0 1", "10000000000 1", "1 10000000000000000000")),
        (ScanListings, b"1%b1\r\n2%b2\r\n" % (b" " * 255, b" " * 256), [(1, 1)],
         ("2" + " " * 256 + "2",)),
        (UniqueIds, b"1 \r\n2\r\n3 c d\r\n", [(3, "c")], ("1 ", "2")),
        # Numbers ascend.
        (ScanListings, b"1 1\r\n1 1\r\n1 2\r\n2 3\r\n", [(1, 1), (2, 3)], ("1 1", "1 2")),
        (ScanListings, b"2 2\r\n1 1\r\n3 3\r\n", [(2, 2), (3, 3)], ("1 1",)),
        (UniqueIds, b"2 b\r\nx\r\n1 a more\r\n3 c\r\n", [(2, "b"), (3, "c")], ("x", "1 a more")),
    ],
)  # fmt: skip
def test_a_bad_line_costs_that_line(
    cls: Kind, block: bytes, good: list[object], unread: tuple[str, ...]
) -> None:
    listings = cls.read(block)
    assert [*listings] == good
    assert listings.unread == unread
    for again in (pickle.loads(pickle.dumps(listings)), copy.copy(listings)):
        assert (again, again.unread) == (listings, unread)


@pytest.mark.parametrize("more", [b"", b" octets"])
@pytest.mark.parametrize(
    ("most", "count", "unread"),
    [(None, 3, ()), (3, 3, ()), (2, 2, ("3 3",)), (0, 0, ("1 1", "2 2", "3 3"))],
)
def test_numbers_above_the_known_count_are_unread(
    most: int | None, count: int, unread: tuple[str, ...], more: bytes
) -> None:
    block = b"".join(b"%d %d%b\r\n" % (number, number, more) for number in (1, 2, 3))
    listings = ScanListings.read(block, most)
    assert len(listings) == count
    assert listings.unread == tuple(line + more.decode() for line in unread)


def test_a_number_above_the_known_count_does_not_cost_the_lines_after_it() -> None:
    listings = UniqueIds.read(b"9999 z\r\n1 a\r\n2 b\r\n", most=2)
    assert listings == ((1, "a"), (2, "b"))
    assert listings.unread == ("9999 z",)


LONG: list[tuple[Kind, Any, Callable[[int], str]]] = [
    (ScanListings, ScanListing, lambda number: f"{number * 11}"),
    (UniqueIds, UniqueId, lambda number: "x" * (number % 70 + 1)),
    (UniqueIds, UniqueId, lambda number: "ü" * (number % 9 + 1) + "\udce4"),
]


@pytest.mark.parametrize(("cls", "kind", "about"), LONG)
def test_a_long_listing(cls: Kind, kind: Any, about: Callable[[int], str]) -> None:
    lines = [f"{number} {about(number)}" for number in range(1, 20_001)]
    values = tuple(map(kind.parse, lines))
    plain = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
    for block in (plain, plain.replace(b" ", b"  "), plain.replace(b"\r\n", b" new\r\n")):
        listings = cls.read(block)
        assert listings == values
        assert hash(listings) == hash(values)
        assert listings.unread == ()
        assert [listings[index] for index in (0, 9999, -1)] == [values[0], values[9999], values[-1]]
    assert cls(values) == values
    bad = plain.replace(b"\r\n12345 ", b"\r\n1234 ") + b"20001 \r\n\r\n"
    listings = cls.read(bad)
    assert listings == (*values[:12344], *values[12345:])
    assert listings.unread == (f"1234 {about(12345)}", "20001 ")


def test_the_repr_of_a_long_listing_is_bounded() -> None:
    values = [ScanListing(number, 0) for number in range(1, 22)]
    assert repr(ScanListings(values[:20])) == repr(tuple(values[:20]))
    assert repr(ScanListings(values)) == repr(tuple(values[:20]))[:-1] + ", ... 1 more)"


@pytest.mark.parametrize("line", ["1 1", "x", "2", "yy\xe4\xe4", "z" * 30_000])
def test_unread_lines_are_kept_up_to_a_bound(line: str) -> None:
    octets = line.encode("latin-1")
    count = 200_000 // len(octets)
    shown = octets.decode("utf-8", "surrogateescape")
    listings = ScanListings.read(b"1 1\r\n" + (octets + b"\r\n") * count + b"2 2\r\n")
    assert listings == ((1, 1), (2, 2))
    *whole, last = listings.unread
    assert set(whole) == {shown}
    assert shown.startswith(last)
    assert 65536 - len(octets) - 2 < len(whole) * (len(octets) + 2) <= 65536
    assert pickle.loads(pickle.dumps(listings)).unread == listings.unread


def test_listings_of_values() -> None:
    """As a test double of a server's answer has them."""
    assert ScanListings([ScanListing(1, 120)]) == ScanListings.read(b"1 120\r\n")
    assert UniqueIds([UniqueId(1, "a"), UniqueId(3, "b")]) == UniqueIds.read(b"1 a\r\n3 b\r\n")
    assert UniqueIds(iter([UniqueId(1, "a")])).unread == ()
    with pytest.raises(LocalProtocolError, match=r"ScanListing values, not UniqueId\(number=1"):
        ScanListings([UniqueId(1, "a")])  # type: ignore[list-item] # what is tested
    with pytest.raises(LocalProtocolError, match=r"UniqueId values, not \(1, 'a'\)"):
        UniqueIds([(1, "a")])  # type: ignore[list-item] # what is tested
    for numbers in ((1, 1), (2, 1)):
        with pytest.raises(LocalProtocolError, match="message-numbers must ascend"):
            ScanListings(ScanListing(number, 0) for number in numbers)


# -- any octets ------------------------------------------------------------------------------------

# Written line by line, as the rules are: what the windows and the expressions do at once.
_LINE = rb"[ \t]*0{0,9}([1-9][0-9]{0,9})[ \t]+%b(?:[ \t].*)?\r?"
_SCAN = re.compile(_LINE % rb"0{0,18}(0|[1-9][0-9]{0,18})", re.DOTALL)
_UNIQUE = re.compile(_LINE % rb"([^ \t\r]+)", re.DOTALL)


def line_by_line(cls: Kind, block: bytes, most: int) -> tuple[list[object], list[str]]:
    values: list[object] = []
    unread: list[str] = []
    highest = 0
    for line in block.split(b"\n"):
        match = (_SCAN if cls is ScanListings else _UNIQUE).fullmatch(line)
        text = line.decode("utf-8", "surrogateescape")
        if match and highest < int(match[1]) <= most:
            highest = int(match[1])
            about = match[2].decode("utf-8", "surrogateescape")
            values.append((highest, int(about) if cls is ScanListings else about))
        elif line.strip(b" \t\r"):
            unread.append(text.removesuffix("\r"))
    return values, unread


_words = st.sampled_from([b"1", b"2", b"3", b"07", b"12", b"0", b"x", b"\xe4", b"-1", b"9" * 20])
_spaces = st.sampled_from([b" ", b" ", b"  ", b"\t", b""])
_lines = st.lists(st.tuples(_spaces, _words).map(b"".join), max_size=4).map(b"".join)
_numbered = st.builds(lambda number, end: b"%d %d%b" % (number, number, end),
                      st.integers(1, 30), st.sampled_from([b"", b" x", b"a", b"\r"]))  # fmt: skip
_ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b""])
_blocks = st.lists(st.tuples(_lines | _numbered, _ends).map(b"".join), max_size=12).map(b"".join)


@given(st.sampled_from([ScanListings, UniqueIds]), _blocks | st.binary(), st.integers(0, 40))
def test_any_octets_are_read_as_line_by_line(cls: Kind, block: bytes, most: int) -> None:
    for bound in (None, most):
        listings = cls.read(block, bound)
        values, unread = line_by_line(cls, block, 10**10 - 1 if bound is None else bound)
        assert [*listings] == values
        assert [listings[index] for index in range(len(listings))] == values
        assert listings.unread == tuple(unread)
        assert listings == tuple(values)
        assert hash(listings) == hash(tuple(values))


@given(
    st.sampled_from([ScanListings, UniqueIds]),
    st.lists(st.integers(1, 1000), unique=True, min_size=1).map(sorted),
    st.data(),
)
def test_good_lines_among_bad_ones_all_come_out(
    cls: Kind, numbers: list[int], data: st.DataObject
) -> None:
    bad = st.sampled_from([b"", b"x", b"\xff\xfe", b"1", b"1 1x" if cls is ScanListings else b"1 "])
    block, wrong = b"", []
    for number in numbers:
        for line in data.draw(st.lists(bad, max_size=3)):
            block += line + b"\r\n"
            wrong += [line.decode("utf-8", "surrogateescape")] if line else []
        block += b"%d %d\r\n" % (number, number)
    listings = cls.read(block)
    assert [value.number for value in listings] == numbers
    assert listings.unread == tuple(wrong)


@settings(max_examples=20)
@given(st.lists(st.sampled_from([b"1 1\r\n", b"5 5 x\r\n", b"x\r\n", b"\r\n"]), max_size=5))
def test_windows_do_not_show(pieces: list[bytes]) -> None:
    """Lines whose windows differ in how they are read."""
    block = b"".join(piece * 5000 for piece in pieces)
    values, unread = line_by_line(ScanListings, block, 10**10 - 1)
    listings = ScanListings.read(block)
    assert [*listings] == values
    assert "\n".join(unread).startswith("\n".join(listings.unread[:-1]))
    assert bool(listings.unread) is bool(unread)


# -- memory and time -------------------------------------------------------------------------------


MIB = 2**20


def ascending(form: bytes, size: int) -> bytes:
    return b"".join(form % number for number in range(1, size // (len(form) + 4)))


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "short lines": lambda size: ascending(b"%d 1\r\n", size),
    "good lines": lambda size: ascending(b"%d 12345\r\n", size),
    "long unique-ids": lambda size: ascending(b"%%d %b\r\n" % (b"u" * 70), size),
    "words behind": lambda size: ascending(b"%d 1 octets\r\n", size),
    "bad lines": lambda size: b"x\r\n" * (size // 3),
    "numbers alone": lambda size: b"1\r\n" * (size // 3),
    "empty lines": lambda size: b"\r\n" * (size // 2),
    "one number repeated": lambda size: b"1 1\r\n" * (size // 5),
    "good and bad lines": lambda size: ascending(b"%d 1\r\nx\r\n", size),
    "one line": lambda size: b"1 " + b"\xe2\x82\xac" * (size // 3) + b"\r\n",
    "one line of spaces": lambda size: b" " * size + b"\r\n",
    "one bad line of spaces": lambda size: b" " * size + b"1" + b" " * size + b"x\r\n",
    "one line of zeros": lambda size: b"0" * size + b"\r\n",
}


def memory_factor(cls: Kind, block: bytes, *, iterate: bool) -> float:
    """How many times its octets a listing takes at its peak, the octets included."""
    gc.collect()
    tracemalloc.start()
    try:
        listings = cls.read(block)
        unread = listings.unread
        if iterate:
            for _ in listings:
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(unread) <= 32768
    return (peak + len(block)) / len(block)


@pytest.mark.parametrize("cls", [ScanListings, UniqueIds])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_listing_takes_at_most_eight_times_its_octets(cls: Kind, name: str) -> None:
    plain = name in ("short lines", "good lines", "bad lines", "empty lines")
    size = 4 * MIB if plain else MIB  # tracemalloc is slow
    assert memory_factor(cls, HOSTILE[name](size), iterate=False) < 8


@pytest.mark.parametrize("cls", [ScanListings, UniqueIds])
@pytest.mark.parametrize("name", ["short lines", "one line"])
def test_iterating_over_a_listing_keeps_to_that_bound(cls: Kind, name: str) -> None:
    assert memory_factor(cls, HOSTILE[name](MIB), iterate=True) < 8


@pytest.mark.parametrize("cls", [ScanListings, UniqueIds])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_listing_is_read_in_linear_time(cls: Kind, name: str) -> None:
    block = HOSTILE[name](4 * MIB)
    begun = time.process_time()
    cls.read(block)
    assert time.process_time() - begun < 10  # it takes a second at most


# -- the results of responses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "response", "result"),
    [
        (Stat(), Ok("2 320"), MaildropStatus(2, 320)),
        (Stat(), Ok("2 320 anything"), MaildropStatus(2, 320)),
        (List(1), Ok("1 120"), (1, 120)),
        (List(1), Ok("01 120 octets"), (1, 120)),
        (List(), Ok(lines=["1 120", "1 -1", "", "2 200"]), ((1, 120), (2, 200))),
        (Uidl(), Ok(lines=["", "1 a", "2"]), ((1, "a"),)),
        (Uidl(1), Ok("1 a"), (1, "a")),
        (Uidl(7), Ok("a"), (7, "a")),  # Twisted's server
        (Uidl(7), Ok(" a\t"), (7, "a")),
        (Lang(), Ok(lines=["en English", "", " ", "ä ö", "de"]),
         (Language("en", "English"), Language("de"))),
        (Auth(), Ok(lines=["plain", "", " CRAM-MD5 ", "two words", "ä"]), ("PLAIN", "CRAM-MD5")),
        (Noop(), Ok("1 2"), None),
        (None, Ok("1 2"), None),
    ],
)  # fmt: skip
def test_the_result_of_a_response(command: Command | None, response: Ok, result: object) -> None:
    assert typed_result(command, response) == result


@pytest.mark.parametrize(
    ("command", "text", "expected"),
    [
        (Stat(), "2 messages (320 octets)", "the number of messages and of their octets, got '2 m"),
        (Stat(), "", "the number of messages"),
        (List(1), "", "a message-number and a number of octets, got ''"),
        (List(1), "120 octets", "a message-number and a number of octets"),
        (List(1), "99 1024", "a listing of message 1, got '99 1024'"),
        (Uidl(1), "", "a message-number and a unique-id"),
        (Uidl(1), "one a", "a message-number and a unique-id"),
        (Uidl(1), "2 a", "a listing of message 1, got '2 a'"),
    ],
)
def test_an_answer_that_does_not_fit_its_command(
    command: Command, text: str, expected: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=f"expected {re.escape(expected)}"):
        typed_result(command, Ok(text))


def test_a_known_count_bounds_the_listings() -> None:
    scans: Any = typed_result(List(), Ok(lines=["1 1", "2 2"]), 1)
    uniques: Any = typed_result(Uidl(), Ok(lines=["1 a", "2 b"]), most=1)
    assert (scans, scans.unread) == (((1, 1),), ("2 2",))
    assert (uniques, uniques.unread) == (((1, "a"),), ("2 b",))


_texts = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["C"])
)


@given(
    st.sampled_from([Stat(), List(), List(1), Uidl(), Uidl(1), Capa(), Lang(), Auth(), None]),
    _texts.map(lambda text: text.lstrip("[")),
    st.none() | st.lists(_texts | _texts.map("a {}".format), max_size=4),
)
def test_any_response_has_a_result_or_does_not_fit(
    command: Command | None, text: str, lines: list[str] | None
) -> None:
    try:
        typed_result(command, Ok(text, lines=lines))
    except RemoteProtocolError:
        assert command in (Stat(), List(1), Uidl(1))
