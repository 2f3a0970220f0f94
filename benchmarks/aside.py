"""The client-only package of the same name on the index, installed aside and run on its own.

Two packages of one name cannot be imported by one process: this one lies in a folder of the
user's cache, and a process of its own is asked for every sample (`peers.same_name`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Contestant

__all__ = ["VERSION", "contestant", "fetch", "installed"]

VERSION = "2.0.0"
_ROOT = Path(__file__).parents[1]


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "smtpproto-benchmarks" / f"smtpproto-{VERSION}"


def installed() -> bool:
    return (_folder() / "smtpproto" / "protocol.py").exists()


def fetch() -> str | None:
    """Install it; what went wrong, or None."""
    if installed():
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--target", str(_folder()), f"smtpproto=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    return None


class _Elsewhere(Contestant):
    """Does its work in another process, which measures it by the same code."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def outcome(self) -> object:
        return bytes.fromhex(self._ask("outcome", 0.0))

    def seconds(self, at_least: float) -> float:
        return float(self._ask("seconds", at_least))

    def _ask(self, question: str, at_least: float) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([question, at_least]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.name} has ended")
        return answer.strip()


@contextmanager
def contestant(messages: int) -> Iterator[Contestant | None]:
    """Its client, with so many small transactions to do; None when it is not installed."""
    if not installed():
        print(
            f"smtpproto {VERSION} of the index is not installed aside, and left out: --fetch does"
            " that",
            file=sys.stderr,
        )
        yield None
        return
    command = [sys.executable, "-m", "benchmarks.peers.same_name", str(_folder()), str(messages)]
    pipes = subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with pipes as process:
        yield _Elsewhere(f"smtpproto {VERSION} (of the index)", process)
