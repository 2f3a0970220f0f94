"""What a pattern binds has a type: mypy refuses any Any in this file (pyproject.toml)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import smtpproto
from smtpproto import pop3, sasl, smtp
from smtpproto.events import Event


def of_smtp(event: Event) -> Sequence[object]:
    match event:
        case smtp.Ehlo(domain):
            return [domain.upper()]
        case smtp.Mail(reverse_path, parameters):
            return [reverse_path and reverse_path.domain, parameters.get("SIZE")]
        case smtp.Rcpt(forward_path):
            return [forward_path.local_part.upper()]
        case smtp.Bdat(size, last):
            return [size + 1, last]
        case smtp.Auth(mechanism, initial_response):
            return [mechanism.upper(), initial_response and initial_response.upper()]
        case smtp.MessageData(data):
            return [data.upper()]
        case smtp.ReplyReceived(smtp.Noop(argument), smtp.Reply(code, lines)):
            return [argument and argument.upper(), code + 1, lines.count("OK")]
        case smtp.ConnectionClosed(clean, unanswered):
            return [clean, unanswered.count(smtp.Quit())]
        case _:
            return []


def of_pop3(event: Event) -> Sequence[object]:
    match event:
        case pop3.User(name):
            return [name.upper()]
        case pop3.List(None):
            return ["all"]
        case pop3.Retr(number) | pop3.Top(number):
            return [number + 1]
        case pop3.ResponseReceived(pop3.Stat(), pop3.Ok(text), pop3.MaildropStatus(count, octets)):
            return [text.upper(), count + 1, octets + 1]
        case pop3.ResponseReceived(pop3.List(), _, pop3.ScanListing(number, octets)):
            return [number + 1, octets + 1]
        case pop3.ResponseReceived(pop3.List(), _, pop3.ScanListings() as listing):
            return [scan.octets + 1 for scan in listing]
        case pop3.ResponseReceived(pop3.Uidl(), _, pop3.UniqueIds() as listing):
            return [unique.uid.upper() for unique in listing]
        case _:
            return []


if TYPE_CHECKING:
    from typing_extensions import assert_never

    # Checked and never run: a `match` that names each event of a connection has all of them.

    def smtp_server(conn: smtp.ServerConnection) -> None:
        for event in conn.events():
            match event:
                case smtp.MessageData() | smtp.MessageRefused() | smtp.CommandRefused():
                    pass
                case smtp.AuthCancelled() | smtp.TlsHandshake() | smtp.ConnectionClosed():
                    pass
                case smtp.Greeting() | smtp.EndOfMessage() | smtp.ChunkReceived():
                    conn.accept()
                case smtp.AuthResponse() | smtp.Command():
                    conn.accept()
                case _:
                    assert_never(event)

    def smtp_client(conn: smtp.ClientConnection) -> None:
        event = conn.next_event()
        match event:
            case smtp.ReplyReceived() | smtp.AuthChallenge() | smtp.TlsHandshake():
                pass
            case smtp.ConnectionClosed() | None:
                pass
            case _:
                assert_never(event)

    def pop3_server(conn: pop3.ServerConnection) -> None:
        for event in conn.events():
            match event:
                case pop3.CommandRefused() | pop3.AuthCancelled() | pop3.TlsHandshake():
                    pass
                case pop3.ConnectionClosed():
                    pass
                case pop3.Request():
                    conn.accept()
                case _:
                    assert_never(event)

    def pop3_client(conn: pop3.ClientConnection) -> None:
        for event in conn.events():
            match event:
                case pop3.ResponseReceived() | pop3.MessageData() | pop3.EndOfMessage():
                    pass
                case pop3.AuthChallenge() | pop3.TlsHandshake() | pop3.ConnectionClosed():
                    pass
                case _:
                    assert_never(event)


def of_sasl(step: sasl.Step) -> Sequence[object]:
    match step:
        case sasl.Credentials(_, user, password):
            return [user.upper(), password.upper()]
        case _:
            return []


def test_of_smtp() -> None:
    assert of_smtp(smtp.Ehlo("a.example")) == ["A.EXAMPLE"]
    assert of_smtp(smtp.Mail("a@b.example", size=7)) == ["b.example", 7]
    assert of_smtp(smtp.Rcpt("a@b.example")) == ["A"]
    assert of_smtp(smtp.Bdat(1, True)) == [2, True]
    assert of_smtp(smtp.Auth("PLAIN", b"a")) == ["PLAIN", b"A"]
    assert of_smtp(smtp.MessageData(b"a")) == [b"A"]
    assert of_smtp(smtp.ReplyReceived(smtp.Noop("a"), smtp.Reply(250, "OK"))) == ["A", 251, 1]
    assert of_smtp(smtp.ConnectionClosed(False, (smtp.Quit(),))) == [False, 1]
    assert of_smtp(smtp.Data()) == []


def test_of_pop3() -> None:
    assert of_pop3(pop3.User("a")) == ["A"]
    assert of_pop3(pop3.List()) == ["all"]
    assert of_pop3(pop3.Retr(1)) == of_pop3(pop3.Top(1, 0)) == [2]
    answer, status = pop3.Ok("a"), pop3.MaildropStatus(1, 2)
    assert of_pop3(pop3.ResponseReceived(pop3.Stat(), answer, status)) == ["A", 2, 3]
    one = pop3.ScanListing(1, 2)
    assert of_pop3(pop3.ResponseReceived(pop3.List(1), answer, one)) == [2, 3]
    scans = pop3.ScanListings([pop3.ScanListing(1, 10), pop3.ScanListing(2, 20)])
    assert of_pop3(pop3.ResponseReceived(pop3.List(), answer, scans)) == [11, 21]
    uniques = pop3.UniqueIds([pop3.UniqueId(1, "a"), pop3.UniqueId(2, "b")])
    assert of_pop3(pop3.ResponseReceived(pop3.Uidl(), answer, uniques)) == ["A", "B"]
    assert of_pop3(pop3.Quit()) == []


def test_of_sasl() -> None:
    assert of_sasl(sasl.Credentials(None, "a", "b")) == ["A", "B"]
    assert of_sasl(sasl.Success("a")) == []


def test_subpackages_are_loaded_when_they_are_asked_for() -> None:
    loaded = "import sys, smtpproto; print('smtpproto.smtp' in sys.modules)"
    asked = "smtpproto.smtp.Mail; print('smtpproto.smtp' in sys.modules, hasattr(smtpproto, 'x'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{loaded}; {asked}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\nTrue False\n"
    assert smtpproto.pop3.Noop() == pop3.Noop()
