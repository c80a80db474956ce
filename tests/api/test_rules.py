"""Rules and alerts over HTTP, in the JSON of Prometheus."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.ruler.describe import describe
from app.store import open_rulebook
from app.store.recorded import RELOAD, RULES
from app.store.rule_seam import Mark
from tests.ruler.driver import World, minute, values

TEXT = """
groups:
  - name: one
    rules:
      - {record: 'a:b', expr: '{} | count_over_time()', labels: {team: web}}
      - alert: Bad
        expr: 'a:b > 1'
        for: 1m
        labels: {severity: page}
        annotations: {summary: 'is {{ $value }}'}
  - name: two
    interval: 5m
    rules:
      - {record: 'c:d', expr: '{} | count_over_time()'}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return rules after two minutes, one alert firing."""
    bad = {1: values(({"app": "shop"}, 2.5)), 2: values(({"app": "shop"}, 2.5))}
    world = World(tmp_path, TEXT, {"a:b": {1: 1, 2: 2}, "Bad": bad})
    world.run(1, 2)
    book = open_rulebook(world.settings)
    book.remember(RULES, Mark(1, describe(world.rules)))
    book.close()
    return world


@pytest.fixture
def client(world: World) -> FlaskClient:
    """Return a client of the service over it."""
    return create_app(world.settings).test_client()


def groups_of(client: FlaskClient, asked: str = "") -> list[dict[str, Any]]:
    """Ask for rules."""
    answer = client.get(f"/api/v1/rules{asked}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json["data"]["groups"]  # type: ignore[index]
    return found


def test_rules_have_the_shape_of_prometheus(client: FlaskClient) -> None:
    """Every key that a reader of Prometheus' API looks for is there."""
    one, two = groups_of(client)

    assert {"name", "file", "interval", "limit", "rules", "evaluationTime",
            "lastEvaluation"} <= one.keys()  # fmt: skip
    assert (one["name"], one["interval"], two["interval"]) == ("one", 60, 300)
    recording, alerting = one["rules"]
    assert recording.items() >= {
        "type": "recording", "name": "a:b", "query": "{} | count_over_time()",
        "labels": {"team": "web"}, "health": "ok",
    }.items()  # fmt: skip
    assert alerting.items() >= {
        "type": "alerting", "name": "Bad", "state": "firing", "duration": 60,
        "keepFiringFor": 0, "annotations": {"summary": "is {{ $value }}"},
    }.items()  # fmt: skip
    assert two["rules"][0]["health"] == "ok"


def test_alerts_have_the_shape_of_prometheus(client: FlaskClient) -> None:
    """Labels and annotations are filled in; the value is written as Go does."""
    answer = client.get("/api/v1/alerts").json

    assert answer == {
        "status": "success",
        "data": {
            "alerts": [
                {
                    "labels": {"alertname": "Bad", "app": "shop", "severity": "page"},
                    "annotations": {"summary": "is 2.5"},
                    "state": "firing",
                    "activeAt": "2026-11-20T00:01:00.000Z",
                    "value": "2.5e+00",
                }
            ]
        },
    }


FILTERS = [  # question → groups and rules
    ("?type=alert", {"one": ["Bad"]}),
    ("?type=record", {"one": ["a:b"], "two": ["c:d"]}),
    ("?rule_name[]=c:d", {"two": ["c:d"]}),
    ("?rule_name[]=c:d&rule_name[]=Bad", {"one": ["Bad"], "two": ["c:d"]}),
    ("?rule_group[]=two", {"two": ["c:d"]}),
    ("?file[]=rules.yml", {"one": ["a:b", "Bad"], "two": ["c:d"]}),
    ("?file[]=other.yml", {}),
    ("?rule_name[]=nothing", {}),
]


@pytest.mark.parametrize(("asked", "expected"), FILTERS)
def test_filters(client: FlaskClient, asked: str, expected: dict[str, Any]) -> None:
    """They are Prometheus' filters, and groups without a rule are left out."""
    found = groups_of(client, asked)

    shown = {each["name"]: [rule["name"] for rule in each["rules"]] for each in found}
    assert shown == expected


def test_a_type_that_is_none_is_refused(client: FlaskClient) -> None:
    """It says which there are."""
    answer = client.get("/api/v1/rules?type=nope")

    assert answer.status_code == 400
    assert "alert or record" in answer.json["message"]  # type: ignore[index]


def test_a_bad_reload_is_told(client: FlaskClient, world: World) -> None:
    """Rules of before are shown, with a warning, and a metric says so."""
    book = open_rulebook(world.settings)
    book.remember(RELOAD, Mark(0, "1 problem in the rules"))
    book.close()

    answer = client.get("/api/v1/rules").json

    assert len(answer["data"]["groups"]) == 2  # type: ignore[index]
    assert "1 problem" in answer["warnings"][0]  # type: ignore[index]
    assert "skald_rules_last_reload_successful 0.0" in client.get("/metrics").text


def test_metrics_carry_the_names_of_prometheus(client: FlaskClient) -> None:
    """Dashboards made for Prometheus' rules work on ours."""
    text = client.get("/metrics").text

    group = '{rule_group="rules.yml;one"}'
    assert f"prometheus_rule_group_iterations_total{group} 2.0" in text
    assert f"prometheus_rule_group_iterations_missed_total{group} 0.0" in text
    assert f"prometheus_rule_group_interval_seconds{group} 60.0" in text
    assert f"prometheus_rule_group_rules{group} 2.0" in text
    assert f"prometheus_rule_evaluations_total{group} 4.0" in text
    assert f"prometheus_rule_evaluation_failures_total{group} 0.0" in text
    last = f"prometheus_rule_group_last_evaluation_timestamp_seconds{group} "
    assert (
        last + str(minute(2) / 1000).replace("1795132920.0", "1.79513292e+09") in text
    )


def test_recorded_series_are_asked_by_name(client: FlaskClient) -> None:
    """A query of SessionQL reads them as any metric."""
    asked = {"q": 'a:b{team="web"}', "from": minute(0), "to": minute(2), "step": "1m"}

    rows = client.get("/api/v1/query_range", query_string=asked).json

    assert [row["Value"] for row in rows] == [1, 2]  # type: ignore[union-attr]
