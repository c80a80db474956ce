"""Count the views of one part by page: how many, of whom, where sessions began, how long."""

from typing import NamedTuple

import numpy as np

from app.sessions.fold import MAX_LISTED
from app.store.columns.chunks import Array, Numbers
from app.store.columns.comparing import Mask
from app.store.columns.events import first_of_each, first_runs, runs_of
from app.store.columns.measures import has_bounced
from app.store.columns.parts import Part
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct

FIGURES = (
    "views", "sessions", "entries", "exits", "bounces", "dwell", "dwelled", "lcp",
    "painted",
)  # fmt: skip


class Share(NamedTuple):
    """What one part gives: figures a row, pages a column; and who was on which page."""

    ids: Array  # of pages, ascending; 0 = it is not said
    figures: Array
    people: Array  # the users
    pages: Array  # of each pair, the place in ids, ascending
    users: Array  # and in people


def count_places(
    part: Part,
    sessions: Mask,
    events: Mask = True,  # noqa: FBT002 - a mask
    *,
    bounce: str,
) -> Share:
    """Count what happened on each page.

    Args:
        part: in which.
        sessions: which are meant.
        events: which views are.
        bounce: which definition.
    """
    labels = part.labels("page", "views")
    count = len(labels.ids)
    chosen, rows = _chosen(part, sessions, events)
    codes = labels.codes[chosen].astype(np.intp)
    is_first = first_of_each(labels.codes[chosen], rows)
    ends = _ends(part, sessions, events, bounce)
    figures = np.array([
        np.bincount(codes, minlength=count),
        np.bincount(codes.take(np.flatnonzero(is_first)), minlength=count),
        *(np.bincount(labels.codes.take(each), minlength=count) for each in ends),
        *_summed(codes, count, part.some("dwell", "views", chosen)),
        *_summed(codes, count, part.some("lcp", "views", chosen)),
    ])  # fmt: skip
    used = np.flatnonzero(figures[0])
    who = part.labels("user")
    users = who.codes.take(rows)
    seen = np.flatnonzero(is_first & (who.ids != 0).take(users))
    place = np.zeros(count, np.int64)
    place[used] = np.arange(len(used))
    pairs = place.take(codes.take(seen)) * len(who.ids) + users.take(seen)
    at, user = np.divmod(distinct(_narrowed(pairs)), max(len(who.ids), 1))
    return Share(labels.ids[used], figures[:, used], who.ids, narrow(at), narrow(user))


def _chosen(part: Part, sessions: Mask, events: Mask) -> tuple[Array | slice, Array]:
    """Return which views are meant, and the session of each."""
    if events is False:
        sessions = False
    runs = runs_of(part, "views", sessions)
    if isinstance(events, bool):
        return runs.chosen, runs.rows
    meant = np.flatnonzero(events[runs.chosen])
    chosen = meant if isinstance(runs.chosen, slice) else runs.chosen.take(meant)
    return chosen, runs.rows.take(meant)


def _ends(
    part: Part, sessions: Mask, events: Mask, bounce: str
) -> tuple[Array, Array, Array]:
    """Return the views that begin a session, end one, or bounced."""
    if events is False:
        sessions = False
    owners, firsts, sizes = first_runs(part, "views", sessions)
    firsts = firsts.astype(np.int64)
    views = part.numbers("views").values.take(owners)
    last = np.minimum(views, MAX_LISTED) - 1  # those after it are not listed
    there = (last >= 0) & (last < sizes)
    bounced = has_bounced(part, bounce)
    went = (bounced.values == 1).take(owners)
    if bounced.known is not None:
        went &= bounced.known.take(owners)
    found = firsts, (firsts + last)[there], firsts[went]
    if isinstance(events, bool):
        return found
    first, ended, left = (each[events.take(each)] for each in found)
    return first, ended, left


def _summed(codes: Array, count: int, column: Numbers) -> tuple[Array, Array]:
    """Return the sum of a column by code, and of how many views it is known."""
    known = column.known
    if column.scale == 0:
        values = column.values
        if known is not None:
            codes, values = codes[known], values[known]
        return np.bincount(codes, values, count), np.bincount(codes, minlength=count)
    some = codes if known is None else codes[known]
    spells = np.bincount(some, minlength=count)
    distances = column.distances.astype(np.float64)  # of NULL it is 0
    sums = np.bincount(codes, distances, count)
    return (sums + spells * float(column.offset)) / column.scale, spells


def _narrowed(pairs: Array) -> Array:
    """Return whole numbers as they are sorted quickest."""
    return pairs.astype(np.uint32) if pairs.max(initial=0) < _HALF else pairs


_HALF = 1 << 32
