"""Tell in which minutes sessions were active."""

import sqlite3
from typing import NamedTuple

import numpy as np

from app.sessionql.plan import Window
from app.store.columns.chunks import Array, Numbers, narrowest
from app.store.columns.comparing import Mask, both
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.tables import HOUR

_MINUTE = 60_000  # ms
_TABLE = 1 << 16  # minutes of a part whose buckets are looked up
_MOST = 48  # hours before the window that are looked at one by one


def first_active(db: sqlite3.Connection, window: Window) -> int:
    """Return since when sessions began of which some were active in *window*, ms.

    Long ones began before it.

    Raises:
        NotInColumns: much is to be read to know it; or the step is no minutes.
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
    return first


def last_active(db: sqlite3.Connection, start: int) -> int:
    """Return until when sessions were active, at most, that began before *start*, ms.

    Raises:
        NotInColumns: much is to be read to know it.
    """
    (last,) = db.execute(
        "select coalesce(max(last), 0) from row_groups where bucket < ?", (start,)
    ).fetchone()
    dirty = db.execute(
        "select hour from columns_dirty where hour < ? order by hour limit ?",
        (start, _MOST),
    ).fetchall()
    if len(dirty) == _MOST:
        raise NotInColumns("much is to be read")
    for (hour,) in dirty:
        (end,) = db.execute(
            "select coalesce(max(end), 0) from sessions where start >= ? and start < ?",
            (hour, min(hour + HOUR, start)),
        ).fetchone()
        last = max(last, end)
    return int(last) + 1


class Moments(NamedTuple):
    """When sessions of a part were active: each once in a bucket.

    Attributes:
        places: of the sessions, one each.
        buckets: one each, from 0.
        first: which bucket since 1970 is 0; 0 when there is but one.
    """

    places: Array
    buckets: Array
    first: int


def moments(part: Part, window: Window, mask: Mask) -> Moments:
    """Return in which buckets sessions were active.

    Args:
        part: of sessions.
        window: its buckets.
        mask: which sessions.
    """
    minutes, held = part.numbers("minute", "activity"), part.numbers("row", "activity")
    chosen = _chosen(part, window, mask, minutes)
    at, rows = minutes.distances, held.distances
    if chosen is not True:
        some = np.flatnonzero(chosen)
        at, rows = at[some], rows[some]
    buckets, first = _buckets(at, minutes.offset, window.step // _MINUTE)
    changed = np.ones(len(rows), bool)
    np.not_equal(rows[1:], rows[:-1], out=changed[1:])
    if window.step:
        changed[1:] |= buckets[1:] != buckets[:-1]
    kept = np.flatnonzero(changed)
    places = rows.take(kept).astype(np.int64)
    places += held.offset - (part.rows.start or 0)
    return Moments(places, buckets.take(kept), first)


def _buckets(at: Array, offset: int, step: int) -> tuple[Array, int]:
    """Return the bucket of each minute, and which bucket is 0.

    Args:
        at: minutes since *offset*, none negative.
        offset: minutes since 1970.
        step: minutes; 0 = there is one bucket.
    """
    if not step:
        return np.broadcast_to(np.uint8(0), len(at)), 0
    most, first = int(at.max(initial=0)), offset // step
    if most >= _TABLE:
        return (at.astype(np.int64) + offset) // step - first, first
    table = (np.arange(most + 1) + offset) // step - first
    return table.astype(narrowest(int(table[-1]))).take(at), first


def _chosen(part: Part, window: Window, mask: Mask, minutes: Numbers) -> Mask:
    """Return which minutes of activity count."""
    chosen: Mask = True
    if mask is not True:
        chosen = np.asarray(mask)[part.places("activity")]
    if part.range[0] < window.start:  # it may be over before the window begins
        first = window.start // _MINUTE - minutes.offset
        began = minutes.distances >= first
        same = np.flatnonzero(minutes.distances == first)  # as the window begins
        owners = part.numbers("row", "activity").cut(same)
        rows = owners.values - (part.rows.start or 0)
        start, length = (part.numbers(name).cut(rows) for name in ("start", "duration"))
        began[same] = start.values + length.values >= window.start
        chosen = both(chosen, began)
    last = (window.end - 1) // _MINUTE - minutes.offset
    if len(minutes) and int(minutes.distances.max()) > last:
        chosen = both(chosen, minutes.distances <= last)
    return chosen
