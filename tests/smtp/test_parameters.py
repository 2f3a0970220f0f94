"""Parameters of MAIL and RCPT (RFC 5321 section 4.1.2)."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, strategies
from smtpproto.smtp import By, Parameters
from smtpproto.smtp._keywords import KEYWORDS
from smtpproto.smtp._parameters import ParameterValue


@pytest.mark.parametrize(
    ("parameters", "wire"),
    [
        (Parameters(), ""),
        (Parameters(size=2048), " SIZE=2048"),
        (Parameters({"SIZE": 0}), " SIZE=0"),
        (Parameters(size=10**20 - 1), " SIZE=99999999999999999999"),
        (Parameters(body="8bitmime"), " BODY=8BITMIME"),
        (Parameters(smtputf8=True), " SMTPUTF8"),
        (Parameters(auth="<>"), " AUTH=<>"),
        (Parameters(auth="e=mc2@example.com"), " AUTH=e+3Dmc2@example.com"),
        (Parameters(x_some_thing="1"), " X-SOME-THING=1"),
        (Parameters({"x-flag": True, "SIZE": 1}), " X-FLAG SIZE=1"),
        (Parameters(x="a\xa0b\u3000"), " X=a\xa0b\u3000"),  # no spaces to RFC 6531
        (Parameters({"A": None}, b=False, c=None), ""),
    ],
)
def test_wire(parameters: Parameters, wire: str) -> None:
    assert str(parameters) == wire
    assert Parameters.parse(wire) == parameters


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("size=1 Body=8bitMime", {"SIZE": 1, "BODY": "8BITMIME"}),
        ("  SIZE=007   SMTPUTF8 ", {"SIZE": 7, "SMTPUTF8": True}),
        ("AUTH=+3C+3e", None),
        ("AUTH=a+40b", {"AUTH": "a@b"}),
        ("X=<a@b>:;,", {"X": "<a@b>:;,"}),
    ],
)
def test_reading(text: str, values: dict[str, ParameterValue] | None) -> None:
    if values is None:  # RFC 3461 section 4: hexadecimal digits are upper case
        with pytest.raises(ValueError, match="AUTH"):
            Parameters.parse(text)
    else:
        assert dict(Parameters.parse(text)) == values


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SIZE", "SIZE: expected a number"), ("SIZE=", "KEYWORD=value"), ("SIZE=x", "SIZE"),
        ("SIZE=-1", "SIZE"), ("SIZE=+1", "SIZE"), ("SIZE=1_0", "SIZE"), ("SIZE=1.0", "SIZE"),
        ("SIZE=\u0661", "SIZE"), ("SIZE=100000000000000000000", "SIZE"), ("BODY", "BODY"),
        ("BODY=9BIT", "BODY"), ("SMTPUTF8=yes", "SMTPUTF8: expected no value"), ("AUTH", "AUTH"),
        ("AUTH=a+b", "AUTH"), ("AUTH=a+80", "AUTH"), ("SIZE=1 size=2", "SIZE is given twice"),
        ("X=1 X=1", "twice"), ("=", "KEYWORD"), ("=x", "KEYWORD"), ("-X=1", "KEYWORD"),
        ("X_Y=1", "KEYWORD"), ("X=a=b", "KEYWORD=value"), ("X=", "KEYWORD=value"),
        ("X=\x7f", "KEYWORD=value"), ("\u017fIZE=1", "KEYWORD"), ("X:Y", "KEYWORD"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Parameters.parse(text)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SIZE", -1), ("SIZE", 10**20), ("SIZE", "12"), ("SIZE", True), ("BODY", "9BIT"),
        ("BODY", 8), ("SMTPUTF8", "yes"), ("AUTH", ""), ("AUTH", "\xe9@b"), ("AUTH", True),
        ("X", ""), ("X", "a b"), ("X", "a=b"), ("X", "a\r\nb"), ("X", "\0"), ("X", "\n"),
        ("X", "\ud800"), ("", "1"), ("A B", "1"), ("A\r\n", "1"), ("A=", "1"),
        ("\xe9", "1"), ("-", "1"), ("X\u017f", "1"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(keyword: str, value: ParameterValue) -> None:
    with pytest.raises(LocalProtocolError):
        Parameters({keyword: value})


def test_the_same_keyword_twice() -> None:
    with pytest.raises(LocalProtocolError, match="SIZE is given twice"):
        Parameters({"SIZE": 1}, size=2)


def test_a_mapping() -> None:
    parameters = Parameters(size=1, smtputf8=True)
    assert parameters["SIZE"] == 1
    assert "SMTPUTF8" in parameters
    assert parameters.get("BODY") is None
    assert list(parameters) == ["SIZE", "SMTPUTF8"]
    assert len(parameters) == 2
    assert parameters
    assert not Parameters()
    assert parameters == Parameters(smtputf8=True, size=1)
    assert hash(parameters) == hash(Parameters(smtputf8=True, size=1))
    assert parameters != {"SIZE": 1, "SMTPUTF8": True}
    with pytest.raises(AttributeError):
        parameters.size = 2
    with pytest.raises(TypeError):
        parameters["SIZE"] = 2  # type: ignore[index]


@given(strategies.smtp_parameters())
def test_round_trip(parameters: Parameters) -> None:
    assert Parameters.parse(str(parameters)) == parameters
    assert Parameters(parameters) == parameters
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    assert copy.deepcopy(parameters) == parameters


@given(st.data(), st.sampled_from(sorted(KEYWORDS)))
def test_the_strategies_know_every_registered_keyword(data: st.DataObject, keyword: str) -> None:
    parameters = data.draw(
        strategies.smtp_parameters(only=(keyword,)).filter(lambda drawn: len(drawn) > 0)
    )
    assert keyword in parameters


@given(strategies.smtp_parameters(only=("HOLDFOR", "HOLDUNTIL", "BY")))
def test_the_strategies_give_what_goes_together(parameters: Parameters) -> None:
    """RFC 4865 sections 4 and 5.2."""
    hold_for, by = parameters.get("HOLDFOR"), parameters.get("BY")
    assert hold_for is None or "HOLDUNTIL" not in parameters
    if isinstance(hold_for, int) and isinstance(by, By):
        assert hold_for <= by.seconds


@given(
    st.dictionaries(
        st.text(max_size=5) | st.sampled_from(sorted(KEYWORDS)),
        st.text(max_size=5) | st.integers() | st.booleans(),
        max_size=3,
    )
)
def test_whatever_builds_is_read_back(values: dict[str, ParameterValue]) -> None:
    try:
        parameters = Parameters(values)
    except LocalProtocolError:
        return
    assert Parameters.parse(str(parameters)) == parameters
    assert not set("\r\n\0") & set(str(parameters))


@given(st.text())
def test_parse_raises_nothing_but_value_error(text: str) -> None:
    try:
        parameters = Parameters.parse(text)
    except ValueError:
        return
    assert Parameters.parse(str(parameters)) == parameters


@pytest.mark.parametrize("word", ["A-" * 6000, "=" * 12000, "A=" + "x" * 12000 + "=", "A " * 6000])
def test_long_ones_end(word: str) -> None:
    try:
        assert len(Parameters.parse(word)) == 1
    except ValueError:
        pass


def test_repr_shows_the_mapping() -> None:
    assert repr(Parameters(size=1, x_flag=True)) == "Parameters({'SIZE': 1, 'X-FLAG': True})"
