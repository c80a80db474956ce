"""Cut a range of time into what rollups know and what must be scanned."""

import sqlite3
from dataclasses import dataclass

from app.sessionql.plan import Window
from app.store.rollups.tables import DAY, HOUR

MAX_RANGES = 60  # of clean time; more holes than that are not worth it
Range = tuple[int, int]  # [start, end), ms


@dataclass(frozen=True, slots=True)
class Pieces:
    """A window, cut up; together the pieces are all of it.

    Attributes:
        days, hours: ranges of clean days and hours.
        scans: ranges of the rest.
    """

    days: list[Range]
    hours: list[Range]
    scans: list[Range]

    @property
    def scanned(self) -> int:
        """Return how much time is scanned, ms."""
        return sum(end - start for start, end in self.scans)


def cut(
    db: sqlite3.Connection, window: Window, dimension: str, bounce: str
) -> Pieces | None:
    """Cut *window* up; None when its buckets are no whole hours, or it is all scans."""
    if window.step % HOUR:
        return None
    held = db.execute("select bounce from rollup_meta").fetchone()
    if held is None or held[0] != bounce:  # of another definition
        return None
    first, last = -(-window.start // HOUR) * HOUR, window.end // HOUR * HOUR
    if last <= first:
        return None
    dirty = _dirty(db, first, last, dimension)
    whole_days = not window.step or window.step % DAY == 0
    dirty_days = _dirty_days(db, first, last, dimension) if whole_days else set()
    days: list[Range] = []
    hours: list[Range] = []
    scans: list[Range] = []
    if window.start < first:
        _join(scans, window.start, first)
    at = first
    while at < last:
        day_ends = at + DAY
        if whole_days and at % DAY == 0 and day_ends <= last and at not in dirty_days:
            _join(days, at, day_ends)
            at = day_ends
            continue
        _join(scans if at in dirty else hours, at, at + HOUR)
        at += HOUR
    if last < window.end:
        _join(scans, last, window.end)
    pieces = Pieces(days, hours, scans)
    if len(days) + len(hours) + len(scans) > MAX_RANGES:
        return None
    return pieces if days or hours else None


def _join(ranges: list[Range], start: int, end: int) -> None:
    if ranges and ranges[-1][1] == start:
        ranges[-1] = (ranges[-1][0], end)
    else:
        ranges.append((start, end))


def _dirty(db: sqlite3.Connection, first: int, last: int, dimension: str) -> set[int]:
    """Return the hours that are not known, or not by *dimension*."""
    return _marked(db, 0, first, last) | _left_out(db, 0, first, last, dimension)


def _dirty_days(
    db: sqlite3.Connection, first: int, last: int, dimension: str
) -> set[int]:
    dirty = {hour - hour % DAY for hour in _marked(db, 0, first, last)}
    dirty |= _marked(db, 1, first - first % DAY, last)
    return dirty | _left_out(db, 1, first - first % DAY, last, dimension)


def _marked(db: sqlite3.Connection, level: int, first: int, last: int) -> set[int]:
    found = db.execute(
        "select bucket from rollup_dirty where level = ? and bucket >= ?"
        " and bucket < ?",
        (level, first, last),
    )
    return {bucket for (bucket,) in found}


def _left_out(
    db: sqlite3.Connection, level: int, first: int, last: int, dimension: str
) -> set[int]:
    if not dimension:
        return set()
    found = db.execute(
        "select bucket, dimensions from rollup_left_out where level = ?"
        " and bucket >= ? and bucket < ?",
        (level, first, last),
    )
    return {bucket for bucket, names in found if dimension in names.split(",")}
