"""Answer a leaf from rollups, scanning only what they do not know."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import orjson
from pyroaring import BitMap

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Any, Compare, Filter, walk
from app.sessionql.plan import Leaf, Window
from app.store.comparisons import match_string
from app.store.conditions import where
from app.store.rollups.cover import Cover, cover
from app.store.rollups.edges import Edges, Place, Values, text_of, texts_of
from app.store.rollups.packed import Groups, Held, group
from app.store.rollups.pieces import Pieces, cut
from app.store.rollups.shapes import (
    Entries,
    Floats,
    Ints,
    buckets_of,
    quantiles_of,
    unite_users,
)
from app.store.rollups.tables import DAY, DIMENSIONS, HOUR, KEYS, LEVELS
from app.store.sql import Statement

MAX_SCANNED = 0.4  # of the window; beyond that one scan of everything is as good
_DAYS = LEVELS.index(DAY)
_COUNTS = {"view": "views", "usage": "model_calls", "trace": "traces"}  # of events

Scan = Callable[[Leaf, Window], list[Cell]]


class Rolled(NamedTuple):
    """The cells of a leaf, and what they were made of."""

    cells: list[Cell]
    details: dict[str, object]


def answer(
    db: sqlite3.Connection,
    leaf: Leaf,
    window: Window,
    new_statement: Callable[[], Statement],
    scan: Scan,
    values: Values,
) -> Rolled | None:
    """Return the cells of *leaf*, or None when rollups are of no use.

    Args:
        db: the index.
        leaf: checked.
        window: its buckets.
        new_statement: makes an empty statement for the tenant.
        scan: answers a leaf over a window from the sessions themselves.
        values: tells what a leaf is made of over a window, when columns know.
    """
    found = cover(leaf)
    bounce = new_statement().bounce
    pieces = found and cut(db, window, found.dimension, bounce)
    if not found or not pieces:
        return None
    if pieces.scanned > max(MAX_SCANNED * (window.end - window.start), HOUR):
        return None
    edges = Edges(db, leaf, window, found, pieces.scans, new_statement, values)
    cells = _Answer(pieces, edges, scan).cells()
    return Rolled(cells, _details(found, pieces))


def _details(found: Cover, pieces: Pieces) -> dict[str, object]:
    """Say what was read: how many days and hours of cells, and ms of sessions."""
    days = sum(end - start for level, start, end in pieces.spans if level == _DAYS)
    hours = sum(end - start for level, start, end in pieces.spans if level != _DAYS)
    return {
        "dimension": found.dimension,
        "figures": [*found.top, *found.bottom, *filter(None, [found.measure])],
        "days": days // DAY,
        "hours": hours // HOUR,
        "scanned_ms": pieces.scanned,
        "scans": len(pieces.scans),
    }


class _Answer:
    """One leaf being answered."""

    def __init__(self, pieces: Pieces, edges: Edges, scan: Scan) -> None:
        self._db, self._leaf, self._window = edges.db, edges.leaf, edges.window
        self._cover, self._new = edges.found, edges.new_statement
        self._edges, self._scan = edges, scan
        number = DIMENSIONS.index(edges.found.dimension)
        self._held = Held(edges.db, number, pieces.spans)
        self._rows = self._chosen()
        self._groups = self._grouped()
        self._places = self._named()

    def cells(self) -> list[Cell]:
        """Return the answer."""
        if self._cover.measure == "user":
            return self._distinct()
        if self._cover.measure:
            return self._quantile()
        if self._cover.bottom:
            return self._ratio()
        return self._sum()

    # -- which cells, and how they are grouped -------------------------------------

    def _chosen(self) -> Ints:
        """Return the places of the cells that are ours and meet every condition."""
        mask = self._mask(("source",), lambda statement: statement.ours())
        for part in self._cover.conditions:
            inner = part.part if isinstance(part, Any) else part
            named = {each.field for each in walk(inner) if isinstance(each, Compare)}
            fields = tuple(sorted(named))
            mask &= self._mask(fields, lambda s, part=part: _condition(s, part))  # type: ignore[misc]
        if self._cover.is_of_events and self._leaf.by:  # of labels that have any
            mask &= self._held.numbers(_COUNTS[self._leaf.kind]) > 0
        return np.flatnonzero(mask)

    def _mask(
        self, fields: Sequence[str], compose: Callable[[Statement], str]
    ) -> "np.ndarray[tuple[int], np.dtype[np.bool]]":
        """Tell of each cell whether a condition holds that looks at *fields* alone."""
        groups = group([self._numbers(name) for name in fields], self._held.size)
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
        return self._held.numbers(field if field in KEYS else "value")

    def _grouped(self) -> Groups:
        """Group the chosen cells by bucket and labels."""
        columns = [self._numbers(name)[self._rows] for name in self._leaf.by]
        step = self._window.step
        if step:
            first = self._window.start // step
            columns.insert(0, self._held.buckets[self._rows] // step - first)
        return group(columns, len(self._rows))

    def _named(self) -> list[Place]:
        """Return labels and bucket of each group."""
        by, step, start = self._leaf.by, self._window.step, self._window.start
        has = int(bool(step))
        keys = self._groups.keys
        distinct = {key[has:] for key in keys}  # each is there in many buckets
        texts = texts_of(self._db, by, distinct)
        told = {labels: text_of(by, labels, texts) for labels in distinct}
        first = start // step if step else 0
        return [
            (told[key[has:]], (first + key[0]) * step if step else start)
            for key in keys
        ]

    # -- sums and ratios of sums ---------------------------------------------------

    def _sums(self, names: Sequence[str], scale: float = 1) -> dict[Place, float]:
        total: Floats = np.zeros(len(self._places))
        for name in names:
            numbers = self._held.numbers(name)[self._rows]
            total += np.bincount(self._groups.codes, numbers, len(total))
        return dict(zip(self._places, (total / scale).tolist(), strict=True))

    def _sum(self) -> list[Cell]:
        total = self._sums(self._cover.top, _SCALES.get(self._leaf.field, 1))
        for window in self._edges.windows():
            for labels, bucket, value in self._scan(self._leaf, window):
                key = labels, self._edges.begin(bucket)
                total[key] = total.get(key, 0) + (value or 0)
        # a cell without any session is no cell; of a count, no session means none
        return [
            (labels, bucket, value)
            for (labels, bucket), value in total.items()
            if value or self._leaf.function != "count"
        ]

    def _ratio(self) -> list[Cell]:
        tops, bottoms = self._sums(self._cover.top), self._sums(self._cover.bottom)
        for place, top, bottom in self._edges.ratios():
            tops[place] = tops.get(place, 0) + top
            bottoms[place] = bottoms.get(place, 0) + bottom
        return [
            (*place, tops[place] / bottom if bottom else None)
            for place, bottom in bottoms.items()
        ]

    # -- sets and histograms -------------------------------------------------------

    def _distinct(self) -> list[Cell]:
        packed: defaultdict[Place, list[bytes]] = defaultdict(list)
        users = self._held.users()
        codes = self._groups.codes.tolist()
        for row, code in zip(self._rows.tolist(), codes, strict=True):
            packed[self._places[code]] += [users[row]] if users[row] else []
        found = {place: unite_users(each) for place, each in packed.items()}
        for told in self._edges.users():
            order = np.argsort(told.codes, kind="stable")
            ends = np.bincount(told.codes, minlength=len(told.places)).cumsum()
            some = np.split(told.values[order].astype(np.int64), ends[:-1])
            for place, here in zip(told.places, some, strict=bool(told.places)):
                more = BitMap(here.tolist())
                found[place] = found[place] | more if place in found else more
        return [(*place, len(each)) for place, each in found.items()]

    def _quantile(self) -> list[Cell]:
        owners = np.full(self._held.size, -1)
        owners[self._rows] = self._groups.codes
        places = {place: at for at, place in enumerate(self._places)}
        scanned = []
        for told in self._edges.numbers():
            at = [places.setdefault(place, len(places)) for place in told.places]
            owners_here = np.array(at, np.int64)[told.codes]
            ones = np.ones(len(owners_here), np.int64)
            scanned.append(Entries(owners_here, buckets_of(told.values), ones))
        held = self._held.entries(self._cover.measure, owners)
        found = quantiles_of([held, *scanned], len(places), self._leaf.points[0])
        return [(*place, found[at]) for place, at in places.items()]


_SCALES = {
    "cost": 1e9,
    "model_cost": 1e9,
}  # how many of what is kept make one of the unit


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
