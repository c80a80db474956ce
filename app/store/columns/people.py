"""Totals of users by column: of each how many sessions, since when, how long."""

from collections.abc import Callable, Iterator
from copy import copy

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct, renumbered
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
        self._question = question
        self._parts = list(question)
        held = [question.share(part, "users", self._count) for part in self._parts]
        self.ids = distinct(np.concatenate([_NONE, *(ids for ids, _ in held)]))
        self.places = [np.searchsorted(self.ids, ids) for ids, _ in held]
        self.picked: list[Array | slice] = [slice(None) for _ in held]
        self.sessions = np.zeros(len(self.ids), np.int64)
        for place, (_, counts) in zip(self.places, held, strict=True):
            self.sessions[place] += counts

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
        found = np.zeros(len(self.ids), np.int64)
        for place, sums in self._shares(name, self._summing(name)):
            found[place] += sums
        return found / NANO if name == "cost" else found

    def _end(self, name: str) -> Array:
        unite = _ENDS[name]
        found = np.full(len(self.ids), 1 << 62 if name == "first_seen" else -(1 << 62))
        for place, ends in self._shares(name, self._seeking(name)):
            found[place] = unite(found[place], ends)
        return found

    def _shares(
        self, name: str, compute: Callable[[Part], tuple[Array]]
    ) -> Iterator[tuple[Array, Array]]:
        """Yield which users a part knows, and what it says of them."""
        every = zip(self._parts, self.places, self.picked, strict=True)
        for part, place, picked in every:
            if len(place):
                (held,) = self._question.share(part, ("users", name), compute)
                part.release()
                yield place, held[picked]

    # -- of one part -------------------------------------------------------------------

    def _summing(self, name: str) -> Callable[[Part], tuple[Array]]:
        return lambda part: (self._sum(part, name),)

    def _seeking(self, name: str) -> Callable[[Part], tuple[Array]]:
        return lambda part: (self._extreme(part, name),)

    def _rows(self, part: Part) -> tuple[Array | slice, Array, int]:
        """Return sessions with a user, which user each has, and how many users."""
        rows, users, count = self._question.share(part, "users of rows", self._owned)
        return (slice(None) if rows is None else rows), users, count

    def _owned(self, part: Part) -> tuple[Array | None, Array, int]:
        rows, users, ids = self._users(part)
        kept = None if len(rows) == len(part) else narrow(rows)
        return kept, narrow(users), len(ids)

    def _users(self, part: Part) -> tuple[Array, Array, Array]:
        """Return sessions with a user, which user each has, and the users' numbers."""
        labels = part.labels("user")
        rows = self._question.rows(part)
        rows = rows[(labels.ids != 0).take(labels.codes[rows])]
        used, users = renumbered(labels.codes[rows], len(labels.ids))
        return rows, users, labels.ids[used]

    def _count(self, part: Part) -> tuple[Array, Array]:
        _, users, ids = self._users(part)
        return ids, narrow(np.bincount(users, minlength=len(ids)))

    def _sum(self, part: Part, name: str) -> Array:
        rows, users, count = self._rows(part)
        errored = name == "errored_sessions"
        column = part.numbers("errors" if errored else name)
        values = column.distances[rows].astype(np.int64) + column.offset
        if column.known is not None:
            raise NotInColumns(name)  # what was indexed before there was such a column
        if errored:
            values = (values > 0).astype(np.int64)
        found = np.zeros(count, np.int64)
        np.add.at(found, users, values)
        return narrow(found)

    def _extreme(self, part: Part, name: str) -> Array:
        rows, users, count = self._rows(part)
        at = part.numbers("start").values[rows]
        if name == "last_seen":
            at = at + part.numbers("duration").values[rows]
        unite = _ENDS[name]
        found = np.full(count, at[0] if len(at) else 0)
        found[users] = at  # any of each, to begin with
        unite.at(found, users, at)
        return found


_NONE = np.zeros(0, np.int64)
