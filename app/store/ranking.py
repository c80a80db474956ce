"""Rank what sessions are grouped by: users, errors, pages; a page at a time."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import numpy as np
import orjson

from app.errors import BadRequest
from app.model import Session
from app.sessionql.plan import Filter, Window
from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns
from app.store.columns.question import Question
from app.store.conditions import conditions
from app.store.connect import Deadline, snapshot
from app.store.cursors import decode_cursor, encode_cursor
from app.store.insight_seam import Ranked, Ranking, Row
from app.store.journal import Journal
from app.store.seam import Search
from app.store.sql import Statement
from app.store.weights import Weights

Answer = TypeVar("Answer")

MAX_PARTS = 10  # values listed of each field of a breakdown


class Engine(Protocol):
    """What the reader of an index lends to those that answer parts of its questions."""

    _tenant: str
    _timeout_s: float

    def _bounded(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def _statement(self, now: int) -> Statement: ...

    def _journal(self, app: str, session_id: str) -> tuple[str, Journal] | None: ...

    def session(self, app: str, session_id: str) -> Session | None:
        """Return one session."""

    def _items(
        self, db: sqlite3.Connection, ids: list[int], search: Search
    ) -> list[Row]: ...


def matching(
    statement: Statement, window: Window, selector: Filter, scope: str = ""
) -> str:
    """Return the condition on sessions ``s`` (and, with a scope, on its events ``e``)."""
    found = [statement.look_at(window), *conditions(statement, selector, scope)]
    return " and ".join(found)


def ask_columns(
    engine: Engine,
    db: sqlite3.Connection,
    window: Window,
    selector: Filter,
    answer: Callable[[Question], Answer],
    kind: str = "",
) -> Answer | None:
    """Return what columns answer; None when it is for the tables to answer.

    Args:
        engine: whose index it is.
        db: the index.
        window: in which sessions began.
        selector: what they meet.
        answer: answers the question.
        kind: of the events that are asked about, which *selector* may choose.
    """
    try:
        with snapshot(db):
            statement = engine._statement(window.now)  # noqa: SLF001 - one of its parts
            asked = Question(db, window, selector, statement, kind)
            asked.deadline = Deadline(engine._timeout_s)  # noqa: SLF001
            return answer(asked)
    except NotInColumns:
        return None


def rank(
    db: sqlite3.Connection,
    statement: Statement,
    grouped: str,
    columns: tuple[str, ...],
    asked: Ranking,
) -> tuple[list[Row], Ranked]:
    """Take one page of what *grouped* selects: ``id`` and *columns*.

    Args:
        db: where to ask.
        statement: that *grouped* belongs to.
        grouped: a select of ``id`` (a number of ``strings``) and *columns*.
        columns: all of them can be sorted by.
        asked: order, limit, cursor.

    Returns:
        The rows by column, with ``id``; and the page without items.

    Raises:
        BadRequest: an unknown column, or a cursor of another question.
    """
    if asked.sort not in columns:
        known = ", ".join(columns)
        raise BadRequest(f"cannot sort by {asked.sort!r}; try one of {known}")
    key = f"coalesce(g.{asked.sort}, 0)"
    direction = "desc" if asked.descending else "asc"
    after = _after(statement, asked, key)
    # the cursor's values are bound by now, and what is grouped comes before the page
    statement.ctes.append(f"g as materialized ({grouped})")
    query = statement.text(
        f"select g.id, {key}, (select count(*) from g), {', '.join(columns)} from g"
        f" where {after} order by 2 {direction}, 1 {direction}"
        f" limit {statement.bind(asked.limit + 1)}"
    )
    found = db.execute(query, statement.values).fetchall()
    page = found[: asked.limit]
    rows = [{"id": row[0], **dict(zip(columns, row[3:], strict=True))} for row in page]
    cursor = None
    if len(found) > asked.limit:
        last = page[-1]
        cursor = encode_cursor([asked.sort, asked.descending, plain(last[1]), last[0]])
    total = found[0][2] if found else 0
    return rows, Ranked([], cursor, total)


def page_of(keys: Mapping[int, float], asked: Ranking) -> tuple[list[int], str | None]:
    """Take one page of what is at hand, as ``rank`` does in SQL.

    Args:
        keys: number → what it is sorted by.
        asked: order, limit, cursor.

    Raises:
        BadRequest: a cursor of another question.
    """
    order = sorted(
        ((key, number) for number, key in keys.items()),
        reverse=asked.descending,
    )
    if asked.cursor:
        value, last = _read_cursor(asked)
        order = [
            each
            for each in order
            if (each < (value, last) if asked.descending else each > (value, last))
        ]
    kept = [number for _, number in order[: asked.limit]]
    if len(order) <= asked.limit:
        return kept, None
    value, last = order[asked.limit - 1]
    return kept, encode_cursor([asked.sort, asked.descending, plain(value), last])


def page_of_columns(
    ids: Array, keys: Array, asked: Ranking
) -> tuple[list[int], str | None]:
    """Take one page as ``page_of`` does, of arrays.

    Args:
        ids: numbers, ascending.
        keys: what they are sorted by; NaN is 0.
        asked: order, limit, cursor.

    Returns:
        Places in *ids*, and the cursor of the next page.

    Raises:
        BadRequest: a cursor of another question.
    """
    if keys.dtype.kind == "f":
        keys = np.nan_to_num(keys)
    places = np.arange(len(ids))
    if asked.cursor:
        value, last = _read_cursor(asked)
        same = keys == value
        if asked.descending:
            places = np.flatnonzero((keys < value) | (same & (ids < last)))
        else:
            places = np.flatnonzero((keys > value) | (same & (ids > last)))
    order = places[np.lexsort((ids[places], keys[places]))]
    order = order[::-1] if asked.descending else order
    kept = order[: asked.limit].tolist()
    if len(order) <= asked.limit:
        return kept, None
    last_key, last_id = plain(keys[kept[-1]].item()), ids[kept[-1]].item()
    return kept, encode_cursor([asked.sort, asked.descending, last_key, last_id])


def _read_cursor(asked: Ranking) -> tuple[float, int]:
    sort, descending, value, last = decode_cursor(
        asked.cursor, str, bool, (int, float), int
    )
    if (sort, descending) != (asked.sort, asked.descending):
        raise BadRequest("this cursor belongs to a question with another order")
    return value, last


def _after(statement: Statement, asked: Ranking, key: str) -> str:
    if not asked.cursor:
        return "1"
    value, last = _read_cursor(asked)
    sign = "<" if asked.descending else ">"
    return f"({key}, g.id) {sign} ({statement.bind(value)}, {statement.bind(last)})"


def names_of(db: sqlite3.Connection, numbers: set[int]) -> Mapping[int | None, str]:
    """Return the strings of *numbers*; None is the empty one."""
    found = db.execute(
        "select s.id, s.value from json_each(?) as w join strings as s on s.id = w.value",
        (orjson.dumps(sorted(numbers)).decode(),),
    )
    return {None: "", **dict(found.fetchall())}


def breakdown(
    db: sqlite3.Connection,
    statement: Statement,
    column: str,
    source: str,
    weights: Weights,
) -> list[Row]:
    """Count sessions by what *column* of *source* says, most first, some of them."""
    found = db.execute(
        statement.text(
            f"select (select value from strings where id = b.label), b.n from"
            f" (select {column} as label, {weights.sessions()} as n from {source}"
            f" and {column} is not null"
            f" group by 1 order by n desc, 1 limit {MAX_PARTS}) as b"
        ),
        statement.values,
    )
    return [{"name": name, "sessions": plain(sessions)} for name, sessions in found]


def plain(value: Any) -> Any:
    """Return a figure as it is shown: whole where it is whole."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
