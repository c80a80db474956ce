"""Answer figures of all sessions where a configured share of them was sampled."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.sessionql.evaluate import Cell
from app.sessionql.plan import Leaf, Window
from app.sessionql.strata import Rate, Stratum, strata_of
from app.sessionql.weights import weigh
from app.settings import Settings
from app.store.connect import explained
from app.store.reader import SqliteReader
from app.store.sql import Statement


class WeighingReader(SqliteReader):
    """The index; figures are weighted where there are *rates*, sessions never are."""

    def __init__(
        self, path: Path, tenant: str, rates: Sequence[Rate], **more: Any
    ) -> None:
        super().__init__(path, tenant, **more)
        self._rates = rates
        self._strata: tuple[Stratum, ...] | None = None

    def renew(self) -> bool:
        """Forget what was asked, and which sources there were."""
        self._strata = None
        return super().renew()

    def foresee(self, leaves: Iterable[Leaf], window: Window) -> frozenset[Leaf]:
        """Look for leaves together; weighted ones are asked stratum by stratum."""
        return frozenset() if self._rates else super().foresee(leaves, window)

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value, estimated."""
        if not self._rates:
            return super().evaluate(leaf, window)
        cells, notice = weigh(leaf, window, self._known(), super().evaluate)
        if notice:
            self._notices[notice] = None
        return cells

    def tell_sampled(self, leaf: Leaf, window: Window) -> list[str]:
        """Return what to know of answers that are weighted as that of *leaf* is."""
        if not self._rates:
            return super().tell_sampled(leaf, window)
        _, notice = weigh(leaf, window, self._known(), super().evaluate)
        return [notice] if notice else []

    def _statement(self, now: int) -> Statement:
        statement = super()._statement(now)
        statement.strata = self._known()
        return statement

    def _known(self) -> tuple[Stratum, ...]:
        """Return the strata of the sessions; none when all sessions were kept."""
        if self._strata is None:
            names = self._source_names() if self._rates else ()
            self._strata = strata_of(self._rates, names)
        return self._strata

    def _source_names(self) -> list[str]:
        """Return the sources; in the time of whoever needs to know, so not bounded."""
        with explained(self._path):
            found = self._db.execute(
                "select name from sources where tenant = ? order by name",
                (self._tenant,),
            )
            return [name for (name,) in found]


def rates_of(settings: Settings) -> list[Rate]:
    """Return the rates at which sessions are sampled; none that says "all of them"."""
    return [
        Rate(source.name, each.app, each.version, each.rate)
        for source in settings.sources
        for each in source.sampling
    ]
