"""Totals of users by column: of each how many sessions, since when, how long."""

from collections.abc import Callable, Iterator
from copy import copy
from functools import partial

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct, renumbered
from app.store.columns.weighing import nothing_of, round_all, times
from app.store.told_tables import NANO

_ENDS = {"first_seen": np.minimum, "last_seen": np.maximum}


class People:
    """The identified users of the sessions that are meant.

    Attributes:
        ids: their numbers, ascending.
        sessions: of each.
        places: of each part, which users it knows.
        picked: and which of its rows these are.
    """

    def __init__(self, question: Question) -> None:
        self._parts = list(question.by_stratum())
        self._weights = [asked.weight for asked, _ in self._parts]
        held = [
            asked.share(part, "users", _counting(asked)) for asked, part in self._parts
        ]
        self.ids = distinct(np.concatenate([_NONE, *(ids for ids, _ in held)]))
        self.places = [np.searchsorted(self.ids, ids) for ids, _ in held]
        self.picked: list[Array | slice] = [slice(None) for _ in held]
        sessions = nothing_of(len(self.ids), self._weights)
        each = zip(self.places, self._weights, held, strict=True)
        for place, weight, (_, counts) in each:
            sessions[place] += times(counts, weight)
        self.sessions = round_all(sessions)

    def only(self, chosen: Array) -> "People":
        """Return some of them, in that order.

        Args:
            chosen: places in ``ids``.
        """
        some = copy(self)
        some.ids, some.sessions = self.ids[chosen], self.sessions[chosen]
        place = np.full(len(self.ids), -1)
        place[chosen] = np.arange(len(chosen))
        found = [place[each] for each in self.places]
        some.picked = [np.flatnonzero(each >= 0) for each in found]
        some.places = [
            each[picked] for each, picked in zip(found, some.picked, strict=True)
        ]
        return some

    def column(self, name: str) -> Array:
        """Return a figure of each user; NaN where it cannot be told.

        Args:
            name: as ``PeopleReader`` calls it.
        """
        if name == "sessions":
            return self.sessions
        if name == "latency_avg":
            traces = self.column("traces")
            latency = self.column("trace_latency")
            return np.where(traces > 0, latency / np.maximum(traces, 1), np.nan)
        if name.endswith("_avg"):
            return self.column(name.removesuffix("_avg")) / self.sessions
        if name in _ENDS:
            return self._end(name)
        found = nothing_of(len(self.ids), self._weights)
        for place, sums, weight in self._shares(name, _sum):
            found[place] += times(sums, weight)
        found = round_all(found)
        return found / NANO if name == "cost" else found

    def _end(self, name: str) -> Array:
        unite = _ENDS[name]
        found = np.full(len(self.ids), 1 << 62 if name == "first_seen" else -(1 << 62))
        for place, ends, _ in self._shares(name, _extreme):
            found[place] = unite(found[place], ends)
        return found

    def _shares(
        self, name: str, compute: Callable[[Question, str, Part], tuple[Array]]
    ) -> Iterator[tuple[Array, Array, float]]:
        """Yield which users a part knows, what it says of them, and its weight."""
        every = zip(self._parts, self.places, self.picked, strict=True)
        for (asked, part), place, picked in every:
            if len(place):
                (held,) = asked.share(
                    part, ("users", name), partial(compute, asked, name)
                )
                part.release()
                yield place, held[picked], asked.weight


# -- of one part -----------------------------------------------------------------------


def _rows(question: Question, part: Part) -> tuple[Array | slice, Array, int]:
    """Return sessions with a user, which user each has, and how many users."""

    def owned(part: Part) -> tuple[Array | None, Array, int]:
        rows, users, ids = _users(question, part)
        kept = None if len(rows) == len(part) else narrow(rows)
        return kept, narrow(users), len(ids)

    rows, users, count = question.share(part, "users of rows", owned)
    return (slice(None) if rows is None else rows), users, count


def _users(question: Question, part: Part) -> tuple[Array, Array, Array]:
    """Return sessions with a user, which user each has, and the users' numbers."""
    labels = part.labels("user")
    rows = question.rows(part)
    rows = rows[(labels.ids != 0).take(labels.codes[rows])]
    used, users = renumbered(labels.codes[rows], len(labels.ids))
    return rows, users, labels.ids[used]


def _counting(question: Question) -> Callable[[Part], tuple[Array, Array]]:
    """Return who tells the users of a part, and how many sessions each has."""

    def count(part: Part) -> tuple[Array, Array]:
        _, users, ids = _users(question, part)
        return ids, narrow(np.bincount(users, minlength=len(ids)))

    return count


def _sum(question: Question, name: str, part: Part) -> tuple[Array]:
    rows, users, count = _rows(question, part)
    errored = name == "errored_sessions"
    column = part.numbers("errors" if errored else name)
    values = column.distances[rows].astype(np.int64) + column.offset
    if column.known is not None:
        raise NotInColumns(name)  # what was indexed before there was such a column
    if errored:
        values = (values > 0).astype(np.int64)
    found = np.zeros(count, np.int64)
    np.add.at(found, users, values)
    return (narrow(found),)


def _extreme(question: Question, name: str, part: Part) -> tuple[Array]:
    rows, users, count = _rows(question, part)
    at = part.numbers("start").values[rows]
    if name == "last_seen":
        at = at + part.numbers("duration").values[rows]
    unite = _ENDS[name]
    found = np.full(count, at[0] if len(at) else 0)
    found[users] = at  # any of each, to begin with
    unite.at(found, users, at)
    return (found,)


_NONE = np.zeros(0, np.int64)
