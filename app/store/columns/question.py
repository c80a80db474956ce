"""A question about people, problems or journeys, asked of columns."""

import sqlite3
from collections.abc import Callable, Hashable, Iterator

import numpy as np

from app.errors import TooExpensive
from app.sessionql.filters import And, Any, Compare, Filter, gather, walk
from app.sessionql.plan import Window
from app.store.columns.chunks import Array
from app.store.columns.comparing import Mask, packed, unpacked
from app.store.columns.events import match_events
from app.store.columns.few import find_chosen
from app.store.columns.masks import Masks
from app.store.columns.measures import Measures
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.returning import Returning
from app.store.columns.shares import SHARES, Share
from app.store.columns.texts import Texts
from app.store.conditions import split
from app.store.connect import Deadline
from app.store.sql import Statement

_MOST_READ = 0.1  # of the window, from the tables; of more, these answer as quickly
_AT_LEAST = 3 * 3_600_000  # ms that may always be read from there
_CHANGING = frozenset({"active", "returning"})  # they change with time, and with others


class Question:
    """Sessions of a window that a filter selects, part by part.

    Args:
        db: the index, in a transaction.
        window: in which they began.
        selector: what they meet.
        asked: whose they are, which definition of bounce, and when is asked.
        kind: of the events that are asked about, which the filter may select too.
        deadline: when the time for the answer is over; None = never.

    Raises:
        NotInColumns: the filter is not for columns.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        window: Window,
        selector: Filter,
        asked: Statement,
        kind: str = "",
        deadline: Deadline | None = None,
    ) -> None:
        self.db, self.window, self._kind, self._deadline = db, window, kind, deadline
        length = window.end - window.start
        most = max(int(_MOST_READ * length), min(_AT_LEAST, length // 2))
        self._sessions, self._events = _split(gather(selector), kind)
        chosen = And((self._sessions, Any(kind, self._events)))
        self.parts = find_chosen(db, chosen, (window.start, window.end), most)
        self.texts = Texts(db)
        tenant = db.execute("select id from sources where tenant = ?", (asked.tenant,))
        ours = frozenset(number for (number,) in tenant)
        returning = Returning(db, self.parts, window.start, ours)
        self.measures = Measures(db, asked.bounce, asked.now, returning)
        self.masks = Masks(self.texts, self.measures, ours)
        fields = {
            each.field
            for part in (self._sessions, self._events)
            for each in walk(part)
            if isinstance(each, Compare)
        }
        self._is_lasting = not fields & _CHANGING
        self.tenant = ours
        self._key = (ours, asked.bounce, self._sessions, self._events, kind)

    def __iter__(self) -> Iterator[Part]:
        """Yield the parts, as long as there is time.

        Raises:
            TooExpensive: there is none.
        """
        for part in self.parts:
            if self._deadline is not None and self._deadline():
                raise TooExpensive(
                    f"the query took over {self._deadline.seconds:g} s;"
                    " ask for less time or a narrower filter"
                )
            yield part
            part.release()

    def share(
        self, part: Part, what: Hashable, compute: Callable[[Part], Share]
    ) -> Share:
        """Return what a part gives; computed once of row groups.

        Args:
            part: of the window.
            what: tells this share from others of the same sessions.
            compute: returns it, given the part.
        """
        if not part.group or not self._is_lasting:
            return compute(part)
        rows = (part.rows.start, part.rows.stop)
        key = (part.group, rows, self._key, what)
        return SHARES.of(key, lambda: _released(part, compute))

    def always(
        self, part: Part, what: Hashable, compute: Callable[[Part], Share]
    ) -> Share:
        """Return what all of the tenant's sessions of a part give, as ``share`` does."""
        if not part.group:
            return compute(part)
        rows = (part.rows.start, part.rows.stop)
        key = (part.group, rows, self.tenant, what)
        return SHARES.of(key, lambda: _released(part, compute))

    def sessions(self, part: Part) -> Mask:
        """Return which sessions of a part are meant."""
        every, bits = self.share(
            part, "sessions", lambda each: packed(self.masks.of(each, self._sessions))
        )
        return unpacked(every, bits, len(part))

    def rows(self, part: Part) -> Array:
        """Return the places of the sessions of a part that are meant, ascending."""
        mask = self.sessions(part)
        if isinstance(mask, bool):
            return np.arange(len(part) if mask else 0)
        return np.flatnonzero(mask)

    def events(self, part: Part) -> Mask:
        """Return which events of the kind that is asked about are meant."""
        if self._events == And():
            return True
        return match_events(self.texts, part, self._kind, self._events)


def _released(part: Part, compute: Callable[[Part], Share]) -> Share:
    """Compute a share, and let go of the columns that it was made of."""
    share = compute(part)
    part.release()
    return share


def _split(selector: Filter, kind: str) -> tuple[Filter, Filter]:
    """Divide a filter into what sessions must meet, and what events of *kind* must."""
    if not kind:
        return selector, And()
    sessions, events = split(selector, kind)
    if events is None:
        return sessions, And()
    if not isinstance(events, Any):
        raise NotInColumns("several conditions on events")
    return sessions, events.part
