"""One column of a row group: numbers in few bytes each, and back.

Whole numbers are stored as their distance from the smallest, in as few bytes as the
largest distance needs; in ascending columns as the distance from the row before. What
repeats, such as the numbers of strings, is stored as the list of its distinct values and
for each row the place in that list. Decimals of few places are stored as whole numbers.
Where nothing is said (NULL), the distance is 0, and all others begin at 1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

Array = npt.NDArray[Any]

NULL = -(1 << 63)  # stands for NULL in whole numbers on their way into a chunk
_MOST = (1 << 63) - 2  # distance that fits
_SCALES = (1, 10, 100, 1_000, 10_000)
_EXACT = float(1 << 53)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: ``(distances + offset) / scale``.

    Attributes:
        distances: unsigned, one a row; of a decimal column that has no scale, the
            numbers themselves, NaN for NULL.
        offset: what is added; with NULLs it belongs to the distance 0.
        has_null: the distance 0 is NULL.
        scale: what is divided by; 0 = the numbers are stored as they are.
    """

    distances: Array
    offset: int = 0
    has_null: bool = False
    scale: int = 1

    def __len__(self) -> int:
        return len(self.distances)

    @property
    def nbytes(self) -> int:
        """Return how much memory it takes."""
        return int(self.distances.nbytes)

    @cached_property
    def known(self) -> Array | None:
        """Return where something is said; None where it is everywhere."""
        if not self.scale:
            nothing = np.isnan(self.distances)
            return ~nothing if nothing.any() else None
        return self.distances != 0 if self.has_null else None

    @cached_property
    def values(self) -> Array:
        """Return the numbers: int64, or float64 of decimals; without meaning at NULLs."""
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

    def cut(self, rows: slice) -> "Numbers":
        """Return some of its rows."""
        return Numbers(self.distances[rows], self.offset, self.has_null, self.scale)


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


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Chunk).decode
_LEVEL = 3


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
    if span > _MOST or offset <= NULL:
        return None
    distances = values - offset
    if has_null:
        distances[nothing] = 0
    return Numbers(distances.astype(_narrowest(span)), offset, has_null)


def _make_decimals(values: Array) -> Numbers:
    nothing = np.isnan(values)
    if not np.isinf(values).any():
        for scale in _SCALES:
            whole = np.rint(np.where(nothing, 0, values) * scale)
            if np.abs(whole).max(initial=0) >= _EXACT:
                break
            if (nothing | (whole / scale == values)).all():
                found = make_numbers(np.where(nothing, NULL, whole.astype(np.int64)))
                if found is not None:
                    return Numbers(found.distances, found.offset, found.has_null, scale)
    return Numbers(values, scale=0)


def make_labels(ids: Array) -> Labels:
    """Make a column of int64 that repeat; ``NULL`` for NULL."""
    distinct, codes = np.unique(np.where(ids == NULL, 0, ids), return_inverse=True)
    return Labels(codes.astype(_narrowest(max(len(distinct) - 1, 0))), distinct)


def join(columns: list[Column]) -> Column | None:
    """Return rows one after the other; None when their numbers are too far apart."""
    if isinstance(columns[0], Labels):
        labels = [each for each in columns if isinstance(each, Labels)]
        return _join_labels(labels)
    numbers = [each for each in columns if isinstance(each, Numbers)]
    scale = max(each.scale for each in numbers)
    is_whole = all(each.scale == 1 for each in numbers)
    if not is_whole and not all(_may_have(each, scale) for each in numbers):
        return make_numbers(
            np.concatenate([_or(each, np.nan, np.float64) for each in numbers])
        )
    joined = _join_whole([_scaled(each, scale) for each in numbers])
    return joined and Numbers(joined.distances, joined.offset, joined.has_null, scale)


def _join_labels(columns: list[Labels]) -> Labels:
    """Join labels as they are stored, so that many take little memory."""
    used = []
    for each in columns:
        is_used = np.zeros(len(each.ids), bool)
        is_used[each.codes] = True
        used.append(each.ids[is_used])
    ids = np.unique(np.concatenate(used))
    narrow = _narrowest(max(len(ids) - 1, 0))
    places: list[Array] = [
        np.searchsorted(ids, each.ids).astype(narrow) for each in columns
    ]
    codes = [
        place.take(each.codes) for place, each in zip(places, columns, strict=True)
    ]
    return Labels(np.concatenate(codes), ids)


def _may_have(column: Numbers, scale: int) -> bool:
    """Tell whether a column can be stored with that scale, to the last bit."""
    if not column.scale:
        return False
    largest = abs(column.offset) + int(column.distances.max(initial=0))
    return largest * (scale // column.scale) < _EXACT


def _scaled(column: Numbers, scale: int) -> Numbers:
    """Return the same numbers with another scale, a multiple of theirs."""
    factor = scale // column.scale
    if factor == 1:
        return column
    distances = column.distances.astype(np.uint64) * np.uint64(factor)
    return Numbers(distances, column.offset * factor, column.has_null, scale)


def _join_whole(columns: list[Numbers]) -> Numbers | None:
    """Join whole numbers as they are stored, so that many take little memory."""
    said = [each for each in columns if _says(each)]
    has_null = any(each.has_null for each in columns)
    offset = min((each.offset + each.has_null for each in said), default=0) - has_null
    span = max(
        (each.offset + int(each.distances.max()) - offset for each in said), default=0
    )
    if span > _MOST or offset <= NULL:
        return None
    joined: Array = np.zeros(sum(map(len, columns)), _narrowest(span))
    at = 0
    for each in columns:
        here = joined[at : at + len(each)]
        at += len(each)
        if _says(each):
            here[:] = each.distances
            here += joined.dtype.type(each.offset - offset)
            if each.has_null:
                here[each.distances == 0] = 0
    return Numbers(joined, offset, has_null)


def _says(column: Numbers) -> bool:
    """Tell whether a column of whole numbers says anything."""
    if not len(column):
        return False
    return not column.has_null or bool(column.distances.any())


def _or(column: Numbers, nothing: float, dtype: type) -> Array:
    """Return numbers with *nothing* at NULLs."""
    values: Array = column.cut(slice(None)).values.astype(dtype)  # not remembered
    if column.known is not None:
        values[~column.known] = nothing
    return values


def pack(column: Column) -> bytes:
    """Return a column as bytes."""
    compress = zstandard.ZstdCompressor(level=_LEVEL).compress
    if isinstance(column, Labels):
        ids = _pack(column.ids)
        return compress(_encode(_Chunk(_pack(column.codes), ids=ids)))
    if not column.scale:
        packed = _Packed(len(column), 8, -1, _shuffled(column.distances))
    else:
        packed = _pack(column.distances)
    chunk = _Chunk(packed, column.offset, column.has_null, column.scale)
    return compress(_encode(chunk))


def unpack(data: bytes) -> Column:
    """Return the column that ``pack`` made bytes of; its arrays cannot be written."""
    chunk = _decode(zstandard.ZstdDecompressor().decompress(data))
    if chunk.ids is not None:
        return Labels(_unpack(chunk.packed), _unpack(chunk.ids).astype(np.int64))
    if not chunk.scale:
        kept = _unshuffled(chunk.packed).view(np.float64)
        return Numbers(kept, scale=0)
    return Numbers(_unpack(chunk.packed), chunk.offset, chunk.has_null, chunk.scale)


def _pack(values: Array) -> _Packed:
    """Pack whole numbers of at least 0."""
    largest = int(values.max(initial=0))
    if not largest:
        return _Packed(len(values), 0, -1, b"")
    narrow: Array = values.astype(_narrowest(largest))
    if len(values) > 1 and bool((values[1:] >= values[:-1]).all()):
        steps = np.diff(narrow, prepend=narrow[:1])
        steps = steps.astype(_narrowest(int(steps.max())))
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
        first, found = packed.first, np.cumsum(found, dtype=_narrowest(last))
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


def _narrowest(largest: int) -> type:
    for bound, dtype in _NARROW:
        if largest < bound:
            return dtype
    return np.uint64


_NARROW = ((1 << 8, np.uint8), (1 << 16, np.uint16), (1 << 32, np.uint32))
