"""Postfix, Exim, Dovecot and our own servers, set up alike.

They have the same mailboxes and passwords, offer the same, want EHLO first, and none of them
punishes: no delays, no counts of errors, no enforcement of pipelining.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from smtpproto import pop3, smtp
from tests.interop.certificate import Certificate
from tests.interop.features import SIZE_LIMIT, UTF8_NAME
from tests.interop.mailboxes import DOMAIN, NAMES, PASSWORD
from tests.interop.peers.dovecot import DovecotLmtp, DovecotPop3
from tests.interop.peers.exim import Exim
from tests.interop.peers.postfix import Postfix
from tests.wrappers.on_sockets import Server
from tests.wrappers.pop3_server import CAPABILITIES, Keeper, Maildrops
from tests.wrappers.smtp_server import Receiver

__all__ = [
    "RECIPIENTS",
    "DovecotAlike",
    "DovecotLmtpAlike",
    "EximAlike",
    "PostfixAlike",
    "pop3_server",
    "smtp_server",
]

RECIPIENTS = 100
"""The most of a transaction."""

_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


class PostfixAlike(Postfix):
    def _main_cf(self, auth_socket: Path) -> str:
        # The last of two settings counts.
        return super()._main_cf(auth_socket) + dedent(f"""\
            smtpd_helo_required = yes
            strict_rfc821_envelopes = yes
            smtpd_relay_restrictions = reject_unauth_destination
            smtpd_recipient_limit = {RECIPIENTS}
            smtpd_discard_ehlo_keywords = etrn
            smtpd_sasl_mechanism_filter = {", ".join(_MECHANISMS)}
            smtpd_forbidden_commands =
            smtpd_hard_error_limit = 100000
            smtpd_soft_error_limit = 100000
            smtpd_junk_command_limit = 100000
            smtpd_recipient_overshoot_limit = 100000
            in_flow_delay = 0
            smtpd_forbid_bare_newline = yes
            virtual_transport = discard
            """)


class EximAlike(Exim):
    def _config(self, exim: str) -> str:
        options = dedent(f"""\
            recipients_max = {RECIPIENTS}
            helo_accept_junk_hosts = *
            allow_domain_literals = true
            smtp_enforce_sync = false
            smtp_accept_max = 0
            smtp_accept_max_nonmail = 100000
            smtp_max_synprot_errors = 100000
            smtp_max_unknown_commands = 100000
            queue_only = true
            """)
        config = super()._config(exim)
        for name, addition in (
            ("rcpt:\n", f"  deny message = Not from here\n    !domains = {DOMAIN}\n"),
            ("public_name = PLAIN\n", "  server_prompts = :\n"),  # without initial response
        ):
            assert config.count(name) == 1
            config = config.replace(name, name + addition)
        return options + config


class DovecotAlike(DovecotPop3):
    def _config(self) -> str:
        return super()._config() + "auth_mechanisms = plain login cram-md5 apop\n"


class DovecotLmtpAlike(DovecotLmtp):
    """It has no settings of its own, but mailboxes."""


class _Receiver(Receiver):
    """As Postfix and Exim it expands no mailing lists."""

    def handle(self, event: smtp.Event) -> None:
        if isinstance(event, smtp.Expn):
            self.conn.reject(502)
        else:
            super().handle(event)


def smtp_server(certificate: Certificate, *, lmtp: bool = False) -> Server:
    """Our SMTP or LMTP server."""
    users = {smtp.Address(f"{name}@{DOMAIN}") for name in (*NAMES, UTF8_NAME)}
    users.add(smtp.Address("postmaster"))
    extensions = (
        smtp.ext.Pipelining(),
        smtp.ext.Size(SIZE_LIMIT),
        smtp.ext.EightBitMime(),
        smtp.ext.Chunking(),
        smtp.ext.SmtpUtf8(),
        smtp.ext.EnhancedStatusCodes(),
        smtp.ext.Dsn(),
        smtp.ext.StartTls(),
        smtp.ext.Auth(*_MECHANISMS, plaintext_without_tls=True),
    )
    return Server(
        lambda: _Receiver(
            users,
            [],
            extensions=extensions,
            lmtp=lmtp,
            limits=smtp.Limits(refusals=None, recipients=RECIPIENTS),
        ),
        tls=certificate.server_context,
        password_of=_password_of,
    )


def pop3_server(certificate: Certificate, maildrops: Maildrops) -> Server:
    """Our POP3 server."""
    capabilities = pop3.Capabilities(
        [*CAPABILITIES, "STLS", " ".join(["SASL", *_MECHANISMS])], plaintext_without_tls=True
    )
    return Server(
        lambda: Keeper(maildrops, capabilities=capabilities, limits=pop3.Limits(refusals=None)),
        tls=certificate.server_context,
        password_of=_password_of,
    )


def _password_of(user: str) -> str | None:
    return PASSWORD if user in NAMES else None
