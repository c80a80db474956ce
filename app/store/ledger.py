"""Hold the sessions of the index: find, derive, write and remove them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import orjson

from app.events.decoder import Batch
from app.model import Event, Session
from app.sessions.fold import cut, merge
from app.store import rows, told_rows, told_tables
from app.store.journal import Codec, Journal, used
from app.store.schema import CHILDREN
from app.store.upkeep import Upkeep

MAX_EVENTS = 10_000  # kept of one session, of a source that says nothing else
_OF_FARO = tuple(each for each in CHILDREN if each not in told_tables.CHILDREN)


class Derived(NamedTuple):
    """A session about to be written."""

    row_id: int
    hash: int
    session: Session
    journal: Journal


class Ledger(Upkeep):
    """The index in one SQLite file, opened for writing sessions."""

    def __init__(self, path: Path, tenant: str) -> None:
        super().__init__(path, tenant)
        self.codec = Codec()
        self.tenant = tenant
        self.db = self._db
        self._limits: dict[str, int] = {}  # source → events kept of one session

    def most(self, source: str) -> int:
        """Return how many events are kept of one session of *source*."""
        return self._limits.get(source, MAX_EVENTS)

    def held(self, hashes: Iterable[int]) -> dict[int, tuple[int, Journal]]:
        """Return row and journal of those sessions that there are, by hash."""
        found = self._db.execute(
            "select s.hash, s.id, j.data from json_each(?) as h"
            " join sessions as s on s.hash = h.value"
            " join journals as j on j.session = s.id",
            (orjson.dumps(list(hashes)).decode(),),
        )
        unpack = self.codec.unpack
        return {hashed: (row_id, unpack(data)) for hashed, row_id, data in found}

    def next_id(self) -> int:
        """Return a row id that is free, and after which all are."""
        highest = self._db.execute("select max(id) from sessions").fetchone()[0]
        return (highest or 0) + 1

    def write(self, source: int, derived: list[Derived], replaced: list[int]) -> None:
        """Write the rows of *derived* in place of those of *replaced*."""
        db, pack = self._db, self.codec.pack
        numbers = self._strings.number(
            string for each in derived for string in rows.strings_of(each.session)
        )
        is_told = any(each.journal.shape for each in derived)
        for table in CHILDREN if is_told else _OF_FARO:
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
        if is_told:
            self._alias(source, derived)
        told = (*rows.CHILDREN, *told_rows.INSERTS)
        for statement, rows_of in told if is_told else rows.CHILDREN:
            db.executemany(
                statement,
                (
                    row
                    for each in derived
                    for row in rows_of(each.row_id, each.session, numbers)
                ),
            )

    def _alias(self, source: int, derived: Iterable[Derived]) -> None:
        """Note under which other name the application of a session is asked for."""
        found = {
            (source, shown, each.session.key.app)
            for each in derived
            if (shown := each.session.context.app) != each.session.key.app and shown
        }
        self._db.executemany("insert or ignore into aliases values (?, ?, ?)", found)


def unite(
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
    if known and not added and same_receipts(before, events):
        return None, 0, 0
    events, is_cut = cut(events, most)
    lost = max(0, len(before) + added - len(events))
    contexts = used(events, batch.contexts, known.contexts if known else {})
    was_cut = known is not None and known.is_cut
    journal = Journal(events, contexts, is_cut or was_cut, batch.shape)
    return journal, added - lost, lost


def same_receipts(before: list[Event], after: list[Event]) -> bool:
    """Tell whether uniting *before* with more has changed nothing: *after* is it."""
    return all(old is new for old, new in zip(before, after, strict=True))
