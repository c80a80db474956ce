"""Who uses the applications, how often, and who comes back."""

from dataclasses import replace

from app.dashboards.asks import (
    changes,
    figures,
    rows,
    series,
)
from app.dashboards.boards.common import MARKS, TO_USER, filters
from app.dashboards.charts import bars, chart, strip, table
from app.dashboards.nouns import Board, Column, Section, Variable

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
RETENTION = table(
    "Retention",
    "Of the users who came first in one week, the share that came back in later ones; "
    "asks for at least eight weeks of range to be telling.",
    rows(
        "retention",
        Column("cohort", "time"),
        Column("period", "number"),
        Column("share", "number"),
        period="week",
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
                strip(
                    "Users",
                    "Identified users, and the change against the range before.",
                    changes("active_users", *_WHO, "sessions"),
                    width=24,
                ),
                bars(
                    "New and returning users",
                    "Users whose first session it was, and users seen before.",
                    series(*_WHO),
                ),
                chart(
                    "Sessions per user",
                    "Sessions and identified users in each interval.",
                    series("sessions", "active_users"),
                ),
            ),
        ),
        Section("Retention", (RETENTION,)),
        Section(
            "Users",
            (
                table(
                    "Users",
                    "The 200 identified users with most sessions; click one.",
                    rows(
                        "users",
                        *_COLUMNS,
                        sort="-sessions",
                        limit="200",
                        min_sessions="${min_sessions}",
                    ),
                    width=24,
                    height=12,
                ),
                table(
                    "New against returning",
                    "Sessions of users who came for the first time, and of others.",
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
                table(
                    "Active users by country",
                    "Identified users and their sessions.",
                    figures("active_users", "sessions", by="country", limit=50),
                ),
            ),
        ),
    ),
)
