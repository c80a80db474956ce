"""Recompute what is dirty: hours from their sessions, what is longer from the shorter."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from app.store.marks import touch
from app.store.rollups.cells import Cells, add_up, summed, united
from app.store.rollups.moves import moved, moves_of
from app.store.rollups.packed import Groups, Held, Span, group
from app.store.rollups.shapes import (
    Entries,
    Floats,
    Ints,
    added,
    buckets_of,
    pack_users,
)
from app.store.rollups.tables import (
    DIMENSIONS,
    HOUR,
    KEYS,
    LEVELS,
    OF_EACH_VIEW,
    OF_SESSIONS,
    OF_USAGE,
    PARTS,
    SETS,
    SUMS,
    bucket_of_key,
    key_of,
)

SETTLED = 120_000  # ms after its end, an hour is worth computing; it grows before
MAX_VALUES = 2_000  # of one dimension in one hour; of more, that dimension is left out
_AT_ONCE = 5_000  # sessions that are looked at at a time

_BASE = ("source", "app", "environment")
_OF_SESSION = DIMENSIONS[1:-3]
_USED = dict(
    zip(
        OF_USAGE,
        ("generations", "cost", "tokens_in", "tokens_out", "tokens", "took"),
        strict=True,
    )
)
# table of what sessions have several of → (label, {number → column})
_TABLES = {
    "views": ("page", {name: f"e.{name}" for name in OF_EACH_VIEW}),
    "usage": ("model", {name: f"e.{column}" for name, column in _USED.items()}),
    "traces": ("name", {"latency": "e.latency"}),
}
_HISTOGRAMS = tuple(name for name in SETS if name != "user")


def build_hour(db: sqlite3.Connection, hour: int, bounced: str) -> None:
    """Compute the cells of the sessions that began in the hour *hour* (ms).

    Args:
        db: in a transaction.
        hour: its begin.
        bounced: SQL of the definition of bounce.
    """
    pieces: defaultdict[str, list[Cells]] = defaultdict(list)
    many: set[str] = set()  # dimensions of too many values: nothing is made of them
    for sessions in _sessions(db, hour, bounced):
        rows = {name: _rows(db, name, hour, sessions["id"]) for name in _TABLES}
        active = _active(db, hour, sessions["id"])
        for dimension in (each for each in DIMENSIONS if each not in many):
            if dimension == "page":
                cells = _of_pages(sessions, rows["views"])
            elif dimension == "model":
                cells = _of_models(sessions, rows["usage"])
            else:
                cells = _of_sessions(dimension, sessions, rows, active)
            if cells is None:
                many.add(dimension)
            else:
                pieces[dimension].append(cells)
    kept = ((name, each) for name, each in pieces.items() if name not in many)
    whole = {name: united(each) if len(each) > 1 else each[0] for name, each in kept}
    _replace(db, 0, hour, whole, many)


def _sessions(
    db: sqlite3.Connection, hour: int, bounced: str
) -> Iterator[dict[str, Ints]]:
    """Yield columns of sessions, some at a time, by row id; 0 = not said."""
    columns = {"id": "s.id", "user": "coalesce(s.user, 0)"}
    columns |= {name: f"coalesce(s.{name}, 0)" for name in (*_BASE, *_OF_SESSION)}
    columns |= {
        name: text.replace("{bounced}", bounced) for name, text in OF_SESSIONS.items()
    }
    found = db.execute(
        f"select {', '.join(columns.values())} from sessions as s"
        " where s.start >= ? and s.start < ? order by s.id",
        (hour, hour + HOUR),
    )
    while rows := found.fetchmany(_AT_ONCE):
        table = np.array(rows, np.int64).T
        yield dict(zip(columns, table, strict=True))


class _Rows(NamedTuple):
    """What sessions have several of.

    Attributes:
        whose: the place of the session of each.
        labels: of each, the page or model; 0 = not said.
        numbers: of each, by name; NaN = not known.
    """

    whose: Ints
    labels: Ints
    numbers: dict[str, Floats]


def _rows(db: sqlite3.Connection, table: str, hour: int, sessions: Ints) -> _Rows:
    """Return the rows of *sessions*, which are row ids, in a table."""
    label, columns = _TABLES[table]
    found = db.execute(
        f"select e.session, coalesce(e.{label}, 0), {', '.join(columns.values())}"
        f" from sessions as s join {table} as e on e.session = s.id"
        " where s.start >= ? and s.start < ? and s.id between ? and ?",
        (hour, hour + HOUR, int(sessions[0]), int(sessions[-1])),
    ).fetchall()
    numbers = np.array(found, float).reshape(len(found), 2 + len(columns)).T
    whose = np.searchsorted(sessions, numbers[0].astype(np.int64))
    labels = numbers[1].astype(np.int64)
    return _Rows(whose, labels, dict(zip(columns, numbers[2:], strict=True)))


def _active(db: sqlite3.Connection, hour: int, sessions: Ints) -> tuple[Ints, Ints]:
    """Return which of *sessions* were active, and how many hours later, several times."""
    found = db.execute(
        "select e.session, e.minute from sessions as s"
        " join activity as e on e.session = s.id"
        " where s.start >= ? and s.start < ? and s.id between ? and ?",
        (hour, hour + HOUR, int(sessions[0]), int(sessions[-1])),
    ).fetchall()
    ids, minutes = np.array(found, np.int64).reshape(len(found), 2).T
    return np.searchsorted(sessions, ids), minutes // 60 - hour // HOUR


def _of_sessions(
    dimension: str,
    sessions: dict[str, Ints],
    rows: dict[str, _Rows],
    active: tuple[Ints, Ints],
) -> Cells | None:
    """Put every session, and all that it has, into one cell; None: too many cells."""
    size = len(sessions["id"])
    nothing = np.zeros(size, np.int64)
    keys = [*(sessions[name] for name in _BASE), sessions.get(dimension, nothing)]
    if dimension == "source":
        keys[1:] = [nothing] * 3
    groups = group(keys, size)
    if len(groups.keys) > MAX_VALUES:
        return None
    cells = summed(groups, {name: sessions[name] for name in OF_SESSIONS})
    if dimension in SETS["duration"]:
        buckets = buckets_of(sessions["duration"].astype(float))
        counts = np.ones(size, np.int64)
        cells.histograms["duration"] = added(Entries(groups.codes, buckets, counts))
    if dimension in SETS["activity"]:
        cells.histograms["activity"] = added(moves_of(groups.codes, *active))
    if dimension in SETS["user"]:
        cells.users = _users(groups, sessions["user"])
    for each in rows.values():
        _add_rows(cells, dimension, groups.codes[each.whose], each)
    if dimension == "source":  # sums are quickly added up from the others
        cells.sums.clear()
    return cells


def _of_pages(sessions: dict[str, Ints], views: _Rows) -> Cells | None:
    """Put every view into the cell of its page, and its session once beside it."""
    whose = views.whose
    base = [sessions[name][whose] for name in _BASE]
    groups = group([*base, views.labels], len(whose))
    if len(groups.keys) > MAX_VALUES:
        return None
    visits = groups.codes * len(sessions["id"]) + whose
    _, first = np.unique(visits, return_index=True)
    once = Groups(groups.codes[first], groups.keys)
    cells = summed(once, {name: sessions[name][whose[first]] for name in OF_SESSIONS})
    cells.sums["views"] = np.bincount(groups.codes, minlength=len(groups.keys))
    cells.users = _users(once, sessions["user"][whose[first]])
    _add_rows(cells, "page", groups.codes, views)
    return cells


def _of_models(sessions: dict[str, Ints], usage: _Rows) -> Cells | None:
    """Put what a session used of a model into the cell of the model, and no more."""
    base = [sessions[name][usage.whose] for name in _BASE]
    groups = group([*base, usage.labels], len(usage.whose))
    if len(groups.keys) > MAX_VALUES:
        return None
    cells = summed(groups, {})
    _add_rows(cells, "model", groups.codes, usage)
    return cells


def _add_rows(cells: Cells, dimension: str, codes: Ints, rows: _Rows) -> None:
    """Add what is known of rows; *codes* are their cells."""
    size = len(cells.keys)
    for name, values in rows.numbers.items():
        is_known = ~np.isnan(values)
        owners, known = codes[is_known], values[is_known]
        if name in SUMS:
            cells.sums[name] = add_up(owners, known, size)
        if name == "dwell":
            cells.sums["dwells"] = np.bincount(owners, minlength=size)
        if dimension in SETS.get(name, ()):
            counts = np.ones(len(known), np.int64)
            cells.histograms[name] = added(Entries(owners, buckets_of(known), counts))


def _users(groups: Groups, users: Ints) -> list[bytes]:
    """Return the packed set of users of each group."""
    found: list[set[int]] = [set() for _ in groups.keys]
    for code, user in zip(groups.codes.tolist(), users.tolist(), strict=True):
        if user:
            found[code].add(user)
    return [pack_users(each) if each else b"" for each in found]


def build_above(db: sqlite3.Connection, level: int, bucket: int) -> None:
    """Compute the cells of a bucket from those of the level below; all are clean."""
    span = level - 1, bucket, bucket + LEVELS[level]
    whole = {name: united([_held(db, name, span)]) for name in DIMENSIONS}
    _replace(db, level, bucket, whole, _left_out(db, span))


def _held(db: sqlite3.Connection, dimension: str, span: Span) -> Cells:
    """Return the cells of some buckets, one bucket's after the other's."""
    held = Held(db, DIMENSIONS.index(dimension), [span])
    keys = list(zip(*(held.numbers(name).tolist() for name in KEYS), strict=True))
    cells = Cells(keys, {name: held.numbers(name) for name in SUMS})
    for name in _HISTOGRAMS:
        if dimension in SETS[name]:
            cells.histograms[name] = held.entries(name, np.arange(held.size))
    if dimension in SETS["activity"]:
        hours = (held.buckets - span[1]) // HOUR
        cells.histograms["activity"] = moved(cells.histograms["activity"], hours)
    if dimension in SETS["user"]:
        cells.users = held.users()
    return cells


def _replace(
    db: sqlite3.Connection,
    level: int,
    bucket: int,
    whole: dict[str, Cells],
    left_out: set[str],
) -> None:
    """Write the cells of a bucket in place of those that are held."""
    many = {name for name, each in whole.items() if len(each.keys) > MAX_VALUES}
    left_out = left_out | many
    numbers = range(len(DIMENSIONS))
    db.executemany(
        "delete from rollup_cells where key = ?",
        ((key_of(level, each, part, bucket),) for each in numbers for part in PARTS),
    )
    db.executemany(
        "insert into rollup_cells values (?, ?, ?)",
        (
            (key_of(level, DIMENSIONS.index(name), part, bucket), n, data)
            for name, each in whole.items()
            if name not in many
            for part, n, data in each.parts()
            if data
        ),
    )
    db.execute(
        "delete from rollup_left_out where level = ? and bucket = ?", (level, bucket)
    )
    if left_out:
        text = ",".join(sorted(left_out))
        db.execute(
            "insert into rollup_left_out values (?, ?, ?)", (level, bucket, text)
        )


def _left_out(db: sqlite3.Connection, span: Span) -> set[str]:
    found = db.execute(
        "select dimensions from rollup_left_out"
        " where level = ? and bucket >= ? and bucket < ?",
        span,
    )
    return {name for (text,) in found for name in text.split(",")}


def agree(db: sqlite3.Connection, bounce: str) -> None:
    """Mark everything when the definition of bounce is not the one that was used."""
    held = db.execute("select bounce from rollup_meta").fetchone()
    if held and held[0] == bounce:
        return
    db.execute("delete from rollup_meta")
    db.execute("insert into rollup_meta values (?)", (bounce,))
    if held:
        keys = db.execute(
            "select key from rollup_cells where key >= ? and key < ?",
            (key_of(0, 0, "source", 0), key_of(0, 0, "app", 0)),
        ).fetchall()
        marked = [(bucket_of_key(key),) for (key,) in keys]
        db.executemany("insert or ignore into rollup_dirty values (0, ?)", marked)
    every = db.execute("select bucket from rollup_dirty where level = 0").fetchall()
    touch(db, (hour for (hour,) in every))


def next_dirty(db: sqlite3.Connection, now: int) -> tuple[int, int] | None:
    """Return (level, bucket) of what to recompute next, newest first; None = nothing.

    Hours come first, and what is longer only when it is over and all in it is clean.
    """
    for level, length in enumerate(LEVELS):
        (bucket,) = db.execute(
            "select max(d.bucket) from rollup_dirty as d where d.level = ?"
            " and d.bucket between 0 and ? and not exists (select 1 from rollup_dirty"
            " as h where h.level < d.level and h.bucket >= d.bucket"
            " and h.bucket < d.bucket + ?)",
            (level, now - length - SETTLED, length),
        ).fetchone()
        if bucket is not None:
            return level, bucket
    return None


def build(db: sqlite3.Connection, level: int, bucket: int, bounced: str) -> None:
    """Recompute one bucket and mark what it is part of; *db* is in a transaction."""
    if level:
        build_above(db, level, bucket)
    else:
        build_hour(db, bucket, bounced)
    db.execute(
        "delete from rollup_dirty where level = ? and bucket = ?", (level, bucket)
    )
    touch(db, range(bucket, bucket + LEVELS[level], HOUR))
    if level + 1 < len(LEVELS):
        above = bucket - bucket % LEVELS[level + 1]
        db.execute(
            "insert or ignore into rollup_dirty values (?, ?)", (level + 1, above)
        )
