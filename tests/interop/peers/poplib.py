"""poplib, of Python itself."""

from __future__ import annotations

import platform
import poplib

from tests.interop.client import HOST, Account, Pop3Client, RefusedError
from tests.interop.features import POP3_AUTH, Pop3, pop3_but

__all__ = ["Poplib"]


class Poplib(Pop3Client):
    name = "poplib"
    features = pop3_but(*POP3_AUTH, Pop3.PIPELINING)

    @classmethod
    def version(cls) -> str:
        return platform.python_version()

    def talk(self, account: Account, *commands: str) -> list[bytes]:
        context = self.certificate.client_context
        if account.tls == "implicit":
            client: poplib.POP3 = poplib.POP3_SSL(HOST, account.port, context=context)
        else:
            client = poplib.POP3(HOST, account.port)
        try:
            if account.tls == "start":
                client.stls(context)
            try:
                if account.mechanism == "APOP":
                    client.apop(account.user, account.password)
                else:
                    client.user(account.user)
                    client.pass_(account.password)
            except poplib.error_proto:
                raise RefusedError from None
            return [self._answer(client, *command.split()) for command in commands]
        finally:
            client.quit()

    def _answer(self, client: poplib.POP3, verb: str, *arguments: str) -> bytes:
        answer = getattr(client, verb.lower())(*arguments)
        if verb in ("DELE", "RSET"):
            return b""
        _, lines, _ = answer
        return b"".join(line + b"\r\n" for line in lines)
