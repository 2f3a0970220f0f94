"""Recordings: every form in which people write a session down, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpproto.explain import _recording as recording
from smtpproto.explain._recording import Dialogue, Directions, NotARecording, Said, Side, Switch


def dialogue(tmp_path: Path, text: str | bytes) -> Dialogue:
    file = tmp_path / "session.txt"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return Dialogue(file)


def client() -> Side:
    return "C"


def server() -> Side:
    return "S"


FORMS = {
    "as the RFCs print it": "S: 220 mx\nC: EHLO me\nS: 250 mx\n",
    "without the space": "S:220 mx\nC:EHLO me\nS:250 mx\n",
    "indented, with CRLF": "   S: 220 mx\r\n   C: EHLO me\r\n   S: 250 mx\r\n",
    "sendmail -v": "220 mx\n>>> EHLO me\n250 mx\n",
    "both marked": "<<< 220 mx\n>>> EHLO me\n<<< 250 mx\n",
    "swaks": "<-  220 mx\n -> EHLO me\n<-  250 mx\n",
    "swaks under TLS": "<~  220 mx\n ~> EHLO me\n<~  250 mx\n",
    "curl -v": "< 220 mx\n> EHLO me\n< 250 mx\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(tmp_path: Path, form: str) -> None:
    assert list(dialogue(tmp_path, FORMS[form]).steps(client)) == [
        Said("S", b"220 mx\r\n", 1),
        Said("C", b"EHLO me\r\n", 2),
        Said("S", b"250 mx\r\n", 3),
    ]


def test_what_nobody_said_is_passed_over(tmp_path: Path) -> None:
    session = (
        "\ufeff# a comment\n\n* Connected to mx\n=== Trying mx:25...\n{ [5 bytes data]\n"
        "} [5 bytes data]\n   \nS: 220 mx"
    )
    assert list(dialogue(tmp_path, session).steps(client)) == [Said("S", b"220 mx\r\n", 8)]


def test_refusals_of_swaks_and_replies_without_a_mark(tmp_path: Path) -> None:
    session = "<** 550 no\n<~* 550 no\n-ERR no\n+OK\n221\n"
    assert [said.octets for said in dialogue(tmp_path, session).said("S")] == [
        b"550 no\r\n",
        b"550 no\r\n",
        b"-ERR no\r\n",
        b"+OK\r\n",
        b"221\r\n",
    ]


def test_only_one_space_belongs_to_the_mark(tmp_path: Path) -> None:
    session = dialogue(tmp_path, "C:  two\nC: \nC:\nS: 334 \nC: > quoted\n")
    assert [said.octets for said in session.said("C")] == [
        b" two\r\n",
        b"\r\n",
        b"\r\n",
        b"> quoted\r\n",
    ]
    assert [said.octets for said in session.said("S")] == [b"334 \r\n"]


def test_octets_stay_as_they_are(tmp_path: Path) -> None:
    session = dialogue(tmp_path, b"C: \xff\0\r\x80\n")
    assert list(session.said("C")) == [Said("C", b"\xff\0\r\x80\r\n", 1)]


def test_switches_and_offers(tmp_path: Path) -> None:
    session = dialogue(tmp_path, "# offers: EXPN SEND\nTLS\nREVERSED\n# offers: SAML\n")
    assert list(session.steps(client)) == [Switch("TLS", 2), Switch("REVERSED", 3)]
    assert session.offers == ("EXPN", "SEND", "SAML")


def test_pieces_with_escapes(tmp_path: Path) -> None:
    session = dialogue(tmp_path, r"C> a\r\n\\\x00{3*x}{2*\xff}{1*\n}{x*y}\q")
    assert list(session.said("C")) == [Said("C", b"a\r\n\\\0xxx\xff\xff\n{x*y}\\q", 1)]


@pytest.mark.parametrize(
    ("session", "complaint"),
    [
        ("S: 220 mx\nEHLO me\n", ":2: expected C: or S: and what that side said, got b'EHLO me'"),
        (b"\x7fELF", ":1: expected C: or S: and what that side said, got b'\\x7fELF'"),
        ("C> {9999999*x}\nC> {9999999*x}\n", ":2: more than 16777216 repeated octets"),
    ],
)
def test_a_line_that_is_nothing(tmp_path: Path, session: str | bytes, complaint: str) -> None:
    with pytest.raises(NotARecording) as raised:
        list(dialogue(tmp_path, session).steps(client))
    assert str(raised.value) == f"{tmp_path / 'session.txt'}{complaint}"


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LONGEST", 9)
    assert list(dialogue(tmp_path, "S: 220 mx").steps(client)) == [Said("S", b"220 mx\r\n", 1)]
    with pytest.raises(NotARecording, match="a recording has at most 9 octets: shorten it"):
        dialogue(tmp_path, "S: 220 mx\n")


def test_directions_give_the_word_to_whose_turn_it_is(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"EHLO me\r\nQU")
    (tmp_path / "s").write_bytes(b"220 mx\n250 mx\r\n")
    session = Directions(tmp_path / "c", tmp_path / "s")
    assert session.name("S") == str(tmp_path / "s")
    said_by_client = [Said("C", b"EHLO me\r\n", 1), Said("C", b"QU", 2)]
    said_by_server = [Said("S", b"220 mx\n", 1), Said("S", b"250 mx\r\n", 2)]
    assert list(session.steps(client)) == said_by_client + said_by_server
    assert list(session.steps(server)) == said_by_server + said_by_client
