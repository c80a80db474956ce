"""Look after the index: transactions, progress, leases, jobs, retention."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Any

import orjson

from app.store.connect import BUSY_S, explained, open_for_writing
from app.store.marks import last_touch, mark
from app.store.schema import CHILDREN, REFERENCES
from app.store.strings import Strings
from app.store.tidying import Loose, find_loose, used_since
from app.store.write_ahead import WriteAhead
from app.store.writing_seam import JobStatus


class Upkeep:
    """The index in one SQLite file, opened for writing, but for what is in it."""

    def __init__(self, path: Path, tenant: str) -> None:
        self._path = path
        self._tenant = tenant
        self._db = open_for_writing(path)
        self._strings = Strings(self._db)
        self._sources: dict[str, int] = {}
        self._version = -1
        self._log = WriteAhead(self._db, path, BUSY_S)
        self._lock = RLock()  # one transaction at a time, whichever thread wants it

    def close(self) -> None:
        """Let go of the index."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of it or nothing; what was remembered of a failed try is forgotten."""
        with self._lock, explained(self._path):
            self._db.execute("begin immediate")
            try:
                self._forget_if_written_by_others()
                yield self._db
                self._db.execute("commit")
            except BaseException:
                self._strings.forget()
                self._sources.clear()
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
            self._log.bound()

    def _forget_if_written_by_others(self) -> None:
        version = self._db.execute("pragma data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._strings.forget()

    # -- sources -------------------------------------------------------------------

    def source(self, name: str) -> int:
        """Return the number of a source, which it gets when it has none."""
        number = self._sources.get(name)
        if number is None:
            row = (self._tenant, name)
            self._db.execute(
                "insert into sources (tenant, name) values (?, ?) on conflict do nothing",
                row,
            )
            number = self._db.execute(
                "select id from sources where tenant = ? and name = ?", row
            ).fetchone()[0]
            self._sources[name] = number
        return int(number)

    def cursor(self, source: str) -> int:
        """Return how far *source* has been read, ns; 0 = nothing."""
        return int(self._of_source(source, "cursor") or 0)

    def notes(self, source: str) -> dict[str, Any]:
        """Return what the source wanted to remember."""
        return dict(orjson.loads(self._of_source(source, "notes") or "{}"))

    def _of_source(self, source: str, column: str) -> Any:
        with self._lock, explained(self._path):
            row = self._db.execute(
                f"select {column} from sources where tenant = ? and name = ?",
                (self._tenant, source),
            ).fetchone()
        return row and row[0]

    def counts(self, source: str, since: int, until: int) -> dict[int, int]:
        """Return the entries held per second in ``(since, until]`` (epoch seconds)."""
        with self._lock, explained(self._path):
            found = self._db.execute(
                "select second, entries from seconds where second > ? and second <= ?"
                " and source = (select id from sources where tenant = ? and name = ?)",
                (since, until, self._tenant, source),
            )
            return dict(found.fetchall())

    # -- leases --------------------------------------------------------------------

    def acquire(self, name: str, owner: str, now: int, duration: int) -> bool:
        """Take or keep the lease *name* until ``now + duration``; False if it is taken."""
        with self.transaction() as db:
            changed = db.execute(
                "insert into leases values (:name, :owner, :until)"
                " on conflict (name) do update set owner = :owner, until = :until"
                " where owner = :owner or until <= :now",
                {"name": name, "owner": owner, "until": now + duration, "now": now},
            )
            return changed.rowcount > 0

    def release(self, name: str, owner: str) -> None:
        """Give the lease back."""
        with self.transaction() as db:
            db.execute("delete from leases where name = ? and owner = ?", (name, owner))

    # -- jobs ----------------------------------------------------------------------

    def record(self, job: JobStatus) -> None:
        """Add a run of a job: counts are added, the rest replaces what was held."""
        with self.transaction() as db:
            db.execute(
                "insert into jobs (name, runs, failures, missed, started, took_ms, error)"
                " values (:name, :runs, :failures, :missed, :started, :took_ms, :error)"
                " on conflict (name) do update set runs = runs + :runs,"
                " failures = failures + :failures, missed = missed + :missed,"
                " started = max(started, :started),"
                " took_ms = iif(:runs, :took_ms, took_ms),"
                " error = iif(:runs, :error, error)",
                asdict(job),
            )

    # -- retention -----------------------------------------------------------------

    def expire(self, before: int, limit: int = 500) -> int:
        """Delete sessions that ended before that, at most *limit*; return how many."""
        with self.transaction() as db:
            found = db.execute(
                f"select id from sessions where end < ? and {_OURS} limit ?",
                (before, self._tenant, limit),
            ).fetchall()
            self.forget(found)
        return len(found)

    def forget(self, found: Sequence[tuple[int]]) -> None:
        """Delete the sessions of those row ids, and all that is theirs."""
        db = self._db
        self.loosen(found)
        mark(db, (), [row_id for (row_id,) in found])
        db.executemany(
            "delete from strands where session ="
            " (select hash from sessions where id = ?) and data is null",
            found,
        )
        for table in (*CHILDREN, "threads", "journals"):
            db.executemany(f"delete from {table} where session = ?", found)
        db.executemany("delete from sessions where id = ?", found)

    def loosen(self, found: Sequence[tuple[int]]) -> None:
        """Note that the sessions of those row ids will not need their strings.

        Before the change is marked: what ``tidy`` saw before it says nothing of them.
        """
        change = last_touch(self._db) + 1
        for table, columns in REFERENCES.items():
            key = "id" if table == "sessions" else "session"
            for column in columns:
                self._db.executemany(
                    f"insert or replace into loose select {column}, {change}"
                    f" from {table} where {key} = ? and {column} is not null",
                    found,
                )

    def expire_strands(self, before: int, limit: int = 5_000) -> int:
        """Delete strands of no known session that were last seen before that (ms).

        Their events are counted as dropped, by the reason ``no_session``.

        Returns:
            How many were deleted, at most *limit*.
        """
        with self.transaction() as db:
            found = db.execute(
                "select hash, source, events from strands where session is null"
                f" and seen < ? and {_OURS} limit ?",
                (before, self._tenant, limit),
            ).fetchall()
            lost: dict[int, int] = {}
            for _, source, events in found:
                lost[source] = lost.get(source, 0) + events
            for source, events in lost.items():
                self.drop(source, {"no_session": events})
            db.executemany(
                "delete from strands where hash = ?", [(row[0],) for row in found]
            )
        return len(found)

    def drop(self, source: int, reasons: Mapping[str, int]) -> None:
        """Count what is dropped of a source, by reason."""
        row = self._db.execute("select dropped from sources where id = ?", (source,))
        dropped = orjson.loads(row.fetchone()[0])
        for reason, count in reasons.items():
            dropped[reason] = dropped.get(reason, 0) + count
        self._db.execute(
            "update sources set dropped = ? where id = ?",
            (orjson.dumps(dropped).decode(), source),
        )

    def tidy(self) -> bool:
        """Give space back, some at a time; return whether there is more to do.

        First strings that only deleted sessions referred to, then pages of the file.
        """
        with explained(self._path):
            loose = find_loose(self._path)
        strings = list(loose.strings)
        for at in range(0, len(strings), _AT_ONCE):
            self._let_go(set(strings[at : at + _AT_ONCE]), loose)
        if strings:
            return True
        with self._lock, explained(self._path):
            # as a script: `execute` would stop at the first page
            self._db.executescript(f"pragma incremental_vacuum({_PAGES})")
            self._log.bound()
            free = self._db.execute("pragma freelist_count").fetchone()[0]
        return bool(free)

    def _let_go(self, strings: set[int], loose: Loose) -> None:
        """Delete those strings that are not used, nor were since that was looked at."""
        with self.transaction() as db:
            used = loose.used | used_since(db, strings, loose.change)
            gone = [(each,) for each in strings - used]
            db.executemany("delete from strings where id = ?", gone)
            db.executemany(  # but for those that became loose since
                "delete from loose where string = ? and change <= ?",
                [(each, loose.change) for each in strings],
            )
            self._strings.forget()


_AT_ONCE = 5_000  # strings deleted in one transaction
_PAGES = 500  # of 4 kB, given back in one go
_OURS = "source in (select id from sources where tenant = ?)"
