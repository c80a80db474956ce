"""Evaluate a plan: ask the store for each leaf, then compute with what it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from app.errors import BadRequest, TooExpensive
from app.sessionql.language import Query
from app.sessionql.literals import write_number
from app.sessionql.plan import (
    COUNTING,
    Leaf,
    Number,
    Plan,
    Rank,
    Recorded,
    Window,
)
from app.sessionql.vectors import LabelSet, Values, Vector, combine, rank

Cell = tuple[LabelSet, int, float | None]  # labels, begin of the bucket, value
RecordedCells = Callable[[Recorded, Window], tuple[tuple[str, ...], list[Cell]]]

MAX_STEPS = 1_500  # buckets of a query that looks back a range from each of them


class Evaluator(Protocol):
    """Who answers leaves: a store, opened for reading."""

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value.

        Label values are in the order of ``leaf.labels``; of a rate it is the count.
        """

    def take_notices(self) -> list[str]:
        """Return what to know of the answers given since the last call."""


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one label set, one a bucket; None where there is none."""

    labels: LabelSet
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a panel gets.

    Attributes:
        by: names of the labels.
        times: begin of each bucket, ascending, ms; one for a question without a step.
        series: by label set, largest first, bounded.
        notices: what to know of the figures: cut, partial, estimated.
    """

    by: tuple[str, ...]
    times: list[int]
    series: list[Series]
    notices: list[str] = field(default_factory=list)


def instant(
    query: Query,
    at: int,
    store: Evaluator,
    *,
    default_range_ms: int,
    max_series: int,
    recorded: RecordedCells | None = None,
) -> Frame:
    """Answer a query for series at one instant: one value a label set.

    Args:
        query: for series.
        at: ms; a figure is over the range of the query before it, ``at`` excluded.
        store: who answers the leaves.
        default_range_ms: the range where the query says none.
        max_series: as of ``evaluate``.
        recorded: as of ``evaluate``.

    Raises:
        BadRequest: it lists sessions, or its sides do not match.
        TooExpensive: the store hit its time limit.
    """
    window = Window(at - default_range_ms, at, 0, at)
    return evaluate(
        query.figures, window, store, max_series=max_series, recorded=recorded
    )


def evaluate(
    plan: Plan,
    window: Window,
    store: Evaluator,
    *,
    max_series: int,
    zero: bool = False,
    recorded: RecordedCells | None = None,
) -> Frame:
    """Answer *plan*.

    Args:
        plan: checked against the catalog.
        window: what time.
        store: who answers the leaves.
        max_series: more label sets than that are cut, smallest first, with a notice.
        zero: an answer without labels is 0 and not nothing, also where a comparison
            left nothing of it.
        recorded: who answers names of recorded series.

    Raises:
        BadRequest: its sides do not match, or a recorded name is unknown.
        TooExpensive: the store hit its time limit.
    """
    buckets = window.buckets()
    vector = _Run(window, store, recorded).vector(plan)
    found = vector.series
    if zero and not vector.by and not found:
        found = {(): [0.0] * len(buckets)}
    series = [Series(labels, values) for labels, values in found.items()]
    series.sort(key=lambda each: (-sum(filter(None, each.values)), each.labels))
    notices = store.take_notices()
    if len(series) > max_series:
        notices.append(f"showing {max_series} of {len(series)} series, the largest")
        del series[max_series:]
    return Frame(vector.by, list(buckets), series, notices)


@dataclass(slots=True)
class _Run:
    """One evaluation; a leaf that stands twice in a plan is asked once."""

    window: Window
    store: Evaluator
    recorded: RecordedCells | None
    known: dict[Leaf, Vector] = field(default_factory=dict)

    def vector(self, plan: Plan) -> Vector:
        if isinstance(plan, Number):
            return Vector((), {(): [plan.value] * len(self.window.buckets())})
        if isinstance(plan, Leaf):
            if plan not in self.known:
                self.known[plan] = self._leaf(plan)
            return self.known[plan]
        if isinstance(plan, Recorded):
            return self._recorded(plan)
        if isinstance(plan, Rank):
            return rank(self.vector(plan.part), plan.count, is_top=plan.is_top)
        return combine(plan, self.vector(plan.left), self.vector(plan.right))

    def _recorded(self, plan: Recorded) -> Vector:
        if self.recorded is None:
            raise BadRequest(f"no rule records {plan.name!r} here")
        by, cells = self.recorded(plan, self.window)
        places = {bucket: at for at, bucket in enumerate(self.window.buckets())}
        series: dict[LabelSet, Values] = {}
        for labels, bucket, value in cells:
            if bucket in places:
                values = series.setdefault(labels, [None] * len(places))
                values[places[bucket]] = value
        return Vector(by, series)

    def _leaf(self, leaf: Leaf) -> Vector:
        """Ask for a leaf, fill what is empty, and divide a rate by its time."""
        places = self._spans(leaf)
        empty = 0.0 if leaf.function in COUNTING else None
        series: dict[LabelSet, Values] = {}
        if not leaf.by and leaf.function in COUNTING:
            series = {labels: [empty] * len(places) for labels in _always(leaf)}
        for labels, at, value in self._cells(leaf, places):
            values = series.get(labels)
            if values is None:
                values = series[labels] = [empty] * len(places)
            values[at] = empty if value is None else value
        if leaf.function == "rate":
            _divide_by_time(series, places)
        return Vector(leaf.labels, series)

    def _spans(self, leaf: Leaf) -> list[Window]:
        """Return the time that each bucket of a leaf is about."""
        window = self.window
        spans = []
        for bucket in window.buckets():
            end = min(bucket + window.step, window.end) if window.step else window.end
            start = end - leaf.range_ms if leaf.range_ms else max(bucket, window.start)
            spans.append(Window(max(0, start), max(1, end), 0, window.now))
        return spans

    def _cells(self, leaf: Leaf, spans: list[Window]) -> Iterator[Cell]:
        """Yield cells with the number of the bucket in place of its begin."""
        if not leaf.range_ms:
            places = {bucket: at for at, bucket in enumerate(self.window.buckets())}
            for labels, bucket, value in self.store.evaluate(leaf, self.window):
                yield labels, places[bucket], value
            return
        if len(spans) > MAX_STEPS:
            raise TooExpensive(
                f"{len(spans):,} steps that each look back a range, over {MAX_STEPS:,};"
                " use a longer step, or leave out the range"
            )
        whole = replace(leaf, range_ms=0)
        for at, span in enumerate(spans):
            for labels, _, value in self.store.evaluate(whole, span):
                yield labels, at, value


def _always(leaf: Leaf) -> list[LabelSet]:
    """List the label sets that a leaf without labels has even if nothing happened."""
    if leaf.function != "histogram":
        return [()]
    return [(each,) for each in bounds_of(leaf)]


def bounds_of(leaf: Leaf) -> list[str]:
    """List the values of the label ``le`` of a histogram."""
    return [*map(write_number, leaf.points), "+Inf"]


def _divide_by_time(series: dict[LabelSet, Values], spans: list[Window]) -> None:
    for values in series.values():
        for at, span in enumerate(spans):
            values[at] = (values[at] or 0.0) * 1000 / (span.end - span.start)
