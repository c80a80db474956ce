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
_FILLED = {"all": 0, "one app": 1, "one of each": 99}  # variables that have one value
_DAYS = 30
_LONG = f"{_DAYS}d"
_UNITS = {"m": 60_000, "h": 3_600_000, "d": DAY}
_NEEDS_LOKI = 503


Known = dict[Request, tuple[float, float, float, int]]  # ms, CPU ms, ms later, bytes


@dataclass(frozen=True, slots=True)
class Timed:
    """One request of one board."""

    board: str
    asker: str  # panel, $variable, annotation or alert rule
    range: str
    filled: str
    first_ms: float  # when nothing of it is remembered
    cpu_ms: float  # of that
    ms: float  # median, asked again
    bytes: int
    path: str
    body: str


def measure(path: Path, *, only: str = "", days: int = _DAYS) -> Iterator[list[Timed]]:
    """Time every request of every board, and those of alert rules; a list a board.

    Args:
        path: of an index, which is only read.
        only: flavour/name of one board; "" = all.
        days: of the longer of two ranges; the other is the board's own.
    """
    settings = Settings(index=path, query_timeout_s=600.0)
    now = _last(path)
    app.clock.now = lambda: now
    client = create_app(settings).test_client()
    known: Known = {}
    for file, text in generate().items():
        name = file.removeprefix("dashboards/").removesuffix(".json")
        if file.endswith(".json") and only in name:
            yield _open(client, name, orjson.loads(text), now, days, known)
    if not only:
        asked = _alerts(Filled(0, 0, is_alert=True), now)
        yield _time(client, asked, known, ("alert rules", "own", "-"))


def _last(path: Path) -> int:
    """Return when the last session began: boards are opened at that time."""
    db = sqlite3.connect(path)
    found = db.execute("select max(start) from sessions").fetchone()[0]
    db.close()
    return int(found) + 1


def _open(
    client: FlaskClient, name: str, board: Json, now: int, days: int, known: Known
) -> list[Timed]:
    """Open a board with its own range and a longer one, variables at "All" and chosen."""
    own = board["time"]["from"].removeprefix("now-")
    timed = []
    for span, back in {own: int(own[:-1]) * _UNITS[own[-1]], f"{days}d": days * DAY}.items():  # fmt: skip
        for how, count in _FILLED.items():
            empty = Filled(now - back, now)
            filled = replace(empty, values=fill(client, board, empty, count))
            timed += _time(client, requests(board, filled), known, (name, span, how))
    return timed


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
    known: Known,
    told: tuple[str, str, str],
) -> list[Timed]:
    timed = []
    for asker, request in asked:
        if request not in known:
            known[request] = _ask(client, request)
        first, cpu, again, size = known[request]
        if size >= 0:
            timed.append(
                Timed(told[0], asker, *told[1:], first, cpu, again, size, request.path, request.body)
            )  # fmt: skip
    return timed


def _ask(client: FlaskClient, request: Request) -> tuple[float, float, float, int]:
    """Return ms and CPU ms the first time, ms later, bytes; -1 bytes if Loki is needed."""
    taken: list[float] = []
    used, size = 0.0, 0
    while len(taken) <= _WARM and sum(taken) < _PATIENCE_MS:
        began, worked = time.perf_counter(), time.process_time()
        response = request.send(client)
        taken.append((time.perf_counter() - began) * 1000)
        used = used or (time.process_time() - worked) * 1000
        if response.status_code == _NEEDS_LOKI:
            return 0.0, 0.0, 0.0, -1
        if response.status_code != 200:  # noqa: PLR2004
            raise RuntimeError(f"{request}: {response.status}")
        size = len(response.get_data())
    return taken[0], used, statistics.median(taken[1:] or taken), size


HEADING = (
    f"{'ms, the first time and again':29}{'requests':>9}{'first: p50':>12}{'p95':>7}{'over 50':>9}"
    f"{'CPU: p50':>10}{'p95':>7}{'over 50':>9}{'again: p50':>12}{'p95':>7}{'over 50':>9}"
    "  most CPU"
)


def row(name: str, timed: Sequence[Timed]) -> str:
    """Write a row of the table."""
    cells = []
    for key, width in (("first_ms", 12), ("cpu_ms", 10), ("ms", 12)):
        taken = [getattr(each, key) for each in timed]
        over = sum(ms > LIMIT_MS for ms in taken)
        middle, most = _percentile(taken, 0.5), _percentile(taken, 0.95)
        cells.append(f"{middle:{width}.0f}{most:7.0f}{over:9}")
    top = max(timed, key=lambda each: each.cpu_ms)
    told = f"{top.cpu_ms:,.0f}: {top.asker}, {top.range}, {top.filled}"
    return f"{name:29}{len(timed):9}{''.join(cells)}  {told}"


def sums(timed: Sequence[Timed]) -> Iterator[str]:
    """Yield a row for each way in which boards were opened, and one for all."""
    for how in _FILLED:
        for name, is_long in (("own range", False), ("longer range", True)):
            found = [
                each
                for each in timed
                if each.filled == how and (each.range == _LONG) == is_long
            ]
            if found:
                yield row(f"{name}, {how}", found)
    yield row("all", timed)


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def as_json(timed: Sequence[Timed]) -> list[Json]:
    """Return what is kept, slowest first."""
    return [asdict(each) for each in sorted(timed, key=lambda each: -each.first_ms)]
