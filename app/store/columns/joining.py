"""Join columns of hours to those of days, as they are stored: many take little memory."""

import numpy as np

from app.store.columns.chunks import (
    EXACT,
    MOST,
    NULL,
    Array,
    Column,
    Labels,
    Numbers,
    make_numbers,
    narrowest,
)


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
    narrow = narrowest(max(len(ids) - 1, 0))
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
    return largest * (scale // column.scale) < EXACT


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
    if span > MOST or offset <= NULL:
        return None
    joined: Array = np.zeros(sum(map(len, columns)), narrowest(span))
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
