"""Sender: an SMTP or LMTP client that delivers messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from smtpproto import sasl, smtp
from tests.wrappers.client import ClientSession, RefusedError


class Sender(ClientSession):
    """One session. `messages` are delivered one after the other, each to its envelope.

    `reports` say what became of them, in order; there are fewer when the server would not go on
    after one. `domain` is who this client is. With `mechanism` it logs in first.
    """

    conn: smtp.ClientConnection

    def __init__(
        self,
        messages: Iterable[tuple[smtp.Envelope, bytes | Iterable[bytes]]],
        *,
        domain: str,
        mechanism: sasl.ClientMechanism | None = None,
        starttls: bool = False,
        tls: bool = False,
        lmtp: bool = False,
    ) -> None:
        super().__init__(smtp.ClientConnection(lmtp=lmtp, tls=tls), starttls=starttls)
        self.reports: list[smtp.Report] = []
        self._messages = deque(messages)
        self._domain = domain
        self._mechanism = mechanism
        self._delivery: smtp.Delivery | None = None
        self.say_hello()

    def say_hello(self) -> None:
        if self.tls_is_missing or self._mechanism is not None:
            lmtp, domain = self.conn.lmtp, self._domain
            self.conn.send(smtp.Lhlo(domain) if lmtp else smtp.Ehlo(domain))
        else:
            self._deliver_next()

    def handle(self, event: smtp.Event) -> None:
        """Before the first delivery, and after the last."""
        match event:
            case smtp.ReplyReceived(smtp.Ehlo() | smtp.Lhlo(), smtp.Reply(250)):
                if self.tls_is_missing:
                    self.conn.send(smtp.StartTls())
                elif self._mechanism is not None:
                    self.conn.authenticate(self._mechanism)
            case smtp.ReplyReceived(smtp.Auth(), smtp.Reply(235)):
                self._deliver_next()
            case smtp.ReplyReceived(command, reply) if reply.code >= 400:
                raise RefusedError(f"{command!r}: {reply.code} {reply.text}")
            case smtp.ConnectionClosed() if not self.reports:
                raise ConnectionError("the server has closed the connection before its time")

    def step(self) -> bool:
        if self._delivery is None:
            return super().step()
        report = self._delivery.report
        if report is not None:
            self.reports.append(report)
            self._deliver_next()
        return report is not None

    def _deliver_next(self) -> None:
        """The next message, or the end."""
        conn = self.conn
        self.channel = conn
        self._delivery = None
        if self._messages and (not self.reports or conn.state is smtp.State.READY):
            envelope, message = self._messages.popleft()
            self._delivery = smtp.Delivery(conn, envelope, message, domain=self._domain)
            self.channel = self._delivery
        elif not conn.closed:
            conn.send(smtp.Quit())

    def abort(self) -> None:
        super().abort()
        if self._delivery is not None:
            self._delivery.abort()
            self.step()
