"""The character strings of SASL: UTF-8 without NUL, SASLprep, saslname, and comparison.

Only SCRAM prepares its strings with SASLprep (RFC 4013), because RFC 5802 demands it. The other
mechanisms send and return strings as they are, without case folding or normalization.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from smtpproto._value import no_text
from smtpproto.errors import InvalidValueError, ProtocolError, RemoteProtocolError

__all__ = [
    "as_text",
    "decode",
    "encode",
    "escape_saslname",
    "holds_any",
    "mixes_directions",
    "optional_text",
    "same",
    "saslprep",
    "unescape_saslname",
]


def as_text(what: str, text: str) -> str:
    """The value of a string that the caller gave, as a plain str; `what` names it in the error.

    A member of ``class User(str, Enum)`` stands for its value. `str.__str__` returns that value;
    `format` returns the value on some versions of Python and ``User.ALICE`` on others.

    Raises `InvalidValueError` if `text` is not a str.
    """
    if type(text) is str:
        return text
    if not isinstance(text, str):
        no_text(what, text)
    return str.__str__(text)


def optional_text(what: str, text: str | None) -> str | None:
    """None, or the str that `as_text` makes of `text`."""
    return None if text is None else as_text(what, text)


def encode(what: str, text: str) -> bytes:
    """The octets of a string that the caller gave; `what` names it in the error.

    Raises `InvalidValueError` if `text` is not a str, is empty, or holds NUL or a lone surrogate.
    """
    text = as_text(what, text)
    if not text:
        raise InvalidValueError(f"the {what} must not be empty")
    if "\0" in text:
        raise InvalidValueError(f"the {what} must not hold NUL")
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    # Raised outside the except block: a UnicodeEncodeError carries the whole string, which may be
    # a password, and "from None" would still leave it in __context__.
    raise InvalidValueError(f"the {what} cannot be written in UTF-8")


def decode(what: str, octets: bytes) -> str:
    """The string that the peer sent as `octets`; `what` names it in the error.

    Raises `RemoteProtocolError` if `octets` are empty, hold NUL, or are not UTF-8.
    """
    if not octets:
        raise RemoteProtocolError(f"the {what} is empty")
    if b"\0" in octets:
        raise RemoteProtocolError(f"the {what} holds NUL")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        pass
    # Outside the except block, as in `encode`: the octets may hold a password.
    raise RemoteProtocolError(f"the {what} is not UTF-8")


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    # compare_digest takes no str outside ASCII; surrogatepass, because strings may come from
    # octets decoded with surrogateescape, and a comparison must not raise.
    return hmac.compare_digest(
        one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass")
    )


def saslprep(what: str, text: str, error: type[ProtocolError], *, stored: bool = False) -> str:
    """`text`, prepared with the stringprep profile SASLprep (RFC 4013).

    Code points that are unassigned in Unicode 3.2 are kept in a query string and prohibited in a
    stored string (RFC 3454 section 7). For RFC 5802 a name is a query string (section 5.1) and a
    password a stored string (section 2.2); `stored` selects the latter.

    Raises `error`, with `what` as the name of the string, if SASLprep prohibits a character of
    `text` or makes the string empty.
    """
    # Of ASCII, SASLprep changes nothing and prohibits only the control characters. Most strings
    # end here, before the tables of Unicode 3.2 are imported.
    if text and text.isascii() and text.isprintable():
        return text
    import stringprep as tables
    from unicodedata import ucd_3_2_0

    # Section 2.1. ZERO WIDTH SPACE (U+200B) stands in both tables, "commonly mapped to nothing"
    # and "non-ASCII space"; it is mapped to nothing, because Unicode counts
    # it among the format characters since 4.0.1.
    mapped = "".join(
        " " if tables.in_table_c12(char) else char for char in text if not tables.in_table_b1(char)
    )
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared:
        raise error(f"SASLprep makes the {what} empty")
    prohibited = (  # section 2.3; C.1.2 has been mapped to spaces
        tables.in_table_c21_c22,
        tables.in_table_c3,
        tables.in_table_c4,
        tables.in_table_c5,
        tables.in_table_c6,
        tables.in_table_c7,
        tables.in_table_c8,
        tables.in_table_c9,
    )
    if holds_any(prepared, *prohibited):
        raise error(f"SASLprep prohibits a character of the {what}")
    if stored and holds_any(prepared, tables.in_table_a1):
        raise error(f"the {what} holds a code point that is unassigned in Unicode 3.2")
    if mixes_directions(prepared):
        raise error(f"the {what} mixes directions of writing")
    return prepared


def holds_any(text: str, *tables: Callable[[str], bool]) -> bool:
    """Whether a character of `text` is in one of these tables of the module stringprep."""
    # The set first: SASLprep may make 18 characters of one, so that a peer's name grows long.
    return any(in_table(char) for char in set(text) for in_table in tables)


def mixes_directions(text: str) -> bool:
    """Whether `text` breaks the rule on bidirectional strings (RFC 3454 section 6).

    A string with a right-to-left character holds no left-to-right character, and begins and ends
    with a right-to-left one.
    """
    from stringprep import in_table_d1, in_table_d2

    return holds_any(text, in_table_d1) and (
        holds_any(text, in_table_d2) or not (in_table_d1(text[0]) and in_table_d1(text[-1]))
    )


def escape_saslname(name: str) -> str:
    """`name` with ``=`` written as ``=3D`` and ``,`` as ``=2C`` (RFC 5801 section 4, RFC 5802)."""
    return name.replace("=", "=3D").replace(",", "=2C")


def unescape_saslname(name: str) -> str:
    """The name that `escape_saslname` made a peer's `name` from.

    Raises `RemoteProtocolError` for a ``=`` that begins neither ``=2C`` nor ``=3D``: the server
    MUST fail the authentication then (RFC 5802 section 5.1).
    """
    if any(escaped[:2] not in ("2C", "3D") for escaped in name.split("=")[1:]):
        raise RemoteProtocolError("a saslname holds a = that begins neither =2C nor =3D")
    return name.replace("=2C", ",").replace("=3D", "=")
