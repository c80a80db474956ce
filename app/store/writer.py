"""Write the index: derive the touched sessions anew, and commit with the cursor."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

import orjson

from app import clock
from app.errors import LeaseLost
from app.events.decoder import Address, Batch
from app.model import Event, Session, SessionKey
from app.sessions.fold import cut, fold, merge
from app.store import rows
from app.store.connect import explained, open_for_writing
from app.store.journal import Codec, Journal, used
from app.store.schema import CHILDREN
from app.store.seam import Ingested, JobStatus, Progress
from app.store.strings import Strings

_CHUNK = 2_000  # sessions derived at a time; bounds memory


class SqliteWriter:
    """The index in one SQLite file, opened for writing."""

    def __init__(self, path: Path, tenant: str, max_events: int = 10_000) -> None:
        self._path = path
        self._tenant = tenant
        self._max_events = max_events
        self._db = open_for_writing(path)
        self._strings = Strings(self._db)
        self._codec = Codec()
        self._sources: dict[str, int] = {}
        self._version = -1
        self._lock = RLock()  # one transaction at a time, whichever thread wants it

    def close(self) -> None:
        """Let go of the index."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
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

    def _forget_if_written_by_others(self) -> None:
        version = self._db.execute("pragma data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._strings.forget()

    # -- what a batch means --------------------------------------------------------

    def ingest(
        self,
        source: str,
        batch: Batch,
        progress: Progress,
        lease: tuple[str, str] | None = None,
    ) -> Ingested:
        """Add *batch* and *progress* in one transaction; twice is once.

        Args:
            source: its name in the configuration.
            batch: decoded pages.
            progress: how far they reach.
            lease: (name, owner) that must still hold, or nothing is written.

        Raises:
            LeaseLost: somebody else has taken over.
            StoreFull, StoreBusy, StoreError: nothing was written; try again.
        """
        with self._transaction() as db:
            if lease:
                _check_lease(db, lease)
            number = self._source(source)
            done = [0, 0, 0, 0, 0]
            addresses = iter(batch.events)
            while chunk := list(islice(addresses, _CHUNK)):
                self._ingest_chunk(source, number, chunk, batch, done)
            self._advance(number, batch, progress)
        return Ingested(*done)

    def _ingest_chunk(
        self,
        source: str,
        number: int,
        chunk: list[Address],
        batch: Batch,
        done: list[int],
    ) -> None:
        """Derive the sessions of *chunk* from what is held and what is new."""
        hashes = {rows.hash_of(source, *address): address for address in chunk}
        held = self._held(hashes)
        next_id = self._next_id()
        derived: list[tuple[int, int, Session, Journal]] = []
        replaced: list[int] = []
        for hashed, address in hashes.items():
            new = batch.events[address]
            row_id, known = held.get(hashed, (0, None))
            journal, added, lost = self._unite(known, new, batch)
            done[0] += added
            done[1] += len(new) - added - lost
            done[4] += lost
            if journal is None:
                continue
            if row_id:
                replaced.append(row_id)
            else:
                row_id, next_id = next_id, next_id + 1
                done[3] += 1
            key = SessionKey(source, *address)
            session = fold(key, journal.events, journal.contexts, is_cut=journal.is_cut)
            derived.append((row_id, hashed, session, journal))
        done[2] += len(derived)
        self._write(number, derived, replaced)

    def _held(self, hashes: Iterable[int]) -> dict[int, tuple[int, Journal]]:
        found = self._db.execute(
            "select s.hash, s.id, j.data from json_each(?) as h"
            " join sessions as s on s.hash = h.value"
            " join journals as j on j.session = s.id",
            (orjson.dumps(list(hashes)).decode(),),
        )
        unpack = self._codec.unpack
        return {hashed: (row_id, unpack(data)) for hashed, row_id, data in found}

    def _next_id(self) -> int:
        highest = self._db.execute("select max(id) from sessions").fetchone()[0]
        return (highest or 0) + 1

    def _unite(
        self, known: Journal | None, new: list[Event], batch: Batch
    ) -> tuple[Journal | None, int, int]:
        """Return the journal with *new* in it, or None when nothing changes.

        Returns:
            journal, number of events added, number of events over the bound.
        """
        before = known.events if known else []
        events = merge(before, new)
        added = len(events) - len(before)
        if known and not added and _same_receipts(before, events):
            return None, 0, 0
        events, is_cut = cut(events, self._max_events)
        lost = max(0, len(before) + added - len(events))
        contexts = batch.contexts if not known else {**batch.contexts, **known.contexts}
        journal = Journal(
            events, used(events, contexts), is_cut or bool(known and known.is_cut)
        )
        return journal, added - lost, lost

    # -- rows ----------------------------------------------------------------------

    def _write(
        self,
        source: int,
        derived: list[tuple[int, int, Session, Journal]],
        replaced: list[int],
    ) -> None:
        db, pack = self._db, self._codec.pack
        numbers = self._strings.number(
            string
            for _, _, session, _ in derived
            for string in rows.strings_of(session)
        )
        for table in CHILDREN:
            db.executemany(
                f"delete from {table} where session = ?",
                [(row_id,) for row_id in replaced],
            )
        db.executemany(
            rows.INSERT_SESSION,
            [
                rows.session_row(row_id, hashed, source, session, numbers)
                for row_id, hashed, session, _ in derived
            ],
        )
        db.executemany(
            "insert or replace into journals values (?, ?)",
            [(row_id, pack(journal)) for row_id, _, _, journal in derived],
        )
        for statement, rows_of in (
            (rows.INSERT_VIEW, rows.view_rows),
            (rows.INSERT_ACTION, rows.action_rows),
            (rows.INSERT_ERROR, rows.error_rows),
            (rows.INSERT_USER, rows.user_rows),
            (rows.INSERT_ATTRIBUTE, rows.attribute_rows),
        ):
            db.executemany(
                statement,
                [
                    row
                    for row_id, _, session, _ in derived
                    for row in rows_of(row_id, session, numbers)
                ],
            )
        db.executemany(
            rows.INSERT_ACTIVITY,
            [
                (row_id, minute)
                for row_id, _, session, _ in derived
                for minute in session.minutes
            ],
        )

    # -- progress ------------------------------------------------------------------

    def _source(self, name: str) -> int:
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

    def _advance(self, source: int, batch: Batch, progress: Progress) -> None:
        db = self._db
        held, cursor = db.execute(
            "select dropped, cursor from sources where id = ?", (source,)
        ).fetchone()
        dropped = orjson.loads(held)
        for reason, lines in batch.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + lines
        db.execute(
            "update sources set cursor = max(cursor, ?), entries = entries + ?,"
            " bytes = bytes + ?, decoded = decoded + ?, dropped = ?, updated = ?"
            " where id = ?",
            (
                progress.cursor, batch.entries, batch.bytes, batch.decoded,
                orjson.dumps(dropped).decode(), clock.now(), source,
            ),
        )  # fmt: skip
        if progress.notes is not None:
            notes = orjson.dumps(progress.notes).decode()
            db.execute("update sources set notes = ? where id = ?", (notes, source))
        if progress.counts:
            verb = "replace" if progress.since in {None, cursor} else "ignore"
            db.executemany(
                f"insert or {verb} into seconds values (?, ?, ?)",
                [
                    (source, second, entries)
                    for second, entries in progress.counts.items()
                ],
            )
        if progress.settled:
            db.execute(
                "delete from seconds where source = ? and second <= ?",
                (source, progress.settled),
            )

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
        with self._transaction() as db:
            changed = db.execute(
                "insert into leases values (:name, :owner, :until)"
                " on conflict (name) do update set owner = :owner, until = :until"
                " where owner = :owner or until <= :now",
                {"name": name, "owner": owner, "until": now + duration, "now": now},
            )
            return changed.rowcount > 0

    def release(self, name: str, owner: str) -> None:
        """Give the lease back."""
        with self._transaction() as db:
            db.execute("delete from leases where name = ? and owner = ?", (name, owner))

    # -- jobs ----------------------------------------------------------------------

    def record(self, job: JobStatus) -> None:
        """Add a run of a job: counts are added, the rest replaces what was held."""
        with self._transaction() as db:
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

    def expire(self, before: int, limit: int = 5_000) -> int:
        """Delete sessions that ended before that, at most *limit*; return how many."""
        with self._transaction() as db:
            found = db.execute(
                "select id from sessions where end < ? limit ?", (before, limit)
            ).fetchall()
            for table in (*CHILDREN, "journals"):
                db.executemany(f"delete from {table} where session = ?", found)
            db.executemany("delete from sessions where id = ?", found)
        return len(found)


def _same_receipts(before: list[Event], after: list[Event]) -> bool:
    return all(old is new for old, new in zip(before, after, strict=True))


def _check_lease(db: sqlite3.Connection, lease: tuple[str, str]) -> None:
    name, owner = lease
    row = db.execute("select owner from leases where name = ?", (name,)).fetchone()
    if row is None or row[0] != owner:
        raise LeaseLost(
            f"another scheduler holds the lease {name!r}; this one steps back"
        )
