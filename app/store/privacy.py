"""Keep requests for export and erasure in SQLite, and do them, a bounded step at a time.

Everything that a request has done is in the index, so whoever takes it up after a crash
goes on: what was found is kept, what was erased is not found again.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.errors import BadRequest, LeaseLost, StoreError
from app.events.decoder import MAX_NAME
from app.sessions.persons import Person
from app.store.connect import explained
from app.store.exporting import read_found
from app.store.forgetting import Eraser
from app.store.privacy_seam import (
    DONE,
    ERASURE,
    FAILED,
    QUEUED,
    RUNNING,
    Exported,
    Request,
)
from app.store.scrubbing import scrub
from app.store.searching import search
from app.store.writer import SqliteWriter

LEASE_MS = 300_000  # so long nobody else takes up a request that is under way
_SEARCH, _SCRUB = 0, 1  # phases
_FIELDS = ", ".join(Request.__match_args__)


class SqlitePrivacyBook:
    """The requests of one tenant, in one SQLite file.

    Raises:
        StoreError: there is none, it cannot be opened, or a newer Skald wrote it.
    """

    def __init__(self, path: Path, tenant: str) -> None:
        if not path.exists():
            raise StoreError(
                f"there is no index at {path} yet; `skald run` or `skald index` makes it"
            )
        self._path, self._tenant = path, tenant
        self._writer = SqliteWriter(path, tenant)
        self._db = self._writer.db
        self._under_way: dict[str, Iterator[float]] = {}

    def close(self) -> None:
        """Let go of the index."""
        self._writer.close()

    # -- requests ------------------------------------------------------------------

    def add(self, kind: str, user: str, now: int, *, is_dry: bool = False) -> Request:
        """Take up a request about *user*: an id, e-mail, name or anonymous id.

        Raises:
            BadRequest: it is empty.
        """
        asked = user.strip()[:MAX_NAME]
        if not asked or "\0" in asked:
            raise BadRequest("whose data? give a user id, e-mail, name or anonymous id")
        asked = asked.encode(errors="replace").decode()
        request = secrets.token_hex(16)
        with self._writer.transaction() as db:
            db.execute(
                "insert into privacy_requests"
                " (id, tenant, kind, person, is_dry, state, created)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (
                    request, self._tenant, kind, _packed(Person(asked)), is_dry, QUEUED,
                    now,
                ),
            )  # fmt: skip
        found = self.get(kind, request)
        assert found is not None  # noqa: S101 - it was just written
        return found

    def get(self, kind: str, request: str) -> Request | None:
        """Return a request; None when there is none of that kind."""
        with explained(self._path):
            row = self._db.execute(
                f"select {_FIELDS} from privacy_requests"
                " where id = ? and tenant = ? and kind = ?",
                (request, self._tenant, kind),
            ).fetchone()
        if row is None:
            return None
        named = dict(zip(Request.__match_args__, row, strict=True))
        return Request(**named | {"is_dry": bool(named["is_dry"])})

    def claim(self, owner: str, now: int, request: str = "") -> str:
        """Take up that request, or the oldest that nobody works on; "" = none."""
        with self._writer.transaction() as db:
            row = db.execute(
                "select id from privacy_requests where tenant = :tenant"
                " and state in (:queued, :running, :failed)"
                " and (owner = :owner or until <= :now)"
                " and (:request in ('', id)) order by created, id limit 1",
                {
                    "tenant": self._tenant, "queued": QUEUED, "running": RUNNING,
                    "failed": FAILED, "owner": owner, "now": now, "request": request,
                },
            ).fetchone()  # fmt: skip
            if row is None:
                return ""
            db.execute(
                "update privacy_requests set state = ?, owner = ?, until = ?, error = ''"
                " where id = ?",
                (RUNNING, owner, now + LEASE_MS, row[0]),
            )
        self._under_way.pop(row[0], None)
        return str(row[0])

    def identities(self, request: str) -> list[str]:
        """Return by what the person of a request is known; empty when it is erased."""
        person = self._person(request)
        return person.needles() if person else []

    def fail(self, request: str, error: str, now: int) -> None:
        """Note why a request cannot go on now; it is taken up again later."""
        self._under_way.pop(request, None)
        with self._writer.transaction() as db:
            db.execute(
                "update privacy_requests set state = ?, error = ?, owner = '', until = ?"
                " where id = ? and state = ?",
                (FAILED, error, now + LEASE_MS, request, RUNNING),
            )

    def expire(self, before: int) -> int:
        """Forget requests that ended before that; return how many."""
        with self._writer.transaction() as db:
            found = db.execute(
                "select id from privacy_requests where tenant = ? and state = ?"
                " and finished < ?",
                (self._tenant, DONE, before),
            ).fetchall()
            _discard(db, found)
        return len(found)

    def discard(self, request: str) -> None:
        """Forget a request."""
        with self._writer.transaction() as db:
            _discard(db, [(request,)])

    def read(self, request: str) -> Iterator[Exported]:
        """Yield what an export found, a session at a time, oldest first."""
        person = self._person(request)
        if person:
            with explained(self._path):
                yield from read_found(self._db, self._writer.codec, request, person)

    # -- work ----------------------------------------------------------------------

    def advance(self, request: str, owner: str, now: int, bounce: str) -> bool:
        """Do a bounded part of a request; return whether there is more to do.

        Raises:
            LeaseLost: another owner works on it.
        """
        steps = self._under_way.get(request)
        if steps is None:
            steps = self._under_way[request] = self._steps(request, now, bounce)
        with explained(self._path):
            progress = next(steps, None)
        with self._writer.transaction() as db:
            held = db.execute(
                "update privacy_requests set progress = max(progress, ?), until = ?"
                " where id = ? and owner = ?",
                (progress or 0.0, now + LEASE_MS, request, owner),
            )
            if held.rowcount and progress is None:
                self._finish(db, request, now)
        if not held.rowcount:
            del self._under_way[request]
            raise LeaseLost(f"somebody else works on the request {request}")
        return progress is not None

    def _steps(self, request: str, now: int, bounce: str) -> Iterator[float]:
        """Do a request; yield after each step how much is done of it, 0 to 1."""
        kind, is_dry, phase, created = self._db.execute(
            "select kind, is_dry, phase, created from privacy_requests where id = ?",
            (request,),
        ).fetchone()
        erases = kind == ERASURE and not is_dry
        person = self._person(request)
        if person and phase == _SEARCH:
            eraser = Eraser(self._writer, request, created, erases=erases)
            eraser.begin(person)
            share = 0.5 if erases else 1.0
            for done, found in search(
                self._db, self._writer.codec, self._tenant, person
            ):
                eraser.take(person, found, _packed(person))
                yield done * share
            if erases:
                yield from eraser.series(person)
                eraser.end(person, _SCRUB)
        if erases:
            yield from scrub(self._writer, now, bounce)

    def _finish(self, db: sqlite3.Connection, request: str, now: int) -> None:
        db.execute(
            "update privacy_requests set state = ?, progress = 1, finished = ?,"
            " owner = '', until = 0 where id = ?",
            (DONE, now, request),
        )
        db.execute(
            "delete from privacy_found where request = ? and exists"
            " (select 1 from privacy_requests where id = ? and kind = ?)",
            (request, request, ERASURE),
        )
        del self._under_way[request]

    def _person(self, request: str) -> Person | None:
        with explained(self._path):
            row = self._db.execute(
                "select person from privacy_requests where id = ? and tenant = ?",
                (request, self._tenant),
            ).fetchone()
        return unpacked(row[0]) if row and row[0] else None


def _discard(db: sqlite3.Connection, requests: list[tuple[str]]) -> None:
    for table, column in (("found", "request"), ("requests", "id")):
        db.executemany(f"delete from privacy_{table} where {column} = ?", requests)


def _packed(person: Person) -> str:
    told = [person.asked, sorted(person.ids), sorted(person.browsers)]
    return orjson.dumps(told).decode()


def unpacked(text: str) -> Person:
    """Return the person that a request holds."""
    asked, ids, browsers = orjson.loads(text)
    return Person(asked, set(ids), set(browsers))
