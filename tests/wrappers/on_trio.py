"""Sessions on trio."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable

import trio

from tests.wrappers.session import Session

_GOODBYE = 5.0
"""Seconds for a client to take the 421 when its task is cancelled."""


async def nobody(user: str) -> str | None:
    """The password of nobody: clients are not asked."""
    return None


async def converse(
    stream: trio.abc.Stream,
    session: Session,
    tls: ssl.SSLContext | None,
    *,
    hostname: str | None = None,
    password_of: Callable[[str], Awaitable[str | None]] = nobody,
) -> None:
    """Drive a session to its end and close the stream.

    `hostname` is the server's on a client, None on a server. When cancelled, a server says 421.
    Raises trio.BrokenResourceError when the stream breaks, trio.TooSlowError when writing, a
    handshake or a look-up takes too long, and what the session raises.
    """
    try:
        while True:
            while octets := session.data_to_send():
                with trio.fail_after(session.timeout):
                    await stream.send_all(octets)
            if session.closed:
                break
            if session.handshake_due:
                assert tls is not None, "a session that may begin TLS needs an SSLContext"
                stream = trio.SSLStream(
                    stream,
                    tls,
                    server_side=hostname is None,
                    server_hostname=hostname,
                    https_compatible=True,  # a peer may just close: QUIT is the end, not TLS's
                )
                with trio.fail_after(session.timeout):
                    await stream.do_handshake()
                session.tls_started()
            elif session.asks_for is not None:
                with trio.fail_after(session.timeout):
                    session.answer(await password_of(session.asks_for))
            else:
                await _receive(stream, session)
    except BaseException:
        session.abort()
        raise
    finally:
        await trio.aclose_forcefully(stream)


async def _receive(stream: trio.abc.Stream, session: Session) -> None:
    octets = None
    try:
        with trio.move_on_after(session.timeout):
            octets = await stream.receive_some()
    except trio.Cancelled:
        session.shutdown("Shutting down")
        with trio.move_on_after(_GOODBYE, shield=True):
            await stream.send_all(session.data_to_send())
        raise
    if octets is None:
        session.timed_out()
    else:
        session.receive_data(octets)


async def run(session: Session, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
    """Drive a client's session over a new connection to its end.

    Raises OSError when there is no connection, and what `converse` raises.
    """
    with trio.fail_after(session.timeout):
        stream = await trio.open_tcp_stream(host, port)
    await converse(stream, session, tls, hostname=host)


async def serve(
    make_session: Callable[[], Session],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    password_of: Callable[[str], Awaitable[str | None]] = nobody,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled, with a new session for every client.

    ``await nursery.start(serve, ...)`` gives the port.
    """

    async def client(stream: trio.SocketStream) -> None:
        try:
            await converse(stream, make_session(), tls, password_of=password_of)
        except (trio.BrokenResourceError, trio.TooSlowError):
            pass  # the client is gone, and the session knows
        except Exception:  # the others go on
            logging.getLogger(__name__).exception("a session failed")

    (listener,) = await trio.open_tcp_listeners(port, host=host)
    task_status.started(listener.socket.getsockname()[1])
    await trio.serve_listeners(client, [listener])
