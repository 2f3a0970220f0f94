"""Transcript: an annotated C:/S: log of a session, without its secrets.

It listens to the octets of both sides, as they are written, and knows just enough of SMTP and
POP3 to tell a password or a SASL response from a command, and a message from both. Messages are
shown by their first lines.
"""

from __future__ import annotations

import re
from collections import deque

from smtpproto._redact import REDACTED, redacted, secrets_follow
from smtpproto._wire.lines import LineBuffer, LineTooLong
from smtpproto._wire.text import printable
from smtpproto.events import AuthChallenge, MessageData

__all__ = ["Transcript"]

_LONGEST = 16384
"""Octets of a line that is looked at whole; of a longer one only the start is shown."""

_LONGEST_COMMAND = 512

_VERB = re.compile(
    rb"(?i)[ \t]*(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|BURL|RSET|NOOP|QUIT|HELP|VRFY|EXPN|STARTTLS"
    rb"|AUTH|ETRN|ATRN|TURN|SEND|SOML|SAML|USER|PASS|APOP|CAPA|STLS|STAT|LIST|UIDL|RETR|TOP|DELE"
    rb"|UTF8|LANG)(?:[ \t]|\Z)"
)
_BDAT = re.compile(rb"(?i)BDAT[ \t]+([0-9]{1,20})(?:[ \t]+LAST)?[ \t]*\Z")
_STREAMED = (b"RETR", b"TOP")
_LISTED = (b"CAPA", b"LIST", b"UIDL", b"LANG", b"AUTH")


class Transcript:
    """Write down a session: give it what each side wrote, in order, and what came of it.

    `message_lines` is how many lines of a message are shown; None shows them all.
    ``str(transcript)`` is the log so far.
    """

    def __init__(self, *, message_lines: int | None = 6) -> None:
        self._message_lines = message_lines
        self._log: list[str] = []
        self._client = LineBuffer()
        self._server = LineBuffer()
        self._pop3 = False
        # POP3: the commands without their status yet, and whether lines follow it
        self._verbs: deque[bool] = deque()
        self._data_sent = False
        self._secrets_follow = False  # AUTH was sent: lines that are no commands are secret
        self._message_from = ""  # "C" or "S" while a dot-stuffed message is on its way
        self._chunk_left = 0
        self._shown = 0
        self._hidden = 0

    def client(self, octets: bytes) -> str:
        """The client has written this. How the last line of it is shown; "" when none is."""
        shown = len(self._log)
        self._client.append(octets)
        while True:
            if self._chunk_left:
                taken = self._client.take(self._chunk_left)
                if not taken:
                    break
                self._chunk_left -= len(taken)
                self._log.append(f"C: <{len(taken)} octets of message>")
                continue
            line = _next_line(self._client)
            if line is None:
                break
            self._client_line(line)
        return self._log[-1] if len(self._log) > shown else ""

    def server(self, octets: bytes) -> str:
        """The server has written this. How the last line of it is shown; "" when none is."""
        shown = len(self._log)
        self._server.append(octets)
        while (line := _next_line(self._server)) is not None:
            self._server_line(line)
        return self._log[-1] if len(self._log) > shown else ""

    def note(self, event: object) -> None:
        """Something came of the octets above: an event, a verdict, a remark."""
        if isinstance(event, MessageData):
            event = f"MessageData(<{len(event.data)} octets>)"
        elif isinstance(event, AuthChallenge):
            event = f"AuthChallenge(<{len(event.data)} octets>)"
        self._log.append(f"      {event}")

    def __str__(self) -> str:
        return "\n".join(self._log)

    # -- lines ------------------------------------------------------------------------------------

    def _client_line(self, line: bytes) -> None:
        if self._message_from == "C":
            self._message_line("C", line)
            return
        shown = redacted(line)
        if self._secrets_follow and not _VERB.match(line):
            shown = line if line == b"*" else REDACTED
        else:
            words = line[:_LONGEST_COMMAND].split()
            verb = words[0].upper() if words else b""
            self._secrets_follow = secrets_follow(line)
            self._data_sent = verb == b"DATA"
            if self._pop3:
                many = verb in _STREAMED or (verb in _LISTED and len(words) == 1)
                self._verbs.append(many)
            chunk = _BDAT.match(line)
            if chunk is not None:
                self._chunk_left = int(chunk[1])
        self._log.append(f"C: {_text(shown)}")

    def _server_line(self, line: bytes) -> None:
        if self._message_from == "S":
            self._message_line("S", line)
            return
        self._log.append(f"S: {_text(line)}")
        if line.startswith((b"+OK", b"-ERR")):
            if not self._pop3:  # the greeting, which answers no command
                self._pop3 = True
            elif self._verbs and self._verbs.popleft() and line.startswith(b"+OK"):
                self._begin_message("S")
        elif line.startswith(b"354") and self._data_sent:
            self._data_sent = False
            self._begin_message("C")

    def _begin_message(self, side: str) -> None:
        self._message_from = side
        self._shown = self._hidden = 0

    def _message_line(self, side: str, line: bytes) -> None:
        if line == b".":
            if self._hidden:
                self._log.append(f"{side}: <{self._hidden} lines more>")
            self._log.append(f"{side}: .")
            self._message_from = ""
        elif self._message_lines is None or self._shown < self._message_lines:
            self._shown += 1
            self._log.append(f"{side}: {_text(line)}")
        else:
            self._hidden += 1


def _next_line(buffer: LineBuffer) -> bytes | None:
    try:
        return buffer.next_line(_LONGEST)
    except LineTooLong as too_long:
        return too_long.start + b"..."


def _text(line: bytes) -> str:
    """What a terminal may be given."""
    return printable(line.decode("utf-8", "replace"))
