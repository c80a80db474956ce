"""Describe the queries that the JSON data source's builder can build."""

from typing import Any

from app.api.targets import ALIASES, LAYOUTS, LISTS
from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS

Row = dict[str, Any]

_FILTERS = (
    "app",
    "environment",
    "version",
    "browser",
    "os",
    "device",
    "country",
    "page",
    "entry",
    "exit",
    "status",
    "user",
)
_WIDTH = 20  # in units of 8 pixels


def list_metrics(current: str) -> list[Row]:
    """List everything that a target can name.

    The builder empties a saved target that is not in the list, so an alias is listed
    when it is the current one.
    """
    figures = [_metric(each.name, each.label, _FIGURES) for each in METRICS.values()]
    lists = [
        _metric(name, label, [*_OF_LISTS.get(name, ()), *_chosen(name)])
        for name, label in LISTS.items()
    ]
    known = [_metric(current, current, _FIGURES)] if current in ALIASES else []
    return figures + lists + known


def _chosen(name: str) -> list[Row]:
    """Return the filters of a list; one session, and Skald itself, have none."""
    return [] if name in {"session", "status"} else _CHOICES


def _metric(name: str, label: str, payloads: list[Row]) -> Row:
    return {"value": name, "label": label, "payloads": payloads}


def _payload(name: str, label: str, kind: str, **more: Any) -> Row:
    return {"name": name, "label": label, "type": kind, "width": _WIDTH, **more}


def _options(values: list[tuple[str, str]]) -> list[Row]:
    return [{"label": label, "value": value} for value, label in values]


_CHOICES = [
    _payload(name, FIELDS[name].label, "multi-select", placeholder="any")
    for name in _FILTERS
]
_SOUGHT = [
    _payload("duration", "Duration", "input", placeholder=">30s or 1s..5s"),
    _payload("errors", "Errors", "input", placeholder=">0"),
    _payload("text", "Text", "input", placeholder="checkout failed"),
]
_BY = _payload(
    "by",
    "Group by",
    "multi-select",
    options=_options(
        [(each.name, each.label) for each in FIELDS.values() if each.groups]
    ),
)
_FORMAT = _payload(
    "format", "Format", "select", options=_options([(each, each) for each in LAYOUTS])
)
_SORT = _payload(
    "sort",
    "Sort",
    "select",
    options=_options(
        [
            (f"-{each.name}", f"{each.label}, descending")
            for each in FIELDS.values()
            if each.type in {"number", "time"} and each.scope == "session"
        ]
    ),
)
_LIMIT = _payload("limit", "Limit", "input", placeholder="100")
_PART = _payload("part", "Part", "input", placeholder="overview")
_ONE = [_payload("app", "App", "input"), _payload("id", "Session", "input"), _PART]
_WAYS = [
    _payload("after", "From page", "input", placeholder="/cart"),
    _payload("top", "Pages", "input", placeholder="20"),
]
_STEPS = [
    _payload("steps", "Steps", "input", placeholder="/cart,/checkout,action=pay"),
    _payload("within", "Within", "input", placeholder="30m"),
]
_COHORTS = [
    _payload("between", "Between", "input", placeholder="before, visitors, version"),
    _payload("a", "First", "input", placeholder="1.0"),
    _payload("b", "Second", "input", placeholder="1.1"),
]
_FIGURES = [_BY, *_CHOICES, *_SOUGHT, _FORMAT]
_OF_LISTS: dict[str, list[Row]] = {
    "session_list": [*_SOUGHT, _SORT, _LIMIT],
    "users": [_LIMIT],
    "error_list": [_LIMIT],
    "pages": [_LIMIT],
    "ways": [*_WAYS, _LIMIT],
    "ways_matrix": _WAYS,
    "ways_nodes": _WAYS,
    "ways_edges": _WAYS,
    "funnel": _STEPS,
    "dropped_off": [*_STEPS, _payload("dropped", "After step", "input"), _LIMIT],
    "compare": _COHORTS,
    "retention": [_payload("period", "Period", "input", placeholder="week or day")],
    "session": _ONE,
    "status": [_PART],
}

DECLARED = {each["name"]: each["options"] for each in (_BY, _FORMAT, _SORT)}
