"""Which components users visit, for how long, and where they go next."""

from app.dashboards.asks import changes, figures, rows, series, sessions
from app.dashboards.boards.common import MARKS, SESSION_COLUMNS, filters
from app.dashboards.boards.journeys import GRAPH, MATRIX
from app.dashboards.charts import bars, chart, strip, table
from app.dashboards.nouns import Board, Column, Panel, Section

_VISITED = table(
    "Components",
    "Visits, sessions, mean time from a visit to the next or its own exit, "
    "and how often a session began or ended there.",
    rows(
        "pages",
        Column("page", label="Component"),
        Column("views", "number", "Visits", look="gauge"),
        Column("sessions", "number", "Sessions"),
        Column("dwell_avg", "number", "Mean time on it", "ms"),
        Column("dwell", "number", "Time on it, all", "ms"),
        Column("entries", "number", "Sessions begun there"),
        Column("exits", "number", "Sessions ended there"),
        Column("bounce_rate", "number", "Bounce rate", "percentunit"),
        limit="200",
    ),
    width=24,
    height=10,
)
_ENTRIES = Panel(
    kind="barchart",
    title="Most common entry points",
    help="The component with which sessions began; the top ten.",
    asks=(figures("sessions", by="entry", limit=10),),
    unit="short",
)
_TIME = Panel(
    kind="barchart",
    title="Average time per component",
    help="Mean time from a visit to the next visit or its own exit; the top ten.",
    asks=(
        rows(
            "pages",
            Column("page", label="Component"),
            Column("dwell_avg", "number", "Mean time on it", "ms"),
            sort="-dwell_avg",
            limit="10",
        ),
    ),
    unit="ms",
)

BOARD = Board(
    name="components",
    title="Components",
    help="Which components users visit, for how long, and where they go next.",
    variables=filters("page", without="country"),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "Visits",
                    "Component visits, users, sessions; against the range before.",
                    changes("views", "active_users", "sessions", "views_per_session"),
                    width=14,
                ),
                strip(
                    "Trouble",
                    "Sessions with a single visit, and those with a component error.",
                    changes("bounce_rate", "error_rate"),
                    width=10,
                    rising="bad",
                ),
            ),
        ),
        Section(
            "Over time",
            (
                bars(
                    "Component visits",
                    "Visits in the sessions that began in each interval.",
                    series("views"),
                ),
                chart(
                    "Active users",
                    "Users of the sessions begun in each interval, active sessions.",
                    series("active_users", "active_sessions"),
                ),
                chart(
                    "Session duration",
                    "Median and 95th percentile of whole sessions, not of visits.",
                    series("duration_p50", "duration_p95"),
                ),
                chart(
                    "Sessions by component",
                    "Sessions that visited a component; the ten most visited.",
                    series("sessions", by="page", limit=10),
                ),
            ),
        ),
        Section("Components", (_VISITED, _TIME, _ENTRIES)),
        Section("User journey", (GRAPH, MATRIX)),
        Section(
            "Sessions",
            (
                table(
                    "Sessions",
                    "The newest 200 sessions; click an id to open one.",
                    sessions(*SESSION_COLUMNS),
                    width=24,
                    height=10,
                ),
            ),
        ),
    ),
)
