"""Compare columns with values, and join what that says of each row.

What is unknown (NULL) in SQL is not selected here: the two differ only under ``not``,
and there SQL is asked to make the same of both.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from app.sessionql.filters import Compare
from app.store.columns.chunks import Array, Numbers
from app.store.columns.parts import NotInColumns

Mask = Array | bool  # of each row, or of all

_ORDERS: dict[str, Callable[[Array, float], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare_number(column: Numbers, compare: Compare) -> Mask:
    """Compare a number; where nothing is said, only a comparison with nil holds.

    Raises:
        NotInColumns: what is wrong with the comparison the tables say.
    """
    known: Mask = True if column.known is None else column.known
    if compare.op in {"=", "!="} and None in compare.values:
        return negated(known) if compare.op == "=" else known
    values = [_number(each) for each in compare.values]
    if compare.op in _ORDERS:
        return both(known, _order(column, compare.op, values[0]))
    if compare.op not in {"=", "!="}:
        raise NotInColumns(compare.op)
    mask: Mask = False
    for each in values:
        mask = either(mask, _equal(column, each))
    return both(known, mask if compare.op == "=" else negated(mask))


def _number(value: object) -> float:
    """Return a value as a number; SQL says what is wrong with it where it is none."""
    try:
        found = value if isinstance(value, int) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise NotInColumns("no number") from None
    if not math.isfinite(found):
        raise NotInColumns("no finite number")
    return found


def _order(column: Numbers, op: str, value: float) -> Array:
    if column.scale != 1:
        return _ORDERS[op](column.values, value)
    # of whole numbers a bound between two is one of them
    whole = math.floor(value) if op in {">", "<="} else math.ceil(value)
    return _ORDERS[op](column.distances, whole - column.offset)


def _equal(column: Numbers, value: float) -> Mask:
    if column.scale != 1:
        return np.asarray(column.values == value)
    if value != int(value):
        return False
    return np.asarray(column.distances == int(value) - column.offset)


def both(left: Mask, right: Mask) -> Mask:
    """Return where both are true."""
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return left & right


def either(left: Mask, right: Mask) -> Mask:
    """Return where one of them is true."""
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return left | right


def negated(mask: Mask) -> Mask:
    """Return where it is not true."""
    return not mask if isinstance(mask, bool) else ~mask


def packed(mask: Mask) -> tuple[bool | None, Array]:
    """Return whether all or none are meant, else None; and which are, as bits."""
    if isinstance(mask, bool):
        return mask, _NO_BITS
    return None, np.packbits(mask)


def unpacked(every: bool | None, bits: Array, count: int) -> Mask:  # noqa: FBT001
    """Return what ``packed`` made that of, of so many rows."""
    return np.unpackbits(bits, count=count).view(bool) if every is None else every


_NO_BITS = np.zeros(0, np.uint8)
