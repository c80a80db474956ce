"""Note which past the indexer changed, for those who drew conclusions from it."""

import sqlite3
from collections.abc import Sequence

from app.model import Event, Session

_MINUTE = 60_000
_MAX_AGE = 7 * 86_400_000  # ms; what is older is for `skald rules backfill`


class Dirt:
    """The range of time in which a transaction adds events that come late for rules.

    Costs one statement when no rule was ever evaluated, otherwise a comparison an
    event and one more statement.
    """

    __slots__ = ("_covered", "_since", "_tenant", "_until")

    def __init__(self, db: sqlite3.Connection, tenant: str) -> None:
        found = db.execute(
            "select max(covered) from rule_groups where tenant = ?", (tenant,)
        ).fetchone()
        self._tenant = tenant
        self._covered: int = found[0] or 0
        self._since = self._until = 0

    def add(self, events: Sequence[Event], session: Session) -> None:
        """Note the *events* that are new to *session*, as it is with them.

        An event that is its session's first moves the session to another time: what
        was concluded about all of its time is in question.
        """
        if not self._covered:
            return
        skew = session.skew
        latest = self._covered - skew
        late = [
            event.at or event.received // 1000 - skew
            for event in events
            if event.at < latest
        ]
        if not late:
            return
        since, until = min(late) + skew, max(late) + skew
        if since <= session.start:
            until = max(until, session.end)
        self._since = min(self._since or since, since)
        self._until = max(self._until, min(until, self._covered))

    def write(self, db: sqlite3.Connection) -> None:
        """Keep the note, by the minute in which it begins: their number is bounded."""
        if not self._until:
            return
        since = max(self._since, self._covered - _MAX_AGE) // _MINUTE * _MINUTE
        db.execute(
            "insert into rule_dirt values (?, ?, ?, 1) on conflict (tenant, since)"
            " do update set until = max(until, excluded.until), seen = seen + 1",
            (self._tenant, since, max(since, self._until)),
        )
