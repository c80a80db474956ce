"""Draw ids, delays and choices from one seeded stream, cheaply."""

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Generic, TypeVar

_T = TypeVar("_T")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TWO = [a + b for a in _ALPHABET for b in _ALPHABET]
_TWOS = _TWO + _TWO[: 4096 - len(_TWO)]
_NORMAL = [NormalDist().inv_cdf((i + 0.5) / 1024) for i in range(1024)]
_MASK = (1 << 63) - 1
_KNUTH_BELOW = 200.0


class Choice(Generic[_T]):
    """Things with weights, one of which can be drawn."""

    __slots__ = ("_steps", "_things", "_total")

    def __init__(self, weighted: Sequence[tuple[float, _T]]) -> None:
        self._things = [thing for _, thing in weighted]
        self._steps = list(accumulate(weight for weight, _ in weighted))
        self._total = self._steps.pop()

    def draw(self, dice: "Dice") -> _T:
        """Draw one thing."""
        return self._things[bisect(self._steps, dice.random() * self._total)]


class Dice(Random):
    """A random stream with the few draws that a world needs."""

    def id10(self) -> str:
        """Draw ten letters and digits, as the Faro SDK names sessions and loads."""
        b = self.getrandbits(60)
        return (
            _TWOS[b & 4095]
            + _TWOS[b >> 12 & 4095]
            + _TWOS[b >> 24 & 4095]
            + _TWOS[b >> 36 & 4095]
            + _TWOS[b >> 48]
        )

    def spread(self, median: float, sigma: float) -> float:
        """Draw from a log-normal of this median; bounded, as its tail is cut."""
        return median * math.exp(_NORMAL[self.getrandbits(10)] * sigma)

    def fork(self) -> "Dice":
        """Make a stream of its own for one thing."""
        return Dice(self.getrandbits(62))

    def below(self, n: int) -> int:
        """Draw a whole number in [0, n)."""
        return int(self.random() * n)

    def one(self, things: Sequence[_T]) -> _T:
        """Draw one of equally likely things."""
        return things[int(self.random() * len(things))]

    def often(self, mean: float) -> int:
        """Draw how often something with this mean happens (Poisson)."""
        if mean > _KNUTH_BELOW:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, n, product = math.exp(-mean), 0, self.random()
        while product > limit:
            n += 1
            product *= self.random()
        return n


def dice_for(*parts: int) -> Dice:
    """Make the stream that belongs to *parts*, the same one every time."""
    mixed = 0x2545F4914F6CDD1D
    for part in parts:
        mixed = ((mixed ^ part) * 0x9E3779B97F4A7C15 + 0x1B873593) & _MASK
        mixed ^= mixed >> 29
    return Dice(mixed)
