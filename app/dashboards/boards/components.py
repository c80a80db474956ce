"""Which components users visit, for how long, and where they go next."""

from app.catalog.metrics import METRICS
from app.dashboards.asks import changes, figures, label_names, rows, series, sessions
from app.dashboards.boards.common import MARKS, SESSION_COLUMNS, filters
from app.dashboards.boards.journeys import GRAPH, MATRIX
from app.dashboards.nouns import Board, Column, Panel, Section
from app.dashboards.panels import BARS

_VISITED = Panel(
    kind="table",
    title="Components",
    help="Visits, sessions, mean time from a visit to the next or its own exit, "
    "and how often a session began or ended there.",
    asks=(
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
                Panel(
                    kind="stat",
                    title="Visits",
                    help="Component visits, users, sessions; against the range before.",
                    asks=(
                        changes(
                            "views", "active_users", "sessions", "views_per_session"
                        ),
                    ),
                    width=14,
                    height=4,
                ),
                Panel(
                    kind="stat",
                    title="Trouble",
                    help="Sessions with a single visit, and those with a component error.",
                    asks=(changes("bounce_rate", "error_rate"),),
                    width=10,
                    height=4,
                    rising="bad",
                ),
            ),
        ),
        Section(
            "Over time",
            (
                Panel(
                    kind="timeseries",
                    title="Component visits",
                    help="Visits in the sessions that began in each interval.",
                    asks=(series("views"),),
                    unit="short",
                    names={"Value": METRICS["views"].label},
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Active users",
                    help="Users of the sessions begun in each interval, active sessions.",
                    asks=(series("active_users", "active_sessions"),),
                    unit="short",
                    names=label_names(("active_users", "active_sessions")),
                ),
                Panel(
                    kind="timeseries",
                    title="Session duration",
                    help="Median and 95th percentile of whole sessions, not of visits.",
                    asks=(series("duration_p50", "duration_p95"),),
                    unit="ms",
                    names=label_names(("duration_p50", "duration_p95")),
                ),
                Panel(
                    kind="timeseries",
                    title="Sessions by component",
                    help="Sessions that visited a component; the ten most visited.",
                    asks=(series("sessions", by="page", limit=10),),
                    unit="short",
                ),
            ),
        ),
        Section("Components", (_VISITED, _TIME, _ENTRIES)),
        Section("User journey", (GRAPH, MATRIX)),
        Section(
            "Sessions",
            (
                Panel(
                    kind="table",
                    title="Sessions",
                    help="The newest 200 sessions; click an id to open one.",
                    asks=(sessions(*SESSION_COLUMNS),),
                    width=24,
                    height=10,
                ),
            ),
        ),
    ),
)
