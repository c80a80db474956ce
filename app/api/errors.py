"""Answer refusals in one shape: a message for people, a code, a readable status line."""

import logging
import re
from http import HTTPStatus
from typing import Any

import marshmallow
from flask import Flask, Response, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from app.api.encoding import answer
from app.errors import SkaldError

log = logging.getLogger(__name__)

MAX_PHRASE = 160
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class ErrorSchema(marshmallow.Schema):
    """What every refusal says."""

    message = marshmallow.fields.String(
        required=True, metadata={"description": "What is wrong, and what would do."}
    )
    error = marshmallow.fields.String(
        required=True, metadata={"description": "A word for programs: bad_request ..."}
    )


class SkaldApi(Api):
    """flask-smorest, with our shape of errors."""

    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer what Flask refuses; keeps headers such as Allow, which RFC 9110 asks."""
        status = int(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        code, message = HTTPStatus(status).name.lower(), _message_of(error)
        log.info("refused", extra=_facts(code, message))
        response = refuse(status, code, message)
        for name, value in error.get_headers():
            if name.lower() not in {"content-type", "content-length"}:
                response.headers[name] = value
        return response


def register_errors(app: Flask) -> None:
    """Answer what goes wrong in a view; nothing of a traceback gets out."""
    app.register_error_handler(SkaldError, _refuse_known)
    app.register_error_handler(Exception, _refuse_unknown)


def refuse(status: int, code: str, message: str) -> Response:
    """Build a refusal.

    Infinity shows nothing but the status line, the JSON data source shows ``message``.
    """
    response = answer({"message": message, "error": code})
    response.status = f"{status} {phrase_of(message)}"
    return response


def phrase_of(message: str) -> str:
    """Fit a message into a status line: one line, printable ASCII, bounded."""
    phrase = " ".join(_UNPRINTABLE.sub(" ", message).split())
    if len(phrase) > MAX_PHRASE:
        phrase = phrase[: MAX_PHRASE - 3] + "..."
    return phrase or "error"


def _refuse_known(error: SkaldError) -> Response:
    level = logging.INFO if error.status < 500 else logging.WARNING  # noqa: PLR2004
    log.log(level, "refused", extra=_facts(error.code, str(error)))
    return refuse(error.status, error.code, str(error))


def _refuse_unknown(error: Exception) -> Response:
    log.error("failed", extra=_facts("internal", repr(error)), exc_info=error)
    return refuse(500, "internal", "something is wrong inside Skald; its log says what")


def _facts(code: str, problem: str) -> dict[str, Any]:
    return {"route": str(request.url_rule), "code": code, "problem": problem}


def _message_of(error: HTTPException) -> str:
    data = getattr(error, "data", None) or {}
    if "messages" in data:
        return "; ".join(_flatten(data["messages"])) or error.name
    return _SAYINGS.get(error.code or 0) or str(error.description or error.name)


_SAYINGS = {
    404: "there is nothing at this path; /api/v1 lists what there is",
    405: "this path does not answer that method; see the header Allow",
    413: "the body is larger than max_body_bytes allows",
}


def _flatten(messages: Any, path: str = "") -> list[str]:
    """List every problem of every field, each after the place of it."""
    if isinstance(messages, dict):
        return [
            line
            for key, value in messages.items()
            for line in _flatten(value, _below(path, str(key)))
        ]
    texts = messages if isinstance(messages, list) else [messages]
    return [f"{path}: {text}" if path else str(text) for text in texts]


def _below(path: str, key: str) -> str:
    if key in {"json", "query", "_schema"}:  # webargs' words, not the client's
        return path
    return f"{path}.{key}" if path else key
