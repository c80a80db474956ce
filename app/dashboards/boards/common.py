"""What several boards share: variables, annotations, columns with their links."""

from typing import Any

from app.dashboards.asks import field_column, series
from app.dashboards.charts import bars
from app.dashboards.nouns import Annotation, Column, Link, Panel, Variable

_TIME = "${__url_time_range}"
_SOURCE = "var-datasource=${datasource}"


def _to_session(app: str, session: str, start: str, end: str) -> Link:
    fields = "${{__data.fields.{}}}"
    app, session = (fields.format(f"{each}:percentencode") for each in (app, session))
    start, end = (fields.format(f"{each}.numeric") for each in (start, end))
    return Link(
        "Open the session",
        f"{{uid:session}}?var-app={app}&var-session={session}"
        f"&from={start}&to={end}&{_SOURCE}",
    )


TO_SESSION = _to_session("app", "id", "start", "end")
TO_USER = Link(
    "Open the user",
    f"{{uid:user}}?var-user=${{__data.fields.user:percentencode}}&{_TIME}&{_SOURCE}",
)


def to_board(title: str, board: str, variable: str, field: str) -> Link:
    """Lead to another board, with one of its variables set to the value of a field."""
    value = f"${{__data.fields.{field}:percentencode}}"
    return Link(title, f"{{uid:{board}}}?var-{variable}={value}&{_TIME}&{_SOURCE}")


# -- variables ---------------------------------------------------------------------

_CHAIN = ("app", "environment", "version", "browser", "country")
_LABELS = {
    "app": "App",
    "environment": "Environment",
    "version": "Version",
    "browser": "Browser",
    "country": "Country",
    "page": "Page",
    "user": "User",
    "device": "Device",
    "session": "Session",
}


def filters(*more: str, without: str = "") -> tuple[Variable, ...]:
    """Return the usual filters, each narrowed by those before it, and *more*."""
    wanted = [each for each in (*_CHAIN, *more) if each != without]
    return tuple(
        Variable(
            name=name,
            label=_LABELS[name],
            help="Most frequent first; narrowed by the variables before it.",
            field=name,
            narrowed_by=tuple(wanted[: min(number, 2)]),
        )
        for number, name in enumerate(wanted)
    )


def chosen(name: str, **more: Any) -> Variable:
    """Return a variable that has one value, chosen once and kept when time moves."""
    known = {"field": name, "since": "now-30d", "is_single": True, "narrows": False}
    return Variable(name=name, label=_LABELS[name], **{**known, **more})


RELEASES = Annotation("Releases", "releases", "blue")
BURSTS = Annotation("Error bursts", "bursts", "red")
ALERTS = Annotation("Alerts", "alerts", "orange")
MARKS = (RELEASES, BURSTS, ALERTS)

# -- columns of lists of sessions --------------------------------------------------

SESSION_COLUMNS: tuple[Column, ...] = (
    field_column("start", width=160),
    field_column("id", width=125, links=(TO_SESSION,)),
    field_column("user_name", label="User", links=(TO_USER,)),
    field_column("app"),
    field_column("status", width=80, look="color"),
    field_column("duration", label="Time spent", width=95),
    field_column("views", width=60),
    field_column("actions", width=70),
    field_column(
        "errors",
        width=65,
        steps=(1.0, 5.0),
        colors=("text", "yellow", "red"),
        look="color",
    ),
    field_column("entry"),
    field_column("exit"),
    field_column("country", width=75),
    field_column("browser", width=80),
    field_column("os", width=80),
    field_column("version", width=85),
    field_column("user", is_hidden=True),
    field_column("end", is_hidden=True),
)

# -- panels ------------------------------------------------------------------------

STATUSES = (
    "healthy_sessions",
    "errored_sessions",
    "crashed_sessions",
    "abnormal_sessions",
)


def status_panel(width: int = 12) -> Panel:
    """Show sessions by status, one upon the other."""
    return bars(
        "Sessions by status",
        "Sessions by the time at which they began; the statuses sum to all of them.",
        series(*STATUSES),
        width=width,
        names={name: name.removesuffix("_sessions") for name in STATUSES},
    )
