"""The numbers of sessions, those that follow from others as well."""

import sqlite3
from collections.abc import Callable

import numpy as np

from app.store.columns.chunks import Array, Numbers
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.returning import Returning
from app.store.columns.tables import TABLES
from app.store.told_tables import NANO

_SHORT, _FEW = 10_000, 2  # ms, views: as the definitions of bounce say

BOUNCES: dict[str, Callable[[Part], Array]] = {
    "single_view": lambda p: p.numbers("views").values == 1,
    "plausible": lambda p: p.numbers("views").values + p.numbers("actions").values <= 1,
    "ga4": lambda p: (
        (p.numbers("duration").values < _SHORT) & (p.numbers("views").values < _FEW)
    ),
    "openobserve": lambda p: (
        (p.numbers("events").values <= 1) | (p.numbers("duration").values < _SHORT)
    ),
}


class Measures:
    """Numbers for one question.

    Args:
        db: the index.
        bounce: which definition.
        now: the time of asking, ms.
        returning: who tells users that were there before.
    """

    def __init__(
        self, db: sqlite3.Connection, bounce: str, now: int, returning: Returning
    ) -> None:
        self._bounce, self._now = bounce, now
        self._returning = returning
        self._limits: dict[int, tuple[int, int]] = {
            number: rest
            for number, *rest in db.execute(
                "select id, inactivity, longest from sources"
            )
        }

    def of(self, part: Part, name: str) -> Numbers:
        """Return a number or boolean of each session.

        Raises:
            NotInColumns: there is none of that name.
        """
        if name == "end":
            return _plain(
                part.numbers("start").values + part.numbers("duration").values
            )
        if name == "cost":
            cost = part.numbers("cost")
            return Numbers(cost.distances, cost.offset, cost.has_null, NANO)
        if name == "bounced":
            return has_bounced(part, self._bounce)
        if name == "active":
            return self._active(part)
        if name == "returning":
            is_returning, known = self._returning.of(part)
            return _or_null(is_returning, known)
        if name not in TABLES["sessions"].columns:
            raise NotInColumns(name)
        return part.numbers(name)

    def _active(self, part: Part) -> Numbers:
        sources = part.labels("source")
        limits = [self._limits[each] for each in sources.ids.tolist()]
        quiet, longest = np.array(limits, np.int64).reshape(-1, 2).T[:, sources.codes]
        start = part.numbers("start").values
        end = start + part.numbers("duration").values
        is_active = (end > self._now - quiet) & (start > self._now - longest)
        return Numbers(is_active.astype(np.uint8))


def has_bounced(part: Part, bounce: str) -> Numbers:
    """Return whether sessions bounced, as that definition says."""
    bounced = BOUNCES[bounce](part)
    if bounce == "single_view":  # of no views it cannot be told
        return _or_null(bounced, part.numbers("views").values > 0)
    return Numbers(bounced.astype(np.uint8))


def _or_null(holds: Array, known: Array) -> Numbers:
    """Return 0 or 1, or NULL where it is not known."""
    distances = (holds.view(np.uint8) + np.uint8(1)) * known.view(np.uint8)
    return Numbers(distances, -1, has_null=True)


def _plain(values: Array) -> Numbers:
    """Return int64 as a column."""
    return Numbers(values)
