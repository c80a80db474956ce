"""What language models cost, how long they take, for whom."""

from app.dashboards.asks import (
    changes,
    field_column,
    figures,
    rows,
    series,
    sessions,
)
from app.dashboards.boards.common import MARKS, TO_SESSION, TO_USER, filters
from app.dashboards.charts import bars, chart, strip, table
from app.dashboards.nouns import Board, Column, Panel, Section, Variable

_COLUMNS = (
    field_column("start", width=160),
    field_column("id", width=140, links=(TO_SESSION,)),
    field_column("user_name", label="User", links=(TO_USER,)),
    field_column("app"),
    field_column("duration", label="Wall time", width=95),
    field_column("trace_latency", width=110),
    field_column("generation_time", width=120),
    field_column("cost", width=80),
    field_column("tokens", width=80),
    field_column("traces", width=70),
    field_column("generations", width=100),
    field_column(
        "errors", width=65, steps=(1.0,), colors=("text", "red"), look="color"
    ),
    field_column("environment", width=110),
    field_column("version", width=90),
    field_column("user", is_hidden=True),
    field_column("end", is_hidden=True),
)
_USERS = (
    Column("user_name", label="User", links=(TO_USER,)),
    Column("sessions", "number", "Sessions", width=90),
    Column("traces", "number", "Traces", width=90),
    Column("trace_latency_avg", "number", "Mean latency of a session", "ms"),
    Column("cost", "number", "Cost", "currencyUSD", look="gauge"),
    Column("cost_avg", "number", "Mean cost of a session", "currencyUSD"),
    Column("tokens", "number", "Tokens", "short"),
    Column("errors", "number", "Errors", width=80),
    Column("user", is_hidden=True),
)


def _list(title: str, text: str, sort: str) -> Panel:
    return table(
        title, text, sessions(*_COLUMNS, limit=10, sort=sort, traces=">0"), width=24
    )


BOARD = Board(
    name="llm",
    title="LLM sessions",
    help="What language models cost, how long they take, for whom: from Langfuse's traces.",
    since="now-7d",
    variables=(
        *filters("user", without="browser"),
        Variable(
            name="model",
            label="Model",
            help="Sessions that used it.",
            field="model",
            narrowed_by=("app",),
        ),
        Variable(
            name="tag",
            label="Tag",
            help="Sessions that have a trace with it.",
            field="tag",
            narrowed_by=("app",),
        ),
        Variable(
            name="min_sessions",
            label="Users with",
            help="Sessions that a user must have to be listed.",
            is_single=True,
            narrows=False,
            choices=(("5 sessions", "5"), ("1 session", "1"), ("20 sessions", "20")),
        ),
    ),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "Use",
                    "Figures of the range, and their change against the one before.",
                    changes(
                        "traces",
                        "generations",
                        "tokens",
                        "active_users",
                        traces=">0",
                    ),
                ),
                strip(
                    "Cost and trouble",
                    "The less the better: a rise against the range before is red.",
                    changes("cost", "latency_p95"),
                    changes("cost_per_session", "errors", traces=">0"),
                    rising="bad",
                ),
                bars(
                    "Cost by model",
                    "Of the sessions that began in each interval; the ten dearest models.",
                    series("model_cost", by="model", limit=10),
                ),
                bars(
                    "Tokens by model",
                    "Of the sessions that began in each interval, read and written.",
                    series("model_tokens", by="model", limit=10),
                ),
                chart(
                    "Latency of traces",
                    "95th percentile by name of the trace; the ten most frequent.",
                    series("latency_p95", by="trace", limit=10),
                ),
                bars(
                    "Tokens in and out",
                    "What models read and wrote in the sessions of each interval.",
                    series("tokens_in", "tokens_out"),
                ),
            ),
        ),
        Section(
            "Sessions",
            (
                _list(
                    "Slowest sessions", "Most time in traces first.", "-trace_latency"
                ),
                _list("Dearest sessions", "Highest cost first.", "-cost"),
            ),
        ),
        Section(
            "By",
            (
                table(
                    "Users",
                    "Slowest on average first, of those with as many sessions as chosen "
                    "above.",
                    rows(
                        "users",
                        *_USERS,
                        sort="-trace_latency_avg",
                        limit="100",
                        min_sessions="${min_sessions}",
                        traces=">0",
                    ),
                    width=24,
                ),
                table(
                    "By model",
                    "Sessions that used each model, its cost and tokens.",
                    figures("sessions", "model_cost", "model_tokens", by="model"),
                ),
                table(
                    "By tag",
                    "Sessions with a trace of each tag; a session counts for each.",
                    figures("sessions", "cost", "cost_per_session", by="tag"),
                ),
                table(
                    "By trace",
                    "Sessions that had each sort of trace, and its latency.",
                    figures("sessions", "latency_p95", by="trace"),
                ),
                table(
                    "By version",
                    "Cost and errors of each release.",
                    figures(
                        "sessions",
                        "cost_per_session",
                        "tokens",
                        "error_rate",
                        by="version",
                        traces=">0",
                    ),
                ),
            ),
        ),
    ),
)
