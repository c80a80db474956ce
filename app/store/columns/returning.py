"""Tell whether the user of a session had an earlier one in the same application."""

import sqlite3
from itertools import takewhile

import numpy as np

from app.store.columns.chunks import Array
from app.store.columns.few import first_starts
from app.store.columns.parts import NotInColumns, Part, find_parts, owned
from app.store.columns.shares import SHARES

_STEP = (1 << 16) - 1
_EVER = 1 << 52  # ms, after all sessions
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
        # of all sessions that there are: so all windows share what is found
        whole = find_parts(self._db, 0, _EVER)
        (strings,) = self._db.execute("select max(id) from strings").fetchone()
        most = (strings or 0) | _STEP  # stays for long as it is
        # row groups never change: nor does who returned in the first of them
        held = list(takewhile(lambda part: part.group, whole))
        kept = (
            tuple((part.group, part.rows.start, part.rows.stop) for part in held),
            most, self._tenant,
        )  # fmt: skip
        people = _People(most + 1, self._tenant)
        apps, bits, *found = SHARES.of(kept, lambda: people.kept(held))
        rest = self._rest(held, found)
        if rest:
            people = _People(most + 1, self._tenant, apps, bits)
            for part, each in zip(rest, people.follow(rest), strict=True):
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
    """Users of applications, by number, as they come.

    Args:
        width: more than the number of any user.
        tenant: the sources whose sessions count.
        apps: the applications that were there before,
        bits: and as bits whether each of their users was.
    """

    def __init__(
        self,
        width: int,
        tenant: frozenset[int],
        apps: Array | None = None,
        bits: Array | None = None,
    ) -> None:
        self._width, self._tenant = width, tenant
        self._bases: dict[int, int] = {}
        self._seen = np.zeros(0, bool)
        if apps is not None and bits is not None:
            self._add(apps.tolist())
            self._seen = np.unpackbits(bits, count=len(self._seen)).view(bool)

    def kept(self, parts: list[Part]) -> tuple[Array, ...]:
        """Return what ``follow`` does, after applications and bits of all users."""
        found = self.follow(parts)
        apps = np.array(list(self._bases), np.int64)
        return apps, np.packbits(self._seen), *found

    def follow(self, parts: list[Part]) -> list[Array]:
        """Go through parts in the order of time.

        Args:
            parts: of sessions.

        Returns:
            As bits of each part which sessions are of users that were there before.
        """
        first = np.zeros(0, np.int32)
        found: list[Array] = []
        for part in parts:
            rows, those = self._of(part)
            if len(first) < len(self._seen):
                first = np.zeros(len(self._seen), np.int32)
            first[those[::-1]] = rows[::-1]  # the first of each stays
            start = part.numbers("start").distances
            returned = np.zeros(len(part), bool)
            returned[rows] = self._seen.take(those) | (
                start.take(rows) > start.take(first.take(those))
            )
            self._seen[those] = True
            found.append(np.packbits(returned))
            part.release()
        return found

    def _of(self, part: Part) -> tuple[Array, Array]:
        """Return the sessions with a user, and who that is."""
        users, app = part.labels("user"), part.labels("app")
        self._add(app.ids.tolist())
        bases = [self._bases[each] for each in app.ids.tolist()]
        known = (users.ids != 0).take(users.codes)
        rows = np.flatnonzero(known & owned(part, self._tenant))
        base = np.array(bases, np.int64).take(app.codes.take(rows))
        return rows, users.ids.take(users.codes.take(rows)) + base

    def _add(self, apps: list[int]) -> None:
        """Make room for the users of applications that were not there before."""
        fresh = [app for app in apps if app not in self._bases]
        size = len(self._seen) + len(fresh) * self._width
        if size > _MOST:
            raise NotInColumns("too many users")
        for app in fresh:
            self._bases[app] = len(self._bases) * self._width
        if fresh:
            self._seen = np.concatenate(
                [self._seen, np.zeros(size - len(self._seen), bool)]
            )
