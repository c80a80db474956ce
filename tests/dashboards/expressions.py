"""Evaluate alert rules as Grafana's server-side expressions do: reduce and math.

Written from `pkg/expr` (mathexp: NaN, null, union of labels) and `pkg/services/ngalert`
(eval: 0 is normal, any other number fires, null is no data; schedule: pending, then firing).
"""

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.contract.infinity import Field

Json = dict[str, Any]
Labels = frozenset[tuple[str, str]]
Numbers = dict[Labels, float | None]
Series = dict[Labels, list[float | None]]
Answer = Numbers | Series
NORMAL, PENDING, FIRING, NO_DATA = "Normal", "Pending", "Alerting", "NoData"


class NoAlert(Exception):
    """What Grafana would show as an error of the rule."""


@dataclass(frozen=True)
class Instance:
    """One alert: its labels, and the values that templates can name."""

    labels: Labels
    state: str
    values: Mapping[str, float | None]


def evaluate(rule: Json, ask: Callable[[Json], list[Field]]) -> list[Instance]:
    """Evaluate a rule once; *ask* answers one query as the data source does."""
    found: dict[str, Answer] = {}
    for query in rule["data"]:
        model = query["model"]
        if query["datasourceUid"] != "__expr__":
            found[query["refId"]] = convert(ask(query))
        else:
            found[query["refId"]] = EXPRESSIONS[model["type"]](model, found)
    numbers = {ref: each for ref, each in found.items() if is_numbers(each)}
    return [
        Instance(labels, state_of(value), captured(numbers, labels))
        for labels, value in numbers[rule["condition"]].items()
    ]


def state_of(value: Any) -> str:
    """Return what a value of the condition means."""
    if value is None:
        return NO_DATA
    return FIRING if value != 0 else NORMAL


def captured(numbers: Mapping[str, Any], labels: Labels) -> dict[str, float | None]:
    """Return `$values`: of each query and expression, the number with these labels."""
    return {ref: each[labels] for ref, each in numbers.items() if labels in each}


def is_numbers(answer: Answer) -> bool:
    """Say whether an answer has one number a label set, and not points in time."""
    return not any(isinstance(each, list) for each in answer.values())


# -- what a data source answers ----------------------------------------------------


def convert(fields: list[Field]) -> Answer:
    """Make numbers of a table, series of points in time; texts are labels."""
    if not fields or not fields[0].values:
        return {}
    times = [each for each in fields if each.type == "time"]
    if times:
        return {
            frozenset(each.labels.items()): list(each.values)
            for each in fields
            if each.type == "number"
        }
    texts = [each for each in fields if each.type == "string"]
    values = [each for each in fields if each.type == "number"]
    if len(values) != 1:
        raise NoAlert("frame cannot uniquely be identified by its labels")
    answer: Numbers = {}
    for row, value in enumerate(values[0].values):
        labels = frozenset((each.name, each.values[row] or "") for each in texts)
        if labels in answer:
            raise NoAlert(f"duplicate results with labels {dict(labels)}")
        answer[labels] = value
    return answer


# -- expressions -------------------------------------------------------------------


def reduce(model: Json, found: Mapping[str, Any]) -> Numbers:
    """Make one number of each series; strictly: nothing of a null is left out."""
    how = REDUCERS[model["reducer"]]
    return {
        labels: how(series) for labels, series in found[model["expression"]].items()
    }


def _most(series: list[float | None]) -> float:
    known = [each for each in series if each is not None]
    return max(known) if len(known) == len(series) else math.nan


REDUCERS: dict[str, Callable[[list[float | None]], float | None]] = {
    "last": lambda series: series[-1],  # of a null it is null: no data
    "max": _most,
}


def compute(model: Json, found: Mapping[str, Any]) -> Numbers:
    """Compute an expression for each label set that all of its letters have."""
    text = model["expression"]
    letters = sorted(set(re.findall(r"\$(\w+)", text)))
    tree = ast.parse(_as_python(text), mode="eval").body
    shared = set.intersection(*(set(found[each]) for each in letters))
    return {
        labels: _value(tree, {each: found[each][labels] for each in letters})
        for labels in sorted(shared, key=sorted)
    }


def _as_python(text: str) -> str:
    known = {"&&": " and ", "||": " or ", "$": ""}
    return re.sub(r"&&|\|\||\$", lambda found: known[found[0]], text)


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BoolOp):
        name = "and" if isinstance(node.op, ast.And) else "or"
        parts = [_value(each, values) for each in node.values]
        found = parts[0]
        for each in parts[1:]:
            found = _apply(name, found, each)
        return found
    assert isinstance(node, ast.Compare)
    left, right = _value(node.left, values), _value(node.comparators[0], values)
    return _apply(type(node.ops[0]).__name__, left, right)


def _apply(name: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    if name == "or" and left != 0:
        return 1.0
    if name == "and" and left == 0:
        return 0.0
    if math.isnan(left) or math.isnan(right):
        return math.nan
    return float(OPERATORS[name](left, right))


OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "and": lambda a, b: a != 0 and b != 0,
    "or": lambda a, b: a != 0 or b != 0,
    "Gt": lambda a, b: a > b,
    "Lt": lambda a, b: a < b,
    "GtE": lambda a, b: a >= b,
    "LtE": lambda a, b: a <= b,
    "Eq": lambda a, b: a == b,
}
EXPRESSIONS: dict[str, Callable[[Json, Mapping[str, Any]], Numbers]] = {
    "reduce": reduce,
    "math": compute,
}


# -- states over time --------------------------------------------------------------


@dataclass
class Alert:
    """One alert over time: it fires when its condition has held for long enough.

    Attributes:
        wait: how long, ms.
    """

    wait: int
    since: int | None = None

    def tell(self, state: str, now: int) -> str:
        """Take the outcome of one evaluation, and return the state after it."""
        if state != FIRING:
            self.since = None
            return state
        if self.since is None:
            self.since = now
        return FIRING if now - self.since >= self.wait else PENDING
