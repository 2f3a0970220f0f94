"""What the connections know of SASL mechanisms by their names alone."""

from __future__ import annotations

import re

__all__ = ["NAME", "REVEALING", "SERVER_FIRST"]

NAME = re.compile(r"[A-Z0-9_-]{1,20}")
"""The name of a mechanism (RFC 4422 section 3.1)."""

REVEALING = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})
"""Mechanisms that show the secret to whoever listens: not without TLS (RFC 4954 section 4)."""

SERVER_FIRST = frozenset({"CRAM-MD5", "DIGEST-MD5"})
"""Mechanisms in which the server speaks first. LOGIN is not among them: widely used clients send
the user name with the command."""
