"""Addresses: the Mailbox of RFC 5321 section 4.1.2, with RFC 6531's UTF-8."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, strategies
from smtpproto.smtp import Address


@pytest.mark.parametrize(
    ("text", "local_part", "domain"),
    [
        ("user@example.org", "user", "example.org"),
        ("first.last+tag@example.org", "first.last+tag", "example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", "example.org"),
        ("a@localhost", "a", "localhost"),
        ("a@1.2-3.x", "a", "1.2-3.x"),
        ('"two words"@example.org', "two words", "example.org"),
        ('"a@b"@example.org', "a@b", "example.org"),
        ('"needless"@example.org', "needless", "example.org"),
        (r'"quote\"d \\ \x"@example.org', r'quote"d \ x', "example.org"),
        ('""@example.org', "", "example.org"),
        ('".a."@example.org', ".a.", "example.org"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"),
        ("a@[ipv6:::ffff:192.0.2.1]", "a", "[ipv6:::ffff:192.0.2.1]"),
        ("a@[tag-1:any@thing!]", "a", "[tag-1:any@thing!]"),
        ("üser@bücher.example", "üser", "bücher.example"),
        ('"ü ü"@例え.テスト', "ü ü", "例え.テスト"),
        ("Postmaster", "Postmaster", None),
        ("pOSTMASTER", "pOSTMASTER", None),
    ],
)
def test_parts(text: str, local_part: str, domain: str | None) -> None:
    address = Address(text)
    assert str(address) == text
    assert (address.local_part, address.domain) == (local_part, domain)
    assert address.is_ascii is text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "", "user", "@", "user@", "@example.org", "a b@c", "a@b c", "a@b@c", ".a@b", "a.@b",
        "a..b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-", "a@b_c", "<a@b>", "a@b>", "a,b@c",
        "a:b@c", "a(b)@c", '"a@b', 'a"@b', '"a"b@c', '"a\\"@b', '"a"b"@c', "@x:a@b", "a@[1.2.3]",
        "a@[1.2.3.256]", "a@[1.2.3.4", "a@1.2.3.4]", "a@[IPv6:1::2::3]", "a@[IPv6:fe80::1%eth0]",
        "a@[IPv6:]", "a@[]", "a@[x]", "a@[x:]", "a@[:x]", "a@[x-:y]", "a@[x:y z]", "a@[x:[y]]",
        "a@[\u0661.2.3.4]", "a@b\r\nRCPT TO:<c@d>", "a\n@b", '"a\r\nb"@c', '"a\0b"@c', '"a\tb"@c',
        "a@evil\u3002example.org", "a@b\uff0ec", "a@b\uff61c",
        "a@b\n", "\0@b", "a@b\0", "\x80@b", "\xa0@b", "\udce9@b", "a@\ud800",
    ],
)  # fmt: skip
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="not a mailbox"):
        Address(text)


@pytest.mark.parametrize(
    ("local_part", "domain", "text"),
    [
        ("user", "example.org", "user@example.org"),
        ("two words", "example.org", '"two words"@example.org'),
        ('say "hi" \\o/', "example.org", r'"say \"hi\" \\o/"@example.org'),
        ("", "example.org", '""@example.org'),
        ("a..b", "example.org", '"a..b"@example.org'),
        ("ü ü", "[192.0.2.1]", '"ü ü"@[192.0.2.1]'),
        ("Postmaster", "example.org", "Postmaster@example.org"),
    ],
)
def test_of_quotes_where_needed(local_part: str, domain: str, text: str) -> None:
    address = Address.of(local_part, domain)
    assert str(address) == text
    assert address.local_part == local_part


@pytest.mark.parametrize(
    ("local_part", "domain", "problem"),
    [
        ("a\r\nb", "c", "control"), ("a\0", "c", "control"), ("a\tb", "c", "control"),
        ("a", "b c", "mailbox"), ("a", "", "mailbox"), ("a", "b>", "mailbox"),
        ("a b", "\r\n", "mailbox"),
    ],
)  # fmt: skip
def test_of_refuses_what_no_quoting_helps(local_part: str, domain: str, problem: str) -> None:
    with pytest.raises(LocalProtocolError, match=problem):
        Address.of(local_part, domain)


class TestEquality:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("a@example.org", "a@EXAMPLE.org"),
            ('"a"@example.org', "a@example.org"),
            (r'"\a\b"@example.org', "ab@example.org"),
            ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"),
            ("a@bücher.EXAMPLE", "a@bücher.example"),
            ("Postmaster", "postmaster"),
        ],
    )
    def test_equal(self, one: str, other: str) -> None:
        assert Address(one) == Address(other)
        assert hash(Address(one)) == hash(Address(other))
        assert str(Address(one)) != str(Address(other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("a@example.org", "A@example.org"),
            ("a@example.org", "a@example.com"),
            ('"a b"@example.org', '"a  b"@example.org'),
            ("a@k.example", "a@\u212a.example"),
            ("a@bücher.example", "a@BÜCHER.example"),
            ("Postmaster", "postmaster@example.org"),
        ],
    )
    def test_not_equal(self, one: str, other: str) -> None:
        assert Address(one) != Address(other)

    def test_no_text_is_an_address(self) -> None:
        assert Address("a@b") != "a@b"


@given(strategies.smtp_addresses())
def test_round_trips(address: Address) -> None:
    assert Address(str(address)) == address
    assert str(Address(str(address))) == str(address)
    if address.domain is not None:
        again = Address.of(address.local_part, address.domain)
        assert again == address
        assert again.local_part == address.local_part
    assert pickle.loads(pickle.dumps(address)) == address
    assert str(copy.deepcopy(address)) == str(address)
    assert repr(address) == f"Address({str(address)!r})"


@given(st.text(), st.sampled_from(["b.example", "[192.0.2.1]", "[IPv6:::1]"]))
def test_of_builds_what_has_this_local_part_or_nothing(local_part: str, domain: str) -> None:
    try:
        address = Address.of(local_part, domain)
    except LocalProtocolError:
        assert re.search("[\0-\x1f\x7f-\xa0\ud800-\udfff]", local_part)
    else:
        assert (address.local_part, address.domain) == (local_part, domain)


@pytest.mark.parametrize(
    "text",
    [
        "a." * 6000 + "@", '"' + "\\a" * 6000, '"' * 12000, "a@" + "b-" * 6000, "a@" + "b." * 6000,
        "a@" + "-" * 12000, "a@[" + "x:" * 6000, "@a," * 4000 + ":", "a@" + "[" * 12000,
        "a@[IPv6:" + "1:" * 6000 + "]", "a@[" + "1." * 6000 + "]",
    ],
)  # fmt: skip
def test_what_takes_long_to_refuse(text: str) -> None:
    """A regular expression that backtracks would never come back."""
    with pytest.raises(LocalProtocolError):
        Address(text)


def test_immutable() -> None:
    address = Address("a@b")
    with pytest.raises(AttributeError, match="immutable"):
        address.local_part = "c"  # type: ignore[misc]
    match address:
        case Address(local_part, domain):
            assert (local_part, domain) == ("a", "b")
