"""Turn a session into the rows that hold it."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b

from app.model import Context, Session
from app.store.told_rows import told_columns, told_strings
from app.store.told_tables import SESSION_COLUMNS

Numbers = Mapping[str, int]  # string → its number; "" has none
Row = tuple[object, ...]


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
    f"insert or replace into sessions ({', '.join(SESSION)})"
    f" values ({', '.join('?' * len(SESSION))})"
)


def identity(context: Context) -> tuple[str, str]:
    """Return what tells a user from others, and how the user is shown."""
    return (
        context.user_id or context.user_email or context.user_name or context.anonymous,
        context.user_email or context.user_name or context.user_id or context.anonymous,
    )


def strings_of(session: Session) -> Iterator[str]:
    """Yield every string that the rows of *session* refer to."""
    c = session.context
    yield from (
        c.app or session.key.app, c.environment, c.version, c.browser, c.browser_version, c.os,
        c.device, c.country, c.language, c.referrer, session.entry, session.exit,
        c.previous, *identity(c), *session.users,
    )  # fmt: skip
    for view in session.views:
        yield view.page
    for action in session.actions:
        yield action.name
        yield action.page
    for error in session.error_list:
        yield from (error.type, error.message, error.fingerprint, error.page)
    for pair in session.attributes:
        yield from pair
    yield from told_strings(session)


def session_row(
    row_id: int, hashed: int, source: int, session: Session, n: Numbers
) -> Row:
    """Return the row of table ``sessions``; its columns are ``SESSION``."""
    c, get = session.context, n.get
    user, user_name = identity(c)
    return (
        row_id, hashed, source, get(c.app or session.key.app), session.key.id,
        session.start, session.end, get(c.environment), get(c.version),
        get(c.browser), get(c.browser_version), get(c.os), get(c.device),
        get(c.country), get(c.language), get(c.referrer), get(session.entry),
        get(session.exit), get(user), get(user_name), get(c.previous),
        int(session.status), session.view_count, session.action_count, session.errors,
        session.log_errors, session.failed_requests, session.resources,
        session.events, int(session.is_cut), *told_columns(session, n),
    )  # fmt: skip


def view_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``views``; ``at`` counts from the session's start."""
    for index, v in enumerate(session.views):
        yield (
            row_id, index, v.at - session.start, n.get(v.page), int(v.is_load),
            v.dwell, v.lcp, v.inp, v.cls, v.ttfb, v.fcp, n.get(v.title),
        )  # fmt: skip


def action_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``actions``."""
    for index, a in enumerate(session.actions):
        yield row_id, index, a.at - session.start, n.get(a.name), n.get(a.page)


def error_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``errors``."""
    get = n.get
    for index, e in enumerate(session.error_list):
        yield (
            row_id, index, e.at - session.start, get(e.type), get(e.message),
            get(e.fingerprint), get(e.page),
        )  # fmt: skip


def user_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``users``: every user of the session but the last."""
    last, _ = identity(session.context)
    for user in session.users:
        if user != last:
            yield row_id, n[user]


def attribute_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``attributes``."""
    for name, value in session.attributes:
        if name and value:
            yield row_id, n[name], n[value]


def activity_rows(row_id: int, session: Session, _: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``activity``."""
    for minute in session.minutes:
        yield row_id, minute


CHILDREN: tuple[tuple[str, Callable[[int, Session, Numbers], Iterator[Row]]], ...] = (
    ("insert into views values (?,?,?,?,?,?,?,?,?,?,?,?)", view_rows),
    ("insert into actions values (?,?,?,?,?)", action_rows),
    ("insert into errors values (?,?,?,?,?,?,?)", error_rows),
    ("insert into users values (?,?)", user_rows),
    ("insert into attributes values (?,?,?)", attribute_rows),
    ("insert into activity values (?,?)", activity_rows),
)
