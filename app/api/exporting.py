"""Write what is held of one person: a line of JSON a session, with all of its events."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import orjson

from app.api.details import Detail
from app.model import Context, Event, Kind
from app.sessions.timeline import Moment
from app.store.privacy_seam import Exported

Row = dict[str, Any]

_EVERYTHING = 1 << 31  # rows of a list
_KINDS = {int(kind): kind.name.lower() for kind in Kind}


def lines_of(found: Iterable[Exported]) -> Iterator[bytes]:
    """Yield NDJSON: one session a line, its detail and its events."""
    for each in found:
        yield orjson.dumps(_row(each), option=orjson.OPT_APPEND_NEWLINE)


def _row(exported: Exported) -> Row:
    page = Detail(exported.whole, {}, (None, None), _EVERYTHING).page()
    del page["neighbours"]
    keys = {event.context for _, event in exported.events}
    return page | {
        "is_orphan": exported.is_orphan,
        "events_of_others": exported.others,
        "events": [_event(each) for each in exported.events],
        "contexts": {str(key): _context(exported.contexts[key]) for key in keys},
    }


def _event(moment: Moment) -> Row:
    at, event = moment
    return {
        "time": at,
        "received": event.received // 1000,
        "kind": _kind(event),
        "name": event.name,
        "value": event.value,
        "facts": event.facts or {},
        "context": str(event.context),
    }


def _kind(event: Event) -> str:
    return _KINDS.get(event.kind, "other")


def _context(context: Context) -> Row:
    """Return what it says; what it does not say is left out."""
    said = msgspec.structs.asdict(context)
    return {name: value for name, value in said.items() if value}
