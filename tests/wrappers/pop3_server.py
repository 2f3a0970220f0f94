"""Keeper: a POP3 server that hands out the messages of its users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from smtpproto import pop3, sasl
from tests.wrappers.server import ServerSession

CAPABILITIES = ("USER", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING")

_PIECE = 65536


class Maildrops(dict[str, dict[str, bytes]]):
    """The messages of each user by their unique-ids, and who has which maildrop open."""

    def __init__(self, messages: dict[str, dict[str, bytes]]) -> None:
        super().__init__(messages)
        self._opened: dict[str, object] = {}

    def open(self, user: str, session: object) -> bool:
        """Whether nobody else has it open (RFC 1939 section 4)."""
        return self._opened.setdefault(user, session) is session

    def close(self, user: str) -> None:
        del self._opened[user]


class Keeper(ServerSession):
    """One session. What its user has deleted is removed from `maildrops` at QUIT.

    `capabilities` may hold "STLS", and "SASL" with any of `MECHANISMS`. `tls` is implicit TLS.
    """

    conn: pop3.ServerConnection
    _held: dict[str, bytes]

    def __init__(
        self,
        maildrops: Maildrops,
        *,
        domain: str = "pop.example",
        capabilities: pop3.Capabilities | Iterable[str] = CAPABILITIES,
        apop: bool = True,
        tls: bool = False,
        limits: pop3.Limits = pop3.Limits(),  # noqa: B008 (a constant)
    ) -> None:
        conn = pop3.ServerConnection(
            domain,
            capabilities=capabilities,
            timestamp=sasl.make_timestamp(domain) if apop else None,
            tls=tls,
            limits=limits,
        )
        super().__init__(conn)
        self._maildrops = maildrops
        self._maildrop: pop3.Maildrop | None = None
        self._sending: Iterator[bytes] | None = None

    def let_in(self, user: str) -> None:
        if not self._maildrops.open(user, self):
            self.conn.reject("Somebody else has this maildrop open", code="IN-USE")
            return
        self._held = dict(self._maildrops.get(user, {}))  # what comes later is another session's
        self._maildrop = pop3.Maildrop((uid, len(text)) for uid, text in self._held.items())
        super().let_in(user)

    def step(self) -> bool:
        if self._sending is None or self.conn.closed:
            return super().step()
        piece = next(self._sending, None)
        if piece is None:
            self._sending = None
            self.conn.send(pop3.EndOfMessage())
        else:
            self.conn.send(pop3.MessageData(piece))
        return True

    def handle(self, event: pop3.Event) -> None:
        conn, maildrop = self.conn, self._maildrop
        match event:
            case pop3.Pass():
                assert conn.user is not None
                self._let_in_if(conn.user, event.verify)
            case pop3.Apop(user, digest):
                timestamp = conn.timestamp
                assert timestamp is not None
                self._let_in_if(user, lambda known: sasl.check_apop(timestamp, known, digest))
            case pop3.Auth(str()) | pop3.AuthResponse():
                self.authenticate(event)
            case pop3.Retr(number) | pop3.Top(number) if maildrop is not None:
                answer = maildrop.answer(event)
                conn.send(answer)
                if isinstance(answer, pop3.Ok):
                    self._sending = _pieces(self._held[maildrop.uid(number)])
            case (
                pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele() | pop3.Noop() | pop3.Rset()
            ) if maildrop is not None:
                conn.send(maildrop.answer(event))
            case pop3.Quit() if maildrop is not None:
                for deleted in maildrop.deleted:
                    del self._maildrops[conn.identity or ""][deleted.uid]
                conn.accept()
            case pop3.ConnectionClosed() if conn.identity is not None:
                self._maildrops.close(conn.identity)
            case pop3.Request():
                conn.accept()

    def _let_in_if(self, user: str, is_right: Callable[[str | None], bool]) -> None:
        def check(password: str | None) -> None:
            if is_right(password):
                self.let_in(user)
            else:
                self.keep_out()

        self.ask(user, check)


def _pieces(message: bytes) -> Iterator[bytes]:
    for start in range(0, len(message), _PIECE):
        yield message[start : start + _PIECE]
