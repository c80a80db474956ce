"""The table of the rollups; what changes a session marks its hour (see ``marks``).

A row of ``rollup_cells`` is one *part* of all cells of a dimension in a bucket of time:
one number of each cell, or a piece of their sets and histograms, in the order of the
cells. Level, dimension, part and bucket are one number, so that the same part of
consecutive buckets is a run of rows. A part that is zero throughout is not kept.
"""

from app.store.migrating import Database

HOUR, DAY = 3_600_000, 86_400_000  # ms
LEVELS = (HOUR, 6 * HOUR, DAY)  # by level; each is made of those of the level below

# their numbers are stored; each is a column of `sessions`, but for the last three
DIMENSIONS = (
    "",  # none: app and environment alone
    "version", "browser", "browser_version", "os", "device", "country", "language",
    "referrer", "entry", "exit", "page", "model",
    "source",  # no application either: sets and histograms are of all that it tells
)  # fmt: skip

KEYS = ("source", "app", "environment", "value")  # what a cell is of; 0 = not said

# sums over sessions: name → SQL; `{bounced}` is the definition of bounce
OF_SESSIONS = {
    "sessions": "1",
    **{
        name: f"s.{name}"
        for name in (
            "views", "actions", "errors", "log_errors", "failed_requests", "resources",
            "events",
        )
    },
    "duration": "s.end - s.start",
    "errored": "s.errors > 0",
    "bounced": "coalesce({bounced}, 0)",
    "bounceable": "({bounced}) is not null",
    "healthy_": "s.status = 0",
    "errored_": "s.status = 1",
    "crashed_": "s.status = 2",
    "abnormal_": "s.status = 3",
    "frustrated": "coalesce(s.frustrations > 0, 0)",
    **{
        name: f"coalesce(s.{name}, 0)"
        for name in (
            "frustrations", "crashes", "long_tasks", "traces", "observations",
            "generations", "warnings", "cost", "tokens_in", "tokens_out", "tokens",
            "trace_latency", "generation_time",
        )
    },
}  # fmt: skip
OF_VIEWS = ("dwell", "dwells")  # sums over views: dwell, and of how many it is known
OF_USAGE = (
    "model_calls", "model_cost", "model_tokens_in", "model_tokens_out", "model_tokens",
    "model_time",
)  # fmt: skip
SUMS = (*OF_SESSIONS, *OF_VIEWS, *OF_USAGE)

VITALS = ("lcp", "inp", "cls", "ttfb", "fcp")
OF_EACH_VIEW = (*VITALS, "dwell")  # numbers of which views have histograms

# what sets and histograms are kept of, and by which dimensions: the rest is scanned
_OF_VIEWS = ("source", "", "version", "browser", "device", "country", "page")
_OF_SESSIONS = ("source", "", "version", "browser", "os", "device", "country")
SETS: dict[str, tuple[str, ...]] = {
    "user": (*_OF_SESSIONS, "page"),
    "duration": (*_OF_SESSIONS, "entry"),
    **dict.fromkeys(OF_EACH_VIEW, _OF_VIEWS),
    "latency": ("source", "", "version"),  # of traces
    "activity": ("source", "", "version", "browser", "device", "country"),  # ``moves``
}

# their numbers are stored
PARTS = (
    *KEYS,
    *SUMS,
    *("user/lengths", "user/sets"),
    *(
        f"{name}/{piece}"
        for name in SETS
        if name != "user"
        for piece in ("lengths", "buckets", "counts")
    ),
)

_BUCKETS = 1 << 32  # hours since 1970 that a key has room for


def key_of(level: int, dimension: int, part: str, bucket: int) -> int:
    """Return the key of a row; *bucket* is when it begins, ms."""
    place = (level << 6 | dimension) << 8 | PARTS.index(part)
    return place * _BUCKETS + bucket // HOUR


def bucket_of_key(key: int) -> int:
    """Return when the bucket begins that a row is of, ms."""
    return key % _BUCKETS * HOUR


_TABLES = """
create table rollup_dirty (
  level integer not null,
  bucket integer not null,
  primary key (level, bucket)
) without rowid;
create table rollup_meta (
  bounce text not null
);
create table rollup_left_out (
  level integer not null,
  bucket integer not null,
  dimensions text not null,
  primary key (level, bucket)
) without rowid
"""

_CELLS = """
create table rollup_cells (
  key integer primary key,
  n integer not null,
  data blob not null
)
"""

_MARK = """
create trigger rollups_{event} after {event} on sessions begin
  insert or ignore into rollup_dirty values
    (0, {row}.start - {row}.start % 3600000), (1, {row}.start - {row}.start % 86400000);
end
"""


def create_rollups(db: Database) -> None:
    """Create what says which hours are not rolled up yet: all of them."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    for event, row in (("insert", "new"), ("delete", "old")):
        db.execute(_MARK.format(event=event, row=row))
    mark_all(db)


def pack_cells(db: Database) -> None:
    """Keep the cells of an hour side by side, and recompute those kept one by one."""
    for table in ("rollups", "rollup_sets"):
        db.execute(f"drop table if exists {table}")
    db.execute(_CELLS)
    db.execute("delete from rollup_left_out")
    mark_all(db)


def clear_cells(db: Database) -> None:
    """Recompute everything, as there is more to know of each hour."""
    db.execute("delete from rollup_cells")
    db.execute("delete from rollup_left_out")
    mark_all(db)


def mark_all(db: Database) -> None:
    """Mark every hour that has sessions."""
    db.execute(
        "insert or ignore into rollup_dirty"
        f" select distinct 0, start - start % {HOUR} from sessions"
    )
