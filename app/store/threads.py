"""Keep the sessions of visitors whose lines name no session, and divide them anew.

What is new joins, extends or begins sessions near it in time; those are looked up,
united with it, and divided again. The rest of the visitor's sessions stays as it is.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from app.events.decoder import Address, Batch, Rule
from app.model import Context, Event, SessionKey
from app.sessions.derive import ordered
from app.sessions.fold import cut, merge
from app.sessions.threads import Moment, divide, name_of, part_of
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

        What is found may reach further by its parts, so look again until nothing is new.
        """
        moments = ordered(new, shape)
        spans: list[tuple[int, int]] = []
        held: dict[int, Held] = {}
        found = self._of_parts(who, new) if rule.has_parts else set()
        while True:
            near = _joined(spans + _spans(moments, rule), rule.gap_ms)
            found |= self._touching(who, near)
            fresh = found - held.keys()
            if not fresh:
                return held
            for each in self._held(fresh):
                held[each.row_id] = each
                spans.append((each.start, each.end))
                moments += ordered(each.journal.events, shape)
            if not rule.has_parts:
                return held  # sessions on their far sides are a gap away

    def _touching(self, who: int, spans: list[tuple[int, int]]) -> set[int]:
        """Return the rows of the visitor's sessions that reach into one of *spans*."""
        sessions = self._ledger.db.execute(
            "select start, end, id from sessions where id in"
            " (select session from threads where who = ?)"
            " and end >= ? and start <= ? order by start",
            (who, spans[0][0], spans[-1][1]),
        )
        found, at = set(), 0
        for start, end, row_id in sessions:
            while at < len(spans) and spans[at][1] < start:
                at += 1
            if at < len(spans) and spans[at][0] <= end:
                found.add(row_id)
        return found

    def _of_parts(self, who: int, new: list[Event]) -> set[int]:
        """Return the rows of the sessions that have a part of one of *new*."""
        parts = orjson.dumps(list({self._part(each) for each in new})).decode()
        found = self._ledger.db.execute(
            "select session from threads where who = ?"
            " and part in (select value from json_each(?))",
            (who, parts),
        )
        return {row_id for (row_id,) in found}

    def _held(self, row_ids: Iterable[int]) -> Iterator[Held]:
        found = self._ledger.db.execute(
            "select s.id, s.hash, s.start, s.end, j.data from sessions as s"
            " join journals as j on j.session = s.id"
            " where s.id in (select value from json_each(?))",
            (orjson.dumps(list(row_ids)).decode(),),
        ).fetchall()
        unpack = self._ledger.codec.unpack
        for row_id, hashed, start, end, data in found:
            yield Held(row_id, hashed, start, end, unpack(data))

    def _part(self, event: Event) -> int:
        return self._hash("", f"\2{part_of(event)}")

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


def _spans(moments: Iterable[Moment], rule: Rule) -> list[tuple[int, int]]:
    """Return from when to when each part went: whatever lies between joins it.

    Without parts each event is one.
    """
    if not rule.has_parts:
        return [(at, at) for at, _ in moments]
    found: dict[str, tuple[int, int]] = {}
    for at, event in moments:
        part = part_of(event)
        start, end = found.get(part, (at, at))
        found[part] = min(start, at), max(end, at)
    return list(found.values())


def _joined(spans: list[tuple[int, int]], gap_ms: int) -> list[tuple[int, int]]:
    """Widen spans by a gap on both sides, and unite those that meet; ascending."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        since, until = start - gap_ms, end + gap_ms
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def _new_to(before: Held | None, journal: Journal) -> list[Event]:
    """Return the events that the session of that name did not have."""
    known = {event.key for event in before.journal.events} if before else ()
    return [event for event in journal.events if event.key not in known]


def _is_same(before: Journal, after: Journal) -> bool:
    return {(e.key, e.received) for e in before.events} == {
        (e.key, e.received) for e in after.events
    }
