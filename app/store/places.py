"""Where visitors were: pages, ranked; and who came back."""

import sqlite3

from app.errors import TooExpensive
from app.sessionql.plan import Filter, Window
from app.sessions.fold import MAX_LISTED
from app.store.insight_seam import Ranked, Ranking, Returned, Returns, Row
from app.store.ranking import Engine, matching, names_of, page_of, plain
from app.store.sampling import choose_sample, sampled

MAX_PLACES = 500_000  # counted at a time
MAX_PAIRS = 500_000  # of page and user, likewise


class Place:
    """What is counted of one page."""

    __slots__ = (
        "bounces", "dwell", "dwelled", "entries", "exits", "lcp", "painted",
        "session", "sessions", "users", "views",
    )  # fmt: skip

    def __init__(self) -> None:
        self.views = self.sessions = self.entries = self.exits = self.bounces = 0
        self.dwell = self.dwelled = self.painted = self.session = self.users = 0
        self.lcp = 0.0

    def row(self, sample: int, *, knows_users: bool) -> Row:
        """Lay it out; counts of a sample are multiplied to those of all."""
        entries, views = self.entries, self.views
        return {
            "views": views * sample,
            "sessions": self.sessions * sample,
            "users": self.users if knows_users else None,
            "entries": entries * sample,
            "exits": self.exits * sample,
            "bounces": self.bounces * sample,
            "dwell": self.dwell * sample,
            "dwell_avg": self.dwell / self.dwelled if self.dwelled else None,
            "lcp_avg": self.lcp / self.painted if self.painted else None,
            "exit_rate": self.exits / views,
            "bounce_rate": self.bounces / entries if entries else None,
        }


class PlacesReader(Engine):
    """Answers questions about pages, and about users who come back."""

    def places(self, asked: Ranking) -> Ranked:
        """Rank pages; a filter on ``page`` chooses which, and not only which sessions."""
        with self._bounded() as db:
            sample = asked.sample or choose_sample(
                self, db, asked.window, asked.selector
            )
            places, pairs = self._places(db, asked, sample)
            # how many users a sample stands for cannot be told from it
            knows_users = sample == 1 and pairs < MAX_PAIRS
            keys = {
                page: place.row(sample, knows_users=knows_users)[asked.sort] or 0
                for page, place in places.items()
                if place.sessions * sample >= asked.least
            }
            kept, cursor = page_of(keys, asked)
            names = names_of(db, set(kept))
        items = []
        for page in kept:
            row = places[page].row(sample, knows_users=knows_users)
            figures = {key: plain(each) for key, each in row.items()}
            items.append({"page": names[page]} | figures)
        return Ranked(items, cursor, len(keys), sample)

    def _places(
        self, db: sqlite3.Connection, asked: Ranking, sample: int
    ) -> tuple[dict[int, Place], int]:
        """Count views as they are read: SQLite would sort all of them in memory.

        Returns:
            Places by page; and how many pairs of page and user were kept.
        """
        statement = self._statement(asked.window.now)
        bounced = statement.expression("bounced")
        where = matching(statement, asked.window, asked.selector, "view")
        places: dict[int, Place] = {}
        pairs: set[int] = set()
        for session, user, page, n, last, is_bounce, dwell, lcp in db.execute(
            statement.text(
                f"select s.id, s.user, e.page, e.n, min(s.views, {MAX_LISTED}) - 1, {bounced},"
                " e.dwell, e.lcp from sessions as s"
                " cross join views as e on e.session = s.id"
                f" where {where} and {sampled(sample)} and e.page is not null"
            ),
            statement.values,
        ):
            place = places.get(page)
            if place is None:
                place = places[page] = _new_place(places)
            place.views += 1
            if place.session != session:
                place.session = session
                place.sessions += 1
                pair = page << 32 | (user or 0)
                if user is not None and pair not in pairs and len(pairs) < MAX_PAIRS:
                    pairs.add(pair)
                    place.users += 1
            if n == 0:
                place.entries += 1
                place.bounces += is_bounce or 0
            place.exits += n == last
            if dwell is not None:
                place.dwell += dwell
                place.dwelled += 1
            if lcp is not None:
                place.lcp += lcp
                place.painted += 1
        return places, len(pairs)

    def returns(
        self, window: Window, selector: Filter, step: int, origin: int
    ) -> Returns:
        """Count, of users who came first in one period, those of each later one.

        A user is one of an application. The first session is the first of all, whatever
        is asked for; who came before the window belongs to no cohort of it.

        Args:
            window: which sessions count as coming back.
            selector: likewise.
            step: ms of a period.
            origin: where one period begins, ms.
        """
        statement = self._statement(window.now)
        where = matching(statement, window, selector)
        width, zero = statement.bind(step), statement.bind(origin)
        tenant = statement.ours().replace("s.source", "p.source")

        def period(at: str) -> str:
            return f"({at} - {zero}) / {width}"

        first = (
            f"(select min(p.start) from sessions as p where p.user = v.user"
            f" and p.app is v.app and {tenant})"
        )
        visits = statement.keep(
            f"select distinct s.app, s.user, {period('s.start')} as period"
            f" from sessions as s where {where} and s.user is not null"
        )
        people = statement.keep(
            f"select v.app, v.user, {period(first)} as first"
            f" from {visits} as v group by v.app, v.user"
        )
        begin = period(statement.bind(window.start))
        query = statement.text(
            f"select f.first, v.period - f.first, count(*) from {visits} as v"
            f" join {people} as f on f.app is v.app and f.user = v.user"
            f" where f.first >= {begin} group by 1, 2"
            f" union all select null, 0, count(*) from {people} where first < {begin}"
        )
        with self._bounded() as db:
            found = db.execute(query, statement.values).fetchall()
        cells = [
            Returned(first * step + origin, period, users)
            for first, period, users in found
            if first is not None
        ]
        return Returns(cells, found[-1][2])


def _new_place(places: dict[int, Place]) -> Place:
    if len(places) >= MAX_PLACES:
        raise TooExpensive(f"over {MAX_PLACES:,} pages; ask for less time or one app")
    return Place()
