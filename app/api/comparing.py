"""Find two cohorts of sessions, and put their figures beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.api.asking import Scope
from app.api.filters import read_filters
from app.api.frames import figure
from app.api.questions import Asked, Question, ask, foresee, nearest, single
from app.api.written import write_figure
from app.catalog.bands import band_of
from app.catalog.fields import FIELDS, Field, find
from app.catalog.metrics import Metric
from app.errors import BadRequest, UnknownName
from app.sessionql.plan import And, Compare, Filter, Not, Or, Window, both
from app.settings import Settings
from app.store.seam import Reader

Row = dict[str, Any]

DAY = 86_400_000  # ms
WEEK, SATURDAY = 7 * DAY, 2 * DAY  # 1970-01-03 was a Saturday
MAX_WEEKENDS = 60
NAMED = ("before", "visitors", "week")


class NoCohorts(BadRequest):
    """There is one value of a field, or none, in the range: nothing to compare."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Some of the sessions."""

    name: str
    window: Window
    selector: Filter


def read_cohorts(
    asked: Asked, scope: Scope, index: Reader
) -> tuple[tuple[Cohort, Cohort], list[str]]:
    """Read which two cohorts are compared, and what to know of the choice.

    Raises:
        BadRequest: there are no such two.
    """
    between = single(asked, "between") or NAMED[0]
    if between == "before":
        return _before(scope), []
    if between == "visitors":
        parts = [Compare("returning", "=", (value,)) for value in (False, True)]
        return _halves(scope, ("new", "returning"), parts), []
    if between == "week":
        weekend = _weekend(scope.window)
        parts_of_week: list[Filter] = [Not(weekend), weekend]
        return _halves(scope, ("weekdays", "weekends"), parts_of_week), []
    field = find(between)
    if field is None:
        hint = nearest(between, frozenset(NAMED) | frozenset(FIELDS))
        raise UnknownName(f"nothing to compare by is called {between[:60]!r}{hint}")
    return _by_field(asked, scope, field, index)


def _before(scope: Scope) -> tuple[Cohort, Cohort]:
    window = scope.window
    earlier = max(0, 2 * window.start - window.end)
    past = replace(window, start=earlier, end=max(window.start, earlier + 1))
    return (
        Cohort("the range before", past, scope.selector),
        Cohort("the range", window, scope.selector),
    )


def _halves(
    scope: Scope, titles: Sequence[str], parts: Sequence[Filter]
) -> tuple[Cohort, Cohort]:
    a, b = (
        Cohort(title, scope.window, both(scope.selector, part))
        for title, part in zip(titles, parts, strict=True)
    )
    return a, b


def _weekend(window: Window) -> Filter:
    """Return the filter for sessions that began on a Saturday or Sunday, UTC.

    Raises:
        BadRequest: the range has too many of them.
    """
    first = (window.start - SATURDAY) // WEEK * WEEK + SATURDAY
    weekends = range(first, window.end, WEEK)
    if len(weekends) > MAX_WEEKENDS:
        raise BadRequest(
            f"over {MAX_WEEKENDS} weekends in the range; ask for less time"
        )
    return Or(
        tuple(
            And(
                (
                    Compare("start", ">=", (at,)),
                    Compare("start", "<", (at + 2 * DAY,)),
                )
            )
            for at in weekends
        )
    )


def _by_field(
    asked: Asked, scope: Scope, field: Field, index: Reader
) -> tuple[tuple[Cohort, Cohort], list[str]]:
    """Compare two values of a field: as said, else the two most frequent."""
    given = [single(asked, name) for name in ("a", "b")]
    notices = []
    if not all(given):
        frequent = [
            value
            for value, _ in index.values(field.name, scope.window, scope.selector, 10)
            if value not in given
        ]
        given = [each or (frequent.pop(0) if frequent else "") for each in given]
        if not all(given):
            raise NoCohorts(
                f"{field.name!r} has no two values in the range: give 'a' and 'b'"
            )
        notices.append(f"compared by {field.name}: {given[0]} and {given[1]}")
    parts: list[Filter] = [
        And(tuple(read_filters(field, [value], scope.window.now))) for value in given
    ]
    return _halves(scope, given, parts), notices


def compare_cohorts(
    metrics: Sequence[Metric],
    cohorts: tuple[Cohort, Cohort],
    index: Reader,
    settings: Settings,
) -> tuple[list[Row], list[str]]:
    """Lay out a row a metric, with the figure of each cohort, difference and change.

    Returns:
        The rows, and what to know of their figures.
    """
    notices: dict[str, None] = {}
    questions = [
        Question(tuple(metrics), (), each.selector, replace(each.window, step=0))
        for each in cohorts
    ]
    foresee(questions, index)
    a, b = (_figures(each, index, settings, notices) for each in questions)
    rows = [
        {
            "metric": metric.name,
            "label": metric.label,
            "unit": metric.unit,
            "a": figure(left),
            "b": figure(right),
            "text_a": write_figure(left, metric.unit),
            "text_b": write_figure(right, metric.unit),
            "difference": None
            if left is None or right is None
            else figure(right - left),
            "change": None
            if left is None or right is None or not left
            else (right - left) / left,
            "band_a": band_of(metric.name, left),
            "band_b": band_of(metric.name, right),
            "name_a": cohorts[0].name,
            "name_b": cohorts[1].name,
        }
        for metric, left, right in zip(metrics, a, b, strict=True)
    ]
    return rows, list(notices)


def name_row(between: str, rows: Sequence[Row]) -> list[Row]:
    """Return the row that says above the others which two values of a field they compare.

    Args:
        between: what is compared; there is no row when it is none of the fields.
        rows: of the comparison.
    """
    field = find(between)
    if field is None or not rows:
        return []
    a, b = rows[0]["name_a"], rows[0]["name_b"]
    known = {"metric": "", "label": field.label, "unit": "", "text_a": a, "text_b": b}
    return [dict.fromkeys(rows[0]) | {"name_a": a, "name_b": b} | known]


def _figures(
    question: Question,
    index: Reader,
    settings: Settings,
    notices: dict[str, None],
) -> list[float | None]:
    frames = ask(question, index, settings)
    notices.update((each, None) for frame in frames for each in frame.notices)
    return [
        frame.series[0].values[0] if frame.series else (0.0 if metric.counts else None)
        for metric, frame in zip(question.metrics, frames, strict=True)
    ]
