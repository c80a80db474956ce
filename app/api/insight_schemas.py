"""Say what questions about one session, people, problems and journeys consist of."""

from marshmallow import Schema

from app.api.schemas import question
from app.api.wire import Open, Texts, Whole

_CURSOR = Texts("The `next_cursor` of the answer before.")
_FORMAT = Texts("`page` (default), or `rows`: the root array that Infinity likes.")
_SAMPLE = Whole(
    "Look at every so many-th session, and say so. Default: as many as fit the time; "
    "1 looks at all.",
    1,
    1_000_000,
)


def _ranking(name: str, columns: str, **more: Whole) -> type[Schema]:
    return question(
        name,
        sort=Texts(f"One of {columns}; `-` before it for descending."),
        order=Texts("`asc` or `desc`, in place of the sign of `sort`."),
        limit=Whole("Items in one answer. Default: 50.", 1, 1_000),
        cursor=_CURSOR,
        min_sessions=Whole(
            "Only those with at least so many sessions.", 1, 1_000_000_000
        ),
        format=_FORMAT,
        **more,
    )


PeopleSchema = _ranking(
    "PeopleSchema",
    "`sessions`, `first_seen`, `last_seen`, `duration`, `duration_avg`, `views`, "
    "`actions`, `errors`, `errored_sessions`, `failed_requests`; `cost`, `tokens`, "
    "`traces` and their `_avg`, and `latency_avg` of a trace, where sources tell",
)
ProblemsSchema = _ranking(
    "ProblemsSchema", "`count`, `sessions`, `users`, `first_seen`, `last_seen`"
)
PlacesSchema = _ranking(
    "PlacesSchema",
    "`views`, `sessions`, `users`, `entries`, `exits`, `bounces`, `dwell`, `dwell_avg`, "
    "`lcp_avg`",
    sample=_SAMPLE,
)
ScopedSchema = question("ScopedSchema")

DetailSchema: type[Schema] = Open.from_dict(
    {
        "part": Texts(
            "One part of it as a root array of flat rows: `overview`, `facts`, `views`, "
            "`actions`, `errors`, `requests`, `resources`, `resource_types`, `traces`, `vitals`, "
            "`performance`, `attributes`, `neighbours`."
        ),
        "limit": Whole("Rows of each list. Default: 200.", 1, 1_000),
    },
    name="DetailSchema",
)
TimelineSchema: type[Schema] = Open.from_dict(
    {
        "kind": Texts("Kinds of events: `view`, `action`, `error` ... Default: all."),
        "order": Texts("`asc` (default) or `desc`."),
        "limit": Whole("Events in one answer. Default: 500.", 1, 5_000),
        "cursor": _CURSOR,
        "format": Texts(
            "`page` (default); `rows`: a root array; `logs`: a root array for Grafana's "
            "logs panel."
        ),
    },
    name="TimelineSchema",
)
TreeSchema: type[Schema] = Open.from_dict(
    {
        "limit": Whole("Nodes, the most telling. Default: 500.", 1, 5_000),
        "format": Texts(
            "`json` (default): nested; `text`: drawn; `rows`: a root array, each node "
            "after the one that holds it; `trace`: a root array for Grafana's traces."
        ),
    },
    name="TreeSchema",
)
LogsSchema: type[Schema] = Open.from_dict(
    {
        "limit": Whole("Lines in one answer, about. Default: 200.", 2, 2_000),
        "cursor": _CURSOR,
        "format": _FORMAT,
    },
    name="LogsSchema",
)
PathsSchema = question(
    "PathsSchema",
    after=Texts("Follow visitors from their first visit of this page on."),
    before=Texts("Follow visitors up to their first visit of this page."),
    depth=Whole("Tell so many steps apart. Default: all transitions together.", 1, 20),
    top=Whole("Pages told apart; all others are one. Default: 20.", 1, 200),
    limit=Whole("Edges, the most used. Default: 500.", 1, 5_000),
    sample=_SAMPLE,
    format=Texts(
        "`page` (default): nodes and edges; `nodes`, `edges`: root arrays for Grafana's "
        "node graph; `matrix`: a root array, a row a page, a column a next page; `flow`: "
        "rows of source, target and value."
    ),
)
FunnelSchema = question(
    "FunnelSchema",
    step=Texts(
        "A step, repeated in order, 2 to 20: `/cart` or `page=/cart`, `action=pay`, "
        "`error=TypeError`; several values and `~re` as in filters."
    ),
    steps=Texts("Steps in order in one text: `/cart,/checkout,action=pay`, or JSON."),
    strict=Texts("`true`: nothing of the steps' kinds may lie between two of them."),
    within=Texts("Longest time from the first step to the last: `30m`, `1h`, or ms."),
    by=Texts("A field of sessions to tell apart by."),
    groups=Whole("Values of `by` told apart. Default: 10.", 1, 100),
    dropped=Whole(
        "List sessions that came to this step (from 1) and not to the next.", 1, 20
    ),
    limit=Whole("Sessions listed. Default: 50.", 1, 1_000),
    sample=_SAMPLE,
    format=Texts(
        "`page` (default); `rows`: a root array, a row a step; `sessions`: a root array "
        "of the sessions that `dropped` asks for."
    ),
)
RetentionSchema = question(
    "RetentionSchema",
    period=Texts("`day` or `week` (default; from Monday, UTC)."),
    format=_FORMAT,
)
CompareSchema = question(
    "CompareSchema",
    between=Texts(
        "`before` (default): the range against the one before it; `visitors`: new "
        "against returning; `week`: weekdays against weekends; or a field such as "
        "`version`, with `a` and `b`."
    ),
    a=Texts("A filter for the first cohort's field. Default: its most frequent value."),
    b=Texts("A filter for the second cohort's. Default: the next most frequent one."),
    metric=Texts("Metrics. Default: the usual ones."),
    format=_FORMAT,
)
MarksSchema = question(
    "MarksSchema",
    what=Texts(
        "`releases`, `bursts` (of errors), `alerts` (of rules), or all (default)."
    ),
    limit=Whole("Annotations, the newest. Default: 200.", 1, 1_000),
    format=Texts(
        "`rows` (default): for Infinity; `json`: as old JSON data sources want them."
    ),
)
