"""Send one request to a receiver, and understand what it answers."""

import base64
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
import urllib3.exceptions
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from app import clock
from app.errors import SkaldError
from app.settings import RemoteWriteSettings
from app.sources.loki.connection import HangableAdapter, hang_up
from app.version import __version__

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "User-Agent": f"skald/{__version__}",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
LONGEST_ASKED_S = 300.0  # the most that a Retry-After is honoured
MAX_TEXT = 300  # characters kept of what a receiver says
_READ = 4_096  # bytes of an answer
_OK, _CLIENT, _SERVER = 200, 400, 500
_BAD_REQUEST, _TOO_LARGE, _TOO_MANY = 400, 413, 429
# What Prometheus will never take; 2.42 says some of it with 500.
_NEVER = ("too old sample", "out of order sample", "out of bounds", "duplicate sample")
_TROUBLE = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class ReceiverDown(SkaldError):
    """A receiver does not take samples now; later it may."""

    code = "receiver_down"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver made of a request.

    Attributes:
        text: why it did not take it; "" = it did.
        is_final: asking again will not help.
        is_divisible: it may take parts of it.
        wait_s: how long it wants to be left alone; 0 = it does not say.
    """

    text: str = ""
    is_final: bool = False
    is_divisible: bool = False
    wait_s: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Tell whether all of it was taken."""
        return not self.text


class Receiver:
    """One connection to a receiver, for one thread; ``hang_up`` is for any.

    Args:
        settings: where it is, and who we are to it.
        now: current time, ms; for a Retry-After with a date.
    """

    def __init__(
        self, settings: RemoteWriteSettings, now: Callable[[], int] = clock.now
    ) -> None:
        self._settings = settings
        self._now = now
        self._session = requests.Session()
        self._session.trust_env = False  # no ~/.netrc; proxies are looked up just once
        self._session.proxies.update(get_environ_proxies(settings.url))
        self._session.headers.clear()
        self._session.headers.update(HEADERS)
        self._session.auth = _Credentials(settings)
        self._socket: socket.socket | None = None
        self._hung_up = False
        adapter = HangableAdapter(self._met_socket)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def hang_up(self) -> None:
        """End a request that another thread waits for; this is of no more use."""
        self._hung_up = True
        if self._socket is not None:
            hang_up(self._socket)

    def _met_socket(self, sock: socket.socket) -> None:
        self._socket = sock
        if self._hung_up:
            hang_up(sock)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def send(self, body: bytes) -> Answer:
        """Send a request once."""
        settings = self._settings
        try:
            with self._session.post(
                settings.url,
                data=body,
                timeout=settings.timeout_s,
                verify=str(settings.ca_file) if settings.ca_file else True,
                allow_redirects=False,  # credentials go to no other place
                stream=True,
            ) as response:
                return self._understand(response)
        except _Unsigned as error:
            return Answer(str(error))
        except _TROUBLE as error:
            return Answer(f"{settings.url}: {_name(error)}")

    def _understand(self, response: requests.Response) -> Answer:
        status = response.status_code
        text = ""
        with contextlib.suppress(*_TROUBLE):
            raw = response.raw.read(_READ, decode_content=True)
            text = " ".join(raw.decode("utf-8", "replace").split())[:MAX_TEXT]
        if _OK <= status < _OK + 100:
            return Answer()
        told = f"{self._settings.url} answered {status}: {text or response.reason}"
        if any(each in text for each in _NEVER):
            return Answer(told, is_final=True, is_divisible=True)
        if _CLIENT <= status < _SERVER and status != _TOO_MANY:
            divisible = status in {_BAD_REQUEST, _TOO_LARGE}
            return Answer(told, is_final=True, is_divisible=divisible)
        asked = response.headers.get("Retry-After", "").strip()
        return Answer(told, wait_s=self._asked_for(asked))

    def _asked_for(self, text: str) -> float:
        """Read a Retry-After: seconds, or a date."""
        if text.isdecimal():
            return min(float(text[:9]), LONGEST_ASKED_S)
        try:
            until = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError):
            return 0.0
        return min(max(0.0, until - self._now() / 1_000), LONGEST_ASKED_S)


class _Unsigned(Exception):
    """It cannot be said who we are."""


class _Credentials(AuthBase):
    """Adds who we are; also keeps ``requests`` from asking ``~/.netrc``."""

    def __init__(self, settings: RemoteWriteSettings) -> None:
        self._settings = settings

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        settings = self._settings
        token = settings.token
        if settings.token_file is not None:
            token = _read(settings.token_file)
        if token:
            request.headers["Authorization"] = f"Bearer {_carried(token, 'token')}"
        elif settings.username:
            pair = f"{settings.username}:{settings.password}".encode()
            basic = base64.b64encode(pair).decode()
            request.headers["Authorization"] = f"Basic {basic}"
        if settings.tenant:
            request.headers["X-Scope-OrgID"] = _carried(settings.tenant, "tenant")
        return request


def _read(path: Path) -> str:
    """Read a token, which may have changed since."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise _Unsigned(f"cannot read the token file {path}: {why}") from error
    if not token:
        raise _Unsigned(f"the token file {path} is empty")
    return token


def _carried(text: str, setting: str) -> str:
    if not (text.isascii() and text.isprintable()):
        what = "has characters that HTTP cannot carry"
        raise _Unsigned(f"remote_write: {setting} {what}")
    return text


def _name(error: Exception) -> str:
    """Name the trouble, without the details that might hold a secret."""
    if isinstance(error, requests.exceptions.SSLError):
        return "cannot be trusted; is it https, and does ca_file sign its certificate?"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "does not answer"
    if isinstance(error, requests.exceptions.Timeout):
        return "took longer than the timeout"
    if isinstance(error, OSError) and "CA certificate" in str(error):
        return "ca_file cannot be read"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot be connected to, or hung up"
    return type(error).__name__
