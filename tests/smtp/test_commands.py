"""Commands: wire text to value, value to wire text, and what is neither (RFC 5321 section 4.1)."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, smtp, strategies
from smtpproto.errors import Refused
from smtpproto.smtp import Address, Command, Parameters
from smtpproto.smtp._commands import VERBS

BOTH_WAYS: list[tuple[bytes, Command]] = [
    (b"EHLO client.example\r\n", smtp.Ehlo("client.example")),
    (b"EHLO [IPv6:2001:db8::1]\r\n", smtp.Ehlo("[IPv6:2001:db8::1]")),
    (b"EHLO under_score!\r\n", smtp.Ehlo("under_score!")),
    (b"HELO client.example\r\n", smtp.Helo("client.example")),
    (b"LHLO client.example\r\n", smtp.Lhlo("client.example")),
    (b"MAIL FROM:<a@b.example>\r\n", smtp.Mail("a@b.example")),
    (b"MAIL FROM:<>\r\n", smtp.Mail(None)),
    (b"MAIL FROM:<> SIZE=0\r\n", smtp.Mail(None, size=0)),
    (
        b"MAIL FROM:<a@b.example> SIZE=2048 BODY=8BITMIME\r\n",
        smtp.Mail("a@b.example", size=2048, body="8BITMIME"),
    ),
    (b'MAIL FROM:<"a>b c\\""@d> X-Y\r\n', smtp.Mail('"a>b c\\""@d', {"X-Y": True})),
    (
        "MAIL FROM:<ü@bücher.example> SMTPUTF8\r\n".encode(),
        smtp.Mail("ü@bücher.example", smtputf8=True),
    ),
    (b"RCPT TO:<c@[192.0.2.1]>\r\n", smtp.Rcpt("c@[192.0.2.1]")),
    (b"RCPT TO:<Postmaster>\r\n", smtp.Rcpt("Postmaster")),
    (b"RCPT TO:<c@d.example> X-Y=1\r\n", smtp.Rcpt("c@d.example", {"X-Y": "1"})),
    (b"DATA\r\n", smtp.Data()),
    (b"BDAT 0\r\n", smtp.Bdat(0)),
    (b"BDAT 86 LAST\r\n", smtp.Bdat(86, last=True)),
    (b"BURL imap://u@h/x;uid=1 LAST\r\n", smtp.Burl("imap://u@h/x;uid=1", last=True)),
    (b"BURL imap://u@h/x\r\n", smtp.Burl("imap://u@h/x")),
    (b"RSET\r\n", smtp.Rset()),
    (b"NOOP\r\n", smtp.Noop()),
    (b"NOOP two words\r\n", smtp.Noop("two words")),
    (b"QUIT\r\n", smtp.Quit()),
    (b"HELP\r\n", smtp.Help()),
    (b"HELP MAIL\r\n", smtp.Help("MAIL")),
    (b"VRFY Jones\r\n", smtp.Vrfy("Jones")),
    (b"VRFY SMTPUTF8\r\n", smtp.Vrfy("SMTPUTF8")),
    ("VRFY jürgen SMTPUTF8\r\n".encode(), smtp.Vrfy("jürgen", smtputf8=True)),
    (b"EXPN Example-People\r\n", smtp.Expn("Example-People")),
    (b"STARTTLS\r\n", smtp.StartTls()),
    (b"AUTH PLAIN\r\n", smtp.Auth("PLAIN")),
    (b"AUTH PLAIN =\r\n", smtp.Auth("PLAIN", b"")),
    (b"AUTH PLAIN AGEAYg==\r\n", smtp.Auth("PLAIN", b"\0a\0b")),
    (b"ETRN @example.org\r\n", smtp.Etrn("@example.org")),
    (b"ATRN\r\n", smtp.Atrn()),
    (b"ATRN example.org,example.com\r\n", smtp.Atrn(["example.org", "example.com"])),
    (b"TURN\r\n", smtp.Turn()),
    (b"SEND FROM:<a@b>\r\n", smtp.SendMail("a@b")),
    (b"SOML FROM:<a@b>\r\n", smtp.SendOrMail("a@b")),
    (b"SAML FROM:<>\r\n", smtp.SendAndMail(None)),
    (b"XCLIENT NAME=x ADDR=y\r\n", smtp.Extended("XCLIENT", "NAME=x ADDR=y")),
    (b"VERB\r\n", smtp.Extended("VERB")),
]


@pytest.mark.parametrize(("wire", "command"), BOTH_WAYS)
def test_both_ways(wire: bytes, command: Command) -> None:
    assert bytes(command) == wire
    assert Command.parse(wire) == command
    assert Command.parse(wire.removesuffix(b"\r\n")) == command
    assert type(Command.parse(wire)) is type(command)


def test_every_verb_stands_in_the_table() -> None:
    assert set(VERBS) <= {wire.split()[0].decode() for wire, _ in BOTH_WAYS}


LENIENTLY: list[tuple[bytes, Command]] = [
    (b"ehlo Client.Example", smtp.Ehlo("Client.Example")),
    (b"  EHLO   c  ", smtp.Ehlo("c")),
    ("EHLO bücher".encode(), smtp.Ehlo("bücher")),
    (b"mail from:<a@b>", smtp.Mail("a@b")),
    (b"MAIL  From:  <a@b>  ", smtp.Mail("a@b")),
    (b"MAIL FROM: <a@b>   SIZE=1   BODY=7bit  ", smtp.Mail("a@b", size=1, body="7BIT")),
    (b"MAIL FROM:a@b", smtp.Mail("a@b")),
    (b"MAIL FROM: a@b size=1", smtp.Mail("a@b", size=1)),
    (b"MAIL FROM: <>", smtp.Mail(None)),
    (b"MAIL FROM:<@x.example:a@b>", smtp.Mail("a@b")),
    (b"MAIL FROM:<@x.example,@y.example:a@b> SIZE=1", smtp.Mail("a@b", size=1)),
    (b"rcpt to:c@d", smtp.Rcpt("c@d")),
    (b"RCPT TO: <c@d> ", smtp.Rcpt("c@d")),
    (b"RCPT TO:<@x:c@d>", smtp.Rcpt("c@d")),
    (b"RCPT TO:<postMASTER>", smtp.Rcpt("Postmaster")),
    (b"RCPT TO:Postmaster", smtp.Rcpt("Postmaster")),
    (b"data ", smtp.Data()),
    (b"Quit", smtp.Quit()),
    (b"bdat  007   last", smtp.Bdat(7, True)),
    (b"burl x last", smtp.Burl("x", True)),
    (b"noop  ", smtp.Noop()),
    (b"auth plain AGEAYg==", smtp.Auth("PLAIN", b"\0a\0b")),
    (b"ATRN a , b", smtp.Atrn(["a", "b"])),
    (b"vrfy  a b  smtputf8", smtp.Vrfy("a b", True)),
    (b"xyz-1  a  b ", smtp.Extended("XYZ-1", "a  b")),
    (b"send from:<a@b>", smtp.SendMail("a@b")),
    (b"NOOP a\tb", smtp.Noop("a b")),
    (b"EHLO\tc", smtp.Ehlo("c")),
    (b"MAIL\tFROM:<a@b>\tSIZE=1", smtp.Mail("a@b", size=1)),
    (b'RCPT\tTO:<"a b"@c> \t\r\n', smtp.Rcpt('"a b"@c')),
]


@pytest.mark.parametrize(("wire", "command"), LENIENTLY)
def test_what_people_and_old_clients_send(wire: bytes, command: Command) -> None:
    assert Command.parse(wire) == command


SYNTAX, ARGUMENT, FROM, TO, BASE64 = "500 5.5.2", "501 5.5.4", "501 5.1.7", "501 5.1.3", "501 5.5.2"


@pytest.mark.parametrize(
    ("wire", "refusal"),
    [
        (b"", SYNTAX), (b"\r\n", SYNTAX), (b" ", SYNTAX), (b"-X", SYNTAX), (b"X_Y", SYNTAX),
        (b"\xff", SYNTAX), (b"NOOP \xe9", SYNTAX), (b"NOOP a\rb", SYNTAX), (b"NOOP a\nb", SYNTAX),
        (b"NOOP\0", SYNTAX), (b"NOOP \x1b", SYNTAX), (b"NOOP\r\nQUIT\r\n", SYNTAX),
        (b"NOOP\n", SYNTAX), (b"<a@b>", SYNTAX), (b"MAILFROM:<a@b>", SYNTAX),
        (b"NOOP \x7f", SYNTAX), (b'MAIL FROM:<"a\tb"@c>', SYNTAX),
        (b'RCPT TO:<"a\\\tb"@c>', SYNTAX),
        (b"NOOP \xed\xa0\x80", SYNTAX), ("\u017fEND FROM:<a@b>".encode(), SYNTAX),
        ("DÄTA".encode(), SYNTAX),
        (b"EHLO", ARGUMENT), (b"EHLO a b", ARGUMENT), (b"HELO ", ARGUMENT), (b"LHLO", ARGUMENT),
        (b"MAIL", ARGUMENT), (b"MAIL <a@b>", ARGUMENT), (b"MAIL FROM", ARGUMENT),
        (b"MAIL FROM:", ARGUMENT), (b"MAIL TO:<a@b>", ARGUMENT), (b"MAIL FROM <a@b>", ARGUMENT),
        (b"MAIL FROM:<a@b> SIZE", ARGUMENT), (b"MAIL FROM:<a@b> SIZE=x", ARGUMENT),
        (b"MAIL FROM:<a@b> =", ARGUMENT), (b"MAIL FROM:<a@b> SIZE=1 SIZE=1", ARGUMENT),
        (b"MAIL FROM:<a@b> BODY=X", ARGUMENT), (b"MAIL FROM:<a@b> -", ARGUMENT),
        (b"MAIL FROM:<a>", FROM), (b"MAIL FROM:<a@>", FROM), (b"MAIL FROM:<@b>", FROM),
        (b"MAIL FROM:<a@b", FROM), (b"MAIL FROM:a@b>", FROM), (b"MAIL FROM:<a@b>X", FROM),
        (b"MAIL FROM:<a b@c>", FROM), (b"MAIL FROM:<<a@b>>", FROM), (b"MAIL FROM:< a@b >", FROM),
        (b"MAIL FROM:<Postmaster>", FROM), (b"MAIL FROM:<@x:>", FROM),
        (b"MAIL FROM:<a@b>SIZE=1", FROM),
        (b"MAIL FROM:<@x,y:a@b>", FROM), (b"MAIL FROM:<a@[1.2.3]>", FROM),
        (b"MAIL FROM:user", FROM),
        (b'MAIL FROM:<"a@b>', FROM), (b"MAIL FROM:<a..b@c>", FROM), (b"MAIL FROM:\"\"", FROM),
        (b"RCPT", ARGUMENT), (b"RCPT TO:", ARGUMENT), (b"RCPT FROM:<a@b>", ARGUMENT),
        (b"RCPT TO:<a@b> X=", ARGUMENT), (b"RCPT TO:<>", TO), (b"RCPT TO:<a>", TO),
        (b"RCPT TO:<a@b.>", TO), (b"RCPT TO:<@x:Postmaster@>", TO), (b"RCPT TO:<a@b,c@d>", TO),
        (b"DATA x", ARGUMENT), (b"RSET x", ARGUMENT), (b"QUIT x", ARGUMENT),
        (b"STARTTLS x", ARGUMENT),
        (b"TURN x", ARGUMENT),
        (b"BDAT", ARGUMENT), (b"BDAT x", ARGUMENT), (b"BDAT -1", ARGUMENT),
        (b"BDAT 1 FIRST", ARGUMENT),
        (b"BDAT 1LAST", ARGUMENT), (b"BDAT LAST", ARGUMENT), (b"BDAT 1 LAST x", ARGUMENT),
        (b"BDAT 100000000000000000000000", ARGUMENT), ("BDAT \u0661".encode(), ARGUMENT),
        ("BDAT 1 LA\u017fT".encode(), ARGUMENT), (b"BDAT 0x10", ARGUMENT), (b"BDAT 1_0", ARGUMENT),
        (b"BURL", ARGUMENT), (b"BURL x y", ARGUMENT), (b"BURL x LAST y", ARGUMENT),
        (b"VRFY", ARGUMENT), (b"EXPN ", ARGUMENT), (b"VRFY a SMTPUTF8 SMTPUTF8", ARGUMENT),
        (b"AUTH", ARGUMENT), (b"AUTH PL?IN", ARGUMENT), (b"AUTH " + b"X" * 21, ARGUMENT),
        (b"AUTH PLAIN !", BASE64), (b"AUTH PLAIN AGEAYg", BASE64), (b"AUTH PLAIN AGEAYh==", BASE64),
        (b"AUTH PLAIN AGEA Yg==", BASE64), (b"AUTH PLAIN ==", BASE64), (b"AUTH PLAIN *", BASE64),
        (b"ETRN", ARGUMENT), (b"ETRN a b", ARGUMENT), (b"ATRN a b", ARGUMENT),
        (b"ATRN a,", ARGUMENT),
        (b"ATRN -", ARGUMENT), (b"SEND FROM:<a@b> SIZE=1", ARGUMENT), (b"SAML FROM:<a>", FROM),
        (b"SOML TO:<a@b>", ARGUMENT),
    ],
)  # fmt: skip
def test_what_is_refused(wire: bytes, refusal: str) -> None:
    with pytest.raises(Refused) as caught:
        Command.parse(wire)
    assert f"{caught.value.code} {caught.value.status}" == refusal


@given(strategies.smtp_commands())
def test_round_trip(command: Command) -> None:
    wire = bytes(command)
    read = Command.parse(wire)
    assert read == command
    assert hash(read) == hash(command)
    assert bytes(read) == wire
    assert wire.endswith(b"\r\n")
    assert not set(b"\r\n\0") & set(wire[:-2])


@given(strategies.smtp_commands(), st.sampled_from([bytes.lower, bytes.upper, bytes.title]))
def test_the_verb_has_no_case(command: Command, change: Callable[[bytes], bytes]) -> None:
    verb, space, argument = bytes(command).removesuffix(b"\r\n").partition(b" ")
    assert Command.parse(change(verb) + space + argument) == command


@given(
    st.one_of(
        st.binary(),
        st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.tuples(st.sampled_from([f"{verb} ".encode() for verb in VERBS]), st.binary()).map(
            b"".join
        ),
        st.tuples(
            st.sampled_from([b"MAIL FROM:", b"RCPT TO:", b"SEND FROM:", b"VRFY ", b"AUTH X "]),
            st.text('<>@"\\ :,=[]+.a1\t\u00e9-'),
        ).map(lambda pair: pair[0] + pair[1].encode()),
    )
)
def test_no_line_raises_anything_else(line: bytes) -> None:
    """And what can be read can be written, and is then read as the same."""
    with contextlib.suppress(Refused):
        command = Command.parse(line)
        assert Command.parse(bytes(command)) == command


# -- injection ------------------------------------------------------------------------------------

TEXT_ARGUMENTS: dict[str, Callable[[str], Command]] = {
    "Ehlo.domain": smtp.Ehlo,
    "Helo.domain": smtp.Helo,
    "Lhlo.domain": smtp.Lhlo,
    "Mail.reverse_path": smtp.Mail,
    "Mail.parameters": lambda text: smtp.Mail(None, {"X": text}),
    "Mail.parameters (keyword)": lambda text: smtp.Mail(None, {text: True}),
    "Mail.parameters (BODY)": lambda text: smtp.Mail(None, body=text),
    "Mail.parameters (SIZE)": lambda text: smtp.Mail(None, {"SIZE": text}),
    "Rcpt.forward_path": smtp.Rcpt,
    "Rcpt.parameters": lambda text: smtp.Rcpt("a@b", {"X": text}),
    "Rcpt.parameters (keyword)": lambda text: smtp.Rcpt("a@b", {text: True}),
    "Burl.url": smtp.Burl,
    "Noop.argument": smtp.Noop,
    "Help.argument": smtp.Help,
    "Vrfy.argument": smtp.Vrfy,
    "Expn.argument": smtp.Expn,
    "Auth.mechanism": smtp.Auth,
    "Etrn.argument": smtp.Etrn,
    "Atrn.domains": smtp.Atrn,
    "Atrn.domains (of several)": lambda text: smtp.Atrn(["a", text]),
    "SendMail.reverse_path": smtp.SendMail,
    "SendOrMail.reverse_path": smtp.SendOrMail,
    "SendAndMail.reverse_path": smtp.SendAndMail,
    "Extended.verb": smtp.Extended,
    "Extended.argument": lambda text: smtp.Extended("XCLIENT", text),
}

NO_TEXT = {"Bdat.size", "Bdat.last", "Burl.last", "Vrfy.smtputf8", "Expn.smtputf8",
           "Auth.initial_response", "Raw.octets", "Raw.replies"}  # fmt: skip


def test_the_table_names_every_argument() -> None:
    named = {name.split()[0] for name in TEXT_ARGUMENTS} | NO_TEXT
    for command in (*VERBS.values(), smtp.Extended, smtp.Raw):
        for argument in inspect.signature(command).parameters.values():
            if argument.kind is not inspect.Parameter.VAR_KEYWORD:
                assert f"{command.__name__}.{argument.name}" in named


@pytest.mark.parametrize("argument", TEXT_ARGUMENTS)
@pytest.mark.parametrize(
    "text",
    [
        "a\r\nRSET",
        "a\r",
        "a\n",
        "\r\n",
        "\n",
        "a\0",
        "\0",
        "a@b\r\nDATA",
        "a@b>\r\n",
        '"a\r\nb"@c',
        " \r\n ",
    ],
)
def test_no_line_break_and_no_nul_gets_into_a_command(argument: str, text: str) -> None:
    with pytest.raises(LocalProtocolError):
        TEXT_ARGUMENTS[argument](text)


@pytest.mark.parametrize("argument", TEXT_ARGUMENTS)
@given(text=st.text() | st.text('\r\n\0\x0b\x0c\x1c\x85\u2028\u2029 \t<>@a.",=:\ud800\u0131\u017f'))
def test_whatever_builds_is_exactly_one_line(argument: str, text: str) -> None:
    with contextlib.suppress(LocalProtocolError):
        command = TEXT_ARGUMENTS[argument](text)
        assert not set("\r\n\0") & set(text)
        wire = bytes(command)
        assert wire.endswith(b"\r\n")
        assert not set(b"\r\n\0") & set(wire[:-2])
        assert Command.parse(wire) == command


@given(st.binary())
def test_a_response_in_base64_is_no_injection(octets: bytes) -> None:
    wire = bytes(smtp.Auth("PLAIN", octets))
    assert wire.endswith(b"\r\n")
    assert wire[:-2].isascii()
    assert b"\n" not in wire[:-2]
    read = Command.parse(wire)
    assert isinstance(read, smtp.Auth)
    assert read.initial_response == octets


@pytest.mark.parametrize(
    "build",
    [
        lambda: smtp.Bdat(-1), lambda: smtp.Bdat(10**20), lambda: smtp.Raw(b"", -1),
        lambda: smtp.Extended("MAIL"), lambda: smtp.Extended("mail"), lambda: smtp.Extended(""),
        lambda: smtp.Extended("A B"), lambda: smtp.Ehlo(""), lambda: smtp.Ehlo("a b"),
        lambda: smtp.Vrfy(""), lambda: smtp.Vrfy(" "), lambda: smtp.Vrfy("a SMTPUTF8"),
        lambda: smtp.Mail("Postmaster"), lambda: smtp.Mail("a"), lambda: smtp.Mail(""),
        lambda: smtp.Mail("<a@b>"),
        lambda: smtp.Rcpt(""), lambda: smtp.Rcpt("<>"), lambda: smtp.SendMail("Postmaster"),
        lambda: smtp.Auth(""), lambda: smtp.Auth("A" * 21), lambda: smtp.Etrn(""),
        lambda: smtp.Etrn("a b"), lambda: smtp.Burl("a b"), lambda: smtp.Atrn(["a,b"]),
        lambda: smtp.Atrn([""]), lambda: smtp.Mail("a@b", {"SIZE": 1}, size=2),
    ],
)  # fmt: skip
def test_what_cannot_be_built(build: Callable[[], Command]) -> None:
    with pytest.raises(LocalProtocolError):
        build()


# -- arguments ------------------------------------------------------------------------------------


def test_an_address_or_its_text() -> None:
    assert smtp.Mail(Address("a@b")) == smtp.Mail("a@b")
    assert smtp.Rcpt(Address("a@b")) == smtp.Rcpt("a@b")
    assert smtp.Mail("a@b").reverse_path == Address("a@b")


def test_parameters_as_mapping_or_as_keywords() -> None:
    assert smtp.Mail("a@b", {"SIZE": 1}) == smtp.Mail("a@b", size=1)
    assert smtp.Mail("a@b", Parameters(size=1)) == smtp.Mail("a@b", size=1)
    assert smtp.Mail("a@b", {"X": "y"}, size=1) == smtp.Mail("a@b", {"X": "y", "SIZE": 1})
    assert smtp.Mail("a@b", size=None) == smtp.Mail("a@b")


def test_pattern_matching() -> None:
    match Command.parse(b"MAIL FROM:<a@b> SIZE=1"):
        case smtp.Mail(Address("a", "b"), {"SIZE": size}):
            assert size == 1
        case _:
            raise AssertionError
    match Command.parse(b"BDAT 3 LAST"):
        case smtp.Bdat(size, last):
            assert (size, last) == (3, True)
    match Command.parse(b"XCLIENT a"):
        case smtp.Extended("XCLIENT", argument):
            assert argument == "a"
        case _:
            raise AssertionError


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (
            smtp.Auth("PLAIN", b"\0tim\0s3cret"),
            "Auth(mechanism='PLAIN', initial_response=REDACTED)",
        ),
        (smtp.Auth("PLAIN"), "Auth(mechanism='PLAIN', initial_response=None)"),
        (smtp.Ehlo("c"), "Ehlo(domain='c')"),
        (smtp.Data(), "Data()"),
        (smtp.Bdat(3, True), "Bdat(size=3, last=True)"),
    ],
)
def test_repr(command: Command, shown: str) -> None:
    assert repr(command) == shown


@pytest.mark.parametrize("response", [b"s3cret", b"\0tim\0s3cret"])
def test_no_error_tells_a_secret(response: bytes) -> None:
    """The base64 of it neither."""
    line = bytes(smtp.Auth("PLAIN", response)).removesuffix(b"\r\n")
    with pytest.raises(Refused) as caught:
        Command.parse(line + b"!")
    told = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
    assert line.split()[-1].decode()[:4] not in told


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<" + b"a." * 6000 + b">", b"MAIL FROM:<" + b'"' * 12000,
        b"MAIL FROM:" + b"<" * 12000,
        b'MAIL FROM:<"' + b"\\a" * 6000, b"MAIL FROM:<" + b'"a"' * 4000 + b"@b",
        b"MAIL FROM:<" + b"@a," * 4000 + b"b>", b"MAIL FROM:<@" + b"a." * 6000 + b":b@c",
        b"MAIL FROM:<a@" + b"b-" * 6000 + b">", b"MAIL FROM:<a@b>" + b" A" * 6000 + b" =",
        b"RCPT TO:" + b" " * 12000 + b"<a", b"RCPT TO:<a@[" + b"1." * 6000, b"BDAT " + b"1" * 12000,
        b"BDAT 1" + b" " * 12000 + b"x", b"BURL " + b"x " * 6000, b"ATRN " + b"a." * 6000 + b"-",
        b"ATRN " + b"a-" * 6000, b"AUTH X " + b"A" * 12001, b"X" * 12000 + b"_",
        b"EHLO " + b"a b" * 4000,
        b"VRFY " + b" SMTPUTF8" * 1300,
    ],
)  # fmt: skip
def test_long_lines_end(line: bytes) -> None:
    """A regular expression that backtracks would never come back."""
    with pytest.raises(Refused):
        Command.parse(line)
