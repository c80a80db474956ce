"""Evaluate a plan: ask the store for each leaf, then compute with what it says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import add, mul, sub
from typing import Protocol

from app.sessionql.plan import Arithmetic, Leaf, Number, Plan, Window

LabelSet = tuple[str, ...]
Cell = tuple[LabelSet, int, float | None]  # labels, begin of the bucket, value


class Evaluator(Protocol):
    """Who answers leaves: a store, opened for reading."""

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value."""


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


def evaluate(
    plan: Plan, window: Window, store: Evaluator, *, zero: bool, max_series: int
) -> Frame:
    """Answer *plan*.

    Args:
        plan: checked against the catalog.
        window: what time.
        store: who answers the leaves.
        zero: an empty bucket holds 0 (a count) and not nothing (a rate).
        max_series: more label sets than that are cut, smallest first, with a notice.

    Raises:
        TooExpensive: the store hit its time limit.
    """
    buckets = window.buckets()
    cells = _cells(plan, window, store)
    by = _labels(plan)
    grouped: dict[LabelSet, dict[int, float | None]] = {}
    for (labels, bucket), value in cells.items():
        grouped.setdefault(labels, {})[bucket] = value
    if not by and not grouped and zero:
        grouped[()] = {}
    empty = 0.0 if zero else None
    series = [
        Series(labels, [values.get(bucket, empty) for bucket in buckets])
        for labels, values in grouped.items()
    ]
    series.sort(key=lambda each: (-sum(v or 0 for v in each.values), each.labels))
    notices = []
    if len(series) > max_series:
        notices.append(f"showing {max_series} of {len(series)} series, the largest")
        del series[max_series:]
    return Frame(by, list(buckets), series, notices)


def _labels(plan: Plan) -> tuple[str, ...]:
    if isinstance(plan, Leaf):
        return plan.by
    if isinstance(plan, Arithmetic):
        return _labels(plan.left) or _labels(plan.right)
    return ()


Cells = dict[tuple[LabelSet, int], float | None]


def _cells(plan: Plan, window: Window, store: Evaluator) -> Cells:
    if isinstance(plan, Number):
        return {((), bucket): plan.value for bucket in window.buckets()}
    if isinstance(plan, Leaf):
        found = store.evaluate(plan, window)
        return {(labels, bucket): value for labels, bucket, value in found}
    left, right = _cells(plan.left, window, store), _cells(plan.right, window, store)
    return _combine(plan, left, right)


def _combine(plan: Arithmetic, left: Cells, right: Cells) -> Cells:
    """Match two sides on equal labels; what one side lacks, the result lacks."""
    compute = _OPERATIONS[plan.op]
    if isinstance(plan.right, Number):
        value = plan.right.value
        return {key: _apply(compute, each, value) for key, each in left.items()}
    if isinstance(plan.left, Number):
        value = plan.left.value
        return {key: _apply(compute, value, each) for key, each in right.items()}
    return {
        key: _apply(compute, each, right[key])
        for key, each in left.items()
        if key in right
    }


def _apply(
    compute: Callable[[float, float], float | None],
    left: float | None,
    right: float | None,
) -> float | None:
    return None if left is None or right is None else compute(left, right)


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


_OPERATIONS: dict[str, Callable[[float, float], float | None]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": _divide,
}
