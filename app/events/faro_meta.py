"""Read the meta of a Faro line: who, on what, in which release, on which page."""

from collections.abc import Callable
from itertools import chain
from typing import Final

import msgspec
import xxhash

from app.events import clean, devices, logfmt
from app.events.decoder import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_NAME, Address
from app.events.unreadable import Unreadable
from app.model import Context

Fields = dict[str, str]
Meta = tuple[Address, int, Context]  # whose, key of the context, context
Values = tuple[str, ...]  # in the order of Context
Part = tuple[Values, Fields]  # and attributes
Visitor = tuple[str, Values, Values, Fields]  # id, identity, session, attributes

_REMEMBERED: Final = 8_192  # metas, about 1 kB each, and as many of each part

_hash: Final = xxhash.xxh3_64_intdigest
_pack: Final = msgspec.msgpack.encode


class NotAsExpected(ValueError):
    """A key stands in a part where it does not belong; read the line as a whole."""


class MetaReader:
    """Reads metas by their parts and remembers both, bounded.

    A meta is cut where its parts begin: visitor, page, client, view. A cut inside
    quotes leaves a part with an open quote, which cannot be read: when every part can
    be, then together they say what the whole says.

    Attributes:
        known: what has been read, by the text of the meta.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._most = remembered
        self.known: dict[str, Meta] = {}
        self._visitors: dict[str, Visitor] = {}
        self._pages: dict[str, Part] = {}
        self._clients: dict[str, Part] = {}
        self._views: dict[str, Part] = {}

    def read(self, meta: str) -> Meta:
        """Return what *meta* says.

        Raises:
            Unreadable: it has no session id.
            NotAsExpected, Malformed: only the whole line can tell.
        """
        found = self.known.get(meta)
        if found is None:
            found = self._read(meta)
            if len(self.known) >= self._most:
                self.known.clear()
            self.known[meta] = found
        return found

    def sizes(self) -> list[int]:
        """Return how many metas are remembered, and how many of each part."""
        parts = (self._pages, self._clients, self._views)
        return [len(self.known), len(self._visitors), *map(len, parts)]

    def _read(self, meta: str) -> Meta:
        page_at = meta.find(" page_")
        client_at = meta.find(" browser_", page_at)
        if page_at < 0 or client_at < 0:
            raise NotAsExpected
        view_at = meta.rfind(" view_name=", client_at)
        if view_at < 0:
            view_at = len(meta)
        session_id, identity, session, attributes = self._visitor(meta[:page_at])
        page, titles = self._remember(self._pages, meta[page_at:client_at], _page_part)
        client, _ = self._remember(self._clients, meta[client_at:view_at], _client_part)
        view, _ = self._remember(self._views, meta[view_at:], _view_part)
        if titles:
            attributes = _bounded(attributes | titles)
        return _meta(session_id, (identity, page, client, view, session), attributes)

    def _visitor(self, text: str) -> Visitor:
        """Read who it is, and in which session; most of what a session says of itself."""
        visitor = self._visitors.get(text)
        if visitor is None:
            fields = logfmt.parse(text)
            _expect(fields, ("sdk_", "app_", "user_", "session_"))
            if "session_id" not in fields:
                raise NotAsExpected
            visitor = (
                clean.session_id(fields["session_id"]),
                _identity(fields),
                _session(fields),
                _bounded(_attributes(fields)),
            )
            if len(self._visitors) >= self._most:
                self._visitors.clear()
            self._visitors[text] = visitor
        return visitor

    def _remember(
        self, known: dict[str, Part], text: str, read: Callable[[Fields], Part]
    ) -> Part:
        part = known.get(text)
        if part is None:
            part = read(logfmt.parse(text) if text else {})
            if len(known) >= self._most:
                known.clear()
            known[text] = part
        return part


def read_fields(fields: Fields) -> Meta:
    """Return what the meta among *fields* says; as ``MetaReader.read``, of a whole line.

    Raises:
        Unreadable: there is no session id.
    """
    session_id = clean.session_id(fields.get("session_id", ""))
    parts = (
        _identity(fields),
        _page(fields),
        _client(fields),
        _view(fields),
        _session(fields),
    )
    return _meta(session_id, parts, _bounded(_attributes(fields)))


def _meta(
    session_id: str,
    parts: tuple[Values, Values, Values, Values, Values],
    attributes: Fields,
) -> Meta:
    """Unite what the parts say: identity, page, client, view, session.

    Raises:
        Unreadable: there is no session id.
    """
    if not session_id:
        raise Unreadable("no_session")
    identity, (url, path, seen), client, view, (said, previous) = parts
    values = (*identity, url, path, *client, *view, seen or said, previous, attributes)
    context = Context(*values)  # type: ignore[arg-type]  # in the order of the fields
    return (context.app, session_id), _hash(_pack(context)), context


def _bounded(attributes: Fields) -> Fields:
    """Return the first of *attributes*, in the order of their names."""
    return dict(sorted(attributes.items())[:MAX_ATTRIBUTES])


def _expect(fields: Fields, prefixes: tuple[str, ...]) -> None:
    for key in fields:
        if not key.startswith(prefixes):
            raise NotAsExpected


_IDENTITY = (
    "app_name", "app_environment", "app_version", "sdk_version",
    "user_id", "user_username", "user_email",
)  # fmt: skip


def _identity(fields: Fields) -> tuple[str, ...]:
    get = fields.get
    values = [get(key, "")[:MAX_NAME] for key in _IDENTITY]
    values[2] = values[2] or get("app_release", "")[:MAX_NAME]
    return tuple(values)


def _page(fields: Fields) -> tuple[str, ...]:
    url = clean.redact_url(fields.get("page_url", ""))
    referrer = clean.host_of(fields.get("page_attr_referrer", ""))
    return url, clean.path_of(url), referrer


def _page_part(fields: Fields) -> Part:
    _expect(fields, ("page_",))
    return _page(fields), _attributes(fields)


def _client(fields: Fields) -> tuple[str, ...]:
    get = fields.get
    return (
        devices.browser(get("browser_name", ""))[:MAX_NAME],
        get("browser_version", "")[:MAX_NAME],
        devices.system(get("browser_os") or get("os_name", ""))[:MAX_NAME],
        devices.device(
            get("browser_userAgent", ""), is_mobile=get("browser_mobile") == "true"
        ),
        get("geo_country_iso", "")[:2].upper(),
        get("browser_language", "")[:MAX_NAME],
    )


def _client_part(fields: Fields) -> Part:
    for key in fields:
        if key.startswith(("sdk_", "app_", "user_", "session_", "page_", "view_")):
            raise NotAsExpected
    return _client(fields), {}


def _view(fields: Fields) -> tuple[str, ...]:
    return (fields.get("view_name", "")[:MAX_NAME],)


def _view_part(fields: Fields) -> Part:
    _expect(fields, ("view_",))
    return _view(fields), {}


def _session(fields: Fields) -> Values:
    """Return referrer and previous session; Faro knows no referrer of its own.

    A session that names itself as its predecessor is a known SDK bug:
    github.com/grafana/faro-web-sdk/issues/2300
    """
    previous = fields.get("session_attr_previousSession", "")
    if previous == fields.get("session_id"):
        previous = ""
    referrer = clean.host_of(fields.get("session_attr_referrer", ""))
    return referrer, clean.session_id(previous)


_SCOPES = (
    ("session_attr_", "session."),
    ("user_attr_", "user."),
    ("page_attr_", "page."),
)
_NOT_KEPT = frozenset({"session_attr_previousSession", "session_attr_isSampled"})


def _attributes(fields: Fields) -> Fields:
    found: Fields = {}
    for prefix, scope in _SCOPES:
        for key, value in fields.items():
            if key.startswith(prefix) and value and key not in _NOT_KEPT:
                said = clean.redact_text(value)[:MAX_ATTRIBUTE]
                found[scope + key[len(prefix) :][:MAX_NAME]] = said
    return found


META_KEYS = frozenset(
    chain(
        _IDENTITY,
        ("app_release", "session_id", "page_url", "view_name", "geo_country_iso"),
        ("browser_name", "browser_version", "browser_os", "browser_mobile"),
        ("browser_userAgent", "browser_language", "os_name"),
    )
)
