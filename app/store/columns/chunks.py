"""One column of a row group: numbers in few bytes each, and back.

Whole numbers are stored as their distance from the smallest, in as few bytes as the
largest distance needs; in ascending columns as the distance from the row before. What
repeats, such as the numbers of strings, is stored as the list of its distinct values and
for each row the place in that list; so are decimals, but for those of few places, which
are stored as whole numbers.
Where nothing is said (NULL), the distance is 0, and all others begin at 1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NULL = -(1 << 63)  # stands for NULL in whole numbers on their way into a chunk
MOST = (1 << 63) - 2  # distance that fits
_LISTED = 0.75  # of the bytes that decimals take as they are
_NAN = np.full(1, np.nan)
_SCALES = (1, 10, 100, 1_000, 10_000)
EXACT = float(1 << 53)
_EVERY = slice(None)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: ``(distances + offset) / scale``.

    Attributes:
        distances: unsigned, one a row; of decimals without a scale, places in *table*
            or, without one, the numbers themselves, NaN for NULL.
        offset: what is added; with NULLs it belongs to the distance 0.
        has_null: the distance 0 is NULL.
        scale: what is divided by; 0 = the numbers are stored as they are.
        table: distinct decimals; NaN for NULL, the first where there is one.
    """

    distances: Array
    offset: int = 0
    has_null: bool = False
    scale: int = 1
    table: Array | None = None

    def __len__(self) -> int:
        return len(self.distances)

    @property
    def nbytes(self) -> int:
        """Return how much memory it takes."""
        listed = 0 if self.table is None else self.table.nbytes
        return int(self.distances.nbytes + listed)

    @property
    def is_nothing(self) -> bool:
        """Tell of whole numbers whether all are 0, as it is stored."""
        return self.distances.strides == (0,) and not (self.offset or self.has_null)

    @cached_property
    def known(self) -> Array | None:
        """Return where something is said; None where it is everywhere."""
        if not self.scale and self.table is None:
            nothing = np.isnan(self.distances)
            return ~nothing if nothing.any() else None
        return self.distances != 0 if self.has_null else None

    @cached_property
    def values(self) -> Array:
        """Return the numbers: int64, or float64 of decimals; without meaning at NULLs."""
        if self.table is not None:
            return self.table.take(self.distances)
        if not self.scale:
            return self.distances
        return self.whole if self.scale == 1 else self.whole / self.scale

    @cached_property
    def whole(self) -> Array:
        """Return the numbers before they are divided by the scale; int64."""
        if self.distances.strides == (0,):  # all are alike
            alike = np.int64(self.offset + int(self.distances[0]) if len(self) else 0)
            return np.broadcast_to(alike, len(self))
        whole: Array = self.distances.astype(np.int64)
        if self.offset:
            whole += self.offset
        return whole

    def at(self, row: int) -> int:
        """Return one whole number; without meaning where it is NULL."""
        return int(self.distances[row]) + self.offset

    def cut(self, rows: slice | Array) -> "Numbers":
        """Return some of its rows."""
        cut = self.distances
        if cut.strides == (0,) and not isinstance(rows, slice):  # all are alike
            cut = np.broadcast_to(cut[:1], len(rows)) if len(rows) else cut[:0]
        else:
            cut = cut[rows]
        return Numbers(cut, self.offset, self.has_null, self.scale, self.table)


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of which values repeat: numbers of strings, mostly.

    Attributes:
        codes: unsigned, one a row: the place in ``ids``.
        ids: distinct, ascending, int64; 0 is NULL.
    """

    codes: Array
    ids: Array

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """Return how much memory it takes."""
        return int(self.codes.nbytes + self.ids.nbytes)

    def at(self, row: int) -> int:
        """Return the number of one row."""
        return int(self.ids[self.codes[row]])

    def cut(self, rows: slice) -> "Labels":
        """Return some of its rows."""
        return Labels(self.codes[rows], self.ids)


Column = Numbers | Labels


def make_numbers(values: Array) -> Numbers | None:
    """Make a column of int64 (``NULL`` for NULL) or of float64 (NaN for NULL).

    Returns:
        None when the numbers are too far apart.
    """
    if values.dtype.kind == "f":
        return _make_decimals(values)
    nothing = values == NULL
    has_null = bool(nothing.any())
    known = values[~nothing] if has_null else values
    if not len(known):
        return Numbers(np.zeros(len(values), np.uint8), 0, has_null=has_null)
    offset = int(known.min()) - has_null
    span = int(known.max()) - offset
    if span > MOST or offset <= NULL:
        return None
    distances = values - offset
    if has_null:
        distances[nothing] = 0
    return Numbers(distances.astype(narrowest(span)), offset, has_null)


def _make_decimals(values: Array) -> Numbers:
    nothing = np.isnan(values)
    if not np.isinf(values).any():
        for scale in _SCALES:
            whole = np.rint(np.where(nothing, 0, values) * scale)
            if np.abs(whole).max(initial=0) >= EXACT:
                break
            if (nothing | (whole / scale == values)).all():
                found = make_numbers(np.where(nothing, NULL, whole.astype(np.int64)))
                if found is not None:
                    return Numbers(found.distances, found.offset, found.has_null, scale)
    return _listed(values, nothing) or Numbers(values, scale=0)


def _listed(values: Array, nothing: Array) -> Numbers | None:
    """Return decimals as places in a list; None where that takes no less."""
    distinct, codes = np.unique(values[~nothing].view(np.int64), return_inverse=True)
    has_null = bool(nothing.any())
    narrow = narrowest(len(distinct))
    if (
        8 * len(distinct) + np.dtype(narrow).itemsize * len(values)
        > _LISTED * values.nbytes
    ):
        return None
    distances: Array = np.zeros(len(values), narrow)
    distances[~nothing] = codes + has_null
    table = np.concatenate([_NAN[:has_null], distinct.view(np.float64)])
    return Numbers(distances, 0, has_null, 0, table)


def make_labels(ids: Array) -> Labels:
    """Make a column of int64 that repeat; ``NULL`` for NULL."""
    distinct, codes = np.unique(np.where(ids == NULL, 0, ids), return_inverse=True)
    return Labels(codes.astype(narrowest(max(len(distinct) - 1, 0))), distinct)


def narrowest(largest: int) -> type:
    """Return the smallest unsigned type that holds numbers up to *largest*."""
    for bound, dtype in _NARROW:
        if largest < bound:
            return dtype
    return np.uint64


_NARROW = ((1 << 8, np.uint8), (1 << 16, np.uint16), (1 << 32, np.uint32))
