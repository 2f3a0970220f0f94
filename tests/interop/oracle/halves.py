"""The client halves of tests/dialogues, as they can be said to servers that are set up here.

Users and domains are changed to those that the servers have, or not, as the dialogue's server had
them or not; parameters that are not offered are left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import groupby

from tests.dialogue import Dialogue, dialogues
from tests.dialogue import Said as Written
from tests.interop.features import UTF8_NAME
from tests.interop.mailboxes import DOMAIN, NAMES, PASSWORD
from tests.interop.oracle.conversation import Said, Session
from tests.interop.oracle.mistakes import each

__all__ = ["halves"]

_OFFERED = ("SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID", "NOTIFY", "ORCPT")
_RECIPIENT = re.compile(r'(RCPT TO:.*?)((?:"[^"]*"|[^<>:@, ]+)@[^> ]+)', re.IGNORECASE)


def halves(pattern: str) -> list[Session]:
    """Those of the dialogues whose file names match. Where the roles change, up to there."""
    return [list(_Half(dialogue).groups()) for dialogue in dialogues(pattern)]


class _Half:
    """What the client says in one dialogue, and what is known of it so far."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._steps = dialogue.halves()[0]
        self._lmtp = dialogue.name.startswith("lmtp")
        self._pop3 = dialogue.name.startswith("pop3")
        self._recipients: dict[str, str] = {}
        self._mechanism = ""

    def groups(self) -> Iterator[list[Said]]:
        turns = [turn for turn in self._steps.turns() if turn[0] in ("C", "S")]
        asked = b""
        for number, (side, lines) in enumerate(turns):
            if side == "S":
                asked = lines[-1].octets
                continue
            said = _things(lines, message=asked.startswith(b"354"))
            answers = turns[number + 1][1] if number + 1 < len(turns) else []
            replies = [line.octets for line in answers if line.octets[3:4] != b"-"]
            # A message can have more than one reply in LMTP, and nothing comes before it.
            replies = ([b""] * len(said) + replies)[-len(said) :]
            adapted = [
                self._adapted(octets, reply, b"" if place else asked)
                for place, (octets, reply) in enumerate(zip(said, replies, strict=True))
            ]
            for marked, run in groupby(adapted, lambda one: one.replies == "some"):
                group = list(run)
                yield from each(group) if marked else [group]

    def _adapted(self, octets: bytes, reply: bytes, asked: bytes) -> Said:
        """`reply` is what came for it, `asked` what came before it, if it begins a turn."""
        if asked.startswith(b"354"):
            if not octets.endswith(b"\r\n.\r\n"):
                return Said(octets, "a message without its end, and close", "data", "rest")
            return Said(octets, "a message", "data", "some" if self._lmtp else "one")
        if asked.startswith((b"334", b"+ ")):
            return self._response(asked)
        first, end, chunk = octets.partition(b"\r\n")
        line = first.decode()
        verb = line[:4].upper()
        if self._pop3:
            line = self._pop3_command(verb, line, good=reply.startswith(b"+OK"))
        elif verb in ("MAIL", "RCPT"):
            line = self._path(line, good=reply.startswith(b"2"))
        elif verb == "AUTH":
            self._mechanism, _, initial = line[5:].upper().partition(" ")
            if self._mechanism == "PLAIN" and initial:
                line = f"AUTH PLAIN {_PLAIN}"
        several = self._lmtp and verb == "BDAT" and line.endswith("LAST")
        name = re.sub(f"{_PLAIN}|{{plain}}", "the right password", line)
        return Said(
            line.encode() + end + chunk,
            name,
            replies="some" if several else "one",
        )

    def _path(self, line: str, *, good: bool) -> str:
        """The sender is anybody; a recipient is somebody or nobody."""
        path, *parameters = re.split(r" (?=[A-Z0-9-]+(?:=|$| ))", line[5:])
        parameters = [
            one
            for one in parameters
            if one.partition("=")[0] in _OFFERED and one != "BODY=BINARYMIME"
        ]
        line = " ".join([line[:5] + path, *parameters])
        return _RECIPIENT.sub(lambda m: m[1] + self._mailbox(m[2], good), line, count=1)

    def _mailbox(self, address: str, good: bool) -> str:
        if not good:
            return f"nobody@{DOMAIN}"
        if not address.isascii():
            return f"{UTF8_NAME}@{DOMAIN}"
        name = self._recipients.setdefault(address.lower(), NAMES[len(self._recipients)])
        return f"{name}@{DOMAIN}"

    def _response(self, asked: bytes) -> Said:
        right = "{plain}" if self._pop3 else _PLAIN
        text = right if self._mechanism == "PLAIN" else "wrong"
        if self._mechanism == "LOGIN":
            text = _USER if b"VXNlc" in asked else _PASSWORD
        return Said(text.encode() + b"\r\n", f"response to {self._mechanism}", "auth")

    def _pop3_command(self, verb: str, line: str, *, good: bool) -> str:
        if verb == "USER":
            return "USER {user}" if good else "USER nobody"
        if verb == "PASS":
            return f"PASS {PASSWORD}" if good else "PASS wrong"
        if verb == "APOP":
            return "APOP {user} {digest}"
        if verb == "AUTH":
            self._mechanism, _, initial = line[5:].upper().partition(" ")
            return "AUTH PLAIN {plain}" if self._mechanism == "PLAIN" and initial else line
        return line


def _things(lines: list[Written], *, message: bool) -> list[bytes]:
    """The lines of a client's turn, a message as one, a chunk with its BDAT."""
    found: list[bytes] = []
    within = message
    if message:
        found.append(b"")
    for line in lines:
        if line.piece or within:
            found[-1] += line.octets
            within = within and line.octets != b".\r\n"
        else:
            found.append(line.octets)
    return found


_PLAIN = base64.b64encode(f"\0box0\0{PASSWORD}".encode()).decode()
_USER = base64.b64encode(b"box0").decode()
_PASSWORD = base64.b64encode(PASSWORD.encode()).decode()
