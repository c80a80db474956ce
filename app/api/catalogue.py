"""Tell what can be asked, with a target to paste into Infinity for each endpoint."""

from typing import Any

from flask import Response, request

from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS
from app.version import __version__

blp = Blueprint("catalogue", __name__, description="What can be asked.")

_SAYS = {"type": "object"}


@blp.route("/", methods=["GET"])
@blp.response(200, _SAYS)
def show_start() -> Response:
    """Say where things are."""
    return answer(
        {
            "name": "Skald",
            "version": __version__,
            "about": "Session analytics for Grafana, over logs in Loki.",
            "catalogue": "/api/v1",
            "openapi": "/openapi.json",
            "health": "/healthz",
            "data_sources": {"infinity": "/api/v1", "json": "/json"},
        }
    )


@blp.route("/api/v1", methods=["GET"])
@blp.response(200, _SAYS)
def show_catalogue() -> Response:
    """List metrics, fields and endpoints."""
    return answer(
        {
            "metrics": [
                {
                    "name": each.name,
                    "label": each.label,
                    "unit": each.unit,
                    "help": each.help,
                    "query": each.text,
                    "thresholds": list(each.thresholds),
                    "bands": list(each.bands),
                }
                for each in METRICS.values()
            ],
            "fields": [
                {
                    "name": each.name,
                    "label": each.label,
                    "type": each.type,
                    "of": each.scope,
                    "unit": each.unit,
                    "help": each.help,
                    "groups": each.groups,
                    "choices": list(each.choices),
                }
                for each in FIELDS.values()
            ],
            "endpoints": [_endpoint(*each) for each in _ENDPOINTS],
        }
    )


Columns = dict[str, str]

_ENDPOINTS: tuple[tuple[str, str, str, dict[str, str], Columns], ...] = (
    (
        "/api/v1/query",
        "Figures over the range: one row a label set, one column a metric.",
        "table",
        {"metric": "sessions,error_rate", "by": "app"},
        {"app": "string", "sessions": "number", "error_rate": "number"},
    ),
    (
        "/api/v1/query_range",
        "Figures bucket by bucket: long rows, ascending.",
        "timeseries",
        {"metric": "sessions", "by": "app", "step": "${__interval}"},
        {"time": "timestamp_epoch", "app": "string", "Value": "number"},
    ),
    (
        "/api/v1/sessions",
        "Sessions, newest first.",
        "table",
        {"format": "rows", "limit": "500"},
        {
            "start": "timestamp_epoch",
            "id": "string",
            "app": "string",
            "user_name": "string",
            "duration": "number",
            "views": "number",
            "errors": "number",
            "status": "string",
        },
    ),
    (
        "/api/v1/users",
        "Users, those seen last first.",
        "table",
        {"format": "rows", "min_sessions": "1"},
        {
            "user": "string",
            "user_name": "string",
            "sessions": "number",
            "first_seen": "timestamp_epoch",
            "last_seen": "timestamp_epoch",
            "duration_avg": "number",
            "errors": "number",
        },
    ),
    (
        "/api/v1/errors",
        "Errors, equal ones together, most frequent first.",
        "table",
        {"format": "rows"},
        {
            "fingerprint": "string",
            "type": "string",
            "message": "string",
            "count": "number",
            "sessions": "number",
            "users": "number",
            "first_seen": "timestamp_epoch",
            "last_seen": "timestamp_epoch",
            "first_version": "string",
            "last_version": "string",
        },
    ),
    (
        "/api/v1/pages",
        "Pages with entries, exits and dwell, most viewed first.",
        "table",
        {"format": "rows"},
        {
            "page": "string",
            "views": "number",
            "entries": "number",
            "exits": "number",
            "exit_rate": "number",
            "dwell_avg": "number",
        },
    ),
    (
        "/api/v1/paths",
        "Transitions between pages; format=nodes and format=edges for a node graph.",
        "table",
        {"format": "flow", "top": "20"},
        {
            "source": "string",
            "target": "string",
            "value": "number",
            "sessions": "number",
            "share": "number",
        },
    ),
    (
        "/api/v1/funnel",
        "Sessions step by step.",
        "table",
        {"format": "rows", "steps": "/,/cart"},
        {
            "step": "number",
            "name": "string",
            "sessions": "number",
            "share": "number",
            "dropped": "number",
        },
    ),
    (
        "/api/v1/retention",
        "Users who come back, by cohort.",
        "table",
        {"format": "rows", "period": "week"},
        {
            "cohort": "timestamp_epoch",
            "period": "number",
            "users": "number",
            "size": "number",
            "share": "number",
        },
    ),
    (
        "/api/v1/compare",
        "Metrics of two cohorts beside each other.",
        "table",
        {"format": "rows", "between": "version"},
        {"label": "string", "a": "number", "b": "number", "change": "number"},
    ),
    (
        "/api/v1/annotations",
        "Releases and bursts of errors.",
        "dataframe",
        {},
        {
            "time": "timestamp_epoch",
            "timeEnd": "timestamp_epoch",
            "title": "string",
            "text": "string",
            "tags": "string",
            "id": "string",
        },
    ),
    (
        "/api/v1/variables/app",
        "Values of a field, for a variable of the dashboard.",
        "table",
        {},
        {"__text": "string", "__value": "string"},
    ),
)


def _endpoint(
    path: str, about: str, layout: str, parameters: dict[str, str], columns: Columns
) -> dict[str, Any]:
    example = "&".join(f"{name}={value}" for name, value in parameters.items())
    return {
        "path": path,
        "about": about,
        "example": f"{request.host_url.rstrip('/')}{path}?{example}".rstrip("?"),
        "infinity": _target(path, layout, parameters, columns),
    }


def _target(
    path: str, layout: str, parameters: dict[str, str], columns: Columns
) -> dict[str, Any]:
    given = {"from": "${__timeFrom}", "to": "${__timeTo}", **parameters}
    return {
        "refId": "A",
        "type": "json",
        "parser": "backend",
        "source": "url",
        "format": layout,
        "url": path,
        "root_selector": "",
        "url_options": {
            "method": "GET",
            "data": "",
            "headers": [],
            "params": [{"key": key, "value": value} for key, value in given.items()],
        },
        "columns": [
            {"selector": name, "text": name, "type": kind}
            for name, kind in columns.items()
        ],
        "filters": [],
        "computed_columns": [],
        "pagination_mode": "none",
    }
