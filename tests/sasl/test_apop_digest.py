"""APOP, RFC 1939 section 7."""

import pytest

from smtpproto import LocalProtocolError, sasl


def test_the_example_of_section_7() -> None:
    assert (
        sasl.apop_digest("<1896.697170952@dbc.mtview.ca.us>", "tanstaaf")
        == "c4c9334bac560ecc979e58001b3e22fb"
    )


def test_a_check_in_constant_time_raises_nothing_because_of_the_digest() -> None:
    timestamp = "<1896.697170952@dbc.mtview.ca.us>"
    assert sasl.check_apop(timestamp, "tanstaaf", "c4c9334bac560ecc979e58001b3e22fb")
    for digest in ("c4c9334bac560ecc979e58001b3e22fc", "", "é", "\udcff", "C4C9" * 8):
        assert not sasl.check_apop(timestamp, "tanstaaf", digest)


def test_who_is_not_known_has_made_no_digest() -> None:
    timestamp = "<1896.697170952@dbc.mtview.ca.us>"
    for guess in ("?", "tanstaaf"):
        assert not sasl.check_apop(timestamp, None, sasl.apop_digest(timestamp, guess))
        assert not sasl.check_apop(timestamp, "", sasl.apop_digest(timestamp, guess))


def test_the_secret_is_utf_8() -> None:
    # printf '<1@x>\303\251' | md5sum
    assert sasl.apop_digest("<1@x>", "é") == "ec75271551fe134e05e1cb06f7de690a"


def test_what_cannot_be_digested() -> None:
    with pytest.raises(LocalProtocolError, match="the secret must not be empty"):
        sasl.apop_digest("<1@x>", "")
    with pytest.raises(LocalProtocolError, match="the timestamp must not be empty"):
        sasl.apop_digest("", "tanstaaf")
