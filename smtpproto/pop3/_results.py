"""What a response means, as a value: the reverse of `answers`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from smtpproto.errors import InvalidValueError, RemoteProtocolError
from smtpproto.pop3._capabilities import Capabilities
from smtpproto.pop3._commands import Auth, Capa, Lang, List, Stat, Uidl
from smtpproto.pop3._events import Request, Result
from smtpproto.pop3._listings import (
    Language,
    MaildropStatus,
    ScanListing,
    ScanListings,
    UniqueId,
    UniqueIds,
)  # fmt: skip
from smtpproto.pop3._responses import Ok, Response
from smtpproto.sasl._digests import check_timestamp

__all__ = ["timestamp_of", "typed_result"]

L = TypeVar("L", ScanListing, UniqueId)


def timestamp_of(response: Response) -> str | None:
    """The timestamp of a greeting, if it is a msg-id; a digest of anything else could be turned
    against the client (CVE-2007-1558)."""
    for word in re.findall("<[^<>]*>", response.text):
        try:
            return check_timestamp(word)
        except InvalidValueError:
            pass
    return None


def typed_result(request: Request | None, response: Ok, most: int | None = None) -> Result:
    """The value that an Ok to `request` gives; None for a request that gives none.

    `most` is the number of messages in the maildrop, where it is known: LIST and UIDL entries
    above it are unread.

    Lines of a multi-line response that cannot be read are left out. Raises RemoteProtocolError
    only where STAT, LIST n or UIDL n did not get the answer that it asks for: the text cannot be
    read, or is about another message. A connection that has no other command unanswered makes
    None of it, for such servers exist. With others unanswered the responses may have shifted, and
    a later one would be taken for the answer to the wrong command.
    """
    block = response.block or b""
    match request:
        case Stat():
            return MaildropStatus.parse(response.text)
        case List(None):
            return ScanListings.read(block, most)
        case List(int(number)):
            return _about(number, ScanListing.parse(response.text))
        case Uidl(None):
            return UniqueIds.read(block, most)
        case Uidl(int(number)):
            text = response.text.strip(" \t")
            # Some servers leave out the number (Twisted).
            alone = not re.search("[ \t]", text)
            return _about(number, UniqueId.parse(f"{number} {text}" if alone else text))
        case Capa():
            return Capabilities.parse(response.lines or ())
        case Lang(None):
            return tuple(_languages(response.lines or ()))
        case Auth(None):
            names = (line.strip(" \t") for line in response.lines or ())
            return tuple(name.upper() for name in names if re.fullmatch("[!-~]+", name))
    return None


def _about(number: int, listing: L) -> L:
    """The listing, which must be of message `number`. Raises RemoteProtocolError."""
    if listing.number != number:
        raise RemoteProtocolError(
            f"expected a listing of message {number}, got {str(listing)[:512]!r}"
        )
    return listing


def _languages(lines: Iterable[str]) -> Iterator[Language]:
    for line in lines:
        try:
            yield Language.parse(line)
        except RemoteProtocolError:  # it costs this line only
            pass
