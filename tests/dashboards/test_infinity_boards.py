"""Every target of every board is asked as Infinity asks it, and is answered with data."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app.shipped import grafana_dir
from bench.grafana import ALL, FORMATS, infinity_request
from tests.contract.infinity import Field, read
from tests.dashboards.boards import board, files, made, marks, panels, variables
from tests.dashboards.grafana import Filled, ask_infinity, filled, with_errors

Json = dict[str, Any]
EVERY = pytest.mark.parametrize("path", files("infinity"), ids=lambda path: path.stem)
MAY_BE_EMPTY = {  # panel → fields of which nothing is known here; "*" = all
    "Rules": {"*"},
    "Alerts": {"*"},
    "Jobs": {"*"},
    "Raw lines": {"*"},  # there is no Loki
    "Errors": {"stack", "fatal"},
    "Actions": {"*"},
    "Sessions before and after": {"*"},
    "Sessions": {"country"},  # of one user
    "Views": {"title", "inp", "cls"},
    "Releases": {"timeEnd"},  # a point in time
    "Ways": {"subTitle"},
    "Resources": {"*"},
    "API calls": {"method", "status", "dns", "tcp", "request", "response", "bytes", "trace"},
    "The range against the one before": {"change", "a"},
}  # fmt: skip
WATCHED = {"skald-cost": "support-chat"}  # rule → an app that it makes an alert for
ENCODED = {"percentencode", "uriencode"}  # for URLs; Infinity encodes parameters itself
NEEDS_LOKI = "Raw lines"
CHOSEN = {"app": "tealeaf-shop"}  # of the boards that show one session


def options(client: FlaskClient, variable: Json, how: Filled) -> list[str]:
    """Return the values of a variable, in the order in which Grafana offers them."""
    target = variable["query"]["infinityQuery"]
    response = ask_infinity(client, target, how)
    assert response.status_code == 200, response.status
    fields = {each.name: each.values for each in read(target, response.get_data())}
    assert set(fields) == {"__text", "__value"}
    assert fields["__value"]
    return list(fields["__value"])


def fill(client: FlaskClient, dashboard: Json, count: int) -> dict[str, list[str]]:
    """Choose values of all variables, one after the other: *count* of each, 0 = All."""
    values: dict[str, list[str]] = {}
    for each in dashboard["templating"]["list"]:
        if each["type"] == "custom":
            values[each["name"]] = [each["current"]["value"]]
        elif each["type"] == "query":
            offered = options(client, each, filled(values))
            if each["multi"]:
                values[each["name"]] = [v for v in offered[:count] if v] or [ALL]
            else:
                first = CHOSEN.get(each["name"], offered[0])
                values[each["name"]] = [with_errors(client) if each["name"] == "session" else first]  # fmt: skip
    return values


def targets(dashboard: Json) -> Iterator[tuple[str, Json]]:
    """Yield what every panel and every annotation asks."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield panel["title"], target
    for each in marks(dashboard):
        yield each["name"], each["target"]


def answer(client: FlaskClient, title: str, target: Json, how: Filled) -> list[Field]:
    """Ask, and read the answer as Infinity does; it is never an error."""
    response = ask_infinity(client, target, how)
    if title == NEEDS_LOKI:
        assert response.status_code == 503
        return []
    assert response.status_code == 200, f"{title}: {response.status}"
    return read(target, response.get_data())


@EVERY
def test_every_target_has_data(client: FlaskClient, path: Path) -> None:
    """With all variables at "All", every panel shows something in every column."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for title, target in targets(dashboard):
        fields = answer(client, title, target, how)
        unknown = MAY_BE_EMPTY.get(title, set())
        empty = {
            each.name
            for each in fields
            if all(value in (None, "") for value in each.values)
        }
        assert "*" in unknown or (fields and empty <= unknown | {"Value"}), (title, empty)  # fmt: skip
        assert any(v for each in fields for v in each.values) or "*" in unknown


@EVERY
def test_charts_have_the_labels_that_were_asked_for(
    client: FlaskClient, path: Path
) -> None:
    """A series a label set, called `Value` alone, so that the legend is its labels."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for title, target in targets(dashboard):
        if not target["url"].endswith("query_range"):
            continue
        fields = answer(client, title, target, how)
        series = [each for each in fields if each.type != "time"]
        given = {each["key"]: each["value"] for each in target["url_options"]["params"]}
        labels = {*filter(None, given.get("by", "").split(","))}
        metrics = given["metric"].split(",")
        assert {each.name for each in series} == {"Value"}
        for each in series:
            assert set(each.labels) == labels | ({"metric"} if metrics[1:] else set())
        if metrics[1:]:
            assert {each.labels["metric"] for each in series} == set(metrics), title


@EVERY
def test_names_of_overrides_are_in_the_answer(client: FlaskClient, path: Path) -> None:
    """Names, units, colors and links stand at columns and series that there are."""
    dashboard = board(path)
    how = filled(fill(client, dashboard, 0))

    for panel in panels(dashboard):
        known = {
            shown(each)
            for target in panel.get("targets", ())
            for each in answer(client, panel["title"], target, how)
        }
        if not known:
            continue  # nothing of the kind happened here: a frame without fields
        told = {
            each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]
        }
        assert told <= known | made(panel), panel["title"]


def shown(field: Field) -> str:
    """Return what Grafana calls a field: a lone label alone, when it is named `Value`."""
    if field.name == "Value" and len(field.labels) == 1:
        return next(iter(field.labels.values()))
    return field.name


@EVERY
def test_one_value_and_several_are_understood(client: FlaskClient, path: Path) -> None:
    """Every target takes one value of each variable, and two."""
    dashboard = board(path)
    for count in (1, 2):
        how = filled(fill(client, dashboard, count))
        for title, target in targets(dashboard):
            answer(client, title, target, how)


@EVERY
@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_format_of_grafana_means_the_same(
    client: FlaskClient, path: Path, count: int
) -> None:
    """Whatever format a macro asks for, one value, several and All select the same."""
    values = fill(client, board(path), count)
    formats = [each for each in FORMATS if not (each in ENCODED and count)]
    for title, target in targets(board(path)):
        asked = {
            infinity_request(target, filled(values, wanted)): wanted
            for wanted in formats
        }
        seen = {
            tuple((each.name, tuple(each.values)) for each in fields): wanted
            for wanted in asked.values()
            for fields in [answer(client, title, target, filled(values, wanted))]
        }
        assert len(seen) == 1, (title, seen.values())


@EVERY
def test_what_alerts_leave_uninterpolated_is_not_set(
    client: FlaskClient, path: Path
) -> None:
    """A panel made into an alert sends macros as they stand: they narrow nothing."""
    dashboard = board(path)
    values = fill(client, dashboard, 0)
    how = filled({name: [ALL] for name in values}, is_alert=True)

    for title, target in targets(dashboard):
        if "${" in target["url"]:
            continue  # of one session, or of a funnel: nothing to alert on
        fields = answer(client, title, target, how)
        assert fields or title in MAY_BE_EMPTY


@EVERY
def test_empty_index_is_no_error(empty_client: FlaskClient, path: Path) -> None:
    """Before anything is indexed, panels are empty and variables have one row."""
    dashboard = board(path)
    values: Mapping[str, list[str]] = {"session": ["none"], "user": ["nobody"]}
    for each in variables(dashboard):
        assert options(empty_client, each, filled(values))
    how = filled({each["name"]: [ALL] for each in variables(dashboard)})
    for title, target in targets(dashboard):
        if "${" not in target["url"]:
            answer(empty_client, title, target, how)


# -- alert rules -------------------------------------------------------------------


def rules() -> list[Json]:
    """Return the alert rules that ship."""
    path = grafana_dir() / "provisioning" / "alerting" / "skald.yaml"
    found: list[Json] = yaml.safe_load(path.read_text("utf-8"))["groups"][0]["rules"]
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_alert_rules_evaluate(client: FlaskClient, rule: Json) -> None:
    """Each query has one figure a label set, and all queries have the same labels."""
    apps = []
    for query in rule["data"]:
        if query["datasourceUid"] == "__expr__":
            continue
        fields = answer(client, rule["uid"], query["model"], filled(is_alert=True))
        if query["model"]["format"] == "timeseries":
            time, *series = fields
            assert len(time.values) == 2
            apps.append({each.labels["app"] for each in series})
            assert all(set(each.labels) == {"app"} for each in series)
        else:
            by_type = {each.type: each for each in fields}
            assert sorted(each.type for each in fields) == ["number", "string"]
            apps.append(set(by_type["string"].values))
            assert len(by_type["string"].values) == len(apps[-1])
    assert apps
    assert all(each == apps[0] for each in apps)
    assert WATCHED.get(rule["uid"], "tealeaf-shop") in apps[0]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_alert_rules_lead_to_their_panel(rule: Json) -> None:
    """The panel that an alert names is there."""
    told = rule["annotations"]
    boards = {board(path)["uid"]: board(path) for path in files("infinity")}
    ids = {each["id"] for each in panels(boards[told["__dashboardUid__"]])}

    assert int(told["__panelId__"]) in ids
    assert rule["condition"] in {each["refId"] for each in rule["data"]}
