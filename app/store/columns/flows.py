"""Tell where visitors went next, by column, as ``app.sessions.journeys`` does."""

from functools import partial
from typing import NamedTuple

import numpy as np

from app.sessionql.strata import rounded
from app.sessions.journeys import Flow, Passage
from app.store.columns.chunks import Array
from app.store.columns.events import Runs, inner_of, repeats, runs_of
from app.store.columns.keeping import Ways, kept_ways
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import together
from app.store.columns.trails import (
    Counted,
    Numbers,
    Trails,
    Way,
    count_trails,
    dwell_by,
    follow,
)
from app.store.columns.weighing import round_all, weighed


class _Visits(NamedTuple):
    """How often and how long pages were visited, in one part."""

    ids: Array
    visits: Array
    dwell: Array
    dwelled: Array
    sessions: int  # with any views


def flow_in_columns(
    question: Question, way: Way, top: int, *, is_brief: bool = False
) -> Flow:
    """Count transitions as ``journeys.flow_of`` does.

    Args:
        question: about sessions.
        way: which part of each trail.
        top: pages told apart.
        is_brief: sessions of places and transitions need not be right.

    Raises:
        NotInColumns: it is not for columns.
    """
    totals, followed = _totals(question, way)
    pages, counts = totals[:2]
    order = np.argsort(-counts, kind="stable")
    limit = counts[order[top - 1]] if len(counts) > top else 0
    chosen = set(pages[counts > limit].tolist())
    if len(chosen) < top:
        chosen |= _tied(question, way, pages[counts == limit], top - len(chosen))
    kept = sorted(chosen | {way.after, way.before})
    numbers = Numbers(kept, way)
    found = _count(question, way, numbers, is_brief=is_brief)
    if not numbers.is_levelled:
        _add_dwell(found, totals, numbers)
    found.sessions, found.pages = followed, len(pages)
    return found


def _totals(question: Question, way: Way) -> tuple[list[Array], float]:
    """Return visits by page, how long they took; and how many sessions are followed."""
    shares, followed = [_Visits(_NONE, _NONE, _NONE, _NONE, 0)], 0.0
    for asked, part in question.by_stratum():
        share = asked.share(part, ("pages", way), partial(_totals_of, asked, way))
        followed += share.sessions * asked.weight
        shares.append(weighed(share, asked.weight, "visits", "dwell", "dwelled"))
    columns = zip(*(share[:4] for share in shares), strict=True)
    pages, visits, *dwell = together(*map(list, columns))
    return [pages, round_all(visits), *dwell], rounded(followed)


def _totals_of(question: Question, way: Way, part: Part) -> _Visits:
    """Return what a part gives: as it is kept, or else counted."""
    ways = _ways(question, way, part)
    if ways is not None:
        used = np.flatnonzero(ways.visits)
        return _Visits(
            ways.ids[used], ways.visits[used], ways.dwell[used], ways.dwelled[used],
            ways.sessions,
        )  # fmt: skip
    visited = _visits_of(question, part)
    question.share(part, "visited", lambda _: visited[1:], _KEPT)
    trails = _trails_of(visited, way)
    codes = visited.codes[trails.visits]
    size = len(visited.ids)
    visits = np.bincount(codes, minlength=size)
    spent = spells = np.zeros(size)
    if not way.depth:  # else it is told by level
        dwell = part.some("dwell", "views", visited.chosen)
        spent, spells = dwell_by(codes, dwell.cut(trails.visits), size)
    used = np.flatnonzero(visits)
    return _Visits(
        visited.ids[used], visits[used], spent[used], spells[used], len(trails.begins)
    )


def _ways(question: Question, way: Way, part: Part) -> Ways | None:
    """Return what is kept of a part; it is remembered until it was asked for twice."""
    if way != Way():
        return None
    found = question.share(part, "ways", lambda part: kept_ways(question, part) or ())
    return Ways(*found) if found else None


class _Visited(NamedTuple):
    """The visits of the sessions that are meant, in one part.

    Attributes:
        chosen: which visits of the part they are.
        sizes: how many each session has that has any.
        ids: pages.
        codes: the page of each visit, a place in these.
    """

    chosen: Array | slice
    sizes: Array
    ids: Array
    codes: Array


def _visited(question: Question, part: Part) -> _Visited:
    """Return visits; of few it is remembered until they are counted."""

    def compute(part: Part) -> tuple[Array, ...]:
        return _visits_of(question, part)[1:]

    return _Visited(_NONE, *question.share(part, "visited", compute, _KEPT))


def _visits_of(question: Question, part: Part) -> _Visited:
    runs = runs_of(part, "views", question.sessions(part))
    labels = part.labels("page", "views")
    codes = labels.codes[runs.chosen]
    return _Visited(runs.chosen, narrow(runs.sizes), labels.ids, codes)


def _trails_of(visited: _Visited, way: Way) -> Trails:
    page = way.after or way.before
    hits = (visited.ids == page).take(visited.codes) if page else _NONE
    sizes = visited.sizes
    begins = np.cumsum(sizes, dtype=np.int64) - sizes
    return follow(Runs(slice(None), _NONE, begins, sizes), hits, way)


def _tied(question: Question, way: Way, pages: Array, count: int) -> set[int]:
    """Return *count* of *pages*, those that are visited first."""
    found: dict[int, None] = {}
    for part in question:
        visited = _visited(question, part)
        ids = visited.ids
        here = visited.codes[_trails_of(visited, way).visits]
        wanted = np.isin(ids, pages)
        distinct, first = np.unique(here, return_index=True)
        order = np.argsort(first)
        for each in ids[distinct[order]][wanted[distinct[order]]].tolist():
            found.setdefault(each)
        if len(found) >= count:
            break
    return set(list(found)[:count])


def _count(question: Question, way: Way, numbers: Numbers, *, is_brief: bool) -> Flow:
    what = ("flow", way, tuple(numbers.pages), is_brief)
    shares = []
    for asked, part in question.by_stratum():
        count = partial(_count_part, asked, way, numbers, is_brief)
        found = asked.share(part, what, count)
        shares.append(weighed(found, asked.weight, *_FIGURES))
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


def _count_part(
    question: Question,
    way: Way,
    numbers: Numbers,
    is_brief: bool,  # noqa: FBT001 - always given by place
    part: Part,
) -> Counted:
    ways = _ways(question, way, part)
    if ways is not None:
        seen = ways.ids[ways.visits > 0]
        if is_brief or not (numbers.of(seen) == numbers.other).any():
            return add_ways(ways, numbers, None)
        return add_ways(ways, numbers, _count_others(question, part, numbers))
    visited = _visited(question, part)
    trails = _trails_of(visited, way)
    kept: Array = numbers.of(visited.ids).astype(numbers.type)
    pages = kept.take(visited.codes[trails.visits])
    dwell = None
    if numbers.is_levelled:
        chosen = runs_of(part, "views", question.sessions(part)).chosen
        dwell = part.some("dwell", "views", chosen).cut(trails.visits)
    return count_trails(trails, pages, dwell, numbers, is_brief=is_brief)


def _count_others(
    question: Question, part: Part, numbers: Numbers
) -> tuple[int, Array]:
    """Return sessions that were on another page, and transitions made again from or to.

    That is not the sum of what is kept of these pages.
    """
    sessions, labels = question.sessions(part), part.labels("page", "views")
    kept: Array = numbers.of(labels.ids).astype(numbers.type)
    pages = kept.take(labels.codes)
    is_other = pages == numbers.other
    if isinstance(sessions, bool):
        inner = inner_of(part, "views")
    else:  # quicker than to choose the visits of those that are meant
        rows = part.places("views")
        inner = np.zeros(len(pages), bool)
        np.equal(rows[1:], rows[:-1], out=inner[1:])
        is_other &= sessions.take(rows)
    met = int(np.count_nonzero(is_other & ~repeats(is_other, inner)))
    steps: Array = np.zeros(len(pages), numbers.type)  # 0: the first of a session
    np.multiply(pages[:-1], numbers.type(numbers.width), out=steps[1:])
    steps[1:] += pages[1:]
    steps += numbers.type(1)
    steps *= inner
    again = repeats(steps, inner)
    is_other[1:] |= is_other[:-1].copy()
    again &= is_other
    steps = steps.compress(again) - numbers.type(1)
    return met, np.bincount(steps, minlength=numbers.width**2)


def add_ways(ways: Ways, numbers: Numbers, others: tuple[int, Array] | None) -> Counted:
    """Return what is kept of all pages as it is told of some and the others.

    Args:
        ways: what is kept.
        numbers: of places.
        others: sessions on other pages, and transitions that were made again, from or
            to these; None = there are none, or they need not be right.
    """
    width, other = numbers.width, numbers.other
    places = numbers.of(ways.ids)
    visits, sessions = (
        np.bincount(places, each, width).astype(np.int64)
        for each in (ways.visits, ways.counted)
    )
    visits[[numbers.entry, numbers.exit]] = ways.sessions
    sessions[[numbers.entry, numbers.exit]] = ways.sessions
    sources, targets = (
        np.append(places, end).take(each)
        for each, end in ((ways.sources, numbers.entry), (ways.targets, numbers.exit))
    )
    edges = sources * width + targets
    passages, again = (
        np.bincount(edges, each, width**2).astype(np.int64)
        for each in (ways.passages, ways.again)
    )
    if others is not None:
        sessions[other], of_others = others
        table = again.reshape(width, width)
        table[other], table[:, other] = 0, 0
        again += of_others
    used, keys = np.flatnonzero(visits), np.flatnonzero(passages)
    nothing = np.zeros(len(used))
    return Counted(
        used, visits[used], sessions[used], nothing, nothing, keys, passages[keys],
        (passages - again)[keys],
    )  # fmt: skip


def _add_dwell(flow: Flow, totals: list[Array], numbers: Numbers) -> None:
    """Say how long the visits of places took, that are told apart by page alone."""
    pages, _, *sums = totals
    places = numbers.of(pages)
    spent, spells = (round_all(np.bincount(places, each)).tolist() for each in sums)
    for place in np.flatnonzero(np.bincount(places)).tolist():
        passage = flow.places[numbers.place(place)]
        passage.dwell, passage.dwelled = spent[place], spells[place]


_NONE = np.zeros(0, np.int64)
_KEPT = 1 << 17  # bytes of visits of a part that are remembered
_FIGURES = tuple(name for name in Counted._fields if name not in {"places", "edges"})
