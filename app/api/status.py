"""Tell how Skald itself fares as flat rows, for a dashboard: sources, jobs, rules, index.

``/metrics`` tells the same to Prometheus, with a history; this is what holds now.
"""

from collections.abc import Callable
from typing import Any

from flask import Response

from app import clock
from app.api.answers import ROWS
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.questions import nearest
from app.api.rule_shapes import Filters, shown_groups
from app.api.service import reader
from app.errors import NotFound
from app.ruler.describe import groups_of
from app.store.recorded import RULES
from app.store.seam import Reader
from app.version import __version__

blp = Blueprint("status", __name__, url_prefix="/api/v1", description="Skald itself.")

Row = dict[str, Any]
_NS = 1_000_000  # in one ms


@blp.route("/status/<part>", methods=["GET"])
@blp.doc(
    description="`index`, `sources`, `dropped` (entries, by reason), `jobs`, `rules`."
)
@blp.response(200, ROWS)
def show_status(part: str) -> Response:
    """Tell how one part of Skald fares."""
    if part not in PARTS:
        raise NotFound(f"no status of {part[:60]!r}{nearest(part, frozenset(PARTS))}")
    return answer(PARTS[part](reader(), clock.now()))


def index_rows(index: Reader, now: int) -> list[Row]:
    """Lay out the size of the index, and how far it is behind, as one row."""
    sizes, sources = index.size(), index.sources()
    lags = [now - each.cursor // _NS for each in sources if each.cursor]
    return [
        {
            "version": __version__,
            "sessions": sizes.get("sessions"),
            "bytes": sizes.get("bytes"),
            "file": sizes.get("file"),
            "entries": sum(each.entries for each in sources),
            "dropped": sum(sum(each.dropped.values()) for each in sources),
            "lag": max(0, *lags) if lags else None,
        }
    ]


def source_rows(index: Reader, now: int) -> list[Row]:
    """Lay out a row a source."""
    return [
        {
            "source": each.name,
            "entries": each.entries,
            "decoded": each.decoded,
            "dropped": sum(each.dropped.values()),
            "bytes": each.bytes,
            "lag": max(0, now - each.cursor // _NS) if each.cursor else None,
            "updated": each.updated or None,
        }
        for each in index.sources()
    ]


def dropped_rows(index: Reader, _now: int) -> list[Row]:
    """Lay out a row a source and reason for which entries were left out."""
    return [
        {"source": each.name, "reason": reason, "entries": count}
        for each in index.sources()
        for reason, count in sorted(each.dropped.items())
    ]


def job_rows(index: Reader, _now: int) -> list[Row]:
    """Lay out a row a job."""
    return [
        {
            "job": each.name,
            "runs": each.runs,
            "failures": each.failures,
            "missed": each.missed,
            "started": each.started or None,
            "took": each.took_ms,
            "error": each.error,
        }
        for each in index.jobs()
    ]


def rule_rows(index: Reader, _now: int) -> list[Row]:
    """Lay out a row a rule."""
    groups = shown_groups(groups_of(index.mark(RULES).text), index, Filters())
    return [
        {
            "group": group["name"],
            "rule": rule["name"],
            "type": rule["type"],
            "health": rule["health"],
            "state": rule.get("state", ""),
            "took": rule["evaluationTime"] * 1_000,
            "evaluated": rule["lastEvaluation"],
            "error": rule.get("lastError", ""),
        }
        for group in groups
        for rule in group["rules"]
    ]


PARTS: dict[str, Callable[[Reader, int], list[Row]]] = {
    "index": index_rows,
    "sources": source_rows,
    "dropped": dropped_rows,
    "jobs": job_rows,
    "rules": rule_rows,
}
