"""Name what a JSON data source query can ask for, and in which layout it answers.

Beside every metric of the catalog there are lists. Dashboards built for other backends
of that data source name the layout in the target; these names are kept as aliases.
"""

from dataclasses import dataclass

from app.api.questions import nearest
from app.catalog.metrics import METRICS
from app.errors import UnknownName
from app.sessionql.language import parse

TIMESERIES, TABLE, FRAME, DATAFRAME_JSON, ROWS, CHANGES = (
    "timeseries",
    "table",
    "frame",
    "dataframe_json",
    "rows",
    "changes",  # of a figure: of the range before, and of the range
)
LAYOUTS = (TIMESERIES, TABLE, FRAME, DATAFRAME_JSON, ROWS, CHANGES)

LISTS = {
    "session_list": "Sessions, one by one",
    "users": "Users, one by one",
    "error_list": "Errors, equal ones together",
    "pages": "Pages, one by one",
    "ways": "Ways from page to page",
    "ways_matrix": "Ways from page to page, as a matrix",
    "ways_nodes": "Pages, for a node graph",
    "ways_edges": "Ways from page to page, for a node graph",
    "funnel": "Sessions step by step: payload steps",
    "dropped_off": "Sessions that left a funnel: payload steps, dropped",
    "compare": "Two groups of sessions: payload between, a, b",
    "retention": "Users who come back: payload period",
    "session": "One session: payload app, id, part",
    "status": "Skald itself: payload part",
    "releases": "Releases (annotations)",
    "bursts": "Bursts of errors (annotations)",
    "alerts": "Alerts of rules that fired (annotations)",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a target asks for: a metric or a list, and the layout it implies."""

    name: str
    layout: str
    query: str = ""  # in SessionQL, in place of the name


ALIASES = {
    "sessions_timeseries": Wanted("sessions", TIMESERIES),
    "sessions_frame": Wanted("sessions", FRAME),
    "sessions_dataframejson": Wanted("sessions", DATAFRAME_JSON),
    "sessions_table": Wanted("session_list", TABLE),
    "sessions_rows": Wanted("session_list", ROWS),
    "deploys": Wanted("releases", TABLE),
}

_TYPES = {"timeserie": TIMESERIES, "timeseries": TIMESERIES, "table": TABLE}


def read_target(name: str, kind: str, layout: str) -> Wanted:
    """Find out what is wanted.

    Args:
        name: of a metric, a list or an alias.
        kind: SimpleJSON's ``type`` of the target: timeserie, table or "".
        layout: what the payload says of it, or "".

    Raises:
        UnknownName: there is no such target, or no such layout.
    """
    if layout and layout not in LAYOUTS:
        raise UnknownName(f"no format {layout[:60]!r}; known: {', '.join(LAYOUTS)}")
    wanted = ALIASES.get(name)
    if wanted is None and name in METRICS:
        wanted = Wanted(name, TIMESERIES)
    if wanted is None and name in LISTS:
        wanted = Wanted(name, TABLE)
    if wanted is None:
        known = frozenset(METRICS) | frozenset(LISTS) | frozenset(ALIASES)
        raise UnknownName(f"no metric {name[:60]!r}{nearest(name, known)}")
    return Wanted(wanted.name, layout or _TYPES.get(kind, wanted.layout))


def read_query(text: str, kind: str, layout: str) -> Wanted:
    """Find out what a query in SessionQL wants: a list is a table, figures are series.

    Raises:
        QueryError: it cannot be meant.
        UnknownName: there is no such layout.
    """
    if layout and layout not in LAYOUTS:
        raise UnknownName(f"no format {layout[:60]!r}; known: {', '.join(LAYOUTS)}")
    usual = TABLE if parse(text).kind == "sessions" else TIMESERIES
    return Wanted("", layout or _TYPES.get(kind, usual), text)
