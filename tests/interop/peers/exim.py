"""Exim: its daemon, with mailboxes and logins of its own."""

from __future__ import annotations

import re
import shutil
from textwrap import dedent

from tests.interop.features import SIZE_LIMIT, UTF8_NAME, Smtp
from tests.interop.mailboxes import DOMAIN, NAMES, PASSWORD
from tests.interop.programs import find, free_port, output_of
from tests.interop.server import SmtpServer

__all__ = ["Exim"]

_INSTALL = "see .ci/run, which unpacks it beside Postfix"
_USER = "Debian-exim"


class Exim(SmtpServer):
    name = "Exim"
    features = frozenset(Smtp) - {Smtp.SCRAM_SHA_1, Smtp.SCRAM_SHA_256}

    @classmethod
    def version(cls) -> str:
        printed = output_of(find("exim4", _INSTALL), "-C", "/dev/null", "-bV")
        match = re.search("^Exim version ([^ ]+)", printed, re.MULTILINE)
        assert match, printed
        return match[1]

    def start(self) -> None:
        exim = find("exim4", _INSTALL, root=True)
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
