"""The command line: ``python -m smtpproto``. Everything happens in memory, on no network."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from smtpproto import LocalProtocolError, smtp
from smtpproto.transcript import Transcript

_PIECE = 65536


class _Parser(argparse.ArgumentParser):
    """One clear line for a wrong usage, exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(prog="python -m smtpproto", description=__doc__)
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    deliver = commands.add_parser(
        "deliver",
        help="carry a message file from a client connection to a server connection",
        description="Carry a message file through both connections and compare the octets.",
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
        transcript = Transcript()
        received = deliver(_envelope(sender, recipients, message), message, transcript)
    except OSError as error:
        return _complain(f"{options.file}: {error.strerror}")
    except LocalProtocolError as error:
        return _complain(str(error))
    print(transcript)
    print()
    return _verdict(_repaired(message), received)


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


def deliver(envelope: smtp.Envelope, message: bytes, transcript: Transcript) -> bytes | None:
    """The octets that a server receives when a client sends it `message`; None when it does not
    arrive. What is said on the way stands in `transcript`."""
    client = smtp.ClientConnection()
    server = smtp.ServerConnection(
        "mx.example.com",
        extensions=[
            smtp.ext.Pipelining(),
            smtp.ext.Size(),
            smtp.ext.EightBitMime(),
            smtp.ext.SmtpUtf8(),
            smtp.ext.EnhancedStatusCodes(),
        ],
    )
    received: bytes | None = None
    content = bytearray()

    def server_side() -> None:
        nonlocal received
        for event in server.events():
            transcript.note(event)
            match event:
                case smtp.MessageData(data):
                    content.extend(data)
                case smtp.EndOfMessage():
                    received = bytes(content)
                    server.accept(f"{len(received)} octets received")
                case smtp.Request():
                    server.accept()

    def client_side() -> None:
        for event in client.events():
            transcript.note(event)
            match event:
                case smtp.ReplyReceived(None, smtp.Reply(220)):
                    client.send(smtp.Ehlo("client.example.org"))
                case smtp.ReplyReceived(smtp.Ehlo(), smtp.Reply(250)):
                    client.send(envelope.mail)
                    for recipient in envelope.recipients:
                        client.send(recipient)
                    client.send(smtp.Data())
                case smtp.ReplyReceived(smtp.Data(), smtp.Reply(354)):
                    for start in range(0, len(message), _PIECE):
                        client.send(smtp.MessageData(message[start : start + _PIECE]))
                    client.send(smtp.EndOfMessage())
                case smtp.ReplyReceived(smtp.EndOfMessage()):
                    client.send(smtp.Quit())

    server.accept()
    while not (client.closed and server.closed):
        from_server = server.data_to_send()
        transcript.server(from_server)
        client.receive_data(from_server)
        client_side()
        from_client = client.data_to_send()
        transcript.client(from_client)
        server.receive_data(from_client)
        server_side()
    return received


def _verdict(expected: bytes, received: bytes | None) -> int:
    """Say whether what came out is what went in."""
    if received == expected:
        print(f"Delivered: {len(received)} octets came out, and they are those that went in.")
        return 0
    print(f"Not delivered: {len(expected)} octets went in, {received!r:.60} came out.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
