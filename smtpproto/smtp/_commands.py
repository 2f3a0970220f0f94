"""The commands of SMTP and LMTP, one small class each: how it is read beside how it is written.

The reader takes what people and old clients send: any case, a space after ``FROM:``, an address
without brackets, trailing spaces. The writer writes only what the RFC allows, and no command can
be built that would hold CR, LF or NUL, so nothing that is put into one can start another.

A reader gets the text after the verb and raises Refused, which has the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

from smtpproto import _mechanisms as mechanisms
from smtpproto._command import CONTROL, CommandLine, clean, upper
from smtpproto._redact import redacted
from smtpproto._value import constructor, fill, is_number, setters
from smtpproto._value import octets as as_octets
from smtpproto._wire.base64 import decode, encode
from smtpproto.errors import InvalidValueError, Refused
from smtpproto.smtp import _keywords as registered
from smtpproto.smtp._address import DOMAIN, Address, is_mailbox, trusted_address
from smtpproto.smtp._parameters import NO_PARAMETERS, Parameters, ParameterValue

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from smtpproto.smtp._parameters import MailKeywords, RcptKeywords

__all__ = [
    "VERBS",
    "Atrn",
    "Auth",
    "Bdat",
    "Burl",
    "Command",
    "Data",
    "Ehlo",
    "Etrn",
    "Expn",
    "Extended",
    "Helo",
    "Help",
    "Lhlo",
    "Mail",
    "Noop",
    "Quit",
    "Raw",
    "Rcpt",
    "Rset",
    "SendAndMail",
    "SendMail",
    "SendOrMail",
    "StartTls",
    "Turn",
    "Vrfy",
]


def _bad_argument(text: str) -> NoReturn:
    raise Refused(501, "5.5.4", f"Syntax: {text}")


def _word(text: str, what: str) -> str:
    if not text or " " in clean(text, what):
        raise InvalidValueError(f"the {what} {text!r} must be one word")
    return text


class Command(CommandLine):
    """A command of the client: ``bytes(command)`` is its line on the wire, CRLF included."""

    __slots__ = ()

    @classmethod
    def parse(cls, line: bytes) -> Command:
        """The command of a line with or without its CRLF, whatever this class is.

        A verb that is none of the RFC's gives Extended. Raises Refused.
        """
        verb, argument = read_line(line.removesuffix(b"\r\n"))
        command = VERBS.get(verb)
        return command.read(argument) if command else read_extended(verb, argument)

    @classmethod
    def read(cls, argument: str) -> Command:
        """The command of this verb with that argument; of a command without fields, the one.

        Raises Refused.
        """
        raise NotImplementedError


def read_line(line: bytes, *, ascii_only: bool = False) -> tuple[str, str]:
    """The verb in upper case and the argument of a line without its end.

    Raises Refused for a line that is not text. It may be UTF-8 unless `ascii_only`.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Refused(500, "5.5.2", "A command is ASCII, or UTF-8") from None
    if not text.isprintable():
        text = spaced(text)
        if CONTROL.search(text):
            raise Refused(500, "5.5.2", "Control character in a command line")
    if ascii_only and not text.isascii():
        raise Refused(500, "5.5.2", "A command is ASCII where SMTPUTF8 is not offered")
    verb, _, argument = text.strip(" ").partition(" ")
    if verb not in VERBS:  # as nearly every client writes it
        verb = upper(verb)
    return verb, argument.strip(" ")


def spaced(text: str) -> str:
    """`text` with a space for each HTAB, as people write them between words. Not behind a quotation
    mark: a quoted string holds none, and with a space instead it would name another mailbox."""
    words, mark, quoted = text.rstrip(" \t").partition('"')
    return words.replace("\t", " ") + mark + quoted


class _Bare(Command):
    """A command without argument."""

    __slots__ = ()

    @classmethod
    def read(cls, argument: str) -> Command:
        if argument:
            _bad_argument(f"{cls.verb}, with no argument")
        return _ONLY[cls]


class _Greeting(Command):
    """EHLO, HELO, LHLO: the argument is read leniently (RFC 5321 section 4.1.4)."""

    __slots__ = __match_args__ = ("domain",)
    domain: str

    def __init__(self, domain: str) -> None:
        fill(self, _word(domain, "domain"))

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument or " " in argument:
            _bad_argument(f"{cls.verb} domain, or an address literal")
        return cls(argument)

    def written(self) -> str:
        return f" {self.domain}"


class Ehlo(_Greeting):
    """EHLO: who the client is; the answer lists the extensions (RFC 5321 section 4.1.1.1).

    `domain` is a domain or an address literal with its brackets.
    """

    __slots__ = ()
    verb = step = "EHLO"


class Helo(_Greeting):
    """HELO: as EHLO, for servers without extensions (RFC 5321 section 4.1.1.1)."""

    __slots__ = ()
    verb = step = "HELO"


class Lhlo(_Greeting):
    """LHLO: as EHLO, on LMTP connections (RFC 2033 section 4.1)."""

    __slots__ = ()
    verb = step = "LHLO"


# -- paths ----------------------------------------------------------------------------------------

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PLAIN = rf"<({_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*)>(?: +(.*))?"
_PLAIN_FROM = re.compile(rf"(?i:FROM):{_PLAIN}")
_PLAIN_TO = re.compile(rf"(?i:TO):{_PLAIN}")
"""What nearly every client sends, matched whole, so that nothing more need be checked."""

_BRACKETED = re.compile(r'<((?:[^"<>\[]|"(?:[^"\\]|\\.)*"|\[[^\[\]]*\])*)>(?: +(.*))?')
_ROUTE = re.compile(rf"@{DOMAIN}(?:,@{DOMAIN})*:")


def _read_path(
    pattern: re.Pattern[str], label: str, argument: str, bad_address: str, empty_or_bare: bool
) -> tuple[Address | None, Parameters]:
    """The path and the parameters after ``FROM:`` or ``TO:`` (RFC 5321 section 4.1.2).

    `empty_or_bare`: True takes the null path and not the bare Postmaster, False the reverse.
    """
    match = pattern.fullmatch(argument)
    if match:
        address, parameters = match.groups()
        read = NO_PARAMETERS if parameters is None else _read_parameters(parameters)
        return trusted_address(address), read
    if upper(argument[: len(label)]) != label:
        _bad_argument(f"{label}<address>")
    rest = argument[len(label) :].lstrip(" ")
    match = _BRACKETED.fullmatch(rest)
    if match:
        text, parameters = match[1], match[2]
    else:
        text, _, parameters = rest.partition(" ")
        if not text:
            _bad_argument(f"{label}<address>")
    if match and not text and empty_or_bare:
        return None, _read_parameters(parameters)
    route = _ROUTE.match(text)
    if route:
        text = text[route.end() :]  # RFC 5321 section 3.6.1: ignored
    if not is_mailbox(text) and (empty_or_bare or text.lower() != "postmaster"):
        raise Refused(501, bad_address, "Bad address syntax")
    return trusted_address(text), _read_parameters(parameters)


def _read_parameters(text: str | None) -> Parameters:
    if not text:
        return NO_PARAMETERS
    try:
        return Parameters.parse(text)
    except ValueError as error:
        raise Refused(501, "5.5.4", f"Bad parameter: {error}") from None


def _parameters(
    parameters: Mapping[str, ParameterValue] | None, keywords: Mapping[str, object]
) -> Parameters:
    if isinstance(parameters, Parameters) and not keywords:
        return parameters
    return Parameters(parameters, **keywords)


def _reverse_path(path: Address | str | None) -> Address | None:
    if path is None:
        return None
    address = path if isinstance(path, Address) else Address(path)
    if "@" not in address.text:
        raise InvalidValueError("a reverse-path has a domain: only RCPT takes a bare Postmaster")
    return address


def _show(command: Command, path: Address | None, parameters: Parameters) -> str:
    """The call that builds the command."""
    shown = ["None" if path is None else repr(str(path))]
    shown += [f"{name.lower().replace('-', '_')}={value!r}" for name, value in parameters.items()]
    return f"{type(command).__name__}({', '.join(shown)})"


class Mail(Command):
    """MAIL FROM: begin a mail transaction (RFC 5321 section 4.1.1.2).

    `reverse_path` is where failures are reported: an Address, a str that is one, or None for the
    null reverse-path. `parameters` come as a mapping, or as keyword arguments:
    ``Mail("a@b.example", size=2048, body="8BITMIME")``. Each registered one is an attribute too:
    None, or False for one without a value, where it was not said.
    """

    __slots__ = __match_args__ = ("reverse_path", "parameters")  # the order of the wire
    verb = step = "MAIL"
    reverse_path: Address | None
    parameters: Parameters

    size = registered.SIZE
    body = registered.BODY
    auth = registered.AUTH
    smtputf8 = registered.SMTPUTF8
    ret = registered.RET
    envid = registered.ENVID
    requiretls = registered.REQUIRETLS
    by = registered.BY
    holdfor = registered.HOLDFOR
    holduntil = registered.HOLDUNTIL
    mt_priority = registered.MT_PRIORITY
    mtrk = registered.MTRK
    solicit = registered.SOLICIT
    conperm = registered.CONPERM
    transid = registered.TRANSID
    submitter = registered.SUBMITTER

    def __init__(
        self,
        reverse_path: Address | str | None,
        parameters: Mapping[str, ParameterValue] | None = None,
        **keywords: Unpack[MailKeywords],
    ) -> None:
        _set_reverse_path(self, _reverse_path(reverse_path))
        given = _parameters(parameters, keywords) if parameters or keywords else NO_PARAMETERS
        _set_mail_parameters(self, given)

    @classmethod
    def read(cls, argument: str) -> Command:
        path, parameters = _read_path(_PLAIN_FROM, "FROM:", argument, "5.1.7", True)
        return _mail(path, parameters)

    @property
    def binary(self) -> bool:
        """Whether the message may hold any octets at all: BODY=BINARYMIME (RFC 3030 section 3)."""
        return self.parameters is not NO_PARAMETERS and self.body == "BINARYMIME"

    def written(self) -> str:
        path = self.reverse_path
        address = "" if path is None else path.text
        parameters = "" if self.parameters is NO_PARAMETERS else self.parameters
        return f" FROM:<{address}>{parameters}"

    def __repr__(self) -> str:
        return _show(self, self.reverse_path, self.parameters)


class Rcpt(Command):
    """RCPT TO: name one recipient of the message (RFC 5321 section 4.1.1.3).

    `forward_path` is an Address or a str that is one, the bare ``Postmaster`` included. The
    attribute is an Address, which equals no str: match on ``str(forward_path)``, or on an Address.
    Parameters as for Mail.
    """

    __slots__ = __match_args__ = ("forward_path", "parameters")
    verb = step = "RCPT"
    forward_path: Address
    parameters: Parameters

    notify = registered.NOTIFY
    orcpt = registered.ORCPT
    conneg = registered.CONNEG
    rrvs = registered.RRVS

    def __init__(
        self,
        forward_path: Address | str,
        parameters: Mapping[str, ParameterValue] | None = None,
        **keywords: Unpack[RcptKeywords],
    ) -> None:
        path = forward_path if isinstance(forward_path, Address) else Address(forward_path)
        _set_forward_path(self, path)
        given = _parameters(parameters, keywords) if parameters or keywords else NO_PARAMETERS
        _set_rcpt_parameters(self, given)

    @classmethod
    def read(cls, argument: str) -> Command:
        path, parameters = _read_path(_PLAIN_TO, "TO:", argument, "5.1.3", False)
        return _rcpt(path, parameters)

    def written(self) -> str:
        parameters = "" if self.parameters is NO_PARAMETERS else self.parameters
        return f" TO:<{self.forward_path.text}>{parameters}"

    def __repr__(self) -> str:
        return _show(self, self.forward_path, self.parameters)


_mail = constructor(Mail)
_rcpt = constructor(Rcpt)

_set_reverse_path, _set_mail_parameters = setters(Mail)
_set_forward_path, _set_rcpt_parameters = setters(Rcpt)


class _Send(Command):
    """SEND, SOML, SAML: begin a transaction as MAIL does (RFC 821 section 3.4)."""

    __slots__ = __match_args__ = ("reverse_path",)
    step = "MAIL"
    binary = smtputf8 = False
    reverse_path: Address | None

    def __init__(self, reverse_path: Address | str | None) -> None:
        fill(self, _reverse_path(reverse_path))

    @classmethod
    def read(cls, argument: str) -> Command:
        path, parameters = _read_path(_PLAIN_FROM, "FROM:", argument, "5.1.7", True)
        if parameters:
            _bad_argument(f"{cls.verb} FROM:<address>, with no parameters")
        return cls(path)

    def written(self) -> str:
        return f" FROM:<{'' if self.reverse_path is None else self.reverse_path.text}>"


class SendMail(_Send):
    """SEND FROM: to the recipients' terminals (RFC 821 section 3.4)."""

    __slots__ = ()
    verb = "SEND"


class SendOrMail(_Send):
    """SOML FROM: to the terminals, or the mailboxes of who has none (RFC 821 section 3.4)."""

    __slots__ = ()
    verb = "SOML"


class SendAndMail(_Send):
    """SAML FROM: to the terminals and the mailboxes (RFC 821 section 3.4)."""

    __slots__ = ()
    verb = "SAML"


# -- the message ----------------------------------------------------------------------------------


class Data(_Bare):
    """DATA: the message follows (RFC 5321 section 4.1.1.4)."""

    __slots__ = ()
    verb = step = "DATA"


class Bdat(Command):
    """BDAT: exactly `size` octets of the message follow; the `last` ones, or not (RFC 3030).

    A server connection hands the octets out as MessageData instead, and then ChunkReceived, or
    EndOfMessage after the last.
    """

    __slots__ = __match_args__ = ("size", "last")  # the order of the wire
    verb = step = "BDAT"
    size: int
    last: bool

    def __init__(self, size: int, last: bool = False) -> None:
        if not is_number(size, 0, 10**20 - 1):
            raise InvalidValueError(f"BDAT {size!r}: expected a number of octets")
        fill(self, size, bool(last))

    @classmethod
    def read(cls, argument: str) -> Command:
        match = re.fullmatch(r"([0-9]{1,20})(?: +(LAST))?", argument, re.ASCII | re.IGNORECASE)
        if match is None:
            _bad_argument("BDAT size [LAST]")
        return cls(int(match[1]), match[2] is not None)

    def written(self) -> str:
        return f" {self.size}{' LAST' if self.last else ''}"


class Burl(Command):
    """BURL: the next part of the message stands at an IMAP `url` (RFC 4468)."""

    __slots__ = __match_args__ = ("url", "last")  # the order of the wire
    verb = step = "BURL"
    url: str
    last: bool

    def __init__(self, url: str, last: bool = False) -> None:
        fill(self, _word(url, "URL"), bool(last))

    @classmethod
    def read(cls, argument: str) -> Command:
        match = re.fullmatch(r"([^ ]+)(?: +(LAST))?", argument, re.ASCII | re.IGNORECASE)
        if match is None:
            _bad_argument("BURL url [LAST]")
        return cls(match[1], match[2] is not None)

    def written(self) -> str:
        return f" {self.url}{' LAST' if self.last else ''}"


# -- the rest of RFC 5321 -------------------------------------------------------------------------


class Rset(_Bare):
    """RSET: give the transaction up (RFC 5321 section 4.1.1.5)."""

    __slots__ = ()
    verb = step = "RSET"


class Quit(_Bare):
    """QUIT: the session ends with the reply (RFC 5321 section 4.1.1.10)."""

    __slots__ = ()
    verb = step = "QUIT"


class Noop(Command):
    """NOOP: nothing; the argument is ignored (RFC 5321 section 4.1.1.9)."""

    __slots__ = __match_args__ = ("argument",)
    verb = step = "NOOP"
    argument: str | None

    def __init__(self, argument: str | None = None) -> None:
        fill(self, _optional(argument))

    @classmethod
    def read(cls, argument: str) -> Command:
        return cls(argument) if argument else _ONLY[cls]

    def written(self) -> str:
        return f" {self.argument}" if self.argument else ""


class Help(Command):
    """HELP, about the argument if there is one (RFC 5321 section 4.1.1.8)."""

    __slots__ = __match_args__ = ("argument",)
    verb = step = "HELP"
    argument: str | None

    def __init__(self, argument: str | None = None) -> None:
        fill(self, _optional(argument))

    @classmethod
    def read(cls, argument: str) -> Command:
        return cls(argument) if argument else _ONLY[cls]

    def written(self) -> str:
        return f" {self.argument}" if self.argument else ""


class _Query(Command):
    """VRFY and EXPN. `smtputf8`: the answer may hold UTF-8 (RFC 6531 section 3.7.4.2)."""

    __slots__ = __match_args__ = ("argument", "smtputf8")
    argument: str
    smtputf8: bool

    def __init__(self, argument: str, smtputf8: bool = False) -> None:
        text = clean(argument, "argument").strip(" ")
        if not text or _asks_for_utf8(text):
            raise InvalidValueError(
                f"{self.verb} {argument!r}: expected a user name or a mailbox; SMTPUTF8 is asked"
                " for with smtputf8=True"
            )
        fill(self, text, bool(smtputf8))

    @classmethod
    def read(cls, argument: str) -> Command:
        text = argument.rpartition(" ")[0]
        smtputf8 = _asks_for_utf8(argument)
        name = text.strip(" ") if smtputf8 else argument
        if not name or _asks_for_utf8(name):
            _bad_argument(f"{cls.verb} name")
        return cls(name, smtputf8)

    def written(self) -> str:
        return f" {self.argument}{' SMTPUTF8' if self.smtputf8 else ''}"


def _asks_for_utf8(argument: str) -> bool:
    name, _, last = argument.rpartition(" ")
    return bool(name) and upper(last) == "SMTPUTF8"


class Vrfy(_Query):
    """VRFY: is this a user? (RFC 5321 sections 3.5 and 4.1.1.6)"""

    __slots__ = ()
    verb = step = "VRFY"


class Expn(_Query):
    """EXPN: who is on this mailing list? (RFC 5321 sections 3.5 and 4.1.1.7)"""

    __slots__ = ()
    verb = step = "EXPN"


def _optional(argument: str | None) -> str | None:
    return clean(argument, "argument").strip(" ") or None if argument else None


# -- extensions -----------------------------------------------------------------------------------


class StartTls(_Bare):
    """STARTTLS: after the reply both sides begin a TLS handshake (RFC 3207)."""

    __slots__ = ()
    verb = step = "STARTTLS"


class Auth(Command):
    """AUTH: begin a SASL exchange with a mechanism (RFC 4954 section 4).

    `initial_response` are octets without base64; b"" is an empty one (``=`` on the wire), None
    is none. It never shows in ``repr``.
    """

    __slots__ = __match_args__ = ("mechanism", "initial_response")  # the order of the wire
    verb = step = "AUTH"
    mechanism: str
    initial_response: bytes | None
    _secret = frozenset({"initial_response"})

    def __init__(self, mechanism: str, initial_response: bytes | None = None) -> None:
        name = upper(mechanism)
        if not mechanisms.NAME.fullmatch(name):
            raise InvalidValueError(
                "this is no SASL mechanism name: 1 to 20 letters, digits, '-' and '_'"
                " (RFC 4422 section 3.1)"
            )
        fill(self, name, None if initial_response is None else as_octets(initial_response))

    @classmethod
    def read(cls, argument: str) -> Command:
        name, _, initial = argument.partition(" ")
        if not mechanisms.NAME.fullmatch(upper(name)):
            _bad_argument("AUTH mechanism [initial-response]")
        if not initial:
            return cls(name)
        try:
            return cls(name, b"" if initial == "=" else decode(initial.strip(" ").encode()))
        except ValueError:
            raise Refused(501, "5.5.2", "Cannot decode the initial response") from None

    def written(self) -> str:
        if self.initial_response is None:
            return f" {self.mechanism}"
        return f" {self.mechanism} {encode(self.initial_response).decode() or '='}"


class Etrn(Command):
    """ETRN: start the queue of a host, a domain (``@``) or a queue name (``#``) (RFC 1985)."""

    __slots__ = __match_args__ = ("argument",)
    verb = step = "ETRN"
    argument: str

    def __init__(self, argument: str) -> None:
        fill(self, _word(argument, "node"))

    @classmethod
    def read(cls, argument: str) -> Command:
        if not argument or " " in argument:
            _bad_argument("ETRN [@|#]domain")
        return cls(argument)

    def written(self) -> str:
        return f" {self.argument}"


class Atrn(Command):
    """ATRN: turn the connection around, for the mail of these `domains`, or all (RFC 2645)."""

    __slots__ = __match_args__ = ("domains",)
    verb = step = "ATRN"
    domains: tuple[str, ...]

    def __init__(self, domains: Iterable[str] = ()) -> None:
        names = (domains,) if isinstance(domains, str) else tuple(domains)
        for name in names:
            if not re.fullmatch(DOMAIN, name):
                raise InvalidValueError(f"ATRN: {name!r} is not a domain")
        fill(self, names)

    @classmethod
    def read(cls, argument: str) -> Command:
        names = [name.strip(" ") for name in argument.split(",")] if argument else []
        if not all(re.fullmatch(DOMAIN, name) for name in names):
            _bad_argument("ATRN [domain[,domain...]]")
        return cls(names)

    def written(self) -> str:
        return f" {','.join(self.domains)}" if self.domains else ""


class Turn(_Bare):
    """TURN: turn the connection around (RFC 821 section 3.8)."""

    __slots__ = ()
    verb = step = "TURN"


class Extended(Command):
    """Any other verb, offered by ``ext.Verb(name)``: XCLIENT, XFORWARD, VERB, ONEX, ...

    It has one reply, and changes no state.
    """

    __slots__ = ("argument", "name")
    __match_args__ = ("name", "argument")
    step = "extended"
    name: str
    argument: str | None

    def __init__(self, verb: str, argument: str | None = None) -> None:
        name = upper(verb)
        if not _VERB.fullmatch(name) or name in VERBS:
            raise InvalidValueError(
                f"{verb!r}: expected a verb of letters, digits and '-' that has no class of its own"
            )
        fill(self, name, _optional(argument))

    def __bytes__(self) -> bytes:
        return f"{self.name}{f' {self.argument}' if self.argument else ''}\r\n".encode()


_VERB = re.compile(r"[A-Z0-9][A-Z0-9-]*")


def read_extended(verb: str, argument: str) -> Command:
    """An Extended command. Raises Refused when the verb is none."""
    if not _VERB.fullmatch(upper(verb)):
        raise Refused(500, "5.5.2", "Command unrecognized")
    return Extended(verb, argument or None)


class Raw(Command):
    """Any octets at all, unchecked, for test tools; a client waits for `replies` replies.

    Nothing is ever parsed into one. What it does to the server's state the connection cannot
    know: it goes on as if nothing had changed.
    """

    __slots__ = __match_args__ = ("octets", "replies")
    step = "raw"
    octets: bytes
    replies: int

    def __init__(self, octets: bytes, replies: int = 1) -> None:
        if replies < 0:
            raise InvalidValueError(f"Raw: {replies} replies: expected 0 or more")
        fill(self, as_octets(octets), replies)

    def __bytes__(self) -> bytes:
        return self.octets

    def __repr__(self) -> str:
        return f"Raw(octets={redacted(self.octets)!r}, replies={self.replies})"


VERBS: dict[str, type[Command]] = {
    command.verb: command
    for command in (
        Ehlo, Helo, Lhlo, Mail, Rcpt, Data, Bdat, Burl, Rset, Noop, Quit, Help, Vrfy, Expn,
        StartTls, Auth, Etrn, Atrn, Turn, SendMail, SendOrMail, SendAndMail,
    )
}  # fmt: skip
"""The class of each verb."""

_ONLY: dict[type[Command], Command] = {
    command: command() for command in (Data, Rset, Quit, StartTls, Turn, Noop, Help)
}
