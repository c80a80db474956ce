"""Mark the hours and days that sessions changed, for what keeps figures of them.

A trigger marks when a session is deleted. One for each session that is written would
cost a third of writing it, so whoever inserts sessions marks them all at once.
"""

import sqlite3
from collections.abc import Iterable

_HOUR, _DAY = 3_600_000, 86_400_000  # ms


def mark(db: sqlite3.Connection, starts: Iterable[int]) -> None:
    """Mark what sessions that began then (UTC epoch ms) are part of.

    In the transaction that inserts them.
    """
    hours = {start - start % _HOUR for start in starts}
    rows = [(0, hour) for hour in hours]
    rows += [(1, day) for day in {hour - hour % _DAY for hour in hours}]
    db.executemany("insert or ignore into rollup_dirty values (?, ?)", rows)
    db.executemany(
        "insert or ignore into columns_dirty values (?)", [(hour,) for hour in hours]
    )
