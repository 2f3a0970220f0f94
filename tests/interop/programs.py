"""Programs of other people's that the tests run: found, started, and ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["NotInstalledError", "Process", "find", "free_port", "output_of"]

_PLACES = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        # Where tests/interop/install unpacks what cannot be installed beside others.
        *(str(p) for p in (Path(__file__).parent.parent.parent / ".peers").glob("*/usr/sbin")),
    ]
)

_LONGEST_WAIT = 30.0
"""Seconds for anything that a program does; it is over in a fraction of one."""


class NotInstalledError(Exception):
    """A program is not there, or may not be run by this user: says what to do about it."""


def find(program: str, install: str, *, root: bool = False) -> str:
    """The path of a program. Raises NotInstalledError, which says how to `install` it; `root` says
    that nobody else can run it."""
    path = shutil.which(program, path=_PLACES)
    if path is None:
        raise NotInstalledError(f"{program} is not installed: {install}")
    if root and os.geteuid() != 0:
        raise NotInstalledError(f"{program} runs as root only")
    return path


def output_of(*command: str) -> str:
    """What a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_WAIT)
    return done.stdout + done.stderr


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A program that runs in a process group of its own until `stop`.

    What it prints is in `log`.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_it_listens(self, port: int) -> None:
        """Return when it takes connections. Raises AssertionError, with its log, when it ends."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=_LONGEST_WAIT).close()
                return
            except ConnectionRefusedError:
                pass
            try:
                status = self._popen.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"it ended with {status}:\n{self._log.read_text()}")
        raise AssertionError(f"it does not listen on port {port}:\n{self._log.read_text()}")

    def stop(self) -> None:
        """End it, and all that it has started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._popen.pid, number)
            except ProcessLookupError:
                break
            try:
                self._popen.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
