"""Tell whether the user of a session had an earlier one in the same application."""

import sqlite3
from itertools import takewhile

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.few import first_starts
from app.store.columns.parts import NotInColumns, Part, find_parts, owned
from app.store.columns.shares import SHARES

_STEP = (1 << 16) - 1
_MOST = 1 << 28  # pairs of an application and a string


class Returning:
    """Goes through all sessions before the end of a window, once, in the order of time.

    Args:
        db: the index.
        parts: of the window, in the order of time.
        start: of the window, ms.
        tenant: the sources whose sessions count.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        parts: list[Part],
        start: int,
        tenant: frozenset[int],
    ) -> None:
        self._tenant = tenant
        self._db, self._parts, self._start = db, parts, start
        self._found: dict[int, tuple[Array, int]] = {}
        self._last: tuple[int, tuple[Array, Array]] | None = None

    def of(self, part: Part) -> tuple[Array, Array]:
        """Return of each session whether its user returned, and whether it has a user."""
        if self._last is None or self._last[0] != id(part):
            self._last = id(part), (self._of_few if part.among else self._of)(part)
        return self._last[1]

    def _of(self, part: Part) -> tuple[Array, Array]:
        if not self._found:
            self._look()
        bits, before = self._found[id(part)]
        returned = np.unpackbits(bits, count=before + len(part))[before:].view(bool)
        users = part.labels("user")
        return returned, (users.ids != 0).take(users.codes)

    def _of_few(self, part: Part) -> tuple[Array, Array]:
        """Ask the tables about the users of few sessions."""
        user, app = part.labels("user"), part.labels("app")
        users, apps = user.ids.take(user.codes), app.ids.take(app.codes)
        ours = np.broadcast_to(np.asarray(owned(part, self._tenant)), len(part))
        rows = np.flatnonzero((users != 0) & ours)
        pairs = np.stack([users[rows], apps[rows]])
        (those, theirs), which = np.unique(pairs, axis=1, return_inverse=True)
        known = first_starts(self._db, those, theirs, self._tenant)
        first = np.array(known, np.int64)
        returned = np.zeros(len(part), bool)
        returned[rows] = part.numbers("start").values[rows] > first[which.reshape(-1)]
        return returned, users != 0

    def _look(self) -> None:
        """Find as bits who returned, and how many bits come before those of a part."""
        whole = find_parts(self._db, 0, self._parts[-1].range[1])
        apps: set[int] = set()
        for part in whole:
            apps.update(part.ids("app").tolist())
            part.release()
        (strings,) = self._db.execute("select max(id) from strings").fetchone()
        most = (strings or 0) | _STEP  # stays for long as it is
        place = {app: number for number, app in enumerate(sorted(apps))}
        if (most + 1) * len(apps) > _MOST:
            raise NotInColumns("too many users")
        people = _People(place, most + 1, self._tenant)
        # row groups never change: nor does who returned in the first of them; the end
        # of the window, which moves on, cuts the last
        held = list(takewhile(lambda part: part.group, whole))[:-1]
        kept = (
            tuple((part.group, part.rows.start, part.rows.stop) for part in held),
            tuple(place), most, self._tenant,
        )  # fmt: skip
        empty = np.zeros((most + 1) * len(apps), bool)
        bits, *found = SHARES.of(kept, lambda: people.follow(held, empty))
        rest = self._rest(held, found)
        seen = np.unpackbits(bits, count=len(empty)).view(bool)
        _, *more = people.follow(rest, seen)
        for part, each in zip(rest, more, strict=True):
            self._found[id(part)] = each, 0

    def _rest(self, held: list[Part], found: list[Array]) -> list[Part]:
        """Take what was found of *held*; return all other parts, in the order of time."""
        end = held[-1].range[1] if held else 0
        for part in self._parts:
            for each, bits in zip(held, found, strict=True):
                first, last = each.rows.start, each.rows.stop
                if each.group == part.group and first <= part.rows.start < last:
                    self._found[id(part)] = bits, part.rows.start - first
        before = find_parts(self._db, end, max(end, self._start))
        later = [part for part in self._parts if id(part) not in self._found]
        return [*before, *later]


class _People:
    """Users of applications, by number."""

    def __init__(
        self, place: dict[int, int], width: int, tenant: frozenset[int]
    ) -> None:
        self._place, self._width, self._tenant = place, width, tenant

    def follow(self, parts: list[Part], seen: Array) -> tuple[Array, ...]:
        """Go through parts in the order of time.

        Args:
            parts: of sessions.
            seen: whether each user was there before them; changed.

        Returns:
            As bits: whether each was there in the end, and of each part which sessions
            are of users that were there before.
        """
        first = np.zeros(len(seen), np.int32)
        found: list[Array] = []
        for part in parts:
            rows, those = self._of(part)
            first[those[::-1]] = rows[::-1]  # the first of each stays
            start = part.numbers("start").distances
            returned = np.zeros(len(part), bool)
            returned[rows] = seen.take(those) | (
                start.take(rows) > start.take(first.take(those))
            )
            seen[those] = True
            found.append(np.packbits(returned))
            part.release()
        return np.packbits(seen), *found

    def _of(self, part: Part) -> tuple[Array, Array]:
        """Return the sessions with a user, and who that is."""
        users, app = part.labels("user"), part.labels("app")
        bases = [self._place[each] * self._width for each in app.ids.tolist()]
        known = (users.ids != 0).take(users.codes)
        rows = np.flatnonzero(known & owned(part, self._tenant))
        base = np.array(bases, np.int64).take(app.codes.take(rows))
        return rows, users.ids.take(users.codes.take(rows)) + base
