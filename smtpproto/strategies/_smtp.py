"""Strategies for the values of smtpproto.smtp."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from smtpproto import smtp
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._commands import VERBS
from smtpproto.smtp._keywords import KEYWORDS
from smtpproto.strategies._shared import (
    LETTERS_AND_DIGITS,
    NO_SPACE,
    PRINTABLE,
    beyond_ascii,
    built,
    letters,
    line_text,
    mechanisms,
    names_besides,
    shared_events,
    words,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The class that is asked for, or what several have in common; all, when none is.
    C = TypeVar("C", bound=smtp.Command, default=smtp.Command)
    E = TypeVar("E", bound=smtp.Extension, default=smtp.Extension)

__all__ = [
    "enhanced_statuses",
    "envelopes",
    "smtp_addresses",
    "smtp_capabilities",
    "smtp_commands",
    "smtp_domains",
    "smtp_events",
    "smtp_extensions",
    "smtp_limits",
    "smtp_parameters",
    "smtp_replies",
    "smtp_reports",
]

# RFC 5321 section 4.1.2, and what RFC 6531 section 3.3 adds to it.
_ATEXT = LETTERS_AND_DIGITS + "!#$%&'*+/=?^_`{|}~-"
_DCONTENT = "".join(c for c in PRINTABLE if c not in " [\\]")


# -- mail -----------------------------------------------------------------------------------------


def enhanced_statuses(*, klass: int | None = None) -> SearchStrategy[smtp.EnhancedStatus]:
    """Enhanced mail system status codes, known and unknown, of one `klass` (2, 4, 5) or any."""
    numbers = st.one_of(st.integers(0, 20), st.integers(0, 999))
    classes = st.sampled_from([2, 4, 5]) if klass is None else st.just(klass)
    return st.builds(smtp.EnhancedStatus, classes, numbers, numbers)


def envelopes(*, max_recipients: int = 5) -> SearchStrategy[smtp.Envelope]:
    """Envelopes: each command that begins a transaction, and up to `max_recipients` recipients,
    the same one twice included."""
    return st.builds(
        smtp.Envelope,
        smtp_commands(smtp.Mail, smtp.SendMail, smtp.SendOrMail, smtp.SendAndMail),
        st.lists(smtp_commands(smtp.Rcpt), max_size=max_recipients),
    )


# -- SMTP: addresses ------------------------------------------------------------------------------


def smtp_domains(*, utf8: bool = True) -> SearchStrategy[str]:
    """Domains, of one label or many; with `utf8` also internationalized ones."""
    inner = st.text(letters(LETTERS_AND_DIGITS + "-", utf8), max_size=8)
    edge = letters(LETTERS_AND_DIGITS, utf8)
    labels = st.one_of(
        st.sampled_from(["example", "EXAMPLE", "mx1", "xn--bcher-kva"]),
        edge,
        st.builds("{}{}{}".format, edge, inner, edge),
    )
    without_dots = labels.filter(lambda label: {*label}.isdisjoint("\u3002\uff0e\uff61"))
    return st.lists(without_dots, min_size=1, max_size=4).map(".".join)


def _literals() -> SearchStrategy[str]:
    ipv4 = st.ip_addresses(v=4).map(str)
    ipv6 = st.ip_addresses(v=6)
    tags = words(LETTERS_AND_DIGITS + "-", False).map("{}x".format)
    return st.one_of(
        ipv4,
        st.builds(
            "{}:{}".format,
            st.sampled_from(["IPv6", "ipv6", "IPV6"]),
            st.one_of(
                ipv6.map(str),
                ipv6.map(lambda address: address.exploded),
                ipv4.map(lambda address: f"::ffff:{address}"),
            ),
        ),
        st.builds("{}:{}".format, tags, words(_DCONTENT, False)),
    ).map("[{}]".format)


def _local_parts(utf8: bool) -> SearchStrategy[str]:
    dot_strings = st.lists(words(_ATEXT, utf8), min_size=1, max_size=3).map(".".join)
    unquoted = letters(PRINTABLE.replace('"', "").replace("\\", ""), utf8)
    pairs = st.sampled_from(PRINTABLE).map(lambda character: f"\\{character}")
    quoted_strings = st.lists(st.one_of(unquoted, pairs), max_size=12).map("".join)
    return st.one_of(dot_strings, quoted_strings.map('"{}"'.format))


def smtp_addresses(
    *, utf8: bool = True, bare_postmaster: bool = True
) -> SearchStrategy[smtp.Address]:
    """Addresses: dot-strings and quoted strings (needlessly quoted ones too), at domains and at
    address literals; with `utf8` characters beyond ASCII, with `bare_postmaster` the one address
    without a domain, which only a forward-path may be.
    """
    texts = st.builds(
        "{}@{}".format, _local_parts(utf8), st.one_of(smtp_domains(utf8=utf8), _literals())
    )
    if bare_postmaster:
        texts = st.one_of(texts, st.sampled_from(["Postmaster", "postmaster", "POSTMASTER"]))
    return texts.map(smtp.Address)


# -- SMTP: parameters and commands ----------------------------------------------------------------


def _moments(*, fractions: bool = False) -> SearchStrategy[datetime]:
    utc_or_not = st.one_of(
        st.just(timezone.utc),
        st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
    # A day from either end of what a datetime can hold: UTC is within it whatever the zone.
    moments = st.datetimes(
        datetime(1, 1, 2), datetime(9999, 12, 30), timezones=utc_or_not, allow_imaginary=False
    )
    return moments if fractions else moments.map(lambda moment: moment.replace(microsecond=0))


def _seconds(first: int = 0) -> SearchStrategy[int]:
    return st.one_of(st.integers(first, 100_000), st.integers(first, 999_999_999))


def _solicitations() -> SearchStrategy[tuple[str, ...]]:
    words = st.builds(
        "{}{}".format,
        st.sampled_from(string.ascii_letters),
        st.text(LETTERS_AND_DIGITS + "._:-", max_size=12),
    )
    return st.lists(words, min_size=1, max_size=4).map(tuple)


def _transactions() -> SearchStrategy[str]:
    atoms = words("".join(c for c in PRINTABLE if c not in ' ()<>@,;:\\"/[]?=.'), False, most=6)
    tokens = st.lists(atoms, min_size=1, max_size=3).map(".".join)
    return st.builds("<{}@{}>".format, tokens, tokens)


def _original_recipients() -> SearchStrategy[smtp.OriginalRecipient]:
    types = words(_ATEXT.replace("=", ""), False).filter(lambda kind: kind.lower() != "utf-8")
    return st.one_of(
        st.builds(smtp.OriginalRecipient, st.sampled_from(["rfc822", "x400"]) | types, line_text()),
        st.builds(smtp.OriginalRecipient, st.just("utf-8"), line_text(1, utf8=True)),
    )


_KNOWN_PARAMETERS: dict[str, Callable[[], SearchStrategy[Any]]] = {
    "SIZE": lambda: _sizes(),
    "BODY": lambda: st.sampled_from(["7BIT", "8BITMIME", "BINARYMIME"]),
    "AUTH": lambda: st.one_of(st.just("<>"), line_text(1)),
    "SMTPUTF8": lambda: st.just(True),
    "RET": lambda: st.sampled_from(["FULL", "HDRS"]),
    "ENVID": lambda: line_text(1),
    "NOTIFY": lambda: st.one_of(
        st.just(("NEVER",)),
        st.lists(st.sampled_from(["SUCCESS", "FAILURE", "DELAY"]), min_size=1, max_size=3),
    ),
    "ORCPT": _original_recipients,
    "REQUIRETLS": lambda: st.just(True),
    "BY": lambda: st.one_of(
        st.builds(smtp.By, _seconds(1), st.just("R"), st.booleans()),
        st.builds(smtp.By, _seconds(-999_999_999), st.just("N"), st.booleans()),
    ),
    "HOLDFOR": lambda: _seconds(1),
    "HOLDUNTIL": lambda: _moments(fractions=True),
    "MT-PRIORITY": lambda: st.integers(-9, 9),
    "MTRK": lambda: st.builds(
        smtp.Tracking, st.binary(min_size=1, max_size=20), st.none() | _seconds()
    ),
    "SOLICIT": _solicitations,
    "CONPERM": lambda: st.just(True),
    "CONNEG": lambda: st.just(True),
    "TRANSID": _transactions,
    "SUBMITTER": lambda: smtp_addresses(utf8=False, bare_postmaster=False),
    "RRVS": lambda: st.builds(smtp.ValidSince, _moments(), st.sampled_from([None, "C", "R"])),
}
"""The values of each parameter that the package knows; `Parameters` may be given more."""


def _consistent(given: dict[str, Any]) -> smtp.Parameters:
    """Parameters of these, but for what excludes one of the others."""
    if "MTRK" in given:
        given["ENVID"] = f"{given.get('ENVID', '')[:20]}@host"
    if "HOLDFOR" in given:
        given.pop("HOLDUNTIL", None)
        if "BY" in given and given["BY"].seconds < given["HOLDFOR"]:
            del given["BY"]
    return smtp.Parameters(given)


def smtp_parameters(
    *, utf8: bool = True, only: tuple[str, ...] | None = None
) -> SearchStrategy[smtp.Parameters]:
    """Parameters of MAIL and RCPT: known ones and unknown ones, with a value or alone.

    `only` names the known keywords that may occur (MTRK brings its ENVID).
    """
    values = st.text(letters(NO_SPACE.replace("=", ""), utf8), min_size=1, max_size=12)
    unknown: SearchStrategy[tuple[str, Any]] = st.tuples(
        names_besides(KEYWORDS).map(str.upper), st.one_of(st.just(True), values)
    )
    names = _KNOWN_PARAMETERS if only is None else only
    pairs = [st.tuples(st.just(name), _KNOWN_PARAMETERS[name]()) for name in names]
    if only is None:
        pairs.append(unknown)
    few = min(4, len(pairs))
    return st.lists(st.one_of(pairs), max_size=few, unique_by=lambda pair: pair[0]).map(
        lambda given: _consistent(dict(given))
    )


def _one_word() -> SearchStrategy[str]:
    return words(NO_SPACE, True)


def _query_arguments() -> SearchStrategy[str]:
    return line_text(1, utf8=True).filter(
        lambda text: text.strip(" ") != "" and not text.strip(" ").upper().endswith(" SMTPUTF8")
    )


def _reverse_paths() -> SearchStrategy[smtp.Address | None]:
    return st.none() | smtp_addresses(bare_postmaster=False)


def _sizes() -> SearchStrategy[int]:
    return st.one_of(st.integers(0, 2000), st.integers(0, 10**20 - 1))


def _greeting_words() -> SearchStrategy[str]:
    return st.one_of(smtp_domains(), _literals(), _one_word())


_COMMANDS: dict[type[Any], Callable[[], SearchStrategy[Any]]] = {
    smtp.Ehlo: built(smtp.Ehlo, _greeting_words),
    smtp.Helo: built(smtp.Helo, _greeting_words),
    smtp.Lhlo: built(smtp.Lhlo, _greeting_words),
    smtp.Mail: built(smtp.Mail, _reverse_paths, smtp_parameters),
    smtp.Rcpt: built(smtp.Rcpt, smtp_addresses, smtp_parameters),
    smtp.Data: built(smtp.Data),
    smtp.Bdat: built(smtp.Bdat, _sizes, st.booleans),
    smtp.Burl: built(smtp.Burl, _one_word, st.booleans),
    smtp.Rset: built(smtp.Rset),
    smtp.Noop: built(smtp.Noop, lambda: st.none() | line_text(utf8=True)),
    smtp.Quit: built(smtp.Quit),
    smtp.Help: built(smtp.Help, lambda: st.none() | line_text(utf8=True)),
    smtp.Vrfy: built(smtp.Vrfy, _query_arguments, st.booleans),
    smtp.Expn: built(smtp.Expn, _query_arguments, st.booleans),
    smtp.StartTls: built(smtp.StartTls),
    smtp.Auth: built(smtp.Auth, mechanisms, lambda: st.none() | st.binary(max_size=20)),
    smtp.Etrn: built(smtp.Etrn, _one_word),
    smtp.Atrn: built(smtp.Atrn, lambda: st.lists(smtp_domains(), max_size=3)),
    smtp.Turn: built(smtp.Turn),
    smtp.SendMail: built(smtp.SendMail, _reverse_paths),
    smtp.SendOrMail: built(smtp.SendOrMail, _reverse_paths),
    smtp.SendAndMail: built(smtp.SendAndMail, _reverse_paths),
    smtp.Extended: built(smtp.Extended, lambda: _verbs(), lambda: st.none() | line_text(utf8=True)),
}


def _verbs() -> SearchStrategy[str]:
    return st.one_of(st.sampled_from(["XCLIENT", "XFORWARD", "VERB", "ONEX"]), names_besides(VERBS))


def smtp_commands(*classes: type[C]) -> SearchStrategy[C]:
    """Commands of these classes, or of all but Raw, which can be anything."""
    return st.one_of([_COMMANDS[command]() for command in classes or _COMMANDS])


# -- SMTP: replies and extensions -----------------------------------------------------------------


@st.composite
def smtp_replies(draw: st.DrawFn, *, codes: SearchStrategy[int] | None = None) -> smtp.Reply:
    """Replies of one line or several, of every code from 200 to 599 or of `codes`: with and
    without an enhanced status code, empty lines, UTF-8, and octets that are no UTF-8 (as lone
    surrogates, see `surrogateescape`).
    """
    if codes is None:
        codes = st.one_of(st.sampled_from([220, 250, 354, 421, 550]), st.integers(200, 599))
    code = draw(codes)
    octets = st.integers(0xDC80, 0xDCFF).map(chr)
    characters = st.one_of(st.sampled_from(PRINTABLE + "\t"), beyond_ascii(0x80), octets)
    lines = draw(st.lists(st.text(characters, max_size=20), max_size=4))
    enhanced = None
    if code // 100 != 3 and draw(st.booleans()):
        enhanced = draw(enhanced_statuses(klass=code // 100))
    return smtp.Reply(code, *lines, enhanced=enhanced)


def _keyword_words() -> SearchStrategy[str]:
    return words(NO_SPACE, False)


def _is_other_limit(word: str) -> bool:
    return word.partition("=")[0].upper() not in ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX")


_EXTENSIONS: dict[type[Any], Callable[[], SearchStrategy[Any]]] = {
    ext.Size: lambda: st.builds(ext.Size, st.none() | _sizes()),
    ext.Auth: lambda: st.lists(mechanisms(), max_size=4).map(lambda names: ext.Auth(*names)),
    ext.Atrn: lambda: st.lists(_keyword_words(), max_size=2).map(lambda names: ext.Atrn(*names)),
    ext.Burl: lambda: st.lists(_keyword_words(), max_size=2).map(lambda names: ext.Burl(*names)),
    ext.DeliverBy: lambda: st.builds(
        lambda minimum, options: ext.DeliverBy(minimum, *options),
        st.none() | _seconds(),
        st.lists(words(NO_SPACE.replace(",", ""), False), max_size=2),
    ),
    ext.FutureRelease: lambda: st.builds(ext.FutureRelease, _seconds(1), _moments(fractions=True)),
    ext.MtPriority: lambda: st.builds(ext.MtPriority, st.none() | _keyword_words()),
    ext.Limits: lambda: st.builds(
        ext.Limits,
        *[st.none() | st.integers(1, 20) | st.integers(1, 999_999)] * 3,
        st.lists(_keyword_words().filter(_is_other_limit), max_size=2),
    ),
    ext.NoSoliciting: lambda: st.one_of(st.just(()), _solicitations()).map(
        lambda keywords: ext.NoSoliciting(*keywords)
    ),
    ext.Verb: lambda: st.builds(
        lambda name, words: ext.Verb(name, *words),
        st.one_of(st.sampled_from(["XCLIENT", "XFORWARD"]), _verbs()),
        st.lists(_keyword_words(), max_size=3),
    ),
    ext.Unknown: lambda: st.builds(
        lambda name, words: ext.Unknown(name, *words),
        names_besides(CLASSES),
        st.lists(_keyword_words(), max_size=3),
    ),
}
"""The extensions that have parameters."""


def _extension_classes() -> list[type[smtp.Extension]]:
    return [
        one
        for name, one in vars(ext).items()
        if isinstance(one, type) and issubclass(one, smtp.Extension) and not name.startswith("_")
    ]


def smtp_extensions(*classes: type[E]) -> SearchStrategy[E]:
    """Extensions of these classes, or of all, with and without their parameters."""
    return st.one_of(
        [
            _EXTENSIONS[one]() if one in _EXTENSIONS else st.builds(one)
            for one in classes or _extension_classes()
        ]
    )


def smtp_capabilities() -> SearchStrategy[smtp.Capabilities]:
    """What a server could offer: extensions of any kind, each keyword once."""
    return st.lists(smtp_extensions(), max_size=8, unique_by=lambda one: one.keyword).map(
        smtp.Capabilities
    )


def smtp_limits() -> SearchStrategy[smtp.Limits]:
    """Limits around the usual ones, and much tighter ones."""
    tight_or_wide = st.one_of(st.integers(600, 3000), st.integers(600, 10**6))
    return st.builds(
        smtp.Limits,
        command_line=st.integers(512, 4096),
        reply_line=tight_or_wide,
        reply=tight_or_wide,
        auth_line=tight_or_wide,
        recipients=st.integers(1, 2000),
        refusals=st.none() | st.integers(0, 100),
        backlog=st.integers(1, 10**6),
        pipeline_octets=st.none() | st.integers(0, 10**5),
    )


# -- SMTP: events ---------------------------------------------------------------------------------


def smtp_events() -> SearchStrategy[smtp.Event]:
    """What comes out of an SMTP connection: commands, and every event of either role."""
    requests = smtp_commands() | st.builds(smtp.ChunkReceived, _sizes())
    return st.one_of(
        shared_events(requests),
        st.builds(smtp.CommandRefused, st.binary(max_size=20), smtp_replies()),
        st.builds(smtp.MessageRefused, st.none() | smtp_replies()),
        st.builds(
            smtp.ReplyReceived,
            st.none() | st.builds(smtp.EndOfMessage) | requests,
            smtp_replies(),
            st.none() | smtp_commands(smtp.Rcpt),
        ),
    )


def smtp_reports(*, max_recipients: int = 5) -> SearchStrategy[smtp.Report]:
    """What a Delivery comes to: any verdict for each recipient, with a reply or without."""
    outcomes = st.builds(
        smtp.Outcome,
        smtp_commands(smtp.Rcpt),
        st.sampled_from(smtp.Verdict),
        st.none() | smtp_replies(),
        st.text(),
    )
    return st.builds(smtp.Report, st.lists(outcomes, max_size=max_recipients))
