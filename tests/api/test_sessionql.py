"""SessionQL over HTTP: ``q`` wherever a question is asked."""

import inspect
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Get
from tests.api.shop import END, HOUR, START

SHOP = '{ app = "shop" }'


def panel(client: FlaskClient, target: Any, **payload: Any) -> Any:
    """Ask as the JSON data source does."""
    body = {
        "range": {"from": START, "to": END},
        "intervalMs": HOUR,
        "maxDataPoints": 100,
        "targets": [{"refId": "A", "target": target, "payload": payload}],
    }
    return client.post("/json/query", json=body)


def test_query_answers_rows(get: Get) -> None:
    """One row a label set, the figure under ``Value``."""
    rows = get("query", q=f"{SHOP} | count_over_time() by (browser)")

    assert rows == [
        {"browser": "Chrome", "Value": 6},
        {"browser": "Safari", "Value": 3},
    ]


def test_query_is_narrowed_by_filters_and_split_by_labels(get: Get) -> None:
    """Variables and ad hoc filters of a dashboard hold for queries, too."""
    rows = get("query", q="{ } | count_over_time()", app="shop", by="country")

    assert rows == [{"country": "SE", "Value": 6}, {"country": "DE", "Value": 3}]


def test_metric_is_short_for_its_query(get: Get) -> None:
    """``metric``, ``by`` and filters say what a query says."""
    short = get("query", metric="error_rate", by="browser", app="shop")
    long = get("query", q='error_rate { app = "shop" } by (browser)')

    assert [row["error_rate"] for row in short] == [row["Value"] for row in long]


def test_query_range_fills_every_bucket(get: Get) -> None:
    """An hour without sessions is there, and 0."""
    query = '{ browser = "Safari" } | count_over_time()'
    rows = get("query_range", q=query, step="1h")

    assert [row["Value"] for row in rows] == [0, 1, 0, 1, 0, 1]


def test_range_looks_back(get: Get) -> None:
    """With a range each value is about the time before the end of its bucket."""
    query = '{ browser = "Safari" }[2h] | count_over_time()'
    rows = get("query_range", q=query, step="1h")

    assert [row["Value"] for row in rows] == [0, 1, 1, 1, 1, 1]


def test_active_sessions_have_steps_of_minutes(get: Get) -> None:
    """A step that no figure of the query can have is rounded up."""
    rows = get("query_range", q="{ } | active_over_time()", step="90s")

    assert rows[1]["time"] - rows[0]["time"] == 120_000


def test_search_takes_sequences(get: Get) -> None:
    """Sessions that went from one page straight to another."""
    found = get("sessions", q='{ page = "/cart" } > { page = "/pay" }')

    assert [each["id"] for each in found["items"]] == ["s2"]


def test_search_shows_what_is_selected(get: Get) -> None:
    """The chosen columns, after what tells a session from others."""
    found = get("sessions", q="{ errors > 0 } | select(browser, errors, user.plan)")

    assert found["items"] == [
        {"id": "s2", "app": "shop", "start": START + 3 * HOUR, "browser": "Safari",
         "errors": 1, "user.plan": None}
    ]  # fmt: skip


def test_search_has_its_own_range(get: Get) -> None:
    """A range of a selection is before the end of what is asked."""
    assert get("sessions", q="{ }[1h]")["total"] == 2


@pytest.mark.parametrize("name", ["target", "payload"])
def test_panel_takes_a_query(client: FlaskClient, name: str) -> None:
    """As the target itself, or as ``q`` in the payload."""
    query = f"{SHOP} | count_over_time() by (browser)"
    asked = (query, {}) if name == "target" else ("sessions", {"q": query})

    answer = panel(client, asked[0], **asked[1]).get_json()

    assert [each["target"] for each in answer] == ["Chrome", "Safari"]
    assert [point[0] for point in answer[1]["datapoints"]] == [0, 1, 0, 1, 0, 1]


def test_panel_lists_sessions(client: FlaskClient) -> None:
    """A selection is a table."""
    (table,) = panel(client, "{ errors > 0 } | select(browser)").get_json()

    assert [each["text"] for each in table["columns"]] == [
        "start",
        "id",
        "app",
        "browser",
    ]
    assert table["rows"] == [[START + 3 * HOUR, "s2", "shop", "Safari"]]


def test_lists_of_metrics_are_no_queries(client: FlaskClient) -> None:
    """Several metrics in one of Grafana's formats stay what they are."""
    answer = panel(client, "{sessions,errors}").get_json()

    assert [each["target"] for each in answer] == ["Sessions", "Errors"]


@pytest.mark.parametrize("path", ["query", "query_range", "sessions"])
def test_refusal_points(refuse: Get, path: str) -> None:
    """The message says where, and shows it."""
    message = refuse(path, q='{ brwoser = "x" }')

    assert message == inspect.cleandoc("""
        line 1, column 3: no field 'brwoser'; did you mean 'browser'?
          { brwoser = "x" }
            ^""")


def test_list_is_no_figure_and_a_figure_no_list(refuse: Get) -> None:
    """What is asked in the wrong place is told what to add."""
    assert "add | count_over_time()" in refuse("query", q="{ }")
    assert "a list of sessions is wanted" in refuse("sessions", q="{ } | rate()")


def test_catalogue_shows_the_query_of_each_metric(client: FlaskClient) -> None:
    """A curious user can read what a metric is."""
    metrics = client.get("/api/v1").get_json()["metrics"]

    assert {each["name"]: each["query"] for each in metrics}["error_rate"] == (
        "{ } | share_over_time(errors > 0)"
    )
