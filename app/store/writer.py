"""Write the index: derive the touched sessions anew, and commit with the cursor."""

import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import orjson

from app import clock
from app.errors import LeaseLost
from app.events.decoder import Address, Batch
from app.model import Event, Session, SessionKey
from app.sessions.fold import cut, merge
from app.store import rows
from app.store.journal import Codec, Journal, derived_from, used
from app.store.schema import CHILDREN
from app.store.seam import Ingested, Progress
from app.store.upkeep import Upkeep

_CHUNK = 2_000  # sessions derived at a time; bounds memory
MAX_EVENTS = 10_000  # kept of one session, of a source that says nothing else


class Derived(NamedTuple):
    """A session about to be written."""

    row_id: int
    hash: int
    session: Session
    journal: Journal


class SqliteWriter(Upkeep):
    """The index in one SQLite file, opened for writing."""

    def __init__(self, path: Path, tenant: str) -> None:
        super().__init__(path, tenant)
        self._codec = Codec()
        self._limits: dict[str, int] = {}  # source → events kept of one session

    def declare(self, source: str, inactivity_ms: int, max_events: int) -> None:
        """Say what holds for the sessions of *source*."""
        self._limits[source] = max_events
        with self.transaction() as db:
            db.execute(
                "update sources set inactivity = ? where id = ?",
                (inactivity_ms, self._source(source)),
            )

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
        with self.transaction() as db:
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
        tenant = self._tenant
        hashes = {rows.hash_of(tenant, source, *each): each for each in chunk}
        held = self._held(hashes)
        most = self._limits.get(source, MAX_EVENTS)
        next_id = self._next_id()
        derived: list[Derived] = []
        replaced: list[int] = []
        for hashed, address in hashes.items():
            new = batch.events[address]
            row_id, known = held.get(hashed, (0, None))
            journal, added, lost = _unite(known, new, batch, most)
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
            session = derived_from(key, journal)
            derived.append(Derived(row_id, hashed, session, journal))
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

    # -- rows ----------------------------------------------------------------------

    def _write(self, source: int, derived: list[Derived], replaced: list[int]) -> None:
        """Write the rows of *derived* in place of those of *replaced*."""
        db, pack = self._db, self._codec.pack
        numbers = self._strings.number(
            string for each in derived for string in rows.strings_of(each.session)
        )
        for table in CHILDREN:
            db.executemany(
                f"delete from {table} where session = ?",
                ((row_id,) for row_id in replaced),
            )
        db.executemany(
            rows.INSERT_SESSION,
            (
                rows.session_row(each.row_id, each.hash, source, each.session, numbers)
                for each in derived
            ),
        )
        db.executemany(
            "insert or replace into journals values (?, ?)",
            ((each.row_id, pack(each.journal)) for each in derived),
        )
        for statement, rows_of in rows.CHILDREN:
            db.executemany(
                statement,
                (
                    row
                    for each in derived
                    for row in rows_of(each.row_id, each.session, numbers)
                ),
            )

    # -- progress ------------------------------------------------------------------

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


def _unite(
    known: Journal | None, new: list[Event], batch: Batch, most: int
) -> tuple[Journal | None, int, int]:
    """Return the journal with *new* in it, or None when nothing changes.

    Args:
        known: what is held of the session.
        new: what came.
        batch: where the contexts of *new* are.
        most: events kept.

    Returns:
        journal, number of events added, number of events over the bound.
    """
    before = known.events if known else []
    events = merge(before, new)
    added = len(events) - len(before)
    if known and not added and _same_receipts(before, events):
        return None, 0, 0
    events, is_cut = cut(events, most)
    lost = max(0, len(before) + added - len(events))
    contexts = used(events, batch.contexts, known.contexts if known else {})
    was_cut = known is not None and known.is_cut
    journal = Journal(events, contexts, is_cut or was_cut, batch.shape)
    return journal, added - lost, lost


def _same_receipts(before: list[Event], after: list[Event]) -> bool:
    return all(old is new for old, new in zip(before, after, strict=True))


def _check_lease(db: sqlite3.Connection, lease: tuple[str, str]) -> None:
    name, owner = lease
    row = db.execute("select owner from leases where name = ?", (name,)).fetchone()
    if row is None or row[0] != owner:
        raise LeaseLost(
            f"another scheduler holds the lease {name!r}; this one steps back"
        )
