"""Write answers: JSON by orjson, compressed where the client can read it."""

import gzip
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response, request
from zstandard import ZstdCompressor

_WORTH_IT = 1_000  # bytes; smaller answers fit one packet anyway
_LEVEL, _ZSTD_LEVEL = 5, 3


def answer(value: Any) -> Response:
    """Build a JSON answer; orjson writes NaN and infinities as null."""
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, mimetype="application/json")


def register_compression(app: Flask) -> None:
    """Compress what is large enough."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    response.vary.add("Accept-Encoding")
    coding = _coding()
    if (
        coding
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and len(body := response.get_data()) > _WORTH_IT
    ):
        response.set_data(_CODINGS[coding](body))
        response.headers["Content-Encoding"] = coding
    return response


def _coding() -> str:
    """Return the coding that the client likes best, of equals the quickest; or none."""
    quality = request.accept_encodings.quality
    best = max(_CODINGS, key=quality)
    return best if quality(best) > 0 else ""


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: ZstdCompressor(_ZSTD_LEVEL).compress(body),
    "gzip": lambda body: gzip.compress(body, _LEVEL, mtime=0),
}
