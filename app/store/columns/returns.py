"""Who came back, by column: users by the period of their first session."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.few import first_starts
from app.store.columns.parts import NotInColumns, Part, find_parts, find_rows
from app.store.columns.question import Question
from app.store.columns.sorting import distinct, united

_WIDE = 1 << 31  # numbers of strings that fit beside one another
_MOST = 4_000_000  # users, by applications, of a row group
Came = tuple[Array, Array, Array]  # users, a period of each, whether they are meant


def returns_in_columns(
    question: Question, step: int, origin: int
) -> tuple[list[tuple[int, int, int]], int]:
    """Count, of users who came first in one period, those of each later one.

    Args:
        question: which sessions count as coming back.
        step: ms of a period.
        origin: where one period begins, ms.

    Returns:
        Cells of (period of the first session, periods since, users); and how many users
        came first before the period in which the window begins.

    Raises:
        NotInColumns: it is not for columns.
    """
    window = question.window
    if window.start < origin:
        raise NotInColumns("before there was a period")
    presence = _presence(question, step, origin)
    every = [
        question.share(part, ("presence", step, origin), presence) for part in question
    ]
    if any(part.among for part in question.parts):  # few sessions: of their users only
        before = [_firsts(question, each, step, origin) for each in every]
    else:
        before = list(_before(question, step, origin))
    people, places = _united([each[0] for each in (*before, *every)])
    periods = np.concatenate([_NONE, *(each[1] for each in (*before, *every))])
    is_meant = np.concatenate([np.zeros(0, bool), *(each[2] for each in every)])
    first = np.zeros(people, np.int64)
    first[places[::-1]] = periods[::-1]  # in the order of time: the first one stays
    begin = (window.start - origin) // step
    shift = len(places) - len(is_meant)
    who, period = places[shift:][is_meant], periods[shift:][is_meant] - begin
    most = int(period.max(initial=0)) + 1
    visits, _ = united([who * most + period])
    who, period = visits // most, visits % most
    came = first[who] - begin
    earlier = len(distinct(who[came < 0]))
    kept = came >= 0
    cells, counts = np.unique(
        came[kept] * most + (period - came)[kept], return_counts=True
    )
    return [
        (cell // most + begin, cell % most, count)
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    ], earlier


def _united(several: list[Array]) -> tuple[int, Array]:
    """Return how many users there are, and the number of each of those named."""
    named = np.concatenate([_NONE, *several])
    users, (user,) = united([named & (_WIDE - 1)])
    _, app = np.unique(named >> 31, return_inverse=True)
    pairs, (places,) = united([app * len(users) + user])
    return len(pairs), places


class _People:
    """The users of a part: those of an application, by a number of each."""

    def __init__(self, part: Part) -> None:
        user, app = part.labels("user"), part.labels("app")
        if max(user.ids.max(initial=0), app.ids.max(initial=0)) >= _WIDE:
            raise NotInColumns("too many strings")
        self._users, self._apps = user.ids, app.ids
        self._count = len(user.ids) * len(app.ids)
        if self._count > _MOST:
            raise NotInColumns("too many users and applications")
        self._numbers = app.codes * np.int32(len(user.ids)) + user.codes

    def there(self, rows: slice, mask: Array) -> Array:
        """Return of each number whether a session of it is in *rows* and in *mask*."""
        found = np.zeros(self._count, bool)
        chosen = mask[rows]
        numbers = self._numbers[rows]
        found[numbers if chosen.strides == (0,) else numbers[chosen]] = chosen.any()
        found.reshape(len(self._apps), -1)[:, self._users == 0] = False
        return found

    def named(self, numbers: Array) -> Array:
        """Return who has a number: application and user in one."""
        apps, users = np.divmod(numbers, max(len(self._users), 1))
        named: Array = (self._apps[apps] << 31) + self._users[users]
        return named


def _firsts(question: Question, those: Came, step: int, origin: int) -> Came:
    """Return when users came first, as the tables know it."""
    people = distinct(those[0])
    users, apps = people & (_WIDE - 1), people >> 31
    starts = np.array(first_starts(question.db, users, apps, question.tenant), np.int64)
    return people, (starts - origin) // step, np.zeros(len(people), bool)


def _before(question: Question, step: int, origin: int) -> Iterator[Came]:
    """Yield who came in which period before the window, in the order of time."""
    presence = _presence(question, step, origin, is_meant=False)
    for part in find_parts(question.db, 0, question.window.start, step):
        yield question.always(part, ("presence", step, origin), presence)


def _presence(
    question: Question, step: int, origin: int, *, is_meant: bool = True
) -> Callable[[Part], Came]:
    """Return who tells the users of a part by period, and which of them are meant."""

    def compute(part: Part) -> Came:
        if not len(part):
            return _NONE, _NONE, np.zeros(0, bool)
        people = _People(part)
        ours = np.broadcast_to(np.asarray(question.masks.ours(part)), len(part))
        mask = question.sessions(part) if is_meant else False
        meant = np.broadcast_to(np.asarray(mask), len(part))
        found = []
        for period, rows in _periods(part, step, origin):
            numbers = np.flatnonzero(people.there(rows, ours))
            came = people.there(rows, meant)[numbers]
            found.append((people.named(numbers), np.full(len(numbers), period), came))
        named, periods, came = (
            np.concatenate(each) for each in zip(*found, strict=True)
        )
        return named, periods, came

    return compute


def _periods(part: Part, step: int, origin: int) -> list[tuple[int, slice]]:
    """Return the periods in which sessions of a part began, and which these are."""
    first, last = ((at - origin) // step for at in (part.range[0], part.range[1] - 1))
    if first == last:
        return [(first, slice(None))]
    starts = part.numbers("start")
    bounds = [origin + period * step for period in range(first, last + 2)]
    return [
        (first + place, find_rows(starts, begin, end))
        for place, (begin, end) in enumerate(pairwise(bounds))
    ]


_NONE = np.zeros(0, np.int64)
