"""Read answers in few large gulps, and hang up from another thread.

A thread that reads gives up the interpreter lock at every ``recv`` and, beside a busy
decoder, waits a switch interval (5 ms) to get it back. Small reads make that hundreds
of waits a page; a buffer of a megabyte makes it a handful.
"""

import contextlib
import http.client
import io
import socket
from collections.abc import Callable
from typing import Any, cast

import urllib3.connection
import urllib3.connectionpool
from requests.adapters import HTTPAdapter

GULP = 1 << 20  # bytes

OnConnect = Callable[[socket.socket], None]


class _WideResponse(http.client.HTTPResponse):
    """An answer that is read through a large buffer."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp = io.BufferedReader(sock.makefile("rb", 0), GULP)


class HangableAdapter(HTTPAdapter):
    """One connection, whose socket *on_connect* gets to know."""

    def __init__(self, on_connect: OnConnect) -> None:
        self._on_connect = on_connect
        super().__init__(pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(
        self, *args: Any, **more: Any
    ) -> urllib3.connectionpool.HTTPConnectionPool:
        """Return the pool, its connections being of our kind."""
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        if not hasattr(pool.ConnectionCls, "is_hangable"):
            pool.ConnectionCls = _hangable(pool.ConnectionCls, self._on_connect)
        return cast("urllib3.connectionpool.HTTPConnectionPool", pool)


def _hangable(base: Any, on_connect: OnConnect) -> Any:
    """Derive a connection class that tells *on_connect* about its socket."""

    class Hangable(base):  # type: ignore[misc]
        is_hangable = True
        response_class = _WideResponse

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

    return Hangable


def hang_up(sock: socket.socket) -> None:
    """End both directions, so that a thread that waits for *sock* wakes at once."""
    with contextlib.suppress(OSError):
        # Not SSLSocket's own, which takes the TLS state away from under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
