"""Follow sessions through funnels, as ``app.sessions.funnels`` does, by column."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.sessionql.filters import Compare
from app.sessions.funnels import Funnel, new_funnel, walk
from app.store.columns.chunks import Array
from app.store.columns.events import (
    KINDS,
    begins_of,
    events_of,
    match_events,
    sizes_of,
)
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.tables import TABLES
from app.store.columns.weighing import times

FEW = 16  # sessions that are followed one by one
MAX_TIMES = 2_000_000  # of chains of sessions that are followed at the same time
_NEVER = -1


class Steps(NamedTuple):
    """What is asked of a funnel.

    Attributes:
        steps: what makes each, and of which kind of event it is.
        strict: nothing of these kinds may lie between two of them.
        within: ms from the first to the last; 0 = any time.
        by: a field of sessions to tell apart by, or "".
        dropped: sessions that made so many steps and no more are listed; 0 = none.
        limit: of these, the newest.
    """

    steps: tuple[tuple[str, Compare], ...]
    strict: bool
    within: int
    by: str
    dropped: int
    limit: int


class Walked(NamedTuple):
    """What one part gives.

    Attributes:
        labels: numbers of what sessions are told apart by.
        reached: of each label, how many sessions made each step.
        took: ms from the step before, summed.
        dropped: row ids of listed sessions, the newest last.
        began: when they began.
    """

    labels: Array
    reached: Array
    took: Array
    dropped: Array
    began: Array


class Hits(NamedTuple):
    """What sessions did, one after the other: when, and which steps that makes."""

    rows: Array
    at: Array
    bits: Array


def funnel_in_columns(
    question: Question, asked: Steps
) -> tuple[dict[int | str, Funnel], list[int]]:
    """Count sessions step by step.

    Returns:
        Funnels by label; and row ids of the sessions that are listed, newest first.

    Raises:
        NotInColumns: it is not for columns.
    """
    if asked.by and asked.by not in TABLES["sessions"].labels:
        raise NotInColumns(asked.by)
    groups: dict[int | str, Funnel] = {}
    listed: list[tuple[int, int]] = []
    for each, part in question.by_stratum():
        walked = each.share(part, ("funnel", asked), partial(_walk_part, each, asked))
        reached, took = (
            times(figures, each.weight).tolist()
            for figures in (walked.reached, walked.took)
        )
        for label, *figures in zip(walked.labels.tolist(), reached, took, strict=True):
            held = groups.setdefault(label, new_funnel(len(asked.steps)))
            held.merge(Funnel(*figures))
        listed += zip(walked.began.tolist(), walked.dropped.tolist(), strict=True)
        listed = sorted(listed)[-asked.limit :]
    return groups, [session for _, session in listed[::-1]]


def _walk_part(question: Question, asked: Steps, part: Part) -> Walked:
    hits = _hits(question, part, asked)
    follow = follow_strictly if asked.strict else follow_loosely
    sessions, made, times = follow(hits, len(asked.steps), asked.within)
    labels, codes = np.zeros(1, np.int64), np.zeros(len(sessions), np.int64)
    if asked.by:
        column = part.labels(asked.by)
        labels, codes = column.ids, column.codes[sessions].astype(np.int64)
    shape = (len(labels), len(asked.steps))
    reached, took = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for step in range(len(asked.steps)):
        there = made > step
        reached[:, step] = np.bincount(codes[there], minlength=len(labels))
        if step:
            spent = times[there, step] - times[there, step - 1]
            took[:, step] = np.bincount(codes[there], spent, len(labels))
    dropped = (
        sessions[made == asked.dropped][-asked.limit :] if asked.dropped else _NONE
    )
    ids, began = (
        part.numbers(name).values[dropped] if len(dropped) else _NONE
        for name in ("id", "start")
    )
    used = reached[:, 0] > 0
    return Walked(labels[used], reached[used], took[used], ids, began)


def _hits(question: Question, part: Part, asked: Steps) -> Hits:
    """Return what the sessions that made the first step did, in order.

    What happened in one millisecond is in the order of kinds, as the steps have them.
    """
    sessions = question.sessions(part)
    found = []
    for kind in dict.fromkeys(kind for kind, _ in asked.steps):
        table = KINDS[kind][0]
        rows, chosen = events_of(part, table, sessions)
        bits = np.zeros(len(rows), np.uint32)
        for step, (of, condition) in enumerate(asked.steps):
            if of == kind:
                made = match_events(question.texts, part, kind, condition)
                if not isinstance(made, bool):
                    made = made[chosen]
                bits |= np.asarray(made).astype(np.uint32) << np.uint32(step)
        kept = np.flatnonzero(bits) if not asked.strict else slice(None)
        at = part.numbers("at", table)
        when = at.distances[chosen][kept].astype(np.int64) + at.offset
        found.append(Hits(rows[kept].astype(np.int64), when, bits[kept]))
    hits = found[0] if len(found) == 1 else _merged(found)
    begun = np.zeros(len(part), bool)
    begun[hits.rows[(hits.bits & 1).astype(bool)]] = True
    kept = np.flatnonzero(begun[hits.rows])
    return Hits(*(each[kept] for each in hits))


def _merged(found: Sequence[Hits]) -> Hits:
    rows, at, bits = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((at, rows))
    return Hits(rows[order], at[order], bits[order])


Walks = tuple[Array, Array, Array]  # sessions, steps made, when each was


def follow_strictly(hits: Hits, steps: int, within: int) -> Walks:
    """Follow steps that come directly after one another.

    Of each session the longest chain counts, and of those the first.
    """
    begins = begins_of(hits.rows)
    sizes = sizes_of(begins, len(hits.rows))
    position = np.arange(len(hits.rows)) - np.repeat(begins, sizes)
    chain = np.zeros(len(hits.rows), np.int64)
    alive = np.ones(len(hits.rows), bool)
    for step in range(steps):
        makes = (hits.bits >> np.uint32(step)) & 1 > 0
        if step:
            alive = np.concatenate([_FALSE, alive[:-1]]) & (position >= step)
            ends = np.flatnonzero(alive & makes)
            if within:
                ends = ends[hits.at[ends] - hits.at[ends - step] <= within]
            alive = np.zeros(len(alive), bool)
            alive[ends] = True
        else:
            alive = makes
        chain[alive] = step + 1
    made = np.maximum.reduceat(chain, begins) if len(begins) else _NONE
    ends = np.flatnonzero(chain == np.repeat(made, sizes))
    which = np.repeat(np.arange(len(sizes)), sizes)[ends]
    ends = ends[begins_of(which)]
    times = np.zeros((len(begins), steps), np.int64)
    for step in range(steps):
        there = made > step
        times[there, step] = hits.at[ends[there] - made[there] + 1 + step]
    return hits.rows[begins], made, times


def follow_loosely(hits: Hits, steps: int, within: int) -> Walks:
    """Follow steps between which others may lie: all sessions at the same time.

    The n-th hit of each session is looked at, then the next, as ``walk`` does it for
    one; the few sessions of many hits are left to that.
    """
    begins = begins_of(hits.rows)
    most = max(1, MAX_TIMES // steps**2)
    if len(begins) > most:
        cuts = [*begins[::most].tolist(), len(hits.rows)]
        runs = (slice(*each) for each in pairwise(cuts))
        walked = [
            follow_loosely(Hits(*(each[run] for each in hits)), steps, within)
            for run in runs
        ]
        sessions, made, times = map(np.concatenate, zip(*walked, strict=True))
        return sessions, made, times
    sizes = sizes_of(begins, len(hits.rows))
    order = np.argsort(-sizes, kind="stable")
    begins, sizes = begins[order], sizes[order]
    shape = (len(begins), steps, steps)
    best = np.full(shape, _NEVER, np.int64)  # of each chain by its last step, its times
    made = np.zeros(len(begins), np.int64)
    times = np.zeros(shape[:2], np.int64)
    turn = 0
    while True:
        active = int(np.searchsorted(-sizes, -turn, "left"))
        if active <= FEW:
            break
        where = begins[:active] + turn
        _step(best, made, times, (hits.at[where], hits.bits[where]), within)
        turn += 1
    for each in range(active):
        run = slice(begins[each], begins[each] + sizes[each])
        pairs = zip(hits.at[run].tolist(), hits.bits[run].tolist(), strict=True)
        chain = walk(pairs, steps, within)
        made[each] = len(chain)
        times[each, : len(chain)] = chain
    back = np.argsort(order, kind="stable")
    return hits.rows[begins[back]], made[back], times[back]


def _step(
    best: Array, made: Array, times: Array, hit: tuple[Array, Array], within: int
) -> None:
    """Let one hit of each of the first sessions make what steps it can."""
    at, bits = hit
    for step in range(best.shape[1] - 1, -1, -1):
        rows = np.flatnonzero((bits >> np.uint32(step)) & 1)
        begun = at[rows]
        if step:
            begun = best[rows, step - 1, 0]
            can = begun != _NEVER
            if within:
                can &= at[rows] - begun <= within
            rows, begun = rows[can], begun[can]
        better = begun > best[rows, step, 0]
        rows = rows[better]
        if not len(rows):
            continue
        if step:
            best[rows, step, :step] = best[rows, step - 1, :step]
        best[rows, step, step] = at[rows]
        longer = rows[made[rows] <= step]
        made[longer] = step + 1
        times[longer] = best[longer, step]


_NONE = np.zeros(0, np.int64)
_FALSE = np.zeros(1, bool)
