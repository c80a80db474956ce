"""Payloads of the JSON data source: what a dashboard's builder makes of variables."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.api.targets import ALIASES
from tests.api.shop import END, HOUR, START

Item = dict[str, Any]
RANGE = {"from": START, "to": END}


def ask(client: FlaskClient, target: Item, **more: Any) -> list[Item]:
    """Ask for a table of one target."""
    panel = {"range": RANGE, "targets": [{"refId": "A", "type": "table", **target}]}
    response = client.post("/json/query", json={**panel, **more})
    assert response.status_code == 200, response.get_data()
    found: list[Item] = response.get_json()
    return found


def sessions(client: FlaskClient, payload: Any, **more: Any) -> int:
    """Count sessions that a payload selects."""
    [table] = ask(client, {"target": "sessions", "payload": payload}, **more)
    found: int = table["rows"][0][0]
    return found


@pytest.mark.parametrize(
    ("payload", "count"),
    [
        ({}, 12),
        (None, 12),
        ("", 12),
        ({"app": r"shop\.example\.com"}, 1),
        ({"app": "(shop|blog)"}, 11),
        ({"app": ["(shop|blog)"]}, 11),
        ({"app": ["shop", "blog"]}, 11),
        ({"app": "{shop,blog}"}, 11),
        ({"app": "All"}, 12),
        ({"app": "$__all"}, 12),
        ({"app": []}, 12),
        ({"countries": ["SE", "DE"]}, 10),
        ({"errors": "1"}, 1),
        ({"errors": ">0"}, 1),
        ({"bounced": "true", "app": "shop"}, 2),
        ({"text": "buy"}, 1),
    ],
)
def test_payload_selects(client: FlaskClient, payload: Any, count: int) -> None:
    """Each way in which a builder writes a choice is understood."""
    assert sessions(client, payload) == count


def test_first_versions_call_it_data(client: FlaskClient) -> None:
    """0.1 and 0.2 send ``data``, and null when there is none."""
    [table] = ask(client, {"target": "sessions", "data": {"app": "blog"}})
    [other] = ask(client, {"target": "sessions", "data": None})

    assert table["rows"] == [[2]]
    assert other["rows"] == [[12]]


def test_variables_are_believed_before_the_payload(client: FlaskClient) -> None:
    """What a variable really holds decides, where the escaped text could mislead."""
    scoped = {
        "what": {"text": "x", "value": "buy, now"},
        "__sceneObject": {"text": "x"},
    }

    assert sessions(client, {"action": "buy, now"}) == 0
    assert sessions(client, {"action": "buy, now"}, scopedVars=scoped) == 1


def test_a_limit_is_a_number_whatever_variables_hold(client: FlaskClient) -> None:
    """A variable that happens to hold the same text takes nothing from a limit."""
    payload = {"limit": "1", "columns": ["user"]}
    scoped = {"top": {"text": "1", "value": "1"}}

    [table] = ask(client, {"target": "users", "payload": payload}, scopedVars=scoped)
    [every] = ask(client, {"target": "users", "payload": {"columns": ["user"]}})

    assert len(table["rows"]) == 1 < len(every["rows"])


def test_tables_of_a_panel_have_the_same_rows(client: FlaskClient) -> None:
    """Grafana makes one table of them: what the first shows, the others have, too."""
    payload = {"by": ["page"], "limit": 2}
    named = ("sessions", "error_rate", "views")
    targets = [
        {"refId": name, "target": name, "type": "table", "payload": payload}
        for name in named
    ]

    found = client.post("/json/query", json={"range": RANGE, "targets": targets})
    tables = [each["rows"] for each in found.get_json()]
    alone = [ask(client, {"target": each, "payload": {"by": ["page"]}}) for each in named]  # fmt: skip

    assert [len(each) for each in tables] == [2, 2, 2]
    assert {tuple(page for page, _ in each) for each in tables} == {
        tuple(page for page, _ in tables[0])
    }
    for table, [whole] in zip(tables, alone, strict=True):
        known = dict(whole["rows"])
        assert all(known.get(page) == value for page, value in table)


def test_series_are_shown_under_their_name_alone(client: FlaskClient) -> None:
    """`title` is what Grafana shows; without it that is name and label: "/ /"."""
    target = {"target": "sessions", "type": "timeserie", "payload": {"by": ["version"]}}

    found = ask(client, target)

    assert found
    assert all(each["title"] == each["target"] for each in found)
    assert {each["title"] for each in found} == {
        each["tags"]["version"] or "(none)" for each in found
    }


def test_code_lists_are_literal(client: FlaskClient) -> None:
    """A list in JSON code holds values, not texts to split."""
    target = {"target": "sessions", "editorMode": "code"}

    [table] = ask(client, {**target, "payload": {"action": ["buy, now"]}})

    assert table["rows"] == [[1]]


def test_what_is_not_understood_is_said(client: FlaskClient) -> None:
    """A figure whose filter was left out says so on the panel."""
    payload = {"planet": "Mars", "nested": {"a": 1}, "by": ["app", "moon"]}

    [table] = ask(client, {"target": "sessions", "payload": payload})

    texts = [each["text"] for each in table["meta"]["notices"]]
    assert [column["text"] for column in table["columns"]] == ["app", "sessions"]
    for name in ("planet", "nested", "moon"):
        assert any(name in text for text in texts)


@pytest.mark.parametrize(
    ("key", "operator", "value", "count"),
    [
        ("app", "=", "shop", 9),
        ("app", "!=", "shop", 3),
        ("app", "=~", "shop.*", 10),
        ("app", "!~", "shop.*", 2),
        ("errors", ">", "0", 1),
        ("errors", "<=", "0", 11),
        ("duration", ">=", "120000", 6),
        ("duration", "<", "2000", 1),
        ("app", "=|", ["shop", "blog"], 11),
        ("app", "!=|", ["shop", "blog"], 1),
        ("app", "=", "$__all", 12),
    ],
)
@pytest.mark.parametrize("name", ["filters", "adhocFilters"])
def test_ad_hoc_filters_select(
    client: FlaskClient, name: str, key: str, operator: str, value: Any, count: int
) -> None:
    """Every operator of Grafana's, under both names of the list."""
    given: Item = {"key": key, "operator": operator, "value": value}
    if isinstance(value, list):
        given |= {"value": value[0], "values": value}

    assert sessions(client, {}, **{name: [given]}) == count


def test_hidden_and_empty_targets_have_no_answer(client: FlaskClient) -> None:
    """A target that is hidden or names nothing is passed over."""
    targets = [
        {"refId": "A", "target": "sessions", "hide": True},
        {"refId": "B"},
        {"refId": "C", "target": ""},
    ]

    assert client.post("/json/query", json={"targets": targets}).get_json() == []
    assert client.post("/json/query").get_json() == []


def test_series_keep_the_panel_interval(client: FlaskClient) -> None:
    """Points are as dense as the panel wants, and never too many."""
    body = {"range": RANGE, "targets": [{"refId": "A", "target": "sessions"}]}

    [hourly] = client.post("/json/query", json={**body, "intervalMs": 3_600_000}).json
    [dense] = client.post("/json/query", json={**body, "intervalMs": 1}).json

    assert [at for _, at in hourly["datapoints"]] == list(range(START, END, 3_600_000))
    assert len(dense["datapoints"]) <= 11_000


@pytest.mark.parametrize(
    "until", [START + HOUR, (START + HOUR) / 1_000, "2025-11-20T01:00:00.000Z"]
)
def test_range_is_believed(client: FlaskClient, until: Any) -> None:
    """Only sessions of the range count, however its ends are written."""
    span = {"from": "2025-11-20T00:00:00.000Z", "to": until}
    scope = {"range": span, "timeRange": span}

    counted = sessions(client, {}, range=span)
    browsers = client.post("/json/tag-values", json={"key": "browser", **scope}).json
    values = client.post("/json/variable", json={"payload": "browsers", **scope}).json

    assert counted == 1
    assert browsers == [{"text": "Chrome"}]
    assert values == [{"__text": "Chrome", "__value": "Chrome"}]


def test_releases_are_annotations(client: FlaskClient) -> None:
    """A version is told when it is new; the oldest one known is not."""
    [table] = ask(client, {"target": "releases"})

    title = [column["text"] for column in table["columns"]].index("title")
    assert [row[title] for row in table["rows"]] == ["shop 1.1"]


def test_builder_lists_an_alias_that_is_in_use(client: FlaskClient) -> None:
    """The builder empties a target that is not in the list."""
    plain = client.post("/json/metrics", json={}).get_json()
    used = client.post("/json/metrics", json={"metric": "sessions_table"}).get_json()

    assert "sessions_table" not in {each["value"] for each in plain}
    assert "sessions_table" in {each["value"] for each in used}


def test_refusals_have_a_message(client: FlaskClient) -> None:
    """What a panel shows is the message."""
    body = {"targets": [{"target": "{ ap = 1 }"}], "range": RANGE}
    ad_hoc = {"targets": [], "filters": [{"key": "ap", "operator": "=", "value": "x"}]}

    unknown = client.post("/json/query", json=body)
    wrong = client.post("/json/query", json=ad_hoc)

    assert "no field 'ap'; did you mean 'app'?" in unknown.get_json()["message"]
    assert wrong.get_json()["message"] == "no field 'ap'; did you mean 'app'?"


def test_aliases_are_documented() -> None:
    """The page about HTTP names every alias."""
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")

    assert all(f"`{alias}`" in page for alias in ALIASES)
