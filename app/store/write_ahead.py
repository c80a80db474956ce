"""Bound the log of writes (``-wal``), which SQLite starts anew only between readers.

A log is started anew when all of it is in the file and nobody reads from it. Of readers
that overlap there is always one, however short each of them is, and the log grows for as
long as there are some.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

MOST = 64 << 20  # bytes that a log may have before it is emptied, and is kept at
_PATIENCE_S = 5.0  # half of what others wait for us


class WriteAhead:
    """The log beside an index, for one connection that writes.

    Args:
        db: open for writing, for good.
        path: of the index.
        busy_s: how long the connection waits for others at other times.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, busy_s: float) -> None:
        self._db = db
        self._log = path.with_name(f"{path.name}-wal")
        self._busy_s = busy_s
        self._most = MOST

    def bound(self) -> None:
        """Empty the log when it is too long; not within a transaction.

        Waits for those who read at the moment, some seconds at most, and keeps others
        who write waiting; who begins to read meanwhile does not matter. Of somebody who
        reads for longer, it is tried again when the log has grown by as much again.
        """
        try:
            size = self._log.stat().st_size
        except OSError:  # there is none yet
            return
        if size <= MOST:
            self._most = MOST
        if size <= self._most:
            return
        is_busy = True
        # what was committed is: a disk that is full now is said at the next write
        with suppress(sqlite3.Error):
            self._wait(_PATIENCE_S)
            try:
                found = self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
                is_busy = bool(found[0])
            finally:
                self._wait(self._busy_s)
        self._most = size + MOST if is_busy else MOST

    def _wait(self, seconds: float) -> None:
        self._db.execute(f"pragma busy_timeout = {round(seconds * 1_000)}")
