"""Compare groups of sessions with each other, and see which users come back."""

from dataclasses import dataclass
from typing import Any

from flask import Response

from app import clock
from app.api.answers import ANSWER
from app.api.asking import USERS, Scope, lay_rows, read_choice, read_scope, tell_sample
from app.api.blueprint import Blueprint
from app.api.comparing import Cohort, NoCohorts, compare_cohorts, name_row, read_cohorts
from app.api.encoding import answer
from app.api.insight_schemas import CompareSchema, RetentionSchema
from app.api.questions import Asked, Problems, read_metrics, single
from app.api.schemas import GRAMMAR
from app.api.service import reader, settings
from app.errors import BadRequest
from app.sessionql.plan import Window
from app.store.insight_seam import Returns
from app.store.seam import Reader

blp = Blueprint("cohorts", __name__, url_prefix="/api/v1", description="Cohorts.")

Row = dict[str, Any]

DAY = 86_400_000  # ms
PERIODS = {  # name → (ms, where one begins)
    "week": (7 * DAY, 4 * DAY),  # 1970-01-05 was a Monday
    "day": (DAY, 0),
}
MAX_PERIODS = 100
RETENTION_RANGE = 56 * DAY
RETENTION_WORDS = frozenset({"period", "format"})
COMPARE_WORDS = frozenset({"between", "a", "b", "metric", "format"})
USUAL = (
    "sessions", "active_users", "error_rate", "bounce_rate", "duration_avg",
    "views_per_session", "lcp_p75",
)  # fmt: skip


@blp.route("/retention", methods=["GET", "POST"])
@blp.arguments(RetentionSchema, location="query")
@blp.doc(
    description=(
        "Users who come back: of those whose first session of all fell into one day or "
        "week (a cohort), how many had sessions in the days or weeks after it. Default "
        f"range: 8 weeks. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_retention(asked: Asked) -> Response:
    """Count returning users by cohort."""
    layout = read_choice(asked, "format", ("page", "rows"))
    scope = read_scope(asked, clock.now(), RETENTION_WORDS, RETENTION_RANGE)
    found = find_returns(asked, scope, reader())
    if layout == "rows":
        return lay_rows(found.rows, found.notices)
    return answer(
        {
            "period": found.period,
            "items": found.rows,
            "earlier": found.earlier,
            "notices": found.notices,
        }
    )


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows, users who came first before the range, and what to know of both."""

    period: str
    rows: list[Row]
    earlier: int
    notices: list[str]


def find_returns(asked: Asked, scope: Scope, index: Reader) -> Retention:
    """Find which users came back.

    Raises:
        BadRequest: there is no such period, or too many of them in the range.
    """
    period = read_choice(asked, "period", tuple(PERIODS))
    step, origin = PERIODS[period]
    count = (scope.window.end - scope.window.start) // step + 1
    if count > MAX_PERIODS:
        raise BadRequest(
            f"{count} periods in the range, at most {MAX_PERIODS}: ask for less time"
            + (" or weeks" if period == "day" else "")
        )
    found = index.returns(scope.window, scope.selector, step, origin)
    notices = tell_sample(index, scope, figure=USERS)
    if found.earlier:
        notices.append(
            f"{found.earlier} users who came first before the range are in no cohort"
        )
    rows = retention_rows(found, scope.window, step, origin)
    return Retention(period, rows, found.earlier, notices)


def retention_rows(found: Returns, window: Window, step: int, origin: int) -> list[Row]:
    """Lay out a row for each cohort and each period since, also where nobody came."""
    first = (window.start - origin) // step * step + origin
    counts = {(each.cohort, each.period): each.users for each in found.cells}
    sizes = {each.cohort: each.users for each in found.cells if each.period == 0}
    rows = []
    for cohort in range(first, window.end, step):
        size = sizes.get(cohort, 0)
        for period in range((window.end - 1 - cohort) // step + 1):
            users = counts.get((cohort, period), 0)
            rows.append(
                {
                    "cohort": cohort,
                    "period": period,
                    "time": cohort + period * step,
                    "size": size,
                    "users": users,
                    "share": users / size if size else None,
                }
            )
    return rows


@blp.route("/compare", methods=["GET", "POST"])
@blp.arguments(CompareSchema, location="query")
@blp.doc(
    description=(
        "Metrics of two cohorts of sessions beside each other: version against version, "
        "new against returning visitors, weekdays against weekends, this range against "
        f"the one before. Other filters hold for both. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_comparison(asked: Asked) -> Response:
    """Compare two cohorts."""
    layout = read_choice(asked, "format", ("page", "rows"))
    at, problems = clock.now(), Problems()
    metrics = read_metrics(asked if "metric" in asked else {"metric": USUAL}, problems)
    problems.tell()
    scope = read_scope(asked, at, COMPARE_WORDS)
    try:
        cohorts, notices = read_cohorts(asked, scope, reader())
    except NoCohorts as problem:
        if layout == "rows":  # of a panel, which is empty then, and not broken
            return lay_rows([], [str(problem)])
        raise
    rows, told = compare_cohorts(metrics, cohorts, reader(), settings())
    notices += told
    if layout == "rows":
        return lay_rows(name_row(single(asked, "between"), rows) + rows, notices)
    a, b = map(_cohort, cohorts)
    return answer({"a": a, "b": b, "items": rows, "notices": notices})


def _cohort(cohort: Cohort) -> Row:
    window = cohort.window
    return {"name": cohort.name, "from": window.start, "to": window.end}
