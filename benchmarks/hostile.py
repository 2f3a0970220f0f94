"""What a hostile peer may send: n octets of each shape, and 2n, in reads of 64 KiB.

`OCTETS` are lines, messages and responses that make no sense, or make it cost; `COMMANDS` are
lines that are commands, or might have been: each wants a reply, and most an answer of the
application. The connections have their usual limits but one: the servers put up with any number
of refusals, where after twenty the session would be over and the rest be dropped unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from benchmarks import drive
from benchmarks.measure import Effort, Row, at_least, growth
from benchmarks.messages import PIECE, pieces
from smtpproto import pop3, smtp
from smtpproto._wire.dots import DotEncoder

__all__ = ["COMMANDS", "OCTETS", "commands", "octets"]

_Shape = Callable[[int], Callable[[], object]]
"""Of so many octets: what a connection does with them."""


def octets(effort: Effort) -> Iterator[Row]:
    """Floods of every kind into each of the four connections."""
    return _measure("hostile octets", OCTETS, 1_000_000, effort)


def commands(effort: Effort) -> Iterator[Row]:
    """Floods of short lines, each of which has its reply."""
    # Just over two, and four, of the longest replies that a client takes.
    return _measure("hostile commands", COMMANDS, 2 * smtp.Limits().reply, effort)


def _measure(
    title: str, shapes: Mapping[str, _Shape], octets: int, effort: Effort
) -> Iterator[Row]:
    effort = effort._replace(rounds=min(effort.rounds, 5), seconds=effort.seconds / 4)
    for name, prepare in shapes.items():
        speed, factor = growth(title, name, octets, prepare, effort)
        yield speed._replace(goal=at_least(30))
        yield factor


def _flood(unit: bytes, octets: int, size: int = PIECE) -> list[bytes]:
    return pieces(unit * max(1, octets // len(unit)), size)


def _smtp_server(unit: bytes, before: bytes = b"", size: int = PIECE) -> _Shape:
    return lambda octets: partial(drive.smtp_server, before, _flood(unit, octets, size))


def _smtp_data(unit: bytes, before: bytes = b"", size: int = PIECE) -> _Shape:
    return _smtp_server(unit, _MAIL + b"DATA\r\n" + before, size)


def _smtp_client(unit: bytes, before: bytes = b"") -> _Shape:
    return lambda octets: partial(drive.smtp_client, [smtp.Noop()], before, _flood(unit, octets))


def _long_replies(line: bytes) -> _Shape:
    """As many replies of the most octets that a client takes as there is room for."""
    reply = b"250-" + line + b"\r\n"
    reply = reply * (smtp.Limits().reply // len(reply) - 1) + b"250 OK\r\n"

    return lambda octets: _replies(reply, octets)


def _short_replies(octets: int) -> Callable[[], object]:
    return _replies(b"250\r\n", octets)


def _replies(reply: bytes, octets: int) -> Callable[[], object]:
    count = max(1, octets // len(reply))
    commands = [smtp.Mail("a@example.org"), *[smtp.Rcpt("b@example.org")] * (count - 1)]
    return partial(drive.smtp_client, commands, b"", _flood(reply, count * len(reply)))


def _pop3_server(unit: bytes, before: bytes = b"") -> _Shape:
    return lambda octets: partial(drive.pop3_server, before, _flood(unit, octets))


def _pop3_client(
    command: pop3.Command, unit: bytes, before: bytes = b"+OK\r\n", after: bytes = b""
) -> _Shape:
    return lambda octets: partial(
        drive.pop3_client, [command], before, [*_flood(unit, octets), after]
    )


def _long_capabilities(octets: int) -> Callable[[], object]:
    """As many answers of the most lines that a client takes as there is room for."""
    answer = b"+OK\r\n" + b"X\r\n" * (pop3.Limits().short_list // 3) + b".\r\n"
    count = max(1, octets // len(answer))
    reads = _flood(answer, count * len(answer))
    return partial(drive.pop3_client, [pop3.Capa()] * count, b"", reads)


def _out(unit: bytes, size: int = PIECE) -> _Shape:
    """A message that somebody else has written, on its way out."""

    return lambda octets: partial(_encode, _flood(unit, octets, size))


def _encode(message: Sequence[bytes]) -> None:
    encoder = DotEncoder()
    for piece in message:
        encoder.encode(piece)
    encoder.finish()


_MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
_LOGIN = b"USER tim\r\nPASS secret\r\n"
_K = 1024

OCTETS: Mapping[str, _Shape] = {
    "SMTP server: a line without end": _smtp_server(b"A"),
    "SMTP server: a line of CR without end": _smtp_server(b"\r"),
    "SMTP server: a line of LF without end": _smtp_server(b"\n"),
    "SMTP server: a line of NUL without end": _smtp_server(b"\0"),
    "SMTP server: lines over the limit": _smtp_server(b"A" * 20_000 + b"\r\n"),
    "SMTP server: refused chunk, large": _smtp_server(b"X", b"BDAT 2000000000\r\n"),
    "SMTP server: chunk of bare CR": _smtp_server(b"\r", _MAIL + b"BDAT 2000000000\r\n"),
    "SMTP server: a response without end": _smtp_server(b"A", b"AUTH LOGIN\r\n"),
    "SMTP DATA: lines of two dots": _smtp_data(b"..\r\n"),
    "SMTP DATA: empty lines": _smtp_data(b"\r\n"),
    "SMTP DATA: a line without end": _smtp_data(b"A"),
    "SMTP DATA: dots without end": _smtp_data(b"."),
    "SMTP DATA: bare CR": _smtp_data(b"\r"),
    "SMTP DATA: bare LF": _smtp_data(b"\n"),
    "SMTP DATA: LF.LF": _smtp_data(b"\n.\n"),
    "SMTP DATA: CRLF.CR": _smtp_data(b"\r\n.\r"),
    "SMTP DATA: CRLF.LF": _smtp_data(b"\r\n.\n"),
    "SMTP DATA: NUL": _smtp_data(b"\0"),
    "SMTP DATA: 1 KiB reads that end in CR": _smtp_data(
        b"\n" + b"x" * (_K - 2) + b"\r", b"x\r", _K
    ),
    "SMTP DATA: 1 KiB reads that end in CRLF.": _smtp_data(
        b"." + b"x" * (_K - 4) + b"\r\n.", b"\r\n.", _K
    ),
    "SMTP client: a reply without end": _smtp_client(b"A"),
    "SMTP client: a reply line without end": _smtp_client(b"A", b"250-"),
    "SMTP client: lines without end": _smtp_client(b"250-A\r\n"),
    "SMTP client: replies to nothing": _smtp_client(b"250 OK\r\n"),
    "SMTP client: NUL": _smtp_client(b"\0"),
    "SMTP client: long replies of long lines": _long_replies(b"A" * 500),
    "SMTP client: long replies of controls": _long_replies(b"\7" * 500),
    "SMTP client: long replies of octets": _long_replies(b"\xff" * 500),
    "POP3 server: a line without end": _pop3_server(b"A"),
    "POP3 server: lines over the limit": _pop3_server(b"A" * 20_000 + b"\r\n"),
    "POP3 server: a response without end": _pop3_server(b"A", b"AUTH LOGIN\r\n"),
    "POP3 client: a response without end": _pop3_client(pop3.Noop(), b"A", b"+OK "),
    "POP3 client: responses to nothing": _pop3_client(pop3.Noop(), b"+OK\r\n"),
    "POP3 client: RETR, lines of two dots": _pop3_client(pop3.Retr(1), b"..\r\n"),
    "POP3 client: RETR, empty lines": _pop3_client(pop3.Retr(1), b"\r\n"),
    "POP3 client: RETR, bare CR": _pop3_client(pop3.Retr(1), b"\r"),
    "POP3 client: RETR, bare LF": _pop3_client(pop3.Retr(1), b"\n"),
    "POP3 client: RETR, CRLF.CR": _pop3_client(pop3.Retr(1), b"\r\n.\r"),
    "POP3 client: RETR, NUL": _pop3_client(pop3.Retr(1), b"\0"),
    "POP3 client: LIST without end": _pop3_client(pop3.List(), b"1 120\r\n"),
    "POP3 client: LIST, more after the numbers": _pop3_client(
        pop3.List(), b"1 120 " + b"x" * 200 + b"\r\n", after=b".\r\n"
    ),
    "POP3 client: LIST, junk in the last line": _pop3_client(
        pop3.List(), b"1 120\r\n", after=b"junk\r\n.\r\n"
    ),
    "POP3 client: LIST of empty lines": _pop3_client(pop3.List(), b"\r\n", after=b".\r\n"),
    "POP3 client: LIST of one endless line": _pop3_client(pop3.List(), b"1"),
    "POP3 client: UIDL without end": _pop3_client(pop3.Uidl(), b"1 " + b"x" * 70 + b"\r\n"),
    "POP3 client: CAPA of many lines, again and again": _long_capabilities,
    "message out: lines of a dot": _out(b".\r\n"),
    "message out: dots": _out(b"."),
    "message out: empty lines": _out(b"\r\n"),
    "message out: bare CR": _out(b"\r"),
    "message out: bare LF": _out(b"\n"),
    "message out: CR LF upside down": _out(b"\n\r"),
    "message out: NUL": _out(b"\0"),
    "message out: 1 KiB pieces that end in CR": _out(b"\n" + b"x" * (_K - 2) + b"\r", _K),
}

COMMANDS: Mapping[str, _Shape] = {
    "SMTP server: empty lines": _smtp_server(b"\r\n"),
    "SMTP server: lines of NUL": _smtp_server(b"\0\r\n"),
    "SMTP server: unknown verbs": _smtp_server(b"XYZZY\r\n"),
    "SMTP server: DATA out of order": _smtp_server(b"DATA\r\n"),
    "SMTP server: RSET, pipelined": _smtp_server(b"RSET\r\n"),
    "SMTP server: MAIL and RSET, pipelined": _smtp_server(b"MAIL FROM:<>\r\nRSET\r\n"),
    "SMTP server: RCPT with bad addresses": _smtp_server(b"RCPT TO:<a@b@c>\r\n", _MAIL),
    "SMTP server: RCPT over the limit": _smtp_server(b"RCPT TO:<b@c>\r\n", _MAIL),
    "SMTP server: MAIL with parameters": _smtp_server(b"MAIL FROM:<a@b>" + b" X=1" * 120 + b"\r\n"),
    "SMTP server: chunks of one octet": _smtp_server(b"BDAT 1\r\nX", _MAIL),
    "SMTP server: chunks of no octets": _smtp_server(b"BDAT 0\r\n", _MAIL),
    "SMTP server: refused chunks": _smtp_server(b"BDAT 1\r\nX"),
    "SMTP server: responses without number": _smtp_server(b"QUFB\r\n", b"AUTH LOGIN\r\n"),
    "SMTP server: AUTH, and a bad response": _smtp_server(b"AUTH LOGIN\r\n!\r\n"),
    "SMTP server: whole messages": _smtp_server(_MAIL + b"DATA\r\n.\r\n"),
    "SMTP DATA: final dots": _smtp_data(b".\r\n"),
    "SMTP client: many short replies": _short_replies,
    "SMTP client: long replies of empty lines": _long_replies(b""),
    "POP3 server: empty lines": _pop3_server(b"\r\n"),
    "POP3 server: unknown verbs": _pop3_server(b"XYZZY\r\n"),
    "POP3 server: USER without end": _pop3_server(b"USER tim\r\n"),
    "POP3 server: NOOP, pipelined": _pop3_server(b"NOOP\r\n", _LOGIN),
    "POP3 server: RETR, pipelined": _pop3_server(b"RETR 1\r\n", _LOGIN),
    "POP3 server: RETR of no message": _pop3_server(b"RETR 99999\r\n", _LOGIN),
}
