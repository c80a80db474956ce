"""The alert rules that ship fire where they should, and nowhere else."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app import create_app
from app.model import Entry
from app.settings import Settings
from app.shipped import grafana_dir
from bench.grafana import Filled, infinity_request
from tests.build import DAY, HOUR, MINUTE, MS, js_error, page_load, web_vital
from tests.contract.infinity import Field, read
from tests.corpus import worlds
from tests.dashboards import expressions
from tests.dashboards.expressions import (
    FIRING,
    NO_DATA,
    NORMAL,
    PENDING,
    Alert,
    Instance,
)
from tests.driver import SOURCE, Index

Json = dict[str, Any]
Ask = Callable[[int], FlaskClient]
NOON = DAY + 12 * HOUR


def rules() -> dict[str, Json]:
    """Return the rules, by uid."""
    path = grafana_dir() / "provisioning" / "alerting" / "skald.yaml"
    found = yaml.safe_load(path.read_text("utf-8"))["groups"][0]["rules"]
    return {each["uid"]: each for each in found}


RULES = rules()
EVERY = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def visits(
    app: str, count: int, errors: int = 0, *, fatal: bool = False, lcp: float = 900.0
) -> Iterator[Entry]:
    """Yield sessions of the half hour before noon, some of them with an error."""
    for number in range(count):
        at = NOON - 31 * MINUTE + number * 1_000
        session = f"{app}-{number}"
        yield from page_load(session, at, app_name=app)
        yield from web_vital(session, at, "lcp", lcp, app_name=app)
        if number < errors:
            more = {"fatal": "true"} if fatal else {}
            yield from js_error(session, at + 500, app_name=app, **more)


def talks(app: str, count: int, cost: float) -> Iterator[Entry]:
    """Yield sessions of a language model, each with one trace of that cost."""
    for number in range(count):
        at = NOON - 31 * MINUTE + number * 1_000
        stamp = f"2026-11-20T11:{29 + number // 60:02}:{number % 60:02}.000Z"
        trace = {"id": f"t{number}", "sessionId": f"s{number}", "timestamp": stamp}
        used = {"id": f"g{number}", "traceId": f"t{number}", "type": "GENERATION"}
        used |= {"startTime": stamp, "endTime": stamp, "costDetails": {"total": cost}}
        for kind, body in (("trace-create", trace), ("generation-create", used)):
            line = {"id": f"{kind}{number}", "timestamp": stamp, "type": kind}
            text = json.dumps({**line, "body": body})
            yield Entry(at * MS, text, {"service_name": app}, {})


FIRES: dict[str, Iterable[Entry]] = {
    "skald-error-rate": [*visits("bad", 25, 5), *visits("good", 25)],
    "skald-crash-free-rate": [
        *visits("bad", 60, 5, fatal=True),
        *visits("good", 60, 5),
    ],
    "skald-no-sessions": [*visits("bad", 25), *visits("few", 5)],
    "skald-lcp": [*visits("bad", 60, lcp=5_000.0), *visits("good", 60)],
    "skald-cost": [*talks("bad", 12, 1.5), *talks("good", 12, 0.2)],
}  # of each, `bad` alone makes an alert; too few sessions make none
FEW: dict[str, Iterable[Entry]] = {
    "skald-error-rate": [*visits("bad", 10, 5)],
    "skald-crash-free-rate": [*visits("bad", 30, 5, fatal=True)],
    "skald-no-sessions": [*visits("bad", 5)],
    "skald-lcp": [*visits("bad", 30, lcp=5_000.0)],
    "skald-cost": [*talks("bad", 5, 1.5)],
}


@pytest.fixture
def world(tmp_path: Path) -> Callable[[str, Iterable[Entry]], FlaskClient]:
    """Return what indexes entries and serves them."""

    def serve(uid: str, entries: Iterable[Entry]) -> FlaskClient:
        path = tmp_path / f"{uid}.db"
        source = worlds.source("langfuse") if uid == "skald-cost" else SOURCE
        index = Index(path, replace(source, start_ms=48 * HOUR))
        index.feed(list(entries))
        if index.entries:
            index.backfill()
        else:
            assert index.writer
        index.close()
        return create_app(Settings(index=path)).test_client()

    return serve


def ask(client: FlaskClient, now: int, query: Json) -> list[Field]:
    """Answer a query of a rule as Infinity does: nothing but the time is filled in."""
    reach = query["relativeTimeRange"]
    ends = (now - reach["from"] * 1_000, now - reach["to"] * 1_000)
    response = infinity_request(query["model"], Filled(*ends, is_alert=True)).send(
        client
    )
    assert response.status_code == 200, response.status
    return read(query["model"], response.get_data())


def alerts(client: FlaskClient, rule: Json, now: int = NOON) -> dict[str, Instance]:
    """Evaluate a rule; return its alerts by app."""
    found = expressions.evaluate(rule, partial(ask, client, now))
    return {dict(each.labels)["app"]: each for each in found}


@EVERY
def test_rule_fires_where_its_condition_holds(world: Any, rule: Json) -> None:
    """Of two apps only the one that is in trouble makes an alert."""
    client = world(rule["uid"], FIRES[rule["uid"]])

    states = {app: each.state for app, each in alerts(client, rule).items()}

    assert states.pop("bad") == FIRING
    assert states
    assert set(states.values()) == {NORMAL}


@EVERY
def test_few_sessions_are_no_reason(world: Any, rule: Json) -> None:
    """The same trouble of a handful of sessions wakes nobody."""
    client = world(rule["uid"], FEW[rule["uid"]])

    assert [each.state for each in alerts(client, rule).values()] == [NORMAL]


@EVERY
def test_empty_index_is_no_data_and_not_an_alert(world: Any, rule: Json) -> None:
    """Where there never was a session, there is nothing to alert about, and no error."""
    assert alerts(world(rule["uid"], []), rule) == {}
    assert rule["noDataState"] == "OK"
    assert rule["execErrState"] == "Error"


def test_zero_is_a_figure_and_not_missing_data(world: Any) -> None:
    """When an app falls silent, the figure is 0, so that the condition can hold."""
    rule = RULES["skald-no-sessions"]
    client = world(rule["uid"], FIRES[rule["uid"]])

    silent = alerts(client, rule)["bad"]
    before = alerts(client, rule, NOON - 20 * MINUTE)["bad"]

    assert (silent.values["B"], silent.values["C"]) == (0, 25)
    assert (before.state, before.values["B"]) == (NORMAL, 25)


@EVERY
def test_condition_has_to_hold_for_a_while(world: Any, rule: Json) -> None:
    """Pending first, firing after `for`; one evaluation that is fine starts it anew."""
    client = world(rule["uid"], FIRES[rule["uid"]])
    minutes = int(rule["for"].removesuffix("m"))
    alert = Alert(minutes * MINUTE)
    held = [
        alert.tell(alerts(client, rule, at)["bad"].state, at)
        for at in range(NOON, NOON + (minutes + 1) * MINUTE, MINUTE)
    ]

    assert held == [PENDING] * minutes + [FIRING]
    assert alert.tell(NORMAL, NOON) == NORMAL
    assert alert.tell(FIRING, NOON + MINUTE) == PENDING


@EVERY
def test_alert_resolves(world: Any, rule: Json) -> None:
    """An hour and a bit later nothing of the trouble is in the range any more."""
    client = world(rule["uid"], FIRES[rule["uid"]])

    later = alerts(client, rule, NOON + 2 * HOUR)

    assert {each.state for each in later.values()} <= {NORMAL, NO_DATA}


@EVERY
def test_templates_name_what_there_is(world: Any, rule: Json) -> None:
    """Labels and values in summary and description are those of the alert."""
    client = world(rule["uid"], FIRES[rule["uid"]])
    alert = alerts(client, rule)["bad"]
    text = " ".join(rule["annotations"].values())

    labels = set(re.findall(r"\$labels\.(\w+)", text))
    values = set(re.findall(r"\$values\.(\w+)", text))

    assert labels <= set(dict(alert.labels))
    assert labels
    assert values
    assert all(alert.values[each] is not None for each in values)
    functions = set(re.findall(r"\{\{ (\w+) \.Value", text))
    assert functions <= {"humanize", "humanizePercentage", "humanizeDuration"}
    assert {"severity", "service"} == set(rule["labels"])
    assert not set(rule["labels"]) & set(dict(alert.labels))
