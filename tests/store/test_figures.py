"""Every metric by every dimension is what counting by hand gives."""

from itertools import pairwise
from typing import Any

import pytest

from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS
from app.errors import BadRequest
from app.sessionql.evaluate import Frame, evaluate
from app.sessionql.language import parse
from app.sessionql.plan import EVERYTHING, Compare, Filter, Leaf, Window, bind
from app.store.seam import Reader
from tests.build import HOUR, MINUTE
from tests.store.engines import Engine
from tests.store.plain import PlainStore
from tests.store.town import END, NOW, START, WINDOW, fill, town

DIMENSIONS = [name for name, field in FIELDS.items() if field.groups]
DIMENSIONS += ["session.ab_test", "session.plan", "event.sku"]
BY = [(), *((name,) for name in DIMENSIONS), ("app", "browser"), ("version", "page")]
NUMBERS = [name for name, field in FIELDS.items() if field.type == "number"]
STEPS = (0, 20 * MINUTE, HOUR)
FILTERS: dict[str, Filter] = {
    "app": Compare("app", "=", ("tealeaf-shop",)),
    "errors": Compare("errors", ">", (0.0,)),
    "page": Compare("page", "=~", ("/products.*",)),
}


@pytest.fixture(scope="module")
def both(shared: Engine) -> tuple[Reader, PlainStore]:
    """Return the engine, filled, and the same sessions in a list."""
    fill(shared)
    reader = shared.reader()
    return reader, PlainStore(town(reader))


def told(frame: Frame) -> dict[Any, Any]:
    """Return what a frame says, floats rounded to what summing may differ by."""
    return {
        series.labels: [
            value if value is None else pytest.approx(value) for value in series.values
        ]
        for series in frame.series
        if any(value is not None for value in series.values)
    }


def ask(
    store: Any, metric: str, by: tuple[str, ...], window: Window, **more: Any
) -> Any:
    """Answer a metric; a refusal is an answer too."""
    known = METRICS[metric]
    plan = bind(parse(known.text).figures, more.get("selector", EVERYTHING), by)
    try:
        frame = evaluate(plan, window, store, zero=known.counts, max_series=100_000)
    except BadRequest:
        return "refused"
    return told(frame)


@pytest.mark.parametrize("by", BY, ids=",".join)
def test_metric_is_what_counting_gives(
    both: tuple[Reader, PlainStore], by: tuple[str, ...]
) -> None:
    """A metric by these labels, over all of the time and by bucket."""
    reader, plain = both
    wrong = [
        (metric, step)
        for metric in METRICS
        for step in STEPS
        if ask(reader, metric, by, window := Window(START, END, step, NOW))
        != ask(plain, metric, by, window)
    ]

    assert wrong == []


@pytest.mark.parametrize("chosen", FILTERS)
@pytest.mark.parametrize("by", [(), ("page",), ("error",), ("browser",)], ids=",".join)
def test_filtered_metric_is_what_counting_gives(
    both: tuple[Reader, PlainStore], by: tuple[str, ...], chosen: str
) -> None:
    """A metric of some of the sessions, or of some of their events."""
    reader, plain = both
    more = {"selector": FILTERS[chosen]}
    wrong = [
        metric
        for metric in METRICS
        if ask(reader, metric, by, WINDOW, **more)
        != ask(plain, metric, by, WINDOW, **more)
    ]

    assert wrong == []


@pytest.mark.parametrize("function", ["sum", "avg", "min", "max", "quantile"])
def test_figure_of_every_number(both: tuple[Reader, PlainStore], function: str) -> None:
    """Sums, means, extremes and quantiles of every number of the catalog."""
    reader, plain = both
    wrong = []
    for name in NUMBERS:
        for by in ((), ("app",)):
            leaf = Leaf(function, name, (0.9,), by=by)
            found = dict(cells(reader.evaluate(leaf, WINDOW)))
            if found != dict(cells(plain.evaluate(leaf, WINDOW))):
                wrong.append((name, by))

    assert wrong == []


def cells(found: list[Any]) -> Any:
    """Return cells by what they are of."""
    return (
        ((labels, bucket), value if value is None else pytest.approx(value))
        for labels, bucket, value in found
        if value is not None
    )


def test_parts_sum_to_the_whole(both: tuple[Reader, PlainStore]) -> None:
    """Grouped by what each session has once, the groups sum to the total."""
    reader, _ = both
    whole = reader.evaluate(Leaf("count"), WINDOW)[0][2]
    once = [n for n in DIMENSIONS if n in FIELDS and FIELDS[n].scope == "session"]

    for name in once:
        parts = reader.evaluate(Leaf("count", by=(name,)), WINDOW)
        assert sum(value or 0 for _, _, value in parts) == whole, name


def test_buckets_sum_to_the_whole(both: tuple[Reader, PlainStore]) -> None:
    """Cut anywhere, a time's sessions are those of its pieces."""
    reader, _ = both
    whole = reader.evaluate(Leaf("count"), WINDOW)[0][2]
    edges = [START, NOW - HOUR + 1, NOW - 17 * MINUTE - 3, NOW, END]
    pieces = [
        reader.evaluate(Leaf("count"), Window(since, until, 0, NOW))
        for since, until in pairwise(edges)
    ]

    assert sum(piece[0][2] or 0 for piece in pieces if piece) == whole


def test_values_come_with_their_sessions(both: tuple[Reader, PlainStore]) -> None:
    """The values of a field are listed, most frequent first."""
    reader, plain = both
    for name in ("app", "page", "browser", "error", "entry", "session.ab_test"):
        found = reader.values(name, WINDOW, EVERYTHING, 1_000)
        leaf = Leaf("count", by=(name,))
        hand = {c[0][0]: c[2] for c in plain.evaluate(leaf, WINDOW) if c[0][0]}
        assert dict(found) == hand, name
        assert [count for _, count in found] == sorted(hand.values(), reverse=True)
