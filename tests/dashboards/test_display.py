"""What Grafana shows of an answer: names, order, units, colors."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.infinity import read
from tests.dashboards.boards import board, files, panels
from tests.dashboards.grafana import ask_infinity, ask_json, filled
from tests.dashboards.test_json_boards import NEEDS_LOKI, fill

Json = dict[str, Any]
EVERY = pytest.mark.parametrize(
    "path",
    [*files("infinity"), *files("json")],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
EVERY_JSON = pytest.mark.parametrize("path", files("json"), ids=lambda path: path.stem)


def overrides(panel: Json, id_: str) -> dict[str, Any]:
    """Return one property of the fields of a panel, by the name of each."""
    return {
        each["matcher"]["options"]: one["value"]
        for each in panel["fieldConfig"]["overrides"]
        for one in each["properties"]
        if one["id"] == id_
    }


@EVERY
def test_a_figure_missing_now_is_not_the_one_before(path: Path) -> None:
    """`lastNotNull` would show last week's figure as today's when there is none today."""
    for panel in panels(board(path)):
        if panel["type"] == "stat":
            assert panel["options"]["reduceOptions"]["calcs"] == ["last"]


@EVERY
def test_values_that_are_empty_are_shown_as_none(path: Path) -> None:
    """A row of a dimension without a name would look like a total, or like a mistake."""
    for panel in panels(board(path)):
        given = panel.get("targets", [{}])[0]
        if "url" in given:
            params = given["url_options"]["params"]
            by = [e["value"] for e in params if e["key"] == "by" and given["url"].endswith("/query")]  # fmt: skip
            labels = by[0].split(",") if by else []
        else:
            payload = given.get("payload", {})
            labels = payload["by"] if payload.get("format") == "table" else []
        shown = overrides(panel, "mappings")
        for label in labels:
            assert shown[label][0]["options"][""]["text"] == "(none)", panel["title"]


@EVERY_JSON
def test_tables_of_one_panel_merge_without_holes(
    client: FlaskClient, path: Path
) -> None:
    """All queries of a table are answered for the same rows."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))
    for panel in panels(dashboard):
        if panel["type"] == "table" and len(panel["targets"]) > 1:
            items = ask_json(client, panel["targets"], how)
            keys = {frozenset(tuple(r[:-1]) for r in each["rows"]) for each in items}
            assert len(keys) == 1, panel["title"]


@EVERY_JSON
def test_legends_have_each_name_once(client: FlaskClient, path: Path) -> None:
    """A series is shown by its title, which is not its name and its label again."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))
    for panel in panels(dashboard):
        if panel["type"] == "timeseries" and panel["title"] != NEEDS_LOKI:
            items = ask_json(client, panel["targets"], how)
            titles = [each["title"] for each in items]
            assert all(titles), panel["title"]
            assert len(titles) == len(set(titles)), panel["title"]


def test_charts_of_infinity_have_no_empty_label(client: FlaskClient) -> None:
    """Grafana calls a series with an empty label by the letter of its query: "A"."""
    for path in files("infinity"):
        dashboard = board(path)
        values = {v["name"]: ["__all"] for v in dashboard["templating"]["list"][1:]}
        for panel in panels(dashboard):
            if panel["type"] != "timeseries":
                continue
            for target in panel["targets"]:
                answer = ask_infinity(client, target, filled(values)).get_data()
                labels = [each.labels for each in read(target, answer)]
                assert all(value for each in labels for value in each.values())


@EVERY
def test_matrices_begin_with_their_rows(path: Path) -> None:
    """The pages of the flow matrix stand to the left of what followed them."""
    for panel in panels(board(path)):
        if panel["title"] == "Flow matrix":
            (step,) = panel["transformations"]
            assert step["options"]["indexByName"] == {"page": 0}
            assert overrides(panel, "displayName") == {"page": "From"}


@EVERY
def test_no_table_shows_the_name_of_a_unit(path: Path) -> None:
    """Figures of several units in one column are text, since Grafana has one unit a column."""
    for panel in panels(board(path)):
        for target in panel.get("targets", ()):
            asked = "compare" in (target.get("url", "")[-7:], target.get("target", ""))
            columns = target.get("columns") or target.get("payload", {}).get("columns")
            if asked:
                texts = {each if isinstance(each, str) else each["text"] for each in columns}  # fmt: skip
                assert {"text_a", "text_b"} <= texts
                assert not {"a", "b", "unit"} & texts


@EVERY
def test_series_stand_in_the_order_declared(path: Path) -> None:
    """Infinity orders them by the alphabet: errors would lie below the healthy sessions."""
    for panel in panels(board(path)):
        if panel["type"] != "timeseries" or "url" not in panel["targets"][0]:
            continue
        (target,) = panel["targets"]
        given = {e["key"]: e["value"] for e in target["url_options"]["params"]}
        metrics = given["metric"].split(",")
        if metrics[1:]:
            (step,) = panel["transformations"]
            order = step["options"]["indexByName"]
            assert sorted(order, key=order.__getitem__) == ["time", *metrics]


@EVERY
def test_bars_in_cells_are_measured_by_their_own_column(path: Path) -> None:
    """Grafana would measure them by all numbers of the table: milliseconds, times."""
    for panel in panels(board(path)):
        for name, cell in overrides(panel, "custom.cellOptions").items():
            if cell["type"] == "gauge":
                assert overrides(panel, "fieldMinMax")[name] is True
                assert overrides(panel, "custom.width")[name] >= 100


@EVERY
def test_columns_fit_a_panel(path: Path) -> None:
    """At 1,400 pixels no column of a list lies outside; Grafana's own least is 150."""
    for panel in panels(board(path)):
        if panel["type"] != "table" or panel["title"] == "Flow matrix":
            continue
        given = panel["targets"][0]
        columns = [c["text"] for c in given.get("columns", ())]
        hidden, width, least = (
            overrides(panel, f"custom.{each}")
            for each in ("hidden", "width", "minWidth")
        )
        usual = panel["fieldConfig"]["defaults"]["custom"]["minWidth"]
        wanted = sum(
            width.get(each) or least.get(each) or usual
            for each in columns
            if each not in hidden
        )
        assert wanted <= panel["gridPos"]["w"] / 24 * 1_400, (panel["title"], wanted)


def test_errors_are_chosen_by_what_they_say(client: FlaskClient) -> None:
    """Options of the errors' variable are texts, each once, over their fingerprints."""
    options = client.get("/api/v1/variables/fingerprint?from=now-6d").get_json()
    groups = client.get("/api/v1/errors?from=now-6d&format=rows").get_json()

    assert {each["__value"] for each in options} == {e["fingerprint"] for e in groups}
    assert len({each["__text"] for each in options}) == len(options)
    known = {each["fingerprint"]: each["message"] for each in groups}
    for each in options:
        message = known[each["__value"]]
        assert message[:40] in each["__text"] or each["__text"] == each["__value"]
