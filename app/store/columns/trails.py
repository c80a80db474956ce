"""Follow visitors from page to page, as ``app.sessions.journeys`` does, by column."""

from functools import partial
from typing import NamedTuple

import numpy as np

from app.sessionql.strata import rounded
from app.sessions.journeys import ENTRY, EXIT, OTHER, Edge, Flow, Passage, Place
from app.store.columns.chunks import Array, narrowest
from app.store.columns.chunks import Numbers as Column
from app.store.columns.events import (
    begins_of,
    events_of,
    first_of_each,
    sizes_of,
    spread,
)
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.sorting import together
from app.store.columns.weighing import round_all, times, weighed

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
        rows: the session of each.
        begins: where each trail begins in these.
        sizes: visits of each.
        enters: the session began here, and that is to be shown.
        leaves: it ended here.
        levels: of the first visit of each.
    """

    visits: Array | slice
    rows: Array
    begins: Array
    sizes: Array
    enters: Array
    leaves: Array
    levels: Array


def follow(rows: Array, hits: Array, way: Way) -> Trails:
    """Cut the trail of each session to the part that is followed.

    Args:
        rows: of each visit the session, ascending.
        hits: whether it is of the page from which on, or up to which, to follow; of
            neither, anything.
        way: which part.
    """
    begins = begins_of(rows)
    ends = begins + sizes_of(begins, len(rows))
    depth = way.depth
    if way.before:
        which, last = _firsts(hits, begins)
        begins, last = begins[which], last + 1
        first = np.maximum(begins, last - depth - 1) if depth else begins
        levels = first - last + 1 if depth else np.zeros(len(last), np.int64)
        return _trails(rows, first, last, (first == begins, last < 0, levels))
    if way.after:
        which, first = _firsts(hits, begins)
        ends = ends[which]
        last = np.minimum(ends, first + depth + 1) if depth else ends
        told = (last < 0, last == ends, np.zeros_like(first))
        return _trails(rows, first, last, told)
    last = np.minimum(ends, begins + depth) if depth else ends
    told = (last >= 0, last == ends, np.ones_like(begins))
    if not depth:  # all of them
        return Trails(slice(None), rows, begins, last - begins, *told)
    return _trails(rows, begins, last, told)


def _firsts(hits: Array, begins: Array) -> tuple[Array, Array]:
    """Return which sessions have a hit, and where the first of each is."""
    found = np.flatnonzero(hits)
    which = np.searchsorted(begins, found, "right") - 1
    firsts = begins_of(which)
    return which[firsts], found[firsts]


def _trails(
    rows: Array, first: Array, last: Array, told: tuple[Array, Array, Array]
) -> Trails:
    sizes = last - first
    begins = np.cumsum(sizes) - sizes
    visits = spread(first, sizes)
    return Trails(visits, rows[visits], begins, sizes, *told)


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
    trails: Trails, pages: Array, dwell: Column, numbers: Numbers
) -> Counted:
    """Count visits of places and transitions between them.

    Args:
        trails: what is followed.
        pages: the page of each visit, as ``numbers`` has it, without a level.
        dwell: ms, likewise.
        numbers: of places.
    """
    first, places = _levelled(trails, pages, numbers)
    inner = trails.rows[1:] == trails.rows[:-1]
    table = numbers.levels * numbers.width
    none = table * numbers.width  # from the last of a trail to the first of the next
    edges = places[:-1] * numbers.width + pages[1:]
    # to choose takes far longer
    edges = edges * inner + pages.dtype.type(none) * ~inner
    ends, ways = _ends(trails, pages, (first, places), numbers)
    every = np.bincount(ends, minlength=table)
    viewed = np.bincount(places, minlength=table)
    visits, sessions = every + viewed, every + viewed
    keys, passages = _counted(edges, ways, none)
    edge_sessions = passages
    if not numbers.is_levelled:  # or a session is nowhere twice
        again = np.flatnonzero(~first_of_each(pages, trails.rows))
        sessions -= np.bincount(places.take(again), minlength=table)
        again = np.flatnonzero(~first_of_each(edges, trails.rows[1:]) & inner)
        edge_sessions = passages - _times(edges.take(again), keys, none)
    spells = viewed
    if dwell.known is not None:
        unknown = places.take(np.flatnonzero(~dwell.known))
        spells = viewed - np.bincount(unknown, minlength=table)
    spent = np.bincount(places, dwell.distances, table) + spells * dwell.offset
    used = np.flatnonzero(visits)
    return Counted(
        used, visits[used], sessions[used], spent[used], spells[used],
        keys, passages, edge_sessions,
    )  # fmt: skip


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


# -- a question -------------------------------------------------------------------------


def flow_in_columns(question: Question, way: Way, top: int) -> Flow:
    """Count transitions as ``journeys.flow_of`` does.

    Raises:
        NotInColumns: it is not for columns.
    """
    pages, counts, followed = _pages(question, way)
    order = np.argsort(-counts, kind="stable")
    limit = counts[order[top - 1]] if len(counts) > top else 0
    chosen = set(pages[counts > limit].tolist())
    if len(chosen) < top:
        chosen |= _tied(question, way, pages[counts == limit], top - len(chosen))
    kept = sorted(chosen | {way.after, way.before})
    found = _count(question, way, Numbers(kept, way))
    found.sessions, found.pages = followed, len(pages)
    return found


def _pages(question: Question, way: Way) -> tuple[Array, Array, float]:
    """Return pages by number, visits of each, and how many sessions are followed."""
    ids, counts, followed = [_NONE], [_NONE], 0.0
    for asked, part in question.by_stratum():
        share = asked.share(part, ("pages", way), partial(_pages_of, asked, way))
        ids.append(share[0])
        counts.append(times(share[1], asked.weight))
        followed += share[2] * asked.weight
    every, visits = together(ids, counts)
    return every, round_all(visits), rounded(followed)


def _pages_of(question: Question, way: Way, part: Part) -> tuple[Array, Array, int]:
    trails, codes, _ = _trails_of(question, part, way)
    ids = part.labels("page", "views").ids
    counts = np.bincount(codes[trails.visits], minlength=len(ids))
    used = np.flatnonzero(counts)
    return ids[used], counts[used], len(trails.begins)


def _trails_of(
    question: Question, part: Part, way: Way
) -> tuple[Trails, Array, Array | slice]:
    """Return trails, the pages of all visits as codes, and which visits these are."""
    rows, chosen = events_of(part, "views", question.sessions(part))
    labels = part.labels("page", "views")
    codes = labels.codes[chosen]
    page = way.after or way.before
    hits = (labels.ids == page).take(codes) if page else _NONE
    return follow(rows, hits, way), codes, chosen


def _tied(question: Question, way: Way, pages: Array, count: int) -> set[int]:
    """Return *count* of *pages*, those that are visited first."""
    found: dict[int, None] = {}
    for part in question:
        trails, codes, _ = _trails_of(question, part, way)
        ids = part.labels("page", "views").ids
        here = codes[trails.visits]
        wanted = np.isin(ids, pages)
        distinct, first = np.unique(here, return_index=True)
        order = np.argsort(first)
        for each in ids[distinct[order]][wanted[distinct[order]]].tolist():
            found.setdefault(each)
        if len(found) >= count:
            break
    return set(list(found)[:count])


def _count(question: Question, way: Way, numbers: Numbers) -> Flow:
    what = ("flow", way, tuple(numbers.pages))
    shares = [
        weighed(
            asked.share(part, what, partial(_count_part, asked, way, numbers)),
            asked.weight,
            *_FIGURES,
        )
        for asked, part in question.by_stratum()
    ]
    flow = Flow()
    if not shares:
        return flow
    columns = [list(each) for each in zip(*shares, strict=True)]
    places = [round_all(each).tolist() for each in together(*columns[:5])]
    for number, *figures in zip(*places, strict=True):
        flow.places[numbers.place(number)] = Passage(*figures)
    edges = [round_all(each).tolist() for each in together(*columns[5:])]
    for number, *figures in zip(*edges, strict=True):
        flow.edges[numbers.edge(number)] = Passage(*figures)
    return flow


def _count_part(question: Question, way: Way, numbers: Numbers, part: Part) -> Counted:
    trails, codes, chosen = _trails_of(question, part, way)
    kept: Array = numbers.of(part.labels("page", "views").ids).astype(numbers.type)
    pages = kept.take(codes[trails.visits])
    held = part.numbers("dwell", "views")
    distances = held.distances[chosen][trails.visits]
    dwell = Column(distances, held.offset, held.has_null)  # of NULL the distance is 0
    return count_trails(trails, pages, dwell, numbers)


_NONE = np.zeros(0, np.int64)
_FIGURES = tuple(name for name in Counted._fields if name not in {"places", "edges"})
