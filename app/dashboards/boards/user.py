"""One user: sessions, pages, errors, devices."""

from app.dashboards.asks import changes, figures, rows, sessions
from app.dashboards.boards.common import (
    SESSION_COLUMNS,
    chosen,
    status_panel,
    to_board,
)
from app.dashboards.nouns import Board, Column, Panel, Section

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
                Panel(
                    kind="stat",
                    title="Sessions of this user",
                    help="Figures of the range, and the change against the range before.",
                    asks=(changes("sessions", "views", "duration_avg", "actions"),),
                    width=14,
                    height=4,
                ),
                Panel(
                    kind="stat",
                    title="Trouble",
                    help="The less the better: a rise against the range before is red.",
                    asks=(changes("errors", "error_rate"),),
                    width=10,
                    height=4,
                    rising="bad",
                ),
                status_panel(),
                Panel(
                    kind="table",
                    title="Pages",
                    help="Pages that this user visited, and for how long.",
                    asks=(
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
        ),
        Section(
            "Sessions",
            (
                Panel(
                    kind="table",
                    title="Sessions",
                    help="The newest sessions of this user; click an id to open one.",
                    asks=(sessions(*SESSION_COLUMNS),),
                    width=24,
                    height=10,
                ),
            ),
        ),
        Section(
            "Trouble and devices",
            (
                Panel(
                    kind="table",
                    title="Errors",
                    help="Errors that this user met, equal ones together.",
                    asks=(
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
                ),
                Panel(
                    kind="table",
                    title="Devices",
                    help="What this user's sessions ran on.",
                    asks=(figures(*_FIGURES, by="device,os,browser"),),
                ),
            ),
        ),
    ),
)
