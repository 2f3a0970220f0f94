"""Fetcher: a POP3 client that fetches the messages of a maildrop."""

from __future__ import annotations

from collections.abc import Container

from smtpproto import pop3, sasl
from tests.wrappers.client import ClientSession, RefusedError


class Fetcher(ClientSession):
    """One session. `messages` are the new messages, each after its unique-id.

    The login is by `mechanism` where one is given, else by APOP where the server has it, else
    by USER and PASS. Messages whose unique-ids are in `seen` are passed over. With `delete` the
    server removes the others, if it gets as far as QUIT: `complete` says that it has.
    """

    conn: pop3.ClientConnection
    _number: int  # of the message that is coming in

    def __init__(
        self,
        user: str = "",
        password: str = "",
        *,
        mechanism: sasl.ClientMechanism | None = None,
        seen: Container[str] = (),
        delete: bool = True,
        starttls: bool = False,
        tls: bool = False,
    ) -> None:
        super().__init__(pop3.ClientConnection(tls=tls), starttls=starttls)
        self.messages: list[tuple[str, bytes]] = []
        self.complete = False
        self._user = user
        self._password = password
        self._mechanism = mechanism
        self._seen = seen
        self._delete = delete
        self._uids: dict[int, str] = {}  # of the messages that have yet to come
        self._pieces: list[bytes] = []
        self.say_hello()

    def say_hello(self) -> None:
        self.conn.send(pop3.Capa())

    def handle(self, event: pop3.Event) -> None:
        conn = self.conn
        match event:
            case pop3.ResponseReceived(pop3.Capa()):  # or -ERR, where nobody knows CAPA
                self._log_in()
            case pop3.ResponseReceived(pop3.User(), pop3.Ok()):
                conn.send(pop3.Pass(self._password))
            case pop3.ResponseReceived(pop3.Pass() | pop3.Apop() | pop3.Auth(), pop3.Ok()):
                conn.send(pop3.Uidl())
            case pop3.ResponseReceived(result=pop3.UniqueIds() as listing):
                self._fetch(listing)
            case pop3.ResponseReceived(pop3.Retr(number), pop3.Ok()):
                self._number = number
            case pop3.MessageData(data):
                self._pieces.append(data)
            case pop3.EndOfMessage():
                self.keep(self._uids.pop(self._number), b"".join(self._pieces))
                self._pieces.clear()
                if self._delete:  # only now that it is kept: QUIT removes what is marked
                    conn.send(pop3.Dele(self._number))
                if not self._uids:
                    conn.send(pop3.Quit())
            case pop3.ResponseReceived(pop3.Quit(), pop3.Ok()):
                self.complete = True
            case pop3.ResponseReceived(command, pop3.Err(text)):
                raise RefusedError(f"{command!r}: {text}")
            case pop3.ConnectionClosed() if not self.complete:
                raise ConnectionError("the server has closed the connection before its time")

    def _log_in(self) -> None:
        conn = self.conn
        if self.tls_is_missing:
            conn.send(pop3.Stls())
        elif self._mechanism is not None:
            conn.authenticate(self._mechanism)
        elif conn.timestamp is not None:
            digest = sasl.apop_digest(conn.timestamp, self._password)
            conn.send(pop3.Apop(self._user, digest))
        else:
            conn.send(pop3.User(self._user))

    def _fetch(self, listing: pop3.UniqueIds) -> None:
        for number, uid in listing:
            if uid not in self._seen:
                self._uids[number] = uid
                self.conn.send(pop3.Retr(number))
        if not self._uids:
            self.conn.send(pop3.Quit())

    def keep(self, uid: str, message: bytes) -> None:
        """Store a message. If this raises, the message stays on the server: DELE and QUIT have not
        been sent."""
        self.messages.append((uid, message))
