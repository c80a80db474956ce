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


class _Decided:
    """Numbers of strings of which it is known whether a comparison holds, ascending."""

    def __init__(self) -> None:
        self._ids: Array = np.zeros(0, np.int64)
        self._fits: Array = np.zeros(0, bool)

    def unknown(self, ids: Array) -> Array:
        """Return those of *ids* of which it is not known."""
        if not len(self._ids):
            return ids
        places = np.searchsorted(self._ids, ids)
        places[places == len(self._ids)] = 0
        return np.asarray(ids[self._ids[places] != ids])

    def add(self, ids: Array, fits: list[bool]) -> None:
        """Know it of some more."""
        every = np.concatenate([self._ids, ids])
        order = np.argsort(every)
        self._ids = every[order]
        self._fits = np.concatenate([self._fits, np.array(fits, bool)])[order]

    def of(self, ids: Array) -> Array:
        """Return whether it holds; it is known of all of *ids*."""
        return np.asarray(self._fits[np.searchsorted(self._ids, ids)])


class Texts:
    """The strings of one answer: their texts, and what comparisons say of them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._texts: dict[int, str] = {0: ""}
        self._sources: dict[int, str] | None = None
        self._meant: dict[Compare, list[int]] = {}
        self._decided: dict[tuple[str, Compare], _Decided] = {}

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
        positive = NEGATED.get(compare.op, compare.op)
        asked = Compare(name, positive, compare.values)
        if positive == "=" and name not in {"status", "source"}:
            fits = np.zeros(len(column.ids), bool)
            fits[_places(column.ids, self._numbers(asked))] = True
            return _spread(~fits if compare.op in NEGATED else fits, column.codes)
        decided = self._decided.setdefault((name, asked), _Decided())
        unknown = decided.unknown(column.ids)
        if len(unknown):
            decided.add(unknown, self._decide(name, unknown.tolist(), asked))
        fits = decided.of(column.ids)
        return _spread(~fits if compare.op in NEGATED else fits, column.codes)

    def _decide(self, name: str, ids: list[int], compare: Compare) -> list[bool]:
        values = ["" if each is None else safe(str(each)) for each in compare.values]
        texts = self.of(name, ids)
        return [_holds(compare.op, texts.get(each, ""), values) for each in ids]

    def _numbers(self, compare: Compare) -> list[int]:
        """Return the numbers of the strings that *compare* names."""
        if compare not in self._meant:
            values = [
                "" if each is None else safe(str(each)) for each in compare.values
            ]
            found = self._db.execute(
                "select id from strings where value in (select value from json_each(?))",
                (orjson.dumps([each for each in values if each]).decode(),),
            )
            numbers = [number for (number,) in found]
            self._meant[compare] = [*numbers, 0] if "" in values else numbers
        return self._meant[compare]


def _places(ids: Array, wanted: list[int]) -> list[int]:
    """Return where in *ids*, which ascend, those are that are there."""
    places = np.searchsorted(ids, wanted).tolist()
    pairs = zip(places, wanted, strict=True)
    return [at for at, each in pairs if at < len(ids) and ids[at] == each]


def _holds(op: str, text: str, values: list[str]) -> bool:
    if op == "=":
        return text in values
    if op == "=~":
        return matches(values[0], text)
    return bool(text) and _ORDERS[op](text, values[0])


def _spread(fits: Array, codes: Array) -> Array | bool:
    """Return of each code whether it fits; a few are quicker compared than looked up."""
    count = int(fits.sum())
    if count in {0, len(fits)}:
        return count > 0
    if min(count, len(fits) - count) > _FEW:
        return np.asarray(fits.take(codes))
    is_few = count <= _FEW
    mask = np.zeros(len(codes), bool)
    for each in np.flatnonzero(fits == is_few).tolist():
        mask |= codes == each
    return mask if is_few else ~mask


_FEW = 4
