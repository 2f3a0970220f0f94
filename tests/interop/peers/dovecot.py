"""Dovecot: its POP3 server and its LMTP server; Postfix asks it about logins."""

from __future__ import annotations

from textwrap import dedent

from tests.interop.features import SMTP_AUTH, Pop3, Smtp, pop3_but, smtp_but
from tests.interop.mailboxes import NAMES, PASSWORD
from tests.interop.programs import find, free_port, output_of
from tests.interop.server import Pop3Server, Server, SmtpServer

__all__ = ["Dovecot", "DovecotLmtp", "DovecotPop3"]

_INSTALL = "apt-get install dovecot-pop3d dovecot-lmtpd"


class Dovecot(Server):
    """All of it: who the users are, and each of its services on a port."""

    @classmethod
    def version(cls) -> str:
        return output_of(find("dovecot", _INSTALL, root=True), "--version").split()[0]

    def start(self) -> None:
        dovecot = find("dovecot", _INSTALL)
        self.pop3_port, self.pop3s_port, self.lmtp_port = (free_port() for _ in range(3))
        here = self.directory
        self.auth_socket = here / "auth"
        (here / "users").write_text(
            "".join(f"{name}:{{PLAIN}}{PASSWORD}:65534:65534::{here}/home\n" for name in NAMES)
        )
        config = here / "dovecot.conf"
        config.write_text(self._config())
        ports = [self.pop3_port, self.pop3s_port, self.lmtp_port]
        self.run(dovecot, "-F", "-c", str(config), ports=ports)

    def _config(self) -> str:
        here = self.directory
        return dedent(f"""\
            protocols = pop3 lmtp
            base_dir = {here}/run
            log_path = /dev/stderr
            listen = 127.0.0.1
            ssl = yes
            ssl_cert = <{self.certificate.chain}
            ssl_key = <{self.certificate.key}
            disable_plaintext_auth = no
            auth_mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256
            auth_failure_delay = 0
            first_valid_uid = 1
            mail_location = maildir:{self.mailboxes.directory}/%n
            auth_username_format = %n
            pop3_uidl_format = %f
            passdb {{
              driver = passwd-file
              args = {here}/users
            }}
            userdb {{
              driver = passwd-file
              args = {here}/users
            }}
            service auth {{
              unix_listener {self.auth_socket} {{
                mode = 0666
              }}
            }}
            service anvil {{
              unix_listener anvil-auth-penalty {{
                mode = 0
              }}
            }}
            service lmtp {{
              inet_listener lmtp {{
                port = {self.lmtp_port}
              }}
            }}
            service pop3-login {{
              inet_listener pop3 {{
                port = {self.pop3_port}
              }}
              inet_listener pop3s {{
                port = {self.pop3s_port}
                ssl = yes
              }}
            }}
            """)


class DovecotLmtp(Dovecot, SmtpServer):
    name = "Dovecot LMTP"
    lmtp = True
    features = smtp_but(
        *SMTP_AUTH, Smtp.NO_PIPELINING, Smtp.TLS, Smtp.DSN, Smtp.SMTPUTF8, Smtp.SIZE
    )

    def start(self) -> None:
        super().start()
        self.port = self.lmtp_port


class DovecotPop3(Dovecot, Pop3Server):
    name = "Dovecot"
    features = pop3_but(Pop3.EMPTY)  # it sends an empty line

    def start(self) -> None:
        super().start()
        self.port, self.tls_port = self.pop3_port, self.pop3s_port
