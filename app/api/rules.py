"""Show rules and alerts in Prometheus' JSON: `/api/v1/rules`, `/api/v1/alerts`."""

from typing import Any

from flask import Response
from marshmallow import Schema

from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.rule_shapes import Filters, shown_alerts, shown_groups
from app.api.service import reader
from app.api.wire import Open, Texts
from app.errors import BadRequest
from app.ruler.describe import groups_of
from app.store.recorded import RELOAD, RULES

blp = Blueprint("rules", __name__, url_prefix="/api/v1", description="Rules.")

Asked = dict[str, list[Any]]
KINDS = ("alert", "record")
_YES = frozenset({"true", "1", "yes"})

RulesSchema: type[Schema] = Open.from_dict(
    {
        "type": Texts("Only these rules.", choices=KINDS),
        "rule_name[]": Texts("Only rules of these names."),
        "rule_group[]": Texts("Only groups of these names."),
        "file[]": Texts("Only groups of these files."),
        "exclude_alerts": Texts("`true` leaves active alerts out."),
    },
    name="RulesSchema",
)
_RULES = {
    "type": "object",
    "required": ["status", "data"],
    "properties": {
        "status": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["groups"],
            "properties": {"groups": {"type": "array", "items": {"type": "object"}}},
        },
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
_ALERTS = {
    "type": "object",
    "required": ["status", "data"],
    "properties": {
        "status": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["alerts"],
            "properties": {"alerts": {"type": "array", "items": {"type": "object"}}},
        },
    },
}


@blp.route("/rules", methods=["GET", "POST"])
@blp.arguments(RulesSchema, location="query")
@blp.response(200, _RULES)
def list_rules(asked: Asked) -> Response:
    """List groups and their rules, how they fare, and their active alerts.

    When files were changed and cannot be used, the rules in force are still those of
    before, and `warnings` says what is wrong.
    """
    index = reader()
    groups = groups_of(index.mark(RULES).text)
    shown = shown_groups(groups, index, read_filters(asked))
    body: dict[str, Any] = {"status": "success", "data": {"groups": shown}}
    problems = index.mark(RELOAD).text
    if problems:
        body["warnings"] = [f"the rules of before are in force; {problems}"]
    return answer(body)


@blp.route("/alerts", methods=["GET", "POST"])
@blp.response(200, _ALERTS)
def list_alerts() -> Response:
    """List the alerts that are pending or firing."""
    alerts = shown_alerts(reader())
    return answer({"status": "success", "data": {"alerts": alerts}})


def read_filters(asked: Asked) -> Filters:
    """Read what is asked for.

    Raises:
        BadRequest: the type is none.
    """
    kinds = _texts(asked, "type")
    for kind in kinds.difference(KINDS):
        raise BadRequest(f"no type {kind[:60]!r}; it is alert or record")
    return Filters(
        kinds.pop() if len(kinds) == 1 else "",
        frozenset(_texts(asked, "rule_name[]")),
        frozenset(_texts(asked, "rule_group[]")),
        frozenset(_texts(asked, "file[]")),
        with_alerts=not _texts(asked, "exclude_alerts") & _YES,
    )


def _texts(asked: Asked, name: str) -> set[str]:
    return {str(each) for each in asked.get(name) or () if each is not None}
