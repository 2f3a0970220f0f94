"""Maildrop: the numbering and the marks of RFC 1939, and a whole server with one."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from smtpproto import LocalProtocolError, pop3
from smtpproto.pop3 import (
    Capa,
    Dele,
    Err,
    List,
    Maildrop,
    MaildropStatus,
    Noop,
    Ok,
    Quit,
    Response,
    Retr,
    Rset,
    Stat,
    Top,
    Uidl,
    UniqueId,
)


def two() -> Maildrop:
    return Maildrop([("whqtswO00WBw418f9t5JxYwZ", 120), ("QhdPYR:00WBw1Ph7x7", 200)])


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Stat(), Ok("2 320")),
        (List(), Ok("2 messages (320 octets)", lines=["1 120", "2 200"])),
        (List(2), Ok("2 200")),
        (Uidl(), Ok("2 messages (320 octets)",
                    lines=["1 whqtswO00WBw418f9t5JxYwZ", "2 QhdPYR:00WBw1Ph7x7"])),
        (Uidl(2), Ok("2 QhdPYR:00WBw1Ph7x7")),
        (Retr(1), Ok("120 octets")),
        (Top(1, 10), Ok()),
        (Dele(1), Ok("message 1 deleted")),
        (Rset(), Ok("maildrop has 2 messages (320 octets)")),
        (Noop(), Ok()),
        *((command, Err("no such message, only 2 messages in maildrop"))
          for command in (List(3), Uidl(3), Retr(3), Top(3), Dele(9999999999))),
    ],
    ids=repr,
)  # fmt: skip
def test_answers(command: pop3.Command, response: Response) -> None:
    assert two().answer(command) == response


def test_what_is_marked_is_not_there() -> None:
    maildrop = two()
    assert not maildrop.deleted
    maildrop.answer(Dele(1))
    assert list(maildrop.deleted) == [UniqueId(1, "whqtswO00WBw418f9t5JxYwZ")]
    assert maildrop.status == MaildropStatus(1, 200)
    for command in (List(1), Uidl(1), Retr(1), Top(1, 1), Dele(1)):
        assert maildrop.answer(command) == Err("message 1 already deleted")
    # The others keep their numbers.
    assert maildrop.answer(List()) == Ok("1 messages (200 octets)", lines=["2 200"])
    assert maildrop.answer(Uidl()) == Ok("1 messages (200 octets)", lines=["2 QhdPYR:00WBw1Ph7x7"])
    assert maildrop.answer(Stat()) == Ok("1 200")
    maildrop.answer(Dele(2))
    assert [message.number for message in maildrop.deleted] == [1, 2]
    assert maildrop.answer(List()) == Ok("0 messages (0 octets)", lines=[])
    assert maildrop.answer(Rset()) == Ok("maildrop has 2 messages (320 octets)")
    assert not maildrop.deleted
    assert maildrop.answer(Stat()) == Ok("2 320")


def test_unique_ids_by_number() -> None:
    maildrop = two()
    maildrop.answer(Dele(2))
    assert maildrop.uid(2) == "QhdPYR:00WBw1Ph7x7"
    for number in (-1, 0, 3):
        with pytest.raises(LocalProtocolError, match="no message has the number"):
            maildrop.uid(number)


def test_an_empty_maildrop() -> None:
    maildrop = Maildrop()
    assert maildrop.answer(Stat()) == Ok("0 0")
    assert maildrop.answer(List()) == Ok("0 messages (0 octets)", lines=())
    assert maildrop.answer(Retr(1)) == Err("no such message, only 0 messages in maildrop")


@pytest.mark.parametrize("command", [Quit(), Capa(), pop3.User("a")])
def test_what_is_not_about_messages(command: pop3.Command) -> None:
    with pytest.raises(LocalProtocolError, match="not about messages"):
        two().answer(command)


@pytest.mark.parametrize("message", [("", 1), ("a b", 1), ("a" * 71, 1), ("a", -1)])
def test_what_is_no_message(message: tuple[str, int]) -> None:
    with pytest.raises(LocalProtocolError):
        Maildrop([("ok", 1), message])


# -- a whole server --------------------------------------------------------------------------------


class Transport(Protocol):
    def read(self) -> bytes: ...
    def write(self, data: bytes) -> object: ...


class Mailbox(Protocol):
    def listing(self) -> list[tuple[str, int]]: ...
    def read(self, uid: str) -> Iterator[bytes]: ...
    def remove(self, uid: str) -> object: ...


def serve(
    transport: Transport, secrets: Mapping[str, str], mailboxes: Mapping[str, Mailbox]
) -> None:
    conn = pop3.ServerConnection("pop.example")
    maildrop = pop3.Maildrop()
    conn.accept()  # the greeting
    transport.write(conn.data_to_send())
    while not conn.closed:
        conn.receive_data(transport.read())  # b"" says that the client has left
        for event in conn.events():
            match event:
                case pop3.Pass(secret):
                    user = conn.user or ""
                    if user in secrets and hmac.compare_digest(secrets[user], secret):
                        mailbox = mailboxes[user]
                        maildrop = pop3.Maildrop(mailbox.listing())
                        conn.authenticated(user)
                    else:
                        conn.reject("Invalid name or password", code="AUTH")
                case pop3.Retr(number) | pop3.Top(number):
                    answer = maildrop.answer(event)
                    conn.send(answer)
                    if isinstance(answer, pop3.Ok):
                        for piece in mailbox.read(maildrop.uid(number)):
                            conn.send(pop3.MessageData(piece))
                            transport.write(conn.data_to_send())
                        conn.send(pop3.EndOfMessage())
                case pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele() | pop3.Rset():
                    conn.send(maildrop.answer(event))
                case pop3.Quit():
                    for message in maildrop.deleted:
                        mailbox.remove(message.uid)
                    conn.accept()
                case pop3.Request():  # anything else that wants a reply
                    conn.accept()
        transport.write(conn.data_to_send())


class Script:
    """A client that says this, all at once or octet by octet, and then hangs up."""

    def __init__(self, said: bytes, cut: int) -> None:
        self.pieces = [said[start : start + cut] for start in range(0, len(said), cut)]
        self.heard = bytearray()

    def read(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, data: bytes) -> None:
        self.heard += data


class Messages(dict[str, bytes]):
    """A mailbox in memory: the messages by their unique-ids."""

    def listing(self) -> list[tuple[str, int]]:
        return [(uid, len(message)) for uid, message in self.items()]

    def read(self, uid: str) -> Iterator[bytes]:
        for start in range(0, len(self[uid]), 3):
            yield self[uid][start : start + 3]

    def remove(self, uid: str) -> bytes:
        return self.pop(uid)


def mailbox() -> Messages:
    return Messages(a=b"Subject: 1\r\n\r\n.\r\nbye\r\n", b=b"Subject: 2\r\n\r\nx\r\n")


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_whole_server(cut: int) -> None:
    box = mailbox()
    client = Script(
        b"CAPA\r\nUSER mrose\r\nPASS wrong\r\nUSER mrose\r\nPASS secret\r\n"
        b"STAT\r\nLIST\r\nUIDL 2\r\nRETR 1\r\nTOP 1 1\r\nDELE 1\r\nRETR 1\r\nRETR 3\r\nNOOP\r\n"
        b"QUIT\r\n",
        cut,
    )
    serve(client, {"mrose": "secret"}, {"mrose": box})
    assert bytes(client.heard) == (
        b"+OK pop.example POP3 server ready\r\n"
        b"+OK Capability list follows\r\n"
        b"USER\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\n.\r\n"
        b"+OK Send the password\r\n"
        b"-ERR [AUTH] Invalid name or password\r\n"
        b"+OK Send the password\r\n"
        b"+OK Maildrop ready\r\n"
        b"+OK 2 39\r\n"
        b"+OK 2 messages (39 octets)\r\n1 22\r\n2 17\r\n.\r\n"
        b"+OK 2 b\r\n"
        b"+OK 22 octets\r\nSubject: 1\r\n\r\n..\r\nbye\r\n.\r\n"
        b"+OK\r\nSubject: 1\r\n\r\n..\r\n.\r\n"
        b"+OK message 1 deleted\r\n"
        b"-ERR message 1 already deleted\r\n"
        b"-ERR no such message, only 2 messages in maildrop\r\n"
        b"+OK\r\n"
        b"+OK pop.example POP3 server signing off\r\n"
    )
    assert list(box) == ["b"]


@pytest.mark.parametrize("last", [b"RSET\r\nQUIT\r\n", b""])
def test_what_is_not_updated_stays(last: bytes) -> None:
    box = mailbox()
    serve(
        Script(b"USER mrose\r\nPASS secret\r\nDELE 1\r\n" + last, 1000),
        {"mrose": "secret"},
        {"mrose": box},
    )
    assert list(box) == ["a", "b"]


def test_repr() -> None:
    maildrop = Maildrop([("a", 10), ("b", 20)])
    maildrop.answer(pop3.Dele(1))
    assert repr(maildrop) == "<Maildrop of 1 messages, 20 octets, 1 more marked as deleted>"
