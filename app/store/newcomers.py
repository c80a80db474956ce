"""Bound how many sessions begin in a minute: strangers can make up ids without end.

In an hour it is five times as many, since figures and columns of an hour are made at
once: that bounds memory and time.

What is over the bound is left out and counted; sessions that are known go on. A minute
is one of receipt, so that reading quickly what is old is no flood; and its count is
kept with the sessions, so that a crash or a second reading changes nothing.
"""

import sqlite3
from collections.abc import Sequence

from app.model import Event

REASON = "too_many_sessions"
_MINUTE = 60_000_000  # µs
_HOUR = 60  # minutes
MINUTES = 5  # of an hour in which as many may begin as are allowed
_KEPT = 2 * 24 * 60  # minutes whose counts are remembered


class Newcomers:
    """The new sessions of one source, within one transaction.

    Attributes:
        refused: events that were left out.
    """

    __slots__ = ("_begun", "_db", "_hours", "_most", "_source", "refused")

    def __init__(self, db: sqlite3.Connection, source: int, most: int) -> None:
        self._db, self._source, self._most = db, source, most
        self._begun: dict[int, int] = {}  # minute → sessions
        self._hours: dict[int, int] = {}  # hour → sessions
        self.refused = 0

    def admit(self, events: Sequence[Event]) -> bool:
        """Tell whether a session may begin with *events*; count it, or them."""
        first = events[0].received
        for event in events:
            received = event.received
            first = min(first, received)
        minute = first // _MINUTE
        hour = minute // _HOUR
        begun = self._begun.get(minute)
        if begun is None:
            begun = self._begun[minute] = self._held(minute, minute + 1)
        of_hour = self._hours.get(hour)
        if of_hour is None:
            of_hour = self._held(hour * _HOUR, (hour + 1) * _HOUR)
        if begun >= self._most or of_hour >= self._most * MINUTES:
            self._hours[hour] = of_hour
            self.refused += len(events)
            return False
        self._begun[minute], self._hours[hour] = begun + 1, of_hour + 1
        return True

    def _held(self, since: int, until: int) -> int:
        """Return how many began in those minutes, as of before the transaction."""
        (found,) = self._db.execute(
            "select coalesce(sum(sessions), 0) from newcomers"
            " where source = ? and minute >= ? and minute < ?",
            (self._source, since, until),
        ).fetchone()
        return int(found)

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
