"""The EHLO keywords, a class each: what a server offers and what a client saw.

`smtp.ext` is this module. It holds nothing but extension classes, and each but Unknown and Verb
can be built without arguments.
"""

from __future__ import annotations

from smtpproto import errors as _errors
from smtpproto import mechanisms as _mechanisms
from smtpproto import values as _values
from smtpproto.smtp import extension as _extension

# The modules, and not their names, are imported: see the docstring.


class Pipelining(_extension.Extension):
    """PIPELINING: commands may come in groups (RFC 2920)."""

    __slots__ = ()
    keyword = "PIPELINING"


class Size(_extension.Extension):
    """SIZE: MAIL may say how large the message is; `limit` octets are the most (RFC 1870).

    `limit` None: not said; 0: no limit.
    """

    __slots__ = ("limit",)
    keyword = "SIZE"
    mail_parameters = {"SIZE": 26}
    limit: int | None

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and not 0 <= limit < 10**20:
            raise _errors.LocalProtocolError(f"SIZE {limit}: expected a number of octets")
        _values.fill(self, limit)

    @classmethod
    def parse(cls, words: list[str]) -> Size:
        if not words:
            return cls()
        if len(words) != 1 or not (words[0].isascii() and words[0].isdigit()):
            raise ValueError
        if len(words[0]) > 20:
            raise ValueError
        return cls(int(words[0]))

    def words(self) -> tuple[str, ...]:
        return () if self.limit is None else (str(self.limit),)


class EightBitMime(_extension.Extension):
    """8BITMIME: BODY=8BITMIME, octets beyond ASCII in a message (RFC 6152)."""

    __slots__ = ()
    keyword = "8BITMIME"
    mail_parameters = {"BODY": 17}
    bodies = ("7BIT", "8BITMIME")


class BinaryMime(_extension.Extension):
    """BINARYMIME: BODY=BINARYMIME, any octets at all, by BDAT only (RFC 3030 section 3)."""

    __slots__ = ()
    keyword = "BINARYMIME"
    mail_parameters = {"BODY": 17}
    bodies = ("7BIT", "8BITMIME", "BINARYMIME")


class Chunking(_extension.Extension):
    """CHUNKING: BDAT, a message in counted chunks (RFC 3030 section 2)."""

    __slots__ = ()
    keyword = "CHUNKING"
    verbs = ("BDAT",)


class EnhancedStatusCodes(_extension.Extension):
    """ENHANCEDSTATUSCODES: class.subject.detail at the head of replies (RFC 2034)."""

    __slots__ = ()
    keyword = "ENHANCEDSTATUSCODES"


class StartTls(_extension.Extension):
    """STARTTLS: TLS begins inside the session; not shown once it has (RFC 3207)."""

    __slots__ = ()
    keyword = "STARTTLS"
    verbs = ("STARTTLS",)

    def available(self, tls: bool) -> bool:
        return not tls


class Auth(_extension.Extension):
    """AUTH: SASL authentication with one of the `mechanisms` (RFC 4954).

    Mechanisms that show the secret to whoever listens (PLAIN, LOGIN, XOAUTH2, OAUTHBEARER) are
    neither shown nor allowed without TLS (section 4), unless `plaintext_without_tls` says that
    the connection is private by other means. That is the server's policy and not on the wire, so
    it is no part of the value.
    """

    __slots__ = ("_without_tls", "mechanisms")
    __match_args__ = ("mechanisms",)
    keyword = "AUTH"
    verbs = ("AUTH",)
    mail_parameters = {"AUTH": 500}  # RFC 4954 section 3
    mechanisms: tuple[str, ...]
    _without_tls: bool

    def __init__(self, *mechanisms: str, plaintext_without_tls: bool = False) -> None:
        names = tuple(name.upper() for name in mechanisms)
        for name in names:
            if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
                raise _errors.LocalProtocolError(f"AUTH: {name!r} is no SASL mechanism name")
        _values.fill(self, names)
        object.__setattr__(self, "_without_tls", plaintext_without_tls)

    @classmethod
    def parse(cls, words: list[str]) -> Auth:
        try:
            return cls(*words)
        except _errors.LocalProtocolError as error:
            raise ValueError(str(error)) from None

    def words(self) -> tuple[str, ...]:
        return self.mechanisms

    @property
    def policy(self) -> bool:
        return self._without_tls

    def allows(self, mechanism: str, tls: bool) -> bool:
        """Whether the condition of the connection is good enough for `mechanism`."""
        return tls or self._without_tls or mechanism not in _mechanisms.REVEALING

    def shown(self, tls: bool) -> Auth | None:
        if tls or self._without_tls:
            return self
        allowed = [name for name in self.mechanisms if self.allows(name, tls)]
        return Auth(*allowed) if allowed else None


class SmtpUtf8(_extension.Extension):
    """SMTPUTF8: UTF-8 in addresses, replies and header fields (RFC 6531)."""

    __slots__ = ()
    keyword = "SMTPUTF8"
    mail_parameters = {"SMTPUTF8": 9}


class _Words(_extension.Extension):
    """A keyword whose parameters are words that mean nothing to the connection."""

    __slots__ = ("parameters",)
    parameters: tuple[str, ...]

    def __init__(self, *parameters: str) -> None:
        for word in parameters:
            _checked_word(word)
        _values.fill(self, parameters)

    @classmethod
    def parse(cls, words: list[str]) -> _Words:
        return cls(*words)

    def words(self) -> tuple[str, ...]:
        return self.parameters


class Help(_extension.Extension):
    """HELP: listed for information, the verb is always understood (RFC 5321)."""

    __slots__ = ()
    keyword = "HELP"


class Vrfy(_extension.Extension):
    """VRFY: listed for information, the verb is always understood (RFC 5321)."""

    __slots__ = ()
    keyword = "VRFY"


class Expn(_extension.Extension):
    """EXPN: mailing lists can be expanded (RFC 5321 section 3.5)."""

    __slots__ = ()
    keyword = "EXPN"
    verbs = ("EXPN",)


class Etrn(_extension.Extension):
    """ETRN: a client can start the queue for its host (RFC 1985)."""

    __slots__ = ()
    keyword = "ETRN"
    verbs = ("ETRN",)


class Atrn(_Words):
    """ATRN: the connection can be turned around for on-demand mail relay (RFC 2645)."""

    __slots__ = ()
    keyword = "ATRN"
    verbs = ("ATRN",)


class Burl(_Words):
    """BURL: the message, or a part, stands at an IMAP URL (RFC 4468)."""

    __slots__ = ()
    keyword = "BURL"
    verbs = ("BURL",)


class Turn(_extension.Extension):
    """TURN: the connection can be turned around (RFC 821)."""

    __slots__ = ()
    keyword = "TURN"
    verbs = ("TURN",)


class Send(_extension.Extension):
    """SEND: mail to terminals (RFC 821)."""

    __slots__ = ()
    keyword = "SEND"
    verbs = ("SEND",)


class Soml(_extension.Extension):
    """SOML: mail to terminals or mailboxes (RFC 821)."""

    __slots__ = ()
    keyword = "SOML"
    verbs = ("SOML",)


class Saml(_extension.Extension):
    """SAML: mail to terminals and mailboxes (RFC 821)."""

    __slots__ = ()
    keyword = "SAML"
    verbs = ("SAML",)


class Dsn(_extension.Extension):
    """DSN: delivery status notifications on request (RFC 3461)."""

    __slots__ = ()
    keyword = "DSN"
    mail_parameters = {"RET": 9, "ENVID": 107}  # RFC 3461 section 4: 100 octets of ENVID
    rcpt_parameters = {"NOTIFY": 29, "ORCPT": 507}


class Checkpoint(_extension.Extension):
    """CHECKPOINT: a message that broke off can be resumed (RFC 1845)."""

    __slots__ = ()
    keyword = "CHECKPOINT"
    mail_parameters = {"TRANSID": 90}  # RFC 1845 section 4: at most 80 characters


class Verb(_extension.Extension):
    """A verb without a class of its own (XCLIENT, VERB, ...), under its name as keyword."""

    __slots__ = ("keyword", "parameters", "verbs")
    __match_args__ = ("keyword", "parameters")
    keyword: str  # type: ignore[misc] # of the instance here: the name is the value
    verbs: tuple[str, ...]  # type: ignore[misc] # the same
    parameters: tuple[str, ...]

    def __init__(self, name: str, *parameters: str) -> None:
        for word in (name, *parameters):
            _checked_word(word)
        _values.fill(self, name.upper(), parameters)
        object.__setattr__(self, "verbs", (name.upper(),))

    def words(self) -> tuple[str, ...]:
        return self.parameters


class Unknown(_extension.Extension):
    """Any other keyword, with its parameters; the parameters of MAIL and RCPT that it might
    bring pass through unchecked."""

    __slots__ = ("keyword", "parameters")
    __match_args__ = ("keyword", "parameters")
    keyword: str  # type: ignore[misc] # of the instance here: the name is the value
    parameters: tuple[str, ...]

    def __init__(self, keyword: str, *parameters: str) -> None:
        for word in (keyword, *parameters):
            _checked_word(word)
        _values.fill(self, keyword.upper(), parameters)

    def words(self) -> tuple[str, ...]:
        return self.parameters


def _checked_word(word: str) -> None:
    if not word or " " in word or not word.isprintable():
        raise _errors.LocalProtocolError(f"{word!r} cannot stand in the answer to EHLO: one word")
