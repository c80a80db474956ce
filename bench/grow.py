"""Grow an index of one day into one of many, in SQL: as if the day came again and again."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

from app.settings import Settings
from app.store import open_writer
from app.store.marks import mark

DAY = 86_400_000  # ms

_COPIED = {  # table → columns after `session`
    "journals": "data",
    "views": "n, at, page, is_load, dwell, lcp, inp, cls, ttfb, fcp",
    "actions": "n, at, name, page",
    "errors": "n, at, type, message, fingerprint, page",
    "users": "user",
    "attributes": "name, value",
    "traces": "n, at, name, user, latency, cost, tokens, errors",
    "usage": "n, at, model, generations, cost, tokens_in, tokens_out, tokens, took",
    "tags": "n, at, tag",
    "scores": "n, at, name, value, text",
}


def is_current(path: Path) -> bool:
    """Tell whether *path* is an index with the tables that this Skald makes."""
    if not path.exists():
        return False
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.db"
        open_writer(Settings(index=empty)).close()
        return _tables(empty) == _tables(path)


def _tables(path: Path) -> list[tuple[str]]:
    db = sqlite3.connect(path)
    found = db.execute(
        "select sql from sqlite_master where name not like 'sqlite_%' order by name"
    ).fetchall()
    db.close()
    return found


def grow(day: Path, path: Path, sessions: int, days: int = 30) -> int:
    """Copy the index *day* to *path* until it holds *sessions* over *days*.

    Copies of a day differ by their time alone: whole days, then parts of a day when
    more sessions are wanted than the days hold once. Rows are in the order of time,
    as an indexer writes them.

    Returns:
        Sessions held.
    """
    shutil.copyfile(day, path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = off")
    db.execute("pragma synchronous = off")
    db.execute("pragma cache_size = -400000")
    count, highest = db.execute("select count(*), max(id) from sessions").fetchone()
    rounds = max(1, round(sessions / count))
    columns = [row[1] for row in db.execute("pragma table_info(sessions)")]
    db.execute("begin")
    for turn in range(1, rounds):
        back = turn * days * DAY // rounds  # ms
        _copy_round(db, columns, turn * highest, highest, back)
    mark(db, (start for (start,) in db.execute("select start from sessions")))
    db.execute("commit")
    held = int(db.execute("select count(*) from sessions").fetchone()[0])
    db.execute("pragma journal_mode = wal")
    db.execute("analyze")
    db.close()
    return held


def _copy_round(
    db: sqlite3.Connection, columns: list[str], offset: int, highest: int, back: int
) -> None:
    values = {
        "id": f"id + {offset}",
        "hash": "abs(random())",
        "start": f"start - {back}",
        "end": f"end - {back}",
        "sid": f"sid || '-{offset}'",
    }
    selected = ", ".join(values.get(name, name) for name in columns)
    db.execute(
        f"insert into sessions ({', '.join(columns)})"
        f" select {selected} from sessions where id <= {highest}"
    )
    for table, rest in _COPIED.items():
        db.execute(
            f"insert into {table} (session, {rest})"
            f" select session + {offset}, {rest} from {table} where session <= {highest}"
        )
    db.execute(
        f"insert into activity select session + {offset}, minute - {back // 60_000}"
        f" from activity where session <= {highest}"
    )
