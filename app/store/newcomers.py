"""Bound how many sessions begin in a minute: strangers can make up ids without end.

What is over the bound is left out and counted; sessions that are known go on. A minute
is one of receipt, so that reading quickly what is old is no flood; and its count is
kept with the sessions, so that a crash or a second reading changes nothing.
"""

import sqlite3
from collections.abc import Sequence

from app.model import Event

REASON = "too_many_sessions"
_MINUTE = 60_000_000  # µs
_KEPT = 2 * 24 * 60  # minutes whose counts are remembered


class Newcomers:
    """The new sessions of one source, within one transaction.

    Attributes:
        refused: events that were left out.
    """

    __slots__ = ("_begun", "_db", "_most", "_source", "refused")

    def __init__(self, db: sqlite3.Connection, source: int, most: int) -> None:
        self._db, self._source, self._most = db, source, most
        self._begun: dict[int, int] = {}  # minute → sessions
        self.refused = 0

    def admit(self, events: Sequence[Event]) -> bool:
        """Tell whether a session may begin with *events*; count it, or them."""
        first = events[0].received
        for event in events:
            received = event.received
            first = min(first, received)
        minute = first // _MINUTE
        begun = self._begun.get(minute)
        if begun is None:
            begun = self._held(minute)
        if begun >= self._most:
            self._begun[minute] = begun
            self.refused += len(events)
            return False
        self._begun[minute] = begun + 1
        return True

    def _held(self, minute: int) -> int:
        row = self._db.execute(
            "select sessions from newcomers where source = ? and minute = ?",
            (self._source, minute),
        ).fetchone()
        return int(row[0]) if row else 0

    def write(self) -> None:
        """Keep the counts; those of long ago are forgotten."""
        if not self._begun:
            return
        self._db.executemany(
            "insert or replace into newcomers values (?, ?, ?)",
            [(self._source, minute, count) for minute, count in self._begun.items()],
        )
        self._db.execute(
            "delete from newcomers where source = ? and minute <"
            " (select max(minute) from newcomers where source = ?) - ?",
            (self._source, self._source, _KEPT),
        )


TABLE = """
create table newcomers (
  source integer not null,
  minute integer not null,
  sessions integer not null,
  primary key (source, minute)
) without rowid
"""
