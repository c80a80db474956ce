"""Make what strangers wrote safe to keep: ids, URLs, paths, texts."""

import re
from urllib.parse import urlsplit

from app.events.decoder import MAX_NAME, MAX_URL

_NO_ID = frozenset({"", "null", "undefined", "none", "nil"})
_KEPT_PARAMETER = re.compile(r"(?:utm_[a-z_]+|ref|source)\Z")
_URL = re.compile(r"\bhttps?://[^\s\"'<>]+")
_NUMBERS = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|\d+", re.IGNORECASE)


def session_id(raw: str) -> str:
    """Return the id, or "" for what is none: blank, ``null``, too long to be one."""
    clean = raw.strip()
    if len(clean) > MAX_NAME or clean.lower() in _NO_ID:
        return ""
    return clean


def redact_url(url: str) -> str:
    """Drop user, fragment and every query value that is not a campaign's.

    The names of the parameters stay: ``/a?token=x&utm_source=n`` becomes
    ``/a?token=&utm_source=n``. What is no URL is kept as text, without its query.
    """
    if "?" not in url and "#" not in url and "@" not in url:
        return url[:MAX_URL]
    base, _, query = url.partition("#")[0].partition("?")
    scheme, slashes, rest = base.partition("://")
    if slashes:
        host, slash, path = rest.partition("/")
        base = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    return (f"{base}?{_redact_query(query)}" if query else base)[:MAX_URL]


def _redact_query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&")[:20]]
    return "&".join(
        f"{name}={value}" if _KEPT_PARAMETER.match(name) else f"{name}="
        for name, _, value in pairs
    )


def redact_text(text: str) -> str:
    """Redact every URL in *text*: messages quote what must not be kept."""
    return _URL.sub(lambda url: redact_url(url[0]), text) if "://" in text else text


def path_of(url: str) -> str:
    """Return the path of *url*, without query and fragment; "" when there is none."""
    base = url.partition("#")[0].partition("?")[0]
    _, slashes, rest = base.partition("://")
    return ("/" + rest.partition("/")[2] if slashes else base)[:MAX_URL]


def host_of(url: str) -> str:
    """Return the host of *url* without port, or "" when there is none."""
    if not url:
        return ""
    try:
        return (urlsplit(url).hostname or "")[:MAX_NAME]
    except ValueError:  # such as a broken IPv6 address
        return ""


def mask_numbers(text: str) -> str:
    """Replace what differs between equal errors: numbers, ids, addresses."""
    return _NUMBERS.sub("#", text)
