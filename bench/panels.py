"""Ask every metric of the catalog at size, beside a scan in SQLite and in DuckDB."""

import csv
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from app import create_app
from app.catalog.metrics import METRICS
from app.sessionql.evaluate import evaluate
from app.sessionql.language import parse
from app.sessionql.plan import EVERYTHING, Window, bind
from app.settings import Settings
from app.store import open_exact_reader, open_writer
from bench.grow import DAY, grow

HOUR = 3_600_000  # ms
ASKED = 7  # times at most; the median is told, and the slowest but one
PATIENCE_S = 1.0  # no question is asked again after that long

# what the sessions' own columns answer, as plain SQL that both engines understand
_PLAIN = {
    "sessions": "count(*)",
    "active_users": 'count(distinct "user")',
    "views": "sum(views)",
    "views_per_session": "sum(views) * 1.0 / count(*)",
    "duration_avg": 'avg("end" - start)',
    "duration_p95": '{p95}("end" - start, 0.95)',
    "bounce_rate": "avg(case when views = 1 then 1.0 else 0 end)",
    "error_rate": "avg(case when errors > 0 then 1.0 else 0 end)",
    "errors": "sum(errors)",
    "actions": "sum(actions)",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One panel's question."""

    metric: str
    by: str
    step: int  # ms; 0 = one figure
    days: int

    @property
    def name(self) -> str:
        """Return what it is called in the table."""
        split = f" by {self.by}" if self.by else ""
        every = f" every {self.step // HOUR} h" if self.step else ""
        return f"{self.metric}{split}{every}, {self.days} d"


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


def compare(path: Path) -> list[dict[str, object]]:
    """Return a row a question: ours through HTTP, a scan of ours, plain SQL, DuckDB."""
    # every answer is worked out, none remembered
    settings = Settings(index=path, query_timeout_s=600.0, answer_cache_bytes=0)
    client = create_app(settings).test_client()
    exact = open_exact_reader(settings)
    lite = sqlite3.connect(path)
    first, last = lite.execute("select min(start), max(start) from sessions").fetchone()
    duck = _duckdb(lite, path.with_suffix(".csv"))
    rows = []
    for question in questions():
        start, end = (
            max(first, last - question.days * DAY) + 1_234_567,
            last - 7_654_321,
        )
        params = {"metric": question.metric, "from": start, "to": end}
        if question.by:
            params["by"] = question.by
        url = "/api/v1/query"
        if question.step:
            url, params["step"] = "/api/v1/query_range", f"{question.step}ms"
        ours = _times(lambda: _get(client, url, params))  # noqa: B023
        window = Window(start, end, question.step, last)
        by = (question.by,) if question.by else ()
        plan = bind(parse(METRICS[question.metric].text).plan, EVERYTHING, by)
        scan = (
            _times(lambda: evaluate(plan, window, exact, max_series=1000), 1)  # noqa: B023
            if question.metric in _PLAIN
            else [float("nan")]
        )
        row: dict[str, object] = {
            "question": question.name,
            "ms": statistics.median(ours),
            "p95_ms": sorted(ours)[-2:][0],
            "scan_ms": min(scan),
        }
        row |= _peers(question, start, end, lite, duck)
        rows.append(row)
    return rows


def _get(client: object, url: str, params: dict[str, object]) -> None:
    response = client.get(url, query_string=params)  # type: ignore[attr-defined]
    if response.status_code != 200:  # noqa: PLR2004
        raise RuntimeError(f"{url} {params}: {response.get_data(as_text=True)[:300]}")


def _times(ask: Callable[[], object], times: int = ASKED) -> list[float]:
    taken: list[float] = []
    while len(taken) < times and sum(taken) < PATIENCE_S * 1000:
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _duckdb(lite: sqlite3.Connection, path: Path) -> duckdb.DuckDBPyConnection:
    """Load the sessions' rows into DuckDB."""
    found = lite.execute("select * from sessions")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column[0] for column in found.description])
        writer.writerows(found)
    duck = duckdb.connect()
    duck.execute(f"create table sessions as from read_csv('{path}')")
    path.unlink()
    return duck


def _peers(
    question: Question,
    start: int,
    end: int,
    lite: sqlite3.Connection,
    duck: duckdb.DuckDBPyConnection,
) -> dict[str, object]:
    plain = _PLAIN.get(question.metric)
    if plain is None or question.by == "page":
        return {}
    keys = [question.by] if question.by else []
    if question.step:
        keys.append(f"start - start % {question.step}")
    grouped = f" group by {', '.join(keys)}" if keys else ""
    selected = ", ".join([*keys, plain])
    query = f"select {selected} from sessions where start >= {start} and start < {end}"
    text = (query + grouped).format(p95="quantile_cont")
    peers = {"duckdb_ms": min(_times(lambda: duck.execute(text).fetchall(), 3))}
    if "{p95}" not in plain:
        text_lite = query + grouped
        peers["sqlite_ms"] = min(_times(lambda: lite.execute(text_lite).fetchall(), 1))
    return dict(peers)
