"""Strategies for the values of smtpproto.sasl."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from smtpproto import sasl
from smtpproto.sasl._scram import MAX_ITERATIONS, MIN_ITERATIONS
from smtpproto.strategies._shared import NO_SPACE, beyond_ascii, built, line_text, words

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The class asked for, the union of several, or every step by default.
    S = TypeVar("S", bound=sasl.Step, default=sasl.Step)

__all__ = ["sasl_scram_keys", "sasl_steps"]


def _strings() -> SearchStrategy[str]:
    """Strings that a client may send: not empty, and without NUL."""
    return st.text(st.sampled_from("ab \t\r\n,=\x01") | beyond_ascii(), min_size=1, max_size=12)


def _identities() -> SearchStrategy[str | None]:
    return st.none() | _strings()


def _tokens() -> SearchStrategy[str]:
    return words(NO_SPACE, False)


_STEPS: dict[type[Any], Callable[[], SearchStrategy[Any]]] = {
    sasl.Challenge: built(sasl.Challenge, lambda: st.binary(max_size=20)),
    sasl.Lookup: built(sasl.Lookup, _identities, _strings),
    sasl.Credentials: built(sasl.Credentials, _identities, _strings, _strings),
    sasl.Proof: built(
        sasl.Proof,
        _strings,
        lambda: st.builds("<{}@{}>".format, st.integers(0), st.just("mx.example")),
        lambda: st.text("0123456789abcdef", min_size=32, max_size=32),
    ),
    sasl.Token: built(
        sasl.Token,
        _identities,
        _tokens,
        lambda: st.none() | _tokens(),
        lambda: st.none() | st.integers(1, 65535),
    ),
    sasl.Identity: built(sasl.Identity, _identities),
    sasl.Trace: built(sasl.Trace, lambda: st.just("") | line_text()),
    sasl.Success: built(sasl.Success, _strings),
    sasl.Failure: built(sasl.Failure, line_text),
}


def sasl_steps(*classes: type[S]) -> SearchStrategy[S]:
    """Steps of a server's mechanism: of these classes, or of all."""
    return st.one_of([_STEPS[step]() for step in classes or _STEPS])


def sasl_scram_keys() -> SearchStrategy[sasl.ScramKeys]:
    """Stored keys for SHA-1 and for SHA-256; they are random, and no password fits them."""
    return st.one_of(_keys(20), _keys(32))


def _keys(size: int) -> SearchStrategy[sasl.ScramKeys]:
    return st.builds(
        sasl.ScramKeys,
        st.binary(min_size=12, max_size=40),
        st.binary(min_size=size, max_size=size),
        st.binary(min_size=size, max_size=size),
        st.integers(MIN_ITERATIONS, MAX_ITERATIONS),
    )
