"""Turn ``name=value`` into a filter: the one grammar of both contracts.

A value is an operator, which may be missing, and an operand::

    country=IN,SE        any of them           country=!IN,SE      none of them
    page=~/cart.*        a regular expression  page=!~/cart.*      not that
    errors=>0            and >=, <, <=         duration=1s..5s     both included

Several values are written in any format of Grafana's (``a,b``, ``{a,b}``, ``(a|b)``,
``["a","b"]``) or by repeating the parameter. JSON is taken literally, so it is the way
to name a value that holds a comma or begins with an operator: ``browser=["a, b"]``.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

import orjson

from app.api.parameters import (
    MAX_LENGTH,
    MAX_VALUES,
    Scalar,
    decode_list,
    is_unset,
    parse_duration,
    parse_instant,
    parse_number,
    text_of,
)
from app.catalog.fields import Field
from app.errors import BadRequest
from app.sessionql.plan import And, Compare, Filter, Text, Value

_OPERATOR = re.compile(r"(!~|=~|!=|>=|<=|==|!|~|=|>|<)?(.*)", re.DOTALL)
_MEANING = {"!": "!=", "~": "=~", "": "=", "==": "="}
_ORDERS = frozenset({"<", "<=", ">", ">="})
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WHOLE = frozenset({"message"})  # commas are common in it

MAX_PATTERN = 500


def read_filters(field: Field, given: Sequence[Scalar], now: int) -> list[Filter]:
    """Read all values of one parameter; none of them may say anything.

    Plain values join to one "any of"; every operator narrows further.

    Raises:
        BadRequest: a value cannot be meant for that field.
    """
    named: list[Value] = []
    filters: list[Filter] = []
    for each in given:
        text = text_of(each)
        if len(text) > MAX_LENGTH:
            raise BadRequest(f"a value of {field.name!r} is over {MAX_LENGTH} long")
        found = _read(field, text, now)
        if isinstance(found, Compare) and found.op == "=":
            named.extend(found.values)
        elif found is not None:
            filters.append(found)
    if named:
        filters.append(compare(field, "=", named))
    return filters


def _without_name(text: str, name: str) -> str:
    """Take out the name that two formats of Grafana's repeat beside each value.

    They are distributed, ``a,app=b``, and queryparam, ``var-app=a&var-app=b``.
    """
    key = f"var-{name}="
    if not text.startswith(key):
        return text.replace(f",{name}=", ",")
    values = [unquote(each.removeprefix(key)) for each in text.split("&")]
    return values[0] if is_unset(values[0]) else orjson.dumps(values).decode()


def _read(field: Field, text: str, now: int) -> Filter | None:
    found = _OPERATOR.match(text.strip())
    symbol, operand = (found[1] or "", found[2].strip()) if found else ("", text)
    op = _MEANING.get(symbol, symbol)
    if is_unset(operand):
        return None
    if op in {"=~", "!~"}:
        return match(field, op, operand)
    if op == "=" and ".." in operand and field.type in {"number", "time"}:
        return _between(field, operand, now)
    operand = _without_name(operand, field.name)
    values = decode_list(operand, whole=field.name in _WHOLE)
    if values is None:
        return None
    return compare(field, op, [typed(field, each, now) for each in values])


def _between(field: Field, operand: str, now: int) -> Filter:
    low, high = (part.strip() for part in operand.split("..", 1))
    if not (low or high):
        raise BadRequest(f"{field.name!r} takes a range as 1000..5000, not {operand!r}")
    ends = ((">=", low), ("<=", high))
    return And(
        tuple(
            Compare(field.name, op, (typed(field, end, now),))
            for op, end in ends
            if end
        )
    )


def compare(field: Field, op: str, values: Sequence[Value]) -> Compare:
    """Compare *field* with typed *values*.

    Raises:
        BadRequest: the operator does not fit the field, or the values are too many.
    """
    if op in _ORDERS and (field.type not in {"number", "time"} or len(values) != 1):
        raise BadRequest(f"{field.name!r} cannot be compared by {op} with {values[:3]}")
    if len(values) > MAX_VALUES:
        raise BadRequest(f"{field.name!r} names more than {MAX_VALUES} values")
    return Compare(field.name, op, tuple(dict.fromkeys(values)))


def match(field: Field, op: str, pattern: str) -> Compare:
    """Match *field* with a regular expression, which holds for the whole value.

    Raises:
        BadRequest: it is no text field. (Whether it is a regular expression is for the
            store to say, in whose dialect it is.)
    """
    if field.type != "string":
        raise BadRequest(f"{field.name!r} is a {field.type}: {op} is for text")
    if len(pattern) > MAX_PATTERN:
        raise BadRequest(f"the pattern for {field.name!r} is over {MAX_PATTERN} long")
    return Compare(field.name, op, (pattern,))


def typed(field: Field, text: str, now: int) -> Value:
    """Read *text* as a value of *field*.

    Raises:
        BadRequest: it is none.
    """
    value = _READERS[field.type](text, field, now)
    if value is None:
        raise BadRequest(f"{field.name!r} is a {field.type}, and {text[:60]!r} is not")
    return value


def _number(text: str, field: Field, now: int) -> Value | None:  # noqa: ARG001
    number = parse_number(text)
    if number is None and field.unit == "ms":
        return parse_duration(text)
    return number


def _boolean(text: str, field: Field, now: int) -> Value | None:  # noqa: ARG001
    return _WORDS.get(text.lower())


_READERS: dict[str, Callable[[str, Field, int], Value | None]] = {
    "string": lambda text, _field, _now: text,
    "number": _number,
    "boolean": _boolean,
    "time": lambda text, _field, now: parse_instant(text, now),
}


def read_text(given: Sequence[Scalar]) -> list[Filter]:
    """Read free text: each value is sought as it stands."""
    texts = [text_of(each).strip() for each in given]
    return [Text(each[:MAX_LENGTH]) for each in texts if not is_unset(each)]
