"""Sessions on blocking sockets, each of a server's in a thread of its own."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable

from tests.wrappers.session import Session


def nobody(user: str) -> str | None:
    """The password of nobody: clients are not asked."""
    return None


def converse(
    sock: socket.socket,
    session: Session,
    tls: ssl.SSLContext | None,
    *,
    hostname: str | None = None,
    password_of: Callable[[str], str | None] = nobody,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Drive a session to its end and close the socket.

    `hostname` is the server's on a client, None on a server. Raises OSError when the transport
    breaks, and what the session raises.
    """
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        while True:
            sock.settimeout(session.timeout)
            while octets := session.data_to_send():
                sock.sendall(octets)
            if session.closed:
                break
            if session.handshake_due:
                assert tls is not None, "a session that may begin TLS needs an SSLContext"
                sock = tls.wrap_socket(sock, server_side=hostname is None, server_hostname=hostname)
                session.tls_started()
            elif session.asks_for is not None:
                session.answer(password_of(session.asks_for))
            else:
                try:
                    octets = sock.recv(65536)
                except TimeoutError:
                    session.timed_out()
                else:
                    if stopped():
                        session.shutdown("Shutting down")
                    else:
                        session.receive_data(octets)
    except BaseException:
        session.abort()
        raise
    finally:
        sock.close()


def run(session: Session, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
    """Drive a client's session over a new connection to its end.

    Raises OSError when there is no connection or it breaks, and what the session raises.
    """
    sock = socket.create_connection((host, port), session.timeout)
    converse(sock, session, tls, hostname=host)


class Server:
    """A server that listens until `stop`, with a new session for every client; there are at
    most `most` of them at a time."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        password_of: Callable[[str], str | None] = nobody,
        most: int = 100,
    ) -> None:
        self._most = most
        self._make_session = make_session
        self._tls = tls
        self._password_of = password_of
        self._listener = socket.create_server((host, port))
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopped.is_set():
                sock.close()
                return
            if len(self._clients) >= self._most:
                sock.close()
                continue
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._clients[thread] = sock.dup()  # for stop(): TLS will take `sock` over
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            converse(
                sock,
                self._make_session(),
                self._tls,
                password_of=self._password_of,
                stopped=self._stopped.is_set,
            )
        except OSError:
            pass  # the client is gone, and the session knows
        except Exception:  # the others go on
            logging.getLogger(__name__).exception("a session failed")
        finally:
            self._clients.pop(threading.current_thread()).close()

    def stop(self, patience: float = 5.0) -> None:
        """Tell every client that this is the end; those that do not read it are cut off after
        `patience` seconds."""
        self._stopped.set()
        socket.create_connection(self._listener.getsockname()).close()  # wakes accept()
        self._accepting.join()
        self._listener.close()
        self._end_clients(socket.SHUT_RD, time.monotonic() + patience)  # wakes recv()
        self._end_clients(socket.SHUT_RDWR, None)

    def _end_clients(self, how: int, deadline: float | None) -> None:
        clients = list(self._clients.items())
        for _, sock in clients:
            try:
                sock.shutdown(how)
            except OSError:
                pass  # it has ended by itself
        for thread, _ in clients:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
