"""Answer leaves of plans the slow and obvious way: over sessions in a list.

Shares no code with any engine, and is written from the definitions of the catalog.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.catalog.fields import find
from app.errors import BadRequest
from app.model import Session, Step
from app.sessionql.evaluate import Cell
from app.sessionql.plan import And, Compare, Filter, Leaf, Not, Or, Text, Window

MINUTE = 60_000
INACTIVITY = 15 * MINUTE
Facts = dict[str, Any]
VIEW_ONLY = {"dwell", "lcp", "inp", "cls", "ttfb", "fcp"}
SCOPES = {"view", "action", "error", "trace", "usage", "tag", "score"}
COUNTED = {"views": "view", "actions": "action", "errors": "error", "traces": "trace"}


@dataclass(frozen=True, slots=True)
class Known:
    """One session as the catalog's fields tell it."""

    facts: Facts
    events: dict[str, list[Facts]]  # scope → what each event says
    attributes: dict[str, str]
    users: set[str]
    minutes: tuple[int, ...]


def know(sessions: Iterable[Session], now: int) -> list[Known]:
    """Tell each session by the catalog's fields; *now* decides which are active."""
    first: dict[tuple[str, str], int] = {}
    sessions = list(sessions)
    for each in sessions:
        key = each.key.app, user_of(each)
        first[key] = min(first.get(key, each.start), each.start)
    return [_know(each, now, first[each.key.app, user_of(each)]) for each in sessions]


def user_of(session: Session) -> str:
    """Return what tells the last user from others."""
    context = session.context
    return context.user_id or context.user_email or context.user_name


def _know(session: Session, now: int, first: int) -> Known:
    context, user = session.context, user_of(session)
    strings = ("app", "environment", "version", "browser", "browser_version", "os")
    strings += ("device", "country", "language", "referrer", "previous")
    strings += ("city", "connection")
    views, bounced = session.view_count, session.view_count == 1
    facts: Facts = {name: getattr(context, name) for name in strings}
    facts |= {
        "id": session.key.id,
        "source": session.key.source,
        "entry": session.entry,
        "exit": session.exit,
        "status": session.status.name.lower(),
        "user": user,
        "user_name": context.user_email or context.user_name or context.user_id,
        "start": session.start,
        "end": session.end,
        "duration": session.end - session.start,
        "views": views,
        "actions": session.action_count,
        "errors": session.errors,
        "log_errors": session.log_errors,
        "failed_requests": session.failed_requests,
        "resources": session.resources,
        "events": session.events,
        "bounced": int(bounced) if views else None,
        "returning": int(first < session.start) if user else None,
        "active": int(session.end > now - INACTIVITY),
    }
    facts |= _told(session)
    timed = ("page", "dwell", "lcp", "inp", "cls", "ttfb", "fcp", "title")
    events = {
        "view": [{name: getattr(v, name) for name in timed} for v in session.views],
        "action": [{"action": a.name, "page": a.page} for a in session.actions],
        "error": [
            {
                "error": e.type,
                "message": e.message,
                "fingerprint": e.fingerprint,
                "page": e.page,
            }
            for e in session.error_list
        ],
        **_told_events(session),
    }
    users = {*session.users, user, facts["user_name"]} - {""}
    return Known(facts, events, dict(session.attributes), users, session.minutes)


def _told(session: Session) -> Facts:
    figures = session.figures
    told = ("frustrations", "crashes", "long_tasks", "traces", "observations")
    told += ("generations", "warnings", "tokens_in", "tokens_out", "tokens")
    told += ("trace_latency", "generation_time")
    facts: Facts = {name: getattr(figures, name) for name in told}
    return facts | {"cost": _usd(figures.cost), "has_replay": int(figures.has_replay)}


def _told_events(session: Session) -> dict[str, list[Facts]]:
    """Tell traces, what each model was used for, tags and scores."""
    traces = [
        {
            "trace": each.name,
            "trace_user": each.user,
            "latency": each.latency,
            "trace_cost": _usd(each.cost),
            "trace_tokens": each.tokens,
        }
        for each in session.traces
    ]
    steps = [step for trace in session.traces for step in trace.steps]
    models = {step.model for step in steps if step.model and step.is_counted}
    return {
        "trace": traces,
        "usage": [_usage(name, steps) for name in sorted(models)],
        "tag": [{"tag": each} for each in session.figures.tags],
        "score": [
            {
                "score": name,
                "score_value": None if isinstance(value, str) else float(value),
            }
            for name, value in session.figures.scores
        ],
    }


def _usage(model: str, steps: list[Step]) -> Facts:
    used = [step for step in steps if step.model == model and step.is_counted]
    calls = [step for step in used if step.type == "GENERATION"]
    return {
        "model": model,
        "model_calls": len(calls),
        "model_cost": _usd(sum(step.cost or 0 for step in used)),
        "model_tokens_in": sum(step.tokens_in for step in calls),
        "model_tokens_out": sum(step.tokens_out for step in calls),
        "model_tokens": sum(step.tokens for step in calls),
        "model_time": sum(step.duration or 0 for step in calls),
    }


def _usd(pico: int) -> float:
    """Return pico-USD in USD, with the nine decimals that are kept."""
    return math.floor(pico / 1_000 + 0.5) / 1e9


# -- filters -----------------------------------------------------------------------


def matches(part: Filter, known: Known, event: Facts | None = None) -> bool | None:
    """Return whether a session (and the event of it at hand) has *part*; None: unsaid."""
    if isinstance(part, Compare):
        return _compares(part, known, event)
    if isinstance(part, Text):
        return _mentions(part.text, known)
    if isinstance(part, Not):
        return not matches(part.part, known, event)
    found = [bool(matches(each, known, event)) for each in part.parts]
    assert isinstance(part, And | Or)
    return all(found) if isinstance(part, And) else any(found)


def _compares(part: Compare, known: Known, event: Facts | None) -> bool | None:
    field = find(part.field)
    assert field is not None
    name, is_text = field.name, field.type == "string"
    if field.scope == "attribute":
        return bool(holds(part, known.attributes.get(name, "")))
    if field.scope in known.events:
        if event is not None and name in event and (name != "page" or "lcp" in event):
            return holds(part, event[name], is_text=is_text)
        events = known.events[field.scope]
        return any(holds(part, each[name], is_text=is_text) for each in events)
    if name == "user":
        negated = part.op in {"!=", "!~"}
        asked = Compare(
            name, {"!=": "=", "!~": "=~"}.get(part.op, part.op), part.values
        )
        values = known.users or {""}
        if not known.facts["user"]:
            values = {*values, ""}
        return any(bool(holds(asked, each)) for each in values) is not negated
    return holds(part, known.facts[name], is_text=is_text)


def holds(part: Compare, value: Any, *, is_text: bool = True) -> bool | None:
    """Return whether one value has what is asked; None where nothing is said."""
    if not is_text and value is None:
        return None
    read = str if is_text else float
    asked = [read(each) for each in part.values]
    here = (value or "") if is_text else value
    if part.op in {"=", "!="}:
        return (here in asked) is (part.op == "=")
    if part.op in {"=~", "!~"}:
        return (re.fullmatch(asked[0], here, re.DOTALL) is not None) is (
            part.op == "=~"
        )
    if is_text and not here:
        return False
    order = {"<": here < asked[0], "<=": here <= asked[0]}
    order |= {">": here > asked[0], ">=": here >= asked[0]}
    return order[part.op]


def _mentions(text: str, known: Known) -> bool:
    pages = [each["page"] for each in known.events["view"]]
    names = [each["action"] for each in known.events["action"]]
    errors = [each[k] for each in known.events["error"] for k in ("error", "message")]
    told = [*pages, *names, *errors, *known.attributes.values(), *known.users]
    return known.facts["id"] == text or any(
        text.lower() in each.lower() for each in told if each
    )


# -- figures -----------------------------------------------------------------------

Item = tuple[Known, Facts | None]


class PlainStore:
    """Answers leaves over a list of sessions."""

    def __init__(self, sessions: list[Known]) -> None:
        self.sessions = sessions

    def take_notices(self) -> list[str]:
        """Nothing is to be known of what is counted by hand."""
        return []

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value."""
        scope = scope_of(leaf)
        groups: dict[tuple[tuple[str, ...], int], list[Item]] = defaultdict(list)
        for known in self.sessions:
            if leaf.function == "active":
                for key in _active_in(known, leaf, scope, window):
                    groups[key].append((known, None))
            elif window.start <= known.facts["start"] < window.end:
                bucket = _bucket(known.facts["start"], window)
                for labels, event in _rows(known, leaf, scope):
                    groups[labels, bucket].append((known, event))
        return [
            (labels, bucket, figure(leaf, items))
            for (labels, bucket), items in groups.items()
        ]


def scope_of(leaf: Leaf) -> str:
    """Return which events the leaf is about.

    Raises:
        BadRequest: about several kinds, which no row is.
    """
    fields = [find(name) for name in (*leaf.by, *filter(None, [leaf.field]))]
    scopes = {field.scope for field in fields if field} & SCOPES
    names = {field.name for field in fields if field}
    if scopes == {"view"} and "page" in names and leaf.field in {"errors", "actions"}:
        return COUNTED[leaf.field] if leaf.function == "sum" else "view"
    paged = scopes <= {"view", "action", "error"}
    if names & {"page"} and not names & VIEW_ONLY and len(scopes) == 2 and paged:
        scopes -= {"view"}  # the page of an action or an error
    if len(scopes) > 1:
        raise BadRequest("several")
    return scopes.pop() if scopes else ""


def _rows(
    known: Known, leaf: Leaf, scope: str
) -> list[tuple[tuple[str, ...], Facts | None]]:
    """List what a session gives to count: itself, its label sets, or its events."""
    if not scope:
        found = matches(leaf.selector, known)
        return [(_labels(known, leaf.by, None), None)] if found else []
    chosen = [e for e in known.events[scope] if matches(leaf.selector, known, e)]
    rows = [(_labels(known, leaf.by, event), event) for event in chosen]
    field = find(leaf.field)
    counts_events = (field is not None and field.scope == scope) or (
        leaf.function == "sum" and COUNTED.get(leaf.field) == scope
    )
    if counts_events:
        return [(labels, event) for labels, event in rows]
    return [(labels, None) for labels in dict.fromkeys(labels for labels, _ in rows)]


def _active_in(
    known: Known, leaf: Leaf, scope: str, window: Window
) -> set[tuple[tuple[str, ...], int]]:
    minutes = [m for m in known.minutes if window.start <= m * MINUTE < window.end]
    labels = {labels for labels, _ in _rows(known, leaf, scope)}
    return {(each, _bucket(m * MINUTE, window)) for each in labels for m in minutes}


def _bucket(at: int, window: Window) -> int:
    return at // window.step * window.step if window.step else window.start


def _labels(known: Known, by: tuple[str, ...], event: Facts | None) -> tuple[str, ...]:
    values = []
    for name in by:
        if event is not None and name in event:
            values.append(event[name])
        else:
            values.append(known.facts.get(name, known.attributes.get(name, "")))
    return tuple(value or "" for value in values)


def figure(leaf: Leaf, items: list[Item]) -> float | None:
    """Return the figure over *items*; None where nothing is said."""
    if leaf.function in {"count", "active"}:
        return len(items)
    if leaf.function == "share":
        said = [
            matches(leaf.where, known)
            for known, _ in items  # type: ignore[arg-type]
        ]
        values = [float(each) for each in said if each is not None]
        return math.fsum(values) / len(values) if values else None
    if leaf.function == "sum" and items[0][1] is not None and leaf.field in COUNTED:
        return len(items)
    told = [
        event[leaf.field] if event and leaf.field in event else known.facts[leaf.field]
        for known, event in items
    ]
    if leaf.function == "distinct":
        return len({value for value in told if value not in {None, ""}})
    return _of_numbers(leaf, sorted(value for value in told if value is not None))


def _of_numbers(leaf: Leaf, values: list[float]) -> float | None:
    if not values:
        return None
    if leaf.function == "quantile":
        rank = leaf.points[0] * (len(values) - 1)
        low, high = values[math.floor(rank)], values[math.ceil(rank)]
        return low + (high - low) * (rank - math.floor(rank))
    total = math.fsum(values)
    return {
        "sum": total, "avg": total / len(values), "min": values[0], "max": values[-1]
    }[leaf.function]  # fmt: skip
