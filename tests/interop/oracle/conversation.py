"""A client that says whatever it is told to, and hears what is answered: octets on a socket.

It is no connection of ours: what it says may be wrong in any way, and what a server does about it,
be it nothing, is an answer.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from tests.interop.mailboxes import PASSWORD

__all__ = [
    "CLOSED",
    "Answer",
    "Conversation",
    "LmtpConversation",
    "Pop3Conversation",
    "Said",
    "Session",
    "SmtpConversation",
]

_TIMEOUT = 20.0
"""Seconds without an answer after which it is certain that none will come."""

CLOSED = "closed"
_SILENCE = "silence"
_NO_REPLY = "no reply"


class Said(NamedTuple):
    """What a client says in one go."""

    octets: bytes
    name: str
    """What the table of differences calls it."""
    only_in: Literal["data", "auth", None] = None
    """Of a message and of a SASL response: it is left out where nobody asks for it."""
    replies: Literal["one", "some", "rest"] = "one"
    """How many it has: one; those that come before the reply to a marker, which is sent behind
    it; those that come until the server closes, because the client has closed."""


Session: TypeAlias = Sequence[Sequence[Said]]
"""What a client says, in groups that are sent at once."""


class State(NamedTuple):
    """Where a session stands by the replies that were given, and nothing else."""

    phase: str
    awaits: Literal["", "data", "auth"] = ""
    details: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What the table of differences calls it."""
        shown = sorted(self.details - {"EHLO", "TLS", "LHLO", "authenticated"})
        return " ".join([self.awaits or self.phase, *(f"({detail})" for detail in shown)])


class Answer(NamedTuple):
    """What the server answered to something that was said in `state`."""

    state: State
    replies: str


class _ClosedError(Exception):
    """The server has closed."""


class Conversation(ABC):
    """One session with the server on `port`."""

    FIRST: ClassVar[State]
    MARKER: ClassVar[bytes]
    """RSET, which puts an end to whatever there is, and a command with a reply like no other."""
    FAREWELL: ClassVar[str]
    """What some servers say to a client that is gone, and some do not."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self.answers: dict[tuple[int, int], Answer] = {}
        """By group, and place in the group."""
        self._trust = trust
        self._state = self.FIRST
        self._transcript: list[str] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._file = self._socket.makefile("rb")

    def __str__(self) -> str:
        return "\n".join(self._transcript)

    def run(self, session: Session) -> None:
        """Say all of it, as far as the server listens."""
        try:
            self._greeting = self._reply(b"")
            for number, group in enumerate(session):
                self._say(number, group)
        except (_ClosedError, OSError):
            pass
        finally:
            self._file.close()
            self._socket.close()

    # -- saying -----------------------------------------------------------------------------------

    def _say(self, number: int, group: Sequence[Said]) -> None:
        awaited = self._state.awaits
        if awaited and group[0].only_in != awaited:
            # The server asks for something that the session does not have.
            self._hear(self._send(b".\r\n" if awaited == "data" else b"*\r\n"))
            awaited = ""
        if not self._can_say(group[0]):
            return
        said = [(place, one) for place, one in enumerate(group) if one.only_in in (None, awaited)]
        self._send(b"".join(one.octets for _, one in said))
        for place, one in said:
            if self._state.awaits and not one.only_in:
                return  # it was taken for a part of the message, or for a response
            before = self._state
            replies = self._replies(one)
            self.answers[number, place] = Answer(before, replies)
            if one.replies == "rest" or replies.endswith((CLOSED, _SILENCE)):
                raise _ClosedError
            if "TLS" in self._state.details - before.details:
                return  # what was sent in clear behind it is gone

    def _can_say(self, said: Said) -> bool:
        # A session under TLS has no half that could be closed.
        return said.replies != "rest" or not isinstance(self._socket, ssl.SSLSocket)

    def _send(self, octets: bytes) -> bytes:
        if octets:
            self._transcript.append(f"C: {octets!r}")
        try:
            self._socket.sendall(octets)
        except OSError:
            pass  # closed, and there may be something to read before that
        return octets

    # -- hearing ----------------------------------------------------------------------------------

    def _replies(self, said: Said) -> str:
        kinds: list[str] = []
        try:
            if said.replies == "one":
                return self._kind(self._hear(said.octets))
            if said.replies == "some":
                self._send(self.MARKER)
            else:
                self._socket.shutdown(socket.SHUT_WR)
            last = b""
            while not self._is_marked(reply := self._reply(b"")):
                kinds.append(self._kind(reply))
                last = reply
        except TimeoutError:
            return " ".join([*kinds, _SILENCE])
        except (_ClosedError, OSError):
            if said.replies != "rest":
                return " ".join([*kinds, CLOSED])
            if kinds[-1:] == [self.FAREWELL]:
                kinds.pop()
        else:
            self._follow(self.MARKER, last)
            kinds.pop()
        return " ".join(kinds) or _NO_REPLY

    def _hear(self, octets: bytes) -> bytes:
        reply = self._reply(octets)
        self._follow(octets, reply)
        return reply

    def _line(self) -> bytes:
        try:
            line = self._file.readline()
        except ConnectionError:
            line = b""
        self._transcript.append(f"S: {line!r}")
        if not line:
            raise _ClosedError
        return line

    def _begin_tls(self) -> None:
        self._file.close()
        self._socket = self._trust.wrap_socket(self._socket, server_hostname="localhost")
        self._file = self._socket.makefile("rb")

    @abstractmethod
    def _reply(self, octets: bytes) -> bytes:
        """Read the reply to these; its first line."""

    @abstractmethod
    def _kind(self, reply: bytes) -> str:
        """What of a reply is compared."""

    @abstractmethod
    def _is_marked(self, reply: bytes) -> bool:
        """Whether it answers the second command of MARKER."""

    @abstractmethod
    def _follow(self, octets: bytes, reply: bytes) -> None:
        """Note where the reply to these leads."""


def _words(octets: bytes) -> tuple[str, list[str]]:
    """The verb and the other words of a line."""
    verb, *words = octets.partition(b"\r\n")[0].decode("latin-1").upper().split() or [""]
    return verb, words


class SmtpConversation(Conversation):
    """SMTP or LMTP; the first digit of a reply is compared."""

    FIRST = State("connected")
    MARKER = b"RSET\r\nVRFY box0@example.org\r\n"
    FAREWELL = "4"

    def _reply(self, octets: bytes) -> bytes:
        first = line = self._line()
        while line[3:4] == b"-":
            line = self._line()
        return first

    def _kind(self, reply: bytes) -> str:
        assert re.match(rb"[2-5]\d\d[ -]", reply), str(self)
        return reply[:1].decode()

    def _is_marked(self, reply: bytes) -> bool:
        return reply.startswith(b"252")

    def _follow(self, octets: bytes, reply: bytes) -> None:
        phase, awaits, details = self._state
        verb, words = _words(octets)
        code, good = reply[:3], reply.startswith(b"2")
        if code in (b"221", b"421"):
            self._state = State("closed")
        elif awaits == "data":
            self._state = State("ready", "", details - {"SMTPUTF8"})
        elif code == b"334":
            self._state = State(phase, "auth", details)
        elif code == b"354":
            self._state = State(phase, "data", details)
        elif awaits == "auth" or verb == "AUTH":
            self._state = State(phase, "", details | ({"authenticated"} if good else set()))
        elif verb == "BDAT" and not good and phase in ("rcpt", "bdat"):
            self._state = State("failed", "", details)
        elif not good:
            pass
        elif verb == "BDAT" and "LAST" in words:
            self._state = State("ready", "", details - {"SMTPUTF8"})
        elif verb == "BDAT":
            self._state = State("bdat", "", details)
        elif verb in ("EHLO", "HELO", "LHLO"):
            self._state = State("ready", "", details - {"EHLO", "HELO", "SMTPUTF8"} | {verb})
        elif verb == "RSET":
            after = "connected" if phase == "connected" else "ready"
            self._state = State(after, "", details - {"SMTPUTF8"})
        elif verb == "MAIL":
            asked = {"SMTPUTF8"} & set(words)
            self._state = State("mail", "", details - {"SMTPUTF8"} | asked)
        elif verb == "RCPT":
            self._state = State("rcpt", "", details)
        elif verb == "STARTTLS":
            self._begin_tls()
            self._state = State("connected", "", frozenset({"TLS"}))


class LmtpConversation(SmtpConversation):
    MARKER = b"RSET\r\nVRFY box0\r\n"  # Dovecot's takes no "@" there


class Pop3Conversation(Conversation):
    """POP3; +OK, -ERR and + are compared.

    `user` stands for {user} in what is said; {plain} and {digest} let him in.
    """

    FIRST = State("authorization")
    MARKER = b"RSET\r\nUIDL 1\r\n"
    FAREWELL = "-ERR"

    def __init__(self, port: int, trust: ssl.SSLContext, user: str) -> None:
        super().__init__(port, trust)
        self._user = user

    def _can_say(self, said: Said) -> bool:
        return super()._can_say(said) and (
            said.replies != "some" or self._state.phase == "transaction"
        )

    def _send(self, octets: bytes) -> bytes:
        timestamp = re.search(rb"<[^>]*>", self._greeting)
        assert timestamp is not None
        digest = hashlib.md5(timestamp[0] + PASSWORD.encode()).hexdigest()
        plain = base64.b64encode(f"\0{self._user}\0{PASSWORD}".encode())
        return super()._send(
            octets.replace(b"{user}", self._user.encode())
            .replace(b"{plain}", plain)
            .replace(b"{digest}", digest.encode())
        )

    def _reply(self, octets: bytes) -> bytes:
        first = self._line()
        if first.startswith((b"-ERR Too many invalid", b"-ERR Input line too long")):
            raise _ClosedError  # Dovecot says this and closes; its patience cannot be set
        verb, words = _words(octets)
        has_lines = verb in ("CAPA", "RETR", "TOP") or (
            verb in ("LIST", "UIDL", "AUTH", "LANG") and not words
        )
        if first.startswith(b"+OK") and has_lines:
            while self._line() != b".\r\n":
                pass
        return first

    def _kind(self, reply: bytes) -> str:
        assert reply.startswith((b"+OK", b"-ERR", b"+ ")), str(self)
        return reply.split()[0].decode()

    def _is_marked(self, reply: bytes) -> bool:
        return reply.startswith(b"+OK 1 ")

    def _follow(self, octets: bytes, reply: bytes) -> None:
        phase, awaits, details = self._state
        verb, words = _words(octets)
        good = reply.startswith(b"+OK")
        if verb == "QUIT" and good and not awaits:
            self._state = State("closed")
        elif reply.startswith(b"+ "):
            self._state = State(phase, "auth", details)
        elif awaits or (words and verb in ("PASS", "APOP", "AUTH")):
            after = "authorization" if phase == "user" else phase
            self._state = State("transaction" if good else after, "", details)
        elif verb == "USER" and phase != "transaction":
            self._state = State("user" if good else "authorization", "", details)
        elif verb == "STLS" and good:
            self._begin_tls()
            self._state = State("authorization", "", details | {"TLS"})
        elif verb == "DELE" and good:
            self._state = State(phase, "", details | {f"{word} deleted" for word in words})
        elif verb == "RSET" and good:
            self._state = State(phase, "", details & {"TLS"})
