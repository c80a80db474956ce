"""Say who is asking: tenant, basic auth, or a token that may rotate."""

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, _basic_auth_str

from app.errors import SourceRefused
from app.settings import LokiSettings


class Credentials(AuthBase):
    """Adds what Loki wants to see; also keeps ``requests`` from asking ``~/.netrc``."""

    def __init__(self, settings: LokiSettings) -> None:
        self._settings = settings
        self._token_file = TokenFile(settings.token_file)
        self._basic = _basic(settings)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign *request*."""
        token = self._token_file.read() or self._settings.token
        if token:
            request.headers["Authorization"] = f"Bearer {_carried(token, 'token')}"
        elif self._basic:
            request.headers["Authorization"] = self._basic
        if self._settings.tenant:
            tenant = _carried(self._settings.tenant, "tenant")
            request.headers["X-Scope-OrgID"] = tenant
        return request


class TokenFile:
    """A secret in a file, read again when the file changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._token = ""

    def read(self) -> str:
        """Return the token, empty without a file.

        Raises:
            SourceRefused: the file cannot be read or is empty.
        """
        if self._path is None:
            return ""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._seen:
                self._token = self._path.read_text("utf-8").strip()
                self._seen = stamp
        except (OSError, UnicodeDecodeError) as err:
            why = getattr(err, "strerror", None) or "it is not text"
            raise SourceRefused(
                f"cannot read the token file {self._path}: {why}; check loki.token_file"
            ) from err
        if not self._token:
            raise SourceRefused(
                f"the token file {self._path} is empty; check loki.token_file"
            )
        return self._token


def split_url(url: str) -> SplitResult:
    """Take *url* apart.

    Raises:
        SourceRefused: it is not an address that can be asked; names the setting.
    """
    parts = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise SourceRefused(
            "loki.url is not an http(s) address; it looks like http://loki.example:3100"
        )
    return parts


def bare_url(url: str) -> str:
    """Return *url* without credentials, query, fragment and closing slash."""
    parts = split_url(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))


def _carried(text: str, setting: str) -> str:
    """Return *text* if a header can carry it; else name the setting, not the text."""
    if not (text.isascii() and text.isprintable()):
        raise SourceRefused(f"loki.{setting} has characters that HTTP cannot carry")
    return text


def _basic(settings: LokiSettings) -> str:
    """Build the basic header from the settings or from ``user:password@`` in the URL."""
    name, password = settings.username, settings.password
    parts = split_url(settings.url)
    if not name and parts.username:
        name, password = unquote(parts.username), unquote(parts.password or "")
    return _basic_auth_str(name.encode(), password.encode()) if name else ""
