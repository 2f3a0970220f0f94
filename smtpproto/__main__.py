"""A message by SMTP into a maildrop and by POP3 out of it, in memory, with its transcript.

Without a command, a sample message.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from smtpproto import LocalProtocolError, smtp
from smtpproto.circle import deliver, retrieve
from smtpproto.transcript import Transcript


class _Parser(argparse.ArgumentParser):
    """One clear line for a wrong usage, exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(prog="python -m smtpproto", description=__doc__)
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    deliver = commands.add_parser(
        "deliver",
        help="do it with a message file",
        description="Carry a message file through all four connections and compare the octets.",
    )
    deliver.add_argument("file", type=Path, help="the message, an .eml file")
    deliver.add_argument("--from", dest="sender", required=True, metavar="A")
    deliver.add_argument("--to", dest="recipients", required=True, action="append", metavar="B")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0 all well, 1 the session was not, 2 usage."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "deliver":
            message = options.file.read_bytes()
            sender, recipients = options.sender, options.recipients
        else:
            message = files("smtpproto").joinpath("sample.eml").read_bytes()
            sender, recipients = "sender@example.org", ["recipient@example.com"]
        by_smtp, by_pop3 = Transcript(), Transcript()
        received = deliver(_envelope(sender, recipients, message), message, by_smtp)
        if received is not None:
            received = retrieve(received, by_pop3)
    except OSError as error:
        return _complain(f"{options.file}: {error.strerror}")
    except LocalProtocolError as error:
        return _complain(str(error))
    print(f"SMTP, C: the client, S: the server:\n\n{by_smtp}\n")
    print(f"POP3:\n\n{by_pop3}\n")
    return _verdict(message, received)


def _complain(problem: str) -> int:
    print(f"python -m smtpproto: {problem}", file=sys.stderr)
    return 2


def _envelope(sender: str, recipients: Sequence[str], message: bytes) -> smtp.Envelope:
    addresses = (sender, *recipients)
    mail = smtp.Mail(
        sender,
        size=len(_repaired(message)),
        body=None if message.isascii() else "8BITMIME",
        smtputf8=not all(map(str.isascii, addresses)),
    )
    return smtp.Envelope(mail, recipients)


def _repaired(message: bytes) -> bytes:
    """The message as it must arrive: every newline a CRLF, the last line ended."""
    repaired = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    return repaired if not repaired or repaired.endswith(b"\r\n") else repaired + b"\r\n"


def _verdict(message: bytes, received: bytes | None) -> int:
    """Say whether what came out is what went in."""
    expected = _repaired(message)
    if received == expected:
        made = "" if expected == message else ", each line ended by CRLF"
        print(f"Delivered: {len(expected)} octets came out, and they are those that went in{made}.")
        return 0
    print(f"Not delivered: {len(expected)} octets went in, {received!r:.60} came out.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
