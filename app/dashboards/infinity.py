"""Ask through the Infinity data source, whose backend can also alert.

What its parser needs: `parser: backend`, a typed column for every field, `Value` for the
figures of charts, filters as JSON, which Skald takes literally.
"""

from collections.abc import Sequence

from app.dashboards.nouns import Annotation, Ask, Json, Variable

PLUGIN = "yesoreyeram-infinity-datasource"
NAME = "Infinity"
UID = "skald-infinity"  # of the provisioned data source; alert rules need it
REF = {"type": PLUGIN, "uid": "${datasource}"}
ALL = "__all"  # what "All" sends: everything, whatever the options are

_TYPES = {"time": "timestamp_epoch"}
_ANNOTATION = {
    "time": "timestamp_epoch",
    "timeEnd": "timestamp_epoch",
    "title": "string",
    "text": "string",
    "tags": "string",
    "id": "string",
}


def targets(ask: Ask, refs: Sequence[str], narrowed_by: Sequence[str]) -> list[Json]:
    """Write the target of an ask: one, whatever number of metrics it names."""
    return [{"refId": refs[0], "datasource": REF, **target(ask, narrowed_by)}]


def target(ask: Ask, narrowed_by: Sequence[str] = ()) -> Json:
    """Write a target, without the name that its panel gives it.

    Args:
        ask: what is asked.
        narrowed_by: names of the variables that are filters.
    """
    given = {"from": "${__timeFrom}", "to": "${__timeTo}"} if ask.is_ranged else {}
    if ask.is_narrowed:
        given |= {
            name: f"${{{name}:json}}" for name in narrowed_by if name not in ask.given
        }
    given |= ask.given
    columns = [
        (_selector(each.name), each.name, _TYPES.get(each.type, each.type))
        for each in ask.columns
    ]
    return request(ask.path, given, columns, ask.shape, ask.root)


def _selector(name: str) -> str:
    return name.replace(".", "\\.")  # in a selector a dot leads into an object


def request(
    path: str,
    given: dict[str, str],
    columns: Sequence[tuple[str, str, str]],
    shape: str = "table",
    root: str = "",
) -> Json:
    """Write what Infinity keeps of a request; columns are (selector, text, type)."""
    return {
        "type": "json",
        "parser": "backend",
        "source": "url",
        "format": shape,
        "url": f"/api/v1/{path}",
        "url_options": {
            "method": "GET",
            "data": "",
            "headers": [],
            "params": [{"key": key, "value": value} for key, value in given.items()],
        },
        "root_selector": root,
        "columns": [
            {"selector": selector, "text": text, "type": kind}
            for selector, text, kind in columns
        ],
        "filters": [],
        "computed_columns": [],
        "filterExpression": "",
        "summarizeExpression": "",
        "summarizeBy": "",
        "summarizeAlias": "",
        "pagination_mode": "none",
    }


def variable_query(variable: Variable) -> Json:
    """Write the query of a variable."""
    given = {name: f"${{{name}:json}}" for name in variable.narrowed_by}
    if variable.since:
        given |= {"from": variable.since, "to": "now"}
    else:
        given |= {"from": "${__timeFrom}", "to": "${__timeTo}"}
    if variable.any:
        given["any"] = variable.any
    columns = [(name, name, "string") for name in ("__text", "__value")]
    path = f"variables/{variable.field}"
    return {
        "queryType": "infinity",
        "query": "",
        "refId": "variable",
        "infinityQuery": {"refId": "variable", **request(path, given, columns)},
    }


def annotation(each: Annotation, narrowed_by: Sequence[str]) -> Json:
    """Write an annotation; its frame has the names that Grafana looks for."""
    given = {"from": "${__timeFrom}", "to": "${__timeTo}", "what": each.what}
    given |= {name: f"${{{name}:json}}" for name in narrowed_by}
    columns = [(name, name, kind) for name, kind in _ANNOTATION.items()]
    asked = request("annotations", given, columns, "dataframe")
    return {
        "mappings": {name: {"source": "field", "value": name} for name in _ANNOTATION},
        "target": {"refId": "Anno", "datasource": REF, **asked},
    }
