"""Read what the JSON data source sends: payloads, ad hoc filters, ranges, intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.api.filters import compare, match, typed
from app.api.parameters import (
    decode_list,
    is_unset,
    parse_number,
    raw_values,
    text_of,
)
from app.api.questions import DEFAULT_RANGE, MAX_LABELS, Asked, read_range
from app.api.variables import PLURALS
from app.catalog import names
from app.catalog.fields import find
from app.errors import BadRequest, UnknownName
from app.sessionql.plan import And, Filter

Body = Mapping[str, Any]

WORDS = frozenset(
    {
        "a", "after", "b", "before", "between", "by", "columns", "dropped", "format", "limit",
        "metric", "min_sessions", "order", "part", "period", "q", "sort", "step", "steps",
        "strict", "text", "top", "within",
    }
)  # fmt: skip
_PLAIN = frozenset(  # words whose values are names and numbers of ours, never of variables
    {
        "between", "dropped", "format", "limit", "metric", "min_sessions", "order", "part",
        "period", "sort", "strict", "top", "within",
    }
)  # fmt: skip
_SPELLINGS = {
    "group_by": "by",
    "groupBy": "by",
    "groupby": "by",
    "interval": "step",
    "layout": "format",
    "search": "text",
}
_ALL = "All"


@dataclass(slots=True)
class Payload:
    """A payload as parameters, and what of it was left out."""

    asked: dict[str, list[Any]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def read_payload(target: Body, raws: Mapping[str, tuple[str, ...]]) -> Payload:
    """Read the payload of a target, called ``data`` by the first versions.

    Builders keep what was chosen for another metric, and the plugin makes ``{}`` of
    every mistake in JSON: what is not understood is left out, and a notice says so.

    Args:
        target: of a query.
        raws: what variables hold, by what became of them in a builder's payload.
    """
    given = target.get("payload") or target.get("data") or {}
    found = Payload()
    if not isinstance(given, dict):
        found.notices.append("the payload is no JSON object and was left out")
        return found
    is_code = target.get("editorMode") == "code"
    for key, value in given.items():
        name = spell(key)
        if name not in WORDS and find(name) is None:
            found.notices.append(f"nothing is called {key[:60]!r}; it was left out")
        elif isinstance(value, dict):
            found.notices.append(f"{key[:60]!r} is an object; it was left out")
        else:
            known = {} if name in _PLAIN else raws
            texts = _texts(value, known, is_code=is_code)
            found.asked.setdefault(name, []).extend(texts)
    _keep_dimensions(found)
    return found


def spell(key: str) -> str:
    """Return our name for a key of a payload: ``countries`` is ``country``."""
    return key if find(key) else _SPELLINGS.get(key, PLURALS.get(key, key))


def _texts(
    value: Any, raws: Mapping[str, tuple[str, ...]], *, is_code: bool
) -> list[str]:
    values = value if isinstance(value, list) else [value]
    flat = [text_of(each) for each in values if not isinstance(each, (dict, list))]
    if _ALL in flat:
        return []
    if is_code and isinstance(value, list):
        return [orjson.dumps(flat).decode()] if flat else []
    return [_raw(text, raws) for text in flat]


def _raw(text: str, raws: Mapping[str, tuple[str, ...]]) -> str:
    known = raws.get(text)
    return text if known is None else orjson.dumps(list(known)).decode()


def _keep_dimensions(payload: Payload) -> None:
    """Leave out of ``by`` what cannot be grouped by."""
    kept: dict[str, None] = {}
    for text in payload.asked.pop("by", ()):
        for name in decode_list(text) or ():
            try:
                kept[names.dimension(spell(name)).name] = None
            except UnknownName:
                payload.notices.append(
                    f"cannot group by {name[:60]!r}; it was left out"
                )
    if kept:
        payload.asked["by"] = list(kept)[:MAX_LABELS]


def read_scoped(body: Body) -> dict[str, tuple[str, ...]]:
    """Read the variables of the dashboard; annotations of old versions name them so."""
    scoped = body.get("scopedVars") or body.get("variables") or {}
    return raw_values(scoped) if isinstance(scoped, dict) else {}


def read_ad_hoc(filters: Sequence[Body] | None, now: int, skip: str = "") -> Filter:
    """Read ad hoc filters, of all of which the sessions must be.

    Args:
        filters: as Grafana sends them, under either of two names.
        now: for relative times.
        skip: a field whose own filter does not count.

    Raises:
        BadRequest: a field or an operator is unknown, or a value does not fit.
    """
    parts = []
    for each in filters or ():
        field_ = names.field(each["key"])
        part = _ad_hoc(field_, each, now) if field_.name != skip else None
        if part is not None:
            parts.append(part)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _ad_hoc(field_: Any, given: Body, now: int) -> Filter | None:
    op = given.get("operator") or "="
    text = text_of(given.get("value"))
    several = [text_of(each) for each in given.get("values") or ()]
    if op in {"=|", "!=|"}:
        values = several or list(decode_list(text) or ())
        kept = [each for each in values if not is_unset(each)]
        read = [typed(field_, each, now) for each in kept]
        return compare(field_, op[:-1], read) if read else None
    if is_unset(text):
        return None
    if op in {"=~", "!~"}:
        return match(field_, op, text)
    if op not in {"=", "!=", "<", "<=", ">", ">="}:
        raise BadRequest(f"no operator {op[:20]!r} for {field_.name!r}")
    return compare(field_, op, [typed(field_, text, now)])


def read_time_range(
    given: Body | None, now: int, default: int = DEFAULT_RANGE
) -> tuple[int, int]:
    """Read Grafana's range; never its ``raw``, which depends on the time zone.

    Raises:
        BadRequest: a time cannot be read, or from is not before to.
    """
    given = given or {}
    asked: Asked = {name: [given.get(name)] for name in ("from", "to")}
    return read_range(asked, now, default)


def read_count(value: Any, default: int) -> int:
    """Read a positive number that Grafana computed; anything else is the default."""
    is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    number = parse_number(str(value)) if is_number else None
    return int(number) if number and number >= 1 else default
