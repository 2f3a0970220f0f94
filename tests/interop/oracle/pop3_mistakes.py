"""POP3 sessions with mistakes in them: the same ones in every run."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

from tests.interop.mailboxes import PASSWORD
from tests.interop.oracle.conversation import Said, Session
from tests.interop.oracle.mistakes import (
    Decks,
    cut_off,
    each,
    octets,
    pipelined,
    response,
    said,
)

__all__ = ["sessions"]

WRONG = base64.b64encode(b"\0box0\0wrong").decode()
LONG = 600

NAME = said("USER {user}")
PASS = said(f"PASS {PASSWORD}", "PASS, the right password")
LATE_PASS = PASS._replace(name="PASS, not right after USER")
QUIT = said("QUIT")
RSET = said("RSET")
PLAIN = said("AUTH PLAIN {plain}", "AUTH PLAIN, the right password")
LOGINS = [
    [NAME, PASS],
    [NAME, PASS],
    [said("user {user}"), said(f"pass {PASSWORD}", "pass, the right password")],
    [PLAIN],
    [said("AUTH PLAIN"), response("{plain}", "response, the right password")],
    [said("AUTH PLAIN ="), response("{plain}", "response, the right password")],
    [said("auth plain {plain}", "auth plain, the right password")],
    [said("APOP {user} {digest}", "APOP, the right digest")],
    [said("STLS"), NAME, PASS],
    [said("stls"), NAME, PASS],
]

BEFORE = [
    *(
        [said(text)]
        for text in (
            "USER",
            "USER ",
            "USER a b",
            "USER nobody",
            "PASS",
            "PASS x",
            "APOP",
            "APOP {user}",
            "APOP {user} 0123456789abcdef0123456789abcdef",
            "APOP {user} xyzzy",
            "APOP {user} 0123456789abcdef0123456789abcdef x",
            "AUTH",
            "AUTH ",
            "AUTH XYZZY",
            "AUTH PLAIN !!!",
            "AUTH PLAIN AAA",
            "AUTH PLAIN x y",
            "AUTH PLAIN *",
            "AUTH CRAM-MD5 AAAA",
            "STLS x",
            "UTF8",
            "LANG",
            "LANG en",
        )
    ),
    [said(f"AUTH PLAIN {WRONG}", "AUTH PLAIN, the wrong password")],
    [NAME, said("PASS wrong")],
    [NAME, said("PASS")],
    [NAME, said("PASS ")],
    [NAME, said(f"PASS  {PASSWORD}", "PASS, a space and the right password")],
    [NAME, said(f"PASS {PASSWORD} ", "PASS, the right password and a space")],
    [NAME, said("PASS two words")],
    [NAME, said("CAPA"), LATE_PASS],
    [NAME, said("NOOP"), LATE_PASS],
    [NAME, said("XYZZY"), LATE_PASS],
    [NAME, said("STAT"), LATE_PASS],
    [NAME, NAME, PASS],
    [NAME, said("USER nobody"), PASS],
    [NAME, said("AUTH PLAIN"), response("*"), LATE_PASS],
    [NAME, said("PASS wrong"), PASS._replace(name="PASS, after a wrong one")],
    [PASS._replace(name="PASS, before USER"), NAME],
    [said("USER " + "x" * LONG, "USER and 600 octets")],
    [said("AUTH PLAIN " + "A" * LONG, "AUTH PLAIN and 600 octets")],
    *(
        [said("AUTH PLAIN"), response]
        for response in (
            response(""),
            response("="),
            response("*"),
            response("* "),
            response("!!!"),
            response("AAA"),
            response("AAAA="),
            response("QUIT"),
            response(WRONG, "response, the wrong password"),
            response("A" * LONG, "response of 600 octets"),
            response("A" * 13000, "response of 13000 octets"),
            response("\x00"),
            response("ü"),
        )
    ),
    [said("AUTH LOGIN"), response("Ym94MA=="), response("d3Jvbmc=")],
    [said("AUTH LOGIN"), response("Ym94MA=="), response("*")],
    [said("AUTH CRAM-MD5"), response("Ym94MCAwMTIzNDU2Nzg5")],
    [said("AUTH CRAM-MD5"), response("")],
    [said("AUTH CRAM-MD5"), response("*")],
]
"""What is said before the login."""

AT_ANY_TIME = [
    *(
        [said(text)]
        for text in (
            "X",
            "XYZZY",
            "XYZZY one two",
            "CAPA",
            "capa",
            "CAPA x",
            " CAPA",
            "CAPA ",
            "NOOP",
            "noop",
            "NOOP x",
            " NOOP",
            "NOOP ",
            "NO OP",
            "RSET",
            "RSET x",
            "STAT",
            "stat",
            "STAT x",
            "STAT ",
            "LIST",
            "LIST ",
            "LIST x",
            "LIST 0",
            "LIST 1",
            "LIST  1",
            "LIST 1 ",
            "LIST 01",
            "LIST +1",
            "LIST -1",
            "LIST 4",
            "LIST 1.0",
            "LIST 1 2",
            "LIST 99999999999999999999",
            "UIDL",
            "UIDL ",
            "UIDL x",
            "UIDL 0",
            "UIDL 3",
            "UIDL 4",
            "UIDL -1",
            "UIDL 1 2",
            "RETR",
            "RETR x",
            "RETR 0",
            "RETR 1",
            "RETR 4",
            "RETR -1",
            "RETR 1 2",
            "RETR 01",
            "RETR 1x",
            "TOP",
            "TOP 1",
            "TOP 1 0",
            "TOP 1 1",
            "TOP 1 999999",
            "TOP 1 99999999999999999999",
            "TOP 1 -1",
            "TOP 1 x",
            "TOP x 1",
            "TOP 0 1",
            "TOP 4 0",
            "TOP 1,1",
            "TOP  1  1",
            "TOP 1 1 1",
            "DELE",
            "DELE x",
            "DELE 0",
            "DELE 4",
            "DELE -1",
            "DELE 1 2",
            "USER {user}",
            "PASS x",
            "APOP {user} 0123456789abcdef0123456789abcdef",
            "AUTH",
            "AUTH PLAIN",
            "AUTH XYZZY",
            "STLS",
            "UTF8",
            "LANG",
            "LANG x",
            "XTND XMIT",
            "LAST",
            "NOOP\x01",
            "NOOP \x00",
            "N\x00OOP",
            "NOOP\tx",
            "LIST\t1",
            "ÜBER",
            "EHLO client.example",
        )
    ),
    [said("DELE 1"), RSET],
    [said("", "an empty line")],
    [said(" ", "a space")],
    [Said(b"\xff\xfe\r\n", r"\xff\xfe")],
    [said("X" * LONG, "600 octets")],
    [said("NOOP " + "x" * LONG, "NOOP and 600 octets")],
    [said("LIST " + "1" * LONG, "LIST and 600 digits")],
    [said("X" * 20000, "20000 octets")],
]

AFTERWARDS = [
    [said("DELE 1"), said("DELE 1"), RSET],
    [said("DELE 1"), said("RETR 1"), RSET],
    [said("DELE 1"), said("TOP 1 0"), RSET],
    [said("DELE 1"), said("LIST 1"), RSET],
    [said("DELE 1"), said("UIDL 1"), RSET],
    [said("DELE 1"), said("LIST"), said("UIDL"), said("STAT"), RSET],
    [said("DELE 2"), said("RETR 3"), said("LIST 3"), RSET],
    [said("DELE 1"), said("DELE 2"), said("DELE 3"), said("DELE 4"), said("STAT"), RSET],
    [octets(b"NOOP\nNOOP\r\n")],
    [octets(b"NOOP\rNOOP\r\n")],
    [octets(b"NOOP\r\r\n")],
    [octets(b"NOOP\n\r\n")],
    [octets(b"\nNOOP\r\n")],
    [octets(b"NOOP\x00\r\nNOOP\r\n")],
]
"""What is said after the login."""

ENDINGS = [
    [QUIT],
    [said("quit")],
    [said("QUIT x"), QUIT],
    [said("QUIT "), QUIT],
    [said("DELE 1"), QUIT],
    *([cut_off(octets)] for octets in (b"", b"NOOP", b"NOOP\r", b"QUIT", b"QUIT\n")),
]


def sessions(number: int) -> Iterator[Session]:
    """So many sessions, and a short one, which never differ."""
    rng = random.Random(1939)
    decks = Decks(rng, _KINDS)
    yield each([said("GET / HTTP/1.1"), said("CAPA", "CAPA, after GET")])
    for _ in range(number):
        script: list[Said] = []
        # Dovecot closes after the third command that it does not know before the login.
        script += decks.sometimes(0.4, "at any time", "authorization")
        script += decks.sometimes(0.7, "before")
        if rng.random() < 0.9:
            script += decks.draw("login")
            for _ in range(3):
                script += decks.draw("at any time", "transaction")
                script += decks.sometimes(0.5, "afterwards")
        script += decks.draw("ending")
        if rng.random() < 0.2:
            yield pipelined(script, b"PASS", b"APOP", b"AUTH", b"STLS")
        else:
            yield each(script)


_KINDS = {
    "at any time": AT_ANY_TIME,
    "before": BEFORE,
    "login": LOGINS,
    "afterwards": AFTERWARDS,
    "ending": ENDINGS,
}
