"""Divide sessions by the rate at which they were sampled: into strata."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.sessionql.filters import And, Compare, Filter, Not, Or

Named = Mapping[str, str]  # field → its value
Asked = Mapping[str, set[str]]  # field → the values of which a session has one

DECIMALS = 6  # of an estimated count


@dataclass(frozen=True, slots=True)
class Rate:
    """At which rate some sessions were sampled.

    Attributes:
        source: their source.
        app: their application; "" = any.
        version: their version; "" = any.
        rate: the share that was kept, over 0 and at most 1.
    """

    source: str
    app: str
    version: str
    rate: float

    @property
    def named(self) -> Named:
        """Return which fields have which values."""
        told = {"source": self.source, "app": self.app, "version": self.version}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions with some values and without others.

    Attributes:
        named: what all of them have.
        without: each is what none of them has, all of it at once.
    """

    named: Named
    without: tuple[Named, ...] = ()

    @property
    def selector(self) -> Filter:
        """Return the filter that selects them."""
        outside = (Not(And(_equal(each))) for each in self.without)
        return And((*_equal(self.named), *outside))

    def may_hold(self, asked: Asked) -> bool:
        """Tell whether a session with what is asked for may be one of them."""
        known = {name: {value} for name, value in self.named.items()}
        if any(asked.get(name, here).isdisjoint(here) for name, here in known.items()):
            return False
        known = {**asked, **known}
        return not any(
            all(known.get(name) == {value} for name, value in each.items())
            for each in self.without
        )


@dataclass(frozen=True, slots=True)
class Stratum:
    """All sessions that were sampled at one rate."""

    rate: float
    parts: tuple[Part, ...]

    @property
    def weight(self) -> float:
        """Return for how many sessions each of them stands; whole where it can be."""
        weight = 1 / self.rate
        return int(weight) if weight.is_integer() else weight

    @property
    def selector(self) -> Filter:
        """Return the filter that selects them."""
        return Or(tuple(each.selector for each in self.parts))


def strata_of(rates: Sequence[Rate], sources: Iterable[str]) -> tuple[Stratum, ...]:
    """Divide the sessions of *sources*: of *rates*, the first that fits a session counts.

    What none fits was not sampled.
    """
    found: dict[float, list[Part]] = defaultdict(list)
    for source in sources:
        ours = [each for each in rates if each.source == source]
        for index, each in enumerate([*ours, Rate(source, "", "", 1.0)]):
            earlier = tuple(one.named for one in ours[:index])
            found[each.rate].append(Part(each.named, earlier))
    return tuple(Stratum(rate, tuple(parts)) for rate, parts in found.items())


def possible(strata: Iterable[Stratum], selector: Filter) -> list[Stratum]:
    """Return what of *strata* may have sessions that *selector* selects."""
    asked: dict[str, set[str]] = {}
    for each in _all_of(selector):
        if isinstance(each, Compare) and each.op == "=":
            values = {str(value or "") for value in each.values}
            asked[each.field] = asked.get(each.field, values) & values
    left = (
        Stratum(each.rate, tuple(part for part in each.parts if part.may_hold(asked)))
        for each in strata
    )
    return [each for each in left if each.parts]


def rounded(count: float) -> float:
    """Return an estimate without what is but an error of arithmetic; whole if it is."""
    figure = round(count, DECIMALS)
    return int(figure) if figure == int(figure) else figure


def _all_of(part: Filter) -> Iterator[Filter]:
    if isinstance(part, And):
        for each in part.parts:
            yield from _all_of(each)
    else:
        yield part


def _equal(named: Named) -> tuple[Filter, ...]:
    return tuple(Compare(name, "=", (value,)) for name, value in named.items())
