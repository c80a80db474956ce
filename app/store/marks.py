"""Mark the hours that sessions changed, for what keeps figures of them.

A trigger marks when a session is deleted. One for each session that is written would
cost a third of writing it, so whoever inserts sessions marks them all at once.
"""

import sqlite3
from collections.abc import Iterable

_HOUR = 3_600_000  # ms


def mark(db: sqlite3.Connection, starts: Iterable[int]) -> None:
    """Mark the hours of sessions that began then (UTC epoch ms).

    In the transaction that inserts them.
    """
    hours = {start - start % _HOUR for start in starts}
    rows = [(hour,) for hour in hours]
    db.executemany("insert or ignore into rollup_dirty values (0, ?)", rows)
    db.executemany("insert or ignore into columns_dirty values (?)", rows)
