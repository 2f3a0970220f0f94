"""The certificate that the servers of a test run show, and who trusts it."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

__all__ = ["Certificate"]


class Certificate:
    """For ``localhost`` and 127.0.0.1, with its key and its authority as PEM files in a directory
    that everybody can read."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        self.leaf = issued
        self.chain = directory / "chain.pem"
        self.key = directory / "key.pem"
        self.authority = directory / "authority.pem"
        for blob in issued.cert_chain_pems:
            blob.write_to_path(self.chain, append=True)
        issued.private_key_pem.write_to_path(self.key)
        authority.cert_pem.write_to_path(self.authority)
        for path in (directory, self.chain, self.key, self.authority):
            path.chmod(0o755)

    @property
    def client_context(self) -> ssl.SSLContext:
        """Who trusts it."""
        return ssl.create_default_context(cafile=self.authority)

    @property
    def server_context(self) -> ssl.SSLContext:
        """Who shows it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context
