"""Compose comparisons of one field with a value."""

from app.catalog.fields import STATUSES, Field, find, kinds_of
from app.errors import BadRequest
from app.sessionql.filters import Compare, Value
from app.sessionql.patterns import matches
from app.store.sql import EVENTS, STRINGS, Statement

_ORDERS = {"<", "<=", ">", ">="}
_POSITIVE = {"!=": "=", "!~": "=~"}


def compare_field(statement: Statement, compare: Compare, kind: str) -> str:
    """Return *compare* as a condition on the session, or on an event of that kind.

    Raises:
        BadRequest: a value does not fit the field.
    """
    known = find(compare.field)
    if known is None:
        raise BadRequest(f"no field {compare.field!r}")
    if known.scope == "attribute":
        return _attribute(statement, compare)
    if kinds_of(known):
        return _event(statement, known, compare, kind)
    if known.name == "user":
        return _user(statement, compare)
    return _session(statement, known, compare)


def _event(statement: Statement, known: Field, compare: Compare, kind: str) -> str:
    column = f"e.{EVENTS[kind][1][known.name]}"
    if known.type == "string":
        return match_string(statement, column, compare)
    return _number(statement, column, compare)


def _session(statement: Statement, known: Field, compare: Compare) -> str:
    if known.name == "status":
        return _status(statement, compare)
    if known.name == "source":
        chosen = _match_text(statement, "name", compare)
        return f"s.source in (select id from sources where {chosen})"
    if known.name == "id":
        return _match_text(statement, "s.sid", compare)
    if known.type == "string":
        return match_string(statement, STRINGS[known.name], compare)
    return _number(statement, statement.expression(known.name), compare)


def _user(statement: Statement, compare: Compare) -> str:
    """Match any user of the session, by id or as shown."""
    if compare.op in _POSITIVE:
        return _none(_user(statement, _positive(compare)))
    last = match_string(statement, "s.user", compare)
    shown = match_string(statement, "s.user_name", compare)
    others = match_string(statement, "u.user", compare)
    return (
        f"({last} or {shown} or"
        f" s.id in (select u.session from users as u where {others}))"
    )


def _attribute(statement: Statement, compare: Compare) -> str:
    """Match an attribute; a session without it has the empty string, as everywhere."""
    if compare.op in _POSITIVE:
        return _none(_attribute(statement, _positive(compare)))
    name = statement.strings((compare.field,))
    has = f"s.id in (select a.session from attributes as a where a.name in {name}"
    values = tuple("" if value is None else value for value in compare.values)
    if isinstance(values[0], (int, float)):
        places = ", ".join(statement.bind(value) for value in values)
        op = "in" if compare.op == "=" else compare.op
        found = f"select id from strings where number(value) {op} ({places})"
        return f"{has} and a.value in ({found}))"
    chosen = match_string(
        statement, "a.value", Compare(compare.field, compare.op, values)
    )
    if _holds_empty(compare.op, values):
        return f"({has} and {chosen}) or not coalesce({has}), 0))"
    return f"{has} and {chosen})"


def _holds_empty(op: str, values: tuple[Value, ...]) -> bool:
    return "" in values if op == "=" else op == "=~" and matches(str(values[0]), "")


def _positive(compare: Compare) -> Compare:
    return Compare(compare.field, _POSITIVE[compare.op], compare.values)


def _none(condition: str) -> str:
    return f"not coalesce({condition}, 0)"


def match_string(statement: Statement, column: str, compare: Compare) -> str:
    """Compare a column that holds numbers of strings; NULL is the empty string."""
    if compare.op in _POSITIVE:
        return _none(match_string(statement, column, _positive(compare)))
    values = tuple("" if value is None else value for value in compare.values)
    if compare.op == "=":
        named = tuple(value for value in values if value != "")
        parts = [f"{column} in {statement.strings(named)}"] if named else []
        parts += [f"{column} is null"] if "" in values else []
        return f"({' or '.join(parts) or '0'})"
    value = statement.bind(str(values[0]))
    if compare.op == "=~":
        found = f"{column} in (select id from strings where matches({value}, value))"
        has_empty = matches(str(values[0]), "")
        return f"({found} or {column} is null)" if has_empty else found
    return f"{column} in (select id from strings where value {compare.op} {value})"


def _match_text(statement: Statement, column: str, compare: Compare) -> str:
    op = compare.op
    values = ["" if value is None else str(value) for value in compare.values]
    if op in {"=", "!="}:
        places = ", ".join(statement.bind(value) for value in values)
        return f"{column} {'not ' if op == '!=' else ''}in ({places})"
    if op in {"=~", "!~"}:
        found = f"matches({statement.bind(values[0])}, {column})"
        return f"not {found}" if op == "!~" else found
    return f"{column} {op} {statement.bind(values[0])}"


def _status(statement: Statement, compare: Compare) -> str:
    if compare.op not in {"=", "!="}:
        names = [
            f"when {number} then {statement.bind(name)}"
            for number, name in enumerate(STATUSES)
        ]
        text = f"(case s.status {' '.join(names)} end)"
        return _match_text(statement, text, compare)
    numbers = [
        str(STATUSES.index(str(value))) for value in compare.values if value in STATUSES
    ]
    negated = "not " if compare.op == "!=" else ""
    # not (): SQLite finds no way through the index that it is told to take
    return f"s.status {negated}in ({', '.join(numbers) or -1})"


def _number(statement: Statement, column: str, compare: Compare) -> str:
    """Compare a number; where nothing is said, only a comparison with nil holds."""
    if compare.op in {"=~", "!~"}:
        raise BadRequest(f"{compare.field!r} is a number; it has no pattern")
    if compare.op in _ORDERS:
        value = statement.bind(_as_number(compare, compare.values[0]))
        return f"{column} {compare.op} {value}"
    is_not = compare.op == "!="
    if None in compare.values:
        return f"{column} is {'not ' if is_not else ''}null"
    places = ", ".join(statement.bind(_as_number(compare, v)) for v in compare.values)
    return f"{column} {'not ' if is_not else ''}in ({places})"


def _as_number(compare: Compare, raw: Value) -> float | int:
    if isinstance(raw, bool):
        return int(raw)
    if isinstance(raw, (int, float)):
        return raw
    try:
        return float(raw or "")
    except ValueError:
        raise BadRequest(f"{compare.field!r} is a number, {raw!r} is not") from None


def find_text(statement: Statement, text: str) -> str:
    """Find *text* in any string that tells of the session; ASCII case is ignored."""
    if not text:
        return "1"
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = statement.bind(f"%{escaped}%")
    name = statement.keep(f"select id from strings where value like {like} escape '\\'")
    found = f"(select id from {name})"
    return (
        f"(s.sid = {statement.bind(text)} or s.user in {found} or s.user_name in {found}"
        f" or s.id in (select session from views where page in {found}"
        f" union select session from actions where name in {found}"
        f" union select session from errors where type in {found}"
        f" or message in {found}"
        f" union select session from attributes where value in {found}"
        f" union select session from users where user in {found}))"
    )
