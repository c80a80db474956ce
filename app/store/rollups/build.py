"""Recompute what is dirty: hours from their sessions, days from their hours."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from app.store.rollups.cells import Cells, add_up, summed, united
from app.store.rollups.packed import Groups, Held, group
from app.store.rollups.shapes import (
    Entries,
    Floats,
    Ints,
    added,
    buckets_of,
    pack_users,
)
from app.store.rollups.tables import (
    DAY,
    DIMENSIONS,
    HOUR,
    KEYS,
    LEVELS,
    OF_EACH_VIEW,
    OF_SESSIONS,
    PARTS,
    SETS,
    SUMS,
    bucket_of_key,
    key_of,
)

SETTLED = (
    120_000  # ms after its end, an hour is worth computing; before, it still grows
)
MAX_VALUES = 2_000  # of one dimension in one hour; of more, that dimension is left out
_AT_ONCE = 5_000  # sessions that are looked at at a time

_BASE = ("source", "app", "environment")
_OF_SESSION = tuple(name for name in DIMENSIONS if name not in {"", "page"})
_HISTOGRAMS = tuple(name for name in SETS if name != "user")


def build_hour(db: sqlite3.Connection, hour: int, bounced: str) -> None:
    """Compute the cells of the sessions that began in the hour *hour* (ms).

    Args:
        db: in a transaction.
        hour: its begin.
        bounced: SQL of the definition of bounce.
    """
    pieces: defaultdict[str, list[Cells]] = defaultdict(list)
    for sessions in _sessions(db, hour, bounced):
        whose, pages, numbers = _views(db, hour, sessions["id"])
        for dimension in DIMENSIONS:
            pieces[dimension].append(
                _of_pages(sessions, whose, pages, numbers)
                if dimension == "page"
                else _of_sessions(dimension, sessions, whose, numbers)
            )
    whole = {
        name: united(each) if len(each) > 1 else each[0]
        for name, each in pieces.items()
    }
    _replace(db, 0, hour, whole, set())


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


def _views(
    db: sqlite3.Connection, hour: int, sessions: Ints
) -> tuple[Ints, Ints, dict[str, Floats]]:
    """Return, of the views of *sessions* (row ids): whose, which page, their numbers.

    Whose is a place in *sessions*. A number that is not known is NaN.
    """
    rows = db.execute(
        f"select v.session, coalesce(v.page, 0), {', '.join(OF_EACH_VIEW)}"
        " from sessions as s join views as v on v.session = s.id"
        " where s.start >= ? and s.start < ? and s.id between ? and ?",
        (hour, hour + HOUR, int(sessions[0]), int(sessions[-1])),
    ).fetchall()
    table = np.array(rows, float).reshape(len(rows), 2 + len(OF_EACH_VIEW)).T
    whose = np.searchsorted(sessions, table[0].astype(np.int64))
    numbers = dict(zip(OF_EACH_VIEW, table[2:], strict=True))
    return whose, table[1].astype(np.int64), numbers


def _of_sessions(
    dimension: str,
    sessions: dict[str, Ints],
    whose: Ints,
    numbers: dict[str, Floats],
) -> Cells:
    """Put every session, and every view of it, into one cell."""
    size = len(sessions["id"])
    values = sessions[dimension] if dimension else np.zeros(size, np.int64)
    groups = group([*(sessions[name] for name in _BASE), values], size)
    cells = summed(groups, {name: sessions[name] for name in OF_SESSIONS})
    if dimension in SETS["duration"]:
        buckets = buckets_of(sessions["duration"].astype(float))
        counts = np.ones(size, np.int64)
        cells.histograms["duration"] = added(Entries(groups.codes, buckets, counts))
    if dimension in SETS["user"]:
        cells.users = _users(groups, sessions["user"])
    _add_views(cells, dimension, groups.codes[whose], numbers)
    return cells


def _of_pages(
    sessions: dict[str, Ints], whose: Ints, pages: Ints, numbers: dict[str, Floats]
) -> Cells:
    """Put every view into the cell of its page, and its session once beside it."""
    base = [sessions[name][whose] for name in _BASE]
    groups = group([*base, pages], len(whose))
    visits = groups.codes * len(sessions["id"]) + whose
    _, first = np.unique(visits, return_index=True)
    once = Groups(groups.codes[first], groups.keys)
    cells = summed(once, {name: sessions[name][whose[first]] for name in OF_SESSIONS})
    cells.sums["views"] = np.bincount(groups.codes, minlength=len(groups.keys))
    _add_views(cells, "page", groups.codes, numbers)
    return cells


def _add_views(
    cells: Cells, dimension: str, codes: Ints, numbers: dict[str, Floats]
) -> None:
    """Add what is known of views; *codes* are their cells."""
    size = len(cells.keys)
    dwell = numbers["dwell"]
    known = ~np.isnan(dwell)
    cells.sums["dwell"] = add_up(codes[known], dwell[known], size)
    cells.sums["dwells"] = np.bincount(codes[known], minlength=size)
    for name, values in numbers.items():
        if dimension in SETS[name]:
            is_known = ~np.isnan(values)
            buckets = buckets_of(values[is_known])
            counts = np.ones(len(buckets), np.int64)
            cells.histograms[name] = added(Entries(codes[is_known], buckets, counts))


def _users(groups: Groups, users: Ints) -> list[bytes]:
    """Return the packed set of users of each group."""
    found: list[set[int]] = [set() for _ in groups.keys]
    for code, user in zip(groups.codes.tolist(), users.tolist(), strict=True):
        if user:
            found[code].add(user)
    return [pack_users(each) if each else b"" for each in found]


def build_day(db: sqlite3.Connection, day: int) -> None:
    """Compute the cells of a day from those of its hours; all must be clean."""
    left_out = _left_out(db, day)
    whole = {dimension: united([_held(db, dimension, day)]) for dimension in DIMENSIONS}
    _replace(db, 1, day, whole, left_out)


def _held(db: sqlite3.Connection, dimension: str, day: int) -> Cells:
    """Return the cells of the hours of a day, one hour's after the other's."""
    held = Held(db, DIMENSIONS.index(dimension), (), [(day, day + DAY)])
    keys = list(zip(*(held.numbers(name).tolist() for name in KEYS), strict=True))
    cells = Cells(keys, {name: held.numbers(name) for name in SUMS})
    for name in _HISTOGRAMS:
        if dimension in SETS[name]:
            cells.histograms[name] = held.entries(name, np.arange(held.size))
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


def _left_out(db: sqlite3.Connection, day: int) -> set[str]:
    found = db.execute(
        "select dimensions from rollup_left_out"
        " where level = 0 and bucket >= ? and bucket < ?",
        (day, day + DAY),
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
        marked = [
            (level, bucket_of_key(key))
            for level in LEVELS
            for (key,) in db.execute(
                "select key from rollup_cells where key >= ? and key < ?",
                (key_of(level, 0, "source", 0), key_of(level, 0, "app", 0)),
            )
        ]
        db.executemany("insert or ignore into rollup_dirty values (?, ?)", marked)


def next_dirty(db: sqlite3.Connection, now: int) -> tuple[int, int] | None:
    """Return (level, bucket) of what to recompute next, newest first; None = nothing.

    Hours come before days, and a day only when its hours are clean and it is over.
    """
    hour = db.execute(
        "select max(bucket) from rollup_dirty where level = 0"
        " and bucket between 0 and ?",
        (now - HOUR - SETTLED,),
    ).fetchone()[0]
    if hour is not None:
        return 0, hour
    day = db.execute(
        "select max(d.bucket) from rollup_dirty as d where d.level = 1"
        " and d.bucket between 0 and ? and not exists (select 1 from rollup_dirty as h"
        " where h.level = 0 and h.bucket >= d.bucket and h.bucket < d.bucket + ?)",
        (now - DAY - SETTLED, DAY),
    ).fetchone()[0]
    return None if day is None else (1, day)


def build(db: sqlite3.Connection, level: int, bucket: int, bounced: str) -> None:
    """Recompute one hour or day and take the mark away; *db* is in a transaction."""
    if level:
        build_day(db, bucket)
    else:
        build_hour(db, bucket, bounced)
    db.execute(
        "delete from rollup_dirty where level = ? and bucket = ?", (level, bucket)
    )
