"""Find two cohorts of sessions, and put their figures beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from app.api.asking import Scope
from app.api.filters import read_filters
from app.api.frames import figure
from app.api.questions import Asked, Question, ask, foresee, nearest, single
from app.api.written import write_figure
from app.catalog.bands import band_of
from app.catalog.fields import FIELDS, Field, find, kinds_of
from app.catalog.metrics import Metric
from app.errors import BadRequest, UnknownName
from app.sessionql.evaluate import Frame
from app.sessionql.language import parse
from app.sessionql.plan import (
    EVERYTHING,
    And,
    Compare,
    Filter,
    Leaf,
    Not,
    Or,
    Window,
    both,
)
from app.sessionql.vectors import LabelSet
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
    """Some of the sessions.

    Attributes:
        name: as it is shown.
        window: in which they began.
        among: what is asked of both cohorts.
        part: what tells this one from the other.
    """

    name: str
    window: Window
    among: Filter
    part: Filter = EVERYTHING

    @property
    def selector(self) -> Filter:
        """Return what its sessions meet."""
        return both(self.among, self.part)


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
        Cohort(title, scope.window, scope.selector, part)
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
    read = [read_filters(field, [value], scope.window.now) for value in given]
    parts = [each[0] if len(each) == 1 else And(tuple(each)) for each in read]
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
    a, b = _figures(metrics, cohorts, index, settings, notices)
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
    metrics: Sequence[Metric],
    cohorts: tuple[Cohort, Cohort],
    index: Reader,
    settings: Settings,
    notices: dict[str, None],
) -> list[list[float | None]]:
    """Return the figures of each cohort, metric by metric.

    Where values of a label tell the two apart, they are asked for in one question.
    """
    values = _values_of(cohorts)
    together = tuple(each for each in metrics if values and _is_leaf(each))
    apart = tuple(each for each in metrics if each not in together)
    questions = [
        Question(apart, (), each.selector, replace(each.window, step=0))
        for each in cohorts
    ]
    if values is not None:
        selector = both(cohorts[0].among, values)
        one = Question(together, (values.field,), selector, questions[0].window)
        questions.append(one)
    foresee(questions, index)
    frames = [ask(each, index, settings) for each in questions]
    for frame in chain.from_iterable(frames):
        notices.update(dict.fromkeys(frame.notices))
    found = []
    for place in range(len(cohorts)):
        known = _of_labels(apart, frames[place], ())
        if values is not None:
            known |= _of_labels(together, frames[-1], (str(values.values[place]),))
        found.append([known[metric] for metric in metrics])
    return found


def _of_labels(
    metrics: Sequence[Metric], frames: Sequence[Frame], labels: LabelSet
) -> dict[Metric, float | None]:
    """Return the figure of each metric for one label set."""
    found: dict[Metric, float | None] = {}
    for metric, frame in zip(metrics, frames, strict=True):
        known = {each.labels: each.values[0] for each in frame.series}
        found[metric] = known.get(labels, 0.0 if metric.counts else None)
    return found


def _values_of(cohorts: tuple[Cohort, Cohort]) -> Compare | None:
    """Return the comparison of a label that chooses both cohorts; None without such."""
    one, other = (each.part for each in cohorts)
    if not isinstance(one, Compare) or not isinstance(other, Compare):
        return None
    is_alike = (one.field, one.op) == (other.field, other.op) == (one.field, "=")
    field = find(one.field)
    if not is_alike or field is None or not field.groups or kinds_of(field):
        return None
    values = (*one.values, *other.values)
    is_one_each = len(one.values) == len(other.values) == 1
    is_text = all(isinstance(each, str) and each for each in values)
    return Compare(one.field, "=", values) if is_one_each and is_text else None


def _is_leaf(metric: Metric) -> bool:
    """Tell whether a metric is one figure of sessions, with no label of its own."""
    plan = parse(metric.text).figures
    return isinstance(plan, Leaf) and not plan.labels
