"""What `explain` says of a session that stands in a test."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from smtpproto.explain import Dialogue, Directions, Observer, explain

__all__ = ["explained", "problems", "problems_of_directions"]


def explained(session: str | bytes) -> Observer:
    """The session of a dialogue."""
    with TemporaryDirectory() as directory:
        file = Path(directory, "session")
        file.write_bytes(session.encode() if isinstance(session, str) else session)
        return explain(Dialogue(file))


def problems(session: str | bytes) -> list[str]:
    """Each begins with its line number."""
    return [problem.partition("session:")[2] for problem in explained(session).problems]


def problems_of_directions(client: bytes, server: bytes) -> list[str]:
    """Each begins with the name of its file, and the line number there."""
    with TemporaryDirectory() as directory:
        files = Path(directory, "client"), Path(directory, "server")
        for file, octets in zip(files, (client, server), strict=True):
            file.write_bytes(octets)
        found = explain(Directions(*files)).problems
    return [problem.removeprefix(f"{directory}/") for problem in found]
