"""The tables of the SQLite index, and how older ones become newer.

Strings are kept once, in ``strings``, and everything else refers to them by number;
NULL is "not said". ``sessions`` and the tables of what is in them are derived from
``journals`` (the events, compressed) and from nothing else.
"""

from app.store import marks, newcomers, privacy_tables, told_tables
from app.store.columns.tables import create_columns, read_anew, read_told_anew
from app.store.feed_tables import TABLES as _RECEIVERS
from app.store.migrating import Database, Migrations
from app.store.rollups.tables import (
    clear_cells,
    create_rollups,
    mark_all,
    pack_cells,
)
from app.store.rule_tables import TABLES as _RULES

migrations = Migrations("skald")


@migrations()
def create_index(db: Database) -> None:
    """Create everything."""
    for statement in _TABLES.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def create_rules(db: Database) -> None:
    """Create what rules need."""
    for statement in _RULES.split(";"):
        db.execute(statement)


_TABLES = """
create table strings (
  id integer primary key,
  value text not null unique
);
create table sources (
  id integer primary key,
  tenant text not null,
  name text not null,
  cursor integer not null default 0,
  notes text not null default '{}',
  entries integer not null default 0,
  bytes integer not null default 0,
  decoded integer not null default 0,
  dropped text not null default '{}',
  updated integer not null default 0,
  inactivity integer not null default 900000,
  unique (tenant, name)
);
create table seconds (
  source integer not null,
  second integer not null,
  entries integer not null,
  primary key (source, second)
) without rowid;
create table sessions (
  id integer primary key,
  hash integer not null unique,
  source integer not null,
  app integer,
  sid text not null,
  start integer not null,
  end integer not null,
  environment integer,
  version integer,
  browser integer,
  browser_version integer,
  os integer,
  device integer,
  country integer,
  language integer,
  referrer integer,
  entry integer,
  exit integer,
  user integer,
  user_name integer,
  previous integer,
  status integer not null,
  views integer not null,
  actions integer not null,
  errors integer not null,
  log_errors integer not null,
  failed_requests integer not null,
  resources integer not null,
  events integer not null,
  is_cut integer not null
);
create index sessions_start on sessions (start);
create index sessions_end on sessions (end);
create index sessions_user on sessions (user, start) where user is not null;
create table journals (
  session integer primary key,
  data blob not null
);
create table views (
  session integer not null,
  n integer not null,
  at integer not null,
  page integer,
  is_load integer not null,
  dwell integer,
  lcp real,
  inp real,
  cls real,
  ttfb real,
  fcp real,
  primary key (session, n)
) without rowid;
create index views_page on views (page);
create table actions (
  session integer not null,
  n integer not null,
  at integer not null,
  name integer,
  page integer,
  primary key (session, n)
) without rowid;
create index actions_name on actions (name);
create table errors (
  session integer not null,
  n integer not null,
  at integer not null,
  type integer,
  message integer,
  fingerprint integer,
  page integer,
  primary key (session, n)
) without rowid;
create index errors_fingerprint on errors (fingerprint);
create index errors_type on errors (type);
create index errors_message on errors (message);
create table activity (
  session integer not null,
  minute integer not null,
  primary key (session, minute)
) without rowid;
create table users (
  session integer not null,
  user integer not null,
  primary key (session, user)
) without rowid;
create index users_user on users (user);
create table attributes (
  session integer not null,
  name integer not null,
  value integer not null,
  primary key (session, name)
) without rowid;
create index attributes_value on attributes (value);
create table jobs (
  name text primary key,
  runs integer not null,
  failures integer not null,
  missed integer not null,
  started integer not null,
  took_ms integer not null,
  error text not null
) without rowid;
create table leases (
  name text primary key,
  owner text not null,
  until integer not null
) without rowid
"""


@migrations()
def remember_loose_strings(db: Database) -> None:
    """Remember which strings deleted sessions referred to; others may still."""
    db.execute("create table loose (string integer primary key) without rowid")


@migrations()
def remember_receivers(db: Database) -> None:
    """Create what remote write needs to go on where it stopped."""
    for statement in _RECEIVERS.split(";"):
        db.execute(statement)


@migrations()
def tell_of_other_sources(db: Database) -> None:
    """Add what sources other than Faro tell."""
    for statement in told_tables.STATEMENTS:
        db.execute(statement)


@migrations()
def keep_rollups(db: Database) -> None:
    """Create what keeps the figures of whole hours and days."""
    create_rollups(db)


@migrations()
def bound_active_sessions(db: Database) -> None:
    """Add how old a session may be that still counts as active."""
    db.execute(
        "alter table sources add column longest integer not null default 14400000"
    )


@migrations()
def keep_columns(db: Database) -> None:
    """Create what keeps sessions by column."""
    create_columns(db)


@migrations()
def keep_events_by_column(db: Database) -> None:
    """Keep views, actions and errors by column as well."""
    read_anew(db)


@migrations()
def pack_rollups(db: Database) -> None:
    """Keep the figures of an hour side by side."""
    pack_cells(db)


@migrations()
def roll_up_models(db: Database) -> None:
    """Keep figures of models and traces, and of users by page."""
    clear_cells(db)


@migrations()
def mark_in_batches(db: Database) -> None:
    """Mark the hours that a batch changes at once, and not session by session."""
    for table in ("rollups", "columns"):  # see ``marks``
        db.execute(f"drop trigger {table}_insert")


@migrations()
def keep_vitals_by_column(db: Database) -> None:
    """Keep web vitals by column as well."""
    read_anew(db)


@migrations()
def bound_new_sessions(db: Database) -> None:
    """Remember how many sessions began in which minute."""
    db.execute(newcomers.TABLE)


@migrations()
def keep_requests(db: Database) -> None:
    """Create what requests for export and erasure need, and marks of the erased."""
    for statement in privacy_tables.TABLES.split(";"):
        db.execute(statement)
    db.execute(
        "insert into privacy_unscrubbed select 1 where exists (select 1 from sessions)"
    )


@migrations()
def find_users_as_shown(db: Database) -> None:
    """Find sessions by how their user is shown, where that is not the id."""
    db.execute(
        "create index sessions_user_name on sessions (user_name, start)"
        " where user_name is not user"
    )


@migrations()
def keep_traces_by_column(db: Database) -> None:
    """Keep traces, use of models, tags and scores by column as well."""
    read_told_anew(db)


@migrations()
def roll_up_by_levels(db: Database) -> None:
    """Keep figures of six hours, too; and which hours changed when, for answers."""
    for table in ("rollups", "columns"):  # see ``marks``
        db.execute(f"drop trigger {table}_delete")
    db.execute("delete from rollup_dirty")
    clear_cells(db)
    for statement in marks.TABLES.split(";"):
        db.execute(statement)


@migrations()
def date_loose_strings(db: Database) -> None:
    """Remember of loose strings since which change to sessions they are loose."""
    db.execute("alter table loose add column change integer not null default 0")


@migrations()
def roll_up_activity(db: Database) -> None:
    """Keep in which hours sessions were active, and sets of all applications together."""
    mark_all(db)  # what is held is replaced hour by hour: its parts kept their numbers


CHILDREN = (
    "views", "actions", "errors", "activity", "users", "attributes",
    *told_tables.CHILDREN,
)  # fmt: skip


# columns that hold numbers of strings; a string that none of them holds is not needed
REFERENCES = {
    "sessions": (
        "app", "environment", "version", "browser", "browser_version", "os", "device",
        "country", "language", "referrer", "entry", "exit", "user", "user_name",
        "previous", "city", "connection",
    ),
    "views": ("page", "title"),
    "actions": ("name", "page"),
    "errors": ("type", "message", "fingerprint", "page"),
    "users": ("user",),
    "attributes": ("name", "value"),
    **told_tables.REFERENCES,
}  # fmt: skip
