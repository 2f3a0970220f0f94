"""Servers made with somebody else's Python library: each runs as a program of its own."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import ClassVar

from tests.interop.programs import NotInstalledError, free_port
from tests.interop.server import Server

__all__ = ["PythonServer", "installed"]


def installed(distribution: str) -> str:
    """The version of a distribution. Raises NotInstalledError."""
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        raise NotInstalledError(
            f"{distribution} is not installed: pip install '.[interop]'"
        ) from None


class PythonServer(Server):
    """Runs the module `program` with the ports, the directory of mailboxes, and the PEM files."""

    distribution: ClassVar[str]
    program: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        return installed(cls.distribution)

    def start(self) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.unpipelined_port = self.port
        self.run(
            sys.executable, "-m", self.program, str(self.port), str(self.tls_port),
            str(self.mailboxes.directory), str(self.certificate.chain), str(self.certificate.key),
            ports=[self.port, self.tls_port],
        )  # fmt: skip
