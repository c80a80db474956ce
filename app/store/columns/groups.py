"""Number the groups of an answer: what falls into one bucket under the same labels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.sessionql.plan import Window
from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.sorting import distinct
from app.store.columns.texts import Texts

_MOST = 1 << 62
_DENSE = 1 << 14  # numbers that a part may leave unused


@dataclass(frozen=True)
class Grouped:
    """Rows of a part by group.

    Attributes:
        codes: of each row a number from 0.
        keys: what the numbers stand for in all parts; each stands for one key.
    """

    codes: Array
    keys: Array

    @cached_property
    def counts(self) -> Array:
        """Return how many rows each has."""
        if len(self.keys) == 1:
            return np.array([len(self.codes)])
        return np.bincount(self.codes, minlength=len(self.keys))


class Groups:
    """The groups of one answer."""

    def __init__(self, by: tuple[str, ...], window: Window, parts: list[Part]) -> None:
        if len(set(by)) < len(by):
            raise NotInColumns("a label twice")
        self._window = window
        self._ids = {name: _united(name, parts) for name in by}
        self._step = window.step or 1 << 60
        self._first = window.start // self._step
        self._shape = [len(each) for each in self._ids.values()]
        buckets = (window.end - 1) // self._step - self._first + 1
        self._shape.append(max(buckets, 1))
        if np.prod(self._shape, dtype=object) > _MOST:
            raise NotInColumns("too many groups")

    def of(
        self, part: Part, rows: Array | slice, at: tuple[Array, int] | None = None
    ) -> Grouped:
        """Group some rows of a part.

        Args:
            part: of sessions.
            rows: places of sessions; the same one may be there several times.
            at: the bucket of each, and which one since 1970 is 0; None = the one in
                which its session began.
        """
        bucket, first, count = self._buckets(part, rows, at)
        codes, keys = bucket, np.arange(count) + first
        place = self._shape[-1]
        for name, held in reversed(self._ids.items()):
            labels = part.labels(name)
            here = labels.codes[rows].astype(np.int64)
            if len(keys) > 1:
                here *= len(keys)
                here += codes
            codes = here
            there, count = np.searchsorted(held, labels.ids) * place, len(keys)
            place *= len(held)
            if len(there) * count > _DENSE:
                used, codes = np.unique(codes, return_inverse=True)
                keys = there[used // count] + keys[used % count]
            else:
                keys = (there[:, None] + keys).reshape(-1)
        return Grouped(codes, keys)

    def _buckets(
        self, part: Part, rows: Array | slice, at: tuple[Array, int] | None
    ) -> tuple[Array, int, int]:
        """Return the bucket of each row from 0, what is 0, and how many there may be."""
        step = self._step
        if at is not None:
            numbers, first = at
            return numbers, first - self._first, int(numbers.max(initial=0)) + 1
        low = part.range[0] // step
        high = (part.range[1] - 1) // step
        if low == high:
            count = len(part) if isinstance(rows, slice) else len(rows)
            nought = np.broadcast_to(np.int64(0), count)  # takes no memory
            return nought, low - self._first, 1
        start = part.numbers("start").values[rows]
        return start // step - low, low - self._first, high - low + 1

    def named(
        self, keys: Array, texts: Texts
    ) -> tuple[list[tuple[str, ...]], list[int]]:
        """Return the labels and the bucket of each key."""
        *places, bucket = np.unravel_index(keys, self._shape)
        columns: list[list[str]] = []
        for (name, held), each in zip(self._ids.items(), places, strict=True):
            ids = held[each].tolist()
            known = texts.of(name, set(ids))
            columns.append([known.get(number, "") for number in ids])
        begins = [self._window.start] * len(keys)
        if self._window.step:
            begins = ((bucket + self._first) * self._step).tolist()
        labels: list[tuple[str, ...]] = [()] * len(keys)
        if columns:
            labels = list(zip(*columns, strict=True))
        return labels, begins


def _united(name: str, parts: list[Part]) -> Array:
    """Return the distinct values of a label in all parts, ascending."""
    every = [_EMPTY]
    for part in parts:
        every.append(part.ids(name))
        part.release()
    return distinct(np.concatenate(every))


_EMPTY = np.zeros(0, np.int64)
