"""Read what a trace or an observation used: tokens, and what they cost."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.events.lines import whole
from app.events.money import pico_usd

MOST_TOKENS = 10**9  # of one observation; nothing uses more
Facts = dict[str, Any]

_INPUT = ("input_tokens", "inputTokens", "promptTokens", "prompt_tokens")
_OUTPUT = ("output_tokens", "outputTokens", "completionTokens", "completion_tokens")
_TOTAL = ("total_tokens", "totalTokens")
_OWN = frozenset((*_INPUT, *_OUTPUT, *_TOTAL))  # of a row; its input is what was asked


def read_usage(fields: Mapping[str, Any]) -> Facts:
    """Return tokens (``in``, ``out``, ``tokens``) and cost (pico-USD); None = not said."""
    usage = _first_object(fields, "usageDetails", "usage_details", "usage")
    costs = _first_object(fields, "costDetails", "cost_details")
    own = {name: fields[name] for name in _OWN if name in fields}
    return tokens_of(usage or own) | cost_of(costs, {**usage, **fields})


def tokens_of(usage: Mapping[str, Any]) -> Facts:
    """Return tokens by the names that Langfuse and others have given them.

    Of ``usageDetails`` every entry counts whose name contains input or output: cached
    input is input (langfuse packages/shared/src/server, getSessionsTable).
    """
    given = _named(usage, ("input", *_INPUT), "input")
    made = _named(usage, ("output", *_OUTPUT), "output")
    total = next(
        (
            n
            for name in ("total", *_TOTAL)
            if (n := _tokens(usage.get(name))) is not None
        ),
        None,
    )
    if total is None and (given is not None or made is not None):
        total = (given or 0) + (made or 0)
    return {"in": given, "out": made, "tokens": total}


def _named(usage: Mapping[str, Any], names: tuple[str, ...], part: str) -> int | None:
    for name in names[1:]:
        found = _tokens(usage.get(name))
        if found is not None:
            return found
    parts = [
        found
        for name, value in usage.items()
        if part in name.lower() and "cost" not in name.lower()
        if (found := _tokens(value)) is not None
    ]
    return sum(parts) if parts else None


def _tokens(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and 0 <= found <= MOST_TOKENS else None


def cost_of(costs: Mapping[str, Any], fields: Mapping[str, Any]) -> Facts:
    """Return the cost: the total as said, else the sum of its parts.

    Args:
        costs: by part, as ``costDetails`` has them.
        fields: where older ways of saying it are looked for.
    """
    said = (costs.get("total"), *(fields.get(name) for name in _TOTAL_COST))
    known = [found for value in said if (found := pico_usd(value)) is not None]
    if known:
        return {"cost": known[0]}
    parts = [*costs.values(), *(fields.get(name) for name in _PART_COST)]
    known = [found for value in parts if (found := pico_usd(value)) is not None]
    return {"cost": sum(known) if known else None}


_TOTAL_COST = (
    "totalCost", "calculated_total_cost", "calculatedTotalCost", "total_cost",
)  # fmt: skip
_PART_COST = (
    "inputCost",
    "outputCost",
    "calculated_input_cost",
    "calculated_output_cost",
)


def _first_object(fields: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        found = parsed(fields.get(name))
        if found:
            return found
    return {}


def parsed(value: Any) -> Mapping[str, Any]:
    """Return the object that *value* is or, as text, holds; else an empty one."""
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = orjson.loads(value)
        except (orjson.JSONDecodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
