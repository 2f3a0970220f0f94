"""ServerConnection: one reply each, what it answers by itself, streaming, TLS, SASL, ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smtpproto import LocalProtocolError, pop3, sasl
from smtpproto.pop3 import (
    Apop,
    Auth,
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    Capa,
    Capabilities,
    Command,
    CommandRefused,
    ConnectionClosed,
    Dele,
    EndOfMessage,
    Err,
    Event,
    Extended,
    Greeting,
    Lang,
    Limits,
    List,
    MaildropStatus,
    MessageData,
    Noop,
    Ok,
    Pass,
    Quit,
    Retr,
    Rset,
    ScanListing,
    ServerConnection,
    Stat,
    State,
    Stls,
    TlsHandshake,
    Top,
    Uidl,
    UniqueId,
    User,
    Utf8,
)

TIMESTAMP = "<1896.697170952@dbc.mtview.ca.us>"
DIGEST = "c4c9334bac560ecc979e58001b3e22fb"


def greeted(*capabilities: str, timestamp: str | None = None, tls: bool = False,
            limits: Limits | None = None) -> ServerConnection:  # fmt: skip
    """A server after its greeting."""
    server = ServerConnection(
        "pop.example",
        capabilities=capabilities or ("USER", "TOP", "UIDL", "RESP-CODES", "PIPELINING"),
        timestamp=timestamp,
        tls=tls,
        limits=limits or Limits(),
    )
    server.accept()
    server.data_to_send()
    assert server.next_event() is None
    return server


def logged_in(*capabilities: str, limits: Limits | None = None) -> ServerConnection:
    """A server in the TRANSACTION state."""
    server = greeted(*capabilities, limits=limits)
    assert ask(server, b"USER mrose\r\n") == [User("mrose")]
    server.accept()
    assert ask(server, b"PASS secret\r\n") == [Pass("secret")]
    server.authenticated("mrose")
    server.data_to_send()
    assert server.next_event() is None
    return server


@pytest.mark.parametrize("identity", ["", None])
def test_nobody_in_particular_is_not_let_in(identity: str) -> None:
    server = greeted()
    assert ask(server, b"USER mrose\r\n") == [User("mrose")]
    server.accept()
    assert ask(server, b"PASS secret\r\n") == [Pass("secret")]
    with pytest.raises(LocalProtocolError, match="expected the name"):
        server.authenticated(identity)
    server.reject()
    assert server.data_to_send().endswith(b"-ERR Refused\r\n")


def state_of(server: ServerConnection) -> State:
    return server.state


def ask(server: ServerConnection, octets: bytes) -> list[Event]:
    server.receive_data(octets)
    return list(server.events())


def refused(server: ServerConnection, octets: bytes) -> bytes:
    """What the server says by itself to a line; it goes on afterwards."""
    (event,) = ask(server, octets)
    assert isinstance(event, CommandRefused)
    said = server.data_to_send()
    assert said == bytes(event.response)
    assert said.startswith(b"-ERR ")
    assert server.owed is None
    assert server.wants_data
    return said


# -- one reply each --------------------------------------------------------------------------------


def test_the_greeting_is_owed_first() -> None:
    server = ServerConnection("pop.example")
    assert state_of(server) is State.GREETING
    assert not server.wants_data
    assert server.timeout == 600
    server.receive_data(b"QUIT\r\n")
    assert server.next_event() == Greeting()
    assert server.next_event() is None
    server.accept()
    assert server.data_to_send() == b"+OK pop.example POP3 server ready\r\n"
    assert state_of(server) is State.AUTHORIZATION
    assert server.next_event() == Quit()


@pytest.mark.parametrize("domain", ["", "a b", "a\r\nb"])
def test_the_domain_is_a_word(domain: str) -> None:
    with pytest.raises(LocalProtocolError, match="one word"):
        ServerConnection(domain)


def test_a_greeting_of_your_own() -> None:
    server = ServerConnection("pop.example")
    server.accept("hello\r\nworld \x07 ü")
    assert server.data_to_send() == b"+OK pop.example hello  world ? ?\r\n"
    server = ServerConnection("pop.example")
    server.reject("too many users", "SYS/TEMP")
    assert server.data_to_send() == b"-ERR [SYS/TEMP] too many users\r\n"
    assert list(server.events()) == [ConnectionClosed(True)]
    assert server.closed


def test_pipelined_commands_wait_for_the_reply() -> None:
    server = greeted()
    assert ask(server, b"USER mrose\r\nPASS secret\r\nSTAT\r\nQUIT\r\n") == [User("mrose")]
    assert server.owed == User("mrose")
    assert not server.wants_data
    server.accept()
    assert state_of(server) is State.USER
    assert server.user == "mrose"
    assert list(server.events()) == [Pass("secret")]
    server.authenticated("mrose")
    assert server.identity == "mrose"
    assert server.user is None
    assert list(server.events()) == [Stat()]
    server.accept(result=MaildropStatus(2, 320))
    assert list(server.events()) == [Quit()]
    assert state_of(server) is State.UPDATE
    server.accept()
    assert list(server.events()) == [ConnectionClosed(True)]
    assert server.data_to_send() == (
        b"+OK Send the password\r\n"
        b"+OK Maildrop ready\r\n"
        b"+OK 2 320\r\n"
        b"+OK pop.example POP3 server signing off\r\n"
    )


def test_answering_what_is_not_owed() -> None:
    server = greeted()
    answers: tuple[Callable[[], None], ...] = (
        server.accept,
        server.reject,
        lambda: server.send(Ok()),
        lambda: server.send(AuthChallenge(b"")),
        lambda: server.authenticated("a"),
    )
    for answer in answers:
        with pytest.raises(LocalProtocolError, match="no reply is owed"):
            answer()
    assert server.data_to_send() == b""
    assert ask(server, b"CAPA\r\n") == [Capa()]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"DELE 1", b"+OK Message deleted\r\n"),
        (b"NOOP", b"+OK\r\n"),
        (b"RSET", b"+OK No message is deleted\r\n"),
        (b"CAPA", b"+OK Capability list follows\r\nUSER\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
                  b"PIPELINING\r\n.\r\n"),
        (b"QUIT", b"+OK pop.example POP3 server signing off\r\n"),
    ],
)  # fmt: skip
def test_accept(line: bytes, answer: bytes) -> None:
    server = logged_in()
    ask(server, line + b"\r\n")
    server.accept()
    assert server.data_to_send() == answer


def test_accept_with_a_text() -> None:
    server = logged_in()
    ask(server, b"DELE 1\r\n")
    server.accept("[IN-USE] gone\n" + "x" * 1000)
    said = server.data_to_send()
    assert said.startswith(b"+OK ?IN-USE] gone xxx")
    assert len(said) <= 512
    ask(server, b"QUIT\r\n")
    server.accept("bye")
    assert server.data_to_send() == b"+OK bye\r\n"


@pytest.mark.parametrize(
    ("line", "result", "answer"),
    [
        (b"STAT", MaildropStatus(2, 320), b"+OK 2 320\r\n"),
        (b"LIST", [ScanListing(1, 120), ScanListing(2, 200)],
         b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"),
        (b"LIST", (), b"+OK 0 messages\r\n.\r\n"),
        (b"LIST 2", ScanListing(2, 200), b"+OK 2 200\r\n"),
        (b"UIDL", iter([UniqueId(1, "a"), UniqueId(2, "b")]),
         b"+OK 2 messages\r\n1 a\r\n2 b\r\n.\r\n"),
        (b"UIDL 2", UniqueId(2, "b"), b"+OK 2 b\r\n"),
    ],
)  # fmt: skip
def test_typed_results(line: bytes, result: object, answer: bytes) -> None:
    server = logged_in()
    ask(server, line + b"\r\n")
    server.accept(result=result)  # type: ignore[arg-type]
    assert server.data_to_send() == answer


def test_a_text_beside_a_result() -> None:
    server = logged_in()
    ask(server, b"LIST\r\nSTAT\r\n")
    server.accept("mind the gap", result=())
    assert server.data_to_send() == b"+OK mind the gap\r\n.\r\n"
    assert server.next_event() == Stat()
    server.accept("no room for words", result=MaildropStatus(0, 0))
    assert server.data_to_send() == b"+OK 0 0\r\n"


@pytest.mark.parametrize(
    ("line", "result"),
    [
        (b"STAT", None),
        (b"STAT", ScanListing(1, 1)),
        (b"LIST", None),
        (b"LIST", ScanListing(1, 1)),
        (b"LIST", 2),
        (b"LIST", [UniqueId(1, "a")]),
        (b"LIST 2", [ScanListing(2, 1)]),
        (b"LIST 2", ScanListing(1, 1)),
        (b"UIDL", [ScanListing(1, 1)]),
        (b"UIDL 1", UniqueId(2, "a")),
        (b"RETR 1", None),
        (b"TOP 1 1", None),
        (b"NOOP", MaildropStatus(1, 1)),
    ],
)
def test_what_accept_cannot_answer(line: bytes, result: object) -> None:
    server = logged_in()
    (event,) = ask(server, line + b"\r\n")
    with pytest.raises(LocalProtocolError):
        server.accept(result=result)  # type: ignore[arg-type]
    assert server.owed is event
    assert server.data_to_send() == b""
    server.reject()
    assert server.data_to_send() == b"-ERR Refused\r\n"


@pytest.mark.parametrize("one", [ScanListing(1, 5), UniqueId(1, "a")])
def test_one_value_is_no_listing(one: ScanListing | UniqueId) -> None:
    """Each is a pair, and so something to go through."""
    server = logged_in()
    for line in (b"LIST\r\n", b"UIDL\r\n"):
        ask(server, line)
        with pytest.raises(LocalProtocolError, match=rf"several values, not {type(one).__name__}"):
            server.accept(result=one)
        server.reject()


def test_reject() -> None:
    server = logged_in()
    ask(server, b"DELE 9\r\nDELE 9\r\n")
    with pytest.raises(LocalProtocolError, match="response code"):
        server.reject("no", "not a code")
    with pytest.raises(LocalProtocolError, match="is a str, not 550"):
        server.reject(550, "no")  # type: ignore[arg-type] # as an SMTP server does it
    server.reject("no such\r\nmessage", "sys/perm")
    assert server.next_event() == Dele(9)
    server.reject("[IN-USE] not from here")
    assert server.data_to_send() == (
        b"-ERR [SYS/PERM] no such  message\r\n-ERR ?IN-USE] not from here\r\n"
    )


@pytest.mark.parametrize(
    ("line", "response", "problem"),
    [
        (b"NOOP", Ok(lines=[]), "has no lines"),
        (b"LIST", Ok("2 messages"), "has lines"),
        (b"LIST 1", Ok("x", lines=[]), "has no lines"),
        (b"CAPA", Ok(), "has lines"),
        (b"RETR 1", Ok(lines=["a"]), "the message follows"),
        (b"NOOP", AuthChallenge(b""), "only AUTH"),
        (b"NOOP", Noop(), "a server sends"),
        (b"NOOP", MessageData(b""), "no message can be sent"),
        (b"RETR 1", EndOfMessage(), "no message can be sent"),
    ],
)
def test_what_cannot_be_sent(line: bytes, response: Ok, problem: str) -> None:
    server = logged_in()
    (event,) = ask(server, line + b"\r\n")
    with pytest.raises((LocalProtocolError, TypeError), match=problem):
        server.send(response)
    assert server.owed is event
    assert server.data_to_send() == b""


def test_what_is_offered_when_nothing_is_said_of_it() -> None:
    server = ServerConnection("pop.example")
    server.accept()
    ask(server, b"CAPA\r\n")
    server.accept()
    assert server.data_to_send().endswith(
        b"\r\nUSER\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\n.\r\n"
    )


# -- no one gets in by default ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", [b"PASS secret", b"APOP mrose " + DIGEST.encode(), b"AUTH CRAM-MD5"]
)
def test_nobody_gets_in_by_default(line: bytes) -> None:
    server = greeted("SASL CRAM-MD5", timestamp=TIMESTAMP)
    if line.startswith(b"PASS"):
        ask(server, b"USER mrose\r\n")
        server.accept()
        server.data_to_send()
    ask(server, line + b"\r\n")
    answers: tuple[Callable[[], None], ...] = (server.accept, lambda: server.send(Ok("come in")))
    for answer in answers:
        with pytest.raises(LocalProtocolError, match=r"authenticated\(identity\)"):
            answer()
    assert server.identity is None
    server.authenticated("mrose")
    assert server.identity == "mrose"
    assert state_of(server) is State.TRANSACTION


def test_authenticated_answers_only_logins() -> None:
    server = greeted()
    ask(server, b"USER mrose\r\n")
    with pytest.raises(LocalProtocolError, match="USER is owed"):
        server.authenticated("mrose")
    assert server.identity is None


def test_pass_only_right_after_a_good_user() -> None:
    server = greeted()
    assert b"out of order" in refused(server, b"PASS secret\r\n")
    ask(server, b"USER nobody\r\n")
    server.reject("sorry, no mailbox for nobody here")
    assert server.user is None
    assert b"out of order" in refused_after(server, b"PASS secret\r\n")
    ask(server, b"USER mrose\r\n")
    server.accept()
    ask(server, b"PASS wrong\r\n")
    assert server.user == "mrose"
    server.reject("invalid password")
    assert state_of(server) is State.AUTHORIZATION
    assert b"out of order" in refused_after(server, b"PASS secret\r\n")
    ask(server, b"USER mrose\r\n")
    server.accept()
    ask(server, b"CAPA\r\n")
    server.accept()
    assert b"out of order" in refused_after(server, b"PASS secret\r\n")


def refused_after(server: ServerConnection, octets: bytes) -> bytes:
    assert server.next_event() is None
    server.data_to_send()
    return refused(server, octets)


def test_passwords_are_taken_as_they_stand() -> None:
    server = greeted()
    ask(server, b"USER mrose\r\n")
    server.accept()
    assert ask(server, b"pass  open  sesame\t \r\n") == [Pass(" open  sesame\t ")]


def test_apop_wants_a_timestamp() -> None:
    server = ServerConnection("pop.example", timestamp=TIMESTAMP)
    assert server.timestamp == TIMESTAMP
    with pytest.raises(LocalProtocolError, match="greeting"):
        server.send(Ok("POP3 server ready"))
    server.accept("<b@c> " + "x" * 1000)
    greeting = server.data_to_send()
    assert greeting.startswith(b"+OK pop.example ?b@c> xxx")
    assert greeting.endswith(f"x {TIMESTAMP}\r\n".encode())
    assert len(greeting) <= 512
    server.next_event()
    (event,) = ask(server, b"APOP mrose " + DIGEST.encode() + b"\r\n")
    assert event == Apop("mrose", DIGEST)
    assert sasl.check_apop(TIMESTAMP, "tanstaaf", DIGEST)
    assert b"not offered" in refused(greeted(), b"APOP mrose " + DIGEST.encode() + b"\r\n")
    with pytest.raises(LocalProtocolError, match="msg-id"):
        ServerConnection("pop.example", timestamp="<a>")


# -- capabilities ----------------------------------------------------------------------------------


def capabilities(server: ServerConnection) -> list[str]:
    ask(server, b"CAPA\r\n")
    server.accept()
    server.next_event()
    response = pop3.Response.parse(server.data_to_send())
    assert isinstance(response, Ok)
    return list(response.lines or ())


def test_user_is_always_listed() -> None:
    assert capabilities(greeted("TOP")) == ["USER", "TOP"]
    assert capabilities(greeted("TOP", "user")) == ["TOP", "user"]
    server = greeted()
    server.capabilities = ["EXPIRE 30"]
    assert server.capabilities == Capabilities(["USER", "EXPIRE 30"])
    assert capabilities(server) == ["USER", "EXPIRE 30"]


def test_stls_is_shown_while_it_is_allowed() -> None:
    server = greeted("STLS", "UTF8")
    assert capabilities(server) == ["USER", "STLS", "UTF8"]
    ask(server, b"UTF8\r\n")
    server.reject("not today")
    server.next_event()
    server.data_to_send()
    assert not server.utf8
    assert capabilities(server) == ["USER", "STLS", "UTF8"]
    ask(server, b"UTF8\r\n")
    server.accept()
    server.next_event()
    assert server.data_to_send() == b"+OK UTF8 enabled\r\n"
    assert server.utf8
    assert capabilities(server) == ["USER", "UTF8"]
    assert b"must precede UTF8" in refused(server, b"STLS\r\n")
    assert capabilities(greeted("STLS", tls=True)) == ["USER"]
    assert b"TLS is active" in refused(greeted("STLS", tls=True), b"STLS\r\n")
    server = logged_in("STLS", "UTF8")
    assert capabilities(server) == ["USER", "UTF8"]
    assert b"out of order" in refused(server, b"STLS\r\n")
    assert b"out of order" in refused(server, b"UTF8\r\n")


def test_sasl_stays_after_login() -> None:
    server = logged_in("SASL PLAIN SCRAM-SHA-256")
    assert capabilities(server) == ["USER", "SASL SCRAM-SHA-256"]
    assert b"out of order" in refused(server, b"AUTH SCRAM-SHA-256\r\n")
    assert capabilities(greeted("SASL PLAIN")) == ["USER"]
    assert capabilities(greeted("SASL PLAIN", tls=True)) == ["USER", "SASL PLAIN"]


@pytest.mark.parametrize(
    ("line", "capability"),
    [
        (b"TOP 1 1", "TOP"),
        (b"UIDL", "UIDL"),
        (b"STLS", "STLS"),
        (b"AUTH X", "SASL X"),
        (b"UTF8", "UTF8"),
        (b"LANG", "LANG"),
    ],
)
def test_what_is_not_offered_is_refused(line: bytes, capability: str) -> None:
    make = logged_in if capability in ("TOP", "UIDL") else greeted
    assert b"is not offered here" in refused(make("USER"), line + b"\r\n")
    (event,) = ask(make("USER", capability), line + b"\r\n")
    assert event == Command.parse(line)


def test_extended_verbs_are_offered_by_name() -> None:
    server = greeted("XTND", "EXPIRE 30")
    assert ask(server, b"xtnd XMIT\r\n") == [Extended("XTND", "XMIT")]
    server.accept()
    assert server.data_to_send() == b"+OK\r\n"
    server.next_event()
    assert b"Unknown command" in refused(server, b"XSENDER\r\n")
    assert b"Unknown command" in refused(server, b"EXPIRE 30\r\n")
    assert b"Unknown command" in refused(greeted("X_1"), b"X_1\r\n")


def test_language() -> None:
    server = greeted("LANG", "UTF8")
    ask(server, b"LANG\r\n")
    with pytest.raises(LocalProtocolError, match="cannot answer LANG"):
        server.accept()
    server.send(Ok("Language listing follows:", lines=["en English", "de Deutsch"]))
    assert server.data_to_send() == (
        b"+OK Language listing follows:\r\nen English\r\nde Deutsch\r\n.\r\n"
    )
    assert list(server.events()) == []
    assert ask(server, b"LANG de\r\nNOOP\r\n") == [Lang("de")]
    server.send(Ok("de Sprache geändert"))
    server.next_event()
    server.data_to_send()
    ask(server, b"USER a\r\n")
    server.reject("für dich nicht")  # after LANG texts are UTF-8 (RFC 6856 section 3.2)
    assert server.data_to_send() == "-ERR für dich nicht\r\n".encode()


def test_utf8_names_need_utf8_user() -> None:
    line = "USER röse\r\n".encode()
    assert b"ASCII" in refused(greeted("UTF8"), line)
    server = greeted("UTF8 USER")
    assert ask(server, line) == [User("röse")]
    server.reject("kein Röschen")
    server.next_event()
    assert server.data_to_send() == b"-ERR kein R?schen\r\n"
    assert b"ASCII" in refused(server, b"USER r\xf6se\r\n")


# -- what the connection answers by itself ---------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"", b"Unknown command"),
        (b"XYZZY", b"Unknown command"),
        (b"RETR 0", b"message-number"),
        (b"RETR -1", b"message-number"),
        (b"RETR x", b"message-number"),
        (b"DELE " + b"9" * 100, b"message-number"),
        (b"LIST 99999999999", b"message-number"),
        (b"TOP 1 -1", b"number of lines"),
        (b"STAT 1", b"with no argument"),
        (b"USER mrose", b"out of order: somebody is logged in already"),
        (b"PASS secret", b"out of order"),
        (b"NO\0P", b"Control character"),
        (b"NO\rP", b"Control character"),
        (b"NO\nP", b"Control character"),
        (b"NOOP\n", b"Control character"),
        (b"DELE \xff", b"ASCII"),
        (b"NOOP " + b"x" * 249, b"Line too long"),
        (b"GET / HTTP/1.0", b"Unknown command"),  # the first line was another
    ],
)
def test_refused_by_the_connection(line: bytes, text: bytes) -> None:
    server = logged_in()
    assert text in refused(server, line + b"\r\n")
    assert ask(server, b"NOOP\r\n") == [Noop()]


@pytest.mark.parametrize("line", [b"STAT", b"RETR 1", b"NOOP", b"DELE 1", b"RSET", b"LIST"])
def test_transaction_commands_want_a_login(line: bytes) -> None:
    assert b"out of order: log in first" in refused(greeted(), line + b"\r\n")


def test_line_limits() -> None:
    server = greeted()
    line = b"USER " + b"x" * 248 + b"\r\n"  # 255 octets
    assert ask(server, line) == [User("x" * 248)]
    server.reject()
    server.next_event()
    server.data_to_send()
    assert b"Line too long" in refused(server, line.replace(b"x\r", b"xx\r"))
    assert b"Line too long" in refused(server, b"x" * 100_000 + b"\r\n")
    # Where SASL is offered AUTH may be longer, and nothing else.
    server = greeted("SASL SCRAM-SHA-1")
    assert b"at most 255" in refused(server, line.replace(b"x\r", b"xx\r"))
    assert ask(server, b"AUTH SCRAM-SHA-1 " + b"AAAA" * 1000 + b"\r\n") == [
        Auth("SCRAM-SHA-1", b"\0" * 3000)
    ]


@pytest.mark.parametrize("verb", [b"GET", b"POST", b"connect", b"PUT"])
def test_http_is_turned_away(verb: bytes) -> None:
    server = greeted()
    refusal, end = ask(server, verb + b" / HTTP/1.1\r\nHost: pop.example\r\n\r\nQUIT\r\n")
    assert isinstance(refusal, CommandRefused)
    assert server.data_to_send().startswith(b"-ERR pop.example " + verb.upper() + b" is HTTP")
    assert end == ConnectionClosed(True)
    assert server.closed


def test_tls_in_clear_is_turned_away() -> None:
    server = greeted()
    refusal, end = ask(server, b"\x16\x03\x01")
    assert refusal == CommandRefused(b"\x16", pop3.Response.parse(server.data_to_send()))
    assert end == ConnectionClosed(True)
    assert b"Control" in refused(logged_in(), b"\x16\r\n")


def test_too_many_refusals() -> None:
    server = greeted(limits=Limits(refusals=2))
    events = ask(server, b"X\r\nX\r\nX\r\nQUIT\r\n")
    assert [type(event) for event in events] == [CommandRefused] * 3 + [ConnectionClosed]
    assert server.data_to_send() == (
        b"-ERR Unknown command\r\n" * 2 + b"-ERR pop.example Too many errors\r\n"
    )
    assert server.closed
    server = greeted(limits=Limits(refusals=None))
    assert len(ask(server, b"X\r\n" * 100)) == 100


def test_a_login_and_a_message_forgive() -> None:
    server = logged_in(limits=Limits(refusals=2))
    for _ in range(3):
        refused(server, b"X\r\n")
        refused(server, b"X\r\n")
        ask(server, b"RETR 1\r\n")
        server.send(Ok())
        server.send(EndOfMessage())
        server.data_to_send()
        server.next_event()
    ask(server, b"X\r\nX\r\n")
    assert not server.closed
    ask(server, b"X\r\n")
    assert server.closed


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (b"PASS tanstaaf\r\n", [b"PASS [redacted]"]),
        (b" pass\ttanstaaf\r\n", [b" pass\t[redacted]"]),
        (b"PASS " + b"tanstaaf" * 1000 + b"\r\n", [b"PASS [redacted]"]),
        (b"PASS tanstaaf\0\r\n", [b"PASS [redacted]"]),
        (b"PASS=tanstaaf\r\n", [b"PASS= [redacted]"]),
        (b"apop=tanstaaf\r\n", [b"apop= [redacted]"]),
        (b"PASS:tanstaaf\r\n", [b"PASS [redacted]"]),
        (b"\0PASS tanstaaf\r\n", [b"\0PASS [redacted]"]),
        (b"APOP mrose tanstaaf\r\n", [b"APOP mrose [redacted]"]),
        (b"AUTH PLAIN dGFuc3RhYWY=\r\n", [b"AUTH PLAIN [redacted]"]),
        (b"AUTH LOGIN\r\nbXJvc2U=\r\ndGFuc3RhYWY=\r\nSTAT\r\nX\r\n",
         [b"AUTH LOGIN", b"[redacted]", b"[redacted]", b"STAT", b"X"]),
        (b"\0AUTH LOGIN\r\nbXJvc2U=\r\ndGFuc3RhYWY=\r\nSTAT\r\nX\r\n",
         [b"\0AUTH LOGIN", b"[redacted]", b"[redacted]", b"STAT", b"X"]),
        (b"STAT\r\n", [b"STAT"]),
        (b"\r\n", [b""]),
        (b"x" * 1000 + b"\r\n", [b"x" * 253]),
    ],
)  # fmt: skip
def test_secrets_are_not_shown(lines: bytes, shown: list[bytes]) -> None:
    server = greeted()
    events = ask(server, lines)
    assert [event.line for event in events if isinstance(event, CommandRefused)] == shown
    assert len(events) == len(shown)
    assert b"tanstaaf" not in server.data_to_send()


def test_lines_after_a_refused_auth_are_not_shown() -> None:
    server = greeted("SASL SCRAM-SHA-1")
    ask(server, b"AUTH SCRAM-SHA-1\r\nbXJvc2U=\r\nNOOP x\r\nX\r\n")
    server.reject("not today")
    first, second, third = server.events()
    assert isinstance(first, CommandRefused)
    assert first.line == b"[redacted]"
    assert isinstance(second, CommandRefused)
    assert second.line == b"NOOP x"
    assert isinstance(third, CommandRefused)
    assert third.line == b"X"


# -- streaming -------------------------------------------------------------------------------------

MESSAGE = b"From: a\r\nTo: b\r\n\r\none\r\n.two\r\n\r\nthree"


def retrieved(line: bytes, message: bytes, cut: int) -> bytes:
    server = logged_in()
    (event,) = ask(server, line + b"\r\nNOOP\r\n")
    server.send(Ok("it follows"))
    assert server.data_to_send() == b"+OK it follows\r\n"
    written = b""
    for start in range(0, len(message), cut):
        assert server.owed is event
        assert not server.wants_data
        assert server.next_event() is None
        server.send(MessageData(message[start : start + cut]))
        written += server.data_to_send()
    server.send(EndOfMessage())
    assert server.owed is None
    assert server.next_event() == Noop()
    return written + server.data_to_send()


cuts = pytest.mark.parametrize("cut", [1, 2, 3, 5, 1000])


@cuts
def test_retr_streams(cut: int) -> None:
    assert retrieved(b"RETR 1", MESSAGE, cut) == (
        b"From: a\r\nTo: b\r\n\r\none\r\n..two\r\n\r\nthree\r\n.\r\n"
    )
    assert retrieved(b"RETR 1", b"", cut) == b".\r\n"
    assert retrieved(b"RETR 1", b"a\nb\rc", cut) == b"a\r\nb\r\nc\r\n.\r\n"


@cuts
@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (0, b""),
        (1, b"one\r\n"),
        (2, b"one\r\n..two\r\n"),
        (3, b"one\r\n..two\r\n\r\n"),
        (4, b"one\r\n..two\r\n\r\nthree\r\n"),
        (5, b"one\r\n..two\r\n\r\nthree\r\n"),
        (9999999999, b"one\r\n..two\r\n\r\nthree\r\n"),
    ],
)
def test_top_is_cut_after_n_lines(lines: int, body: bytes, cut: int) -> None:
    for message in (MESSAGE, MESSAGE.replace(b"\r\n", b"\n"), MESSAGE + b"\r\n"):
        assert retrieved(b"TOP 1 %d" % lines, message, cut) == (
            b"From: a\r\nTo: b\r\n\r\n" + body + b".\r\n"
        )


@cuts
def test_top_of_odd_messages(cut: int) -> None:
    assert retrieved(b"TOP 1 0", b"\r\nbody\r\n", cut) == b"\r\n.\r\n"
    assert retrieved(b"TOP 1 1", b"\r\n.body\r\nmore", cut) == b"\r\n..body\r\n.\r\n"
    assert retrieved(b"TOP 1 0", b"A: b\r\nC: d", cut) == b"A: b\r\nC: d\r\n.\r\n"
    assert retrieved(b"TOP 1 0", b"A: b\r\n", cut) == b"A: b\r\n.\r\n"
    assert retrieved(b"TOP 1 5", b"", cut) == b".\r\n"
    assert retrieved(b"TOP 1 2", b"A: b\r\n\r\n\r\n\r\n\r\n", cut) == b"A: b\r\n\r\n\r\n\r\n.\r\n"


def test_within_a_message_nothing_else_is_sent() -> None:
    server = logged_in()
    (event,) = ask(server, b"RETR 1\r\n")
    server.send(Ok())
    answers: tuple[Callable[[], None], ...] = (
        server.accept,
        server.reject,
        lambda: server.send(Ok()),
        lambda: server.send(Err()),
        lambda: server.authenticated("a"),
    )
    for answer in answers:
        with pytest.raises(LocalProtocolError, match="the message has begun"):
            answer()
    assert server.owed is event
    server.send(MessageData(b"a"))
    server.send(EndOfMessage())
    assert server.data_to_send() == b"+OK\r\na\r\n.\r\n"


@pytest.mark.parametrize("how", ["abort", "shutdown"])
def test_a_message_that_is_cut_off_has_no_end(how: str) -> None:
    server = logged_in()
    ask(server, b"RETR 1\r\n")
    server.send(Ok())
    server.send(MessageData(b"a\r\n"))
    server.data_to_send()
    getattr(server, how)()
    assert server.data_to_send() == b""
    assert list(server.events()) == [ConnectionClosed(False, (Retr(1),))]


def test_a_refused_retr_has_no_message() -> None:
    server = logged_in()
    ask(server, b"RETR 9\r\n")
    server.send(Err("no such message"))
    assert server.next_event() is None
    assert server.wants_data
    with pytest.raises(LocalProtocolError):
        server.send(MessageData(b"a"))


# -- SASL ------------------------------------------------------------------------------------------


def test_the_longest_challenge() -> None:
    """The limit counts the "+ " and CRLF."""
    line = b"+ " + b"eHh4" * 100 + b"\r\n"
    for limit in (len(line), len(line) - 1):
        server = greeted("SASL X", limits=Limits(auth_line=limit))
        ask(server, b"AUTH X\r\n")
        if limit < len(line):
            with pytest.raises(LocalProtocolError, match="longer than a line"):
                server.send(AuthChallenge(b"xxx" * 100))
        else:
            server.send(AuthChallenge(b"xxx" * 100))
            assert server.data_to_send() == line


def test_an_exchange() -> None:
    server = greeted("SASL SCRAM-SHA-1")
    assert ask(server, b"auth scram-sha-1 =\r\n") == [Auth("SCRAM-SHA-1", b"")]
    server.send(AuthChallenge(b"one"))
    assert server.data_to_send() == b"+ b25l\r\n"
    assert state_of(server) is State.AUTH
    assert ask(server, b"dHdv\r\n") == [AuthResponse(b"two")]
    with pytest.raises(LocalProtocolError, match="lets nobody in"):
        server.accept()
    with pytest.raises(LocalProtocolError, match="longer than a line"):
        server.send(AuthChallenge(b"x" * 10_000))
    server.send(AuthChallenge(b""))
    assert server.data_to_send() == b"+ \r\n"
    assert ask(server, b"\r\n") == [AuthResponse(b"")]
    server.authenticated("tim", "Maildrop locked and ready")
    assert server.data_to_send() == b"+OK Maildrop locked and ready\r\n"
    assert state_of(server) is State.TRANSACTION
    assert server.identity == "tim"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"*", b"-ERR Authentication cancelled\r\n"),
        (b"?", b"-ERR Cannot decode the response\r\n"),
        (b"AAA", b"-ERR Cannot decode the response\r\n"),
        (b"=AAA", b"-ERR Cannot decode the response\r\n"),
        (b"A" * 12287, b"-ERR Authentication exchange line is too long\r\n"),
    ],
)
def test_an_exchange_that_is_off(line: bytes, said: bytes) -> None:
    server = greeted("SASL SCRAM-SHA-1")
    ask(server, b"AUTH SCRAM-SHA-1\r\n")
    server.send(AuthChallenge())
    server.data_to_send()
    assert ask(server, line + b"\r\n") == [AuthCancelled()]
    assert server.data_to_send() == said
    assert state_of(server) is State.AUTHORIZATION
    assert ask(server, b"AUTH SCRAM-SHA-1\r\n") == [Auth("SCRAM-SHA-1")]


def test_an_exchange_may_be_long() -> None:
    server = greeted("SASL SCRAM-SHA-1")
    ask(server, b"AUTH SCRAM-SHA-1\r\n")
    server.send(AuthChallenge())
    assert ask(server, b"AAAA" * 3071 + b"\r\n") == [AuthResponse(b"\0" * 9213)]
    server.reject("no", "AUTH")
    assert state_of(server) is State.AUTHORIZATION


def test_too_many_cancelled_exchanges() -> None:
    server = greeted("SASL SCRAM-SHA-1", limits=Limits(refusals=0))
    ask(server, b"AUTH SCRAM-SHA-1\r\n")
    server.send(AuthChallenge())
    server.data_to_send()
    assert ask(server, b"*\r\n") == [AuthCancelled(), ConnectionClosed(False)]
    assert server.data_to_send() == b"-ERR pop.example Too many errors\r\n"


def test_which_mechanisms() -> None:
    server = greeted("SASL PLAIN CRAM-MD5")
    assert b"not offered" in refused(server, b"AUTH LOGIN\r\n")
    assert b"needs TLS" in refused(server, b"AUTH PLAIN AHQAdA==\r\n")
    assert b"the server speaks first" in refused(server, b"AUTH CRAM-MD5 =\r\n")
    assert b"Cannot decode" in refused(server, b"AUTH CRAM-MD5 ?\r\n")
    assert ask(server, b"AUTH CRAM-MD5\r\n") == [Auth("CRAM-MD5")]
    server = greeted("SASL PLAIN", tls=True)
    assert ask(server, b"AUTH PLAIN AHQAdA==\r\n") == [Auth("PLAIN", b"\0t\0t")]


def test_auth_alone_lists_the_mechanisms() -> None:
    server = greeted("SASL PLAIN CRAM-MD5")
    assert ask(server, b"AUTH\r\n") == [Auth()]
    server.accept()
    assert server.data_to_send() == b"+OK Mechanism list follows\r\nCRAM-MD5\r\n.\r\n"
    assert state_of(server) is State.AUTHORIZATION
    assert server.identity is None


# -- TLS -------------------------------------------------------------------------------------------


def test_tls() -> None:
    server = greeted("STLS", "LANG")
    ask(server, b"LANG de\r\n")
    server.send(Ok("de gut"))
    ask(server, b"USER mrose\r\n")
    server.accept()
    assert server.user == "mrose"
    assert ask(server, b"STLS\r\n") == [Stls()]
    server.data_to_send()
    server.accept()
    assert list(server.events()) == [TlsHandshake()]
    assert server.data_to_send() == b"+OK Begin TLS negotiation\r\n"
    assert not server.wants_data
    server.tls_started()
    assert server.tls
    assert server.user is None
    assert state_of(server) is State.AUTHORIZATION
    assert server.wants_data
    assert b"out of order" in refused(server, b"PASS secret\r\n")
    ask(server, b"USER a\r\n")
    server.reject("ä")  # LANG is forgotten too
    assert server.data_to_send() == b"-ERR ?\r\n"
    with pytest.raises(LocalProtocolError, match="no TLS handshake is owed"):
        server.tls_started()


@pytest.mark.parametrize("late", [False, True])
def test_octets_behind_stls_end_the_session(late: bool) -> None:
    server = greeted("STLS")
    assert ask(server, b"STLS\r\n" if late else b"STLS\r\nUSER evil\r\n") == [Stls()]
    if late:
        server.receive_data(b"U")
    server.accept()
    assert server.data_to_send() == b"-ERR Octets in clear behind STLS\r\n"
    assert list(server.events()) == [
        CommandRefused(b"STLS", Err("Octets in clear behind STLS")),
        ConnectionClosed(False),
    ]


def test_a_refused_stls_changes_nothing() -> None:
    server = greeted("STLS")
    ask(server, b"STLS\r\nUSER mrose\r\n")
    server.reject("no certificate")
    assert list(server.events()) == [User("mrose")]


@pytest.mark.parametrize("how", ["eof", "shutdown", "abort"])
def test_the_end_instead_of_the_handshake(how: str) -> None:
    server = greeted("STLS")
    ask(server, b"STLS\r\n")
    server.accept()
    assert list(server.events()) == [TlsHandshake()]
    server.data_to_send()
    if how == "eof":
        server.receive_data(b"")
    else:
        getattr(server, how)()
    assert list(server.events()) == [ConnectionClosed(False)]
    assert server.data_to_send() == b""


# -- ends ------------------------------------------------------------------------------------------


def test_quit_in_the_authorization_state() -> None:
    server = greeted()
    ask(server, b"QUIT\r\nUSER late\r\n")
    assert state_of(server) is State.AUTHORIZATION
    server.accept()
    assert list(server.events()) == [ConnectionClosed(True)]
    server.receive_data(b"USER late\r\n")
    assert list(server.events()) == []


def test_a_refused_quit_still_ends_the_session() -> None:
    server = logged_in()
    ask(server, b"QUIT\r\n")
    server.reject("some deleted messages not removed")
    assert server.data_to_send() == b"-ERR some deleted messages not removed\r\n"
    assert list(server.events()) == [ConnectionClosed(True)]
    assert state_of(server) is State.CLOSED


def test_half_closing_clients_are_served() -> None:
    server = logged_in()
    server.receive_data(b"STAT\r\nQUIT\r\n")
    server.receive_data(b"")
    assert list(server.events()) == [Stat()]
    server.accept(result=MaildropStatus(0, 0))
    assert list(server.events()) == [Quit()]
    server.accept()
    assert list(server.events()) == [ConnectionClosed(True)]


@pytest.mark.parametrize(("rest", "clean"), [(b"", True), (b"STA", False)])
def test_the_client_leaves(rest: bytes, clean: bool) -> None:
    server = logged_in()
    server.receive_data(rest)
    server.receive_data(b"")
    assert list(server.events()) == [ConnectionClosed(clean)]
    assert server.closed
    assert server.user is None


def test_shutdown() -> None:
    server = logged_in()
    server.shutdown()
    assert server.data_to_send() == (
        b"-ERR pop.example Service not available, closing transmission channel\r\n"
    )
    assert list(server.events()) == [ConnectionClosed(True)]
    server.shutdown()
    assert server.data_to_send() == b""
    server = logged_in()
    ask(server, b"STAT\r\nLIST\r\n")
    server.shutdown("Autologout\r\n")
    assert server.data_to_send() == b"-ERR pop.example Autologout\r\n"
    assert list(server.events()) == [ConnectionClosed(True)]
    server = ServerConnection("pop.example")
    server.shutdown("Busy")
    assert server.data_to_send() == b"-ERR pop.example Busy\r\n"


def test_abort() -> None:
    server = logged_in()
    ask(server, b"STAT\r\n")
    server.accept(result=MaildropStatus(0, 0))
    server.next_event()
    ask(server, b"LIST\r\n")
    server.abort()
    assert server.data_to_send() == b""
    assert list(server.events()) == [ConnectionClosed(False, (List(),))]
    with pytest.raises(LocalProtocolError):
        server.reject()


def test_backlog() -> None:
    server = logged_in(limits=Limits(backlog=100))
    ask(server, b"STAT\r\n")
    server.receive_data(b"x" * 100)
    with pytest.raises(LocalProtocolError, match="waiting already"):
        server.receive_data(b"x")
    server.accept(result=MaildropStatus(0, 0))


def test_commands_that_are_only_classes_here() -> None:
    server = logged_in()
    assert ask(server, b"rset\r\n") == [Rset()]
    server.accept()
    server.next_event()
    assert ask(server, b"top 1\r\n") == [Top(1)]
    server.reject()
    server.next_event()
    assert ask(server, b"uidl\r\n") == [Uidl()]
    assert ask(greeted("UTF8"), b"utf8\r\n") == [Utf8()]


def test_a_refused_line_after_user_forgets_the_user() -> None:
    """A pipelined password for the one that was refused is not tried for the one before."""
    conn = ServerConnection("pop.example", tls=True)
    conn.accept()
    conn.receive_data(b"USER alice\r\n")
    for _ in conn.events():
        conn.accept()
    conn.receive_data(b"USER b\xffb\r\nPASS secret\r\n")
    refused = list(conn.events())
    assert [type(event) for event in refused] == [pop3.CommandRefused, pop3.CommandRefused]
    assert conn.user is None
