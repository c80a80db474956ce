"""Figures of a range beside those of the range before it."""

from flask.testing import FlaskClient

from tests.api.conftest import Get
from tests.api.shop import END, HOUR, START

HALF = START + 3 * HOUR


def test_two_ranges_of_the_same_length(get: Get) -> None:
    """The first row is of the range before, the second of the range: what `query` says."""
    rows = get("changes", metric="sessions,views", **{"from": HALF})

    before = get("query", metric="sessions,views", to=HALF)[0]
    now = get("query", metric="sessions,views", **{"from": HALF})[0]
    assert rows == [{"time": START, **before}, {"time": HALF, **now}]


def test_label_that_is_in_one_range_only_has_both(get: Get) -> None:
    """Who is gone has 0 now, and who is new had 0: an alert sees the drop."""
    rows = get("changes", metric="sessions,error_rate", by="app", **{"from": HALF + HOUR})  # fmt: skip

    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    by_app = {}
    for row in rows:
        by_app.setdefault(row["app"], []).append(row["sessions"])
    assert by_app["shop.example.com"] == [0, 1]
    assert all(len(values) == 2 for values in by_app.values())
    new = next(row for row in rows if row["app"] == "shop.example.com")
    assert new["error_rate"] is None


def test_nothing_is_zero_and_not_missing(get: Get) -> None:
    """Without any session there are two rows all the same."""
    rows = get("changes", app="nobody")

    assert [row["sessions"] for row in rows] == [0, 0]


def test_json_data_source_gets_two_points(client: FlaskClient) -> None:
    """The layout `changes` is a series of the two figures."""
    span = {"from": "2025-11-20T03:00:00Z", "to": "2025-11-20T06:00:00Z"}
    target = {"refId": "A", "target": "sessions", "payload": {"format": "changes"}}

    body = {"targets": [target], "range": span}
    (item,) = client.post("/json/query", json=body).get_json()

    assert [at for _, at in item["datapoints"]] == [START, HALF]
    assert sum(value for value, _ in item["datapoints"]) == 12
    assert END - HALF == HALF - START
