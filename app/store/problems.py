"""What went wrong: errors, equal ones together, ranked; and one group of them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import orjson

from app.sessionql.plan import Compare, Filter, Window, both
from app.store.columns.parts import NotInColumns
from app.store.columns.problems import Groups, Occurrence, affected, newest
from app.store.columns.question import Question
from app.store.insight_seam import Ranked, Ranking, Row
from app.store.ranking import (
    MAX_PARTS,
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

LISTED = 20  # newest sessions of one group

_COLUMNS = ("count", "sessions", "users", "first_seen", "last_seen")
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
        with self._bounded() as db:
            found = ask_columns(
                self, db, asked.window, asked.selector,
                lambda question: _ranked(question, asked), "error",
            )  # fmt: skip
            return found or self._problems(db, asked)

    def _problems(self, db: sqlite3.Connection, asked: Ranking) -> Ranked:
        statement = self._statement(asked.window.now)
        weights = weights_of(statement, asked.selector)
        grouped = (
            f"select e.fingerprint as id, {weights.count()} as count,"
            f" {weights.sessions()} as sessions, count(distinct s.user) as users,"
            " min(s.start + e.at) as first_seen, max(s.start + e.at) as last_seen"
            f" from {_ERRORS} where {matching(statement, asked.window, asked.selector, 'error')}"
            " and e.fingerprint is not null group by e.fingerprint"
            f" having {weights.sessions()} >= {statement.bind(asked.least)}"
        )
        rows, page = rank(db, statement, grouped, _COLUMNS, asked)
        numbers = [row["id"] for row in rows]
        ends = {
            which: self._occurrences(db, which, numbers, asked)
            for which in ("min", "max")
        }
        ids = names_of(db, set(numbers))
        items = [
            {"fingerprint": ids[row["id"]]}
            | _sample(ends["max"][row["id"]])
            | {name: plain(row[name]) for name in _COLUMNS}
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
        with self._bounded() as db:
            by_column = ask_columns(self, db, window, chosen, _details, "error")
            if by_column is None:
                by_column = self._details(db, window, chosen)
            parts, ids = by_column
            recent = self._items(db, ids, Search(window))
        return found[0] | {"by": parts, "recent": recent}

    def _details(
        self, db: sqlite3.Connection, window: Window, chosen: Filter
    ) -> tuple[Row, list[int]]:
        parts: Row = {}
        for name in (*_PARTS, "page"):
            statement = self._statement(window.now)
            column = "e.page" if name == "page" else f"s.{name}"
            where = matching(statement, window, chosen, "error")
            source = f"{_ERRORS} where {where}"
            weights = weights_of(statement, chosen)
            parts[name] = breakdown(db, statement, column, source, weights)
        return parts, _newest(db, self._statement(window.now), window, chosen)


def _ranked(question: Question, asked: Ranking) -> Ranked:
    """Rank groups of errors by column."""
    if asked.sort not in _COLUMNS:
        raise NotInColumns(asked.sort)
    groups = Groups(question)
    found = groups.found
    many = np.flatnonzero(found.sessions >= asked.least)
    keys = getattr(found, asked.sort)[many]
    kept, cursor = page_of_columns(found.ids[many], keys, asked)
    items = []
    for at in many[kept].tolist():
        figures = {name: plain(getattr(found, name)[at].item()) for name in _COLUMNS}
        number = found.ids[at].item()
        first = groups.ends(number, figures["first_seen"], last=False)
        last = groups.ends(number, figures["last_seen"], last=True)
        sample = _told(question, last)
        items.append(
            {"fingerprint": names_of(question.db, {number})[number]}
            | {name: sample[name] for name in _SAMPLED}
            | figures
            | {
                "first_version": _told(question, first)["version"],
                "last_version": sample["version"],
            }
        )
    return Ranked(items, cursor, len(many))


def _told(question: Question, occurrence: Occurrence) -> Row:
    """Return what one error and its session say."""
    part, row, error = occurrence
    numbers = {
        name: part.labels(name, "errors").at(error)
        for name in ("type", "message", "page")
    }
    numbers |= {name: part.labels(name).at(row) for name in ("version", "app")}
    texts = names_of(question.db, set(numbers.values()))
    number = part.numbers("id").at(row)
    sid = question.db.execute("select sid from sessions where id = ?", (number,))
    told = {name: texts.get(each, "") for name, each in numbers.items()}
    return told | {"session": sid.fetchone()[0]}


_SAMPLED = ("type", "message", "page", "app", "session")


def _details(question: Question) -> tuple[Row, list[int]]:
    """Return sessions by what they are of, and the newest of them, by their numbers."""
    fields = [*(("sessions", name) for name in _PARTS), ("errors", "page")]
    by = {}
    for (_, name), (ids, sessions) in zip(
        fields, affected(question, fields), strict=True
    ):
        order = np.lexsort((ids, -sessions))[:MAX_PARTS].tolist()
        texts = names_of(question.db, set(ids[order].tolist()))
        by[name] = [
            {"name": texts[ids[at].item()], "sessions": plain(sessions[at].item())}
            for at in order
        ]
    return by, newest(question, LISTED)


def _sample(last: Row) -> Row:
    return {name: last[name] for name in _SAMPLED}


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
