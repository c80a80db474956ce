"""The tables of the row groups, and which columns of which tables they hold."""

from dataclasses import dataclass

from app.catalog.fields import FIELDS
from app.store import told_tables
from app.store.migrating import Database
from app.store.rollups.tables import VITALS
from app.store.told_tables import SESSION_COLUMNS, whole_of

HOUR, DAY = 3_600_000, 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Table:
    """What is held of one table.

    Attributes:
        columns: name → how it reads in SQL: of the session ``s``, or of a row ``e`` that
            is the session's.
        labels: the columns whose values repeat; the others are whole numbers.
        decimals: but for these.
        rows: the table of ``e`` and its order in the session; empty for the sessions
            themselves. Such a table also has a column ``row``: the place of its session
            in the row group. A row group in which it has no rows holds nothing of it.
    """

    columns: dict[str, str]
    labels: frozenset[str] = frozenset()
    decimals: frozenset[str] = frozenset()
    rows: tuple[str, str] | tuple[()] = ()


STRINGS = (
    "app", "environment", "version", "browser", "browser_version", "os", "device",
    "country", "language", "referrer", "entry", "exit", "user", "user_name", "previous",
    "city", "connection",
)  # fmt: skip
_COUNTS = (
    "views", "actions", "errors", "log_errors", "failed_requests", "resources", "events",
    *(name for name in SESSION_COLUMNS if name not in STRINGS),
)  # fmt: skip
_OF_ERRORS = ("type", "message", "fingerprint", "page")


def _told(kind: str) -> Table:
    """Return what is held of events of *kind*: each field, under its own name."""
    table, columns = told_tables.EVENTS[kind]
    types = {name: FIELDS[name].type for name in columns}
    return Table(
        {"at": "e.at", **{n: f"e.{whole_of(each)[0]}" for n, each in columns.items()}},
        labels=frozenset(name for name in columns if types[name] == "string"),
        decimals=frozenset({"score_value"} & columns.keys()),
        rows=(table, "n"),
    )


TABLES: dict[str, Table] = {
    "sessions": Table(
        {
            "id": "s.id",
            "start": "s.start",
            "duration": "s.end - s.start",
            "source": "s.source",
            "status": "s.status",
            **{name: f"s.{name}" for name in (*STRINGS, *_COUNTS)},
        },
        frozenset({"source", "status", *STRINGS}),
    ),
    "users": Table(
        {"user": "e.user"}, labels=frozenset({"user"}), rows=("users", "user")
    ),
    "activity": Table({"minute": "e.minute"}, rows=("activity", "minute")),
    "views": Table(
        {
            "at": "e.at",
            "page": "e.page",
            "dwell": "e.dwell",
            **{name: f"e.{name}" for name in VITALS},
        },
        labels=frozenset({"page"}),
        decimals=frozenset(VITALS),
        rows=("views", "n"),
    ),
    "actions": Table(
        {"at": "e.at", "name": "e.name", "page": "e.page"},
        labels=frozenset({"name", "page"}),
        rows=("actions", "n"),
    ),
    "errors": Table(
        {"at": "e.at", **{name: f"e.{name}" for name in _OF_ERRORS}},
        labels=frozenset(_OF_ERRORS),
        rows=("errors", "n"),
    ),
    **{told_tables.EVENTS[kind][0]: _told(kind) for kind in told_tables.EVENTS},
}

_TABLES = """
create table row_groups (
  id integer primary key,
  level integer not null,
  bucket integer not null,
  sessions integer not null,
  last integer not null,
  unique (level, bucket)
);
create table column_chunks (
  id integer primary key,
  row_group integer not null,
  name text not null,
  data blob not null,
  unique (row_group, name)
);
create table columns_dirty (hour integer primary key) without rowid
"""

_MARK = """
create trigger columns_{event} after {event} on sessions begin
  insert or ignore into columns_dirty values ({row}.start - {row}.start % 3600000);
end
"""


def columns_of(table: str) -> tuple[str, ...]:
    """Return the names of the columns that are held of a table."""
    known = TABLES[table]
    return (*(("row",) if known.rows else ()), *known.columns)


def create_columns(db: Database) -> None:
    """Create the tables, and mark all hours that are there as still to be read."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    for event, row in (("insert", "new"), ("delete", "old")):
        db.execute(_MARK.format(event=event, row=row))
    read_anew(db)


def read_anew(db: Database) -> None:
    """Mark all hours as still to be read, since there are columns that they lack."""
    db.execute(
        "insert or ignore into columns_dirty"
        f" select distinct start - start % {HOUR} from sessions"
    )


def read_told_anew(db: Database) -> None:
    """Mark the hours of sessions of which traces, models, tags or scores are told."""
    for table in told_tables.CHILDREN:
        db.execute(
            "insert or ignore into columns_dirty select distinct start - start % "
            f"{HOUR} from sessions where id in (select session from {table})"
        )
