"""Compose SQL: with names of the catalog only and every value bound.

The session is always ``s``; a view, action or error in it is ``e``.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.errors import BadRequest
from app.sessionql.plan import Window
from app.sessionql.strata import Stratum
from app.store import told_tables
from app.store.strings import safe

MAX_DEPTH = 50
NARROW = 6 * 3_600_000  # ms; of less time sessions are looked up one by one

# how a session field reads in SQL; strings are numbers of table ``strings``
STRINGS = {
    name: f"s.{name}"
    for name in (
        "app", "environment", "version", "browser", "browser_version", "os", "device",
        "country", "language", "referrer", "entry", "exit", "user", "user_name",
        "previous", "city", "connection",
    )
}  # fmt: skip
_NUMBERS = {
    name: f"s.{name}"
    for name in (
        "start", "end", "views", "actions", "errors", "log_errors", "failed_requests",
        "resources", "events", "frustrations", "crashes", "long_tasks", "traces",
        "observations", "generations", "warnings", "tokens_in", "tokens_out", "tokens",
        "trace_latency", "generation_time", "has_replay",
    )
} | {"duration": "(s.end - s.start)", "cost": "s.cost / 1e9"}  # fmt: skip

BOUNCES = {
    "single_view": "case when s.views > 0 then s.views = 1 end",
    "plausible": "s.views + s.actions <= 1",
    "ga4": "(s.end - s.start < 10000 and s.views < 2)",
    "openobserve": "(s.events <= 1 or s.end - s.start < 10000)",
}

# kind → (table, {field → column}); strings are numbers of table ``strings``
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "view": (
        "views",
        {
            name: name
            for name in ("page", "dwell", "lcp", "inp", "cls", "ttfb", "fcp", "title")
        },
    ),
    "action": ("actions", {"action": "name", "page": "page"}),
    "error": (
        "errors",
        {
            "error": "type",
            "message": "message",
            "fingerprint": "fingerprint",
            "page": "page",
        },
    ),
    **told_tables.EVENTS,
}


@dataclass(slots=True)
class Statement:
    """SQL being composed: clauses, and the values they bind.

    Attributes:
        tenant: whose sessions.
        bounce: which definition.
        now: the time of asking, ms.
        strata: all sessions, by the rate at which they were sampled; none = all kept.
        among: condition on ``s`` that every session of the answer meets.
        is_narrow: it leaves few sessions, so that each may be looked up.
    """

    tenant: str
    bounce: str
    now: int
    strata: tuple[Stratum, ...] = ()
    among: str = "1"
    is_narrow: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    ctes: list[str] = field(default_factory=list)
    _names: Any = field(default_factory=count)

    def bind(self, value: Any) -> str:
        """Return a placeholder that stands for *value*."""
        name = f"v{next(self._names)}"
        self.values[name] = safe(value) if isinstance(value, str) else value
        return f":{name}"

    def strings(self, values: tuple[Any, ...]) -> str:
        """Return a subquery: the numbers of those strings."""
        places = ", ".join(self.bind(str(value)) for value in values)
        return f"(select id from strings where value in ({places}))"

    def keep(self, select: str) -> str:
        """Let *select* run once, before everything else; return the name of its rows."""
        name = f"t{len(self.ctes)}"
        self.ctes.append(f"{name} as materialized ({select})")
        return name

    def name(self, select: str) -> str:
        """Return a name for the rows of *select*, so that nothing nests deeply.

        SQLite's parser has room for a hundred things that are not finished yet.
        """
        name = f"t{len(self.ctes)}"
        self.ctes.append(f"{name} as ({select})")
        return name

    def expression(self, name: str) -> str:
        """Return how a session's number or boolean reads."""
        if name in _NUMBERS:
            return _NUMBERS[name]
        if name == "bounced":
            return f"({BOUNCES[self.bounce]})"
        if name == "active":
            now, of = self.bind(self.now), "from sources where id = s.source"
            return (
                f"(s.end > {now} - (select inactivity {of})"
                f" and s.start > {now} - (select longest {of}))"
            )
        if name == "returning":
            return (
                "(case when s.user is not null then exists (select 1 from sessions as p"
                " where p.user = s.user and p.start < s.start and p.app is s.app"
                f" and p.{self.ours()[2:]}) end)"
            )
        raise BadRequest(f"{name!r} is no number")

    def ours(self) -> str:
        """Return the condition that keeps other tenants' sessions out."""
        tenant = self.bind(self.tenant)
        return f"s.source in (select id from sources where tenant = {tenant})"

    def look_at(self, window: Window) -> str:
        """Return the condition that a session is ours and began in the window."""
        self.among = f"{in_window(self, window)} and {self.ours()}"
        self.is_narrow = window.end - window.start <= NARROW
        return self.among

    def text(self, select: str) -> str:
        """Return the statement, with what it needs before it."""
        return f"with {', '.join(self.ctes)} {select}" if self.ctes else select


def in_window(statement: Statement, window: Window) -> str:
    """Return the condition that a session began in the window."""
    start, end = statement.bind(window.start), statement.bind(window.end)
    return f"s.start >= {start} and s.start < {end}"


def bucket_of(statement: Statement, window: Window, at: str) -> str:
    """Return which bucket an instant falls into."""
    if not window.step:
        return statement.bind(window.start)
    step = statement.bind(window.step)
    return f"({at} - {at} % {step})"
