"""Tell which sessions of a part a filter selects.

What is unknown (NULL) in SQL is not selected here: the two differ only under ``not``,
and there SQL is asked to make the same of both.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from app.catalog.fields import Field, find, kinds_of
from app.sessionql.filters import And, Any, Compare, Filter, Not, Or
from app.store.columns.chunks import Array, Numbers
from app.store.columns.events import sessions_with
from app.store.columns.measures import Measures
from app.store.columns.parts import NotInColumns, Part, owned
from app.store.columns.texts import NEGATED, Texts
from app.store.sql import MAX_DEPTH

Mask = Array | bool  # of each session, or of all

_ORDERS: dict[str, Callable[[Array, float], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Masks:
    """Filters of one question."""

    def __init__(
        self, texts: Texts, measures: Measures, tenant: frozenset[int]
    ) -> None:
        self._texts = texts
        self._measures = measures
        self._tenant = tenant  # its sources

    def of(self, part: Part, selector: Filter) -> Mask:
        """Return which sessions are the tenant's and selected.

        Raises:
            NotInColumns: the filter is about what columns do not hold, or is wrong.
        """
        return both(self.ours(part), self._of(part, selector, 0))

    def ours(self, part: Part) -> Mask:
        """Return which sessions are the tenant's."""
        return owned(part, self._tenant)

    def _of(self, part: Part, selector: Filter, depth: int) -> Mask:
        if depth > MAX_DEPTH:
            raise NotInColumns("nested too deep")
        if isinstance(selector, Compare):
            return self._compare(part, selector)
        if isinstance(selector, Not):
            return negated(self._of(part, selector.part, depth + 1))
        if isinstance(selector, (And, Or)):
            mask: Mask = isinstance(selector, And)
            join = both if mask else either
            for each in selector.parts:
                mask = join(mask, self._of(part, each, depth + 1))
            return mask
        if isinstance(selector, Any):
            return sessions_with(self._texts, part, selector)
        raise NotInColumns(type(selector).__name__)

    def _compare(self, part: Part, compare: Compare) -> Mask:
        field = find(compare.field)
        if field is None or field.scope == "attribute" or kinds_of(field):
            raise NotInColumns(compare.field)
        if field.name == "user":
            return self._user(part, compare)
        if field.type == "string":
            return self._texts.match(field.name, part.labels(field.name), compare)
        return self._number(part, field, compare)

    def _user(self, part: Part, compare: Compare) -> Mask:
        """Match any user of the session, by id or as shown."""
        if compare.op in NEGATED:
            positive = Compare("user", NEGATED[compare.op], compare.values)
            return negated(self._user(part, positive))
        mask: Mask = False
        for name in ("user", "user_name"):
            found = self._texts.match("user", part.labels(name), compare)
            mask = either(mask, found)
        others = part.labels("user", "users")
        fits = self._texts.match("user", others, compare)
        if fits is not False and len(others):
            also = np.zeros(len(part), bool)
            places = part.places("users")
            also[places if fits is True else places[fits]] = True
            mask = either(mask, also)
        return mask

    def _number(self, part: Part, field: Field, compare: Compare) -> Mask:
        """Compare a number; where nothing is said, only a comparison with nil holds."""
        column = self._measures.of(part, field.name)
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
