"""The tables of the rollups; what changes a session marks its hour and its day."""

from sqlite_utils import Database

HOUR, DAY = 3_600_000, 86_400_000  # ms
LEVELS = {0: HOUR, 1: DAY}

# their numbers are stored; each is a column of `sessions`, but for the last
DIMENSIONS = (
    "",  # none: app and environment alone
    "version", "browser", "browser_version", "os", "device", "country", "language",
    "referrer", "entry", "exit", "page",
)  # fmt: skip

SUMS = (
    "sessions", "views", "actions", "errors", "log_errors", "failed_requests",
    "resources", "events", "duration", "errored", "bounced", "bounceable",
    "healthy_", "errored_", "crashed_", "abnormal_",
)  # fmt: skip

VITALS = ("lcp", "inp", "cls", "ttfb", "fcp")

# what sets and histograms are kept of, and by which dimensions: the rest is scanned
SETS: dict[str, tuple[str, ...]] = {
    "user": ("", "version", "browser", "os", "device", "country"),
    "duration": ("", "version", "browser", "os", "device", "country", "entry"),
    "vitals": ("", "version", "browser", "device", "country", "page"),
}
MEASURES = tuple(SETS)  # their numbers are stored

_TABLES = f"""
create table rollups (
  level integer not null,
  dimension integer not null,
  bucket integer not null,
  source integer not null,
  app integer not null,
  environment integer not null,
  value integer not null,
  {", ".join(f"{name} integer not null" for name in SUMS)},
  primary key (level, dimension, bucket, source, app, environment, value)
) without rowid;
create table rollup_sets (
  level integer not null,
  dimension integer not null,
  measure integer not null,
  bucket integer not null,
  source integer not null,
  app integer not null,
  environment integer not null,
  value integer not null,
  data blob not null,
  primary key
    (level, dimension, measure, bucket, source, app, environment, value)
) without rowid;
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

_MARK = """
create trigger rollups_{event} after {event} on sessions begin
  insert or ignore into rollup_dirty values
    (0, {row}.start - {row}.start % 3600000), (1, {row}.start - {row}.start % 86400000);
end
"""


def create_rollups(db: Database) -> None:
    """Create the tables, and mark all that is there as not rolled up yet."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    for event, row in (("insert", "new"), ("delete", "old")):
        db.execute(_MARK.format(event=event, row=row))
    for level, length in LEVELS.items():
        db.execute(
            "insert or ignore into rollup_dirty"
            f" select distinct {level}, start - start % {length} from sessions"
        )
