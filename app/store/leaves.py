"""One SQL statement for one leaf of a plan."""

from app.catalog.fields import Field, find
from app.errors import BadRequest
from app.sessionql.plan import Leaf, Window
from app.store.sql import _ROWS, EVENTS, MAX_LABELS, Statement, bucket_of, in_window

_MINUTE = 60_000


def compose(statement: Statement, leaf: Leaf, window: Window) -> str:
    """Return the query of *leaf*: rows of (bucket, value, label, label, ...).

    Labels come as text, "" where nothing is said. What is grouped by, and what is a
    figure of, decides what a row of the scan is: a session; an event of it; or a
    session once for each value that its events have.

    Raises:
        BadRequest: the leaf mixes what cannot be mixed.
    """
    if len(leaf.by) > MAX_LABELS:
        raise BadRequest(f"at most {MAX_LABELS} labels, not {len(leaf.by)}")
    labels = [_field(name) for name in leaf.by]
    scope = _scope(leaf, labels)
    if leaf.function == "active":
        return _compose_active(statement, leaf, labels, scope, window)
    joins, columns = _labels(statement, labels)
    if scope:
        table = EVENTS[scope][0]
        joins.insert(0, f"join {table} as e on e.session = s.id")
    value = _value(statement, leaf, scope)
    bucket = bucket_of(statement, window, "s.start")
    conditions = [
        in_window(statement, window),
        statement.ours(),
        statement.where(leaf.selector, scope),
    ]
    source = "sessions as s " + " ".join(joins)
    where = " and ".join(conditions)
    if scope and not _is_of_events(leaf, scope):
        # a session counts once for each label set, however many events say so
        keys = "".join(f", {column} as l{n}" for n, column in enumerate(columns))
        source = (
            f"(select distinct s.id as session{keys} from {source} where {where}) as d"
            " join sessions as s on s.id = d.session"
        )
        where, columns = "1", [f"d.l{n}" for n in range(len(columns))]
    return statement.text(_grouped(bucket, value, columns, labels, source, where))


def _grouped(
    bucket: str,
    value: str,
    columns: list[str],
    labels: list[Field],
    source: str,
    where: str,
) -> str:
    selected = "".join(f", {column} as l{n}" for n, column in enumerate(columns))
    keys = "".join(f", l{n}" for n in range(len(columns)))
    inner = (
        f"select {bucket} as bucket, {value} as value{selected}"
        f" from {source} where {where} group by bucket{keys}"
    )
    if not labels:
        return inner
    texts = "".join(f", {_as_text(label, f'g.l{n}')}" for n, label in enumerate(labels))
    return f"select g.bucket, g.value{texts} from ({inner}) as g"


def _as_text(label: Field, number: str) -> str:
    if label.name == "status":
        return (
            f"case {number} when 0 then 'healthy' when 1 then 'errored'"
            " when 2 then 'crashed' else 'abnormal' end"
        )
    table, column = (
        ("sources", "name") if label.name == "source" else ("strings", "value")
    )
    return f"coalesce((select t.{column} from {table} as t where t.id = {number}), '')"


def _field(name: str) -> Field:
    found = find(name)
    if found is None:
        raise BadRequest(f"no field {name!r}")
    return found


def _scope(leaf: Leaf, labels: list[Field]) -> str:
    """Return which events the leaf is about; "" when it is about sessions alone."""
    fields = [*labels, _field(leaf.field)] if leaf.field else labels
    scopes = {each.scope for each in fields} & set(EVENTS)
    if len(scopes) > 1:
        raise BadRequest(f"{' and '.join(sorted(scopes))} fields cannot be combined")
    return scopes.pop() if scopes else ""


def _is_of_events(leaf: Leaf, scope: str) -> bool:
    """Return whether a row of the scan is an event: it is a figure of events."""
    if leaf.field and _field(leaf.field).scope == scope:
        return True
    return leaf.function == "sum" and _ROWS.get(leaf.field) == scope


def _labels(statement: Statement, labels: list[Field]) -> tuple[list[str], list[str]]:
    joins: list[str] = []
    columns: list[str] = []
    for index, label in enumerate(labels):
        if label.scope == "attribute":
            name = statement.strings((label.name,))
            joins.append(
                f"left join attributes as a{index} on a{index}.session = s.id"
                f" and a{index}.name in {name}"
            )
            columns.append(f"a{index}.value")
        elif label.scope in EVENTS:
            columns.append(f"e.{EVENTS[label.scope][1][label.name]}")
        else:
            columns.append(f"s.{label.name}")
    return joins, columns


def _value(statement: Statement, leaf: Leaf, scope: str) -> str:
    function = leaf.function
    if function == "count":
        return "count(*)"
    if function == "share":
        if leaf.where is None:
            raise BadRequest("share needs a condition")
        return f"avg({statement.where(leaf.where)})"
    if function == "sum" and scope and _ROWS.get(leaf.field) == scope:
        return "count(*)"
    if function == "distinct":
        return f"count(distinct {_distinct(leaf.field)})"
    measure = _measure(statement, leaf.field)
    if function == "quantile":
        return f"quantile({measure}, {statement.bind(leaf.quantile)})"
    if function in {"sum", "avg", "min", "max"}:
        return f"{function}({measure})"
    raise BadRequest(f"no function {function!r}")


def _distinct(name: str) -> str:
    known = _field(name)
    if known.scope in EVENTS:
        return f"e.{EVENTS[known.scope][1][name]}"
    return "s.sid" if name == "id" else f"s.{name}"


def _measure(statement: Statement, name: str) -> str:
    known = _field(name)
    if known.type == "string":
        raise BadRequest(f"{name!r} is no number")
    if known.scope in EVENTS:
        return f"e.{EVENTS[known.scope][1][name]}"
    return statement.expression(name)


def _compose_active(
    statement: Statement, leaf: Leaf, labels: list[Field], scope: str, window: Window
) -> str:
    """Count each session in every bucket in which it had an event.

    Activity is kept by minute, so the step is a whole number of minutes.
    """
    if window.step % _MINUTE:
        raise BadRequest(
            "active sessions are known by the minute; use a step of minutes"
        )
    joins, columns = _labels(statement, labels)
    if scope:
        joins.insert(0, f"join {EVENTS[scope][0]} as e on e.session = s.id")
    start, end = statement.bind(window.start), statement.bind(window.end)
    first = statement.bind(window.start // _MINUTE)
    conditions = [
        f"s.start < {end} and s.end >= {start}",
        f"v.minute >= {first} and v.minute * {_MINUTE} < {end}",
        statement.ours(),
        statement.where(leaf.selector, scope),
    ]
    at = f"(v.minute * {_MINUTE})"
    bucket = bucket_of(statement, window, at)
    source = f"sessions as s join activity as v on v.session = s.id {' '.join(joins)}"
    return statement.text(
        _grouped(
            bucket,
            "count(distinct s.id)",
            columns,
            labels,
            source,
            " and ".join(conditions),
        )
    )
