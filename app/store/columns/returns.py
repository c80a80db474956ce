"""Who came back, by column: users by the period of their first session."""

from collections.abc import Callable, Iterator

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.few import first_starts
from app.store.columns.parts import NotInColumns, Part, find_parts
from app.store.columns.question import Question
from app.store.columns.sorting import distinct

_WIDE = 1 << 31  # numbers of strings that fit beside one another
_MOST = 4_000_000  # users, by applications, of a row group


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
    firsts = list(_firsts(question, step))
    people = np.concatenate([_NONE, *(each for each, _ in firsts)])
    at = np.concatenate([_NONE, *(each for _, each in firsts)])
    users, places = np.unique(people, return_inverse=True)
    first = np.full(len(users), 1 << 62)
    np.minimum.at(first, places, at)
    visits = [
        question.share(part, ("visits", step, origin), _visits(question, step, origin))
        for part in question
    ]
    who = np.concatenate([_NONE, *(each for each, _ in visits)])
    period = np.concatenate([_NONE, *(each for _, each in visits)])
    came = (first[np.searchsorted(users, who)] - origin) // step
    begin = (window.start - origin) // step
    later = period - came
    most = int(later.max(initial=0)) + 1
    order = np.lexsort((period, who))
    who, came, later = who[order], came[order], later[order]
    is_new = np.ones(len(who), bool)
    is_new[1:] = (who[1:] != who[:-1]) | (later[1:] != later[:-1])
    earlier = len(distinct(who[came < begin]))
    kept = is_new & (came >= begin)
    cells, counts = np.unique((came * most + later)[kept], return_counts=True)
    return [
        (*divmod(cell, most), count)
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    ], earlier


def _people(part: Part, rows: Array) -> tuple[Array, Array, int]:
    """Return sessions with a user, a number for each user, and what is above all of these.

    Users are those of an application.
    """
    user, app = part.labels("user"), part.labels("app")
    if max(user.ids.max(initial=0), app.ids.max(initial=0)) >= _WIDE:
        raise NotInColumns("too many strings")
    count = len(user.ids) * len(app.ids)
    if count > _MOST:
        raise NotInColumns("too many users and applications")
    rows = rows[(user.ids != 0)[user.codes[rows]]]
    return rows, app.codes[rows] * np.int64(len(user.ids)) + user.codes[rows], count


def _named(part: Part, numbers: Array) -> Array:
    """Return who has a number of ``_people``: application and user in one."""
    user, app = part.labels("user"), part.labels("app")
    apps, users = np.divmod(numbers, max(len(user.ids), 1))
    named: Array = (app.ids[apps] << 31) + user.ids[users]
    return named


def _firsts(question: Question, step: int) -> Iterator[tuple[Array, Array]]:
    """Yield users, and when each began the first session; some several times."""
    if any(part.among for part in question.parts):  # few sessions: of their users only
        for part in question.parts:
            people, _ = _starting(question)(part)
            users, apps = people & (_WIDE - 1), people >> 31
            starts = first_starts(question.db, users, apps, question.tenant)
            yield people, np.array(starts, np.int64)
        return
    before = find_parts(question.db, 0, question.window.start, step)
    for part in [*before, *question.parts]:
        yield question.always(part, "firsts", _starting(question))


def _starting(question: Question) -> Callable[[Part], tuple[Array, Array]]:
    """Return who tells the users of a part, and when each began the first session."""

    def compute(part: Part) -> tuple[Array, Array]:
        ours = question.masks.ours(part)
        mask = np.broadcast_to(np.asarray(ours), len(part))
        rows, numbers, count = _people(part, np.flatnonzero(mask))
        first = np.full(count, -1, np.int32)
        first[numbers[::-1]] = np.arange(len(rows))[::-1]  # rows are in order of time
        some = np.flatnonzero(first >= 0)
        return _named(part, some), part.numbers("start").values[rows[first[some]]]

    return compute


def _visits(
    question: Question, step: int, origin: int
) -> Callable[[Part], tuple[Array, Array]]:
    """Return who tells which users of a part came in which period."""

    def compute(part: Part) -> tuple[Array, Array]:
        rows, numbers, count = _people(part, question.rows(part))
        period = (part.numbers("start").values[rows] - origin) // step
        every = [
            _named(
                part,
                np.flatnonzero(np.bincount(numbers[period == each], minlength=count)),
            )
            for each in distinct(period)
        ]
        return np.concatenate([_NONE, *every]), np.repeat(
            distinct(period), [len(each) for each in every]
        )

    return compute


_NONE = np.zeros(0, np.int64)
