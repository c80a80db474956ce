"""Note what was found of a person; and if that is asked for, let it go."""

import sqlite3
from collections.abc import Iterator, Sequence

import orjson

from app.sessions.persons import Person
from app.store.erased import Dated, Marks, erase_strands
from app.store.ledger import Ledger
from app.store.marks import last_touch
from app.store.searching import Hit
from app.store.texts import texts_of

_SAMPLES = 20_000  # deleted in one transaction


class Eraser:
    """One request, at work.

    Args:
        ledger: the index.
        request: its id.
        created: ms; the instant of the erasure.
        erases: whether anything is let go of.
    """

    def __init__(
        self, ledger: Ledger, request: str, created: int, *, erases: bool
    ) -> None:
        self._ledger, self._db = ledger, ledger.db
        self._request, self._before, self._erases = request, created * 1000, erases

    def begin(self, person: Person) -> None:
        """See to it that nothing of the person comes in from now on."""
        if self._erases:
            with self._ledger.transaction():
                self._marks().mark_person(person, self._before)

    def take(self, person: Person, hits: Sequence[Hit], packed: str) -> None:
        """Note *hits*, with whatever else is of the same visitors; and let it go.

        In one transaction; twice is once.
        """
        if not hits:
            return
        with self._ledger.transaction() as db:
            hits = [*hits, *self._of_visitors(db, hits)]
            db.executemany(
                "insert or ignore into privacy_found values (?, ?, ?, ?)",
                [(self._request, each.start, each.hash, each.events) for each in hits],
            )
            if self._erases:
                self._marks().mark_person(person, self._before)
                self._erase(db, [each.hash for each in hits])
            db.execute(
                "update privacy_requests set person = :person,"
                " (sessions, events) = (select count(*), coalesce(sum(events), 0)"
                " from privacy_found where request = :id) where id = :id",
                {"person": packed, "id": self._request},
            )

    def _marks(self) -> Marks:
        return Marks.opened(self._db, self._ledger.tenant)

    def _of_visitors(self, db: sqlite3.Connection, hits: Sequence[Hit]) -> list[Hit]:
        """Return all sessions of the visitors whose sessions *hits* are.

        Where lines name the visitor only, what is left would be divided anew.
        """
        known = {each.hash for each in hits}
        found = db.execute(
            "select distinct o.hash, o.start, o.events from json_each(?) as h"
            " join sessions as s on s.hash = h.value"
            " join threads as t on t.session = s.id"
            " join threads as v on v.who = t.who"
            " join sessions as o on o.id = v.session",
            (_json(known),),
        )
        return [Hit(*row) for row in found.fetchall() if row[0] not in known]

    def _erase(self, db: sqlite3.Connection, hashes: Sequence[int]) -> None:
        held = self._ledger.held(hashes)
        until: Dated = dict.fromkeys(hashes, self._before)
        texts: set[str] = set()
        for hashed, (_, journal) in held.items():
            texts |= texts_of(journal)
            newest = max(each.received for each in journal.events)
            until[hashed] = max(self._before, newest + 1)
        texts |= self._drop_waiting(db, hashes)
        ids = [row_id for row_id, _ in held.values()]
        visitors = db.execute(
            "select distinct who from threads"
            " where session in (select value from json_each(?))",
            (_json(ids),),
        ).fetchall()
        latest = max(until.values())
        marks = self._marks()
        marks.mark_addresses(until | {row[0]: latest for row in visitors})
        erase_strands(db, marks, until)
        self._ledger.forget([(each,) for each in ids])
        db.execute(
            "insert or replace into loose select id, ? from strings"
            " where value in (select value from json_each(?))",
            (last_touch(db), orjson.dumps(list(texts)).decode()),
        )

    def _drop_waiting(self, db: sqlite3.Connection, hashes: Sequence[int]) -> set[str]:
        """Delete strands that wait for their session; return the texts in them."""
        found = db.execute(
            "select hash, data from strands where session is null and data is not null"
            " and hash in (select value from json_each(?))",
            (_json(hashes),),
        ).fetchall()
        unpack = self._ledger.codec.unpack
        db.executemany("delete from strands where hash = ?", [row[:1] for row in found])
        return {text for _, data in found for text in texts_of(unpack(data))}

    # -- what else names the person -------------------------------------------------

    def series(self, person: Person) -> Iterator[float]:
        """Delete what rules recorded of the person under a label that says who it was."""
        found = self._db.execute(
            "select id, labels from recorded_series where tenant = ?",
            (self._ledger.tenant,),
        ).fetchall()
        for series, labels in found:
            if not _names(labels, person):
                continue
            gone = _SAMPLES
            while gone == _SAMPLES:
                with self._ledger.transaction() as db:
                    gone = db.execute(
                        "delete from recorded_samples where series = ? and at in (select"
                        " at from recorded_samples where series = ? limit ?)",
                        (series, series, _SAMPLES),
                    ).rowcount
                yield 0.5
            with self._ledger.transaction() as db:
                for table in ("receiver_series", "receiver_owed"):
                    db.execute(f"delete from {table} where series = ?", (series,))
                db.execute("delete from recorded_series where id = ?", (series,))

    def end(self, person: Person, phase: int) -> None:
        """Forget whom the request is about, with alerts and exports that name them."""
        tenant = self._ledger.tenant
        with self._ledger.transaction() as db:
            for rule, labels in db.execute(
                "select rule, labels from rule_alerts where tenant = ?", (tenant,)
            ).fetchall():
                if _names(labels, person):
                    db.execute(
                        "delete from rule_alerts"
                        " where tenant = ? and rule = ? and labels = ?",
                        (tenant, rule, labels),
                    )
            for other, packed in db.execute(
                "select id, person from privacy_requests"
                " where tenant = ? and person != '' and id != ?",
                (tenant, self._request),
            ).fetchall():
                asked, ids, browsers = orjson.loads(packed)
                if not {*person.needles()}.isdisjoint((asked, *ids, *browsers)):
                    self._forget_other(db, other)
            db.execute(
                "update privacy_requests set person = '', phase = ? where id = ?",
                (phase, self._request),
            )

    def _forget_other(self, db: sqlite3.Connection, request: str) -> None:
        """Delete another's export or trial; an erasure under way goes on by itself."""
        gone = db.execute(
            "delete from privacy_requests where id = ? and (kind = 'export' or is_dry)",
            (request,),
        )
        if gone.rowcount:
            db.execute("delete from privacy_found where request = ?", (request,))


_WHO = ("user", "mail", "anonymous")


def _names(labels: str, person: Person) -> bool:
    """Tell whether *labels*, JSON, say that something is the person's."""
    known = {*person.needles()}
    return any(
        value in known and any(word in name for word in _WHO)
        for name, value in orjson.loads(labels).items()
    )


def _json(numbers: Sequence[int] | set[int]) -> str:
    return orjson.dumps(list(numbers)).decode()
