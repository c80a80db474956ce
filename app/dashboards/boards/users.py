"""Who uses the applications, how often, and who comes back."""

from dataclasses import replace

from app.dashboards.asks import (
    changes,
    figures,
    label_names,
    rows,
    series,
)
from app.dashboards.boards.common import MARKS, TO_USER, filters
from app.dashboards.nouns import Board, Column, Panel, Section, Variable
from app.dashboards.panels import BARS

_WHO = ("new_users", "returning_users")
_COMPARED = (
    "sessions",
    "active_users",
    "error_rate",
    "bounce_rate",
    "duration_avg",
    "views_per_session",
)

_COLUMNS = (
    Column("user_name", label="User", links=(TO_USER,)),
    Column("sessions", "number", "Sessions", look="gauge"),
    Column("first_seen", "time", "First seen", width=170),
    Column("last_seen", "time", "Last seen", width=170),
    Column("duration_avg", "number", "Mean time spent", "ms"),
    Column("views", "number", "Views"),
    Column("actions", "number", "Actions"),
    Column("errors", "number", "Errors"),
    Column("errored_sessions", "number", "Sessions with errors"),
    Column("user", is_hidden=True),
)
RETENTION = Panel(
    kind="table",
    title="Retention",
    help="Of the users who came first in one week, the share that came back in later ones; "
    "asks for at least eight weeks of range to be telling.",
    asks=(
        rows(
            "retention",
            Column("cohort", "time"),
            Column("period", "number"),
            Column("share", "number"),
            period="week",
        ),
    ),
    width=24,
    unit="percentunit",
    steps=(0.05, 0.2, 0.5),
    colors=("transparent", "super-light-blue", "light-blue", "blue"),
    custom={"cellOptions": {"type": "color-background", "mode": "basic"}},
    overrides={
        "cohort\\period": {
            "displayName": "First seen in the week of",
            "unit": "time:YYYY-MM-DD",
            "custom.cellOptions": {"type": "auto"},
        }
    },
    transformations=(
        {
            "id": "groupingToMatrix",
            "options": {
                "columnField": "period",
                "rowField": "cohort",
                "valueField": "share",
                "emptyValue": "null",
            },
        },
        {
            "id": "renameByRegex",
            "options": {"regex": "^(\\d+)$", "renamePattern": "Week $1"},
        },
    ),
)

BOARD = Board(
    name="users",
    title="Users",
    help="Who uses the applications, how often, and who comes back.",
    since="now-7d",
    variables=(
        *filters("user"),
        Variable(
            name="min_sessions",
            label="At least",
            help="Sessions that a user must have to be listed.",
            is_single=True,
            narrows=False,
            choices=(
                ("1 session", "1"),
                ("2 sessions", "2"),
                ("5 sessions", "5"),
                ("10 sessions", "10"),
            ),
        ),
    ),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                Panel(
                    kind="stat",
                    title="Users",
                    help="Identified users, and the change against the range before.",
                    asks=(changes("active_users", *_WHO, "sessions"),),
                    width=24,
                    height=4,
                ),
                Panel(
                    kind="timeseries",
                    title="New and returning users",
                    help="Users whose first session it was, and users seen before.",
                    asks=(series(*_WHO),),
                    unit="short",
                    names=label_names(_WHO),
                    custom=BARS,
                ),
                Panel(
                    kind="timeseries",
                    title="Sessions per user",
                    help="Sessions and identified users in each interval.",
                    asks=(series("sessions", "active_users"),),
                    unit="short",
                    names=label_names(("sessions", "active_users")),
                ),
            ),
        ),
        Section("Retention", (RETENTION,)),
        Section(
            "Users",
            (
                Panel(
                    kind="table",
                    title="Users",
                    help="The 200 identified users with most sessions; click one.",
                    asks=(
                        rows(
                            "users",
                            *_COLUMNS,
                            sort="-sessions",
                            limit="200",
                            min_sessions="${min_sessions}",
                        ),
                    ),
                    width=24,
                    height=12,
                ),
                Panel(
                    kind="table",
                    title="New against returning",
                    help="Sessions of users who came for the first time, and of others.",
                    asks=(
                        replace(
                            rows(
                                "compare",
                                Column("label", label="Figure"),
                                Column("text_a", label="New"),
                                Column("text_b", label="Returning"),
                                Column("change", "number", "Difference", "percentunit"),
                                between="visitors",
                                metric=",".join(_COMPARED),
                            ),
                            told={"metric": list(_COMPARED)},
                        ),
                    ),
                ),
                Panel(
                    kind="table",
                    title="Active users by country",
                    help="Identified users and their sessions.",
                    asks=(figures("active_users", "sessions", by="country", limit=50),),
                ),
            ),
        ),
    ),
)
