"""Tell whether the user of a session had an earlier one in the same application."""

import sqlite3
from collections.abc import Callable

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns, Part, find_parts

_MOST = 1 << 28  # pairs of an application and a string


class Returning:
    """Goes through all sessions before the end of a window, once, in the order of time.

    Args:
        db: the index.
        parts: of the window, in the order of time.
        start: of the window, ms.
        ours: which sessions of a part are the tenant's.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        parts: list[Part],
        start: int,
        ours: Callable[[Part], Array | bool],
    ) -> None:
        self._db, self._parts, self._start, self._ours = db, parts, start, ours
        self._found: dict[int, tuple[Array, Array]] = {}

    def of(self, part: Part) -> tuple[Array, Array]:
        """Return of each session whether its user returned, and whether it has a user."""
        if not self._found:
            self._look()
        return self._found[id(part)]

    def _look(self) -> None:
        before = find_parts(self._db, 0, self._start) if self._start > 0 else []
        every = [*before, *self._parts]
        apps = {app for part in every for app in part.labels("app").ids.tolist()}
        place = {app: number for number, app in enumerate(sorted(apps))}
        most = max((int(p.labels("user").ids.max(initial=0)) for p in every), default=0)
        if (most + 1) * len(apps) > _MOST:
            raise NotInColumns("too many users")
        seen = np.zeros((most + 1) * len(apps), bool)
        first = np.zeros(len(seen), np.int32)
        for part in every:
            users, app = part.labels("user"), part.labels("app")
            bases = [place[each] * (most + 1) for each in app.ids.tolist()]
            base = np.array(bases, np.int64)
            keys = users.ids.take(users.codes) + base.take(app.codes)
            known = (users.ids != 0).take(users.codes)
            counted = known & self._ours(part)
            rows = np.flatnonzero(counted)
            those = keys[rows]
            first[those[::-1]] = rows[::-1]  # the first of each stays
            start = part.numbers("start").distances
            returned = np.zeros(len(part), bool)
            returned[rows] = seen.take(those) | (
                start.take(rows) > start.take(first.take(those))
            )
            seen[those] = True
            self._found[id(part)] = returned, known
        for part in before:
            del self._found[id(part)]
