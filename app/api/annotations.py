"""Mark charts: where releases were first seen, and where errors burst."""

from collections.abc import Callable
from typing import Any

from flask import Response

from app import clock
from app.api.alarms import alert_rows
from app.api.answers import ROWS
from app.api.asking import lay_rows, read_choice, read_scope
from app.api.blueprint import Blueprint
from app.api.bursts import find_bursts
from app.api.insight_schemas import MarksSchema
from app.api.questions import Asked, listed, nearest, whole
from app.api.releases import find_releases
from app.api.schemas import GRAMMAR
from app.api.service import reader
from app.errors import UnknownName
from app.sessionql.plan import Filter, Window
from app.store.seam import Reader

blp = Blueprint(
    "annotations", __name__, url_prefix="/api/v1", description="Annotations."
)

Row = dict[str, Any]

WORDS = frozenset({"what", "limit", "format"})
_LIMIT = 200


@blp.route("/annotations", methods=["GET", "POST"])
@blp.arguments(MarksSchema, location="query")
@blp.doc(
    description=(
        "Releases (the first session of a version that was not there before) and bursts "
        f"of errors (four standard deviations above the median of the range), and when "
        f"alerts of rules fired. {GRAMMAR}"
    )
)
@blp.response(200, ROWS)
def list_annotations(asked: Asked) -> Response:
    """List what to mark in charts."""
    layout = read_choice(asked, "format", ("rows", "json"))
    wanted = listed(asked, "what") or list(KINDS)
    for name in wanted:
        if name not in KINDS:
            hint = nearest(name, frozenset(KINDS))
            raise UnknownName(
                f"no annotations {name[:60]!r}: give {', '.join(KINDS)}{hint}"
            )
    scope = read_scope(asked, clock.now(), WORDS)
    rows = [
        row
        for name in dict.fromkeys(wanted)
        for row in KINDS[name](reader(), scope.window, scope.selector)
    ]
    rows.sort(key=lambda row: (row["time"], row["id"]))
    limit = whole(asked, "limit", _LIMIT)
    cut = [f"showing the newest {limit} of {len(rows)}"] if len(rows) > limit else []
    shown = rows[-limit:]
    return lay_rows(shown if layout == "rows" else list(map(_as_json, shown)), cut)


def release_rows(index: Reader, window: Window, selector: Filter) -> list[Row]:
    """List releases as annotations: a point in time each, so without an end."""
    return [
        {
            "time": each.at,
            "timeEnd": None,
            "title": f"{each.app} {each.version}",
            "text": f"First session of {each.version} of {each.app}",
            "tags": f"release,{each.app}",
            "id": f"{each.app}/{each.version}",
        }
        for each in find_releases(index, window, selector)
    ]


def burst_rows(index: Reader, window: Window, selector: Filter) -> list[Row]:
    """List bursts of errors as annotations: a span of time each."""
    return [
        {
            "time": each.start,
            "timeEnd": each.end,
            "title": f"Errors in {each.app}",
            "text": f"{each.sessions} sessions with errors, usually {each.usual:g}",
            "tags": f"errors,{each.app}",
            "id": f"{each.app}/errors/{each.start}",
        }
        for each in find_bursts(index, window, selector)
    ]


KINDS: dict[str, Callable[[Reader, Window, Filter], list[Row]]] = {
    "releases": release_rows,
    "bursts": burst_rows,
    "alerts": alert_rows,
}


def _as_json(row: Row) -> Row:
    """Lay out as SimpleJSON and the first versions of its successor want it."""
    is_region = row["timeEnd"] is not None
    return {
        **row,
        "timeEnd": row["timeEnd"] if is_region else row["time"],
        "isRegion": is_region,
        "tags": row["tags"].split(","),
    }
