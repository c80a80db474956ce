"""Remember who was erased, so that lines which are read again bring nobody back.

A mark is a keyed hash of an identity, or of a session that was erased, with the instant
of the erasure: what was received before is dropped. Nobody is named, but whoever has the
file, and with it the key, can tell whether somebody whom they know was erased.
"""

import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import orjson

from app.events.decoder import Address, Batch
from app.model import Context, Event, SessionKey
from app.sessions.persons import Person, identities
from app.sessions.strands import session_of
from app.store import rows
from app.store.journal import Journal, derived_from, used
from app.store.ledger import Derived, Ledger

REASON = "erased"
_ID, _ASKED_BROWSER, _BROWSER, _ADDRESS = b"i", b"a", b"b", b"s"
Dated = dict[int, int]  # mark or hash → µs; what was received before is erased
Told = dict[Address, list[Event]]


def key_of(db: sqlite3.Connection) -> bytes | None:
    """Return the key of the marks; None when nobody was ever erased."""
    row = db.execute("select key from erased_key").fetchone()
    return bytes(row[0]) if row else None


class Marks:
    """The marks of one tenant; in a transaction.

    Args:
        db: the index.
        key: of the hashes.
        tenant: whose sessions they are.
    """

    def __init__(self, db: sqlite3.Connection, key: bytes, tenant: str) -> None:
        self._db, self._key, self._tenant = db, key, tenant

    @classmethod
    def opened(cls, db: sqlite3.Connection, tenant: str) -> "Marks":
        """Return the marks, with a key of their own if they have none yet."""
        key = key_of(db)
        if key is None:
            key = secrets.token_bytes(32)
            db.execute("insert into erased_key values (?)", (key,))
        return cls(db, key, tenant)

    def mark_person(self, person: Person, before: int) -> None:
        """Remember all that *person* is known by."""
        found = [self._of(_ID, each) for each in person.ids]
        found += [self._of(_BROWSER, each) for each in person.browsers]
        found.append(self._of(_ASKED_BROWSER, person.asked))
        self._write(dict.fromkeys(found, before))

    def mark_addresses(self, hashes: Mapping[int, int]) -> None:
        """Remember sessions, strands and visitors, by their hash and until when."""
        self._write({self._address(each): at for each, at in hashes.items()})

    def _write(self, found: Dated) -> None:
        self._db.executemany(
            "insert into erased values (?, ?) on conflict (mark)"
            " do update set before = max(before, excluded.before)",
            found.items(),
        )

    def addresses(self, hashes: Iterable[int]) -> Dated:
        """Return until when each of *hashes* was erased; nothing of the others."""
        marks = {self._address(each): each for each in hashes}
        return {marks[mark]: before for mark, before in self._find(marks).items()}

    def contexts(self, contexts: Mapping[int, Context]) -> tuple[Dated, Dated]:
        """Return which contexts are of erased people; of which browsers of theirs."""
        named: dict[int, list[int]] = defaultdict(list)
        browsers: dict[int, list[int]] = defaultdict(list)
        for key, each in contexts.items():
            said = [each.user_id, each.user_email, each.user_name]
            for text in said:
                if text:
                    named[self._of(_ID, text)].append(key)
            if each.anonymous:
                named[self._of(_ASKED_BROWSER, each.anonymous)].append(key)
                browsers[self._of(_BROWSER, each.anonymous)].append(key)
        return self._latest(named), self._latest(browsers)

    def users(self, users: Iterable[str]) -> dict[str, int]:
        """Return until when those of *users* were erased who were."""
        marks = {self._of(_ID, each): each for each in users}
        return {marks[mark]: before for mark, before in self._find(marks).items()}

    def _latest(self, marks: Mapping[int, list[int]]) -> Dated:
        found: Dated = {}
        for mark, before in self._find(marks).items():
            for key in marks[mark]:
                found[key] = max(before, found.get(key, 0))
        return found

    def _find(self, marks: Iterable[int]) -> Dated:
        found = self._db.execute(
            "select e.mark, e.before from json_each(?) as m"
            " join erased as e on e.mark = m.value",
            (orjson.dumps(list(marks)).decode(),),
        )
        return dict(found.fetchall())

    def _address(self, hashed: int) -> int:
        return self._of(_ADDRESS, f"{hashed:x}")

    def _of(self, kind: bytes, text: str) -> int:
        said = f"{self._tenant}\0{text}".encode(errors="surrogatepass")
        digest = blake2b(said, digest_size=8, key=self._key, person=kind)
        return int.from_bytes(digest.digest()) >> 1


def sift(ledger: Ledger, source: str, batch: Batch) -> Batch:
    """Return *batch* without what was received of people before they were erased.

    A session of which a line names somebody erased is erased with all that was received
    before, also what the index holds of it: whatever the order, the same comes of it.
    One statement when nobody was ever erased. In the transaction that ingests.
    """
    key = key_of(ledger.db)
    if key is None:
        return batch
    return _Sieve(ledger, source, Marks(ledger.db, key, ledger.tenant)).sift(batch)


class _Part(NamedTuple):
    """What a batch tells of one session, strand or visitor.

    Attributes:
        hash: of it.
        session: hash of the session that a strand says it belongs to; else as ``hash``.
    """

    hash: int
    session: int
    address: Address
    events: list[Event]


class _Sieve:
    """Sifts one batch.

    1. Look up which contexts, and which sessions, strands and visitors, are marked.
    2. Mark those that are not, and of which an event names somebody erased.
    3. Leave out what was received of marked ones before.
    """

    def __init__(self, ledger: Ledger, source: str, marks: Marks) -> None:
        self._ledger, self._name, self._marks = ledger, source, marks
        self._named: Dated = {}
        self._browsers: Dated = {}
        self._users: dict[str, int] = {}

    def sift(self, batch: Batch) -> Batch:
        """Return the rest of *batch*."""
        self._named, self._browsers = self._marks.contexts(batch.contexts)
        self._users = self._marks.users(_users_of(batch))
        sessions = self._parts(batch.events, "")
        strands = self._parts(batch.strands, "\0")
        visitors = self._parts(batch.threads, "\1")
        every = [*sessions, *strands, *visitors]
        hashes = {each for part in every for each in (part.hash, part.session)}
        erased = self._marks.addresses(hashes)
        fresh: dict[int, tuple[_Part, int]] = {}
        is_any = self._named or self._browsers or self._users
        for part in every if is_any else ():
            before = self._named_until(part.events, batch.contexts)
            for hashed in self._belonging(part) if before else ():
                if before > erased.get(hashed, 0):
                    fresh[hashed] = part, before
                    erased[hashed] = before
        if fresh:
            self._marks.mark_addresses({each: at for each, (_, at) in fresh.items()})
            for hashed, (part, before) in fresh.items():
                self._purge(hashed, part, before)
        lost = [0]
        kept = [_rest(each, erased, lost) for each in (sessions, strands, visitors)]
        dropped = dict(batch.dropped)
        if lost[0]:
            dropped[REASON] = dropped.get(REASON, 0) + lost[0]
        return msgspec.structs.replace(
            batch, events=kept[0], strands=kept[1], threads=kept[2], dropped=dropped
        )

    def _hash(self, app: str, own: str) -> int:
        return rows.hash_of(self._ledger.tenant, self._name, app, own)

    def _parts(self, told: Told, prefix: str) -> list[_Part]:
        found = []
        for address, events in told.items():
            app, own = address
            hashed = session = self._hash(app, prefix + own)
            if prefix == "\0" and (session_id := session_of(events)):
                session = self._hash(app, session_id)
            found.append(_Part(hashed, session, address, events))
        return found

    def _belonging(self, part: _Part) -> set[int]:
        """Return what goes with *part*: of a strand also the session it is known of."""
        held = self._ledger.db.execute(
            "select session from strands where hash = ? and session is not null",
            (part.hash,),
        )
        return {part.hash, part.session, *(row[0] for row in held.fetchall())}

    def _named_until(
        self, events: Iterable[Event], contexts: Mapping[int, Context]
    ) -> int:
        """Return until when whoever *events* name was erased, µs; 0 = nobody was."""
        until = browser = 0
        is_somebodys = False
        for event in events:
            said = identities(event, contexts[event.context])
            before = self._named.get(event.context, 0)
            for each in said if self._users else ():
                before = max(before, self._users.get(each, 0))
            if event.received < before:
                until = max(until, before)
            before = self._browsers.get(event.context, 0)
            if event.received < before:
                browser = max(browser, before)
            is_somebodys = is_somebodys or bool(said)
        return until if until or is_somebodys else browser

    def _purge(self, hashed: int, part: _Part, before: int) -> None:
        """Take out of the index what it holds of *part* and was received before."""
        ledger, db = self._ledger, self._ledger.db
        visitor = [
            row[0]
            for row in db.execute(
                "select distinct s.hash from threads as t"
                " join sessions as s on s.id = t.session where t.who = ?",
                (hashed,),
            )
        ]
        for row_id, journal in ledger.held([hashed, *visitor]).values():
            rest = [each for each in journal.events if each.received >= before]
            if len(rest) == len(journal.events):
                continue
            erase_strands(db, self._marks, {hashed: before})
            if not rest or visitor:
                ledger.forget([(row_id,)])
                continue
            contexts = used(rest, journal.contexts, {})
            left = Journal(rest, contexts, journal.is_cut, journal.shape)
            sid = db.execute("select sid from sessions where id = ?", (row_id,))
            key = SessionKey(self._name, part.address[0], sid.fetchone()[0])
            derived = Derived(row_id, hashed, derived_from(key, left), left)
            ledger.loosen([(row_id,)])
            ledger.write(ledger.source(self._name), [derived], [row_id])
        db.execute("delete from strands where hash = ? and session is null", (hashed,))


def erase_strands(db: sqlite3.Connection, marks: Marks, sessions: Dated) -> None:
    """Forget which traces belong to *sessions*, and mark them."""
    for session, before in sessions.items():
        found = db.execute("select hash from strands where session = ?", (session,))
        marks.mark_addresses({row[0]: before for row in found.fetchall()})
        db.execute("delete from strands where session = ?", (session,))


def _users_of(batch: Batch) -> set[str]:
    """Return the users whom events themselves name, and not their contexts."""
    if batch.shape != "langfuse":
        return set()
    nothing = Context()
    return {
        user
        for told in (batch.events, batch.strands)
        for events in told.values()
        for event in events
        for user in identities(event, nothing)
    }


def _rest(parts: Iterable[_Part], erased: Dated, lost: list[int]) -> Told:
    """Return what is left of *parts*; add to *lost* how many events are not."""
    kept: Told = {}
    for part in parts:
        before = max(erased.get(part.hash, 0), erased.get(part.session, 0))
        events = part.events
        if before:
            events = [each for each in events if each.received >= before]
            lost[0] += len(part.events) - len(events)
        if events:
            kept[part.address] = events
    return kept
