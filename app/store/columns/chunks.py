"""One column of a row group: numbers in few bytes each, and back.

Whole numbers are stored as their distance from the smallest, in as few bytes as the
largest distance needs; in ascending columns as the distance from the row before. What
repeats, such as the numbers of strings, is stored as the list of its distinct values and
for each row the place in that list; so are decimals, but for those of few places, which
are stored as whole numbers.
Where nothing is said (NULL), the distance is 0, and all others begin at 1.
"""

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

Array = npt.NDArray[Any]

NULL = -(1 << 63)  # stands for NULL in whole numbers on their way into a chunk
MOST = (1 << 63) - 2  # distance that fits
_LISTED = 0.75  # of the bytes that decimals take as they are
_NAN = np.full(1, np.nan)
_SCALES = (1, 10, 100, 1_000, 10_000)
EXACT = float(1 << 53)


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


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Unsigned numbers as bytes: the first bytes of all, then the second ones, ..."""

    rows: int
    width: int  # bytes of each; 0 = all are 0
    first: int  # of ascending ones, the first; -1 = they are no distances between rows
    data: bytes


class _Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    packed: _Packed
    offset: int = 0
    has_null: bool = False
    scale: int = 1
    ids: _Packed | None = None  # of labels
    table: _Packed | None = None  # of decimals


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Chunk).decode
_LEVEL = -1  # a fifth larger than at 3, and read in a third less time
_OWN = threading.local()


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


def pack(column: Column) -> bytes:
    """Return a column as bytes."""
    compress = zstandard.ZstdCompressor(level=_LEVEL).compress
    if isinstance(column, Labels):
        ids = _pack(column.ids)
        return compress(_encode(_Chunk(_pack(column.codes), ids=ids)))
    table = None if column.table is None else _pack_decimals(column.table)
    if column.scale or table:
        packed = _pack(column.distances)
    else:
        packed = _pack_decimals(column.distances)
    chunk = _Chunk(packed, column.offset, column.has_null, column.scale, table=table)
    return compress(_encode(chunk))


def unpack(data: bytes) -> Column:
    """Return the column that ``pack`` made bytes of; its arrays cannot be written."""
    chunk = _decode(_decompressor().decompress(data))
    if chunk.ids is not None:
        return Labels(_unpack(chunk.packed), _unpack(chunk.ids).astype(np.int64))
    if chunk.table is not None:
        table = _unshuffled(chunk.table).view(np.float64)
        return Numbers(_unpack(chunk.packed), 0, chunk.has_null, 0, table)
    if not chunk.scale:
        kept = _unshuffled(chunk.packed).view(np.float64)
        return Numbers(kept, scale=0)
    return Numbers(_unpack(chunk.packed), chunk.offset, chunk.has_null, chunk.scale)


def _decompressor() -> zstandard.ZstdDecompressor:
    """Return this thread's; to make one takes as long as to use it on a small column."""
    if not hasattr(_OWN, "decompressor"):
        _OWN.decompressor = zstandard.ZstdDecompressor()
    found: zstandard.ZstdDecompressor = _OWN.decompressor
    return found


def _pack_decimals(values: Array) -> _Packed:
    return _Packed(len(values), 8, -1, _shuffled(values))


def _pack(values: Array) -> _Packed:
    """Pack whole numbers of at least 0."""
    largest = int(values.max(initial=0))
    if not largest:
        return _Packed(len(values), 0, -1, b"")
    narrow: Array = values.astype(narrowest(largest))
    if len(values) > 1 and bool((values[1:] >= values[:-1]).all()):
        steps = np.diff(narrow, prepend=narrow[:1])
        steps = steps.astype(narrowest(int(steps.max())))
        if steps.itemsize < narrow.itemsize:
            data = _shuffled(steps)
            return _Packed(len(values), steps.itemsize, int(values[0]), data)
    return _Packed(len(values), narrow.itemsize, -1, _shuffled(narrow))


def _unpack(packed: _Packed) -> Array:
    if not packed.width:  # takes no memory
        return np.broadcast_to(np.uint8(0), packed.rows)
    found = _unshuffled(packed)
    if packed.first >= 0:
        last = packed.first + int(found.sum(dtype=np.uint64))
        first, found = packed.first, np.cumsum(found, dtype=narrowest(last))
        found += found.dtype.type(first)
    found.setflags(write=False)
    return found


def _shuffled(values: Array) -> bytes:
    """Return the first bytes of all, then the second ones: they compress better."""
    return values.view(np.uint8).reshape(-1, values.itemsize).T.tobytes()


def _unshuffled(packed: _Packed) -> Array:
    planes = np.frombuffer(packed.data, np.uint8).reshape(packed.width, -1)
    if packed.width not in {2, 4}:
        return np.ascontiguousarray(planes.T).view(f"<u{packed.width}").reshape(-1)
    found: Array = planes[-1].astype(f"<u{packed.width}")
    for plane in planes[-2::-1]:  # several times as quick as to transpose
        found <<= 8
        found |= plane
    return found


def narrowest(largest: int) -> type:
    """Return the smallest unsigned type that holds numbers up to *largest*."""
    for bound, dtype in _NARROW:
        if largest < bound:
            return dtype
    return np.uint64


_NARROW = ((1 << 8, np.uint8), (1 << 16, np.uint16), (1 << 32, np.uint32))
