"""Make of an answer what Infinity's backend parser makes of it.

Written from the behaviour of its backend (3.11.1, with jsonframer 1.3.0, gframer 1.1.13
and the SDK's LongToWide), as far as flat rows with typed columns need it.
`data/grafana/infinity-3.11.1.json` holds what that backend made of some answers.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


class Unreadable(Exception):
    """What a panel or an alert would show as an error, or get wrong in silence."""


@dataclass
class Field:
    """One field of a frame."""

    name: str
    type: str
    values: list[Any]
    labels: dict[str, str] = field(default_factory=dict)


def read(target: Row, body: bytes) -> list[Field]:
    """Return the fields of the frame that *target* becomes with *body*."""
    rows = json.loads(body, parse_constant=_refuse_constant)
    for key in filter(None, target["root_selector"].split(".")):
        rows = rows[key]
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise Unreadable("no root array of flat objects")
    if len({tuple(row) for row in rows}) > 1:
        raise Unreadable("rows differ in their keys")
    if not rows:
        return []  # a frame without fields, whatever the columns: "No data"
    columns = target["columns"] or _infer(rows)
    fields = sorted(
        (_read_column(each, rows) for each in columns), key=lambda each: each.name
    )
    return _widen(fields) if target["format"] == "timeseries" else fields


def _refuse_constant(text: str) -> None:
    raise Unreadable(f"{text} is no JSON")


def _infer(rows: list[Row]) -> list[Row]:
    """Take all columns, each of the type of its first value."""
    return [
        {"selector": name, "text": name, "type": _type(name, rows)} for name in rows[0]
    ]


def _type(name: str, rows: list[Row]) -> str:
    for value in (row[name] for row in rows):
        if isinstance(value, (dict, list)):
            raise Unreadable(f"{name!r} is nested")
        if value is not None:
            return {str: "string", bool: "boolean"}.get(type(value), "number")
    return "string"


def _read_column(column: Row, rows: list[Row]) -> Field:
    kind = column["type"]
    name = column["selector"].replace("\\.", ".")  # a dot would lead into an object
    values = [_convert(kind, row[name]) for row in rows]
    return Field(column["text"], "time" if "timestamp" in kind else kind, values)


def _convert(kind: str, value: Any) -> Any:
    """Convert as the parser does; it makes null of what does not fit, so we refuse."""
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),  # numbers would become 1e+06
        "number": is_number,
        "boolean": isinstance(value, bool),
        "timestamp_epoch": is_number or bool(re.fullmatch(r"\d+", str(value))),
    }
    if not fits[kind]:
        raise Unreadable(f"{value!r} in a column of {kind}")
    return value


def _widen(fields: list[Field]) -> list[Field]:
    """Make labels of text columns, and a series of every other, as LongToWide does."""
    time = next(each for each in fields if each.type == "time")
    factors = [each for each in fields if each.type in {"string", "boolean"}]
    values = [each for each in fields if each is not time and each not in factors]
    if None in time.values or time.values != sorted(time.values):
        raise Unreadable("times are missing or do not ascend: the chart would be wrong")
    if not factors:
        return fields  # wide already, in the order of names: time stands anywhere
    times = sorted(set(time.values))
    series: dict[tuple[str, tuple[tuple[str, str], ...]], Field] = {}
    for index, at in enumerate(time.values):
        labels = tuple((each.name, str(each.values[index] or "")) for each in factors)
        for each in values:
            blank = Field(each.name, each.type, [None] * len(times), dict(labels))
            found = series.setdefault((each.name, labels), blank)
            found.values[times.index(at)] = each.values[index]
    wide = [series[key] for key in sorted(series)]
    return [Field(time.name, "time", times), *wide]
