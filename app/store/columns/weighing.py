"""Weigh what row groups gave: figures of some sessions that stand for several."""

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from app.sessionql.strata import DECIMALS
from app.store.columns.chunks import Array

Named = TypeVar("Named", bound=tuple[Any, ...])


def times(figures: Array, weight: float) -> Array:
    """Return *figures* as often as *weight* says, in numbers wide enough."""
    if weight == 1:
        return figures
    return np.multiply(figures, weight, dtype=np.result_type(figures, type(weight)))


def weighed(share: Named, weight: float, *names: str) -> Named:
    """Return a share whose figures of those names are weighed."""
    if weight == 1:
        return share
    found: dict[str, Array] = {
        name: times(getattr(share, name), weight) for name in names
    }
    return share._replace(**found)  # type: ignore[attr-defined, no-any-return]


def nothing_of(size: int, weights: Iterable[float]) -> Array:
    """Return *size* zeros, to which figures of those weights can be added."""
    return np.zeros(size, np.result_type(np.int64, *map(type, weights)))


def round_all(figures: Array) -> Array:
    """Return sums without what is too small to be more than an error of arithmetic.

    Whole numbers, where all of them are.
    """
    if figures.dtype.kind != "f":
        return figures
    rounded = np.round(figures, DECIMALS)
    whole = rounded.astype(np.int64)
    return whole if np.array_equal(whole, rounded) else rounded
