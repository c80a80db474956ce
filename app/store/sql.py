"""Compose SQL: from plans, with names of the catalog only and every value bound.

The session is always ``s``; a view, action or error in it is ``e``.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.catalog.fields import FIELDS, STATUSES, Field, find
from app.errors import BadRequest
from app.sessionql.plan import And, Compare, Filter, Leaf, Not, Text, Window
from app.store.strings import safe

MAX_LABELS = 6
MAX_DEPTH = 50

# how a session field reads in SQL; strings are numbers of table ``strings``
_STRINGS = {
    name: f"s.{name}"
    for name in (
        "app", "environment", "version", "browser", "browser_version", "os", "device",
        "country", "language", "referrer", "entry", "exit", "user", "user_name",
        "previous",
    )
}  # fmt: skip
_NUMBERS = {
    name: f"s.{name}"
    for name in (
        "start", "end", "views", "actions", "errors", "log_errors", "failed_requests",
        "resources", "events",
    )
} | {"duration": "(s.end - s.start)"}  # fmt: skip

BOUNCES = {
    "single_view": "case when s.views > 0 then s.views = 1 end",
    "plausible": "s.views + s.actions <= 1",
    "ga4": "(s.end - s.start < 10000 and s.views < 2)",
    "openobserve": "(s.events <= 1 or s.end - s.start < 10000)",
}

# scope → (table, {field → column}); strings are numbers of table ``strings``
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "view": (
        "views",
        {name: name for name in ("page", "dwell", "lcp", "inp", "cls", "ttfb", "fcp")},
    ),
    "action": ("actions", {"action": "name"}),
    "error": (
        "errors",
        {"error": "type", "message": "message", "fingerprint": "fingerprint"},
    ),
}
_ROWS = {"views": "view", "actions": "action", "errors": "error"}  # counted → scope
_COMPARISONS = {"<", "<=", ">", ">="}


@dataclass(slots=True)
class Statement:
    """SQL being composed: clauses, and the values they bind."""

    tenant: str
    bounce: str
    now: int
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

    # -- fields ----------------------------------------------------------------

    def expression(self, name: str) -> str:
        """Return how a session's number or boolean reads."""
        if name in _NUMBERS:
            return _NUMBERS[name]
        if name == "bounced":
            return f"({BOUNCES[self.bounce]})"
        if name == "active":
            timeout = "(select inactivity from sources where id = s.source)"
            return f"(s.end > {self.bind(self.now)} - {timeout})"
        if name == "returning":
            return (
                "(case when s.user is not null then exists (select 1 from sessions as p"
                " where p.user = s.user and p.start < s.start and p.app is s.app"
                f" and p.{self.ours()[2:]}) end)"
            )
        raise BadRequest(f"{name!r} is no number")

    # -- filters ---------------------------------------------------------------

    def where(self, part: Filter, scope: str = "", depth: int = 0) -> str:
        """Return *part* as a condition.

        Args:
            part: what must hold.
            scope: a row ``e`` of that scope is at hand; conditions of the same scope
                are about it, and not about any event of the session.
            depth: how deep it is nested.
        """
        if depth > MAX_DEPTH:
            raise BadRequest(f"a filter is nested over {MAX_DEPTH} deep")
        if isinstance(part, Compare):
            return self._compare(part, scope)
        if isinstance(part, Text):
            return self._text(part.text)
        if isinstance(part, Not):
            return f"not coalesce({self.where(part.part, scope, depth + 1)}, 0)"
        joined = [self.where(each, scope, depth + 1) for each in part.parts]
        if not joined:
            return "1" if isinstance(part, And) else "0"
        return "(" + (" and " if isinstance(part, And) else " or ").join(joined) + ")"

    def _compare(self, compare: Compare, scope: str) -> str:
        known = find(compare.field)
        if known is None:
            raise BadRequest(f"no field {compare.field!r}")
        if known.scope == "attribute":
            return self._attribute(compare)
        if known.scope in EVENTS:
            return self._event(known, compare, scope)
        if known.name == "user":
            return self._user(compare)
        return self._session(known, compare)

    def _session(self, known: Field, compare: Compare) -> str:
        if known.name == "status":
            return self._status(compare)
        if known.name == "source":
            chosen = self._match_text("name", compare)
            return f"s.source in (select id from sources where {chosen})"
        if known.name == "id":
            return self._match_text("s.sid", compare)
        if known.type == "string":
            return self._match(_STRINGS[known.name], compare)
        return self._number(self.expression(known.name), compare)

    def _user(self, compare: Compare) -> str:
        """Match any user of the session, by id or as shown."""
        if compare.op in {"!=", "!~"}:
            positive = Compare(
                "user",
                compare.op.replace("!", "=")[:2].replace("==", "="),
                compare.values,
            )
            return f"not coalesce({self._user(positive)}, 0)"
        last = self._match("s.user", compare)
        shown = self._match("s.user_name", compare)
        others = self._match("u.user", compare)
        return (
            f"({last} or {shown} or"
            f" s.id in (select u.session from users as u where {others}))"
        )

    def _event(self, known: Field, compare: Compare, scope: str) -> str:
        table, columns = EVENTS[known.scope]
        column = f"e.{columns[known.name]}"
        matches = (
            self._match(column, compare)
            if known.type == "string"
            else self._number(column, compare)
        )
        if scope == known.scope:
            return matches
        return f"s.id in (select e.session from {table} as e where {matches})"

    def _attribute(self, compare: Compare) -> str:
        name = self.strings((compare.field,))
        matches = self._match("a.value", compare)
        return (
            "s.id in (select a.session from attributes as a"
            f" where a.name in {name} and {matches})"
        )

    def _match(self, column: str, compare: Compare) -> str:
        """Compare a column that holds numbers of strings; NULL is the empty string."""
        op, values = compare.op, compare.values
        if op in {"=", "!="}:
            named = tuple(value for value in values if value != "")
            parts = [f"{column} in {self.strings(named)}"] if named else []
            if "" in values:
                parts.append(f"{column} is null")
            found = f"({' or '.join(parts) or '0'})"
        elif op in {"=~", "!~"}:
            pattern = self.bind(str(values[0]))
            found = (
                f"({column} in (select id from strings where matches({pattern}, value))"
                f" or {column} is null and matches({pattern}, ''))"
            )
        else:
            value = self.bind(str(values[0]))
            return f"{column} in (select id from strings where value {op} {value})"
        return f"not coalesce({found}, 0)" if op[0] == "!" else found

    def _match_text(self, column: str, compare: Compare) -> str:
        op, values = compare.op, compare.values
        if op in {"=", "!="}:
            places = ", ".join(self.bind(str(value)) for value in values)
            return f"{column} {'not ' if op == '!=' else ''}in ({places})"
        if op in {"=~", "!~"}:
            found = f"matches({self.bind(str(values[0]))}, {column})"
            return f"not {found}" if op == "!~" else found
        return f"{column} {op} {self.bind(str(values[0]))}"

    def _status(self, compare: Compare) -> str:
        if compare.op not in {"=", "!="}:
            names = [
                f"when {number} then {self.bind(name)}"
                for number, name in enumerate(STATUSES)
            ]
            text = f"(case s.status {' '.join(names)} end)"
            return self._match_text(text, compare)
        numbers = [
            str(STATUSES.index(str(value)))
            for value in compare.values
            if value in STATUSES
        ]
        negated = "not " if compare.op == "!=" else ""
        return f"s.status {negated}in ({', '.join(numbers)})"

    def _number(self, column: str, compare: Compare) -> str:
        if compare.op in {"=~", "!~"}:
            raise BadRequest(f"{compare.field!r} is a number; it has no pattern")
        if compare.op in _COMPARISONS:
            return f"{column} {compare.op} {self.bind(_as_number(compare))}"
        places = ", ".join(self.bind(_as_number(compare, v)) for v in compare.values)
        return f"{column} {'not ' if compare.op == '!=' else ''}in ({places})"

    def _text(self, text: str) -> str:
        """Find *text* in any string that tells of the session; ASCII case is ignored."""
        if not text:
            return "1"
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = self.bind(f"%{escaped}%")
        name = f"t{len(self.ctes)}"
        self.ctes.append(
            f"{name} as materialized"
            f" (select id from strings where value like {like} escape '\\')"
        )
        found = f"(select id from {name})"
        return (
            f"(s.sid = {self.bind(text)} or s.user in {found} or s.user_name in {found}"
            f" or s.id in (select session from views where page in {found}"
            f" union select session from actions where name in {found}"
            f" union select session from errors where type in {found}"
            f" or message in {found}"
            f" union select session from attributes where value in {found}"
            f" union select session from users where user in {found}))"
        )

    # -- whole -----------------------------------------------------------------

    def ours(self) -> str:
        """Return the condition that keeps other tenants' sessions out."""
        tenant = self.bind(self.tenant)
        return f"s.source in (select id from sources where tenant = {tenant})"

    def text(self, select: str) -> str:
        """Return the statement, with what it needs before it."""
        return f"with {', '.join(self.ctes)} {select}" if self.ctes else select


def _as_number(compare: Compare, value: Any = None) -> float | int:
    raw = compare.values[0] if value is None else value
    if isinstance(raw, bool):
        return int(raw)
    if isinstance(raw, (int, float)):
        return raw
    try:
        return float(raw)
    except ValueError:
        raise BadRequest(f"{compare.field!r} is a number, {raw!r} is not") from None


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


__all__ = ["BOUNCES", "EVENTS", "FIELDS", "Leaf", "Statement", "bucket_of", "in_window"]
