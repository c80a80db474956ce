"""Who used the applications: users, ranked, and one of them."""

import sqlite3
from dataclasses import replace

import orjson

from app.catalog.fields import FIELDS
from app.sessionql.plan import Filter, Window
from app.store.insight_seam import Ranked, Ranking, Row
from app.store.ranking import Engine, breakdown, matching, names_of, plain, rank
from app.store.seam import Search
from app.store.sql import Statement

LISTED = 20  # newest sessions of one user

_PARTS = (
    "app", "environment", "version", "browser", "os", "device", "country", "city",
    "connection",
)  # fmt: skip
_SUMS = (  # shown where the catalog knows them
    "cost", "tokens", "tokens_in", "tokens_out", "traces", "trace_latency",
)  # fmt: skip


def _columns(statement: Statement) -> dict[str, str]:
    """Return what is known of a user: column → how it is computed."""
    duration = statement.expression("duration")
    columns = {
        "sessions": "count(*)",
        "first_seen": "min(s.start)",
        "last_seen": "max(s.end)",
        "duration": f"sum({duration})",
        "duration_avg": f"avg({duration})",
        "views": "sum(s.views)",
        "actions": "sum(s.actions)",
        "errors": "sum(s.errors)",
        "errored_sessions": "sum(s.errors > 0)",
        "failed_requests": "sum(s.failed_requests)",
    }
    for name in _SUMS:
        if name in FIELDS:
            columns[name] = f"sum({statement.expression(name)})"
            columns[f"{name}_avg"] = f"avg({statement.expression(name)})"
    if "traces" in FIELDS and "trace_latency" in FIELDS:
        latency, traces = map(statement.expression, ("trace_latency", "traces"))
        columns["latency_avg"] = f"sum({latency}) * 1.0 / nullif(sum({traces}), 0)"
    return columns


class PeopleReader(Engine):
    """Answers questions about users; a session's user is the last identified one."""

    def people(self, asked: Ranking) -> Ranked:
        """Rank the identified users of sessions."""
        statement = self._statement(asked.window.now)
        columns = _columns(statement)
        shown = ", ".join(f"{text} as {name}" for name, text in columns.items())
        grouped = (
            f"select s.user as id, {shown} from sessions as s"
            f" where {matching(statement, asked.window, asked.selector)}"
            " and s.user is not null group by s.user"
            f" having count(*) >= {statement.bind(asked.least)}"
        )
        with self._bounded() as db:
            rows, page = rank(db, statement, grouped, tuple(columns), asked)
            numbers = {row["id"] for row in rows}
            ids, names = names_of(db, numbers), _shown_names(db, numbers)
        items = [
            {
                "user": ids[row["id"]],
                "user_name": names.get(row["id"]) or ids[row["id"]],
                **{name: plain(row[name]) for name in columns},
            }
            for row in rows
        ]
        return replace(page, items=items)

    def person(self, user: str, window: Window, selector: Filter) -> Row | None:
        """Return what is known of one user; None when there is none."""
        with self._bounded() as db:
            statement = self._statement(window.now)
            columns = _columns(statement)
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
            parts[name] = breakdown(db, statement, f"s.{name}", source)
        for name, table, column in _EVENTS:
            statement = self._statement(window.now)
            source = _of_user(statement, user, window, selector, table)
            parts[name] = breakdown(db, statement, f"e.{column}", source)
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
