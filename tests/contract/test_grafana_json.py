"""The JSON data source: every recorded call of seven versions of its plugins.

``tests/data/grafana/recorded.json`` holds the calls, recorded from the untouched plugins.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.catalog.metrics import METRICS

RECORDED = Path(__file__).parents[1] / "data" / "grafana" / "recorded.json"
CALLS = [each for each in json.loads(RECORDED.read_text()) if each["request"]]

# Provocations of the recording's own backend: call → the name that Skald does not know.
UNKNOWN = {
    "14-query-unknown-target-info": "__definitely_unknown__",  # recorded: 400
    "error-badshape": "__badshape",  # recorded: 200, of no shape that a plugin reads
    "error-empty": "__empty",  # recorded: 200, no rows
    "error-error_html": "__error_html",  # recorded: 500
    "error-error_json": "__error_json",  # recorded: 400
    "error-error_nested": "__error_nested",  # recorded: 422
    "error-error_only": "__error_only",  # recorded: 400
    "error-error_text": "__error_text",  # recorded: 500
    "error-notarray": "__notarray",  # recorded: 200, of no shape that a plugin reads
    "error-variable-plain-strings": "plain",  # recorded: 200, a list of texts
}
# "error-test-404" lists metrics below a longer URL, and is answered like any other.
PANELS = [
    each
    for each in CALLS
    if each["request"]["path"] == "/json/query" and each["call"] not in UNKNOWN
]
Item = dict[str, Any]


def replay(client: FlaskClient, call: Item) -> Any:
    """Send a call as it was recorded."""
    request = call["request"]
    body = request.get("body")
    return client.open(
        request["path"],
        method=request["method"],
        headers=request["headers"],
        data=None if body is None else json.dumps(body),
    )


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["call"])
def test_recorded_call_is_answered(client: FlaskClient, call: Item) -> None:
    """What a plugin asks is answered in the shape that it understands."""
    response = replay(client, call)

    assert response.status_code == 200, response.get_data()
    check_shape(call["request"], response.get_json())
    if call["call"] in UNKNOWN:
        (item,) = response.get_json()
        text = item["__text"] if "__text" in item else notice(item)
        assert UNKNOWN[call["call"]] in text


def test_all_calls_are_there() -> None:
    """Of the 67 calls that were recorded, those that the plugins did not send are left out."""
    assert len(json.loads(RECORDED.read_text())) == 67


def notice(item: Item) -> str:
    """Return the error that a panel shows beside an answer without rows."""
    (found,) = item["meta"]["notices"]
    assert (item["type"], item["rows"]) == ("table", [])
    assert found["severity"] == "error"
    return str(found["text"])


def test_unknown_name_leaves_other_queries_their_answers(client: FlaskClient) -> None:
    """A panel of two queries, one of them mistyped, shows the other, and says why."""
    names = {"A": "sesions", "B": "sessions"}
    targets = [{"refId": ref, "target": name} for ref, name in names.items()]

    unknown, known = client.post("/json/query", json={"targets": targets}).get_json()

    assert "did you mean 'sessions'?" in notice(unknown)
    assert (unknown["refId"], known["refId"]) == ("A", "B")
    assert known["datapoints"]


@pytest.mark.parametrize("call", PANELS, ids=lambda call: call["call"])
def test_recorded_call_has_an_answer_without_filters(
    client: FlaskClient, call: Item
) -> None:
    """The same, where the filters of the recording hide nothing, so there is a figure."""
    body = call["request"]["body"]
    plain = {k: v for k, v in body.items() if k not in {"filters", "adhocFilters"}}
    plain["targets"] = [
        {k: v for k, v in each.items() if k not in {"payload", "data"}}
        for each in body["targets"]
    ]
    answer = client.post(call["request"]["path"], json=plain).get_json()

    assert answer
    check_shape({"path": call["request"]["path"], "body": plain}, answer)


def check_shape(request: Item, answer: Any) -> None:
    """Check an answer against what the plugins make of it."""
    path = request["path"].rstrip("/").rpartition("/")[2]
    if path == "json":
        assert isinstance(answer, dict)
        return
    assert isinstance(answer, list)
    if path == "query":
        check_panel(request["body"]["targets"], answer)
    else:
        assert answer or path == "annotations"
        SHAPES[path](answer)


def check_panel(targets: list[Item], answer: list[Any]) -> None:
    """Check each item by the layout that its target asked for."""
    kinds = {each.get("refId"): each.get("type") for each in targets}
    for item in answer:
        if isinstance(item, list):
            assert len({tuple(row) for row in item}) == 1
            continue
        schema = item.get("schema", item)
        assert schema["refId"] in kinds
        if kinds[schema["refId"]] == "table":
            assert item["type"] == "table"
        if kinds[schema["refId"]] == "timeserie":
            assert "datapoints" in item
        check_item(item)


def check_item(item: Item) -> None:
    """Check one answer of a target."""
    if "datapoints" in item:
        check_series(item)
    elif "columns" in item:
        check_table(item)
    elif "schema" in item:
        columns = item["data"]["values"]
        assert len(columns) == len(item["schema"]["fields"])
        assert len({len(each) for each in columns}) == 1
    else:
        assert {field["type"] for field in item["fields"]} == {"time", "number"}


def check_series(item: Item) -> None:
    """A series has a name, and points that ascend in ms."""
    assert isinstance(item["target"], str)
    times = [at for _, at in item["datapoints"]]
    assert times == sorted(set(times))
    assert all(at > 1_000_000_000_000 for at in times)
    assert all(isinstance(v, (int, float, type(None))) for v, _ in item["datapoints"])


def check_table(item: Item) -> None:
    """A table has typed columns, and a cell for each of them in every row."""
    types = {
        "time": (int,),
        "number": (int, float),
        "string": (str,),
        "boolean": (bool,),
    }
    assert item["type"] == "table"
    for row in item["rows"]:
        assert len(row) == len(item["columns"])
        for cell, column in zip(row, item["columns"], strict=True):
            assert cell is None or isinstance(cell, types[column["type"]])


def check_metrics(answer: list[Item]) -> None:
    """Every metric is listed, and every field of the builder has a name and a type."""
    assert {each["value"] for each in answer} >= set(METRICS)
    for each in answer:
        for payload in each["payloads"]:
            assert payload["name"]
            assert payload["type"] in {"input", "select", "multi-select", "textarea"}


def check_options(answer: list[Item]) -> None:
    """Options have a value."""
    assert all(isinstance(each["value"], str) for each in answer)


def check_variable(answer: list[Item]) -> None:
    """Values of a variable have a text and a value."""
    assert all(set(each) == {"__text", "__value"} for each in answer)


def check_search(answer: list[str]) -> None:
    """Old versions take a list of texts."""
    assert all(isinstance(each, str) for each in answer)


def check_tag_keys(answer: list[Item]) -> None:
    """Keys have a type and a text."""
    assert {"app", "country"} <= {each["text"] for each in answer}
    assert all(each["type"] for each in answer)


def check_tag_values(answer: list[Item]) -> None:
    """Values have a text."""
    assert all(isinstance(each["text"], str) for each in answer)


def check_annotations(answer: list[Item]) -> None:
    """Annotations have a time, a title, a text and tags."""
    for each in answer:
        assert {"annotation", "time", "title", "text", "tags"} <= set(each)


SHAPES = {
    "metrics": check_metrics,
    "metric-payload-options": check_options,
    "variable": check_variable,
    "search": check_search,
    "tag-keys": check_tag_keys,
    "tag-values": check_tag_values,
    "annotations": check_annotations,
}
