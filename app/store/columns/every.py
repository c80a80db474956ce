"""The values that a figure is made of, for those who make it themselves."""

import sqlite3
from functools import cached_property

import numpy as np

from app.sessionql.plan import Leaf, Window
from app.store.columns.answer import answering
from app.store.columns.answering import look
from app.store.columns.chunks import Array
from app.store.columns.figures import Values
from app.store.columns.groups import Grouped
from app.store.columns.parts import NotInColumns
from app.store.connect import snapshot
from app.store.rollups.edges import Told
from app.store.sql import Statement


class Every:
    """A figure that keeps all values, instead of one of each group."""

    def __init__(self) -> None:
        self._groups: list[Array] = []
        self._codes: list[tuple[Array, Array]] = []  # with what they stand for
        self._values: list[Array] = []

    @property
    def nbytes(self) -> int:
        """Return how much memory the values take."""
        codes = (each for each, _ in self._codes)
        return sum(each.nbytes for each in (*codes, *self._values))

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part."""
        self._groups.append(grouped.keys[grouped.counts > 0])
        codes = grouped.codes
        if known is not None:
            rows = np.flatnonzero(known)
            values = values.take(rows)
            codes = codes.take(rows) if len(grouped.keys) > 1 else codes[: len(rows)]
        self._codes.append((codes, grouped.keys))
        self._values.append(values)

    def result(self) -> tuple[Array, list[Values]]:
        """Return the keys of the groups, and the number of each."""
        return self._distinct, [list(range(len(self._distinct)))]

    def told(self) -> tuple[Array, Array]:
        """Return the group of each value, and the values."""
        if not self._codes:
            return np.zeros(0, np.int64), np.zeros(0)
        found = [
            _place(np.searchsorted(self._distinct, keys), codes)
            for codes, keys in self._codes
        ]
        return np.concatenate(found), np.concatenate(self._values)

    @cached_property
    def _distinct(self) -> Array:
        """Return the keys of the groups, when all parts were taken."""
        if not self._groups:
            return np.zeros(0, np.int64)
        return np.unique(np.concatenate(self._groups))


def _place(places: Array, codes: Array) -> Array:
    """Return the place of each code; of one for all, in no memory."""
    if len(places) == 1:
        return np.broadcast_to(places[0], len(codes))
    return places.take(codes)


def values_of(
    db: sqlite3.Connection, leaf: Leaf, window: Window, asked: Statement
) -> Told | None:
    """Return what a mean, a share, a quantile or a set of *leaf* is made of.

    Args:
        db: the index.
        leaf: checked; its function is avg, share, quantile (of one point) or distinct.
        window: its buckets.
        asked: whose sessions, which definition of bounce, and when.

    Returns:
        Values, whole (of costs as they are kept); None when columns do not know them.
    """
    figure = Every()
    try:
        with snapshot(db):
            found = answering(db, {leaf: figure}, window, asked)
            look([found])
            if not found.figures:
                return None
            cells = found.cells(leaf)
    except NotInColumns:
        return None
    return Told([(labels, begin) for labels, begin, _ in cells], *figure.told())
