"""Tell how many users came first in each bucket, from the sets of users by application.

Who was in no bucket before, and in none before the window, comes first: of an application,
as a session tells of its user whether there was one before.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from pyroaring import BitMap

from app.sessionql.evaluate import Cell
from app.sessionql.filters import And, Compare, Filter, gather, walk
from app.sessionql.plan import Leaf, Window
from app.store.rollups.edges import Labels, Place
from app.store.rollups.tables import HOUR

_IS_NEW = Compare("returning", "=", (False,))


def users_of(leaf: Leaf) -> Leaf | None:
    """Return the question for all users of which *leaf* asks for those who came first.

    It is by application. None: it does not ask for these, or of fewer than all sessions
    of an application.
    """
    if (leaf.function, leaf.field) != ("distinct", "user"):
        return None
    whole = gather(leaf.selector)
    parts = whole.parts if isinstance(whole, And) else (whole,)
    rest = tuple(each for each in parts if each != _IS_NEW)
    if len(rest) == len(parts) or not set(leaf.by) <= {"app"}:
        return None
    if not all(map(_is_of_apps, rest)):
        return None
    return replace(leaf, selector=And(rest), by=("app",))


def _is_of_apps(part: Filter) -> bool:
    compared = [each for each in walk(part) if isinstance(each, Compare)]
    return bool(compared) and all(each.field == "app" for each in compared)


def first_hour(db: sqlite3.Connection, window: Window) -> int:
    """Return when the hour begins of the first session of all, or else *window*, ms."""
    (first,) = db.execute("select min(start) from sessions").fetchone()
    return window.start if first is None else min(first - first % HOUR, window.start)


def count_new(
    leaf: Leaf, known: Mapping[Place, list[BitMap]], sets: Mapping[Place, list[BitMap]]
) -> list[Cell]:
    """Return how many users of each bucket are in none before.

    Args:
        leaf: by application, or not.
        known: users before the window, by application; sets to be united.
        sets: users of each application and bucket, likewise.
    """
    seen: defaultdict[Labels, BitMap] = defaultdict(BitMap)
    for (app, _), each in known.items():
        seen[app].update(*each)
    found: defaultdict[Place, BitMap] = defaultdict(BitMap)
    for (app, bucket), each in sorted(sets.items(), key=lambda every: every[0][1]):
        before = seen[app]
        for users in each:
            if new := users - before:
                found[app if leaf.by else (), bucket] |= new
                before |= new
    return [(*place, len(users)) for place, users in found.items()]
