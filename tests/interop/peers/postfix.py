"""Postfix: smtpd, with virtual mailboxes, and Dovecot behind AUTH."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

from tests.interop.features import SIZE_LIMIT, UTF8_NAME, smtp_but
from tests.interop.mailboxes import DOMAIN, NAMES
from tests.interop.peers.dovecot import Dovecot
from tests.interop.programs import find, free_port, output_of
from tests.interop.server import SmtpServer

__all__ = ["INSTALL", "Postfix", "postfix_version"]

INSTALL = "apt-get install postfix"


def postfix_version() -> str:
    """Raises NotInstalledError."""
    return output_of(find("postconf", INSTALL, root=True), "-h", "mail_version").strip()


class Postfix(SmtpServer):
    name = "Postfix"
    features = smtp_but()
    _dovecot: Dovecot | None = None

    @classmethod
    def version(cls) -> str:
        Dovecot.version()
        return postfix_version()

    def start(self) -> None:
        postfix = find("postfix", INSTALL)
        self.port, self.tls_port, self.unpipelined_port = (free_port() for _ in range(3))
        here = self.directory
        self._dovecot = Dovecot(self.certificate)
        for name in ("etc", "queue", "data"):
            (here / name).mkdir()
        shutil.chown(here / "data", "postfix")
        (here / "etc/mailboxes").write_text(
            "".join(f"{name}@{DOMAIN} {name}/\n" for name in [*NAMES, UTF8_NAME])
        )
        (here / "etc/main.cf").write_text(self._main_cf(self._dovecot.auth_socket))
        (here / "etc/master.cf").write_text(self._master_cf())
        output_of(postfix, "-c", str(here / "etc"), "check")  # it makes the queue's directories
        daemons = output_of(find("postconf", INSTALL), "-h", "daemon_directory").strip()
        # What "postfix start" does in the end, but for leaving its process group.
        self.run(
            f"{daemons}/master", "-c", str(here / "etc"), "-d",
            ports=[self.port, self.tls_port, self.unpipelined_port],
        )  # fmt: skip

    def stop(self) -> None:
        super().stop()
        if self._dovecot is not None:
            self._dovecot.stop()

    def _main_cf(self, auth_socket: Path) -> str:
        here = self.directory
        return dedent(f"""\
            compatibility_level = 3.6
            queue_directory = {here}/queue
            data_directory = {here}/data
            maillog_file = {here}/log
            maillog_file_prefixes = {here}
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            myhostname = mx.{DOMAIN}
            mydestination =
            mynetworks =
            local_header_rewrite_clients =
            alias_maps =
            default_transport = discard
            message_size_limit = {SIZE_LIMIT}
            smtpd_recipient_restrictions = reject_unauth_destination
            smtpd_error_sleep_time = 0
            smtpd_hard_error_limit = 100
            smtpd_client_connection_count_limit = 0
            smtpd_tls_cert_file = {self.certificate.chain}
            smtpd_tls_key_file = {self.certificate.key}
            smtpd_tls_security_level = may
            smtpd_sasl_auth_enable = yes
            smtpd_sasl_type = dovecot
            smtpd_sasl_path = {auth_socket}
            smtpd_sasl_security_options = noanonymous
            virtual_mailbox_domains = {DOMAIN}
            virtual_mailbox_maps = texthash:{here}/etc/mailboxes
            virtual_mailbox_base = {self.mailboxes.directory}
            virtual_mailbox_limit = 0
            virtual_uid_maps = static:65534
            virtual_gid_maps = static:65534
            """)

    def _master_cf(self) -> str:
        return dedent(f"""\
            127.0.0.1:{self.port} inet n - n - - smtpd
            127.0.0.1:{self.tls_port} inet n - n - - smtpd
              -o smtpd_tls_wrappermode=yes
            127.0.0.1:{self.unpipelined_port} inet n - n - - smtpd
              -o smtpd_discard_ehlo_keywords=pipelining
            anvil unix - - n - 1 anvil
            bounce unix - - n - 0 bounce
            cleanup unix n - n - 0 cleanup
            defer unix - - n - 0 bounce
            discard unix - - n - - discard
            error unix - - n - - error
            postlog unix-dgram n - n - 1 postlogd
            proxymap unix - - n - - proxymap
            qmgr unix n - n 300 1 qmgr
            retry unix - - n - - error
            rewrite unix - - n - - trivial-rewrite
            tlsmgr unix - - n 1000? 1 tlsmgr
            trace unix - - n - 0 bounce
            virtual unix - n n - - virtual
            """)
