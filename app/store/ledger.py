"""Hold the sessions of the index: find, derive, write and remove them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import orjson

from app.events.decoder import Batch
from app.model import Context, Event, Session
from app.sessions.fold import cut, merge
from app.store import rows
from app.store.journal import Codec, Journal, used
from app.store.marks import mark
from app.store.newcomers import Newcomers
from app.store.schema import CHILDREN
from app.store.upkeep import Upkeep

MAX_NEW_SESSIONS = 20_000  # in a minute, likewise
MAX_EVENTS = 10_000  # kept of one session, of a source that says nothing else


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
        self.newcomers = Newcomers(self._db, 0, MAX_NEW_SESSIONS)  # of a transaction
        self._new_limits: dict[str, int] = {}  # source → sessions that may begin
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

    def new_rows(self, source: int) -> rows.Rows:
        """Return what takes the rows of sessions of *source*, for ``write_rows``."""
        self._strings.bound()
        return rows.Rows(source, self._strings)

    def write(self, source: int, derived: list[Derived], replaced: list[int]) -> None:
        """Write the rows of *derived* in place of those of *replaced*."""
        new = self.new_rows(source)
        for each in derived:
            self.add_rows(new, each)
        self.write_rows(new, replaced)

    def add_rows(self, new: rows.Rows, each: Derived) -> None:
        """Add the rows of a session to *new*, while all of it is at hand."""
        new.add(each.row_id, each.hash, each.session, self.codec.pack(each.journal))
        if each.journal.shape:
            new.add_told(each.row_id, each.session)

    def write_rows(self, new: rows.Rows, replaced: list[int]) -> None:
        """Write *new* in place of the rows of the sessions *replaced*."""
        db = self._db
        mark(db, new.starts, replaced)
        if replaced:
            gone = [(row_id,) for row_id in replaced]
            for table in (*CHILDREN, "journals"):
                db.executemany(f"delete from {table} where session = ?", gone)
            db.executemany("delete from sessions where id = ?", gone)
        new.insert(db)


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
    if known is None and len(new) <= most:
        fresh = _as_it_is(new, batch)
        if fresh is not None:
            return fresh, len(new), 0
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


def _as_it_is(events: list[Event], batch: Batch) -> Journal | None:
    """Return the journal of a new session; None when an event came more than once."""
    known = batch.contexts
    keys: set[int] = set()
    contexts: dict[int, Context] = {}
    last = -1
    for event in events:
        keys.add(event.key)
        context = event.context
        if context != last:
            last = context
            contexts[context] = known[context]
    if len(keys) < len(events):
        return None
    return Journal(events, contexts, is_cut=False, shape=batch.shape)


def same_receipts(before: list[Event], after: list[Event]) -> bool:
    """Tell whether uniting *before* with more has changed nothing: *after* is it."""
    return all(old is new for old, new in zip(before, after, strict=True))
