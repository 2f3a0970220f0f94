"""Transcript: an annotated C:/S: log of a session, without its secrets.

It listens to the octets of both sides, as they are written, and knows just enough of SMTP and
POP3 to tell a password or a SASL response from a command, and a message from both. Messages are
shown by their first lines.
"""

from __future__ import annotations

import re
from collections import deque

from smtpproto.events import AuthChallenge, MessageData
from smtpproto.wire.lines import LineBuffer, LineTooLong

__all__ = ["Transcript"]

_REDACTED = "[redacted]"
_LONGEST = 16384
"""Octets of a line that is looked at whole; of a longer one only the start is shown."""

_SECRETS = re.compile(
    r"(?is)(\s*(?:AUTH\s+\S+\s+|PASS\s|APOP\s+\S+\s+)).+"  # the command and what may be shown
)
_VERB = re.compile(
    r"(?i)(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|BURL|RSET|NOOP|QUIT|HELP|VRFY|EXPN|STARTTLS|AUTH"
    r"|ETRN|ATRN|TURN|SEND|SOML|SAML|USER|PASS|APOP|CAPA|STLS|STAT|LIST|UIDL|RETR|TOP|DELE|UTF8"
    r"|LANG)(?:\s|$)"
)
_BDAT = re.compile(r"(?i)BDAT\s+(\d{1,20})(?:\s+LAST)?\s*$")
_STREAMED = ("RETR", "TOP")
_LISTED = ("CAPA", "LIST", "UIDL", "LANG", "AUTH")


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
        self._verbs: deque[str] = deque()  # POP3: commands without their status yet
        self._secrets_follow = False  # AUTH was sent: lines that are no commands are secret
        self._message_from = ""  # "C" or "S" while a dot-stuffed message is on its way
        self._chunk_left = 0
        self._shown = 0
        self._hidden = 0

    def client(self, octets: bytes) -> None:
        """The client has written this."""
        self._client.append(octets)
        while True:
            if self._chunk_left:
                taken = self._client.take(self._chunk_left)
                if not taken:
                    return
                self._chunk_left -= len(taken)
                self._log.append(f"C: <{len(taken)} octets of message>")
                continue
            line = _next_line(self._client)
            if line is None:
                return
            self._client_line(line)

    def server(self, octets: bytes) -> None:
        """The server has written this."""
        self._server.append(octets)
        while (line := _next_line(self._server)) is not None:
            self._server_line(line)

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

    def _client_line(self, line: str) -> None:
        if self._message_from == "C":
            self._message_line("C", line)
            return
        is_command = _VERB.match(line.lstrip()) is not None
        if self._secrets_follow and not is_command:
            shown = line if line == "*" else _REDACTED
        else:
            shown = _SECRETS.sub(rf"\1{_REDACTED}", line)
            verb = line.split(maxsplit=1)[0].upper() if line.strip() else ""
            self._secrets_follow = verb == "AUTH"
            if self._pop3:
                many = verb in _STREAMED or (verb in _LISTED and len(line.split()) == 1)
                self._verbs.append(verb if many else "")
            chunk = _BDAT.match(line)
            if chunk is not None:
                self._chunk_left = int(chunk[1])
        self._log.append(f"C: {shown}")

    def _server_line(self, line: str) -> None:
        if self._message_from == "S":
            self._message_line("S", line)
            return
        self._log.append(f"S: {line}")
        if line.startswith(("+OK", "-ERR")):
            if not self._log[:-1] or not self._pop3:
                self._pop3 = True
                return
            verb = self._verbs.popleft() if self._verbs else ""
            if verb and line.startswith("+OK"):
                self._begin_message("S")
        elif line.startswith("354") and not self._pop3:
            self._begin_message("C")

    def _begin_message(self, side: str) -> None:
        self._message_from = side
        self._shown = self._hidden = 0

    def _message_line(self, side: str, line: str) -> None:
        if line == ".":
            if self._hidden:
                self._log.append(f"{side}: <{self._hidden} lines more>")
            self._log.append(f"{side}: .")
            self._message_from = ""
        elif self._message_lines is None or self._shown < self._message_lines:
            self._shown += 1
            self._log.append(f"{side}: {line}")
        else:
            self._hidden += 1


def _next_line(buffer: LineBuffer) -> str | None:
    try:
        line = buffer.next_line(_LONGEST)
    except LineTooLong as too_long:
        line = too_long.start + b"..."
    if line is None:
        return None
    text = line.decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
