"""What all four connections keep: the contract, one test a rule, by protocol and role.

A `Kind` says in the words of its protocol what the rules have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smtpproto import (
    ClosedError,
    Connection,
    DecisionNeededError,
    InvalidValueError,
    LimitError,
    LocalProtocolError,
    NotOfferedError,
    OutOfOrderError,
    RemoteProtocolError,
    pop3,
    smtp,
)
from smtpproto.events import Greeting, Request


class Kind(NamedTuple):
    """A protocol, as far as both roles need it here."""

    server: Callable[..., Any]
    client: Callable[..., Any]
    hello: bytes
    """What a client sends first, and what makes a session in which `quiet` is allowed."""
    welcome: bytes
    """The answers to the greeting and to `hello`."""
    begin_tls: Any
    go_ahead: bytes
    quiet: Any
    """A command that changes nothing."""
    yes: bytes
    no: bytes
    goodbye: bytes
    """How the last reply of a shutdown begins."""
    injected: bytes
    """How the reply begins that stands in for the go-ahead when octets came behind STARTTLS."""
    received: type[Any]
    refused: type[Any]


def _smtp_server(**options: Any) -> smtp.ServerConnection:
    extensions = [smtp.ext.Pipelining(), smtp.ext.StartTls(), smtp.ext.Auth("X")]
    return smtp.ServerConnection("mx.example", extensions=extensions, **options)


def _pop3_server(**options: Any) -> pop3.ServerConnection:
    capabilities = ["STLS", "SASL X", "PIPELINING"]
    return pop3.ServerConnection("pop.example", capabilities=capabilities, **options)


SMTP = Kind(
    server=_smtp_server,
    client=smtp.ClientConnection,
    hello=b"EHLO c.example\r\n",
    welcome=b"220 mx\r\n",
    begin_tls=smtp.StartTls(),
    go_ahead=b"220 go ahead\r\n",
    quiet=smtp.Noop(),
    yes=b"250 ok\r\n",
    no=b"550 no\r\n",
    goodbye=b"421 ",
    injected=b"554 ",
    received=smtp.ReplyReceived,
    refused=smtp.CommandRefused,
)
POP3 = Kind(
    server=_pop3_server,
    client=pop3.ClientConnection,
    hello=b"USER tim\r\n",
    welcome=b"+OK ready\r\n",
    begin_tls=pop3.Stls(),
    go_ahead=b"+OK begin\r\n",
    quiet=pop3.Capa(),
    yes=b"+OK\r\n.\r\n",
    no=b"-ERR\r\n",
    goodbye=b"-ERR ",
    injected=b"-ERR ",
    received=pop3.ResponseReceived,
    refused=pop3.CommandRefused,
)

both = pytest.mark.parametrize("kind", [SMTP, POP3], ids=["SMTP", "POP3"])
all_four = pytest.mark.parametrize(
    "build",
    [SMTP.server, SMTP.client, POP3.server, POP3.client],
    ids=["SMTP server", "SMTP client", "POP3 server", "POP3 client"],
)


def serving(kind: Kind, **options: Any) -> Any:
    """A server whose client has sent `hello`; all is answered and written."""
    server = kind.server(**options)
    server.accept()
    server.receive_data(kind.hello)
    for event in server.events():
        if isinstance(event, Request):
            server.accept()
    server.data_to_send()
    return server


def connected(kind: Kind, **options: Any) -> Any:
    """A client that can send `quiet` and `begin_tls`; all is answered."""
    client = kind.client(**options)
    client.receive_data(kind.welcome)
    (greeting,) = client.events()
    assert greeting.command == Greeting()
    if kind is SMTP:
        client.send(smtp.Ehlo("c.example"))
        assert client.data_to_send() == kind.hello
        client.receive_data(b"250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH X\r\n")
        assert len(list(client.events())) == 1
    return client


def begun_tls(kind: Kind) -> Any:
    """A client that has been handed out the go-ahead for TLS."""
    client = connected(kind)
    client.send(kind.begin_tls)
    client.data_to_send()
    client.receive_data(kind.go_ahead)
    assert [type(event).__name__ for event in client.events()][1:] == ["TlsHandshake"]
    return client


# -- octets and events ----------------------------------------------------------------------------


@all_four
@pytest.mark.parametrize("data", [None, "text", 5, [1]])
def test_octets_are_bytes_bytearray_or_memoryview(build: Callable[..., Any], data: Any) -> None:
    with pytest.raises(TypeError):
        build().receive_data(data)
    for octets in (b"", bytearray(), memoryview(b"")):
        build().receive_data(octets)


@both
def test_octets_are_octets_also_while_others_wait(kind: Kind) -> None:
    server = kind.server()
    server.receive_data(b"x")
    for data in ("text", [1], 5):
        with pytest.raises(TypeError, match=r"receive_data\(data\): octets .*, not "):
            server.receive_data(data)


@both
def test_a_mechanism_is_an_object_and_not_its_name(kind: Kind) -> None:
    client = connected(kind)
    with pytest.raises(TypeError, match=r"authenticate\(mechanism\): .*, not str"):
        client.authenticate("PLAIN")
    assert client.data_to_send() == b""


def test_arguments_of_the_wrong_type_are_named() -> None:
    conn = smtp.ClientConnection()
    message: Any = 5
    with pytest.raises(TypeError, match="message: octets, an iterable of pieces, or None, not int"):
        smtp.Delivery(conn, smtp.Envelope("a@b", ["c@d"]), message, domain="me")
    messages: Any = ["a"]
    with pytest.raises(TypeError, match=r"messages: pairs of a unique-id and .*, not str: 'a'"):
        pop3.Maildrop(messages)
    extensions: Any = [smtp.Auth("PLAIN")]
    with pytest.raises(TypeError, match=r"such as smtp.ext.Pipelining\(\), not Auth: "):
        smtp.ServerConnection("mx", extensions=extensions)


@all_four
def test_after_the_end_of_the_octets_there_are_no_more(build: Callable[..., Any]) -> None:
    conn = build()
    conn.receive_data(b"")
    conn.receive_data(b"")
    with pytest.raises(OutOfOrderError, match="after b''"):
        conn.receive_data(b"x")


@both
def test_more_than_the_backlog_does_not_wait(kind: Kind) -> None:
    limits = (smtp if kind is SMTP else pop3).Limits(backlog=20)
    server = kind.server(limits=limits)
    assert not server.wants_data  # the greeting is owed
    server.receive_data(b"x" * 20)
    with pytest.raises(LimitError, match="20 octets are waiting already, and with 1 more"):
        server.receive_data(b"x")
    server.accept()
    list(server.events())
    assert server.wants_data
    server.receive_data(b"x" * 2000)  # now they are read at once


@both
def test_what_is_sent_is_handed_out_once(kind: Kind) -> None:
    client = connected(kind)
    client.send(kind.quiet)
    assert client.data_to_send() == bytes(kind.quiet)
    assert client.data_to_send() == b""


@all_four
def test_repr_is_short_and_names_role_state_and_tls(build: Callable[..., Any]) -> None:
    conn = build(tls=True)
    shown = repr(conn)
    assert shown.startswith(f"<{conn._role} in state greeting under TLS, ")
    assert "Greeting" in shown
    conn.abort()
    assert repr(conn) == f"<{conn._role} in state closed under TLS>"


@both
def test_repr_of_what_is_unanswered_has_no_secret(kind: Kind) -> None:
    client = connected(kind)
    client.send((smtp if kind is SMTP else pop3).Auth("X"))
    assert repr(client).endswith(", awaits the reply to Auth>")
    client = connected(kind)
    client.send(kind.quiet)
    client.send(kind.quiet)
    assert repr(client).endswith(f"{type(kind.quiet).__name__} and 1 more>")


# -- one reply each -------------------------------------------------------------------------------


@both
def test_the_greeting_is_the_first_request(kind: Kind) -> None:
    server = kind.server()
    assert server.owed == Greeting()
    assert server.next_event() == Greeting()
    assert server.next_event() is None
    server.accept()
    assert server.owed is None
    with pytest.raises(OutOfOrderError, match="no reply is owed"):
        server.accept()


@both
def test_a_greeting_that_was_answered_is_not_handed_out(kind: Kind) -> None:
    server = kind.server()
    server.accept()
    assert server.next_event() is None
    server = kind.server()
    server.shutdown()
    (end,) = server.events()
    assert type(end).__name__ == "ConnectionClosed"


@both
def test_a_client_that_talks_before_the_greeting(kind: Kind) -> None:
    server = kind.server()
    assert not server.early_talker
    server.receive_data(kind.hello)
    assert server.early_talker
    server.accept()
    assert server.early_talker
    assert next(server.events()).verb == kind.hello[:4].decode()
    server = serving(kind)
    assert not server.early_talker


@both
def test_while_a_reply_is_owed_nothing_is_read(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.quiet) * 2)
    assert list(server.events()) == [kind.quiet]
    assert not server.wants_data
    server.accept()
    assert list(server.events()) == [kind.quiet]


@both
def test_every_command_gets_its_event_in_order(kind: Kind) -> None:
    client = connected(kind)
    other = smtp.Help() if kind is SMTP else pop3.User("tim")
    client.send(kind.quiet)
    client.send(other)
    answers = kind.yes + (b"214 help\r\n" if kind is SMTP else b"+OK\r\n")
    events = []
    client.data_to_send()
    client.receive_data(answers[: len(kind.yes)])
    events += client.events()
    client.data_to_send()
    client.receive_data(answers[len(kind.yes) :])
    events += client.events()
    assert [event.command for event in events] == [kind.quiet, other]


# -- nobody gets in by default --------------------------------------------------------------------


@both
def test_a_catch_all_accept_lets_nobody_in(kind: Kind) -> None:
    server = serving(kind, tls=True)
    server.receive_data(b"AUTH X\r\n")
    assert len(list(server.events())) == 1
    with pytest.raises(DecisionNeededError, match="lets nobody in"):
        server.accept()
    for success in (smtp.Reply(235), smtp.Reply(250)) if kind is SMTP else (pop3.Ok(),):
        with pytest.raises(InvalidValueError, match="lets nobody in"):
            server.send(success)
    assert server.identity is None
    server.authenticated("tim")
    assert server.identity == "tim"


@pytest.mark.parametrize("line", [b"STAT", b"LIST", b"UIDL", b"RETR 1", b"TOP 1 0"])
def test_what_only_an_application_can_answer_about_a_maildrop(line: bytes) -> None:
    server = pop3.ServerConnection("pop.example")
    server.accept()
    server.receive_data(b"USER tim\r\nPASS x\r\n")
    assert server.next_event() == pop3.User("tim")
    server.accept()
    server.next_event()
    server.authenticated("tim")
    server.receive_data(line + b"\r\n")
    server.next_event()
    with pytest.raises(DecisionNeededError, match="cannot answer"):
        server.accept()


# -- the server speaks for itself -----------------------------------------------------------------


@both
def test_what_is_refused_owes_nothing(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(b"FOO bar\r\n")
    (event,) = server.events()
    assert isinstance(event, kind.refused)
    assert event.line == b"FOO bar"
    assert server.owed is None
    assert server.data_to_send()[:1] in (b"5", b"-")


@both
def test_what_is_shown_of_a_refused_line_is_bounded_and_has_no_secret(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(b"FOO " + b"x" * 5000 + b"\r\nPASS s3cret\r\nAUTH X czNjcmV0!\r\n")
    lines = [event.line for event in server.events()]
    assert len(lines) == 3
    assert all(len(line) <= 512 for line in lines)
    assert b"s3cret" not in b"".join(lines)
    assert b"czNjcmV0" not in b"".join(lines)


@pytest.mark.parametrize("verb", [b"MAILX", b"RCPTX", b"FOO"])
def test_a_verb_is_a_whole_word(verb: bytes) -> None:
    """Sixty RCPT behind MAILX are not behind a refused MAIL: the session ends."""
    server = serving(SMTP)
    server.receive_data(verb + b" x\r\n" + b"RCPT TO:<a@b.example>\r\n" * 60)
    list(server.events())
    assert server.closed
    server = serving(SMTP)
    server.receive_data(b"MAIL FROM:<a b>\r\n" + b"RCPT TO:<a@b.example>\r\n" * 60)
    list(server.events())
    assert not server.closed


# -- TLS ------------------------------------------------------------------------------------------


@both
def test_octets_before_the_go_ahead_end_the_session(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.begin_tls) + bytes(kind.quiet))
    assert list(server.events()) == [kind.begin_tls]
    server.accept()
    assert server.data_to_send().startswith(kind.injected)
    refused, end = server.events()
    assert isinstance(refused, kind.refused)
    assert not end.clean
    with pytest.raises(ClosedError):
        server.tls_started()


@both
def test_octets_behind_a_go_ahead_that_was_not_written_take_its_place(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.quiet))
    list(server.events())
    server.accept()
    earlier = server.data_to_send()
    server.receive_data(bytes(kind.begin_tls))
    list(server.events())
    server.accept()
    assert earlier
    server.receive_data(bytes(kind.quiet))  # although TlsHandshake was not even handed out
    written = server.data_to_send()
    assert written.startswith(kind.injected)
    assert written.count(b"\r\n") == 1
    refused, end = server.events()
    assert isinstance(refused, kind.refused)
    assert not end.clean


@both
def test_octets_behind_a_go_ahead_that_was_written_end_the_session_silently(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.begin_tls))
    list(server.events())
    server.accept()
    server.data_to_send()
    assert type(server.next_event()).__name__ == "TlsHandshake"
    server.receive_data(bytes(kind.quiet))
    assert server.data_to_send() == b""
    (end,) = server.events()
    assert not end.clean
    with pytest.raises(ClosedError):
        server.tls_started()


@both
def test_a_client_gives_the_connection_all_that_was_read_ahead(kind: Kind) -> None:
    client = begun_tls(kind)
    client.receive_data(kind.yes)  # somebody put it behind the go-ahead
    with pytest.raises(ClosedError):
        client.tls_started()
    with pytest.raises(RemoteProtocolError, match="in clear"):
        client.next_event()
    (end,) = client.events()
    assert not end.clean
    assert client.closed


@both
def test_octets_in_the_same_piece_as_the_go_ahead(kind: Kind) -> None:
    client = connected(kind)
    client.send(kind.begin_tls)
    client.data_to_send()
    client.receive_data(kind.go_ahead + kind.yes)
    assert client.next_event().command == kind.begin_tls
    with pytest.raises(RemoteProtocolError, match="in clear"):
        client.next_event()
    assert [event.clean for event in client.events()] == [False]


@both
def test_the_handshake_forgets_what_was_learnt_in_clear(kind: Kind) -> None:
    client = begun_tls(kind)
    with pytest.raises(OutOfOrderError, match="handshake"):
        client.send(kind.quiet)
    client.tls_started()
    assert client.tls
    assert len(client.capabilities) == 0
    with pytest.raises(OutOfOrderError):
        client.tls_started()


@both
def test_the_peer_may_leave_instead_of_a_handshake(kind: Kind) -> None:
    client = begun_tls(kind)
    client.receive_data(b"")
    assert [event.clean for event in client.events()] == [False]


# -- errors ---------------------------------------------------------------------------------------


@both
def test_the_kinds_of_misuse(kind: Kind) -> None:
    """Each has changed nothing: the session goes on."""
    client = connected(kind)
    if kind is SMTP:
        with pytest.raises(NotOfferedError, match="SIZE"):
            client.send(smtp.Mail("a@b.example", size=5))
    else:
        client.send(pop3.Capa())
        client.data_to_send()
        client.receive_data(b"+OK\r\nUSER\r\nPIPELINING\r\n.\r\n")
        list(client.events())
        with pytest.raises(NotOfferedError, match="LANG"):
            client.send(pop3.Lang())
    with pytest.raises(OutOfOrderError, match="cannot be sent in state"):
        client.send(smtp.Data() if kind is SMTP else pop3.Stat())
    long = smtp.Noop("x" * 600) if kind is SMTP else pop3.User("x" * 300)
    with pytest.raises(InvalidValueError, match="octets long") as caught:
        client.send(long)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(TypeError, match="a client sends"):
        client.send("NOOP")
    client.send(kind.quiet)
    client.data_to_send()
    client.receive_data(kind.yes)
    (event,) = client.events()
    assert event.command == kind.quiet
    client.abort()
    with pytest.raises(ClosedError, match="over"):
        client.send(kind.quiet)


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def test_only_the_subclasses_are_raised() -> None:
    named = {ClosedError, DecisionNeededError, InvalidValueError, LimitError, NotOfferedError}
    assert set(_subclasses(LocalProtocolError)) == named | {OutOfOrderError}
    for path in Path(smtp.__file__).parent.parent.rglob("*.py"):
        assert "raise LocalProtocolError" not in path.read_text(), path


@both
def test_a_broken_reply_names_its_command_and_its_line(kind: Kind) -> None:
    client = connected(kind)
    client.send(kind.quiet)
    client.data_to_send()
    client.receive_data(b"what? " + b"x" * 1000 + b"\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        client.next_event()
    assert caught.value.command == kind.quiet
    assert caught.value.line == (b"what? " + b"x" * 1000)[:512]
    assert len(str(caught.value)) < 700
    (end,) = client.events()
    assert not end.clean
    assert end.unanswered == (kind.quiet,)
    assert client.next_event() is None  # raised once


# -- ends -----------------------------------------------------------------------------------------


@both
def test_shutdown_answers_what_is_owed(kind: Kind) -> None:
    """So it is clean between transactions, and nothing is left unanswered."""
    server = serving(kind)
    server.receive_data(bytes(kind.quiet))
    list(server.events())
    server.shutdown("going down")
    assert server.data_to_send().startswith(kind.goodbye)
    (end,) = server.events()
    assert end.clean
    assert end.unanswered == ()
    server.shutdown()
    assert server.data_to_send() == b""


@both
def test_shutdown_during_a_handshake_writes_nothing(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.begin_tls))
    list(server.events())
    server.accept()
    server.data_to_send()
    server.shutdown()
    assert server.data_to_send() == b""
    assert [type(event).__name__ for event in server.events()][-1] == "ConnectionClosed"


@all_four
def test_abort_drops_what_is_queued(build: Callable[..., Any]) -> None:
    conn = build()
    conn.abort()
    assert conn.data_to_send() == b""
    (end,) = conn.events()
    assert not end.clean
    assert end.unanswered == (Greeting(),)
    conn.receive_data(b"dropped")
    assert conn.next_event() is None
    assert not conn.wants_data
    conn.abort()
    assert conn.next_event() is None


@both
def test_what_came_before_the_end_is_still_answered(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(bytes(kind.quiet))
    server.receive_data(b"")
    assert list(server.events()) == [kind.quiet]
    server.accept()
    (end,) = server.events()
    assert end.clean
    assert server.data_to_send()


@both
def test_half_a_line_is_cut_off(kind: Kind) -> None:
    server = serving(kind)
    server.receive_data(b"NOO")
    server.receive_data(b"")
    assert [event.clean for event in server.events()] == [False]
    client = connected(kind)
    client.receive_data(b"25")
    client.receive_data(b"")
    assert [event.clean for event in client.events()] == [False]


def test_each_connection_is_a_connection() -> None:
    for build in (SMTP.server, SMTP.client, POP3.server, POP3.client):
        assert isinstance(build(), Connection)
