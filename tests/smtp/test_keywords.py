"""The registered parameters: their values, as arguments, as attributes and on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from smtpproto import LocalProtocolError, smtp
from smtpproto.smtp import (
    Address,
    By,
    Mail,
    OriginalRecipient,
    Parameters,
    Rcpt,
    Tracking,
    ValidSince,
    _keywords,
)
from smtpproto.smtp._keywords import KEYWORDS, Keyword

UTC = timezone.utc
NOON = datetime(2030, 1, 2, 12, 0, 0, tzinfo=UTC)
CEST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("given", "wire", "read"),
    [
        ({"ret": "full"}, "RET=FULL", "FULL"),
        ({"envid": "a=b c"}, "ENVID=a+3Db+20c", "a=b c"),
        ({"notify": "never"}, "NOTIFY=NEVER", ("NEVER",)),
        ({"notify": ["success", "DELAY"]}, "NOTIFY=SUCCESS,DELAY", ("SUCCESS", "DELAY")),
        (
            {"orcpt": "rfc822;Bob <b@c>"},
            "ORCPT=rfc822;Bob+20<b@c>",
            OriginalRecipient("rfc822", "Bob <b@c>"),
        ),
        (
            {"orcpt": OriginalRecipient("utf-8", "ü@bücher.example")},
            r"ORCPT=utf-8;\x{FC}@b\x{FC}cher.example",
            OriginalRecipient("UTF-8", "ü@bücher.example"),
        ),
        ({"requiretls": True}, "REQUIRETLS", True),
        ({"by": By(7200, "r", trace=True)}, "BY=7200;RT", By(7200, "R", True)),
        ({"by": "-60;n"}, "BY=-60;N", By(-60, "N")),
        ({"holdfor": 1}, "HOLDFOR=1", 1),
        ({"holduntil": NOON}, "HOLDUNTIL=2030-01-02T12:00:00Z", NOON),
        (
            {"holduntil": datetime(2030, 1, 2, 14, 0, 0, 250_000, tzinfo=CEST)},
            "HOLDUNTIL=2030-01-02T12:00:00.250000Z",
            NOON + timedelta(microseconds=250_000),
        ),
        ({"mt_priority": -9}, "MT-PRIORITY=-9", -9),
        ({"mt_priority": 0}, "MT-PRIORITY=0", 0),
        ({"mt_priority": 9}, "MT-PRIORITY=9", 9),
        (
            {"mtrk": Tracking(b"abcd", 60), "envid": "1@h"},
            "MTRK=YWJjZA:60 ENVID=1@h",
            Tracking(b"abcd", 60),
        ),
        ({"mtrk": "YWI", "envid": "1@h"}, "MTRK=YWI ENVID=1@h", Tracking(b"ab")),
        ({"solicit": ["a.b:ADV", "b"]}, "SOLICIT=a.b:ADV,b", ("a.b:ADV", "b")),
        ({"conperm": True}, "CONPERM", True),
        ({"conneg": True}, "CONNEG", True),
        ({"transid": "<12.a@b.example>"}, "TRANSID=<12.a@b.example>", "<12.a@b.example>"),
        ({"transid": f"<{'a' * 76}@b>"}, f"TRANSID=<{'a' * 76}@b>", f"<{'a' * 76}@b>"),
        ({"submitter": "a+b@c"}, "SUBMITTER=a+2Bb@c", Address("a+b@c")),
        ({"submitter": Address("a@c")}, "SUBMITTER=a@c", Address("a@c")),
        ({"rrvs": ValidSince(NOON)}, "RRVS=2030-01-02T12:00:00Z", ValidSince(NOON)),
        (
            {"rrvs": ValidSince(datetime(2030, 1, 2, 14, tzinfo=CEST), "c")},
            "RRVS=2030-01-02T12:00:00Z;C",
            ValidSince(NOON, "C"),
        ),
        ({"rrvs": "2030-01-02T12:00:00Z;r"}, "RRVS=2030-01-02T12:00:00Z;R", ValidSince(NOON, "R")),
    ],
)  # fmt: skip
def test_values(given: dict[str, Any], wire: str, read: object) -> None:
    name = next(iter(given))
    for command in (Mail("a@b", **given), Rcpt("a@b", **given)):
        assert str(command.parameters) == f" {wire}"
        assert smtp.Command.parse(bytes(command)) == command
        assert command.parameters[name.upper().replace("_", "-")] == read
    owner = Mail if hasattr(Mail, name) else Rcpt
    assert getattr(owner("a@b", **given), name) == read


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("NOTIFY=success,FAILURE", ("SUCCESS", "FAILURE")),
        ("NOTIFY=SUCCESS,", ("SUCCESS",)),  # RFC 822 section 2.7: empty elements do not count
        ("NOTIFY=,SUCCESS,,DELAY", ("SUCCESS", "DELAY")),
        ("ORCPT=rfc822;", OriginalRecipient("rfc822", "")),
        ("ORCPT=utf-8;\u00fc@b", OriginalRecipient("utf-8", "\u00fc@b")),
        ("ORCPT=utf-8;a+2Bb", OriginalRecipient("utf-8", "a+b")),
        ("BY=+0060;nt", By(60, "N", True)),
        ("HOLDUNTIL=2016-12-31t23:59:60.5z", datetime(2017, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("HOLDUNTIL=2030-01-02T12:00:00.1234567Z", NOON.replace(microsecond=123456)),
        ("RRVS=2030-01-02T13:30:00+01:30;c", ValidSince(NOON, "C")),
        ("MTRK=YWI:7 ENVID=a@b", Tracking(b"ab", 7)),
    ],
)
def test_reading(wire: str, value: object) -> None:
    """What others write and this package does not."""
    assert Parameters.parse(wire)[wire.partition("=")[0]] == value


@pytest.mark.parametrize(
    "word",
    [
        "AUTH=a+0D+0AX:+20b", "AUTH=+00", "AUTH=+3",
        "RET", "RET=ALL", "ENVID", f"ENVID={'x' * 101}", "ENVID=+0A", "ENVID=+7F", "ENVID=+",
        "NOTIFY=NEVER,DELAY", "NOTIFY=,", "NOTIFY=ALWAYS", "NOTIFY", "ORCPT=a@b",
        "ORCPT=rfc822", "ORCPT=utf-8;", "ORCPT=;a@b", "ORCPT=rfc822;a+0Db", "ORCPT=rfc822;+E9",
        "ORCPT=utf-8;a+0Db", r"ORCPT=utf-8;\x{0A}", "ORCPT=a(b;c", "REQUIRETLS=1", "BY=0;R",
        "BY=-1;R", "BY=1", "BY=1;X", "BY=1;NX", "BY=1234567890;N", "BY=;N", "BY=\u0661;N", "BY",
        "HOLDFOR=0", "HOLDFOR=1000000000", "HOLDFOR=-1", "HOLDFOR",
        "HOLDUNTIL=2030-01-02T12:00:00+00:00", "HOLDUNTIL=2030-13-02T12:00:00Z",
        "HOLDUNTIL=2030-01-02", "HOLDUNTIL=2030-01-02T24:00:00Z", "HOLDUNTIL=9999-12-31T23:59:60Z",
        "HOLDUNTIL=0000-01-01T00:00:00Z", "MT-PRIORITY=10", "MT-PRIORITY=-10", "MT-PRIORITY=+1",
        "MT-PRIORITY=x", "MT-PRIORITY", "MTRK=Y", "MTRK=YWI:", "MTRK=YWI:x", "MTRK=:1", "MTRK=!!!!",
        "MTRK=YWI:1234567890", "SOLICIT=a,", "SOLICIT=1a", "SOLICIT=a!", f"SOLICIT={'a' * 1001}",
        "CONPERM=yes", "CONNEG=no", "TRANSID=a@b", "TRANSID=<a>", "TRANSID=<a@b@c>",
        "TRANSID=<a..b@c>", f"TRANSID=<{'a' * 77}@b>", "SUBMITTER=<>", "SUBMITTER=Postmaster",
        "SUBMITTER=a", "SUBMITTER", "RRVS=2030-01-02T12:00:00.5Z", "RRVS=2030-01-02T12:00:00Z;",
        "RRVS=2030-01-02T12:00:00Z;X", "RRVS=2030-01-02T12:00:00+24:00",
        "RRVS=0001-01-01T00:00:00+01:00", "RRVS=2030-01-02T12:00:00",
    ],
)  # fmt: skip
def test_what_cannot_be_read(word: str) -> None:
    name = word.partition("=")[0]
    with pytest.raises(ValueError, match=f"^{name}: expected ") as raised:
        Parameters.parse(f"{word} ENVID=a@b" if name == "MTRK" else word)
    assert KEYWORDS[name].expected in str(raised.value)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("AUTH", "a\r\nX: b"), ("AUTH", "\xe9"),
        ("RET", 1), ("RET", ""), ("ENVID", "a\tb"), ("ENVID", "\xe9"), ("ENVID", "x" * 101),
        ("NOTIFY", []), ("NOTIFY", [1]), ("NOTIFY", 7), ("NOTIFY", ["NEVER", "DELAY"]),
        ("ORCPT", "a@b"), ("ORCPT", "rfc822"), ("ORCPT", 1), ("ORCPT", "rfc822;\xe9"),
        ("REQUIRETLS", "yes"),
        ("BY", 60), ("BY", "60"), ("HOLDFOR", True), ("HOLDFOR", "60"), ("HOLDFOR", 0),
        ("HOLDUNTIL", datetime(2030, 1, 1)), ("HOLDUNTIL", "2030-01-01T00:00:00Z"),
        ("HOLDUNTIL", datetime(1, 1, 1, tzinfo=CEST)), ("MT-PRIORITY", 10), ("MT-PRIORITY", "1"),
        ("MTRK", b"abc"), ("SOLICIT", "1"), ("SOLICIT", []), ("TRANSID", "a@b"), ("TRANSID", 1),
        ("SUBMITTER", "a"), ("SUBMITTER", Address("Postmaster")), ("SUBMITTER", 1),
        ("SUBMITTER", Address("\xe9@b")), ("RRVS", NOON), ("RRVS", "yesterday"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(keyword: str, value: Any) -> None:
    with pytest.raises(LocalProtocolError, match=rf"^{keyword}=.*expected "):
        Parameters({"ENVID": "a@b"} if keyword == "MTRK" else {}, **{keyword: value})


@pytest.mark.parametrize(
    "build",
    [
        lambda: By(0, "R"), lambda: By(-1, "r"), lambda: By(1, "X"), lambda: By(10**9, "N"),
        lambda: By(True, "N"), lambda: Tracking(b""), lambda: Tracking(b"a", -1),
        lambda: Tracking(b"a", 10**9), lambda: Tracking(b"a", True),
        lambda: OriginalRecipient("", "a"), lambda: OriginalRecipient("utf-8", ""),
        lambda: OriginalRecipient("a b", "a"), lambda: OriginalRecipient("rfc822", "\xe9"),
        lambda: OriginalRecipient("utf-8", "a\r\nb"), lambda: OriginalRecipient("rfc822", "a\tb"),
        lambda: ValidSince(datetime(2030, 1, 1)), lambda: ValidSince(NOON, "X"),
        lambda: ValidSince(NOON.replace(microsecond=1)),
        lambda: ValidSince(datetime(1, 1, 1, tzinfo=CEST)),
    ],
)  # fmt: skip
def test_values_that_are_none(build: Any) -> None:
    with pytest.raises(LocalProtocolError):
        build()


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        ("HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z", "exclude each other"),
        ("BY=60;N HOLDFOR=61", "HOLDFOR is later than BY"),
        ("HOLDFOR=1 BY=-1;N", "HOLDFOR is later than BY"),
        ("MTRK=YWI", "MTRK needs ENVID"),
        ("MTRK=YWI ENVID=me", "MTRK needs ENVID"),
    ],
)
def test_parameters_that_do_not_go_together(wire: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Parameters.parse(wire)
    each = [Parameters.parse(word) for word in wire.split() if not word.startswith("MTRK")]
    values: dict[str, Any] = {"MTRK": Tracking(b"ab")} if "MTRK" in wire else {}
    for one in each:
        values.update(one)
    with pytest.raises(LocalProtocolError, match=problem):
        Parameters(values)


def test_parameters_that_go_together() -> None:
    assert Parameters.parse("BY=60;N HOLDFOR=60")["HOLDFOR"] == 60


def test_attributes_of_what_was_not_said() -> None:
    mail, rcpt = Mail("a@b"), Rcpt("a@b")
    for name, keyword in KEYWORDS.items():
        attribute = name.lower().replace("-", "_")
        command = mail if hasattr(Mail, attribute) else rcpt
        said = getattr(command, attribute)
        assert said is (False if isinstance(keyword, _keywords.Flag) else None)


def test_every_keyword_is_an_attribute_of_mail_or_rcpt() -> None:
    owned = {
        value
        for command in (Mail, Rcpt)
        for value in vars(command).values()
        if isinstance(value, Keyword)
    }
    assert owned == set(KEYWORDS.values())
    assert Mail.size is KEYWORDS["SIZE"]
    assert Mail.smtputf8 is KEYWORDS["SMTPUTF8"]


def test_every_keyword_argument_is_known_to_type_checkers() -> None:
    from smtpproto.smtp._parameters import MailKeywords, RcptKeywords

    arguments = {Mail: MailKeywords.__annotations__, Rcpt: RcptKeywords.__annotations__}
    for command, known in arguments.items():
        attributes = [name for name, value in vars(command).items() if isinstance(value, Keyword)]
        assert attributes == list(known)


def test_repr_builds_the_value() -> None:
    mail = Mail("a@b", by=By(60, "R"), ret=None, mt_priority=4)
    assert repr(mail) == "Mail('a@b', by=By(seconds=60, mode='R', trace=False), mt_priority=4)"
