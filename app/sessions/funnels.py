"""Follow sessions step by step through a funnel, and count how far each comes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_STEPS = 20

Hit = tuple[int, int]  # (ms, which steps it makes: bit 0 = the first)
Chain = tuple[int, ...]  # times of the steps made so far


@dataclass(slots=True)
class Funnel:
    """Sessions by how far they came.

    Attributes:
        reached: sessions that made the first step, the first two, ...
        took: ms from the step before to this one, summed over those that made it.
    """

    reached: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def add(self, times: Chain, weight: float = 1) -> None:
        """Count one session that made steps at *times*."""
        for index, at in enumerate(times):
            self.reached[index] += weight
            if index:
                self.took[index] += weight * (at - times[index - 1])

    def merge(self, other: "Funnel") -> None:
        """Add the sessions of *other*."""
        for index, count in enumerate(other.reached):
            self.reached[index] += count
            self.took[index] += other.took[index]


def new_funnel(steps: int) -> Funnel:
    """Return a funnel without sessions."""
    return Funnel([0] * steps, [0] * steps)


def walk(hits: Iterable[Hit], steps: int, within: int = 0) -> Chain:
    """Return when a session made each step in its order; others may lie between.

    Of all ways to make the first k steps the one that begins last is followed, so that
    as much as can be is *within* the time; one event makes one step.

    Args:
        hits: what the session did that makes any step, ascending.
        steps: how many there are.
        within: ms from the first step to the last; 0 = any time.

    Returns:
        Times of the steps made, as many as could be made at most; of those the first.
    """
    best: list[Chain | None] = [None] * steps
    made: Chain = ()
    for at, bits in hits:
        for index in range(steps - 1, -1, -1):
            if not bits >> index & 1:
                continue
            before = best[index - 1] if index else ()
            if before is None or (before and within and at - before[0] > within):
                continue
            chain = (*before, at)
            held = best[index]
            if held is None or chain[0] > held[0]:
                best[index] = chain
            if len(chain) > len(made):
                made = chain
    return made


def walk_strictly(hits: Iterable[Hit], steps: int, within: int = 0) -> Chain:
    """Return when a session made each step directly after the one before.

    Args:
        hits: everything that the session did of the kinds that make steps, ascending;
            0 for what makes none.
        steps: how many there are.
        within: ms from the first step to the last; 0 = any time.
    """
    chains: list[Chain] = []  # all that the event before ended
    made: Chain = ()
    for at, bits in hits:
        grown = [
            (*chain, at)
            for chain in chains
            if len(chain) < steps
            and bits >> len(chain) & 1
            and not (within and at - chain[0] > within)
        ]
        if bits & 1:
            grown.append((at,))
        chains = grown
        for chain in chains:
            if len(chain) > len(made):
                made = chain
    return made
