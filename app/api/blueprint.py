"""Read requests alike, however they come, and document them so."""

from functools import cache
from typing import Any

import marshmallow
import orjson
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

from app.api.wire import query_parameters
from app.errors import BadRequest

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


@cache
def _made(schema: type[marshmallow.Schema]) -> marshmallow.Schema:
    return schema()


def read_body(asked: Request) -> Any:
    """Read the body: JSON whatever its content type says, or a form, or nothing.

    Grafana sends POST bodies as text/plain, and old plugins send none at all.

    Raises:
        BadRequest: it is neither, or JSON but no object.
    """
    data = asked.get_data(cache=True).strip()
    if not data:
        return {}
    if asked.mimetype in _FORMS and data[:1] not in {b"{", b"["}:
        return asked.form
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadRequest("the body is not a JSON object")
    return found


def read_parameters(asked: Request) -> dict[str, list[Any]]:
    """Merge the parameters of the URL and of the body: lists of values by name.

    A list in JSON stays one value, written as JSON, which filters take literally.
    """
    merged: dict[str, list[Any]] = dict(asked.args.lists())
    body = read_body(asked) if asked.method == "POST" else {}
    if isinstance(body, MultiDict):
        for name, values in body.lists():
            merged.setdefault(name, []).extend(values)
        return merged
    for name, value in body.items():
        is_list = isinstance(value, list) and not any(map(_is_nested, value))
        one = orjson.dumps(value).decode() if is_list else value
        merged.setdefault(name, []).append(one)
    return merged


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


class Parser(FlaskParser):
    """Read the parameters of a question from the URL, a form or JSON, or all of them."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012
        "query": marshmallow.INCLUDE,
        "json": marshmallow.INCLUDE,
    }

    def _get_schema(self, argmap: Any, req: Request) -> marshmallow.Schema:
        """Make each schema once: copying its fields takes longer than reading with it."""
        if isinstance(argmap, type) and issubclass(argmap, marshmallow.Schema):
            return _made(argmap)
        return super()._get_schema(argmap, req)

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        """Return lists by name, of the URL and then of the body."""
        return read_parameters(req)

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        """Return the body."""
        return read_body(req)


class Blueprint(SmorestBlueprint):
    """A resource whose questions are asked by GET and by POST alike."""

    ARGUMENTS_PARSER = Parser()

    def _prepare_arguments_doc(
        self, doc: dict[str, Any], doc_info: dict[str, Any], **kwargs: Any
    ) -> dict[str, Any]:
        """Document a question: parameters of the URL in a GET, of the body in a POST."""
        operation = doc_info.get("arguments", {})
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "query":
                continue
            schema = parameter["schema"]
            if kwargs["method"] == "post":
                del operation["parameters"]
                content = {"application/json": {"schema": schema}}
                operation["requestBody"] = {"content": content, "required": False}
            else:
                operation["parameters"] = query_parameters(schema)
            doc.update(operation)
            return doc
        documented: dict[str, Any] = super()._prepare_arguments_doc(
            doc, doc_info, **kwargs
        )
        return documented
