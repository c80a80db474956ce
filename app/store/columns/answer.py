"""Answer a leaf about sessions from their columns, exactly as the tables would."""

import sqlite3

import numpy as np

from app.catalog.fields import find
from app.sessionql.evaluate import Cell, bounds_of
from app.sessionql.filters import Filter, gather
from app.sessionql.literals import write_number
from app.sessionql.plan import Leaf, Window
from app.store.columns.activity import first_active, moments
from app.store.columns.chunks import Array
from app.store.columns.comparing import Mask, both
from app.store.columns.event_answer import EventAnswer, answering_events
from app.store.columns.few import find_chosen
from app.store.columns.figures import (
    Count,
    Distinct,
    Figure,
    Histogram,
    Quantiles,
    Total,
)
from app.store.columns.groups import Groups
from app.store.columns.masks import Masks
from app.store.columns.measures import Measures
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.returning import Returning
from app.store.columns.tables import STRINGS
from app.store.columns.texts import Texts
from app.store.connect import snapshot
from app.store.leaves import MAX_LABELS, uncertain_in
from app.store.sql import Statement
from app.store.told_tables import NANO

MAX_READ = 0.4  # of the window, from the tables; of more, these answer as quickly

_LABELS = frozenset({"source", "status", *STRINGS})
Given = tuple[Array | None, Array | None]  # numbers, and where they are known


def answer(
    db: sqlite3.Connection, leaf: Leaf, window: Window, asked: Statement
) -> list[Cell] | None:
    """Return the cells of *leaf*, or None when it is for the tables to answer.

    Args:
        db: the index.
        leaf: checked, or not: what is wrong with it the tables say.
        window: its buckets.
        asked: whose sessions, which definition of bounce, and when.
    """
    try:
        with snapshot(db):
            return answering(db, leaf, window, asked).cells()
    except NotInColumns:
        return None


def answering(
    db: sqlite3.Connection, leaf: Leaf, window: Window, asked: Statement
) -> "_Answer | EventAnswer":
    """Return what answers *leaf*; *db* is in a transaction.

    Raises:
        NotInColumns: it is for the tables to answer.
    """
    if _kind(leaf):
        return answering_events(db, leaf, window, asked)
    _check(leaf)
    return _Answer(db, leaf, window, asked)


def _kind(leaf: Leaf) -> str:
    """Return which events a leaf is about; "" when that cannot be."""
    try:
        return "" if leaf.function == "active" else leaf.kind
    except ValueError:
        return ""


def _check(leaf: Leaf) -> None:
    """Refuse what is about events, or wrong."""
    try:
        if leaf.kind or len(leaf.by) > MAX_LABELS or not _LABELS.issuperset(leaf.by):
            raise NotInColumns("of events")
    except ValueError:
        raise NotInColumns("of events of several kinds") from None
    field = find(leaf.field)
    if leaf.function == "distinct":
        if leaf.field not in _LABELS:
            raise NotInColumns(leaf.field)
    elif field is not None and field.type == "string":
        raise NotInColumns(leaf.field)


class _Answer:
    """One leaf being answered."""

    def __init__(
        self, db: sqlite3.Connection, leaf: Leaf, window: Window, asked: Statement
    ) -> None:
        self._leaf, self._window = leaf, window
        self._texts = Texts(db)
        most = int(MAX_READ * (window.end - window.start))
        self._selector = gather(leaf.selector)
        is_active = leaf.function == "active"
        start = first_active(db, window) if is_active else window.start
        self._parts = find_chosen(db, self._selector, (start, window.end), most)
        tenant = db.execute("select id from sources where tenant = ?", (asked.tenant,))
        ours = frozenset(number for (number,) in tenant)
        returning = Returning(db, self._parts, window.start, ours)
        self._measures = Measures(db, asked.bounce, asked.now, returning)
        self._masks = Masks(self._texts, self._measures, ours)
        self._where = None if leaf.where is None else gather(leaf.where)
        self._groups = Groups(leaf.by, window, self._parts)

    def cells(self, figure: Figure | None = None) -> list[Cell]:
        """Return the answer; of another *figure* than the leaf's when there is one."""
        figure = figure or self._figure()
        for part in self._parts:
            mask = self._masks.of(part, self._selector)
            if mask is not False:
                self._add(figure, part, mask)
            part.release()
        return self._expanded(figure)

    def _add(self, figure: Figure, part: Part, mask: Mask) -> None:
        if self._leaf.function == "active":
            self._add_active(figure, part, mask)
            return
        rows = slice(None) if mask is True else np.flatnonzero(mask)
        grouped = self._groups.of(part, rows)
        if len(grouped.codes):
            values, known = self._given(part)
            figure.add(
                grouped,
                grouped.codes if values is None else values[rows],
                None if known is None else known[rows],
            )

    def _figure(self) -> Figure:
        leaf = self._leaf
        divisor = NANO if leaf.field == "cost" else 1
        if leaf.function in {"count", "rate", "active"}:
            return Count()
        if leaf.function == "distinct":
            return Distinct()
        if leaf.function == "quantile":
            return Quantiles(leaf.points, divisor)
        if leaf.function == "histogram":
            return Histogram(leaf.points)
        if leaf.function == "share" and self._where is not None:
            return Total("avg")
        if leaf.function in {"sum", "avg", "min", "max"}:
            return Total(leaf.function, divisor)
        raise NotInColumns(leaf.function)

    def _given(self, part: Part) -> Given:
        """Return what the figure is made of, of every session."""
        leaf = self._leaf
        if leaf.function in {"count", "rate"}:
            return None, None
        if leaf.function == "distinct":
            labels = part.labels(leaf.field)
            numbers = labels.ids.take(labels.codes)
            return numbers, None if leaf.field == "status" else numbers != 0
        if leaf.function == "share" and self._where is not None:
            return self._share(part, self._where)
        measure = self._measures.of(part, leaf.field)
        if leaf.function == "histogram":
            return measure.values, measure.known
        return measure.whole, measure.known

    def _share(self, part: Part, where: Filter) -> Given:
        """Return where it holds, of the sessions of which it can be told."""
        known: Mask = True
        for name in uncertain_in(where):
            found = self._measures.of(part, name).known
            known = known if found is None else both(known, found)
        holds = self._masks.of(part, where)
        return (
            np.broadcast_to(np.asarray(holds, np.uint8), len(part)),
            None if known is True else np.broadcast_to(known, len(part)),
        )

    def _add_active(self, figure: Figure, part: Part, mask: Mask) -> None:
        """Count sessions once in each bucket in which they had an event."""
        places, at = moments(part, self._window, mask)
        if len(places):
            grouped = self._groups.of(part, places, at)
            figure.add(grouped, grouped.codes, None)

    def _expanded(self, figure: Figure) -> list[Cell]:
        """Name the groups; of several quantiles and of buckets, a cell each."""
        leaf = self._leaf
        keys, columns = figure.result()
        labels, begins = self._groups.named(keys, self._texts)
        names: list[tuple[str, ...]] = [()]
        if leaf.function == "histogram":
            names = [(each,) for each in bounds_of(leaf)]
        elif leaf.function == "quantile" and len(leaf.points) > 1:
            names = [(write_number(each),) for each in leaf.points]
        return [
            ((*label, *name), begin, value)
            for name, column in zip(names, columns, strict=True)
            for label, begin, value in zip(labels, begins, column, strict=True)
        ]
