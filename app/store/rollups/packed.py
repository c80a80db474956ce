"""Numbers of many cells side by side: packed, read back, grouped."""

import sqlite3
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.store.rollups.shapes import Entries, Ints, distinct
from app.store.rollups.tables import bucket_of_key, key_of

_WIDTHS = ((1, "<u1"), (2, "<u2"), (4, "<u4"), (8, "<i8"))
_TYPES = dict(_WIDTHS)

Span = tuple[int, int, int]  # level, [start, end), ms


def pack(numbers: Ints) -> bytes:
    """Return numbers in as few bytes each as the largest needs; none when all are 0."""
    if not len(numbers) or not numbers.any():
        return b""
    low, high = int(numbers.min()), int(numbers.max())
    for width, kind in _WIDTHS:
        if low >= 0 and high < 1 << (8 * width):
            return numbers.astype(kind).tobytes()
    return numbers.astype("<i8").tobytes()


class Groups(NamedTuple):
    """Rows that are alike, numbered.

    Attributes:
        codes: the group of each row, 0...
        keys: what the rows of each group have in common.
    """

    codes: Ints
    keys: list[tuple[int, ...]]


def group(columns: Sequence[Ints], size: int) -> Groups:
    """Number the rows of *columns*, each of *size* numbers that are not negative."""
    codes: Ints = np.zeros(size, np.int64)
    held: list[tuple[int, ...]] = [()] if size else []
    for column in columns:
        values, places = distinct(column)
        several = len(values)
        pairs, codes = distinct(codes * several + places)
        named = values.tolist()
        held = [
            (*held[pair // several], named[pair % several]) for pair in pairs.tolist()
        ]
    return Groups(codes, held)


class Held:
    """The cells of one dimension in some buckets of time, read part by part.

    Attributes:
        size: how many cells.
        buckets: when the bucket of each begins, ms.
    """

    def __init__(
        self, db: sqlite3.Connection, dimension: int, spans: Sequence[Span]
    ) -> None:
        self._db, self._dimension, self._spans = db, dimension, spans
        self._sizes = [
            (level, key, n) for level, key, n, _ in self._rows("source")
        ]  # every cell has a source
        sizes = [n for *_, n in self._sizes]
        self.size = sum(sizes)
        begins = [bucket for _, bucket, _ in self._sizes]
        self.buckets = np.repeat(np.array(begins, np.int64), sizes)

    def numbers(self, part: str) -> Ints:
        """Return one number of each cell."""
        found = {(level, at): data for level, at, _, data in self._rows(part)}
        if not found:
            return np.zeros(self.size, np.int64)
        missing = b""
        pieces = [
            _unpacked(found.get((level, at), missing), n)
            for level, at, n in self._sizes
        ]
        return _joined(pieces).astype(np.int64)

    def entries(self, name: str, owners: Ints) -> Entries:
        """Return the histograms of a number.

        Args:
            name: of which number.
            owners: of the histogram of each cell; negative: it is not wanted.
        """
        lengths = self.numbers(f"{name}/lengths")
        buckets, counts = (
            _joined(
                [_unpacked(data, n) for *_, n, data in self._rows(f"{name}/{part}")]
            )
            for part in ("buckets", "counts")
        )
        some = np.flatnonzero(owners >= 0)
        if len(some) == len(owners):
            return Entries(np.repeat(owners, lengths), buckets, counts)
        ends = np.cumsum(lengths)
        runs = _runs((ends - lengths)[some], ends[some])
        whose = np.repeat(owners[some], lengths[some])
        return Entries(
            whose,
            _joined([buckets[each] for each in runs]),
            _joined([counts[each] for each in runs]),
        )

    def users(self) -> list[bytes]:
        """Return the packed set of users of each cell; empty of a cell that has none."""
        lengths = self.numbers("user/lengths").tolist()
        data = b"".join(data for *_, data in self._rows("user/sets"))
        return [data[a:b] for a, b in pairwise(accumulate(lengths, initial=0))]

    def _rows(self, part: str) -> list[tuple[int, int, int, bytes]]:
        """List (level, bucket, how many numbers, bytes)."""
        return [
            (level, bucket_of_key(key), n, data)
            for level, start, end in self._spans
            for key, n, data in self._db.execute(
                "select key, n, data from rollup_cells where key >= ? and key < ?",
                (
                    key_of(level, self._dimension, part, start),
                    key_of(level, self._dimension, part, end),
                ),
            )
        ]


def _unpacked(data: bytes, n: int) -> NDArray[Any]:
    if not data:
        return np.zeros(n, np.int64)
    return np.frombuffer(data, _TYPES[len(data) // n])


def _runs(begins: Ints, ends: Ints) -> list[slice]:
    """Return slices; those that follow one another as one."""
    if not len(begins):
        return []
    is_apart = begins[1:] != ends[:-1]
    first = begins[np.concatenate([[True], is_apart])].tolist()
    last = ends[np.concatenate([is_apart, [True]])].tolist()
    return [slice(a, b) for a, b in zip(first, last, strict=True)]


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    if not arrays:
        return np.zeros(0, np.int64)
    return np.concatenate(arrays)
