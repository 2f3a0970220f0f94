"""SASL mechanisms for clients and servers, without framing (RFC 4422).

    from smtpproto import sasl

    client = sasl.PlainClient("tim", "tanstaaftanstaaf")
    client.respond(None)                            # b"\\0tim\\0tanstaaftanstaaf"

    server = sasl.PlainServer()
    server.step(b"\\0tim\\0tanstaaftanstaaf")         # Credentials(None, "tim", ...): check them
    server.accept("tim")                            # Success("tim")

A mechanism takes and returns octets. Base64, the verbs and the cancelling ``*`` belong to the
connection. The caller steps a mechanism, which calls nothing back. Any object with the members of
`ClientMechanism` or `ServerMechanism` is a mechanism (GSSAPI, NTLM). There are no security layers:
use TLS.

A server's loop handles every mechanism with one ``match``:

    step = mechanism.step(response)                 # None: the client sent no initial response
    while True:
        match step:
            case sasl.Challenge(octets):            # send it; step() again with the response
                break
            case sasl.Credentials(acting_for, user) as check:       # PLAIN, LOGIN
                good = check.verify(await password_of(user)) and acting_for in (None, user)
                step = mechanism.accept(user) if good else mechanism.reject()
            case sasl.Proof(user) as check:                         # CRAM-MD5
                good = check.verify(await password_of(user))
                step = mechanism.accept(user) if good else mechanism.reject()
            case sasl.Lookup(acting_for, user):                     # SCRAM
                step = mechanism.supply(await keys_of(user))  # fails for another acting_for
            case sasl.Success(identity):            # conn.authenticated(identity)
                break
            case sasl.Failure(reason):              # conn.reject(535, ...); log the reason
                break
"""

from smtpproto.sasl._anonymous import AnonymousClient, AnonymousServer
from smtpproto.sasl._cram_md5 import CramMd5Client, CramMd5Server
from smtpproto.sasl._digests import apop_digest, check_apop, cram_md5_digest, make_timestamp
from smtpproto.sasl._external import ExternalClient, ExternalServer
from smtpproto.sasl._login import LoginClient, LoginServer
from smtpproto.sasl._mechanism import (
    Challenge,
    ClientMechanism,
    Credentials,
    Failure,
    Identity,
    Lookup,
    Proof,
    ServerMechanism,
    Step,
    Success,
    Token,
    Trace,
)
from smtpproto.sasl._oauth import (
    OAuthBearerClient,
    OAuthBearerServer,
    XOAuth2Client,
    XOAuth2Server,
)
from smtpproto.sasl._plain import PlainClient, PlainServer
from smtpproto.sasl._scram import (
    SCRAM_MECHANISMS,
    ChannelBinding,
    ScramClient,
    ScramKeys,
    ScramServer,
)

__all__ = [
    "SCRAM_MECHANISMS",
    "AnonymousClient",
    "AnonymousServer",
    "Challenge",
    "ChannelBinding",
    "ClientMechanism",
    "CramMd5Client",
    "CramMd5Server",
    "Credentials",
    "ExternalClient",
    "ExternalServer",
    "Failure",
    "Identity",
    "LoginClient",
    "LoginServer",
    "Lookup",
    "OAuthBearerClient",
    "OAuthBearerServer",
    "PlainClient",
    "PlainServer",
    "Proof",
    "ScramClient",
    "ScramKeys",
    "ScramServer",
    "ServerMechanism",
    "Step",
    "Success",
    "Token",
    "Trace",
    "XOAuth2Client",
    "XOAuth2Server",
    "apop_digest",
    "check_apop",
    "cram_md5_digest",
    "make_timestamp",
]
