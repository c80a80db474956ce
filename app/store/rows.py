"""Turn a session into the rows that hold it."""

from hashlib import blake2b
from typing import Any

from msgspec.structs import astuple

from app.model import Context, Session
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
INSERT_SESSION = (
    f"insert into sessions ({', '.join(SESSION)})"
    f" values ({', '.join('?' * len(SESSION))})"
)


def identity(context: Context) -> tuple[str, str]:
    """Return what tells a user from others, and how the user is shown."""
    return (
        context.user_id or context.user_email or context.user_name or context.anonymous,
        context.user_email or context.user_name or context.user_id or context.anonymous,
    )


class Rows:
    """Rows of sessions that wait to be written, by table.

    Args:
        source: number of the source of all of them.
        numbers: of strings.
    """

    __slots__ = ("_numbers", "_source", "starts", "tables")

    def __init__(self, source: int, numbers: Numbers) -> None:
        self._source = source
        self._numbers = numbers
        self.tables: dict[str, list[Row]] = {table: [] for table in INSERTS}
        self.starts: set[int] = set()  # of the sessions

    def add(self, row_id: int, hashed: int, session: Session, journal: bytes) -> None:
        """Add the rows of *session*, and its packed *journal*."""
        tables, n, start = self.tables, self._numbers, session.start
        self.starts.add(start)
        tables["sessions"].append(session_row(row_id, hashed, self._source, session, n))
        tables["journals"].append((row_id, journal))
        _add_views(tables["views"], row_id, session, n)
        if session.actions:
            _add_actions(tables["actions"], row_id, session, n)
        if session.error_list:
            _add_errors(tables["errors"], row_id, session, n)
        _add_users(tables["users"], row_id, session, n)
        attributes = tables["attributes"]
        for name, value in session.attributes:
            if name and value:
                attributes.append((row_id, n[name], n[value]))
        activity = tables["activity"]
        for minute in session.minutes:
            activity.append((row_id, minute))

    def add_told(self, row_id: int, session: Session) -> None:
        """Add the rows that only sources beside Faro have."""
        for table, found in told_rows(row_id, session, self._numbers):
            self.tables[table].extend(found)
        key, shown = session.key, session.context.app
        if shown and shown != key.app:  # under this name it is asked for as well
            self.tables["aliases"].append((self._source, shown, key.app))


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


def _add_views(rows: list[Row], row_id: int, session: Session, n: Numbers) -> None:
    """Add rows of table ``views``; ``at`` counts from the session's start."""
    start: int = session.start
    for index, view in enumerate(session.views):
        fields: tuple[Any, ...] = astuple(view)
        at, page, is_load, dwell, lcp, inp, cls, ttfb, fcp, title, _, _ = fields
        rows.append(
            (
                row_id, index, at - start, n[page], int(is_load), dwell,
                lcp, inp, cls, ttfb, fcp, n[title],
            )
        )  # fmt: skip


def _add_actions(rows: list[Row], row_id: int, session: Session, n: Numbers) -> None:
    for index, a in enumerate(session.actions):
        rows.append((row_id, index, a.at - session.start, n[a.name], n[a.page]))


def _add_errors(rows: list[Row], row_id: int, session: Session, n: Numbers) -> None:
    for index, e in enumerate(session.error_list):
        rows.append(
            (
                row_id, index, e.at - session.start, n[e.type], n[e.message],
                n[e.fingerprint], n[e.page],
            )
        )  # fmt: skip


def _add_users(rows: list[Row], row_id: int, session: Session, n: Numbers) -> None:
    """Add rows of table ``users``: every user of the session but the last."""
    users = session.users
    if users:
        last, _ = identity(session.context)
        rows += [(row_id, n[user]) for user in users if user != last]


def _insert(table: str, columns: int) -> str:
    return f"insert into {table} values ({', '.join('?' * columns)})"


INSERTS = {
    "sessions": INSERT_SESSION,
    "journals": _insert("journals", 2),
    "views": _insert("views", 12),
    "actions": _insert("actions", 5),
    "errors": _insert("errors", 7),
    "users": _insert("users", 2),
    "attributes": _insert("attributes", 3),
    "activity": _insert("activity", 2),
    "traces": _insert("traces", 9),
    "usage": _insert("usage", 10),
    "tags": _insert("tags", 4),
    "scores": _insert("scores", 6),
    "aliases": "insert or ignore into aliases values (?, ?, ?)",
}  # table → statement, in the order in which they are written
