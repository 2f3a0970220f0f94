"""ClientConnection: typed results, pipelining, messages, SASL, TLS, quirks, hostile servers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from smtpproto import LocalProtocolError, RemoteProtocolError, sasl
from smtpproto.pop3 import (
    Apop,
    Auth,
    AuthCancelled,
    AuthChallenge,
    AuthResponse,
    Capa,
    Capabilities,
    ClientConnection,
    Command,
    ConnectionClosed,
    Dele,
    EndOfMessage,
    Err,
    Event,
    Extended,
    Greeting,
    Lang,
    Language,
    Limits,
    List,
    MaildropStatus,
    MessageData,
    Noop,
    Ok,
    Pass,
    Quit,
    Raw,
    ResponseReceived,
    Retr,
    Rset,
    ScanListing,
    ScanListings,
    Stat,
    State,
    Stls,
    TlsHandshake,
    Top,
    Uidl,
    UniqueId,
    UniqueIds,
    User,
    Utf8,
)
from tests.counting import calls

DIGEST = "c4c9334bac560ecc979e58001b3e22fb"


def hear(client: ClientConnection, octets: bytes) -> list[Event]:
    client.receive_data(octets)
    return list(client.events())


def state_of(client: ClientConnection) -> State:
    return client.state


def greeted(*capabilities: str, limits: Limits | None = None) -> ClientConnection:
    """A client that has been greeted, and has read these capabilities."""
    client = ClientConnection(limits=limits or Limits())
    assert hear(client, b"+OK ready\r\n") == [ResponseReceived(Greeting(), Ok("ready"))]
    if capabilities:
        client.send(Capa())
        assert client.data_to_send() == b"CAPA\r\n"
        lines = "".join(f"{line}\r\n" for line in capabilities).encode()
        (event,) = hear(client, b"+OK\r\n" + lines + b".\r\n")
        assert isinstance(event, ResponseReceived)
        assert event.result == Capabilities(capabilities)
    return client


def logged_in(*capabilities: str, limits: Limits | None = None) -> ClientConnection:
    client = greeted(*capabilities, limits=limits)
    for command in (User("mrose"), Pass("secret")):
        client.send(command)
        assert client.data_to_send() == bytes(command)
        assert hear(client, b"+OK\r\n") == [ResponseReceived(command, Ok())]
    assert state_of(client) is State.TRANSACTION
    return client


def asked(command: Command, *, limits: Limits | None = None) -> ClientConnection:
    client = logged_in(limits=limits)
    client.send(command)
    assert client.data_to_send() == bytes(command)
    return client


# -- typed results ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "timestamp"),
    [
        (b"+OK POP3 server ready", None),
        (b"+OK", None),
        (b"+OK ready <1896.697170952@dbc.mtview.ca.us>", "<1896.697170952@dbc.mtview.ca.us>"),
        (b"+OK<a@b>ready", "<a@b>"),
        (b"+OK <> <a> <a@b> <c@d>", "<a@b>"),
        # CVE-2007-1558: what is no msg-id is not digested.
        (b"+OK <a>", None),
        (b"+OK <@b>", None),
        (b"+OK <a@>", None),
        (b"+OK <a b@c>", None),
        (b"+OK <a\x07@c>", "<a?@c>"),
        (b"+OK <\xff\x00@c>".replace(b"\x00", b"\x80"), None),
        (b"+OK <a@b", None),
    ],
)
def test_the_greeting_and_its_timestamp(greeting: bytes, timestamp: str | None) -> None:
    client = ClientConnection()
    assert state_of(client) is State.GREETING
    assert client.timeout == 600
    (event,) = hear(client, greeting + b"\r\n")
    assert isinstance(event, ResponseReceived)
    assert event.command == Greeting()
    assert event.result == timestamp == client.timestamp
    assert state_of(client) is State.AUTHORIZATION


def test_a_refused_greeting_ends_the_session() -> None:
    client = ClientConnection()
    client.send(User("mrose"))
    assert hear(client, b"-ERR [SYS/TEMP] busy <a@b>\r\n+OK\r\n") == [
        ResponseReceived(Greeting(), Err("busy <a@b>", "SYS/TEMP")),
        ConnectionClosed(False, (User("mrose"),)),
    ]
    assert client.timestamp is None
    assert client.data_to_send() == b""


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("command", "wire", "response", "result"),
    [
        (Stat(), b"+OK 2 320\r\n", Ok("2 320"), MaildropStatus(2, 320)),
        (Stat(), b"+OK 2 320 octets, 1 new\r\n", Ok("2 320 octets, 1 new"),
         MaildropStatus(2, 320)),
        (List(), b"+OK 2 messages (320 octets)\r\n1 120\r\n2 200 new\r\n.\r\n",
         Ok("2 messages (320 octets)", lines=["1 120", "2 200 new"]),
         (ScanListing(1, 120), ScanListing(2, 200))),
        (List(), b"+OK 2 320\r\n2 200\r\n.\r\n", Ok("2 320", lines=["2 200"]),
         (ScanListing(2, 200),)),
        (List(), b"+OK\r\n01 0000000000320\r\n02 00000000000\r\n.\r\n",
         Ok(lines=["01 0000000000320", "02 00000000000"]),
         (ScanListing(1, 320), ScanListing(2, 0))),
        (List(), b"+OK\r\n.\r\n", Ok(lines=[]), ()),
        (List(2), b"+OK 2 200\r\n", Ok("2 200"), ScanListing(2, 200)),
        (List(2), b"+OK 2 200 octets\r\n", Ok("2 200 octets"), ScanListing(2, 200)),
        (List(2), b"-ERR no such message\r\n", Err("no such message"), None),
        (Uidl(), b"+OK\r\n1 a b\r\n2 c\r\n.\r\n", Ok(lines=["1 a b", "2 c"]),
         (UniqueId(1, "a"), UniqueId(2, "c"))),
        (Uidl(1), b"+OK 1 a\r\n", Ok("1 a"), UniqueId(1, "a")),
        (Uidl(7), b"+OK a\r\n", Ok("a"), UniqueId(7, "a")),  # Twisted's server
        (Uidl(), b"-ERR [SYS/PERM] x\r\n", Err("x", "SYS/PERM"), None),
        (Capa(), b"+OK\r\nUSER\r\nSASL\r\n\r\n.\r\n", Ok(lines=["USER", "SASL", ""]),
         Capabilities(["USER", "SASL"])),
        (Lang(), b"+OK\r\nen English\r\nde\r\n.\r\n", Ok(lines=["en English", "de"]),
         (Language("en", "English"), Language("de"))),
        (Lang("de"), b"+OK de gut\r\n", Ok("de gut"), None),
        (Noop(), b"+OK\r\n", Ok(), None),
        (Dele(1), b"+OK \r\n", Ok(), None),
        (Extended("XTND", "XMIT"), b"+OK go\r\n", Ok("go"), None),
        (Raw(b"LIST 1\r\n"), b"+OK 1 120\r\n", Ok("1 120"), None),
        (Raw(b"LIST\r\n", multiline=True), b"+OK\r\n..1\r\n.\r\n", Ok(lines=[".1"]), None),
        (Raw(b"LIST\r\n", multiline=True), b"-ERR\r\n", Err(), None),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_typed_results(
    command: Command, wire: bytes, response: Ok, result: object, cut: int
) -> None:
    client = asked(command)
    events: list[Event] = []
    for start in range(0, len(wire), cut):
        assert events == []
        assert client.wants_data
        events += hear(client, wire[start : start + cut])
    (event,) = events
    assert isinstance(event, ResponseReceived)
    assert event.command is command
    assert event.response == response
    assert event.result == result
    assert state_of(client) is State.TRANSACTION


def test_auth_alone_lists_the_mechanisms() -> None:
    client = greeted()
    client.send(Auth())
    assert client.data_to_send() == b"AUTH\r\n"
    (event,) = hear(client, b"+OK\r\nplain\r\nCRAM-MD5 \r\n.\r\n")
    assert event == ResponseReceived(
        Auth(), Ok(lines=["plain", "CRAM-MD5 "]), ("PLAIN", "CRAM-MD5")
    )
    assert state_of(client) is State.AUTHORIZATION


def test_a_long_scan_listing_is_fast() -> None:
    count = 100_000
    wire = b"+OK\r\n" + b"".join(b"%d %d\r\n" % (n, 7 * n) for n in range(1, count + 1)) + b".\r\n"
    client = asked(List())
    begun = time.process_time()
    events: list[Event] = []
    for start in range(0, len(wire), 65536):
        events += hear(client, wire[start : start + 65536])
    assert time.process_time() - begun < 5  # it takes a fifth of a second
    (event,) = events
    assert isinstance(event, ResponseReceived)
    assert isinstance(event.result, Sequence)
    assert len(event.result) == count
    assert event.result[-1] == ScanListing(count, 7 * count)


# -- messages --------------------------------------------------------------------------------------

WIRE = b"From: a\r\n\r\n..one\r\nb\rc\nd\r\n..\r\n"
MESSAGE = b"From: a\r\n\r\n.one\r\nb\rc\nd\r\n.\r\n"


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize("command", [Retr(1), Top(1, 3)])
def test_messages_come_in_pieces(command: Command, cut: int) -> None:
    client = asked(command)
    wire = b"+OK 120 octets\r\n" + WIRE + b".\r\n"
    events: list[Event] = []
    for start in range(0, len(wire), cut):
        events += hear(client, wire[start : start + cut])
    first, *content, last = events
    assert first == ResponseReceived(command, Ok("120 octets"))
    data = [event.data for event in content if isinstance(event, MessageData)]
    assert len(data) == len(content)
    assert all(data)
    assert b"".join(data) == MESSAGE
    assert last == EndOfMessage()
    client.send(Quit())
    assert client.data_to_send() == b"QUIT\r\n"


def test_an_empty_message() -> None:
    client = asked(Retr(1))
    assert hear(client, b"+OK\r\n.\r\n") == [ResponseReceived(Retr(1), Ok()), EndOfMessage()]


def test_a_refused_message() -> None:
    client = asked(Retr(1))
    assert hear(client, b"-ERR [UTF8] no\r\n") == [ResponseReceived(Retr(1), Err("no", "UTF8"))]


def test_a_message_passes_in_constant_memory() -> None:
    client = asked(Retr(1))
    hear(client, b"+OK\r\n")
    piece = b"x" * 65536  # a line without end
    for _ in range(100):
        (event,) = hear(client, piece)
        assert event == MessageData(piece)
        assert len(client._input) == 0


def test_a_message_over_the_limit() -> None:
    client = asked(Retr(1), limits=Limits(message=10))
    assert hear(client, b"+OK\r\n0123")[1:] == [MessageData(b"0123")]
    client.receive_data(b"4567890\r\n.\r\n")
    assert client.next_event() == MessageData(b"456789")
    assert broken(client, b"", "longer than 10 octets") == (Retr(1),)
    client = asked(Retr(1), limits=Limits(message=10))
    wire = b"+OK\r\n..2345678\r\n.\r\n"  # ten octets
    assert hear(client, wire)[-1] == EndOfMessage()


@pytest.mark.parametrize("rest", [b"", b"half\r\n", b"half\r\n."])
def test_a_message_that_is_cut_off(rest: bytes) -> None:
    client = asked(Retr(1))
    events = hear(client, b"+OK\r\n" + rest)
    events += hear(client, b"")
    assert EndOfMessage() not in events
    assert events[-1] == ConnectionClosed(False, (Retr(1),))


# -- pipelining ------------------------------------------------------------------------------------


def test_commands_wait_without_pipelining() -> None:
    client = ClientConnection()
    for command in (User("mrose"), Pass("secret"), Stat(), Quit()):
        client.send(command)
    assert client.data_to_send() == b""
    for heard, said in (
        (b"+OK\r\n", b"USER mrose\r\n"),
        (b"+OK\r\n", b"PASS secret\r\n"),
        (b"+OK\r\n", b"STAT\r\n"),
        (b"+OK 0 0\r\n", b"QUIT\r\n"),
        (b"+OK\r\n", b""),
    ):
        (event, *_) = hear(client, heard)
        assert isinstance(event, ResponseReceived)
        assert client.data_to_send() == said
    assert client.closed


def test_the_next_command_waits_for_the_end_of_a_message() -> None:
    client = asked(Retr(1))
    client.send(Dele(1))
    hear(client, b"+OK\r\nhalf\r\n")
    assert client.data_to_send() == b""
    hear(client, b".\r\n")
    assert client.data_to_send() == b"DELE 1\r\n"


def test_pipelining_where_it_is_offered() -> None:
    client = greeted("PIPELINING")
    for command in (User("mrose"), Pass("secret"), Retr(1), Retr(2), Dele(1), Uidl(), Quit()):
        client.send(command)
    assert client.data_to_send() == (
        b"USER mrose\r\nPASS secret\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nUIDL\r\nQUIT\r\n"
    )
    with pytest.raises(LocalProtocolError, match="no command is"):
        client.send(Noop())
    assert hear(
        client, b"+OK\r\n+OK\r\n+OK\r\none\r\n.\r\n-ERR\r\n+OK\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n"
    ) == [
        ResponseReceived(User("mrose"), Ok()),
        ResponseReceived(Pass("secret"), Ok()),
        ResponseReceived(Retr(1), Ok()),
        MessageData(b"one\r\n"),
        EndOfMessage(),
        ResponseReceived(Retr(2), Err()),
        ResponseReceived(Dele(1), Ok()),
        ResponseReceived(Uidl(), Ok(lines=["1 a"]), (UniqueId(1, "a"),)),
        ResponseReceived(Quit(), Ok()),
        ConnectionClosed(True),
    ]


def test_what_comes_after_a_refused_command_is_refused_too() -> None:
    client = greeted("PIPELINING")
    for command in (User("mrose"), Pass("wrong"), Stat(), List(), Capa()):
        client.send(command)
    assert hear(client, b"+OK\r\n-ERR\r\n-ERR\r\n-ERR\r\n+OK\r\nUSER\r\n.\r\n") == [
        ResponseReceived(User("mrose"), Ok()),
        ResponseReceived(Pass("wrong"), Err()),
        ResponseReceived(Stat(), Err()),
        ResponseReceived(List(), Err()),
        ResponseReceived(Capa(), Ok(lines=["USER"]), Capabilities(["USER"])),
    ]
    assert state_of(client) is State.AUTHORIZATION
    client.send(User("mrose"))


def test_what_may_follow_is_worked_out_again_after_a_refusal() -> None:
    client = greeted("PIPELINING")
    client.send(User("mrose"))
    client.send(Pass("wrong"))
    client.send(Noop())
    hear(client, b"-ERR no mrose here\r\n")
    with pytest.raises(LocalProtocolError, match="in state authorization"):
        client.send(Stat())
    client.send(User("tim"))
    client.send(Pass("secret"))
    client.send(Stat())
    hear(client, b"-ERR\r\n-ERR\r\n+OK\r\n+OK\r\n")
    assert state_of(client) is State.TRANSACTION


def test_a_refusal_leaves_what_is_still_allowed() -> None:
    client = logged_in("PIPELINING")
    client.send(Dele(1))
    client.send(Noop())
    hear(client, b"-ERR\r\n")
    client.send(Stat())
    assert client.data_to_send() == b"DELE 1\r\nNOOP\r\nSTAT\r\n"


def test_pipelined_octets_are_bounded() -> None:
    client = logged_in("PIPELINING", limits=Limits(pipeline_octets=20))
    for number in range(1, 5):
        client.send(Dele(number))
    assert client.data_to_send() == b"DELE 1\r\nDELE 2\r\n"
    hear(client, b"+OK\r\n")
    assert client.data_to_send() == b"DELE 3\r\n"
    client = logged_in("PIPELINING", limits=Limits(pipeline_octets=None))
    for _ in range(1000):
        client.send(Noop())
    assert len(client.data_to_send()) == 6000


def test_refusals_of_what_is_pipelined_take_linear_time() -> None:
    """What is expected after all that is unanswered is not worked out again for each of them."""

    def refused(messages: int) -> int:
        client = logged_in("PIPELINING", limits=Limits(pipeline_octets=None))
        for number in range(1, messages + 1):
            client.send(Dele(number))

        def hear_all() -> None:
            for number in range(1, messages + 1):
                assert hear(client, b"-ERR\r\n") == [ResponseReceived(Dele(number), Err())]
                client.send(Noop())

        return calls(hear_all)

    assert refused(400) < 2.1 * refused(200)


def test_the_state_is_what_responses_have_confirmed() -> None:
    client = greeted("PIPELINING")
    client.send(User("mrose"))
    client.send(Pass("secret"))
    assert state_of(client) is State.AUTHORIZATION
    hear(client, b"+OK\r\n")
    assert state_of(client) is State.USER
    hear(client, b"+OK\r\n")
    assert state_of(client) is State.TRANSACTION
    client.send(Noop())
    client.send(Quit())
    assert state_of(client) is State.TRANSACTION
    hear(client, b"+OK\r\n")
    assert state_of(client) is State.UPDATE
    assert hear(client, b"") == [ConnectionClosed(False, (Quit(),))]


# -- what cannot be sent ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [Stat(), List(), Retr(1), Dele(1), Noop(), Rset(), Pass("secret"), Top(1), Uidl()]
)
def test_what_wants_a_login(command: Command) -> None:
    client = greeted()
    with pytest.raises(
        LocalProtocolError, match="in state authorization: allowed are APOP, AUTH, CAPA, "
    ):
        client.send(command)
    assert client.data_to_send() == b""


@pytest.mark.parametrize(
    "command", [User("a"), Pass("a"), Apop("a", DIGEST), Auth("PLAIN"), Stls(), Utf8(), Auth()]
)
def test_what_comes_before_the_login(command: Command) -> None:
    with pytest.raises(LocalProtocolError, match="in state transaction"):
        logged_in().send(command)


def test_what_is_not_sent_at_all() -> None:
    client = greeted()
    strange: tuple[Any, ...] = (Ok(), AuthChallenge(b""), MessageData(b""), EndOfMessage())
    for item in strange:
        with pytest.raises(TypeError, match="a client sends commands"):
            client.send(item)
    for response in (AuthResponse(b""), AuthCancelled()):
        with pytest.raises(LocalProtocolError, match="none waits"):
            client.send(response)
    client.abort()
    for late in (AuthResponse(b""), Capa(), Raw(b"x")):
        with pytest.raises(LocalProtocolError, match="the session is over"):
            client.send(late)


@pytest.mark.parametrize("command", [Stls(), Utf8(), Lang(), Lang("de")])
def test_what_capa_did_not_list(command: Command) -> None:
    with pytest.raises(LocalProtocolError, match=f"{command.verb} is not offered here"):
        greeted("USER").send(command)
    for client in (greeted(), greeted(command.verb)):  # unknown; known
        client.send(command)
        assert client.data_to_send() == bytes(command)


@pytest.mark.parametrize("command", [User("ü"), Apop("ü", DIGEST)])
def test_names_beyond_ascii(command: Command) -> None:
    for capabilities in ((), ("UTF8",)):
        client = ClientConnection()
        hear(client, b"+OK <a@b>\r\n")
        if capabilities:
            client.send(Capa())
            hear(client, b"+OK\r\nUTF8\r\n.\r\n")
        client.data_to_send()
        with pytest.raises(LocalProtocolError, match="UTF8 USER"):
            client.send(command)
    if isinstance(command, User):
        client = greeted("UTF8 USER")
        client.send(command)
        client.send(Pass("ü"))


def test_a_password_beyond_ascii_needs_utf8_user() -> None:
    """RFC 6856 section 2.2."""
    for capabilities, sent in ((("UTF8",), False), (("UTF8 USER",), True)):
        client = greeted(*capabilities)
        client.send(User("tim"))
        client.data_to_send()
        hear(client, b"+OK\r\n")
        if sent:
            client.send(Pass("\u00fc"))
            assert client.data_to_send() == b"PASS \xc3\xbc\r\n"
        else:
            with pytest.raises(LocalProtocolError, match="UTF8 USER"):
                client.send(Pass("\u00fc"))


def test_apop_wants_a_timestamp() -> None:
    with pytest.raises(LocalProtocolError, match="msg-id") as raised:
        greeted().send(Apop("mrose", DIGEST))
    assert DIGEST not in str(raised.value)
    client = ClientConnection()
    hear(client, b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n")
    assert client.timestamp is not None
    client.send(Apop("mrose", sasl.apop_digest(client.timestamp, "tanstaaf")))
    assert client.data_to_send() == f"APOP mrose {DIGEST}\r\n".encode()
    assert len(hear(client, b"+OK\r\n")) == 1
    assert state_of(client) is State.TRANSACTION


def test_long_commands() -> None:
    client = greeted()
    client.send(User("x" * 248))
    hear(client, b"-ERR\r\n")
    with pytest.raises(LocalProtocolError, match="at most 255"):
        client.send(User("x" * 249))


def test_raw() -> None:
    client = greeted()
    client.send(Raw(b"STAT\r\nSTAT\r\n", replies=2))
    client.send(Raw(b"silent\r\n", replies=0))
    assert client.data_to_send() == b"STAT\r\nSTAT\r\nsilent\r\n"
    command = Raw(b"STAT\r\nSTAT\r\n", replies=2)
    assert hear(client, b"-ERR\r\n+OK x\r\n") == [
        ResponseReceived(command, Err()),
        ResponseReceived(command, Ok("x")),
    ]
    assert client.idle
    assert state_of(client) is State.AUTHORIZATION
    client.send(Quit())
    with pytest.raises(LocalProtocolError, match=r"Raw\(.*cannot be sent in state closed"):
        client.send(Raw(b""))


# -- SASL ------------------------------------------------------------------------------------------


def test_an_exchange_by_hand() -> None:
    client = greeted("SASL X")
    client.send(Auth("X", b""))
    assert client.data_to_send() == b"AUTH X =\r\n"
    with pytest.raises(LocalProtocolError, match="must wait for the reply to AUTH"):
        client.send(Capa())
    assert hear(client, b"+ b25l\r\n") == [AuthChallenge(b"one")]
    assert state_of(client) is State.AUTH
    with pytest.raises(LocalProtocolError, match=r"Raw\(.*cannot be sent in state auth"):
        client.send(Raw(b""))
    with pytest.raises(LocalProtocolError, match="does not fit"):
        client.send(AuthResponse(b"x" * 10_000))
    client.send(AuthResponse(b"two"))
    assert client.data_to_send() == b"dHdv\r\n"
    assert hear(client, b"+\r\n") == [AuthChallenge(b"")]
    client.send(AuthResponse(b""))
    assert client.data_to_send() == b"\r\n"
    assert hear(client, b"+OK\r\n") == [ResponseReceived(Auth("X", b""), Ok())]
    assert state_of(client) is State.TRANSACTION


def test_cancelling() -> None:
    client = greeted()
    client.send(Auth("X"))
    hear(client, b"+ \r\n")
    client.data_to_send()
    client.send(AuthCancelled())
    assert client.data_to_send() == b"*\r\n"
    assert hear(client, b"-ERR\r\n") == [ResponseReceived(Auth("X"), Err())]
    assert state_of(client) is State.AUTHORIZATION
    client.send(Auth("Y"))


def test_a_challenge_that_cannot_be_decoded_is_cancelled() -> None:
    client = greeted()
    client.send(Auth("X"))
    client.data_to_send()
    assert hear(client, b"+ ?\r\n") == []
    assert client.data_to_send() == b"*\r\n"
    assert hear(client, b"-ERR\r\n") == [ResponseReceived(Auth("X"), Err())]


def test_no_initial_response_where_sasl_is_not_shown() -> None:
    for client in (greeted(), greeted("USER")):
        with pytest.raises(LocalProtocolError, match="RFC 5034") as raised:
            client.send(Auth("PLAIN", b"\0tim\0tanstaaf"))
        assert "tanstaaf" not in str(raised.value)
        client.data_to_send()
        client.send(Auth("PLAIN"))
        assert client.data_to_send() == b"AUTH PLAIN\r\n"


# -- authenticate ----------------------------------------------------------------------------------


def run(client: ClientConnection, script: list[tuple[bytes, bytes]]) -> list[Event]:
    """Each time: what the client must have written, and what it hears then."""
    events: list[Event] = []
    for written, heard in script:
        assert client.data_to_send() == written
        events += hear(client, heard)
    return events


def test_authenticate_with_an_initial_response() -> None:
    client = greeted("SASL PLAIN")
    client.authenticate(sasl.PlainClient("tim", "tanstaaf"))
    command = Auth("PLAIN", b"\0tim\0tanstaaf")
    assert run(client, [(bytes(command), b"+OK in\r\n")]) == [ResponseReceived(command, Ok("in"))]
    assert state_of(client) is State.TRANSACTION


@pytest.mark.parametrize("capabilities", [(), ("SASL PLAIN",)])
def test_authenticate_after_the_empty_challenge(capabilities: tuple[str, ...]) -> None:
    client = greeted(*capabilities)
    secret = "x" * 300 if capabilities else "tanstaaf"
    client.authenticate(sasl.PlainClient("tim", secret))
    line = bytes(Auth("PLAIN", b"\0tim\0" + secret.encode()))[len("AUTH PLAIN ") :]
    assert run(client, [(b"AUTH PLAIN\r\n", b"+ \r\n"), (line, b"+OK\r\n")]) == [
        ResponseReceived(Auth("PLAIN"), Ok())
    ]


def test_authenticate_where_the_server_speaks_first() -> None:
    client = greeted("SASL CRAM-MD5")
    client.authenticate(sasl.CramMd5Client("tim", "tanstaaftanstaaf"))
    # RFC 2195 section 2
    assert run(
        client,
        [
            (
                b"AUTH CRAM-MD5\r\n",
                b"+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n",
            ),
            (b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n", b"+OK\r\n"),
        ],
    ) == [ResponseReceived(Auth("CRAM-MD5"), Ok())]


def test_authenticate_that_is_refused() -> None:
    client = greeted("SASL PLAIN LOGIN")
    client.authenticate(sasl.PlainClient("tim", "wrong"))
    client.data_to_send()
    (event,) = hear(client, b"-ERR [AUTH] no\r\n")
    assert isinstance(event, ResponseReceived)
    assert event.response == Err("no", "AUTH")
    client.authenticate(sasl.LoginClient("tim", "right"))
    assert run(
        client,
        [(b"AUTH LOGIN\r\n", b"+ VXNlcm5hbWU6\r\n"), (b"dGlt\r\n", b"+ UGFzc3dvcmQ6\r\n"),
         (b"cmlnaHQ=\r\n", b"+OK\r\n")],
    ) == [ResponseReceived(Auth("LOGIN"), Ok())]  # fmt: skip


class Mechanism:
    """A mechanism of somebody else's."""

    name = "X"

    def __init__(self, *responses: bytes | Exception | None, complete: bool = True) -> None:
        self.responses: Iterator[bytes | Exception | None] = iter(responses)
        self.complete = complete
        self.challenges: list[bytes | None] = []

    def respond(self, challenge: bytes | None) -> bytes | None:
        self.challenges.append(challenge)
        response = next(self.responses)
        if isinstance(response, Exception):
            raise response
        return response


def test_an_initial_response_goes_with_auth_where_it_just_fits() -> None:
    line = b"AUTH X " + b"eHh4" * 50 + b"\r\n"
    for limit, written in ((len(line), line), (len(line) - 1, b"AUTH X\r\n")):
        client = greeted("SASL X", limits=Limits(command_line=limit))
        client.authenticate(Mechanism(b"xxx" * 50))
        assert client.data_to_send() == written


@pytest.mark.parametrize(
    ("responses", "heard"),
    [
        ((None, None), b"+ b25l\r\n"),  # it gives up
        ((None, RuntimeError("a bug")), b"+ b25l\r\n"),  # it raises
        ((None, b"x" * 10_000), b"+ b25l\r\n"),  # too long a line
        ((None,), b"+ ?\r\n"),  # no base64: it is not even asked
        ((b"x" * 300,), b"+ b25l\r\n"),  # a challenge before the initial response
    ],
)
@pytest.mark.parametrize("answer", [b"-ERR\r\n", b"+OK\r\n"])
def test_authenticate_that_is_given_up(
    responses: tuple[bytes | None], heard: bytes, answer: bytes
) -> None:
    client = greeted("SASL X")
    mechanism = Mechanism(*responses)
    client.authenticate(mechanism)
    assert run(client, [(b"AUTH X\r\n", heard)]) == []
    assert client.data_to_send() == b"*\r\n"
    client.receive_data(answer)
    if answer == b"-ERR\r\n":
        assert list(client.events()) == [ResponseReceived(Auth("X"), Err())]
        assert state_of(client) is State.AUTHORIZATION
        return
    with pytest.raises(RemoteProtocolError, match="before it was complete"):
        client.next_event()
    assert list(client.events()) == [ConnectionClosed(False, (Auth("X"),))]


@pytest.mark.parametrize(
    "mechanism", [Mechanism(b"initial", complete=False), Mechanism(b"x" * 300, complete=True)]
)
def test_success_before_the_mechanism_is_complete(mechanism: Mechanism) -> None:
    client = greeted("SASL X")
    client.authenticate(mechanism)
    client.data_to_send()
    client.receive_data(b"+OK welcome\r\n")
    with pytest.raises(RemoteProtocolError, match="X has succeeded, before it was complete"):
        client.next_event()
    (end,) = client.events()
    assert isinstance(end, ConnectionClosed)
    assert not end.clean


def test_authenticate_checks_before_it_asks_the_mechanism() -> None:
    mechanism = Mechanism(b"")
    waiting = greeted()
    waiting.send(Auth("Y"))
    closed = greeted()
    closed.abort()
    for client in (logged_in(), waiting, closed):
        with pytest.raises(LocalProtocolError):
            client.authenticate(mechanism)
    assert mechanism.challenges == []
    mechanism.name = "not a name"
    with pytest.raises(LocalProtocolError, match="no SASL mechanism name"):
        greeted().authenticate(mechanism)


def test_while_a_mechanism_runs_nobody_else_answers() -> None:
    client = greeted()
    client.authenticate(Mechanism(None, b"one"))
    hear(client, b"+ \r\n")
    for item in (AuthResponse(b""), AuthCancelled(), Capa()):
        with pytest.raises(LocalProtocolError):
            client.send(item)
    assert client.data_to_send() == b"AUTH X\r\nb25l\r\n"


# -- TLS -------------------------------------------------------------------------------------------


def test_tls() -> None:
    client = ClientConnection()
    hear(client, b"+OK <a@b>\r\n")
    client.send(Capa())
    hear(client, b"+OK\r\nSTLS\r\nPIPELINING\r\n.\r\n")
    client.send(Capa())
    client.send(Stls())
    with pytest.raises(LocalProtocolError, match="STLS"):
        client.send(User("mrose"))
    assert client.data_to_send().endswith(b"CAPA\r\nSTLS\r\n")
    assert hear(client, b"+OK\r\nSTLS\r\n.\r\n+OK begin\r\n")[1:] == [
        ResponseReceived(Stls(), Ok("begin")),
        TlsHandshake(),
    ]
    assert state_of(client) is State.TLS
    assert not client.wants_data
    with pytest.raises(LocalProtocolError, match="handshake"):
        client.send(User("mrose"))
    client.tls_started()
    assert client.tls
    assert client.wants_data
    assert client.capabilities == Capabilities()
    assert client.timestamp is None
    with pytest.raises(LocalProtocolError, match="before TLS"):
        client.send(Apop("a", DIGEST))
    with pytest.raises(LocalProtocolError, match="TLS is active"):
        client.send(Stls())
    client.send(User("mrose"))
    assert client.data_to_send() == b"USER mrose\r\n"


def test_no_stls_after_utf8() -> None:
    client = greeted()
    client.send(Utf8())
    with pytest.raises(LocalProtocolError, match="must precede UTF8"):
        client.send(Stls())
    hear(client, b"-ERR\r\n")
    client.send(Stls())
    hear(client, b"-ERR\r\n")
    assert state_of(client) is State.AUTHORIZATION
    client.send(Utf8())
    hear(client, b"+OK\r\n")
    with pytest.raises(LocalProtocolError, match="must precede UTF8"):
        client.send(Stls())


def test_octets_in_clear_behind_stls() -> None:
    client = greeted()
    client.send(Stls())
    client.receive_data(b"+OK begin\r\n+OK injected\r\n")
    assert client.next_event() == ResponseReceived(Stls(), Ok("begin"))
    with pytest.raises(RemoteProtocolError, match="in clear"):
        client.next_event()
    assert list(client.events()) == [ConnectionClosed(False)]


def test_the_server_leaves_instead_of_the_handshake() -> None:
    client = greeted()
    client.send(Stls())
    assert hear(client, b"+OK\r\n")[1:] == [TlsHandshake()]
    assert client.next_event() is None
    client.receive_data(b"")
    assert list(client.events()) == [ConnectionClosed(False)]


# -- hostile servers -------------------------------------------------------------------------------


def broken(client: ClientConnection, octets: bytes, expected: str) -> tuple[Event, ...]:
    """The octets are a RemoteProtocolError, once; then comes the end and nothing more."""
    client.receive_data(octets)
    with pytest.raises(RemoteProtocolError, match=expected):
        list(client.events())
    *_, end = client.events()
    assert isinstance(end, ConnectionClosed)
    assert not end.clean
    assert client.closed
    client.receive_data(b"+OK more\r\n")
    assert client.next_event() is None
    return end.unanswered


@pytest.mark.parametrize(
    ("command", "heard", "expected"),
    [
        (Noop(), b"250 OK\r\n", r"expected a response, \+OK or -ERR"),
        (Noop(), b"+ok\r\n", r"expected a response"),
        (Noop(), b"\r\n", r"expected a response"),
        (Noop(), b"+OK a\0b\r\n", "bare CR, LF or NUL"),
        (Noop(), b"+ b25l\r\n", r"cannot answer Noop\(\) in state transaction: expected \+OK"),
        (Noop(), b"x" * 12288, "longer than 12288 octets"),
        (Noop(), b"x" * 20000 + b"\r\n", "longer than 12288 octets"),
        (Noop(), b"+OK " + b"x" * 2043 + b"\r\n", "longer than 2048 octets"),
        (List(), b"+OK\r\n1 1\n2 2\r\n.\r\n", "bare"),
        # No exchange has begun.
        (Raw(b"AUTH X\r\n"), b"+ eA==\r\n", r"cannot answer Raw.* expected \+OK, -ERR$"),
        (Capa(), b"+OK\r\nTOP\0\r\n.\r\n", "NUL"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cut", [False, True])
def test_answers_that_are_none(command: Command, heard: bytes, expected: str, cut: bool) -> None:
    client = asked(command)
    if cut and len(heard) < 12288:
        assert hear(client, heard[:-1]) == []
        heard = heard[-1:]
    assert broken(client, heard, expected) == (command,)


ABOUT_NOTHING = [
    (Stat(), b"+OK\r\n", "the number of messages and of their octets"),
    (Stat(), b"+OK 2 messages (320 octets)\r\n", "the number of messages"),
    (List(1), b"+OK\r\n", "a message-number"),
    (List(1), b"+OK 99 1024\r\n", "a listing of message 1"),
    (Uidl(1), b"+OK one a\r\n", "a message-number and a unique-id"),
    (Uidl(1), b"+OK\r\n", "a message-number and a unique-id"),
]


@pytest.mark.parametrize(("command", "heard", "expected"), ABOUT_NOTHING)
def test_an_answer_that_cannot_be_read_costs_that_answer(
    command: Command, heard: bytes, expected: str
) -> None:
    client = asked(command)
    (event,) = hear(client, heard)
    assert isinstance(event, ResponseReceived)
    assert (event.command, event.result) == (command, None)
    client.send(List())
    client.data_to_send()
    (event,) = hear(client, b"+OK\r\n1 320\r\n.\r\n")
    assert isinstance(event, ResponseReceived)
    assert event.result == (ScanListing(1, 320),)


@pytest.mark.parametrize(("command", "heard", "expected"), ABOUT_NOTHING)
def test_with_others_unanswered_the_answers_may_have_shifted(
    command: Command, heard: bytes, expected: str
) -> None:
    client = logged_in("PIPELINING")
    client.send(command)
    client.send(Dele(1))
    assert client.data_to_send() == bytes(command) + b"DELE 1\r\n"
    assert broken(client, heard, expected) == (command, Dele(1))


def test_a_listing_has_no_number_above_the_count_of_stat() -> None:
    """Unless messages are marked as deleted, which STAT does not count."""
    client = logged_in()
    for command, answer in (
        (Stat(), b"+OK 2 30\r\n"),
        (List(), b"+OK\r\n1 10\r\n2 20\r\n3 30\r\n.\r\n"),
        (Dele(1), b"+OK\r\n"),
        (Stat(), b"+OK 1 20\r\n"),
        (Rset(), b"+OK\r\n"),
        (Stat(), b"+OK 2 30\r\n"),
        (Uidl(), b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n"),
    ):
        client.send(command)
        client.data_to_send()
        (event,) = hear(client, answer)
        assert isinstance(event, ResponseReceived)
        if isinstance(command, List):
            assert isinstance(event.result, ScanListings)
            assert (list(event.result), event.result.unread) == ([(1, 10), (2, 20)], ("3 30",))
    assert isinstance(event, ResponseReceived)
    assert isinstance(event.result, UniqueIds)
    assert (list(event.result), event.result.unread) == ([(1, "a"), (2, "b")], ("3 c",))


def test_the_longest_response() -> None:
    """2048 octets, with its CRLF."""
    (event,) = hear(asked(Noop()), b"+OK " + b"x" * 2042 + b"\r\n")
    assert event == ResponseReceived(Noop(), Ok("x" * 2042))


def test_an_endless_line_is_not_waited_for() -> None:
    client = asked(Noop())
    for _ in range(12287):
        assert hear(client, b"x") == []
    assert broken(client, b"x", "longer than 12288 octets") == (Noop(),)


def test_a_list_over_the_limit() -> None:
    client = asked(List(), limits=Limits(list=100))
    client.receive_data(b"+OK\r\n" + b"1 1\r\n" * 20)
    assert client.next_event() is None
    assert broken(client, b"1 1\r\n", "longer than 100 octets") == (List(),)


@pytest.mark.parametrize("command", [Capa(), Lang(), Auth()])
def test_a_list_that_no_maildrop_lengthens_has_a_limit_of_its_own(command: Command) -> None:
    client = greeted(limits=Limits(list=50, short_list=100))
    client.send(command)
    client.receive_data(b"+OK\r\n" + b"X 1\r\n" * 20)
    assert client.next_event() is None
    assert broken(client, b"X 1\r\n", "longer than 100 octets") == (command,)


def test_an_endless_line_in_a_list() -> None:
    client = asked(Uidl(), limits=Limits(list=100_000))
    client.receive_data(b"+OK\r\n1 ")
    assert client.next_event() is None
    assert broken(client, b"x" * 100_000, "longer than 100000 octets") == (Uidl(),)


@pytest.mark.parametrize("heard", [b"+OK\r\n", b"+ \r\n", b"x\r\n"])
def test_answers_that_nobody_asked_for(heard: bytes) -> None:
    assert broken(logged_in(), heard, "answers nothing|expected a response") == ()


def test_servers_may_say_why_they_leave() -> None:
    client = logged_in()
    assert hear(client, b"-ERR Disconnected for inactivity\r\n+OK\r\n") == [
        ResponseReceived(None, Err("Disconnected for inactivity")),
        ConnectionClosed(True),
    ]


def test_a_login_that_cannot_be() -> None:
    client = greeted("PIPELINING")
    client.send(User("mrose"))
    client.send(Pass("secret"))
    client.data_to_send()
    expected = r"cannot answer Pass\(secret=REDACTED\) in state authorization: expected -ERR"
    assert broken(client, b"-ERR\r\n+OK\r\n", expected) == (Pass("secret"),)


def test_a_greeting_that_is_none() -> None:
    greeting = (Greeting(),)
    assert broken(ClientConnection(), b"220 smtp.example\r\n", "expected a response") == greeting
    assert broken(ClientConnection(), b"+ \r\n", r"cannot answer Greeting\(\)") == greeting


# -- ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [b"+OK\r\n", b"-ERR not removed\r\n"])
def test_quit(heard: bytes) -> None:
    client = asked(Quit())
    event, end = hear(client, heard + b"junk")
    assert isinstance(event, ResponseReceived)
    assert event.command == Quit()
    assert end == ConnectionClosed(True)
    assert state_of(client) is State.CLOSED


def test_the_server_leaves() -> None:
    client = logged_in()
    assert hear(client, b"") == [ConnectionClosed(True)]
    client = asked(Stat())
    client.send(List())
    assert hear(client, b"") == [ConnectionClosed(False, (Stat(), List()))]
    client = logged_in()
    client.receive_data(b"-ER")
    assert hear(client, b"") == [ConnectionClosed(False)]
    assert hear(ClientConnection(), b"") == [ConnectionClosed(False, (Greeting(),))]
    client = greeted()
    client.send(Auth("X"))
    hear(client, b"+ \r\n")
    assert hear(client, b"") == [ConnectionClosed(False)]


def test_abort() -> None:
    client = logged_in()
    client.send(Stat())
    client.abort()
    assert client.data_to_send() == b""
    assert list(client.events()) == [ConnectionClosed(False, (Stat(),))]
    client.receive_data(b"+OK 1 1\r\n")
    assert client.next_event() is None


def test_backlog() -> None:
    client = greeted(limits=Limits(backlog=10))
    client.receive_data(b"-ERR bye\r\n")
    with pytest.raises(LocalProtocolError, match="waiting already"):
        client.receive_data(b"x")
