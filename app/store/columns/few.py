"""Find sessions by an index of the tables, where a filter leaves few of them.

Columns are read a row group at a time, however few of its sessions are meant; of few it
is quicker to read the tables.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from app.sessionql.filters import And, Any, Compare, Filter
from app.store.columns.chunks import Array, Column
from app.store.columns.parts import Part, Range, check_parts, find_parts
from app.store.columns.tables import DAY
from app.store.connect import Reading
from app.store.sql import EVENTS
from app.store.strings import safe

SHARE = 400  # of so many sessions one is read from the tables as quickly
AT_LEAST, AT_MOST = 50, 8_000  # sessions
_EVENTS = 2  # of a session, that are looked at
_KEPT = 2  # of a connection: a window, and the one before it

# kind → fields by which its table has an index
_INDEXED = {
    "view": {"page"},
    "action": {"action"},
    "error": {"error", "message", "fingerprint"},
    "trace": {"trace"},
    "usage": {"model"},
    "tag": {"tag"},
}
_USERS = (
    "sessions_user where user in {} and user is not null",
    "sessions_user_name where user_name in {} and user_name is not user",
)
_HAVING = (
    "select s.start, s.id from json_each(?) as w cross join sessions as s"
    " on s.id = w.value where s.start >= ? and s.start < ? limit ?"
)


def find_chosen(
    db: sqlite3.Connection,
    selector: Filter,
    span: Range,
    most: int,
    known: dict[object, list[Part]],
) -> list[Part]:
    """Return parts with all sessions of *span* that *selector* may select.

    Args:
        db: the index, in a transaction.
        selector: as ``gather`` returns it; of the sessions of the parts it is asked again.
        span: [start, end) in which they began, ms.
        most: time that may be read from the tables, ms.
        known: lists that were returned in this transaction, and this one.

    Raises:
        NotInColumns: as of ``find_parts``.
    """
    check_parts(db, *span, most)
    few = _found(db, selector, span)
    key = (span, few.ids)
    if key not in known:
        some = [Part(db, 0, span, among=few.ids, held=few.held)] if few.ids else []
        known[key] = find_parts(db, *span) if few.ids is None else some
    return known[key]


def first_starts(
    db: sqlite3.Connection, users: Array, apps: Array, tenant: frozenset[int]
) -> list[int]:
    """Return when the first session of each user of an application began, ms.

    Args:
        db: the index.
        users: by number, as many as *apps*.
        apps: by number; 0 = none.
        tenant: the sources whose sessions count; each user has one of them.
    """
    sources = ", ".join(map(str, tenant))
    return [
        db.execute(
            "select start from sessions indexed by sessions_user where user = ?"
            f" and app is ? and source in ({sources}) order by start limit 1",
            (user, app or None),
        ).fetchone()[0]
        for user, app in zip(users.tolist(), apps.tolist(), strict=True)
    ]


@dataclass(slots=True)
class _Few:
    """What was found of one filter.

    Attributes:
        ids: row ids of the sessions, as JSON; "" = there is none, None = they are many.
        held: their columns that were read.
    """

    ids: str | None
    held: dict[str, Column] = field(default_factory=dict)


Asked = tuple[str, str, tuple[str, ...]]  # table, column with an index, values


def _found(db: sqlite3.Connection, selector: Filter, span: Range) -> _Few:
    """Return the sessions that an index tells; the figures of an answer share them."""
    asked = [each for part in conditions_of(selector) if (each := _by_index(part))]
    if not asked:
        return _Few(None)
    if not isinstance(db, Reading):
        return _Few(_look_up(db, asked, span))
    version = db.execute("pragma data_version").fetchone()[0]
    key = (version, span, *asked)
    few = db.memory.pop(key, None) or _Few(_look_up(db, asked, span))
    db.memory[key] = few  # the last one
    while len(db.memory) > _KEPT:
        del db.memory[next(iter(db.memory))]
    return few


def _look_up(db: sqlite3.Connection, asked: list[Asked], span: Range) -> str | None:
    """Return sessions as JSON, of the first condition that few meet; None = many do."""
    most = _most(db, span)
    for table, column, values in asked if most else ():
        known = _numbers(db, values)
        numbers = f"({', '.join(map(str, known))})"
        if not known:
            return ""
        if not column:
            found = _of_users(db, numbers, span, most)
        else:
            found = _having(db, table, f"{column} in {numbers}", span, most)
        if found is not None:
            return orjson.dumps(found).decode() if found else ""
    return None


def conditions_of(selector: Filter) -> Iterator[Filter]:
    """Yield the conditions of a filter that must all be met."""
    if isinstance(selector, And):
        for each in selector.parts:
            yield from conditions_of(each)
    else:
        yield selector


def _by_index(part: Filter) -> Asked | None:
    """Return which rows to look up; the column "" is users."""
    kind = part.kind if isinstance(part, Any) else ""
    for each in conditions_of(part.part) if isinstance(part, Any) else [part]:
        if not isinstance(each, Compare) or each.op != "=":
            continue
        values = tuple(safe(str(value)) for value in each.values if value is not None)
        if len(values) < len(each.values) or "" in values:  # as if nothing is said
            continue
        if kind and each.field in _INDEXED.get(kind, ()):
            table, columns = EVENTS[kind]
            return table, columns[each.field], values
        if not kind and each.field == "user":
            return "sessions", "", values
    return None


def _most(db: sqlite3.Connection, span: Range) -> int:
    """Return how many sessions of *span* are few."""
    held = db.execute(
        "select sum(sessions) from row_groups where bucket > ? and bucket < ?",
        (span[0] - DAY, span[1]),
    ).fetchone()[0]
    days = max((span[1] - span[0]) / DAY, 1 / 24)
    begun = (held or 0) * days / (days + 1)  # as many as of all these days
    return int(min(max(begun / SHARE, AT_LEAST), AT_MOST))


def _numbers(db: sqlite3.Connection, values: tuple[str, ...]) -> list[int]:
    found = db.execute(
        "select id from strings where value in (select value from json_each(?))",
        (orjson.dumps(values).decode(),),
    )
    return [number for (number,) in found]


def _of_users(
    db: sqlite3.Connection, numbers: str, span: Range, most: int
) -> list[int] | None:
    """Return the sessions of users, by id or as shown."""
    found: set[tuple[int, int]] = set()
    for index in _USERS:
        query = (
            f"select start, id from sessions indexed by {index.format(numbers)}"
            " and start >= ? and start < ? limit ?"
        )
        found.update(db.execute(query, (*span, most + 1)))
    others = _having(db, "users", f"user in {numbers}", span, most)
    if others is None or len(found) > most:
        return None
    every = {row for _, row in found} | set(others)
    return _in_order(db, every, span, most)


def _having(
    db: sqlite3.Connection, table: str, condition: str, span: Range, most: int
) -> list[int] | None:
    """Return the sessions with a row of *table* that meets a condition."""
    limit = most * _EVENTS + 1
    found = db.execute(
        f"select session from {table} where {condition} limit ?", (limit,)
    ).fetchall()
    if len(found) == limit:
        return None
    return _in_order(db, {session for (session,) in found}, span, most)


def _in_order(
    db: sqlite3.Connection, ids: set[int], span: Range, most: int
) -> list[int] | None:
    """Return those of *span* in the order of their start; None when they are many."""
    if not ids:
        return []
    named = orjson.dumps(sorted(ids)).decode()
    found = db.execute(_HAVING, (named, *span, most + 1)).fetchall()
    if len(found) > most:
        return None
    return [row for _, row in sorted(found)]
