"""The pager learns Loki's limits from its answers, and remembers them."""

import json
from dataclasses import replace

import pytest

from app.demo.standin import Fault, StandIn
from app.errors import SourceRefused
from tests.sources.builders import SECOND, START, entry, follow, read_all
from tests.sources.conftest import PLAIN

DAY = 86_400 * SECOND
LINE = "x" * 1_000


def test_a_smaller_maximum_of_entries_is_adapted_to_and_remembered() -> None:
    """One refused request teaches the maximum, also to the next run."""
    with StandIn(limits=replace(PLAIN, max_entries=50)) as loki:
        loki.load([entry(at) for at in range(300)])
        first = follow(loki, prefetch=1)
        found = read_all(first, START, START + 300)
        first.close()
        second = follow(loki, prefetch=1)
        second.restore(json.loads(json.dumps(first.state())))
        again = read_all(second, START, START + 300)
        second.close()

    assert len(found) == len(again) == 300
    assert first.counters.reasons["adapted"] == 1
    assert second.counters.reasons["adapted"] == 0


def test_a_smaller_maximum_of_time_is_adapted_to() -> None:
    """A range that is too long is cut to what the refusal names."""
    with StandIn(limits=replace(PLAIN, max_query_length_s=600)) as loki:
        loki.load([entry(at * 60 * SECOND) for at in range(60)])
        source = follow(loki, prefetch=1)

        found = read_all(source, START, START + 3_600 * SECOND)
        source.close()

    assert len(found) == 60
    assert source.counters.reasons["adapted"] == 1
    assert source.state()["longest"] == 600 * SECOND


def test_quiet_months_take_few_requests(loki: StandIn) -> None:
    """Windows grow where nothing is, up to the longest that may be asked for."""
    loki.load([entry(0), entry(300 * DAY)])
    source = follow(loki)

    found = read_all(source, START, START + 301 * DAY)
    source.close()

    assert len(found) == 2
    assert source.counters.requests < 25


def test_windows_aim_below_the_limit(loki: StandIn) -> None:
    """Most answers are neither full nor small once the density is known."""
    loki.load([entry(at * SECOND) for at in range(20_000)])
    source = follow(loki, limit=1_000, prefetch=1)

    sizes = [page.entries for page in source.pages(START, START + 20_000 * SECOND)]
    source.close()

    steady = sizes[5:-1]
    assert all(700 <= size <= 900 for size in steady)


def test_pages_stay_under_the_bytes_that_loki_can_move() -> None:
    """With the default settings no answer ever meets a 4 MiB message limit."""
    with StandIn(limits=PLAIN) as loki:
        loki.load([entry(at, f"{at} {LINE}") for at in range(12_000)])
        source = follow(loki)

        found = read_all(source, START, START + 12_000)
        source.close()

    assert len(found) == 12_000
    assert source.counters.reasons["cut"] == 0


def test_silence_shrinks_pages_and_is_remembered() -> None:
    """A Loki that says nothing to large requests is asked for half from then on."""
    with StandIn(limits=replace(PLAIN, max_message_bytes=200_000)) as loki:
        loki.load([entry(at, f"{at} {LINE}") for at in range(1_500)])
        first = follow(loki, prefetch=1)
        found = read_all(first, START, START + 1_500)
        first.close()
        second = follow(loki, prefetch=1)
        second.restore(json.loads(json.dumps(first.state())))
        again = read_all(second, START, START + 1_500)
        second.close()

    assert len(found) == len(again) == 1_500
    assert 1 <= first.counters.reasons["cut"] <= 3
    assert second.counters.reasons["cut"] == 0


def test_an_outage_is_not_taken_for_a_limit_for_ever(loki: StandIn) -> None:
    """After a cut answer pages are small for a while, then large again."""
    loki.load([entry(at, f"{at} {LINE}") for at in range(25_000)])
    loki.faults = [Fault(cut_after_bytes=0, times=1)]
    source = follow(loki, prefetch=1, page_bytes=600_000)

    sizes = [page.entries for page in source.pages(START, START + 25_000)]
    source.close()

    assert sum(sizes) == 25_000
    assert max(sizes[:50]) <= 250
    assert max(sizes) >= 380


def test_one_huge_entry_goes_through(loki: StandIn) -> None:
    """An entry near the size that Loki can move comes alone, if need be."""
    lines = [entry(at, f"{at} {LINE}") for at in range(2_000)]
    loki.load([*lines, entry(1_000, "y" * 3_900_000)])
    source = follow(loki)

    found = read_all(source, START, START + 2_000)
    source.close()

    assert len(found) == 2_001


@pytest.mark.parametrize(
    "text",
    [
        "the query would read too many bytes (query: 9 GB, limit: 1 GB); consider",
        "maximum number of series (500) reached for a single query",
        "query timed out",
    ],
)
def test_a_query_that_costs_too_much_is_narrowed(loki: StandIn, text: str) -> None:
    """A refusal of the cost halves the time that is asked for."""
    loki.load([entry(at) for at in range(10)])
    loki.faults = [Fault(status=400, body=text, times=3)]
    source = follow(loki, prefetch=1)

    found = read_all(source, START, START + 10)
    source.close()

    assert len(found) == 10
    assert source.counters.reasons["adapted"] == 3


def test_a_refusal_that_no_narrowing_helps_is_shown(loki: StandIn) -> None:
    """In the end Loki's own words reach the user."""
    loki.faults = [Fault(status=400, body="query timed out")]
    source = follow(loki)

    with pytest.raises(SourceRefused, match="query timed out"):
        list(source.pages(START, START + DAY))
    source.close()


def test_a_memory_that_makes_no_sense_is_ignored(loki: StandIn) -> None:
    """What was stored may be of another version, or broken."""
    loki.load([entry(at) for at in range(10)])
    source = follow(loki)
    source.restore({"most": -1, "longest": "long", "bytes": 1e999, "other": 1})

    found = read_all(source, START, START + 10)
    source.close()

    assert len(found) == 10
