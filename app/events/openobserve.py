"""Decode OpenObserve's RUM events, nested as the SDK sends them or flat as exported.

``date`` is when it happened, in ms; every duration is in ns. A view is told of many
times, each time with a higher ``document_version``. The SDK says nothing of browser,
system and place: what no hop on the way has added stays empty.
Sources: openobserve src/api/ingest/src/request/rum, @openobserve/browser-rum-core.
"""

from collections.abc import Callable
from typing import Any

from app.events import clean
from app.events.decoder import (
    MAX_ATTRIBUTE,
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_STACK,
    MAX_TEXT,
    decoder,
)
from app.events.lines import (
    LineDecoder,
    Told,
    any_text,
    instant,
    key_of,
    number,
    read_object,
    text,
)
from app.events.openobserve_context import read_context, tags_of
from app.events.openobserve_record import Record
from app.events.unreadable import Unreadable
from app.model import Kind, Labels

NS = 1_000_000  # in a millisecond
Facts = dict[str, Any]
Item = tuple[str, float | None, Facts]  # name, value, facts


@decoder("openobserve")
class OpenObserveDecoder(LineDecoder):
    """Decodes the lines of one source."""

    shape = "openobserve"

    def read(self, line: str, _received: int, labels: Labels) -> Told:
        """Return what *line* says.

        Raises:
            Unreadable: no JSON object, nothing of RUM, no session.
        """
        record = Record(read_object(line))
        kind, reader = _kind(record)
        session_id = clean.session_id(text(record.get("session.id"), MAX_TEXT))
        if not session_id:
            raise Unreadable("no_session")
        tags = tags_of(record)
        application = text(record.get("application.id"))
        context = read_context(record, labels, tags)
        app = clean.session_id(application) or context.app
        name, value, facts = reader(record)
        if text(record.get("session.has_replay")) == "true":
            facts["replay"] = True
        at = instant(record.get("start" if kind is Kind.REPLAY else "date"))
        key = _key(record, kind, facts, at, line)
        return Told(
            app, session_id, key, at, int(kind), context, name[:MAX_NAME], value,
            facts or None,
        )  # fmt: skip


def _kind(record: Record) -> tuple[Kind, Callable[[Record], Item]]:
    """Tell what a line is: most say so, logs and segments of replays do not.

    Raises:
        Unreadable: it is no line of RUM.
    """
    said = text(record.get("type"))
    if said in _READERS:
        return _READERS[said]
    if record.get("start") is not None and record.get("records_count") is not None:
        return Kind.REPLAY, _segment
    if record.get("status") is not None and record.get("message") is not None:
        return Kind.LOG, _log
    if record.get("application.id") is None or record.get("date") is None:
        raise Unreadable("not_openobserve")
    if not said:
        raise Unreadable("no_type")
    return Kind.OTHER, _other


def _key(record: Record, kind: Kind, facts: Facts, at: int, line: str) -> int:
    """Return the key that the format itself gives an event, else that of its line."""
    if kind is Kind.VISIT:
        delta = record.get("type") == "view_update"
        return key_of("view", facts["id"], facts["version"], delta)
    if kind is Kind.LOG:
        return key_of("log", at, facts["message"])
    if kind is Kind.REPLAY:
        return key_of("replay", facts["id"], at)
    own = text(record.get(f"{record.get('type')}.id"))
    return key_of(record.get("type"), own) if own else key_of(line)


def _ms(value: Any) -> float | None:
    nanoseconds = number(value)
    return None if nanoseconds is None else nanoseconds / NS


# -- one reader a type -------------------------------------------------------------


def _view(record: Record) -> Item:
    get = record.get
    lcp = get("view.largest_contentful_paint")
    inp = get("view.interaction_to_next_paint")
    cls = get("view.cumulative_layout_shift")
    fcp = get("view.first_contentful_paint")
    facts: Facts = {
        "id": text(get("view.id")) or text(get("date")),
        "version": number(record.own("document_version")) or 0,
        "loading": text(get("view.loading_type")) or None,
        "lcp": _ms(lcp if lcp is not None else get("view.performance.lcp.timestamp")),
        "inp": _ms(inp if inp is not None else get("view.performance.inp.duration")),
        "cls": number(cls if cls is not None else get("view.performance.cls.score")),
        "fcp": _ms(fcp if fcp is not None else get("view.performance.fcp.timestamp")),
        "ttfb": _ms(get("view.first_byte")),
        "load": _ms(get("view.loading_time")),
        "dom_interactive": _ms(get("view.dom_interactive")),
        "dom_complete": _ms(get("view.dom_complete")),
        "load_event": _ms(get("view.load_event")),
    }
    said = {name: value for name, value in facts.items() if value is not None}
    return text(get("view.name")), _ms(get("view.time_spent")), said


def _action(record: Record) -> Item:
    get = record.get
    how = text(get("action.type"))
    facts: Facts = {"type": how, "view": text(get("view.id"))}
    frustration = [text(each) for each in record.listed("action.frustration.type")]
    if frustration:
        facts["frustration"] = frustration[:8]
    facts |= _said_of(record)
    return (
        text(get("action.target.name")) or how,
        _ms(get("action.loading_time")),
        facts,
    )


def _error(record: Record) -> Item:
    get = record.get
    message = clean.redact_text(any_text(get("error.message"), MAX_TEXT))
    facts: Facts = {"message": message, "view": text(get("view.id"))}
    stack = text(get("error.stack") or get("error.handling_stack"), MAX_STACK)
    if stack:
        facts["stack"] = clean.redact_text(stack)
    for name in ("source", "handling", "fingerprint", "category"):
        said = text(get(f"error.{name}"))
        if said:
            facts[name] = said
    if text(get("error.is_crash")) == "true":
        facts["fatal"] = True
    return text(get("error.type")) or "Error", None, facts


_PHASES = (
    ("dns", "dns"),
    ("tcp", "connect"),
    ("tls", "ssl"),
    ("ttfb", "first_byte"),
    ("response", "download"),
)


def _resource(record: Record) -> Item:
    get = record.get
    facts: Facts = {"view": text(get("view.id"))}
    for name, path in (("status", "status_code"), ("bytes", "size")):
        said = number(get(f"resource.{path}"))
        if said:
            facts[name] = int(said)
    for name in ("method", "type", "protocol"):
        told = text(get(f"resource.{name}"), 20)
        if told:
            facts[name] = told
    trace = text(record.own("trace_id"), 64)
    if trace:
        facts |= {"trace": trace, "span": text(record.own("span_id"), 32)}
    for name, phase in _PHASES:
        spent = _ms(get(f"resource.{phase}.duration"))
        if spent:
            facts[name] = spent
    url = clean.redact_url(text(get("resource.url"), MAX_STACK))
    return url, _ms(get("resource.duration")), facts


def _long_task(record: Record) -> Item:
    blocking = _ms(record.get("long_task.blocking_duration"))
    facts = {"view": text(record.get("view.id"))} | (
        {} if blocking is None else {"blocking": blocking}
    )
    name = text(record.get("long_task.entry_type"))
    return name, _ms(record.get("long_task.duration")), facts


def _vital(record: Record) -> Item:
    facts: Facts = {"type": text(record.get("vital.type"))} | _said_of(record)
    return text(record.get("vital.name")), _ms(record.get("vital.duration")), facts


def _log(record: Record) -> Item:
    message = clean.redact_text(any_text(record.get("message"), MAX_TEXT))
    facts: Facts = {"message": message}
    stack = text(record.get("error.stack"), MAX_STACK)
    if stack:
        facts["stack"] = clean.redact_text(stack)
    return text(record.get("status")), None, facts


def _segment(record: Record) -> Item:
    facts: Facts = {
        "id": text(record.get("view.id")),
        "until": instant(record.get("end")) or instant(record.get("start")),
        "records": int(number(record.get("records_count")) or 0),
    }
    return text(record.get("creation_reason")), None, facts


def _other(record: Record) -> Item:
    return text(record.get("type")), None, {}


def _said_of(record: Record) -> Facts:
    """Return what the application itself says with an event."""
    found = [
        (name, any_text(value, MAX_ATTRIBUTE))
        for name, value in record.below("context")
    ]
    return {name: said for name, said in found[:MAX_ATTRIBUTES] if said}


_READERS: dict[str, tuple[Kind, Callable[[Record], Item]]] = {
    "view": (Kind.VISIT, _view),
    "view_update": (Kind.VISIT, _view),
    "action": (Kind.ACTION, _action),
    "error": (Kind.ERROR, _error),
    "resource": (Kind.RESOURCE, _resource),
    "long_task": (Kind.LONG_TASK, _long_task),
    "vital": (Kind.MEASUREMENT, _vital),
}
