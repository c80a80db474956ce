"""Views, actions and errors of sessions in columns: which are meant, and whose they are."""

from typing import NamedTuple

import numpy as np

from app.sessionql.filters import And, Any, Compare, Filter, Not, Or
from app.store import told_tables
from app.store.columns.chunks import Array, Numbers
from app.store.columns.comparing import Mask, both, compare_number, either, negated
from app.store.columns.packing import unpack_inner
from app.store.columns.parts import NotInColumns, Part, data_of
from app.store.columns.tables import TABLES
from app.store.columns.texts import Texts
from app.store.sql import EVENTS, MAX_DEPTH
from app.store.told_tables import NANO

# kind → (table, {field → column}); of other fields of events the tables know
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    kind: (EVENTS[kind][0], {name: EVENTS[kind][1][name] for name in names})
    for kind, names in {
        "view": ("page",),
        "action": ("action", "page"),
        "error": ("error", "message", "fingerprint", "page"),
    }.items()
} | {
    kind: (table, {name: name for name in TABLES[table].labels})
    for kind, (table, _) in told_tables.EVENTS.items()
}

# by table
NUMBERS: dict[str, frozenset[str]] = {
    "views": frozenset({"dwell", "lcp", "inp", "cls", "ttfb", "fcp"})
} | {
    table: frozenset(TABLES[table].columns) - TABLES[table].labels - {"at"}
    for table, _ in told_tables.EVENTS.values()
}
COSTS = frozenset({"trace_cost", "model_cost"})  # kept in nano-USD


class Events(NamedTuple):
    """Some events of one kind in a part.

    Attributes:
        rows: of each the place of its session in the part, ascending.
        chosen: which events of the part they are.
    """

    rows: Array
    chosen: Array | slice


def places_of(part: Part, table: str) -> Array:
    """Return of each event of *table* the place of its session in the part."""
    held = part.numbers("row", table)
    shift = held.offset - (part.rows.start or 0)
    distances = held.distances
    if not shift:
        return distances
    if -np.iinfo(distances.dtype).max <= shift < 0:  # none is below, so it stays narrow
        narrow: Array = distances - distances.dtype.type(-shift)
        return narrow
    return distances.astype(np.int64) + shift


def events_of(
    part: Part,
    table: str,
    sessions: Mask,
    events: Mask = True,  # noqa: FBT002 - a mask
) -> Events:
    """Return the events of some sessions.

    Args:
        part: of sessions.
        table: a key of ``TABLES``.
        sessions: which are meant.
        events: of each event of the part, whether it is meant.
    """
    rows = places_of(part, table)
    if sessions is False or events is False:
        return Events(rows[:0], slice(0, 0))
    if sessions is True and events is True:
        return Events(rows, slice(None))
    if isinstance(events, bool):
        chosen = np.flatnonzero(np.asarray(sessions).take(rows))
        return Events(rows.take(chosen), chosen)
    chosen = np.flatnonzero(events)  # few, mostly: they alone are looked up
    whose = rows.take(chosen)
    if not isinstance(sessions, bool):
        kept = np.flatnonzero(sessions.take(whose))
        chosen, whose = chosen.take(kept), whose.take(kept)
    return Events(whose, chosen)


def numbers_of(part: Part, table: str, name: str) -> Numbers:
    """Return a number of each event of *table*; of costs, as of ``Measures.of``."""
    held = part.numbers(name, table)
    if name not in COSTS:
        return held
    return Numbers(held.distances, held.offset, held.has_null, NANO)


def match_events(
    texts: Texts, part: Part, kind: str, selector: Filter, depth: int = 0
) -> Mask:
    """Return of each event of *kind* whether *selector*, which is about one, holds.

    Raises:
        NotInColumns: it is about what columns do not hold.
    """
    if kind not in KINDS or depth > MAX_DEPTH:
        raise NotInColumns(kind)
    table, columns = KINDS[kind]
    if isinstance(selector, Compare):
        if selector.field in NUMBERS.get(table, ()):
            return compare_number(numbers_of(part, table, selector.field), selector)
        if selector.field not in columns:
            raise NotInColumns(selector.field)
        labels = part.labels(columns[selector.field], table)
        return texts.match(selector.field, labels, selector)
    if isinstance(selector, Not):
        return negated(match_events(texts, part, kind, selector.part, depth + 1))
    if isinstance(selector, (And, Or)):
        is_and = isinstance(selector, And)
        found: Mask = is_and
        for each in selector.parts:
            mask = match_events(texts, part, kind, each, depth + 1)
            found = both(found, mask) if is_and else either(found, mask)
        return found
    raise NotInColumns(type(selector).__name__)


def sessions_with(texts: Texts, part: Part, selector: Any) -> Mask:
    """Return which sessions have an event that *selector* describes."""
    if selector.kind in KINDS and not part.has(KINDS[selector.kind][0]):
        return False
    mask = match_events(texts, part, selector.kind, selector.part)
    if mask is False:
        return False
    rows = places_of(part, KINDS[selector.kind][0])
    found = np.zeros(len(part), bool)
    found[rows if mask is True else rows.take(np.flatnonzero(mask))] = True
    return found


def begins_of(rows: Array) -> Array:
    """Return where the events of each session begin; *rows* ascends."""
    if not len(rows):
        return np.zeros(0, np.int64)
    return np.concatenate([_FIRST, np.flatnonzero(rows[1:] != rows[:-1]) + 1])


def sizes_of(begins: Array, count: int) -> Array:
    """Return how many events each session has, of *count*."""
    return np.diff(begins, append=count)


def first_of_each(values: Array, rows: Array) -> Array:
    """Return of each event whether it is its session's first with that value.

    Args:
        values: one an event, at least 0.
        rows: the session of each, ascending.
    """
    inner = np.zeros(len(rows), bool)
    np.equal(rows[1:], rows[:-1], out=inner[1:])
    return ~repeats(values, inner)


def repeats(values: Array, inner: Array) -> Array:
    """Return of each event whether its session has an earlier one with that value.

    Args:
        values: one an event; narrow ones are compared quickest.
        inner: whether the event before it is of the same session.
    """
    found = np.zeros(len(values), bool)
    run = inner.copy()  # whether the session has as many before it
    back = 1
    # events one apart, then two: of all sessions at the same time
    while back < _SHORT and np.count_nonzero(run) > _DENSE * len(run):
        same = values[back:] == values[:-back]
        same &= run[back:]
        found[back:] |= same
        run[back:] &= inner[:-back]
        back += 1
    run &= ~found
    left = np.flatnonzero(run)
    while len(left) and back < _LONG:
        is_same = values.take(left) == values.take(left - back)
        found[left.compress(is_same)] = True
        left = left.compress(~is_same)
        left = left.compress(inner.take(left - back))
        back += 1
    if len(left):  # or it would grow as the square
        _sort_repeats(values, inner, left, found)
    return found


def _sort_repeats(values: Array, inner: Array, left: Array, found: Array) -> None:
    """Set *found* of the sessions in which some are left."""
    rows = np.cumsum(~inner)
    is_long = np.zeros(int(rows[-1]) + 1, bool)
    is_long[rows.take(left)] = True
    places = np.flatnonzero(is_long.take(rows))
    pairs = rows.take(places) * (int(values.max()) + 1)
    pairs += values.take(places).astype(np.int64)
    order = np.argsort(pairs, kind="stable")
    is_again = np.ones(len(places), bool)
    is_again[order[begins_of(pairs[order])]] = False
    found[places] = is_again


class Runs(NamedTuple):
    """The events of some sessions, those of each one after the other.

    Attributes:
        chosen: which events of the part they are.
        owners: the sessions that have any, ascending.
        begins: where those of each begin, among the chosen.
        sizes: how many each has.
    """

    chosen: Array | slice
    owners: Array
    begins: Array
    sizes: Array

    @property
    def inner(self) -> Array:
        """Return of each event whether the one before it is of the same session."""
        inner = np.ones(int(self.sizes.sum()), bool)
        inner[self.begins] = False
        return inner

    @property
    def rows(self) -> Array:
        """Return the session of each event."""
        return np.repeat(self.owners, self.sizes)


def runs_of(part: Part, table: str, sessions: Mask) -> Runs:
    """Return all events of some sessions."""
    owners, firsts, sizes = first_runs(part, table, sessions)
    if sessions is True:
        return Runs(slice(None), owners, firsts, sizes)
    begins = np.cumsum(sizes, dtype=np.int64) - sizes
    return Runs(spread(firsts, sizes), owners, begins, sizes)


def inner_of(part: Part, table: str) -> Array:
    """Return of each event of *table* whether the one before is of its session."""
    if part.is_whole and part.has(table):
        return unpack_inner(data_of(part.db, part.group, f"{table}.row"))
    begins = part.runs(table)[1]
    inner = np.ones(int(begins[-1]), bool)
    inner[begins[:-1]] = False
    return inner


def first_runs(part: Part, table: str, sessions: Mask) -> tuple[Array, Array, Array]:
    """Return which of some sessions have events: these, the first of each, how many."""
    owners, begins = part.runs(table)
    if sessions is False:
        return owners[:0], begins[:0], begins[:0]
    firsts, sizes = begins[:-1], np.diff(begins)
    if sessions is True:
        return owners, firsts, sizes
    kept = np.flatnonzero(sessions.take(owners))
    return owners.take(kept), firsts.take(kept), sizes.take(kept)


def spread(firsts: Array, sizes: Array) -> Array:
    """Return all the places of runs, one after the other.

    Args:
        firsts: where each run begins.
        sizes: how long it is.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    places = np.repeat(firsts - (ends - sizes), sizes)
    places += np.arange(len(places))
    return places


_FIRST = np.zeros(1, np.int64)
_SHORT = 10  # events before an event with which it is compared, as all are
_DENSE = 0.06  # of the events; fewer are compared by themselves
_LONG = 64  # events before it, with which these are compared
