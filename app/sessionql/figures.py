"""Check the pipelines and the arithmetic of a query, and make a plan of them."""

from dataclasses import replace
from typing import NoReturn

from lark import Token

from app.catalog import names
from app.catalog.buckets import buckets_of
from app.catalog.fields import FIELDS, Field
from app.catalog.metrics import METRICS
from app.errors import BadRequest
from app.sessionql import syntax as tree
from app.sessionql.check import Checker
from app.sessionql.filters import EVERYTHING, Filter
from app.sessionql.functions import FUNCTIONS, RANKS, Function
from app.sessionql.literals import read_duration
from app.sessionql.plan import (
    Arithmetic,
    Leaf,
    Matching,
    Number,
    Plan,
    Rank,
    Sessions,
    bind,
    leaves,
)
from app.sessionql.read import read
from app.sessionql.remembered import recorded_of
from app.sessionql.vectors import labels_of

MAX_LABELS = 6
MAX_LEAVES = 20
MAX_POINTS = 10  # quantiles
MAX_BUCKETS = 50
MAX_RANK = 1_000
MAX_COLUMNS = 40
MIN_RANGE, MAX_RANGE = 1_000, 400 * 86_400_000  # ms

_STAGES = {**FUNCTIONS, **RANKS, "select": None}


class Planner:
    """Makes the plan of one query."""

    def __init__(self, text: str) -> None:
        self._check = Checker(text)
        self._leaves = 0

    def plan(self, node: tree.Node) -> Plan | Sessions:
        """Return the plan of a whole query."""
        if isinstance(node, tree.Listing):
            return Sessions(self._check.set(node.set), (), self._range(node.range))
        if isinstance(node, tree.Pipeline) and node.stages[0].at == "select":
            return self._select(node)
        return self.figures(node)

    def figures(self, node: tree.Node) -> Plan:
        """Return the plan of figures."""
        match node:
            case tree.Literal():
                return Number(self._check.number(node))
            case tree.Pipeline():
                return self._pipeline(node)
            case tree.Named():
                return self._named(node)
            case tree.Ranked():
                return self._ranked(self.figures(node.part), node.stages)
            case tree.Operation():
                return self._operation(node)
        return self._minus(node)

    def _refuse(self, at: Token, problem: str, *expected: str) -> NoReturn:
        raise self._check.error(at, problem, expected)

    def _minus(self, node: tree.Node) -> Plan:
        if not isinstance(node, tree.Minus):
            self._refuse(node.at, "expected figures: { ... } | count_over_time()")
        part = self.figures(node.part)
        if isinstance(part, Number):
            return Number(-part.value)
        return Arithmetic("*", Number(-1.0), part)

    # -- pipelines -----------------------------------------------------------------

    def _select(self, node: tree.Pipeline) -> Sessions:
        stage, *more = node.stages
        if more:
            self._refuse(more[0].at, "nothing follows select(...)", "the end")
        columns = [self._column(each) for each in stage.arguments]
        if not columns:
            self._refuse(
                stage.at, "select needs fields: select(start, user)", "a field"
            )
        if len(columns) > MAX_COLUMNS:
            self._refuse(stage.at, f"{len(columns)} fields, over {MAX_COLUMNS}")
        if stage.by is not None:
            self._refuse(stage.at, "select has no by")
        selector, span = self._check.set(node.set), self._range(node.range)
        return Sessions(selector, tuple(dict.fromkeys(columns)), span)

    def _column(self, node: tree.Node) -> str:
        field = self._field(node)
        if field.scope not in {"session", "attribute"}:
            self._refuse(
                node.at,
                f"{field.name!r} is of the events of a session; a list shows sessions",
            )
        return field.name

    def _pipeline(self, node: tree.Pipeline) -> Plan:
        selector, span = self._check.set(node.set), self._range(node.range)
        stage, *ranks = node.stages
        function = FUNCTIONS.get(str(stage.at))
        if function is None:
            self._refuse_stage(stage.at)
        leaf = self._leaf(stage, function, selector)
        leaf = replace(leaf, by=self._labels(stage.by or ()), range_ms=span)
        return self._ranked(self._counted(stage.at, leaf), ranks)

    def _refuse_stage(self, at: Token) -> NoReturn:
        if at in RANKS:
            self._refuse(
                at, f"{at} ranks figures; make some first: | count_over_time()"
            )
        if at == "select":
            self._refuse(at, "select lists sessions; it stands alone after a selector")
        hint = names.nearest(str(at), _STAGES)
        self._refuse(at, f"no function {str(at)[:60]!r}{hint}", *_STAGES)

    def _counted(self, at: Token, plan: Plan) -> Plan:
        self._leaves += sum(1 for _ in leaves(plan))
        if self._leaves > MAX_LEAVES:
            self._refuse(at, f"over {MAX_LEAVES} figures in a query")
        for leaf in leaves(plan):
            self._check_kind(at, leaf)
        return plan

    def _check_kind(self, at: Token, leaf: Leaf) -> None:
        try:
            leaf.kind  # noqa: B018  # raises
        except ValueError as error:
            self._refuse(at, str(error))

    def _leaf(self, stage: tree.Stage, function: Function, selector: Filter) -> Leaf:
        given = list(stage.arguments)
        leaf = Leaf(function.name, selector=selector)
        if function.takes == "":
            if given:
                self._refuse(given[0].at, f"{stage.at} takes nothing", ")")
            return leaf
        if not given:
            self._refuse(stage.at, f"{stage.at} needs {function.wants}", function.wants)
        if function.takes == "condition":
            if len(given) > 1:
                self._refuse(given[1].at, f"{stage.at} takes one condition", ")")
            return replace(leaf, where=self._condition(given[0]))
        field = self._field(given.pop(0))
        self._check_field(stage, function, field)
        points = [self._point(stage, each) for each in given]
        return replace(
            leaf, field=field.name, points=self._points(stage, field, points)
        )

    def _condition(self, node: tree.Node) -> Filter:
        if isinstance(node, (tree.Braces, tree.Sequenced)) or _is_set(node):
            return self._check.set(node)
        if isinstance(node, (tree.Comparison, tree.Sought, tree.Joined, tree.Negated)):
            return self._check.condition(node)
        return self._refuse(node.at, "expected a condition: errors > 0", "a condition")

    def _check_field(self, stage: tree.Stage, function: Function, field: Field) -> None:
        at = stage.arguments[0].at
        if function.takes == "text":
            if field.type != "string":
                self._refuse(at, f"{field.name!r} is a {field.type}; {stage.at} counts"
                             " distinct texts")  # fmt: skip
        elif field.type == "time" and function.name in {"min", "max"}:
            return
        elif field.type != "number":
            near = [each.name for each in FIELDS.values() if each.type == "number"]
            self._refuse(at, f"{field.name!r} is no number; {stage.at} takes one of"
                         f" {', '.join(near)}", *near)  # fmt: skip

    def _point(self, stage: tree.Stage, node: tree.Node) -> float:
        if not isinstance(node, tree.Literal) or node.kind not in {
            "number",
            "duration",
        }:
            self._refuse(
                node.at, f"after its field {stage.at} takes numbers", "a number"
            )
        return self._check.number(node)

    def _points(
        self, stage: tree.Stage, field: Field, points: list[float]
    ) -> tuple[float, ...]:
        name, least = str(stage.at), stage.arguments[0].at
        if name == "quantile_over_time":
            if not points:
                self._refuse(least, f"{name} needs a quantile: 0.95", "a number")
            if len(points) > MAX_POINTS:
                self._refuse(least, f"{len(points)} quantiles, over {MAX_POINTS}")
            if not all(0 <= each <= 1 for each in points):
                self._refuse(least, "quantiles are from 0 to 1, such as 0.95")
            return tuple(dict.fromkeys(points))
        if name == "histogram_over_time":
            if len(points) > MAX_BUCKETS:
                self._refuse(least, f"{len(points)} buckets, over {MAX_BUCKETS}")
            if points != sorted(set(points)):
                self._refuse(least, "buckets ascend: each is above the one before")
            return tuple(points) or buckets_of(field)
        if points:
            self._refuse(stage.arguments[1].at, f"{name} takes just a field", ")")
        return ()

    def _ranked(
        self, plan: Plan, stages: list[tree.Stage] | tuple[tree.Stage, ...]
    ) -> Plan:
        for stage in stages:
            if stage.at not in RANKS:
                if stage.at in _STAGES:
                    self._refuse(stage.at, "only topk and bottomk follow figures")
                self._refuse_stage(stage.at)
            if stage.by is not None:
                self._refuse(stage.at, f"{stage.at} ranks all series; it has no by")
            count = [self._point(stage, each) for each in stage.arguments]
            if (
                len(count) != 1
                or not count[0].is_integer()
                or not 1 <= count[0] <= MAX_RANK
            ):
                self._refuse(
                    stage.at, f"{stage.at} takes a number from 1 to {MAX_RANK:,}"
                )
            plan = Rank(plan, int(count[0]), stage.at == "topk")
        return plan

    # -- names ---------------------------------------------------------------------

    def _named(self, node: tree.Named) -> Plan:
        span, name = self._range(node.range), str(node.at)
        if ":" in name:
            return self._ranked(recorded_of(self._check, node, span), node.stages)
        try:
            metric = names.metric(name)
        except BadRequest as error:
            self._refuse(node.at, str(error), *METRICS)
        selector = self._check.braces(node.braces) if node.braces else EVERYTHING
        plan = bind(
            Planner(metric.text).figures(read(metric.text)),
            selector,
            self._labels(node.by or ()),
        )
        plan = _over(plan, span)
        return self._ranked(self._counted(node.at, plan), node.stages)

    def _labels(self, tokens: tuple[Token, ...]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for token in tokens:
            try:
                found[names.dimension(self._check.field(token).name).name] = None
            except BadRequest as error:
                if isinstance(error, type(self._check.error(token, ""))):
                    raise
                self._refuse(token, str(error), "a label")
        if len(found) > MAX_LABELS:
            self._refuse(tokens[MAX_LABELS], f"{len(found)} labels, over {MAX_LABELS}")
        return tuple(found)

    def _field(self, node: tree.Node) -> Field:
        if not isinstance(node, tree.Name):
            self._refuse(node.at, "expected a field", "a field")
        return self._check.field(node.at)

    def _range(self, token: Token | None) -> int:
        if token is None:
            return 0
        length = read_duration(token)
        if not MIN_RANGE <= length <= MAX_RANGE:
            self._refuse(token, f"a range is from 1s to 400d, not {token}")
        return int(length)

    # -- arithmetic ----------------------------------------------------------------

    def _operation(self, node: tree.Operation) -> Plan:
        left, right = self.figures(node.left), self.figures(node.right)
        op, how = str(node.at), node.modifier
        is_comparison = node.at.type in {"COMPARE", "GREATER"}
        is_bool = how is not None and how.is_bool
        numbers = [isinstance(each, Number) for each in (left, right)]
        if is_bool and not is_comparison:
            self._refuse(node.at, f"bool is for comparisons, not for {op}")
        if all(numbers) and is_comparison and not is_bool:
            self._refuse(node.at, f"two numbers are compared by {op} bool", "bool")
        if any(numbers) and how is not None and how.how is not None:
            self._refuse(how.how, "a number matches everything; it takes no labels")
        return self._matched(
            node.at, Arithmetic(op, left, right, _matching(how), is_bool)
        )

    def _matched(self, at: Token, plan: Arithmetic) -> Plan:
        try:
            labels_of(plan)
        except BadRequest as error:
            self._refuse(at, str(error), "on", "ignoring")
        return plan


def _matching(how: tree.Modifier | None) -> Matching:
    if how is None or how.how is None:
        return Matching()
    many = ""
    if how.many is not None:
        many = "left" if how.many.type == "GROUP_LEFT" else "right"
    return Matching(tuple(map(str, how.labels)), how.how.type == "ON", many)


def _over(plan: Plan, span: int) -> Plan:
    """Let every leaf look back that far."""
    if isinstance(plan, Leaf):
        return replace(plan, range_ms=span)
    if isinstance(plan, Rank):
        return replace(plan, part=_over(plan.part, span))
    if isinstance(plan, Arithmetic):
        return replace(plan, left=_over(plan.left, span), right=_over(plan.right, span))
    return plan


def _is_set(node: tree.Node) -> bool:
    if isinstance(node, tree.Joined):
        return _is_set(node.parts[0])
    if isinstance(node, tree.Negated):
        return _is_set(node.part)
    return isinstance(node, (tree.Braces, tree.Sequenced))
