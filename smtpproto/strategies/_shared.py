"""What the strategies of both protocols share: words, texts, messages."""

from __future__ import annotations

import string
from collections.abc import Callable, Container
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from smtpproto import events
from smtpproto.events import Event, Request

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
NO_SPACE = PRINTABLE.replace(" ", "")


def beyond_ascii(first: int = 0xA1) -> SearchStrategy[str]:
    """One character that needs UTF-8."""
    return st.characters(min_codepoint=first, exclude_categories=["Cs"])


def letters(alphabet: str, utf8: bool) -> SearchStrategy[str]:
    """One of the alphabet, or with `utf8` one beyond ASCII."""
    of_ascii = st.sampled_from(alphabet)
    return st.one_of(of_ascii, beyond_ascii()) if utf8 else of_ascii


def words(alphabet: str, utf8: bool, *, most: int = 12) -> SearchStrategy[str]:
    """One letter or more."""
    return st.text(letters(alphabet, utf8), min_size=1, max_size=most)


def names_besides(taken: Container[str]) -> SearchStrategy[str]:
    """Verbs and keywords, of letters, digits and "-", that are not `taken`, in any case."""
    return st.builds(
        "{}{}".format,
        st.sampled_from(LETTERS_AND_DIGITS),
        st.text(LETTERS_AND_DIGITS + "-", max_size=8),
    ).filter(lambda name: name.upper() not in taken)


def line_text(min_size: int = 0, *, utf8: bool = False) -> SearchStrategy[str]:
    """Text of a command's argument: anything printable, and spaces inside."""
    return st.text(
        st.one_of(st.sampled_from(PRINTABLE), beyond_ascii()) if utf8 else PRINTABLE,
        min_size=min_size,
        max_size=20,
    )


def mechanisms() -> SearchStrategy[str]:
    """Names of SASL mechanisms."""
    return st.one_of(
        st.sampled_from(["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256-PLUS", "XOAUTH2"]),
        st.text(LETTERS_AND_DIGITS + "-_", min_size=1, max_size=20).filter(
            lambda name: name.strip("-_") != ""
        ),
    )


def messages(*, max_pieces: int = 30) -> SearchStrategy[bytes]:
    """The octets of a message, rich in what has a meaning on some wire: lines that begin with
    dots, CRLF, bare CR and LF, NUL, octets beyond ASCII; not necessarily a message that anybody
    would write.
    """
    pieces = st.sampled_from(
        [b"\r\n", b"\r\n.", b"\r\n.\r\n", b".", b"..", b"\r", b"\n", b"\0", b"a", b"Subject: b\r\n"]
    )
    return st.lists(st.one_of(pieces, st.binary(max_size=5)), max_size=max_pieces).map(b"".join)


def shared_events(requests: SearchStrategy[Request]) -> SearchStrategy[Event]:
    """The events of both protocols, and the `requests` that only one of them has."""
    any_request = st.one_of(
        requests,
        st.builds(events.EndOfMessage),
        st.builds(events.AuthResponse, st.binary(max_size=20)),
    )
    unanswered = st.lists(any_request, max_size=3).map(tuple)
    return st.one_of(
        any_request,
        st.builds(events.MessageData, messages()),
        st.builds(events.AuthChallenge, st.binary(max_size=20)),
        st.builds(events.AuthCancelled),
        st.builds(events.TlsHandshake),
        st.builds(events.ConnectionClosed, st.booleans(), unanswered),
    )


def built(
    value: Callable[..., Any], *arguments: Callable[[], SearchStrategy[Any]]
) -> Callable[[], SearchStrategy[Any]]:
    """A function that gives the strategy of `value`, which is made when it is asked for."""
    return lambda: st.builds(value, *(argument() for argument in arguments))
