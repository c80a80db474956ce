"""Counting over Loki keeps to its limits."""

from dataclasses import replace

import pytest

from app.demo.standin import Fault, StandIn
from app.errors import SourceRefused
from tests.sources.builders import SECOND, START, entry, follow, http, raw_server
from tests.sources.conftest import PLAIN

HOUR = 3_600 * SECOND


def test_many_buckets_take_several_requests(loki: StandIn) -> None:
    """No answer has more than 10,000 points."""
    loki.load([entry(at * 100 * SECOND) for at in range(1, 241)])
    source = follow(loki)

    counts = source.counts(START, START + 24_000 * SECOND, 1)
    source.close()

    assert counts == {START + at * 100 * SECOND: 1 for at in range(1, 241)}
    assert source.counters.requests == 3


def test_a_shorter_maximum_of_time_is_adapted_to() -> None:
    """A range that is too long is counted in parts."""
    with StandIn(limits=replace(PLAIN, max_query_length_s=3_600)) as loki:
        loki.load([entry(at * 60 * SECOND) for at in range(600)])
        source = follow(loki)
        counts = source.counts(START, START + 10 * HOUR, 60)
        source.close()

    assert sum(counts.values()) == 599
    assert len(counts) == 599


def test_a_count_that_costs_too_much_is_halved(loki: StandIn) -> None:
    """Down to one bucket; then Loki's words are shown."""
    loki.load([entry(at * 60 * SECOND) for at in range(60)])
    source = follow(loki)
    too_much = Fault(status=400, body="the query would read too many bytes", times=2)
    loki.faults = [too_much]

    counts = source.counts(START, START + HOUR, 60)
    loki.faults = [replace(too_much, times=None)]
    with pytest.raises(SourceRefused, match="too many bytes"):
        source.counts(START, START + HOUR, 60)
    source.close()

    assert sum(counts.values()) == 59


def test_counts_are_never_taken_from_a_cache() -> None:
    """What came late would be missing in a cached answer."""
    asked: list[bytes] = []
    body = (
        b'{"data":{"resultType":"matrix","result":[{"values":[[1795161300.5,"3"]]}]}}'
    )

    def answer(line: object, request: bytes) -> None:
        asked.append(request)
        line.sendall(http(body))  # type: ignore[attr-defined]

    with raw_server(answer) as url:
        source = follow(url)
        counts = source.counts(START, START + 60 * SECOND, 60)
        source.close()

    assert counts == {1_795_161_300_500_000_000: 3}
    assert b"Cache-Control: no-cache" in asked[0]


def test_counts_of_something_else_are_refused() -> None:
    """A server that is no Loki is not believed to have counted nothing."""
    body = b'{"data":{"resultType":"matrix","result":[{}]}}'
    with raw_server(lambda line, _asked: line.sendall(http(body))) as url:
        source = follow(url)

        with pytest.raises(SourceRefused, match=r"check loki\.url"):
            source.counts(START, START + 60 * SECOND, 60)
        with pytest.raises(ValueError, match="one second"):
            source.counts(START, START + 60 * SECOND, 0)
        source.close()
