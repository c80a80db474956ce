"""Keep what whole row groups give to questions about pages, beside their columns.

A question that chooses sessions by source, application and environment, or all of them,
adds these up, and looks at few columns of views or at none. They are made of the columns,
and go with them.
"""

import sqlite3
from typing import NamedTuple

import numpy as np

from app.sessions.funnels import MAX_STEPS
from app.store.columns.chunks import (
    Array,
    Labels,
    Numbers,
    make_labels,
    make_numbers,
)
from app.store.columns.events import Runs, begins_of, repeats, runs_of
from app.store.columns.packing import pack_all, unpack_all
from app.store.columns.parts import Part
from app.store.columns.question import Question
from app.store.columns.shares import narrow
from app.store.columns.sorting import distinct
from app.store.columns.views import FIGURES, Share, count_places

LEAST = 4_000  # sessions of a row group; fewer are looked at as quickly
MAX_SETS = 64  # of source, application and environment, in a row group
MAX_SHARE = 0.25  # of the views, that there may be pages, or transitions, of sets
FIELDS = ("source", "app", "environment")
_WAYS = "kept/ways"


class Sets(NamedTuple):
    """Sets of sessions, each of one source, application and environment.

    Attributes:
        fields: these, a column each.
        of: of each session its set; empty once they are read.
    """

    fields: tuple[Labels, ...]
    of: Array

    def __len__(self) -> int:
        return len(self.fields[0])


class Ways(NamedTuple):
    """Visits of pages and transitions between them, of the sets that are meant.

    Attributes:
        sessions: how many have any views.
        ids: pages, ascending; 0 = it is not said.
        visits: of each, which may be none.
        counted: sessions of each.
        dwell: ms, summed.
        dwelled: visits of which it is known.
        sources: places in *ids*; after the last: the session began.
        targets: likewise; after the last: the session ended.
        passages: of each transition.
        again: those that the session had made before.
    """

    sessions: int
    ids: Array
    visits: Array
    counted: Array
    dwell: Array
    dwelled: Array
    sources: Array
    targets: Array
    passages: Array
    again: Array


class Depths(NamedTuple):
    """How deep sessions went, of the sets that are meant.

    Attributes:
        ids: of all pages of the row group.
        reached: sessions with a first view, a second one ..., ``MAX_STEPS`` of them.
        took: ms from the view before, summed.
    """

    ids: Array
    reached: Array
    took: Array


# -- to keep ----------------------------------------------------------------------------


def keep_next(db: sqlite3.Connection, bounce: str) -> bool:
    """Keep it of one row group of which it is not kept; False when there is none."""
    found = db.execute(
        "select id, sessions, bucket from row_groups as g where sessions >= ? and not"
        " exists (select 1 from column_chunks where row_group = g.id and name = ?)"
        " order by bucket desc limit 1",
        (LEAST, _places(bounce)),
    ).fetchone()
    if found is None:
        return False
    group, count, bucket = found
    db.execute(  # of another definition
        "delete from column_chunks where row_group = ? and name like 'kept/%'", (group,)
    )
    part = Part(db, group, (bucket, bucket), slice(0, count), is_whole=True)
    sets = _sets_of(part)
    kept = {_places(bounce): b"", _WAYS: b""}
    if len(sets) <= MAX_SETS:
        kept = {
            _places(bounce): _pack_places(part, sets, bounce),
            _WAYS: _pack_ways(part, sets),
        }
    db.executemany(
        "insert into column_chunks (row_group, name, data) values (?, ?, ?)",
        [(group, name, data) for name, data in kept.items()],
    )
    return True


def _places(bounce: str) -> str:
    return f"kept/places/{bounce}"


def _sets_of(part: Part) -> Sets:
    columns = [part.labels(name) for name in FIELDS]
    codes = np.zeros(len(part), np.int64)
    for each in columns:
        codes = codes * len(each.ids) + each.codes
    _, first, of = np.unique(codes, return_index=True, return_inverse=True)
    fields = tuple(make_labels(each.ids[each.codes[first]]) for each in columns)
    return Sets(fields, of)


def _pack_places(part: Part, sets: Sets, bounce: str) -> bytes:
    """Return figures of the pages of each set; nothing where that is too much."""
    everyone = [
        count_places(part, sets.of == at, bounce=bounce) for at in range(len(sets))
    ]
    sizes = [len(each.ids) for each in everyone]
    if sum(sizes) > MAX_SHARE * len(part.labels("page", "views")):
        return b""
    ids = distinct(np.concatenate([each.ids for each in everyone]))
    pages = np.concatenate([np.searchsorted(ids, each.ids) for each in everyone])
    owners = np.repeat(np.arange(len(sets)), sizes)
    order = np.lexsort((owners, pages))
    figures = np.concatenate([each.figures for each in everyone], axis=1)[:, order]
    users = [those for each in everyone for those in _by_page(each)]
    lengths = np.array([len(users[at]) for at in order.tolist()], np.int64)
    return pack_all([
        *sets.fields,
        *map(_number, (ids, pages[order], owners[order], *figures, lengths)),
        make_labels(np.concatenate([_NONE, *(users[at] for at in order.tolist())])),
    ])  # fmt: skip


def _by_page(share: Share) -> list[Array]:
    """Return the users of each page."""
    edges = np.searchsorted(share.pages, np.arange(1, len(share.ids)))
    return np.split(share.people.take(share.users), edges)


def _pack_ways(part: Part, sets: Sets) -> bytes:
    """Return visits and transitions of each set; nothing where that is too much."""
    runs = runs_of(part, "views", sessions=True)
    labels, dwell = part.labels("page", "views"), part.numbers("dwell", "views")
    count, size = len(labels.ids), len(sets)
    pages = labels.codes.astype(np.int64)
    whose = sets.of.take(runs.owners)
    of = np.repeat(whose, runs.sizes)
    before = np.concatenate([[count], pages[:-1]])
    before[runs.begins] = count
    steps = (before * (count + 1) + pages) * size + of
    ends = runs.begins.astype(np.int64) + runs.sizes - 1
    last = (pages.take(ends) * (count + 1) + count) * size + whose
    keys, passages = np.unique(np.concatenate([steps, last]), return_counts=True)
    places = pages * size + of
    used = distinct(places)
    if len(keys) + len(used) > MAX_SHARE * len(pages):
        return b""
    again = steps[repeats(steps, runs.inner)]
    seen = repeats(pages, runs.inner)
    known = np.ones(len(pages), bool) if dwell.known is None else dwell.known
    at, most = np.searchsorted(used, places), len(used)
    reached, took = _depths(part.numbers("at", "views").values, runs, whose, size)
    return pack_all([
        *sets.fields,
        *map(_number, (
            reached, took, np.bincount(whose, minlength=size), labels.ids,
            used // size, used % size, np.bincount(at, minlength=most),
            np.bincount(at[~seen], minlength=most),
            np.bincount(at[known], dwell.values[known], most),
            np.bincount(at[known], minlength=most),
            keys // size // (count + 1), keys // size % (count + 1), keys % size,
            passages, np.bincount(np.searchsorted(keys, again), minlength=len(keys)),
        )),
    ])  # fmt: skip


def _depths(at: Array, runs: Runs, whose: Array, size: int) -> tuple[Array, Array]:
    """Return ``Depths.reached`` and ``took`` of each set, one step after the other."""
    reached, took = [], []
    for step in range(MAX_STEPS):
        there = np.flatnonzero(runs.sizes > step)
        places = runs.begins.take(there).astype(np.int64) + step
        spent = at.take(places) - at.take(np.maximum(places - 1, 0) if step else places)
        reached.append(np.bincount(whose.take(there), minlength=size))
        took.append(np.bincount(whose.take(there), spent, size))
    return np.concatenate(reached), np.concatenate(took)


def _number(values: Array) -> Numbers:
    """Return sums as a column: whole numbers where all of them are."""
    whole = values.astype(np.int64)
    found = make_numbers(whole if np.array_equal(whole, values) else values.copy())
    return found or Numbers(values.copy(), scale=0)


# -- to add up --------------------------------------------------------------------------


def kept_places(question: Question, part: Part) -> Share | None:
    """Return what ``count_places`` does, of what is kept; None where it is not."""
    kept = _read(question, part, _places(question.bounce))
    if kept is None:
        return None
    meant, numbers, rest = kept
    ids, pages, of, *figures, lengths = numbers
    chosen = meant.take(of)
    rows = np.flatnonzero(chosen)
    pages = pages.take(rows)
    begins = begins_of(pages)
    sums = np.zeros((len(FIGURES), len(begins)))
    if len(begins):
        sums = np.add.reduceat(np.array(figures, float)[:, rows], begins, axis=1)
    place = np.zeros(len(ids), np.int64)
    place[pages] = 1
    place = narrow(np.cumsum(place) - place)
    users = rest[0]
    seen = np.flatnonzero(np.repeat(chosen, lengths))
    return Share(
        ids.take(pages.take(begins)), sums, users.ids,
        np.repeat(place.take(pages), lengths.take(rows)), users.codes.take(seen),
    )  # fmt: skip


def kept_ways(question: Question, part: Part) -> Ways | None:
    """Return what sessions did one after the other; None where it is not kept."""
    kept = _read(question, part, _WAYS)
    if kept is None:
        return None
    meant, numbers, _ = kept
    sessions, ids, pages, of, *figures = numbers[2:10]
    sources, targets, by, *steps = numbers[10:]
    rows, those = (np.flatnonzero(meant.take(each)) for each in (of, by))
    pages, size = pages.take(rows), len(ids)
    return Ways(
        int(sessions[meant].sum()), ids,
        *(np.bincount(pages, each.take(rows), size) for each in figures),
        *(narrow(each.take(those)) for each in (sources, targets, *steps)),
    )  # fmt: skip


def kept_depths(question: Question, part: Part) -> Depths | None:
    """Return how deep sessions went; None where it is not kept."""
    kept = _read(question, part, _WAYS)
    if kept is None:
        return None
    meant, numbers, _ = kept
    reached, took = (
        each.reshape(MAX_STEPS, -1)[:, meant].sum(axis=1) for each in numbers[:2]
    )
    return Depths(numbers[3], reached, took)


def _read(
    question: Question, part: Part, name: str
) -> tuple[Array, list[Array], list[Labels]] | None:
    """Return which sets are meant, and the columns: numbers, and labels."""
    if not part.group or not part.is_whole or not question.is_about(_FIELDS):
        return None
    row = part.db.execute(
        "select data from column_chunks where row_group = ? and name = ?",
        (part.group, name),
    ).fetchone()
    if row is None or not row[0]:
        return None
    found = unpack_all(row[0])
    fields, rest = found[: len(FIELDS)], found[len(FIELDS) :]
    held = {f"sessions.{name}": each for name, each in zip(FIELDS, fields, strict=True)}
    count = len(fields[0])
    sets = Part(part.db, 0, part.range, slice(0, count), held=held)
    meant = np.broadcast_to(np.asarray(question.sessions(sets)), count)
    numbers = [each.values for each in rest if isinstance(each, Numbers)]
    return meant, numbers, [each for each in rest if isinstance(each, Labels)]


_FIELDS = frozenset(FIELDS)
_NONE = np.zeros(0, np.int64)
