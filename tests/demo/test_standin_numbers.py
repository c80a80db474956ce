"""The stand-in counts lines as Loki does."""

import json

import pytest
import requests

from tests.demo.shop import T0, S, ask, entry, started


def series(answer: requests.Response) -> dict[str, list[str]]:
    """Return the values of each series by its labels."""
    assert answer.status_code == 200, answer.text
    return {
        json.dumps(each["metric"]): [value for _, value in each["values"]]
        for each in answer.json()["data"]["result"]
    }


@pytest.mark.parametrize("pipeline", ["", '|= "n"'])
def test_counts_exclude_the_start_of_their_range(pipeline: str) -> None:
    """A point at t counts (t - range, t], at every step from start to end."""
    held = [entry(i * S, f"n{i}", "ab"[i % 2]) for i in range(11)]
    query = 'sum(count_over_time({app=~".+"}' + pipeline + "[5s]))"
    with started(*held) as loki:
        answer = ask(loki, query, end=T0 + 10 * S, step=5)
        by = ask(loki, "sum by (app) " + query[3:], end=T0 + 10 * S, step="5s")

    assert series(answer) == {"{}": ["1", "5", "5"]}
    assert series(by) == {'{"app": "a"}': ["1", "2", "3"], '{"app": "b"}': ["3", "2"]}


def test_bytes_and_rates_are_counted() -> None:
    """Bytes are those of the UTF-8 line; a rate is a second's share."""
    held = [entry(S, "żółw"), entry(2 * S, "xx", level="x")]
    with started(*held) as loki:
        size = ask(loki, 'sum(bytes_over_time({app="shop"}[10s]))', start=T0 + 10 * S)
        rate = ask(loki, 'sum(rate({app="shop"}[10s]))', start=T0 + 10 * S)
        read = ask(
            loki, 'sum(bytes_over_time({app="shop"} != "q" [10s]))', start=T0 + 10 * S
        )

    assert series(size)["{}"][0] == series(read)["{}"][0] == "9"
    assert series(rate)["{}"][0] == "0.2"


def test_a_sum_counts_its_groups_against_the_series_limit() -> None:
    """A sum over many lines' labels passes; a count of as many groups does not."""
    held = [entry(i, f"id={i}") for i in range(20)]
    counts = 'count by (id) (count_over_time({app="shop"} | logfmt [1m]))'
    with started(*held, max_series=10) as loki:
        summed = ask(loki, 'sum(count_over_time({app="shop"} | logfmt [1m]))', step=60)
        counted = ask(loki, counts, step=60)

    assert series(summed) == {"{}": ["1", "19"]}
    assert counted.status_code == 400
    assert counted.text.startswith("maximum number of series (10) reached")
