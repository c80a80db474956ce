"""Figures over groups: a share from each part, then all of them together.

A figure takes what each part gives (``add``) and says in the end, for each group, what
it is (``result``): a list of values, one for each key of ``keys``, ascending.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import numpy as np

from app.store.columns.chunks import Array, narrowest
from app.store.columns.events import begins_of
from app.store.columns.groups import Grouped
from app.store.columns.parts import NotInColumns
from app.store.columns.sorting import distinct

Values = list[float | None]
_CELLS = 1 << 22  # of the histograms of a part
_FLAGS = 1 << 25  # bytes that sets of users may take while they are united


class Figure(Protocol):
    """What makes one figure of many rows."""

    @property
    def nbytes(self) -> int:
        """Return how much memory the values take that are held until the end."""

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part.

        Args:
            grouped: their groups.
            values: their numbers.
            known: where something is said; None = everywhere.
        """

    def result(self) -> tuple[Array, list[Values]]:
        """Return the keys of the groups, and the values of each figure."""


class _Parts:
    """What parts gave: keys, and a number of columns."""

    def __init__(self) -> None:
        self.keys: list[Array] = []
        self.columns: list[tuple[Array, ...]] = []

    def add(self, grouped: Grouped, *columns: Array) -> None:
        present = grouped.counts > 0
        self.keys.append(grouped.keys[present])
        self.columns.append(tuple(each[present] for each in columns))

    def together(self, *unite: Callable[[Array, Array, int], Array]) -> list[Array]:
        """Return the keys and each column, united as *unite* says."""
        if not self.keys:
            return [_NONE for _ in (0, *unite)]
        keys, where = np.unique(np.concatenate(self.keys), return_inverse=True)
        return [
            keys,
            *(
                each(where, np.concatenate(column), len(keys))
                for each, column in zip(
                    unite, zip(*self.columns, strict=True), strict=True
                )
            ),
        ]


_NONE = np.zeros(0, np.int64)


def _sum(codes: Array, values: Array, count: int) -> Array:
    if count == 1:
        return np.array([values.sum()], np.float64)
    return np.bincount(codes, values, count)


def _least(codes: Array, values: Array, count: int) -> Array:
    if count == 1:
        return np.array([values.min()] if len(values) else [np.inf], np.float64)
    found = np.full(count, np.inf)
    np.minimum.at(found, codes, values)
    return found


def _most(codes: Array, values: Array, count: int) -> Array:
    return -_least(codes, -values, count)


class Count:
    """How many rows."""

    nbytes = 0  # but for a few of each group

    def __init__(self) -> None:
        self._parts = _Parts()

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:  # noqa: ARG002
        """Take the rows of a part."""
        self._parts.add(grouped, grouped.counts)

    def result(self) -> tuple[Array, list[Values]]:
        """Return the counts."""
        keys, counts = self._parts.together(_sum)
        return keys, [counts.astype(np.int64).tolist()]


class Total:
    """The sum, the mean, the least or the most of what is said.

    Args:
        function: sum, avg, min or max.
        divisor: what whole numbers are divided by in the end.
    """

    nbytes = 0  # but for a few of each group

    def __init__(self, function: str, divisor: int = 1) -> None:
        self._function, self._divisor = function, divisor
        self._unite = {"min": _least, "max": _most}.get(function, _sum)
        self._parts = _Parts()

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part."""
        codes, size, counts = grouped.codes, len(grouped.keys), grouped.counts
        if known is not None:
            codes, values = codes[known], values[known]
            counts = np.bincount(codes, minlength=size)
        self._parts.add(grouped, self._unite(codes, values, size), counts)

    def result(self) -> tuple[Array, list[Values]]:
        """Return the figures; None where nothing is said."""
        keys, found, counts = self._parts.together(self._unite, _sum)
        if self._function == "avg":
            found = found / np.maximum(counts, 1)
        values = found.tolist()
        if self._divisor > 1:
            values = [each / self._divisor for each in values]
        elif self._function != "avg":
            values = [each if each % 1 else int(each) for each in values]
        return keys, [
            [v if n else None for v, n in zip(values, counts.tolist(), strict=True)]
        ]


class Histogram:
    """How many are at most each bound, and how many there are."""

    nbytes = 0  # but for a few of each group

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._parts = _Parts()

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part."""
        codes, size, bounds = grouped.codes, len(grouped.keys), len(self._bounds)
        if known is not None:
            codes, values = codes[known], values[known]
        if (bounds + 1) * size > _CELLS:
            raise NotInColumns("many bounds")
        # of each the first bound that it is at most, or the one after all
        first = np.searchsorted(self._bounds, values).astype(np.int64)
        first *= size
        first += codes
        counts = np.bincount(first, minlength=(bounds + 1) * size)
        self._parts.add(grouped, *counts.reshape(bounds + 1, size).cumsum(axis=0))

    def result(self) -> tuple[Array, list[Values]]:
        """Return the counts; None where nothing is said."""
        keys, *found = self._parts.together(*[_sum] * (len(self._bounds) + 1))
        *under, counts = (each.astype(np.int64).tolist() for each in found)
        said = [
            [v if n else None for v, n in zip(each, counts, strict=True)]
            for each in under
        ]
        return keys, [*said, counts]


class Quantiles:
    """Quantiles of what is said: linear between the closest ranks."""

    def __init__(self, points: tuple[float, ...], divisor: int = 1) -> None:
        self._points, self._divisor = points, divisor
        self._keys: list[Array] = []
        self._sizes: list[Array] = []
        self._values: list[Array] = []  # of a part, one group after the other

    @property
    def nbytes(self) -> int:
        """Return how much memory the values take."""
        return sum(each.nbytes for each in self._values)

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part."""
        used, codes = _packed(grouped)
        if known is not None:
            codes, values = codes[known], values[known]
        sizes = np.array([len(values)])
        if len(used) > 1:
            sizes = np.bincount(codes, minlength=len(used))
            narrow: Array = codes.astype(
                narrowest(len(used) - 1)
            )  # the fewer bytes, the quicker
            values = values.take(np.argsort(narrow, kind="stable"))
        self._keys.append(used)
        self._sizes.append(sizes)
        self._values.append(_narrow(values))

    def result(self) -> tuple[Array, list[Values]]:
        """Return the quantiles; None where nothing is said."""
        if not self._keys:
            return _NONE, [[] for _ in self._points]
        every = np.concatenate(self._keys)
        order = np.argsort(every, kind="stable")
        begins = begins_of(every[order]).tolist()
        pieces = self._pieces()
        found: list[Values] = [[] for _ in self._points]
        for low, high in pairwise([*begins, len(order)]):
            # a group at a time, so that they are not all there twice
            values = np.concatenate([pieces[at] for at in order[low:high].tolist()])
            for column, value in zip(found, self._of(values), strict=True):
                column.append(value)
        return every[order[begins]], found

    def _pieces(self) -> list[Array]:
        """Return the values of each group of each part."""
        return [
            values[low:high]
            for sizes, values in zip(self._sizes, self._values, strict=True)
            for low, high in pairwise([0, *np.cumsum(sizes).tolist()])
        ]

    def _of(self, values: Array) -> Values:
        """Return the quantiles of numbers, which are sorted in place."""
        if not len(values):
            return [None for _ in self._points]
        values.sort()  # quicker than to select
        found: Values = []
        for rank in [point * (len(values) - 1) for point in self._points]:
            below = int(rank)
            above = min(below + 1, len(values) - 1)
            low, high = values[below].item(), values[above].item()
            low, high = low / self._divisor, high / self._divisor
            found.append(low + (high - low) * (rank - below))
        return found


class Distinct:
    """How many different strings are said, by their numbers; 0 = nothing."""

    def __init__(self) -> None:
        self._keys: list[Array] = []
        self._pairs: list[tuple[Array, Array]] = []  # codes, numbers

    @property
    def nbytes(self) -> int:
        """Return how much memory the strings take."""
        return sum(codes.nbytes + values.nbytes for codes, values in self._pairs)

    def add(self, grouped: Grouped, values: Array, known: Array | None) -> None:
        """Take the rows of a part."""
        used, codes = _packed(grouped)
        if known is not None:
            codes, values = codes[known], values[known]
        self._keys.append(used)
        self._pairs.append((_narrow(codes), _narrow(values)))

    def result(self) -> tuple[Array, list[Values]]:
        """Return the counts."""
        if not self._keys:
            return _NONE, [[]]
        keys, codes = _renumbered(self._keys, [each for each, _ in self._pairs])
        values = np.concatenate([each for _, each in self._pairs])
        self._pairs = []  # so that none is there twice
        most = int(values.max(initial=0)) + 1
        pairs = values if len(keys) == 1 else codes.astype(np.int64) * most + values
        if len(keys) * most <= _FLAGS:
            flags = np.zeros(len(keys) * most, bool)
            flags[pairs] = True
            counts = flags.reshape(len(keys), most).sum(axis=1)
        else:
            counts = np.bincount(distinct(pairs) // most, minlength=len(keys))
        return keys, [counts.tolist()]


def _packed(grouped: Grouped) -> tuple[Array, Array]:
    """Return the keys that are there, and the codes as places in them."""
    present = grouped.counts > 0
    if present.all():
        return grouped.keys, grouped.codes
    places = np.cumsum(present) - 1
    return grouped.keys[present], places[grouped.codes]


def _narrow(values: Array) -> Array:
    """Return whole numbers in half the memory, where they fit."""
    if values.dtype != np.int64 or not len(values):
        return values
    if values.strides == (0,):  # all are alike: takes none
        return values
    fits = values.min() >= -_HALF and values.max() < _HALF
    return values.astype(np.int32) if fits else values


def _renumbered(keys: list[Array], codes: list[Array]) -> tuple[Array, Array]:
    """Return all keys, ascending, and the codes of all parts as places in them."""
    every, where = np.unique(np.concatenate(keys), return_inverse=True)
    if len(every) == 1:
        return every, np.broadcast_to(np.int32(0), sum(map(len, codes)))
    where = where.astype(np.int32)
    begins = np.cumsum([0, *map(len, keys)]).tolist()
    return every, np.concatenate(
        [where[begin:].take(each) for begin, each in zip(begins, codes, strict=False)]
    )


_HALF = 1 << 31
