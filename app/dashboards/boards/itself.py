"""How Skald itself fares: what it reads, leaves out, runs, and how large its index is."""

from app.dashboards.asks import fixed, series
from app.dashboards.charts import chart, strip, table
from app.dashboards.nouns import Ask, Board, Column, Section

_RED = ("text", "red")


def _status(part: str, *columns: Column) -> Ask:
    ask = Ask(f"status/{part}", columns, target="status", told={"part": part})
    return fixed(ask)


BOARD = Board(
    name="itself",
    title="Skald itself",
    help="How Skald fares: lag, entries read and left out, jobs, rules, size of the index. "
    "Its history is in Prometheus, when that scrapes /metrics.",
    since="now-24h",
    refresh="1m",
    tags=("operations",),
    sections=(
        Section(
            "Index",
            (
                strip(
                    "Index",
                    "Sessions held, bytes in use, entries read since the index began, "
                    "those left out, and how far the slowest source is behind.",
                    _status(
                        "index",
                        Column(
                            "lag",
                            "number",
                            "Behind",
                            "ms",
                            steps=(120_000.0, 600_000.0),
                            colors=("green", "yellow", "red"),
                        ),
                        Column("sessions", "number", "Sessions", "short"),
                        Column("bytes", "number", "In use", "bytes"),
                        Column("file", "number", "File", "bytes"),
                        Column("entries", "number", "Entries read", "short"),
                        Column("dropped", "number", "Entries left out", "short"),
                    ),
                    width=24,
                ),
                chart(
                    "Sessions indexed",
                    "Sessions by the time at which they began: a gap is one in the logs "
                    "or in the indexing.",
                    series("sessions", by="source", limit=20),
                    width=24,
                ),
            ),
        ),
        Section(
            "Sources",
            (
                table(
                    "Sources",
                    "What each source was read to, and when it last said something new.",
                    _status(
                        "sources",
                        Column("source", label="Source"),
                        Column(
                            "lag",
                            "number",
                            "Behind",
                            "ms",
                            steps=(120_000.0, 600_000.0),
                            colors=("green", "yellow", "red"),
                            look="color",
                        ),
                        Column("entries", "number", "Entries", "short"),
                        Column("decoded", "number", "Understood", "short"),
                        Column("dropped", "number", "Left out", "short"),
                        Column("bytes", "number", "Read", "bytes"),
                        Column("updated", "time", "Last change"),
                    ),
                    width=14,
                ),
                table(
                    "Entries left out",
                    "Lines that are no part of any session, by reason.",
                    _status(
                        "dropped",
                        Column("source", label="Source"),
                        Column("reason", label="Reason"),
                        Column("entries", "number", "Entries", "short", look="gauge"),
                    ),
                    width=10,
                ),
            ),
        ),
        Section(
            "Jobs and rules",
            (
                table(
                    "Jobs",
                    "What runs when; a missed run was due and did not start.",
                    _status(
                        "jobs",
                        Column("job", label="Job"),
                        Column("runs", "number", "Runs", "short"),
                        Column(
                            "failures",
                            "number",
                            "Failed",
                            "short",
                            steps=(1.0,),
                            colors=_RED,
                            look="color",
                        ),
                        Column("missed", "number", "Missed", "short"),
                        Column("took", "number", "Last took", "ms"),
                        Column("started", "time", "Last start"),
                        Column("error", label="Last error"),
                    ),
                ),
                table(
                    "Rules",
                    "Recording and alerting rules that Skald evaluates, and their health.",
                    _status(
                        "rules",
                        Column("group", label="Group"),
                        Column("rule", label="Rule"),
                        Column("type", label="Type", width=90),
                        Column("health", label="Health", width=80),
                        Column("state", label="State", width=80),
                        Column("took", "number", "Took", "ms", width=90),
                        Column("evaluated", "string", "Last evaluation"),
                        Column("error", label="Last error"),
                    ),
                ),
            ),
        ),
    ),
)
