"""Every panel of every board is asked as the JSON data source asks it, and is answered."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bench.grafana import ALL, Request, json_variable
from tests.dashboards.boards import board, files, marks, panels
from tests.dashboards.grafana import ask_json, filled, with_errors

Json = dict[str, Any]
EVERY = pytest.mark.parametrize("path", files("json"), ids=lambda path: path.stem)
TYPES = {"time", "number", "string", "boolean"}
MAY_BE_EMPTY = {"Sessions before and after", "Actions", "Resources"}
CHOSEN = {"app": "tealeaf-shop"}


def ask_variable(client: FlaskClient, request: Request) -> list[str]:
    """Ask for the values of a variable."""
    response = request.send(client)
    assert response.status_code == 200, response.get_data()
    rows = response.get_json()
    assert all(set(row) == {"__text", "__value"} for row in rows)
    return [row["__value"] for row in rows]


def fill(client: FlaskClient, dashboard: Json, count: int) -> dict[str, list[str]]:
    """Choose values of all variables as their queries offer them; 0 = All."""
    values: dict[str, list[str]] = {}
    for each in dashboard["templating"]["list"]:
        name = each["name"]
        if each["type"] == "custom":
            values[name] = [each["current"]["value"]]
        elif each["type"] == "query":
            request = json_variable(each["query"], filled(values))
            offered = ask_variable(client, request)
            single = [CHOSEN.get(name) or (offered or [ALL])[0]]
            if name == "session":
                single = [with_errors(client)]
            values[name] = (offered[:count] or [ALL]) if each["multi"] else single
    return values


def check(item: Json, refs: set[str]) -> int:
    """Check one item of an answer against the recorded shapes; return its length."""
    assert item["refId"] in refs
    if "datapoints" in item:
        times = [at for _, at in item["datapoints"]]
        assert times == sorted(times)
        assert all(isinstance(at, int) and at > 1e12 for at in times)
        assert all(
            v is None or isinstance(v, (int, float)) for v, _ in item["datapoints"]
        )
        return sum(v is not None for v, _ in item["datapoints"])
    assert item["type"] == "table"
    assert {each["type"] for each in item["columns"]} <= TYPES
    for row in item["rows"]:
        assert len(row) == len(item["columns"])
        for value, column in zip(row, item["columns"], strict=True):
            assert fits(value, column["type"]), (column, value)
    return len(item["rows"])


def fits(value: Any, kind: str) -> bool:
    """Say whether a value is of the type of its column."""
    if value is None or kind == "string":
        return value is None or isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@EVERY
def test_every_panel_has_data(client: FlaskClient, path: Path) -> None:
    """With all variables at "All", every query of every panel is answered with data."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for panel in panels(dashboard):
        items = ask_json(client, panel["targets"], how)
        refs = {each["refId"] for each in panel["targets"]}
        found = {item["refId"]: 0 for item in items}
        for item in items:
            found[item["refId"]] += check(item, refs)
        if panel["title"] not in MAY_BE_EMPTY:
            assert set(found) == refs, panel["title"]
            assert any(found.values()), panel["title"]


@EVERY
def test_one_value_and_several_are_understood(client: FlaskClient, path: Path) -> None:
    """A value, and two of them as the builder writes them, narrow what All shows."""
    dashboard = board(path)
    for count in (1, 2):
        how = filled(fill(client, dashboard, count))
        for panel in panels(dashboard):
            for item in ask_json(client, panel["targets"], how):
                check(item, {each["refId"] for each in panel["targets"]})
                told = [
                    each["text"] for each in item.get("meta", {}).get("notices", ())
                ]
                assert not [each for each in told if "left out" in each], told


@EVERY
def test_columns_of_tables_are_those_that_are_shown(
    client: FlaskClient, path: Path
) -> None:
    """Names, units and links of a table stand at columns that the answer has."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for panel in panels(dashboard):
        if panel["type"] != "table" or panel["title"] in MAY_BE_EMPTY:
            continue
        items = ask_json(client, panel["targets"], how)
        known = {each["text"] for item in items for each in item["columns"]}
        told = {
            each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]
        }
        assert told <= known, panel["title"]


@EVERY
def test_annotations_are_answered(client: FlaskClient, path: Path) -> None:
    """Releases and bursts come as a table with the names that Grafana looks for."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for each in marks(dashboard):
        (item,) = ask_json(client, [each["target"]], how)
        names = [column["text"] for column in item["columns"]]
        assert names == ["time", "timeEnd", "title", "text", "tags", "id"]
        assert check(item, {"Anno"}) > 0 or each["name"] == "Alerts"
