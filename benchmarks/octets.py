"""One octet at a time: the worst that a network can do to a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from benchmarks import drive, smtp_client, smtp_server
from benchmarks.measure import Effort, Row, growth
from benchmarks.messages import SMALL, mail_text, pieces, replies, stuffed
from smtpproto import pop3

__all__ = ["one_at_a_time"]

_Work = Callable[[], object]


def one_at_a_time(effort: Effort) -> Iterator[Row]:
    """n octets and 2n, every octet in a read of its own."""
    for role, prepare in _ROLES.items():
        yield growth("one octet at a time", role, 20_000, prepare, effort)[1]


def _smtp_server_commands(octets: int) -> _Work:
    script = b"".join([*smtp_server.ENVELOPE, smtp_server.DATA, stuffed(SMALL)])
    return partial(drive.smtp_server, b"", pieces(script * (octets // len(script)), 1))


def _smtp_server_message(octets: int) -> _Work:
    before = b"".join([*smtp_server.ENVELOPE, smtp_server.DATA])
    return partial(drive.smtp_server, before, pieces(stuffed(mail_text(octets)), 1))


def _smtp_client_replies(octets: int) -> _Work:
    messages = octets // 70
    reads = pieces(b"".join(replies(messages)), 1)
    return partial(smtp_client.deliver, reads, messages, SMALL)


def _pop3_server_commands(octets: int) -> _Work:
    script = b"STAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRSET\r\n"
    before = b"USER tim\r\nPASS secret\r\n"
    return partial(drive.pop3_server, before, pieces(script * (octets // len(script)), 1))


def _pop3_client_message(octets: int) -> _Work:
    reads = pieces(stuffed(mail_text(octets)), 1)
    return partial(drive.pop3_client, [pop3.Retr(1)], b"+OK\r\n", reads)


def _pop3_client_list(octets: int) -> _Work:
    listing = b"1 120\r\n" * (octets // 7) + b".\r\n"
    return partial(drive.pop3_client, [pop3.List()], b"+OK\r\n", pieces(listing, 1))


_ROLES: Mapping[str, Callable[[int], _Work]] = {
    "SMTP server, commands": _smtp_server_commands,
    "SMTP server, message": _smtp_server_message,
    "SMTP client, replies": _smtp_client_replies,
    "POP3 server, commands": _pop3_server_commands,
    "POP3 client, message": _pop3_client_message,
    "POP3 client, LIST": _pop3_client_list,
}
