"""Ask one Loki over HTTP, patiently, and say what is wrong when it will not answer."""

import contextlib
import re
import ssl
import time
import zlib
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse, InvalidURL
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from app.errors import SourceError, SourceRefused, SourceUnavailable
from app.settings import LokiSettings
from app.sources.loki.connection import Connection
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
_OK = 200
_EITHER = zlib.MAX_WBITS | 32  # gzip or deflate, by how it begins
_HTTP_ERRORS = (HTTPException, OSError, UnicodeError, zlib.error)

_UNTRUSTED = re.compile(r"CERTIFICATE|WRONG_VERSION|X509|certificate")


class Client:
    """One connection to Loki, for one thread at a time; ``hang_up`` is for any."""

    def __init__(self, settings: LokiSettings, waiter: Waiter) -> None:
        self._settings = settings
        self._url = bare_url(settings.url)
        self._waiter = waiter
        self._credentials = Credentials(settings)
        self._path = quote(urlsplit(self._url).path, safe="/%:@!$&'()*+,;=~")
        self._is_fresh = False  # whether this attempt made a connection
        self._connection = Connection(
            self._url,
            (settings.connect_timeout_s, settings.timeout_s),
            settings.ca_file,
        )
        self._headers = {
            "User-Agent": f"skald/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip" if settings.gzip else "identity",
            "X-Loki-Response-Encoding-Flags": "categorize-labels",
        }

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
        self._connection.hang_up()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _ask(self, path: str, params: Params, headers: Mapping[str, str]) -> bytes:
        """Make one attempt."""
        if self._connection.is_hung_up or self._waiter.stop.is_set():
            raise SourceUnavailable("stopped asking Loki")
        self.counters.asked()
        began = time.monotonic()
        try:
            with self._send(path, params, headers) as response:
                body = self._read(response)
        except SourceError:
            self._connection.close()
            raise
        except _HTTP_ERRORS as err:
            self._connection.close()
            raise self._failure(err, time.monotonic() - began) from None
        self.counters.received(len(body))
        return body

    def _send(
        self, path: str, params: Params, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """Ask; credentials go to no other place, since no redirect is followed."""
        path, encoded = self._path + path, urlencode(params)
        told = {**self._headers, **self._credentials.headers(), **headers}
        self._is_fresh = not self._connection.is_open
        if self._is_fresh:
            self._connect()
        if len(encoded) > LONGEST_URL:
            told["Content-Type"] = "application/x-www-form-urlencoded"
            return self._connection.request("POST", path, encoded, told)
        if encoded:
            path = f"{path}?{encoded}"
        return self._connection.request("GET", path, None, told)

    def _connect(self) -> None:
        try:
            self._connection.open()
        except _HTTP_ERRORS as err:
            raise self._refusal(err) or Passing(
                f"cannot connect to Loki at {self._url}: is it running, and is "
                "loki.url right?",
                "connect",
            ) from None

    def _read(self, response: HTTPResponse) -> bytes:
        """Return the body of a success.

        Raises:
            Cut: it broke off.
            SourceError: what ``explain`` makes of it; or it is larger than 64 MiB.
        """
        is_packed = bool(response.headers.get("Content-Encoding", ""))
        if response.status != _OK:
            text = b""
            with contextlib.suppress(*_HTTP_ERRORS):
                text = response.read(MAX_EXPLANATION)
                if is_packed:
                    text = zlib.decompressobj(_EITHER).decompress(text, MAX_EXPLANATION)
            raise explain(
                response.status,
                text.decode("utf-8", "replace"),
                response.headers.get("Retry-After", "").strip(),
                self._url,
            )
        declared = response.length or 0
        body = response.read(MAX_ANSWER + 1)
        if len(body) < min(declared, MAX_ANSWER):
            raise Cut(
                f"the answer of Loki at {self._url} broke off after {len(body)} "
                f"of {declared} bytes"
            )
        if is_packed:
            body = self._unpack(body)
        if len(body) > MAX_ANSWER:
            raise SourceRefused(
                f"{self._url} answers more than {MAX_ANSWER >> 20} MiB at once; "
                "is loki.url the address of a Loki?"
            )
        return body

    def _unpack(self, packed: bytes) -> bytes:
        unpacking = zlib.decompressobj(_EITHER)
        body = unpacking.decompress(packed, MAX_ANSWER + 1)
        if not unpacking.eof and len(body) <= MAX_ANSWER:
            raise Cut(f"the answer of Loki at {self._url} broke off")
        return body

    def _failure(self, err: Exception, took_s: float) -> SourceError:
        """Name the trouble, without the details that might hold a secret."""
        if self._connection.is_hung_up:
            return SourceUnavailable("stopped asking Loki")
        if refusal := self._refusal(err):
            return refusal
        if not self._is_fresh and took_s < AT_ONCE_S:
            return Passing(f"Loki at {self._url} had closed the connection", "stale")
        return Cut(
            f"Loki at {self._url} broke off or did not answer within {took_s:.1f} s"
        )

    def _refusal(self, err: Exception) -> SourceRefused | None:
        """Return what is wrong with the settings, if it is they."""
        if isinstance(err, ssl.SSLError) and _UNTRUSTED.search(str(err)):
            return SourceRefused(
                f"cannot trust {self._url}: is it https, and does loki.ca_file sign "
                "its certificate?"
            )
        if isinstance(err, InvalidURL | UnicodeError):
            return SourceRefused(f"cannot ask {self._url}: check loki.url")
        return None


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
