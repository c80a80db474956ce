"""Totals of pages by column: views, sessions, users, entries, exits, how long."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from app.sessions.fold import MAX_LISTED
from app.store.columns.chunks import Array, Numbers
from app.store.columns.events import (
    begins_of,
    events_of,
    first_of_each,
    places_of,
    sizes_of,
)
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct
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


class _Share(NamedTuple):
    """What one part gives: figures a row, pages a column; and who was on which page."""

    ids: Array
    figures: Array
    people: Array  # the users
    pages: Array  # of each pair, the place in ids
    users: Array  # and in people


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
    figures = np.zeros((_FIGURES, len(ids)))
    for share in shares:
        figures[:, np.searchsorted(ids, share.ids)] += share.figures
    return Places(ids, _users(ids, shares), *figures)


class _Pairs(NamedTuple):
    """Who was on which page, of one part: places in all pages, and users' numbers."""

    held: Array  # of each page of the part, ascending
    number: Array  # of each user of the part
    share: _Share

    def between(self, low: int, high: int) -> tuple[Array, Array]:
        """Return the pairs of the pages from *low* to before *high*."""
        # pairs are in the order of pages, and these of their numbers
        edges = np.searchsorted(self.held, (low, high))
        run = slice(*np.searchsorted(self.share.pages, edges))
        pages = self.held.take(self.share.pages[run])
        return pages, self.number.take(self.share.users[run])


def _users(ids: Array, shares: list[_Share]) -> Array:
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

    def __call__(self, part: Part) -> _Share:
        """Return what the part gives."""
        question = self._question
        rows, chosen = events_of(
            part, "views", question.sessions(part), question.events(part)
        )
        labels = part.labels("page", "views")
        codes = labels.codes[chosen].astype(np.intp)
        count = len(labels.ids)
        is_first = first_of_each(codes, rows)
        first, last, bounced = self._ends(part, chosen)
        figures = np.array([
            _counted(codes, count), _counted(codes, count, is_first),
            _counted(codes[first], count), _counted(codes[last], count),
            _counted(codes[bounced], count),
            *_summed(codes, count, part.numbers("dwell", "views"), chosen),
            *_summed(codes, count, part.numbers("lcp", "views"), chosen),
        ])  # fmt: skip
        who = part.labels("user")
        users = who.codes.take(rows)
        seen = np.flatnonzero(
            is_first & (labels.ids != 0).take(codes) & (who.ids != 0).take(users)
        )
        used = np.flatnonzero((figures[0] > 0) & (labels.ids != 0))
        place = np.zeros(count, np.int64)
        place[used] = np.arange(len(used))
        pairs = place.take(codes[seen]) * len(who.ids) + users[seen]
        at, user = np.divmod(distinct(_narrowed(pairs)), max(len(who.ids), 1))
        return _Share(
            labels.ids[used], figures[:, used], who.ids, narrow(at), narrow(user)
        )

    def _ends(self, part: Part, chosen: Array | slice) -> tuple[Array, Array, Array]:
        """Return which of some views begin a session, end one, or bounced."""
        rows = places_of(part, "views")
        begins = begins_of(rows)
        sizes = sizes_of(begins, len(rows))
        owners = rows[begins]
        views = part.numbers("views").values.take(owners)
        last = np.minimum(views, MAX_LISTED) - 1  # those after it are not listed
        bounced = self._question.measures.of(part, "bounced")
        went = (bounced.values == 1).take(owners)
        if bounced.known is not None:
            went &= bounced.known.take(owners)
        marks = np.zeros((3, len(rows)), bool)
        marks[0, begins] = True
        there = (last >= 0) & (last < sizes)
        marks[1, (begins + last)[there]] = True
        marks[2, begins[went]] = True
        first, ended, left = (np.flatnonzero(each[chosen]) for each in marks)
        return first, ended, left


def _counted(codes: Array, count: int, some: Array | None = None) -> Array:
    if some is not None:
        codes = codes.take(np.flatnonzero(some))
    return np.bincount(codes, minlength=count)


def _summed(
    codes: Array, count: int, column: Numbers, chosen: Array | slice
) -> tuple[Array, Array]:
    """Return the sum of a column by code, and of how many views it is known."""
    column = column.cut(chosen)
    known = column.known
    if column.scale == 0:
        values = column.values
        if known is not None:
            codes, values = codes[known], values[known]
        return np.bincount(codes, values, count), _counted(codes, count)
    spells = _counted(codes, count, known)
    sums = np.bincount(codes, column.distances, count)  # of NULL it is 0
    return (sums + spells * float(column.offset)) / column.scale, spells


def _narrowed(pairs: Array) -> Array:
    """Return whole numbers as they are sorted quickest."""
    return pairs.astype(np.uint32) if pairs.max(initial=0) < _HALF else pairs


_HALF = 1 << 32
_NONE = np.zeros(0, np.int64)
_FIGURES = 9
