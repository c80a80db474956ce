"""When alerts of rules fired is marked in charts."""

from pathlib import Path
from typing import Any

import pytest

from app.api.alarms import alert_rows
from app.sessionql.plan import EVERYTHING, And, Compare, Filter, Window
from app.store import open_reader
from tests.ruler.driver import START, World, minute, values

RULE = """
groups:
  - name: g
    rules:
      - alert: TooManyErrors
        expr: "{} | count_over_time() > 1"
"""
A, B = {"app": "a"}, {"app": "b"}
FIRES = {
    number: values((A, 1.0), *([(B, 1.0)] if number > 8 else []))
    for number in (2, 3, 4, 9)
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which an alert fired twice for one app, once for another."""
    folder: Path = tmp_path_factory.mktemp("alarms")
    world = World(folder, RULE, {"TooManyErrors": FIRES})
    world.run(*range(1, 15))
    return world


def ask(world: World, selector: Filter = EVERYTHING) -> list[dict[str, Any]]:
    """Return the marks of a quarter of an hour."""
    reader = open_reader(world.settings)
    try:
        window = Window(START, minute(15), 0, minute(15))
        return sorted(alert_rows(reader, window, selector), key=lambda row: str(row["id"]))  # fmt: skip
    finally:
        reader.close()


def test_an_alert_is_marked_from_begin_to_end(world: World) -> None:
    """Each time that it fired is one span, and says of what."""
    rows = ask(world)

    assert [(row["text"], row["tags"]) for row in rows] == [
        ("app=a", "alert,a"),
        ("app=a", "alert,a"),
        ("app=b", "alert,b"),
    ]
    assert [row["time"] for row in rows] == [minute(2), minute(9), minute(9)]
    assert {row["title"] for row in rows} == {"TooManyErrors"}
    assert [row["timeEnd"] - row["time"] for row in rows] == [180_000, 60_000, 60_000]


def test_a_filter_on_its_labels_chooses_alerts(world: World) -> None:
    """A board that shows one app marks its alerts, and not those of others."""
    only_b = And((Compare("app", "=", ("b",)), Compare("browser", "=", ("Chrome",))))

    assert [row["text"] for row in ask(world, only_b)] == ["app=b"]
    assert len(ask(world, Compare("app", "!=", ("b",)))) == 2


def test_nothing_fired_without_rules(world: World, tmp_path: Path) -> None:
    """No rule, no mark, no error."""
    quiet = World(tmp_path, RULE, {})

    assert ask(quiet) == []
    assert ask(world) != []
