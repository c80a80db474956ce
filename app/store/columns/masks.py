"""Tell which sessions of a part a filter selects."""

import numpy as np

from app.catalog.fields import find, kinds_of
from app.sessionql.filters import And, Any, Compare, Filter, Not, Or
from app.store.columns.comparing import (
    Mask,
    both,
    compare_number,
    either,
    negated,
)
from app.store.columns.events import sessions_with
from app.store.columns.measures import Measures
from app.store.columns.parts import NotInColumns, Part, owned
from app.store.columns.texts import NEGATED, Texts
from app.store.sql import MAX_DEPTH


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
        return both(self.ours(part), self.met(part, selector))

    def met(self, part: Part, selector: Filter) -> Mask:
        """Return which sessions are selected, whose ever they are.

        Raises:
            NotInColumns: as of ``of``.
        """
        return self._of(part, selector, 0)

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
        return compare_number(self._measures.of(part, field.name), compare)

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
