"""The stand-in answers what a real Loki answered."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.demo.standin import StandIn

DATA = Path(__file__).parents[1] / "data" / "loki"
T0_MS = int(json.loads((DATA / "about.json").read_text())["t0_ns"]) // 1_000_000
NAMES = sorted(
    p.name.split(".")[0] for p in DATA.glob("*.json*") if "about" not in p.name
)
PUSHES = [name for name in NAMES if name.startswith("push_")]
QUERIES = [name for name in NAMES if not name.startswith("push_")]


def transcript(name: str) -> dict:
    """Read a recorded exchange."""
    plain = DATA / f"{name}.json"
    if plain.exists():
        return json.loads(plain.read_text())
    return json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))


def replay(loki: StandIn, name: str) -> tuple[requests.Response, dict]:
    """Send a recorded request; return the answer and the recorded one."""
    recorded = transcript(name)
    asked = recorded["request"]
    body, headers = asked["body"], dict(asked["headers"])
    if name == "push_line_too_long":
        body["streams"][0]["values"][0][1] = "x" * 300_000
    if isinstance(body, dict):
        body = json.dumps(body)
        headers["Content-Type"] = "application/json"
    url = loki.url + asked["path"]
    answer = requests.request(
        asked["method"],
        url,
        params=asked["params"],
        headers=headers,
        data=body,
        timeout=5,
    )
    return answer, recorded["response"]


def comparable(body: object) -> object:
    """Make series and streams independent of their order, and leave out statistics."""
    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        data = {name: value for name, value in body["data"].items() if name != "stats"}
        data["result"] = sorted(map(sorted_values, data["result"]))
        return body | {"data": data}
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        return body | {"data": sorted(map(written, body["data"]))}
    return body


def sorted_values(series: dict) -> str:
    """Write a series or a stream with its values in an order that means nothing."""
    values = sorted(map(written, series.get("values", [])))
    return written(series | {"values": values})


def written(value: object) -> str:
    """Write a value as JSON, names sorted."""
    return json.dumps(value, sort_keys=True)


@pytest.fixture(scope="module")
def fresh() -> Iterator[StandIn]:
    """Give a stand-in at the time of the recording."""
    with StandIn(now=lambda: T0_MS + 60_000) as loki:
        yield loki


@pytest.fixture(scope="module")
def pushes(fresh: StandIn) -> dict[str, tuple[requests.Response, dict]]:
    """Replay the recorded pushes, the accepted bulk first."""
    order = sorted(PUSHES, key=lambda name: (name != "push_ok", name))
    return {name: replay(fresh, name) for name in order}


@pytest.mark.parametrize("name", PUSHES)
def test_push_is_answered_as_recorded(pushes: dict, name: str) -> None:
    """A push gets the status, the type and the text that Loki gave."""
    answer, recorded = pushes[name]

    assert answer.status_code == recorded["status"]
    assert answer.headers.get("Content-Type") == recorded["content_type"]
    assert answer.text == recorded["body"]


@pytest.mark.parametrize("name", QUERIES)
def test_query_is_answered_as_recorded(fresh: StandIn, pushes: dict, name: str) -> None:
    """A query gets the status, the type and the body that Loki gave, order aside."""
    assert pushes

    answer, recorded = replay(fresh, name)

    assert answer.status_code == recorded["status"]
    assert answer.headers.get("Content-Type") == recorded["content_type"]
    if recorded["body_is"] == "text":
        assert answer.text == recorded["body"]
        return
    assert comparable(answer.json()) == comparable(recorded["body"])
    data = recorded["body"].get("data")
    if isinstance(data, dict) and "stats" in data:
        assert answer.json()["data"]["stats"].keys() == data["stats"].keys()
