"""Lay one session out for its page: as a whole, and part by part as flat rows."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from app.api.measures import describe_vitals, list_loads
from app.api.portraits import (
    device_of,
    figures_of,
    overview_of,
    text_of,
    user_of,
)
from app.api.written import write_figure, write_time
from app.catalog.fields import find
from app.events.decoder import MAX_NAME
from app.events.money import usd
from app.model import Error, Kind
from app.sessions.requests import TIMINGS, Request, list_requests
from app.store.insight_seam import Whole

Row = dict[str, Any]
Facts = dict[tuple[str, str], deque[Mapping[str, Any]]]

MAX_OCCURRENCES = 20  # listed of one group of errors
_ERROR = int(Kind.ERROR)
_LABELS = {
    "skew": "Clock skew, ms",
    "clamped": "Times replaced by the receipt",
    "is_cut": "Cut to the first events",
}


def _written(name: str, value: Any) -> tuple[str, str]:
    """Write the value of a field of the catalog under its label."""
    field = find(name)
    if field is None:  # of what is as it should be there is nothing to say
        is_said = value or name not in _LABELS
        return _LABELS.get(name, name), text_of(value) if is_said else ""
    if field.type == "time" and value is not None:
        return field.label, write_time(value)
    if field.type == "number" and value is not None:
        return field.label, write_figure(float(value), field.unit)
    return field.label, text_of(value)


class Detail:
    """Lays out one session; every list has at most *limit* rows, and says of how many.

    Args:
        whole: the session and its events.
        listed: its row in the list of sessions, by the catalog's names.
        beside: the sessions before and after it.
        limit: rows of each list.
    """

    def __init__(
        self,
        whole: Whole,
        listed: Mapping[str, Any],
        beside: tuple[Row | None, Row | None],
        limit: int,
    ) -> None:
        self._whole, self._session = whole, whole.session
        self._listed, self._beside, self._limit = listed, beside, limit
        self._requests = list_requests(whole.moments, whole.contexts)
        self._cut: dict[str, Row] = {}

    def page(self) -> Row:
        """Lay out everything."""
        session = self._session
        return {
            "id": session.key.id,
            "app": session.key.app,
            "source": session.key.source,
            "overview": self.overview()[0],
            "user": user_of(session),
            "device": device_of(session),
            "network": {"connection": session.context.connection},
            "geography": {
                "country": session.context.country,
                "city": session.context.city,
                "language": session.context.language,
            },
            "attributes": dict(session.attributes),
            "figures": figures_of(session),
            "traces": self.traces(),
            "vitals": self.vitals(),
            "performance": self.performance(),
            "views": self.views(),
            "actions": self.actions(),
            "errors": self.errors(),
            "requests": self.requests(),
            "resources": self.resources(),
            "resource_types": self.resource_types(),
            "neighbours": dict(zip(("previous", "next"), self._beside, strict=True)),
            "cut": self._cut,
        }

    def part(self, name: str) -> tuple[list[Row], dict[str, Row]]:
        """Lay out one of ``PARTS`` as flat rows, and say what of it was cut."""
        return PARTS[name](self), self._cut

    def _bounded(self, name: str, rows: Sequence[Any], count: int) -> Sequence[Any]:
        """Keep the first rows, and remember that there were more."""
        shown = rows[: self._limit]
        if len(shown) < count:
            self._cut[name] = {"shown": len(shown), "of": count}
        return shown

    # -- parts ---------------------------------------------------------------------

    def overview(self) -> list[Row]:
        """Lay out what the list says of it, and more."""
        return [overview_of(self._session) | dict(self._listed)]

    def facts(self) -> list[Row]:
        """Lay out everything that is known and one value, once, as text for people."""
        session = self._session
        sections: dict[str, Mapping[str, Any]] = {
            "overview": self.overview()[0],
            "user": user_of(session),
            "device": device_of(session),
            "network": {"connection": session.context.connection},
            "geography": {
                "country": session.context.country,
                "city": session.context.city,
            },
            "figures": figures_of(session),
            "attributes": dict(session.attributes),
        }
        found: dict[tuple[str, str], Row] = {}
        for section, values in sections.items():
            is_listed = section in {"overview", "figures"}  # by the catalog's names
            for name, value in values.items():
                label, text = _written(name, value) if is_listed else (name, text_of(value))  # fmt: skip
                if text:
                    row = {"section": section, "name": label, "value": text}
                    found.setdefault((name, text), row)
        return list(found.values())

    def views(self) -> list[Row]:
        """List the views with dwell and web vitals."""
        session = self._session
        kept = self._bounded("views", session.views, session.view_count)
        return [
            {"number": number, **msgspec.structs.asdict(view)}
            for number, view in enumerate(kept, 1)
        ]

    def actions(self) -> list[Row]:
        """List what the user did."""
        session = self._session
        kept = self._bounded("actions", session.actions, session.action_count)
        return [msgspec.structs.asdict(action) for action in kept]

    def errors(self) -> list[Row]:
        """List errors, equal ones together, with the stack of the first."""
        session = self._session
        told = _facts_of_errors(self._whole)
        groups: dict[str, list[tuple[Error, Mapping[str, Any]]]] = {}
        for error in session.error_list:
            waiting = told.get((error.type, error.message))
            facts = waiting.popleft() if waiting else {}
            groups.setdefault(error.fingerprint, []).append((error, facts))
        if len(session.error_list) < session.errors:
            listed = len(session.error_list)
            self._cut["occurrences"] = {"shown": listed, "of": session.errors}
        kept = self._bounded("errors", list(groups.items()), len(groups))
        return [_group(fingerprint, found) for fingerprint, found in kept]

    def requests(self) -> list[Row]:
        """List requests of the application, as browser and tracer saw them."""
        return self._listing("requests", [r for r in self._requests if r.is_call])

    def resources(self) -> list[Row]:
        """List files of the pages."""
        return self._listing("resources", [r for r in self._requests if not r.is_call])

    def _listing(self, name: str, found: list[Request]) -> list[Row]:
        return [_request(each) for each in self._bounded(name, found, len(found))]

    def resource_types(self) -> list[Row]:
        """Sum all requests up by type."""
        return _by_type(self._requests)

    def traces(self) -> list[Row]:
        """List traces with their cost, USD; their steps are in the tree."""
        traces = self._session.traces
        return [
            {
                **msgspec.structs.asdict(trace),
                "cost": usd(trace.cost),
                "steps": len(trace.steps),
            }
            for trace in self._bounded("traces", traces, len(traces))
        ]

    def vitals(self) -> list[Row]:
        """List web vitals with their rating."""
        return describe_vitals(self._session, self._whole.moments)

    def performance(self) -> list[Row]:
        """List loads of documents with their timings."""
        loads = list_loads(self._whole.moments, self._whole.contexts)
        return list(self._bounded("performance", loads, len(loads)))

    def attributes(self) -> list[Row]:
        """List custom attributes."""
        return [
            {"name": name, "value": each} for name, each in self._session.attributes
        ]

    def neighbours(self) -> list[Row]:
        """List the sessions before and after it."""
        pairs = zip(("previous", "next"), self._beside, strict=True)
        return [{"which": which, **row} for which, row in pairs if row]


PARTS: dict[str, Callable[[Detail], list[Row]]] = {
    "overview": Detail.overview,
    "facts": Detail.facts,
    "views": Detail.views,
    "actions": Detail.actions,
    "errors": lambda detail: [
        {name: value for name, value in row.items() if name != "occurrences"}
        for row in detail.errors()
    ],
    "requests": Detail.requests,
    "resources": Detail.resources,
    "resource_types": Detail.resource_types,
    "traces": Detail.traces,
    "vitals": Detail.vitals,
    "performance": Detail.performance,
    "attributes": Detail.attributes,
    "neighbours": Detail.neighbours,
}


def _facts_of_errors(whole: Whole) -> Facts:
    """Return what the events of errors say, by type and message, in order.

    Not every error of a session has an event of its own: a step of a trace may fail.
    """
    found: Facts = defaultdict(deque)
    for _, event in whole.moments:
        if event.kind == _ERROR:
            facts = event.facts or {}
            message = str(facts.get("message", ""))[:MAX_NAME]
            found[event.name, message].append(facts)
    return found


def _group(fingerprint: str, found: Sequence[tuple[Error, Mapping[str, Any]]]) -> Row:
    first, last = found[0][0], found[-1][0]
    stack = next((facts["stack"] for _, facts in found if facts.get("stack")), "")
    return {
        "fingerprint": fingerprint,
        "type": first.type,
        "message": first.message,
        "page": first.page,
        "count": len(found),
        "first": first.at,
        "last": last.at,
        "fatal": any(facts.get("fatal") for _, facts in found),
        "stack": str(stack),
        "occurrences": [
            {"at": error.at, "page": error.page, "trace": str(facts.get("trace", ""))}
            for error, facts in found[:MAX_OCCURRENCES]
        ],
    }


def _request(request: Request) -> Row:
    row = msgspec.structs.asdict(request)
    timings = row.pop("timings")
    del row["key"], row["is_call"]
    return row | {name: timings.get(name) for name in TIMINGS}


def _by_type(requests: Iterable[Request]) -> list[Row]:
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    size: Counter[str] = Counter()
    took: Counter[str] = Counter()
    for each in requests:
        kind = each.type or "other"
        counts[kind] += 1
        failed[kind] += each.is_failed
        size[kind] += each.bytes or 0
        took[kind] += round(each.duration or 0)
    return [
        {
            "type": kind,
            "count": count,
            "failed": failed[kind],
            "bytes": size[kind],
            "duration": took[kind],
        }
        for kind, count in counts.most_common(100)
    ]
