"""Recompute what is dirty: hours from their sessions, days from their hours."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from app.store.rollups.shapes import (
    Histogram,
    add_histograms,
    bucket_of,
    pack_histograms,
    pack_users,
    unite_users,
)
from app.store.rollups.tables import (
    DAY,
    DIMENSIONS,
    HOUR,
    MEASURES,
    SETS,
    SUMS,
    VITALS,
)

SETTLED = (
    120_000  # ms after its end, an hour is worth computing; before, it still grows
)
MAX_VALUES = 2_000  # of one dimension in one hour; of more, that dimension is left out

Place = tuple[int, int, int, int, int]  # dimension, source, app, environment, value
_PAGE = DIMENSIONS.index("page")
_OF_SESSION = tuple(
    (number, name) for number, name in enumerate(DIMENSIONS) if name not in {"", "page"}
)
_KEYS = ("dimension", "source", "app", "environment", "value")


Sessions = dict[int, "Counted"]  # row id → what is counted of it


class Counted(NamedTuple):
    """One session on its way into cells."""

    base: tuple[int, int, int]  # source, app, environment
    places: list[Place]
    sums: tuple[int, ...]
    user: int | None


class Cells:
    """The cells of one hour or day while they are computed."""

    def __init__(self) -> None:
        self.sums: dict[Place, list[int]] = {}
        self.users: defaultdict[Place, set[int]] = defaultdict(set)
        self.durations: defaultdict[Place, Histogram] = defaultdict(Counter)
        self.vitals: defaultdict[Place, list[Histogram]] = defaultdict(_vitals)

    def add_session(self, places: list[Place], session: Counted) -> None:
        """Count one session in *places*."""
        sums, user = session.sums, session.user
        duration = bucket_of(sums[_DURATION])
        for place in places:
            held = self.sums.get(place)
            if held is None:
                self.sums[place] = list(sums)
            else:
                for index, value in enumerate(sums):
                    if value:
                        held[index] += value
            if place[0] in _BY["duration"]:
                self.durations[place][duration] += 1
            if user is not None and place[0] in _BY["user"]:
                self.users[place].add(user)

    def sets(self) -> Iterator[tuple[Place, int, bytes]]:
        """Yield (place, number of the measure, bytes) of all sets and histograms."""
        for place, users in self.users.items():
            yield place, _USER, pack_users(users)
        for place, histogram in self.durations.items():
            yield place, _DURATION_SET, pack_histograms([histogram])
        for place, histograms in self.vitals.items():
            yield place, _VITALS, pack_histograms(histograms)

    def bound(self) -> set[int]:
        """Drop the dimensions with too many values; return them."""
        values = Counter(place[0] for place in self.sums)
        dropped = {each for each, count in values.items() if count > MAX_VALUES}
        for cells in (self.sums, self.users, self.durations, self.vitals):
            for place in [each for each in cells if each[0] in dropped]:
                del cells[place]
        return dropped


def _vitals() -> list[Histogram]:
    return [Counter() for _ in VITALS]


_BY = {
    measure: frozenset(DIMENSIONS.index(name) for name in names)
    for measure, names in SETS.items()
}
_USER, _DURATION_SET, _VITALS = (MEASURES.index(each) for each in SETS)
_DURATION = SUMS.index("duration")


def build_hour(db: sqlite3.Connection, hour: int, bounced: str) -> None:
    """Compute the cells of the sessions that began in the hour *hour* (ms).

    Args:
        db: in a transaction.
        hour: its begin.
        bounced: SQL of the definition of bounce.
    """
    cells = Cells()
    places = _add_sessions(db, cells, hour, bounced)
    _add_views(db, cells, hour, places)
    left_out = cells.bound()
    _replace(db, 0, hour, cells, left_out)


def _add_sessions(
    db: sqlite3.Connection, cells: Cells, hour: int, bounced: str
) -> Sessions:
    names = ", ".join(f"s.{name}" for _, name in _OF_SESSION)
    found = db.execute(
        "select s.id, s.source, coalesce(s.app, 0), coalesce(s.environment, 0), s.user,"
        " s.views, s.actions, s.errors, s.log_errors, s.failed_requests, s.resources,"
        f" s.events, s.end - s.start, s.status, {bounced}, {names}"
        " from sessions as s where s.start >= ? and s.start < ?",
        (hour, hour + HOUR),
    )
    sessions: Sessions = {}
    for row_id, source, app, environment, user, *rest in found:
        figures, (status, is_bounce), values = rest[:8], rest[8:10], rest[10:]
        known = is_bounce is not None
        sums = (
            1, *figures, int(figures[2] > 0), int(known and bool(is_bounce)), int(known),
            *(int(status == each) for each in range(4)),
        )  # fmt: skip
        base = (source, app, environment)
        places: list[Place] = [(0, *base, 0)]
        for (number, _), value in zip(_OF_SESSION, values, strict=True):
            places.append((number, *base, value or 0))
        session = sessions[row_id] = Counted(base, places, sums, user)
        cells.add_session(places, session)
    return sessions


def _add_views(
    db: sqlite3.Connection, cells: Cells, hour: int, sessions: Sessions
) -> None:
    """Count views by page, and their web vitals."""
    found = db.execute(
        f"select v.session, coalesce(v.page, 0), {', '.join(VITALS)}"
        " from sessions as s join views as v on v.session = s.id"
        " where s.start >= ? and s.start < ?",
        (hour, hour + HOUR),
    )
    seen: set[tuple[int, int]] = set()
    for row_id, page, *vitals in found:
        session = sessions[row_id]
        place: Place = (_PAGE, *session.base, page)
        if (row_id, page) not in seen:
            seen.add((row_id, page))
            sums = list(session.sums)
            sums[_VIEWS] = 0
            cells.add_session([place], session._replace(sums=tuple(sums)))
        cells.sums[place][_VIEWS] += 1
        buckets = [None if each is None else bucket_of(each) for each in vitals]
        for each in (*session.places, place):
            if each[0] in _BY["vitals"]:
                for histogram, bucket in zip(cells.vitals[each], buckets, strict=True):
                    if bucket is not None:
                        histogram[bucket] += 1


_VIEWS = SUMS.index("views")


def _replace(
    db: sqlite3.Connection, level: int, bucket: int, cells: Cells, left_out: set[int]
) -> None:
    """Write the cells of a bucket in place of those that are held."""
    for number in range(len(DIMENSIONS)):
        db.execute(
            "delete from rollups where level = ? and dimension = ? and bucket = ?",
            (level, number, bucket),
        )
        for measure in range(len(MEASURES)):
            db.execute(
                "delete from rollup_sets where level = ? and dimension = ?"
                " and measure = ? and bucket = ?",
                (level, number, measure, bucket),
            )
    db.executemany(
        f"insert into rollups values (?,?,?,?,?,?,?{',?' * len(SUMS)})",
        ((level, k[0], bucket, *k[1:], *sums) for k, sums in cells.sums.items()),
    )
    db.executemany(
        "insert into rollup_sets values (?,?,?,?,?,?,?,?,?)",
        (
            (level, place[0], measure, bucket, *place[1:], data)
            for place, measure, data in cells.sets()
        ),
    )
    db.execute(
        "delete from rollup_left_out where level = ? and bucket = ?", (level, bucket)
    )
    if left_out:
        text = ",".join(DIMENSIONS[each] for each in sorted(left_out))
        db.execute(
            "insert into rollup_left_out values (?, ?, ?)", (level, bucket, text)
        )


def build_day(db: sqlite3.Connection, day: int) -> None:
    """Compute the cells of a day from those of its hours; all must be clean."""
    cells = Cells()
    totals = ", ".join(f"sum({name})" for name in SUMS)
    keys = ", ".join(_KEYS)
    for row in db.execute(
        f"select {keys}, {totals} from rollups"
        f" where level = 0 and dimension in ({_NUMBERS}) and bucket >= ? and bucket < ?"
        f" group by {keys}",
        (day, day + DAY),
    ):
        cells.sums[row[:5]] = list(row[5:])
    packed: defaultdict[tuple[Place, int], list[bytes]] = defaultdict(list)
    for *key, measure, data in db.execute(
        f"select {keys}, measure, data from rollup_sets"
        f" where level = 0 and dimension in ({_NUMBERS})"
        f" and measure in ({_MEASURES}) and bucket >= ? and bucket < ?",
        (day, day + DAY),
    ):
        packed[(key[0], key[1], key[2], key[3], key[4]), measure].append(data)
    for (place, measure), each in packed.items():
        if measure == _USER:
            cells.users[place] = set(unite_users(each))
        elif measure == _DURATION_SET:
            cells.durations[place] = add_histograms(each)[0]
        else:
            cells.vitals[place] = add_histograms(each)
    left_out = cells.bound() | _left_out(db, day)
    _replace(db, 1, day, cells, left_out)


_NUMBERS = ", ".join(str(each) for each in range(len(DIMENSIONS)))
_MEASURES = ", ".join(str(each) for each in range(len(MEASURES)))


def _left_out(db: sqlite3.Connection, day: int) -> set[int]:
    found = db.execute(
        "select dimensions from rollup_left_out"
        " where level = 0 and bucket >= ? and bucket < ?",
        (day, day + DAY),
    )
    return {DIMENSIONS.index(name) for (text,) in found for name in text.split(",")}


def agree(db: sqlite3.Connection, bounce: str) -> None:
    """Mark everything when the definition of bounce is not the one that was used."""
    held = db.execute("select bounce from rollup_meta").fetchone()
    if held and held[0] == bounce:
        return
    db.execute("delete from rollup_meta")
    db.execute("insert into rollup_meta values (?)", (bounce,))
    if held:
        db.execute(
            "insert or ignore into rollup_dirty"
            " select distinct level, bucket from rollups where dimension = 0"
        )


def next_dirty(db: sqlite3.Connection, now: int) -> tuple[int, int] | None:
    """Return (level, bucket) of what to recompute next, newest first; None = nothing.

    Hours come before days, and a day only when its hours are clean and it is over.
    """
    hour = db.execute(
        "select max(bucket) from rollup_dirty where level = 0 and bucket <= ?",
        (now - HOUR - SETTLED,),
    ).fetchone()[0]
    if hour is not None:
        return 0, hour
    day = db.execute(
        "select max(d.bucket) from rollup_dirty as d where d.level = 1"
        " and d.bucket <= ? and not exists (select 1 from rollup_dirty as h"
        " where h.level = 0 and h.bucket >= d.bucket and h.bucket < d.bucket + ?)",
        (now - DAY - SETTLED, DAY),
    ).fetchone()[0]
    return None if day is None else (1, day)


def build(db: sqlite3.Connection, level: int, bucket: int, bounced: str) -> None:
    """Recompute one hour or day and take the mark away; *db* is in a transaction."""
    if level:
        build_day(db, bucket)
    else:
        build_hour(db, bucket, bounced)
    db.execute(
        "delete from rollup_dirty where level = ? and bucket = ?", (level, bucket)
    )
