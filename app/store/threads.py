"""Keep the sessions of visitors whose lines name no session, and divide them anew.

What is new joins, extends or begins sessions near it in time; those are looked up,
united with it, and divided again. The rest of the visitor's sessions stays as it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from app.events.decoder import Address, Batch, Rule
from app.model import Context, Event, SessionKey
from app.sessions.derive import ordered
from app.sessions.fold import cut, merge
from app.sessions.threads import divide, name_of, part_of
from app.store import rows
from app.store.dirt import Dirt
from app.store.journal import Journal, derived_from, used
from app.store.ledger import Derived, Ledger, same_receipts


class Held(NamedTuple):
    """A session that may change."""

    row_id: int
    hash: int
    start: int
    end: int
    journal: Journal


class Threads:
    """The derived sessions of one source, within one transaction."""

    def __init__(self, ledger: Ledger, source: str, dirt: Dirt) -> None:
        self._ledger = ledger
        self._dirt = dirt
        self._name = source
        self._source = ledger.source(source)

    def ingest(self, batch: Batch, done: list[int]) -> None:
        """Add the threads of *batch*, and derive the sessions that they touch."""
        for address, new in batch.threads.items():
            self._ingest(address, new, batch, done)

    def _ingest(
        self, address: Address, new: list[Event], batch: Batch, done: list[int]
    ) -> None:
        """Add what is new of one visitor.

        1. Find the sessions that it may touch; unite their events with it.
        2. Divide all of that into sessions.
        3. Write those that are not as they were; remove those that are no more.
        """
        rule = batch.rule
        who = self._hash(address[0], f"\1{address[1]}")
        held = self._near(who, new, rule, batch.shape)
        if not held and not self._ledger.newcomers.admit(new):
            return
        known = [event for each in held.values() for event in each.journal.events]
        events = merge(known, new)
        done[0] += len(events) - len(known)
        done[1] += len(new) - len(events) + len(known)
        if len(events) == len(known) and same_receipts(known, events):
            return
        contexts = dict(batch.contexts)
        for each in held.values():
            contexts |= each.journal.contexts
        self._rewrite(address, who, events, contexts, held, batch, done)

    def _hash(self, app: str, own: str) -> int:
        return rows.hash_of(self._ledger.tenant, self._name, app, own)

    def _near(
        self, who: int, new: list[Event], rule: Rule, shape: str
    ) -> dict[int, Held]:
        """Return the sessions that new events may join: near in time, or by a part.

        What is found reaches further itself, so look again until nothing is new.
        """
        times = [at for at, _ in ordered(new, shape)]
        since, until = times[0], times[-1]
        parts = {self._part(each) for each in new} if rule.has_parts else set()
        held: dict[int, Held] = {}
        while True:
            found = self._overlapping(
                who, since - rule.gap_ms, until + rule.gap_ms, parts
            )
            fresh = [each for each in found if each[0] not in held]
            if not fresh:
                return held
            unpack = self._ledger.codec.unpack
            for row_id, hashed, start, end, data in fresh:
                held[row_id] = Held(row_id, hashed, start, end, unpack(data))
            if not rule.has_parts:
                return held  # what lies between two of them was found with them
            since = min(since, *(each.start for each in held.values()))
            until = max(until, *(each.end for each in held.values()))

    def _part(self, event: Event) -> int:
        return self._hash("", f"\2{part_of(event)}")

    def _overlapping(
        self, who: int, since: int, until: int, parts: Iterable[int]
    ) -> list[tuple[int, int, int, int, bytes]]:
        return self._ledger.db.execute(
            "select s.id, s.hash, s.start, s.end, j.data from"
            " (select distinct session from threads where who = :who) as t"
            " join sessions as s on s.id = t.session"
            " join journals as j on j.session = s.id"
            " where s.end >= :since and s.start <= :until or s.id in"
            " (select session from threads where who = :who"
            " and part in (select value from json_each(:parts)))",
            {
                "who": who,
                "since": since,
                "until": until,
                "parts": orjson.dumps(list(parts)).decode(),
            },
        ).fetchall()

    def _rewrite(
        self,
        address: Address,
        who: int,
        events: list[Event],
        contexts: dict[int, Context],
        held: dict[int, Held],
        batch: Batch,
        done: list[int],
    ) -> None:
        rule = batch.rule
        by_hash = {each.hash: each for each in held.values()}
        derived: list[Derived] = []
        next_id = self._ledger.next_id()
        for moments in divide(ordered(events, batch.shape), rule):
            session_id = name_of(address[1], moments, rule)
            hashed = self._hash(address[0], session_id)
            before = by_hash.pop(hashed, None)
            journal = self._journal(moments, contexts, before, batch.shape, done)
            if before and _is_same(before.journal, journal):
                continue
            row_id = before.row_id if before else next_id
            next_id += before is None
            done[3] += before is None
            key = SessionKey(self._name, address[0], session_id)
            session = derived_from(key, journal)
            self._dirt.add(_new_to(before, journal), session)
            derived.append(Derived(row_id, hashed, session, journal))
        replaced = [each.row_id for each in derived if each.row_id in held]
        self._ledger.forget([(each.row_id,) for each in by_hash.values()])
        self._ledger.write(self._source, derived, replaced)
        self._note(who, derived, rule)
        done[2] += len(derived)

    def _journal(
        self,
        moments: list[tuple[int, Event]],
        contexts: dict[int, Context],
        before: Held | None,
        shape: str,
        done: list[int],
    ) -> Journal:
        events = [event for _, event in moments]
        kept, is_cut = cut(events, self._ledger.most(self._name))
        done[4] += len(events) - len(kept)
        was_cut = before is not None and before.journal.is_cut
        return Journal(kept, used(kept, contexts, {}), is_cut or was_cut, shape)

    def _note(self, who: int, derived: list[Derived], rule: Rule) -> None:
        """Note whose the sessions are, and what parts they have."""
        found: set[tuple[int, int, int]] = set()
        for each in derived:
            parts = {0}
            if rule.has_parts:
                parts = {self._part(event) for event in each.journal.events}
            found.update((who, part, each.row_id) for part in parts)
        self._ledger.db.executemany(
            "insert or ignore into threads values (?, ?, ?)", found
        )


def _new_to(before: Held | None, journal: Journal) -> list[Event]:
    """Return the events that the session of that name did not have."""
    known = {event.key for event in before.journal.events} if before else ()
    return [event for event in journal.events if event.key not in known]


def _is_same(before: Journal, after: Journal) -> bool:
    return {(e.key, e.received) for e in before.events} == {
        (e.key, e.received) for e in after.events
    }
