"""Tell in which minutes sessions were active."""

import sqlite3

import numpy as np

from app.sessionql.plan import Window
from app.store.columns.chunks import Array
from app.store.columns.masks import Mask
from app.store.columns.parts import NotInColumns, Part, find_parts
from app.store.columns.tables import HOUR

_MINUTE = 60_000  # ms
_MOST = 48  # hours before the window that are looked at one by one


def activity_parts(db: sqlite3.Connection, window: Window, most: int) -> list[Part]:
    """Return the parts with all sessions that were active in *window*.

    Those of long sessions begin before it.

    Raises:
        NotInColumns: as of ``find_parts``; or the step is no minutes.
    """
    if window.step % _MINUTE:
        raise NotInColumns("no minutes")
    known = db.execute(
        "select min(bucket) from row_groups where bucket < ? and last >= ?",
        (window.start, window.start),
    ).fetchone()[0]
    first = window.start if known is None else min(known, window.start)
    dirty = db.execute(
        "select hour from columns_dirty where hour < ? order by hour limit ?",
        (first, _MOST),
    ).fetchall()
    if len(dirty) == _MOST:
        raise NotInColumns("much is to be read")
    for (hour,) in dirty:
        reaches = db.execute(
            "select 1 from sessions where start >= ? and start < ? and end >= ? limit 1",
            (hour, hour + HOUR, window.start),
        ).fetchone()
        if reaches:
            first = hour
            break
    return find_parts(db, first, window.end, most)


def moments(part: Part, window: Window, mask: Mask) -> tuple[Array, Array]:
    """Return places of sessions and times: one for each bucket they were active in.

    Args:
        part: of sessions.
        window: its buckets.
        mask: which sessions.
    """
    minutes, places = part.numbers("minute", "activity").values, part.places("activity")
    first, last = window.start // _MINUTE, (window.end - 1) // _MINUTE
    chosen: Mask = mask if mask is True else np.asarray(mask)[places]
    if part.range[0] < window.start:  # it may be over before the window begins
        end = part.numbers("start").values + part.numbers("duration").values
        chosen = chosen & (end >= window.start)[places]
        chosen = chosen & (minutes >= first)
    if len(minutes) and minutes.max() > last:
        chosen = chosen & (minutes <= last)
    if chosen is not True:
        minutes, places = minutes[chosen], places[chosen]
    step = window.step // _MINUTE
    changed = np.ones(len(places), bool)
    changed[1:] = places[1:] != places[:-1]
    if step:
        buckets = minutes // step
        changed[1:] |= buckets[1:] != buckets[:-1]
    return places[changed], minutes[changed] * _MINUTE
