"""Find the parts of a time: rows of row groups, and ranges to be read from the tables."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from app.store.columns.cache import CACHE
from app.store.columns.chunks import Array, Column, Labels, Numbers
from app.store.columns.packing import unpack, unpack_runs
from app.store.columns.rows import no_rows, read_columns
from app.store.columns.tables import DAY, HOUR, columns_of

_FEW = 0.25  # of the rows of a column, that are quicker put together by themselves
Range = tuple[int, int]  # [start, end), ms


class NotInColumns(Exception):
    """The question is none of columns; ask the tables."""


@dataclass(eq=False)
class Part:
    """Sessions that began one after the other: of one row group, or of none.

    Attributes:
        db: the index, in a transaction.
        group: the row group; 0 = it is read from the tables.
        range: [start, end) in which they began, ms.
        rows: which rows of the row group; of the tables, all.
        is_whole: they are all of the row group.
        among: row ids of the sessions in the order of their start, as JSON; "" = all
            that began in the range. Of the tables only.
        held: columns that were read, by table and name.
    """

    db: sqlite3.Connection
    group: int
    range: Range
    rows: slice = field(default_factory=lambda: slice(None))
    is_whole: bool = False
    among: str = ""
    held: dict[str, Column] = field(default_factory=dict)
    _there: dict[str, bool] = field(default_factory=dict)

    def labels(self, name: str, table: str = "sessions") -> Labels:
        """Return a column whose values repeat.

        Raises:
            NotInColumns: it is not held.
        """
        found = self._column(table, name)
        if not isinstance(found, Labels):
            raise NotInColumns(name)
        return found

    def numbers(self, name: str, table: str = "sessions") -> Numbers:
        """Return a column of numbers.

        Raises:
            NotInColumns: it is not held.
        """
        found = self._column(table, name)
        if not isinstance(found, Numbers):
            raise NotInColumns(name)
        return found

    def places(self, table: str) -> Array:
        """Return of each row of *table* the place of its session in this part."""
        held = self.numbers("row", table).values
        return held - self.rows.start if self.rows.start else held

    def some(self, name: str, table: str, rows: Array | slice) -> Numbers:
        """Return some rows of ``numbers``; of few, no others are put together.

        Raises:
            NotInColumns: it is not held.
        """
        key = f"{table}.{name}"
        is_held = key in self.held or CACHE.get((self.group, key)) is not None
        if isinstance(rows, slice) or not self.is_whole or is_held:
            return self.numbers(name, table).cut(rows)
        if not self.has(table) or len(rows) > _FEW * self.runs(table)[1][-1]:
            return self.numbers(name, table).cut(rows)
        found = unpack(data_of(self.db, self.group, key), rows)
        if not isinstance(found, Numbers):
            raise NotInColumns(name)
        return found

    def runs(self, table: str) -> tuple[Array, Array]:
        """Return which sessions have rows of *table*, and where those of each begin.

        One place more says where they end.
        """
        if not self.group:
            rows = self.places(table)
            is_first = np.ones(len(rows) + 1, bool)
            np.not_equal(rows[1:], rows[:-1], out=is_first[1:-1])
            begins = np.flatnonzero(is_first)
            return rows[begins[:-1]], begins
        if not self.has(table):
            return np.zeros(0, np.int64), np.zeros(1, np.int64)
        owners, begins = _read_runs(self.db, self.group, table)
        if self.is_whole:
            return owners, begins
        low, high = np.searchsorted(owners, (self.rows.start, self.rows.stop))
        begins = begins[low : high + 1]
        return owners[low:high] - self.rows.start, begins - begins[0]

    def ids(self, name: str) -> Array:
        """Return the distinct values of a column of sessions, ascending."""
        return self.labels(name).ids

    def release(self) -> None:
        """Let go of the columns, so that those of all parts are not held together.

        Columns that were read from the tables stay: they would be read again.
        """
        if self.group:
            self.held.clear()

    def __len__(self) -> int:
        """Return how many sessions there are."""
        if self.rows.stop is not None:
            return int(self.rows.stop - self.rows.start)
        return len(self.numbers("start"))

    def _column(self, table: str, name: str) -> Column:
        key = f"{table}.{name}"
        if key not in self.held:
            self.held[key] = self._read(table, name)
        return self.held[key]

    def _read(self, table: str, name: str) -> Column:
        if not self.group:
            return self._read_tables(table, name)
        if table != "sessions" and not self.has(table):
            return no_rows(table, name)
        column = read_chunk(self.db, self.group, f"{table}.{name}")
        return column.cut(self.rows if table == "sessions" else self._rows_of(table))

    def _read_tables(self, table: str, name: str) -> Column:
        names = [name]
        if self.among and table != "sessions":
            names = list(columns_of(table))  # to find the rows costs more than to read
        found = read_columns(self.db, table, names, self.among or self.range)
        for other, column in found.items():
            if column is not None:
                self.held[f"{table}.{other}"] = column
        if found[name] is None:
            raise NotInColumns(name)
        return self.held[f"{table}.{name}"]

    def has(self, table: str) -> bool:
        """Return whether any session may have rows of *table*; quick to tell."""
        if not self.group:
            return True
        if table not in self._there:
            found = self.db.execute(
                "select 1 from column_chunks where row_group = ? and name = ?",
                (self.group, f"{table}.row"),
            ).fetchone()
            self._there[table] = found is not None
        return self._there[table]

    def _rows_of(self, table: str) -> slice:
        """Return which rows of *table* belong to the sessions."""
        if self.is_whole:
            return slice(None)
        owners, begins = _read_runs(self.db, self.group, table)
        low, high = np.searchsorted(owners, (self.rows.start, self.rows.stop))
        return slice(int(begins[low]), int(begins[high]))


def owned(part: Part, tenant: frozenset[int]) -> Array | bool:
    """Return which sessions are of the sources of a tenant."""
    sources = part.labels("source")
    fits = np.array([each in tenant for each in sources.ids.tolist()], bool)
    return True if fits.all() else fits[sources.codes]


def read_chunk(db: sqlite3.Connection, group: int, name: str) -> Column:
    """Return a whole column of a row group.

    Raises:
        NotInColumns: it has none such.
    """
    column = CACHE.get((group, name))
    if column is None:
        column = unpack(data_of(db, group, name))
        CACHE.put((group, name), column)
    return column


def _read_runs(db: sqlite3.Connection, group: int, table: str) -> tuple[Array, Array]:
    """Return which sessions of a row group have rows of *table*, as ``Part.runs``."""
    name = f"{table}.row"
    names = (f"{name}/owners", f"{name}/begins")
    held = [CACHE.get((group, each)) for each in names]
    found = [each.distances for each in held if isinstance(each, Numbers)]
    if len(found) < len(names):
        found = list(unpack_runs(data_of(db, group, name)))
    for each, values in zip(names, found, strict=True):
        CACHE.put((group, each), Numbers(values))
    owners, begins = found
    return owners, begins


def data_of(db: sqlite3.Connection, group: int, name: str) -> bytes:
    """Return a column of a row group as it is stored.

    Raises:
        NotInColumns: it has none such.
    """
    row = db.execute(
        "select data from column_chunks where row_group = ? and name = ?",
        (group, name),
    ).fetchone()
    if row is None:
        raise NotInColumns(name)
    data: bytes = row[0]
    return data


def find_parts(
    db: sqlite3.Connection, start: int, end: int, most: int | None = None
) -> list[Part]:
    """Return the parts that make up ``[start, end)``, in the order of time.

    An hour that changed since it was read, or is under way, is read from the tables;
    of the rest, the row group of an hour goes before one of several hours.

    Args:
        db: the index, in a transaction.
        start: ms.
        end: excluded.
        most: time that may be read from the tables, ms.

    Raises:
        NotInColumns: there is more of that.
    """
    dirty = check_parts(db, start, end, most)
    taken = {hour for a, b in dirty for hour in range(a, b, HOUR)}
    parts = [Part(db, 0, (max(a, start), min(b, end))) for a, b in dirty]
    found = db.execute(
        "select id, bucket, sessions from row_groups where level = 0"
        " and bucket > ? and bucket < ?",
        (start - HOUR, end),
    ).fetchall()
    for group, hour, count in found:
        if hour not in taken:
            span = (hour, hour + HOUR)
            parts += _cut(db, group, count, [span], span, (start, end))
    taken |= {hour for _, hour, _ in found}
    found = db.execute(
        "select id, bucket, sessions from row_groups where level = 1"
        " and bucket > ? and bucket < ? order by bucket",
        (start - DAY, end),
    ).fetchall()
    nexts = [*(begin for _, begin, _ in found[1:]), end + DAY]
    for (group, begin, count), after in zip(found, nexts, strict=False):
        span = (begin, min(after, begin - begin % DAY + DAY))
        hours, free = range(*span, HOUR), [span]
        if not taken.isdisjoint(hours):
            free = _ranges(hour for hour in hours if hour not in taken)
        parts += _cut(db, group, count, free, span, (start, end))
    parts.sort(key=lambda part: part.range)
    return parts


def check_parts(
    db: sqlite3.Connection, start: int, end: int, most: int | None = None
) -> list[Range]:
    """Return what of ``[start, end)`` must be read from the tables, as ranges of hours.

    Raises:
        NotInColumns: it is more than *most* ms.
    """
    dirty = _dirty(db, start, end)
    read = sum(min(b, end) - max(a, start) for a, b in dirty)
    if most is not None and read > most:
        raise NotInColumns("much is to be read")
    return dirty


def _dirty(db: sqlite3.Connection, start: int, end: int) -> list[Range]:
    """Return the hours that must be read from the tables, as ranges."""
    found = db.execute(
        "select hour from columns_dirty where hour > ? and hour < ? order by hour",
        (start - HOUR, end),
    )
    return _ranges(hour for (hour,) in found)


def _ranges(hours: Iterable[int]) -> list[Range]:
    """Join hours, ascending, that follow one another."""
    ranges: list[Range] = []
    for hour in hours:
        if ranges and ranges[-1][1] == hour:
            ranges[-1] = (ranges[-1][0], hour + HOUR)
        else:
            ranges.append((hour, hour + HOUR))
    return ranges


def _cut(
    db: sqlite3.Connection,
    group: int,
    count: int,
    ranges: list[Range],
    span: Range,
    window: Range,
) -> list[Part]:
    """Return the rows of a row group of *span* that lie in *ranges* and in *window*."""
    parts = []
    for begin, stop in ranges:
        start, end = max(begin, window[0]), min(stop, window[1])
        if (start, end) == span:
            rows = slice(0, count)
        elif start < end:
            rows = _rows_between(db, group, start, end)
        else:
            continue
        if rows.stop > rows.start:
            whole = rows == slice(0, count)
            parts.append(Part(db, group, (start, end), rows, is_whole=whole))
    return parts


def _rows_between(db: sqlite3.Connection, group: int, start: int, end: int) -> slice:
    starts = read_chunk(db, group, "sessions.start")
    if not isinstance(starts, Numbers):
        raise NotInColumns("start")
    return find_rows(starts, start, end)


def find_rows(column: Numbers, start: int, end: int) -> slice:
    """Return which rows of an ascending column are in ``[start, end)``."""
    return slice(_find(column, start), _find(column, end))


def _find(column: Numbers, value: int) -> int:
    distances, wanted = column.distances, value - column.offset
    if not len(distances) or wanted <= distances[0]:
        return 0
    if wanted > distances[-1]:
        return len(distances)
    return int(np.searchsorted(distances, distances.dtype.type(wanted)))
