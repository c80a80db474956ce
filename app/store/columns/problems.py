"""Groups of errors by column: how many, whose, when first and last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.events import Events, events_of, places_of
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.sorting import distinct, renumbered
from app.store.columns.weighing import nothing_of, round_all, times, weighed

Occurrence = tuple[Part, int, int]  # where: of the part, the session and the error


@dataclass(frozen=True, slots=True)
class Problems:
    """What is counted of each group; one array each, by ``ids``."""

    ids: Array
    count: Array
    sessions: Array
    users: Array
    first_seen: Array
    last_seen: Array


class _Share(NamedTuple):
    """What one part gives, by group; and who met which."""

    ids: Array
    errors: Array
    sessions: Array
    first: Array
    last: Array
    first_at: Array  # which error of the part
    last_at: Array
    met: Array
    users: Array


class Groups:
    """Errors, equal ones together.

    Args:
        question: about errors.

    Raises:
        NotInColumns: it is not for columns.
    """

    def __init__(self, question: Question) -> None:
        asked = list(question.by_stratum())
        self._parts = [part for _, part in asked]
        weights = [each.weight for each, _ in asked]
        self._shares = [
            weighed(
                each.share(part, "problems", _counting(each)),
                each.weight, "errors", "sessions",
            )
            for each, part in asked
        ]  # fmt: skip
        shares = self._shares
        ids = distinct(np.concatenate([_NONE, *(each.ids for each in shares)]))
        count, sessions = (nothing_of(len(ids), weights) for _ in range(2))
        first, last = np.full(len(ids), 1 << 62), np.full(len(ids), -(1 << 62))
        for share in shares:
            place = np.searchsorted(ids, share.ids)
            count[place] += share.errors
            sessions[place] += share.sessions
            first[place] = np.minimum(first[place], share.first)
            last[place] = np.maximum(last[place], share.last)
        self.found = Problems(
            ids, round_all(count), round_all(sessions), self._users(ids), first, last
        )

    def _users(self, ids: Array) -> Array:
        met = [np.searchsorted(ids, share.met) for share in self._shares]
        users = np.concatenate([_NONE, *(share.users for share in self._shares)])
        people, who = np.unique(users, return_inverse=True)
        pairs = distinct(np.concatenate([_NONE, *met]) * len(people) + who)
        return np.bincount(pairs // max(len(people), 1), minlength=len(ids))

    def ends(self, group: int, at: int, *, last: bool) -> Occurrence:
        """Return the first or last error of a group, which happened at *at*."""
        for part, share in zip(self._parts, self._shares, strict=True):
            place = int(np.searchsorted(share.ids, group))
            if place < len(share.ids) and share.ids[place] == group:
                held = share.last if last else share.first
                if held[place] == at:
                    error = int((share.last_at if last else share.first_at)[place])
                    return part, int(places_of(part, "errors")[error]), error
        raise KeyError(group)


def _counting(question: Question) -> Callable[[Part], _Share]:
    """Return who counts the errors of a part."""

    def count(part: Part) -> _Share:
        rows, chosen = _events(question, part)
        labels = part.labels("fingerprint", "errors")
        codes = labels.codes[chosen]
        places = np.arange(len(labels))[chosen]
        named = np.flatnonzero((labels.ids != 0)[codes])
        rows, places = rows[named].astype(np.int64), places[named]
        used, groups = renumbered(codes[named], len(labels.ids))
        happened = (
            part.numbers("start").values[rows]
            + part.numbers("at", "errors").values[places]
        )
        first, last = _edges(groups, happened, len(used))
        pairs = distinct(groups * len(part) + rows)
        who = part.labels("user")
        known = np.flatnonzero((who.ids != 0)[who.codes[rows]])
        met = distinct(groups[known] * len(who.ids) + who.codes[rows[known]])
        group, user = np.divmod(met, max(len(who.ids), 1))
        ids = labels.ids[used]
        return _Share(
            ids,
            np.bincount(groups, minlength=len(ids)),
            np.bincount(pairs // max(len(part), 1), minlength=len(ids)),
            happened[first],
            happened[last],
            places[first],
            places[last],
            ids[group],
            who.ids[user],
        )

    return count


def affected(
    question: Question, fields: Sequence[tuple[str, str]]
) -> list[tuple[Array, Array]]:
    """Return of each field its values, and how many sessions met an error there.

    Args:
        question: about errors.
        fields: table (sessions or errors) and column of each.
    """
    shares = [
        (
            asked.weight,
            asked.share(part, ("affected", *fields), _affecting(asked, fields)),
        )
        for asked, part in question.by_stratum()
    ]
    found = []
    for at in range(0, 2 * len(fields), 2):
        ids = np.concatenate([_NONE, *(share[at] for _, share in shares)])
        counts = [times(share[at + 1], weight) for weight, share in shares]
        every, where = np.unique(ids, return_inverse=True)
        sums = np.bincount(where, np.concatenate([_NONE, *counts]), len(every))
        found.append((every, round_all(sums)))
    return found


def _affecting(
    question: Question, fields: Sequence[tuple[str, str]]
) -> Callable[[Part], tuple[Array, ...]]:
    """Return who tells what the errors of a part affected."""
    return lambda part: _affected(part, _events(question, part), fields)


def _affected(
    part: Part, events: Events, fields: Sequence[tuple[str, str]]
) -> tuple[Array, ...]:
    rows, chosen = events
    columns: list[Array] = []
    for table, name in fields:
        labels = part.labels(name, table)
        codes = labels.codes[rows if table == "sessions" else chosen]
        pairs = distinct(codes.astype(np.int64) * len(part) + rows)
        count = np.bincount(pairs // max(len(part), 1), minlength=len(labels.ids))
        used = np.flatnonzero((count > 0) & (labels.ids != 0))
        columns += [labels.ids[used], count[used]]
    return tuple(columns)


def _events(question: Question, part: Part) -> Events:
    return events_of(part, "errors", question.sessions(part), question.events(part))


def newest(question: Question, limit: int) -> list[int]:
    """Return row ids of the newest sessions that met an error."""
    found: list[int] = []
    for part in reversed(list(question)):
        rows, _ = _events(question, part)
        sessions = distinct(rows)[::-1][: limit - len(found)]
        found += part.numbers("id").values[sessions].tolist()
        part.release()
        if len(found) >= limit:
            break
    return found


def _edges(groups: Array, at: Array, count: int) -> tuple[Array, Array]:
    """Return where the least and where the most of each group is; of equals the first."""
    order = np.lexsort((at, groups))
    begins = np.searchsorted(groups[order], np.arange(count))
    first = order[begins]
    order = np.lexsort((-at, groups))
    return first, order[begins]


_NONE = np.zeros(0, np.int64)
