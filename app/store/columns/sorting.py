"""Distinct numbers without hashing, what is summed by them, and numbers anew."""

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
