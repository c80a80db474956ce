"""Answer a leaf from rollups, scanning only what they do not know."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from app.sessionql.evaluate import Cell
from app.sessionql.plan import Leaf, Window
from app.store.rollups.active import answer_active, answer_active_whole
from app.store.rollups.chosen import Kept, Placed
from app.store.rollups.cover import Cover, cover
from app.store.rollups.edges import Edges, Place, Values
from app.store.rollups.newcomers import count_new, first_hour, users_of
from app.store.rollups.pieces import Pieces, cut
from app.store.rollups.shapes import (
    Entries,
    Floats,
    buckets_of,
    quantiles_of,
)
from app.store.rollups.tables import DAY, HOUR, LEVELS
from app.store.sql import Statement

MAX_SCANNED = 0.4  # of the window; beyond that one scan of everything is as good
_MOST_READ = 2 * HOUR  # of active sessions, where the hours in it may tell most
_DAYS = LEVELS.index(DAY)

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
    beside: Kept | None = None,
) -> Rolled | None:
    """Return the cells of *leaf*, or None when rollups are of no use.

    Args:
        db: the index.
        leaf: checked.
        window: its buckets.
        new_statement: makes an empty statement for the tenant.
        scan: answers a leaf over a window from the sessions themselves.
        values: tells what a leaf is made of over a window, when columns know.
        beside: keeps the cells of a leaf for those that are of the same.
    """
    kept = beside or Kept()
    return _Asker(db, new_statement, scan, values, kept).answer(leaf, window)


def is_answer(
    db: sqlite3.Connection,
    leaf: Leaf,
    window: Window,
    new_statement: Callable[[], Statement],
) -> bool | None:
    """Tell whether ``answer`` would return cells; None when only asking tells."""
    if users_of(leaf) is not None:
        return None
    found = cover(leaf)
    if not found:
        return False
    if found.measure == "activity":
        return None
    return _pieces(db, window, found, new_statement) is not None


def _pieces(
    db: sqlite3.Connection,
    window: Window,
    found: Cover,
    new_statement: Callable[[], Statement],
) -> Pieces | None:
    """Cut a window up; None when too much of it is to be scanned."""
    pieces = cut(db, window, found.dimension, new_statement().bounce)
    most = max(MAX_SCANNED * (window.end - window.start), HOUR)
    return pieces if pieces and pieces.scanned <= most else None


@dataclass(frozen=True, slots=True)
class _Asker:
    """What leaves are answered from, as ``answer`` says."""

    db: sqlite3.Connection
    new_statement: Callable[[], Statement]
    scan: Scan
    values: Values
    kept: Kept

    def answer(self, leaf: Leaf, window: Window) -> Rolled | None:
        """Return the cells of a leaf, or None."""
        if (everyone := users_of(leaf)) is not None:
            return self._newcomers(leaf, everyone, window)
        found = cover(leaf)
        if not found:
            return None
        if found.measure == "activity":
            return self._active(leaf, window, found)
        pieces = self._pieces(window, found)
        if pieces is None:
            return None
        cells = self._figure(leaf, window, found, pieces).cells()
        return Rolled(cells, _details(found, pieces))

    def _pieces(self, window: Window, found: Cover) -> Pieces | None:
        return _pieces(self.db, window, found, self.new_statement)

    def _figure(
        self, leaf: Leaf, window: Window, found: Cover, pieces: Pieces
    ) -> "_Figure":
        edges = Edges(
            self.db, leaf, window, found, pieces.scans, self.new_statement, self.values
        )
        return _Figure(self.kept.of(edges, pieces.spans), edges, self.scan)

    def _active(self, leaf: Leaf, window: Window, found: Cover) -> Rolled | None:
        if window.step:
            told = answer_active(
                self.db, leaf, window, found, self.new_statement, self._ask_active
            )
            return told and Rolled(told[0], _details(found, told[1]))
        count = Leaf("count", selector=leaf.selector, by=leaf.by)
        began = self.answer(count, window)
        if began is None:
            return None
        cells = answer_active_whole(self.db, leaf, window, began.cells, self.scan)
        return None if cells is None else Rolled(cells, began.details)

    def _ask_active(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Answer a leaf about active sessions over some buckets; one may be ragged."""
        bucket = window.start // window.step * window.step
        found = cover(leaf)
        is_one = window.end <= bucket + window.step
        if found and is_one and window.end - window.start > _MOST_READ:
            told = self._active(leaf, replace(window, step=0), found)
            if told:
                return [(labels, bucket, value) for labels, _, value in told.cells]
        return self.scan(leaf, window)

    def _newcomers(self, leaf: Leaf, everyone: Leaf, window: Window) -> Rolled | None:
        """Return how many users came first in each bucket.

        Args:
            leaf: asks it.
            everyone: asks for all users, by application.
            window: its buckets.
        """
        found = cover(everyone)
        pieces = found and self._pieces(window, found)
        earlier = replace(window, start=first_hour(self.db, window), step=0)
        earlier = replace(earlier, end=window.start)
        before = found and self._pieces(earlier, found)
        if before is None and earlier.end - earlier.start <= HOUR:
            before = Pieces(scans=[(earlier.start, earlier.end)])  # fit no hour
        if not found or not pieces or not before:
            return None
        sets = self._figure(everyone, window, found, pieces).users()
        known = self._figure(everyone, earlier, found, before).users()
        cells = count_new(leaf, known, sets)
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


class _Figure:
    """One leaf being answered, from pieces of its window."""

    def __init__(self, placed: Placed, edges: Edges, scan: Scan) -> None:
        self._leaf, self._cover = edges.leaf, edges.found
        self._edges, self._scan = edges, scan
        self._held, self._rows = placed.chosen.held, placed.chosen.rows
        self._codes, self._places = placed.codes, placed.places

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

    def _sums(self, names: Sequence[str], scale: float = 1) -> list[float]:
        """Return a sum of each place."""
        total: Floats = np.zeros(len(self._places))
        for name in names:
            numbers = self._held.numbers(name)[self._rows]
            total += np.bincount(self._codes, numbers, len(total))
        return (total / scale).tolist()  # type: ignore[no-any-return]

    def _sum(self) -> list[Cell]:
        scanned: dict[Place, float] = {}
        for window in self._edges.windows():
            for labels, bucket, value in self._scan(self._leaf, window):
                key = labels, self._edges.begin(bucket)
                scanned[key] = scanned.get(key, 0) + (value or 0)
        ends = {bucket for _, bucket in scanned}
        sums = self._sums(self._cover.top, _SCALES.get(self._leaf.field, 1))
        cells: list[Cell] = [
            (*place, total + scanned.pop(place, 0) if place[1] in ends else total)
            for place, total in zip(self._places, sums, strict=True)
        ]
        cells += [(*place, total) for place, total in scanned.items()]
        if self._leaf.function != "count":
            return cells
        # a cell without any session is no cell; of a count, no session means none
        return [cell for cell in cells if cell[2]]

    def _ratio(self) -> list[Cell]:
        tops, bottoms = (
            dict(zip(self._places, self._sums(names), strict=True))
            for names in (self._cover.top, self._cover.bottom)
        )
        for place, top, bottom in self._edges.ratios():
            tops[place] = tops.get(place, 0) + top
            bottoms[place] = bottoms.get(place, 0) + bottom
        return [
            (*place, tops[place] / bottom if bottom else None)
            for place, bottom in bottoms.items()
        ]

    # -- sets and histograms -------------------------------------------------------

    def _distinct(self) -> list[Cell]:
        return [
            (*place, len(each[0] if len(each) == 1 else BitMap.union(*each)))
            for place, each in self.users().items()
        ]

    def users(self) -> dict[Place, list[BitMap]]:
        """Return the users of each label set and bucket, as sets to be united."""
        found: defaultdict[Place, list[BitMap]] = defaultdict(list)
        users = self._held.users()
        codes = self._codes.tolist()
        for row, code in zip(self._rows.tolist(), codes, strict=True):
            packed = users[row]
            found[self._places[code]].append(
                BitMap.deserialize(packed) if packed else BitMap()
            )
        for told in self._edges.users():
            order = np.argsort(told.codes, kind="stable")
            ends = np.bincount(told.codes, minlength=len(told.places)).cumsum()
            some = np.split(told.values[order].astype(np.int64), ends[:-1])
            for place, here in zip(told.places, some, strict=bool(told.places)):
                found[place].append(BitMap(here.tolist()))
        return found

    def _quantile(self) -> list[Cell]:
        owners = np.full(self._held.size, -1, np.int32)
        owners[self._rows] = self._codes
        places = {place: at for at, place in enumerate(self._places)}
        scanned = []
        for told in self._edges.numbers():
            at = [places.setdefault(place, len(places)) for place in told.places]
            owners_here = np.array(at, np.int64)[told.codes]
            ones = np.ones(len(owners_here), np.int64)
            scanned.append(Entries(owners_here, buckets_of(told.values), ones))
        held = self._held.pieces(self._cover.measure, owners)
        found = quantiles_of([*held, *scanned], len(places), self._leaf.points[0])
        return [(*place, found[at]) for place, at in places.items()]


_SCALES = {
    "cost": 1e9,
    "model_cost": 1e9,
}  # how many of what is kept make one of the unit
