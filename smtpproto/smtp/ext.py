"""The EHLO keywords, a class each: what a server offers and what a client saw.

`smtp.ext` is this module. It holds nothing but extension classes, and each but Unknown and Verb
can be built without arguments.
"""

from __future__ import annotations

import collections.abc as _abc
import re as _re
import typing as _typing

from smtpproto import _command as _commandline
from smtpproto import _mechanisms
from smtpproto import _value as _values
from smtpproto import errors as _errors
from smtpproto.smtp import _commands, _extension, _keywords, _parameters, _timestamps

if _typing.TYPE_CHECKING:
    import datetime as _datetime

# The modules, and not their names, are imported: see the docstring.


class Pipelining(_extension.Extension):
    """PIPELINING: commands may come in groups (RFC 2920)."""

    __slots__ = ()
    keyword = "PIPELINING"


class Size(_extension.Extension):
    """SIZE: MAIL may say how large the message is; `limit` octets are the most (RFC 1870).

    `limit` None: not said; 0: no limit.
    """

    __slots__ = __match_args__ = ("limit",)
    keyword = "SIZE"
    mail_parameters = {"SIZE": 26}
    limit: int | None

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and not _values.is_number(limit, 0, 10**20 - 1):
            raise _errors.InvalidValueError(f"SIZE {limit!r}: expected a number of octets")
        _values.fill(self, limit)

    @classmethod
    def parse(cls, words: list[str]) -> Size:
        # A limit that cannot be read is not said: MAIL takes its SIZE all the same.
        number = " ".join(words)
        return cls(int(number) if _re.fullmatch(r"[0-9]{1,20}", number) else None)

    def words(self) -> tuple[str, ...]:
        return () if self.limit is None else (str(self.limit),)

    def check(self, parameters: _abc.Mapping[str, object]) -> None:
        size = parameters.get("SIZE")
        if self.limit and isinstance(size, int) and size > self.limit:
            raise self.too_large()

    def too_large(self) -> _errors.Refused:
        """The refusal of a message beyond the limit."""
        text = f"A message has at most {self.limit} octets here"
        return _errors.Refused(552, "5.3.4", text)


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
    needs = ("CHUNKING",)


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
        for name in mechanisms:
            if not isinstance(name, str) or not _mechanisms.NAME.fullmatch(
                _commandline.upper(name)
            ):
                raise _errors.InvalidValueError(f"AUTH: {name!r} is no SASL mechanism name")
        _values.fill(self, tuple(name.upper() for name in mechanisms))
        object.__setattr__(self, "_without_tls", plaintext_without_tls)

    @classmethod
    def parse(cls, words: list[str]) -> Auth:
        names = [word for word in words if _mechanisms.NAME.fullmatch(_commandline.upper(word))]
        if words and not names:
            raise ValueError("no SASL mechanism names")
        return cls(*names)

    def words(self) -> tuple[str, ...]:
        return self.mechanisms

    @property
    def server_policy(self) -> bool:
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
    mail_parameters = {"SMTPUTF8": 10}
    needs = ("8BITMIME",)


class _Words(_extension.Extension):
    """A keyword whose parameters are words that mean nothing to the connection."""

    __slots__ = __match_args__ = ("parameters",)
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
    needs = ("8BITMIME",)  # RFC 4468 section 4


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


class RequireTls(_extension.Extension):
    """REQUIRETLS: the message goes on under TLS or not at all; offered under TLS (RFC 8689)."""

    __slots__ = ()
    keyword = "REQUIRETLS"
    mail_parameters = {"REQUIRETLS": 11}

    def available(self, tls: bool) -> bool:
        return tls


class DeliverBy(_extension.Extension):
    """DELIVERBY: a message can have a deadline (RFC 2852).

    `minimum` is the least time in seconds that a message which would be returned can be given;
    None: not said. `options` are what later documents may add.
    """

    __slots__ = __match_args__ = ("minimum", "options")
    keyword = "DELIVERBY"
    mail_parameters = {"BY": 17}
    minimum: int | None
    options: tuple[str, ...]

    def __init__(self, minimum: int | None = None, *options: str) -> None:
        if minimum is not None and not _values.is_number(minimum, 0, 999_999_999):
            raise _errors.InvalidValueError(f"DELIVERBY {minimum}: expected seconds, nine digits")
        for option in options:
            _checked_word(option.replace(",", " "))
        _values.fill(self, minimum, options)

    @classmethod
    def parse(cls, words: list[str]) -> DeliverBy:
        first, *options = words[0].split(",") if words else [""]
        if len(words) > 1 or "" in options or not _re.fullmatch(r"[0-9]{0,9}", first):
            raise ValueError
        return cls(int(first) if first else None, *options)

    def words(self) -> tuple[str, ...]:
        parts = ("" if self.minimum is None else str(self.minimum), *self.options)
        return (",".join(parts),) if any(parts) else ()

    def check(self, parameters: _abc.Mapping[str, object]) -> None:
        by = parameters.get("BY")
        if isinstance(by, _keywords.By) and by.mode == "R" and by.seconds < (self.minimum or 0):
            text = f"BY={by}: a message that is to be returned has {self.minimum} seconds at least"
            raise _errors.Refused(555, "5.5.4", text)


class FutureRelease(_extension.Extension):
    """FUTURERELEASE: a submitted message can be held for a time (RFC 4865).

    `interval` in seconds, and `date_time`, an aware datetime, are the most that can be asked for.
    """

    __slots__ = __match_args__ = ("interval", "date_time")
    keyword = "FUTURERELEASE"
    mail_parameters = {"HOLDFOR": 0, "HOLDUNTIL": 34}  # one of them
    interval: int
    date_time: _datetime.datetime

    def __init__(
        self, interval: int = 999_999_999, date_time: _datetime.datetime | None = None
    ) -> None:
        try:
            _keywords.HOLDFOR.normal(interval)
            last = _timestamps.from_timestamp(
                "9999-12-31T23:59:59Z"
                if date_time is None
                else _timestamps.to_timestamp(date_time, fractions=True)
            )
        except ValueError as error:
            raise _errors.InvalidValueError(
                f"FUTURERELEASE {interval!r} {date_time!r}: expected seconds from 1 to 999999999"
                f" and an aware datetime ({error})"
            ) from None
        _values.fill(self, interval, last)

    @classmethod
    def parse(cls, words: list[str]) -> FutureRelease:
        interval, date_time = words
        return cls(_keywords.HOLDFOR.read(interval), _timestamps.from_timestamp(date_time))

    def words(self) -> tuple[str, ...]:
        return str(self.interval), _timestamps.to_timestamp(self.date_time, fractions=True)

    def check(self, parameters: _abc.Mapping[str, object]) -> None:
        seconds = _typing.cast("int", parameters.get("HOLDFOR", 0))
        if seconds > self.interval:
            text = f"HOLDFOR={seconds}: at most {self.interval} seconds here"
            raise _errors.Refused(501, "5.5.4", text)
        until = _typing.cast("_datetime.datetime | None", parameters.get("HOLDUNTIL"))
        if until is not None and until > self.date_time:
            text = f"HOLDUNTIL: at the latest {self.words()[1]} here"
            raise _errors.Refused(501, "5.5.4", text)


class MtPriority(_extension.Extension):
    """MT-PRIORITY: some messages go before others, by the `policy` of that name (RFC 6710)."""

    __slots__ = __match_args__ = ("policy",)
    keyword = "MT-PRIORITY"
    mail_parameters = {"MT-PRIORITY": 15}
    policy: str | None

    def __init__(self, policy: str | None = None) -> None:
        if policy is not None:
            _checked_word(policy)
        _values.fill(self, policy)

    @classmethod
    def parse(cls, words: list[str]) -> MtPriority:
        return cls(*words[:1])

    def words(self) -> tuple[str, ...]:
        return () if self.policy is None else (self.policy,)


class Mtrk(_extension.Extension):
    """MTRK: a message can be tracked, by what DSN calls its ENVID (RFC 3885)."""

    __slots__ = ()
    keyword = "MTRK"
    mail_parameters = {"MTRK": 40, "ENVID": 107}
    rcpt_parameters = {"ORCPT": 507}


class Rrvs(_extension.Extension):
    """RRVS: only for a mailbox that has had one owner since some time (RFC 7293)."""

    __slots__ = ()
    keyword = "RRVS"
    rcpt_parameters = {"RRVS": 33}


class Limits(_extension.Extension):
    """LIMITS: what the server takes in a session (RFC 9422). None: not said.

    `mailmax` MAIL commands in a session, `rcptmax` RCPT commands in a transaction,
    `rcptdomainmax` domains of recipients in a session, refused commands included. `others` are
    the words of limits that are not known here. A known one with a bad value is passed over.
    """

    __slots__ = __match_args__ = ("mailmax", "rcptmax", "rcptdomainmax", "others")
    keyword = "LIMITS"
    mailmax: int | None
    rcptmax: int | None
    rcptdomainmax: int | None
    others: tuple[str, ...]

    def __init__(
        self,
        mailmax: int | None = None,
        rcptmax: int | None = None,
        rcptdomainmax: int | None = None,
        others: _abc.Iterable[str] = (),
    ) -> None:
        for limit in (mailmax, rcptmax, rcptdomainmax):
            if limit is not None and not _values.is_number(limit, 1, 999_999):
                raise _errors.InvalidValueError(
                    f"LIMITS: {limit!r} is no limit: expected 1 to 999999"
                )
        words = tuple(others)
        for word in words:
            _checked_word(word)
            if word.partition("=")[0].upper() in ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX"):
                raise _errors.InvalidValueError(f"LIMITS: {word!r} has an argument of its own")
        _values.fill(self, mailmax, rcptmax, rcptdomainmax, words)

    @classmethod
    def parse(cls, words: list[str]) -> Limits:
        known: dict[str, int | None] = {"MAILMAX": None, "RCPTMAX": None, "RCPTDOMAINMAX": None}
        others = []
        for word in words:
            name, _, value = word.partition("=")
            if name.upper() not in known:
                others.append(word)
            elif known[name.upper()] is None and _re.fullmatch(r"0{0,5}[1-9][0-9]{0,5}", value):
                known[name.upper()] = int(value)
        return cls(known["MAILMAX"], known["RCPTMAX"], known["RCPTDOMAINMAX"], others)

    def words(self) -> tuple[str, ...]:
        values = zip(
            ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX"),
            (self.mailmax, self.rcptmax, self.rcptdomainmax),
            strict=True,
        )
        return (*(f"{name}={limit}" for name, limit in values if limit is not None), *self.others)


class NoSoliciting(_extension.Extension):
    """NO-SOLICITING: classes of solicitation that are not welcome here (RFC 3865).

    Without `keywords`, solicitation of no class at all is named.
    """

    __slots__ = __match_args__ = ("keywords",)
    keyword = "NO-SOLICITING"
    mail_parameters = {"SOLICIT": 1007}
    keywords: tuple[str, ...]

    def __init__(self, *keywords: str) -> None:
        if keywords:
            try:
                if _keywords.read_solicitation(",".join(keywords)) != keywords:
                    raise ValueError("each class is an argument")
            except ValueError as error:
                raise _errors.InvalidValueError(f"NO-SOLICITING {keywords}: {error}") from None
        _values.fill(self, keywords)

    @classmethod
    def parse(cls, words: list[str]) -> NoSoliciting:
        return cls(*(_keywords.read_solicitation(words[0]) if words else ()))

    def words(self) -> tuple[str, ...]:
        return (",".join(self.keywords),) if self.keywords else ()


class Conperm(_extension.Extension):
    """CONPERM: the sender can permit conversion of the content (RFC 4141)."""

    __slots__ = ()
    keyword = "CONPERM"
    mail_parameters = {"CONPERM": 8}


class Conneg(_extension.Extension):
    """CONNEG: the reply to RCPT can tell what the recipient is able to show (RFC 4141)."""

    __slots__ = ()
    keyword = "CONNEG"
    rcpt_parameters = {"CONNEG": 7}


class Checkpoint(_extension.Extension):
    """CHECKPOINT: a message that broke off can be resumed (RFC 1845)."""

    __slots__ = ()
    keyword = "CHECKPOINT"
    mail_parameters = {"TRANSID": 88}


class Submitter(_extension.Extension):
    """SUBMITTER: who is responsible for submitting the message (RFC 4405)."""

    __slots__ = ()
    keyword = "SUBMITTER"
    mail_parameters = {"SUBMITTER": 500}  # the RFC has no figure: as for AUTH


class Verb(_extension.Extension):
    """A verb without a class of its own (XCLIENT, VERB, ...), under its name as keyword."""

    __slots__ = ("keyword", "parameters", "verbs")
    __match_args__ = ("keyword", "parameters")
    keyword: str  # type: ignore[misc] # of the instance here: the name is the value
    verbs: tuple[str, ...]  # type: ignore[misc] # the same
    parameters: tuple[str, ...]

    def __init__(self, name: str, *parameters: str) -> None:
        for word in parameters:
            _checked_word(word)
        verb = _commands.Extended(name).name
        _values.fill(self, verb, parameters)
        object.__setattr__(self, "verbs", (verb,))

    def words(self) -> tuple[str, ...]:
        return self.parameters


class Unknown(_extension.Extension):
    """Any other keyword, with its parameters; the parameters of MAIL and RCPT that it might
    bring pass through unchecked.

    A client may have been offered one that RFC 5321 section 4.1.1.1 does not allow; building it
    raises InvalidValueError.
    """

    __slots__ = ("keyword", "parameters")
    __match_args__ = ("keyword", "parameters")
    keyword: str  # type: ignore[misc] # of the instance here: the name is the value
    parameters: tuple[str, ...]

    def __init__(self, keyword: str, *parameters: str) -> None:
        if not isinstance(keyword, str) or not _parameters.KEYWORD.fullmatch(keyword):
            raise _errors.InvalidValueError(
                f"{keyword!r} is no EHLO keyword: expected letters, digits and '-'"
            )
        for word in parameters:
            _checked_word(word)
        _values.fill(self, keyword.upper(), parameters)

    def words(self) -> tuple[str, ...]:
        return self.parameters


def _checked_word(word: str) -> None:
    if not isinstance(word, str) or not _extension.PARAMETER.fullmatch(word):
        raise _errors.InvalidValueError(
            f"{word!r} cannot stand in the answer to EHLO: expected one word of printable ASCII"
        )
