"""Remember the answers to leaves, for as long as the index stays as it is."""

import sqlite3
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Compare, Filter, walk
from app.sessionql.plan import Leaf, Window

SLOT = 60_000  # ms; ranges whose ends are in the same slots may share an answer
_PER_CELL, _PER_LABEL = 120, 64  # bytes, about

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """How one leaf was answered.

    Attributes:
        leaf: what was asked.
        by: rollups, columns, scan; or cache, of an answer that was remembered.
        ms: time taken.
        cells: how many.
        details: what there is to say of it, by name.
    """

    leaf: Leaf
    by: str
    ms: float
    cells: int
    details: dict[str, object]


class Answer(NamedTuple):
    """The cells of one leaf, where they come from, and what to know of them."""

    cells: list[Cell]
    by: str
    details: dict[str, object]
    notices: tuple[str, ...] = ()


class _Kept(NamedTuple):
    version: int
    window: Window
    answer: Answer
    size: int


class AnswerCache:
    """The answers used last, up to so many bytes; safe for threads.

    The index has a version, which differs after every commit. An answer is of one
    version, and of one range: of another it is used only when no session began in
    what the two do not share, so that it is the same.
    """

    def __init__(self, watch: sqlite3.Connection, most: int) -> None:
        self._watch, self._most = watch, most
        self._held: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        weakref.finalize(self, watch.close)

    def version(self) -> int:
        """Return the version of the index now."""
        with self._lock:
            found = self._watch.execute("pragma data_version").fetchone()
        return int(found[0])

    def find(
        self, db: sqlite3.Connection, key: Key, version: int, window: Window
    ) -> Answer | None:
        """Return what is remembered for *key*, when it still is the answer."""
        with self._lock:
            kept = self._held.get(key)
            if kept is None:
                return None
            if kept.version != version:
                self._drop(key)
                return None
            self._held.move_to_end(key)
        held = kept.window
        if not _is_empty(db, held.start, window.start):
            return None
        if not _is_empty(db, held.end, window.end):
            return None
        if window.step or held.start == window.start:
            return kept.answer
        cells = [
            (labels, window.start, value) for labels, _, value in kept.answer.cells
        ]
        return kept.answer._replace(cells=cells)

    def keep(self, key: Key, version: int, window: Window, answer: Answer) -> None:
        """Remember an answer; *version* is from before it was asked for."""
        labels = len(answer.cells[0][0]) if answer.cells else 0
        size = 1_000 + len(answer.cells) * (_PER_CELL + _PER_LABEL * labels)
        if size > self._most // 4:
            return
        with self._lock:
            self._drop(key)
            self._held[key] = _Kept(version, window, answer, size)
            self._bytes += size
            while self._bytes > self._most:
                self._drop(next(iter(self._held)))

    def _drop(self, key: Key) -> None:
        gone = self._held.pop(key, None)
        self._bytes -= gone.size if gone else 0

    @property
    def nbytes(self) -> int:
        """Return how much is remembered, about."""
        return self._bytes


def key_of(leaf: Leaf, window: Window) -> Key | None:
    """Return under what an answer is remembered; None when it depends on the time."""
    parts: list[Filter] = [*walk(leaf.selector)]
    if leaf.where is not None:
        parts += walk(leaf.where)
    if any(isinstance(each, Compare) and each.field == "active" for each in parts):
        return None
    if leaf.function == "active":  # also of sessions that began before the range
        return leaf, window.step, window.start, window.end
    return leaf, window.step, window.start // SLOT, window.end // SLOT


def _is_empty(db: sqlite3.Connection, one: int, other: int) -> bool:
    """Tell whether no session began between two instants, in whichever order."""
    if one == other:
        return True
    found = db.execute(
        "select 1 from sessions where start >= ? and start < ? limit 1",
        (min(one, other), max(one, other)),
    )
    return found.fetchone() is None
