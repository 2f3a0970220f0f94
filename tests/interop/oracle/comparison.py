"""The same sessions with ours and with theirs: what was answered, and what differences.md lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tests.interop.oracle.conversation import CLOSED, Conversation, Session

__all__ = ["OURS", "Comparison", "Found", "Row", "compared", "row_for", "rows"]

OURS = "ours"

_TABLES = Path(__file__).parent.parent / "differences.md"
_AT_ONCE = 12
"""Sessions, each of which mostly waits for somebody."""


class Comparison(NamedTuple):
    """What two servers answered to the same in the same state."""

    state: str
    said: str
    ours: str
    theirs: str


Found: TypeAlias = dict[str, dict[Comparison, tuple[str, str]]]
"""For each server: what was compared with ours, and the transcripts of one such pair."""


def compared(
    sessions: Iterable[Session],
    servers: Iterable[str],
    converse: Callable[[str, int], Conversation],
) -> Found:
    """What `servers` answered beside OURS, which is one of them.

    `converse` begins a conversation with one of them; the number of the session is given, too.
    """

    def run(name: str, number: int, session: Session) -> Conversation:
        conversation = converse(name, number)
        conversation.run(session)
        return conversation

    names = list(servers)
    found: Found = {name: {} for name in names if name != OURS}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            (session, {name: pool.submit(run, name, number, session) for name in names})
            for number, session in enumerate(sessions)
        ]
        for session, conversations in running:
            ours = conversations[OURS].result()
            for name in found:
                theirs = conversations[name].result()
                for one in _pairs(session, ours, theirs):
                    found[name].setdefault(one, (str(ours), str(theirs)))
    return found


def _pairs(session: Session, ours: Conversation, theirs: Conversation) -> Iterable[Comparison]:
    for (group, place), answer in ours.answers.items():
        other = theirs.answers.get((group, place))
        # Who loses patience with a client earlier than ours is no difference.
        if other and other.state == answer.state and not other.replies.endswith(CLOSED):
            said = session[group][place].name
            yield Comparison(answer.state.name, said, answer.replies, other.replies)


class Row(NamedTuple):
    """A line of a table: what the servers answer to any of `said` in any of `states`.

    `states` is empty where it does not matter. `replies` are each server's; "-" where a server
    was never in the same state.
    """

    said: frozenset[str]
    states: frozenset[str]
    replies: tuple[tuple[str, str], ...]

    def reply_of(self, name: str) -> str:
        return dict(self.replies)[name]

    def differs(self, name: str) -> bool:
        return self.reply_of(name) not in (self.reply_of(OURS), "-")


def row_for(listed: Iterable[Row], one: Comparison) -> Row | None:
    """The line that a comparison belongs to: one that names its state, or else one for any."""
    named = [row for row in listed if one.said in row.said and one.state in row.states]
    others = [row for row in listed if one.said in row.said and not row.states]
    matching = named or others
    assert len(matching) < 2, f"{one.said} in state {one.state} is listed twice"
    return matching[0] if matching else None


def rows(heading: str) -> list[Row]:
    """The lines of the tables whose headings begin with this."""
    found: list[Row] = []
    names: list[str] = []
    under = False
    for line in _TABLES.read_text("utf-8").splitlines():
        if line.startswith("#"):
            under = line.lstrip("# ").startswith(heading)
            names = []
        elif under and line.startswith("|"):
            said, states, *replies = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-2])
            if not names:
                names = replies
            elif set(said) != {"-"}:
                found.append(
                    Row(
                        frozenset(re.findall("`([^`]+)`", said.replace(r"\|", "|"))),
                        frozenset() if states == "any" else frozenset(states.split(", ")),
                        tuple(zip(names, replies, strict=True)),
                    )
                )
    return found
