"""Ask every metric of the catalog at size, beside plain SQL in SQLite and in DuckDB."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from app.catalog.metrics import METRICS
from app.settings import Settings
from app.store import open_writer
from app.store.columns.cache import CACHE
from bench.grow import DAY, grow
from bench.peers import HOUR, Peers, Question, milliseconds

Times = dict[str, float]  # question → ms


def questions() -> Iterator[Question]:
    """Yield every metric whole and over time, for a month and for a day."""
    for days, step in ((30, 6 * HOUR), (1, HOUR)):
        for name in METRICS:
            yield Question(name, "", 0, days)
            yield Question(name, "", step, days)
        for by in ("app", "browser", "version", "device", "entry"):
            yield Question("sessions", by, 0, days)
            yield Question("error_rate", by, 0, days)
        for by in ("device", "page"):
            yield Question("lcp_p75", by, 0, days)
        yield Question("views", "page", 0, days)


def make_index(day: Path, path: Path, sessions: int) -> tuple[int, float]:
    """Grow the index of a day and roll it up; return (sessions, seconds to roll up)."""
    return grow(day, path, sessions), roll_up(path)


def roll_up(path: Path) -> float:
    """Bring an index up to date with this Skald; return the seconds that it took."""
    writer = open_writer(Settings(index=path))
    began = time.perf_counter()
    while writer.roll_up(1 << 52, "single_view"):
        pass
    writer.close()
    return time.perf_counter() - began


def compare(path: Path) -> list[dict[str, Any]]:
    """Return a row a question: ours through HTTP, plain SQL, and DuckDB.

    Ours is told cold (the first answer of a new application, its caches empty), warm
    (every answer is worked out), and again (answers are remembered, as they are).
    """
    # every answer is worked out, none remembered
    settings = Settings(index=path, query_timeout_s=600.0, answer_cache_bytes=0)
    keeping = create_app(Settings(index=path, query_timeout_s=600.0)).test_client()
    client = create_app(settings).test_client()
    peers = Peers(path)
    first, last = peers.lite.execute(
        "select min(start), max(start) from sessions"
    ).fetchone()
    rows = []
    for question in questions():
        start = max(first, last - question.days * DAY) + 1_234_567
        end = last - 7_654_321
        fresh = create_app(settings).test_client()
        CACHE.clear()
        cold = milliseconds(lambda: _ask(fresh, question, start, end), 1)  # noqa: B023
        ours = milliseconds(lambda: _ask(client, question, start, end))  # noqa: B023
        again = milliseconds(lambda: _ask(keeping, question, start, end), 3)  # noqa: B023
        row: dict[str, Any] = {
            "question": question.name,
            "ms": statistics.median(ours),
            "p95_ms": sorted(ours)[-2:][0],
            "cold_ms": cold[0],
            "again_ms": min(again),
        }
        rows.append(row | peers.ask(question, start, end))
    return rows


def _ask(client: FlaskClient, question: Question, start: int, end: int) -> None:
    params: dict[str, object] = {"metric": question.metric, "from": start, "to": end}
    if question.by:
        params["by"] = question.by
    url = "/api/v1/query"
    if question.step:
        url, params["step"] = "/api/v1/query_range", f"{question.step}ms"
    _get(client, url, params)


def _get(client: FlaskClient, url: str, params: dict[str, object]) -> None:
    response = client.get(url, query_string=params)
    if response.status_code != 200:  # noqa: PLR2004
        raise RuntimeError(f"{url} {params}: {response.get_data(as_text=True)[:300]}")
