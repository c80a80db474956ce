"""What goes wrong, whom it meets, since which version."""

from app.dashboards.asks import changes, figures, rows, series, sessions
from app.dashboards.boards.common import (
    MARKS,
    SESSION_COLUMNS,
    TO_SESSION,
    filters,
    status_panel,
)
from app.dashboards.charts import bars, chart, strip, table
from app.dashboards.nouns import Board, Column, Link, Section, Variable

_TO_GROUP = Link(
    "Show only this error",
    "{uid:errors}?var-fingerprint=${__data.fields.fingerprint:percentencode}"
    "&${__url_time_range}&var-datasource=${datasource}",
)
_GROUP_COLUMNS = (
    Column("type", label="Type", width=120),
    Column("message", label="Message", least=240, links=(_TO_GROUP,)),
    Column("count", "number", "Times", width=70),
    Column("sessions", "number", "Sessions", width=80),
    Column("users", "number", "Users", width=65),
    Column("page", label="Page"),
    Column("first_seen", "time", "First seen", width=160),
    Column("last_seen", "time", "Last seen", width=160),
    Column("first_version", label="Since version", width=105),
    Column("last_version", label="Until version", width=105),
    Column(
        "session",
        label="Newest session",
        width=120,
        links=(
            Link(
                TO_SESSION.title,
                "{uid:session}?var-app=${__data.fields.app:percentencode}&var-session=${__data.fields.session:percentencode}&${__url_time_range}&var-datasource=${datasource}",
            ),
        ),
    ),
    Column("app", is_hidden=True),
    Column("fingerprint", is_hidden=True),
)
_FINGERPRINT = Variable(
    name="fingerprint",
    label="Error",
    help="Fingerprint: equal for errors that differ only in numbers and ids.",
    field="fingerprint",
    narrowed_by=("app",),
)

BOARD = Board(
    name="errors",
    title="Errors",
    help="What goes wrong, in how many sessions, whom it meets, since which version.",
    variables=(*filters("page"), _FINGERPRINT),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "Trouble",
                    "The less the better: a rise against the range before is red.",
                    changes(
                        "errors",
                        "errored_sessions",
                        "crashed_sessions",
                        "error_rate",
                    ),
                    width=18,
                    rising="bad",
                ),
                strip(
                    "Crash-free",
                    "Share of sessions that did not crash, against the range before.",
                    changes("crash_free_rate"),
                    width=6,
                ),
                bars(
                    "Sessions with errors, by type",
                    "Sessions that had at least one error of a type; ten types most.",
                    series("sessions", by="error", limit=10, errors=">0"),
                ),
                chart(
                    "Error and crash-free rate",
                    "Shares of the sessions that began in each interval.",
                    series("error_rate", "crash_free_rate"),
                ),
            ),
        ),
        Section(
            "Errors",
            (
                table(
                    "Errors",
                    "Equal ones together, the 200 most frequent; click one to see only it.",
                    rows("errors", *_GROUP_COLUMNS, limit="200"),
                    width=24,
                    height=12,
                ),
            ),
        ),
        Section(
            "Where",
            (
                table(
                    "By version",
                    "How good each release is.",
                    figures(
                        "sessions",
                        "error_rate",
                        "crash_free_rate",
                        "errors",
                        by="version",
                        limit=50,
                    ),
                ),
                table(
                    "By browser",
                    "How good each browser, in each of its versions, is.",
                    figures(
                        "sessions",
                        "error_rate",
                        "crash_free_rate",
                        by="browser,browser_version",
                        limit=50,
                    ),
                ),
                status_panel(),
                table(
                    "Errors by page",
                    "Sessions that had an error on a page.",
                    figures("sessions", by="page,error", limit=50, errors=">0"),
                ),
            ),
        ),
        Section(
            "Sessions with errors",
            (
                table(
                    "Sessions with errors",
                    "Most errors first; click an id to open one.",
                    sessions(*SESSION_COLUMNS, sort="-errors", errors=">0"),
                    width=24,
                    height=12,
                ),
            ),
        ),
    ),
)
