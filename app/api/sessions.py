"""Find sessions."""

from dataclasses import replace
from typing import Any

from flask import Response

from app import clock
from app.api.answers import FOUND
from app.api.asked_queries import looked_back, sessions_of
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.questions import (
    WORDS,
    Asked,
    Problems,
    nearest,
    read_range,
    read_selector,
    single,
    whole,
)
from app.api.schemas import GRAMMAR, SessionsSchema
from app.api.service import reader
from app.catalog.fields import FIELDS
from app.errors import BadRequest, UnknownName
from app.sessionql.plan import Sessions, Window, both
from app.store.seam import Found, Search

blp = Blueprint("sessions", __name__, url_prefix="/api/v1", description="Sessions.")

SEARCH_WORDS = WORDS | {"sort", "order", "limit", "cursor", "format"}
SORTABLE = frozenset(name for name, each in FIELDS.items() if each.scope == "session")
LIMIT = 50


@blp.route("/sessions", methods=["GET", "POST"])
@blp.arguments(SessionsSchema, location="query")
@blp.doc(
    description=(
        "Sessions that began in the range, a page at a time: ask again with `cursor` "
        "until `next_cursor` is null. `format=rows` gives the root array that Infinity "
        f"takes without a selector. {GRAMMAR}"
    )
)
@blp.response(200, FOUND)
def find_sessions(asked: Asked) -> Response:
    """Find sessions."""
    layout = single(asked, "format") or "page"
    if layout not in {"page", "rows"}:
        raise BadRequest(f"no format {layout[:60]!r}: give page or rows")
    search = read_search(asked, clock.now())
    found = reader().search(replace(search, is_counted=layout == "page"))
    return answer(found.items if layout == "rows" else _page(found))


def read_search(asked: Asked, at: int, words: frozenset[str] = SEARCH_WORDS) -> Search:
    """Read a question for sessions.

    Raises:
        BadRequest: lists everything that cannot be meant.
    """
    problems = Problems()
    selector = read_selector(asked, at, words, problems)
    window, sort, descending = Window(0, 1, 0, at), "start", True
    chosen = Sessions()
    with problems.noted():
        chosen = sessions_of(single(asked, "q"))
    with problems.noted():
        window = Window(*read_range(asked, at), 0, at)
    with problems.noted():
        sort, descending = read_sort(asked)
    problems.tell()
    limit = whole(asked, "limit", LIMIT)
    return Search(
        looked_back(chosen, window),
        both(chosen.selector, selector),
        sort,
        descending,
        limit,
        single(asked, "cursor"),
        chosen.columns,
    )


def read_sort(asked: Asked) -> tuple[str, bool]:
    """Read what to sort by, and whether descending.

    Raises:
        BadRequest: it is no field of sessions, or no order.
    """
    text = single(asked, "sort") or "-start"
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name not in SORTABLE:
        hint = nearest(name, SORTABLE)
        raise UnknownName(f"cannot sort by {name[:60]!r}{hint}")
    order = single(asked, "order")
    if order and order not in {"asc", "desc"}:
        raise BadRequest(f"no order {order[:60]!r}: give asc or desc")
    return name, order == "desc" if order else descending


def _page(found: Found) -> dict[str, Any]:
    return {
        "items": found.items,
        "next_cursor": found.next_cursor,
        "total": found.total,
    }
