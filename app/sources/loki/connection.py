"""Keep one HTTP connection, read answers in few large gulps, hang up from another thread.

``http.client`` itself, since it takes a third of the time that a library around it takes
for each request, and there is a request for every two thousand lines.

A thread that reads gives up the interpreter lock at every ``recv`` and, beside a busy
decoder, waits a switch interval to get it back. Small reads make that hundreds
of waits a page; a buffer of a megabyte makes it a handful.
"""

import base64
import contextlib
import io
import socket
import ssl
import weakref
from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from app.errors import SourceRefused

GULP = 1 << 20  # bytes


class _WideResponse(HTTPResponse):
    """An answer that is read through a large buffer."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp = io.BufferedReader(sock.makefile("rb", 0), GULP)


class Connection:
    """A connection to one server, for one thread at a time; ``hang_up`` is for any.

    Args:
        url: of the server, without credentials.
        timeouts: seconds to connect; to wait for more of an answer.
        ca_file: of certificates to trust, in place of the usual ones.
    """

    def __init__(
        self, url: str, timeouts: tuple[float, float], ca_file: Path | None = None
    ) -> None:
        self._url = urlsplit(url)
        self._connect_s, self._read_s = timeouts
        self._ca_file = ca_file
        self._proxy = _proxy_of(url)
        self._http: HTTPConnection | None = None
        self._let_go: weakref.finalize[..., Any] | None = None
        self._socket: socket.socket | None = None  # also of an answer that ends it
        self.is_hung_up = False

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection, as far as one can know."""
        return self._http is not None and self._http.sock is not None

    def open(self) -> None:
        """Connect.

        Raises:
            OSError: also where the certificate of the server is not trusted.
            SourceRefused: the file of certificates cannot be read.
        """
        made = self._http = self._new()
        answers: list[HTTPResponse] = []  # the last; a proxy's, nobody else knows
        made.response_class = partial(_answered, answers)  # type: ignore[assignment]
        self._let_go = weakref.finalize(self, _close, made, answers)
        made.connect()
        made.sock.settimeout(self._read_s)
        self._socket = made.sock
        if self.is_hung_up:
            hang_up(made.sock)

    def request(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Ask an open connection for *path*; the answer has to be read, or closed.

        Raises:
            OSError, http.client.HTTPException: something broke.
        """
        http = self._http
        assert http is not None  # noqa: S101 - the caller has opened it
        if self._proxy and self._url.scheme == "http":
            path = f"http://{self._url.netloc}{path}"
            headers = {**_allowed_by(self._proxy), **headers}
        http.request(method, path, body, dict(headers))
        return http.getresponse()

    def hang_up(self) -> None:
        """End a request that another thread waits for; this is of no more use."""
        self.is_hung_up = True
        if self._socket is not None:
            hang_up(self._socket)

    def close(self) -> None:
        """Let go of the connection; it can be opened again."""
        if self._let_go is not None:
            self._let_go()

    def _new(self) -> HTTPConnection:
        url, proxy = self._url, self._proxy
        place = (proxy or url).hostname or ""
        port, timeout = (proxy or url).port, self._connect_s
        if url.scheme == "http":
            return HTTPConnection(place, port or 80, timeout=timeout)
        made = HTTPSConnection(
            place, port or 443, timeout=timeout, context=_trusting(self._ca_file)
        )
        if proxy:
            made.set_tunnel(url.hostname or "", url.port or 443, _allowed_by(proxy))
        return made


def _answered(answers: list[HTTPResponse], *args: Any, **more: Any) -> HTTPResponse:
    answers[:] = [_WideResponse(*args, **more)]
    return answers[0]


def _close(http: HTTPConnection, answers: list[HTTPResponse]) -> None:
    for each in answers:
        each.close()
    http.close()


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    import certifi  # noqa: PLC0415 - most Lokis are asked without TLS

    try:
        if ca_file and ca_file.is_dir():
            return ssl.create_default_context(capath=ca_file)
        return ssl.create_default_context(cafile=ca_file or certifi.where())
    except OSError as err:
        raise SourceRefused(
            f"cannot read the CA file {ca_file}: check loki.ca_file"
        ) from err


def _proxy_of(url: str) -> SplitResult | None:
    """Return the proxy that the environment names for *url*; None = it names none."""
    if not getproxies():
        return None
    # to be told what `no_proxy` excepts, which takes as long to import as all the rest
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415

    found = select_proxy(url, get_environ_proxies(url))
    if not found:
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def _allowed_by(proxy: SplitResult) -> dict[str, str]:
    """Return the headers that say to *proxy* who is asking."""
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": basic(pair)}


def basic(pair: str) -> str:
    """Return the header for *pair*: a name, a colon, a password."""
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def hang_up(sock: socket.socket) -> None:
    """End both directions, so that a thread that waits for *sock* wakes at once."""
    with contextlib.suppress(OSError):
        # Not SSLSocket's own, which takes the TLS state away from under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
