"""How many sessions there are, how long, how good, and which."""

from app.dashboards.asks import changes, figures, series, sessions
from app.dashboards.boards.common import MARKS, SESSION_COLUMNS, filters, status_panel
from app.dashboards.charts import chart, strip, table
from app.dashboards.nouns import Board, Panel, Section

_ROUGHLY = ("sessions", "error_rate", "bounce_rate", "duration_p50")


def _by(by: str, title: str) -> Panel:
    return table(
        f"By {title}",
        f"Sessions of each {title}, with their error rate, bounce rate, median time.",
        figures(*_ROUGHLY, by=by, limit=50),
    )


BOARD = Board(
    name="sessions",
    title="Sessions",
    help="How many sessions there are, how long and how good they are, and which they are.",
    variables=filters("user"),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "Traffic",
                    "Figures of the range, and their change against the range before it.",
                    changes(
                        "sessions",
                        "active_users",
                        "views_per_session",
                        "duration_avg",
                        "crash_free_rate",
                    ),
                    width=14,
                ),
                strip(
                    "Trouble",
                    "The less the better: a rise against the range before is red.",
                    changes("error_rate", "bounce_rate", "errors"),
                    width=10,
                    rising="bad",
                ),
            ),
        ),
        Section(
            "Over time",
            (
                status_panel(),
                chart(
                    "Active sessions and users",
                    "Sessions with an event in each interval, and identified users.",
                    series("active_sessions", "active_users"),
                ),
                chart(
                    "Time spent",
                    "Duration of the sessions that began in each interval.",
                    series("duration_p50", "duration_avg", "duration_p95"),
                ),
                chart(
                    "Error and bounce rate",
                    "Shares of the sessions that began in each interval.",
                    series("error_rate", "bounce_rate"),
                ),
            ),
        ),
        Section(
            "By dimension",
            tuple(
                _by(by, by if by != "os" else "operating system")
                for by in ("country", "browser", "os", "version")
            ),
        ),
        Section(
            "Sessions",
            (
                table(
                    "Sessions",
                    "The newest 200 sessions of the range; click an id to open one.",
                    sessions(*SESSION_COLUMNS),
                    width=24,
                    height=14,
                ),
            ),
        ),
    ),
)
