"""The tables and columns of what some sources tell beyond pages, actions and errors.

``strands`` maps a trace to its session, and holds the events of one of which no session
is known yet. ``threads`` tells the derived sessions of one visitor, where the lines name
the visitor only. ``aliases`` tell under which other name an application is asked for.
"""

SESSION_COLUMNS = (
    "city", "connection", "frustrations", "crashes", "long_tasks", "has_replay",
    "traces", "observations", "generations", "warnings", "cost", "tokens_in",
    "tokens_out", "tokens", "trace_latency", "generation_time",
)  # fmt: skip

TABLES = """
create table strands (
  hash integer primary key,
  source integer not null,
  session integer,
  seen integer not null,
  events integer not null,
  data blob
);
create index strands_session on strands (session) where session is not null;
create index strands_orphans on strands (source, seen) where session is null;
create table threads (
  who integer not null,
  part integer not null,
  session integer not null,
  primary key (who, part, session)
) without rowid;
create index threads_session on threads (session);
create table aliases (
  source integer not null,
  name text not null,
  app text not null,
  primary key (source, name, app)
) without rowid;
create table traces (
  session integer not null,
  n integer not null,
  at integer not null,
  name integer,
  user integer,
  latency integer not null,
  cost integer not null,
  tokens integer not null,
  errors integer not null,
  primary key (session, n)
) without rowid;
create index traces_name on traces (name);
create index traces_user on traces (user) where user is not null;
create table usage (
  session integer not null,
  n integer not null,
  at integer not null,
  model integer not null,
  generations integer not null,
  cost integer not null,
  tokens_in integer not null,
  tokens_out integer not null,
  tokens integer not null,
  took integer not null,
  primary key (session, n)
) without rowid;
create index usage_model on usage (model);
create table tags (
  session integer not null,
  n integer not null,
  at integer not null,
  tag integer not null,
  primary key (session, n)
) without rowid;
create index tags_tag on tags (tag);
create table scores (
  session integer not null,
  n integer not null,
  at integer not null,
  name integer not null,
  value real,
  text integer,
  primary key (session, n)
) without rowid;
create index scores_name on scores (name);
alter table views add column title integer
"""

STATEMENTS = [each for each in TABLES.split(";") if each.strip()] + [
    f"alter table sessions add column {name} integer" for name in SESSION_COLUMNS
]
CHILDREN = ("traces", "usage", "tags", "scores")
REFERENCES = {
    "traces": ("name", "user"),
    "usage": ("model",),
    "tags": ("tag",),
    "scores": ("name", "text"),
}

NANO = 1_000_000_000  # the index keeps cost in nano-USD
_NANO = " / 1e9"

# kind → (table, {field → column}), as ``sql.EVENTS`` has them
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "trace": (
        "traces",
        {
            "trace": "name",
            "trace_user": "user",
            "latency": "latency",
            "trace_cost": f"cost{_NANO}",
            "trace_tokens": "tokens",
        },
    ),
    "usage": (
        "usage",
        {
            "model": "model",
            "model_calls": "generations",
            "model_cost": f"cost{_NANO}",
            "model_tokens_in": "tokens_in",
            "model_tokens_out": "tokens_out",
            "model_tokens": "tokens",
            "model_time": "took",
        },
    ),
    "tag": ("tags", {"tag": "tag"}),
    "score": ("scores", {"score": "name", "score_value": "value"}),
}


def whole_of(column: str) -> tuple[str, str]:
    """Return a number as it is kept, whole, and what makes one of its unit of it.

    Sums of it are exact, in whatever order they are made.
    """
    return column.removesuffix(_NANO), _NANO if column.endswith(_NANO) else ""
