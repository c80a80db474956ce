"""One session, whole: reached by a link from any list of sessions."""

from app.dashboards.asks import field_column
from app.dashboards.boards.common import TO_SESSION, chosen
from app.dashboards.charts import strip, table
from app.dashboards.nouns import Ask, Board, Column, Panel, Section

_PATH = "sessions/${app:percentencode}/${session:percentencode}"
_WHICH = {"app": "$app", "id": "$session"}


def _ask(part: str, *columns: Column) -> Ask:
    return Ask(
        _PATH,
        columns,
        {"part": part},
        is_narrowed=False,
        is_ranged=False,
        target="session",
        told=_WHICH,
    )


def _more(end: str, shape: str, *columns: Column, part: str, **given: str) -> Ask:
    return Ask(
        f"{_PATH}/{end}",
        columns,
        given,
        shape,
        is_narrowed=False,
        is_ranged=False,
        target="session",
        told=_WHICH | {"part": part},
    )


_OVERVIEW = strip(
    "Overview",
    "The whole session, whatever the time range of the board.",
    _ask(
        "overview",
        field_column("duration", label="Time spent"),
        field_column("views"),
        field_column("actions"),
        field_column("errors", steps=(1.0,), colors=("text", "red")),
        field_column("failed_requests", steps=(1.0,), colors=("text", "orange")),
        field_column("events"),
    ),
    width=24,
)
_FACTS = table(
    "Facts",
    "User, device, network, geography, custom attributes.",
    _ask(
        "facts",
        Column("section", label="Section", width=110),
        Column("name", label="Name", width=140),
        Column("value", label="Value"),
    ),
    width=8,
    height=20,
)
_WATERFALL = Panel(
    kind="traces",
    title="Waterfall",
    help="Views with what they held, traces with their steps, nested and in time.",
    asks=(
        _more(
            "tree",
            "trace",
            Column("traceID"),
            Column("spanID"),
            Column("parentSpanID"),
            Column("operationName"),
            Column("serviceName"),
            Column("startTime", "number"),
            Column("duration", "number"),
            part="trace",
            format="trace",
        ),
    ),
    width=16,
    height=20,
)
_TIMELINE = Panel(
    kind="logs",
    title="Timeline",
    help="All events in order: views, actions, requests, errors, logs, measurements.",
    asks=(
        _more(
            "timeline",
            "logs",
            Column("timestamp", "time"),
            Column("body"),
            Column("severity"),
            Column("level"),
            Column("id"),
            Column("kind"),
            Column("page"),
            part="timeline",
            format="logs",
            limit="1000",
        ),
    ),
    width=24,
    height=14,
)
_NAMED = tuple((name, name.upper(), "") for name in ("lcp", "inp", "cls", "ttfb", "fcp", "fid"))  # fmt: skip
_RATED = (
    ("good", "good", "green"),
    ("needs improvement", "needs improvement", "yellow"),
    ("poor", "poor", "red"),
)
_VITALS = table(
    "Web vitals",
    "75th percentile over the views of this session, the worst, and Google's rating.",
    _ask(
        "vitals",
        Column("name", label="Vital", width=70, texts=_NAMED),
        Column("value", "number", "p75", width=80),
        Column("worst", "number", "Worst", width=80),
        Column("unit", label="Unit", width=60),
        Column("samples", "number", "Samples", width=80),
        Column("rating", label="Rating", look="color", texts=_RATED),
    ),
    width=8,
)
_VIEWS = table(
    "Views",
    "Pages visited, with the time spent on each and its web vitals.",
    _ask(
        "views",
        Column("number", "number", "#", width=50),
        Column("at", "time", "At", width=170),
        Column("page", label="Page"),
        Column("title", label="Title"),
        field_column("dwell", width=90),
        field_column("lcp", width=75),
        field_column("inp", width=75),
        field_column("cls", width=65),
        field_column("ttfb", width=75),
        field_column("fcp", width=75),
    ),
    width=16,
)
_ERRORS = table(
    "Errors",
    "Errors of this session, equal ones together, with the stack of the first.",
    _ask(
        "errors",
        Column("first", "time", "First", width=170),
        Column("type", label="Type", width=130),
        Column("message", label="Message", least=240),
        Column("page", label="Page", width=140),
        Column("count", "number", "Times", width=80),
        Column("fatal", "boolean", "Fatal", width=70),
        Column("stack", label="Stack", least=240),
    ),
    width=24,
)
_ACTIONS = table(
    "Actions",
    "What the user did: named actions and custom events.",
    _ask(
        "actions",
        Column("at", "time", "At", width=170),
        Column("name", label="Action"),
        Column("page", label="Page"),
    ),
    width=24,
    height=6,
)
_REQUEST = (
    Column("at", "time", "At", width=170),
    Column("method", label="Method", width=80),
    Column("url", label="URL"),
    Column("type", label="Type", width=90),
    Column(
        "status",
        "number",
        "Status",
        width=80,
        steps=(400.0, 500.0),
        colors=("text", "orange", "red"),
        look="color",
    ),
    Column("duration", "number", "Took", "ms", width=90),
    Column("dns", "number", "DNS", "ms", width=80),
    Column("tcp", "number", "Connect", "ms", width=80),
    Column("request", "number", "Request", "ms", width=80),
    Column("response", "number", "Response", "ms", width=90),
    Column("bytes", "number", "Size", "bytes", width=90),
    Column("trace", label="Trace", width=120),
)
_REQUESTS = table(
    "API calls",
    "Requests of the application, as the browser and its tracer saw them.",
    _ask("requests", *_REQUEST),
    width=24,
)
_RESOURCES = table(
    "Resources",
    "Files that the pages loaded, with their timings.",
    _ask("resources", *_REQUEST),
    width=24,
)
_TYPES = table(
    "Resources by type",
    "All requests of the session, summed up by type.",
    _ask(
        "resource_types",
        Column("type", label="Type"),
        Column("count", "number", "Requests", look="gauge"),
        Column("failed", "number", "Failed"),
        Column("bytes", "number", "Size", "bytes"),
        Column("duration", "number", "Took", "ms"),
    ),
    width=24,
    height=6,
)
_NEIGHBOURS = table(
    "Sessions before and after",
    "Of the same user; click an id to open one.",
    _ask(
        "neighbours",
        Column("which", label="Which", width=90),
        field_column("start", width=170),
        field_column("id", links=(TO_SESSION,)),
        field_column("errors"),
        field_column("app"),
        field_column("end", is_hidden=True),
    ),
    width=24,
    height=5,
)
_LINES = Panel(
    kind="logs",
    title="Raw lines",
    help="The lines in Loki that name this session, or a trace of it.",
    asks=(
        _more(
            "logs",
            "logs",
            Column("timestamp", "time"),
            Column("body"),
            Column("severity"),
            Column("id"),
            part="logs",
            format="rows",
        ),
    ),
    width=24,
    height=12,
)

BOARD = Board(
    name="session",
    title="Session",
    help="Everything about one session; the newest one until you choose or follow a link.",
    since="now-7d",
    variables=(
        chosen("app", help="App of the session."),
        chosen(
            "session",
            field="id",
            narrowed_by=("app",),
            help="Its id; the newest sessions are listed, any other can be typed.",
        ),
    ),
    sections=(
        Section("Overview", (_OVERVIEW, _WATERFALL, _FACTS)),
        Section("Timeline", (_TIMELINE,)),
        Section("What happened", (_VITALS, _VIEWS, _ERRORS, _ACTIONS, _REQUESTS)),
        Section("Sessions before and after", (_NEIGHBOURS,)),
        Section("Resources", (_RESOURCES, _TYPES), is_folded=True),
        Section("Raw lines", (_LINES,), is_folded=True),
    ),
)
