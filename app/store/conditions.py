"""Compose conditions on a session, and on one event of it."""

from app.errors import BadRequest
from app.sessionql.filters import (
    And,
    Any,
    Compare,
    Filter,
    Not,
    Or,
    Sequence,
    Text,
    event_kind,
    gather,
    parts_of,
    selects,
)
from app.store.comparisons import compare_field, find_text
from app.store.sql import EVENTS, MAX_DEPTH, Statement

_HOISTED = 6  # levels that are written in one piece


def where(statement: Statement, part: Filter, kind: str = "", depth: int = 0) -> str:
    """Return *part* as a condition that is true, false or NULL.

    Args:
        statement: binds the values.
        part: what must hold.
        kind: a row ``e`` of that kind of event is at hand, which *part* is about.
        depth: how deep it is nested.

    Raises:
        BadRequest: nested too deep, or a value does not fit.
    """
    if depth > MAX_DEPTH:
        raise BadRequest(f"a filter is nested over {MAX_DEPTH} deep")
    if depth % _HOISTED == _HOISTED - 1 and isinstance(part, (And, Or, Not)):
        return _hoist(statement, part, kind, depth + 1)
    if isinstance(part, Compare) and event_kind(part.field):
        part = part if _is_of(part, kind) else gather(part)
    if isinstance(part, (Compare, Text)):
        return _plain(statement, part, kind)
    if isinstance(part, Not):
        return f"not coalesce({where(statement, part.part, kind, depth + 1)}, 0)"
    if isinstance(part, (Any, Sequence)):
        return _exists(statement, part)
    joined = [where(statement, each, kind, depth + 1) for each in part.parts]
    word, empty = ("and", "1") if isinstance(part, And) else ("or", "0")
    return f"({f' {word} '.join(joined)})" if joined else empty


def _plain(statement: Statement, part: Compare | Text, kind: str) -> str:
    if isinstance(part, Text):
        return find_text(statement, part.text)
    return compare_field(statement, part, kind)


def _hoist(statement: Statement, part: Filter, kind: str, depth: int) -> str:
    """Write a condition that is nested deeply before the rest, for SQLite's parser."""
    holds = where(statement, part, kind, depth)
    if kind:
        table = EVENTS[kind][0]
        found = statement.keep(f"select e.session, e.n from {table} as e where {holds}")
        return f"(e.session, e.n) in (select session, n from {found})"
    found = statement.keep(
        f"select s.id from sessions as s where {statement.among} and {holds}"
    )
    return f"s.id in (select id from {found})"


def conditions(statement: Statement, selector: Filter, kind: str = "") -> list[str]:
    """Return what *selector* asks of a session, and of an event of that kind."""
    part = gather(selector)
    if not kind:
        return [] if part == And() else [where(statement, part)]
    match, rows = split(part, kind)
    found = [] if match == And() else [where(statement, match)]
    return found if rows is None else [*found, selected(statement, rows, kind)]


# -- events -------------------------------------------------------------------------


def _is_of(part: Compare, kind: str) -> bool:
    return bool(kind) and part.field in EVENTS[kind][1]


def _exists(statement: Statement, part: Any | Sequence) -> str:
    """Return the condition that the session has such an event.

    Of little time each session is looked up, so that the cost follows that time and
    not how much there is; of much time, the sessions come from an index of events.
    """
    if isinstance(part, Any) and statement.is_narrow:
        table = EVENTS[part.kind][0]
        holds = where(statement, part.part, part.kind)
        return f"exists (select 1 from {table} as e where e.session = s.id and {holds})"
    found = statement.name(events_of(statement, part, part.kind))
    return f"s.id in (select session from {found})"


def events_of(statement: Statement, part: Filter, kind: str) -> str:
    """Return a query for (session, n, at) of the events that *part* selects.

    All events of *kind* in the sessions that it matches, where it selects none.
    """
    match, rows = split(part, kind)
    if isinstance(rows, Sequence):
        source = f"{statement.name(_sequence(statement, rows))} as e"
        chosen = []
    else:
        source = f"{EVENTS[kind][0]} as e"
        chosen = [] if rows is None else [selected(statement, rows, kind)]
    if statement.is_narrow and not isinstance(rows, Sequence):
        source = f"sessions as s cross join {source} on e.session = s.id"
        chosen.append(statement.among)
        chosen += [] if match == And() else [where(statement, match)]
    elif match != And():
        among = f"{statement.among} and {where(statement, match)}"
        chosen.append(f"e.session in (select s.id from sessions as s where {among})")
    found = f"select e.session, e.n, e.at from {source}"
    return found + (f" where {' and '.join(chosen)}" if chosen else "")


def split(part: Filter, kind: str) -> tuple[Filter, Filter | None]:
    """Divide *part* into what the session must meet, and what selects its events.

    What the selection of events implies need not be asked of the session again.
    """
    if isinstance(part, (Any, Sequence)) and part.kind == kind:
        return And(), part
    if isinstance(part, And):
        choosing = [each for each in part.parts if selects(each, kind)]
        if len(choosing) == 1:
            match, rows = split(choosing[0], kind)
            others = tuple(each for each in part.parts if each is not choosing[0])
            kept = others if match == And() else (*others, match)
            return (kept[0] if len(kept) == 1 else And(kept)), rows
    return part, part if selects(part, kind) else None


def selected(statement: Statement, part: Filter, kind: str) -> str:
    """Return the condition that event ``e`` is one that *part* selects."""
    if isinstance(part, Any):
        return where(statement, part.part, kind)
    if isinstance(part, Sequence):
        found = statement.keep(_sequence(statement, part))
        return f"(e.session, e.n) in (select session, n from {found})"
    parts = [
        selected(statement, each, kind)
        for each in parts_of(part)
        if selects(each, kind)
    ]
    return f"({' or '.join(f'coalesce({each}, 0)' for each in parts)})"


def _sequence(statement: Statement, part: Sequence) -> str:
    """Return a query for (session, n, at) of the events that a sequence selects.

    Within a kind events are ordered by number; across kinds by time, and what happens
    in the same millisecond is not later.
    """
    first, second = part.kinds
    left = statement.name(events_of(statement, part.left, first))
    right = statement.name(events_of(statement, part.right, second))
    order = "n" if first == second else "at"
    if part.op == ">>":
        begun = statement.keep(
            f"select session, min({order}) as {order} from {left} group by session"
        )
        return (
            f"select r.session, r.n, r.at from {begun} as l join {right} as r"
            f" on r.session = l.session and r.{order} > l.{order}"
        )
    if part.op == "!>>":
        ended = statement.keep(
            f"select session, max({order}) as {order} from {right} group by session"
        )
        return (
            f"select l.session, l.n, l.at from {left} as l left join {ended} as r"
            f" on r.session = l.session where r.session is null"
            f" or r.{order} <= l.{order}"
        )
    following = _following(statement, left, first, second)
    if part.op == ">":
        return (
            f"select distinct r.session, r.n, r.at from {following} as l"
            f" join {right} as r on r.session = l.session and r.n = l.next"
        )
    return (
        f"select l.session, l.n, l.at from {following} as l"
        f" left join {right} as r on r.session = l.session and r.n = l.next"
        " where r.session is null"
    )


def _following(statement: Statement, left: str, first: str, second: str) -> str:
    """Return rows of the events left, each with the number of the next of its kind."""
    following = "l.n + 1"
    if first != second:
        following = (
            f"(select min(x.n) from {EVENTS[second][0]} as x"
            " where x.session = l.session and x.at > l.at)"
        )
    return statement.keep(
        f"select l.session, l.n, l.at, {following} as next from {left} as l"
    )
