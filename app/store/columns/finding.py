"""Find sessions by column: one page of them in a total order, and how many there are."""

from typing import NamedTuple

import numpy as np

from app.catalog.fields import FIELDS
from app.store.columns.chunks import Array, Labels
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.sorting import distinct

Key = str | float
_EMPTY = np.zeros(0, np.int64)


class Order(NamedTuple):
    """A page of an order: by a field, then by row id, both in one direction.

    Attributes:
        after: key and row id of the last session of the page before.
        limit: sessions wanted.
    """

    field: str
    descending: bool
    after: tuple[Key, int] | None
    limit: int


def find_in_columns(
    question: Question, order: Order, *, is_counted: bool
) -> tuple[list[tuple[int, Key]], int]:
    """Find sessions.

    Args:
        question: which are meant.
        order: of the page.
        is_counted: how many there are is wanted.

    Returns:
        Row id and key of each session of the page; and how many there are in all, 0
        when nobody asked.

    Raises:
        NotInColumns: it is not for columns.
    """
    keys = _Keys(question, order)
    best = _Best(order, keys.after())
    total = 0
    parts = list(question)
    by_time = order.field == "start"
    for part in reversed(parts) if order.descending else parts:
        is_full = by_time and best.is_full
        if is_full and not is_counted:
            break
        mask = question.sessions(part)
        total += len(part) * mask if isinstance(mask, bool) else int(mask.sum())
        if mask is not False and not is_full:
            rows = slice(None) if mask is True else np.flatnonzero(mask)
            best.add(keys.of(part)[rows], part.numbers("id").values[rows])
        part.release()
    found = [(row, keys.shown(key)) for row, key in best.result()]
    return found, total if is_counted else 0


class _Best:
    """The first sessions of an order, of those added so far."""

    def __init__(self, order: Order, after: tuple[float, int] | None) -> None:
        self._sign = -1 if order.descending else 1
        self._limit = order.limit
        self._after = after and (self._sign * after[0], self._sign * after[1])
        self._keys: Array = _EMPTY
        self._ids: Array = _EMPTY

    @property
    def is_full(self) -> bool:
        """Return whether there are as many as are wanted."""
        return len(self._ids) >= self._limit

    def add(self, keys: Array, ids: Array) -> None:
        """Add sessions."""
        keys, ids = self._sign * keys, self._sign * ids
        if self._after is not None:
            key, row = self._after
            keys, ids = _where((keys > key) | ((keys == key) & (ids > row)), keys, ids)
        if self.is_full:
            keys, ids = _where(keys <= self._keys[-1], keys, ids)
        keys, ids = _least(keys, ids, self._limit)
        keys = np.concatenate([self._keys, keys]) if len(self._keys) else keys
        ids = np.concatenate([self._ids, ids])
        first = np.lexsort((ids, keys))[: self._limit]
        self._keys, self._ids = keys[first], ids[first]

    def result(self) -> list[tuple[int, float]]:
        """Return row ids and keys, in order."""
        ids, keys = (self._sign * self._ids), (self._sign * self._keys)
        return list(zip(ids.tolist(), keys.tolist(), strict=True))


def _where(mask: Array, keys: Array, ids: Array) -> tuple[Array, Array]:
    return keys[mask], ids[mask]


def _least(keys: Array, ids: Array, limit: int) -> tuple[Array, Array]:
    """Return the least *limit* pairs, in any order, without sorting all of them."""
    if len(keys) <= limit:
        return keys, ids
    edge = np.partition(keys, limit - 1)[limit - 1]
    less, tied = np.flatnonzero(keys < edge), np.flatnonzero(keys == edge)
    wanted = limit - len(less)
    if len(tied) > wanted:
        tied = tied[np.argpartition(ids[tied], wanted - 1)[:wanted]]
    chosen = np.concatenate([less, tied])
    return keys[chosen], ids[chosen]


class _Keys:
    """What sessions are ordered by: numbers, or the ranks of texts among all of them."""

    def __init__(self, question: Question, order: Order) -> None:
        self._question, self._order = question, order
        field = FIELDS[order.field]
        self._is_text = field.type == "string" and order.field != "status"
        self._is_flag = field.type == "boolean"
        self._texts: list[str] = []
        self._ids = self._ranks = _EMPTY
        if self._is_text:
            self._rank()

    def _rank(self) -> None:
        every = [_EMPTY]
        for part in self._question.parts:
            every.append(self._labels(part).ids)
            part.release()
        ids = distinct(np.concatenate(every))
        numbers = ids.tolist()
        known = self._question.texts.of(self._order.field, numbers)
        named = {number: known.get(number, "") for number in numbers}
        self._texts = sorted(set(named.values()))
        ranks = {text: rank for rank, text in enumerate(self._texts)}
        self._ids = ids
        self._ranks = np.array([ranks[named[number]] for number in numbers], np.int64)

    def _labels(self, part: Part) -> Labels:
        return part.labels(self._order.field)

    def of(self, part: Part) -> Array:
        """Return the key of each session."""
        field = self._order.field
        if self._is_text:
            labels = self._labels(part)
            return self._ranks[np.searchsorted(self._ids, labels.ids)][labels.codes]
        if field == "status":
            labels = self._labels(part)
            return labels.ids[labels.codes]
        column = self._question.measures.of(part, field)
        if column.known is None:
            return column.values
        if self._is_flag:
            return np.where(column.known, column.values, -1)
        raise NotInColumns(field)  # where nothing is said, the tables know an order

    def after(self) -> tuple[float, int] | None:
        """Return after which key and row the page begins."""
        if self._order.after is None:
            return None
        key, row = self._order.after
        if self._is_text:
            if not isinstance(key, str) or key not in self._texts:
                raise NotInColumns("the text is gone")
            return self._texts.index(key), row
        if isinstance(key, str):
            raise NotInColumns("no number")
        return key, row

    def shown(self, key: float) -> Key:
        """Return a key as a cursor has it."""
        return self._texts[int(key)] if self._is_text else key
