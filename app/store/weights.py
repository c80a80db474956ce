"""Weigh sessions in SQL: each stands for as many as its stratum says."""

from dataclasses import dataclass

from app.sessionql.plan import Filter
from app.sessionql.strata import DECIMALS, possible
from app.store.conditions import where
from app.store.sql import Statement


@dataclass(frozen=True, slots=True)
class Weights:
    """For how many sessions each of an answer stands.

    Attributes:
        each: that of session ``s``, in SQL; "1" where all of them were kept.
        known: all that there are.
    """

    each: str = "1"
    known: tuple[float, ...] = (1,)

    def count(self) -> str:
        """Return how many rows are grouped."""
        return "count(*)" if self.each == "1" else self.sum("1")

    def sum(self, column: str) -> str:
        """Return the sum of *column*; NULL where nothing is said."""
        if self.each == "1":
            return f"sum({column})"
        return self._rounded(f"sum({column} * {self.each})")

    def sessions(self) -> str:
        """Return how many sessions the rows are of that are grouped."""
        if self.each == "1":
            return "count(distinct s.id)"
        parts = (
            f"count(distinct case {self.each} when {weight} then s.id end) * {weight}"
            for weight in self.known
        )
        return self._rounded(f"({' + '.join(parts)})")

    def _rounded(self, figure: str) -> str:
        """Leave out what is too small to be more than an error of arithmetic."""
        is_whole = all(isinstance(weight, int) for weight in self.known)
        return figure if is_whole else f"round({figure}, {DECIMALS})"


def weights_of(statement: Statement, selector: Filter) -> Weights:
    """Return the weights of the sessions that *selector* selects."""
    strata = possible(statement.strata, selector)
    if not strata:
        return Weights()
    known = tuple(stratum.weight for stratum in strata)
    if len(known) == 1:
        return Weights(str(known[0]), known)
    cases = (
        f"when {where(statement, stratum.selector)} then {stratum.weight}"
        for stratum in strata
    )
    return Weights(f"(case {' '.join(cases)} end)", known)
