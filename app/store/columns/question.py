"""A question about people, problems or journeys, asked of columns."""

import sqlite3
from collections.abc import Callable, Hashable, Iterator
from copy import copy

import numpy as np

from app.errors import TooExpensive
from app.sessionql.filters import And, Any, Compare, Filter, Not, Or, gather, walk
from app.sessionql.plan import Window
from app.sessionql.strata import Stratum, possible
from app.store.columns.chunks import Array
from app.store.columns.comparing import Mask, both, packed, unpacked
from app.store.columns.events import match_events
from app.store.columns.few import conditions_of, find_chosen
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
        reach: since when they began, and how much time may be read from the tables, ms;
            None = since the window begins, and a tenth of it.
        beside: another one, in the same transaction, that shares what it found.

    Attributes:
        parts: in which the sessions are, beside others; one list for questions beside
            one another that are about the same time.
        known: such lists.
        tenant: its sources.
        bounce: which definition.
        deadline: when the time for the answer is over; None = never.
        weight: for how many sessions each stands; 1 until they are divided.

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
        *,
        reach: tuple[int, int] | None = None,
        beside: "Question | None" = None,
    ) -> None:
        self.db, self.window, self._kind = db, window, kind
        self.deadline: Deadline | None = None
        start, most = reach or (window.start, _most_read(window))
        self._sessions, self._events = _split(gather(selector), kind)
        chosen = And((self._sessions, Any(kind, self._events)))
        self.known: dict[object, list[Part]] = beside.known if beside else {}
        span = (start, window.end)
        self.parts = find_chosen(db, chosen, span, most, self.known)
        self.texts: Texts = beside.texts if beside else Texts(db)
        tenant = db.execute("select id from sources where tenant = ?", (asked.tenant,))
        ours = frozenset(number for (number,) in tenant)
        if beside and beside.parts is self.parts:
            self.measures: Measures = beside.measures
            self.masks: Masks = beside.masks
        else:
            returning = Returning(db, self.parts, window.start, ours)
            self.measures = Measures(db, asked.bounce, asked.now, returning)
            self.masks = Masks(self.texts, self.measures, ours)
        self._is_lasting = not _is_changing(self._sessions, self._events)
        self.tenant, self.bounce = ours, asked.bounce
        self._conditions = list(conditions_of(self._sessions))
        self._who = (ours, asked.bounce)
        self._key: tuple[Hashable, ...] = (
            *self._who, self._sessions, self._events, kind,
        )  # fmt: skip
        self.weight: float = 1
        self._strata = possible(asked.strata, selector)

    def __iter__(self) -> Iterator[Part]:
        """Yield the parts, as long as there is time.

        Raises:
            TooExpensive: there is none.
        """
        for part in self.parts:
            if self.deadline is not None and self.deadline():
                raise TooExpensive(
                    f"the query took over {self.deadline.seconds:g} s;"
                    " ask for less time or a narrower filter"
                )
            yield part
            part.release()

    def by_stratum(self) -> Iterator[tuple["Question", Part]]:
        """Yield the parts, each with a question for every rate of sampling.

        Questions have weights; where all sessions were kept, it is this one.
        """
        strata = [self._of(each) for each in self._strata] or [self]
        for part in self:
            for each in strata:
                yield each, part

    def _of(self, stratum: Stratum) -> "Question":
        """Return the question about the sessions of one stratum."""
        one = copy(self)
        one.weight = stratum.weight
        if len(self._strata) > 1:
            one.narrow(stratum.selector)
        return one

    def narrow(self, condition: Filter) -> None:
        """Ask about sessions that meet one more condition."""
        self._conditions = [*self._conditions, condition]
        self._key = (*self._key, condition)

    def share(
        self,
        part: Part,
        what: Hashable,
        compute: Callable[[Part], Share],
        largest: int | None = None,
    ) -> Share:
        """Return what a part gives; computed once of row groups.

        Args:
            part: of the window.
            what: tells this share from others of the same sessions.
            compute: returns it, given the part.
            largest: bytes of a share that is worth keeping; None = any.
        """
        if not part.group or not self._is_lasting:
            return compute(part)
        rows = (part.rows.start, part.rows.stop)
        key = (part.group, rows, self._key, what)
        return SHARES.of(key, lambda: _released(part, compute), largest)

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
        mask = self._met(part, None)
        for each in self._conditions:
            if mask is False:
                break
            mask = both(mask, self._met(part, each))
        return mask if isinstance(mask, bool) or mask.any() else False

    def _met(self, part: Part, condition: Filter | None) -> Mask:
        """Return which sessions meet a condition; of None which are the tenant's."""

        def compute(part: Part) -> tuple[bool | None, Array]:
            """Return whether all or none do, else None; and which do, as bits."""
            if condition is None:
                return packed(self.masks.ours(part))
            return packed(self.masks.met(part, condition))

        if not part.group or (condition is not None and _is_changing(condition)):
            every, bits = compute(part)
        else:
            rows = (part.rows.start, part.rows.stop)
            key = (part.group, rows, self._who, "met", condition)
            every, bits = SHARES.of(key, lambda: compute(part))
        return unpacked(every, bits, len(part))

    def rows(self, part: Part) -> Array:
        """Return the places of the sessions of a part that are meant, ascending."""
        mask = self.sessions(part)
        if isinstance(mask, bool):
            return np.arange(len(part) if mask else 0)
        return np.flatnonzero(mask)

    def is_about(self, fields: frozenset[str]) -> bool:
        """Tell whether no other fields choose the sessions, and nothing the events."""
        if self._events != And():
            return False
        every = (each for condition in self._conditions for each in walk(condition))
        return all(
            isinstance(each, And | Or | Not)
            or (isinstance(each, Compare) and each.field in fields)
            for each in every
        )

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


def _most_read(window: Window) -> int:
    """Return how much time may be read from the tables, ms."""
    length = window.end - window.start
    return max(int(_MOST_READ * length), min(_AT_LEAST, length // 2))


def _is_changing(*parts: Filter) -> bool:
    """Tell whether a filter may select others of the same sessions later."""
    return any(
        isinstance(each, Compare) and each.field in _CHANGING
        for part in parts
        for each in walk(part)
    )


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
