"""Answer figures of all sessions where a configured share of them was sampled."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.sessionql.evaluate import Cell
from app.sessionql.plan import Leaf, Window
from app.sessionql.strata import Rate, Stratum, strata_of
from app.sessionql.weights import weigh
from app.settings import Settings
from app.store.reader import SqliteReader


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

    def foresee(self, leaves: Iterable[Leaf], window: Window) -> None:
        """Look for leaves together; weighted ones are asked stratum by stratum."""
        if not self._rates:
            super().foresee(leaves, window)

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Return a cell for each label set and bucket that has a value, estimated."""
        if not self._rates:
            return super().evaluate(leaf, window)
        if self._strata is None:
            names = [each.name for each in self.sources()]
            self._strata = strata_of(self._rates, names)
        cells, notice = weigh(leaf, window, self._strata, super().evaluate)
        if notice:
            self._notices[notice] = None
        return cells


def rates_of(settings: Settings) -> list[Rate]:
    """Return the rates at which sessions are sampled; none that says "all of them"."""
    return [
        Rate(source.name, each.app, each.version, each.rate)
        for source in settings.sources
        for each in source.sampling
    ]
