"""Follow sessions through funnels, as ``app.sessions.funnels`` does, by column."""

from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from app.sessionql.filters import Compare
from app.sessions.funnels import Funnel, new_funnel
from app.store.columns.chunks import Array, Labels
from app.store.columns.events import (
    KINDS,
    begins_of,
    events_of,
    first_runs,
    match_events,
    sizes_of,
)
from app.store.columns.keeping import kept_depths
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question
from app.store.columns.tables import TABLES
from app.store.columns.weighing import times

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
    counted = asked._replace(dropped=0, limit=0)
    groups: dict[int | str, Funnel] = {}
    for each, part in question.by_stratum():
        walked = _walked(each, part, counted)
        reached, took = (
            times(figures, each.weight).tolist()
            for figures in (walked.reached, walked.took)
        )
        for label, *figures in zip(walked.labels.tolist(), reached, took, strict=True):
            held = groups.setdefault(label, new_funnel(len(asked.steps)))
            held.merge(Funnel(*figures))
    return groups, _listed(question, asked) if asked.dropped else []


def _listed(question: Question, asked: Steps) -> list[int]:
    """Return row ids of listed sessions, newest first; of no more parts than it takes."""
    listed: list[tuple[int, int]] = []
    every = [(part.range, each, part) for each, part in question.by_stratum()]
    for (_, end), each, part in sorted(every, key=itemgetter(0), reverse=True):
        if len(listed) >= asked.limit > 0 and end <= listed[0][0]:
            break
        walked = _walked(each, part, asked)
        part.release()
        listed += zip(walked.began.tolist(), walked.dropped.tolist(), strict=True)
        listed = sorted(listed)[-asked.limit :]
    return [session for _, session in listed[::-1]]


def _walked(question: Question, part: Part, asked: Steps) -> Walked:
    return question.share(part, ("funnel", asked), partial(_walk_part, question, asked))


def _walk_part(question: Question, asked: Steps, part: Part) -> Walked:
    kept = _kept_walks(question, part, asked)
    if kept is not None:
        return kept
    found = _every_hit(question, part, asked)
    if found is None:
        hits = _hits(question, part, asked)
        follow = follow_strictly if asked.strict else follow_loosely
        found = follow(hits, len(asked.steps), asked.within)
    sessions, made, times = found
    labels, codes = np.zeros(1, np.int64), None
    if asked.by:
        column = part.labels(asked.by)
        labels, codes = column.ids, column.codes[sessions].astype(np.int64)
    shape = (len(labels), len(asked.steps))
    reached, took = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for step in range(len(asked.steps)):
        there = np.flatnonzero(made > step)
        spent = times[step].take(there) - times[max(step - 1, 0)].take(there)
        if codes is None:
            reached[:, step], took[:, step] = len(there), spent.sum()
            continue
        those = codes.take(there)
        reached[:, step] = np.bincount(those, minlength=len(labels))
        took[:, step] = np.bincount(those, spent, len(labels))
    dropped = (
        sessions[made == asked.dropped][-asked.limit :] if asked.dropped else _NONE
    )
    ids, began = (
        part.numbers(name).values[dropped] if len(dropped) else _NONE
        for name in ("id", "start")
    )
    used = reached[:, 0] > 0
    return Walked(labels[used], reached[used], took[used], ids, began)


def _kept_walks(question: Question, part: Part, asked: Steps) -> Walked | None:
    """Return what is kept of steps that every page makes; None where it is not."""
    conditions = [step for _, step in asked.steps]
    if asked.within or asked.by or asked.dropped:
        return None
    if any(step.field != "page" or of != "view" for of, step in asked.steps):
        return None
    depths = kept_depths(question, part)
    if depths is None:
        return None
    pages = Labels(np.arange(len(depths.ids)), depths.ids)
    for step in dict.fromkeys(conditions):
        if question.texts.match("page", pages, step) is not True:
            return None
    some = slice(0, len(conditions) if depths.reached[0] else 0)
    shape = (-1, len(conditions))
    reached, took = (each[some].reshape(shape) for each in depths[1:])
    return Walked(np.zeros(len(reached), np.int64), reached, took, _NONE, _NONE)


def _every_hit(question: Question, part: Part, asked: Steps) -> "Walks | None":
    """Follow steps that any event of one kind makes; None where they are others."""
    kind = asked.steps[0][0]
    if asked.within or any(of != kind for of, _ in asked.steps):
        return None
    for step in dict.fromkeys(step for _, step in asked.steps):
        if match_events(question.texts, part, kind, step) is not True:
            return None
    table, count = KINDS[kind][0], len(asked.steps)
    owners, firsts, sizes = first_runs(part, table, question.sessions(part))
    made, firsts = np.minimum(sizes, count), firsts.astype(np.int64)
    there = [np.flatnonzero(sizes > step) for step in range(count)]
    places = [firsts.take(those) + step for step, those in enumerate(there)]
    at = part.some("at", table, np.concatenate(places))
    times = np.zeros((count, len(owners)), np.int64)
    begin = 0
    for those, walked in zip(there, times, strict=True):
        walked[those] = at.distances[begin : begin + len(those)]
        begin += len(those)
    times += at.offset
    return owners, made, times


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
        every = asked.strict or bits.all()
        kept = slice(None) if every else np.flatnonzero(bits)
        at = part.numbers("at", table)
        when = at.distances[chosen][kept].astype(np.int64) + at.offset
        found.append(Hits(rows[kept].astype(np.int64), when, bits[kept]))
    hits = found[0] if len(found) == 1 else _merged(found)
    begins = (hits.bits & 1).astype(bool)
    if begins.all():
        return hits
    begun = np.zeros(len(part), bool)
    begun[hits.rows[begins]] = True
    kept = np.flatnonzero(begun[hits.rows])
    return Hits(*(each[kept] for each in hits))


def _merged(found: Sequence[Hits]) -> Hits:
    rows, at, bits = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((at, rows))
    return Hits(rows[order], at[order], bits[order])


Walks = tuple[Array, Array, Array]  # sessions, steps made, and by step when it was


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
    times = np.zeros((steps, len(begins)), np.int64)
    for step in range(steps):
        there = made > step
        times[step, there] = hits.at[ends[there] - made[there] + 1 + step]
    return hits.rows[begins], made, times


def follow_loosely(hits: Hits, steps: int, within: int) -> Walks:
    """Follow steps between which others may lie: all sessions at the same time.

    As ``walk`` does it for one: of the ways to make so many steps, the one that begins
    last. When it began is one number with the session, so that the greatest one so far
    of all hits is that of the session, or of one before where it has none.
    """
    begins = begins_of(hits.rows)
    sizes = sizes_of(begins, len(hits.rows))
    made, times = np.minimum(sizes, steps), np.zeros((steps, len(begins)), np.int64)
    if not within and (hits.bits == (1 << steps) - 1).all():  # each hit makes any step
        for step in range(steps):
            there = np.flatnonzero(made > step)
            times[step, there] = hits.at.take(begins.take(there) + step)
        return hits.rows[begins], made, times
    first = int(hits.at.min(initial=0))
    span = int(hits.at.max(initial=0)) - first + 1
    bases = hits.rows * span
    began = np.where(hits.bits & 1, bases + (hits.at - first), _NEVER)
    began = np.maximum.accumulate(began)
    better = [_better(began)]
    for step in range(1, steps):
        can = ((hits.bits >> np.uint32(step)) & 1).astype(bool)
        can[1:] &= began[:-1] >= bases[1:]
        can[:1] = False
        if within:
            can[1:] &= bases[1:] + (hits.at[1:] - first) - began[:-1] <= within
        began = np.maximum.accumulate(_where(can, began))
        better.append(_better(began))
    return hits.rows[begins], *_chains(hits, sizes, better)


def _where(can: Array, began: Array) -> Array:
    """Return when what one more hit makes longer began."""
    longer = np.full(len(began), _NEVER, np.int64)
    np.copyto(longer[1:], began[:-1], where=can[1:])
    return longer


def _better(began: Array) -> Array:
    """Return which hits make a chain that begins later than any before."""
    return np.flatnonzero(np.diff(began, prepend=_NEVER) > 0)


def _chains(hits: Hits, sizes: Array, better: list[Array]) -> tuple[Array, Array]:
    """Return how many steps each session made, and when each was.

    Args:
        hits: of the sessions.
        sizes: hits of each session.
        better: of each step, the hits that it was made by, so that it began later.
    """
    which = np.repeat(np.arange(len(sizes)), sizes)
    made = np.zeros(len(sizes), np.int64)
    times = np.zeros((len(better), len(sizes)), np.int64)
    for step, found in enumerate(better):
        owners = which[found]
        firsts = begins_of(owners)
        those, at = owners[firsts], found[firsts]
        made[those] = step + 1
        times[step, those] = hits.at[at]
        for before in range(step - 1, -1, -1):
            at = better[before][np.searchsorted(better[before], at) - 1]
            times[before, those] = hits.at[at]
    return made, times


_NONE = np.zeros(0, np.int64)
_FALSE = np.zeros(1, bool)
