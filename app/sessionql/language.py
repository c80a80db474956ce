"""SessionQL: text in, a checked plan out."""

from dataclasses import dataclass, field
from functools import lru_cache

from app.sessionql.figures import Planner
from app.sessionql.plan import Arithmetic, Plan, Rank, Recorded, Sessions, leaves
from app.sessionql.problems import QueryError
from app.sessionql.read import read

_CACHED = 512


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is understood.

    Attributes:
        text: as it was written.
        plan: names in it are names of the catalog; ``Sessions`` for a list.
        range_ms: the longest range that it says; None = that of whoever asks.
        kind: sessions | series.
    """

    text: str
    plan: Plan | Sessions
    range_ms: int | None = field(init=False)
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        is_list = isinstance(self.plan, Sessions)
        object.__setattr__(self, "kind", "sessions" if is_list else "series")
        object.__setattr__(self, "range_ms", _longest(self.plan) or None)

    @property
    def figures(self) -> Plan:
        """Return the plan of a query for series.

        Raises:
            QueryError: it lists sessions.
        """
        if isinstance(self.plan, Sessions):
            raise QueryError(
                "this lists sessions, and figures are wanted here;"
                " add | count_over_time()",
                self.text,
                expected=("|",),
            )
        return self.plan

    @property
    def sessions(self) -> Sessions:
        """Return the plan of a query for sessions.

        Raises:
            QueryError: it makes figures.
        """
        if not isinstance(self.plan, Sessions):
            raise QueryError(
                "this makes figures, and a list of sessions is wanted here;"
                " write { ... } alone, or with | select(...)",
                self.text,
                expected=("{",),
            )
        return self.plan


@lru_cache(maxsize=_CACHED)
def parse(text: str) -> Query:
    """Read and check a query.

    Raises:
        QueryError: it cannot be meant; says where, and what was expected.
    """
    return Query(text, Planner(text).plan(read(text)))


def _longest(plan: Plan | Sessions) -> int:
    if isinstance(plan, Sessions):
        return plan.range_ms
    spans = [leaf.range_ms for leaf in leaves(plan)]
    return max([*spans, *_recorded(plan)], default=0)


def _recorded(plan: Plan) -> list[int]:
    if isinstance(plan, Recorded):
        return [plan.range_ms]
    if isinstance(plan, Rank):
        return _recorded(plan.part)
    if isinstance(plan, Arithmetic):
        return _recorded(plan.left) + _recorded(plan.right)
    return []
