"""Find times in which far more sessions than usual had errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from app.api.steps import nice_step
from app.sessionql.evaluate import Evaluator
from app.sessionql.plan import Compare, Filter, Leaf, Window, both

BUCKETS = 120  # of the range, about
LEAST = 5  # sessions with errors in a bucket
SIGMAS = 4  # above what is usual, as if errors came independently
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Burst:
    """A time in which an app had unusually many sessions with errors."""

    app: str
    start: int  # ms
    end: int
    sessions: int  # with errors, that began in it
    usual: float  # in as long a time


def find_bursts(index: Evaluator, window: Window, selector: Filter) -> list[Burst]:
    """List bursts of errors by app, ascending.

    What is usual is the median over the buckets of the range; a bucket is unusual when
    it is more than four standard deviations of a Poisson process above that.
    """
    step = nice_step(window.end - window.start, BUCKETS, MINUTE)
    stepped = Window(window.start, window.end, step, window.now)
    errored = both(selector, Compare("errors", ">", (0,)))
    leaf = Leaf("count", selector=errored, by=("app",))
    counts: dict[str, dict[int, float]] = {}
    for (app,), bucket, value in index.evaluate(leaf, stepped):
        counts.setdefault(app, {})[bucket] = value or 0.0
    found = [
        burst
        for app, by_bucket in counts.items()
        for burst in _bursts(app, by_bucket, stepped.buckets(), step)
    ]
    return sorted(found, key=lambda each: (each.start, each.app))


def _bursts(
    app: str, counts: dict[int, float], buckets: Sequence[int], step: int
) -> Iterator[Burst]:
    """Yield what stands out, neighbouring buckets joined."""
    usual = float(median(counts.get(bucket, 0.0) for bucket in buckets))
    limit = max(LEAST, usual + SIGMAS * sqrt(max(usual, 1.0)))
    start, total, width = 0, 0.0, 0
    for bucket in [*buckets, None]:
        count = counts.get(bucket, 0.0) if bucket is not None else 0.0
        if bucket is not None and count >= limit:
            start = start or bucket
            total, width = total + count, width + 1
        elif width:
            yield Burst(app, start, start + width * step, int(total), usual * width)
            start, total, width = 0, 0.0, 0
