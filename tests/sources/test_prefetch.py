"""Pages are fetched ahead: in order, not too far, and no longer than wanted."""

import threading
import time
from dataclasses import replace

import pytest

from app.demo.standin import Fault, StandIn
from app.errors import SourceUnavailable
from tests.sources.builders import SECOND, START, entry, follow, read_all
from tests.sources.conftest import PLAIN

PATH = "/loki/api/v1/query_range"


def threads_of_pages() -> list[threading.Thread]:
    """List the threads that fetch pages now."""
    return [each for each in threading.enumerate() if each.name == "loki-pages"]


def test_pages_are_fetched_at_the_same_time(loki: StandIn) -> None:
    """While one request waits for Loki, the next is on its way."""
    loki.load([entry(at) for at in range(3_000)])
    loki.faults = [Fault(delay_s=0.05)]
    took = {}
    for prefetch in (1, 4):
        source = follow(loki, limit=200, prefetch=prefetch)
        source.restore({"entries": 500, "bytes": 50_000, "window": 160})
        began = time.monotonic()
        assert len(read_all(source, START, START + 3_000)) == 3_000
        took[prefetch] = time.monotonic() - began
        source.close()

    assert took[4] < took[1] / 2


@pytest.mark.parametrize("prefetch", [3, 8])
def test_a_slow_reader_is_not_run_away_from(loki: StandIn, prefetch: int) -> None:
    """Beside the page that is being read no more are fetched than agreed."""
    loki.load([entry(at) for at in range(3_000)])
    source = follow(loki, limit=100, prefetch=prefetch)
    source.restore({"entries": 500, "bytes": 50_000, "window": 100})
    pages = source.pages(START, START + 3_000)
    next(pages)
    time.sleep(0.3)
    fetched, threads = loki.counters[PATH].requests, len(threads_of_pages())
    pages.close()  # type: ignore[attr-defined]
    source.close()

    assert prefetch <= fetched <= 1 + prefetch
    assert threads == 3, "no more requests than that at once"


def test_heavy_pages_are_fetched_one_at_a_time(loki: StandIn) -> None:
    """The room for pages fetched ahead is counted in bytes as well."""
    loki.load([entry(at, "x" * 200_000) for at in range(40)])
    source = follow(loki, limit=5, prefetch=3, page_bytes=200_000)
    source.restore({"window": 4})
    pages = source.pages(START, START + 40)
    next(pages)
    time.sleep(0.2)
    fetched = loki.counters[PATH].entries
    pages.close()  # type: ignore[attr-defined]
    source.close()

    assert fetched <= 5 + 3 * 5


def test_closing_ends_the_threads_though_loki_holds_the_request() -> None:
    """A reader that leaves does not wait for an answer that never comes."""
    with StandIn(limits=replace(PLAIN, hold_s=30)) as loki:
        loki.load([entry(at * SECOND) for at in range(3_000)])
        source = follow(loki, limit=100, timeout_s=60.0)
        pages = source.pages(START, START + 3_000 * SECOND)
        next(pages)
        time.sleep(0.1)
        loki.faults = [Fault(silent_over_bytes=0)]
        next(pages)
        time.sleep(0.1)
        began = time.monotonic()
        pages.close()  # type: ignore[attr-defined]
        took_s = time.monotonic() - began
        left = threads_of_pages()
        source.close()

    assert took_s < 1
    assert not left


def test_an_error_comes_in_its_turn_and_ends_the_threads(loki: StandIn) -> None:
    """Pages before the failed one are given first."""
    loki.load([entry(at) for at in range(1_000)])
    source = follow(loki, limit=100, prefetch=3, retries=0)
    pages = source.pages(START, START + 1_000)
    ends = [next(pages).end]
    time.sleep(0.1)
    loki.faults = [Fault(status=500)]

    with pytest.raises(SourceUnavailable):
        ends.extend(page.end for page in pages)
    source.close()

    assert len(ends) >= 2
    assert not threads_of_pages()


def test_a_generator_that_is_never_begun_costs_nothing(loki: StandIn) -> None:
    """Asking for pages starts nothing before the first is wanted."""
    source = follow(loki)

    source.pages(START, START + 10)
    empty = list(source.pages(START, START))
    source.close()

    assert empty == []
    assert not loki.counters[PATH].requests
