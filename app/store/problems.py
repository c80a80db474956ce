"""What went wrong: errors, equal ones together, ranked; and one group of them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

import orjson

from app.sessionql.plan import Compare, Filter, Window, both
from app.store.insight_seam import Ranked, Ranking, Row
from app.store.ranking import Engine, breakdown, matching, names_of, rank
from app.store.seam import Search
from app.store.sql import Statement

LISTED = 20  # newest sessions of one group

_COLUMNS = {
    "count": "count(*)",
    "sessions": "count(distinct s.id)",
    "users": "count(distinct s.user)",
    "first_seen": "min(s.start + e.at)",
    "last_seen": "max(s.start + e.at)",
}
_ERRORS = "sessions as s join errors as e on e.session = s.id"
_PARTS = (
    "app", "version", "environment", "browser", "os", "device", "country", "connection",
)  # fmt: skip


class ProblemsReader(Engine):
    """Answers questions about errors.

    Of each session the first thousand errors are known one by one, and count here.
    """

    def problems(self, asked: Ranking) -> Ranked:
        """Rank errors, equal ones together."""
        statement = self._statement(asked.window.now)
        shown = ", ".join(f"{text} as {name}" for name, text in _COLUMNS.items())
        grouped = (
            f"select e.fingerprint as id, {shown} from {_ERRORS}"
            f" where {matching(statement, asked.window, asked.selector, 'error')}"
            " and e.fingerprint is not null group by e.fingerprint"
            f" having count(distinct s.id) >= {statement.bind(asked.least)}"
        )
        with self._bounded() as db:
            rows, page = rank(db, statement, grouped, tuple(_COLUMNS), asked)
            numbers = [row["id"] for row in rows]
            ends = {
                which: self._occurrences(db, which, numbers, asked)
                for which in ("min", "max")
            }
            ids = names_of(db, set(numbers))
        items = [
            {"fingerprint": ids[row["id"]]}
            | _sample(ends["max"][row["id"]])
            | {name: row[name] for name in _COLUMNS}
            | {
                "first_version": ends["min"][row["id"]]["version"],
                "last_version": ends["max"][row["id"]]["version"],
            }
            for row in rows
        ]
        return replace(page, items=items)

    def _occurrences(
        self, db: sqlite3.Connection, which: str, numbers: list[int], asked: Ranking
    ) -> Mapping[int, Row]:
        """Return the first (min) or last (max) occurrence of each group.

        A bare column beside a single min() or max() is of that very row, in SQLite.
        """
        statement = self._statement(asked.window.now)
        wanted = statement.bind(orjson.dumps(numbers).decode())
        text = ", ".join(
            f"(select value from strings where id = o.{name}) as {name}"
            for name in ("type", "message", "page", "version", "app")
        )
        found = db.execute(
            statement.text(
                f"select o.fingerprint, {text}, o.sid from"
                f" (select e.fingerprint, {which}(s.start + e.at), e.type, e.message,"
                f" e.page, s.version, s.app, s.sid from {_ERRORS}"
                f" where {matching(statement, asked.window, asked.selector, 'error')}"
                f" and e.fingerprint in (select value from json_each({wanted}))"
                " group by e.fingerprint) as o"
            ),
            statement.values,
        )
        names = ("type", "message", "page", "version", "app", "session")
        return {
            row[0]: dict(zip(names, [each or "" for each in row[1:]], strict=True))
            for row in found
        }

    def problem(self, fingerprint: str, window: Window, selector: Filter) -> Row | None:
        """Return what is known of one group of errors; None when there is none."""
        chosen = both(selector, Compare("fingerprint", "=", (fingerprint,)))
        found = self.problems(Ranking(window, chosen, sort="count", limit=1)).items
        if not found:
            return None
        parts = {}
        with self._bounded() as db:
            for name in (*_PARTS, "page"):
                statement = self._statement(window.now)
                column = "e.page" if name == "page" else f"s.{name}"
                where = matching(statement, window, chosen, "error")
                parts[name] = breakdown(
                    db, statement, column, f"{_ERRORS} where {where}"
                )
            affected = self._items(
                db, _newest(db, self._statement(window.now), window, chosen),
                Search(window),
            )  # fmt: skip
        return found[0] | {"by": parts, "recent": affected}


def _sample(last: Row) -> Row:
    names = ("type", "message", "page", "app", "session")
    return {name: last[name] for name in names}


def _newest(
    db: sqlite3.Connection, statement: Statement, window: Window, selector: Filter
) -> list[int]:
    found = db.execute(
        statement.text(
            f"select distinct s.id, s.start from {_ERRORS}"
            f" where {matching(statement, window, selector, 'error')}"
            f" order by s.start desc, s.id desc limit {LISTED}"
        ),
        statement.values,
    )
    return [row[0] for row in found]
