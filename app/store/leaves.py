"""One SQL statement for one leaf of a plan."""

import orjson

from app.catalog.fields import COUNTED, Field, find, kinds_of
from app.errors import BadRequest, UnknownName
from app.sessionql.filters import Compare, Filter, gather, walk
from app.sessionql.plan import Leaf, Window
from app.store.conditions import conditions, where
from app.store.sql import EVENTS, Statement, bucket_of
from app.store.told_tables import whole_of

MAX_LABELS = 6
_MINUTE = 60_000
_UNCERTAIN = frozenset({"bounced", "returning"})  # of some sessions it cannot be told


def compose(statement: Statement, leaf: Leaf, window: Window) -> str:
    """Return the query of *leaf*: rows of (bucket, value, ..., label, label, ...).

    There is one value, and of a histogram one for each bound and one for all.
    Labels come as text, "" where nothing is said. What is grouped by, and what is a
    figure of, decides what a row of the scan is: a session; an event of it; or a
    session once for each value that its events have.

    Raises:
        BadRequest: the leaf mixes what cannot be mixed.
    """
    if len(leaf.by) > MAX_LABELS:
        raise BadRequest(f"at most {MAX_LABELS} labels, not {len(leaf.by)}")
    labels = [_field(name) for name in leaf.by]
    kind = _kind(leaf)
    if leaf.function == "active":
        return _compose_active(statement, leaf, labels, kind, window)
    joins, columns = _labels(statement, labels, kind)
    chosen = [statement.look_at(window), *conditions(statement, leaf.selector, kind)]
    if kind:
        joins.insert(0, f"join {EVENTS[kind][0]} as e on e.session = s.id")
    values = _values(statement, leaf, kind)
    bucket = bucket_of(statement, window, "s.start")
    source = "sessions as s " + " ".join(joins)
    condition = " and ".join(chosen)
    if kind and not leaf.is_of_events:
        # a session counts once for each label set, however many events say so
        keys = "".join(f", {column} as l{n}" for n, column in enumerate(columns))
        source = (
            f"(select distinct s.id as session{keys} from {source} where {condition})"
            " as d join sessions as s on s.id = d.session"
        )
        condition, columns = "1", [f"d.l{n}" for n in range(len(columns))]
    return statement.text(
        _grouped(bucket, values, columns, labels, f"{source} where {condition}")
    )


def _kind(leaf: Leaf) -> str:
    try:
        return leaf.kind
    except ValueError as error:
        raise BadRequest(f"{error}; such fields cannot be combined") from None


def _grouped(
    bucket: str,
    values: list[str],
    columns: list[str],
    labels: list[Field],
    source: str,
) -> str:
    figures = "".join(f", {value} as f{n}" for n, value in enumerate(values))
    chosen = "".join(f", {column} as l{n}" for n, column in enumerate(columns))
    keys = "".join(f", l{n}" for n in range(len(columns)))
    inner = f"select {bucket} as bucket{figures}{chosen} from {source}"
    inner += f" group by bucket{keys}"
    if not labels:
        return inner
    names = "".join(f", g.f{n}" for n in range(len(values)))
    texts = "".join(f", {_as_text(label, f'g.l{n}')}" for n, label in enumerate(labels))
    return f"select g.bucket{names}{texts} from ({inner}) as g"


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
        raise UnknownName(f"no field {name!r}")
    return found


def _labels(
    statement: Statement, labels: list[Field], kind: str
) -> tuple[list[str], list[str]]:
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
        elif kinds_of(label):
            columns.append(f"e.{EVENTS[kind][1][label.name]}")
        else:
            columns.append(f"s.{label.name}")
    return joins, columns


def _values(statement: Statement, leaf: Leaf, kind: str) -> list[str]:
    function = leaf.function
    if function in {"count", "rate"}:
        return ["count(*)"]
    if function == "share":
        return [_share(statement, leaf)]
    if function == "distinct":
        return [f"count(distinct {_distinct(statement, leaf.field, kind)})"]
    if function == "sum" and kind and COUNTED.get(leaf.field) == kind:
        return ["count(*)"]
    return _of_numbers(statement, leaf, _measure(statement, leaf.field, kind))


def _of_numbers(statement: Statement, leaf: Leaf, measure: str) -> list[str]:
    function = leaf.function
    if function == "quantile":
        if len(leaf.points) == 1:
            return [f"quantile({measure}, {statement.bind(leaf.points[0])})"]
        points = orjson.dumps(leaf.points).decode()
        return [f"quantiles({measure}, {statement.bind(points)})"]
    if function == "histogram":
        bounds = [f"sum({measure} <= {statement.bind(each)})" for each in leaf.points]
        return [*bounds, f"count({measure})"]
    if function in {"sum", "avg", "min", "max"}:
        whole, unit = whole_of(measure)
        return [f"{function}({whole}){unit}"]
    raise BadRequest(f"no function {function!r}")


def _share(statement: Statement, leaf: Leaf) -> str:
    """Compose the share of sessions that meet a condition, of those that can."""
    if leaf.where is None:
        raise BadRequest("share needs a condition")
    part = gather(leaf.where)
    uncertain = uncertain_in(part)
    holds = f"coalesce({where(statement, part)}, 0)"
    if not uncertain:
        return f"avg({holds})"
    known = " and ".join(
        f"{statement.expression(name)} is not null" for name in uncertain
    )
    return f"avg(case when {known} then {holds} end)"


def uncertain_in(part: Filter) -> list[str]:
    """Return the fields in *part* of which it cannot be told for every session."""
    return sorted(
        {
            each.field
            for each in walk(part)
            if isinstance(each, Compare)
            and each.field in _UNCERTAIN
            and None not in each.values
        }
    )


def _distinct(statement: Statement, name: str, kind: str) -> str:
    known = _field(name)
    if kinds_of(known):
        return f"e.{EVENTS[kind][1][name]}"
    if known.scope == "attribute":
        chosen = statement.strings((name,))
        return (
            "(select x.value from attributes as x"
            f" where x.session = s.id and x.name in {chosen})"
        )
    return "s.sid" if name == "id" else f"s.{name}"


def _measure(statement: Statement, name: str, kind: str) -> str:
    known = _field(name)
    if known.type == "string":
        raise BadRequest(f"{name!r} is no number")
    if kinds_of(known):
        return f"e.{EVENTS[kind][1][name]}"
    return statement.expression(name)


def _compose_active(
    statement: Statement, leaf: Leaf, labels: list[Field], kind: str, window: Window
) -> str:
    """Count each session in every bucket in which it had an event.

    Activity is kept by minute, so the step is a whole number of minutes.
    """
    if window.step % _MINUTE:
        raise BadRequest(
            "active sessions are known by the minute; use a step of minutes"
        )
    joins, columns = _labels(statement, labels, kind)
    if kind:
        joins.insert(0, f"join {EVENTS[kind][0]} as e on e.session = s.id")
    start, end = statement.bind(window.start), statement.bind(window.end)
    first = statement.bind(window.start // _MINUTE)
    statement.among = f"s.start < {end} and s.end >= {start} and {statement.ours()}"
    chosen = [
        statement.among,
        f"v.minute >= {first} and v.minute * {_MINUTE} < {end}",
        *conditions(statement, leaf.selector, kind),
    ]
    bucket = bucket_of(statement, window, f"(v.minute * {_MINUTE})")
    source = f"sessions as s join activity as v on v.session = s.id {' '.join(joins)}"
    figure = ["count(distinct s.id)"]
    source = f"{source} where {' and '.join(chosen)}"
    return statement.text(_grouped(bucket, figure, columns, labels, source))
