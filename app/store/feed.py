"""Hand recorded samples on, from SQLite: what is next for whom, and how far each is."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from pathlib import Path
from threading import RLock
from typing import Any

import orjson

from app.store.connect import explained, open_for_writing
from app.store.feed_seam import (
    Change,
    Portion,
    Position,
    ReceiverStatus,
    Standing,
    Tally,
    Told,
)

LOOKBACK = 300_000  # ms that a value holds at least, as in Prometheus
MAX_PENDING = 100_000  # counted of what waits
_STEPS = 2  # of its own that a value holds
_END = 1 << 62  # no series has such a number
_TALLY = tuple(each.name for each in fields(Tally))
_COLUMNS = "c.series, s.name, s.labels, c.at, c.value"

_STANDING = """
select s.name, s.labels, c.value, c.at, s.rule
from recorded_series as s join recorded_samples as c
  on c.series = s.id
  and c.at = (select max(at) from recorded_samples where series = s.id)
where s.tenant = :tenant
  and c.value is not null
  and c.at > :now - max(:lookback, :steps * s.step)
order by s.name, s.labels
limit :limit
"""
_AFTER = """
from recorded_samples as c cross join recorded_series as s on s.id = c.series
where (c.changed, c.series, c.at) > (:changed, :series, :at)
  and s.tenant = :tenant
  and (c.at >= :since or c.changed > :known)
order by c.changed, c.series, c.at
limit :limit
"""
_EARLY = f"""
select {_COLUMNS}
from json_each(:ranges) as r
  cross join recorded_samples as c
    on c.series = r.value ->> 0 and c.at > r.value ->> 1 and c.at < r.value ->> 2
  cross join recorded_series as s on s.id = c.series
where (c.changed, c.series, c.at) > (:changed, :series, :at)
"""
_OWED = f"""
select {_COLUMNS}
from receiver_owed as o
  cross join receiver_series as r on r.receiver = o.receiver and r.series = o.series
  cross join recorded_samples as c on c.series = o.series and c.at = o.at
  cross join recorded_series as s on s.id = o.series
where o.receiver = :id and o.at < r.reached
limit :limit
"""
_JOIN = """
insert into receivers (tenant, name, since, known, changed, series, at)
values (:tenant, :name, :since, :known, :changed, :series, 0)
on conflict (tenant, name) do nothing
"""
_REACHED = """
insert into receiver_series values (?, ?, ?)
on conflict (receiver, series) do update set reached = max(reached, excluded.reached)
"""


class FeedRows:
    """Reads what there is to hand on; ``_bounded`` gives the connection to read with."""

    _tenant: str

    def _bounded(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def standing(self, now: int, limit: int) -> list[Standing]:
        """Return the newest value of each series that has not ended; by name, labels."""
        asked = {"tenant": self._tenant, "now": now, "limit": limit}
        asked |= {"lookback": LOOKBACK, "steps": _STEPS}
        with self._bounded() as db:
            return [
                Standing(name, orjson.loads(labels), *rest)
                for name, labels, *rest in db.execute(_STANDING, asked)
            ]

    def receivers(self) -> list[ReceiverStatus]:
        """Return how each receiver fares."""
        counts = ", ".join(_TALLY)
        with self._bounded() as db:
            rows = db.execute(
                "select since, known, changed, series, at, name, newest, error,"
                f" {counts} from receivers where tenant = ? order by name",
                (self._tenant,),
            ).fetchall()
            return [self._status(db, row) for row in rows]

    def _status(self, db: sqlite3.Connection, row: Sequence[Any]) -> ReceiverStatus:
        asked = dict(
            zip(("since", "known", "changed", "series", "at"), row, strict=False)
        )
        asked |= {"tenant": self._tenant, "limit": MAX_PENDING}
        pending = db.execute(
            f"select count(*) from (select 1 {_AFTER})", asked
        ).fetchone()[0]
        first = db.execute(f"select c.at {_AFTER}", asked | {"limit": 1}).fetchone()
        name, newest, error, *tally = row[5:]
        oldest = first[0] if first else 0
        return ReceiverStatus(name, Tally(*tally), pending, oldest, newest, error)


class SqliteFeed(FeedRows):
    """The feed in one SQLite file, opened for who writes to receivers."""

    def __init__(self, path: Path, tenant: str) -> None:
        self._path = path
        self._tenant = tenant
        self._db = open_for_writing(path)
        self._lock = RLock()

    def close(self) -> None:
        """Let go of the index."""
        self._db.close()

    @contextmanager
    def _bounded(self) -> Iterator[sqlite3.Connection]:
        with self._transaction("deferred") as db:
            yield db

    @contextmanager
    def _transaction(self, kind: str = "immediate") -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            self._db.execute(f"begin {kind}")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    # -- who ----------------------------------------------------------------------

    def join(self, receiver: str, since: int) -> None:
        """Let a receiver begin with samples of *since* (ms); one that is known goes on."""
        if self._is_known(receiver):
            return
        with self._transaction() as db:
            known, first = (
                db.execute(statement, values).fetchone()[0]
                for statement, values in (
                    ("select coalesce(max(changed), 0) from recorded_samples", ()),
                    (
                        "select min(changed) from recorded_samples where at >= ?",
                        (since,),
                    ),
                )
            )
            begin = {"changed": known if first is None else first - 1, "series": _END}
            more = {"tenant": self._tenant, "name": receiver, "since": since}
            db.execute(_JOIN, {"known": known, **begin, **more})

    def _is_known(self, receiver: str) -> bool:
        with self._bounded() as db:
            found = db.execute(
                "select 1 from receivers where tenant = ? and name = ?",
                (self._tenant, receiver),
            )
            return found.fetchone() is not None

    def keep_only(self, receivers: Sequence[str]) -> None:
        """Forget all other receivers, and what is gone of those that stay."""
        kept = orjson.dumps(list(receivers)).decode()
        with self._transaction() as db:
            db.execute(
                "delete from receivers where tenant = ?"
                " and name not in (select value from json_each(?))",
                (self._tenant, kept),
            )
            for table in ("receiver_series", "receiver_owed"):
                db.execute(
                    f"delete from {table} where receiver not in"
                    " (select id from receivers)"
                    " or series not in (select id from recorded_series)"
                )

    # -- what is next --------------------------------------------------------------

    def portion(self, receiver: str, limit: int, horizon: int) -> Portion | None:
        """Return what *receiver* is to be told of next; None when there is nothing."""
        with self._bounded() as db:
            asked = self._place(db, receiver) | {"limit": limit}
            rows = db.execute(
                f"select c.changed, {_COLUMNS} {_AFTER}", asked
            ).fetchall()
            owed = [_change(row) for row in db.execute(_OWED, asked)]
            if not rows and not owed:
                return None
            changes = [_change(row[1:]) for row in rows]
            end = Position(asked["changed"], asked["series"], asked["at"])
            if rows:
                end = Position(rows[-1][0], *changes[-1].key)
            reached = _reached(db, asked["id"], {each.series for each in changes})
            early = _early(db, changes, reached, end, horizon)
        return Portion(changes, early, owed, reached, end)

    def _place(self, db: sqlite3.Connection, receiver: str) -> dict[str, Any]:
        names = ("id", "since", "known", "changed", "series", "at")
        row = db.execute(
            f"select {', '.join(names)} from receivers where tenant = ? and name = ?",
            (self._tenant, receiver),
        ).fetchone()
        return {"tenant": self._tenant, **dict(zip(names, row, strict=True))}

    # -- what came of it -----------------------------------------------------------

    def commit(self, receiver: str, told: Told) -> None:
        """Move the position on, all of it or nothing."""
        counts = ", ".join(f"{name} = {name} + :{name}" for name in _TALLY)
        with self._transaction() as db:
            number = self._place(db, receiver)["id"]
            db.execute(
                "update receivers set changed = :changed, series = :series, at = :at,"
                f" newest = max(newest, :newest), error = '', {counts} where id = :id",
                {
                    "id": number,
                    "changed": told.end.changed,
                    "series": told.end.series,
                    "at": told.end.at,
                    "newest": told.newest,
                    **{name: getattr(told.tally, name) for name in _TALLY},
                },
            )
            db.executemany(_REACHED, [(number, *each) for each in told.reached.items()])
            db.executemany(
                "delete from receiver_owed where receiver = ? and series = ? and at = ?",
                [(number, *each) for each in told.settled],
            )
            db.executemany(
                "insert or ignore into receiver_owed values (?, ?, ?)",
                [(number, *each) for each in told.owed],
            )

    def note(self, receiver: str, error: str) -> None:
        """Count a failed attempt."""
        with self._transaction() as db:
            db.execute(
                "update receivers set failures = failures + 1, error = ?"
                " where tenant = ? and name = ?",
                (error, self._tenant, receiver),
            )


def _change(row: Sequence[Any]) -> Change:
    series, name, labels, at, value = row
    return Change(series, name, orjson.loads(labels), at, value)


def _reached(db: sqlite3.Connection, receiver: int, series: set[int]) -> dict[int, int]:
    found = db.execute(
        "select r.series, r.reached from json_each(?) as w"
        " cross join receiver_series as r on r.receiver = ? and r.series = w.value",
        (orjson.dumps(list(series)).decode(), receiver),
    )
    return dict(found.fetchall())


def _early(
    db: sqlite3.Connection,
    changes: Sequence[Change],
    reached: Mapping[int, int],
    end: Position,
    horizon: int,
) -> list[Change]:
    """Find what would be out of order after *changes* and is not before them."""
    spans: dict[int, tuple[int, int]] = {}
    for each in changes:
        low, high = spans.get(each.series, (each.at, each.at))
        spans[each.series] = (min(low, each.at), max(high, each.at))
    ranges = [
        (series, max(reached.get(series, 0), low - horizon), high)
        for series, (low, high) in spans.items()
    ]
    asked = {
        "ranges": orjson.dumps(ranges).decode(),
        "changed": end.changed,
        "series": end.series,
        "at": end.at,
    }
    return [_change(row) for row in db.execute(_EARLY, asked)]
