"""An SMTP client with Twisted: python -m tests.interop.peers.programs.twisted_smtp_client ...

The message comes on the standard input; the exit status is 0 when it was sent to everybody.
"""

from __future__ import annotations

import sys
from io import BytesIO

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import react
from twisted.mail.smtp import ESMTPSenderFactory, SMTPClientError


async def main(
    reactor: object,
    port: str,
    tls: str,
    authority: str,
    user: str,
    password: str,
    sender: str,
    *recipients: str,
) -> None:
    with open(authority, "rb") as file:
        trust = Certificate.loadPEM(file.read())
    context = optionsForClientTLS("localhost", trustRoot=trust)
    result: Deferred[tuple[int, object]] = Deferred()
    factory = ESMTPSenderFactory(
        user.encode(),
        password.encode(),
        sender,
        recipients,
        BytesIO(sys.stdin.buffer.read()),
        result,
        retries=0,
        contextFactory=context if tls == "start" else None,
        requireAuthentication=bool(user),
        requireTransportSecurity=tls == "start",
    )
    endpoint = HostnameEndpoint(reactor, "localhost", int(port))
    await (wrapClientTLS(context, endpoint) if tls == "implicit" else endpoint).connect(factory)
    try:
        accepted, _ = await result
    except SMTPClientError as refused:
        sys.exit(str(refused))
    sys.exit(0 if accepted == len(recipients) else 1)


if __name__ == "__main__":
    react(lambda reactor, *words: Deferred.fromCoroutine(main(reactor, *words)), sys.argv[1:])
