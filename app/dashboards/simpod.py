"""Ask through the JSON data source: a target a metric, all of a panel in one request.

It cannot alert. Its payloads are written as its builder writes them, since the variables
of a dashboard come along unharmed beside them.
"""

from collections.abc import Sequence

from app.dashboards.nouns import Annotation, Ask, Json, Variable

PLUGIN = "simpod-json-datasource"
NAME = "JSON"
UID = "skald-json"
REF = {"type": PLUGIN, "uid": "${datasource}"}
ALL = "__all"

_FORMATS = {"query": "table", "query_range": "timeseries", "changes": "changes"}
_LEFT_OUT = frozenset(
    {"metric", "format", "step", "what", "q"}
)  # said otherwise, or by Grafana


def targets(ask: Ask, refs: Sequence[str], narrowed_by: Sequence[str]) -> list[Json]:
    """Write the targets of an ask: one a metric, or one for the list."""
    payload: Json = {}
    if ask.is_narrowed:
        payload = {name: [f"${name}"] for name in narrowed_by}
    payload |= {key: each for key, each in ask.given.items() if key not in _LEFT_OUT}
    payload |= ask.told
    if ask.by:
        payload["by"] = list(ask.by)
    if ask.target and ask.columns:
        payload["columns"] = [each.name for each in ask.columns]
    if not ask.target:
        payload["format"] = _FORMATS[ask.path]
    wanted = (ask.target,) if ask.target else ask.metrics
    return [
        {
            "refId": ref,
            "datasource": REF,
            "editorMode": "builder",
            "target": name,
            "payload": payload,
        }
        for ref, name in zip(refs, wanted, strict=False)
    ]


def variable_query(variable: Variable) -> Json:
    """Write the query of a variable: JSON when others narrow it."""
    if not variable.narrowed_by and not variable.any:
        return {"query": variable.field, "format": "string", "refId": "variable"}
    others = "".join(f', "{name}": "${{{name}:pipe}}"' for name in variable.narrowed_by)
    first = f', "any": "{variable.any}"' if variable.any else ""
    text = f'{{"target": "{variable.field}"{first}{others}}}'
    return {"query": text, "format": "json", "refId": "variable"}


def annotation(each: Annotation, narrowed_by: Sequence[str]) -> Json:
    """Write a standard annotation."""
    return {
        "target": {
            "refId": "Anno",
            "datasource": REF,
            "editorMode": "builder",
            "target": each.what,
            "payload": {name: [f"${name}"] for name in narrowed_by},
        }
    }
