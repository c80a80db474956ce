"""Let another thread hang up a connection of ``requests``."""

import socket
from collections.abc import Callable
from typing import Any, cast

import urllib3.connection
import urllib3.connectionpool
from requests.adapters import HTTPAdapter

OnConnect = Callable[[socket.socket], None]


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

        def connect(self) -> None:
            super().connect()
            on_connect(self.sock)

    return Hangable
