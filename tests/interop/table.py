"""Who is tried, and with what.

A new peer is a file in peers/, which says what it can do, and a line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from tests.interop.client import Pop3Client, SmtpClient
from tests.interop.features import Pop3, Smtp
from tests.interop.peer import Peer
from tests.interop.peers.aiosmtpd import Aiosmtpd
from tests.interop.peers.aiosmtplib import Aiosmtplib
from tests.interop.peers.curl import CurlPop3, CurlSmtp
from tests.interop.peers.dovecot import DovecotLmtp, DovecotPop3
from tests.interop.peers.exim import Exim, EximClient
from tests.interop.peers.mpop import Mpop
from tests.interop.peers.msmtp import Msmtp
from tests.interop.peers.poplib import Poplib
from tests.interop.peers.postfix import Postfix
from tests.interop.peers.smtp_sink import SmtpSink, SmtpSinkLmtp
from tests.interop.peers.smtp_source import SmtpSource
from tests.interop.peers.smtplib import Smtplib
from tests.interop.peers.swaks import Swaks
from tests.interop.peers.twisted import (
    TwistedPop3,
    TwistedPop3Client,
    TwistedSmtp,
    TwistedSmtpClient,
)
from tests.interop.server import Pop3Server, SmtpServer

__all__ = [
    "POP3_CLIENTS",
    "POP3_SERVERS",
    "SMTP_CLIENTS",
    "SMTP_SERVERS",
    "Trial",
    "trial_of",
    "trials",
]

SMTP_SERVERS: tuple[type[SmtpServer], ...] = (
    Postfix,
    Exim,
    DovecotLmtp,
    SmtpSink,
    SmtpSinkLmtp,
    Aiosmtpd,
    TwistedSmtp,
)
POP3_SERVERS: tuple[type[Pop3Server], ...] = (DovecotPop3, TwistedPop3)

SMTP_CLIENTS: tuple[type[SmtpClient], ...] = (
    Smtplib,
    Aiosmtplib,
    TwistedSmtpClient,
    CurlSmtp,
    Swaks,
    Msmtp,
    SmtpSource,
    EximClient,
)

POP3_CLIENTS: tuple[type[Pop3Client], ...] = (Poplib, TwistedPop3Client, CurlPop3, Mpop)


class Trial(NamedTuple):
    """One cell of the matrix."""

    peer: type[Peer]
    feature: Smtp | Pop3


def trial_of(item: pytest.Item) -> Trial | None:
    """What a test tries; None when it has nothing to do with peers."""
    trial = item.callspec.params.get("peer") if hasattr(item, "callspec") else None
    return trial if isinstance(trial, Trial) else None


def trials(peers: Iterable[type[Peer]], *features: Smtp | Pop3) -> pytest.MarkDecorator:
    """Run a test with each of these features of each peer that has it; `peer` is the peer."""
    return pytest.mark.parametrize(
        "peer",
        [
            pytest.param(Trial(peer, feature), id=f"{peer.name}: {feature.value}")
            for peer in peers
            for feature in features
            if feature in peer.features
        ],
        indirect=True,
    )
