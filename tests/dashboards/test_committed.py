"""What is committed in grafana/ is what would be generated, and Grafana knows all of it."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as sdk
from grafana_foundation_sdk.models import units

from app.dashboards.build import generate, stale
from app.shipped import grafana_dir
from tests.dashboards.boards import board, files, marks, panels

Json = dict[str, Any]
FLAVOURS = ("infinity", "json")
ALL = [path for flavour in FLAVOURS for path in files(flavour)]
EVERY = pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}-{p.stem}")
UNITS = {value for value in vars(units).values() if isinstance(value, str)}
MOST_REQUESTS = 25
NOT_THE_SDKS = {  # that Grafana knows and the SDK's types have no place for
    "annotations.list.mappings",
    "annotations.list.target",
}
PLUGINS = {"${datasource}", "-- Grafana --"}

register_default_plugins()


def test_what_is_committed_is_current() -> None:
    """`skald dashboards build` would change nothing."""
    assert stale(grafana_dir(), generate()) == []


def test_every_board_is_there_for_both_data_sources() -> None:
    """One declaration is written twice."""
    names = [[path.stem for path in files(flavour)] for flavour in FLAVOURS]

    assert names[0] == names[1]
    assert len(names[0]) >= 10


@EVERY
def test_grafana_knows_every_key(path: Path) -> None:
    """Read and written by the SDK's types, nothing is lost and nothing is refused."""
    given = board(path)

    told = json.loads(json.dumps(sdk.Dashboard.from_json(given), cls=JSONEncoder))

    assert set(lost(given, told)) <= NOT_THE_SDKS


def lost(given: Any, told: Any, path: str = "") -> list[str]:
    """List the keys of *given* that *told* has not, or has otherwise."""
    if isinstance(given, dict) and isinstance(told, dict):
        found = []
        for key, value in given.items():
            here = f"{path}.{key}".lstrip(".")
            if value in (None, [], {}, "", False):
                continue
            if here in NOT_THE_SDKS or key not in told:
                found.append(here)
            else:
                found += lost(value, told[key], here)
        return found
    if isinstance(given, list) and isinstance(told, list) and len(given) == len(told):
        pairs = zip(given, told, strict=True)
        return [each for one, two in pairs for each in lost(one, two, path)]
    return [] if given == told else [f"{path}: {given!r} is {told!r}"]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_uids_and_titles_are_unique(flavour: str) -> None:
    """No board replaces another."""
    uids = Counter(board(path)["uid"] for path in ALL)
    titles = Counter(board(path)["title"] for path in files(flavour))

    assert max(uids.values()) == max(titles.values()) == 1
    assert all(len(uid) <= 40 for uid in uids)


@EVERY
def test_nothing_overlaps(path: Path) -> None:
    """Every panel has its place in the grid, and a number of its own."""
    dashboard = board(path)
    taken: Counter[tuple[int, int]] = Counter()
    for each in dashboard["panels"]:
        place = each["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    rows = [each for each in dashboard["panels"] if each["type"] == "row"]
    ids = [each["id"] for each in (*panels(dashboard), *rows)]

    assert max(taken.values()) == 1
    assert len(ids) == len(set(ids))


@EVERY
def test_every_panel_says_what_it_shows(path: Path) -> None:
    """A title, a description that is a sentence, and no decoration."""
    for panel in panels(board(path)):
        assert panel["title"]
        assert not panel["description"][0].islower()
        assert panel["description"].endswith(".")
        assert not panel["transparent"]


@EVERY
def test_units_are_grafanas(path: Path) -> None:
    """A unit that Grafana does not know would be shown as a suffix."""
    text = path.read_text("utf-8")
    told = set(re.findall(r'"unit": "([^"]*)"', text))
    told |= set(re.findall(r'"id": "unit",\s+"value": "([^"]*)"', text))

    dates = {each for each in told if re.fullmatch(r"time:[YMDHms: -]+", each)}
    assert told <= UNITS | dates


def test_thresholds_are_those_of_the_catalog() -> None:
    """Where more is better the colors run the other way; bands have a color each."""
    (path,) = (each for each in files("infinity") if each.stem == "releases")
    (table,) = (p for p in panels(board(path)) if p["title"] == "All versions")
    found = {
        each["matcher"]["options"]: property_["value"]["steps"]
        for each in table["fieldConfig"]["overrides"]
        for property_ in each["properties"]
        if property_["id"] == "thresholds"
    }

    assert found["crash_free_rate"] == [
        {"color": "red", "value": None},
        {"color": "yellow", "value": 0.99},
        {"color": "green", "value": 0.999},
    ]
    assert [each["value"] for each in found["lcp_p75"]] == [None, 2500, 4000]
    assert [each["value"] for each in found["error_rate"]] == [None, 0.05, 0.1, 0.2]


@EVERY
def test_no_data_source_is_named(path: Path) -> None:
    """Whoever imports a board chooses its data source in a variable."""
    uids = set(re.findall(r'"uid": "([^"]*)"', path.read_text("utf-8")))

    assert uids - {board(path)["uid"]} <= PLUGINS


@EVERY
def test_board_opens_with_few_requests(path: Path) -> None:
    """Panels of folded rows ask nothing; a panel of the JSON data source asks once."""
    dashboard = board(path)
    shown = list(panels(dashboard, folded=False))
    asked = [
        len(each.get("targets", ())) if path.parent.name == "infinity" else 1
        for each in shown
        if each.get("targets")
    ]
    values = [each["type"] == "query" for each in dashboard["templating"]["list"]]

    assert sum(asked) + sum(values) + len(marks(dashboard)) <= MOST_REQUESTS


@EVERY
def test_links_lead_to_boards_with_variables_that_these_have(path: Path) -> None:
    """A link names a board that is there, sets variables it has, and its time."""
    known = {board(each)["uid"]: board(each) for each in ALL}
    for url in re.findall(r'"url": "(/d/[^"]*)"', path.read_text("utf-8")):
        uid, _, query = url.removeprefix("/d/").partition("?")
        names = set(re.findall(r"var-(\w+)=", query))

        assert known[uid]
        assert names <= {each["name"] for each in known[uid]["templating"]["list"]}
        assert "${__url_time_range}" in query or ("from=" in query and "to=" in query)


@EVERY
def test_columns_that_links_need_are_asked_for(path: Path) -> None:
    """`${__data.fields.app}` is a column of the same panel."""
    for panel in panels(board(path)):
        text = json.dumps(panel["fieldConfig"])
        needed = set(re.findall(r"__data\.fields\.(\w+)", text))
        for target in panel.get("targets", ()):
            asked = {each["text"] for each in target.get("columns", ())}
            assert path.parent.name == "json" or needed <= asked, panel["title"]


def test_every_panel_of_the_guides_has_its_counterpart() -> None:
    """Boards and panels that docs/coverage.md names are there."""
    page = Path(__file__).parents[2] / "docs" / "coverage.md"
    section = (
        page.read_text("utf-8").partition("\n## Panels\n")[2].partition("\n## ")[0]
    )
    lines = [each for each in section.splitlines() if each.startswith("| ")][1:]
    known = {board(path)["title"]: board(path) for path in files("infinity")}

    assert len(lines) >= 25
    for line in lines:
        _, boards, shown = (each.strip() for each in line.strip("| ").split(" | "))
        titles = {
            panel["title"]
            for name in boards.split(", ")
            for panel in panels(known[name])
        }
        named = {re.split(r" \(|, ", each)[0] for each in shown.split("; ")}
        assert named <= titles, (line, named - titles)
