"""Say what answers look like, for the OpenAPI document."""

from typing import Any

from marshmallow import Schema, fields

from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS

_NUMBER, _STRING = {"type": ["number", "null"]}, {"type": ["string", "null"]}
_TYPES: dict[str, dict[str, Any]] = {
    "string": _STRING,
    "number": _NUMBER,
    "boolean": {"type": ["boolean", "null"]},
    "time": {"type": ["integer", "null"], "description": "ms since 1970"},
}
_SESSION = {
    "type": "object",
    "description": "Every row has the same keys: those of the catalog.",
    "required": ["id", "app", "start"],
    "properties": {
        name: _TYPES[field.type] | {"description": field.help}
        for name, field in FIELDS.items()
        if field.scope == "session"
    },
}
ROWS = {"type": "array", "items": {"type": "object"}}
FIGURES = {
    "type": "array",
    "items": {
        "type": "object",
        "description": "The labels of `by`, and a column a metric.",
        "properties": {name: _NUMBER for name in METRICS if name not in FIELDS},
    },
}
LONG_ROWS = {
    "type": "array",
    "items": {
        "type": "object",
        "description": "Beside these, the labels of `by`.",
        "required": ["time", "Value"],
        "properties": {
            "time": {"type": "integer", "description": "Begin of the bucket, ms."},
            "metric": {"type": "string", "description": "When several are asked."},
            "Value": _NUMBER,
        },
    },
}
FOUND = {
    "oneOf": [
        {
            "type": "object",
            "required": ["items", "next_cursor", "total"],
            "properties": {
                "items": {"type": "array", "items": _SESSION},
                "next_cursor": _STRING,
                "total": {"type": "integer", "description": "On all pages."},
            },
        },
        {"type": "array", "items": _SESSION},
    ]
}
_LIST = {"type": "array", "items": {"type": "object"}}
DETAIL = {
    "oneOf": [
        {
            "type": "object",
            "required": ["id", "app", "source", "overview", "views", "errors", "cut"],
            "properties": {
                "id": {"type": "string"},
                "app": {"type": "string"},
                "source": {"type": "string"},
                "overview": {"type": "object", "description": "As in the list, and more."},
                **{
                    name: {"type": "object"}
                    for name in ("user", "device", "network", "geography", "attributes")
                },
                **dict.fromkeys(("vitals", "performance", "views", "actions", "errors", "requests", "resources", "resource_types"), _LIST),
                "neighbours": {"type": "object", "required": ["previous", "next"]},
                "cut": {"type": "object", "description": "Lists that are cut."},
            },
        },
        _LIST,
    ]
}  # fmt: skip
ROWS_OR_PAGE = {
    "oneOf": [
        {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": _LIST,
                "next_cursor": _STRING,
                "total": {"type": "integer", "description": "On all pages."},
                "notices": {"type": "array", "items": {"type": "string"}},
            },
        },
        _LIST,
    ]
}
ANSWER = {"oneOf": [{"type": "object"}, _LIST]}
REFUSAL = {"type": "object", "required": ["message", "error"]}


class OptionSchema(Schema):
    """One value of a variable."""

    text = fields.String(data_key="__text", required=True)
    value = fields.String(data_key="__value", required=True)
