"""Exim: its daemon, with mailboxes and logins of its own, and its SMTP transport."""

from __future__ import annotations

import re
import shutil
from textwrap import dedent

from tests.interop.certificate import Certificate
from tests.interop.client import Account, Mail, SmtpClient
from tests.interop.features import SIZE_LIMIT, SMTP_SCRAM, UTF8_NAME, Smtp, smtp_but
from tests.interop.mailboxes import DOMAIN, NAMES, PASSWORD
from tests.interop.peer import Peer
from tests.interop.programs import find, free_port, output_of
from tests.interop.server import SmtpServer

__all__ = ["Exim", "EximClient"]

_INSTALL = "tests/interop/install unpacks it beside Postfix"
_USER = "Debian-exim"


class _Exim(Peer):
    name = "Exim"

    @classmethod
    def version(cls) -> str:
        printed = output_of(find("exim4", _INSTALL, root=True), "-C", "/dev/null", "-bV")
        match = re.search("^Exim version ([^ ]+)", printed, re.MULTILINE)
        assert match, printed
        return match[1]


class Exim(_Exim, SmtpServer):
    features = smtp_but(*SMTP_SCRAM)

    def start(self) -> None:
        exim = find("exim4", _INSTALL)
        self.port, self.tls_port, self.unpipelined_port = (free_port() for _ in range(3))
        here = self.directory
        shutil.chown(here, _USER)
        (here / "mailboxes").write_text(
            "".join(f"{name}: {name}\n" for name in [*NAMES, UTF8_NAME])
        )
        (here / "exim.conf").write_text(self._config(exim))
        ports = [self.port, self.tls_port, self.unpipelined_port]
        self.run(
            exim, "-C", str(here / "exim.conf"), "-bdf",
            "-oX", " : ".join(f"127.0.0.1.{port}" for port in ports),
            ports=ports,
        )  # fmt: skip

    def _config(self, exim: str) -> str:
        here = self.directory
        everywhere_but_one = f"${{if !eq{{$received_port}}{{{self.unpipelined_port}}}{{*}}}}"
        return dedent(f"""\
            exim_path = {exim}
            keep_environment =
            spool_directory = {here}/spool
            log_file_path = {here}/%slog
            primary_hostname = mx.{DOMAIN}
            tls_certificate = {self.certificate.chain}
            tls_privatekey = {self.certificate.key}
            tls_advertise_hosts = *
            tls_on_connect_ports = {self.tls_port}
            pipelining_advertise_hosts = {everywhere_but_one}
            chunking_advertise_hosts = *
            dsn_advertise_hosts = *
            smtputf8_advertise_hosts = *
            message_size_limit = {SIZE_LIMIT}
            acl_smtp_rcpt = rcpt

            begin acl
            rcpt:
              deny message = No such user here
                !local_parts = lsearch;{here}/mailboxes
              accept

            begin routers
            mailboxes:
              driver = accept
              local_parts = lsearch;{here}/mailboxes
              transport = maildir

            begin transports
            maildir:
              driver = appendfile
              directory = {self.mailboxes.directory}/$local_part_data
              maildir_format
              delivery_date_add
              envelope_to_add
              return_path_add

            begin authenticators
            plain:
              driver = plaintext
              public_name = PLAIN
              server_condition = ${{if eq{{$auth3}}{{{PASSWORD}}}}}
              server_set_id = $auth2
            login:
              driver = plaintext
              public_name = LOGIN
              server_prompts = User Name : Password
              server_condition = ${{if eq{{$auth2}}{{{PASSWORD}}}}}
              server_set_id = $auth1
            cram_md5:
              driver = cram_md5
              public_name = CRAM-MD5
              server_secret = {PASSWORD}
              server_set_id = $auth1
            """)


class EximClient(_Exim, SmtpClient):
    """Each message goes in on the standard input, and out before the command ends."""

    features = smtp_but(
        *SMTP_SCRAM,
        Smtp.DOTS,  # it puts a header before a message that has none
        Smtp.EMPTY_LINES,
        Smtp.EMPTY,
        Smtp.DSN,
        Smtp.RSET,
        Smtp.TWO_MESSAGES,
    )

    def __init__(self, certificate: Certificate) -> None:
        super().__init__(certificate)
        self._program = find("exim4", _INSTALL)
        shutil.chown(self.directory, _USER)

    def send(self, account: Account, *mails: Mail) -> list[bool]:
        (mail,) = mails
        config = self.directory / "exim.conf"
        config.write_text(self._config(account))
        log = self.directory / "mainlog"
        log.unlink(missing_ok=True)
        shutil.rmtree(self.directory / "spool", ignore_errors=True)  # and what did not work before
        # "-odf": the command waits for the delivery.
        self.run(
            self._program, "-C", str(config), "-odf", "-oi", "-f", mail.sender, *mail.recipients,
            octets=mail.message.replace(b"\r\n", b"\n"),
        )  # fmt: skip
        print(log.read_text())
        return [log.read_text().count(" => ") == len(mail.recipients)]

    def _config(self, account: Account) -> str:
        here, user, password = self.directory, account.user, account.password
        secret = {
            "CRAM-MD5": f"client_name = {user}\n  client_secret = {password}",
            "LOGIN": f"client_send = : {user} : {password}",
        }.get(account.mechanism or "", f"client_send = ^{user}^{password}")
        return dedent(f"""\
            exim_path = {self._program}
            keep_environment =
            spool_directory = {here}/spool
            log_file_path = {here}/%slog
            primary_hostname = client.example
            received_header_text =

            begin routers
            server:
              driver = manualroute
              route_list = * 127.0.0.1
              self = send
              transport = server

            begin transports
            server:
              driver = smtp
              port = {account.port}
              protocol = {"smtps" if account.tls == "implicit" else "smtp"}
              hosts_require_tls = {":" if account.tls == "none" else "*"}
              hosts_avoid_tls = {"*" if account.tls == "none" else ":"}
              hosts_require_auth = {":" if account.mechanism is None else "*"}
              tls_verify_certificates = {self.certificate.authority}

            begin retry
            * * F,1h,1h

            begin authenticators
            client:
              driver = {"cram_md5" if account.mechanism == "CRAM-MD5" else "plaintext"}
              public_name = {account.mechanism or "PLAIN"}
              {secret}
            """)
