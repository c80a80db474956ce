"""What a question is once it is understood: plain nouns, no text, no SQL.

``metric``, ``by`` and filters of a request, and SessionQL later, all become a ``Plan``.
Names in a plan are names of the catalog; whoever builds a plan has checked them.
"""

from dataclasses import dataclass, replace

Value = str | float | bool

OPERATORS = ("=", "!=", "=~", "!~", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value; ``=`` and ``!=`` may name several (any, none)."""

    field: str
    op: str  # one of OPERATORS; =~ and !~ match the whole value, as Prometheus does
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Text found anywhere in pages, errors, actions, users or attributes; no case."""

    text: str


@dataclass(frozen=True, slots=True)
class And:
    """All of them; none at all is always true."""

    parts: tuple["Filter", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not that."""

    part: "Filter"


Filter = Compare | Text | And | Or | Not
EVERYTHING = And()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One figure over the sessions that a filter selects, for each label set.

    Attributes:
        function: count, active, distinct, sum, avg, min, max, quantile or share.
        field: what it is a figure of; "" for count and active.
        quantile: 0..1, for quantile.
        where: for share, what the counted part of the sessions has.
        by: names of the labels.
    """

    function: str
    field: str = ""
    quantile: float = 0.0
    where: Filter | None = None
    selector: Filter = EVERYTHING
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two plans, matched on equal labels; a number matches everything."""

    op: str  # + - * /
    left: "Plan"
    right: "Plan"


Plan = Leaf | Number | Arithmetic


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


def bind(plan: Plan, selector: Filter, by: tuple[str, ...]) -> Plan:
    """Narrow every leaf of *plan* to *selector*, and split it by those labels."""
    if isinstance(plan, Leaf):
        return replace(plan, selector=both(plan.selector, selector), by=by)
    if isinstance(plan, Arithmetic):
        left, right = bind(plan.left, selector, by), bind(plan.right, selector, by)
        return replace(plan, left=left, right=right)
    return plan


def both(left: Filter, right: Filter) -> Filter:
    """Join two filters."""
    if left == EVERYTHING:
        return right
    if right == EVERYTHING:
        return left
    return And((left, right))
