"""Answer a leaf about views, actions or errors from columns, as the tables would."""

import sqlite3
from dataclasses import replace

import numpy as np

from app.catalog.fields import COUNTED, find, kinds_of
from app.sessionql.evaluate import Cell, bounds_of
from app.sessionql.filters import EVERYTHING
from app.sessionql.literals import write_number
from app.sessionql.plan import Leaf, Window
from app.store.columns.chunks import Array, Labels, Numbers
from app.store.columns.events import (
    COSTS,
    KINDS,
    NUMBERS,
    Events,
    events_of,
    first_of_each,
    numbers_of,
)
from app.store.columns.figures import (
    Count,
    Distinct,
    Figure,
    Histogram,
    Quantiles,
    Total,
)
from app.store.columns.groups import Grouped, Groups
from app.store.columns.parts import NotInColumns, Part, find_parts
from app.store.columns.question import Question
from app.store.columns.tables import TABLES
from app.store.leaves import MAX_LABELS, compose
from app.store.sql import Statement
from app.store.told_tables import NANO

_SESSION = TABLES["sessions"].labels


class _Rows(Part):
    """Events of a part, each with what its session says."""

    def __init__(self, part: Part, kind: str, events: Events) -> None:
        super().__init__(part.db, part.group, part.range, part.rows)
        self._part, self._events = part, events
        self._table, self._columns = KINDS[kind]

    @property
    def owners(self) -> Array:
        """Return of each event the place of its session in the part."""
        return self._events.rows

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self._events.rows)

    def ids(self, name: str) -> Array:
        """Return the distinct values of a label, ascending."""
        if not self._part.has(self._table):
            return _NONE
        if name in self._columns:
            return self._part.labels(self._columns[name], self._table).ids
        return self._part.ids(name)

    def release(self) -> None:
        """Let go of the columns."""
        self._part.release()

    def labels(self, name: str, table: str = "sessions") -> Labels:
        """Return a label of each event: its own, or its session's."""
        if name in self._columns:
            held = self._part.labels(self._columns[name], self._table)
            return Labels(held.codes[self._events.chosen], held.ids)
        held = self._part.labels(name, table)
        return Labels(held.codes[self._events.rows], held.ids)

    def numbers(self, name: str, table: str = "sessions") -> Numbers:
        """Return a number of each event: its own, or its session's."""
        if name in NUMBERS.get(self._table, ()):
            return taken(numbers_of(self._part, self._table, name), self._events.chosen)
        return taken(self._part.numbers(name, table), self._events.rows)


def taken(held: Numbers, rows: Array | slice) -> Numbers:
    """Return some rows of a column; the same one may be there several times."""
    return Numbers(held.distances[rows], held.offset, held.has_null, held.scale)


def answering_events(
    db: sqlite3.Connection, leaf: Leaf, window: Window, asked: Statement
) -> "EventAnswer":
    """Return what answers a leaf that is about events.

    Raises:
        NotInColumns: it is for the tables to answer.
        BadRequest: it asks for what cannot be.
    """
    kind = leaf.kind
    if kind not in KINDS:
        raise NotInColumns(kind)
    known = _SESSION | set(KINDS[kind][1])
    labels = (*leaf.by, leaf.field) if leaf.function == "distinct" else leaf.by
    if len(leaf.by) > MAX_LABELS or not known.issuperset(labels):
        raise NotInColumns("another label")
    every = find_parts(db, window.start, window.end)
    if not any(part.has(KINDS[kind][0]) for part in every):
        compose(asked, leaf, window)  # refuses what is wrong
        leaf = replace(leaf, selector=EVERYTHING)  # whatever is chosen: there are none
    return EventAnswer(Question(db, window, leaf.selector, asked, kind), leaf, kind)


class EventAnswer:
    """One leaf being answered."""

    def __init__(self, question: Question, leaf: Leaf, kind: str) -> None:
        self._question, self._leaf, self._kind = question, leaf, kind
        nothing = Events(_NONE, _NONE)
        rows: list[Part] = [_Rows(part, kind, nothing) for part in question.parts]
        self._groups = Groups(leaf.by, question.window, rows)
        field = find(leaf.field) if leaf.field else None
        self._is_own = field is not None and bool(kinds_of(field))
        self._counts = leaf.function == "sum" and COUNTED.get(leaf.field) == kind
        self._divisor = NANO if leaf.field in COSTS | {"cost"} else 1

    def _found(self, part: Part) -> _Rows:
        question = self._question
        found = events_of(
            part,
            KINDS[self._kind][0],
            question.sessions(part),
            question.events(part),
        )
        return _Rows(part, self._kind, found)

    def cells(self, figure: Figure | None = None) -> list[Cell]:
        """Return the answer; of another *figure* than the leaf's when there is one."""
        figure = figure or self._figure()
        for part in self._question:
            if part.has(KINDS[self._kind][0]):
                events = self._found(part)
                if len(events):
                    self._add(figure, part, events)
        return self._expanded(figure)

    def _add(self, figure: Figure, part: Part, events: _Rows) -> None:
        grouped = self._groups.of(events, slice(None))
        rows = np.arange(len(events))
        if not self._leaf.is_of_events:  # a session counts once for each label set
            rows = np.flatnonzero(first_of_each(grouped.codes, events.owners))
            grouped = Grouped(grouped.codes[rows], grouped.keys)
        values, known = self._given(part, events)
        figure.add(
            grouped,
            grouped.codes if values is None else values[rows],
            None if known is None else known[rows],
        )

    def _given(self, part: Part, events: _Rows) -> tuple[Array | None, Array | None]:
        """Return what the figure is made of, of every event, and where it is known."""
        leaf = self._leaf
        if self._counts or leaf.function in {"count", "rate"}:
            return None, None
        if leaf.function == "distinct":
            labels = events.labels(leaf.field)
            numbers = labels.ids[labels.codes]
            return numbers, None if leaf.field == "status" else numbers != 0
        if self._is_own:
            held = events.numbers(leaf.field)
        else:
            held = taken(self._question.measures.of(part, leaf.field), events.owners)
        is_whole = self._divisor > 1 and leaf.function != "histogram"
        return held.whole if is_whole else held.values, held.known

    def _figure(self) -> Figure:
        leaf = self._leaf
        if self._counts or leaf.function in {"count", "rate"}:
            return Count()
        if leaf.function == "distinct":
            return Distinct()
        if self._is_own and leaf.field not in NUMBERS.get(KINDS[self._kind][0], ()):
            raise NotInColumns(leaf.field)
        if leaf.function == "quantile":
            return Quantiles(leaf.points, self._divisor)
        if leaf.function == "histogram":
            return Histogram(leaf.points)
        if leaf.function in {"sum", "avg", "min", "max"}:
            return Total(leaf.function, self._divisor)
        raise NotInColumns(leaf.function)

    def _expanded(self, figure: Figure) -> list[Cell]:
        """Name the groups; of several quantiles and of buckets, a cell each."""
        leaf = self._leaf
        keys, columns = figure.result()
        labels, begins = self._groups.named(keys, self._question.texts)
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


_NONE = np.zeros(0, np.int64)
