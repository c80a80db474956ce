"""Turn a session into the rows that hold it."""

import sqlite3
from hashlib import blake2b
from itertools import chain
from typing import Any

from msgspec.structs import astuple

from app.model import Context, Session
from app.store.inserts import MANY, ONE, insert
from app.store.told_rows import Numbers, Row, told_columns, told_rows
from app.store.told_tables import SESSION_COLUMNS


def hash_of(tenant: str, source: str, app: str, session_id: str) -> int:
    """Return 63 bits that stand for a session; nobody can make two meet.

    A keyed or cryptographic hash, since session ids are written by strangers.
    """
    text = f"{tenant}\0{source}\0{app}\0{session_id}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 1


SESSION = (
    "id", "hash", "source", "app", "sid", "start", "end", "environment", "version",
    "browser", "browser_version", "os", "device", "country", "language", "referrer",
    "entry", "exit", "user", "user_name", "previous", "status", "views", "actions",
    "errors", "log_errors", "failed_requests", "resources", "events", "is_cut",
    *SESSION_COLUMNS,
)  # fmt: skip


def identity(context: Context) -> tuple[str, str]:
    """Return what tells a user from others, and how the user is shown."""
    return (
        context.user_id or context.user_email or context.user_name or context.anonymous,
        context.user_email or context.user_name or context.user_id or context.anonymous,
    )


class Rows:
    """Rows of sessions that wait to be written: the values of each table, one by one.

    Args:
        source: number of the source of all of them.
        numbers: of strings.
    """

    __slots__ = ("_numbers", "_source", "_tables", "starts")

    def __init__(self, source: int, numbers: Numbers) -> None:
        self._source = source
        self._numbers = numbers
        self._tables: dict[str, list[object]] = {table: [] for table in INSERTS}
        self.starts: set[int] = set()  # of the sessions

    def add(self, row_id: int, hashed: int, session: Session, journal: bytes) -> None:
        """Add the rows of *session*, and its packed *journal*."""
        tables, n, start = self._tables, self._numbers, session.start
        self.starts.add(start)
        tables["sessions"] += session_row(row_id, hashed, self._source, session, n)
        tables["journals"] += (row_id, journal)
        _add_views(tables["views"], row_id, session, n)
        if session.actions:
            _add_actions(tables["actions"], row_id, session, n)
        if session.error_list:
            _add_errors(tables["errors"], row_id, session, n)
        _add_users(tables["users"], row_id, session, n)
        attributes = tables["attributes"]
        for name, value in session.attributes:
            if name and value:
                attributes += (row_id, n[name], n[value])
        activity = tables["activity"]
        for minute in session.minutes:
            activity += (row_id, minute)

    def add_told(self, row_id: int, session: Session) -> None:
        """Add the rows that only sources beside Faro have."""
        for table, found in told_rows(row_id, session, self._numbers):
            self._tables[table].extend(chain.from_iterable(found))
        key, shown = session.key, session.context.app
        if shown and shown != key.app:  # under this name it is asked for as well
            self._tables["aliases"] += (self._source, shown, key.app)

    def insert(self, db: sqlite3.Connection) -> None:
        """Insert what there is."""
        for table, (into, columns) in INSERTS.items():
            sizes = ONE if table == "sessions" else MANY
            insert(db, into, columns, self._tables[table], sizes)


def session_row(
    row_id: int, hashed: int, source: int, session: Session, n: Numbers
) -> Row:
    """Return the row of table ``sessions``; its columns are ``SESSION``."""
    c = session.context
    user, user_name = identity(c)
    return (
        row_id, hashed, source, n[c.app or session.key.app], session.key.id,
        session.start, session.end, n[c.environment], n[c.version],
        n[c.browser], n[c.browser_version], n[c.os], n[c.device],
        n[c.country], n[c.language], n[c.referrer], n[session.entry],
        n[session.exit], n[user], n[user_name], n[c.previous],
        int(session.status), session.view_count, session.action_count, session.errors,
        session.log_errors, session.failed_requests, session.resources,
        session.events, int(session.is_cut), *told_columns(session, n),
    )  # fmt: skip


def _add_views(rows: list[object], row_id: int, session: Session, n: Numbers) -> None:
    """Add rows of table ``views``; ``at`` counts from the session's start."""
    start: int = session.start
    for index, view in enumerate(session.views):
        fields: tuple[Any, ...] = astuple(view)
        at, page, is_load, dwell, lcp, inp, cls, ttfb, fcp, title, _, _ = fields
        rows += (
            row_id, index, at - start, n[page], int(is_load), dwell,
            lcp, inp, cls, ttfb, fcp, n[title],
        )  # fmt: skip


def _add_actions(rows: list[object], row_id: int, session: Session, n: Numbers) -> None:
    for index, a in enumerate(session.actions):
        rows += (row_id, index, a.at - session.start, n[a.name], n[a.page])


def _add_errors(rows: list[object], row_id: int, session: Session, n: Numbers) -> None:
    for index, e in enumerate(session.error_list):
        rows += (
            row_id, index, e.at - session.start, n[e.type], n[e.message],
            n[e.fingerprint], n[e.page],
        )  # fmt: skip


def _add_users(rows: list[object], row_id: int, session: Session, n: Numbers) -> None:
    """Add rows of table ``users``: every user of the session but the last."""
    users = session.users
    if users:
        last, _ = identity(session.context)
        for user in users:
            if user != last:
                rows += (row_id, n[user])


INSERTS = {
    "sessions": (f"insert into sessions ({', '.join(SESSION)})", len(SESSION)),
    "journals": ("insert into journals", 2),
    "views": ("insert into views", 12),
    "actions": ("insert into actions", 5),
    "errors": ("insert into errors", 7),
    # texts that differ only in what ``strings.safe`` replaces are one
    "users": ("insert or ignore into users", 2),
    "attributes": ("insert or ignore into attributes", 3),
    "activity": ("insert into activity", 2),
    "traces": ("insert into traces", 9),
    "usage": ("insert into usage", 10),
    "tags": ("insert into tags", 4),
    "scores": ("insert into scores", 6),
    "aliases": ("insert or ignore into aliases", 3),
}  # table → statement, columns; in the order in which they are written
