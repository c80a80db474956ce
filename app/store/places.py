"""Where visitors were: pages, ranked; and who came back."""

import sqlite3

import numpy as np

from app.errors import TooExpensive
from app.sessionql.plan import Filter, Window
from app.sessionql.strata import rounded
from app.sessions.fold import MAX_LISTED
from app.store.columns.chunks import Array
from app.store.columns.parts import NotInColumns
from app.store.columns.places import Places, places_in_columns
from app.store.columns.question import Question
from app.store.columns.returns import returns_in_columns
from app.store.columns.weighing import round_all
from app.store.insight_seam import Ranked, Ranking, Returned, Returns, Row
from app.store.ranking import (
    Engine,
    ask_columns,
    matching,
    names_of,
    page_of,
    page_of_columns,
    plain,
)
from app.store.sampling import choose_sample, sampled
from app.store.weights import weights_of

MAX_PLACES = 500_000  # counted at a time
MAX_PAIRS = 500_000  # of page and user, likewise


class Place:
    """What is counted of one page."""

    __slots__ = (
        "bounces", "dwell", "dwelled", "entries", "exits", "lcp", "painted",
        "session", "sessions", "users", "views",
    )  # fmt: skip

    def __init__(self) -> None:
        self.views: float = 0
        self.sessions = self.entries = self.exits = self.bounces = self.views
        self.dwell = self.dwelled = self.lcp = self.painted = self.views
        self.session = self.users = 0

    def row(self, sample: int, *, knows_users: bool) -> Row:
        """Lay it out; counts of a sample are multiplied to those of all."""
        entries, views = self.entries, self.views
        return {
            "views": rounded(views * sample),
            "sessions": rounded(self.sessions * sample),
            "users": self.users if knows_users else None,
            "entries": rounded(entries * sample),
            "exits": rounded(self.exits * sample),
            "bounces": rounded(self.bounces * sample),
            "dwell": rounded(self.dwell * sample),
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
            found = None
            if asked.sample <= 1:
                found = ask_columns(
                    self, db, asked.window, asked.selector,
                    lambda question: _ranked(question, asked), "view",
                )  # fmt: skip
            if found is not None:
                return found
            sample = asked.sample or choose_sample(
                self, db, asked.window, asked.selector
            )
            places, pairs = self._places(db, asked, sample)
            # how many users a sample stands for cannot be told from it
            knows_users = sample == 1 and pairs < MAX_PAIRS
            keys = {
                page: place.row(sample, knows_users=knows_users)[asked.sort] or 0
                for page, place in places.items()
                if rounded(place.sessions * sample) >= asked.least
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
        weight = weights_of(statement, asked.selector).each
        places: dict[int, Place] = {}
        pairs: set[int] = set()
        for session, user, page, n, last, is_bounce, dwell, lcp, each in db.execute(
            statement.text(
                f"select s.id, s.user, e.page, e.n, min(s.views, {MAX_LISTED}) - 1, {bounced},"
                f" e.dwell, e.lcp, {weight} from sessions as s"
                " cross join views as e on e.session = s.id"
                f" where {where} and {sampled(sample)} and e.page is not null"
            ),
            statement.values,
        ):
            place = places.get(page)
            if place is None:
                place = places[page] = _new_place(places)
            place.views += each
            if place.session != session:
                place.session = session
                place.sessions += each
                pair = page << 32 | (user or 0)
                if user is not None and pair not in pairs and len(pairs) < MAX_PAIRS:
                    pairs.add(pair)
                    place.users += 1
            if n == 0:
                place.entries += each
                place.bounces += each * (is_bounce or 0)
            place.exits += each * (n == last)
            if dwell is not None:
                place.dwell += each * dwell
                place.dwelled += each
            if lcp is not None:
                place.lcp += each * lcp
                place.painted += each
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
        with self._bounded() as db:
            found = ask_columns(
                self, db, window, selector,
                lambda question: returns_in_columns(question, step, origin),
            )  # fmt: skip
            if found is None:
                cells, earlier = self._returns(db, window, selector, (step, origin))
            else:
                cells, earlier = found
        return Returns(
            [Returned(first * step + origin, *rest) for first, *rest in cells], earlier
        )

    def _returns(
        self,
        db: sqlite3.Connection,
        window: Window,
        selector: Filter,
        periods: tuple[int, int],
    ) -> tuple[list[tuple[int, int, int]], int]:
        statement = self._statement(window.now)
        where = matching(statement, window, selector)
        step, origin = periods
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
        found = db.execute(query, statement.values).fetchall()
        return [row for row in found if row[0] is not None], found[-1][2]


def _ranked(question: Question, asked: Ranking) -> Ranked:
    """Rank pages by column."""
    found = places_in_columns(question)
    if asked.sort not in _SORTED:
        raise NotInColumns(asked.sort)
    many = np.flatnonzero(round_all(found.sessions) >= asked.least)
    keys = _key(found, asked.sort)[many]
    kept, cursor = page_of_columns(found.ids[many], keys, asked)
    names = names_of(question.db, set(found.ids[many[kept]].tolist()))
    items = []
    for at in many[kept].tolist():
        place = Place()
        for name in _COUNTED:
            setattr(place, name, getattr(found, name)[at].item())
        row = place.row(1, knows_users=True)
        figures = {key: plain(each) for key, each in row.items()}
        items.append({"page": names[found.ids[at].item()]} | figures)
    return Ranked(items, cursor, len(many))


_COUNTED = tuple(name for name in Place.__slots__ if name != "session")
_MEANS = {"dwell_avg": ("dwell", "dwelled"), "lcp_avg": ("lcp", "painted")}
_SORTED = {
    "views",
    "sessions",
    "users",
    "entries",
    "exits",
    "bounces",
    "dwell",
    *_MEANS,
}


def _key(found: Places, sort: str) -> Array:
    """Return what pages are sorted by."""
    if sort in _MEANS:
        total, count = (getattr(found, name) for name in _MEANS[sort])
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), 0.0))
    return round_all(getattr(found, sort))


def _new_place(places: dict[int, Place]) -> Place:
    if len(places) >= MAX_PLACES:
        raise TooExpensive(f"over {MAX_PLACES:,} pages; ask for less time or one app")
    return Place()
