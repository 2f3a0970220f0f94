"""Digests of a timestamp and a shared secret: APOP (RFC 1939 section 7), CRAM-MD5 (RFC 2195)."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import partial

from smtpproto.errors import InvalidValueError
from smtpproto.sasl._strings import as_text, encode, same

__all__ = ["apop_digest", "check_apop", "check_timestamp", "cram_md5_digest", "make_timestamp"]

# In FIPS mode hashlib refuses MD5 unless usedforsecurity is False. As an HMAC (CRAM-MD5) it is not
# broken; in APOP it is (CVE-2007-1558), but POP3 defines no other digest.
_md5 = partial(hashlib.md5, usedforsecurity=False)


def apop_digest(timestamp: str, secret: str) -> str:
    """The digest of POP3's APOP: 32 lower-case hexadecimal digits (RFC 1939 section 7).

    `timestamp` is the greeting's, with its angle brackets. `secret` is used as it is: if it or the
    name is not ASCII, prepare it with SASLprep before (RFC 6856 section 2.2). Raises
    `InvalidValueError` when either is empty, holds NUL, or cannot be written in UTF-8.

        >>> apop_digest("<1896.697170952@dbc.mtview.ca.us>", "tanstaaf")
        'c4c9334bac560ecc979e58001b3e22fb'
    """
    return _md5(encode("timestamp", timestamp) + encode("secret", secret)).hexdigest()


def check_apop(timestamp: str, secret: str | None, digest: str) -> bool:
    """Whether a client's APOP `digest` was made with `secret`, compared in constant time.

    For an unknown user pass None: compares in the same time and returns False; so does "".
    Raises `InvalidValueError` as `apop_digest` does, and if `digest` is not a str.
    """
    expected = apop_digest(timestamp, secret or "?")
    return same(expected, as_text("digest", digest)) and bool(secret)


def cram_md5_digest(challenge: str, secret: str) -> str:
    """The digest of CRAM-MD5: HMAC-MD5 of the challenge, in hexadecimal (RFC 2195 section 2).

    Raises `InvalidValueError` when either is empty, holds NUL, or cannot be written in UTF-8.
    """
    return hmac.new(encode("secret", secret), encode("challenge", challenge), _md5).hexdigest()


def make_timestamp(domain: str) -> str:
    """A fresh timestamp for one session: CRAM-MD5's challenge, or a POP3 server's greeting.

    It is ``<random@domain>``, a msg-id that never comes again, as the RFCs demand (RFC 1939
    section 7: "MUST be different each time"). Raises `InvalidValueError` when `domain` cannot
    stand in a msg-id.
    """
    return check_timestamp(f"<{os.urandom(16).hex()}@{as_text('domain', domain)}>")


def check_timestamp(timestamp: str) -> str:
    """`timestamp`, if it looks like a msg-id: ``<local@domain>`` in printable ASCII.

    A client that computes the APOP digest of anything else reveals octets of its secret
    (CVE-2007-1558). Raises `InvalidValueError` otherwise.
    """
    timestamp = as_text("timestamp", timestamp)
    inner = timestamp[1:-1]
    local, _, domain = inner.partition("@")
    if (
        timestamp != f"<{inner}>"
        or not (local and domain)
        or not all("!" <= char <= "~" and char not in "<>" for char in inner)
    ):
        raise InvalidValueError(
            f"a timestamp is a msg-id, such as <1896.697170952@pop.example>, not {timestamp!r}"
        )
    return timestamp
