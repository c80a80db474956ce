"""Numbers of many cells side by side: packed, read back, grouped."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.store.rollups.shapes import Entries, Ints, distinct
from app.store.rollups.tables import bucket_of_key, key_of

_WIDTHS = ((1, "<u1"), (2, "<u2"), (4, "<u4"), (8, "<i8"))
_TYPES = dict(_WIDTHS)
_PIECE = 1 << 13  # entries that are looked at together, at least

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
    if not columns:
        return Groups(codes, [()] if size else [])
    held: list[Ints] = []
    for column in columns:
        values, places = distinct(column)
        several = max(1, len(values))
        pairs, codes = distinct(codes * several + places)
        held = [each.take(pairs // several) for each in held]
        held.append(values.take(pairs % several))
    keys = zip(*(each.tolist() for each in held), strict=True)
    return Groups(codes, list(keys))


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
        """Return the histograms of a number; arguments are those of ``pieces``."""
        pieces = list(self.pieces(name, owners))
        return Entries(*map(_joined, list(zip(*pieces, strict=True)) or [()] * 3))

    def pieces(self, name: str, owners: Ints) -> Iterator[Entries]:
        """Yield the histograms of a number: those of some buckets after the others.

        Arrays of so many entries stay in the processor's cache, and need no memory of
        the system's.

        Args:
            name: of which number.
            owners: of the histogram of each cell; negative: it is not wanted.
        """
        lengths = self.numbers(f"{name}/lengths")
        ends = np.cumsum(lengths)
        first = done = 0
        for buckets, counts in self._together(f"{name}/buckets", f"{name}/counts"):
            done += len(buckets)
            last = int(np.searchsorted(ends, done, "right"))
            found = Entries(
                np.repeat(owners[first:last], lengths[first:last]), buckets, counts
            )
            first = last
            wanted = np.flatnonzero(found.owners >= 0)
            if len(wanted) < len(buckets):
                found = Entries(*(each.take(wanted) for each in found))
            yield found

    def _together(self, *parts: str) -> Iterator[list[NDArray[Any]]]:
        """Yield parts that have as many numbers as one another, some rows at a time."""
        held: list[list[NDArray[Any]]] = [[] for _ in parts]
        size = 0
        for rows in zip(*map(self._rows, parts), strict=True):
            for some, (*_, n, data) in zip(held, rows, strict=True):
                some.append(_unpacked(data, n))
            size += len(held[0][-1])
            if size >= _PIECE:
                yield [_joined(some) for some in held]
                held, size = [[] for _ in parts], 0
        if size:
            yield [_joined(some) for some in held]

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


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if not arrays:
        return np.zeros(0, np.int64)
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
