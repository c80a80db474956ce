"""Keep traces whose lines name no session, and give them to the session they belong to.

Which session that is, all events of the trace tell together, so it is the same in
whatever order they come. Until one of them tells, its events wait in table ``strands``;
from then on they are in the journal of the session, and the table holds the map alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import orjson

from app.events.decoder import Address, Batch
from app.model import Context, Event, SessionKey
from app.sessions.fold import cut, merge
from app.sessions.strands import session_of, strand_of
from app.store import rows
from app.store.dirt import Dirt
from app.store.journal import Journal, derived_from, used
from app.store.ledger import Derived, Ledger, same_receipts

_CHUNK = 2_000  # strands looked at together; bounds memory
MAX_ORPHANS = 100_000  # strands of no known session; the oldest make room
Contexts = dict[int, Context]


@dataclass(slots=True)
class Strand:
    """A trace that got new events.

    Attributes:
        hash: of the strand.
        address: application, trace.
        events: all of them.
        known: keys of those that its session had.
        session: hash of its session; 0 = none is known.
        session_id: its id; "" likewise.
        before: hash of the session that it was thought to belong to; 0 = none.
    """

    hash: int
    address: Address
    events: list[Event]
    known: set[int]
    session: int
    session_id: str
    before: int

    @property
    def new(self) -> list[Event]:
        """Return the events that its session did not have."""
        return [event for event in self.events if event.key not in self.known]


class Strands:
    """The strands of one source, within one transaction."""

    def __init__(self, ledger: Ledger, source: str, dirt: Dirt) -> None:
        self._ledger = ledger
        self._dirt = dirt
        self._name = source
        self._source = ledger.source(source)
        self._contexts: Contexts = {}

    def ingest(self, batch: Batch, done: list[int]) -> None:
        """Add the strands of *batch*, and derive their sessions anew."""
        addresses = iter(batch.strands)
        while chunk := list(islice(addresses, _CHUNK)):
            self._ingest(chunk, batch, done)
        if batch.strands:
            self._bound()

    def _ingest(self, chunk: list[Address], batch: Batch, done: list[int]) -> None:
        """Add some strands.

        1. Find what is held of each: waiting, or in the journal of a session.
        2. Unite that with what is new, and ask all of it for the session.
        3. Take strands out of sessions that they left, put them into theirs.
        """
        addresses = {self._hash(app, f"\0{own}"): (app, own) for app, own in chunk}
        held = self._held(addresses)
        journals = self._ledger.held({each for each, _ in held.values() if each})
        by_strand = _by_strand(journals.values())
        self._contexts = dict(batch.contexts)
        changed: list[Strand] = []
        for hashed, address in addresses.items():
            session, waiting = held.get(hashed, (0, None))
            known = waiting.events if waiting else []
            self._contexts |= waiting.contexts if waiting else {}
            if session in journals:
                known = by_strand[journals[session][0]].get(address[1], [])
            events = merge(known, batch.strands[address])
            done[0] += len(events) - len(known)
            done[1] += len(batch.strands[address]) - len(events) + len(known)
            if len(events) > len(known) or not same_receipts(known, events):
                found = session_of(events)
                target = self._hash(address[0], found) if found else 0
                if session in journals and target != session:
                    self._contexts |= journals[session][1].contexts
                had = {event.key for event in known if session and session == target}
                changed.append(
                    Strand(hashed, address, events, had, target, found, session)
                )
        journals |= self._ledger.held(
            {each.session for each in changed if each.session} - journals.keys()
        )
        self._keep(changed, batch.shape)
        self._rewrite(changed, journals, batch.shape, done)

    def _hash(self, app: str, session_id: str) -> int:
        return rows.hash_of(self._ledger.tenant, self._name, app, session_id)

    def _held(self, hashes: Iterable[int]) -> dict[int, tuple[int, Journal | None]]:
        found = self._ledger.db.execute(
            "select hash, session, data from strands"
            " where hash in (select value from json_each(?))",
            (orjson.dumps(list(hashes)).decode(),),
        )
        unpack = self._ledger.codec.unpack
        return {
            hashed: (session or 0, unpack(data) if data else None)
            for hashed, session, data in found
        }

    def _keep(self, changed: list[Strand], shape: str) -> None:
        """Note whose each strand is; one that is nobody's waits with its events."""
        most = self._ledger.most(self._name)
        found = []
        for each in changed:
            data = None
            if not each.session:
                events, is_cut = cut(each.events, most)
                journal = Journal(
                    events, used(events, self._contexts, {}), is_cut, shape
                )
                data = self._ledger.codec.pack(journal)
            seen = max(event.received for event in each.events) // 1000
            found.append(
                (
                    each.hash,
                    self._source,
                    each.session or None,
                    seen,
                    len(each.events),
                    data,
                )
            )
        self._ledger.db.executemany(
            "insert or replace into strands values (?, ?, ?, ?, ?, ?)", found
        )

    def _rewrite(
        self,
        changed: list[Strand],
        journals: dict[int, tuple[int, Journal]],
        shape: str,
        done: list[int],
    ) -> None:
        """Derive every session that gained, lost or keeps one of the strands."""
        arriving, leaving = _moves(changed)
        names = self._names(changed, leaving)
        derived: list[Derived] = []
        replaced: list[int] = []
        emptied: list[int] = []
        next_id = self._ledger.next_id()
        for hashed, strands in leaving.items():
            row_id, journal = journals.get(hashed, (0, None))
            key = SessionKey(self._name, *names[hashed])
            kept = journal.events if journal else []
            events = [event for event in kept if strand_of(event) not in strands]
            gone = strands - {each.address[1] for each in arriving[hashed]}
            if journal and gone:
                lost = [event for event in kept if strand_of(event) in gone]
                self._dirt.add(lost, derived_from(key, journal))
            for each in arriving[hashed]:
                events += each.events
            if row_id:
                (replaced if events else emptied).append(row_id)
            if not events:
                continue
            if not row_id:
                row_id, next_id = next_id, next_id + 1
                done[3] += 1
            united = self._journal(events, journal, shape, done)
            session = derived_from(key, united)
            for each in arriving[hashed]:
                self._dirt.add(each.new, session)
            derived.append(Derived(row_id, hashed, session, united))
        self._ledger.forget([(each,) for each in emptied])
        self._ledger.write(self._source, derived, replaced)
        done[2] += len(derived)

    def _journal(
        self, events: list[Event], known: Journal | None, shape: str, done: list[int]
    ) -> Journal:
        kept, is_cut = cut(events, self._ledger.most(self._name))
        done[4] += len(events) - len(kept)
        contexts = used(kept, self._contexts, known.contexts if known else {})
        return Journal(
            kept, contexts, is_cut or (known is not None and known.is_cut), shape
        )

    def _names(
        self, changed: list[Strand], hashes: Iterable[int]
    ) -> dict[int, Address]:
        """Return application and id of each session."""
        names = {each.session: (each.address[0], each.session_id) for each in changed}
        apps = {each.before: each.address[0] for each in changed if each.before}
        missing = [each for each in hashes if each not in names]
        found = self._ledger.db.execute(
            "select hash, sid from sessions where hash in"
            " (select value from json_each(?))",
            (orjson.dumps(missing).decode(),),
        )
        return names | {hashed: (apps[hashed], sid) for hashed, sid in found}

    def _bound(self) -> None:
        """Let the oldest orphans go when there are too many of them."""
        db = self._ledger.db
        orphans = db.execute(
            "select count(*) from strands where source = ? and session is null",
            (self._source,),
        ).fetchone()[0]
        if orphans > MAX_ORPHANS:
            gone = db.execute(
                "select hash, events from strands where source = ? and session is null"
                " order by seen, hash limit ?",
                (self._source, orphans - MAX_ORPHANS),
            ).fetchall()
            self._ledger.drop(self._source, {"orphans": sum(row[1] for row in gone)})
            db.executemany(
                "delete from strands where hash = ?", [row[:1] for row in gone]
            )


def _moves(
    changed: list[Strand],
) -> tuple[dict[int, list[Strand]], dict[int, set[str]]]:
    """Return what comes into each session, and what of it is no more as it was."""
    arriving: dict[int, list[Strand]] = defaultdict(list)
    leaving: dict[int, set[str]] = defaultdict(set)
    for each in changed:
        if each.before:
            leaving[each.before].add(each.address[1])
        if each.session:
            leaving[each.session].add(each.address[1])
            arriving[each.session].append(each)
    return arriving, leaving


def _by_strand(
    journals: Iterable[tuple[int, Journal]],
) -> dict[int, dict[str, list[Event]]]:
    """Return the events of each session by their strand."""
    found: dict[int, dict[str, list[Event]]] = {}
    for row_id, journal in journals:
        strands = found[row_id] = defaultdict(list)
        for event in journal.events:
            strands[strand_of(event)].append(event)
    return found
