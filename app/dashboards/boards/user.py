"""One user: sessions, pages, errors, devices."""

from app.dashboards.asks import changes, figures, rows, sessions
from app.dashboards.boards.common import (
    SESSION_COLUMNS,
    chosen,
    status_panel,
    to_board,
)
from app.dashboards.charts import strip, table
from app.dashboards.nouns import Board, Column, Section

_FIGURES = ("sessions", "error_rate", "duration_p50")

BOARD = Board(
    name="user",
    title="User",
    help="One user; whoever has most sessions until you choose or follow a link.",
    since="now-30d",
    variables=(
        chosen(
            "user",
            narrows=True,
            help="Id of the user; the most frequent are listed, any can be typed.",
        ),
    ),
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "Sessions of this user",
                    "Figures of the range, and the change against the range before.",
                    changes("sessions", "views", "duration_avg", "actions"),
                    width=14,
                ),
                strip(
                    "Trouble",
                    "The less the better: a rise against the range before is red.",
                    changes("errors", "error_rate"),
                    width=10,
                    rising="bad",
                ),
                status_panel(),
                table(
                    "Pages",
                    "Pages that this user visited, and for how long.",
                    rows(
                        "pages",
                        Column("page", label="Page"),
                        Column("views", "number", "Views", look="gauge"),
                        Column("dwell_avg", "number", "Mean time on it", "ms"),
                        Column("exits", "number", "Exits"),
                    ),
                ),
            ),
        ),
        Section(
            "Sessions",
            (
                table(
                    "Sessions",
                    "The newest sessions of this user; click an id to open one.",
                    sessions(*SESSION_COLUMNS),
                    width=24,
                    height=10,
                ),
            ),
        ),
        Section(
            "Trouble and devices",
            (
                table(
                    "Errors",
                    "Errors that this user met, equal ones together.",
                    rows(
                        "errors",
                        Column("type", label="Type"),
                        Column(
                            "message",
                            label="Message",
                            least=200,
                            links=(
                                to_board(
                                    "Open the error",
                                    "errors",
                                    "fingerprint",
                                    "fingerprint",
                                ),
                            ),
                        ),
                        Column("count", "number", "Times", look="gauge"),
                        Column("last_seen", "time", "Last seen", width=170),
                        Column("fingerprint", is_hidden=True),
                    ),
                ),
                table(
                    "Devices",
                    "What this user's sessions ran on.",
                    figures(*_FIGURES, by="device,os,browser"),
                ),
            ),
        ),
    ),
)
