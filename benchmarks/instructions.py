"""Small loads, counted in instructions: clocks are noisy where a count repeats to the digit.

``python -m benchmarks.instructions`` prints the count of each load. It needs valgrind, which runs
this file once for few repetitions of the load and once for many; the difference is the load's own.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

from benchmarks.measure import Effort, Row, Spread, at_most
from benchmarks.messages import CLIENT, RECIPIENT, SENDER
from smtpproto import pop3, smtp

__all__ = ["BEFORE", "LOADS", "collected", "count", "rows"]

UNIT = "thousand instructions"
FEW, MANY = 10, 110
WARM_UP = 30

_EXTENSIONS = (
    smtp.ext.Pipelining(),
    smtp.ext.Size(2_000_000_000),
    smtp.ext.EightBitMime(),
    smtp.ext.Chunking(),
    smtp.ext.EnhancedStatusCodes(),
)
_HELLO = f"EHLO {CLIENT}\r\n".encode()
_MAIL = f"MAIL FROM:<{SENDER}>\r\n".encode()
_RCPT = f"RCPT TO:<{RECIPIENT}>\r\n".encode()
_MESSAGE = b"Subject: hi\r\n\r\nhello you\r\n"
_STORED = b"Subject: hi\r\n\r\n" + (b"x" * 70 + b"\r\n") * 28


def _accepted(conn: smtp.ServerConnection, *reads: bytes) -> None:
    """Each of them in a read of its own, answered with ``accept()``."""
    for read in reads:
        conn.receive_data(read)
        for event in conn.events():
            if isinstance(event, smtp.Request):
                conn.accept()
        conn.data_to_send()


def _server(*reads: bytes, refusals: int | None = 20) -> smtp.ServerConnection:
    limits = smtp.Limits(refusals=refusals)
    conn = smtp.ServerConnection("mx.example.com", extensions=_EXTENSIONS, limits=limits)
    conn.accept()
    _accepted(conn, *reads)
    return conn


def _small_transaction(times: int) -> None:
    conn = _server(_HELLO)
    for _ in range(times):
        _accepted(conn, _MAIL, _RCPT, b"DATA\r\n", _MESSAGE + b".\r\n")


def _ehlo_and_quit(times: int) -> None:
    for _ in range(times):
        _server(_HELLO, b"QUIT\r\n")


def _rcpt_rejected(times: int) -> None:
    conn = _server(_HELLO, _MAIL)
    for _ in range(times):
        conn.receive_data(_RCPT)
        for _event in conn.events():
            conn.reject(550, "No such user here", enhanced="5.1.1")
        conn.data_to_send()


def _bdat(times: int) -> None:
    conn = _server(_HELLO)
    chunk = b"BDAT %d LAST\r\n" % len(_MESSAGE) + _MESSAGE
    for _ in range(times):
        _accepted(conn, _MAIL, _RCPT, chunk)


def _line_refused(times: int) -> None:
    conn = _server(_HELLO, refusals=None)
    for _ in range(times):
        _accepted(conn, b"FOO bar\r\n")


def _client() -> smtp.ClientConnection:
    conn = smtp.ClientConnection()
    _answered(conn, b"220 mx.example.com\r\n")
    conn.send(smtp.Ehlo(CLIENT))
    lines = [b"mx.example.com", *(str(one).encode() for one in _EXTENSIONS)]
    _answered(conn, b"".join(b"250-%b\r\n" % line for line in lines[:-1]), b"250 x\r\n")
    return conn


def _answered(conn: smtp.ClientConnection, *reads: bytes) -> None:
    conn.data_to_send()
    for read in reads:
        conn.receive_data(read)
    for _event in conn.events():
        pass


def _client_transaction(times: int) -> None:
    conn = _client()
    for _ in range(times):
        conn.send(smtp.Mail(SENDER))
        _answered(conn, b"250 2.1.0 OK\r\n")
        conn.send(smtp.Rcpt(RECIPIENT))
        _answered(conn, b"250 2.1.5 OK\r\n")
        conn.send(smtp.Data())
        _answered(conn, b"354 Go on\r\n")
        conn.send(smtp.MessageData(_MESSAGE))
        conn.send(smtp.EndOfMessage())
        _answered(conn, b"250 2.6.0 OK\r\n")


def _client_session(times: int) -> None:
    for _ in range(times):
        conn = _client()
        conn.send(smtp.Quit())
        _answered(conn, b"221 2.0.0 Bye\r\n")


_POP3: tuple[tuple[pop3.Command, bytes], ...] = (
    (pop3.User("tim"), b"+OK\r\n"),
    (pop3.Pass("tanstaaf"), b"+OK\r\n"),
    (pop3.Stat(), b"+OK 1 2000\r\n"),
    (pop3.List(), b"+OK\r\n1 2000\r\n.\r\n"),
    (pop3.Uidl(), b"+OK\r\n1 uid\r\n.\r\n"),
    (pop3.Retr(1), b"+OK\r\n" + _STORED + b".\r\n"),
    (pop3.Dele(1), b"+OK\r\n"),
    (pop3.Quit(), b"+OK\r\n"),
)


def _pop3_server(times: int) -> None:
    for _ in range(times):
        conn = pop3.ServerConnection("pop.example.com")
        maildrop = pop3.Maildrop([("uid", len(_STORED))])
        conn.accept()
        for command, _answer in _POP3:
            conn.receive_data(bytes(command))
            for event in conn.events():
                match event:
                    case pop3.Pass():
                        conn.authenticated("tim")
                    case pop3.Retr():
                        conn.send(maildrop.answer(event))
                        conn.send(pop3.MessageData(_STORED))
                        conn.send(pop3.EndOfMessage())
                    case pop3.Stat() | pop3.List() | pop3.Uidl() | pop3.Dele():
                        conn.send(maildrop.answer(event))
                    case pop3.Request():
                        conn.accept()
            conn.data_to_send()


def _pop3_client(times: int) -> None:
    for _ in range(times):
        conn = pop3.ClientConnection()
        conn.receive_data(b"+OK\r\n")
        conn.next_event()
        for command, answer in _POP3:
            conn.send(command)
            conn.data_to_send()
            conn.receive_data(answer)
            for _event in conn.events():
                pass


LOADS: Mapping[str, Callable[[int], None]] = {
    "server, a small transaction": _small_transaction,
    "server, EHLO and QUIT": _ehlo_and_quit,
    "server, an RCPT rejected": _rcpt_rejected,
    "server, a message by BDAT": _bdat,
    "server, a line refused by the connection": _line_refused,
    "client, a small transaction": _client_transaction,
    "client, a session": _client_session,
    "POP3 server, a session": _pop3_server,
    "POP3 client, a session": _pop3_client,
}

BEFORE: Mapping[str, float] = {
    "server, a small transaction": 152.2,
    "server, EHLO and QUIT": 464.5,
    "server, an RCPT rejected": 172.3,
    "server, a message by BDAT": 169.6,
    "server, a line refused by the connection": 48.7,
    "client, a small transaction": 205.5,
    "client, a session": 414.5,
    "POP3 server, a session": 928.9,
    "POP3 client, a session": 868.1,
}
"""What each took before both roles had one session, on CPython 3.11: none may take more than 2 %
longer."""


def rows(effort: Effort) -> Iterator[Row]:
    """Small loads in instructions, which repeat where clocks do not."""
    for name, load in LOADS.items():
        if effort.rounds == 1:  # does it work?
            load(1)
            continue
        if shutil.which("valgrind") is None:
            print("instructions: valgrind is not installed: apt-get install valgrind")
            return
        taken = count(name) / 1000
        goal = at_most(BEFORE[name] * 1.02)
        yield Row("instructions", name, Spread.of([taken]), UNIT, goal)


def count(name: str) -> float:
    """The instructions of one repetition of a load. Raises RuntimeError where valgrind fails."""
    few, many = (collected(_valgrind(name, times)) for times in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def collected(output: str) -> int:
    """The instructions that callgrind has counted. Raises RuntimeError when it names none."""
    found = re.search(r"Collected : (\d+)", output)
    if found is None:
        raise RuntimeError(f"callgrind has counted nothing: {output[-500:]}")
    return int(found[1])


def _valgrind(name: str, times: int) -> str:
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"]
    command += [sys.executable, "-m", "benchmarks.instructions", name, str(times)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stderr


def main() -> None:
    if len(sys.argv) == 3:
        gc.disable()
        load = LOADS[sys.argv[1]]
        load(WARM_UP)
        load(int(sys.argv[2]))
        return
    for name in LOADS:
        print(f"{name:44}{count(name) / 1000:9.1f} {UNIT}", flush=True)


if __name__ == "__main__":
    main()
