"""Remember the answers to leaves, for as long as what they were made of stays as it is."""

import sqlite3
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from app.sessionql.evaluate import Cell
from app.sessionql.filters import Compare, Filter, walk
from app.sessionql.plan import Leaf, Window
from app.store.marks import is_touched, last_touch

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


class Asked(NamedTuple):
    """A question.

    Attributes:
        key: equal for those that may share an answer.
        window: its range.
        looks_back: the answer also depends on sessions that began before the range.
    """

    key: Key
    window: Window
    looks_back: bool


class State(NamedTuple):
    """Where the index is.

    Attributes:
        version: differs after every commit.
        change: the number of the last change to sessions.
    """

    version: int
    change: int


class _Kept(NamedTuple):
    state: State
    window: Window
    answer: Answer
    size: int


class AnswerCache:
    """The answers used last, up to so many bytes; safe for threads.

    An answer is of one state of the index and of one range. Of a later state it is used
    when no session changed since that began in the range, or before it where that
    matters; of another range only when no session began in what the two do not share.
    Either way, it is the answer that would be found.
    """

    def __init__(self, watch: sqlite3.Connection, most: int) -> None:
        self._watch, self._most = watch, most
        self._held: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._state = State(-1, 0)
        self._lock = Lock()
        weakref.finalize(self, watch.close)

    def state(self) -> State:
        """Return where the index is now."""
        with self._lock:
            (version,) = self._watch.execute("pragma data_version").fetchone()
            if version != self._state.version:
                self._state = State(version, last_touch(self._watch))
            return self._state

    def find(self, db: sqlite3.Connection, asked: Asked, state: State) -> Answer | None:
        """Return what is remembered for a question, when it still is the answer."""
        key, window = asked.key, asked.window
        with self._lock:
            kept = self._held.get(key)
            if kept is None:
                return None
            if kept.state != state:
                if self._is_over(kept, asked):
                    self._drop(key)
                    return None
                kept = self._held[key] = kept._replace(state=state)
            self._held.move_to_end(key)
        held = kept.window
        if (held.start, held.end) != (window.start, window.end):
            for one, other in ((held.start, window.start), (held.end, window.end)):
                if not _is_empty(db, one, other):
                    return None
            if self.state() != state:  # what is not there now may have been then
                return None
        if window.step or held.start == window.start:
            return kept.answer
        cells = [
            (labels, window.start, value) for labels, _, value in kept.answer.cells
        ]
        return kept.answer._replace(cells=cells)

    def _is_over(self, kept: _Kept, asked: Asked) -> bool:
        """Tell whether a session changed on which the answer may depend."""
        start = None if asked.looks_back else asked.window.start  # of the same hour
        end = max(kept.window.end, asked.window.end)
        return is_touched(self._watch, kept.state.change, start, end)

    def keep(self, asked: Asked, state: State, answer: Answer) -> None:
        """Remember an answer; *state* is from before it was asked for."""
        labels = len(answer.cells[0][0]) if answer.cells else 0
        size = 1_000 + len(answer.cells) * (_PER_CELL + _PER_LABEL * labels)
        if size > self._most // 4:
            return
        with self._lock:
            self._drop(asked.key)
            self._held[asked.key] = _Kept(state, asked.window, answer, size)
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
    if "active" in _fields(leaf):
        return None
    if leaf.function == "active":  # also of sessions that began before the range
        return leaf, window.step, window.start, window.end
    return leaf, window.step, window.start // SLOT, window.end // SLOT


def looks_back(leaf: Leaf) -> bool:
    """Tell whether an answer depends on sessions that began before its range."""
    return leaf.function == "active" or "returning" in _fields(leaf)


def _fields(leaf: Leaf) -> set[str]:
    """Return the fields that a leaf compares and measures."""
    parts: list[Filter] = [*walk(leaf.selector)]
    if leaf.where is not None:
        parts += walk(leaf.where)
    return {leaf.field} | {each.field for each in parts if isinstance(each, Compare)}


def _is_empty(db: sqlite3.Connection, one: int, other: int) -> bool:
    """Tell whether no session began between two instants, in whichever order."""
    if one == other:
        return True
    found = db.execute(
        "select 1 from sessions where start >= ? and start < ? limit 1",
        (min(one, other), max(one, other)),
    )
    return found.fetchone() is None
