"""Sets of users and distributions of numbers, small, and quick to unite.

A set is a roaring bitmap of the users' numbers: exact. A distribution is a histogram
with buckets whose bounds grow by a fixed factor, as Prometheus' native histograms
have: a quantile read from it is off by at most ``ERROR`` of its value.
"""

import math
from collections import Counter
from collections.abc import Iterable

import msgspec
from pyroaring import BitMap

FACTOR = 2 ** (1 / 32)
ERROR = (FACTOR - 1) / (FACTOR + 1)  # 1.1 %
_SCALE = 1 / math.log(FACTOR)
_ZERO = -(1 << 20)  # the bucket of what is not above 0

Histogram = Counter[int]  # bucket → count

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[dict[int, int]]).decode
_split = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_one = msgspec.msgpack.Decoder(dict[int, int]).decode
_log, _ceil = math.log, math.ceil


def bucket_of(value: float) -> int:
    """Return the bucket of a number: it holds ``(FACTOR**(b - 1), FACTOR**b]``."""
    return _ceil(_log(value) * _SCALE) if value > 0 else _ZERO


def value_of(bucket: int) -> float:
    """Return the number that is off by the same share from all in its bucket."""
    if bucket == _ZERO:
        return 0.0
    return float(2 * FACTOR**bucket / (FACTOR + 1))


def quantile_of(histogram: Histogram, q: float) -> float | None:
    """Return the quantile *q* (0..1); None when there is nothing."""
    total = histogram.total()
    if not total:
        return None
    rank = q * (total - 1)
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen > rank:
            return value_of(bucket)
    return None


def pack_users(users: Iterable[int]) -> bytes:
    """Return a set as bytes."""
    packed = BitMap(users)
    packed.run_optimize()
    return bytes(packed.serialize())


def unite_users(packed: Iterable[bytes]) -> BitMap:
    """Return the union of sets."""
    return BitMap.union(BitMap(), *(BitMap.deserialize(each) for each in packed))


def pack_histograms(histograms: Iterable[Histogram]) -> bytes:
    """Return histograms as bytes, in their order."""
    return _encode(list(histograms))


def add_histograms(packed: Iterable[bytes]) -> list[Histogram]:
    """Return the sums of histograms that stand at the same place."""
    totals: list[Histogram] = []
    for each in packed:
        for index, histogram in enumerate(_decode(each)):
            if index == len(totals):
                totals.append(Counter())
            total = totals[index]
            for bucket, count in histogram.items():
                total[bucket] += count
    return totals


def add_histogram(packed: Iterable[bytes], index: int) -> Histogram:
    """Return the sum of the histograms that stand at one place; reads only those."""
    total: dict[int, int] = {}
    held = total.get
    for each in packed:
        for bucket, count in _decode_one(_split(each)[index]).items():
            total[bucket] = held(bucket, 0) + count
    return Counter(total)
