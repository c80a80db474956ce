"""Who used the applications: users, ranked, and one of them."""

import sqlite3
from dataclasses import replace

import numpy as np
import orjson

from app.catalog.fields import FIELDS
from app.sessionql.plan import Filter, Window
from app.store.columns.parts import NotInColumns
from app.store.columns.people import People
from app.store.columns.question import Question
from app.store.insight_seam import Ranked, Ranking, Row
from app.store.ranking import (
    Engine,
    ask_columns,
    breakdown,
    matching,
    names_of,
    page_of_columns,
    plain,
    rank,
)
from app.store.seam import Search
from app.store.sql import Statement
from app.store.weights import weights_of

LISTED = 20  # newest sessions of one user

_PARTS = (
    "app", "environment", "version", "browser", "os", "device", "country", "city",
    "connection",
)  # fmt: skip
_SUMS = (  # shown where the catalog knows them
    "cost", "tokens", "tokens_in", "tokens_out", "traces", "trace_latency",
)  # fmt: skip


def _columns(statement: Statement, selector: Filter) -> dict[str, str]:
    """Return what is known of a user: column → how it is computed."""
    weights = weights_of(statement, selector)
    count, total = weights.count(), weights.sum
    duration = statement.expression("duration")
    columns = {
        "sessions": count,
        "first_seen": "min(s.start)",
        "last_seen": "max(s.end)",
        "duration": total(duration),
        "duration_avg": f"{total(duration)} * 1.0 / {count}",
        "views": total("s.views"),
        "actions": total("s.actions"),
        "errors": total("s.errors"),
        "errored_sessions": total("(s.errors > 0)"),
        "failed_requests": total("s.failed_requests"),
    }
    for name in _SUMS:
        if name in FIELDS:
            columns[name] = total(f"s.{name}") + " / 1e9" * (name == "cost")
            columns[f"{name}_avg"] = f"{columns[name]} * 1.0 / {count}"
    if "traces" in FIELDS and "trace_latency" in FIELDS:
        latency, traces = map(statement.expression, ("trace_latency", "traces"))
        columns["latency_avg"] = f"{total(latency)} * 1.0 / nullif({total(traces)}, 0)"
    return columns


class PeopleReader(Engine):
    """Answers questions about users; a session's user is the last identified one."""

    def people(self, asked: Ranking) -> Ranked:
        """Rank the identified users of sessions."""
        with self._bounded() as db:
            found = ask_columns(
                self, db, asked.window, asked.selector, _Ranked(self, asked)
            )
            return found or self._people(db, asked)

    def _people(self, db: sqlite3.Connection, asked: Ranking) -> Ranked:
        statement = self._statement(asked.window.now)
        columns = _columns(statement, asked.selector)
        shown = ", ".join(f"{text} as {name}" for name, text in columns.items())
        grouped = (
            f"select s.user as id, {shown} from sessions as s"
            f" where {matching(statement, asked.window, asked.selector)}"
            " and s.user is not null group by s.user"
            f" having {columns['sessions']} >= {statement.bind(asked.least)}"
        )
        rows, page = rank(db, statement, grouped, tuple(columns), asked)
        return replace(page, items=_named(db, rows))

    def person(self, user: str, window: Window, selector: Filter) -> Row | None:
        """Return what is known of one user; None when there is none."""
        with self._bounded() as db:
            statement = self._statement(window.now)
            columns = _columns(statement, selector)
            shown = ", ".join(columns.values())
            source = _of_user(statement, user, window, selector)
            row = db.execute(
                statement.text(f"select {shown}, max(s.user) from {source}"),
                statement.values,
            ).fetchone()
            if not row[0]:
                return None
            names = _shown_names(db, {row[-1]})
            found = {"user": user, "user_name": names.get(row[-1]) or user}
            figures = map(plain, row[:-1])
            found |= dict(zip(columns, figures, strict=True))
            return found | self._more(db, user, window, selector)

    def _more(
        self, db: sqlite3.Connection, user: str, window: Window, selector: Filter
    ) -> Row:
        parts = {}
        for name in _PARTS:
            statement = self._statement(window.now)
            source = _of_user(statement, user, window, selector)
            weights = weights_of(statement, selector)
            parts[name] = breakdown(db, statement, f"s.{name}", source, weights)
        for name, table, column in _EVENTS:
            statement = self._statement(window.now)
            source = _of_user(statement, user, window, selector, table)
            weights = weights_of(statement, selector)
            parts[name] = breakdown(db, statement, f"e.{column}", source, weights)
        statement = self._statement(window.now)
        source = _of_user(statement, user, window, selector)
        newest = db.execute(
            statement.text(
                f"select s.id from {source} order by s.start desc, s.id desc"
                f" limit {LISTED}"
            ),
            statement.values,
        ).fetchall()
        ids = [row[0] for row in newest]
        return {
            "attributes": _attributes(db, ids[0]) if ids else {},
            "by": parts,
            "recent": self._items(db, ids, Search(window)),
        }


class _Ranked:
    """Ranks users by column."""

    def __init__(self, engine: Engine, asked: Ranking) -> None:
        statement = engine._statement(asked.window.now)  # noqa: SLF001
        self._names = tuple(_columns(statement, asked.selector))
        self._asked = asked

    def __call__(self, question: Question) -> Ranked:
        """Return one page."""
        asked = self._asked
        if asked.sort not in self._names:
            raise NotInColumns(asked.sort)
        people = People(question)
        many = np.flatnonzero(people.sessions >= asked.least)
        keys = people.column(asked.sort)[many]
        kept, cursor = page_of_columns(people.ids[many], keys, asked)
        some = many[kept]
        columns = {
            name: figures.tolist()
            for name, figures in people.columns(self._names, some).items()
        }
        ids = people.ids[some].tolist()
        rows = [
            {"id": number, **{name: figures[at] for name, figures in columns.items()}}
            for at, number in enumerate(ids)
        ]
        return Ranked(_named(question.db, rows), cursor, len(many))


def _named(db: sqlite3.Connection, rows: list[Row]) -> list[Row]:
    """Name the users of *rows*, and show figures as they are."""
    numbers = {row["id"] for row in rows}
    ids, names = names_of(db, numbers), _shown_names(db, numbers)
    return [
        {
            "user": ids[row["id"]],
            "user_name": names.get(row["id"]) or ids[row["id"]],
            **{name: _figure(each) for name, each in row.items() if name != "id"},
        }
        for row in rows
    ]


def _figure(value: float | None) -> float | None:
    return None if value is None or value != value else plain(value)  # noqa: PLR0124


_EVENTS = (
    ("page", "views", "page"),
    ("action", "actions", "name"),
    ("error", "errors", "type"),
)


def _of_user(
    statement: Statement, user: str, window: Window, selector: Filter, table: str = ""
) -> str:
    """Return the sessions of one user as ``from`` wants them, found by their index."""
    number = statement.strings((user,))
    joined = f" cross join {table} as e on e.session = s.id" if table else ""
    return (
        f"sessions as s indexed by sessions_user{joined}"
        f" where s.user = {number} and {matching(statement, window, selector)}"
    )


def _shown_names(db: sqlite3.Connection, numbers: set[int]) -> dict[int, str]:
    """Return how each user was called last."""
    found = db.execute(
        "select w.value, (select t.value from sessions as s"
        "  join strings as t on t.id = s.user_name"
        "  where s.user = w.value order by s.start desc limit 1)"
        " from json_each(?) as w",
        (orjson.dumps(sorted(numbers)).decode(),),
    )
    return dict(found.fetchall())


def _attributes(db: sqlite3.Connection, session: int) -> dict[str, str]:
    """Return what the newest session says of its user."""
    found = db.execute(
        "select n.value, v.value from attributes as a"
        " join strings as n on n.id = a.name join strings as v on v.id = a.value"
        " where a.session = ? and n.value like 'user.%' order by 1",
        (session,),
    )
    return dict(found.fetchall())
