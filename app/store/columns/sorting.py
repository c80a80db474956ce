"""Distinct numbers without hashing, what is summed by them, and numbers anew."""

from collections.abc import Sequence

import numpy as np

from app.store.columns.chunks import Array


def distinct(values: Array) -> Array:
    """Return the distinct values, ascending.

    ``np.unique`` hashes whole numbers, which takes ten to thirty times as long.
    """
    if len(values) < 2:  # noqa: PLR2004 - nothing to compare
        return values.copy()
    held = np.sort(values)
    is_new = np.ones(len(held), bool)
    np.not_equal(held[1:], held[:-1], out=is_new[1:])
    return held[is_new]


def renumbered(codes: Array, count: int) -> tuple[Array, Array]:
    """Return which codes are used, ascending, and the place of each code among these.

    Args:
        codes: from 0.
        count: how many there may be.
    """
    present = np.bincount(codes, minlength=count) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1).take(codes)


def together(keys: list[Array], *columns: list[Array]) -> list[Array]:
    """Return the distinct keys, ascending, and each column summed by them."""
    every, where = np.unique(np.concatenate(keys), return_inverse=True)
    return [
        every,
        *(np.bincount(where, np.concatenate(each), len(every)) for each in columns),
    ]


def united(several: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return the distinct numbers of all, ascending, and of each the places in these.

    Args:
        several: none negative.
    """
    most = max((int(each.max(initial=0)) for each in several), default=0) + 1
    if most > max(_FEW, _DENSE * sum(map(len, several))):
        every = distinct(np.concatenate([_NONE, *several]))
        return every, [np.searchsorted(every, each) for each in several]
    table = np.zeros(most, np.int32)
    for each in several:
        table[each] = 1
    every = np.flatnonzero(table)
    table[every] = np.arange(len(every))
    return every, [table.take(each) for each in several]


_NONE = np.zeros(0, np.int64)
_FEW = 1 << 16  # numbers below that are looked up in a table,
_DENSE = 16  # and those below so many times how many they are
