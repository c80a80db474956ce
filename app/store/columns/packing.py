"""Columns as bytes, and back."""

import threading
from collections.abc import Iterable
from functools import lru_cache

import msgspec
import numpy as np
import zstandard

from app.store.columns.chunks import Array, Column, Labels, Numbers, narrowest

_EVERY = slice(None)


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
_decode_all = msgspec.msgpack.Decoder(list[_Chunk]).decode
_LEVEL = -1  # a fifth larger than at 3, and read in a third less time
_OWN = threading.local()
_TINY = 64  # bytes of what is remembered when it was read,
_KEPT = 256  # so many


def pack(column: Column) -> bytes:
    """Return a column as bytes."""
    return _compressed(_chunk(column))


def pack_all(columns: Iterable[Column]) -> bytes:
    """Return several columns as bytes; they are read together."""
    return _compressed([_chunk(each) for each in columns])


def _compressed(chunks: object) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encode(chunks))


def _chunk(column: Column) -> _Chunk:
    if isinstance(column, Labels):
        return _Chunk(_pack(column.codes), ids=_pack(column.ids))
    table = None if column.table is None else _pack_decimals(column.table)
    if column.scale or table:
        packed = _pack(column.distances)
    else:
        packed = _pack_decimals(column.distances)
    return _Chunk(packed, column.offset, column.has_null, column.scale, table=table)


def unpack(data: bytes, rows: Array | slice = _EVERY) -> Column:
    """Return the column that ``pack`` made bytes of; its arrays cannot be written.

    Args:
        data: what it returned.
        rows: those that are wanted; of few, no others are put together.
    """
    return _column(_tiny(data) if len(data) < _TINY else _read(data), rows)


def _read(data: bytes) -> _Chunk:
    return _decode(_decompressor().decompress(data))


_tiny = lru_cache(_KEPT)(_read)  # of the same row group, those of nothing are alike


def unpack_all(data: bytes) -> list[Column]:
    """Return the columns that ``pack_all`` made bytes of."""
    return [_column(each) for each in _decode_all(_decompressor().decompress(data))]


def _column(chunk: _Chunk, rows: Array | slice = _EVERY) -> Column:
    if chunk.ids is not None:
        return Labels(_unpack(chunk.packed, rows), _unpack(chunk.ids).astype(np.int64))
    if chunk.table is not None:
        table = _unshuffled(chunk.table).view(np.float64)
        return Numbers(_unpack(chunk.packed, rows), 0, chunk.has_null, 0, table)
    if not chunk.scale:
        kept = _unshuffled(chunk.packed).view(np.float64)
        return Numbers(kept[rows], scale=0)
    distances = _unpack(chunk.packed, rows)
    return Numbers(distances, chunk.offset, chunk.has_null, chunk.scale)


def unpack_inner(data: bytes) -> Array:
    """Return of each number of an ascending column whether it is that before it."""
    packed = _read(data).packed
    inner = np.ones(packed.rows, bool)
    inner[:1] = False
    if packed.first < 0:
        values = _unpack(packed)
        np.equal(values[1:], values[:-1], out=inner[1:])
    else:
        np.equal(_unshuffled(packed)[1:], 0, out=inner[1:])
    return inner


def unpack_runs(data: bytes) -> tuple[Array, Array]:
    """Return the distinct numbers of an ascending column, and where each begins.

    That is quicker than to put the column together. One place more says where it ends.
    """
    chunk = _read(data)
    packed = chunk.packed
    if packed.first < 0:
        values = _unpack(packed)
        is_first = np.ones(len(values), bool)
        np.not_equal(values[1:], values[:-1], out=is_first[1:])
        begins = np.flatnonzero(is_first)
        owners: Array = values[begins].astype(np.int64)
    else:
        steps = _unshuffled(packed)
        is_first = steps != 0
        is_first[:1] = True
        begins = np.flatnonzero(is_first)
        owners = steps[begins].astype(np.int64)
        owners[:1] = packed.first
        owners = np.cumsum(owners)
    owners += chunk.offset
    largest = int(owners[-1]) if len(owners) else 0
    begins = np.append(begins, packed.rows).astype(narrowest(packed.rows))
    return owners.astype(narrowest(largest)), begins


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


def _unpack(packed: _Packed, rows: Array | slice = _EVERY) -> Array:
    if not packed.width:  # takes no memory
        size = len(rows) if isinstance(rows, np.ndarray) else packed.rows
        alike = np.broadcast_to(np.uint8(0), size)
        return alike[rows] if isinstance(rows, slice) else alike
    if packed.first < 0 and isinstance(rows, np.ndarray):
        return _unshuffled(packed, rows)
    found = _unshuffled(packed)
    if packed.first >= 0:
        last = packed.first + int(found.sum(dtype=np.uint64))
        first, found = packed.first, np.cumsum(found, dtype=narrowest(last))
        found += found.dtype.type(first)
    found.setflags(write=False)
    return found[rows]


def _shuffled(values: Array) -> bytes:
    """Return the first bytes of all, then the second ones: they compress better."""
    return values.view(np.uint8).reshape(-1, values.itemsize).T.tobytes()


def _unshuffled(packed: _Packed, rows: Array | None = None) -> Array:
    planes = np.frombuffer(packed.data, np.uint8).reshape(packed.width, -1)
    if rows is not None:
        planes = planes.take(rows, axis=1)
    if packed.width not in {2, 4}:
        return np.ascontiguousarray(planes.T).view(f"<u{packed.width}").reshape(-1)
    found: Array = planes[-1].astype(f"<u{packed.width}")
    for plane in planes[-2::-1]:  # several times as quick as to transpose
        found <<= 8
        found |= plane
    return found
