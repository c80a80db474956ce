"""Speak the contract of the JSON data source, every version of it.

Versions differ in paths (``search`` became ``metrics`` and ``variable``, ``annotations``
became ``query``), in keys (``data`` became ``payload``, ``adhocFilters`` ``filters``) and
in what they understand; series with ``datapoints`` and tables with ``rows`` suit them all.
"""

from typing import Any

from flask import Response

from app import clock
from app.api.annotations import KINDS
from app.api.answers import ROWS
from app.api.blueprint import Blueprint
from app.api.builder import DECLARED, list_metrics
from app.api.encoding import answer
from app.api.panel_schemas import (
    AnnotationsSchema,
    BuilderSchema,
    PanelSchema,
    SearchSchema,
    TagsSchema,
    VariableSchema,
)
from app.api.panels import MAX_TARGETS, answer_target, mark_rows, read_panel
from app.api.parameters import decode_list
from app.api.payloads import (
    Body,
    read_ad_hoc,
    read_payload,
    read_scoped,
    read_time_range,
    spell,
)
from app.api.questions import Asked
from app.api.service import reader, settings
from app.api.targets import ALIASES, LISTS, read_target
from app.api.variables import RANGE, list_options, list_tags, variable
from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS
from app.errors import BadRequest, NotFound

blp = Blueprint(
    "json", __name__, url_prefix="/json", description="The JSON data source."
)
_ITEMS = {"type": "array"}


@blp.route("/", methods=["GET"])
@blp.response(200, {"type": "object"})
def test() -> Response:
    """Answer "Save & test"."""
    return answer({"status": "ok"})


@blp.route("/metrics", methods=["POST"])
@blp.arguments(BuilderSchema, required=False)
@blp.response(200, ROWS)
def metrics(body: Body) -> Response:
    """List what a query can ask for."""
    return answer(list_metrics(str(body.get("metric") or "")))


@blp.route("/metric-payload-options", methods=["POST"])
@blp.arguments(BuilderSchema, required=False)
@blp.response(200, ROWS)
def metric_payload_options(body: Body) -> Response:
    """List the values of one field of the builder."""
    name = spell(body.get("name") or "")
    if name in DECLARED:
        return answer(DECLARED[name])
    options = list_options(name, _narrowed(body), reader())
    return answer([{"label": text, "value": value} for text, value in options])


@blp.route("/query", methods=["POST"])
@blp.arguments(PanelSchema, required=False)
@blp.response(200, _ITEMS)
def query(body: Body) -> Response:
    """Answer the queries of a panel, or standard annotations."""
    targets = body.get("targets") or []
    if len(targets) > MAX_TARGETS:
        raise BadRequest(f"more than {MAX_TARGETS} targets in one request")
    panel = read_panel(body, clock.now(), reader(), settings())
    return answer([item for each in targets for item in answer_target(each, panel)])


@blp.route("/variable", methods=["POST"])
@blp.arguments(VariableSchema, required=False)
@blp.response(200, ROWS)
def variable_values(body: Body) -> Response:
    """List the values of a variable; what can be listed, when it has no name.

    One that there is not has a single option, which says so and chooses nothing.
    """
    given = body.get("payload")
    payload = given if isinstance(given, dict) else {"target": given}
    name = _name(payload.get("target")) or "fields"
    filters = {
        key: each
        for key, each in payload.items()
        if key not in {"target", "type", "any"}
    }
    asked = _narrowed({"payload": filters, "range": body.get("range")})
    options = [("(any)", str(payload["any"]))] if payload.get("any") else []
    try:
        options += list_options(spell(name), asked, reader())
    except NotFound as problem:
        options = [(str(problem), "")]
    return answer([{"__text": text, "__value": value} for text, value in options])


@blp.route("/search", methods=["POST"])
@blp.arguments(SearchSchema, required=False)
@blp.response(200, _ITEMS)
def search(body: Body) -> Response:
    """List metrics, or the values of a variable: old versions ask for both here."""
    name = spell(_name(body.get("target")))
    try:
        is_variable = variable(name).groups
    except NotFound:
        is_variable = False
    if is_variable:
        return answer([value for _, value in list_options(name, {}, reader())])
    return answer([*METRICS, *LISTS, *ALIASES])


@blp.route("/tag-keys", methods=["POST"])
@blp.arguments(TagsSchema, required=False)
@blp.response(200, ROWS)
def tag_keys(_body: Body) -> Response:
    """List what an ad hoc filter can filter by."""
    return answer([{"type": each.type, "text": name} for name, each in FIELDS.items()])


@blp.route("/tag-values", methods=["POST"])
@blp.arguments(TagsSchema, required=False)
@blp.response(200, ROWS)
def tag_values(body: Body) -> Response:
    """List the values of the field of an ad hoc filter, as the others leave them."""
    field, at = variable(body.get("key") or ""), clock.now()
    others = read_ad_hoc(body.get("filters"), at, skip=field.name)
    span = read_time_range(body.get("timeRange"), at, RANGE)
    return answer([{"text": each} for each in list_tags(field, span, others, reader())])


@blp.route("/annotations", methods=["POST"])
@blp.arguments(AnnotationsSchema, required=False)
@blp.response(200, ROWS)
def annotations(body: Body) -> Response:
    """Answer annotations of old versions, which want them back with their own."""
    annotation = body.get("annotation") or {}
    name = str(annotation.get("query") or "releases").strip().lstrip("#")
    wanted = read_target(
        {"deploy": "deploys", "release": "releases"}.get(name, name), "", ""
    )
    if wanted.name not in KINDS:
        raise BadRequest(f"{name[:60]!r} has no annotations; known: {', '.join(KINDS)}")
    panel = read_panel(body, clock.now(), reader(), settings())
    return answer(
        [
            {**row, "annotation": annotation, "tags": row["tags"].split(",")}
            for row in mark_rows(wanted.name, panel, panel.ad_hoc)
        ]
    )


def _name(target: Any) -> str:
    """Read the name of a variable, which Grafana may have escaped."""
    found = decode_list(target) if isinstance(target, str) else None
    return found[0] if found else ""


def _narrowed(body: Body) -> Asked:
    """Return the range and the filters of a payload as parameters."""
    span = body.get("range") or {}
    asked: dict[str, list[Any]] = {
        name: [span[name]] for name in ("from", "to") if span.get(name)
    }
    filters = read_payload(body, read_scoped(body)).asked
    return asked | {name: each for name, each in filters.items() if name in FIELDS}
