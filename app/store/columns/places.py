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

MAX_FLAGS = 1 << 24  # of page and user, that are set; of more, pairs are sorted


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
    shares = [question.share(part, "places", _Counting(question)) for part in question]
    ids = np.unique(np.concatenate([_NONE, *(share.ids for share in shares)]))
    figures = np.zeros((_FIGURES, len(ids)))
    for share in shares:
        figures[:, np.searchsorted(ids, share.ids)] += share.figures
    whole = figures.astype(np.int64)
    columns = [whole[n] if n != _LCP else figures[n] for n in range(_FIGURES)]
    return Places(ids, _users(ids, shares), *columns)


def _users(ids: Array, shares: list[_Share]) -> Array:
    """Return how many users saw each page."""
    count, place = _numbered([share.people for share in shares])
    pairs = [
        (np.searchsorted(ids, share.ids) * count)[share.pages]
        + place(share.people)[share.users]
        for share in shares
    ]
    if len(ids) * count <= MAX_FLAGS:
        flags = np.zeros((len(ids), count), bool)
        flat = flags.reshape(-1)
        for each in pairs:
            flat[each] = True
        # a row at a time is ten times as quick as along an axis
        return np.array([np.count_nonzero(row) for row in flags], np.int64)
    distinct = np.unique(np.concatenate(pairs))
    return np.bincount(distinct // max(count, 1), minlength=len(ids))


def _numbered(lists: list[Array]) -> tuple[int, Callable[[Array], Array]]:
    """Number what is in any of *lists*; return how many that is, and who tells which."""
    most = max((int(each.max(initial=0)) for each in lists), default=0)
    if most <= MAX_FLAGS:
        held = np.zeros(most + 1, bool)
        for each in lists:
            held[each] = True
        numbers = np.cumsum(held) - 1
        return int(numbers[-1]) + 1, lambda ids: numbers[ids]
    every = np.unique(np.concatenate(lists))
    return len(every), lambda ids: np.searchsorted(every, ids)


class _Counting:
    """Counts the views of one part."""

    def __init__(self, question: Question) -> None:
        self._question = question

    def __call__(self, part: Part) -> _Share:
        """Return what the part gives."""
        sessions = self._question.sessions(part)
        rows, chosen = events_of(part, "views", sessions, self._question.events(part))
        labels = part.labels("page", "views")
        n = _numbers_of(part)[chosen]
        codes = labels.codes[chosen]
        named = np.flatnonzero((labels.ids != 0)[codes])
        if len(named) < len(codes):
            rows, codes, n = rows[named], codes[named], n[named]
            whole = np.arange(len(part.labels("page", "views")))[chosen]
            chosen = whole[named]
        present = np.bincount(codes, minlength=len(labels.ids)) > 0
        pages, ids = (np.cumsum(present) - 1)[codes], labels.ids[present]
        counts = _Counts(pages, len(ids))
        begins = begins_of(rows)
        is_first = first_of_each(pages, begins, sizes_of(begins, len(rows)))
        last = np.minimum(part.numbers("views").values, MAX_LISTED) - 1
        bounced = self._question.measures.of(part, "bounced")
        first = n == 0
        went = first & (bounced.values == 1)[rows]
        if bounced.known is not None:
            went &= bounced.known[rows]
        figures = [
            counts.of(slice(None)), counts.of(is_first), counts.of(first),
            counts.of(n == last[rows]), counts.of(went),
            *counts.sum(part.numbers("dwell", "views"), chosen),
            *counts.sum(part.numbers("lcp", "views"), chosen),
        ]  # fmt: skip
        who = part.labels("user")
        seen = np.flatnonzero(is_first & (who.ids != 0)[who.codes[rows]])
        pairs = pages[seen] * len(who.ids) + who.codes[rows[seen]]
        at, user = np.divmod(np.unique(pairs), max(len(who.ids), 1))
        return _Share(ids, np.array(figures), who.ids, narrow(at), narrow(user))


class _Counts:
    def __init__(self, pages: Array, count: int) -> None:
        self._pages, self._count = pages, count

    def of(self, rows: Array | slice) -> Array:
        """Count some of the views."""
        return np.bincount(self._pages[rows], minlength=self._count)

    def sum(self, column: Numbers, chosen: Array | slice) -> tuple[Array, Array]:
        """Return the sum of a column, and of how many views it is known."""
        pages = self._pages
        column = Numbers(
            column.distances[chosen], column.offset, column.has_null, column.scale
        )
        values, known = column.values, column.known
        if known is not None:
            pages, values = pages[known], values[known]
        return (
            np.bincount(pages, values, self._count),
            np.bincount(pages, minlength=self._count),
        )


def _numbers_of(part: Part) -> Array:
    """Return of each view which one of its session it is, from 0."""
    rows = places_of(part, "views")
    begins = begins_of(rows)
    first = np.repeat(begins, sizes_of(begins, len(rows)))
    return np.asarray(np.arange(len(rows)) - first)


_NONE = np.zeros(0, np.int64)
_FIGURES = 9
_LCP = 7
