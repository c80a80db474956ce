"""Lay the events of one session out in order: for people, for tables, as log lines."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import BadRequest
from app.model import Context, Event, Kind
from app.sessions.timeline import Moment
from app.store.cursors import decode_cursor, encode_cursor

Row = dict[str, Any]

KINDS = {kind.name.lower(): int(kind) for kind in Kind}
_NAMES = {int(kind): kind.name.lower() for kind in Kind}
_MASK = (1 << 64) - 1
_LEVELS = {  # what sources and SDKs write → Grafana's word
    "fatal": "critical", "critical": "critical", "error": "error", "warn": "warning",
    "warning": "warning", "debug": "debug", "trace": "trace",
}  # fmt: skip
_FAILED, _BROKEN = 400, 500  # statuses from which on a request failed, or its server
_SHOWN = 500  # characters of one fact in a line of text


def read_kinds(names: Sequence[str]) -> frozenset[int]:
    """Read kinds of events; none named means all.

    Raises:
        BadRequest: there is no such kind.
    """
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        known = ", ".join(KINDS)
        raise BadRequest(f"no kind {unknown[0][:60]!r}: known are {known}")
    return frozenset(KINDS[name] for name in names)


def page_of(
    moments: Sequence[Moment], cursor: str, limit: int, *, descending: bool
) -> tuple[Sequence[Moment], str | None]:
    """Take one page of *moments*, which ascend, and say where the next begins.

    The order is that of time, then of receipt, and total: nothing is shown twice,
    whatever arrives between two questions.

    Raises:
        BadRequest: the cursor is none of ours.
    """
    ordered = sorted(moments, key=_order)
    keys = list(map(_order, ordered))
    first, last = 0, len(ordered)
    if cursor:
        after = _read_cursor(cursor)
        if descending:
            last = bisect_left(keys, after)
        else:
            first = bisect_right(keys, after)
    first, last = (
        (max(0, last - limit), last)
        if descending
        else (first, min(last, first + limit))
    )
    page = ordered[first:last]
    is_more = first > 0 if descending else last < len(ordered)
    if descending:
        page.reverse()
    if not page or not is_more:
        return page, None
    at, event = page[-1]
    return page, encode_cursor([at, event.received, f"{event.key:x}"])


def _read_cursor(cursor: str) -> tuple[int, int, int]:
    """Read a cursor; its key has 64 bits, and JSON's numbers have fewer."""
    at, received, key = decode_cursor(cursor, int, int, str)
    try:
        return at, received, int(key[:20], 16)
    except ValueError:
        raise BadRequest("this is no cursor of ours; start again without one") from None


def _order(moment: Moment) -> tuple[int, int, int]:
    return moment[0], moment[1].received, moment[1].key


def event_row(moment: Moment, contexts: Mapping[int, Context], start: int) -> Row:
    """Lay out one event as a flat row; all rows have the same keys."""
    at, event = moment
    facts, context = event.facts or {}, contexts[event.context]
    status = facts.get("status")
    return {
        "time": at,
        "offset": at - start,
        "kind": _NAMES.get(event.kind, "other"),
        "name": event.name,
        "level": level_of(event),
        "page": context.page or context.view,
        "value": event.value,
        "status": status if isinstance(status, int) else None,
        "message": str(facts.get("message", "")),
        "trace": str(facts.get("trace", "")),
        "span": str(facts.get("span", "")),
        "id": f"{event.key & _MASK:016x}",
    }


def log_row(moment: Moment, contexts: Mapping[int, Context]) -> Row:
    """Lay out one event as Grafana's logs panel wants it."""
    at, event = moment
    level = level_of(event)
    context = contexts[event.context]
    return {
        "timestamp": at,
        "body": line_of(event, context),
        "severity": level,
        "level": level,
        "id": f"{event.key & _MASK:016x}",
        "kind": _NAMES.get(event.kind, "other"),
        "page": context.page or context.view,
    }


def level_of(event: Event) -> str:
    """Return how bad an event is, in Grafana's words."""
    facts = event.facts or {}
    said = str(facts.get("level", "")).lower()
    if event.kind == Kind.ERROR:
        return "critical" if facts.get("fatal") else "error"
    if event.kind == Kind.LOG:
        return _LEVELS.get(event.name.lower(), "info")
    status = facts.get("status")
    if isinstance(status, int) and status >= _FAILED:
        return "error" if status >= _BROKEN else "warning"
    return _LEVELS.get(said, "info")


def line_of(event: Event, context: Context) -> str:
    """Write an event as one line of text."""
    facts = event.facts or {}
    kind = _NAMES.get(event.kind, "other")
    words = [f"{kind}:" if event.kind == Kind.LOG else kind]
    if event.kind != Kind.LOG and event.name:
        words.append(event.name)
    message = facts.get("message")
    if message:
        words.append(str(message)[:_SHOWN])
    if event.value is not None:
        words.append(f"value={event.value:g}")
    words += [
        f"{name}={str(value)[:_SHOWN]}"
        for name, value in facts.items()
        if name not in _NOT_TOLD and not isinstance(value, (dict, list))
    ]
    place = context.page or context.view
    return " ".join([*words, f"page={place}"] if place else words)


_NOT_TOLD = frozenset({"message", "stack", "nav", "span"})
