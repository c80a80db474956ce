"""Answer a leaf about views, actions or errors from columns, as the tables would."""

import sqlite3
from collections.abc import Mapping

import numpy as np

from app.catalog.fields import COUNTED, find, kinds_of
from app.sessionql.filters import EVERYTHING
from app.sessionql.plan import Leaf, Window
from app.store.columns.answering import Answering
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
from app.store.columns.shares import narrow
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
            return numbers_of(self._part, self._table, name).cut(self._events.chosen)
        return self._part.numbers(name, table).cut(self._events.rows)


def answering_events(
    db: sqlite3.Connection,
    kind: str,
    figures: Mapping[Leaf, Figure | None],
    window: Window,
    asked: Statement,
    beside: Question | None = None,
) -> "EventAnswer":
    """Return what answers leaves about events of a kind.

    Args:
        db: in a transaction.
        kind: of events.
        figures: of leaves with the same filter and labels, all of events or all of
            sessions; None = the leaf's own.
        window: their buckets.
        asked: whose sessions, which definition of bounce, and when.
        beside: another question in this transaction about that window.

    Raises:
        NotInColumns: they are for the tables to answer.
        BadRequest: one asks for what cannot be.
    """
    if kind not in KINDS:
        raise NotInColumns(kind)
    made = {}
    for leaf, figure in figures.items():
        try:
            made[leaf] = figure or _figure(_checked(leaf, kind), kind)
        except NotInColumns:
            continue
    if not made:
        raise NotInColumns("none of them")
    leaf = next(iter(made))
    selector = leaf.selector
    every = find_parts(db, window.start, window.end)
    if not any(part.has(KINDS[kind][0]) for part in every):
        for each in made:
            compose(asked, each, window)  # refuses what is wrong
        selector = EVERYTHING  # whatever is chosen: there are none
    question = Question(db, window, selector, asked, kind, beside=beside)
    return EventAnswer(question, kind, leaf, made)


def _checked(leaf: Leaf, kind: str) -> Leaf:
    """Refuse labels that columns do not hold."""
    known = _SESSION | set(KINDS[kind][1])
    labels = (*leaf.by, leaf.field) if leaf.function == "distinct" else leaf.by
    if len(leaf.by) > MAX_LABELS or not known.issuperset(labels):
        raise NotInColumns("another label")
    return leaf


def _is_own(leaf: Leaf) -> bool:
    """Tell whether a figure is of a field of events."""
    field = find(leaf.field) if leaf.field else None
    return field is not None and bool(kinds_of(field))


def _counts(leaf: Leaf, kind: str) -> bool:
    """Tell whether a figure is how many events there are, or sessions with them."""
    counted = leaf.function == "sum" and COUNTED.get(leaf.field) == kind
    return counted or leaf.function in {"count", "rate"}


def _figure(leaf: Leaf, kind: str) -> Figure:
    divisor = NANO if leaf.field in _MONEY else 1
    if _counts(leaf, kind):
        return Count()
    if leaf.function == "distinct":
        return Distinct()
    if _is_own(leaf) and leaf.field not in NUMBERS.get(KINDS[kind][0], ()):
        raise NotInColumns(leaf.field)
    if leaf.function == "quantile":
        return Quantiles(leaf.points, divisor)
    if leaf.function == "histogram":
        return Histogram(leaf.points)
    if leaf.function in {"sum", "avg", "min", "max"}:
        return Total(leaf.function, divisor)
    raise NotInColumns(leaf.function)


class EventAnswer(Answering):
    """Figures of events, or of the sessions that have them."""

    def __init__(
        self, question: Question, kind: str, leaf: Leaf, figures: dict[Leaf, Figure]
    ) -> None:
        nothing = Events(_NONE, _NONE)
        rows: list[Part] = [_Rows(part, kind, nothing) for part in question.parts]
        super().__init__(question, Groups(leaf.by, question.window, rows), figures)
        self._kind, self._is_of_events = kind, leaf.is_of_events

    def take(self, part: Part) -> None:
        """Look at the events of a part."""
        if not part.has(KINDS[self._kind][0]):
            return
        found = self.question.share(part, "events", self._found, _FEW)
        events = _Rows(part, self._kind, Events(*found))
        if not len(events):
            return
        grouped = self.groups.of(events, slice(None))
        rows: Array | slice = slice(None)
        if not self._is_of_events:  # a session counts once for each label set
            rows = np.flatnonzero(first_of_each(grouped.codes, events.owners))
            grouped = Grouped(grouped.codes[rows], grouped.keys)
        for leaf, figure in self.figures.items():
            values, known = self._given(part, events, leaf)
            figure.add(
                grouped,
                grouped.codes if values is None else values[rows],
                None if known is None else known[rows],
            )

    def _found(self, part: Part) -> tuple[Array, Array | slice]:
        """Return the events that are meant."""
        question = self.question
        found = events_of(
            part, KINDS[self._kind][0], question.sessions(part), question.events(part)
        )
        chosen = found.chosen
        if isinstance(chosen, slice):
            return found.rows, chosen
        return narrow(found.rows), narrow(chosen)

    def _given(
        self, part: Part, events: _Rows, leaf: Leaf
    ) -> tuple[Array | None, Array | None]:
        """Return what the figure is made of, of every event, and where it is known."""
        if _counts(leaf, self._kind):
            return None, None
        if leaf.function == "distinct":
            labels = events.labels(leaf.field)
            named = labels.ids[labels.codes]
            return named, None if leaf.field == "status" else named != 0
        if _is_own(leaf):
            own = self.question.share(
                part, ("own", leaf.field), lambda _: _own(events, leaf.field), _FEW
            )
            column = Numbers(*own)
        else:
            held = self.question.measures.of(part, leaf.field)
            column = held.cut(events.owners)
        is_whole = leaf.field in _MONEY and leaf.function != "histogram"
        return column.whole if is_whole else column.values, column.known


def _own(events: _Rows, name: str) -> tuple[Array, int, bool, int, Array | None]:
    """Return what a column is made of that has a number of each event."""
    held = events.numbers(name)
    codes, table = held.distances, held.table
    most = 0 if table is None else len(codes) * (codes.itemsize + table.itemsize)
    if table is not None and most < _FEW:  # of its list what is used
        is_used = np.zeros(len(table), bool)
        is_used[: held.has_null] = True
        is_used[codes] = True
        used = np.flatnonzero(is_used)
        places = np.empty(len(table), codes.dtype)
        places[used] = np.arange(len(used))
        codes, table = places.take(codes), table.take(used)
    return codes, held.offset, held.has_null, held.scale, table


_FEW = 64 << 10  # bytes of events, or of their numbers, that are kept of a part
_MONEY = COSTS | {"cost"}
_NONE = np.zeros(0, np.int64)
