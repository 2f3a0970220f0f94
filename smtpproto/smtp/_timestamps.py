"""Timestamps: the date-time of RFC 3339 section 5.6, which some parameters carry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["from_timestamp", "to_timestamp"]

# The module datetime is imported where it is used: most sessions never see a timestamp, and it
# costs more to import than all of this package's parameters.

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,20}))?(?:[Zz]|([+-]\d\d:[0-5]\d))",
    re.ASCII,
)


def from_timestamp(text: str) -> datetime:
    """The moment that `text` names, in UTC. A leap second is the second after it, as in POSIX.

    Digits beyond the microsecond are dropped. Raises ValueError.
    """
    from datetime import datetime, timedelta, timezone

    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date-time")
    date, minute, second, fraction, offset = match.groups()
    leap = second == "60"
    moment = datetime.fromisoformat(
        f"{date}T{minute}:{59 if leap else second}.{fraction or '':0<6.6}{offset or '+00:00'}"
    )
    try:
        return moment.astimezone(timezone.utc) + timedelta(seconds=leap)
    except OverflowError:
        raise ValueError("out of range") from None


def to_timestamp(moment: object, *, fractions: bool) -> str:
    """`moment`, an aware datetime, in UTC. Raises ValueError for anything else, and for one with
    a fraction of a second where there may be none."""
    from datetime import datetime, timezone

    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("not a datetime with a time zone")
    if moment.microsecond and not fractions:
        raise ValueError("not a whole second")
    try:
        universal = moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("out of range") from None
    return universal.isoformat().removesuffix("+00:00") + "Z"
