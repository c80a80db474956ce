"""Cut a range of time into what rollups know and what must be scanned."""

import sqlite3
from bisect import bisect_left
from dataclasses import dataclass, field

from app.sessionql.plan import Window
from app.store.rollups.packed import Span
from app.store.rollups.tables import HOUR, LEVELS

MAX_RANGES = 60  # of clean time; more holes than that are not worth it
Range = tuple[int, int]  # [start, end), ms


@dataclass(frozen=True, slots=True)
class Pieces:
    """A window, cut up; together the pieces are all of it.

    Attributes:
        spans: clean time, by the longest buckets that fit.
        scans: ranges of the rest.
    """

    spans: list[Span] = field(default_factory=list)
    scans: list[Range] = field(default_factory=list)

    @property
    def scanned(self) -> int:
        """Return how much time is scanned, ms."""
        return sum(end - start for start, end in self.scans)


def cut(
    db: sqlite3.Connection, window: Window, dimension: str, bounce: str
) -> Pieces | None:
    """Cut *window* up; None when its buckets are no whole hours, or it is all scans.

    The cost follows the number of dirty hours, not the length of the window.
    """
    if window.step % HOUR:
        return None
    held = db.execute("select bounce from rollup_meta").fetchone()
    if held is None or held[0] != bounce:  # of another definition
        return None
    levels = [level for level, length in enumerate(LEVELS) if window.step % length == 0]
    start, end = window.start, window.end
    pieces = Pieces()
    _take(pieces, _dirty(db, start, end, dimension), levels, start, end)
    if len(pieces.spans) + len(pieces.scans) > MAX_RANGES:
        return None
    return pieces if pieces.spans else None


def _take(
    pieces: Pieces, dirty: list[list[int]], levels: list[int], start: int, end: int
) -> None:
    """Add ``[start, end)`` to *pieces*, in the order of time.

    Args:
        pieces: changed.
        dirty: the buckets of each level that are not known, ascending.
        levels: which to use, the longest last; what none knows is scanned.
        start: ms.
        end: excluded.
    """
    if start >= end:
        return
    if not levels:
        _join(pieces.scans, start, end)
        return
    *below, level = levels
    length = LEVELS[level]
    first, last = -(-start // length) * length, end // length * length
    if first >= last:
        _take(pieces, dirty, below, start, end)
        return
    _take(pieces, dirty, below, start, first)
    marked = dirty[level]
    at = first
    for bucket in marked[bisect_left(marked, first) : bisect_left(marked, last)]:
        _span(pieces.spans, level, at, bucket)
        at = bucket + length
        _take(pieces, dirty, below, bucket, at)
    _span(pieces.spans, level, at, last)
    _take(pieces, dirty, below, last, end)


def _join(ranges: list[Range], start: int, end: int) -> None:
    if ranges and ranges[-1][1] == start:
        ranges[-1] = (ranges[-1][0], end)
    else:
        ranges.append((start, end))


def _span(spans: list[Span], level: int, start: int, end: int) -> None:
    if start < end:
        spans.append((level, start, end))


def _dirty(
    db: sqlite3.Connection, start: int, end: int, dimension: str
) -> list[list[int]]:
    """Return of each level the buckets that are not known, or not by *dimension*."""
    marked: set[int] = set()
    found = []
    for level, length in enumerate(LEVELS):
        bounds = (level, start - start % length, end)
        marked = {bucket - bucket % length for bucket in marked}  # of the level below
        marked |= _marked(db, bounds)
        found.append(sorted(marked | _left_out(db, bounds, dimension)))
    return found


def _marked(db: sqlite3.Connection, bounds: Span) -> set[int]:
    found = db.execute(
        "select bucket from rollup_dirty where level = ? and bucket >= ?"
        " and bucket < ?",
        bounds,
    )
    return {bucket for (bucket,) in found}


def _left_out(db: sqlite3.Connection, bounds: Span, dimension: str) -> set[int]:
    if not dimension:
        return set()
    found = db.execute(
        "select bucket, dimensions from rollup_left_out where level = ?"
        " and bucket >= ? and bucket < ?",
        bounds,
    )
    return {bucket for bucket, names in found if dimension in names.split(",")}
