"""Open every dashboard that ships, as Grafana does, and time each request it makes."""

import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson
import yaml
from flask.testing import FlaskClient

import app.clock
from app import create_app
from app.dashboards.build import generate
from app.settings import Settings
from bench.grafana import (
    ALL,
    Filled,
    Json,
    Request,
    infinity_request,
    requests,
    variable_request,
)
from bench.grow import DAY

LIMIT_MS = 50.0
_WARM = 5  # times; the median is told
_PATIENCE_MS = 1_500.0  # nothing is asked again once its asking took that long
_UNITS = {"m": 60_000, "h": 3_600_000, "d": DAY}
_NEEDS_LOKI = 503


@dataclass(frozen=True, slots=True)
class Timed:
    """One request of one board."""

    board: str
    asker: str  # panel, $variable, annotation or alert rule
    range: str
    filled: str
    cold_ms: float
    ms: float  # median of the warm ones
    bytes: int
    path: str
    body: str


def measure(path: Path, *, only: str = "", most_days: int = 30) -> list[Timed]:
    """Time every request of every board and alert rule on the index at *path*.

    Args:
        path: of an index, which is only read.
        only: flavour/name of one board; "" = all.
        most_days: of the longer of two ranges; the other is the board's own.
    """
    settings = Settings(index=path, query_timeout_s=600.0)
    now = _last(path)
    app.clock.now = lambda: now
    client = create_app(settings).test_client()
    timed: list[Timed] = []
    known: dict[Request, tuple[float, float, int]] = {}
    for name, board, span, filled, how in _openings(client, now, most_days, only):
        asked = requests(board, filled)
        timed += _time(client, asked, known, (name, span, how))
    if not only:
        filled = Filled(0, 0, is_alert=True)
        timed += _time(client, _alerts(filled, now), known, ("alert rules", "own", "-"))
    return timed


def _last(path: Path) -> int:
    """Return when the last session began: boards are opened at that time."""
    db = sqlite3.connect(path)
    found = db.execute("select max(start) from sessions").fetchone()[0]
    db.close()
    return int(found) + 1


def _openings(
    client: FlaskClient, now: int, most_days: int, only: str
) -> Iterator[tuple[str, Json, str, Filled, str]]:
    """Yield (name, board, range, what is filled in, how) of all that is opened."""
    for file, text in generate().items():
        name = file.removeprefix("dashboards/").removesuffix(".json")
        if not file.endswith(".json") or only not in name:
            continue
        board = orjson.loads(text)
        own = board["time"]["from"].removeprefix("now-")
        length = int(own[:-1]) * _UNITS[own[-1]]
        for span, back in {own: length, f"{most_days}d": most_days * DAY}.items():
            for how, count in (("all", 0), ("one app", 1), ("one of each", 99)):
                empty = Filled(now - back, now)
                values = fill(client, board, empty, count)
                yield name, board, span, replace(empty, values=values), how


def fill(
    client: FlaskClient, board: Json, filled: Filled, count: int
) -> dict[str, list[str]]:
    """Choose one value of the first *count* variables that can have several, else "All"."""
    values: dict[str, list[str]] = {}
    for each in board["templating"]["list"]:
        if each["type"] == "custom":
            values[each["name"]] = [each["current"]["value"]]
        if each["type"] != "query":
            continue
        request = variable_request(board, each, replace(filled, values=dict(values)))
        answer = request.send(client).get_json()
        offered = [row["__value"] for row in answer if row["__value"]]
        is_all = each["multi"] and count <= 0
        count -= bool(each["multi"])
        values[each["name"]] = [ALL] if is_all or not offered else offered[:1]
    return values


def _alerts(filled: Filled, now: int) -> Iterator[tuple[str, Request]]:
    rules = yaml.safe_load(generate()["provisioning/alerting/skald.yaml"])
    for rule in rules["groups"][0]["rules"]:
        for query in rule["data"]:
            if "url" in query["model"]:
                back = query["relativeTimeRange"]["from"] * 1000
                ranged = replace(filled, start=now - back, end=now)
                yield rule["title"], infinity_request(query["model"], ranged)


def _time(
    client: FlaskClient,
    asked: Iterator[tuple[str, Request]],
    known: dict[Request, tuple[float, float, int]],
    told: tuple[str, str, str],
) -> list[Timed]:
    timed = []
    for asker, request in asked:
        if request not in known:
            known[request] = _ask(client, request)
        cold, warm, size = known[request]
        if size >= 0:
            timed.append(
                Timed(told[0], asker, *told[1:], cold, warm, size, request.path, request.body)
            )  # fmt: skip
    return timed


def _ask(client: FlaskClient, request: Request) -> tuple[float, float, int]:
    """Return ms the first time, ms as a rule, and bytes; -1 bytes where Loki is needed."""
    taken: list[float] = []
    size = 0
    while len(taken) <= _WARM and sum(taken) < _PATIENCE_MS:
        began = time.perf_counter()
        response = request.send(client)
        taken.append((time.perf_counter() - began) * 1000)
        if response.status_code == _NEEDS_LOKI:
            return 0.0, 0.0, -1
        if response.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"{request}: {response.status}")
        size = len(response.get_data())
    return taken[0], statistics.median(taken[1:] or taken), size


def tell(timed: Sequence[Timed]) -> None:
    """Print a row a board: requests, p50, p95, slowest, how many are over the limit."""
    print(f"\n{'dashboard':24}{'requests':>9}{'p50':>9}{'p95':>9}{'cold p95':>10}{'over':>6}  slowest")  # fmt: skip
    names = dict.fromkeys(each.board for each in timed)
    for name in names:
        _tell_row(name, [each for each in timed if each.board == name])
    _tell_row("all", timed)


def _tell_row(name: str, timed: Sequence[Timed]) -> None:
    taken = [each.ms for each in timed]
    over = sum(ms > LIMIT_MS for ms in taken)
    slowest = max(timed, key=lambda each: each.ms)
    print(
        f"{name:24}{len(timed):9}{_percentile(taken, 0.5):9.1f}{_percentile(taken, 0.95):9.1f}"
        f"{_percentile([each.cold_ms for each in timed], 0.95):10.1f}{over:6}"
        f"  {slowest.ms:,.1f} ms: {slowest.asker}, {slowest.range}, {slowest.filled}"
    )


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def as_json(timed: Sequence[Timed]) -> list[Json]:
    """Return what is kept, slowest first."""
    return [asdict(each) for each in sorted(timed, key=lambda each: -each.ms)]
