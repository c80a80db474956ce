"""Read columns from the tables themselves: to build row groups, and for what has none."""

import sqlite3
from collections.abc import Sequence
from itertools import islice

import numpy as np

from app.store.columns.chunks import (
    NULL,
    Array,
    Column,
    Labels,
    Numbers,
    make_labels,
    make_numbers,
)
from app.store.columns.tables import TABLES

_ROWS = 5_000  # as objects of Python at a time; bounds memory
Loaded = dict[str, Column | None]  # None: its numbers are too far apart


def read_columns(
    db: sqlite3.Connection, table: str, names: Sequence[str], of: tuple[int, int] | str
) -> Loaded:
    """Return columns of some sessions.

    Args:
        db: the index.
        table: a key of ``TABLES``.
        names: columns of it; ``row`` too, where it has that.
        of: ``[start, end)`` in which they began, ms; or their row ids in the order of
            their start, as JSON.
    """
    known = TABLES[table]
    source, order, bound = _sessions(of)
    if known.rows:
        joined = f"{known.rows[0]} as e on e.session = s.id"
        source = source.replace(" where", f" cross join {joined} where")
        order += f", e.{known.rows[1]}"
    chosen = [known.columns.get(name, "s.id") for name in names]
    query = f"select {', '.join(chosen)} from {source} order by {order}"
    found = db.execute(query, bound)
    parts: list[list[Array]] = [[] for _ in names]
    kinds = [np.float64 if name in known.decimals else np.int64 for name in names]
    while some := list(islice(found, _ROWS)):
        columns = zip(*some, strict=True)
        for part, kind, column in zip(parts, kinds, columns, strict=True):
            part.append(_array(column, kind))
    loaded: Loaded = {}
    for name, part in zip(names, parts, strict=True):
        values: Array = np.concatenate(part) if part else np.zeros(0, np.int64)
        if name == "row":
            values = _places(db, values, of)
        make = make_labels if name in known.labels else make_numbers
        loaded[name] = make(values)
    return loaded


def _array(values: tuple[float | None, ...], kind: type) -> Array:
    if kind is np.float64:  # makes NaN of None
        return np.array(values, np.float64)
    return np.array([NULL if each is None else each for each in values], np.int64)


def _sessions(of: tuple[int, int] | str) -> tuple[str, str, tuple[int | str, ...]]:
    """Return where sessions are read from, in which order, and what is bound."""
    if isinstance(of, str):
        named = "json_each(?) as w cross join sessions as s on s.id = w.value where 1"
        return named, "w.key", (of,)
    return "sessions as s where s.start >= ? and s.start < ?", "s.start, s.id", of


def _places(db: sqlite3.Connection, ids: Array, of: tuple[int, int] | str) -> Array:
    """Return the places of sessions by their row ids."""
    source, by, bound = _sessions(of)
    found = db.execute(f"select s.id from {source} order by {by}", bound)
    held = np.array([row[0] for row in found], np.int64)
    order = np.argsort(held)
    return order[np.searchsorted(held, ids, sorter=order)]


def no_rows(table: str, name: str) -> Column:
    """Return a column of a table of which there are no rows."""
    nothing = np.zeros(0, np.uint8)
    if name in TABLES[table].labels:
        return Labels(nothing, nothing.astype(np.int64))
    return Numbers(nothing)
