"""Parameters are gated by what is offered: 555 on a server, LocalProtocolError on a client.

The table has, for every extension that brings a parameter: the extension, the command, the
parameter as an argument and on the wire, and one with a value that it cannot have.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from smtpproto import LocalProtocolError, smtp
from smtpproto.smtp import Mail, Rcpt, _keywords, ext

NOON = datetime(2030, 1, 2, 12, tzinfo=timezone.utc)
SINCE = smtp.ValidSince(datetime(2014, 4, 3, 23, 1, tzinfo=timezone.utc))

PARAMETERS: list[tuple[list[smtp.Extension], type[Mail] | type[Rcpt], dict[str, Any], str, str]] = [
    ([ext.Size()], Mail, {"size": 5}, "SIZE=5", "SIZE=x"),
    ([ext.EightBitMime()], Mail, {"body": "8BITMIME"}, "BODY=8BITMIME", "BODY=9BIT"),
    (
        [ext.Chunking(), ext.BinaryMime()],
        Mail, {"body": "BINARYMIME"}, "BODY=BINARYMIME", "BODY",
    ),
    (
        [ext.Chunking(), ext.BinaryMime()],  # without 8BITMIME: RFC 3030 section 3
        Mail, {"body": "8BITMIME"}, "BODY=8BITMIME", "BODY=9BIT",
    ),
    ([ext.Auth("CRAM-MD5")], Mail, {"auth": "<>"}, "AUTH=<>", "AUTH=+"),
    ([ext.EightBitMime(), ext.SmtpUtf8()], Mail, {"smtputf8": True}, "SMTPUTF8", "SMTPUTF8=1"),
    ([ext.Dsn()], Mail, {"ret": "HDRS"}, "RET=HDRS", "RET=SOME"),
    ([ext.Dsn()], Mail, {"envid": "q 1"}, "ENVID=q+201", "ENVID=+"),
    ([ext.Dsn()], Rcpt, {"notify": ["DELAY"]}, "NOTIFY=DELAY", "NOTIFY=NEVER,DELAY"),
    ([ext.Dsn()], Rcpt, {"orcpt": "rfc822;c@d"}, "ORCPT=rfc822;c@d", "ORCPT=c@d"),
    ([ext.RequireTls()], Mail, {"requiretls": True}, "REQUIRETLS", "REQUIRETLS=1"),
    ([ext.DeliverBy()], Mail, {"by": "60;R"}, "BY=60;R", "BY=0;R"),
    ([ext.FutureRelease()], Mail, {"holdfor": 60}, "HOLDFOR=60", "HOLDFOR=0"),
    (
        [ext.FutureRelease()],
        Mail, {"holduntil": NOON}, "HOLDUNTIL=2030-01-02T12:00:00Z", "HOLDUNTIL=tomorrow",
    ),
    ([ext.MtPriority()], Mail, {"mt_priority": -3}, "MT-PRIORITY=-3", "MT-PRIORITY=10"),
    (
        [ext.Mtrk()],
        Mail, {"mtrk": "YWI:60", "envid": "1@h"}, "MTRK=YWI:60 ENVID=1@h", "MTRK=YWI:60",
    ),
    ([ext.Rrvs()], Rcpt, {"rrvs": SINCE}, "RRVS=2014-04-03T23:01:00Z", "RRVS=2014"),
    ([ext.NoSoliciting()], Mail, {"solicit": ["a:b"]}, "SOLICIT=a:b", "SOLICIT=:"),
    ([ext.Conperm()], Mail, {"conperm": True}, "CONPERM", "CONPERM=1"),
    ([ext.Conneg()], Rcpt, {"conneg": True}, "CONNEG", "CONNEG=1"),
    ([ext.Checkpoint()], Mail, {"transid": "<a@b>"}, "TRANSID=<a@b>", "TRANSID=a@b"),
    ([ext.Submitter()], Mail, {"submitter": "e@f"}, "SUBMITTER=e@f", "SUBMITTER=<>"),
    ([ext.Unknown("X-THING")], Mail, {"x_thing": "1"}, "X-THING=1", "X-THING="),
]  # fmt: skip
IDS = [wire.partition("=")[0] + row[1].__name__ for row in PARAMETERS for wire in (row[3],)]
BEYOND_A_PARAMETER = {"X-THING"}


def test_the_table_is_complete() -> None:
    brought = {
        keyword
        for row in PARAMETERS
        for one in row[0]
        for keyword in (*one.mail_parameters, *one.rcpt_parameters)
    }
    assert brought == set(_keywords.KEYWORDS)


def command(kind: type[Mail] | type[Rcpt], given: dict[str, Any]) -> Mail | Rcpt:
    return kind("a@b.example", **given)


def server(*extensions: smtp.Extension, tls: bool = True) -> smtp.ServerConnection:
    conn = smtp.ServerConnection("mx.example", extensions=extensions, tls=tls)
    conn.accept()
    conn.receive_data(b"EHLO c.example\r\n")
    conn.next_event()
    conn.accept()
    conn.data_to_send()
    return conn


def client(*extensions: smtp.Extension, tls: bool = True) -> smtp.ClientConnection:
    conn = smtp.ClientConnection(tls=tls)
    conn.send(smtp.Ehlo("c.example"))
    answer = bytes(smtp.Reply(250, "mx.example", *map(str, extensions)))
    conn.receive_data(b"220 mx.example\r\n" + answer)
    list(conn.events())
    conn.data_to_send()
    return conn


def line(kind: type[Mail] | type[Rcpt], parameters: str) -> bytes:
    return f"{kind.verb} {'FROM' if kind is Mail else 'TO'}:<a@b.example> {parameters}\r\n".encode()


def ask(conn: smtp.ServerConnection, kind: type[Mail] | type[Rcpt], parameters: str) -> Any:
    """The event of the command, in a transaction where it needs one."""
    if kind is Rcpt:
        conn.receive_data(b"MAIL FROM:<>\r\n")
        conn.next_event()
        conn.accept()
        conn.data_to_send()
    conn.receive_data(line(kind, parameters))
    return conn.next_event()


@pytest.mark.parametrize(("offered", "kind", "given", "wire", "bad"), PARAMETERS, ids=IDS)
class TestEachParameter:
    def test_where_it_is_offered(
        self, offered: Any, kind: Any, given: Any, wire: str, bad: str
    ) -> None:
        sent = command(kind, given)
        conn = client(*offered)
        if kind is Rcpt:
            conn.send(Mail(None))
            conn.data_to_send()
            conn.receive_data(b"250 OK\r\n")
            list(conn.events())
        conn.send(sent)
        assert conn.data_to_send() == line(kind, wire)
        assert ask(server(*offered), kind, wire) == sent

    def test_where_it_is_not(
        self, offered: Any, kind: Any, given: Any, wire: str, bad: str
    ) -> None:
        refused = ask(server(ext.Pipelining(), ext.EnhancedStatusCodes()), kind, wire)
        assert refused.reply.code == 555
        assert refused.reply.enhanced == smtp.EnhancedStatus(5, 5, 4)
        conn = client(ext.Pipelining())
        if kind is Rcpt:
            conn.send(Mail(None))
            conn.data_to_send()
        with pytest.raises(LocalProtocolError, match=r"is not offered here"):
            conn.send(command(kind, given))
        assert conn.data_to_send() == b""
        conn.send(smtp.Rset())  # nothing has changed

    def test_with_a_bad_value(
        self, offered: Any, kind: Any, given: Any, wire: str, bad: str
    ) -> None:
        refused = ask(server(*offered, ext.EnhancedStatusCodes()), kind, bad)
        assert refused.reply.code == 501
        assert refused.reply.enhanced == smtp.EnhancedStatus(5, 5, 4)
        assert refused.line == line(kind, bad).rstrip()

    def test_given_twice(self, offered: Any, kind: Any, given: Any, wire: str, bad: str) -> None:
        refused = ask(server(*offered), kind, f"{wire} {wire}")
        assert refused.reply.code == 501
        assert "twice" in refused.reply.text

    def test_on_the_other_command(
        self, offered: Any, kind: Any, given: Any, wire: str, bad: str
    ) -> None:
        other = Rcpt if kind is Mail else Mail
        refused = ask(server(*offered), other, wire)
        if wire.partition("=")[0] in BEYOND_A_PARAMETER:
            assert refused.parameters == command(kind, given).parameters
        else:
            assert refused.reply.code == 555


@pytest.mark.parametrize(
    ("offered", "wire", "within", "code", "text"),
    [
        (ext.Size(1000), "SIZE=1001", "SIZE=1000", 552, "at most 1000 octets"),
        (ext.DeliverBy(60), "BY=59;R", "BY=60;R", 555, "60 seconds at least"),
        (ext.DeliverBy(60), "BY=59;R", "BY=-5;N", 555, "60 seconds at least"),
        (ext.FutureRelease(60), "HOLDFOR=61", "HOLDFOR=60", 501, "at most 60 seconds"),
        (
            ext.FutureRelease(60, NOON),
            "HOLDUNTIL=2030-01-02T12:00:01Z", "HOLDUNTIL=2030-01-02T12:00:00Z",
            501, "2030-01-02T12:00:00Z",
        ),
    ],
)  # fmt: skip
def test_values_beyond_what_is_offered(
    offered: smtp.Extension, wire: str, within: str, code: int, text: str
) -> None:
    conn = server(offered)
    refused = ask(conn, Mail, wire)
    assert refused.reply.code == code
    assert text in refused.reply.text
    assert ask(conn, Mail, within).parameters == smtp.Parameters.parse(within)

    sender = client(offered)
    with pytest.raises(LocalProtocolError, match=text):
        sender.send(Mail("a@b.example", smtp.Parameters.parse(wire)))
    sender.send(Mail("a@b.example", smtp.Parameters.parse(within)))


class TestRequireTls:
    """RFC 8689 section 2: offered under TLS only."""

    def test_a_server_in_clear_neither_shows_nor_takes_it(self) -> None:
        conn = smtp.ServerConnection("mx.example", extensions=[ext.RequireTls()])
        conn.accept()
        conn.receive_data(b"EHLO c.example\r\n")
        conn.next_event()
        conn.accept()
        assert b"REQUIRETLS" not in conn.data_to_send()
        assert ask(conn, Mail, "REQUIRETLS").reply.code == 555

    def test_a_server_under_tls_shows_it(self) -> None:
        conn = smtp.ServerConnection("mx.example", extensions=[ext.RequireTls()], tls=True)
        conn.accept()
        conn.receive_data(b"EHLO c.example\r\n")
        conn.next_event()
        conn.accept()
        assert conn.data_to_send().endswith(b"250 REQUIRETLS\r\n")

    def test_a_client_does_not_use_it_in_clear_whatever_the_server_offers(self) -> None:
        conn = client(ext.RequireTls(), tls=False)
        with pytest.raises(LocalProtocolError, match="The parameter REQUIRETLS is not offered"):
            conn.send(Mail("a@b.example", requiretls=True))


def test_a_server_takes_auth_on_mail_only_where_it_shows_auth() -> None:
    """RFC 4954 section 5: the parameter belongs to the extension."""
    assert ask(server(ext.Auth("PLAIN"), tls=False), Mail, "AUTH=<>").reply.code == 555
    assert ask(server(ext.Auth("PLAIN"), tls=True), Mail, "AUTH=<>").auth == "<>"


def test_a_client_does_not_begin_tls_twice_whatever_the_server_offers() -> None:
    with pytest.raises(LocalProtocolError, match="STARTTLS is not offered here"):
        client(ext.StartTls(), tls=True).send(smtp.StartTls())


@pytest.mark.parametrize(
    ("offered", "octets"),
    [
        ([], 512),
        ([ext.Dsn()], 512 + 9 + 107),
        ([ext.Dsn(), ext.Mtrk()], 512 + 9 + 107 + 40),  # ENVID is one parameter, not two
        ([ext.EightBitMime(), ext.Chunking(), ext.BinaryMime()], 512 + 17),
        ([ext.NoSoliciting()], 512 + 1007),
        ([ext.FutureRelease()], 512 + 34),
    ],
)
def test_parameters_lengthen_the_command_line(offered: list[smtp.Extension], octets: int) -> None:
    conn = server(*offered, ext.Unknown("X"))
    assert isinstance(ask(conn, Mail, "X=" + "x" * (octets - len(line(Mail, "X=")))), Mail)
    conn.accept()
    conn.receive_data(b"RSET\r\n")
    conn.next_event()
    conn.accept()
    refused = ask(conn, Mail, "X=" + "x" * (octets + 1 - len(line(Mail, "X="))))
    assert refused.reply.code == 500
