"""Weigh what was sampled: estimate figures of all sessions from those that were kept.

Where a source keeps one session in ten, each stands for ten: counts and sums are divided
by the rate. An average, a share or a quantile of sessions that were sampled at one rate
is that of the sample; across rates each session counts by its weight. What is distinct,
least or most is told of the sample as it is.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Compare, Filter, Not, both, walk
from app.sessionql.literals import write_number
from app.sessionql.plan import Leaf, Window
from app.sessionql.strata import Stratum, possible

Place = tuple[tuple[str, ...], int]  # labels, begin of the bucket
Ask = Callable[[Leaf], list[Cell]]
Parted = list[tuple[float, list[Cell]]]  # rate, cells of its stratum
Sizes = list[dict[Place, float]]  # of each stratum: how many sessions a cell is of

WEIGHED = frozenset({"count", "rate", "active", "sum", "histogram"})
_GRID = tuple(n / 100 for n in range(101))  # quantiles that stand for a distribution
_UNCERTAIN = frozenset({"bounced", "returning"})  # of some sessions it cannot be told
_ALWAYS_SAID = frozenset(
    (
        "duration", "views", "actions", "errors", "log_errors", "failed_requests",
        "resources", "events",
    )
)  # fmt: skip


def weigh(
    leaf: Leaf,
    window: Window,
    strata: Sequence[Stratum],
    answer: Callable[[Leaf, Window], list[Cell]],
) -> tuple[list[Cell], str]:
    """Answer *leaf* for all sessions.

    Args:
        leaf: of a plan.
        window: its time.
        strata: of the sessions that were kept.
        answer: answers a leaf over the sessions that were kept.

    Returns:
        Its cells, and what to know of them; "" when no session of them was sampled.
    """

    def ask(leaf: Leaf) -> list[Cell]:
        return answer(leaf, window)

    strata = possible(strata, leaf.selector)
    if len(strata) < 2:  # noqa: PLR2004
        parted = [(each.rate, ask(leaf)) for each in strata]
    elif leaf.function == "distinct":
        parted = [(min(each.rate for each in strata), ask(leaf))]
    else:
        parted = _parted(leaf, strata, ask)
    heard = [(rate, cells) for rate, cells in parted if cells]
    if leaf.function in WEIGHED:
        cells = _summed(heard)
    elif len(heard) < 2:  # noqa: PLR2004
        cells = [cell for _, each in heard for cell in each]
    else:
        cells = _mixed(leaf, parted, strata, ask)
    return cells, _notice(leaf, {rate for rate, _ in heard})


def _notice(leaf: Leaf, rates: set[float]) -> str:
    sampled = sorted(rate for rate in rates if rate < 1)
    if not sampled:
        return ""
    shares = ", ".join(
        f"{rate:.4%}".rstrip("0%").rstrip(".") + " %" for rate in sampled
    )
    if leaf.function in WEIGHED:
        return f"estimated: sessions are sampled ({shares}) and weighted"
    if leaf.function in {"distinct", "min", "max"}:
        return f"of the sample alone: sessions are sampled ({shares})"
    return f"estimated: sessions are sampled ({shares})"


def _parted(leaf: Leaf, strata: Sequence[Stratum], ask: Ask) -> Parted:
    """Ask for a leaf in each of the strata."""
    return [
        (each.rate, ask(replace(leaf, selector=both(leaf.selector, each.selector))))
        for each in strata
    ]


def _summed(parted: Parted) -> list[Cell]:
    total: dict[Place, float] = defaultdict(float)
    for rate, cells in parted:
        for labels, bucket, value in cells:
            if value is not None:
                total[labels, bucket] += value / rate
    return [(labels, bucket, value) for (labels, bucket), value in total.items()]


# -- across rates --------------------------------------------------------------------


def _mixed(
    leaf: Leaf, parted: Parted, strata: Sequence[Stratum], ask: Ask
) -> list[Cell]:
    """Answer a leaf that is no sum, of strata with different rates."""
    if leaf.function in {"min", "max"}:
        return _extreme(parted, min if leaf.function == "min" else max)
    sizes = _sizes(leaf, strata, ask)
    if leaf.function == "quantile":
        grid = _parted(replace(leaf, points=_GRID), strata, ask)
        return _quantiles(leaf, grid, sizes)
    top: dict[Place, float] = defaultdict(float)
    bottom: dict[Place, float] = defaultdict(float)
    for (rate, cells), size in zip(parted, sizes, strict=True):
        for labels, bucket, value in cells:
            place = labels, bucket
            if value is not None:
                top[place] += value * size.get(place, 0) / rate
                bottom[place] += size.get(place, 0) / rate
    return [
        (labels, bucket, top[labels, bucket] / each)
        for (labels, bucket), each in bottom.items()
        if each
    ]


def _extreme(parted: Parted, choose: Callable[[list[float]], float]) -> list[Cell]:
    found: dict[Place, list[float]] = defaultdict(list)
    for _, cells in parted:
        for labels, bucket, value in cells:
            if value is not None:
                found[labels, bucket].append(value)
    return [(*place, choose(values)) for place, values in found.items()]


def _quantiles(leaf: Leaf, grid: Parted, sizes: Sizes) -> list[Cell]:
    """Merge distributions: the quantiles of each stand for its values."""
    spread: dict[Place, list[tuple[float, float]]] = defaultdict(list)
    for (rate, cells), size in zip(grid, sizes, strict=True):
        for labels, bucket, value in cells:
            place = labels[:-1], bucket
            if value is not None:
                spread[place].append((value, size.get(place, 0) / rate))
    found: list[Cell] = []
    for (names, bucket), weighted in spread.items():
        weighted.sort()
        for point in leaf.points:
            last = (write_number(point),) if len(leaf.points) > 1 else ()
            found.append(((*names, *last), bucket, _quantile(weighted, point)))
    return found


def _quantile(weighted: list[tuple[float, float]], point: float) -> float:
    """Return the first of (value, weight), ascending, up to which lies *point* of all."""
    wanted = point * sum(weight for _, weight in weighted)
    for value, weight in weighted:
        wanted -= weight
        if wanted <= 0:
            return value
    return weighted[-1][0]


def _sizes(leaf: Leaf, strata: Sequence[Stratum], ask: Ask) -> Sizes:
    """Return how many sessions, or events, tell what the cells of *leaf* are made of."""
    count = replace(leaf, function="count", field="", points=(), where=None)
    if leaf.function == "share":
        return _counted(_known(leaf), count, strata, ask)
    if leaf.field in _ALWAYS_SAID and not leaf.kind:
        return _sized(_parted(count, strata, ask))
    found = _parted(replace(leaf, function="histogram", points=()), strata, ask)
    return _sized([(rate, _unbounded(cells)) for rate, cells in found])


def _unbounded(cells: list[Cell]) -> list[Cell]:
    return [(labels[:-1], bucket, value) for labels, bucket, value in cells]


def _sized(parted: Parted) -> Sizes:
    return [
        {(labels, bucket): value or 0 for labels, bucket, value in cells}
        for _, cells in parted
    ]


def _known(leaf: Leaf) -> Leaf | None:
    """Return the leaf for the share of sessions that can have what is asked, or not."""
    parts = walk(leaf.where) if leaf.where is not None else ()
    uncertain = sorted(
        {
            each.field
            for each in parts
            if isinstance(each, Compare) and each.field in _UNCERTAIN
            if None not in each.values
        }
    )
    if not uncertain:
        return None
    said: list[Filter] = [Not(Compare(name, "=", (None,))) for name in uncertain]
    where = said[0]
    for each in said[1:]:
        where = both(where, each)
    return replace(leaf, where=where)


def _counted(
    known: Leaf | None, count: Leaf, strata: Sequence[Stratum], ask: Ask
) -> Sizes:
    sizes = _sized(_parted(count, strata, ask))
    if known is None:
        return sizes
    shares = _sized(_parted(known, strata, ask))
    return [
        {place: each * share.get(place, 0) for place, each in size.items()}
        for size, share in zip(sizes, shares, strict=True)
    ]
