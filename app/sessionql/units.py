"""Tell in which unit the figures of a plan are."""

from app.catalog.fields import find
from app.sessionql.plan import Arithmetic, Leaf, Number, Plan, Rank

_UNITS = {"share": "percentunit", "rate": "cps"}


def unit_of(plan: Plan) -> str:
    """Return the unit as Grafana names it; short where nothing better is known."""
    if isinstance(plan, Leaf):
        return _of_leaf(plan)
    if isinstance(plan, Rank):
        return unit_of(plan.part)
    if isinstance(plan, Arithmetic):
        return _of_arithmetic(plan)
    return "short"


def _of_leaf(leaf: Leaf) -> str:
    if leaf.function in {"sum", "avg", "min", "max", "quantile"}:
        field = find(leaf.field)
        if field is not None and field.type == "time":
            return "dateTimeAsIso"
        return field.unit or "short" if field is not None else "short"
    return _UNITS.get(leaf.function, "short")


def _of_arithmetic(plan: Arithmetic) -> str:
    sides = [
        unit_of(each)
        for each in (plan.left, plan.right)
        if not isinstance(each, Number)
    ]
    if plan.is_bool or not sides:
        return "none"
    if len(sides) == 1:
        return (
            sides[0] if plan.op in {"*", "+", "-"} or plan.op[0] in "=!<>" else "none"
        )
    if plan.op in {"*", "/", "^"}:
        return "none"
    return sides[0]
