"""What is tried with every peer, in the words and the order of the README's matrix."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "POP3_AUTH", "POP3_SCRAM", "SIZE_LIMIT", "SMTP_AUTH", "SMTP_SCRAM", "UTF8_NAME", "Pop3", "Smtp",
    "mechanism", "pop3_but", "smtp_but",
]  # fmt: skip

SIZE_LIMIT = 30_000_000
"""Octets of the largest message that servers are told to take."""

UTF8_NAME = "büx"
"""A mailbox for SMTPUTF8."""


class Smtp(Enum):
    PLAIN = "plain message"
    DOTS = "message of dots"
    EMPTY_LINES = "message of empty lines"
    NO_FINAL_CRLF = "no final CRLF"
    EMPTY = "empty message"
    EIGHT_BIT = "8-bit message"
    FIVE_MB = "5 MB"
    TWENTY_FIVE_MB = "25 MB"
    REFUSED = "100 recipients, 30 refused"
    PIPELINING = "PIPELINING"
    NO_PIPELINING = "without PIPELINING"
    BDAT = "BDAT"
    STARTTLS = "STARTTLS"
    TLS = "implicit TLS"
    AUTH_PLAIN = "AUTH PLAIN"
    AUTH_LOGIN = "AUTH LOGIN"
    CRAM_MD5 = "AUTH CRAM-MD5"
    SCRAM_SHA_1 = "AUTH SCRAM-SHA-1"
    SCRAM_SHA_256 = "AUTH SCRAM-SHA-256"
    DSN = "DSN parameters"
    SMTPUTF8 = "SMTPUTF8"
    SIZE = "SIZE refused"
    RSET = "RSET in a transaction"
    TWO_MESSAGES = "two messages"


class Pop3(Enum):
    USER = "USER, PASS"
    APOP = "APOP"
    AUTH_PLAIN = "AUTH PLAIN"
    AUTH_LOGIN = "AUTH LOGIN"
    CRAM_MD5 = "AUTH CRAM-MD5"
    SCRAM_SHA_1 = "AUTH SCRAM-SHA-1"
    SCRAM_SHA_256 = "AUTH SCRAM-SHA-256"
    STLS = "STLS"
    TLS = "implicit TLS"
    PLAIN = "plain message"
    DOTS = "message of dots"
    EMPTY_LINES = "message of empty lines"
    NO_FINAL_CRLF = "no final CRLF"
    EMPTY = "empty message"
    EIGHT_BIT = "8-bit message"
    FIVE_MB = "5 MB"
    TWENTY_FIVE_MB = "25 MB"
    LIST = "STAT, LIST"
    UIDL = "UIDL"
    TOP = "TOP"
    DELE = "DELE, and what QUIT leaves"
    RSET = "RSET"
    PIPELINING = "PIPELINING"
    TEN_THOUSAND = "10 000 messages listed"


SMTP_AUTH = [feature for feature in Smtp if feature.value.startswith("AUTH ")]
SMTP_SCRAM = [feature for feature in SMTP_AUTH if "SCRAM" in feature.value]
POP3_AUTH = [feature for feature in Pop3 if feature.value.startswith("AUTH ")]
POP3_SCRAM = [feature for feature in POP3_AUTH if "SCRAM" in feature.value]


def smtp_but(*lacking: Smtp) -> frozenset[Smtp]:
    """The features of a peer that has all but these."""
    return frozenset(Smtp) - {*lacking}


def pop3_but(*lacking: Pop3) -> frozenset[Pop3]:
    """The features of a peer that has all but these."""
    return frozenset(Pop3) - {*lacking}


def mechanism(feature: Smtp | Pop3) -> str:
    """The SASL mechanism that a feature is about."""
    name: str = feature.value
    return name.removeprefix("AUTH ")
