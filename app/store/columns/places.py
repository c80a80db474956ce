"""Totals of pages by column: views, sessions, users, entries, exits, how long."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.keeping import kept_places
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct
from app.store.columns.views import FIGURES, Share, count_places
from app.store.columns.weighing import weighed

MAX_FLAGS = 1 << 22  # of page and user, that are set at a time
MAX_PAIRS = 1 << 20  # of page and user, that are sorted at a time
SPARSE = 32  # flags a pair over which sorting is quicker


class Places(NamedTuple):
    """What is counted of each page; one array each, by ``ids``."""

    ids: Array
    users: Array
    views: Array
    sessions: Array
    entries: Array
    exits: Array
    bounces: Array
    dwell: Array
    dwelled: Array
    lcp: Array
    painted: Array


def places_in_columns(question: Question) -> Places:
    """Count what happened on each page.

    Args:
        question: about views.

    Raises:
        NotInColumns: it is not for columns.
    """
    shares = [
        weighed(each.share(part, "places", _Counting(each)), each.weight, "figures")
        for each, part in question.by_stratum()
    ]
    ids = distinct(np.concatenate([_NONE, *(share.ids for share in shares)]))
    figures = np.zeros((len(FIGURES), len(ids)))
    for share in shares:
        figures[:, np.searchsorted(ids, share.ids)] += share.figures
    return Places(ids, _users(ids, shares), *figures)


class _Pairs(NamedTuple):
    """Who was on which page, of one part: places in all pages, and users' numbers."""

    held: Array  # of each page of the part, ascending
    number: Array  # of each user of the part
    share: Share

    def between(self, low: int, high: int) -> tuple[Array, Array]:
        """Return the pairs of the pages from *low* to before *high*."""
        # pairs are in the order of pages, and these of their numbers
        edges = np.searchsorted(self.held, (low, high))
        run = slice(*np.searchsorted(self.share.pages, edges))
        pages = self.held.take(self.share.pages[run])
        return pages, self.number.take(self.share.users[run])


def _users(ids: Array, shares: list[Share]) -> Array:
    """Return how many users saw each page."""
    count, place = _numbered([share.people for share in shares])
    parts = [
        _Pairs(np.searchsorted(ids, share.ids), place(share.people), share)
        for share in shares
    ]
    pairs = sum(len(share.pages) for share in shares)
    count_some = _flagged if len(ids) * count <= SPARSE * pairs else _sorted
    return count_some(len(ids), max(count, 1), parts)


def _flagged(size: int, count: int, parts: list[_Pairs]) -> Array:
    """Set a flag for each page and user; quick where many users saw most pages."""
    users = np.zeros(size, np.int64)
    most = max(MAX_FLAGS // count, 1)  # pages at a time
    for low in range(0, size, most):
        flags = np.zeros((min(most, size - low), count), bool)
        flat = flags.reshape(-1)
        for part in parts:
            pages, numbers = part.between(low, low + most)
            flat[(pages - low) * count + numbers] = True
        # a row at a time is ten times as quick as along an axis
        users[low : low + most] = [np.count_nonzero(row) for row in flags]
    return users


def _sorted(size: int, count: int, parts: list[_Pairs]) -> Array:
    """Sort pairs of page and user; quick where there are few for so many of both."""
    users = np.zeros(size, np.int64)
    some = [
        np.bincount(part.held.take(part.share.pages), minlength=size) for part in parts
    ]
    ends = np.cumsum(np.sum(some, axis=0))
    low = 0
    while low < size:
        done = int(ends[low - 1]) if low else 0
        high = max(int(np.searchsorted(ends, done + MAX_PAIRS, "right")), low + 1)
        found = [part.between(low, high) for part in parts]
        keys = distinct(np.concatenate([pages * count + who for pages, who in found]))
        users += np.bincount(keys // count, minlength=size)
        low = high
    return users


def _numbered(lists: list[Array]) -> tuple[int, Callable[[Array], Array]]:
    """Number what is in any of *lists*; return how many that is, and who tells which."""
    most = max((int(each.max(initial=0)) for each in lists), default=0)
    if most <= MAX_FLAGS:
        held = np.zeros(most + 1, bool)
        for each in lists:
            held[each] = True
        numbers = np.cumsum(held) - 1
        return int(numbers[-1]) + 1, lambda ids: numbers[ids]
    every = distinct(np.concatenate(lists))
    return len(every), lambda ids: np.searchsorted(every, ids)


class _Counting:
    """Counts the views of one part."""

    def __init__(self, question: Question) -> None:
        self._question = question

    def __call__(self, part: Part) -> Share:
        """Return what the part gives: as it is kept, or else counted."""
        question = self._question
        found = kept_places(question, part)
        if found is None:
            sessions, events = question.sessions(part), question.events(part)
            found = count_places(part, sessions, events, bounce=question.bounce)
        used = found.ids != 0
        if used.all():
            return found
        place = np.cumsum(used) - 1
        seen = np.flatnonzero(used.take(found.pages))
        pages = place.take(found.pages.take(seen))
        return Share(
            found.ids[used], found.figures[:, used], found.people,
            narrow(pages), found.users.take(seen),
        )  # fmt: skip


_NONE = np.zeros(0, np.int64)
