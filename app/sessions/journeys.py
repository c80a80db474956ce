"""Follow visitors from page to page.

Pages are numbers here; what they are called is somebody else's business. Everything is
a pure function of trails: what each session visited, in order.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any, NamedTuple

ENTRY, EXIT, OTHER = -1, -2, -3  # places that are no page
NO_DWELL = -1

Place = tuple[int, int]  # (level, page)
Edge = tuple[Place, Place]
Way = tuple[Place, ...]
MAX_WAYS = 50_000  # different ones held at a time


class Trails:
    """What many sessions visited, packed: pages, dwell, and where each begins.

    Attributes:
        weights: for how many sessions each stands.
    """

    def __init__(self) -> None:
        self.pages = array("q")
        self.dwells = array("q")
        self.weights: list[float] = []
        self._starts = array("q")
        self._session = -1

    def add(self, session: int, page: int, dwell: int, weight: float = 1) -> None:
        """Add a visit; those of one session come together, in order."""
        if session != self._session:
            self._session = session
            self._starts.append(len(self.pages))
            self.weights.append(weight)
        self.pages.append(page)
        self.dwells.append(dwell)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        """Yield where each trail begins and ends, and its weight."""
        ends = chain(self._starts[1:], (len(self.pages),))
        return zip(self._starts, ends, self.weights, strict=False)


class Part(NamedTuple):
    """The part of a trail that is followed."""

    start: int
    end: int
    weight: float  # for how many sessions it stands
    begins: bool  # the session began here, and that is to be shown
    ends: bool
    level: int  # of its first step


@dataclass(slots=True)
class Passage:
    """What goes along one edge, or through one place."""

    count: float = 0
    sessions: float = 0
    dwell: float = 0  # ms, summed
    dwelled: float = 0  # visits of which it is known


@dataclass(slots=True)
class Flow:
    """Transitions between the most visited pages.

    Attributes:
        edges: from place to place; places have a level where steps are told apart.
        places: visits of each page.
        sessions: that were followed.
        pages: distinct ones, of which only some are told apart.
    """

    edges: dict[Edge, Passage] = field(default_factory=dict)
    places: dict[Place, Passage] = field(default_factory=dict)
    sessions: float = 0
    pages: int = 0


def flow_of(
    trails: Trails, *, after: int = 0, before: int = 0, depth: int = 0, top: int = 20
) -> Flow:
    """Count transitions.

    1. Cut each trail to the part that is asked for.
    2. Count the pages of these parts; the *top* ones stay, all others become one.
    3. Count edges, and the sessions that go along each at least once.

    Args:
        trails: of the sessions.
        after: page from whose first visit on to follow, or 0.
        before: page up to whose first visit to follow, or 0; not with *after*.
        depth: steps told apart; 0 = all transitions together.
        top: pages told apart.
    """
    seen: Counter[int] = Counter()
    followed = 0.0
    for part in _parts(trails, after, before, depth):
        pages = trails.pages[part.start : part.end]
        if part.weight == 1:
            seen.update(pages)
        else:
            for page in pages:
                seen[page] += part.weight  # type: ignore[assignment]
        followed += part.weight
    kept = {page for page, _ in seen.most_common(top)} | {after, before}
    flow = Flow(sessions=followed, pages=len(seen))
    step = 1 if depth else 0
    alike: defaultdict[Way, float] = defaultdict(float)
    for part in _parts(trails, after, before, depth):
        way = _way(trails, part, kept, step)
        alike[way] += part.weight
        _stay(flow, trails, part, way)
        if len(alike) > MAX_WAYS:
            _go(flow, alike)
    _go(flow, alike)
    return flow


def _parts(trails: Trails, after: int, before: int, depth: int) -> Iterator[Part]:
    """Yield the part of each trail that is followed; none where *after* is missing."""
    for start, end, weight in trails:
        if before:
            last = _find(trails, before, start, end) + 1
            if last:
                first = max(start, last - depth - 1) if depth else start
                level = first - last + 1 if depth else 0
                yield Part(first, last, weight, first == start, ends=False, level=level)
        elif after:
            first = _find(trails, after, start, end)
            if first >= 0:
                last = min(end, first + depth + 1) if depth else end
                yield Part(first, last, weight, begins=False, ends=last == end, level=0)
        else:
            last = min(end, start + depth) if depth else end
            yield Part(start, last, weight, begins=True, ends=last == end, level=1)


def _find(trails: Trails, page: int, start: int, end: int) -> int:
    """Return where *page* is first visited; -1 when it is not."""
    for index in range(start, end):
        if trails.pages[index] == page:
            return index
    return -1


def _way(trails: Trails, part: Part, kept: set[int], step: int) -> Way:
    """Return the places that a part of a trail leads through; many are alike."""
    level = part.level * step
    pages = [
        page if page in kept else OTHER for page in trails.pages[part.start : part.end]
    ]
    if part.begins:
        pages.insert(0, ENTRY)
        level -= step
    if part.ends:
        pages.append(EXIT)
    if not step:
        return tuple([(0, page) for page in pages])
    return tuple(enumerate(pages, level))


def _stay(flow: Flow, trails: Trails, part: Part, way: Way) -> None:
    """Add how long its visits took."""
    shown = way[1:] if part.begins else way
    for place, dwell in zip(shown, trails.dwells[part.start : part.end], strict=False):
        if dwell != NO_DWELL:
            passage = _passage(flow.places, place)
            passage.dwell += part.weight * dwell
            passage.dwelled += part.weight


def _go(flow: Flow, alike: dict[Way, float]) -> None:
    """Add ways, each as often as it was gone, and forget them."""
    for way, times in alike.items():
        edges = list(pairwise(way))
        for place in way:
            _passage(flow.places, place).count += times
        for place in set(way):
            flow.places[place].sessions += times
        for edge in edges:
            _passage(flow.edges, edge).count += times
        for edge in set(edges):
            flow.edges[edge].sessions += times
    alike.clear()


def _passage(known: dict[Any, Passage], key: Place | Edge) -> Passage:
    found = known.get(key)
    if found is None:
        found = known[key] = Passage()
    return found
