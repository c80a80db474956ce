"""Write answers: JSON by orjson, compressed where the client can read it."""

import gzip
from typing import Any

import orjson
from flask import Flask, Response, request

_WORTH_IT = 1_000  # bytes; smaller answers fit one packet anyway
_LEVEL = 5


def answer(value: Any) -> Response:
    """Build a JSON answer; orjson writes NaN and infinities as null."""
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, mimetype="application/json")


def register_compression(app: Flask) -> None:
    """Compress what is large enough."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    response.vary.add("Accept-Encoding")
    if (
        request.accept_encodings.quality("gzip") > 0
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and len(body := response.get_data()) > _WORTH_IT
    ):
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
