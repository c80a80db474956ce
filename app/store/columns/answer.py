"""Answer leaves about sessions from their columns, exactly as the tables would."""

import sqlite3
from collections.abc import Iterable

import numpy as np

from app.catalog.fields import find
from app.sessionql.evaluate import Cell
from app.sessionql.filters import Filter, gather
from app.sessionql.plan import Leaf, Window
from app.store.columns.activity import first_active, moments
from app.store.columns.answering import Answering, look
from app.store.columns.chunks import Array
from app.store.columns.comparing import Mask, both
from app.store.columns.event_answer import answering_events
from app.store.columns.figures import (
    Count,
    Distinct,
    Figure,
    Histogram,
    Quantiles,
    Total,
)
from app.store.columns.groups import Groups
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.tables import STRINGS
from app.store.connect import snapshot
from app.store.leaves import MAX_LABELS, uncertain_in
from app.store.sql import Statement
from app.store.told_tables import NANO

MAX_READ = 0.4  # of the window, from the tables; of more, these answer as quickly

_LABELS = frozenset({"source", "status", *STRINGS})
Given = tuple[Array | None, Array | None]  # numbers, and where they are known
Figures = dict[Leaf, Figure | None]  # None: the leaf's own


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
    return answer_all(db, [leaf], window, asked).get(leaf)


def answer_all(
    db: sqlite3.Connection, leaves: Iterable[Leaf], window: Window, asked: Statement
) -> dict[Leaf, list[Cell]]:
    """Return the cells of leaves, as ``answer`` does; each part is looked at once.

    Returns:
        Nothing of a leaf that is for the tables, or is to be asked for by itself.
    """
    alike: dict[object, Figures] = {}
    for leaf in leaves:
        kind = _kind(leaf)
        of = (kind, bool(kind) and leaf.is_of_events, leaf.function == "active")
        alike.setdefault((leaf.selector, leaf.by, of), {})[leaf] = None
    every: list[Answering] = []
    with snapshot(db):
        for those in alike.values():
            beside = every[0].question if every else None
            try:
                every.append(answering(db, those, window, asked, beside))
            except NotInColumns:
                continue
        look(every)
        return {leaf: each.cells(leaf) for each in every for leaf in each.figures}


def answering(
    db: sqlite3.Connection,
    figures: Figures,
    window: Window,
    asked: Statement,
    beside: Question | None = None,
) -> Answering:
    """Return what answers leaves with the same filter, labels and events.

    Args:
        db: in a transaction.
        figures: of leaves; those that are for the tables are left out.
        window: their buckets.
        asked: as of ``answer``.
        beside: another question in this transaction about that window.

    Raises:
        NotInColumns: all of them are for the tables to answer.
    """
    leaf = next(iter(figures))
    if kind := _kind(leaf):
        return answering_events(db, kind, figures, window, asked, beside)
    made = {}
    for each, figure in figures.items():
        try:
            made[each] = figure or _figure(_checked(each))
        except NotInColumns:
            continue
    if not made:
        raise NotInColumns("none of them")
    is_active = leaf.function == "active"
    start = first_active(db, window) if is_active else window.start
    reach = start, int(MAX_READ * (window.end - window.start))
    question = Question(db, window, leaf.selector, asked, reach=reach, beside=beside)
    groups = Groups(leaf.by, window, question.parts)
    return (_Active if is_active else _Sessions)(question, groups, made)


def _kind(leaf: Leaf) -> str:
    """Return which events a leaf is about; "" when that cannot be."""
    try:
        return "" if leaf.function == "active" else leaf.kind
    except ValueError:
        return ""


def _checked(leaf: Leaf) -> Leaf:
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
    return leaf


def _figure(leaf: Leaf) -> Figure:
    divisor = NANO if leaf.field == "cost" else 1
    if leaf.function in {"count", "rate", "active"}:
        return Count()
    if leaf.function == "distinct":
        return Distinct()
    if leaf.function == "quantile":
        return Quantiles(leaf.points, divisor)
    if leaf.function == "histogram":
        return Histogram(leaf.points)
    if leaf.function == "share" and leaf.where is not None:
        return Total("avg")
    if leaf.function in {"sum", "avg", "min", "max"}:
        return Total(leaf.function, divisor)
    raise NotInColumns(leaf.function)


class _Sessions(Answering):
    """Figures of sessions."""

    def take(self, part: Part) -> None:
        """Look at the sessions of a part."""
        mask = self.question.sessions(part)
        if mask is False:
            return
        rows = slice(None) if mask is True else np.flatnonzero(mask)
        grouped = self.groups.of(part, rows)
        if not len(grouped.codes):
            return
        for leaf, figure in self.figures.items():
            values, known = self._given(part, leaf, rows)
            figure.add(grouped, grouped.codes if values is None else values, known)

    def _given(self, part: Part, leaf: Leaf, rows: slice | Array) -> Given:
        """Return what the figure is made of, of some sessions."""
        if leaf.function in {"count", "rate"}:
            return None, None
        if leaf.function == "distinct":
            labels = part.labels(leaf.field)
            numbers = labels.ids.take(labels.codes[rows])
            return numbers, None if leaf.field == "status" else numbers != 0
        if leaf.function == "share" and leaf.where is not None:
            values, known = self._share(part, leaf.where)
            return values[rows], None if known is None else known[rows]
        measure = self.question.measures.of(part, leaf.field)
        if not isinstance(rows, slice):
            measure = measure.cut(rows)
        if leaf.function == "histogram":
            return measure.values, measure.known
        return measure.whole, measure.known

    def _share(self, part: Part, where: Filter) -> tuple[Array, Array | None]:
        """Return where it holds, of the sessions of which it can be told."""
        known: Mask = True
        for name in uncertain_in(where):
            found = self.question.measures.of(part, name).known
            known = known if found is None else both(known, found)
        holds = self.question.masks.of(part, gather(where))
        return (
            np.broadcast_to(np.asarray(holds, np.uint8), len(part)),
            None if known is True else np.broadcast_to(known, len(part)),
        )


class _Active(Answering):
    """Sessions, once in each bucket in which they had an event."""

    def take(self, part: Part) -> None:
        """Look at the sessions of a part."""
        mask, window = self.question.sessions(part), self.question.window
        if mask is False:
            return
        if not window.step and part.range[0] >= window.start:  # each was, as it began
            rows = slice(None) if mask is True else np.flatnonzero(mask)
            grouped = self.groups.of(part, rows)
        else:
            found = moments(part, window, mask)
            at = found.buckets, found.first
            grouped = self.groups.of(part, found.places, at)
        if len(grouped.codes):
            for figure in self.figures.values():
                figure.add(grouped, grouped.codes, None)
