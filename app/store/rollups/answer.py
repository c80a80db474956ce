"""Answer a leaf from rollups, scanning only what they do not know."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Any, Compare, Filter
from app.sessionql.plan import Leaf, Window
from app.store.comparisons import match_string
from app.store.conditions import conditions, where
from app.store.rollups.cover import Cover, cover
from app.store.rollups.pieces import Pieces, cut
from app.store.rollups.shapes import (
    Histogram,
    add_histogram,
    bucket_of,
    quantile_of,
    unite_users,
)
from app.store.rollups.tables import DIMENSIONS, HOUR, MEASURES, SUMS, VITALS
from app.store.sql import Statement

MAX_SCANNED = 0.4  # of the window; beyond that one scan of everything is as good

Scan = Callable[[Leaf, Window], list[Cell]]
Key = tuple[int, tuple[object, ...]]  # bucket, labels as they are stored
Place = tuple[tuple[str, ...], int]  # labels, bucket
Value = TypeVar("Value")


def answer(
    db: sqlite3.Connection,
    leaf: Leaf,
    window: Window,
    new_statement: Callable[[], Statement],
    scan: Scan,
) -> list[Cell] | None:
    """Return the cells of *leaf*, or None when rollups are of no use.

    Args:
        db: the index.
        leaf: checked.
        window: its buckets.
        new_statement: makes an empty statement for the tenant.
        scan: answers a leaf over a window from the sessions themselves.
    """
    found = cover(leaf)
    bounce = new_statement().bounce
    pieces = found and cut(db, window, found.dimension, bounce)
    if not found or not pieces:
        return None
    if pieces.scanned > max(MAX_SCANNED * (window.end - window.start), HOUR):
        return None
    return _Answer(db, leaf, window, found, pieces, new_statement, scan).cells()


class _Answer:
    """One leaf being answered."""

    def __init__(
        self,
        db: sqlite3.Connection,
        leaf: Leaf,
        window: Window,
        found: Cover,
        pieces: Pieces,
        new_statement: Callable[[], Statement],
        scan: Scan,
    ) -> None:
        self._db, self._leaf, self._window = db, leaf, window
        self._cover, self._pieces = found, pieces
        self._new, self._scan = new_statement, scan

    def cells(self) -> list[Cell]:
        """Return the answer."""
        if self._cover.measure == "user":
            return self._distinct()
        if self._cover.measure:
            return self._quantile()
        if self._cover.bottom:
            return self._ratio()
        return self._sum()

    # -- what is stored ------------------------------------------------------------

    def _stored(
        self, table: str, select: str, rest: str = ""
    ) -> Iterable[tuple[object, ...]]:
        """Run *select* over the cells of the clean hours and days."""
        statement = self._new()
        dimension = self._cover.dimension
        wanted = [f"r.dimension = {DIMENSIONS.index(dimension)}"]
        if table == "rollup_sets":
            wanted.append(f"r.measure = {MEASURES.index(self._cover.measure)}")
        ranges = [
            f"r.level = {level} and r.bucket >= {statement.bind(start)}"
            f" and r.bucket < {statement.bind(end)}"
            for level, each in ((1, self._pieces.days), (0, self._pieces.hours))
            for start, end in each
        ]
        columns = ", ".join(SUMS) if table == "rollups" else "data"
        value = f", nullif(r.value, 0) as {dimension}" if dimension else ""
        keyed = " and ".join(wanted)
        parts = " union all ".join(
            "select r.bucket as start, r.source, nullif(r.app, 0) as app,"
            f" nullif(r.environment, 0) as environment{value}, {columns}"
            f" from {table} as r where {keyed} and {each}"
            for each in ranges
        )
        chosen = [statement.ours(), *self._conditions(statement)]
        query = f"{select} from ({parts}) as s where {' and '.join(chosen)} {rest}"
        return self._db.execute(query, statement.values)

    def _conditions(self, statement: Statement) -> list[str]:
        return [_condition(statement, each) for each in self._cover.conditions]

    def _bucket(self, at: str) -> str:
        window = self._window
        if not window.step:
            return str(window.start)
        return f"({at} - {at} % {window.step})"

    def _labels(self) -> str:
        return "".join(f", s.{name}" for name in self._leaf.by)

    # -- sums and ratios of sums ---------------------------------------------------

    def _sums(self, column: str) -> dict[Key, float]:
        select = f"select {self._bucket('s.start')}, sum({column}){self._labels()}"
        rows = self._stored("rollups", select, self._grouped())
        return {(row[0], row[2:]): row[1] for row in rows}  # type: ignore[misc]

    def _grouped(self) -> str:
        return "group by " + ", ".join(
            str(n) for n in (1, *range(3, 3 + len(self._leaf.by)))
        )

    def _sum(self) -> list[Cell]:
        total: dict[Place, float] = {}
        stored = self._sums(self._cover.top)
        total.update(self._named(stored))
        for each in self._scans():
            for labels, bucket, value in self._scan(self._leaf, each):
                key = labels, self._begin(bucket)
                total[key] = total.get(key, 0) + (value or 0)
        # a cell without any session is no cell; of a count, no session means none
        return [
            (labels, bucket, value)
            for (labels, bucket), value in total.items()
            if value or self._leaf.function != "count"
        ]

    def _ratio(self) -> list[Cell]:
        tops = self._named(self._sums(self._cover.top))
        bottoms = self._named(self._sums(self._cover.bottom))
        for each in self._scans():
            for labels, bucket, top, bottom in self._scan_ratio(each):
                key = labels, self._begin(bucket)
                tops[key] = tops.get(key, 0) + top
                bottoms[key] = bottoms.get(key, 0) + bottom
        return [
            (labels, bucket, tops[labels, bucket] / bottom if bottom else None)
            for (labels, bucket), bottom in bottoms.items()
        ]

    def _scan_ratio(
        self, window: Window
    ) -> Iterable[tuple[tuple[str, ...], int, float, float]]:
        """Scan for a top and a bottom; both are sums over sessions."""
        statement = self._new()
        if self._leaf.where is not None:
            holds = where(statement, self._leaf.where)
            top, bottom = f"coalesce({holds}, 0)", f"({holds}) is not null"
        else:
            top, bottom = statement.expression(self._cover.top), "1"
        rows = self._scan_rows(statement, window, f"sum({top}), sum({bottom})", 2)
        return [
            (labels, bucket, values[0] or 0, values[1] or 0)
            for labels, bucket, values in rows
        ]

    def _scan_rows(
        self, statement: Statement, window: Window, values: str, count: int
    ) -> list[tuple[tuple[str, ...], int, tuple[float, ...]]]:
        """Scan sessions (or their views), grouped by bucket and labels."""
        by_page = self._cover.dimension == "page" or self._cover.is_of_events
        chosen = [
            statement.look_at(window),
            *conditions(statement, self._leaf.selector, "view" if by_page else ""),
        ]
        columns = "".join(
            f", {'e' if name == 'page' else 's'}.{name}" for name in self._leaf.by
        )
        join = " join views as e on e.session = s.id" if by_page else ""
        keys = ", ".join(
            str(n) for n in (1, *range(2 + count, 2 + count + len(self._leaf.by)))
        )
        group = f" group by {keys}" if "sum(" in values else ""
        query = (
            f"select {self._bucket('s.start')}, {values}{columns}"
            f" from sessions as s{join} where {' and '.join(chosen)}{group}"
        )
        rows = self._db.execute(statement.text(query), statement.values).fetchall()
        texts = self._texts(row[1 + count :] for row in rows)
        return [
            (self._text(row[1 + count :], texts), row[0], row[1 : 1 + count])
            for row in rows
        ]

    # -- sets ----------------------------------------------------------------------

    def _packed(self) -> dict[Key, list[bytes]]:
        packed: defaultdict[Key, list[bytes]] = defaultdict(list)
        select = f"select {self._bucket('s.start')}, s.data{self._labels()}"
        for row in self._stored("rollup_sets", select):
            packed[row[0], row[2:]].append(row[1])  # type: ignore[index, arg-type]
        return packed

    def _distinct(self) -> list[Cell]:
        found = self._named(
            {key: unite_users(each) for key, each in self._packed().items()}
        )
        for each in self._scans():
            statement = self._new()
            for labels, bucket, (user,) in self._scan_rows(
                statement, each, "s.user", 1
            ):
                key = labels, self._begin(bucket)
                if key not in found:
                    found[key] = unite_users(())
                if user is not None:
                    found[key].add(int(user))
        return [(labels, bucket, len(each)) for (labels, bucket), each in found.items()]

    def _quantile(self) -> list[Cell]:
        of = self._cover.of
        index = VITALS.index(of) if of else 0
        found: dict[Place, Histogram] = self._named(
            {key: add_histogram(each, index) for key, each in self._packed().items()}
        )
        for each in self._scans():
            statement = self._new()
            value = f"e.{of}" if of else "s.end - s.start"
            for labels, bucket, (number,) in self._scan_rows(statement, each, value, 1):
                histogram = found.setdefault((labels, self._begin(bucket)), Histogram())
                if number is not None:
                    histogram[bucket_of(number)] += 1
        q = self._leaf.points[0]
        return [
            (labels, bucket, quantile_of(each, q))
            for (labels, bucket), each in found.items()
        ]

    # -- labels and buckets --------------------------------------------------------

    def _scans(self) -> list[Window]:
        return [
            replace(self._window, start=start, end=end)
            for start, end in self._pieces.scans
        ]

    def _begin(self, bucket: int) -> int:
        """Return the bucket of a scan; without a step there is but one."""
        return bucket if self._window.step else self._window.start

    def _named(self, found: dict[Key, Value]) -> dict[Place, Value]:
        """Give labels their texts."""
        texts = self._texts(labels for _, labels in found)
        return {
            (self._text(labels, texts), bucket): value
            for (bucket, labels), value in found.items()
        }

    def _texts(
        self, rows: Iterable[tuple[object, ...]]
    ) -> dict[tuple[str, object], str]:
        numbers: dict[str, set[object]] = {name: set() for name in self._leaf.by}
        for labels in rows:
            for name, number in zip(self._leaf.by, labels, strict=True):
                numbers[name].add(number)
        texts: dict[tuple[str, object], str] = {}
        for name, each in numbers.items():
            table, column = (
                ("sources", "name") if name == "source" else ("strings", "value")
            )
            wanted = [number for number in each if number is not None]
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                marks = ",".join("?" * len(some))
                for number, text in self._db.execute(
                    f"select id, {column} from {table} where id in ({marks})", some
                ):
                    texts[name, number] = text
        return texts

    def _text(
        self, labels: tuple[object, ...], texts: dict[tuple[str, object], str]
    ) -> tuple[str, ...]:
        return tuple(
            texts.get((name, number), "")
            for name, number in zip(self._leaf.by, labels, strict=True)
        )


def _condition(statement: Statement, part: Filter) -> str:
    """Compose a condition on a cell; of a page, on the cell's."""
    if isinstance(part, Any):
        return _of_page(statement, part.part)
    if isinstance(part, Compare) and part.field == "page":
        return _of_page(statement, part)
    return where(statement, part)


def _of_page(statement: Statement, part: Filter) -> str:
    if isinstance(part, Compare):
        return match_string(statement, "s.page", part)
    parts = getattr(part, "parts", None) or (part.part,)  # type: ignore[union-attr]
    inner = [_of_page(statement, each) for each in parts]
    name = type(part).__name__
    if name == "Not":
        return f"not coalesce({inner[0]}, 0)"
    return "(" + (" and " if name == "And" else " or ").join(inner) + ")"
