"""A POP3 client with Twisted: python -m tests.interop.peers.programs.twisted_pop3_client ...

It writes what comes of each command into a file; the exit status is 67 when the login is refused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import react
from twisted.mail.pop3 import AdvancedPOP3Client, ServerErrorResponse


class Client(AdvancedPOP3Client):
    allowInsecureLogin = True

    def __init__(self) -> None:
        self.greeted: Deferred[None] = Deferred()

    def serverGreeting(self, greeting: bytes) -> None:
        super().serverGreeting(greeting)
        self.greeted.callback(None)


async def answer(client: Client, verb: str, *arguments: str) -> bytes:
    numbers = [int(argument) for argument in arguments]
    match verb, numbers:
        case "RETR", [number]:
            lines = await client.retrieve(number - 1)
        case "TOP", [number, count]:
            lines = await client.retrieve(number - 1, lines=count)
        case "LIST", []:
            lines = [b"%d %d" % line for line in enumerate(await client.listSize(), 1)]
        case "UIDL", []:
            lines = [b"%d %b" % line for line in enumerate(await client.listUID(), 1)]
        case "DELE", [number]:
            await client.delete(number - 1)
            lines = []
        case "RSET", []:
            await client.reset()
            lines = []
    return b"".join(line + b"\r\n" for line in lines)


async def main(
    reactor: Any,
    port: str,
    tls: str,
    authority: str,
    user: str,
    password: str,
    mechanism: str,
    directory: str,
    *commands: str,
) -> None:
    trust = Certificate.loadPEM(Path(authority).read_bytes())
    context = optionsForClientTLS("localhost", trustRoot=trust)
    endpoint = HostnameEndpoint(reactor, "localhost", int(port))
    if tls == "implicit":
        endpoint = wrapClientTLS(context, endpoint)
    client = await connectProtocol(endpoint, Client())
    await client.greeted
    if tls == "start":
        await client.startTLS(context)
    try:
        if mechanism == "APOP":
            await client.login(user.encode(), password.encode())
        else:
            await client.user(user.encode())
            await client.password(password.encode())
    except ServerErrorResponse:
        sys.exit(67)
    for number, command in enumerate(commands):
        content = await answer(client, *command.split())
        (Path(directory) / f"answer{number}").write_bytes(content)
    await client.quit()


if __name__ == "__main__":
    react(lambda reactor, *words: Deferred.fromCoroutine(main(reactor, *words)), sys.argv[1:])
