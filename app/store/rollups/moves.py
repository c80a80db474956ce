"""The hours in which sessions were active, as counts that may be added up.

A session makes *moves*: hours in which it was active, each with the hours since it was
active last. In a bucket of any whole hours it counts once: where it was active last in a
bucket before.
"""

import numpy as np

from app.store.rollups.shapes import Entries, Ints

GAPS = 254  # hours since it was active last; as many stand for more
_WIDTH = 1 << 8  # of their numbers: 1 is none, so that no move is 0


def moves_of(owners: Ints, sessions: Ints, hours: Ints) -> Entries:
    """Return the moves of sessions; owners are their cells.

    Args:
        owners: the cell of each session.
        sessions: places of sessions, an element for each time one was active; several of
            the same hour count once.
        hours: when that was, since the hour in which they began.
    """
    width = int(hours.max(initial=0)) + 1
    active = np.unique(sessions * width + hours)
    whose, at = active // width, active % width
    gaps = np.zeros(len(at), np.int64)
    is_same = whose[1:] == whose[:-1]
    gaps[1:][is_same] = np.diff(at)[is_same].clip(max=GAPS)
    return Entries(owners[whose], at * _WIDTH + gaps + 1, np.ones(len(at), np.int64))


def moved(entries: Entries, hours: Ints) -> Entries:
    """Return moves with hours since something earlier: so many before, by owner."""
    return entries._replace(buckets=entries.buckets + hours[entries.owners] * _WIDTH)


def read_moves(moves: Entries) -> tuple[Ints, Ints]:
    """Return the hours of moves, as they were given; and those since the last, or 0."""
    codes = moves.buckets.astype(np.int64)
    return codes // _WIDTH, codes % _WIDTH - 1
