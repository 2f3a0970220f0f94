"""Our servers, which real clients come to: those of tests/wrappers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from smtpproto import smtp
from tests.interop.certificate import Certificate
from tests.interop.features import UTF8_NAME
from tests.interop.mailboxes import DOMAIN, NAMES, PASSWORD
from tests.wrappers.kinds import KINDS
from tests.wrappers.pop3_server import CAPABILITIES, Keeper, Maildrops
from tests.wrappers.server import ServerSession
from tests.wrappers.session import Session
from tests.wrappers.smtp_server import EXTENSIONS, Receiver

__all__ = ["Keepers", "Receivers", "pop3_server", "smtp_server"]

_USERS = {smtp.Address(f"{name}@{DOMAIN}") for name in (*NAMES, UTF8_NAME)}


def _password_of(user: str) -> str | None:
    return PASSWORD if user in NAMES else None


class _Hearing(ServerSession):
    """Remembers what it heard, piece by piece."""

    heard: list[bytes]

    def receive_data(self, octets: bytes | bytearray) -> None:
        self.heard.append(bytes(octets))
        super().receive_data(octets)


class _Receiver(_Hearing, Receiver):
    pipelined = False
    """Whether to let MAIL wait for its reply until more has come: who does not pipeline waits for
    ever."""

    def receive_data(self, octets: bytes | bytearray) -> None:
        super().receive_data(octets)
        if isinstance(self.conn.owed, smtp.Mail):
            self.conn.accept()

    def handle(self, event: smtp.Event) -> None:
        alone = self.heard and self.heard[-1].count(b"\n") == 1
        if not (self.pipelined and isinstance(event, smtp.Mail) and alone):
            super().handle(event)


class _Keeper(_Hearing, Keeper):
    pass


class Receivers:
    """An SMTP server that listens on `port`: its sessions, and the mail of all of them."""

    port: int

    def __init__(self) -> None:
        self.sessions: list[_Receiver] = []
        self.mailbox: list[tuple[smtp.Envelope, bytes]] = []


@contextmanager
def smtp_server(
    certificate: Certificate,
    *,
    kind: str = "sockets",
    extensions: Iterable[smtp.Extension] = EXTENSIONS,
    tls: bool = False,
    require_auth: bool = False,
    require_tls: bool = False,
    pipelined: bool = False,
) -> Iterator[Receivers]:
    """An SMTP server of ours until the end of the block; with `pipelined` it insists on that."""
    receivers = Receivers()

    def make_session() -> Session:
        session = _Receiver(
            _USERS,
            receivers.mailbox,
            extensions=extensions,
            tls=tls,
            require_auth=require_auth,
            require_tls=require_tls,
        )
        session.heard = []
        session.pipelined = pipelined
        receivers.sessions.append(session)
        return session

    with _running(kind, make_session, certificate) as receivers.port:
        yield receivers


class Keepers:
    """A POP3 server that listens on `port`, with one maildrop: box0's."""

    port: int

    def __init__(self, messages: Iterable[bytes]) -> None:
        self.sessions: list[_Keeper] = []
        numbered = {f"uid{number}": message for number, message in enumerate(messages, 1)}
        self.maildrops = Maildrops({NAMES[0]: numbered})

    @property
    def left(self) -> list[bytes]:
        """The messages that are there now."""
        return list(self.maildrops[NAMES[0]].values())


@contextmanager
def pop3_server(
    certificate: Certificate,
    messages: Iterable[bytes],
    *,
    kind: str = "sockets",
    capabilities: Iterable[str] = CAPABILITIES,
    apop: bool = False,
    tls: bool = False,
) -> Iterator[Keepers]:
    """A POP3 server of ours until the end of the block."""
    keepers = Keepers(messages)

    def make_session() -> Session:
        session = _Keeper(keepers.maildrops, capabilities=capabilities, apop=apop, tls=tls)
        session.heard = []
        keepers.sessions.append(session)
        return session

    with _running(kind, make_session, certificate) as keepers.port:
        yield keepers


@contextmanager
def _running(
    kind: str, make_session: Callable[[], Session], certificate: Certificate
) -> Iterator[int]:
    server = KINDS[kind].start(make_session, password_of=_password_of, certificate=certificate.leaf)
    try:
        yield server.port
    finally:
        server.stop()
