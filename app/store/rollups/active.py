"""Tell how many sessions were active, from cells of the hours in which they began."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Compare, both
from app.sessionql.plan import Leaf, Window
from app.store.columns.activity import first_active, last_active
from app.store.columns.parts import NotInColumns
from app.store.rollups.chosen import Chosen
from app.store.rollups.cover import Cover
from app.store.rollups.edges import Place
from app.store.rollups.moves import GAPS, read_moves
from app.store.rollups.packed import group
from app.store.rollups.pieces import Pieces, cut
from app.store.rollups.tables import HOUR
from app.store.sql import Statement

_MOST_ASKED = 0.4  # of the window, of the sessions themselves

Ask = Callable[[Leaf, Window], list[Cell]]


def answer_active(
    db: sqlite3.Connection,
    leaf: Leaf,
    window: Window,
    found: Cover,
    new_statement: Callable[[], Statement],
    ask: Ask,
) -> tuple[list[Cell], Pieces] | None:
    """Return how many sessions were active in each bucket; None: it is not for rollups.

    Buckets that are no whole ones of the window, and those in which sessions were active
    whose hours are not known, are asked of the sessions themselves.

    Args:
        db: the index.
        leaf: checked.
        window: with buckets.
        found: how rollups answer it.
        new_statement: makes an empty statement for the tenant.
        ask: answers a leaf over a window from the sessions themselves.
    """
    whole = _whole(window)
    if whole is None:
        return None
    try:
        began = first_active(db, whole)
    except NotInColumns:
        return None
    before = Window(began - began % HOUR, whole.end, 0, window.now)
    pieces = cut(db, before, found.dimension, new_statement().bounce)
    if pieces is None:
        return None
    asked = _asked(db, window, whole, pieces)
    length = window.end - window.start
    if sum(each.end - each.start for each in asked) > _MOST_ASKED * length:
        return None
    chosen = Chosen(db, leaf, found, pieces.spans, new_statement)
    cells: list[Cell] = [
        (*place, count)
        for place, count in _counts(chosen, whole)
        if count and not any(each.start <= place[1] < each.end for each in asked)
    ]
    for each in asked:
        cells += ask(leaf, each)
    scans = [(each.start, each.end) for each in asked]
    return cells, Pieces(pieces.spans, scans)


def _whole(window: Window) -> Window | None:
    """Return the whole buckets of *window*; None when there are none, or none of hours."""
    step = window.step
    if not step or step % HOUR or step >= GAPS * HOUR:
        return None
    start, end = -(-window.start // step) * step, window.end // step * step
    return replace(window, start=start, end=end) if start < end else None


def _counts(chosen: Chosen, window: Window) -> Iterator[tuple[Place, int]]:
    """Yield how many of the chosen cells' sessions were active in each bucket."""
    held, rows = chosen.held, chosen.rows
    owners = np.full(held.size, -1)
    owners[rows] = np.arange(len(rows))
    moves = held.entries("activity", owners)
    since, gaps = read_moves(moves)
    at = held.buckets[rows][moves.owners] // HOUR + since
    length = window.step // HOUR
    counted = (gaps == 0) | (at // length != (at - gaps) // length)
    counted &= (at >= window.start // HOUR) & (at < window.end // HOUR)
    buckets = at[counted] // length - window.start // window.step
    of = moves.owners[counted]
    groups = group([buckets, *(each[of] for each in chosen.labels())], len(of))
    counts = np.bincount(groups.codes, moves.counts[counted], len(groups.keys))
    places = chosen.named(groups.keys, window)
    return zip(places, counts.astype(np.int64).tolist(), strict=True)


def _asked(
    db: sqlite3.Connection, window: Window, whole: Window, pieces: Pieces
) -> list[Window]:
    """Return buckets of *window* that are asked of sessions, as windows, ascending."""
    step = window.step
    ranges = [(window.start, whole.start), (whole.end, window.end)]
    for start, end in pieces.scans:
        (last,) = db.execute(
            "select max(end) from sessions where start >= ? and start < ?", (start, end)
        ).fetchone()
        if last is not None and last >= whole.start:
            first = max(start - start % step, whole.start)
            ranges.append((first, min(last - last % step + step, window.end)))
    joined: list[Window] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1].end:
            longer = max(end, joined[-1].end)
            joined[-1] = replace(joined[-1], end=longer)
        elif start < end:
            joined.append(replace(window, start=start, end=end))
    return joined


def answer_active_whole(
    db: sqlite3.Connection, leaf: Leaf, window: Window, count: list[Cell], ask: Ask
) -> list[Cell] | None:
    """Return how many sessions were active in *window*, which has no buckets.

    Args:
        db: the index.
        leaf: checked.
        window: all of it.
        count: how many began in it.
        ask: answers a leaf over a window from the sessions themselves.
    """
    try:
        end = last_active(db, window.start)
    except NotInColumns:
        return None
    total = {labels: value or 0 for labels, _, value in count}
    earlier = both(leaf.selector, Compare("start", "<", (window.start,)))
    if end > window.start:
        then = replace(window, end=min(window.end, end))
        for labels, _, value in ask(replace(leaf, selector=earlier), then):
            total[labels] = total.get(labels, 0) + (value or 0)
    return [(labels, window.start, value) for labels, value in total.items() if value]
