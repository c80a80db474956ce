"""Answer leaves in the quickest way there is: remembered, from rollups, or by a scan."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import orjson

from app.clock import monotonic
from app.errors import TooExpensive
from app.sessionql.evaluate import Cell, bounds_of
from app.sessionql.literals import write_number
from app.sessionql.plan import Leaf, Window
from app.store.answers import (
    Answer,
    AnswerCache,
    Answered,
    Asked,
    State,
    key_of,
    looks_back,
)
from app.store.connect import snapshot
from app.store.leaves import compose
from app.store.rollups.answer import answer, is_answer
from app.store.rollups.chosen import Kept
from app.store.rollups.edges import Told
from app.store.rollups.shapes import ERROR
from app.store.sql import Statement

MAX_CELLS = 200_000  # of one leaf
_TOGETHER = 2  # leaves that are worth looking for together
KEPT = 100  # leaves of which it is remembered how they were answered
_DECIMALS = frozenset({"lcp", "inp", "cls", "ttfb", "fcp", "score_value"})
WITHIN = f"quantiles are within {ERROR:.1%} of the value"

Way = Callable[[sqlite3.Connection, Leaf, Window], Answer | None]


class LeafReader:
    """The part of a reader that answers the leaves of plans."""

    _db: sqlite3.Connection
    _is_exact: bool
    _notices: dict[str, None]
    _answered: deque[Answered]
    _foreseen: dict[tuple[Leaf, Window], tuple[State | None, Answer]]
    _cells: Kept
    answers: AnswerCache | None  # of this index, bounce and tenant alone

    def _bounded(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _statement(self, now: int) -> Statement:
        raise NotImplementedError

    def foresee(self, leaves: Iterable[Leaf], window: Window) -> frozenset[Leaf]:
        """Look once for all figures of an answer, which are about to be asked for.

        Args:
            leaves: of any filters; those that need no look at columns are left alone.
            window: their buckets.

        Returns:
            Those that were looked for.
        """
        asked = [
            each
            for each in dict.fromkeys(leaves)
            if not each.range_ms and (each, window) not in self._foreseen
        ]
        if self._is_exact or len(asked) < _TOGETHER:
            return frozenset()
        with self._bounded() as db:
            state = self.answers.state() if self.answers else None
            rest = [
                leaf for leaf in asked if not self._is_known(db, leaf, window, state)
            ]
            if len(rest) < _TOGETHER:
                return frozenset()
            # numpy takes memory that the indexer has no use for
            from app.store.columns.answer import answer_all  # noqa: PLC0415

            cells = answer_all(db, rest, window, self._statement(window.now))
            for leaf, each in cells.items():
                self._foreseen[leaf, window] = state, Answer(each, "columns", {})
            return frozenset(cells)

    def _is_known(
        self, db: sqlite3.Connection, leaf: Leaf, window: Window, state: State | None
    ) -> bool:
        """Tell whether memory or rollups answer a leaf; ask those when only that tells."""
        if self._remembered(db, leaf, window, state) is not None:
            return True
        with snapshot(db):
            told = is_answer(db, leaf, window, lambda: self._statement(window.now))
            if told is not None:
                return told
            found = self._roll(db, leaf, window)
        if found is not None:
            self._foreseen[leaf, window] = state, found
        return found is not None

    def _remembered(
        self,
        db: sqlite3.Connection,
        leaf: Leaf,
        window: Window,
        state: State | None,
    ) -> Answer | None:
        asked = _asked(leaf, window)
        if self.answers is None or state is None or asked is None:
            return None
        return self.answers.find(db, asked, state)

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value.

        Raises:
            BadRequest: the leaf asks for what cannot be.
            TooExpensive: it took too long, or has too many cells.
        """
        began = monotonic()
        with self._bounded() as db:
            found, by = self._answer(db, leaf, window)
        if len(found.cells) > MAX_CELLS:
            raise TooExpensive(
                f"over {MAX_CELLS:,} figures; ask for fewer labels or a longer step"
            )
        self._notices.update(dict.fromkeys(found.notices))
        ms = (monotonic() - began) * 1_000
        self._answered.append(Answered(leaf, by, ms, len(found.cells), found.details))
        return found.cells

    def tell_sampled(self, _leaf: Leaf, _window: Window) -> list[str]:
        """Return what to know of answers weighted as that of a leaf; none are here."""
        return []

    def take_notices(self) -> list[str]:
        """Return what to know of the answers given since the last call."""
        taken = list(self._notices)
        self._notices.clear()
        return taken

    def take_answered(self) -> list[Answered]:
        """Return how each leaf was answered since the last call, the last of many."""
        taken = list(self._answered)
        self._answered.clear()
        return taken

    def _answer(
        self, db: sqlite3.Connection, leaf: Leaf, window: Window
    ) -> tuple[Answer, str]:
        """Return an answer, and where it comes from."""
        foreseen = self._foreseen.pop((leaf, window), None)
        if foreseen is not None:
            state, found = foreseen
        else:
            # before looking, so never too new for it
            state = self.answers.state() if self.answers else None
            held = self._remembered(db, leaf, window, state)
            if held is not None:
                return held, "cache"
            found = self._ask(db, leaf, window)
        asked = _asked(leaf, window)
        if self.answers is not None and state is not None and asked is not None:
            self.answers.keep(asked, state, found)
        return found, found.by

    def _ask(self, db: sqlite3.Connection, leaf: Leaf, window: Window) -> Answer:
        """Try one way after the other; a scan always answers."""
        ways: tuple[Way, ...] = (self._roll, self._columns)
        if self._is_exact:  # sums of decimals are rounded otherwise than by a scan
            ways = () if leaf.field in _DECIMALS else (self._columns,)
        for way in ways:
            with snapshot(db):
                found = way(db, leaf, window)
            if found is not None:
                return found
        return Answer(self._scan(leaf, window), "scan", {})

    def _roll(
        self, db: sqlite3.Connection, leaf: Leaf, window: Window
    ) -> Answer | None:
        """Answer from rollups."""
        notices = (WITHIN,) if leaf.function == "quantile" else ()
        found = answer(
            db,
            leaf,
            window,
            lambda: self._statement(window.now),
            self._rest,
            self._values,
            self._cells,
        )
        return found and Answer(found.cells, "rollups", found.details, notices)

    def _columns(
        self, db: sqlite3.Connection, leaf: Leaf, window: Window
    ) -> Answer | None:
        """Answer from the columns of sessions."""
        # numpy takes memory that the indexer has no use for
        from app.store.columns import answer as columns  # noqa: PLC0415

        found = columns.answer(db, leaf, window, self._statement(window.now))
        return None if found is None else Answer(found, "columns", {})

    def _rest(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Answer what rollups do not know of a leaf."""
        found = self._columns(self._db, leaf, window)
        return self._scan(leaf, window) if found is None else found.cells

    def _values(self, leaf: Leaf, window: Window) -> Told | None:
        """Tell what the rest of a leaf is made of, when columns know."""
        from app.store.columns.every import values_of  # noqa: PLC0415

        return values_of(self._db, leaf, window, self._statement(window.now))

    def _scan(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Answer a leaf from the sessions themselves."""
        statement = self._statement(window.now)
        query = compose(statement, leaf, window)
        found = self._db.execute(query, statement.values).fetchmany(MAX_CELLS + 1)
        return list(expand(leaf, found))


def _asked(leaf: Leaf, window: Window) -> Asked | None:
    """Return under what an answer is remembered; None when it depends on the time."""
    key = key_of(leaf, window)
    return None if key is None else Asked(key, window, looks_back(leaf))


def expand(leaf: Leaf, found: list[Any]) -> Iterator[Cell]:
    """Turn rows into cells; of several quantiles and of buckets, a cell each."""
    if leaf.function == "histogram":
        bounds = bounds_of(leaf)
        for row in found:
            labels = row[1 + len(bounds) :]
            for bound, value in zip(bounds, row[1:], strict=False):
                yield (*labels, bound), row[0], value
    elif leaf.function == "quantile" and len(leaf.points) > 1:
        names = [write_number(point) for point in leaf.points]
        for row in found:
            values = orjson.loads(row[1]) if row[1] else [None] * len(names)
            for name, value in zip(names, values, strict=True):
                yield (*row[2:], name), row[0], value
    else:
        for row in found:
            yield row[2:], row[0], row[1]
