"""What each kind of Faro item means: its event's kind, name, value and facts."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from app.events import clean
from app.events.decoder import (
    MAX_ATTRIBUTE,
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_STACK,
    MAX_TEXT,
)
from app.events.unreadable import Unreadable
from app.model import Kind

Fields = dict[str, str]
Facts = dict[str, Any]
Item = tuple[int, str, float | None, Facts | None]  # kind, name, value, facts
Reader = Callable[[Fields], Item]

# plain ints: the hot path makes one event a line, and an enum's member costs a look-up
LIFECYCLE, LOAD, VIEW, ACTION, ERROR = map(int, list(Kind)[:5])
LOG, VITAL, MEASUREMENT, RESOURCE, SPAN, OTHER = map(int, list(Kind)[5:11])

ITEMS: Final[dict[str, Reader]] = {}  # kind of the line → its reader
EVENTS: Final[dict[str, Reader]] = {}  # event_name → its reader
READS: Final[dict[str, Collection[str]]] = {}  # event_name → what its reader takes

_HUGE: Final = 1e15  # no measurement is; also keeps inf and nan out


def _item(kind: str) -> Callable[[Reader], Reader]:
    def register(reader: Reader) -> Reader:
        ITEMS[kind] = reader
        return reader

    return register


def _event(*names: str, reads: Iterable[str] = ()) -> Callable[[Reader], Reader]:
    def register(reader: Reader) -> Reader:
        for name in names:
            EVENTS[name] = reader
            if reads:
                READS[name] = frozenset(reads)
        return reader

    return register


def read(fields: Fields) -> Item:
    """Return what an item means, by the ``kind`` of its line.

    Raises:
        Unreadable: no Faro kind.
    """
    return read_by(reader_of(fields), fields)


def reader_of(fields: Fields) -> Reader:
    """Return what reads such an item; an event that is not the SDK's is the application's.

    Raises:
        Unreadable: no Faro kind.
    """
    kind = fields.get("kind", "")
    if kind == "event":
        return EVENTS.get(fields.get("event_name", ""), custom_event)
    if kind == "measurement":
        return VITALS.get(_vital_of(fields), measurement)
    reader = ITEMS.get(kind)
    if reader is None:
        raise Unreadable("unknown_kind" if "kind" in fields else "not_faro")
    return reader


def read_by(reader: Reader, fields: Fields) -> Item:
    """Return what an item means by its reader, its name bounded."""
    item = reader(fields)
    if len(item[1]) > MAX_NAME and item[0] != RESOURCE:
        return item[0], item[1][:MAX_NAME], item[2], item[3]
    return item


@_item("measurement")
def measurement(fields: Fields) -> Item:
    """Read the application's own measurement, all its values."""
    return MEASUREMENT, fields.get("type", ""), None, _measured(fields)


ELEMENTS: Final = (
    "context_element",
    "context_interaction_target",
    "context_largest_shift_target",
)
NAVIGATION: Final = "context_navigation_entry_id"


def _vital_of(fields: Fields) -> str:
    """Return which web vital a measurement is; "" when it is none."""
    if fields.get("type") == "web-vitals":
        for vital, precise in _VITALS:
            if fields.get(precise) or vital in fields:
                return vital
    return ""


def _vital(vital: str) -> Reader:
    """Return what reads this web vital."""
    precise = "value_" + vital

    def read_vital(fields: Fields) -> Item:
        # receivers before Alloy 1.2 write only the plain name
        raw = fields.get(precise) or fields[vital]
        return VITAL, vital, number(raw), _vital_facts(fields)

    return read_vital


_VITALS: Final = tuple(
    (vital, "value_" + vital) for vital in ("lcp", "inp", "cls", "ttfb", "fcp", "fid")
)
VITALS: Final = {vital: _vital(vital) for vital, _ in _VITALS}


def _vital_facts(fields: Fields) -> Facts:
    facts: Facts = {"nav": fields.get(NAVIGATION, "")[:MAX_NAME]}
    for key in ELEMENTS:
        element = fields.get(key)
        if element:
            facts["element"] = element[:MAX_ATTRIBUTE]
            break
    return facts


def _measured(fields: Fields) -> Facts:
    facts = _prefixed(fields, "value_") or {
        key[:MAX_NAME]: value[:MAX_ATTRIBUTE]
        for key, value in fields.items()
        if number(value) is not None
    }
    facts = dict(list(facts.items())[:MAX_ATTRIBUTES])
    return facts | _prefixed(fields, "context_") | _trace(fields)


@_item("exception")
def exception(fields: Fields) -> Item:
    """Read an exception; its fingerprint leaves out what differs between equal ones."""
    facts: Facts = _prefixed(fields, "context_", limit=8)
    facts["message"] = clean.redact_text(fields.get("value", ""))[:MAX_TEXT]
    stack = fields.get("stacktrace", "")
    if stack:
        facts["stack"] = clean.redact_text(stack)[:MAX_STACK]
    if fields.get("fatal") == "true":
        facts["fatal"] = True
    return ERROR, fields.get("type", "") or "Error", None, facts | _trace(fields)


@_item("log")
def log(fields: Fields) -> Item:
    """Read a log line of the application or its console; the name is its level."""
    facts: Facts = _prefixed(fields, "context_", limit=8)
    facts["message"] = clean.redact_text(fields.get("message", ""))[:MAX_TEXT]
    return LOG, fields.get("level", "info"), None, facts | _trace(fields)


@_event("session_start", "session_resume", "session_extend", reads=("event_name",))
def lifecycle(fields: Fields) -> Item:
    """Read what the SDK says of the session itself: start, resume or extend."""
    return LIFECYCLE, fields["event_name"][8:], None, None


_TIMINGS: Final = (
    ("event_data_responseStatus", "status"),
    ("event_data_ttfb", "ttfb"),
    ("event_data_transferSize", "bytes"),
    ("event_data_dnsLookupTime", "dns"),
    ("event_data_tcpHandshakeTime", "tcp"),
    ("event_data_tlsNegotiationTime", "tls"),
    ("event_data_responseTime", "response"),
    ("event_data_requestTime", "request"),
    ("event_data_pageLoadTime", "load"),
)
_KEYS = tuple(key for key, _ in _TIMINGS)
_REQUEST: Final = _TIMINGS[:7]  # a request took as long as its first byte


@_event(
    "faro.performance.navigation",
    reads=(
        *_KEYS, "event_data_duration", "event_data_faroNavigationId", "event_data_type"
    ),
)  # fmt: skip
def load(fields: Fields) -> Item:
    """Read the load of a document; the name is how: navigate, reload, back_forward."""
    facts = _timings(fields)
    facts["nav"] = fields.get("event_data_faroNavigationId", "")[:MAX_NAME]
    how = fields.get("event_data_type", "")
    return LOAD, how, number(fields.get("event_data_duration", "")), facts


@_event(
    "faro.performance.resource",
    reads=(
        *_KEYS, "event_data_duration", "event_data_initiatorType", "event_data_name"
    ),
)  # fmt: skip
def resource(fields: Fields) -> Item:
    """Read a request as the browser timed it; there is no method, and 0 is no status."""
    facts = _timings(fields, _REQUEST)
    kind = fields.get("event_data_initiatorType")
    if kind:
        facts["type"] = kind[:MAX_NAME]
    url = clean.redact_url(fields.get("event_data_name", ""))
    return RESOURCE, url, number(fields.get("event_data_duration", "")), facts


def _timings(fields: Fields, wanted: tuple[tuple[str, str], ...] = _TIMINGS) -> Facts:
    """Return those timings of *wanted* that are there and not 0."""
    facts: Facts = {}
    for key, name in wanted:
        value = fields.get(key)
        if value is not None and value != "0":
            try:
                facts[name] = int(value[:15])
            except ValueError:
                continue  # "unknown"
    return facts


@_event(
    "faro.tracing.fetch",
    "faro.tracing.xml-http-request",
    reads=(
        "traceID", "spanID", "event_data_duration_ns", "event_data_url.full",
        "event_data_http.url", "event_data_http.method", "event_data_http.status_code",
        "event_data_http.request.method", "event_data_http.response.status_code",
    ),
)  # fmt: skip
def span(fields: Fields) -> Item:
    """Read a request as the tracer saw it: it has a method and a trace."""
    get = fields.get
    facts: Facts = _trace(fields)
    method = get("event_data_http.request.method") or get("event_data_http.method")
    status = get("event_data_http.response.status_code") or get(
        "event_data_http.status_code"
    )
    if method:
        facts["method"] = method[:20]
    if status and status.isascii() and status.isdigit():
        facts["status"] = int(status[:9])
    url = clean.redact_url(get("event_data_url.full") or get("event_data_http.url", ""))
    nanoseconds = number(get("event_data_duration_ns", ""))
    return SPAN, url, None if nanoseconds is None else nanoseconds / 1e6, facts


@_event("faro.user.action")
def user_action(fields: Fields) -> Item:
    """Read what a user did on an element that has a name."""
    name = fields.get("event_data_userActionName", "")
    duration = number(fields.get("event_data_userActionDuration", ""))
    facts = _prefixed(fields, "event_data_")
    for known in _ACTION_FACTS:
        facts.pop(known, None)
    trigger = (
        fields.get("event_data_userActionTrigger")
        or fields.get("event_data_userActionEventType")
        or "unknown"
    )
    facts["trigger"] = trigger[:MAX_ATTRIBUTE]
    return ACTION, name, duration, facts


_ACTION_FACTS = (
    "userActionName", "userActionStartTime", "userActionEndTime", "userActionDuration",
    "userActionTrigger", "userActionEventType", "userActionImportance",
)  # fmt: skip


@_event(
    "view_changed",
    "route_change",
    "faro.navigation",
    reads=("event_data_toView", "event_data_toRoute"),
)
def view(fields: Fields) -> Item:
    """Read a change of view; the page itself is in the context."""
    get = fields.get
    name = get("event_data_toView") or get("event_data_toRoute") or ""
    return VIEW, name, None, None


@_event(
    "service_name_override",
    "securitypolicyviolation",
    "faro.session_recording.started",
)
def other(fields: Fields) -> Item:
    """Read what the SDK reports by itself and no user did."""
    return OTHER, fields["event_name"], None, _prefixed(fields, "event_data_")


def custom_event(fields: Fields) -> Item:
    """Read an event of the application: an action, with its attributes."""
    facts: Facts = _prefixed(fields, "event_data_")
    name = fields.get("event_name", "")
    if name.startswith("faro."):  # of an SDK that is newer than we are
        return OTHER, name, None, facts
    return ACTION, name, None, facts | _trace(fields)


def _prefixed(fields: Fields, prefix: str, limit: int = MAX_ATTRIBUTES) -> Facts:
    start = len(prefix)
    found = {
        key[start : start + MAX_NAME]: clean.redact_text(value)[:MAX_ATTRIBUTE]
        for key, value in fields.items()
        if key.startswith(prefix)
    }
    return dict(list(found.items())[:limit]) if len(found) > limit else found


def _trace(fields: Fields) -> Facts:
    trace = fields.get("traceID")
    if not trace:
        return {}
    return {"trace": trace[:64], "span": fields.get("spanID", "")[:32]}


def number(text: str) -> float | None:
    """Return the finite number that *text* is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -_HUGE < value < _HUGE else None
