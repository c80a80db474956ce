"""Write the index: derive the touched sessions anew, and commit with the cursor."""

import sqlite3
from itertools import islice

import orjson

from app import clock
from app.errors import LeaseLost
from app.events.decoder import Address, Batch
from app.model import SessionKey
from app.store import rows
from app.store.dirt import Dirt
from app.store.erased import sift
from app.store.inserts import insert
from app.store.journal import derived_from
from app.store.ledger import MAX_NEW_SESSIONS, Derived, Ledger, unite
from app.store.newcomers import REASON, Newcomers
from app.store.strands import Strands
from app.store.threads import Threads
from app.store.writing_seam import Ingested, Progress

_CHUNK = 2_000  # sessions derived at a time; bounds memory


class SqliteWriter(Ledger):
    """The index in one SQLite file, opened for writing."""

    def declare(
        self,
        source: str,
        inactivity_ms: int,
        max_events: int,
        longest_ms: int = 4 * 3_600_000,
        max_new_sessions: int = MAX_NEW_SESSIONS,
    ) -> None:
        """Say what holds for the sessions of *source*."""
        self._limits[source] = max_events
        self._new_limits[source] = max_new_sessions
        with self.transaction() as db:
            db.execute(
                "update sources set inactivity = ?, longest = ? where id = ?",
                (inactivity_ms, longest_ms, self.source(source)),
            )

    # -- rollups -------------------------------------------------------------------

    def roll_up(self, now: int, bounce: str) -> bool:
        """Recompute an hour that changed, or what it is part of; False when none did.

        Args:
            now: UTC epoch ms; an hour that is not over is left alone.
            bounce: which definition.
        """
        # numpy takes memory that the indexer has no use for
        from app.store.columns.build import build_next  # noqa: PLC0415
        from app.store.rollups.build import agree, build, next_dirty  # noqa: PLC0415
        from app.store.sql import BOUNCES  # noqa: PLC0415

        with self.transaction() as db:
            agree(db, bounce)
            found = next_dirty(db, now)
            if found:
                build(db, *found, BOUNCES[bounce])
            is_built = build_next(db, now, bounce)
        return found is not None or is_built

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
            number = self.source(source)
            batch = sift(self, source, batch)
            done = [0, 0, 0, 0, 0]
            self.dirt = Dirt(db, self._tenant)
            most = self._new_limits.get(source, MAX_NEW_SESSIONS)
            self.newcomers = Newcomers(db, number, most)
            Strands(self, source, self.dirt).ingest(batch, done)
            Threads(self, source, self.dirt).ingest(batch, done)
            addresses = iter(batch.events)
            while chunk := list(islice(addresses, _CHUNK)):
                self._ingest_chunk(source, number, chunk, batch, done)
            self.newcomers.write()
            lost = dict(batch.dropped)
            if self.newcomers.refused:
                lost[REASON] = lost.get(REASON, 0) + self.newcomers.refused
            self._advance(number, batch, lost, progress)
            self.dirt.write(db)
        events, repeated, touched, created, cut = done
        return Ingested(events, repeated, touched, created, cut, lost)

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
        held = self.held(hashes)
        most = self.most(source)
        next_id = self.next_id()
        written, replaced = self.new_rows(number), list[int]()
        for hashed, address in hashes.items():
            new = batch.events[address]
            row_id, known = held.get(hashed, (0, None))
            if not row_id and not self.newcomers.admit(new):
                continue
            journal, added, lost = unite(known, new, batch, most)
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
            self.dirt.add(new, session)
            self.add_rows(written, Derived(row_id, hashed, session, journal))
            done[2] += 1
        self.write_rows(written, replaced)

    # -- progress ------------------------------------------------------------------

    def _advance(
        self, source: int, batch: Batch, lost: dict[str, int], progress: Progress
    ) -> None:
        db = self._db
        held, cursor = db.execute(
            "select dropped, cursor from sources where id = ?", (source,)
        ).fetchone()
        dropped = orjson.loads(held)
        for reason, lines in lost.items():
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
            counts: list[object] = []
            for second, entries in progress.counts.items():
                counts += (source, second, entries)
            insert(db, f"insert or {verb} into seconds", 3, counts)
        if progress.settled:
            db.execute(
                "delete from seconds where source = ? and second <= ?",
                (source, progress.settled),
            )


def _check_lease(db: sqlite3.Connection, lease: tuple[str, str]) -> None:
    name, owner = lease
    row = db.execute("select owner from leases where name = ?", (name,)).fetchone()
    if row is None or row[0] != owner:
        raise LeaseLost(
            f"another scheduler holds the lease {name!r}; this one steps back"
        )
