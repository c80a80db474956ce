"""Answer about people, problems and journeys from SQLite."""

from app.model import SessionKey
from app.sessions.derive import ordered
from app.store.insight_seam import Row, Whole
from app.store.journal import derived_from
from app.store.journeys import JourneysReader
from app.store.people import PeopleReader
from app.store.places import PlacesReader
from app.store.problems import ProblemsReader
from app.store.rows import hash_of

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
        moments = ordered(journal.events, journal.shape)
        return Whole(session, moments, journal.contexts)

    def neighbours(
        self, app: str, source: str, session_id: str
    ) -> tuple[Row | None, Row | None]:
        """Return the sessions of the same user and app before and after that one."""
        before, after = (
            self._beside(
                hash_of(self._tenant, source, app, session_id), sign, direction
            )
            for sign, direction in _SIDES
        )
        return before, after

    def _beside(self, hashed: int, sign: str, direction: str) -> Row | None:
        with self._bounded() as db:
            row = db.execute(
                "select p.sid, (select value from strings where id = p.app),"
                " p.start, p.end, p.errors"
                " from sessions as s join sessions as p on p.user = s.user"
                f" and (p.start, p.id) {sign} (s.start, s.id) and p.app is s.app"
                " where s.hash = ? and p.source in"
                " (select id from sources where tenant = ?)"
                f" order by p.start {direction}, p.id {direction} limit 1",
                (hashed, self._tenant),
            ).fetchone()
        names = ("id", "app", "start", "end", "errors")
        return dict(zip(names, row, strict=True)) if row else None
