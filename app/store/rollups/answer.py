"""Answer a leaf from rollups, scanning only what they do not know."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from app.sessionql.evaluate import Cell
from app.sessionql.plan import Leaf, Window
from app.store.rollups.active import answer_active, answer_active_whole
from app.store.rollups.chosen import Chosen
from app.store.rollups.cover import Cover, cover
from app.store.rollups.edges import Edges, Place, Values
from app.store.rollups.pieces import Pieces, cut
from app.store.rollups.shapes import (
    Entries,
    Floats,
    buckets_of,
    quantiles_of,
    unite_users,
)
from app.store.rollups.tables import DAY, HOUR, LEVELS
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
    if not found:
        return None
    if found.measure == "activity":
        return _active(db, leaf, window, found, new_statement, scan, values)
    pieces = cut(db, window, found.dimension, new_statement().bounce)
    if not pieces:
        return None
    if pieces.scanned > max(MAX_SCANNED * (window.end - window.start), HOUR):
        return None
    edges = Edges(db, leaf, window, found, pieces.scans, new_statement, values)
    cells = _Answer(pieces, edges, scan).cells()
    return Rolled(cells, _details(found, pieces))


def _active(
    db: sqlite3.Connection,
    leaf: Leaf,
    window: Window,
    found: Cover,
    new_statement: Callable[[], Statement],
    scan: Scan,
    values: Values,
) -> Rolled | None:
    """Return the cells of a leaf about active sessions, as ``answer`` does."""
    if window.step:
        told = answer_active(db, leaf, window, found, new_statement, scan)
        return told and Rolled(told[0], _details(found, told[1]))
    count = Leaf("count", selector=leaf.selector, by=leaf.by)
    began = answer(db, count, window, new_statement, scan, values)
    cells = began and answer_active_whole(db, leaf, window, began.cells, scan)
    return None if began is None or cells is None else Rolled(cells, began.details)


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
        self._leaf, self._cover = edges.leaf, edges.found
        self._edges, self._scan = edges, scan
        chosen = Chosen(
            edges.db, edges.leaf, edges.found, pieces.spans, edges.new_statement
        )
        self._held, self._rows = chosen.held, chosen.rows
        self._groups = chosen.grouped(edges.window)
        self._places = chosen.named(self._groups.keys, edges.window)

    def cells(self) -> list[Cell]:
        """Return the answer."""
        if self._cover.measure == "user":
            return self._distinct()
        if self._cover.measure:
            return self._quantile()
        if self._cover.bottom:
            return self._ratio()
        return self._sum()

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
