"""Views, actions and errors of sessions in columns: which are meant, and whose they are."""

from typing import NamedTuple

import numpy as np

from app.sessionql.filters import And, Any, Compare, Filter, Not, Or
from app.store import told_tables
from app.store.columns.chunks import Array, Numbers
from app.store.columns.comparing import Mask, both, compare_number, either, negated
from app.store.columns.parts import NotInColumns, Part
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
    is_first = np.ones(len(values), bool)
    if not len(values):
        return is_first
    width = int(values.max()) + 1
    most = (int(rows[-1]) + 1) * width
    # a session and a value are one number, in as few bytes as it needs
    pairs: Array = rows.astype(np.uint32 if most < _FITS else np.int64)
    pairs = pairs * pairs.dtype.type(width)
    pairs += values.astype(pairs.dtype)
    begins = begins_of(rows)
    sizes = sizes_of(begins, len(rows))
    longest = int(sizes.max())
    # events one apart, then two: of all sessions at the same time
    for back in range(1, min(longest, _SHORT)):
        is_first[back:] &= pairs[back:] != pairs[:-back]
    if longest > _SHORT:  # or it would grow as the square
        long = sizes > _SHORT
        places = spread(begins[long], sizes[long])
        is_first[places] = False
        some = pairs[places]
        order = np.argsort(some, kind="stable")
        is_first[places[order[begins_of(some[order])]]] = True
    return is_first


def spread(firsts: Array, sizes: Array) -> Array:
    """Return all the places of runs, one after the other.

    Args:
        firsts: where each run begins.
        sizes: how long it is.
    """
    before = np.cumsum(sizes) - sizes
    return np.repeat(firsts - before, sizes) + np.arange(int(sizes.sum()))


_FIRST = np.zeros(1, np.int64)
_FITS = 1 << 32
_SHORT = 10  # events of a session that are compared with one another
