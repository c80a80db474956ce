"""What a question is once it is understood: plain nouns, no text, no SQL.

``metric``, ``by`` and filters of a request, and SessionQL, all become a ``Plan``.
Names in a plan are names of the catalog; whoever builds a plan has checked them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.catalog.fields import COUNTED, KINDS, find, kinds_of
from app.errors import BadRequest
from app.sessionql.filters import (
    EVERYTHING,
    OPERATORS,
    And,
    Any,
    Compare,
    Filter,
    Not,
    Or,
    Sequence,
    Text,
    Value,
    both,
)

COUNTING = frozenset({"count", "rate", "active", "distinct", "sum", "histogram"})


class NoSuchEvent(BadRequest, ValueError):
    """Fields that no event has together."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One figure over the sessions that a filter selects, for each label set.

    Attributes:
        function: count, rate, active, distinct, sum, avg, min, max, quantile,
            histogram or share.
        field: what it is a figure of; "" for count, rate, active and share.
        points: quantiles 0..1, or the upper bounds of buckets, ascending.
        where: for share, what the counted part of the sessions has.
        selector: which sessions; a figure of events is of those that it selects.
        by: names of the labels.
        range_ms: how far back from each instant; 0 = the time asked about.
    """

    function: str
    field: str = ""
    points: tuple[float, ...] = ()
    where: Filter | None = None
    selector: Filter = EVERYTHING
    by: tuple[str, ...] = ()
    range_ms: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the labels of its answer."""
        if self.function == "histogram":
            return (*self.by, "le")
        if self.function == "quantile" and len(self.points) > 1:
            return (*self.by, "quantile")
        return self.by

    @property
    def kind(self) -> str:
        """Return which events it is about; "" when it is about sessions alone.

        ``page`` is that of a visit, unless something else is asked of actions or
        errors; errors summed by page are those that happened there.

        Raises:
            NoSuchEvent: no event has all of the fields.
        """
        names = [*self.by, self.field] if self.field else self.by
        wanted = [kinds_of(field) for name in names if (field := find(name))]
        wanted = [kinds for kinds in wanted if kinds]
        if not wanted:
            return ""
        possible = [kind for kind in KINDS if all(kind in each for each in wanted)]
        if not possible:
            raise NoSuchEvent(f"no event has all of {', '.join(names)}")
        counted = COUNTED.get(self.field) if self.function == "sum" else None
        return counted if counted in possible else possible[0]

    @property
    def is_of_events(self) -> bool:
        """Tell a figure of events from one of the sessions that have them."""
        kind = self.kind
        if not kind:
            return False
        field = find(self.field) if self.field else None
        if field is not None and kinds_of(field):
            return True
        return self.function == "sum" and COUNTED.get(self.field) == kind


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series that a rule recorded, by its name.

    Attributes:
        name: with a colon in it, so that it is no metric's.
        matchers: comparisons of its labels, all of which hold.
        by: labels to keep, the values of what falls together added up; None = all.
        range_ms: how far back a value may be; 0 = as the store has it.
    """

    name: str
    matchers: tuple[Compare, ...] = ()
    by: tuple[str, ...] | None = None
    range_ms: int = 0


@dataclass(frozen=True, slots=True)
class Matching:
    """Which labels make two series meet, as in PromQL.

    Attributes:
        labels: that are compared (``is_on``), or that are not.
        is_on: ``on (...)`` and not ``ignoring (...)``.
        many: the side of which several may meet one: left, right or "".
    """

    labels: tuple[str, ...] = ()
    is_on: bool = False
    many: str = ""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two plans, matched on labels; a number matches everything.

    Attributes:
        op: + - * / % ^, or == != < <= > >= which keep the left where it holds.
        is_bool: a comparison answers 1 or 0 and keeps everything.
    """

    op: str
    left: "Plan"
    right: "Plan"
    matching: Matching = Matching()
    is_bool: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    """The series with the largest totals, or the smallest."""

    part: "Plan"
    count: int
    is_top: bool = True


Plan = Leaf | Number | Recorded | Arithmetic | Rank


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions, one by one.

    Attributes:
        columns: names of fields; empty for all.
        range_ms: as of a leaf.
    """

    selector: Filter = EVERYTHING
    columns: tuple[str, ...] = ()
    range_ms: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The time asked about: sessions that began in ``[start, end)``, by bucket or whole.

    Attributes:
        step: ms of a bucket, or 0 for one figure over all of it. Buckets begin at
            multiples of the step, as Prometheus' and Loki's do; the first may begin
            before ``start`` and then holds only what came after it.
        now: the time of asking; decides which sessions are still active.
    """

    start: int
    end: int
    step: int
    now: int

    def buckets(self) -> range:
        """Return the begin of each bucket; just ``start`` when there is no step."""
        if not self.step:
            return range(self.start, self.start + 1)
        return range(self.start - self.start % self.step, self.end, self.step)


def leaves(plan: Plan) -> Iterator[Leaf]:
    """Yield every leaf of *plan*."""
    if isinstance(plan, Leaf):
        yield plan
    elif isinstance(plan, Rank):
        yield from leaves(plan.part)
    elif isinstance(plan, Arithmetic):
        yield from leaves(plan.left)
        yield from leaves(plan.right)


def bind(plan: Plan, selector: Filter, by: tuple[str, ...] = ()) -> Plan:
    """Narrow every leaf of *plan* to *selector*, and split it by those labels."""
    if isinstance(plan, Leaf):
        split = (*plan.by, *(name for name in by if name not in plan.by))
        return replace(plan, selector=both(plan.selector, selector), by=split)
    if isinstance(plan, Rank):
        return replace(plan, part=bind(plan.part, selector, by))
    if isinstance(plan, Arithmetic):
        left, right = bind(plan.left, selector, by), bind(plan.right, selector, by)
        return replace(plan, left=left, right=right)
    return plan


def counts(plan: Plan) -> bool:
    """Tell whether nothing happening means 0 for *plan*, and not "no value"."""
    if isinstance(plan, Leaf):
        return plan.function in COUNTING
    if isinstance(plan, Rank):
        return counts(plan.part)
    if isinstance(plan, Arithmetic) and plan.op in {"+", "-", "*"}:
        sides = [
            each for each in (plan.left, plan.right) if not isinstance(each, Number)
        ]
        if plan.op != "*" and len(sides) < 2:  # noqa: PLR2004
            return False
        return bool(sides) and all(map(counts, sides))
    return False


__all__ = [
    "EVERYTHING", "OPERATORS", "And", "Any", "Arithmetic", "Compare", "Filter", "Leaf",
    "Matching", "Not", "Number", "Or", "Plan", "Rank", "Recorded", "Sequence",
    "Sessions", "Text", "Value", "Window", "bind", "both", "counts", "leaves",
]  # fmt: skip
