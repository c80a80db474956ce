"""Compute with series: match them on labels, as PromQL does."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import add, eq, ge, gt, le, lt, mul, ne, sub

from app.errors import BadRequest
from app.sessionql.plan import (
    Arithmetic,
    Leaf,
    Matching,
    Number,
    Plan,
    Rank,
    Recorded,
)

LabelSet = tuple[str, ...]
Values = list[float | None]  # one a bucket; None where there is none


@dataclass(frozen=True, slots=True)
class Vector:
    """Series by their labels.

    Attributes:
        by: names of the labels.
        series: values of the labels → values, as many in each.
    """

    by: tuple[str, ...]
    series: dict[LabelSet, Values]


Compute = Callable[[float, float], float | None]


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _modulo(left: float, right: float) -> float | None:
    return math.fmod(left, right) if right else None  # the sign of the left, as in Go


def _power(left: float, right: float) -> float | None:
    result = left**right if left or right >= 0 else None
    return None if isinstance(result, complex) else result


_OPERATIONS: Mapping[str, Compute] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def combine(plan: Arithmetic, left: Vector, right: Vector) -> Vector:
    """Compute with two sides; what one side lacks, the result lacks.

    Raises:
        BadRequest: the labels do not match, or several series match several.
    """
    apply = _applied(plan)
    if isinstance(plan.right, Number):
        (constant,) = right.series.values()
        return _kept(
            plan, left.by, {k: _zip(apply, v, constant) for k, v in left.series.items()}
        )
    if isinstance(plan.left, Number):
        (constant,) = left.series.values()
        return _kept(
            plan,
            right.by,
            {k: _zip(apply, constant, v) for k, v in right.series.items()},
        )
    if not left.series or not right.series:  # of recorded ones, labels may be unknown
        return Vector(left.by or right.by, {})
    return _match(plan, apply, left, right)


def _applied(plan: Arithmetic) -> Compute:
    if plan.op in _OPERATIONS:
        return _guarded(_OPERATIONS[plan.op])
    holds = _COMPARISONS[plan.op]
    if plan.is_bool:
        return lambda left, right: float(holds(left, right))
    if isinstance(plan.left, Number):  # what is kept is the figure, on whichever side
        return lambda left, right: right if holds(left, right) else None
    return lambda left, right: left if holds(left, right) else None


def _guarded(compute: Compute) -> Compute:
    def guarded(left: float, right: float) -> float | None:
        try:
            value = compute(left, right)
        except OverflowError:
            return None
        return value if value is not None and math.isfinite(value) else None

    return guarded


def _zip(apply: Compute, left: Values, right: Values) -> Values:
    return [
        None if a is None or b is None else apply(a, b)
        for a, b in zip(left, right, strict=True)
    ]


def _kept(
    plan: Arithmetic, by: tuple[str, ...], series: dict[LabelSet, Values]
) -> Vector:
    """Drop series of which a comparison left nothing."""
    if plan.op in _COMPARISONS and not plan.is_bool:
        series = {
            labels: values
            for labels, values in series.items()
            if any(value is not None for value in values)
        }
    return Vector(by, series)


def _match(plan: Arithmetic, apply: Compute, left: Vector, right: Vector) -> Vector:
    """Match two vectors: each of the one side meets at most one of the other."""
    matching = plan.matching
    is_swapped = matching.many == "right"
    many, one = (right, left) if is_swapped else (left, right)
    keys = keys_of(plan.op, matching, left.by, right.by)
    index: dict[LabelSet, LabelSet] = {}
    for labels in one.series:
        key = _project(one.by, labels, keys)
        if key in index:
            raise BadRequest(_twice(plan, "left" if is_swapped else "right", keys, key))
        index[key] = labels
    by = many.by if matching.many else keys
    found: dict[LabelSet, Values] = {}
    for labels, values in many.series.items():
        key = _project(many.by, labels, keys)
        partner = index.get(key)
        if partner is None:
            continue
        shown = labels if matching.many else key
        if shown in found:
            raise BadRequest(_twice(plan, "left", keys, key))
        pair = (
            (one.series[partner], values)
            if is_swapped
            else (values, one.series[partner])
        )
        found[shown] = _zip(apply, *pair)
    return _kept(plan, by, found)


def _compared(matching: Matching, by: tuple[str, ...]) -> tuple[str, ...]:
    if matching.is_on:
        return matching.labels
    return tuple(name for name in by if name not in matching.labels)


def keys_of(
    op: str, matching: Matching, left: tuple[str, ...], right: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the labels on which series with these labels meet, in the left's order.

    Raises:
        BadRequest: they are not the same on both sides.
    """
    keys, others = _compared(matching, left), set(_compared(matching, right))
    missing = set(keys) - (set(left) & set(right)) if matching.is_on else set()
    if set(keys) != others or missing:
        raise BadRequest(
            f"{op} matches series on equal labels, and these are ({', '.join(left)})"
            f" and ({', '.join(right)}); say which by on (...) or ignoring (...), with"
            " group_left or group_right where several meet one"
        )
    return keys


def labels_of(plan: Plan) -> tuple[str, ...] | None:
    """Return the labels that *plan* will have; None where that is not known yet.

    Raises:
        BadRequest: as of ``keys_of``.
    """
    if isinstance(plan, Leaf):
        return plan.labels
    if isinstance(plan, Rank):
        return labels_of(plan.part)
    if not isinstance(plan, Arithmetic):
        return None if isinstance(plan, Recorded) else ()
    left, right = labels_of(plan.left), labels_of(plan.right)
    if left is None or right is None:
        return None
    if isinstance(plan.left, Number) or isinstance(plan.right, Number):
        return left or right
    keys = keys_of(plan.op, plan.matching, left, right)
    return {"": keys, "left": left, "right": right}[plan.matching.many]


def _project(by: tuple[str, ...], labels: LabelSet, keys: tuple[str, ...]) -> LabelSet:
    if by == keys:
        return labels
    values = dict(zip(by, labels, strict=True))
    return tuple(values[key] for key in keys)


def _twice(plan: Arithmetic, side: str, keys: tuple[str, ...], key: LabelSet) -> str:
    shown = ", ".join(
        f"{name}={value!r}" for name, value in zip(keys, key, strict=True)
    )
    hint = (
        ""
        if plan.matching.many
        else "; group_left and group_right let several meet one"
    )
    return f"several series on the {side} of {plan.op} have {{{shown}}}{hint}"


def rank(vector: Vector, count: int, *, is_top: bool) -> Vector:
    """Keep the series with the largest totals, or the smallest; ties go by labels."""
    totals = {
        labels: math.fsum(value for value in values if value is not None)
        for labels, values in vector.series.items()
        if any(value is not None for value in values)
    }
    sign = -1 if is_top else 1
    order = sorted(totals, key=lambda labels: (sign * totals[labels], labels))
    return Vector(
        vector.by, {labels: vector.series[labels] for labels in order[:count]}
    )
