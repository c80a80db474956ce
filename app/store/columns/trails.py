"""Follow visitors from page to page, as ``app.sessions.journeys`` does, by column."""

from typing import NamedTuple

import numpy as np

from app.sessions.journeys import ENTRY, EXIT, OTHER, Edge, Place
from app.store.columns.chunks import Array, narrowest
from app.store.columns.chunks import Numbers as Column
from app.store.columns.events import Runs, begins_of, repeats, spread

MAX_TABLE = 1 << 20  # transitions that are counted in a table, and not sorted


class Way(NamedTuple):
    """Which part of each trail is followed, and how its pages are told apart."""

    after: int = 0
    before: int = 0
    depth: int = 0


class Trails(NamedTuple):
    """The visits of some sessions that are followed, one session after the other.

    Attributes:
        visits: which visits of all that were given.
        inner: of each, whether the one before it is of the same session.
        begins: where each trail begins in these.
        sizes: visits of each.
        enters: the session began here, and that is to be shown.
        leaves: it ended here.
        levels: of the first visit of each.
    """

    visits: Array | slice
    inner: Array
    begins: Array
    sizes: Array
    enters: Array
    leaves: Array
    levels: Array


def follow(runs: Runs, hits: Array, way: Way) -> Trails:
    """Cut the trail of each session to the part that is followed.

    Args:
        runs: the visits of each session.
        hits: whether a visit is of the page from which on, or up to which, to follow;
            of neither, anything.
        way: which part.
    """
    begins = runs.begins.astype(np.int64)
    ends = begins + runs.sizes
    depth = way.depth
    if way.before:
        which, last = _firsts(hits, begins)
        begins, last = begins[which], last + 1
        first = np.maximum(begins, last - depth - 1) if depth else begins
        levels = first - last + 1 if depth else np.zeros(len(last), np.int64)
        return _trails(first, last, (first == begins, last < 0, levels))
    if way.after:
        which, first = _firsts(hits, begins)
        ends = ends[which]
        last = np.minimum(ends, first + depth + 1) if depth else ends
        return _trails(first, last, (last < 0, last == ends, np.zeros_like(first)))
    last = np.minimum(ends, begins + depth) if depth else ends
    told = (last >= 0, last == ends, np.ones_like(begins))
    if not depth:  # all of them
        return Trails(slice(None), runs.inner, begins, runs.sizes, *told)
    return _trails(begins, last, told)


def _firsts(hits: Array, begins: Array) -> tuple[Array, Array]:
    """Return which sessions have a hit, and where the first of each is."""
    found = np.flatnonzero(hits)
    which = np.searchsorted(begins, found, "right") - 1
    firsts = begins_of(which)
    return which[firsts], found[firsts]


def _trails(first: Array, last: Array, told: tuple[Array, Array, Array]) -> Trails:
    sizes = last - first
    begins = np.cumsum(sizes) - sizes
    inner = np.ones(int(sizes.sum()), bool)
    inner[begins] = False
    return Trails(spread(first, sizes), inner, begins, sizes, *told)


# -- counting ---------------------------------------------------------------------------


class Counted(NamedTuple):
    """What one part gives: places and transitions by key, ascending."""

    places: Array
    visits: Array
    sessions: Array
    dwell: Array
    dwelled: Array
    edges: Array
    passages: Array
    edge_sessions: Array


class Numbers:
    """Numbers places: by level, and by page, of which some are told apart."""

    def __init__(self, kept: list[int], way: Way) -> None:
        self.pages = [*kept, OTHER, ENTRY, EXIT]
        self.kept = np.array(kept, np.int64)
        self.width = len(self.pages)
        self.is_levelled = bool(way.depth)
        self.lowest = -way.depth - 1 if way.before and way.depth else 0
        self.other, self.entry, self.exit = range(len(kept), self.width)
        self.levels = way.depth + 3 if way.depth else 1
        self.type = narrowest(self.levels * self.width**2)  # that transitions fit in

    def of(self, ids: Array) -> Array:
        """Return the numbers of pages without a level."""
        if not len(self.kept):
            return np.full(len(ids), self.other)
        at = np.minimum(np.searchsorted(self.kept, ids), len(self.kept) - 1)
        return np.where(self.kept[at] == ids, at, self.other)

    def place(self, number: int) -> Place:
        """Return the place that has a number."""
        level, page = divmod(number, self.width)
        return level + self.lowest, self.pages[page]

    def edge(self, number: int) -> Edge:
        """Return the transition that has a number."""
        source, target = divmod(number, self.width)
        level, page = self.place(source)
        return (level, page), (level + self.is_levelled, self.pages[target])


def count_trails(
    trails: Trails,
    pages: Array,
    dwell: Column | None,
    numbers: Numbers,
    *,
    is_brief: bool = False,
) -> Counted:
    """Count visits of places and transitions between them.

    Args:
        trails: what is followed.
        pages: the page of each visit, as ``numbers`` has it, without a level.
        dwell: ms, likewise; None = it is known, and 0 here.
        numbers: of places.
        is_brief: sessions need not be right.
    """
    first, places = _levelled(trails, pages, numbers)
    table = numbers.levels * numbers.width
    none = table * numbers.width  # from the last of a trail to the first of the next
    edges: Array = np.full(len(pages), none, numbers.type)
    np.multiply(places[:-1], numbers.type(numbers.width), out=edges[1:])
    edges[1:] += pages[1:]
    edges[trails.begins] = none
    ends, ways = _ends(trails, pages, (first, places), numbers)
    every = np.bincount(ends, minlength=table)
    viewed = np.bincount(places, minlength=table)
    visits, sessions = every + viewed, every + viewed
    keys, passages = _counted(edges, ways, none)
    edge_sessions = passages
    if not (is_brief or numbers.is_levelled):  # or a session is nowhere twice
        again = np.flatnonzero(repeats(pages, trails.inner))
        sessions -= np.bincount(pages.take(again), minlength=table)
        again = np.flatnonzero(repeats(edges, trails.inner))
        edge_sessions = passages - _times(edges.take(again), keys, none)
    spent, spells = dwell_by(places, dwell, table) if dwell else (_NONE, _NONE)
    used = np.flatnonzero(visits)
    if len(spent):
        spent, spells = spent[used], spells[used]
    else:
        spent = spells = np.zeros(len(used))
    return Counted(
        used, visits[used], sessions[used], spent, spells, keys, passages, edge_sessions
    )


def dwell_by(places: Array, dwell: Column, count: int) -> tuple[Array, Array]:
    """Return the sum of dwell by place, and of how many visits it is known."""
    spells = np.bincount(places, minlength=count)
    if dwell.known is not None:
        unknown = places.take(np.flatnonzero(~dwell.known))
        spells -= np.bincount(unknown, minlength=count)
    # of NULL the distance is 0; of narrow numbers the sum takes twice as long
    distances = dwell.distances.astype(np.float64)
    return np.bincount(places, distances, count) + spells * dwell.offset, spells


def _levelled(
    trails: Trails, pages: Array, numbers: Numbers
) -> tuple[Array | int, Array]:
    """Return what the level of each trail's first visit adds, and places with levels."""
    if not numbers.is_levelled:
        return 0, pages
    first = (trails.levels - numbers.lowest) * numbers.width
    position = np.arange(len(pages)) - np.repeat(trails.begins, trails.sizes)
    places = pages + np.repeat(first, trails.sizes) + position * numbers.width
    return first, places.astype(pages.dtype)


def _ends(
    trails: Trails, pages: Array, held: tuple[Array | int, Array], numbers: Numbers
) -> tuple[Array, Array]:
    """Return the places where trails enter and leave, and the ways from and to there."""
    first, places = held
    begins, ends = trails.begins, trails.begins + (trails.sizes - 1)
    come, gone = first + numbers.entry, first + numbers.exit
    if numbers.is_levelled:
        come, gone = come - numbers.width, gone + trails.sizes * numbers.width
    come, gone = (
        np.broadcast_to(np.asarray(each, numbers.type), len(begins))
        for each in (come, gone)
    )
    enter: Array = come * numbers.width + pages.take(begins)
    leave = places.take(ends) * numbers.width + numbers.exit
    these, those = trails.enters, trails.leaves
    ways = np.concatenate([enter[these], leave[those]])
    return np.concatenate([come[these], gone[those]]), ways


def _counted(keys: Array, more: Array, size: int) -> tuple[Array, Array]:
    """Return the distinct keys below *size*, ascending, and how often each is there."""
    if size > MAX_TABLE:
        every = np.concatenate([keys[keys < size], more])
        return np.unique(every, return_counts=True)
    counts = np.bincount(keys, minlength=size)[:size]
    counts += np.bincount(more, minlength=size)
    used = np.flatnonzero(counts)
    return used, counts[used]


def _times(values: Array, keys: Array, size: int) -> Array:
    """Return how often each of *keys*, which ascend and are below *size*, is there."""
    if size > MAX_TABLE:
        return np.bincount(np.searchsorted(keys, values), minlength=len(keys))
    return np.bincount(values, minlength=size)[keys]


_NONE = np.zeros(0, np.int64)
