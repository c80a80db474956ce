"""Answer about people, problems and journeys from SQLite."""

import sqlite3

from app.model import SessionKey
from app.sessionql.plan import Window
from app.sessions.derive import told_once
from app.store.insight_seam import Row, Whole
from app.store.journal import derived_from
from app.store.journeys import JourneysReader
from app.store.people import PeopleReader
from app.store.places import PlacesReader
from app.store.problems import ProblemsReader
from app.store.rows import hash_of
from app.store.seam import Search

_SIDES = (("<", "desc"), (">", "asc"))  # before, after


class InsightsReader(PeopleReader, ProblemsReader, PlacesReader, JourneysReader):
    """All that can be asked beyond figures and lists of sessions."""

    def whole(self, app: str, session_id: str) -> Whole | None:
        """Return one session with its events; None when there is none."""
        found = self._journal(app, session_id)
        if found is None:
            return None
        source, journal = found
        session = derived_from(SessionKey(source, app, session_id), journal)
        told = told_once(journal.events, journal.contexts, journal.shape)
        received = [event.received for event in journal.events]
        return Whole(session, *told, (min(received), max(received)))

    def listed(self, app: str, source: str, session_id: str, now: int) -> Row:
        """Return a session's row in the list of sessions; empty when there is none."""
        with self._bounded() as db:
            row_id = self._row_id(db, app, source, session_id)
            found = self._items(db, [row_id], Search(Window(0, 1, 0, now)))
        return found[0] if found else {}

    def neighbours(
        self, app: str, source: str, session_id: str
    ) -> tuple[Row | None, Row | None]:
        """Return the sessions of the same user and app before and after that one."""
        with self._bounded() as db:
            row_id = self._row_id(db, app, source, session_id)
            before, after = (_beside(db, row_id, *side) for side in _SIDES)
        return before, after

    def _row_id(
        self, db: sqlite3.Connection, app: str, source: str, session_id: str
    ) -> int:
        """Return the number of a session's row; 0 when there is none.

        An app may be asked for by its name where its source knows it by an id.
        """
        known_as = db.execute(
            "select a.app from aliases as a join sources as o on o.id = a.source"
            " where o.tenant = ? and o.name = ? and a.name = ?",
            (self._tenant, source, app),
        ).fetchall()
        for name in (app, *(row[0] for row in known_as)):
            hashed = hash_of(self._tenant, source, name, session_id)
            row = db.execute("select id from sessions where hash = ?", (hashed,))
            found = row.fetchone()
            if found:
                return int(found[0])
        return 0


def _beside(
    db: sqlite3.Connection, row_id: int, sign: str, direction: str
) -> Row | None:
    row = db.execute(
        "select p.sid, (select value from strings where id = p.app),"
        " p.start, p.end, p.errors"
        " from sessions as s join sessions as p on p.user = s.user"
        f" and (p.start, p.id) {sign} (s.start, s.id) and p.app is s.app"
        " where s.id = ? and p.source in (select o.id from sources as o"
        "  join sources as m on m.tenant = o.tenant where m.id = s.source)"
        f" order by p.start {direction}, p.id {direction} limit 1",
        (row_id,),
    ).fetchone()
    names = ("id", "app", "start", "end", "errors")
    return dict(zip(names, row, strict=True)) if row else None
