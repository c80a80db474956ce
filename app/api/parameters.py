"""Read values as Grafana writes them: lists, macros left over, instants, durations."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import orjson

from app.errors import BadRequest

Scalar = str | int | float | bool | None

MAX_VALUES = 1_000  # named by one filter
MAX_LENGTH = 4_096  # characters of one value
END_OF_TIME = 4_102_444_800_000  # the year 2100, ms

_MACRO = re.compile(r"\$\{[^}]*\}|\$\w+|\[\[\w+(:\w+)?\]\]")
_ANYTHING = frozenset({"", "*", ".*", ".+", "__all", "$__all"})
_ESCAPED = re.compile(r"\\([\\^$*+?.()|\[\]{}/])")
_QUOTE = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*\"""")
_QUOTED = re.compile(rf"(?:{_QUOTE.pattern})(?:,(?:{_QUOTE.pattern}))*")
_BAR = re.compile(r"(?<!\\)\|")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")

_UNITS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "M": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|[smhdwMy])")
_RELATIVE = re.compile(r"now(?:([+-])(\d{1,6})([smhdwMy]))?")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,12})?(Z|[+-]\d\d:?\d\d)?)?"
)
_SECONDS_BELOW = 100_000_000_000  # as ms that is 1973, as seconds the year 5138


def is_unset(text: str) -> bool:
    """Say whether *text* means "everything": empty, "All", or a macro left over."""
    text = text.strip()
    return text in _ANYTHING or _MACRO.fullmatch(text) is not None


def decode_list(text: str, *, whole: bool = False) -> tuple[str, ...] | None:
    r"""Split one text into the values that it names; None when it means "everything".

    1. JSON (``["a","b"]`` or ``"a"``) is taken literally, macros left over aside.
    2. ``{a,b}`` and ``(a|b)`` are Grafana's glob and regex formats.
    3. ``"a","b"`` and ``'a','b'`` are its quoted ones.
    4. ``a,b``, ``a|b`` and ``a + b`` are csv, pipe and text, where ``All`` is everything.
    5. Anything else is one value; ``\.`` is ``.``, as in the regex format.

    Args:
        text: as it came.
        whole: the field's values hold commas and bars themselves, so skip step 4.
    """
    stripped = text.strip()
    if is_unset(stripped) or stripped == "All":
        return None
    values = _decode_json(stripped)
    if values is None:
        values = tuple(_split(stripped, whole=whole))
    return None if any(each and is_unset(each) for each in values) else values


def _decode_json(text: str) -> tuple[str, ...] | None:
    if text[0] not in '["':
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    values = found if isinstance(found, list) else [found]
    if any(isinstance(each, (dict, list)) for each in values):
        return None
    return tuple(text_of(each) for each in values)


def _split(text: str, *, whole: bool) -> Iterator[str]:
    if text[0] == "{" and text[-1] == "}":
        parts = text[1:-1].split(",")
    elif text[0] == "(" and text[-1] == ")":
        parts = [_unescape(each) for each in _BAR.split(text[1:-1])]
    elif _QUOTED.fullmatch(text):
        parts = [_unquote(each[0]) for each in _QUOTE.finditer(text)]
    elif " + " in text and not whole:
        parts = text.split(" + ")
    elif "," in text and not whole:
        parts = text.split(",")
    elif "|" in text and not whole:
        parts = [_unescape(each) for each in _BAR.split(text)]
    else:
        parts = [_unescape(text)]
    return (each.strip() for each in parts if each.strip())


def _unquote(text: str) -> str:
    """Take off quotation marks: a mark inside is doubled, or stands behind a backslash."""
    mark = text[0]
    return text[1:-1].replace(f"\\{mark}", mark).replace(mark * 2, mark)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def text_of(value: Scalar) -> str:
    """Write a JSON scalar as the text that a URL would carry."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def regex_format(values: list[str]) -> str:
    r"""Write *values* as Grafana's regex format does: ``a\.b`` or ``(a\.b|c)``."""
    escaped = [_SPECIAL.sub(r"\\\g<0>", each) for each in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def raw_values(scoped: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Map what a variable became in a builder's payload to what it really holds.

    Grafana escapes ``shop.example.com`` and joins several values to one text; the
    dashboard's variables come along unharmed, so the way back need not be guessed.
    """
    found = {}
    for variable in scoped.values():
        value = variable.get("value") if isinstance(variable, dict) else None
        values = value if isinstance(value, list) else [value]
        texts = [each for each in values if isinstance(each, str) and each]
        if texts:
            found[regex_format(texts)] = tuple(texts)
    return found


def parse_duration(text: str) -> int | None:
    """Read ``30s``, ``1m``, ``1.5h`` or a number of ms; None if it is neither."""
    found = _DURATION.fullmatch(text)
    if found:
        return round(float(found[1]) * _UNITS[found[2]])
    number = parse_number(text)
    return None if number is None else round(number)


def parse_number(text: str) -> float | None:
    """Read a finite number; None if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def parse_instant(text: str, now: int) -> int:
    """Read an instant: ms or s since the epoch, ISO 8601, ``now``, ``now-6h``.

    Returns:
        UTC epoch ms.

    Raises:
        BadRequest: it is none of these, or lies before 1970 or after 2100.
    """
    text = text.strip()
    at = _parse_instant(text, now)
    if at is None:
        raise BadRequest(
            f"cannot read the time {text[:60]!r}: give ms or s since 1970, "
            "ISO 8601 (2025-11-20T06:00:00Z) or now-6h"
        )
    if not 0 <= at <= END_OF_TIME:
        raise BadRequest(f"the time {text[:60]!r} is not between 1970 and 2100")
    return at


def _parse_instant(text: str, now: int) -> int | None:
    relative = _RELATIVE.fullmatch(text)
    if relative:
        sign, count, unit = relative.groups()
        distance = int(count) * _UNITS[unit] if sign else 0
        return now + distance if sign == "+" else now - distance
    number = parse_number(text)
    if number is not None:
        return round(number if abs(number) >= _SECONDS_BELOW else number * 1_000)
    return _parse_iso(text)


def _parse_iso(text: str) -> int | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day, time, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00:00'}{zone or 'Z'}")
        seconds = moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return round(seconds) * 1_000 + int(float(f"0{fraction or '.0'}") * 1_000)
