"""Tell which questions rollups can answer, and what to add up for them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.catalog.fields import STATUSES
from app.sessionql.filters import And, Any, Compare, Filter, Not, Or, gather, walk
from app.sessionql.plan import Leaf
from app.store import told_tables
from app.store.rollups.tables import (
    DIMENSIONS,
    OF_EACH_VIEW,
    OF_SESSIONS,
    OF_USAGE,
    SETS,
)

MAX_DEPTH = 4  # of a condition; what is nested deeper is for the sessions to answer
_OF_KIND = {"view": "page", "usage": "model"}  # the dimension that is of such events
_KINDS = frozenset({"", "trace", *_OF_KIND})
_BASE = frozenset({"app", "environment", "source"})
_SUMMED = frozenset(
    {
        "views", "actions", "errors", "log_errors", "failed_requests", "resources",
        "events", "duration",
    }
)  # fmt: skip
_TOLD = frozenset(OF_SESSIONS) & frozenset(told_tables.SESSION_COLUMNS)  # or nothing is
_ADDED = {("distinct", "user"): "user", ("active", ""): "activity"}  # its cells
_SOME = {"errors": "errored", "frustrations": "frustrated"}  # sessions with any


@dataclass(frozen=True, slots=True)
class Cover:
    """How rollups answer one leaf.

    Attributes:
        dimension: the one that the leaf splits or filters by; "" for none.
        conditions: on app, environment, source and that dimension.
        top, bottom: sums that make the figure, added up; no bottom = just the top.
        measure: which sets or histograms make it; "" for sums.
        is_of_events: it is a figure of page views, and not of sessions.
    """

    dimension: str
    conditions: tuple[Filter, ...]
    top: tuple[str, ...] = ()
    bottom: tuple[str, ...] = ()
    measure: str = ""
    is_of_events: bool = False


def cover(leaf: Leaf) -> Cover | None:
    """Return how rollups answer *leaf*; None when sessions must be looked at."""
    if leaf.kind not in _KINDS:
        return None
    parts = list(_flat(gather(leaf.selector)))
    statuses = [each for each in parts if _is_status(each)]
    conditions = [each for each in parts if not _is_status(each)]
    fields = set(leaf.by)
    for each in conditions:
        named = _fields(each)
        if named is None:
            return None
        fields |= named
    others = fields - _BASE
    if len(others) > 1 or not others <= set(DIMENSIONS):
        return None
    dimension = others.pop() if others else ""
    if not _is_additive(leaf, dimension, conditions):
        return None
    how = _told if leaf.kind in {"trace", "usage"} or dimension == "model" else _figure
    found = how(leaf, dimension, tuple(conditions), statuses)
    if found and found.measure and not fields:  # of all applications together
        return replace(found, dimension="source")
    return found


def _is_additive(leaf: Leaf, dimension: str, conditions: list[Filter]) -> bool:
    """Tell whether each session is in one cell, so that cells may be added up.

    A session that visited two pages is in the cells of both: then they may be added
    only where each page is asked for by itself, or where page views are counted.
    """
    if dimension != "page" or "page" in leaf.by or leaf.is_of_events:
        return True
    asked = [each for each in conditions if isinstance(each, Any)]
    if len(asked) != 1 or len(asked) != len(
        [c for c in conditions if "page" in (_fields(c) or ())]
    ):
        return False
    part = asked[0].part
    return isinstance(part, Compare) and part.op == "=" and len(part.values) == 1


def _figure(
    leaf: Leaf, dimension: str, conditions: tuple[Filter, ...], statuses: list[Filter]
) -> Cover | None:
    function, field, of_events = leaf.function, leaf.field, leaf.is_of_events
    if function == "count":
        top = _status_sums(statuses) if statuses else ("sessions",)
        return Cover(dimension, conditions, top)
    if statuses:
        return None
    if function == "sum" and field in _summed(dimension, leaf) | _TOLD:
        return Cover(dimension, conditions, (field,), is_of_events=of_events)
    if field == "dwell" and function in {"sum", "avg"}:
        bottom = ("dwells",) if function == "avg" else ()
        return Cover(dimension, conditions, ("dwell",), bottom, is_of_events=True)
    if function == "quantile" or not of_events:
        return _of_sets(leaf, dimension, conditions) or _ratio(
            leaf, dimension, conditions
        )
    return None


def _told(
    leaf: Leaf, dimension: str, conditions: tuple[Filter, ...], statuses: list[Filter]
) -> Cover | None:
    """Return how figures of traces and of models are answered."""
    if statuses or not leaf.is_of_events or dimension == "page":
        return None
    if leaf.kind == "usage" and leaf.function == "sum" and leaf.field in OF_USAGE:
        return Cover(dimension, conditions, (leaf.field,), is_of_events=True)
    if leaf.kind != "trace" or leaf.function != "quantile" or len(leaf.points) != 1:
        return None
    if dimension not in SETS.get(leaf.field, ()):
        return None
    return Cover(dimension, conditions, measure=leaf.field, is_of_events=True)


def _ratio(leaf: Leaf, dimension: str, conditions: tuple[Filter, ...]) -> Cover | None:
    if leaf.function == "avg" and leaf.field in _summed(dimension, leaf):
        return Cover(dimension, conditions, (leaf.field,), ("sessions",))
    share = _share(leaf.where) if leaf.function == "share" and leaf.where else None
    return share and Cover(dimension, conditions, *share)


def _summed(dimension: str, leaf: Leaf) -> frozenset[str]:
    """Return what is summed: of a page, views are its own and not of its sessions."""
    is_of_sessions = dimension == "page" and not leaf.is_of_events
    return _SUMMED - {"views"} if is_of_sessions else _SUMMED


def _of_sets(
    leaf: Leaf, dimension: str, conditions: tuple[Filter, ...]
) -> Cover | None:
    function, field = leaf.function, leaf.field
    measure = _ADDED.get((function, field))
    if measure and dimension in SETS[measure]:
        return Cover(dimension, conditions, measure=measure)
    if function != "quantile" or len(leaf.points) != 1:
        return None
    if dimension not in SETS.get(field, ()):
        return None
    if field == "duration" and not leaf.kind:
        return Cover(dimension, conditions, measure=field)
    if field in OF_EACH_VIEW:
        return Cover(dimension, conditions, measure=field, is_of_events=True)
    return None


def _share(where: Filter) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the sums of which a share is made."""
    if not isinstance(where, Compare):
        return None
    if where == Compare("bounced", "=", (True,)):
        return ("bounced",), ("bounceable",)
    if where.op == ">" and where.values in {(0,), (0.0,)} and where.field in _SOME:
        return (_SOME[where.field],), ("sessions",)
    return (_status_sums([where]), ("sessions",)) if _is_status(where) else None


def _is_status(part: Filter) -> bool:
    return (
        isinstance(part, Compare) and part.field == "status" and part.op in {"=", "!="}
    )


def _status_sums(parts: list[Filter]) -> tuple[str, ...]:
    """Return the sums of the statuses that all of *parts* select."""
    chosen = set(STATUSES)
    for part in parts:
        if isinstance(part, Compare):
            named = set(map(str, part.values))
            chosen = chosen & named if part.op == "=" else chosen - named
    return tuple(f"{name}_" for name in STATUSES if name in chosen)


def _flat(part: Filter) -> Iterator[Filter]:
    if isinstance(part, And):
        for each in part.parts:
            yield from _flat(each)
    else:
        yield part


def _depth(part: Filter) -> int:
    if isinstance(part, (And, Or)):
        return 1 + max(map(_depth, part.parts), default=0)
    return 1 + _depth(part.part) if isinstance(part, (Not, Any)) else 0


def _fields(part: Filter) -> set[str] | None:
    """Return the fields that *part* compares; None when it is about something else."""
    if isinstance(part, Any):
        own = _OF_KIND.get(part.kind)
        named = _fields(part.part) if own and _depth(part) <= MAX_DEPTH else None
        return named if named == {own} else None
    if _depth(part) > MAX_DEPTH:
        return None
    found: set[str] = set()
    for each in walk(part):
        if isinstance(each, Compare):
            found.add(each.field)
        elif not isinstance(each, (And, Or, Not)):
            return None
    is_mixed = not found.isdisjoint(_OF_KIND.values()) and not isinstance(part, Compare)
    return None if is_mixed else found
