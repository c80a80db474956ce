"""Mark the hours that sessions changed, for what keeps figures of them.

Whoever inserts or deletes sessions marks them all at once: a trigger for each of them
would cost a third of writing it.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import orjson

_HOUR = 3_600_000  # ms

# when the sessions of an hour changed last, or what is kept of them: a number that is
# higher than any before. A row an hour, so that it stays small
TABLES = """
create table touched (
  hour integer primary key,
  number integer not null
);
create index touched_number on touched (number)
"""


def mark(
    db: sqlite3.Connection, starts: Iterable[int], gone: Sequence[int] = ()
) -> None:
    """Mark the hours of sessions; in the transaction that changes them.

    Args:
        db: in that transaction.
        starts: when sessions begin that are inserted, UTC epoch ms.
        gone: row ids of sessions that are deleted, or replaced; they are still there.
    """
    hours = {start - start % _HOUR for start in starts}
    if gone:
        found = db.execute(
            "select s.start from json_each(?) as w join sessions as s on s.id = w.value",
            (orjson.dumps(gone).decode(),),
        )
        hours.update(start - start % _HOUR for (start,) in found)
    rows = [(hour,) for hour in hours]
    db.executemany("insert or ignore into rollup_dirty values (0, ?)", rows)
    db.executemany("insert or ignore into columns_dirty values (?)", rows)
    touch(db, hours)


def touch(db: sqlite3.Connection, hours: Iterable[int]) -> None:
    """Say that answers about *hours* may be others from now on; in a transaction."""
    number = last_touch(db) + 1
    db.executemany(
        "insert or replace into touched values (?, ?)",
        [(hour, number) for hour in hours],
    )


def last_touch(db: sqlite3.Connection) -> int:
    """Return the number of the last change."""
    found = db.execute("select coalesce(max(number), 0) from touched").fetchone()
    return int(found[0])


def is_touched(db: sqlite3.Connection, since: int, start: int | None, end: int) -> bool:
    """Tell whether sessions changed since.

    Args:
        db: the index.
        since: the number of a change.
        start: of the time in which they began, ms; None = any.
        end: excluded.
    """
    first = -(1 << 63) if start is None else start - _HOUR + 1
    found = db.execute(
        "select 1 from touched where hour >= ? and hour < ? and number > ? limit 1",
        (first, end, since),
    )
    return found.fetchone() is not None
