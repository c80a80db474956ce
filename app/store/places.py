"""Where visitors were: pages, ranked; and who came back."""

from dataclasses import replace

from app.sessionql.plan import Filter, Window
from app.sessions.fold import MAX_LISTED
from app.store.insight_seam import Ranked, Ranking, Returned, Returns
from app.store.ranking import Engine, matching, names_of, plain, rank
from app.store.sql import Statement


def _columns(statement: Statement) -> dict[str, str]:
    last = f"min(s.views, {MAX_LISTED}) - 1"
    bounced = statement.expression("bounced")
    return {
        "views": "count(*)",
        "sessions": "count(distinct s.id)",
        "users": "count(distinct s.user)",
        "entries": "sum(e.n = 0)",
        "exits": f"sum(e.n = {last})",
        "bounces": f"sum(e.n = 0 and coalesce({bounced}, 0))",
        "dwell_avg": "avg(e.dwell)",
        "dwell": "sum(e.dwell)",
        "lcp_avg": "avg(e.lcp)",
    }


class PlacesReader(Engine):
    """Answers questions about pages, and about users who come back."""

    def places(self, asked: Ranking) -> Ranked:
        """Rank pages; a filter on ``page`` chooses which, and not only which sessions."""
        statement = self._statement(asked.window.now)
        columns = _columns(statement)
        shown = ", ".join(f"{text} as {name}" for name, text in columns.items())
        grouped = (
            f"select e.page as id, {shown} from sessions as s"
            " join views as e on e.session = s.id"
            f" where {matching(statement, asked.window, asked.selector, 'view')}"
            " and e.page is not null group by e.page"
            f" having count(distinct s.id) >= {statement.bind(asked.least)}"
        )
        with self._bounded() as db:
            rows, page = rank(db, statement, grouped, tuple(columns), asked)
            names = names_of(db, {row["id"] for row in rows})
        items = [
            {"page": names[row["id"]]}
            | {name: plain(row[name]) for name in columns}
            | {
                "exit_rate": row["exits"] / row["views"],
                "bounce_rate": row["bounces"] / row["entries"]
                if row["entries"]
                else None,
            }
            for row in rows
        ]
        return replace(page, items=items)

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
