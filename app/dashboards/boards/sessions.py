"""How many sessions there are, how long, how good, and which."""

from app.dashboards.asks import changes, figures, label_names, series, sessions
from app.dashboards.boards.common import MARKS, SESSION_COLUMNS, filters, status_panel
from app.dashboards.nouns import Board, Panel, Section

_ROUGHLY = ("sessions", "error_rate", "bounce_rate", "duration_p50")


def _by(by: str, title: str) -> Panel:
    return Panel(
        kind="table",
        title=f"By {title}",
        help=f"Sessions of each {title}, with their error rate, bounce rate, median time.",
        asks=(figures(*_ROUGHLY, by=by, limit=50),),
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
                Panel(
                    kind="stat",
                    title="Traffic",
                    help="Figures of the range, and their change against the range before it.",
                    asks=(
                        changes(
                            "sessions",
                            "active_users",
                            "views_per_session",
                            "duration_avg",
                            "crash_free_rate",
                        ),
                    ),
                    width=14,
                    height=4,
                ),
                Panel(
                    kind="stat",
                    title="Trouble",
                    help="The less the better: a rise against the range before is red.",
                    asks=(changes("error_rate", "bounce_rate", "errors"),),
                    width=10,
                    height=4,
                    rising="bad",
                ),
            ),
        ),
        Section(
            "Over time",
            (
                status_panel(),
                Panel(
                    kind="timeseries",
                    title="Active sessions and users",
                    help="Sessions with an event in each interval, and identified users.",
                    asks=(series("active_sessions", "active_users"),),
                    unit="short",
                    names=label_names(("active_sessions", "active_users")),
                ),
                Panel(
                    kind="timeseries",
                    title="Time spent",
                    help="Duration of the sessions that began in each interval.",
                    asks=(series("duration_p50", "duration_avg", "duration_p95"),),
                    unit="ms",
                    names=label_names(("duration_p50", "duration_avg", "duration_p95")),
                ),
                Panel(
                    kind="timeseries",
                    title="Error and bounce rate",
                    help="Shares of the sessions that began in each interval.",
                    asks=(series("error_rate", "bounce_rate"),),
                    unit="percentunit",
                    names=label_names(("error_rate", "bounce_rate")),
                    most=1,
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
                Panel(
                    kind="table",
                    title="Sessions",
                    help="The newest 200 sessions of the range; click an id to open one.",
                    asks=(sessions(*SESSION_COLUMNS),),
                    width=24,
                    height=14,
                ),
            ),
        ),
    ),
)
