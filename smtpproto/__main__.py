"""A message by SMTP into a maildrop and by POP3 out of it, in memory, with its transcript.

Without a command, a sample message. `explain` says what is wrong with a recorded session.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from smtpproto import LocalProtocolError, smtp
from smtpproto._demo import deliver, retrieve
from smtpproto.explain import Dialogue, Directions, NotARecording, explain
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
    deliver.add_argument("--from", dest="sender", required=True, type=_address, metavar="A")
    deliver.add_argument(
        "--to",
        dest="recipients",
        required=True,
        action="append",
        type=_address,
        metavar="B",
        help="a recipient; again for each other one",
    )
    explain = commands.add_parser(
        "explain",
        help="say what is wrong with a recorded session",
        description="Show a recorded session of SMTP, LMTP or POP3 with the events that came of"
        " it, and say what is wrong with it. Its octets may also stand in a file for each side.",
    )
    explain.add_argument("file", type=Path, nargs="?", help="a dialogue: lines of C: and S:")
    explain.add_argument("--client", type=Path, metavar="FILE", help="what the client wrote")
    explain.add_argument("--server", type=Path, metavar="FILE", help="what the server wrote")
    return parser


def _address(text: str) -> str:
    try:
        return str(smtp.Address(text))
    except LocalProtocolError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: expected name@domain") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0 all well, 1 the session was not, 2 usage."""
    options = _parser().parse_args(arguments)
    if options.command == "explain":
        return _explain(options.file, options.client, options.server)
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
    _print(f"SMTP, C: the client, S: the server:\n\n{by_smtp}\n")
    _print(f"POP3:\n\n{by_pop3}\n")
    return _verdict(message, received)


def _explain(file: Path | None, client: Path | None, server: Path | None) -> int:
    try:
        if file is not None and client is None and server is None:
            explained = explain(Dialogue(file))
        elif file is None and client is not None and server is not None:
            explained = explain(Directions(client, server))
        else:
            return _complain("explain wants a FILE, or --client FILE and --server FILE")
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}")
    except NotARecording as error:
        return _complain(str(error))
    _print(f"{explained.protocol}, C: the client, S: the server:\n\n{explained}\n")
    for problem in explained.problems:
        _print(problem)
    if explained.problems:
        return 1
    _print("All is well.")
    return 0


def _print(text: str) -> None:
    """Print what may hold more characters than the terminal has, as far as anybody reads it."""
    encoding: str = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError as error:
        # Else the interpreter tries once more when it ends, and says so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # head and less may have read enough
            sys.exit(_complain(f"the standard output: {error.strerror}"))


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
        _print(
            f"Delivered: {len(expected)} octets came out, and they are those that went in{made}."
        )
        return 0
    _print(f"Not delivered: {len(expected)} octets went in, {received!r:.60} came out.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
