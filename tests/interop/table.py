"""Who is tried, and with what: the one place where a peer is entered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from tests.interop.features import Pop3, Smtp
from tests.interop.peer import Peer
from tests.interop.peers.aiosmtpd import Aiosmtpd
from tests.interop.peers.dovecot import DovecotLmtp, DovecotPop3
from tests.interop.peers.exim import Exim
from tests.interop.peers.postfix import Postfix
from tests.interop.peers.smtp_sink import SmtpSink, SmtpSinkLmtp
from tests.interop.peers.twisted import TwistedPop3, TwistedSmtp
from tests.interop.server import Pop3Server, SmtpServer

__all__ = ["POP3_SERVERS", "SMTP_SERVERS", "Trial", "trials"]

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


class Trial(NamedTuple):
    """One cell of the matrix."""

    peer: type[Peer]
    feature: Smtp | Pop3


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
