"""Which strings, by their numbers, are meant; each is looked at once."""

import operator
import sqlite3
from collections.abc import Callable, Iterable

import numpy as np
import orjson

from app.catalog.fields import STATUSES
from app.sessionql.filters import Compare
from app.sessionql.patterns import matches
from app.store.columns.chunks import Array, Labels
from app.store.strings import safe

NEGATED = {"!=": "=", "!~": "=~"}
_ORDERS: dict[str, Callable[[str, str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Texts:
    """The strings of one answer: their texts, and what comparisons say of them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._texts: dict[int, str] = {0: ""}
        self._sources: dict[int, str] | None = None
        self._decided: dict[tuple[str, Compare], dict[int, bool]] = {}

    def of(self, name: str, ids: Iterable[int]) -> dict[int, str]:
        """Return the texts of *ids*, which are those of a field *name*."""
        if name == "status":
            return dict(enumerate(STATUSES))
        if name == "source":
            if self._sources is None:
                self._sources = dict(self._db.execute("select id, name from sources"))
            return self._sources
        unknown = [each for each in ids if each not in self._texts]
        if unknown:
            found = self._db.execute(
                "select s.id, s.value from json_each(?) as w"
                " join strings as s on s.id = w.value",
                (orjson.dumps(unknown).decode(),),
            )
            self._texts.update(found)
        return self._texts

    def match(self, name: str, column: Labels, compare: Compare) -> Array | bool:
        """Return of each row whether its text is as *compare* says.

        Where nothing is said, that is the empty string, which is before nothing and
        after nothing.
        """
        ids = column.ids.tolist()
        positive = NEGATED.get(compare.op, compare.op)
        decided = self._decided.setdefault((name, compare), {})
        unknown = [each for each in ids if each not in decided]
        if unknown:
            self._decide(
                name, unknown, Compare(name, positive, compare.values), decided
            )
        fits = np.array([decided[each] for each in ids], bool)
        if compare.op in NEGATED:
            fits = ~fits
        if fits.all():
            return True
        return fits[column.codes] if fits.any() else False

    def _decide(
        self, name: str, ids: list[int], compare: Compare, decided: dict[int, bool]
    ) -> None:
        values = ["" if each is None else safe(str(each)) for each in compare.values]
        if compare.op == "=" and name not in {"status", "source"}:
            meant = self._numbers(values)
            decided.update((each, each in meant) for each in ids)
            return
        texts = self.of(name, ids)
        for each in ids:
            decided[each] = _holds(compare.op, texts.get(each, ""), values)

    def _numbers(self, values: list[str]) -> set[int]:
        found = self._db.execute(
            "select id from strings where value in (select value from json_each(?))",
            (orjson.dumps([each for each in values if each]).decode(),),
        )
        return {number for (number,) in found} | ({0} if "" in values else set())


def _holds(op: str, text: str, values: list[str]) -> bool:
    if op == "=":
        return text in values
    if op == "=~":
        return matches(values[0], text)
    return bool(text) and _ORDERS[op](text, values[0])
