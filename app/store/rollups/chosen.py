"""Choose the cells that a question is about, and group them."""

import sqlite3
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from app.sessionql.filters import Any, Compare, Filter, walk
from app.sessionql.plan import Leaf, Window
from app.store.comparisons import match_string
from app.store.conditions import where
from app.store.rollups.cover import Cover
from app.store.rollups.edges import Edges, Place, text_of, texts_of
from app.store.rollups.packed import Groups, Held, Span, group
from app.store.rollups.shapes import Ints
from app.store.rollups.tables import DIMENSIONS, KEYS
from app.store.sql import Statement

_COUNTS = {"view": "views", "usage": "model_calls", "trace": "traces"}  # of events


class Chosen:
    """The cells of some buckets that are ours and meet every condition of a leaf.

    Args:
        db: the index.
        leaf: checked.
        found: how rollups answer it.
        spans: the buckets.
        new_statement: makes an empty statement for the tenant.

    Attributes:
        held: all cells of the dimension in those buckets.
        rows: the places of the chosen ones, ascending.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        leaf: Leaf,
        found: Cover,
        spans: Sequence[Span],
        new_statement: Callable[[], Statement],
    ) -> None:
        self._db, self._leaf, self._new = db, leaf, new_statement
        self.held = Held(db, DIMENSIONS.index(found.dimension), spans)
        self.rows = self._chosen(found)

    def _chosen(self, found: Cover) -> Ints:
        mask = self._mask(("source",), lambda statement: statement.ours())
        for part in found.conditions:
            inner = part.part if isinstance(part, Any) else part
            named = {each.field for each in walk(inner) if isinstance(each, Compare)}
            fields = tuple(sorted(named))
            mask &= self._mask(fields, lambda s, part=part: _condition(s, part))  # type: ignore[misc]
        if found.is_of_events and self._leaf.by:  # of labels that have any
            mask &= self.held.numbers(_COUNTS[self._leaf.kind]) > 0
        return np.flatnonzero(mask)

    def _mask(
        self, fields: Sequence[str], compose: Callable[[Statement], str]
    ) -> "np.ndarray[tuple[int], np.dtype[np.bool]]":
        """Tell of each cell whether a condition holds that looks at *fields* alone."""
        groups = group([self._numbers(name) for name in fields], self.held.size)
        statement = self._new()
        condition = compose(statement)
        keys = statement.bind(orjson.dumps(groups.keys).decode())
        named = "".join(
            f", nullif(json_extract(value, '$[{at}]'), 0) as {name}"
            for at, name in enumerate(fields)
        )
        found = self._db.execute(
            f"select s.key from (select key{named} from json_each({keys})) as s"
            f" where {condition}",
            statement.values,
        )
        holds = np.zeros(len(groups.keys), bool)
        holds[[key for (key,) in found]] = True
        return holds[groups.codes]

    def _numbers(self, field: str) -> Ints:
        return self.held.numbers(field if field in KEYS else "value")

    def labels(self) -> list[Ints]:
        """Return each label of the chosen cells, as a number."""
        return [self._numbers(name)[self.rows] for name in self._leaf.by]

    def grouped(self, window: Window) -> Groups:
        """Group the chosen cells by bucket, when *window* has any, and labels."""
        columns = self.labels()
        if window.step:
            first = window.start // window.step
            columns.insert(0, self.held.buckets[self.rows] // window.step - first)
        return group(columns, len(self.rows))

    def named(self, keys: Sequence[tuple[int, ...]], window: Window) -> list[Place]:
        """Return labels and bucket of each group.

        Args:
            keys: as of ``grouped``: of the bucket, counted from the one in which the
                window begins, and of the labels.
            window: its buckets.
        """
        by, step, start = self._leaf.by, window.step, window.start
        has = int(bool(step))
        numbers = [key[has:] for key in keys]
        distinct = set(numbers)  # each is there in many buckets
        texts = texts_of(self._db, by, distinct)
        told = {labels: text_of(by, labels, texts) for labels in distinct}
        if not step:
            return [(told[labels], start) for labels in numbers]
        begins = range(start - start % step, window.end, step)
        return [
            (told[labels], begins[key[0]])
            for labels, key in zip(numbers, keys, strict=True)
        ]


class Placed(NamedTuple):
    """Chosen cells by label set and bucket.

    Attributes:
        chosen: the cells.
        codes: the group of each.
        places: labels and bucket of each group.
    """

    chosen: Chosen
    codes: Ints
    places: list[Place]


class Kept:
    """The cells that the last leaf was made of: the figures of a table share them."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._placed: Placed | None = None

    def of(self, edges: Edges, spans: Sequence[Span]) -> Placed:
        """Return the cells of a leaf; read, unless they are those of the last one."""
        leaf, found = edges.leaf, edges.found
        key = (
            edges.db.execute("pragma data_version").fetchone(), edges.window, leaf.by,
            found.dimension, found.conditions, found.is_of_events and leaf.kind,
            tuple(spans),
        )  # fmt: skip
        if self._placed is None or key != self._key:
            self.clear()  # so that both are not there together
            chosen = Chosen(edges.db, leaf, found, spans, edges.new_statement)
            groups = chosen.grouped(edges.window)
            places = chosen.named(groups.keys, edges.window)
            self._key, self._placed = key, Placed(chosen, groups.codes, places)
        return self._placed

    def clear(self) -> None:
        """Let go of them."""
        self._key = self._placed = None


def _condition(statement: Statement, part: Filter) -> str:
    """Compose a condition on a cell; of a page or model, on the cell's."""
    if isinstance(part, Any):
        return _of_event(statement, part.part)
    if isinstance(part, Compare) and part.field in {"page", "model"}:
        return _of_event(statement, part)
    return where(statement, part)


def _of_event(statement: Statement, part: Filter) -> str:
    if isinstance(part, Compare):
        return match_string(statement, f"s.{part.field}", part)
    parts = getattr(part, "parts", None) or (part.part,)  # type: ignore[union-attr]
    inner = [_of_event(statement, each) for each in parts]
    name = type(part).__name__
    if name == "Not":
        return f"not coalesce({inner[0]}, 0)"
    return "(" + (" and " if name == "And" else " or ").join(inner) + ")"
