"""Decode Langfuse's traces and observations, in the three ways in which they are logged.

As envelopes of its ingestion API (``{id, timestamp, type, body}``), as flat rows
(``{event: trace | observation, ...}``), and as spans of OpenTelemetry with attributes
of GenAI or of Langfuse. Most lines name a trace and no session, so events go to the
strand of their trace; which session that is, is found from all of its events.
"""

from typing import Any

from app.events import clean
from app.events.decoder import MAX_ATTRIBUTE, MAX_NAME, MAX_TEXT, decoder
from app.events.langfuse_usage import read_usage
from app.events.lines import (
    Fields,
    LineDecoder,
    Told,
    any_text,
    attributes,
    instant,
    key_of,
    number,
    read_object,
    section,
    text,
)
from app.events.otel_spans import is_span, read_span
from app.events.unreadable import Unreadable
from app.model import Context, Kind, Labels

Facts = dict[str, Any]
MAX_TAGS = 32
_UNKNOWN_SERVICE = frozenset({"", "unknown_service"})


@decoder("langfuse")
class LangfuseDecoder(LineDecoder):
    """Decodes the lines of one source."""

    shape = "langfuse"

    def read(self, line: str, received: int, labels: Labels) -> Told:
        """Return what *line* says.

        Raises:
            Unreadable: no JSON object, nothing of Langfuse, no trace.
        """
        fields = _fields(line, labels)
        if is_span(fields, labels):
            return read_span(fields, labels, received, app_of(labels, fields))
        if isinstance(fields.get("body"), dict) or text(fields.get("type")).endswith(
            ("-create", "-update", "-log")
        ):
            return _read_envelope(fields, labels, line)
        if text(fields.get("event")) in _FLAT:
            return _read_flat(fields, labels, line)
        raise Unreadable("not_langfuse")


def _fields(line: str, labels: Labels) -> dict[str, Any]:
    """Return the object of *line*; a log record may say all in its metadata."""
    try:
        return read_object(line)
    except Unreadable:
        if is_span({}, labels):
            return {}
        raise


def app_of(labels: Labels, fields: Fields) -> str:
    """Return the application: the service, by its label, else as the span says."""
    named = labels.get("service_name", "")
    if named in _UNKNOWN_SERVICE:
        resource = section(fields, "resource")
        own = resource.get("service.name") or section(resource, "attributes").get(
            "service.name"
        )
        return text(own) or labels.get("job", "") or named
    return named


# -- envelopes -----------------------------------------------------------------------

_TYPES = {"trace": "TRACE", "score": "SCORE", "observation": "", "session": "SESSION"}


def _read_envelope(fields: Fields, labels: Labels, line: str) -> Told:
    said = text(fields.get("type"))
    what, _, how = said.rpartition("-")
    if how not in {"create", "update"} or not what:
        raise Unreadable("sdk_log" if said == "sdk-log" else "unknown_type")
    body = section(fields, "body")
    # An update is later than the creation of the same millisecond.
    version = _version(fields.get("timestamp")) + (0.0005 if how == "update" else 0)
    own = text(fields.get("id"))
    key = key_of("envelope", own) if own else key_of(line)
    at = instant(fields.get("timestamp"))
    if what == "score":
        return _score(body, labels, key, at, version)
    if what == "trace":
        return _trace(_Trace(body, _ENVELOPE), labels, key, at, version)
    kind = _TYPES.get(what, what.upper())
    return _observation(_Trace(body, _ENVELOPE), labels, key, at, version, kind)


_ENVELOPE = {
    "trace": "traceId", "session": "sessionId", "user": "userId",
    "parent": "parentObservationId", "start": "startTime", "end": "endTime",
    "first": "completionStartTime", "message": "statusMessage",
}  # fmt: skip
_ROW = {
    "trace": "trace_id", "session": "session_id", "user": "user_id",
    "parent": "parent_observation_id", "start": "start_time", "end": "end_time",
    "first": "completion_start_time", "message": "status_message",
}  # fmt: skip


class _Trace:
    """The fields of a trace or an observation, under the names of its dialect."""

    __slots__ = ("_names", "fields")

    def __init__(self, fields: Fields, names: dict[str, str]) -> None:
        self.fields = fields
        self._names = names

    def get(self, name: str) -> Any:
        """Return a field by its common name."""
        return self.fields.get(self._names.get(name, name))


def _version(value: Any) -> float:
    """Return an instant in ms with its fraction: updates may share a millisecond."""
    at = float(instant(value))
    if isinstance(value, str):
        fraction = value.partition(".")[2][3:6]
        if fraction.isascii() and fraction.isdigit():
            at += int(fraction.ljust(3, "0")) / 1000
    return at


# -- flat rows -----------------------------------------------------------------------

_FLAT = frozenset({"trace", "observation", "score"})


def _read_flat(fields: Fields, labels: Labels, line: str) -> Told:
    what = text(fields.get("event"))
    # Told again with more in it, a row is another version of the same thing.
    key = key_of("row", line)
    version = _version(fields.get("updated_at"))
    if what == "score":
        return _score(fields, labels, key, instant(fields.get("timestamp")), version)
    row = _Trace(fields, _ROW)
    if what == "observation":
        kind = text(fields.get("type")) or "SPAN"
        return _observation(row, labels, key, 0, version, kind)
    return _trace(row, labels, key, 0, version)


# -- what both say -------------------------------------------------------------------


def _trace(row: _Trace, labels: Labels, key: int, at: int, version: float) -> Told:
    get = row.get
    trace = trace_id(row.fields.get("id") or get("trace"))
    usage = read_usage(row.fields)
    facts: Facts = {
        "id": trace,
        "version": version,
        "trace": trace,
        "session": clean.session_id(text(get("session"), MAX_TEXT)) or None,
        "user": text(get("user")) or None,
        "name": text(get("name")) or None,
        "tags": tags_of(get("tags")) or None,
        "latency": number(get("latency_ms")),
        "level": text(get("level"), 20).upper() or None,
        "at": instant(get("timestamp")) or None,
    } | usage
    told_at = facts["at"] or at
    context = _context(row, labels, is_trace=True)
    return _told(Kind.TRACE, labels, row, key, told_at, context, facts)


def _observation(
    row: _Trace, labels: Labels, key: int, at: int, version: float, kind: str
) -> Told:
    get = row.get
    own = text(get("id"), 64)
    if not own:
        raise Unreadable("no_id")
    start, end = instant(get("start")), instant(get("end"))
    spent = number(row.fields.get("latency_ms"))
    if start and not end and spent is not None:
        end = int(start + spent)
    facts: Facts = {
        "id": own,
        "version": version,
        "trace": trace_id(get("trace")),
        "session": clean.session_id(text(get("session"), MAX_TEXT)) or None,
        "user": text(get("user")) or None,
        "parent": text(get("parent"), 64) or None,
        "type": (text(get("type"), 40).upper() or kind) or None,
        "name": text(get("name")) or None,
        "start": start or None,
        "end": end or None,
        "first": instant(get("first")) or None,
        "level": text(get("level"), 20).upper() or None,
        "message": clean.redact_text(any_text(get("message"), MAX_TEXT)) or None,
        "model": text(get("model")) or None,
    } | read_usage(row.fields)
    context = _context(row, labels, is_trace=False)
    return _told(Kind.OBSERVATION, labels, row, key, start or at, context, facts)


def _score(fields: Fields, labels: Labels, key: int, at: int, version: float) -> Told:
    row = _Trace(
        fields, _ENVELOPE if "traceId" in fields or "sessionId" in fields else _ROW
    )
    session_id = clean.session_id(text(row.get("session"), MAX_TEXT))
    trace = text(row.get("trace"), 64).strip()
    if not trace and not session_id:
        raise Unreadable("no_trace")
    value = row.get("value")
    given = value if isinstance(value, str) else number(value)
    facts: Facts = {
        "id": text(fields.get("id")) or str(key),
        "version": version,
        "trace": trace or f"session:{session_id}",
        "session": session_id or None,
        "name": text(fields.get("name")),
        "score": given[:MAX_ATTRIBUTE] if isinstance(given, str) else given,
    }
    return _told(Kind.SCORE, labels, row, key, at, _context(row, labels), facts)


def _told(
    kind: Kind,
    labels: Labels,
    row: _Trace,
    key: int,
    at: int,
    context: Context,
    facts: Facts,
) -> Told:
    said = {name: value for name, value in facts.items() if value is not None}
    name = said.get("name", "")
    return Told(
        app_of(labels, row.fields), said["trace"], key, at, int(kind), context, name,
        None, said, "strands",
    )  # fmt: skip


def _context(row: _Trace, labels: Labels, *, is_trace: bool = False) -> Context:
    get = row.get
    release = text(get("release")) or text(get("version"))
    metadata = get("metadata") if is_trace else None
    found = metadata if isinstance(metadata, dict) else {}
    return Context(
        app=app_of(labels, row.fields),
        environment=text(get("environment")) or labels.get("env", ""),
        version=release if is_trace else "",
        user_id=text(get("user")) if is_trace else "",
        attributes=attributes(found, "session.", depth=2),
    )


def trace_id(value: Any) -> str:
    """Return the id of a trace.

    Raises:
        Unreadable: it is none.
    """
    found = text(value, MAX_NAME).strip()
    if not found:
        raise Unreadable("no_trace")
    return found


def tags_of(value: Any) -> list[str]:
    """Return tags, of a list or of a text with commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return []
    return [tag for tag in (text(each).strip() for each in value[:MAX_TAGS]) if tag]
