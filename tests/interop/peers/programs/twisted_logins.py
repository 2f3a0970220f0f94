"""What Twisted's two servers ask about who logs in."""

from __future__ import annotations

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import (
    CramMD5Credentials,
    IUsernameHashedPassword,
    IUsernamePassword,
)
from twisted.cred.error import UnauthorizedLogin
from twisted.mail.imap4 import LOGINCredentials, PLAINCredentials
from zope.interface import implementer

from tests.interop.mailboxes import PASSWORD

__all__ = ["CHALLENGERS", "OnePassword"]

CHALLENGERS = {
    b"CRAM-MD5": lambda: CramMD5Credentials(host=b"mx.example"),
    b"LOGIN": LOGINCredentials,
    b"PLAIN": PLAINCredentials,
}


@implementer(ICredentialsChecker)
class OnePassword:
    """Everybody has the same."""

    credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)

    def requestAvatarId(self, credentials: IUsernamePassword | IUsernameHashedPassword) -> bytes:
        if not credentials.checkPassword(PASSWORD.encode()):
            raise UnauthorizedLogin
        name: bytes = credentials.username
        return name
