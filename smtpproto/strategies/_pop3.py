"""Strategies for the values of smtpproto.pop3."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from smtpproto import pop3
from smtpproto.pop3._commands import MOST, VERBS
from smtpproto.strategies._shared import (
    LETTERS_AND_DIGITS,
    NO_SPACE,
    beyond_ascii,
    built,
    line_text,
    mechanisms,
    names_besides,
    shared_events,
    words,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The class that is asked for, or what several have in common; all, when none is.
    Listing = pop3.MaildropStatus | pop3.ScanListing | pop3.UniqueId | pop3.Language
    C = TypeVar("C", bound=pop3.Command, default=pop3.Command)
    R = TypeVar("R", bound=pop3.Response, default=pop3.Response)
    L = TypeVar("L", bound=Listing, default=Listing)

__all__ = [
    "pop3_capabilities",
    "pop3_commands",
    "pop3_events",
    "pop3_limits",
    "pop3_listings",
    "pop3_maildrops",
    "pop3_responses",
]

# RFC 2449 section 3: rchar
_LEVEL = "".join(character for character in NO_SPACE if character not in "/]")


# -- commands -------------------------------------------------------------------------------------


def _numbers(first: int = 1) -> SearchStrategy[int]:
    return st.one_of(st.integers(first, 20), st.integers(first, MOST))


def _names() -> SearchStrategy[str]:
    return line_text(1, utf8=True).map(lambda text: text.strip(" ")).filter(bool)


def _passwords() -> SearchStrategy[str]:
    return st.one_of(line_text(1, utf8=True), st.text(" \ta", min_size=1, max_size=5))


def _tags() -> SearchStrategy[str]:
    first = words(string.ascii_letters, False, most=8)
    more = st.lists(words(LETTERS_AND_DIGITS, False, most=8), max_size=3)
    return st.one_of(
        st.sampled_from(["de", "en-boont", "sr-Latn-RS"]),
        st.builds(lambda tag, subtags: "-".join([tag, *subtags]), first, more),
    )


_COMMANDS: dict[type[Any], Callable[[], SearchStrategy[Any]]] = {
    pop3.User: built(pop3.User, _names),
    pop3.Pass: built(pop3.Pass, _passwords),
    pop3.Apop: built(
        pop3.Apop, _names, lambda: st.text("0123456789abcdef", min_size=32, max_size=32)
    ),
    pop3.Auth: lambda: st.one_of(
        st.builds(pop3.Auth),
        st.builds(pop3.Auth, mechanisms(), st.none() | st.binary(max_size=20)),
    ),
    pop3.Stls: built(pop3.Stls),
    pop3.Utf8: built(pop3.Utf8),
    pop3.Stat: built(pop3.Stat),
    pop3.List: built(pop3.List, lambda: st.none() | _numbers()),
    pop3.Uidl: built(pop3.Uidl, lambda: st.none() | _numbers()),
    pop3.Retr: built(pop3.Retr, _numbers),
    pop3.Top: built(pop3.Top, _numbers, lambda: _numbers(0)),
    pop3.Dele: built(pop3.Dele, _numbers),
    pop3.Noop: built(pop3.Noop),
    pop3.Rset: built(pop3.Rset),
    pop3.Quit: built(pop3.Quit),
    pop3.Capa: built(pop3.Capa),
    pop3.Lang: built(pop3.Lang, lambda: st.sampled_from([None, "*"]) | _tags()),
    pop3.Extended: built(
        pop3.Extended,
        lambda: st.just("XTND") | names_besides(VERBS),
        lambda: st.none() | line_text(utf8=True),
    ),
}


def pop3_commands(*classes: type[C]) -> SearchStrategy[C]:
    """Commands of these classes, or of all but Raw, which can be anything."""
    return st.one_of([_COMMANDS[command]() for command in classes or _COMMANDS])


# -- responses ------------------------------------------------------------------------------------


def _texts() -> SearchStrategy[str]:
    """UTF-8 with tabs, and octets that are none, as lone surrogates."""
    never_utf8 = st.sampled_from("\udcc0\udcfe\udcff")
    return st.text(
        st.one_of(st.sampled_from(NO_SPACE + " \t"), beyond_ascii(0x80), never_utf8), max_size=20
    )


def _codes() -> SearchStrategy[str]:
    known = ["IN-USE", "LOGIN-DELAY", "AUTH", "SYS/TEMP", "SYS/PERM", "UTF8"]
    levels = st.lists(words(_LEVEL, False, most=8), min_size=1, max_size=3).map("/".join)
    return st.one_of(st.sampled_from(known), levels)


def pop3_responses(*classes: type[R]) -> SearchStrategy[R]:
    """Responses of these classes, or Ok and Err: with and without a response code; an Ok also
    with lines, which may be empty or begin with dots."""
    lines = st.none() | st.lists(st.sampled_from(["", ".", ".."]) | _texts(), max_size=5)
    with_code = _texts(), _codes()
    # Without a code the text must not begin like one.
    plain = st.one_of(_texts().map(lambda text: text.lstrip("[")), _texts().map("[ {}".format))
    without = plain, st.none()
    forms: dict[type[Any], SearchStrategy[Any]] = {
        pop3.Ok: st.one_of(
            st.builds(pop3.Ok, *with_code, lines), st.builds(pop3.Ok, *without, lines)
        ),
        pop3.Err: st.one_of(st.builds(pop3.Err, *with_code), st.builds(pop3.Err, *without)),
    }
    return st.one_of([forms[response] for response in classes or forms])


def _uids() -> SearchStrategy[str]:
    return words(NO_SPACE, False, most=70)


def _octets() -> SearchStrategy[int]:
    return st.one_of(st.integers(0, 2000), st.integers(0, 10**19 - 1))


_LISTINGS: dict[type[Any], Callable[[], SearchStrategy[Any]]] = {
    pop3.MaildropStatus: built(pop3.MaildropStatus, lambda: _numbers(0), _octets),
    pop3.ScanListing: built(pop3.ScanListing, _numbers, _octets),
    pop3.UniqueId: built(pop3.UniqueId, _numbers, _uids),
    pop3.Language: built(
        pop3.Language,
        _tags,
        lambda: _names().filter(str.isprintable) | st.just(""),
    ),
}


def pop3_listings(*classes: type[L]) -> SearchStrategy[L]:
    """What a line of the answers to STAT, LIST, UIDL and LANG tells."""
    return st.one_of([_LISTINGS[listing]() for listing in classes or _LISTINGS])


def pop3_capabilities() -> SearchStrategy[pop3.Capabilities]:
    """What a server could be capable of: known tags and unknown ones, with arguments."""
    known = [
        "USER", "TOP", "UIDL", "PIPELINING", "STLS", "UTF8", "UTF8 USER", "LANG", "RESP-CODES",
        "AUTH-RESP-CODE", "EXPIRE NEVER", "EXPIRE 60 USER", "LOGIN-DELAY 900",
        "IMPLEMENTATION Example-1.0 of 2030",
    ]  # fmt: skip
    names = st.lists(mechanisms(), max_size=3)
    tags = words(NO_SPACE.replace(".", ""), False)
    lines = st.one_of(
        st.sampled_from(known),
        names.map(lambda listed: " ".join(["SASL", *listed])),
        st.builds(
            lambda tag, more: " ".join([tag, *more]),
            tags,
            st.lists(words(NO_SPACE, True).filter(str.isprintable), max_size=3),
        ),
    )
    return st.lists(lines, max_size=6).map(pop3.Capabilities)


def pop3_maildrops(*, max_messages: int = 5) -> SearchStrategy[pop3.Maildrop]:
    """Maildrops of up to `max_messages` messages, none of them deleted."""
    sizes = st.integers(0, 10**10)
    return st.lists(st.tuples(_uids(), sizes), max_size=max_messages).map(pop3.Maildrop)


def pop3_limits() -> SearchStrategy[pop3.Limits]:
    """Limits around the usual ones, and much tighter ones."""
    tight_or_wide = st.one_of(st.integers(300, 3000), st.integers(300, 10**6))
    return st.builds(
        pop3.Limits,
        command_line=st.integers(255, 4096),
        response_line=tight_or_wide,
        list=tight_or_wide,
        short_list=tight_or_wide,
        message=st.none() | tight_or_wide,
        auth_line=tight_or_wide,
        refusals=st.none() | st.integers(0, 100),
        backlog=st.integers(1, 10**6),
        pipeline_octets=st.none() | st.integers(0, 10**5),
    )


# -- events ---------------------------------------------------------------------------------------


def _ascending(values: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    """Values about different messages, in the order of their numbers."""
    return st.lists(values, max_size=3, unique_by=lambda value: value.number).map(sorted)


def _results() -> SearchStrategy[Any]:
    return st.one_of(
        st.none(),
        st.just("<1896.697170952@dbc.mtview.ca.us>"),
        pop3_listings(pop3.MaildropStatus),
        pop3_capabilities(),
        _ascending(_LISTINGS[pop3.ScanListing]()).map(pop3.ScanListings),
        _ascending(_LISTINGS[pop3.UniqueId]()).map(pop3.UniqueIds),
        st.lists(_LISTINGS[pop3.Language](), max_size=3).map(tuple),
        st.lists(mechanisms(), max_size=3).map(tuple),
    )


def pop3_events() -> SearchStrategy[pop3.Event]:
    """What comes out of a POP3 connection: commands, and every event of either role."""
    return st.one_of(
        shared_events(pop3_commands()),
        st.builds(pop3.CommandRefused, st.binary(max_size=20), pop3_responses()),
        st.builds(pop3.ResponseReceived, st.none() | pop3_commands(), pop3_responses(), _results()),
    )
