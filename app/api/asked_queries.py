"""Read ``q``: a question in SessionQL, where a metric and filters would stand."""

import re

from app.catalog.metrics import METRICS, Metric
from app.sessionql.language import parse
from app.sessionql.plan import Sessions, Window, counts
from app.sessionql.units import unit_of

COLUMN = "Value"
_TELLING = re.compile(r"\}\s*[|>&!\[)]|[=<>~]\s*[\"'`\d]|\{\s*\}|_over_time|\brate\(")


def metric_of(text: str) -> Metric:
    """Return a query for figures as a metric that has no name of its own.

    Raises:
        QueryError: it cannot be meant, or lists sessions.
    """
    known = METRICS.get(text.strip())
    plan = parse(text).figures
    if known is not None:
        return Metric(
            COLUMN, known.label, text, known.unit, known.help, known.counts,
            known.thresholds,
        )  # fmt: skip
    return Metric(COLUMN, text, text, unit_of(plan), text, counts(plan))


def sessions_of(text: str) -> Sessions:
    """Return what a query for sessions selects; nothing said selects all.

    Raises:
        QueryError: it cannot be meant, or makes figures.
    """
    return parse(text).sessions if text else Sessions()


def looked_back(asked: Sessions, window: Window) -> Window:
    """Return the time of a query that says its own range."""
    if not asked.range_ms:
        return window
    return Window(max(0, window.end - asked.range_ms), window.end, 0, window.now)


def is_query(text: str) -> bool:
    """Tell SessionQL from the name of a metric, or a list of names."""
    return text.strip() not in METRICS and _TELLING.search(text) is not None
