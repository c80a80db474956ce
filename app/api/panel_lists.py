"""List what the JSON data source can have as rows: users, errors, parts of a session."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.api.asking import tell_sample
from app.api.details import PARTS, Detail
from app.api.journeys import PLACES
from app.api.one_session import find_whole, span_row
from app.api.panel_insights import (
    LISTED,
    MOST,
    Listing,
    Wish,
    list_comparison,
    list_dropped,
    list_flow,
    list_funnel,
    list_retention,
    list_status,
    one,
)
from app.api.payloads import read_count
from app.api.people import SORTABLE as BY_USER
from app.api.problems import SORTABLE as BY_ERROR
from app.api.questions import nearest, single
from app.api.raw_lines import raw_page
from app.api.timelines import log_row
from app.catalog.fields import find
from app.errors import NotFound, UnknownName
from app.sessions.tree import grow_tree
from app.store.insight_seam import Ranked, Ranking
from app.store.seam import Reader

Row = dict[str, Any]

_TIMES = frozenset(
    {
        *("at", "first", "last", "first_seen", "last_seen", "timestamp", "time"),
        *("cohort", "started", "updated"),
    }
)  # beside the catalog's


def list_rows(name: str, wish: Wish) -> Listing:
    """List what a target that is no metric names.

    Args:
        name: one of ``LISTS``.
        wish: what is asked of it.

    Raises:
        UnknownName: there is nothing to sort by, or no such part.
        NotFound: there is no such session.
        BadRequest: it cannot be meant.
    """
    return LISTS[name](wish)


def _ranked(
    rank: Callable[[Reader, Ranking], Ranked], usual: str, sortable: Sequence[str]
) -> Callable[[Wish], Listing]:
    def listed(wish: Wish) -> Listing:
        payload = wish.payload
        text = single(payload.asked, "sort") or usual
        name = text.removeprefix("-")
        if name not in sortable:
            hint = nearest(name, frozenset(sortable))
            raise UnknownName(f"cannot sort by {name[:60]!r}{hint}")
        least = read_count(single(payload.asked, "min_sessions"), 1)
        asked = Ranking(wish.window, wish.selector, name, text[:1] == "-", wish.limit(), least=least)  # fmt: skip
        found = rank(wish.index, asked)
        return Listing(found.items, tell_sample(wish.index, asked, found.sample))

    return listed


def _session(wish: Wish) -> Listing:
    """List one part of one session."""
    app, session_id = (one(wish.payload, name) for name in ("app", "id"))
    part = one(wish.payload, "part") or "overview"
    if not session_id:
        raise NotFound("which session? give its id, and its app if it has one")
    whole = find_whole(app, session_id)
    if part == "timeline":
        return Listing([log_row(each, whole.contexts) for each in whole.moments[:MOST]])
    if part == "trace":
        tree = grow_tree(whole.session, whole.moments, whole.contexts, MOST)
        return Listing(list(map(span_row(session_id), tree.nodes)))
    if part == "logs":
        rows, _, notices = raw_page(whole, wish.settings, "", LISTED)
        return Listing(rows, notices)
    if part not in PARTS:
        raise UnknownName(f"no part {part[:60]!r}{nearest(part, frozenset(PARTS))}")
    key = whole.session.key
    beside = wish.index.neighbours(key.app, key.source, key.id)
    return Listing(Detail(whole, {}, beside, LISTED).part(part)[0])


LISTS: dict[str, Callable[[Wish], Listing]] = {
    "users": _ranked(lambda index, asked: index.people(asked), "-sessions", BY_USER),
    "error_list": _ranked(
        lambda index, asked: index.problems(asked), "-count", BY_ERROR
    ),
    "pages": _ranked(lambda index, asked: index.places(asked), "-views", PLACES),
    "ways": list_flow("flow"),
    "ways_matrix": list_flow("matrix"),
    "ways_nodes": list_flow("nodes"),
    "ways_edges": list_flow("edges"),
    "funnel": list_funnel,
    "dropped_off": list_dropped,
    "compare": list_comparison,
    "retention": list_retention,
    "session": _session,
    "status": list_status,
}


def columns_of(listing: Listing, wanted: Sequence[str] = ()) -> list[Row]:
    """Describe the columns of rows: the type of a column is that of its first value.

    Args:
        listing: the rows.
        wanted: names of the columns to keep, in this order; none = all.
    """
    rows = listing.rows
    known = tuple(rows[0]) if rows else tuple(wanted) or tuple(listing.types)
    return [
        {"text": name, "type": listing.types.get(name) or _type(name, rows)}
        for name in wanted or known
        if name in known
    ]


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
