"""Count entries per bucket of time, to see where late ones came in."""

from typing import Any

from app import clock
from app.errors import SourceRefused
from app.sources.loki.answer import STRANGE, read_result
from app.sources.loki.client import Client
from app.sources.loki.gauge import Gauge
from app.sources.loki.logql import Query
from app.sources.loki.pager import QUERY_RANGE
from app.sources.loki.trouble import RangeTooLong, TooMuch

MOST_POINTS = 10_000  # of one answer; Loki gives at most 11,000
SECOND = 1_000_000_000  # ns
FRESH = {"Cache-Control": "no-cache"}  # a cached answer would hide what came late


def count_entries(
    client: Client, query: Query, gauge: Gauge, span: tuple[int, int], step_s: int
) -> dict[int, int]:
    """Count the entries of each bucket that lies wholly inside *span*.

    Args:
        client: asks.
        query: selects the entries.
        gauge: knows how long a time one query may search.
        span: ``(start, end]``, ns.
        step_s: length of a bucket, at least 1.

    Returns:
        By bucket *t* (ns, a multiple of the step): entries in ``(t - step, t]``. That
        is what LogQL means by a range, while a log query gives ``[start, end)``.
    """
    if step_s < 1:
        raise ValueError("a bucket is at least one second long")
    step = step_s * SECOND
    start, end = span
    last = clock.floor_to(end, step)
    at = clock.floor_to(start + 2 * step - 1, step)
    found: dict[int, int] = {}
    while at <= last:
        buckets = max(1, min(MOST_POINTS, gauge.longest // step - 1))
        until = min(last, at + (buckets - 1) * step)
        until = _count_between(client, query, gauge, (at, until, step), found)
        at = until + step
    return found


def _count_between(
    client: Client,
    query: Query,
    gauge: Gauge,
    buckets: tuple[int, int, int],
    found: dict[int, int],
) -> int:
    """Add the buckets from first to last (both included), asking for fewer if need be.

    Returns:
        The last bucket that was asked for.
    """
    first, last, step = buckets
    while True:
        params: dict[str, str | int] = {
            "query": f"sum(count_over_time({query}[{step // SECOND}s]))",
            "start": first,
            "end": last,
            "step": str(step // SECOND),
        }
        try:
            body, _ = client.get_json(QUERY_RANGE, params, headers=FRESH)
        except (RangeTooLong, TooMuch) as refusal:
            if last == first:
                raise
            if isinstance(refusal, RangeTooLong) and refusal.longest_s > 0:
                gauge.bound_window(int(refusal.longest_s * SECOND))
            last = first + (last - first) // step // 2 * step
            continue
        found.update(_read_counts(body))
        return last


def _read_counts(body: Any) -> dict[int, int]:
    try:
        return {
            round(at * 1000) * 1_000_000: int(float(count))
            for series in read_result(body, "matrix")
            for at, count in series["values"]
            if float(count)
        }
    except (KeyError, TypeError, ValueError) as err:
        raise SourceRefused(STRANGE.format("counts over time")) from err
