"""Infinity: what its backend parser makes of the answers is what was meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Get
from tests.api.shop import END, HOUR, START
from tests.contract.infinity import Field, read

Row = dict[str, Any]
RECORDED = Path(__file__).parents[1] / "data" / "grafana" / "infinity-3.11.1.json"
CASES = json.loads(RECORDED.read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_frames_are_those_of_the_plugin(case: Row) -> None:
    """What the tests make of an answer is what the plugin's backend made of it."""
    target = {**case, "root_selector": ""}

    fields = read(target, json.dumps(case["body"]).encode())

    assert [vars(each) for each in fields] == case["fields"]


def ask(client: FlaskClient, target: Row, **more: str) -> list[Field]:
    """Run *target* as Infinity would, its macros filled in."""
    given = {each["key"]: each["value"] for each in target["url_options"]["params"]}
    given |= {"from": str(START), "to": str(END), **more}
    response = client.get(target["url"], query_string=given)
    assert response.status_code == 200, response.get_data()
    return read(target, response.get_data())


@pytest.fixture(scope="module")
def targets(client: FlaskClient) -> dict[str, Row]:
    """Return the targets that the catalogue offers, by path."""
    found = client.get("/api/v1").get_json()["endpoints"]
    return {each["path"]: each["infinity"] for each in found}


def test_every_offered_target_works(
    client: FlaskClient, targets: dict[str, Row]
) -> None:
    """What the catalogue offers to paste has figures in it."""
    for target in targets.values():
        fields = ask(client, target)
        said = [each for each in fields if each.name != "timeEnd"]  # of a region only
        assert all(any(v is not None for v in each.values) for each in said)


def test_chart_has_a_series_a_label(
    client: FlaskClient, targets: dict[str, Row]
) -> None:
    """A chart by app gets a series an app, named by its label only."""
    time, *series = ask(client, targets["/api/v1/query_range"], step="1h")

    assert time.values == list(range(START, END, HOUR))
    assert {each.name for each in series} == {"Value"}
    assert {each.labels["app"]: sum(each.values) for each in series} == {
        "shop": 9,
        "blog": 2,
        "shop.example.com": 1,
    }


def test_empty_buckets_are_said(client: FlaskClient, targets: dict[str, Row]) -> None:
    """A count is 0 where nothing happened, a rate is null."""
    target = targets["/api/v1/query_range"]

    counts = ask(client, target, step="1h", app="blog")
    rates = ask(client, target, step="1h", app="blog", metric="bounce_rate")

    assert counts[1].values == [0, 0, 1, 0, 1, 0]
    assert [value is None for value in rates[1].values] == [True, True, False] * 1 + [
        True,
        False,
        True,
    ]


def test_alert_without_sessions_has_a_figure(get: Get) -> None:
    """An alert on a count gets 0, and not "no data", when nothing happened."""
    assert get("query", app="nobody") == [{"sessions": 0}]
    assert get("query", app="nobody", metric="error_rate") == [{"error_rate": None}]


def test_alert_row_has_no_time(get: Get) -> None:
    """An instant alert gets text columns, which become labels, and one number."""
    rows = get("query", metric="error_rate", by="app,browser")

    assert {tuple(row) for row in rows} == {("app", "browser", "error_rate")}
    assert len({(row["app"], row["browser"]) for row in rows}) == len(rows)


def test_literal_macros_of_alerts_are_not_set(get: Get) -> None:
    """Alerts send variables and intervals as they stand: they narrow nothing."""
    rows = get(
        "query_range",
        app="${app:csv}",
        country="$country",
        browser="$__all",
        page=".*",
        step="${__interval}",
        by="$by",
    )

    assert sum(row["Value"] for row in rows) == 12


def test_variable_without_values_has_a_row(get: Get) -> None:
    """Infinity fails on an empty list, so there is one row that chooses nothing."""
    assert get("variables/browser", app="nobody") == [
        {"__text": "(none)", "__value": ""}
    ]


def test_answer_is_compressed(client: FlaskClient) -> None:
    """Infinity sends the raw answer on to the browser, so large ones are compressed."""
    response = client.get("/api/v1", headers={"Accept-Encoding": "gzip"})

    assert response.headers["Content-Encoding"] == "gzip"


def test_body_may_be_text(client: FlaskClient) -> None:
    """Infinity posts JSON as text/plain unless told otherwise."""
    body = f'{{"metric": "sessions", "from": {START}, "to": "{END}", "app": ["blog"]}}'

    response = client.post("/api/v1/query", data=body, content_type="text/plain")

    assert response.get_json() == [{"sessions": 2}]


def test_refusal_is_readable_in_the_status_line(client: FlaskClient) -> None:
    """Infinity shows nothing of a refusal but its status line."""
    response = client.get("/api/v1/query?metric=sesions")

    assert response.status == "400 no metric 'sesions'; did you mean 'sessions'?"
