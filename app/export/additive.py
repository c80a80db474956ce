"""Tell whether what a rule records may be added up over its labels."""

from functools import lru_cache

from app.errors import SkaldError
from app.sessionql.language import parse
from app.sessionql.plan import Arithmetic, Leaf, Plan, Rank, Sessions

_COUNTS = frozenset({"count", "rate", "sum", "active"})


@lru_cache(maxsize=1_024)
def adds_up(expr: str) -> bool:
    """Tell whether values of *expr* are counts, of which the rest can be one count.

    Ratios, averages and quantiles are none, nor are distinct users: the same one may be
    behind two labels. What is not understood does not add up either.
    """
    try:
        plan = parse(expr).plan
    except SkaldError:
        return False
    return not isinstance(plan, Sessions) and _is_count(plan)


def _is_count(plan: Plan) -> bool:
    if isinstance(plan, Leaf):
        return plan.function in _COUNTS
    if isinstance(plan, Rank):
        return _is_count(plan.part)
    if isinstance(plan, Arithmetic) and plan.op == "+":
        return _is_count(plan.left) and _is_count(plan.right)
    return False
