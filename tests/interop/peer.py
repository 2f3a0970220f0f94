"""A peer: a server or a client of somebody else's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tests.interop.certificate import Certificate
from tests.interop.features import Pop3, Smtp

__all__ = ["Peer"]


class Peer(ABC):
    """Made once in a test run. Raises NotInstalledError when it cannot be run here."""

    name: ClassVar[str]
    features: ClassVar[frozenset[Smtp] | frozenset[Pop3]]
    """What it can do."""

    def __init__(self, certificate: Certificate) -> None:
        self.version()
        self.certificate = certificate

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Of what is installed here. Raises NotInstalledError when it cannot be run here."""

    @abstractmethod
    def stop(self) -> None:
        """The test run is over."""
