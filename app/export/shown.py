"""Choose what a scrape sees of the recorded values: names, labels and how many series."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from app.export.labels import is_barred
from app.model import Labels
from app.store.feed_seam import Standing

OTHER = "other"
_VALID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # labels; names may have colons, too
_LABEL_RESERVED = "__"

Adds = Callable[[str], bool]  # key of a rule → whether its values may be added up
Pair = tuple[Labels, float]


@dataclass(slots=True)
class Shown:
    """What a scrape sees.

    Attributes:
        families: name as a scrape sees it → the name it was recorded under, and series.
        dropped: series that are not shown, by reason.
        newest: newest slot of all, ms; 0 = there is none.
    """

    families: dict[str, tuple[str, list[Pair]]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    newest: int = 0


def choose(
    standing: Iterable[Standing], most: int, adds: Adds, taken: Iterable[str] = ()
) -> Shown:
    """Choose at most *most* series of each rule: the largest.

    The others are added up as one, if the rule's values may be, and left out otherwise.

    Args:
        standing: by name.
        most: series of one rule.
        adds: tells for a rule whether its values may be added up.
        taken: names that something else has; in the way they are left out.
    """
    shown = Shown()
    reserved = set(taken)
    ordered = sorted(standing, key=lambda each: (each.name, each.rule))
    for (name, rule), group in groupby(ordered, lambda each: (each.name, each.rule)):
        kept = list(_may_leave(group, shown))
        seen_as = name.replace(":", "_")
        held = shown.families.get(seen_as)
        if seen_as in reserved or (held and held[0] != name):
            shown.dropped["name"] += len(kept)
        elif kept:
            pairs = [(each.labels, each.value) for each in kept]
            found = _cap(pairs, most, shown.dropped, adds=adds(rule))
            _, series = shown.families.setdefault(seen_as, (name, []))
            series += _unlike(found, series, shown.dropped)
    return shown


def _may_leave(group: Iterable[Standing], shown: Shown) -> Iterator[Standing]:
    for each in group:
        shown.newest = max(shown.newest, each.at)
        if is_barred(each.labels):
            shown.dropped["identity"] += 1
        elif not all(map(_is_label, each.labels)):
            shown.dropped["label"] += 1
        else:
            yield each


def _is_label(name: str) -> bool:
    return bool(_VALID.fullmatch(name)) and not name.startswith(_LABEL_RESERVED)


def _cap(
    pairs: list[Pair], most: int, dropped: Counter[str], *, adds: bool
) -> list[Pair]:
    if len(pairs) <= most:
        return pairs
    ranked = sorted(pairs, key=lambda pair: (-pair[1], sorted(pair[0].items())))
    kept, rest = ranked[:most], ranked[most:]
    if not adds:
        dropped["limit"] += len(rest)
        return kept
    other = _common(pairs)
    twins = [pair for pair in kept if pair[0] == other]
    kept = [pair for pair in kept if pair[0] != other]
    return [*kept, (other, sum(value for _, value in [*twins, *rest]))]


def _common(pairs: list[Pair]) -> Labels:
    """Return the labels of the rest: what all have in common, else ``other``."""
    names = {name for labels, _ in pairs for name in labels}
    values = {name: {labels.get(name, "") for labels, _ in pairs} for name in names}
    return {
        name: next(iter(found)) if len(found) == 1 else OTHER
        for name, found in sorted(values.items())
    }


def _unlike(
    pairs: list[Pair], series: list[Pair], dropped: Counter[str]
) -> Iterator[Pair]:
    """Leave out what another rule of the same name has already."""
    seen = {tuple(sorted(labels.items())) for labels, _ in series}
    for labels, value in pairs:
        if tuple(sorted(labels.items())) in seen:
            dropped["name"] += 1
        else:
            yield labels, value
