"""List users, errors, pages, ways, and parts of one session for the JSON data source."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.api.details import PARTS, Detail
from app.api.flows import lay_flow
from app.api.journeys import PLACES
from app.api.one_session import find_whole, span_row
from app.api.parameters import decode_list
from app.api.payloads import Payload, read_count
from app.api.people import SORTABLE as BY_USER
from app.api.problems import SORTABLE as BY_ERROR
from app.api.questions import nearest, single
from app.api.timelines import log_row
from app.catalog.fields import find
from app.errors import NotFound, UnknownName
from app.sessionql.plan import Filter, Window
from app.sessions.tree import grow_tree
from app.store.insight_seam import FlowQuestion, Ranked, Ranking
from app.store.seam import Reader

Row = dict[str, Any]

LISTED, MOST = 200, 1_000
_TIMES = frozenset(
    {"at", "first", "last", "first_seen", "last_seen", "timestamp"}
)  # beside the catalog's


def list_rows(
    name: str, payload: Payload, window: Window, selector: Filter, index: Reader
) -> list[Row]:
    """List what a target that is no metric names.

    Args:
        name: one of ``LISTS``.
        payload: of the target.
        window: of the panel.
        selector: of the payload and the ad hoc filters.
        index: who answers.

    Raises:
        UnknownName: there is nothing to sort by, or no such part.
        NotFound: there is no such session.
    """
    return LISTS[name](payload, window, selector, index)


def _ranked(
    rank: Callable[[Reader, Ranking], Ranked], usual: str, sortable: Sequence[str]
) -> Callable[[Payload, Window, Filter, Reader], list[Row]]:
    def listed(
        payload: Payload, window: Window, selector: Filter, index: Reader
    ) -> list[Row]:
        text = single(payload.asked, "sort") or usual
        name = text.removeprefix("-")
        if name not in sortable:
            hint = nearest(name, frozenset(sortable))
            raise UnknownName(f"cannot sort by {name[:60]!r}{hint}")
        limit = min(read_count(single(payload.asked, "limit"), LISTED), MOST)
        least = read_count(single(payload.asked, "min_sessions"), 1)
        asked = Ranking(window, selector, name, text[:1] == "-", limit, least=least)
        return rank(index, asked).items

    return listed


def _ways(
    payload: Payload, window: Window, selector: Filter, index: Reader
) -> list[Row]:
    """List transitions, most used first."""
    top = read_count(single(payload.asked, "top"), 20)
    after = _one(payload, "after")
    found = index.flow(FlowQuestion(window, selector, after=after, top=min(top, 200)))
    limit = min(read_count(single(payload.asked, "limit"), LISTED), MOST)
    laid, _ = lay_flow(found, "flow", limit)
    return laid if isinstance(laid, list) else []


def _one(payload: Payload, name: str) -> str:
    """Return the one value of a filter, however the builder wrote it."""
    found = decode_list(single(payload.asked, name))
    return found[0] if found else ""


def _session(
    payload: Payload, _window: Window, _selector: Filter, index: Reader
) -> list[Row]:
    """List one part of one session."""
    app, session_id = (_one(payload, name) for name in ("app", "id"))
    part = single(payload.asked, "part") or "overview"
    if not (app and session_id):
        raise NotFound("a session has an app and an id: give both")
    whole = find_whole(app, session_id)
    if part == "timeline":
        return [log_row(each, whole.contexts) for each in whole.moments[:MOST]]
    if part == "trace":
        tree = grow_tree(whole.session, whole.moments, whole.contexts, MOST)
        return list(map(span_row(session_id), tree.nodes))
    if part not in PARTS:
        raise UnknownName(f"no part {part[:60]!r}{nearest(part, frozenset(PARTS))}")
    key = whole.session.key
    beside = index.neighbours(key.app, key.source, key.id)
    return Detail(whole, {}, beside, LISTED).part(part)[0]


LISTS: dict[str, Callable[[Payload, Window, Filter, Reader], list[Row]]] = {
    "users": _ranked(lambda index, asked: index.people(asked), "-sessions", BY_USER),
    "error_list": _ranked(
        lambda index, asked: index.problems(asked), "-count", BY_ERROR
    ),
    "pages": _ranked(lambda index, asked: index.places(asked), "-views", PLACES),
    "ways": _ways,
    "session": _session,
}


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Describe the columns of rows: the type of a column is that of its first value."""
    names = rows[0] if rows else ()
    return [{"text": name, "type": _type(name, rows)} for name in names]


def _type(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    field = find(name)
    if name in _TIMES or (field is not None and field.type == "time"):
        return "time"
    for row in rows:
        value = row[name]
        if isinstance(value, bool):
            return "boolean"
        if value is not None:
            return "number" if isinstance(value, (int, float)) else "string"
    return "string"
