"""What a response tells, typed: the other way round than `answers`."""

from __future__ import annotations

import re

from smtpproto.errors import InvalidValueError
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


def timestamp_of(response: Response) -> str | None:
    """The timestamp of a greeting, if it is a msg-id; a digest of anything else could be turned
    against the client (CVE-2007-1558)."""
    for word in re.findall("<[^<>]*>", response.text):
        try:
            return check_timestamp(word)
        except InvalidValueError:
            pass
    return None


def typed_result(request: Request | None, response: Ok) -> Result:
    """What an Ok tells, typed. Raises RemoteProtocolError when it does not tell that."""
    block = response.block or b""
    match request:
        case Stat():
            return MaildropStatus.parse(response.text)
        case List(None):
            return ScanListings.read(block)
        case List():
            return ScanListing.parse(response.text)
        case Uidl(None):
            return UniqueIds.read(block)
        case Uidl(number):
            words = response.text.split(maxsplit=1)
            if len(words) == 1:  # some servers leave out the number, which the client has named
                return UniqueId.parse(f"{number} {words[0]}")
            return UniqueId.parse(response.text)
        case Capa():
            return Capabilities.parse(response.lines or ())
        case Lang(None):
            return tuple(map(Language.parse, response.lines or ()))
        case Auth(None):
            return tuple(name.strip(" ").upper() for name in response.lines or ())
    return None
