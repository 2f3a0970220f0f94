"""EHLO keywords: what a server writes, what a client reads (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpproto import LocalProtocolError, smtp, strategies
from smtpproto.smtp import Capabilities, Extension, Reply, ext
from smtpproto.smtp._capabilities import ClientService

CLASSES: list[type[Extension]] = [
    value
    for name, value in vars(ext).items()
    if not name.startswith("_") and isinstance(value, type)
]


LIMITS = "LIMITS MAILMAX=5 RCPTMAX=100 RCPTDOMAINMAX=1 XMAX=7 XFLAG"


@pytest.mark.parametrize(
    ("extension", "line"),
    [
        (ext.Pipelining(), "PIPELINING"),
        (ext.Size(), "SIZE"),
        (ext.Size(0), "SIZE 0"),
        (ext.Size(10_000_000), "SIZE 10000000"),
        (ext.EightBitMime(), "8BITMIME"),
        (ext.BinaryMime(), "BINARYMIME"),
        (ext.Chunking(), "CHUNKING"),
        (ext.EnhancedStatusCodes(), "ENHANCEDSTATUSCODES"),
        (ext.StartTls(), "STARTTLS"),
        (ext.Auth("plain", "SCRAM-SHA-256"), "AUTH PLAIN SCRAM-SHA-256"),
        (ext.SmtpUtf8(), "SMTPUTF8"),
        (ext.Dsn(), "DSN"),
        (ext.Help(), "HELP"),
        (ext.Vrfy(), "VRFY"),
        (ext.Expn(), "EXPN"),
        (ext.Etrn(), "ETRN"),
        (ext.Atrn(), "ATRN"),
        (ext.Burl("imap"), "BURL imap"),
        (ext.Turn(), "TURN"),
        (ext.Send(), "SEND"),
        (ext.Soml(), "SOML"),
        (ext.Saml(), "SAML"),
        (ext.RequireTls(), "REQUIRETLS"),
        (ext.DeliverBy(), "DELIVERBY"),
        (ext.DeliverBy(240), "DELIVERBY 240"),
        (ext.DeliverBy(0, "x", "y=1"), "DELIVERBY 0,x,y=1"),
        (ext.DeliverBy(None, "x"), "DELIVERBY ,x"),
        (ext.FutureRelease(), "FUTURERELEASE 999999999 9999-12-31T23:59:59Z"),
        (
            ext.FutureRelease(3600, datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
            "FUTURERELEASE 3600 2030-01-02T03:04:05Z",
        ),
        (ext.MtPriority(), "MT-PRIORITY"),
        (ext.MtPriority("MIXER"), "MT-PRIORITY MIXER"),
        (ext.Mtrk(), "MTRK"),
        (ext.Rrvs(), "RRVS"),
        (ext.Limits(), "LIMITS"),
        (ext.Limits(5, 100, 1, ["XMAX=7", "XFLAG"]), LIMITS),
        (ext.Limits(rcptmax=100), "LIMITS RCPTMAX=100"),
        (ext.NoSoliciting(), "NO-SOLICITING"),
        (
            ext.NoSoliciting("net.example:ADV", "org.example:ADV:ADLT"),
            "NO-SOLICITING net.example:ADV,org.example:ADV:ADLT",
        ),
        (ext.Conperm(), "CONPERM"),
        (ext.Conneg(), "CONNEG"),
        (ext.Checkpoint(), "CHECKPOINT"),
        (ext.Submitter(), "SUBMITTER"),
        (ext.Verb("verb"), "VERB"),
        (ext.Unknown("x-thing", "a=1", "b"), "X-THING a=1 b"),
    ],
)
def test_line(extension: Extension, line: str) -> None:
    assert str(extension) == line
    (read,) = Capabilities.parse(Reply(250, "mx.example", line))
    assert read == extension


def test_verb() -> None:
    """On the wire a verb is like any keyword: only a few are known to be one."""
    assert str(ext.Verb("xclient", "NAME", "ADDR")) == "XCLIENT NAME ADDR"
    assert str(ext.Verb("xfoo")) == "XFOO"


@pytest.mark.parametrize(
    "extension", [one for one in CLASSES if one not in (ext.Unknown, ext.Verb)]
)
def test_each_can_be_built_without_arguments(extension: type[Extension]) -> None:
    assert str(extension()).split()[0] == extension.keyword


def test_the_namespace_holds_nothing_else() -> None:
    assert all(issubclass(one, Extension) for one in CLASSES)
    public = [name for name in vars(ext) if not name.startswith("_") and name != "annotations"]
    assert len(public) == len(CLASSES)


@pytest.mark.parametrize(
    ("lines", "extensions"),
    [
        (["size 1000", "pipelining"], [ext.Size(1000), ext.Pipelining()]),
        (["SIZE  1000 ", "8BITMIME "], [ext.Size(1000), ext.EightBitMime()]),
        (["SIZE x"], [ext.Size()]),
        (["SIZE 10M"], [ext.Size()]),
        (["SIZE 1 2"], [ext.Size()]),
        (["SIZE 100000000000000000000"], [ext.Size()]),
        (["AUTH=PLAIN LOGIN"], [ext.Auth("PLAIN", "LOGIN")]),
        (["AUTH=LOGIN", "AUTH PLAIN"], [ext.Auth("PLAIN")]),
        (["AUTH PLAIN", "AUTH=LOGIN"], [ext.Auth("PLAIN")]),
        (["auth= login"], [ext.Auth("LOGIN")]),
        (["AUTH"], [ext.Auth()]),
        (["AUTH ?"], [ext.Unknown("AUTH", "?")]),
        (["AUTH PLAIN ? THIS-NAME-IS-FAR-TOO-LONG login"], [ext.Auth("PLAIN", "LOGIN")]),
        (["PIPELINING", "SIZE 1", "SIZE 2"], [ext.Pipelining(), ext.Size(1)]),
        (["", "HELP"], [ext.Help()]),
        (["X-\udce9", "HELP"], [ext.Help()]),
        (["X y\udce9 z"], [ext.Unknown("X", "z")]),
        (["DSN extra"], [ext.Dsn()]),
        (["BURL ö imap"], [ext.Burl("imap")]),
        (["XCLIENT NAME ö"], [ext.Verb("XCLIENT", "NAME")]),
        (["DELIVERBY x"], [ext.Unknown("DELIVERBY", "x")]),
        (["DELIVERBY 1 2"], [ext.Unknown("DELIVERBY", "1", "2")]),
        (["DELIVERBY 1,"], [ext.Unknown("DELIVERBY", "1,")]),
        (["DELIVERBY 1234567890"], [ext.Unknown("DELIVERBY", "1234567890")]),
        (["FUTURERELEASE"], [ext.Unknown("FUTURERELEASE")]),
        (["FUTURERELEASE 60 soon"], [ext.Unknown("FUTURERELEASE", "60", "soon")]),
        (
            ["FUTURERELEASE 0 2030-01-01T00:00:00Z"],
            [ext.Unknown("FUTURERELEASE", "0", "2030-01-01T00:00:00Z")],
        ),
        (["MT-PRIORITY STANAG4406 extra"], [ext.MtPriority("STANAG4406")]),
        (["NO-SOLICITING 1"], [ext.Unknown("NO-SOLICITING", "1")]),
        # A limit that cannot be read is passed over, and the first of two counts.
        (["LIMITS MAILMAX=0 RCPTMAX RCPTDOMAINMAX=1234567"], [ext.Limits()]),
        (["limits rcptmax=007 RCPTMAX=8 mailmax=x"], [ext.Limits(rcptmax=7)]),
        (["XCLIENT NAME"], [ext.Verb("XCLIENT", "NAME")]),
        (["VERB"], [ext.Verb("VERB")]),
        (["XLOOP NAME"], [ext.Unknown("XLOOP", "NAME")]),
    ],
)
def test_what_servers_write(lines: list[str], extensions: list[Extension]) -> None:
    assert list(Capabilities.parse(Reply(250, "mx.example", *lines))) == extensions


def test_the_first_line_offers_nothing() -> None:
    assert len(Capabilities.parse(Reply(250, "SIZE 1000"))) == 0


@pytest.mark.parametrize(
    "words", [[""], ["a b"], ["a\r\nb"], ["\0"], ["\n"], ["a", ""], ["a", "b c"], ["a", "\xe9"]]
)
def test_words_that_cannot_stand_in_the_answer(words: list[str]) -> None:
    for extension in (ext.Unknown, ext.Verb):
        with pytest.raises(LocalProtocolError):
            extension(*words)
    with pytest.raises(LocalProtocolError):
        ext.Burl(*words)
    with pytest.raises(LocalProtocolError):
        ext.Auth(*words)


@pytest.mark.parametrize(
    ("extension", "arguments"),
    [
        (ext.Size, (-1,)), (ext.Size, (10**20,)), (ext.Size, (True,)),
        (ext.DeliverBy, (-1,)), (ext.DeliverBy, (10**9,)), (ext.DeliverBy, (True,)),
        (ext.DeliverBy, (1, "a b")), (ext.DeliverBy, (1, "a,b")), (ext.DeliverBy, (1, "")),
        (ext.FutureRelease, (0,)), (ext.FutureRelease, (10**9,)), (ext.FutureRelease, ("60",)),
        (ext.FutureRelease, (60, "2030-01-01T00:00:00Z")),
        (ext.FutureRelease, (60, datetime(2030, 1, 1))),
        (ext.MtPriority, ("",)), (ext.MtPriority, ("a b",)), (ext.MtPriority, ("a\r\n",)),
        (ext.Limits, (0,)), (ext.Limits, (None, 10**6)), (ext.Limits, (None, None, -1)),
        (ext.Limits, (True,)), (ext.Limits, (1, 2, 3, ["a b"])),
        (ext.Limits, (1, 2, 3, ["rcptmax=5"])), (ext.Limits, (1, 2, 3, ["MAILMAX"])),
        (ext.NoSoliciting, ("1",)), (ext.NoSoliciting, ("a", "")),
        (ext.NoSoliciting, ("a" * 1001,)),
        (ext.NoSoliciting, ("a,b",)), (ext.Auth, ("X" * 21,)), (ext.Auth, ("\u017fASL",)),
        (ext.Verb, ("AUTH",)), (ext.Verb, ("mail",)), (ext.Verb, ("a=b",)), (ext.Verb, ("\u0131",)),
    ],
)  # fmt: skip
def test_arguments_that_are_none(extension: type[Extension], arguments: tuple[Any, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        extension(*arguments)


@pytest.mark.parametrize(
    ("extensions", "missing"),
    [
        ([ext.BinaryMime()], "CHUNKING"),
        ([ext.Pipelining(), ext.SmtpUtf8()], "8BITMIME"),
        ([ext.Chunking(), ext.Burl("imap")], "8BITMIME"),
    ],
)
def test_what_an_extension_needs(extensions: list[Extension], missing: str) -> None:
    """RFC 3030 section 3, RFC 6531 section 3.1, RFC 4468 section 4."""
    with pytest.raises(LocalProtocolError, match=f"must offer {missing}"):
        smtp.ServerConnection("mx.example", extensions=extensions)
    conn = smtp.ServerConnection("mx.example")
    with pytest.raises(LocalProtocolError, match=f"must offer {missing}"):
        conn.extensions = extensions
    assert conn.extensions == ()


class TestAuth:
    def test_mechanisms_that_reveal_the_secret_are_shown_under_tls_only(self) -> None:
        auth = ext.Auth("PLAIN", "CRAM-MD5", "LOGIN")
        assert str(auth.shown(tls=True)) == "AUTH PLAIN CRAM-MD5 LOGIN"
        assert str(auth.shown(tls=False)) == "AUTH CRAM-MD5"
        assert ext.Auth("PLAIN").shown(tls=False) is None

    def test_unless_the_server_says_otherwise(self) -> None:
        auth = ext.Auth("PLAIN", plaintext_without_tls=True)
        assert str(auth.shown(tls=False)) == "AUTH PLAIN"

    @pytest.mark.parametrize("lax_first", [True, False])
    def test_one_server_does_not_decide_for_another(self, lax_first: bool) -> None:
        """What is equal on the wire need not be the same policy."""
        answers = {}
        for lax in (lax_first, not lax_first):
            server = smtp.ServerConnection(
                "mx.example", extensions=[ext.Auth("PLAIN", plaintext_without_tls=lax)]
            )
            server.accept()
            server.receive_data(b"EHLO c\r\n")
            server.next_event()
            server.accept("hello")
            answers[lax] = server.data_to_send().partition(b"\r\n")[2]
        assert answers == {
            True: b"250-mx.example hello\r\n250 AUTH PLAIN\r\n",
            False: b"250 mx.example hello\r\n",
        }


def test_starttls_is_not_shown_under_tls() -> None:
    assert ext.StartTls().shown(tls=True) is None
    assert ext.StartTls().shown(tls=False) == ext.StartTls()


class TestCapabilities:
    OFFERED = Capabilities.parse(
        Reply(250, "mx.example", "PIPELINING", "SIZE 1000", "AUTH PLAIN LOGIN", "X-THING y")
    )

    def test_asking(self) -> None:
        offered = self.OFFERED
        assert "pipelining" in offered
        assert "CHUNKING" not in offered
        assert offered["Size"] == ext.Size(1000)
        assert offered["x-thing"] == ext.Unknown("X-THING", "y")
        assert len(offered) == 4
        assert offered.size == 1000
        assert offered.auth == ("PLAIN", "LOGIN")
        with pytest.raises(KeyError):
            offered["CHUNKING"]

    @pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE x", "HELP"])
    def test_no_size_is_known(self, line: str) -> None:
        assert Capabilities.parse(Reply(250, "mx.example", line)).size is None

    def test_limits(self) -> None:
        offered = Capabilities.parse(Reply(250, "mx.example", "LIMITS RCPTMAX=5"))
        assert offered.limits.rcptmax == 5
        assert offered.limits.mailmax is None
        assert self.OFFERED.limits == ext.Limits()

    def test_none(self) -> None:
        assert Capabilities().auth == ()
        assert Capabilities().size is None
        assert list(Capabilities()) == []

    def test_a_proxy_can_offer_what_it_was_offered(self) -> None:
        server = smtp.ServerConnection("proxy.example", extensions=self.OFFERED, tls=True)
        server.accept()
        server.receive_data(b"EHLO c\r\n")
        server.next_event()
        server.accept("hello")
        assert server.data_to_send().endswith(
            b"250-proxy.example hello\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
            b"250-AUTH PLAIN LOGIN\r\n250 X-THING y\r\n"
        )

    @pytest.mark.parametrize("line", ["X_ODD", "-X", "X-ÄÖ 1", "HELLO, there", "X-THING a ö"])
    def test_what_no_server_may_write_is_read_and_offered_by_a_proxy(self, line: str) -> None:
        offered = Capabilities.parse(Reply(250, "mx.example", line))
        (extension,) = offered
        assert isinstance(extension, ext.Unknown)
        assert str(extension) == line
        with pytest.raises(LocalProtocolError, match=r"no EHLO keyword|printable ASCII"):
            ext.Unknown(*line.split(" "))
        server = smtp.ServerConnection("proxy.example", extensions=offered)
        server.accept()
        server.receive_data(b"EHLO client.example\r\n")
        assert server.next_event() == smtp.Ehlo("client.example")
        server.data_to_send()
        server.accept()
        assert server.data_to_send().endswith(f"\r\n250 {line}\r\n".encode())

    def test_of_what_it_was_offered_a_proxy_leaves_out_what_lacks_something(self) -> None:
        """RFC 6531 section 3.1: no SMTPUTF8 without 8BITMIME."""
        offered = Capabilities.parse(Reply(250, "mx.example", "SMTPUTF8", "BINARYMIME", "CHUNKING"))
        server = smtp.ServerConnection("proxy.example", extensions=offered)
        assert server.extensions == (ext.BinaryMime(), ext.Chunking())
        server.extensions = Capabilities([ext.SmtpUtf8(), ext.EightBitMime()])
        assert server.extensions == (ext.SmtpUtf8(), ext.EightBitMime())

    @given(strategies.smtp_capabilities())
    def test_any_capabilities_can_be_offered(self, capabilities: Capabilities) -> None:
        smtp.ServerConnection("proxy.example", extensions=capabilities)

    @given(strategies.smtp_capabilities())
    def test_round_trip(self, capabilities: Capabilities) -> None:
        """A Verb that nobody knows comes back as Unknown: the wire does not tell them apart."""
        read = Capabilities.parse(Reply(250, "mx.example", *map(str, capabilities)))
        assert [str(one) for one in read] == [str(one) for one in capabilities]
        for before, after in zip(capabilities, read, strict=True):
            assert after == before or {type(before), type(after)} == {ext.Verb, ext.Unknown}

    @given(strategies.smtp_capabilities())
    def test_copies_are_complete(self, capabilities: Capabilities) -> None:
        for again in (pickle.loads(pickle.dumps(capabilities)), copy.deepcopy(capabilities)):
            assert again == capabilities
            assert all(one.keyword in again for one in capabilities)
            assert again.size == capabilities.size

    @given(st.lists(st.text(st.characters(exclude_characters="\r\n\0"))))
    def test_no_answer_makes_it_raise(self, lines: list[str]) -> None:
        try:
            reply = Reply(250, "mx.example", *lines)
        except LocalProtocolError:
            return
        assert len(Capabilities.parse(reply)) <= len(lines)


@given(strategies.smtp_extensions())
def test_copies(extension: Extension) -> None:
    again = pickle.loads(pickle.dumps(extension))
    assert again == extension
    assert str(again) == str(extension)
    assert hash(again) == hash(extension)
    for tls in (False, True):
        assert again.shown(tls) == extension.shown(tls)
    assert again.verbs == extension.verbs


@given(st.data(), st.sampled_from(CLASSES))
def test_the_strategies_know_every_class(data: st.DataObject, extension: type[Extension]) -> None:
    assert type(data.draw(strategies.smtp_extensions(extension))) is extension


def test_the_strategies_fill_every_field() -> None:
    """Whoever adds an extension with fields adds how to draw them."""
    from smtpproto.strategies._smtp import _EXTENSIONS

    assert {one for one in CLASSES if one.__match_args__} == set(_EXTENSIONS)


def test_what_extensions_allow_has_no_other_attributes() -> None:
    """They are worked out when one of them is first asked for."""
    service = ClientService(Capabilities([ext.Size(10)]), tls=False)
    assert not hasattr(service, "sizes")
    assert service.mail_parameters == {"SIZE": 26}
