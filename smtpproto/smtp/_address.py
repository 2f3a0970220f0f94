"""Address: the mailbox of RFC 5321 section 4.1.2, with RFC 6531's UTF-8."""

from __future__ import annotations

import re

from smtpproto._value import Value, no_text, setters
from smtpproto.errors import InvalidValueError

__all__ = ["Address"]

# RFC 6531 section 3.3 adds every character beyond ASCII to atext, to quoted strings and to the
# letters of a domain (lone surrogates are no characters). So the classes say what they leave out:
# one that names the characters up to U+10FFFF takes `re` three milliseconds to compile.
_NEVER = "\0-\x1f\x7f-\xa0\ud800-\udfff"
_ATOM = rf'[^{_NEVER} "(),.:;<>@\[\\\]]+'  # all but the specials of RFC 5322 section 3.2.3
DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
QUOTED_STRING = rf'"(?:[^{_NEVER}"\\]|\\[ -~])*"'
# Not the full stops of other scripts, which no U-label holds and resolvers take for dots.
_LETTER_OR_HYPHEN = rf"[^{_NEVER} -,./:-@\[-`{{-~\u3002\uff0e\uff61]"
_LABEL = rf"(?!-){_LETTER_OR_HYPHEN}+(?<!-)"
DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
LITERAL = r"\[[!-Z^-~]+\]"

_MAILBOX = re.compile(rf"(?:{DOT_STRING}|{QUOTED_STRING})@(?:{DOMAIN}|({LITERAL}))")
_DOT_STRING = re.compile(DOT_STRING)
_QUOTABLE = re.compile(rf"[^{_NEVER}]*")
_IPV4 = re.compile(r"\[\d{1,3}(?:\.\d{1,3}){3}\]")
_GENERAL = re.compile(r"\[(?P<tag>[A-Za-z0-9-]*[A-Za-z0-9]):(?P<content>[!-Z^-~]+)\]")


class Address(Value):
    """A mailbox: ``local-part@domain``, or the bare ``Postmaster`` (RFC 5321 section 4.1.2).

    `text` is parsed strictly and kept as written: ``str(address)`` is that text, the form that
    stands between the brackets on the wire. Two addresses are equal when their domains are,
    whatever the case of ASCII's letters, and their local parts are once unquoted, to the letter.

    Raises InvalidValueError when `text` is no mailbox; `Address.of` quotes where needed.
    """

    __slots__ = ("text",)
    __match_args__ = ("local_part", "domain")
    text: str
    """As written, without brackets: what ``str()`` gives."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            no_text("address", text)
        if not is_mailbox(text) and text.lower() != "postmaster":
            raise InvalidValueError(
                f"{text!r} is not a mailbox (RFC 5321 section 4.1.2): expected local-part@domain;"
                " Address.of(local_part, domain) quotes a local part that needs it"
            )
        _set_text(self, text)

    @classmethod
    def of(cls, local_part: str, domain: str) -> Address:
        """The address of an unquoted local part at a domain, quoted where it must be.

        Raises InvalidValueError when no quoting makes it an address.
        """
        if _DOT_STRING.fullmatch(local_part):
            return cls(f"{local_part}@{domain}")
        if not _QUOTABLE.fullmatch(local_part):
            raise InvalidValueError(
                f"the local part {local_part!r} holds a control character, which not even a"
                " quoted string may (RFC 5321 section 4.1.2)"
            )
        quoted = local_part.replace("\\", "\\\\").replace('"', '\\"')
        return cls(f'"{quoted}"@{domain}')

    @property
    def local_part(self) -> str:
        """What stands before the ``@``, unquoted."""
        written = self._split()[0]
        return re.sub(r"\\(.)", r"\1", written[1:-1]) if written.startswith('"') else written

    @property
    def domain(self) -> str | None:
        """The domain or the address literal with its brackets; None for the bare Postmaster."""
        return self._split()[1]

    @property
    def is_ascii(self) -> bool:
        """False when the address needs SMTPUTF8 (RFC 6531)."""
        return self.text.isascii()

    def _split(self) -> tuple[str, str | None]:
        text = self.text
        # A general address literal may hold an "@" of its own, but no "[".
        at = text.rfind("@[") if text.endswith("]") else text.rfind("@")
        return (text, None) if at < 0 else (text[:at], text[at + 1 :])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        return self.text == other.text or self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(self._comparable())

    def _comparable(self) -> tuple[str, bytes | None]:
        domain = self.domain
        if domain is None:
            return "postmaster", None  # the one local part without case (section 4.5.1)
        # As octets, of which only those of ASCII have a case: U-labels are compared as they are
        # (RFC 5890 section 2.3.2.4), and str.lower() makes a k of U+212A.
        return self.local_part, domain.encode().lower()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Address({self.text!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return Address, (self.text,)


def is_mailbox(text: str) -> bool:
    """Whether `text` is a Mailbox of RFC 5321 section 4.1.2 or RFC 6531 section 3.3."""
    match = _MAILBOX.fullmatch(text)
    if match is None:
        return False
    literal = match[1]
    return literal is None or is_address_literal(literal)


def is_address_literal(text: str) -> bool:
    """Whether `text` is an address-literal with its brackets (RFC 5321 section 4.1.3)."""
    if _IPV4.fullmatch(text):
        return all(int(number) <= 255 for number in text[1:-1].split("."))
    match = _GENERAL.fullmatch(text)
    if match is None:
        return False
    if match["tag"].lower() != "ipv6":
        return True
    # Imported only for the rare address that needs it: it is slow to import.
    from ipaddress import IPv6Address

    try:
        IPv6Address(match["content"])
    except ValueError:
        return False
    return "%" not in match["content"]


def trusted_address(text: str) -> Address:
    """The Address of a text that has been matched already."""
    address = object.__new__(Address)
    _set_text(address, text)
    return address


(_set_text,) = setters(Address, "text")
