"""Scan what rollups do not know: the ragged ends of a range, hours under way."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from app.sessionql.plan import Leaf, Window
from app.store.conditions import conditions, where
from app.store.rollups.cover import Cover
from app.store.rollups.pieces import Range
from app.store.sql import EVENTS, Statement

Labels = tuple[str, ...]
Place = tuple[Labels, int]  # labels, bucket
Texts = dict[tuple[str, object], str]


class Told(NamedTuple):
    """Values by place.

    Attributes:
        places: labels and bucket of each group; some may have no value.
        codes: of each value, which group it belongs to.
        values: those that are known.
    """

    places: list[Place]
    codes: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]"


Values = Callable[[Leaf, Window], Told | None]


@dataclass(frozen=True, slots=True)
class Edges:
    """The sessions, or their views, of some pieces of a window.

    Attributes:
        db: the index.
        leaf: what is asked.
        window: all of it.
        found: how rollups answer the rest.
        pieces: ranges to scan.
        new_statement: makes an empty statement for the tenant.
        values: tells from columns what a leaf is made of, when they know.
    """

    db: sqlite3.Connection
    leaf: Leaf
    window: Window
    found: Cover
    pieces: list[Range]
    new_statement: Callable[[], Statement]
    values: Values

    def windows(self) -> list[Window]:
        """Return the pieces as windows."""
        return [
            replace(self.window, start=start, end=end) for start, end in self.pieces
        ]

    def begin(self, bucket: int) -> int:
        """Return the bucket of a scan; without a step there is but one."""
        return bucket if self.window.step else self.window.start

    def ratios(self) -> Iterable[tuple[Place, float, float]]:
        """Yield a top and a bottom, which are sums."""
        for window in self.windows():
            told = self._told(window)
            if told is None:
                yield from self._scanned_ratios(window)
                continue
            size = len(told.places)
            tops = np.bincount(told.codes, told.values, size).tolist()
            bottoms = np.bincount(told.codes, minlength=size).tolist()
            yield from zip(told.places, tops, bottoms, strict=True)

    def _scanned_ratios(self, window: Window) -> Iterable[tuple[Place, float, float]]:
        statement = self.new_statement()
        if self.leaf.where is not None:
            holds = where(statement, self.leaf.where)
            top, bottom = f"coalesce({holds}, 0)", f"({holds}) is not null"
        else:
            top = self._number(statement)
            bottom = f"{top} is not null"
        values = f"sum({top}), sum({bottom})"
        for place, value in self._rows(statement, window, values, 2):
            yield place, value[0] or 0, value[1] or 0

    def numbers(self) -> Iterable[Told]:
        """Yield the number of each session or view, a piece at a time."""
        for window in self.windows():
            told = self._told(window)
            if told is None:
                statement = self.new_statement()
                number = self._number(statement)
                told = _by_place(self._rows(statement, window, number, 1))
            yield told

    def users(self) -> Iterable[Told]:
        """Yield the user of each session, a piece at a time."""
        for window in self.windows():
            yield self._told(window) or _by_place(
                self._rows(self.new_statement(), window, "s.user", 1)
            )

    def _told(self, window: Window) -> Told | None:
        """Return what columns say; None when the tables must be read."""
        if self.leaf.field in _KEPT_OTHERWISE:
            return None
        found = self.values(self.leaf, window)
        if found is None:
            return None
        places = [(labels, self.begin(bucket)) for labels, bucket in found.places]
        return Told(places, found.codes, found.values)

    def _number(self, statement: Statement) -> str:
        name = self.leaf.field
        if self.found.is_of_events:
            return f"e.{EVENTS[self.leaf.kind][1][name]}"
        return statement.expression(name)

    def _rows(
        self, statement: Statement, window: Window, values: str, count: int
    ) -> Iterable[tuple[Place, tuple[float | None, ...]]]:
        """Scan sessions (or their views), grouped by bucket and labels when summed."""
        by = self.leaf.by
        kind = self.leaf.kind
        if self.found.dimension == "page":
            kind = "view"
        chosen = [
            statement.look_at(window),
            *conditions(statement, self.leaf.selector, kind),
        ]
        source, of_event = f"sessions as s where {' and '.join(chosen)}", "e"
        if kind:
            join = f"sessions as s join {EVENTS[kind][0]} as e on e.session = s.id"
            source = f"{join} where {' and '.join(chosen)}"
        if kind and not self.found.is_of_events:  # a session once for each page
            pages = ", e.page" if "page" in by else ""
            source = (
                f"(select distinct s.id as session{pages} from {source}) as d"
                " join sessions as s on s.id = d.session"
            )
            of_event = "d"
        columns = "".join(
            f", {of_event if name == 'page' else 's'}.{name}" for name in by
        )
        bucket = f"s.start - s.start % {window.step}" if window.step else "0"
        numbers = ", ".join(str(n) for n in (1, *range(2 + count, 2 + count + len(by))))
        group = f" group by {numbers}" if "sum(" in values else ""
        query = f"select {bucket}, {values}{columns} from {source}{group}"
        rows = self.db.execute(statement.text(query), statement.values).fetchall()
        at = 1 + count
        keys = {(row[0], *row[at:]) for row in rows}
        texts = texts_of(self.db, by, (key[1:] for key in keys))
        places = {
            key: (text_of(by, key[1:], texts), self.begin(key[0])) for key in keys
        }
        for row in rows:
            yield places[row[0], *row[at:]], row[1:at]


def _by_place(rows: Iterable[tuple[Place, tuple[float | None, ...]]]) -> Told:
    """Put the values of rows by the place of each."""
    places: dict[Place, int] = {}
    codes: list[int] = []
    values: list[float] = []
    for place, (value,) in rows:
        at = places.setdefault(place, len(places))
        if value is not None:
            codes.append(at)
            values.append(value)
    return Told(list(places), np.array(codes, np.int64), np.array(values, float))


_KEPT_OTHERWISE = frozenset({"cost", "model_cost"})  # in columns than the tables tell


def texts_of(
    db: sqlite3.Connection, by: Labels, rows: Iterable[tuple[object, ...]]
) -> Texts:
    """Return the texts of the numbers of strings, by label and number."""
    numbers: dict[str, set[object]] = {name: set() for name in by}
    for labels in rows:
        for name, number in zip(by, labels, strict=True):
            numbers[name].add(number)
    texts: Texts = {}
    for name, each in numbers.items():
        table, column = (
            ("sources", "name") if name == "source" else ("strings", "value")
        )
        wanted = [number for number in each if number]
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            marks = ",".join("?" * len(some))
            for number, text in db.execute(
                f"select id, {column} from {table} where id in ({marks})", some
            ):
                texts[name, number] = text
    return texts


def text_of(by: Labels, numbers: tuple[object, ...], texts: Texts) -> Labels:
    """Return labels as text; "" where nothing is said."""
    return tuple([texts.get(each, "") for each in zip(by, numbers, strict=True)])
