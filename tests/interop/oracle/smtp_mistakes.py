"""SMTP sessions with mistakes in them: the same ones in every run."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

from tests.interop.features import SIZE_LIMIT
from tests.interop.mailboxes import PASSWORD
from tests.interop.oracle.alike import RECIPIENTS
from tests.interop.oracle.conversation import Said, Session
from tests.interop.oracle.mistakes import (
    Decks,
    cut_off,
    each,
    escaped,
    octets,
    pipelined,
    response,
    said,
)

__all__ = ["sessions"]


def _message(content: bytes, name: str) -> Said:
    return Said(content, name, only_in="data")


def _smuggling(ending: bytes) -> Said:
    """A message with something in it that servers may take for its end, and a command behind."""
    content = b"one\r\n" + ending + b"NOOP\r\n"
    return Said(content + b"\r\n.\r\n", escaped(content), "data", "some")


def _plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


EHLO = said("EHLO client.example")
HELO = said("HELO client.example")
MAIL = said("MAIL FROM:<jo@client.example>")
RCPT = said("RCPT TO:<box0@example.org>")
DATA = said("DATA")
SECOND_STARTTLS = said("STARTTLS", "STARTTLS, under TLS")
RSET = said("RSET")
QUIT = said("QUIT")
MESSAGE = _message(b"Subject: Hello\r\n\r\nHello.\r\n.\r\n", "a message")
CHUNK = Said(b"BDAT 16\r\nSubject: Hello\r\n", "BDAT 16")
LAST_CHUNK = Said(b"BDAT 10 LAST\r\n\r\nHello.\r\n", "BDAT 10 LAST")
LATE_CHUNK = LAST_CHUNK._replace(name="BDAT 10 LAST, not right after BDAT")
RIGHT = _plain("box0", PASSWORD)
WRONG = _plain("box0", "wrong")
LONG = 600

AT_ANY_TIME = [
    *map(
        said,
        [
            "X",
            "XYZZY",
            "XYZZY one two",
            "NOOPE",
            "NO OP",
            "noop",
            " NOOP",
            "NOOP ",
            "NOOP x",
            "NOOP one two three",
            "NOOP <a@b.example>",
            "NOOP\tx",
            "RSET ",
            "RSET x",
            "rset",
            "RSETX",
            "HELP",
            "HELP MAIL",
            "HELP XYZZY one",
            "VRFY",
            "VRFY box0",
            "VRFY box0@example.org",
            "VRFY <box0@example.org>",
            "VRFY a b c",
            "VRFY jörg",
            "VRFY jörg SMTPUTF8",
            "EXPN",
            "EXPN staff",
            "ETRN",
            "ETRN example.org",
            "TURN",
            "ATRN example.org",
            "SEND FROM:<jo@client.example>",
            "SOML FROM:<jo@client.example>",
            "SAML FROM:<jo@client.example>",
            "BURL imap://example.org/x LAST",
            "XCLIENT NAME=x",
            "VERB ON",
            "AUTH",
            "AUTH XYZZY",
            "AUTH DIGEST-MD5 AAAA",
            "AUTH PLAIN x y",
            "AUTH PLAIN !!!",
            "AUTH PLAIN AAA",
            "AUTH PLAIN =",
            "AUTH PLAIN *",
            "AUTH PLAIN AAAA",
            "AUTH LOGIN !!!",
            "AUTH CRAM-MD5 AAAA",
            "AUTH CRAM-MD5 =",
            "MAIL",
            "RCPT",
            "DATA x",
            "DATA ",
            "data",
            "QUIT x",
            ".",
            "..",
            "\t",
            "NOOP\x01",
            "N\x00OOP",
            "NOOP \x00",
            "NOOP \x7f",
            "NOOP ü",
            "ÜBER",
            "MAIL\x00FROM:<jo@client.example>",
            "Host: example.org",
            "Subject: x",
        ],
    ),
    said("", "an empty line"),
    said(" ", "a space"),
    Said(b"NOOP \xff\r\n", r"NOOP \xff"),
    Said(b"\xff\xfe\r\n", r"\xff\xfe"),
    said(f"AUTH PLAIN {RIGHT}", "AUTH PLAIN, the right password"),
    said(f"AUTH PLAIN {WRONG}", "AUTH PLAIN, the wrong password"),
    said(f"auth plain {RIGHT}", "auth plain, the right password"),
    said(f"AUTH  PLAIN  {RIGHT}", "AUTH  PLAIN  , the right password"),
    said("NOOP " + "x" * LONG, "NOOP and 600 octets"),
    said("X" * LONG, "600 octets"),
    octets(b"X" * 20000 + b"\r\n", "20000 octets"),
    octets(b"NOOP " + b"x" * 20000 + b"\r\n", "NOOP and 20000 octets"),
    said("VRFY " + "x" * LONG, "VRFY and 600 octets"),
    said("AUTH PLAIN " + "A" * LONG, "AUTH PLAIN and 600 octets"),
    RSET,
    MAIL,
    RCPT,
    DATA,
]
"""What is said in every state."""

GREETINGS = [
    *map(
        said,
        [
            "EHLO",
            "EHLO ",
            "EHLO one two",
            "ehlo client.example",
            "EHLO [127.0.0.1]",
            "EHLO [IPv6:::1]",
            "EHLO [127.0.0.1",
            "EHLO under_score.example",
            "EHLO -",
            "EHLO <client>",
            "EHLO client..example",
            "EHLO client.example SIZE=1",
            "HELO",
            "HELO client.example",
            "HELO [127.0.0.1]",
            "HELO one two",
            "LHLO client.example",
        ],
    ),
    said("EHLO " + "x" * LONG, "EHLO and 600 octets"),
]
"""What is said in every state, with EHLO behind it."""

ADDRESSES = [
    "<>",
    "",
    " ",
    "<",
    ">",
    "<<>>",
    "<box0@example.org",
    "box0@example.org>",
    "box0@example.org",
    " <box0@example.org>",
    "\t<box0@example.org>",
    "<box0@example.org> ",
    "<box0@example.org>x",
    "<box0@example.org>>",
    "<<box0@example.org>>",
    "< box0@example.org>",
    "<box0@example.org >",
    "<box0 @example.org>",
    "<box0@ example.org>",
    "<box0>",
    "box0",
    "<@example.org>",
    "<box0@>",
    "<box0@@example.org>",
    "<box0@box1@example.org>",
    "<.box0@example.org>",
    "<box0.@example.org>",
    "<box..0@example.org>",
    "<box0@.example.org>",
    "<box0@example.org.>",
    "<box0@example..org>",
    "<box0@-example.org>",
    "<box0@example-.org>",
    "<box0@exam_ple.org>",
    "<box0@localhost>",
    "<box0@example>",
    "<box0@EXAMPLE.ORG>",
    '<"box0"@example.org>',
    '<"box 0"@example.org>',
    '<"bo\\x0"@example.org>',
    '<"box0@example.org>',
    '<"box0"x@example.org>',
    '<""@example.org>',
    "<bo(comment)x0@example.org>",
    "<box,0@example.org>",
    "<box;0@example.org>",
    "<box:0@example.org>",
    "<box\\0@example.org>",
    "<bo\\x0@example.org>",
    "<box[0]@example.org>",
    "<box!0@example.org>",
    "<box%0@example.org>",
    "<box+0@example.org>",
    "<box/0@example.org>",
    "<box|0@example.org>",
    "<#$&'*=?^_`{}~-@example.org>",
    "<box0@[127.0.0.1]>",
    "<box0@[127.0.0.256]>",
    "<box0@[127.0.0]>",
    "<box0@127.0.0.1>",
    "<box0@[IPv6:::1]>",
    "<box0@[IPv6:1::2::3]>",
    "<box0@[::1]>",
    "<box0@[]>",
    "<box0@[x]>",
    "<box0@[127.0.0.1>",
    "<@relay.example:box0@example.org>",
    "<@a.example,@b.example:box0@example.org>",
    "<@relay.example,box0@example.org>",
    "<@:box0@example.org>",
    "<@relay.example:>",
    "<@relay.example:box0>",
    "<b\xfcx@example.org>",
    "<nobody@example.org>",
    "<postmaster>",
    "<Postmaster@example.org>",
    "<MAILER-DAEMON>",
    "<jo\x01@example.org>",
    "<jo\x00@example.org>",
    "<jo\x7f@example.org>",
    "Jo <box0@example.org>",
    "<box0@example.org> (Jo)",
    "<box0@example.org>,<box1@example.org>",
    "<box0@example.org> <box1@example.org>",
    "box0@example.org box1@example.org",
]

LONG_ADDRESSES = [
    (f"<{'x' * 64}@example.org>", "a local part of 64 octets"),
    (f"<{'x' * 65}@example.org>", "a local part of 65 octets"),
    (f"<{'x' * 300}@example.org>", "a local part of 300 octets"),
    (f"<box0@{'x' * 63}.org>", "a label of 63 octets"),
    (f"<box0@{'x' * 64}.org>", "a label of 64 octets"),
    (f"<box0@{'x.' * 140}org>", "a domain of 283 octets"),
    (f"<{'@a.example,' * 60}box0@example.org>", "60 routes without a colon"),
    (f"<{'x' * 2000}@example.org>", "a local part of 2000 octets"),
]

MAIL_PARAMETERS = [
    "SIZE",
    "SIZE=",
    "SIZE=0",
    "SIZE=100",
    "size=100",
    "SIZE=-1",
    "SIZE=x",
    "SIZE=1.5",
    "SIZE=+1",
    "SIZE=00000000000000000100",
    f"SIZE={SIZE_LIMIT}",
    f"SIZE={SIZE_LIMIT + 1}",
    "SIZE=99999999999999999999",
    "SIZE=999999999999999999999999999999",
    "SIZE=100 SIZE=100",
    "SIZE=100 SIZE=200",
    "BODY",
    "BODY=",
    "BODY=7BIT",
    "BODY=8BITMIME",
    "body=8bitmime",
    "BODY=BINARYMIME",
    "BODY=XYZZY",
    "BODY=7BIT BODY=8BITMIME",
    "SMTPUTF8",
    "smtputf8",
    "SMTPUTF8=",
    "SMTPUTF8=1",
    "SMTPUTF8 SMTPUTF8",
    "RET=FULL",
    "RET=hdrs",
    "RET=",
    "RET",
    "RET=XYZZY",
    "RET=FULL RET=HDRS",
    "ENVID=abc",
    "ENVID=a+2Bc",
    "ENVID=a+zzc",
    "ENVID=",
    "ENVID=a ENVID=b",
    "AUTH=<>",
    "AUTH=jo@client.example",
    "AUTH=jo+3D@client.example",
    "AUTH=jo+zz@client.example",
    "AUTH=",
    "AUTH",
    "AUTH=<> AUTH=<>",
    "XYZZY",
    "XYZZY=1",
    "=",
    "=1",
    "-X=1",
    "X_Y=1",
    "SIZE = 100",
    "SIZE==100",
    "NOTIFY=NEVER",
    "HOLDFOR=1",
    "BY=100;R",
    "REQUIRETLS",
    "SIZE=100  BODY=8BITMIME",
    "SIZE=100,BODY=8BITMIME",
    "SIZE=100\tBODY=8BITMIME",
    "SIZE=100 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x",
    "SIZE=1\x00",
    "SIZE=1\x01",
    "SIZE=\xfc",
]

RCPT_PARAMETERS = [
    "NOTIFY=NEVER",
    "NOTIFY=SUCCESS,FAILURE,DELAY",
    "notify=never",
    "NOTIFY=NEVER,SUCCESS",
    "NOTIFY=SUCCESS,SUCCESS",
    "NOTIFY=",
    "NOTIFY",
    "NOTIFY=XYZZY",
    "NOTIFY=SUCCESS,",
    "NOTIFY=,SUCCESS",
    "NOTIFY=SUCCESS FAILURE",
    "NOTIFY=NEVER NOTIFY=NEVER",
    "ORCPT=rfc822;box0@example.org",
    "ORCPT=rfc822;box+2B0@example.org",
    "ORCPT=rfc822;box+zz0@example.org",
    "ORCPT=rfc822;",
    "ORCPT=rfc822",
    "ORCPT=box0@example.org",
    "ORCPT=",
    "ORCPT",
    "ORCPT=rfc822;a ORCPT=rfc822;b",
    "ORCPT=utf-8;b\xfcx@example.org",
    "XYZZY",
    "XYZZY=1",
    "SIZE=1",
    "RRVS=2014-04-03T23:01:00Z",
    "=",
]


def _paths(verb: str, parameters: list[str], good: str) -> list[Said]:
    """What is said in place of MAIL or RCPT."""
    return [
        *(said(f"{verb}{address}") for address in ADDRESSES),
        *(said(f"{verb}{address}", f"{verb}{name}") for address, name in LONG_ADDRESSES),
        *(said(f"{verb}{good} {words}") for words in parameters),
        said(f"{verb}{good} " + " ".join(f"X{n}=1" for n in range(200)), f"{verb}, 200 parameters"),
        said(f"{verb}{good} XYZZY={'x' * 900}", f"{verb}, a parameter of 900 octets"),
        said(f"{verb}{good}{' ' * 400}", f"{verb}{good} and 400 spaces"),
        *(
            said(text.format(good))
            for text in (
                f"{verb[:-1]}{{}}",
                f"{verb[:-1]} {{}}",
                f"{verb[:-1]} :{{}}",
                f"{verb[:4]} {{}}",
                f"{verb[:4]}{verb[5:]}{{}}",
                f"{verb.lower()}{{}}",
                f"{verb.replace(' ', '  ')}{{}}",
                f"{verb.replace(' ', chr(9))}{{}}",
                f" {verb}{{}}",
                f"{verb} {{}}\t",
                f"{verb[:5]}",
                f"{verb[:5]}XYZZY:{{}}",
                f"{verb[:4]}X{verb[4:]}{{}}",
            )
        ),
    ]


INSTEAD_OF_MAIL = [
    *_paths("MAIL FROM:", MAIL_PARAMETERS, "<jo@client.example>"),
    said("MAIL FROM:<b\xfcx@example.org> SMTPUTF8"),
    said("MAIL FROM:<jo@b\xfccher.example> SMTPUTF8"),
    said("MAIL TO:<jo@client.example>"),
    Said(
        b"MAIL FROM:<b\xfcx@example.org> SMTPUTF8\r\n", r"MAIL FROM:<b\xfcx@example.org> SMTPUTF8"
    ),
    octets(b"MAIL FROM:<jo@client.example>\nRCPT TO:<box0@example.org>\r\n"),
]
INSTEAD_OF_RCPT = [
    *_paths("RCPT TO:", RCPT_PARAMETERS, "<box0@example.org>"),
    said("RCPT FROM:<box0@example.org>"),
    octets(b"RCPT TO:<box0@example.org>\nRCPT TO:<box1@example.org>\r\n"),
]

TWO_LINES = [
    octets(b"NOOP\nNOOP\r\n"),
    octets(b"NOOP\rNOOP\r\n"),
    octets(b"NOOP\r\r\n"),
    octets(b"NOOP\n\r\n"),
    octets(b"\nNOOP\r\n"),
    octets(b"NOOP\x00\r\nNOOP\r\n"),
    octets(b"RSET\nNOOP\r\n"),
]
"""More than one command, or not; in every state behind EHLO."""

CHUNKS = [
    [CHUNK, LAST_CHUNK],
    [Said(b"bdat 4 last\r\nab\r\n", "bdat 4 last")],
    [Said(b"BDAT 0 LAST\r\n", "BDAT 0 LAST")],
    [Said(b"BDAT 15 LAST\r\nNOOP\r\n.\r\nNOOP\r\n", "BDAT 15 LAST, with commands in it")],
    [octets(b"BDAT 4 LAST\r\nHello.\r\n")],
    [LAST_CHUNK, LAST_CHUNK],
    [Said(b"BDAT 9 LAST\r\na\nb\nc\r\n\r\n", r"BDAT 9 LAST, a\nb")],
    [Said(b"BDAT 7 LAST\r\na\rb\r\n\r\n", r"BDAT 7 LAST, a\rb")],
    [Said(b"BDAT 9 LAST\r\na\x00b\xff\x01\r\n\r\n", "BDAT 9 LAST, NUL")],
    [Said(b"BDAT 3 LAST\r\n.\r\n", "BDAT 3 LAST, a dot")],
    [Said(b"BDAT 5 LAST\r\nHello", "BDAT 5 LAST, no CRLF")],
    [RSET, MAIL, *[RCPT] * RECIPIENTS, said(RCPT.name, "one RCPT too many")],
]
"""Behind RCPT, before it, and outside of a transaction."""

CONTENTS = [
    MESSAGE,
    _message(b".\r\n", "an empty message"),
    _message(b"\r\n.\r\n", "an empty line"),
    _message(b"..\r\n...\r\n.\r\n", "a message of dots"),
    _message(b".x\r\n.\r\n", "a line .x"),
    _message(b"x" * 998 + b"\r\n.\r\n", "a line of 1000 octets"),
    _message(b"x" * 5000 + b"\r\n.\r\n", "a line of 5002 octets"),
    _message("Grüße\r\n.\r\n".encode(), "an 8-bit message"),
    _message(b"\xff\xfe\r\n.\r\n", "octets that are no UTF-8"),
    _message(b"a\x00b\r\n.\r\n", "a message with NUL"),
    _message(b"a\x01\x7fb\r\n.\r\n", "a message with control characters"),
    _message(b"RSET\r\nQUIT\r\n.\r\n", "a message of commands"),
    *(
        _smuggling(ending)
        for ending in (
            b"\n.\n",
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\r",
            b"\r\n.\r\r\n",
            b"\r\r\n.\r\r\n",
            b"\r\n\x00.\r\n",
            b"\r\n.\x00\r\n",
            b"\r\n. \r\n",
        )
    ),
    *(
        _message(content + b"\r\n.\r\n", escaped(content))
        for content in (b"a\nb", b"a\rb", b"a\r\r\nb", b"a\n", b"a\r")
    ),
]
"""After 354."""

EXCHANGES = [
    [said("AUTH PLAIN"), response(RIGHT, "response, the right password")],
    [said("AUTH PLAIN"), response(WRONG, "response, the wrong password")],
    [said("AUTH PLAIN ="), response(RIGHT, "response, the right password")],
    [said("AUTH PLAIN"), response("")],
    [said("AUTH PLAIN"), response("=")],
    [said("AUTH PLAIN"), response("*")],
    [said("AUTH PLAIN"), response("* ")],
    [said("AUTH PLAIN"), response("!!!")],
    [said("AUTH PLAIN"), response("AAA")],
    [said("AUTH PLAIN"), response("AAAA=")],
    [said("AUTH PLAIN"), response("QUIT")],
    [said("AUTH PLAIN"), response("NOOP")],
    [said("AUTH PLAIN"), response(" " + RIGHT, "response, a space and the right password")],
    [said("AUTH PLAIN"), response(RIGHT + " ", "response, the right password and a space")],
    [said("AUTH PLAIN"), response("A" * LONG, "response of 600 octets")],
    [said("AUTH PLAIN"), response("A" * 13000, "response of 13000 octets")],
    [said("AUTH PLAIN"), response("\x00")],
    [said("AUTH PLAIN"), response("ü")],
    [
        said("AUTH LOGIN"),
        response("Ym94MA=="),
        response(base64.b64encode(PASSWORD.encode()).decode(), "response, the right password"),
    ],
    [
        said("AUTH LOGIN Ym94MA=="),
        response(base64.b64encode(PASSWORD.encode()).decode(), "response, the right password"),
    ],
    [said("AUTH LOGIN"), response("Ym94MA=="), response("d3Jvbmc=")],
    [said("AUTH LOGIN"), response(""), response("")],
    [said("AUTH LOGIN"), response("Ym94MA=="), response("*")],
    [said("AUTH CRAM-MD5"), response("Ym94MCAwMTIzNDU2Nzg5")],
    [said("AUTH CRAM-MD5"), response("")],
    [said("AUTH CRAM-MD5"), response("*")],
    [said("AUTH CRAM-MD5"), response("!!!")],
]
"""AUTH and what follows it, in every state."""

FIRST = [said("GET / HTTP/1.1"), said("POST / HTTP/1.1")]
"""All that some clients say."""

AFTER_HELO = [
    MAIL,
    said("MAIL FROM:<jo@client.example> SIZE=100"),
    said("MAIL FROM:<jo@client.example> XYZZY"),
    said(f"AUTH PLAIN {WRONG}", "AUTH PLAIN, the wrong password"),
    octets(b"BDAT 6\r\nRSET\r\n"),
    said("HELO [127.0.0.1]"),
    said("HELO under_score.example"),
]

ENDINGS = [
    [QUIT],
    [said("quit")],
    [said("STARTTLS"), QUIT],
    [said("starttls"), MAIL, QUIT],
    [said("STARTTLS x"), QUIT],
    [said("STARTTLS"), EHLO, SECOND_STARTTLS, QUIT],
    *(
        [cut_off(octets)]
        for octets in (
            b"",
            b"NOOP",
            b"NOOP\r",
            b"MAIL FROM:<jo@cli",
            b"RCPT TO:<box0@example.org>",
            b"QUIT",
            b"QUIT\n",
            b"NOOP\r\n",
            b"RSET\r\nNOOP\r\n",
            b"EHLO client.example\r\nNOOP\r\n",
            b"BDAT\r\n",
            b"BDAT \r\n",
            b"BDAT x\r\n",
            b"BDAT -1\r\n",
            b"BDAT +3\r\nx\r\n",
            b"BDAT 1.5\r\n",
            b"BDAT 0x1\r\n",
            b"BDAT 4 FIRST\r\nab\r\n",
            b"BDAT 4 LAST LAST\r\nab\r\n",
            b"BDAT LAST\r\n",
            b"BDAT LAST 4\r\nab\r\n",
            b"BDAT 4LAST\r\nab\r\n",
            b"BDAT 4\nNOOP\r\nab\r\n",
            b"BDAT 99999999999999999999999999\r\n",
            b"BDAT 10\r\nab\r\n",
            b"BDAT 10 LAST\r\n",
            b"DATA\r\nHello.\r\n",
            b"DATA\r\nHello.\r\n.",
        )
    ),
]
"""How a session ends, in every state. What leaves a server in a state that it does not get out of
stands here: Exim answers nothing but 554 after a second STARTTLS, and hears nothing any more once
RSET or EHLO has come between two chunks."""


def sessions(number: int) -> Iterator[Session]:
    """So many sessions, and a few short ones, which never differ."""
    rng = random.Random(5321)
    decks = Decks(rng, _KINDS)
    for one in FIRST:
        yield [[one]]
    for _ in range(number):
        tls = rng.random() < 0.1
        groups = each(
            [
                *decks.sometimes(0.4, "at any time", "connected"),
                *decks.sometimes(0.1, "MAIL", "connected"),
                *decks.sometimes(0.2, "greeting", "connected"),
                EHLO,
                *([said("STARTTLS"), EHLO] if tls else []),
            ]
        )
        for _ in range(3):
            groups += each(_outside(decks))
            transaction = _transaction(decks, rng.choice(["DATA", "DATA", "octets", "greeting"]))
            if rng.random() < 0.2:
                groups += pipelined(transaction, b"DATA", b"AUTH")
            else:
                groups += each(transaction)
            groups.append([RSET])
        if tls:
            groups += each(decks.draw("ending under TLS"))
        elif rng.random() < 0.3:
            groups += each([MAIL, RCPT, CHUNK, *decks.draw("ending between chunks")])
        else:
            phase = rng.choice([[], [MAIL], [MAIL, RCPT], [MAIL, RCPT, CHUNK]])
            groups += each([*phase, *decks.draw("ending", f"after {len(phase)}")])
        yield groups


def _outside(decks: Decks) -> list[Said]:
    """Between two transactions."""
    return [
        *decks.draw("MAIL", "ready"),
        RSET,
        *decks.draw("MAIL", "ready"),
        RSET,
        *decks.sometimes(0.6, "at any time", "ready"),
        RSET,
        *decks.sometimes(0.3, "AUTH", "ready"),
        *decks.sometimes(0.3, "octets", "ready"),
        *decks.sometimes(0.2, "greeting", "ready"),
        *decks.sometimes(0.1, "after HELO"),
    ]


def _transaction(decks: Decks, end: str) -> list[Said]:
    return [
        *decks.sometimes(0.1, "RCPT", "ready"),
        RSET,
        MAIL,
        *decks.sometimes(0.4, "at any time", "mail"),
        *decks.draw("RCPT", "mail"),
        *decks.sometimes(0.1, "octets", "mail"),
        RSET,
        MAIL,
        *decks.sometimes(0.1, "AUTH", "mail"),
        *decks.sometimes(0.1, "MAIL", "mail"),
        RCPT,
        *decks.sometimes(0.4, "at any time", "rcpt"),
        *decks.draw("RCPT", "rcpt"),
        *decks.sometimes(0.1, "MAIL", "rcpt"),
        *decks.sometimes(0.1, "AUTH", "rcpt"),
        *decks.draw(end, "rcpt"),
    ]


_KINDS: dict[str, list[list[Said]]] = {
    "at any time": each(AT_ANY_TIME),
    "MAIL": each(INSTEAD_OF_MAIL),
    "RCPT": each(INSTEAD_OF_RCPT),
    "DATA": [[DATA, one] for one in CONTENTS],
    "AUTH": EXCHANGES,
    "greeting": [[one, EHLO] for one in GREETINGS],
    "after HELO": [[HELO, one, EHLO] for one in AFTER_HELO],
    "octets": [*each(TWO_LINES), *([*one, RSET] for one in CHUNKS)],
    "ending": ENDINGS,
    "ending between chunks": [
        [one, LATE_CHUNK, QUIT] for one in AT_ANY_TIME if not one.octets.upper().startswith(b"RSET")
    ],
    "ending under TLS": [[QUIT], [SECOND_STARTTLS, QUIT]],
}
