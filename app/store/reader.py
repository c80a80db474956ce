"""Answer questions from the index of one tenant; nothing is ever written."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from app.catalog.fields import FIELDS, STATUSES
from app.errors import BadRequest, TooExpensive
from app.model import Context, Event, Session, SessionKey
from app.sessionql.filters import Filter, gather
from app.sessionql.plan import Leaf, Window
from app.sessions.derive import ordered
from app.store import rows
from app.store.answers import AnswerCache, Answered
from app.store.columns.finding import Key, Order, find_in_columns
from app.store.conditions import where
from app.store.connect import Deadline, explained, open_for_reading
from app.store.cursors import decode_cursor, encode_cursor
from app.store.feed import FeedRows
from app.store.functions import register
from app.store.insights import InsightsReader
from app.store.journal import Codec, Journal, derived_from
from app.store.leaf_reader import KEPT, LeafReader
from app.store.ranking import ask_columns
from app.store.recorded import RecordedReader
from app.store.rollups.chosen import Kept
from app.store.seam import Found, JobStatus, Search, SourceStatus
from app.store.sql import EVENTS, Statement

_STEPS = 4_000  # of SQLite's machine between two looks at the clock


class SqliteReader(LeafReader, RecordedReader, InsightsReader, FeedRows):
    """The index in one SQLite file, opened for reading by one thread at a time."""

    def __init__(
        self,
        path: Path,
        tenant: str,
        *,
        bounce: str = "single_view",
        timeout_s: float = 10.0,
        exact: bool = False,
    ) -> None:
        self._path = path
        self._tenant = tenant
        self._bounce = bounce
        self._timeout_s = timeout_s
        self._db = open_for_reading(path)
        self._is_exact = exact
        self._notices: dict[str, None] = {}
        self._answered: deque[Answered] = deque(maxlen=KEPT)
        self._foreseen = {}
        self._cells = Kept()
        self._codec = Codec()
        register(self._db)
        self._tables = self._schema_version()
        self.answers: AnswerCache | None = None
        self.give_back: Callable[[], None] = self.close_for_good

    def close(self) -> None:
        """Give the reader back to whom it belongs, once, or let go of the index."""
        give_back, self.give_back = self.give_back, lambda: None
        give_back()

    def close_for_good(self) -> None:
        """Let go of the index."""
        self._db.close()

    def renew(self) -> bool:
        """Forget what was asked; tell whether the index still has the same tables."""
        self._notices.clear()
        self._answered.clear()
        self._foreseen.clear()
        self._cells.clear()
        try:
            return self._tables == self._schema_version()
        except sqlite3.Error:
            return False

    def _schema_version(self) -> int:
        return int(self._db.execute("pragma schema_version").fetchone()[0])

    @contextmanager
    def _bounded(self) -> Iterator[sqlite3.Connection]:
        """Stop what takes too long, and explain what fails."""
        deadline = Deadline(self._timeout_s)
        self._db.set_progress_handler(deadline, _STEPS)
        try:
            with explained(self._path):
                yield self._db
        except Exception as error:
            if isinstance(error.__cause__, sqlite3.OperationalError) and deadline():
                raise TooExpensive(
                    f"the query took over {self._timeout_s:g} s;"
                    " ask for less time, fewer labels or a narrower filter"
                ) from error
            raise
        finally:
            self._db.set_progress_handler(None, 0)

    def _statement(self, now: int) -> Statement:
        return Statement(self._tenant, self._bounce, now)

    # -- sessions ------------------------------------------------------------------

    def search(self, search: Search) -> Found:
        """Find sessions, a page at a time; the order is total, so no row is shown twice.

        Raises:
            BadRequest: an unknown column, a cursor of another question.
            TooExpensive: it took too long.
        """
        _order(search.sort)
        with self._bounded() as db:
            order = Order(
                search.sort, search.descending, _last(search), search.limit + 1
            )
            found = ask_columns(
                self, db, search.window, search.selector,
                lambda asked: find_in_columns(asked, order, is_counted=search.is_counted),
            )  # fmt: skip
            if found is None:
                page = self._page(db, search)
                count = self._count(db, search) if search.is_counted else 0
            else:
                page, count = found
            items = self._items(db, [row[0] for row in page[: search.limit]], search)
        cursor = None
        if len(page) > search.limit:
            last_id, last_key = page[search.limit - 1]
            cursor = encode_cursor([search.sort, search.descending, last_key, last_id])
        return Found(items, cursor, count)

    def _page(self, db: sqlite3.Connection, search: Search) -> list[tuple[int, Key]]:
        """Return row id and key of the sessions of a page, and of one more."""
        order = _order(search.sort)
        statement = self._statement(search.window.now)
        matching = statement.look_at(search.window)
        matching += f" and {where(statement, gather(search.selector))}"
        key = order(statement)
        after = _after(statement, search, key)
        direction = "desc" if search.descending else "asc"
        query = statement.text(
            f"select s.id, {key} as k from sessions as s"
            f" where {matching}{after} order by k {direction}, s.id {direction}"
            f" limit {statement.bind(search.limit + 1)}"
        )
        return db.execute(query, statement.values).fetchall()

    def _count(self, db: sqlite3.Connection, search: Search) -> int:
        """Return how many sessions a search finds, as any question is answered."""
        window = replace(search.window, step=0)
        leaf = Leaf("count", selector=search.selector)
        found, _ = self._answer(db, leaf, window)
        return int(sum(value or 0 for _, _, value in found.cells))

    def _items(
        self, db: sqlite3.Connection, ids: list[int], search: Search
    ) -> list[dict[str, Any]]:
        statement = self._statement(search.window.now)
        names = columns_of(search)
        shown = [f"{_shown(statement, name)} as c{n}" for n, name in enumerate(names)]
        wanted = statement.bind(orjson.dumps(ids).decode())
        found = db.execute(
            f"select s.id as row, {', '.join(shown)} from json_each({wanted}) as w"
            " join sessions as s on s.id = w.value",
            statement.values,
        ).fetchall()
        by_id = {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
        return [_typed(by_id[each]) for each in ids if each in by_id]

    def session(self, app: str, session_id: str) -> Session | None:
        """Return one session, derived from its events; None when there is none."""
        found = self._journal(app, session_id)
        if found is None:
            return None
        source, journal = found
        key = SessionKey(source, app, session_id)
        return derived_from(key, journal)

    def events(
        self, app: str, session_id: str
    ) -> tuple[Sequence[Event], Mapping[int, Context]]:
        """Return the events of a session by corrected time, and their contexts."""
        found = self._journal(app, session_id)
        if found is None:
            return [], {}
        journal = found[1]
        timed = ordered(journal.events, journal.shape)
        return [event for _, event in timed], journal.contexts

    def _journal(self, app: str, session_id: str) -> tuple[str, Journal] | None:
        with self._bounded() as db:
            sources = db.execute(
                "select id, name from sources where tenant = ?", (self._tenant,)
            ).fetchall()
            for number, source in sources:
                known_as = db.execute(
                    "select app from aliases where source = ? and name = ?",
                    (number, app),
                )
                for name in (app, *(row[0] for row in known_as.fetchall())):
                    hashed = rows.hash_of(self._tenant, source, name, session_id)
                    row = db.execute(
                        "select j.data from sessions as s join journals as j"
                        " on j.session = s.id where s.hash = ? and s.source = ?",
                        (hashed, number),
                    ).fetchone()
                    if row:
                        return source, self._codec.unpack(row[0])
        return None

    # -- what there is -------------------------------------------------------------

    def values(
        self, field: str, window: Window, selector: Filter, limit: int
    ) -> list[tuple[str, int]]:
        """Return values of a field with the number of sessions, most first."""
        leaf = Leaf("count", selector=selector, by=(field,))
        whole = Window(window.start, window.end, 0, window.now)
        cells = self.evaluate(leaf, whole)
        named = [
            (labels[0], int(value or 0)) for labels, _, value in cells if labels[0]
        ]
        named.sort(key=lambda each: (-each[1], each[0]))
        return named[:limit]

    def jobs(self) -> list[JobStatus]:
        """Return how each job fares."""
        with self._bounded() as db:
            found = db.execute(f"select {', '.join(JOB)} from jobs order by name")
            return [JobStatus(*row) for row in found.fetchall()]

    def sources(self) -> list[SourceStatus]:
        """Return how each source fares."""
        with self._bounded() as db:
            found = db.execute(
                "select name, cursor, entries, bytes, decoded, dropped, updated"
                " from sources where tenant = ? order by name",
                (self._tenant,),
            ).fetchall()
        return [
            SourceStatus(
                name, cursor, entries, size, decoded, orjson.loads(dropped), at
            )
            for name, cursor, entries, size, decoded, dropped, at in found
        ]

    def size(self) -> dict[str, int]:
        """Return how many sessions and views the index holds, and its bytes."""
        with self._bounded() as db:
            sessions = db.execute("select count(*) from sessions").fetchone()[0]
            pages = db.execute("pragma page_count").fetchone()[0]
            free = db.execute("pragma freelist_count").fetchone()[0]
            size = db.execute("pragma page_size").fetchone()[0]
        return {
            "sessions": sessions,
            "bytes": (pages - free) * size,
            "file": pages * size,
        }


JOB = JobStatus.__match_args__
LISTED = tuple(
    name for name, each in FIELDS.items() if each.scope not in EVENTS
)  # columns of a search


def columns_of(search: Search) -> tuple[str, ...]:
    """Return the columns of the rows of a search."""
    chosen = ("id", "app", "start", *search.columns) if search.columns else LISTED
    return tuple(dict.fromkeys(chosen))


def _shown(statement: Statement, name: str) -> str:
    """Return how a column of the list reads: text for strings."""
    known = FIELDS.get(name)
    if known is None:
        chosen = statement.strings((name,))
        return (
            "(select t.value from attributes as a join strings as t on t.id = a.value"
            f" where a.session = s.id and a.name in {chosen})"
        )
    if name == "id":
        return "s.sid"
    if name == "source":
        return "(select name from sources where id = s.source)"
    if name == "status":
        return "s.status"
    if known.type == "string":
        return f"(select value from strings where id = s.{name})"
    return statement.expression(name)


def _typed(item: dict[str, Any]) -> dict[str, Any]:
    if "status" in item:
        item["status"] = STATUSES[item["status"]]
    for name in ("bounced", "returning", "active", "has_replay"):
        if item.get(name) is not None:
            item[name] = bool(item[name])
    return item


def _order(name: str) -> Callable[[Statement], str]:
    if name not in LISTED:
        raise BadRequest(f"cannot sort by {name!r}; try one of {', '.join(LISTED)}")
    if FIELDS[name].type == "string":
        return lambda statement: f"coalesce({_shown(statement, name)}, '')"
    if FIELDS[name].type == "boolean":
        return lambda statement: f"coalesce({_shown(statement, name)}, -1)"
    return lambda statement: _shown(statement, name)


def _last(search: Search) -> tuple[Key, int] | None:
    """Return key and row id of the last session of the page before.

    Raises:
        BadRequest: the cursor is of another question.
    """
    if not search.cursor:
        return None
    sort, descending, last_key, last_id = decode_cursor(
        search.cursor, str, bool, (str, int, float), int
    )
    if (sort, descending) != (search.sort, search.descending):
        raise BadRequest("this cursor belongs to a question with another order")
    return last_key, last_id


def _after(statement: Statement, search: Search, key: str) -> str:
    last = _last(search)
    if last is None:
        return ""
    sign = "<" if search.descending else ">"
    value, row = map(statement.bind, last)
    return f" and ({key}, s.id) {sign} ({value}, {row})"
