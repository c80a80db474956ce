"""The peers: the same questions in plain SQL, on the same rows, in SQLite and DuckDB."""

import csv
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

HOUR = 3_600_000  # ms
ASKED = 7  # times at most; the median is told, and the slowest but one
PATIENCE_S = 1.0  # no question is asked again after that long


def _sessions_where(condition: str) -> str:
    return f"sum(case when {condition} then 1 else 0 end)"


def _share_where(condition: str) -> str:
    return f"avg(case when {condition} then 1.0 else 0 end)"


_LENGTH = '(s."end" - s.start)'

# what the columns of sessions and views answer, in SQL that both engines understand;
# but for {quantile}, which SQLite has none of
PLAIN = {
    "sessions": "count(*)",
    "active_users": 'count(distinct s."user")',
    "views": "sum(s.views)",
    "views_per_session": "sum(s.views) * 1.0 / count(*)",
    "duration_avg": f"avg({_LENGTH})",
    "duration_p50": f"{{quantile}}({_LENGTH}, 0.5)",
    "duration_p95": f"{{quantile}}({_LENGTH}, 0.95)",
    "bounce_rate": _share_where("s.views = 1"),
    "error_rate": _share_where("s.errors > 0"),
    "crash_free_rate": _share_where("s.status <> 2"),
    "healthy_sessions": _sessions_where("s.status = 0"),
    "errored_sessions": _sessions_where("s.status = 1"),
    "crashed_sessions": _sessions_where("s.status = 2"),
    "short_sessions": _sessions_where(f"{_LENGTH} < 60000"),
    "long_sessions": _sessions_where(f"{_LENGTH} > 600000"),
    "minor_error_sessions": _sessions_where("s.errors between 1 and 5"),
    "many_error_sessions": _sessions_where("s.errors > 5"),
    **{
        name: f"sum(s.{name})"
        for name in ("errors", "actions", "frustrations", "crashes", "traces", "cost")
    },
    "dwell_avg": "avg(v.dwell)",
    "dwell_p50": "{quantile}(v.dwell, 0.5)",
    **{
        f"{name}_p75": f"{{quantile}}(v.{name}, 0.75)"
        for name in ("lcp", "inp", "cls", "ttfb", "fcp")
    },
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


class Peers:
    """Both engines, the rows loaded.

    Args:
        path: of the index; its tables are SQLite's.
    """

    def __init__(self, path: Path) -> None:
        self.lite = sqlite3.connect(path)
        self._duck = duckdb.connect()
        for table in ("sessions", "views"):
            self._load(table, path.with_suffix(".csv"))

    def _load(self, table: str, path: Path) -> None:
        found = self.lite.execute(f"select * from {table}")
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column[0] for column in found.description])
            writer.writerows(found)
        self._duck.execute(f"create table {table} as from read_csv('{path}')")
        path.unlink()

    def ask(self, question: Question, start: int, end: int) -> dict[str, object]:
        """Return the ms that each took, of those that can answer."""
        query = _query(question, start, end)
        if query is None:
            return {}
        text = query.format(quantile="quantile_cont")
        taken = milliseconds(lambda: self._duck.execute(text).fetchall())
        found: dict[str, object] = {"duckdb_ms": statistics.median(taken)}
        if text == query:
            found["sqlite_ms"] = min(
                milliseconds(lambda: self.lite.execute(query).fetchall(), 1)
            )
        return found


def _query(question: Question, start: int, end: int) -> str | None:
    plain = PLAIN.get(question.metric)
    if plain is None:
        return None
    keys = [f"s.{question.by}"] if question.by else []
    tables = "sessions as s"
    if question.by == "page" or "v." in plain:
        tables += " join views as v on v.session = s.id"
        keys = ["v.page"] if question.by == "page" else keys
        plain = "count(*)" if question.metric == "views" else plain
    if question.step:
        keys.append(f"s.start - s.start % {question.step}")
    grouped = f" group by {', '.join(keys)}" if keys else ""
    return (
        f"select {', '.join([*keys, plain])} from {tables}"
        f" where s.start >= {start} and s.start < {end}{grouped}"
    )


def milliseconds(ask: Callable[[], object], times: int = ASKED) -> list[float]:
    """Return how long each of some calls took."""
    taken: list[float] = []
    while len(taken) < times and sum(taken) < PATIENCE_S * 1000:
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return taken
