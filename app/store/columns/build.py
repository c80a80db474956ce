"""Make row groups anew where sessions changed: hours from the tables, several from those."""

import secrets
import sqlite3
from typing import NamedTuple

import numpy as np

from app.store.columns.chunks import Array, Column, Numbers
from app.store.columns.joining import join
from app.store.columns.keeping import keep_next
from app.store.columns.packing import pack, unpack
from app.store.columns.rows import read_columns
from app.store.columns.tables import DAY, HOUR, TABLES, columns_of
from app.store.marks import touch

SETTLED = 120_000  # ms after its end; until then an hour still grows
MAX_JOINED = 40_000  # sessions of several hours; an hour may have more
_AT_ONCE = 1_200_000  # values that are read from the tables at a time; bounds memory


class _Piece(NamedTuple):
    """Rows of a row group that go into a day."""

    group: int
    rows: slice


class _Hour(NamedTuple):
    """An hour of a day: when it begins, its rows, when its last session ended."""

    begin: int
    piece: _Piece
    last: int

    @property
    def size(self) -> int:
        """Return how many sessions it has."""
        return int(self.piece.rows.stop - self.piece.rows.start)


def build_next(db: sqlite3.Connection, now: int, bounce: str) -> bool:
    """Make the row group of one hour or day that needs it; False when none does.

    At last, what they give to questions about pages is kept of each.

    Hours come before days, the newest first; of a day, all hours must be over and read.

    Args:
        db: in a transaction.
        now: UTC epoch ms.
        bounce: which definition.
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
        return True
    return keep_next(db, bounce)


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
        names = columns_of(table)
        most = max(1, _AT_ONCE // count)
        for first in range(0, len(names), most):
            some = names[first : first + most]
            columns = read_columns(db, table, some, (hour, hour + HOUR))
            if not any(
                column is not None and len(column) for column in columns.values()
            ):
                continue  # it has no rows
            for name, column in columns.items():
                _write(db, group, table, name, column)
    db.execute("delete from columns_dirty where hour = ?", (hour,))
    touch(db, [hour])


def _build_day(db: sqlite3.Connection, day: int) -> None:
    """Join the hours of a day into as few row groups as are small enough.

    Each hour is from its own row group, or else from one that is held of the day. One
    column at a time, so that it takes little memory.
    """
    rows = []
    for begin, hours in _divided(day, _hours(db, day)):
        group = secrets.randbits(62)
        pieces = [each.piece for each in hours]
        for name in columns_of("sessions"):
            _join(db, group, "sessions", name, pieces)
        for table in TABLES:
            if TABLES[table].rows:
                _join_rows(db, group, table, pieces)
        count = sum(each.size for each in hours)
        rows.append((group, begin, count, max(each.last for each in hours)))
    _delete(db, 0, day, day + DAY)
    _delete(db, 1, day, day + DAY)
    db.executemany("insert into row_groups values (?, 1, ?, ?, ?)", rows)
    touch(db, range(day, day + DAY, HOUR))


def _divided(day: int, hours: list[_Hour]) -> list[tuple[int, list[_Hour]]]:
    """Divide the hours of a day among row groups; each goes on until the next begins."""
    divided: list[tuple[int, list[_Hour]]] = []
    count = 0
    for each in hours:
        count += each.size
        if not divided or count > MAX_JOINED:
            divided.append((each.begin if divided else day, []))
            count = each.size
        divided[-1][1].append(each)
    return divided


def _hours(db: sqlite3.Connection, day: int) -> list[_Hour]:
    """Return the hours of a day that have sessions, in order."""
    found = db.execute(
        "select bucket, id, sessions, last from row_groups"
        " where level = 0 and bucket >= ? and bucket < ?",
        (day, day + DAY),
    )
    read = {bucket: rest for bucket, *rest in found}
    held = db.execute(
        "select bucket, id, last from row_groups"
        " where level = 1 and bucket >= ? and bucket < ? order by bucket",
        (day, day + DAY),
    ).fetchall()
    starts = {group: _read(db, group, "sessions", "start") for _, group, _ in held}
    hours: list[_Hour] = []
    for hour in range(day, day + DAY, HOUR):
        if hour in read:
            group, count, last = read[hour]
            hours.append(_Hour(hour, _Piece(group, slice(0, count)), last))
            continue
        # of hours that were read again, the end that they had before is kept: no harm
        before = [each for each in held if each[0] <= hour]
        column = starts[before[-1][1]] if before else None
        if isinstance(column, Numbers):
            _, group, last = before[-1]
            edges = np.searchsorted(column.values, (hour, hour + HOUR)).tolist()
            hours.append(_Hour(hour, _Piece(group, slice(*edges)), last))
    return [each for each in hours if each.size]


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
