"""The README's table of SMTP's extensions, made of the classes in smtp.ext and their docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from smtpproto import smtp
from smtpproto.smtp import ext
from smtpproto.smtp._capabilities import CLASSES
from smtpproto.smtp._keywords import KEYWORDS, Flag


def table() -> str:
    """A row for each EHLO keyword, in alphabetical order; then what has no keyword of its own."""
    rows = [
        ("keyword", "RFC", "class", "MAIL", "RCPT", "verbs", "needs"),
        ("---",) * 7,
        *(_row(keyword, CLASSES[keyword]) for keyword in sorted(CLASSES)),
        ("a verb, as VERB or XCLIENT", "", "`ext.Verb(name)`", "", "", "that verb", ""),
        ("any other", rfc(ext.Unknown), "`ext.Unknown(keyword)`", "any", "any", "", ""),
        ("LMTP", "2033", "`lmtp=True`", "", "", "LHLO", ""),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(keyword: str, extension: type[smtp.Extension]) -> tuple[str, ...]:
    return (
        keyword,
        rfc(extension),
        f"`ext.{extension.__name__}`",
        ", ".join(_parameters(extension.mail_parameters, extension.bodies)),
        ", ".join(_parameters(extension.rcpt_parameters)),
        ", ".join(extension.verbs),
        ", ".join(extension.needs),
    )


def rfc(extension: type[smtp.Extension]) -> str:
    """The RFC that the docstring's first line names."""
    first_line, *_ = (extension.__doc__ or "").splitlines()
    return ", ".join(re.findall(r"RFC (\d+)", first_line))


def _parameters(names: Mapping[str, int], bodies: Iterable[str] = ()) -> Iterator[str]:
    for name in names:
        if name == "BODY":
            *_, value = bodies
            yield f"BODY={value}"
        else:
            yield name if isinstance(KEYWORDS[name], Flag) else f"{name}="
