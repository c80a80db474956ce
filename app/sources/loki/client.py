"""Ask one Loki over HTTP, patiently, and say what is wrong when it will not answer."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import requests
import urllib3.exceptions
from requests.utils import get_environ_proxies

from app.errors import SourceError, SourceRefused, SourceUnavailable
from app.settings import LokiSettings
from app.sources.loki.connection import HangableAdapter, hang_up
from app.sources.loki.counters import Counters
from app.sources.loki.credentials import Credentials, bare_url
from app.sources.loki.patience import Patience, Waiter
from app.sources.loki.trouble import Cut, Passing, explain
from app.version import __version__

MAX_ANSWER = 64 << 20  # bytes; a wrong server shall not fill our memory
MAX_EXPLANATION = 64 << 10  # bytes of an answer that is no success
AT_ONCE_S = 0.05  # a kept connection that fails so soon was closed before
LONGEST_URL = 4_000  # characters of parameters; longer ones go as a form

Params = Mapping[str, str | int]
_HTTP_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)

_UNTRUSTED = re.compile(r"CERTIFICATE|WRONG_VERSION|X509|certificate")


class Client:
    """One connection to Loki, for one thread at a time; ``hang_up`` is for any."""

    def __init__(self, settings: LokiSettings, waiter: Waiter) -> None:
        self._settings = settings
        self._url = bare_url(settings.url)
        self._waiter = waiter
        self._credentials = Credentials(settings)
        self._socket: socket.socket | None = None
        self._is_fresh = False  # whether this attempt made a connection
        self._hung_up = False
        self._session = _new_session(settings, self._met_socket)
        self._prepared: dict[str, requests.PreparedRequest] = {}  # by path

    @property
    def counters(self) -> Counters:
        """Return the counters that this client adds to."""
        return self._waiter.counters

    def patience(self) -> Patience:
        """Return a fresh budget of attempts."""
        return self._waiter.patience()

    def get_json(
        self,
        path: str,
        params: Params,
        patience: Patience | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, int]:
        """Ask for *path* until it is answered or patience is spent.

        Args:
            path: below the base URL, with its slash.
            params: of the query.
            patience: the caller's budget; with one, ``Cut`` is raised at once.
            headers: more of them.

        Returns:
            The parsed body and its length in bytes.

        Raises:
            SourceRefused: asking again will not help; has Loki's own text.
            SourceUnavailable: it still does not work after the last attempt.
            Cut: only with *patience*.
        """
        budget = patience or self.patience()
        while True:
            try:
                body = self._ask(path, params, headers or {})
                return _parse(body, self._url), len(body)
            except Cut as trouble:
                self.counters.met("cut")
                if patience is not None:
                    raise
                budget.spend(trouble)
            except Passing as trouble:
                self.counters.met(trouble.reason)
                budget.spend(trouble)
            except SourceRefused as refusal:
                if type(refusal) is SourceRefused:  # else somebody adapts to it
                    self.counters.met("refused")
                raise

    def get_text(self, path: str) -> str:
        """Ask once for *path* and return what it says."""
        return self._ask(path, {}, {}).decode("utf-8", "replace")

    def hang_up(self) -> None:
        """End a request that another thread waits for; the client is of no more use."""
        self._hung_up = True
        if self._socket is not None:
            hang_up(self._socket)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _met_socket(self, sock: socket.socket) -> None:
        self._socket, self._is_fresh = sock, True
        if self._hung_up:
            hang_up(sock)

    def _ask(self, path: str, params: Params, headers: Mapping[str, str]) -> bytes:
        """Make one attempt."""
        if self._hung_up or self._waiter.stop.is_set():
            raise SourceUnavailable("stopped asking Loki")
        self.counters.asked()
        self._is_fresh = False
        began = time.monotonic()
        try:
            with self._send(path, params, headers) as response:
                body = self._read(response)
        except SourceError:
            raise
        except _HTTP_ERRORS as err:
            raise self._failure(err, time.monotonic() - began) from None
        self.counters.received(len(body))
        return body

    def _send(
        self, path: str, params: Params, headers: Mapping[str, str]
    ) -> requests.Response:
        """Ask, by a request that was prepared once: a fifth less to do for each."""
        prepared = self._prepared.get(path)
        if prepared is None:
            request = requests.Request("GET", self._url + path)
            prepared = self._prepared[path] = self._session.prepare_request(request)
        asked = prepared.copy()
        asked.headers.update(headers)
        if len(encoded := urlencode(params)) > LONGEST_URL:
            asked.method = "POST"
            asked.headers["Content-Type"] = "application/x-www-form-urlencoded"
            asked.prepare_body(encoded, None)
        elif encoded:
            asked.url = f"{prepared.url}?{encoded}"
        return self._session.send(
            self._credentials(asked),
            proxies=self._session.proxies,
            timeout=(self._settings.connect_timeout_s, self._settings.timeout_s),
            verify=str(self._settings.ca_file) if self._settings.ca_file else True,
            allow_redirects=False,  # credentials go to no other place
            stream=True,
        )

    def _read(self, response: requests.Response) -> bytes:
        """Return the body of a success.

        Raises:
            Cut: it broke off.
            SourceError: what ``explain`` makes of it; or it is larger than 64 MiB.
        """
        if response.status_code != requests.codes.ok:
            text = b""
            with contextlib.suppress(*_HTTP_ERRORS):
                text = response.raw.read(MAX_EXPLANATION, decode_content=True)
            raise explain(
                response.status_code,
                text.decode("utf-8", "replace"),
                response.headers.get("Retry-After", "").strip(),
                self._url,
            )
        packed = bool(response.headers.get("Content-Encoding", ""))
        body: bytes = response.raw.read(MAX_ANSWER + 1, decode_content=packed)
        if len(body) > MAX_ANSWER:
            raise SourceRefused(
                f"{self._url} answers more than {MAX_ANSWER >> 20} MiB at once; "
                "is loki.url the address of a Loki?"
            )
        declared = response.headers.get("Content-Length", "")
        if not packed and declared.isdecimal() and len(body) < int(declared):
            raise Cut(
                f"the answer of Loki at {self._url} broke off after {len(body)} "
                f"of {declared} bytes"
            )
        return body

    def _failure(self, err: Exception, took_s: float) -> SourceError:
        """Name the trouble, without the details that might hold a secret."""
        if self._hung_up:
            return SourceUnavailable("stopped asking Loki")
        if refusal := self._refusal(err):
            return refusal
        if _never_connected(err):
            return Passing(
                f"cannot connect to Loki at {self._url}: is it running, and is "
                "loki.url right?",
                "connect",
            )
        if not self._is_fresh and took_s < AT_ONCE_S:
            return Passing(f"Loki at {self._url} had closed the connection", "stale")
        return Cut(
            f"Loki at {self._url} broke off or did not answer within {took_s:.1f} s"
        )

    def _refusal(self, err: Exception) -> SourceRefused | None:
        """Return what is wrong with the settings, if it is they."""
        said = str(err)
        if isinstance(err, requests.exceptions.SSLError) and _UNTRUSTED.search(said):
            return SourceRefused(
                f"cannot trust {self._url}: is it https, and does loki.ca_file sign "
                "its certificate?"
            )
        if isinstance(err, requests.exceptions.InvalidURL):
            return SourceRefused(f"cannot ask {self._url}: check loki.url")
        if isinstance(err, OSError) and "CA certificate" in said:
            return SourceRefused(
                f"cannot read the CA file {self._settings.ca_file}: check loki.ca_file"
            )
        return None


def _new_session(
    settings: LokiSettings, on_connect: Callable[[socket.socket], None]
) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no ~/.netrc; proxies are looked up here, just once
    session.proxies.update(get_environ_proxies(bare_url(settings.url)))
    session.headers.clear()
    session.headers.update(
        {
            "User-Agent": f"skald/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip" if settings.gzip else "identity",
            "X-Loki-Response-Encoding-Flags": "categorize-labels",
        }
    )
    adapter = HangableAdapter(on_connect)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _parse(body: bytes, place: str) -> Any:
    """Parse a body.

    Raises:
        Cut: it begins like JSON, but does not end like it.
        SourceRefused: it is something else altogether.
    """
    try:
        return msgspec.json.decode(body)  # in half the time that orjson takes for lines
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        if body[:1] in {b"{", b""}:
            raise Cut(f"the answer of Loki at {place} broke off") from err
        raise SourceRefused(
            f"{place} does not answer like a Loki (no JSON); check loki.url"
        ) from err


def _never_connected(err: Exception) -> bool:
    """Tell whether the request never left."""
    never = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
    if isinstance(err, never):
        return True
    cause = err.args[0] if err.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(
        reason,
        urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError,
    )
