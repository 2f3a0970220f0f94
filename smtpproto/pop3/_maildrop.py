"""Maildrop: the numbering of a user's messages for one session, and what is marked as deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smtpproto.errors import InvalidValueError
from smtpproto.pop3._answers import counted
from smtpproto.pop3._commands import Command, Dele, List, Noop, Retr, Rset, Stat, Top, Uidl
from smtpproto.pop3._listings import MaildropStatus, UniqueId, check_octets, check_uid
from smtpproto.pop3._responses import Err, Ok, Response

__all__ = ["Maildrop"]


class Maildrop:
    """A maildrop as it is when the session enters the TRANSACTION state (RFC 1939 section 4).

    `messages` are the unique-id and the size in octets of each message, in order: the first has
    number 1. `answer` is the response to every command about them:

        case pop3.Retr(number) | pop3.Top(number):
            answer = maildrop.answer(event)
            conn.send(answer)
            if isinstance(answer, pop3.Ok):
                for piece in read_message(maildrop.uid(number)):
                    conn.send(pop3.MessageData(piece))
                conn.send(pop3.EndOfMessage())
        case pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele() | pop3.Rset() | pop3.Noop():
            conn.send(maildrop.answer(event))
        case pop3.Quit():
            for message in maildrop.deleted:
                remove_message(message.uid)
            conn.accept()

    Raises InvalidValueError for anything but a unique-id or a size. A str subclass or an Enum
    member counts by its str value.
    """

    __slots__ = ("_deleted", "_octets", "_sizes", "_uids")

    def __init__(self, messages: Iterable[tuple[str, int]] = ()) -> None:
        self._uids: list[str] = []
        self._sizes: list[int] = []
        for message in messages:
            if not isinstance(message, tuple | list) or len(message) != 2:
                raise TypeError(
                    "messages: pairs of a unique-id and a number of octets, not"
                    f" {type(message).__name__}: {message!r:.80}"
                )
            uid, octets = message
            self._uids.append(check_uid(uid))
            self._sizes.append(check_octets(octets))
        self._deleted: set[int] = set()
        self._octets = sum(self._sizes)  # of what is not deleted

    def __repr__(self) -> str:
        status = self.status
        return (
            f"<Maildrop of {status.count} messages, {status.octets} octets,"
            f" {len(self._deleted)} more marked as deleted>"
        )

    @property
    def status(self) -> MaildropStatus:
        """How many messages there are, and how large; those marked as deleted do not count."""
        return MaildropStatus(len(self._uids) - len(self._deleted), self._octets)

    @property
    def deleted(self) -> tuple[UniqueId, ...]:
        """The messages that are marked as deleted: QUIT must remove them, and nothing else may
        (RFC 1939 section 6)."""
        return tuple(UniqueId(number, self.uid(number)) for number in sorted(self._deleted))

    def uid(self, number: int) -> str:
        """The unique-id of message `number`, marked or not. Raises InvalidValueError for a number
        that no message has."""
        if not 1 <= number <= len(self._uids):
            raise InvalidValueError(f"no message has the number {number}")
        return self._uids[number - 1]

    def answer(self, command: Command) -> Response:
        """The response to STAT, LIST, UIDL, DELE, RSET or NOOP; to RETR and TOP the Ok that the
        message follows, or the Err.

        Raises InvalidValueError for any other command.
        """
        if isinstance(command, List | Uidl | Retr | Top | Dele) and command.number is not None:
            return self._answer_about(command, command.number)
        if isinstance(command, Stat):
            return Ok(str(self.status))
        if isinstance(command, List):
            return Ok(counted(self.status), lines=self._lines(self._sizes))
        if isinstance(command, Uidl):
            return Ok(counted(self.status), lines=self._lines(self._uids))
        if isinstance(command, Rset):
            self._octets += sum(self._sizes[number - 1] for number in self._deleted)
            self._deleted.clear()
            return Ok(f"maildrop has {counted(self.status)}")
        if isinstance(command, Noop):
            return Ok()
        raise InvalidValueError(f"{command!r} is not about messages: the server answers it")

    def _answer_about(self, command: List | Uidl | Retr | Top | Dele, number: int) -> Response:
        if number > len(self._uids):
            return Err(f"no such message, only {len(self._uids)} messages in maildrop")
        if number in self._deleted:
            return Err(f"message {number} already deleted")
        octets = self._sizes[number - 1]
        if isinstance(command, List):
            return Ok(f"{number} {octets}")
        if isinstance(command, Uidl):
            return Ok(f"{number} {self.uid(number)}")
        if isinstance(command, Dele):
            self._deleted.add(number)
            self._octets -= octets
            return Ok(f"message {number} deleted")
        return Ok(f"{octets} octets" if isinstance(command, Retr) else "")

    def _lines(self, about: Sequence[object]) -> list[str]:
        """A line for each message that is not marked as deleted: its number, and what is `about`
        it."""
        deleted = self._deleted
        return [f"{number} {it}" for number, it in enumerate(about, 1) if number not in deleted]
