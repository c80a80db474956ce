"""Sets of users and distributions of numbers, small, and quick to unite.

A set is a roaring bitmap of the users' numbers: exact. A distribution is a histogram
with buckets whose bounds grow by a fixed factor, as Prometheus' native histograms
have: a quantile read from it is off by at most ``ERROR`` of its value.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

FACTOR = 2 ** (1 / 32)
ERROR = (FACTOR - 1) / (FACTOR + 1)  # 1.1 %
ORIGIN = 1 << 15  # the bucket that ends at 1
ZERO = 1  # the bucket of what is not above 0
_SPAN = 1 << 16  # numbers of buckets are from 1 below that
_SCALE = 1 / math.log(FACTOR)
_TABLE = 2_000_000  # counts that are laid out side by side at a time
_WIDE = 1 << 11  # buckets that have a column of counts each, used or not
_FEW = 1 << 16  # numbers below that are looked up in a table,
_DENSE = 16  # and those below so many times how many they are


class Entries(NamedTuple):
    """Counts by bucket of several histograms, one below the other.

    Attributes:
        owners: which histogram each count belongs to, 0...
        buckets: as ``buckets_of`` numbers them.
        counts: of numbers in that bucket.
    """

    owners: Ints
    buckets: Ints
    counts: Ints


def buckets_of(values: Floats) -> Ints:
    """Return the bucket of each number.

    Bucket ``ORIGIN + b`` holds what is in ``(FACTOR**(b - 1), FACTOR**b]``.
    """
    above = values > 0
    is_above = bool(above.all())
    found = np.log(values if is_above else np.where(above, values, 1.0))
    found *= _SCALE
    np.ceil(found, out=found)
    found += ORIGIN
    found.clip(ZERO + 1, _SPAN - 1, out=found)
    if not is_above:
        found[~above] = ZERO
    return found.astype(np.int64)


def values_of(buckets: Ints) -> Floats:
    """Return numbers that are off by the same share from all in their buckets."""
    powers = (buckets - ORIGIN).astype(float)
    return np.where(buckets == ZERO, 0.0, 2 * FACTOR**powers / (FACTOR + 1))


def distinct(numbers: Ints) -> tuple[Ints, Ints]:
    """Return the distinct *numbers*, none negative, ascending; and where each is."""
    if not len(numbers):
        return numbers, numbers
    most = int(numbers.max()) + 1
    if most > max(_FEW, _DENSE * len(numbers)):
        values, places = np.unique(numbers, return_inverse=True)
        return values, places
    table = np.zeros(most, np.int64)
    table[numbers] = 1
    values = np.flatnonzero(table)
    table[values] = np.arange(len(values))
    return values, table[numbers]


def added(entries: Entries) -> Entries:
    """Add the counts that are of the same bucket; by owner and bucket, ascending."""
    span = max(_SPAN, int(entries.buckets.max(initial=0)) + 1)
    unique, places = distinct(entries.owners * span + entries.buckets)
    counts = np.bincount(places, entries.counts, len(unique)).astype(np.int64)
    return Entries(unique // span, unique % span, counts)


def quantiles_of(several: Sequence[Entries], size: int, q: float) -> list[float | None]:
    """Return the quantile *q* (0..1) of each of *size* histograms; None of empty ones.

    Args:
        several: counts, in any order; those of the same owner and bucket are added.
            Quickest where they fit in the processor's cache.
        size: of histograms; owners are below that.
        q: which quantile.
    """
    filled = [each for each in several if len(each.owners)]
    if not filled:
        return [None] * size
    known, number = _columns([each.buckets for each in filled])
    width = len(known)
    height = max(1, _TABLE // width)
    found: list[float | None] = []
    for first in range(0, size, height):
        rows = min(height, size - first)
        table: Floats = np.zeros(rows * width)
        for each in filled:
            some = _of_owners(each, first, rows) if size > height else each
            places = np.multiply(some.owners, width, dtype=np.int64)
            places += number(some.buckets)
            np.add.at(table, places, some.counts.astype(np.float64))
        found += _quantiles(table.reshape(rows, width), values_of(known), q)
    return found


def _columns(several: Sequence[Ints]) -> tuple[Ints, Callable[[Ints], Ints]]:
    """Return buckets that have a column of counts, ascending, and who tells its place.

    These are all from the lowest to the highest, or those that are there if they lie
    far apart; and that of what is not above 0.
    """
    # all are below `_SPAN`: `ZERO` becomes the largest number that there is
    above = [each.astype(np.uint16) - np.uint16(ZERO + 1) for each in several]
    low = min(_SPAN - 2, *(int(each.min()) for each in above)) + ZERO
    high = max(int(each.max()) for each in several)
    if high - low < _WIDE:
        known = np.arange(low, max(low, high) + 1)
        known[0] = ZERO
        lowest = np.uint16(low)
        return known, lambda each: np.maximum(each.astype(np.uint16), lowest) - lowest
    seen = np.zeros(_SPAN, bool)
    for each in several:
        seen[each] = True
    columns = seen.cumsum(dtype=np.int32) - np.int32(1)
    return np.flatnonzero(seen), columns.take


def _of_owners(entries: Entries, first: int, count: int) -> Entries:
    here = (entries.owners >= first) & (entries.owners < first + count)
    owners = entries.owners[here] - first
    return Entries(owners, entries.buckets[here], entries.counts[here])


def _quantiles(table: Floats, values: Floats, q: float) -> list[float | None]:
    """Return the quantile of each row of counts; *values* are those of the columns.

    It lies between the closest ranks, as that of the values themselves does.
    """
    np.cumsum(table, axis=1, out=table)
    totals = table[:, -1]
    rank = q * (totals - 1)
    below = np.floor(rank)
    above = np.minimum(below + 1, totals - 1)
    places = (table > below[:, None]).argmax(axis=1)
    low = values[places]
    high = low.copy()
    apart = np.flatnonzero(table[np.arange(len(table)), places] <= above)
    high[apart] = values[(table[apart] > above[apart, None]).argmax(axis=1)]
    low += (high - low) * (rank - below)
    pairs = zip(low.tolist(), totals.tolist(), strict=True)
    return [value if total else None for value, total in pairs]


def pack_users(users: Iterable[int]) -> bytes:
    """Return a set as bytes."""
    packed = BitMap(users)
    packed.run_optimize()
    return bytes(packed.serialize())


def unite_users(packed: Iterable[bytes]) -> BitMap:
    """Return the union of sets."""
    return BitMap.union(BitMap(), *map(BitMap.deserialize, packed))
