"""Every panel of every board is asked as the JSON data source asks it, and is answered."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bench.grafana import ALL, Request, json_variable
from tests.dashboards.boards import board, files, made, marks, panels
from tests.dashboards.grafana import ask_json, filled, with_errors

Json = dict[str, Any]
EVERY = pytest.mark.parametrize("path", files("json"), ids=lambda path: path.stem)
TYPES = {"time", "number", "string", "boolean"}
MAY_BE_EMPTY = {"Sessions before and after", "Actions", "Resources"} | {"Jobs", "Rules"}
NEEDS_LOKI = "Raw lines"
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


def asking(dashboard: Json) -> list[Json]:
    """Return the panels that can be answered without a Loki."""
    return [each for each in panels(dashboard) if each["title"] != NEEDS_LOKI]


def twin(path: Path) -> Json:
    """Return the same board for Infinity."""
    (found,) = (each for each in files("infinity") if each.stem == path.stem)
    return board(found)


@EVERY
def test_both_data_sources_answer_the_same_questions(path: Path) -> None:
    """Every panel of a board for Infinity is there for the JSON data source, too."""
    mine, others = ([each["title"] for each in panels(b)] for b in (board(path), twin(path)))  # fmt: skip

    assert mine == others


@EVERY
def test_builder_lists_what_boards_ask_for(client: FlaskClient, path: Path) -> None:
    """A target that the builder does not list is emptied when its panel is edited."""
    listed = client.post("/json/metrics", json={}).get_json()

    asked = {t["target"] for each in panels(board(path)) for t in each["targets"]}
    assert asked <= {each["value"] for each in listed}


@EVERY
def test_lists_have_the_columns_that_infinity_has(
    client: FlaskClient, path: Path
) -> None:
    """The same names with the same types, and no more: nothing has to be hidden."""
    types = {"timestamp_epoch": "time"}
    how = filled(fill(client, board(path), 0))
    others = {each["title"]: each for each in panels(twin(path))}

    for panel in asking(board(path)):
        for target, other in zip(panel["targets"], others[panel["title"]]["targets"], strict=False):  # fmt: skip
            if "columns" not in target["payload"]:
                continue
            (item,) = ask_json(client, [target], how)
            found = [(each["text"], each["type"]) for each in item["columns"]]
            wanted = [(each["text"], types.get(each["type"], each["type"])) for each in other["columns"]]  # fmt: skip
            assert [name for name, _ in found] == [name for name, _ in wanted]
            if item["rows"]:
                cells = list(zip(*item["rows"], strict=True))
                told = [any(v is not None for v in column) for column in cells]
                pairs = zip(found, wanted, told, strict=True)
                assert all(a == b for a, b, is_told in pairs if is_told), panel["title"]


def test_node_graph_has_its_two_frames(client: FlaskClient) -> None:
    """Grafana finds nodes by `id`, edges by `source` and `target` that are nodes."""
    (path,) = (each for each in files("json") if each.stem == "journeys")
    (panel,) = (p for p in panels(board(path)) if p["type"] == "nodeGraph")
    how = filled(fill(client, board(path), 0))

    nodes, edges = ask_json(client, panel["targets"], how)

    names = [[each["text"] for each in item["columns"]] for item in (nodes, edges)]
    ids = {row[names[0].index("id")] for row in nodes["rows"]}
    ends = [names[1].index(end) for end in ("source", "target")]
    assert {row[end] for row in edges["rows"] for end in ends} <= ids


def test_matrix_has_a_number_a_page(client: FlaskClient) -> None:
    """The first column is the page, all others are numbers, whatever they are called."""
    (path,) = (each for each in files("json") if each.stem == "journeys")
    (panel,) = (p for p in panels(board(path)) if p["title"] == "Flow matrix")
    how = filled(fill(client, board(path), 0))

    (item,) = ask_json(client, panel["targets"], how)

    page, *others = [(each["text"], each["type"]) for each in item["columns"]]
    assert page == ("page", "string")
    assert others
    assert {kind for _, kind in others} == {"number"}


@EVERY
def test_every_panel_has_data(client: FlaskClient, path: Path) -> None:
    """With all variables at "All", every query of every panel is answered with data."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for panel in asking(dashboard):
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
        for panel in asking(dashboard):
            for item in ask_json(client, panel["targets"], how):
                check(item, {each["refId"] for each in panel["targets"]})
                told = [
                    each["text"] for each in item.get("meta", {}).get("notices", ())
                ]
                assert not [each for each in told if "left out" in each], told


@EVERY
def test_names_of_overrides_are_in_the_answer(client: FlaskClient, path: Path) -> None:
    """Names, units, colors and links stand at columns and series that there are."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for panel in asking(dashboard):
        items = ask_json(client, panel["targets"], how)
        known = {each["text"] for item in items for each in item.get("columns", ())}
        known |= {item["target"] for item in items if "target" in item}
        told = {
            each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]
        }
        assert told <= known | made(panel), panel["title"]


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
