"""Totals of users by column: of each how many sessions, since when, how long."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from app.store.columns.chunks import Array, Numbers
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.picking import pick
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import renumbered, united
from app.store.columns.weighing import nothing_of, round_all, times
from app.store.told_tables import NANO

# how the ends of sessions are united, and what they begin with
_ENDS = {"first_seen": (np.minimum, 1 << 62), "last_seen": (np.maximum, -(1 << 62))}


class People:
    """The identified users of the sessions that are meant.

    Attributes:
        ids: their numbers, ascending.
        sessions: of each.
    """

    def __init__(self, question: Question) -> None:
        self._parts = list(question.by_stratum())
        self._weights = [asked.weight for asked, _ in self._parts]
        held = [
            asked.share(part, "users", _counting(asked)) for asked, part in self._parts
        ]
        self.ids, self._places = united([ids for ids, _ in held])
        sessions = nothing_of(len(self.ids), self._weights)
        each = zip(self._places, self._weights, held, strict=True)
        for place, weight, (_, counts) in each:
            sessions[place] += times(counts, weight)
        self.sessions = round_all(sessions)

    def column(self, name: str) -> Array:
        """Return a figure of each user; NaN where it cannot be told.

        Args:
            name: as ``PeopleReader`` calls it.
        """
        if name == "sessions":
            return self.sessions
        bases = _bases_of([name])
        found = self._nothing(bases, len(self.ids))
        for (asked, part), place, weight in zip(
            self._parts, self._places, self._weights, strict=True
        ):
            if len(place):
                figures = asked.share(
                    part, ("users", *bases), partial(_of_all, asked, bases)
                )
                part.release()
                _add(found, place, figures, weight)
        return _derived(name, found, self.sessions)

    def columns(self, names: Sequence[str], chosen: Array) -> dict[str, Array]:
        """Return figures of some users; each part is looked at once, and of them only.

        Args:
            names: as of ``column``.
            chosen: places in ``ids``, each once; the figures are in that order.
        """
        bases, ids = _bases_of(names), self.ids[chosen]
        found = self._nothing(bases, len(ids))
        what = ("some users", ids.tobytes(), *bases)
        for (asked, part), weight in zip(self._parts, self._weights, strict=True):
            some = partial(_of_some, asked, bases, ids)
            places, *figures = asked.share(part, what, some)
            part.release()
            _add(found, places, figures, weight)
        sessions = self.sessions[chosen]
        return {name: _derived(name, found, sessions) for name in names}

    def _nothing(self, bases: Sequence[str], size: int) -> dict[str, Array]:
        """Return what figures begin with."""
        return {
            name: np.full(size, _ENDS[name][1])
            if name in _ENDS
            else nothing_of(size, self._weights)
            for name in bases
        }


def _bases_of(names: Sequence[str]) -> list[str]:
    """Return what is to be summed, or is the first or last, to know figures."""
    bases: dict[str, None] = {}
    for name in names:
        if name == "latency_avg":
            bases |= {"traces": None, "trace_latency": None}
        elif name != "sessions":
            bases[name.removesuffix("_avg")] = None
    return list(bases)


def _derived(name: str, found: dict[str, Array], sessions: Array) -> Array:
    """Return a figure, given those of ``_bases_of``."""
    if name == "sessions":
        return sessions
    if name == "latency_avg":
        traces, latency = round_all(found["traces"]), round_all(found["trace_latency"])
        return np.where(traces > 0, latency / np.maximum(traces, 1), np.nan)
    if name.endswith("_avg"):
        return _derived(name.removesuffix("_avg"), found, sessions) / sessions
    if name in _ENDS:
        return found[name]
    total = round_all(found[name])
    return total / NANO if name == "cost" else total


def _add(
    found: dict[str, Array], places: Array, figures: Iterable[Array], weight: float
) -> None:
    """Add what a part gave of the users at *places* to what is found."""
    for (name, total), figure in zip(found.items(), figures, strict=True):
        if name in _ENDS:
            total[places] = _ENDS[name][0](total[places], figure)
        else:
            total[places] += times(figure, weight)


# -- of one part -----------------------------------------------------------------------


def _counting(question: Question) -> Callable[[Part], tuple[Array, Array]]:
    """Return who tells the users of a part, and how many sessions each has."""

    def count(part: Part) -> tuple[Array, Array]:
        labels, mask = part.labels("user"), question.sessions(part)
        if mask is False:
            return _NONE, _NONE
        codes, size = labels.codes, len(labels.ids)
        if mask is not True:  # quicker than to choose those that are meant
            codes = np.where(mask, codes, np.int64(size))
        counts = np.bincount(codes, minlength=size)[:size]
        used = np.flatnonzero((counts > 0) & (labels.ids != 0))
        return labels.ids[used], narrow(counts[used])

    return count


def _of_all(question: Question, names: Sequence[str], part: Part) -> tuple[Array, ...]:
    """Return figures of each user of a part, in the order of ``_counting``."""
    labels = part.labels("user")
    rows = question.rows(part)
    rows = rows[(labels.ids != 0).take(labels.codes[rows])]
    used, users = renumbered(labels.codes[rows], len(labels.ids))
    held = pick(part, _read_for(names), rows)
    return tuple(_figure(held, name, users, len(used)) for name in names)


def _of_some(
    question: Question, names: Sequence[str], ids: Array, part: Part
) -> tuple[Array, ...]:
    """Return which of the users *ids* a part knows, as places, and their figures."""
    labels, mask = part.labels("user"), question.sessions(part)
    if mask is False or not len(labels.ids):  # of an hour, all sessions may be gone
        return (_NONE, *(_NONE for _ in names))
    at = np.searchsorted(labels.ids, ids)
    at[at == len(labels.ids)] = 0
    here = np.flatnonzero(labels.ids[at] == ids)
    place = np.full(len(labels.ids), -1, np.int32)
    place[at[here]] = here
    users = place.take(labels.codes)
    rows = np.flatnonzero(users >= 0 if mask is True else (users >= 0) & mask)
    known, users = renumbered(users[rows], len(ids))
    held = pick(part, _read_for(names), rows)
    return narrow(known), *(_figure(held, name, users, len(known)) for name in names)


def _read_for(names: Iterable[str]) -> Iterator[str]:
    """Yield the columns that figures are made of; some more than once."""
    for name in names:
        if name in _ENDS:
            yield from ("start", "duration")
        else:
            yield "errors" if name == "errored_sessions" else name


def _figure(held: dict[str, Numbers], name: str, users: Array, count: int) -> Array:
    """Return a figure of users of a part.

    Args:
        held: columns of their sessions.
        name: a sum of them, or when the first began or the last ended.
        users: whose each is, from 0.
        count: how many users there are.
    """
    if name in _ENDS:
        unite, nothing = _ENDS[name]
        at = held["start"].values
        if name == "last_seen":
            at = at + held["duration"].values
        found = np.full(count, nothing)
        unite.at(found, users, at)
        return found
    errored = name == "errored_sessions"
    column = held["errors" if errored else name]
    if column.known is not None:
        raise NotInColumns(name)  # what was indexed before there was such a column
    if column.is_nothing:
        return np.zeros(count, np.uint8)
    found = np.zeros(count, np.int64)
    np.add.at(found, users, (column.whole > 0) if errored else column.whole)
    return narrow(found)


_NONE = np.zeros(0, np.int64)
