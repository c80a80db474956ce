"""Make row groups anew where sessions changed: hours from the tables, days from hours."""

import secrets
import sqlite3
from typing import NamedTuple

import numpy as np

from app.store.columns.chunks import Array, Column, Numbers, join, pack, unpack
from app.store.columns.rows import read_columns
from app.store.columns.tables import DAY, HOUR, TABLES, columns_of
from app.store.marks import touch

SETTLED = 120_000  # ms after its end; until then an hour still grows


class _Piece(NamedTuple):
    """Rows of a row group that go into a day."""

    group: int
    rows: slice


def build_next(db: sqlite3.Connection, now: int) -> bool:
    """Make the row group of one hour or day that needs it; False when none does.

    Hours come before days, the newest first; of a day, all hours must be over and read.

    Args:
        db: in a transaction.
        now: UTC epoch ms.
    """
    hour = db.execute(
        "select max(hour) from columns_dirty where hour <= ?", (now - HOUR - SETTLED,)
    ).fetchone()[0]
    if hour is not None:
        _build_hour(db, hour)
        return True
    day = db.execute(
        f"select max(g.bucket - g.bucket % {DAY}) from row_groups as g where g.level = 0"
        f" and g.bucket - g.bucket % {DAY} <= ? and not exists (select 1 from"
        f" columns_dirty as d where d.hour >= g.bucket - g.bucket % {DAY}"
        f" and d.hour < g.bucket - g.bucket % {DAY} + {DAY})",
        (now - DAY - SETTLED,),
    ).fetchone()[0]
    if day is not None:
        _build_day(db, day)
    return day is not None


def _build_hour(db: sqlite3.Connection, hour: int) -> None:
    """Read an hour from the tables; an empty one stands for what a day still holds."""
    _delete(db, 0, hour, hour + HOUR)
    group = secrets.randbits(62)
    count, last = db.execute(
        "select count(*), coalesce(max(end), 0) from sessions"
        " where start >= ? and start < ?",
        (hour, hour + HOUR),
    ).fetchone()
    db.execute(
        "insert into row_groups values (?, 0, ?, ?, ?)", (group, hour, count, last)
    )
    for table in TABLES if count else ():
        columns = read_columns(db, table, columns_of(table), (hour, hour + HOUR))
        if any(column is not None and len(column) for column in columns.values()):
            for name, column in columns.items():
                _write(db, group, table, name, column)
    db.execute("delete from columns_dirty where hour = ?", (hour,))
    touch(db, [hour])


def _build_day(db: sqlite3.Connection, day: int) -> None:
    """Join the hours of a day, each from its own row group or else from the day's.

    One column at a time, so that a day of any size takes little memory.
    """
    pieces, last = _pieces(db, day)
    group = secrets.randbits(62)
    for name in columns_of("sessions") if pieces else ():
        _join(db, group, "sessions", name, pieces)
    for table in TABLES if pieces else ():
        if TABLES[table].rows:
            _join_rows(db, group, table, pieces)
    _delete(db, 0, day, day + DAY)
    _delete(db, 1, day, day + DAY)
    if pieces:
        count = sum(each.rows.stop - each.rows.start for each in pieces)
        row = (group, day, count, last)
        db.execute("insert into row_groups values (?, 1, ?, ?, ?)", row)
    touch(db, range(day, day + DAY, HOUR))


def _pieces(db: sqlite3.Connection, day: int) -> tuple[list[_Piece], int]:
    """Return what a day is made of, in order, and when its last session ended."""
    found = db.execute(
        "select bucket, id, sessions, last from row_groups"
        " where level = 0 and bucket >= ? and bucket < ?",
        (day, day + DAY),
    )
    hours = {bucket: rest for bucket, *rest in found}
    held = db.execute(
        "select id, last from row_groups where level = 1 and bucket = ?", (day,)
    ).fetchone()
    starts = _read(db, held[0], "sessions", "start") if held else None
    pieces: list[_Piece] = []
    for hour in range(day, day + DAY, HOUR):
        if hour in hours:
            group, count, _ = hours[hour]
            rows = slice(0, count)
        elif isinstance(starts, Numbers):
            group = held[0]
            edges = np.searchsorted(starts.values, (hour, hour + HOUR)).tolist()
            rows = slice(*edges)
        else:
            continue
        if rows.stop > rows.start:
            pieces.append(_Piece(group, rows))
    # of an hour that was read again, the end that it had before may be kept: no harm
    return pieces, max([held[1] if held else 0, *(each[2] for each in hours.values())])


def _join_rows(
    db: sqlite3.Connection, group: int, table: str, pieces: list[_Piece]
) -> None:
    """Join the rows of the sessions, and count the places of the sessions anew."""
    columns = _read_all(db, table, "row", pieces)
    cuts: list[_Piece] = []
    places: list[Array] = []
    before = 0
    for each in pieces:
        column = columns[each.group]
        if isinstance(column, Numbers):  # else it has none
            edges = np.searchsorted(column.values, (each.rows.start, each.rows.stop))
            rows = slice(*edges.tolist())
            if rows.stop > rows.start:
                cuts.append(_Piece(each.group, rows))
                places.append(column.values[rows] - each.rows.start + before)
        before += each.rows.stop - each.rows.start
    if cuts:
        _write(db, group, table, "row", Numbers(np.concatenate(places)))
        for name in TABLES[table].columns:
            _join(db, group, table, name, cuts)


def _join(
    db: sqlite3.Connection, group: int, table: str, name: str, pieces: list[_Piece]
) -> None:
    """Write a column of *pieces*, unless one of them has none."""
    columns = _read_all(db, table, name, pieces)
    found = [(columns[each.group], each.rows) for each in pieces]
    cuts = [column.cut(rows) for column, rows in found if column is not None]
    if len(cuts) == len(pieces):
        _write(db, group, table, name, join(cuts))


def _read_all(
    db: sqlite3.Connection, table: str, name: str, pieces: list[_Piece]
) -> dict[int, Column | None]:
    return {
        group: _read(db, group, table, name)
        for group in {each.group for each in pieces}
    }


def _read(db: sqlite3.Connection, group: int, table: str, name: str) -> Column | None:
    row = db.execute(
        "select data from column_chunks where row_group = ? and name = ?",
        (group, f"{table}.{name}"),
    ).fetchone()
    return unpack(row[0]) if row else None


def _write(
    db: sqlite3.Connection, group: int, table: str, name: str, column: Column | None
) -> None:
    if column is not None:
        db.execute(
            "insert into column_chunks (row_group, name, data) values (?, ?, ?)",
            (group, f"{table}.{name}", pack(column)),
        )


def _delete(db: sqlite3.Connection, level: int, start: int, end: int) -> None:
    chosen = "where level = ? and bucket >= ? and bucket < ?"
    db.execute(
        f"delete from column_chunks where row_group in"
        f" (select id from row_groups {chosen})",
        (level, start, end),
    )
    db.execute(f"delete from row_groups {chosen}", (level, start, end))
